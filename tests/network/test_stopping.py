"""Stopping recorded curves, and the path of gradient descent without stepping."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from lessons_lib.network import (
    SGD,
    EarlyStopping,
    Linear,
    MSELoss,
    TrainingState,
    fit,
    predict,
    stopping_epoch,
)
from lessons_lib.penalties import L2
from lessons_lib.solvers import gradient_descent
from lessons_lib.stopping import (
    PredictionRecorder,
    StoppingPoint,
    descent_filter,
    descent_path,
    stopping_point,
)

RNG = np.random.default_rng(0)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20).map(lambda i: i / 4), min_size=1, max_size=30),
    st.integers(1, 5),
    st.integers(0, 4).map(lambda i: i / 4),
)
def test_a_recorded_curve_stops_where_the_callback_does(values, patience, min_delta):
    model = Linear(1, 1, random_state=0)
    state = TrainingState(model, SGD(model.parameters(), lr=1.0), history={"val_loss": []})
    stopper = EarlyStopping(patience, min_delta)
    stopper.on_train_begin(state)
    for state.epoch, value in enumerate(values):
        state.history["val_loss"].append(value)
        stopper.on_epoch_end(state)
        if state.stop_training:
            break
    assert stopping_point(values, patience, min_delta) == (stopper.best_epoch, state.epoch)
    end = stopping_epoch(values, patience, min_delta)
    assert stopping_point(values, patience, min_delta).last == (
        len(values) - 1 if end is None else end
    )


def test_without_running_out_of_patience_the_last_epoch_is_the_last_value():
    assert stopping_point([3.0, 2.0, 1.0], 5) == StoppingPoint(best=2, last=2)
    assert stopping_point([1.0], 1) == StoppingPoint(best=0, last=0)


@pytest.mark.parametrize(("n_samples", "n_features"), [(30, 4), (8, 20)])
def test_the_path_is_that_of_gradient_descent(n_samples, n_features):
    X = RNG.standard_normal((n_samples, n_features))
    y = RNG.standard_normal(n_samples)
    coefs, rate = descent_path(X, y, [0, 1, 7, 50])
    assert rate == pytest.approx(n_samples / np.linalg.norm(X, 2) ** 2)
    w = np.zeros(n_features)
    for step in range(51):
        if step in (0, 1, 7, 50):
            assert np.allclose(coefs[:, [0, 1, 7, 50].index(step)], w, atol=1e-12)
        w = w - rate * X.T @ (X @ w - y) / n_samples
    slow, _ = descent_path(X, y, [20], learning_rate=rate / 3)
    solver = gradient_descent(
        X, y, L2(0.0), learning_rate=rate / 3, max_iter=20, tol=None, record=False
    )
    assert np.allclose(slow[:, 0], solver.coef)


def test_the_path_ends_at_least_squares_of_minimum_norm():
    X, y = RNG.standard_normal((6, 9)), RNG.standard_normal(6)
    coefs, _ = descent_path(X, y, [10**7])
    assert np.allclose(coefs[:, 0], np.linalg.lstsq(X, y)[0])


def test_early_steps_match_a_strong_penalty():
    X, y = RNG.standard_normal((40, 5)), RNG.standard_normal(40)
    coefs, rate = descent_path(X, y, [10], learning_rate=1e-6)
    matched = Ridge(alpha=len(y) / (rate * 10), fit_intercept=False).fit(X, y).coef_
    assert np.allclose(coefs[:, 0], matched, rtol=1e-4)


def test_descent_filter_by_hand():
    kept = descent_filter([2.0, 0.5, 0.0], 0.5, [0, 1, 3])
    assert np.allclose(kept, [[0, 1, 1], [0, 0.25, 1 - 0.75**3], [0, 0, 0]])


def test_the_recorder_keeps_the_predictions_of_every_epoch():
    X, y = RNG.standard_normal((12, 3)), RNG.standard_normal((12, 1))
    model = Linear(3, 1, random_state=0)
    recorder = PredictionRecorder(X)
    for epochs in (2, 3):
        fit(
            model,
            MSELoss(),
            SGD(model.parameters(), lr=0.1),
            X,
            y,
            epochs=epochs,
            callbacks=[recorder],
            random_state=0,
        )
        assert len(recorder.predictions) == epochs  # an earlier training is forgotten
    assert np.array_equal(recorder.predictions[-1], predict(model, X))
    assert not np.allclose(recorder.predictions[0], recorder.predictions[-1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: stopping_point([], 1), ValueError, "values must hold"),
        (lambda: stopping_point([1.0], 0), ValueError, "patience must"),
        (lambda: stopping_point([1.0], 1.5), TypeError, "patience must"),
        (lambda: stopping_point([1.0], 1, -0.1), ValueError, "min_delta must"),
        (lambda: descent_filter([1.0], 0.0, [1]), ValueError, "learning_rate must"),
        (lambda: descent_filter([1.0], 2.1, [1]), ValueError, "learning_rate must be at most 2"),
        (lambda: descent_filter([-1.0], 0.1, [1]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_filter([1.0], 0.1, [-1]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_path([[1.0], [2.0]], [1.0], [1]), ValueError, "inconsistent numbers"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
