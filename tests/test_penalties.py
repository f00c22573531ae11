import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize_scalar
from sklearn.linear_model import ElasticNet as SklearnElasticNet

from lessons_lib.penalties import L1, L2, ElasticNet, soft_threshold

FEW = settings(max_examples=30, derandomize=True, deadline=None)
NUMBERS = st.floats(-10, 10, allow_nan=False, width=32)
STEPS = st.floats(0.0625, 4, width=32)

MASK = np.array([True, False, True])
ALL_KINDS = [
    L1(0.7),
    L1(0.7, MASK),
    L2(0.7),
    L2(0.7, MASK),
    L2(0.7, center=np.array([1.0, -2.0, 0.5])),
    L2(0.7, MASK, np.array([1.0, -2.0, 0.5])),
    ElasticNet(0.7, 0.3),
    ElasticNet(0.7, 0.3, MASK),
]


def describe(penalty):
    options = [name for name in ("penalized", "center") if getattr(penalty, name, None) is not None]
    return "-".join([type(penalty).__name__, *options])


all_kinds = pytest.mark.parametrize("penalty", ALL_KINDS, ids=describe)


def test_values_of_worked_examples():
    w = np.array([0.8, -0.3, 0.5])
    assert L1(0.1).value(w) == pytest.approx(0.16, rel=1e-12)  # 0.1 times 1.6
    assert L2(1.0).value(w) == pytest.approx(0.49, rel=1e-12)
    assert L2(0.1).value(w) == pytest.approx(0.049, rel=1e-12)
    assert ElasticNet(0.1, 0.5).value(w) == pytest.approx(0.5 * 0.16 + 0.5 * 0.049, rel=1e-12)


def test_one_gradient_step_of_the_worked_example():
    # w = 5, data gradient 0.3, learning rate 0.1, penalty 0.01 w², that is alpha = 0.02.
    w = np.array([5.0])
    assert w - 0.1 * (0.3 + L2(0.02).gradient(w)) == pytest.approx([4.96], rel=1e-12)


@all_kinds
def test_subgradient_is_the_gradient_where_there_is_one(penalty):
    w = np.array([1.3, -0.4, -2.0])
    numeric = approx_fprime(w, penalty.value, 1e-7)
    np.testing.assert_allclose(penalty.subgradient(w), numeric, atol=1e-6)


@all_kinds
def test_subgradient_inequality(penalty):
    rng = np.random.default_rng(0)
    for _ in range(50):
        w, other = rng.normal(size=(2, 3)) * rng.integers(0, 2, size=(2, 3))
        bound = penalty.value(w) + penalty.subgradient(w) @ (other - w)
        assert penalty.value(other) >= bound - 1e-12


@all_kinds
@FEW
@given(v=st.tuples(NUMBERS, NUMBERS, NUMBERS), step=STEPS)
def test_prox_minimizes_its_definition(penalty, v, step):
    v = np.array(v, dtype=float)
    proximal = penalty.prox(v, step)
    for j in range(3):

        def objective(u, j=j):
            point = v.copy()
            point[j] = u
            return 0.5 * (u - v[j]) ** 2 + step * penalty.value(point)

        best = minimize_scalar(objective, bounds=(-15, 15), options={"xatol": 1e-9})
        assert objective(proximal[j]) <= best.fun + 1e-9
        assert proximal[j] == pytest.approx(best.x, abs=1e-4)


@pytest.mark.parametrize("penalty", [p for p in ALL_KINDS if p.penalized is not None], ids=describe)
def test_unpenalized_coefficients_are_left_alone(penalty):
    w = np.array([1.0, 5.0, -1.0])
    other_bias = np.array([1.0, 500.0, -1.0])
    assert penalty.value(w) == penalty.value(other_bias)
    assert penalty.subgradient(w)[1] == 0
    assert penalty.prox(w, 2.0)[1] == 5.0
    assert penalty.subdiff_distance(w, np.array([0.0, -3.0, 0.0]))[1] == 3.0
    parts = penalty.parts(3)
    assert parts.l1[1] == parts.l2[1] == 0
    # The gradient of the bias does not count for the strength that makes the others zero.
    assert penalty.alpha_max(np.array([0.0, 9.0, 0.0])) == 0


@all_kinds
def test_parts_add_up_to_the_penalty(penalty):
    w = np.array([1.3, -0.4, 0.0])
    l1, l2, center = penalty.parts(3)
    total = l1 @ np.abs(w) + l2 @ (w - center) ** 2 / 2
    assert penalty.value(w) == pytest.approx(total, rel=1e-12)


@all_kinds
@FEW
@given(w=st.tuples(NUMBERS, NUMBERS, st.just(0.0)), g=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_subdiff_distance_is_the_distance_to_the_interval(penalty, w, g):
    w, g = np.array(w), np.array(g)
    l1, l2, center = penalty.parts(3)
    # The subdifferential of each coordinate is an interval: its ends are the slopes left and right.
    smooth = l2 * (w - center)
    low = smooth + np.where(w > 0, l1, -l1)
    high = smooth + np.where(w < 0, -l1, l1)
    nearest = np.clip(-g, low, high)
    np.testing.assert_allclose(penalty.subdiff_distance(w, g), np.abs(-g - nearest), atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.2, 1.0])
def test_subdiff_distance_vanishes_at_the_solution_of_scikit_learn(l1_ratio):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8)), rng.normal(size=60)
    reference = SklearnElasticNet(
        0.05, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-14, max_iter=100_000
    ).fit(X, y)
    gradient = -X.T @ (y - X @ reference.coef_) / 60
    penalty = ElasticNet(0.05, l1_ratio)
    assert penalty.subdiff_distance(reference.coef_, gradient).max() < 1e-8
    assert penalty.subdiff_distance(reference.coef_ + 0.1, gradient).max() > 1e-2


def test_elastic_net_interpolates_between_its_parts():
    w, g = np.array([1.3, -0.4, 0.0]), np.array([0.1, -0.9, 2.0])
    for one, other in ((ElasticNet(0.7, 1.0), L1(0.7)), (ElasticNet(0.7, 0.0), L2(0.7))):
        assert one.value(w) == other.value(w)
        np.testing.assert_array_equal(one.subgradient(w), other.subgradient(w))
        np.testing.assert_array_equal(one.prox(w, 0.5), other.prox(w, 0.5))
        np.testing.assert_array_equal(one.subdiff_distance(w, g), other.subdiff_distance(w, g))
        assert one.alpha_max(g) == other.alpha_max(g)


def test_alpha_max():
    gradient = np.array([0.5, -2.0, 1.0])
    assert L1(1.0).alpha_max(gradient) == 2.0
    assert ElasticNet(1.0, 0.25).alpha_max(gradient) == 8.0
    assert L2(1.0).alpha_max(gradient) == np.inf
    assert L2(1.0).alpha_max(np.zeros(3)) == 0.0
    # From alpha_max on, zero meets the optimality condition; below, it does not.
    assert L1(2.0).subdiff_distance(np.zeros(3), gradient).max() == 0
    assert L1(1.99).subdiff_distance(np.zeros(3), gradient).max() > 0


def test_a_center_moves_the_minimum():
    center = np.array([1.0, -2.0, 0.5])
    penalty = L2(3.0, center=center)
    assert penalty.value(center) == 0
    np.testing.assert_array_equal(penalty.gradient(center), 0)
    np.testing.assert_allclose(penalty.prox(np.zeros(3), 1e9), center, rtol=1e-8)


def test_soft_threshold():
    values = np.array([-3.0, -0.8, -0.5, 0.0, 0.5, 0.8, 3.0])
    expected = [-2.2, 0.0, 0.0, 0.0, 0.0, 0.0, 2.2]
    np.testing.assert_allclose(soft_threshold(values, 0.8), expected, rtol=1e-15)
    np.testing.assert_allclose(soft_threshold(np.array([2.0, 2.0]), np.array([0.5, 3.0])), [1.5, 0])


def test_soft_threshold_gives_no_negative_zero():
    assert not np.signbit(soft_threshold(np.array([-0.5, 0.5, 0.0]), 1.0)).any()


def test_nothing_is_changed_in_place():
    for penalty in ALL_KINDS:
        w, g = np.array([1.3, -0.4, 0.0]), np.array([0.1, -0.9, 2.0])
        before = w.copy(), g.copy()
        penalty.value(w), penalty.subgradient(w), penalty.prox(w, 1.0)
        penalty.subdiff_distance(w, g), penalty.alpha_max(g)
        np.testing.assert_array_equal(w, before[0])
        np.testing.assert_array_equal(g, before[1])


@pytest.mark.parametrize("kind", [L1, L2, lambda alpha: ElasticNet(alpha, 0.5)])
@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf])
def test_bad_alpha(kind, alpha):
    with pytest.raises(ValueError, match=r"alpha must lie in \[0, inf\), got"):
        kind(alpha)


def test_bad_arguments():
    with pytest.raises(TypeError, match="alpha must be a real number, got '1'"):
        L1("1")
    with pytest.raises(ValueError, match=r"l1_ratio must lie in \[0, 1\], got 1.5"):
        ElasticNet(1.0, 1.5)
    with pytest.raises(TypeError, match="penalized must be a boolean vector"):
        L1(1.0, np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match=r"penalized has shape \(3,\)"):
        L1(1.0, MASK).value(np.zeros(2))
    with pytest.raises(ValueError, match=r"center has shape \(1,\)"):
        L2(1.0, center=np.zeros(1)).value(np.zeros(3))
