"""Norms within a sample, embeddings, attention and blocks: equal to PyTorch and to differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.network import (
    GELU,
    AdamW,
    CrossEntropyLoss,
    Embedding,
    Flatten,
    GroupNorm,
    InstanceNorm2d,
    LastToken,
    LayerNorm,
    Linear,
    MultiHeadAttention,
    PositionalEmbedding,
    Residual,
    RMSNorm,
    Sequential,
    Tanh,
    TokenCrossEntropyLoss,
    TokensAsRows,
    TransformerBlock,
    accuracy,
    fit,
    gradient_check,
    numerical_gradient,
    predict,
)
from tests.network.test_layers import compare_with_torch
from tests.rounding import assert_close

RNG = np.random.default_rng


DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def scatter(module, seed=3):
    """Give all parameters values that no test can confuse."""
    rng = RNG(seed)
    for parameter in module.parameters():
        parameter.data = 0.5 * rng.standard_normal(parameter.shape)
    return module


def worst(module, x):
    return max(gradient_check(module, x).values())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (LayerNorm(4), (3, 4)),
        (LayerNorm(4, bias=False), (2, 3, 4)),
        (RMSNorm(4), (2, 3, 4)),
        (GroupNorm(2, 4), (3, 4, 2)),
        (InstanceNorm2d(2), (2, 2, 3, 2)),
        (GELU(), (3, 4)),
        (GELU("tanh"), (3, 4)),
        (Residual(Sequential(Linear(4, 4, random_state=0), Tanh())), (3, 4)),
        (PositionalEmbedding(5, 4, random_state=0), (2, 3, 4)),
        (MultiHeadAttention(4, 2, random_state=0), (2, 3, 4)),
        (MultiHeadAttention(4, 1, causal=True, random_state=0), (2, 3, 4)),
        (MultiHeadAttention(4, 2, dropout=0.4, random_state=0), (2, 3, 4)),
        (TransformerBlock(4, 2, 5, random_state=0), (2, 3, 4)),
        (TransformerBlock(4, 2, 5, dropout=0.3, causal=True, random_state=0), (2, 3, 4)),
        (TokensAsRows(), (2, 3, 4)),
        (LastToken(), (2, 3, 4)),
    ],
    ids=repr,
)
def test_gradients_equal_differences(layer, shape):
    scatter(layer)
    x = RNG(0).standard_normal(shape)
    assert worst(layer, x) < 1e-7
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        layer.backward(x)
    layer(x)
    with pytest.raises(ValueError, match="shape"):
        layer.backward(np.ones((7, 7, 7, 7)))


@DTYPES
@pytest.mark.parametrize("kind", ["none", "tanh"])
def test_gelu_equals_torch(kind, dtype):
    torch = pytest.importorskip("torch")
    x = 3 * RNG(0).standard_normal((4, 3, 2))
    compare_with_torch(GELU(kind), torch.nn.GELU(kind), x, dtype)


def test_both_forms_of_gelu_are_nearly_the_same():
    x = np.linspace(-8, 8, 2001)[None]
    assert np.abs(GELU()(x) - GELU("tanh")(x)).max() < 5e-4


@DTYPES
@pytest.mark.parametrize("shape", [(4,), (3, 5)])
def test_embedding_equals_torch(shape, dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = Embedding(7, 3, dtype=dtype, random_state=0), torch.nn.Embedding(7, 3)
    theirs.weight.data = torch.from_numpy(ours.weight.data.copy())
    tokens = RNG(0).integers(0, 7, shape)
    grad = RNG(1).standard_normal((*shape, 3)).astype(dtype)
    y, their_y = ours(tokens), theirs(torch.from_numpy(tokens))
    their_y.backward(torch.from_numpy(grad))
    assert_close(y, their_y.detach(), terms=1, dtype=dtype)
    np.testing.assert_array_equal(ours.backward(grad), np.zeros(shape))
    assert_close(ours.weight.grad, theirs.weight.grad, terms=15, dtype=dtype)


def test_embedding_is_a_linear_layer_of_one_hot_rows():
    layer = Embedding(5, 3, random_state=0)
    tokens = np.array([[1, 4, 1]])
    np.testing.assert_allclose(layer(tokens), np.eye(5)[tokens] @ layer.weight.data)
    r = RNG(0).standard_normal((1, 3, 3))
    layer.backward(r)
    numeric = numerical_gradient(lambda: float(np.vdot(r, layer(tokens))), layer.weight.data)
    np.testing.assert_allclose(layer.weight.grad, numeric, atol=1e-8)


def torch_attention(ours, torch):
    options = {"bias": ours.in_proj_bias is not None, "batch_first": True}
    return torch.nn.MultiheadAttention(ours.embed_dim, ours.num_heads, **options)


class SelfAttention:
    """PyTorch's attention as a function of one argument."""

    def __init__(self, module, mask):
        self.module, self.mask = module, mask
        self.named_parameters, self.named_buffers = module.named_parameters, module.named_buffers

    def to(self, dtype):
        self.module.to(dtype)
        return self

    def __call__(self, x):
        return self.module(x, x, x, attn_mask=self.mask, need_weights=False)[0]


@DTYPES
@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_attention_equals_torch(heads, bias, causal, dtype):
    torch = pytest.importorskip("torch")
    ours = MultiHeadAttention(6, heads, bias=bias, causal=causal, dtype=dtype, random_state=0)
    scatter(ours)
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    theirs = SelfAttention(torch_attention(ours, torch), mask)
    compare_with_torch(ours, theirs, RNG(0).standard_normal((4, 5, 6)), dtype)


def test_masks_and_weights_equal_torch():
    torch = pytest.importorskip("torch")
    rng = RNG(0)
    ours = scatter(MultiHeadAttention(6, 2, random_state=0))
    theirs = torch_attention(ours, torch).double()
    for name, parameter in ours.named_parameters():
        dict(theirs.named_parameters())[name].data = torch.from_numpy(parameter.data.copy())
    x = rng.standard_normal((3, 4, 6))
    for shape in ((4, 4), (3, 4, 4)):
        mask = rng.random(shape) < 0.5
        mask[..., np.arange(4), np.arange(4)] = False
        their_mask = np.repeat(mask, 2, axis=0) if mask.ndim == 3 else mask
        tokens = torch.from_numpy(x)
        y, weights = theirs(
            tokens,
            tokens,
            tokens,
            attn_mask=torch.from_numpy(their_mask),
            average_attn_weights=False,
        )
        assert_close(ours.forward(x, mask), y.detach(), terms=30)
        assert_close(ours.attention, weights.detach(), terms=30)
        assert np.all(ours.attention[np.broadcast_to(mask.reshape(-1, 1, 4, 4), (3, 2, 4, 4))] == 0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), tokens=st.integers(1, 6))
def test_attention_does_not_know_the_order_and_causal_attention_no_future(seed, tokens):
    rng = RNG(seed)
    x = rng.standard_normal((2, tokens, 4))
    layer = scatter(MultiHeadAttention(4, 2, random_state=0))
    order = rng.permutation(tokens)
    np.testing.assert_allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-12)
    np.testing.assert_allclose(layer.attention.sum(axis=-1), 1)
    causal = scatter(MultiHeadAttention(4, 2, causal=True, random_state=0))
    whole = causal(x)
    for t in range(1, tokens + 1):
        np.testing.assert_allclose(causal(x[:, :t]), whole[:, :t], atol=1e-12)


def test_dropout_of_attention():
    layer = MultiHeadAttention(4, 1, dropout=0.5, random_state=0)
    x = RNG(0).standard_normal((50, 8, 4))
    outputs = [layer(x) for _ in range(60)]
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01
    evaluated = layer.eval()(x)
    np.testing.assert_array_equal(evaluated, layer(x))
    spread = np.std(outputs, axis=0) / np.sqrt(60)
    assert np.mean(np.abs(np.mean(outputs, axis=0) - evaluated) < 4 * spread) > 0.99


@DTYPES
@pytest.mark.parametrize("causal", [True, False])
def test_block_equals_torch(causal, dtype):
    torch = pytest.importorskip("torch")
    ours = scatter(TransformerBlock(6, 2, 10, causal=causal, dtype=dtype, random_state=0))
    theirs = torch.nn.TransformerEncoderLayer(
        6,
        2,
        10,
        dropout=0.0,
        activation=torch.nn.GELU("tanh"),
        norm_first=True,
        batch_first=True,
    )
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5) if causal else None

    class Masked(SelfAttention):
        def __call__(self, x):
            return self.module(x, src_mask=None if self.mask is None else self.mask.to(x.dtype))

    assert {n for n, _ in ours.named_parameters()} == {n for n, _ in theirs.named_parameters()}
    compare_with_torch(ours, Masked(theirs, mask), RNG(0).standard_normal((3, 5, 6)), dtype)


def test_initial_values_are_distributed_like_torchs():
    torch = pytest.importorskip("torch")
    ours = TransformerBlock(64, 4, random_state=0)
    theirs = torch.nn.TransformerEncoderLayer(64, 4, 256).requires_grad_(False)
    for name, parameter in theirs.named_parameters():
        mine = dict(ours.named_parameters())[name].data
        assert mine.std() == pytest.approx(float(parameter.std(correction=0)), rel=0.2, abs=1e-9)
        assert np.abs(mine).max() == pytest.approx(float(parameter.abs().max()), rel=0.1, abs=1e-9)


def test_a_transformer_trains_in_fit():
    rng = RNG(0)
    model = Sequential(
        Embedding(5, 16, random_state=rng),
        PositionalEmbedding(8, 16, random_state=rng),
        TransformerBlock(16, 2, 32, causal=True, dropout=0.1, random_state=rng),
        LayerNorm(16),
        TokensAsRows(),
        Linear(16, 5, random_state=rng),
    )
    X = rng.integers(0, 5, (200, 8))
    y = np.roll(X, 1, axis=1)  # say the token before
    y[:, 0] = X[:, 0]
    optimizer = AdamW(model.parameters(), lr=1e-2)
    history = fit(
        model, TokenCrossEntropyLoss(), optimizer, X, y, epochs=25, random_state=0,
        validation_data=(X[:50], y[:50]), metrics={"accuracy": accuracy},
    )  # fmt: skip
    assert history["val_accuracy"][-1] > 0.98
    assert predict(model, X[:3]).shape == (24, 5)
    state = model.state_dict()
    assert "2.self_attn.in_proj_weight" in state
    model.to(np.float32)
    assert predict(model, X[:3]).dtype == np.float32


def test_token_loss_is_the_loss_of_all_tokens():
    rng = RNG(0)
    logits, labels = rng.standard_normal((6, 4)), rng.integers(0, 4, (2, 3))
    ours, plain = TokenCrossEntropyLoss(label_smoothing=0.1), CrossEntropyLoss(label_smoothing=0.1)
    assert ours(logits, labels) == plain(logits, labels.ravel())
    np.testing.assert_array_equal(ours.backward(), plain.backward())


def test_one_way_gradients_of_the_first_layer():
    rng = RNG(0)
    model = Sequential(Embedding(5, 4, random_state=rng), Flatten(), Linear(8, 3, random_state=rng))
    tokens = rng.integers(0, 5, (6, 2))
    grad = rng.standard_normal(model(tokens).shape)
    model.backward_parameters(grad)
    once = [parameter.grad.copy() for parameter in model.parameters()]
    model.zero_grad()
    model.backward(grad)
    for a, parameter in zip(once, model.parameters(), strict=True):
        np.testing.assert_array_equal(a, parameter.grad)
    attention = scatter(MultiHeadAttention(4, 2, random_state=0))
    x = rng.standard_normal((2, 3, 4))
    attention(x)
    attention.backward_parameters(x)
    once = attention.in_proj_weight.grad.copy()
    attention.zero_grad()
    attention.backward(x)
    np.testing.assert_array_equal(once, attention.in_proj_weight.grad)


def bad(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bad_arguments():
    x = RNG(0).standard_normal((2, 3, 4))
    bad(lambda: LayerNorm(0), ValueError, "normalized_shape must be at least 1")
    bad(lambda: LayerNorm(5)(x), ValueError, "x must have 5 features on its last axis")
    bad(lambda: LayerNorm(4)(x.astype(np.float32)), TypeError, "x is float32")
    bad(lambda: RMSNorm(4)(x[0, 0]), ValueError, "x must have 4 features on its last axis")
    bad(lambda: GroupNorm(4, 6), ValueError, "num_groups must divide num_channels, got 4 and 6")
    bad(lambda: InstanceNorm2d(4)(x), ValueError, "must have 4 dimensions")
    bad(lambda: Embedding(3, 2)(x), TypeError, "x must be an array of integers, got float64")
    bad(lambda: Embedding(3, 2)(np.array([0, 3])), ValueError, r"must hold 0\.\.2, got 0 to 3")
    bad(lambda: Embedding(3, 2)(np.array([], int)), ValueError, "got an empty array")
    bad(lambda: PositionalEmbedding(2, 4)(x), ValueError, "at most 2 tokens of 4 features")
    bad(lambda: MultiHeadAttention(6, 4), ValueError, "num_heads must divide embed_dim, got 4")
    bad(lambda: MultiHeadAttention(6, 2)(x), ValueError, "must have 6 features on its last axis")
    bad(lambda: MultiHeadAttention(4, 2)(x[0]), ValueError, "must have 3 dimensions")
    attention = MultiHeadAttention(4, 2, causal=True, random_state=0)
    wrong = np.zeros((2, 2), bool)
    bad(lambda: attention.forward(x, wrong), ValueError, "attn_mask must be bool of shape")
    mask = np.eye(3, dtype=bool)
    bad(lambda: attention.forward(x, mask), ValueError, "leaves a token with nothing to look at")
    bad(lambda: Residual(Linear(4, 2))(x[0]), ValueError, "must keep the shape")
    bad(lambda: GELU("erf"), ValueError, "approximate must be 'none' or 'tanh', got 'erf'")
    bad(lambda: TransformerBlock(4, 2, 0), ValueError, "dim_feedforward must be at least 1")
