"""Bias and variance against theory and by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from lessons_lib.data import (
    load_diabetes,
    polynomial_problem,
    sinusoid_problem,
)
from lessons_lib.linear import LegendreFeatures
from lessons_lib.measure import (
    bias_variance_decomposition,
)


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    return data.X, data.y


@pytest.fixture(scope="module")
def constant_fit():
    """Predicting the training mean of y = x² + noise: every term is known exactly."""
    problem = polynomial_problem([0, 0, 1], noise=0.5)  # x uniform on [-1, 1]
    X_test = np.linspace(-1, 1, 11)[:, None]
    mean, variance_of_truth = 1 / 3, 1 / 5 - 1 / 9
    exact = {
        "bias_squared": (mean - X_test[:, 0] ** 2) ** 2,
        "variance": np.full(11, (variance_of_truth + 0.25) / 8),
    }
    runs = [
        bias_variance_decomposition(
            DummyRegressor(), problem, n_train=8, X_test=X_test, n_repeats=40, random_state=seed
        )
        for seed in range(40)
    ]
    return exact, runs


def test_terms_are_unbiased(constant_fit):
    exact, runs = constant_fit
    for name, per_point in exact.items():
        estimates = np.array([getattr(run, name) for run in runs])
        assert abs(estimates.mean() - per_point.mean()) < 3 * stats.sem(estimates)
        at_points = np.array([getattr(run, f"{name}_per_point") for run in runs])
        z_scores = (at_points.mean(axis=0) - per_point) / stats.sem(at_points, axis=0)
        assert np.abs(z_scores).max() < 4
    errors = np.array([run.expected_error for run in runs])
    expected = exact["bias_squared"].mean() + exact["variance"].mean() + 0.25
    assert abs(errors.mean() - expected) < 3 * stats.sem(errors)


def test_the_plug_in_estimate_of_the_squared_bias_is_too_large(constant_fit):
    exact, runs = constant_fit
    truth = np.linspace(-1, 1, 11) ** 2
    plug_in = np.array([np.mean((run.predictions.mean(axis=0) - truth) ** 2) for run in runs])
    excess = exact["variance"].mean() / 40
    corrected = np.array([run.bias_squared for run in runs])
    unbiased_variance = np.array([run.variance for run in runs])
    np.testing.assert_allclose(plug_in - corrected, unbiased_variance / 40)
    assert plug_in.mean() - corrected.mean() == pytest.approx(excess, rel=0.1)


def test_standard_errors_match_the_spread_over_seeds(constant_fit):
    _, runs = constant_fit
    for name in ("bias_squared", "variance", "predicted_error", "expected_error"):
        spread = np.std([getattr(run, name) for run in runs], ddof=1)
        reported = np.mean([getattr(run, f"{name}_standard_error") for run in runs])
        # The standard deviation of 40 values is itself known to about 11 %.
        assert reported == pytest.approx(spread, rel=0.35)
    z_scores = [run.discrepancy / run.discrepancy_standard_error for run in runs]
    assert 0.7 < np.std(z_scores) < 1.3


def test_standard_errors_are_those_of_a_jackknife_by_hand():
    problem = sinusoid_problem(noise=0.3)
    X_test = np.linspace(-1, 1, 7)[:, None]
    result = bias_variance_decomposition(
        LinearRegression(), problem, n_train=6, X_test=X_test, n_repeats=9, random_state=0
    )
    truth = problem.truth(X_test)
    estimates = []
    for left_out in range(9):
        kept = np.delete(result.predictions, left_out, axis=0)
        variance = kept.var(axis=0, ddof=1)
        bias_squared = (kept.mean(axis=0) - truth) ** 2 - variance / 8
        estimates.append([bias_squared.mean(), variance.mean(), (bias_squared + variance).mean()])
    by_hand = np.sqrt(8 * np.var(estimates, axis=0))
    reported = [
        result.bias_squared_standard_error,
        result.variance_standard_error,
        result.predicted_error_standard_error,
    ]
    np.testing.assert_allclose(reported, by_hand)


def test_terms_are_the_documented_averages_over_pairs_of_fits():
    problem = sinusoid_problem(noise=0.3)
    X_test = np.linspace(-1, 1, 4)[:, None]
    result = bias_variance_decomposition(
        LinearRegression(), problem, n_train=6, X_test=X_test, n_repeats=5, random_state=0
    )
    d = result.predictions - problem.truth(X_test)
    pairs = [d[r] * d[s] for r in range(5) for s in range(5) if r != s]
    np.testing.assert_allclose(result.bias_squared_per_point, np.mean(pairs, axis=0))
    np.testing.assert_allclose(result.variance_per_point, np.var(d, axis=0, ddof=1))


def test_standard_error_of_the_measured_error_treats_test_points_as_dependent():
    # One training row: the prediction is its noise, wrong by the same amount at all test points.
    # The error of a repeat is then about noise + chi-squared(1), with variance 2.
    result = bias_variance_decomposition(
        DummyRegressor(),
        polynomial_problem([0.0], noise=1.0),
        n_train=1,
        X_test=np.zeros((100, 1)),
        n_repeats=400,
        random_state=0,
    )
    assert result.expected_error_standard_error == pytest.approx(np.sqrt(2 / 400), rel=0.25)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(LegendreFeatures(1), LinearRegression()),
        make_pipeline(LegendreFeatures(3), LinearRegression()),
        make_pipeline(LegendreFeatures(5), LinearRegression()),
        make_pipeline(LegendreFeatures(15), Ridge(0.1)),
        make_pipeline(LegendreFeatures(15), Ridge(10.0)),
        DecisionTreeRegressor(max_depth=3, random_state=0),
    ],
    ids=["degree-1", "degree-3", "degree-5", "weak-ridge", "strong-ridge", "tree"],
)
def test_the_three_terms_add_up_to_the_measured_error(model):
    result = bias_variance_decomposition(
        model,
        sinusoid_problem(noise=0.3),
        n_train=40,
        X_test=np.linspace(-0.95, 0.95, 20)[:, None],
        n_repeats=100,
        random_state=1,
    )
    assert result.noise == pytest.approx(0.09)
    total = result.bias_squared + result.variance + result.noise
    assert result.predicted_error == pytest.approx(total)
    assert result.discrepancy == pytest.approx(result.expected_error - total)
    assert abs(result.discrepancy) < 3 * result.discrepancy_standard_error
    # The interval must be short enough to mean something.
    assert result.discrepancy_standard_error < 0.15 * result.expected_error


def test_averages_and_arrays_agree():
    result = bias_variance_decomposition(
        Ridge(),
        sinusoid_problem(noise=0.3),
        n_train=10,
        X_test=np.linspace(-1, 1, 4)[:, None],
        n_repeats=5,
        random_state=0,
    )
    assert result.predictions.shape == (5, 4)
    for name in ("bias_squared", "variance", "expected_error"):
        per_point = getattr(result, f"{name}_per_point")
        assert per_point.shape == (4,)
        assert per_point.mean() == pytest.approx(getattr(result, name))


def test_same_seed_gives_both_estimators_the_same_training_sets():
    problem = polynomial_problem([0.0, 1.0], noise=0.3)
    predictions = [
        bias_variance_decomposition(
            model, problem, n_train=10, X_test=[[0.0], [0.5]], n_repeats=4, random_state=2
        ).predictions
        for model in (LinearRegression(), Ridge(1e-10), Ridge(1.0))
    ]
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-6)
    assert not np.allclose(predictions[0], predictions[2])


def test_a_perfect_model_of_noiseless_data_has_no_error():
    result = bias_variance_decomposition(
        LinearRegression(),
        polynomial_problem([1.0, 2.0], noise=0.0),
        n_train=5,
        X_test=[[0.0], [1.0]],
        n_repeats=3,
        random_state=0,
    )
    terms = [result.bias_squared, result.variance, result.noise, result.expected_error]
    np.testing.assert_allclose(terms, 0, atol=1e-25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 2}, "n_repeats must be at least 3, got 2"),
        ({"n_train": 0}, "n_train must be at least 1, got 0"),
        ({"X_test": [1.0, 2.0]}, r"X must have shape \(n_samples, 1\), got \(2,\)"),
    ],
)
def test_bias_variance_names_bad_input(arguments, message):
    defaults = {"n_train": 5, "X_test": [[0.0]], "n_repeats": 3}
    with pytest.raises(ValueError, match=message):
        bias_variance_decomposition(Ridge(), sinusoid_problem(noise=1.0), **(defaults | arguments))
