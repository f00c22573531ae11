"""Stopping recorded curves, and recording them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.network import (
    SGD,
    EarlyStopping,
    Linear,
    MSELoss,
    PredictionRecorder,
    StoppingPoint,
    TrainingState,
    fit,
    predict,
    stopping_epoch,
    stopping_point,
)

RNG = np.random.default_rng(0)


@settings(deadline=None)
@given(
    st.lists(
        st.integers(0, 20).map(lambda i: i / 4) | st.sampled_from([np.nan, np.inf, -np.inf]),
        min_size=1,
        max_size=30,
    ),
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
    best = stopper.best_epoch or 0  # the callback keeps the first weights if nothing improves
    assert stopping_point(values, patience, min_delta) == (best, state.epoch)
    end = stopping_epoch(values, patience, min_delta)
    assert stopping_point(values, patience, min_delta).last == (
        len(values) - 1 if end is None else end
    )


def test_a_first_value_that_is_no_number_is_not_the_best():
    assert stopping_point([np.nan, 3.0, 2.0, 4.0, 5.0, 6.0], 2) == StoppingPoint(best=2, last=4)
    assert stopping_point([np.nan, np.nan], 1) == StoppingPoint(best=0, last=1)


def test_without_running_out_of_patience_the_last_epoch_is_the_last_value():
    assert stopping_point([3.0, 2.0, 1.0], 5) == StoppingPoint(best=2, last=2)
    assert stopping_point([1.0], 1) == StoppingPoint(best=0, last=0)


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
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
