"""Layers: equal to PyTorch forward and backward, and to numerical derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lessons_lib.network import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    Parameter,
    ReLU,
    Sequential,
    Tanh,
    gradient_check,
    uniform_fan_in,
)

from ..rounding import assert_close
from .against_torch import compare_with_torch

RNG = np.random.default_rng


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_equals_torch(dtype, bias):
    torch = pytest.importorskip("torch")
    x = RNG(0).standard_normal((7, 5))
    ours = Linear(5, 3, bias, dtype=dtype, random_state=0)
    compare_with_torch(ours, torch.nn.Linear(5, 3, bias), x, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["ReLU", "Tanh"])
def test_activation_equals_torch(name, dtype):
    torch = pytest.importorskip("torch")
    x = RNG(0).standard_normal((4, 3, 2))
    x[0, 0, 0] = 0  # no derivative there for ReLU: PyTorch's choice is 0
    compare_with_torch({"ReLU": ReLU, "Tanh": Tanh}[name](), getattr(torch.nn, name)(), x, dtype)


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(3, 6), st.integers(3, 6)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    bias=st.booleans(),
)
def test_conv2d_equals_torch(kernel, stride, padding, size, channels, bias):
    torch = pytest.importorskip("torch")
    arguments = (*channels, kernel, stride, padding)
    x = RNG(0).standard_normal((2, channels[0], *size))
    ours = Conv2d(*arguments, bias=bias, random_state=0)
    compare_with_torch(ours, torch.nn.Conv2d(*arguments, bias=bias), x)


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.none() | st.integers(1, 3),
    pad=st.booleans(),
    size=st.tuples(st.integers(3, 6), st.integers(3, 6)),
    ties=st.booleans(),
)
def test_max_pool_equals_torch(kernel, stride, pad, size, ties):
    torch = pytest.importorskip("torch")
    padding = tuple(k // 2 for k in kernel) if pad else 0
    x = RNG(0).standard_normal((2, 3, *size))
    if ties:
        x = np.sign(x)
    compare_with_torch(
        MaxPool2d(kernel, stride, padding), torch.nn.MaxPool2d(kernel, stride, padding), x
    )


def test_float32_images_equal_torch():
    torch = pytest.importorskip("torch")
    rng = RNG(0)
    ours = Sequential(
        Conv2d(1, 4, 3, padding=1, dtype=np.float32, random_state=rng),
        BatchNorm2d(4, dtype=np.float32),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(64, 3, dtype=np.float32, random_state=rng),
    )
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 3),
    )
    compare_with_torch(ours, theirs, rng.standard_normal((5, 1, 8, 8)), np.float32)


@pytest.mark.parametrize("mode", ["inverted", "standard"])
def test_dropout_in_both_modes(mode):
    p, x = 0.3, np.full((400, 50), 2.0)
    layer = Dropout(p, mode=mode, random_state=0)
    y = layer(x)
    dropped = y == 0
    scale = 1 / (1 - p) if mode == "inverted" else 1
    assert np.all(y[~dropped] == 2 * scale)
    sd = np.sqrt(p * (1 - p) / x.size)
    assert abs(dropped.mean() - p) < 4 * sd
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), np.where(dropped, 0, scale))
    evaluated = layer.eval()(x)
    np.testing.assert_allclose(evaluated, 2 if mode == "inverted" else 2 * (1 - p))
    np.testing.assert_allclose(layer.backward(x), evaluated)
    assert abs(y.mean() - evaluated.mean()) < 4 * sd * 2 * scale


def test_inverted_dropout_equals_torch_for_the_same_mask():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Dropout(0.4)
    x = RNG(0).standard_normal((6, 5))
    their_x = torch.from_numpy(x.copy()).requires_grad_()
    torch.manual_seed(0)
    their_y = theirs(their_x)
    layer = Dropout(0.4)
    layer.fixed_mask = their_y.detach().numpy() != 0
    assert_close(layer(x), their_y.detach(), terms=2)
    their_y.sum().backward()
    assert_close(layer.backward(np.ones_like(x)), their_x.grad, terms=2)
    theirs.eval()
    assert_close(layer.eval()(x), theirs(torch.from_numpy(x)), terms=2)


def test_dropout_draws_a_new_mask_each_time_and_the_same_from_the_same_seed():
    x = np.ones((8, 8))
    layer, twin = Dropout(random_state=3), Dropout(random_state=3)
    first, second = layer(x), layer(x)
    assert np.any(first != second)
    np.testing.assert_array_equal(twin(x), first)


def checked_modules():
    rng = RNG(5)
    norm = BatchNorm1d(3)
    norm.running_mean[:], norm.running_var[:] = rng.normal(size=3), rng.uniform(1, 2, 3)
    images = Sequential(
        Conv2d(2, 3, (3, 2), stride=(2, 1), padding=1, random_state=rng),
        BatchNorm2d(3),
        Tanh(),
        MaxPool2d(2, stride=1),
        Flatten(),
        Linear(3 * 2 * 4, 2, random_state=rng),
    )
    return [
        (Linear(4, 3, random_state=rng), (5, 4)),
        (Linear(4, 3, bias=False, random_state=rng), (5, 4)),
        (ReLU(), (5, 4)),
        (Tanh(), (5, 4)),
        (Flatten(), (3, 2, 2)),
        (Dropout(0.4, random_state=rng), (5, 4)),
        (Dropout(0.4, mode="standard", random_state=rng), (5, 4)),
        (norm, (5, 3)),
        (BatchNorm1d(3, affine=False), (4, 3, 2)),
        (BatchNorm1d(3, track_running_stats=False), (5, 3)),
        (BatchNorm2d(2), (3, 2, 2, 2)),
        (Conv2d(2, 3, 3, padding=1, random_state=rng), (2, 2, 4, 4)),
        (Conv2d(2, 3, (2, 3), stride=2, bias=False, random_state=rng), (2, 2, 5, 5)),
        (MaxPool2d(2), (2, 2, 4, 4)),
        (MaxPool2d(3, stride=1, padding=1), (2, 2, 4, 4)),
        (images, (3, 2, 5, 4)),
    ]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(
    ("module", "shape"), [pytest.param(*case, id=repr(case[0])[:60]) for case in checked_modules()]
)
def test_gradients(module, shape, training):
    errors = gradient_check(module.train(training), RNG(2).standard_normal(shape))
    assert set(errors) == {"x", *(name for name, _ in module.named_parameters())}
    assert max(errors.values()) < 1e-8


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Linear(4, 3, random_state=0), (5, 4)),
        (Conv2d(2, 3, 2, random_state=0), (2, 2, 4, 4)),
        (Sequential(Flatten(), Linear(4, 3, random_state=0), ReLU(), BatchNorm1d(3)), (5, 2, 2)),
    ],
)
def test_backward_parameters_gives_the_same_parameter_gradients(module, shape):
    x = RNG(0).standard_normal(shape)
    grad = RNG(1).standard_normal(module(x).shape)
    module.backward(grad)
    expected = [parameter.grad.copy() for parameter in module.parameters()]
    module.zero_grad()
    module(x)
    module.backward_parameters(grad)
    for parameter, grad_expected in zip(module.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.grad, grad_expected)
    module.backward_parameters(grad)  # gradients accumulate
    np.testing.assert_allclose(module.parameters()[0].grad, 2 * expected[0])


@pytest.mark.parametrize(
    ("ours", "bound"),
    [
        (Linear(100, 60, random_state=0), 0.1),
        (Conv2d(4, 50, 5, random_state=0), 0.1),
    ],
)
def test_default_initialization_is_uniform_up_to_one_over_root_fan_in(ours, bound):
    weight = ours.weight.data.ravel()
    assert np.abs(weight).max() <= bound
    uniform = stats.uniform(-bound, 2 * bound)
    assert stats.kstest(weight, uniform.cdf).pvalue > 0.01
    assert stats.kstest(ours.bias.data, uniform.cdf).pvalue > 0.01
    assert not ours.bias.regularize
    assert ours.weight.regularize


def test_default_initialization_has_the_bounds_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for theirs, fan_in in [(torch.nn.Linear(64, 500), 64), (torch.nn.Conv2d(4, 500, 3), 36)]:
        for values in (theirs.weight, theirs.bias):
            ours = uniform_fan_in(tuple(values.shape), fan_in, random_state=0)
            assert np.abs(ours).max() == pytest.approx(values.abs().max().item(), rel=0.02)


def test_one_seed_gives_one_network_in_both_dtypes():
    small, large = (Linear(3, 2, dtype=t, random_state=7) for t in (np.float32, np.float64))
    np.testing.assert_array_equal(small.weight.data, large.weight.data.astype(np.float32))
    other = Linear(3, 2, random_state=8)
    assert np.all(other.weight.data != large.weight.data)


def small_network():
    rng = RNG(0)
    return Sequential(
        Linear(4, 3, random_state=rng), BatchNorm1d(3), ReLU(), Dropout(random_state=rng)
    )


def test_sequential_is_a_container():
    model = small_network()
    assert len(model) == 4
    assert isinstance(model[1], BatchNorm1d)
    assert [type(layer).__name__ for layer in model] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert len(list(model.modules())) == 5
    assert "(3): Dropout(p=0.5, mode='inverted')" in repr(model)
    model.eval()
    assert not any(module.training for module in model.modules())
    model[3].train()
    assert model[3].training
    assert not model[1].training
    assert model.train().training
    assert model[1].training


def test_sequential_without_parameters_has_nothing_to_do():
    model = Sequential(ReLU(), Flatten())
    model(np.ones((2, 3)))
    model.backward_parameters(np.ones((2, 3)))
    assert model.parameters() == []


def test_state_dict_is_a_copy_that_restores_everything():
    model = small_network()
    x = RNG(0).standard_normal((8, 4))
    before = model.eval()(x)
    state = model.state_dict()
    assert list(state)[-3:] == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    model.train()(x)
    model[0].weight.data += 1
    assert np.any(model.eval()(x) != before)
    model.load_state_dict(state)
    np.testing.assert_array_equal(model(x), before)
    assert model[1].num_batches_tracked == 0
    with pytest.raises(ValueError, match=r"missing \['0.bias'\], unknown \['nonsense'\]"):
        model.load_state_dict({**{k: v for k, v in state.items() if k != "0.bias"}, "nonsense": 1})
    with pytest.raises(ValueError, match=r"state_dict\['0.bias'\] must have shape \(3,\)"):
        model.load_state_dict({**state, "0.bias": np.zeros(4)})


def test_to_converts_parameters_and_statistics():
    model = small_network().to(np.float32)
    assert {array.dtype for array in model.state_dict().values()} == {
        np.dtype(np.float32),
        np.dtype(np.int64),
    }
    assert model(np.ones((3, 4), np.float32)).dtype == np.float32


def test_parameter_keeps_its_memory():
    parameter = Parameter([[1.0, 2.0]])
    data = parameter.data
    parameter.data = [[5, 6]]
    parameter.data *= 2
    np.testing.assert_array_equal(data, [[10, 12]])
    parameter.grad = np.ones((1, 2))
    assert parameter.size == 2
    assert repr(parameter) == "Parameter(shape=(1, 2), dtype=float64)"
    with pytest.raises(ValueError, match=r"data must have shape \(1, 2\), got \(2,\)"):
        parameter.data = [5.0, 6.0]
    with pytest.raises(ValueError, match=r"grad must have shape \(1, 2\), got \(\)"):
        parameter.grad = 1.0
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got int64"):
        Parameter([1, 2])


ALL_LAYERS = [
    (Linear(4, 3), (5, 4)),
    (ReLU(), (5, 4)),
    (Tanh(), (5, 4)),
    (Flatten(), (5, 4, 1)),
    (Dropout(), (5, 4)),
    (BatchNorm1d(4), (5, 4)),
    (BatchNorm2d(4), (5, 4, 1, 1)),
    (Conv2d(4, 2, 1), (5, 4, 3, 3)),
    (MaxPool2d(1), (5, 4, 3, 3)),
]


@pytest.mark.parametrize(("layer", "shape"), ALL_LAYERS)
def test_bad_batches(layer, shape):
    name = type(layer).__name__
    with pytest.raises(RuntimeError, match=f"{name}: backward was called before forward"):
        layer.backward(np.ones(shape))
    with pytest.raises(TypeError, match=f"{name}: x must be a NumPy array, got list"):
        layer([[1.0]])
    with pytest.raises(TypeError, match=f"{name}: x must be float32 or float64, got int64"):
        layer(np.ones(shape, int))
    with pytest.raises(ValueError, match=f"{name}: x is empty"):
        layer(np.ones((0, *shape[1:])))
    y = layer(np.ones(shape))
    with pytest.raises(ValueError, match=f"{name}: grad must have the shape"):
        layer.backward(np.ones((*y.shape, 1)))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(layer, s) for layer, s in ALL_LAYERS if isinstance(layer, Linear | Conv2d)]
    + [(BatchNorm1d(4), (5, 4)), (BatchNorm2d(4), (5, 4, 1, 1))],
)
def test_bad_ranks_features_and_dtypes(layer, shape):
    with pytest.raises(ValueError, match=r"must have .* dimensions, got shape"):
        layer(np.ones((*shape, 1, 1)))
    with pytest.raises(ValueError, match="must have 4 features or channels on axis 1"):
        layer(np.ones((5, 3, *shape[2:])))
    with pytest.raises(TypeError, match="x is float32 but the parameters are float64"):
        layer(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Linear(0, 3), ValueError, "in_features"),
        (lambda: Linear(3, 2.5), TypeError, "out_features"),
        (lambda: Linear(3, 2, dtype=np.int64), TypeError, "dtype must be float32 or float64"),
        (lambda: Dropout(1.1), ValueError, r"p, the probability to drop, must be in \[0, 1\]"),
        (lambda: Dropout(-0.1), ValueError, "p, the probability to drop"),
        (lambda: Dropout(mode="keep"), ValueError, "mode must be 'inverted' or 'standard'"),
        (lambda: BatchNorm1d(3, eps=-1), ValueError, "eps"),
        (lambda: BatchNorm1d(3, momentum=2), ValueError, "momentum must be None or in"),
        (lambda: Conv2d(1, 1, 0), ValueError, "kernel_size must be an integer or a pair"),
        (lambda: Conv2d(1, 1, (1, 2, 3)), ValueError, "kernel_size must be an integer or a pair"),
        (lambda: Conv2d(1, 1, 1, padding=-1), ValueError, "padding must be an integer or a pair"),
        (lambda: MaxPool2d(2, padding=2), ValueError, "padding must be at most half"),
        (lambda: MaxPool2d(5)(np.ones((1, 1, 4, 4))), ValueError, "larger than the padded image"),
        (lambda: Conv2d(1, 1, 5)(np.ones((1, 1, 4, 4))), ValueError, "larger than the padded"),
        (lambda: Sequential(ReLU(), "Linear"), TypeError, "argument 1 must be a module, got str"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_mask_of_the_wrong_shape_is_an_error():
    layer = Dropout()
    layer.fixed_mask = np.ones(3, bool)
    with pytest.raises(ValueError, match="broadcast"):
        layer(np.ones((2, 4)))


def test_the_base_class_is_abstract():
    with pytest.raises(NotImplementedError):
        Module()(np.ones((1, 1)))
    with pytest.raises(NotImplementedError):
        Module().backward_parameters(np.ones((1, 1)))


@pytest.mark.parametrize("mode", ["inverted", "standard"])
def test_dropout_of_everything(mode):
    x = np.ones((3, 4))
    layer = Dropout(1.0, mode=mode, random_state=0)
    np.testing.assert_array_equal(layer(x), 0.0)
    np.testing.assert_array_equal(layer.backward(x), 0.0)
    np.testing.assert_array_equal(layer.eval()(x), x if mode == "inverted" else 0.0)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Linear(2, 2, bias="no"), "bias"),
        (lambda: Conv2d(2, 2, 1, bias="no"), "bias"),
        (lambda: BatchNorm1d(2, affine="no"), "affine"),
        (lambda: BatchNorm1d(2, track_running_stats="no"), "track_running_stats"),
        (lambda: ReLU().train("no"), "mode"),
    ],
)
def test_a_word_is_no_flag(make, name):
    with pytest.raises(TypeError, match=f"{name} must be True or False, got 'no'"):
        make()
