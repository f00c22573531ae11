"""Calibration errors by their definition, against scikit-learn; temperature by minimization."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lessons_lib.measure import (
    expected_calibration_error,
    fit_temperature,
    maximum_calibration_error,
    reliability_curve,
)

RNG = np.random.default_rng(0)


LOGITS = 3 * RNG.normal(size=(500, 4))


PROBABILITIES = softmax(LOGITS, axis=1)


Y = np.array([RNG.choice(4, p=p) for p in softmax(LOGITS / 2, axis=1)])  # overconfident twofold


def errors_by_loops(y, probabilities, n_bins):
    """Return ECE and MCE from their definitions."""
    expected, largest = 0.0, 0.0
    for b in range(n_bins):
        bin_samples = [
            (max(p), int(np.argmax(p)) == label)
            for p, label in zip(probabilities, y, strict=True)
            if b / n_bins < max(p) <= (b + 1) / n_bins
        ]
        if bin_samples:
            confidence = sum(c for c, _ in bin_samples) / len(bin_samples)
            accuracy = sum(right for _, right in bin_samples) / len(bin_samples)
            expected += len(bin_samples) / len(y) * abs(accuracy - confidence)
            largest = max(largest, abs(accuracy - confidence))
    return expected, largest


@pytest.mark.parametrize("n_bins", [1, 7, 10, 15])
def test_calibration_errors_are_their_definitions(n_bins):
    expected, largest = errors_by_loops(Y, PROBABILITIES, n_bins)
    ece = expected_calibration_error(Y, PROBABILITIES, n_bins=n_bins)
    mce = maximum_calibration_error(Y, PROBABILITIES, n_bins=n_bins)
    assert ece == pytest.approx(expected, rel=1e-12)
    assert mce == pytest.approx(largest, rel=1e-12)
    assert mce >= ece > 0.05


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_the_curve_is_that_of_scikit_learn(strategy):
    confidence, right = PROBABILITIES.max(axis=1), PROBABILITIES.argmax(axis=1) == Y
    accuracy, mean = calibration_curve(right, confidence, n_bins=8, strategy=strategy)
    curve = reliability_curve(Y, PROBABILITIES, n_bins=8, strategy=strategy)
    np.testing.assert_array_equal(curve.accuracy, accuracy)
    np.testing.assert_array_equal(curve.confidence, mean)
    # Only the right counts lead from the bins' means to the overall means.
    assert curve.counts.sum() == 500
    assert np.average(curve.accuracy, weights=curve.counts) == pytest.approx(right.mean())
    assert np.average(curve.confidence, weights=curve.counts) == pytest.approx(confidence.mean())
    np.testing.assert_array_equal(curve.gap, mean - accuracy)
    if strategy == "quantile":
        assert set(curve.counts) <= {62, 63}


def test_one_probability_is_that_of_class_one():
    p, y = PROBABILITIES[:, 0], (Y == 0).astype(int)
    accuracy, mean = calibration_curve(y, p, n_bins=10)
    curve = reliability_curve(y, p)
    np.testing.assert_array_equal(curve.accuracy, accuracy)
    np.testing.assert_array_equal(curve.confidence, mean)
    expected = sum(abs(accuracy - mean) * curve.counts) / 500
    assert expected_calibration_error(y, p) == pytest.approx(expected)
    assert maximum_calibration_error(y, p) == pytest.approx(np.abs(accuracy - mean).max())


def test_values_on_an_edge_belong_to_the_bin_on_the_left():
    curve = reliability_curve([1, 0, 1, 1], [0.5, 0.5, 0.51, 1.0], n_bins=2)
    np.testing.assert_array_equal(curve.counts, [2, 2])
    np.testing.assert_array_equal(curve.accuracy, [0.5, 1.0])


def test_perfect_and_worst_predictions():
    y = np.array([0, 1, 1, 2])
    assert expected_calibration_error(y, np.eye(3)[y]) == 0
    assert expected_calibration_error(y, np.eye(3)[(y + 1) % 3]) == 1
    frequencies = np.tile([0.25, 0.5, 0.25], (4, 1))  # of no use, but calibrated
    assert expected_calibration_error(y, frequencies) == 0


def test_temperature_minimizes_the_log_loss():
    best = fit_temperature(Y, LOGITS)
    assert best == pytest.approx(2, rel=0.15)

    def loss(temperature):
        return log_loss(Y, softmax(LOGITS / temperature, axis=1))

    grid = best * np.linspace(0.9, 1.1, 201)
    losses = [loss(temperature) for temperature in grid]
    assert grid[np.argmin(losses)] == pytest.approx(best, rel=1e-9)
    assert (loss(best * 1.0001) - loss(best / 1.0001)) / 2e-4 == pytest.approx(0, abs=1e-5)
    calibrated = softmax(LOGITS / best, axis=1)
    before = expected_calibration_error(Y, PROBABILITIES)
    assert expected_calibration_error(Y, calibrated) < before / 2
    np.testing.assert_array_equal(calibrated.argmax(axis=1), PROBABILITIES.argmax(axis=1))


def test_temperature_is_that_of_scikit_learn():
    X = np.random.default_rng(1).normal(size=(400, 5))
    y = np.argmax(X[:, :3] + np.random.default_rng(2).normal(size=(400, 3)), axis=1)
    model = LogisticRegression(C=100).fit(X[:40], y[:40])  # few data: overconfident
    calibrated = CalibratedClassifierCV(
        FrozenEstimator(model), method="temperature", ensemble=False
    )
    calibrated.fit(X[40:], y[40:])
    logits = model.decision_function(X[40:])
    ours = softmax(logits / fit_temperature(y[40:], logits), axis=1)
    np.testing.assert_allclose(ours, calibrated.predict_proba(X[40:]), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 5.0, 50.0, 1e5, 1e300])
def test_no_temperature_is_best_if_all_are_right_or_nothing_is_known(scale):
    # At 5 and beyond, the loss underflows before the temperature reaches its bound.
    for y, logits in (([0, 1], np.eye(2)), ([0, 1, 0], np.eye(3)[[0, 1, 0]]), ([1, 0], np.eye(2))):
        with pytest.raises(ValueError, match="must be wrong sometimes, but better than guessing"):
            fit_temperature(y, scale * logits)
    with pytest.raises(ValueError, match="must be wrong sometimes, but better than guessing"):
        fit_temperature([0, 1], np.zeros((2, 2)))


@pytest.mark.parametrize("share", [0.6, 0.75, 0.99])
@pytest.mark.parametrize("logit", [0.01, 1.0, 300.0])
def test_temperature_of_two_equal_logits_has_a_formula(share, logit):
    # Right with probability `share` at every row: sigmoid(logit / T) = share.
    y = (np.arange(100) >= 100 * share).astype(int)
    best = fit_temperature(y, np.tile([logit, 0.0], (100, 1)))
    assert best == pytest.approx(logit / np.log(share / (1 - share)), rel=1e-9)


def test_temperature_does_not_mind_large_or_shifted_logits():
    best = fit_temperature(Y, LOGITS)
    assert fit_temperature(Y, LOGITS + 1e6) == pytest.approx(best, rel=1e-5)
    assert fit_temperature(Y, 100 * LOGITS) == pytest.approx(100 * best, rel=1e-5)
    binary = np.column_stack([np.zeros(500), LOGITS[:, 0]])
    y = (RNG.random(500) < expit(LOGITS[:, 0] / 3)).astype(int)
    assert fit_temperature(y, binary) == pytest.approx(3, rel=0.25)


P = [[0.5, 0.5], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: reliability_curve([0, 1], P, n_bins=0), ValueError, "n_bins must be at least 1"),
        (lambda: reliability_curve([0, 1], P, strategy="x"), ValueError, "strategy must be"),
        (lambda: reliability_curve([0.0, 1.0], P), TypeError, "y must be integers"),
        (lambda: reliability_curve([0, 2], P), ValueError, r"y must be in 0..1, got 2"),
        (lambda: reliability_curve([-1, 0], P), ValueError, "y must be at least 0, got -1"),
        (lambda: reliability_curve([], []), ValueError, "y must have shape"),
        (lambda: reliability_curve([0, 1, 1], P), ValueError, "probabilities must have shape"),
        (
            lambda: reliability_curve([0, 1], [0.3, 1.2]),
            ValueError,
            "got 0.3 to 1.2",
        ),
        (lambda: reliability_curve([0, 1], [0.3, np.nan]), ValueError, r"must be in \[0, 1\]"),
        (lambda: reliability_curve([0, 1], np.ones((2, 2))), ValueError, "must sum to 1"),
        (lambda: fit_temperature([0, 3], LOGITS[:2, :3]), ValueError, "logits must have shape"),
        (lambda: fit_temperature([0, 1], [[0, np.inf]] * 2), ValueError, "logits must be finite"),
        (lambda: fit_temperature([0, 1], np.eye(2)), ValueError, "wrong sometimes, but better"),
        (lambda: fit_temperature([1, 0], np.eye(2)), ValueError, "wrong sometimes, but better"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
