"""The synthetic problems against NumPy and statistics."""

import pickle

import numpy as np
import pytest
from scipy import stats

from lessons_lib.data import (
    RegressionProblem,
    polynomial_problem,
    sinusoid_problem,
)


def test_polynomial_truth_equals_polyval():
    coef = [1.0, -2.0, 0.5, 3.0]
    X = np.linspace(-3, 3, 11)[:, None]
    problem = polynomial_problem(coef, noise=1.0)
    np.testing.assert_allclose(problem.truth(X), np.polyval(coef[::-1], X[:, 0]), rtol=1e-12)


@pytest.mark.parametrize("frequency", [0.5, 1.0, 3.0])
def test_sinusoid_has_the_stated_period_and_amplitude(frequency):
    problem = sinusoid_problem(frequency, noise=0.0)
    X = np.linspace(0, 1, 7)[:, None]
    np.testing.assert_allclose(problem.truth(X + 1 / frequency), problem.truth(X), atol=1e-12)
    np.testing.assert_allclose(problem.truth([[0.0], [0.25 / frequency]]), [0, 1], atol=1e-12)


def test_inputs_are_uniform_and_noise_is_normal():
    problem = sinusoid_problem(noise=0.7, low=2.0, high=5.0)
    X, y = problem.sample(5000, random_state=0)
    assert stats.kstest(X[:, 0], stats.uniform(2, 3).cdf).pvalue > 0.01
    assert stats.kstest(y - problem.truth(X), stats.norm(0, 0.7).cdf).pvalue > 0.01


def test_noise_is_independent_of_the_inputs():
    problem = polynomial_problem([0.0], noise=1.0)
    X, y = problem.sample(5000, random_state=1)
    assert stats.pearsonr(X[:, 0], y).pvalue > 0.01
    assert stats.pearsonr(X[:, 0] ** 2, y**2).pvalue > 0.01


def test_same_int_same_data_and_a_generator_continues():
    problem = sinusoid_problem(noise=0.1)
    first, again = problem.sample(10, random_state=3), problem.sample(10, random_state=3)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])

    rng = np.random.default_rng(3)
    drawn, next_drawn = problem.sample(10, random_state=rng), problem.sample(10, random_state=rng)
    np.testing.assert_array_equal(drawn[1], first[1])
    assert not np.any(next_drawn[1] == first[1])


def test_observe_adds_fresh_noise_at_the_given_inputs():
    problem = polynomial_problem([2.0], noise=0.5)
    X = np.zeros((4000, 1))
    y = problem.observe(X, random_state=0)
    assert stats.kstest(y, stats.norm(2, 0.5).cdf).pvalue > 0.01


def test_without_noise_the_targets_are_the_truth():
    problem = polynomial_problem([0, 0, 1], noise=0.0)
    X, y = problem.sample(20, random_state=0)
    np.testing.assert_array_equal(y, problem.truth(X))


@pytest.mark.parametrize(
    "problem", [polynomial_problem([1, 2], noise=0.1), sinusoid_problem(noise=0.1)]
)
def test_problems_survive_pickling(problem):
    copy = pickle.loads(pickle.dumps(problem))
    X = np.linspace(-1, 1, 5)[:, None]
    np.testing.assert_array_equal(copy.truth(X), problem.truth(X))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sinusoid_problem(noise=-0.1), r"noise must lie in \[0, inf\), got -0.1"),
        (lambda: sinusoid_problem(noise=np.nan), "noise must lie in"),
        (lambda: sinusoid_problem(noise=0.1, low=1, high=1), "low < high, got 1 and 1"),
        (lambda: sinusoid_problem(noise=0.1, high=np.inf), "high must lie in"),
        (lambda: sinusoid_problem(0.0, noise=0.1), r"frequency must lie in \(0, inf\), got 0.0"),
        (lambda: polynomial_problem([], noise=0.1), "coef must be a non-empty"),
        (lambda: polynomial_problem([[1.0]], noise=0.1), r"coef .* got shape \(1, 1\)"),
        (lambda: sinusoid_problem(noise=0.1).sample(0), "n_samples must be at least 1, got 0"),
        (lambda: sinusoid_problem(noise=0.1).truth([1.0, 2.0]), r"X must have shape .* got \(2,\)"),
        (lambda: sinusoid_problem(noise=0.1).observe(np.ones((3, 2))), r"X .* got \(3, 2\)"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_problem_cannot_be_changed():
    problem = RegressionProblem(np.sin, noise=0.1)
    with pytest.raises(AttributeError):
        problem.noise = 0.2
