"""Early stopping: the epoch at which it stops, in this and in other libraries."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from lessons_lib.network import EarlyStopping, Linear, stopping_epoch

# (values, patience, min_delta, epoch after which the library stops). Measured by feeding these
# values to the callbacks of keras 3.15.1, lightning 2.6.6, xgboost 3.2.0, lightgbm 4.7.0 (all four
# agree: column 4) and pytorch-ignite 0.5.5 (column 5).
PLATEAU = [1.0, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
JUST_MIN_DELTA = [1.0, 0.75, 0.5, 0.25, 0.25, 0.0, 0.25, 0.5, 0.5, 0.5]
SLOW = [8.0 - 0.5 * epoch for epoch in range(15)]
NOISY = [4.0, 3.0, 3.5, 2.5, 3.5, 3.0, 2.0, 2.5, 2.25, 2.5, 2.0, 2.5, 2.5]
FALLING = [
    [3.25, 2.625, 2.25, 1.875, 0.75, 0.625, 1.125, 1.0, 0.25, 0.375, 0.875, 0.375, 0.25, 0.75],
    [3.5, 2.125, 1.5, 1.875, 1.5, 1.375, 0.875, 1.0, 0.5, 0.375, 0.875, 0.125, 0.25, 0.0],
    [3.25, 2.375, 2.25, 1.125, 1.25, 0.875, 0.375, 1.0, 0.25, 0.375, 0.375, 0.375, 0.0, 0.75],
]
MEASURED = [
    ([1.0, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9], 2, 0.0, 3, 3),
    (PLATEAU, 3, 0.0, 5, 5),
    (JUST_MIN_DELTA, 2, 0.25, 4, 2),
    (SLOW, 3, 1.0, None, 3),
    (NOISY, 3, 0.25, 9, 9),
    ([1.0, 2.0, 3.0], 1, 0.0, 1, 1),
    ([3.0, 2.0, 1.0], 1, 0.0, None, None),
    (FALLING[0], 3, 0.125, 7, 7),
    (FALLING[1], 2, 0.125, 4, 4),
    (FALLING[2], 2, 0.125, 8, 8),
]


def stopped_epoch(values, patience, min_delta=0.0, **options):
    """Run our callback on given values."""
    stopper = EarlyStopping(patience, min_delta, **options)
    state = SimpleNamespace(history={"val_loss": []}, stop_training=False, model=Linear(1, 1))
    stopper.on_train_begin(state)
    for state.epoch, value in enumerate(values):
        state.history["val_loss"].append(value)
        stopper.on_epoch_end(state)
        if state.stop_training:
            assert stopper.stopped_epoch == state.epoch
            return state.epoch
    assert stopper.stopped_epoch is None
    return None


@pytest.mark.parametrize(("values", "patience", "min_delta", "keras", "ignite"), MEASURED)
def test_stopping_epochs_measured_with_other_libraries(values, patience, min_delta, keras, ignite):
    assert stopped_epoch(values, patience, min_delta) == keras
    for rule in ("keras", "lightning", "xgboost", "lightgbm"):
        assert stopping_epoch(values, patience, min_delta, rule) == keras
    assert stopping_epoch(values, patience, min_delta, "ignite") == ignite


# Small numbers, so that there are ties, and what a diverging training leaves behind.
LOSSES = st.lists(
    st.integers(0, 20).map(lambda i: i / 4) | st.sampled_from([np.nan, np.inf, -np.inf]),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(LOSSES, st.integers(0, 5), st.integers(0, 4).map(lambda i: i / 4))
def test_the_callback_follows_its_rule(values, patience, min_delta):
    expected = stopping_epoch(values, patience, min_delta)
    assert stopped_epoch(values, patience, min_delta) == expected
    assert stopped_epoch([-v for v in values], patience, min_delta, mode="max") == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(("patience", "tol"), [(1, 1e-3), (2, 1e-4), (3, 0.02)])
def test_the_rule_of_scikit_learn(patience, tol, early_stopping):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3))
    y = (X[:, 0] + 0.5 * rng.standard_normal(120) > 0).astype(int)
    mlp = MLPClassifier(
        (5,),
        solver="adam",
        learning_rate_init=0.05,
        max_iter=300,
        early_stopping=early_stopping,
        n_iter_no_change=patience,
        tol=tol,
        random_state=0,
    ).fit(X, y)
    values = [-score for score in mlp.validation_scores_] if early_stopping else mlp.loss_curve_
    assert 1 < mlp.n_iter_ < 300
    assert stopping_epoch(values, patience, tol, "sklearn_mlp") == mlp.n_iter_ - 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_takes_a_plateau_for_progress_if_tol_is_zero():
    X = np.random.default_rng(0).standard_normal((60, 2))
    mlp = MLPClassifier(
        (2,), max_iter=100, early_stopping=True, n_iter_no_change=3, tol=0.0, random_state=0
    ).fit(X, X[:, 0] > 0)
    values = [-score for score in mlp.validation_scores_]
    assert mlp.n_iter_ == 100
    assert stopping_epoch(values, 3, 0.0, "sklearn_mlp") is None
    assert stopping_epoch(values, 3, 0.0, "keras") < 99


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_scikit_learn_s_sgd_does_not_wait_the_extra_epoch(patience):
    X = np.random.default_rng(0).standard_normal((60, 2))
    model = SGDClassifier(
        max_iter=50, early_stopping=True, n_iter_no_change=patience, tol=1e9, random_state=0
    ).fit(X, X[:, 0] > 0)
    expected = stopping_epoch([1.0] * 50, patience, 1e9, "sklearn_sgd")
    assert model.n_iter_ - 1 == expected
    assert stopping_epoch([1.0] * 50, patience, 1e9, "sklearn_mlp") == expected + 1


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20).map(lambda i: i / 4), min_size=1, max_size=30),
    st.integers(1, 5),
    st.integers(0, 4).map(lambda i: i / 4),
)
def test_the_rule_of_torch_reduce_on_plateau(values, patience, min_delta):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=patience, threshold=min_delta, threshold_mode="abs"
    )
    first_drop = None
    for epoch, value in enumerate(values):
        plateau.step(value)
        if optimizer.param_groups[0]["lr"] < 1:
            first_drop = epoch
            break
    assert stopping_epoch(values, patience, min_delta, "torch_plateau") == first_drop


def test_patience_counts_the_epochs_beyond_the_best():
    values = [1.0, 0.5] + [0.6] * 20
    for patience in range(1, 8):
        assert stopped_epoch(values, patience) == 1 + patience
        assert stopping_epoch(values, patience, rule="sklearn_mlp") == 2 + patience
    assert stopped_epoch(values, 0) == stopped_epoch(values, 1)


def test_min_delta_sums_up_over_epochs():
    slow = [1.0 - 0.1 * epoch for epoch in range(9)]
    assert stopped_epoch(slow, patience=3, min_delta=0.25) is None
    assert stopping_epoch(slow, patience=3, min_delta=0.25, rule="ignite") == 3


def test_nan_is_no_improvement_and_cannot_stop_at_once():
    assert stopped_epoch([np.nan, np.nan], 0) == 1
    assert stopped_epoch([np.nan, 1.0, 2.0], 1) == 2


def test_a_baseline_must_be_reached_in_time():
    falling = [10.0, 9.0, 8.0, 7.0, 8.0, 8.0]
    assert stopped_epoch(falling, 2) == 5
    # Keras: an epoch that improves does not stop, but does not renew the patience either.
    assert stopped_epoch(falling, 2, baseline=5.0) == 4
    assert stopped_epoch(falling, 2, baseline=9.5) == 5
    assert stopped_epoch([-v for v in falling], 2, baseline=-5.0, mode="max") == 4
    assert stopped_epoch([10.0, 10.0, 1.0, 1.0, 1.0], 3, baseline=5.0) is None


def test_a_warm_up_is_not_compared():
    values = [1.0, 5.0, 4.0, 4.5, 4.5, 4.5]
    assert stopped_epoch(values, 2) == 2
    assert stopped_epoch(values, 2, start_from_epoch=1) == 4
    assert stopped_epoch(values, 2, start_from_epoch=6) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_trouble_stops_at_once_if_asked(bad):
    assert stopped_epoch([3.0, bad, 2.0, 2.0], 5) is None
    assert stopped_epoch([3.0, bad, 2.0, 2.0], 5, check_finite=True) == 1
    assert stopped_epoch([bad, 3.0], 5, check_finite=True, mode="max") == 0


def test_a_stopper_can_be_used_again():
    stopper = EarlyStopping(1)
    for _ in range(2):
        state = SimpleNamespace(history={"val_loss": []}, stop_training=False, epoch=0)
        stopper.on_train_begin(state)
        state.history["val_loss"] = [3.0]
        stopper.on_epoch_end(state)
        assert (stopper.best, stopper.best_epoch, stopper.wait) == (3.0, 0, 0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EarlyStopping(-1), ValueError, "patience must"),
        (lambda: EarlyStopping(1.5), TypeError, "patience must"),
        (lambda: EarlyStopping(min_delta=-1), ValueError, "min_delta must"),
        (lambda: EarlyStopping(restore_best_weights="no"), TypeError, "restore_best_weights must"),
        (lambda: EarlyStopping(check_finite=1), TypeError, "check_finite must be True or False"),
        (lambda: EarlyStopping(baseline=np.nan), ValueError, "baseline must"),
        (lambda: EarlyStopping(start_from_epoch=-1), ValueError, "start_from_epoch must"),
        (lambda: EarlyStopping(mode="auto"), ValueError, "mode must be 'min' or 'max'"),
        (lambda: stopping_epoch([1.0], 1, rule="caffe"), ValueError, "rule must be one of"),
        (lambda: stopping_epoch([1.0], -1), ValueError, "patience must"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
