"""The jitter: off, it is not there; on, it moves what a processor might, and nothing else."""

import numpy as np
import pytest
import sklearn.datasets

from lessons_lib import data
from lessons_lib._jitter import VARIABLE, jitter
from lessons_lib.augment.audio import melody
from lessons_lib.linear import Ridge
from lessons_lib.linear.features import RandomReLUFeatures
from lessons_lib.network import SGD, Linear

RNG = np.random.default_rng
NUMBERS = RNG(0).standard_normal((2000, 5))


@pytest.fixture
def seed(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    return lambda number: monkeypatch.setenv(VARIABLE, str(number))


@pytest.mark.parametrize("value", [None, ""])
def test_off_it_returns_what_it_got(monkeypatch, seed, value):
    if value is not None:
        seed(value)
    assert jitter(NUMBERS) is NUMBERS


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e-13), (np.float32, 1e-6)])
def test_on_it_moves_every_number_a_little(seed, dtype, size):
    seed(1)
    values = np.asfortranarray(NUMBERS.astype(dtype))
    moved = jitter(values)
    assert moved.dtype == dtype
    assert moved.strides == values.strides
    relative = (moved.astype(np.float64) / values - 1) / size
    rounding = np.finfo(dtype).eps / size
    assert np.abs(relative).max() <= 1 + rounding
    # Uniform on [-1, 1): mean 0 and deviation 1/sqrt(3), within four standard errors.
    assert abs(relative.mean()) < 4 / np.sqrt(3 * relative.size)
    assert relative.std() == pytest.approx(1 / np.sqrt(3), rel=0.03)
    assert np.abs(np.corrcoef(relative.T) - np.eye(5)).max() < 4 / np.sqrt(len(values))


def test_seeds_differ_and_repeat(seed):
    seed(1)
    first = jitter(NUMBERS)
    np.testing.assert_array_equal(jitter(NUMBERS), first)
    seed(2)
    assert np.mean(jitter(NUMBERS) == first) < 0.01


def test_what_every_processor_agrees_on_stays(seed):
    seed(3)
    rows = RNG(0).integers(0, 4, (500, 2)) + 0.1
    assert len(np.unique(jitter(rows))) == len(np.unique(rows))
    np.testing.assert_array_equal(jitter(-NUMBERS), -jitter(NUMBERS))
    np.testing.assert_array_equal(jitter(NUMBERS[::2, 3:]), jitter(NUMBERS)[::2, 3:])
    special = np.array([0.0, -0.0, 1, -3, 16, 1e300, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(jitter(special), special)
    for other in (np.arange(4), np.array(["a"]), np.array([1 + 2j])):
        assert jitter(other) is other
    assert jitter(np.array(0.3)) == pytest.approx(0.3, rel=2e-13)
    assert jitter(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("value", ["-1", "1.5", "yes"])
def test_a_wrong_seed_is_an_error(seed, value):
    seed(value)
    with pytest.raises(ValueError, match=rf"{VARIABLE} must be a whole number >= 0, got '{value}'"):
        jitter(NUMBERS)


STARTS = {
    "diabetes": lambda: data.load_diabetes().X,
    "breast cancer": lambda: data.load_breast_cancer().X,
    "wine": lambda: data.load_wine().X,
    "MNIST": lambda: data.load_mnist().X[:50],
    "inputs": lambda: data.sinusoid_problem(noise=0.1).sample(50, random_state=0)[0],
    "targets": lambda: data.sinusoid_problem(noise=0.1).sample(50, random_state=0)[1],
    "transactions": lambda: data.make_transactions(300, n_fraud=20, random_state=0).X,
    "melody": lambda: melody([440.0]),
    "random features": lambda: RandomReLUFeatures(20, random_state=0).fit(NUMBERS).random_weights_,
    "weights": lambda: Linear(5, 3, random_state=0).weight.data.copy(),
    "biases": lambda: Linear(5, 3, random_state=0).bias.data.copy(),
    "fitted": lambda: Ridge(1.0).fit(NUMBERS, NUMBERS[:, 0] ** 2).coef_,
}


@pytest.mark.parametrize("name", STARTS)
def test_it_reaches_what_lessons_start_from(seed, name):
    before = STARTS[name]()
    seed(1)
    after = STARTS[name]()
    assert np.any(after != before)
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9 * np.abs(before).max())


def test_data_are_those_of_scikit_learn_without_it(seed):
    np.testing.assert_array_equal(
        data.load_breast_cancer().X, sklearn.datasets.load_breast_cancer().data
    )


def test_it_reaches_assigned_weights_but_no_step_of_training(seed):
    layer = Linear(5, 3, random_state=0)
    seed(1)
    layer.weight.data = NUMBERS[:3]
    np.testing.assert_array_equal(layer.weight.data, jitter(NUMBERS[:3]))
    start = layer.weight.data.copy()
    layer.weight.data -= 0.25
    np.testing.assert_array_equal(layer.weight.data, start - 0.25)
    state = layer.state_dict()
    layer.load_state_dict(state)
    np.testing.assert_array_equal(layer.weight.data, start - 0.25)
    layer.weight.grad = np.ones((3, 5))
    SGD([layer.weight], lr=0.5).step()
    np.testing.assert_array_equal(layer.weight.data, start - 0.25 - 0.5)
