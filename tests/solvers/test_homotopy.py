import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import lars_path as sklearn_lars_path

from lessons_lib.linear import Lasso, lasso_path
from lessons_lib.penalties import L1, ElasticNet
from lessons_lib.solvers import duality_gap, homotopy, objective
from lessons_lib.solvers.homotopy import solve_grid_by_homotopy

EXACT = ["active_set", "homotopy"]
FEW = settings(max_examples=60, derandomize=True, deadline=None)


def make_data(n_samples, n_features, seed=0, correlation=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    X = np.sqrt(1 - correlation) * X + np.sqrt(correlation) * rng.normal(size=(n_samples, 1))
    y = X[:, :3] @ [2.0, -1.0, 0.5] + 0.5 * rng.normal(size=n_samples)
    return X - X.mean(axis=0), y - y.mean()


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X, y - y.mean()


def kkt_violation(X, y, coefs, alphas, l2=0.0):
    """Return the largest violation of the lasso's optimality conditions, relative to alpha_max."""
    correlations = X.T @ (y[:, None] - X @ coefs) / len(y) - l2 * coefs
    above = np.abs(correlations) - alphas
    used = np.abs(coefs) > 1e-13 * np.abs(coefs).max()  # two may reach zero together
    unequal = np.where(used, np.abs(correlations - alphas * np.sign(coefs)), 0.0)
    return max(above.max(), unequal.max()) / max(np.abs(X.T @ y).max() / len(y), 1e-300)


DATA = {
    "diabetes": diabetes,
    "more samples": lambda: make_data(100, 30),
    "more features": lambda: make_data(30, 100),
    "square": lambda: make_data(40, 40),
    "correlated": lambda: make_data(100, 30, correlation=0.9),
    "three features": lambda: make_data(30, 3),
}


@pytest.mark.parametrize(
    ("name", "method"),
    # With at least as many features as samples, scikit-learn's "lar" path goes astray: its alphas
    # rise. There the definition is checked instead, below.
    [*((name, "lasso") for name in DATA)]
    + [(name, "lar") for name in DATA if name not in ("more features", "square")],
)
def test_every_knot_equals_scikit_learns(name, method):
    X, y = DATA[name]()
    alphas, _, coefs = sklearn_lars_path(X, y, method=method, max_iter=10_000)
    path = homotopy(X, y, leave=method == "lasso")
    assert path.converged
    assert len(path.alphas) == len(alphas)
    np.testing.assert_allclose(path.alphas, alphas, rtol=1e-8, atol=1e-10 * alphas[0])
    np.testing.assert_allclose(path.coefs, coefs, rtol=1e-8, atol=1e-8 * np.abs(coefs).max())


@pytest.mark.parametrize("name", DATA)
def test_least_angle_regression_keeps_all_correlations_equal(name):
    X, y = DATA[name]()
    path = homotopy(X, y, leave=False)
    correlations = np.abs(X.T @ (y[:, None] - X @ path.coefs) / len(y))
    used = path.coefs != 0
    expected = np.broadcast_to(path.alphas, used.shape)
    np.testing.assert_allclose(correlations[used], expected[used], atol=1e-12 * path.alphas[0])
    assert (correlations - path.alphas).max() < 1e-12 * path.alphas[0]
    assert [event for event, _ in path.events] == ["join"] * (len(path.alphas) - 1)


@pytest.mark.parametrize("name", DATA)
def test_optimality_conditions_hold_at_every_knot(name):
    X, y = DATA[name]()
    path = homotopy(X, y)
    assert kkt_violation(X, y, path.coefs, path.alphas) < 1e-12
    assert (np.diff(path.alphas) <= 0).all()
    assert path.alphas[-1] == 0.0


@FEW
@given(seed=st.integers(0, 100_000), small_numbers=st.booleans())
def test_ties_and_dependent_columns(seed, small_numbers):
    # Small integers make ties between features the rule; copies make columns dependent.
    rng = np.random.default_rng(seed)
    n_samples, n_features = rng.integers(2, 12, size=2)
    X = rng.integers(-2, 3, size=(n_samples, n_features)).astype(float)
    y = rng.integers(-3, 4, size=n_samples).astype(float)
    if not small_numbers:
        X, y = X + rng.normal(size=X.shape), y + rng.normal(size=y.shape)
    X[:, n_features // 2] = X[:, 0] * rng.choice([1.0, -1.0, 2.0])
    X[:, -1] = X[:, : n_features - 1].sum(axis=1) if n_features > 2 else X[:, 0]
    path = homotopy(X, y)
    assert path.converged
    assert kkt_violation(X, y, path.coefs, path.alphas) < 1e-9


def test_a_feature_that_left_may_come_back_at_the_same_knot():
    X = np.array([[-1, -1, -1, 1], [-1, 1, 1, 1], [1, -1, 0, 0], [-1, 1, 0, -1], [1, -1, 0, 1]])
    y = np.array([0, -1, -2, 0, 0])
    unique = [1.075, 2.175, -2.6, 0.8]
    path = homotopy(X, y)
    np.testing.assert_allclose(path.coef_at(0.03), unique, rtol=1e-12)
    for model in (Lasso(0.03, solver=solver, fit_intercept=False) for solver in EXACT):
        np.testing.assert_allclose(model.fit(X, y).coef_, unique, rtol=1e-12)
    np.testing.assert_allclose(lasso_path(X, y, alphas=[0.03])[1][:, 0], unique, rtol=1e-12)
    assert path.dual_gaps.max() < 1e-13
    # The events still explain which features are in use, although several happen at one strength.
    assert len(path.events) == len(path.alphas) - 1
    assert sorted(path.active) == np.flatnonzero(path.coefs[:, -1]).tolist()


def small_integers(rng, kind):
    n_samples, n_features = rng.integers(2, 14, size=2)
    values = {"signs": [-1.0, 1.0], "signs and zeros": [-1.0, 0.0, 1.0], "binary": [0.0, 1.0]}
    X = rng.choice(values[kind], size=(n_samples, n_features))
    return X, rng.integers(-3, 4, size=n_samples).astype(float)


@pytest.mark.parametrize("kind", ["signs", "signs and zeros", "binary"])
def test_small_integer_designs(kind):
    rng = np.random.default_rng(0)
    for _ in range(400):
        X, y = small_integers(rng, kind)
        if rng.random() < 0.3:
            X, y = X - X.mean(axis=0), y - y.mean()
        path = homotopy(X, y)
        assert path.converged
        assert kkt_violation(X, y, path.coefs, path.alphas) < 1e-7
        alphas = path.alphas[0] * np.array([0.5, 0.03]) + 1e-6
        for l1_ratio in (1.0, 0.5):
            coefs = solve_grid_by_homotopy(X, y, alphas * l1_ratio, alphas * (1 - l1_ratio))
            violation = kkt_violation(X, y, coefs, alphas * l1_ratio, alphas * (1 - l1_ratio))
            assert violation < 1e-9


def test_small_integer_designs_against_scikit_learn():
    rng = np.random.default_rng(1)
    for _ in range(100):
        X, y = small_integers(rng, "signs and zeros")
        alpha = 0.1 * max(np.abs(X.T @ y).max() / len(y), 1.0)
        model = SklearnElasticNet(alpha, l1_ratio=1, fit_intercept=False, tol=1e-13, max_iter=10**6)
        expected = objective(X, y, model.fit(X, y).coef_, L1(alpha))
        ours = Lasso(alpha, fit_intercept=False).fit(X, y).coef_
        assert objective(X, y, ours, L1(alpha)) <= expected + 1e-12 * (1 + y @ y)


def test_an_inexact_path_is_reported():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 10))
    X = np.hstack([X, X + 1e-9 * rng.normal(size=X.shape)])  # copies to all intents and purposes
    y = X[:, 0] + rng.normal(size=50)
    with pytest.warns(ConvergenceWarning, match="homotopy is inexact: the duality gap reaches"):
        path = homotopy(X, y)
    assert path.dual_gaps.max() > 1e-3


def test_ends_at_least_squares():
    X, y = make_data(100, 30)
    expected, *_ = np.linalg.lstsq(X, y)
    np.testing.assert_allclose(homotopy(X, y).coefs[:, -1], expected, rtol=1e-10)


def test_ends_at_an_interpolant_of_few_features():
    X, y = make_data(30, 100)
    path = homotopy(X, y)
    np.testing.assert_allclose(X @ path.coefs[:, -1], y, atol=1e-10)
    assert len(path.active) == 29  # centered data have rank n - 1


def test_duplicates_share_nothing_and_lose_nothing():
    X, y = make_data(50, 10)
    once = homotopy(X, y)
    twice = homotopy(np.hstack([X, X]), y)
    np.testing.assert_allclose(twice.alphas, once.alphas, rtol=1e-10)
    np.testing.assert_allclose(twice.coefs[:10] + twice.coefs[10:], once.coefs, atol=1e-12)
    assert not (twice.coefs[:10].any(axis=1) & twice.coefs[10:].any(axis=1)).any()


def test_events_explain_the_knots():
    X, y = diabetes()
    path = homotopy(X, y)
    assert len(path.events) == len(path.alphas) - 1
    used = set()
    for knot, (event, feature) in enumerate(path.events):
        assert set(np.flatnonzero(path.coefs[:, knot])) <= used
        used = used | {feature} if event == "join" else used - {feature}
    assert used == set(path.active) == set(range(10))
    assert ("leave", 6) in path.events


@pytest.mark.parametrize("name", DATA)
def test_linear_between_the_knots(name):
    X, y = DATA[name]()
    path = homotopy(X, y)
    alphas = np.concatenate([path.alphas[0] * np.geomspace(2, 1e-4, 50), [0.0]])
    coefs = path.coef_at(alphas)
    assert kkt_violation(X, y, coefs, alphas) < 1e-12
    np.testing.assert_array_equal(path.coef_at(alphas[7]), coefs[:, 7])
    np.testing.assert_allclose(path.coef_at(path.alphas), path.coefs, atol=1e-12)


def test_stops_at_alpha_min():
    X, y = make_data(100, 30)
    full = homotopy(X, y)
    alpha_min = 0.1 * full.alphas[0]
    part = homotopy(X, y, alpha_min=alpha_min)
    assert part.alphas[-1] == alpha_min
    np.testing.assert_allclose(part.coefs[:, -1], full.coef_at(alpha_min), atol=1e-13)
    with pytest.raises(ValueError, match="alphas must be at least"):
        part.coef_at(0.5 * alpha_min)


@pytest.mark.parametrize("name", ["more samples", "more features"])
def test_constant_l2_gives_the_elastic_net(name):
    X, y = DATA[name]()
    path = homotopy(X, y, l2=0.3)
    assert kkt_violation(X, y, path.coefs, path.alphas, l2=0.3) < 1e-12
    alpha = 0.1 * path.alphas[0]
    model = SklearnElasticNet(
        alpha + 0.3, l1_ratio=alpha / (alpha + 0.3), fit_intercept=False, tol=1e-15, max_iter=10**6
    ).fit(X, y)
    np.testing.assert_allclose(path.coef_at(alpha), model.coef_, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("l1_ratio", [0.95, 0.5, 0.05])
def test_a_grid_of_elastic_nets(name, l1_ratio):
    X, y = DATA[name]()
    largest = np.abs(X.T @ y).max() / len(y) / l1_ratio
    alphas = largest * np.geomspace(1.5, 1e-4, 12)
    coefs = solve_grid_by_homotopy(X, y, alphas * l1_ratio, alphas * (1 - l1_ratio))
    assert kkt_violation(X, y, coefs, alphas * l1_ratio, alphas * (1 - l1_ratio)) < 1e-12
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        gap = duality_gap(X, y, coef, ElasticNet(alpha, l1_ratio))
        assert gap < 1e-12 * (y @ y) / len(y)


@FEW
@given(seed=st.integers(0, 100_000), l1_ratio=st.sampled_from([0.9, 0.3, 0.05]))
def test_a_grid_of_elastic_nets_with_ties(seed, l1_ratio):
    rng = np.random.default_rng(seed)
    n_samples, n_features = rng.integers(2, 12, size=2)
    X = rng.integers(-2, 3, size=(n_samples, n_features)).astype(float)
    y = rng.integers(-3, 4, size=n_samples).astype(float)
    X[:, -1] = X[:, 0]  # two copies, which must share the coefficient equally
    largest = max(np.abs(X.T @ y).max() / n_samples / l1_ratio, 1.0)
    alphas = largest * np.geomspace(1, 1e-3, 10)
    coefs = solve_grid_by_homotopy(X, y, alphas * l1_ratio, alphas * (1 - l1_ratio))
    assert kkt_violation(X, y, coefs, alphas * l1_ratio, alphas * (1 - l1_ratio)) < 1e-9
    np.testing.assert_allclose(coefs[0], coefs[-1], atol=1e-9)


def test_nothing_to_explain():
    X, _ = make_data(20, 3)
    path = homotopy(X, np.zeros(20))
    assert path.alphas.tolist() == [0.0]
    assert not path.coefs.any()
    assert not path.coef_at([1.0, 0.0]).any()


def test_warns_when_it_stops_early():
    X, y = make_data(100, 30)
    with pytest.warns(ConvergenceWarning, match="homotopy stopped after 3 knots"):
        path = homotopy(X, y, max_iter=3)
    assert not path.converged
    assert len(path.events) == 3


def test_bad_input():
    X, y = make_data(20, 3)
    with pytest.raises(ValueError, match=r"alpha_min must lie in \[0, inf\)"):
        homotopy(X, y, alpha_min=-1.0)
    with pytest.raises(ValueError, match=r"l2 must lie in \[0, inf\)"):
        homotopy(X, y, l2=np.nan)
    with pytest.raises(ValueError, match="NaN"):
        homotopy(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        homotopy(X, y[1:])
