"""Averages of weights, sharpness-aware steps, low-rank changes and groups for decay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.network import (
    SAM,
    SGD,
    AdamW,
    AveragedModel,
    BatchNorm1d,
    CrossEntropyLoss,
    Linear,
    LoRALinear,
    MSELoss,
    Parameter,
    ReLU,
    Sequential,
    StepLR,
    TransformerBlock,
    WeightAveraging,
    decay_groups,
    fit,
    gradient_check,
)

RNG = np.random.default_rng


def network(seed=0):
    rng = RNG(seed)
    return Sequential(
        Linear(3, 6, random_state=rng), BatchNorm1d(6), ReLU(), Linear(6, 2, random_state=rng)
    )


DATA = RNG(1).standard_normal((40, 3)), RNG(2).integers(0, 2, 40)


@pytest.mark.parametrize("decay", [None, 0.9])
def test_averages_equal_torch(decay):
    torch = pytest.importorskip("torch")
    swa = torch.optim.swa_utils
    ours = Linear(3, 2, random_state=0)
    theirs = torch.nn.Linear(3, 2).double()
    average = AveragedModel(ours, decay)
    rule = {} if decay is None else {"multi_avg_fn": swa.get_ema_multi_avg_fn(decay)}
    their_average = swa.AveragedModel(theirs, **rule)
    for seed in range(5):
        for name, parameter in ours.named_parameters():
            parameter.data = RNG(seed).standard_normal(parameter.shape)
            dict(theirs.named_parameters())[name].data = torch.from_numpy(parameter.data.copy())
        average.update_parameters(ours)
        their_average.update_parameters(theirs)
    for name, parameter in average.module.named_parameters():
        expected = dict(their_average.module.named_parameters())[name].detach()
        np.testing.assert_allclose(parameter.data, expected, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(values=st.lists(st.floats(-10, 10), min_size=1, max_size=8), decay=st.floats(0, 0.99))
def test_averages_are_what_they_say(values, decay):
    model = Linear(1, 1, bias=False, random_state=0)
    equal, exponential = AveragedModel(model), AveragedModel(model, decay)
    expected = values[0]
    for value in values:
        model.weight.data = [[value]]
        equal.update_parameters(model)
        exponential.update_parameters(model)
        expected = decay * expected + (1 - decay) * value
    assert equal.module.weight.data[0, 0] == pytest.approx(np.mean(values), abs=1e-9)
    assert exponential.module.weight.data[0, 0] == pytest.approx(expected, abs=1e-9)
    assert equal.n_averaged == len(values)


def test_averaging_during_fit():
    X, y = DATA
    model = network()
    weights = []

    class Remember(WeightAveraging):
        def on_batch_end(self, state):
            weights.append(model.state_dict()["0.weight"])
            super().on_batch_end(state)

    average = AveragedModel(model)
    callback = Remember(average, start=4, every=3)
    options = {"epochs": 6, "batch_size": 20, "random_state": 0}
    fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), X, y, callbacks=[callback],
        **options)  # fmt: skip
    assert len(weights) == 12
    assert average.n_averaged == 3
    expected = np.mean([weights[i] for i in (4, 7, 10)], axis=0)
    np.testing.assert_allclose(average.module.state_dict()["0.weight"], expected)
    np.testing.assert_array_equal(
        average.module.state_dict()["1.running_mean"].shape, model[1].running_mean.shape
    )
    plain = network()
    fit(plain, CrossEntropyLoss(), SGD(plain.parameters(), lr=0.5), X, y, **options)
    np.testing.assert_array_equal(plain[0].weight.data, model[0].weight.data)
    assert average(X).shape == (40, 2)


# ------------------------------------------------------------------------------------------- SAM


def by_hand(w, gradient, rho):
    g = gradient(w)
    return gradient(w + rho * g / np.linalg.norm(g))


@pytest.mark.parametrize("groups", [1, 2])
def test_sam_follows_its_formula(groups):
    rng = RNG(0)
    A, target = rng.standard_normal((6, 6)), rng.standard_normal(6)

    def gradient(w):
        return A.T @ (A @ w - target)

    start = rng.standard_normal(6)
    parameters = [Parameter(part) for part in np.split(start, 2)]
    each = parameters if groups == 1 else [{"params": [p]} for p in parameters]
    optimizer = SAM(SGD(each, lr=0.01, momentum=0.9), rho=0.3)
    reference = Parameter(start)
    plain = SGD([reference], lr=0.01, momentum=0.9)
    for _ in range(5):
        for _ in range(2):
            w = np.concatenate([p.data for p in parameters])
            optimizer.zero_grad()
            for p, g in zip(parameters, np.split(gradient(w), 2), strict=True):
                p.grad += g
            if optimizer._before is None:
                optimizer.first_step()
            else:
                optimizer.step()
        plain.zero_grad()
        reference.grad += by_hand(reference.data, gradient, 0.3)
        plain.step()
        np.testing.assert_allclose(np.concatenate([p.data for p in parameters]), reference.data)


def test_sam_in_fit_and_with_a_schedule():
    X, y = DATA
    options = {"epochs": 4, "batch_size": 10, "random_state": 0}
    results = []
    for rho in (None, 0.0, 0.1):
        model = Sequential(Linear(3, 6, random_state=0), ReLU(), Linear(6, 2, random_state=1))
        base = SGD(model.parameters(), lr=0.2)
        optimizer = base if rho is None else SAM(base, rho)
        history = fit(model, CrossEntropyLoss(), optimizer, X, y, **options,
                      scheduler=StepLR(optimizer, 2))  # fmt: skip
        assert history["lr"][-1] == pytest.approx(0.02)
        results.append(model.parameters()[0].data)
    np.testing.assert_allclose(results[0], results[1], atol=1e-12)  # no ball, no difference
    assert np.abs(results[0] - results[2]).max() > 1e-4


def test_bad_sam():
    with pytest.raises(TypeError, match="base_optimizer must be an Optimizer, got list"):
        SAM([Parameter([1.0])])
    base = SGD([Parameter([1.0])])
    with pytest.raises(ValueError, match="rho must lie in"):
        SAM(base, -0.1)
    with pytest.raises(RuntimeError, match="step was called before first_step"):
        SAM(base).step()
    still = SAM(base)
    still.zero_grad()
    still.first_step()  # without a gradient there is no direction
    still.step()
    assert base.param_groups[0]["params"][0].data == 1.0


# ------------------------------------------------------------------------------------------ LoRA


def test_lora_starts_with_the_layer_and_merges_back():
    rng = RNG(0)
    linear = Linear(5, 4, random_state=rng)
    x = rng.standard_normal((7, 5))
    before = linear(x)
    layer = LoRALinear(linear, r=2, lora_alpha=3.0, random_state=rng)
    np.testing.assert_array_equal(layer(x), before)
    layer.lora_B.data = rng.standard_normal((4, 2))
    change = layer.merge().weight.data - linear.weight.data
    assert np.linalg.matrix_rank(change) == 2
    np.testing.assert_allclose(change, 1.5 * layer.lora_B.data @ layer.lora_A.data)
    np.testing.assert_allclose(layer.merge()(x), layer(x))
    assert max(gradient_check(layer, x).values()) < 1e-7


def test_lora_equals_torchs_gradients():
    torch = pytest.importorskip("torch")
    rng = RNG(0)
    layer = LoRALinear(Linear(5, 4, random_state=rng), r=2, lora_alpha=3.0, random_state=rng)
    layer.lora_B.data = rng.standard_normal((4, 2))
    x, grad = rng.standard_normal((7, 5)), rng.standard_normal((7, 4))
    tensors = {n: torch.tensor(p.data, requires_grad=True) for n, p in layer.named_parameters()}
    fixed = {n: torch.tensor(b) for n, b in layer.named_buffers()}
    their_x = torch.tensor(x, requires_grad=True)
    weight = fixed["weight"] + 1.5 * tensors["lora_B"] @ tensors["lora_A"]
    y = torch.nn.functional.linear(their_x, weight, fixed["bias"])
    y.backward(torch.tensor(grad))
    np.testing.assert_allclose(layer(x), y.detach())
    np.testing.assert_allclose(layer.backward(grad), their_x.grad)
    for name, parameter in layer.named_parameters():
        np.testing.assert_allclose(parameter.grad, tensors[name].grad)


def test_training_lora_leaves_the_layer_alone():
    rng = RNG(0)
    linear = Linear(3, 2, random_state=rng)
    weight = linear.weight.data.copy()
    model = Sequential(LoRALinear(linear, r=1, random_state=rng))
    X = rng.standard_normal((60, 3))
    y = X @ (weight + np.outer([1.0, -1.0], [0.5, 0.0, 2.0])).T + linear.bias.data
    fit(model, MSELoss(), AdamW(model.parameters(), lr=0.02, weight_decay=0.0), X, y, epochs=100,
        random_state=0)  # fmt: skip
    np.testing.assert_array_equal(linear.weight.data, weight)
    assert np.mean((model(X) - y) ** 2) < 1e-6  # the change was of rank 1
    state = model.state_dict()
    assert set(state) == {"0.lora_A", "0.lora_B", "0.weight", "0.bias"}
    model.load_state_dict(state)
    assert model.to(np.float32)(X.astype(np.float32)).dtype == np.float32


def test_lora_inside_a_block():
    block = TransformerBlock(4, 2, random_state=0)
    x = RNG(0).standard_normal((2, 3, 4))
    before = block(x)
    block.linear1 = LoRALinear(block.linear1, r=2, random_state=0)
    np.testing.assert_array_equal(block(x), before)
    names = [name for name, _ in block.named_parameters() if name.startswith("linear1")]
    assert names == ["linear1.lora_A", "linear1.lora_B"]


def test_bad_lora():
    with pytest.raises(TypeError, match="layer must be a Linear, got ReLU"):
        LoRALinear(ReLU(), 1)
    with pytest.raises(ValueError, match="r must be at most 2, got 3"):
        LoRALinear(Linear(5, 2), 3)
    with pytest.raises(ValueError, match="lora_alpha must lie in"):
        LoRALinear(Linear(5, 2), 1, 0.0)


# ---------------------------------------------------------------------------------------- groups


def test_groups_for_decay():
    model = Sequential(TransformerBlock(4, 2, random_state=0))
    groups = decay_groups(model, 0.1)
    named = {id(p): name for name, p in model.named_parameters()}
    decayed = {named[id(p)] for p in groups[0]["params"]}
    assert decayed == {
        "0.self_attn.in_proj_weight",
        "0.self_attn.out_proj.weight",
        "0.linear1.weight",
        "0.linear2.weight",
    }
    assert sum(len(group["params"]) for group in groups) == len(named)
    optimizer = AdamW(groups, lr=0.1)
    norm = model[0].norm1.weight.data.copy()
    weight = model[0].linear1.weight.data.copy()
    optimizer.zero_grad()
    optimizer.step()
    np.testing.assert_array_equal(model[0].norm1.weight.data, norm)
    np.testing.assert_allclose(model[0].linear1.weight.data, 0.99 * weight)
    assert len(decay_groups(Linear(2, 1, bias=False), 0.1)) == 1
    with pytest.raises(ValueError, match="weight_decay must lie in"):
        decay_groups(model, -1.0)


def test_bad_averages():
    with pytest.raises(ValueError, match="decay must be less than 1"):
        AveragedModel(Linear(2, 1), 1.0)
    with pytest.raises(ValueError, match="every must be at least 1"):
        WeightAveraging(AveragedModel(Linear(2, 1)), every=0)
