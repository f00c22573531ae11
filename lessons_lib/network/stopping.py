"""Early stopping after the fact: record a training once, then stop it with any setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network.callbacks import Callback, TrainingState
from lessons_lib.network.training import predict

__all__ = ["PredictionRecorder", "StoppingPoint", "stopping_point"]


class StoppingPoint(NamedTuple):
    """Where early stopping ends.

    Attributes
    ----------
    best : int
        The epoch whose weights are kept, from 0.
    last : int
        The last epoch that is run, from 0.
    """

    best: int
    last: int


def stopping_point(
    values: Sequence[float] | NDArray[Any], patience: int, min_delta: float = 0.0
) -> StoppingPoint:
    """Apply early stopping to a recorded curve.

    The rule is that of :class:`lessons_lib.network.EarlyStopping` with the best weights restored:
    an epoch improves if its value is below the best so far by more than `min_delta`, and the
    training ends with the `patience`-th epoch in a row that does not, but not with the first epoch
    of all. A value that is not a number is no improvement. Runs recorded once can so be stopped
    with many settings.

    Parameters
    ----------
    values : sequence of float
        The monitored value of each epoch, at least one; lower is better.
    patience : int
        Epochs without improvement to wait for, at least 1.
    min_delta : float, default=0.0
        Smallest change that counts, not negative.

    Returns
    -------
    StoppingPoint
        If patience does not run out, ``last`` is the last epoch of `values`. If no value is below
        infinity, ``best`` is the first epoch, whose weights the callback would restore.

    Raises
    ------
    TypeError
        If `patience` is not an integer.
    ValueError
        If there are no values, or `patience` or `min_delta` is out of range.

    References
    ----------
    L. Prechelt, "Early Stopping — But When?", in: Neural Networks: Tricks of the Trade, 1998.

    Examples
    --------
    >>> stopping_point([1.0, 0.8, 0.9, 0.9, 0.7], patience=2)
    StoppingPoint(best=1, last=3)
    >>> stopping_point([1.0, 0.8, 0.9, 0.9, 0.7], patience=3)
    StoppingPoint(best=4, last=4)
    """
    check_integer("patience", patience, 1)
    check_interval("min_delta", min_delta)
    if len(values) == 0:
        raise ValueError("values must hold at least one epoch, got none.")
    best, reference, wait = 0, np.inf, 0
    for epoch, value in enumerate(values):
        if value < reference - min_delta:
            best, reference, wait = epoch, value, 0
            continue
        wait += 1
        if wait >= patience and epoch > 0:
            return StoppingPoint(best, epoch)
    return StoppingPoint(best, len(values) - 1)


class PredictionRecorder(Callback):
    """Keep what the network predicts for some rows after every epoch.

    From these, any loss on any part of the rows can be computed afterwards: one training is
    enough to try every size of the validation set and every patience.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        The rows.

    Attributes
    ----------
    predictions : list of ndarray
        One array for each epoch; the network is in evaluation mode for it.
    """

    def __init__(self, X: NDArray[Any]) -> None:
        self.X = X
        self.predictions: list[NDArray[Any]] = []

    def on_train_begin(self, state: TrainingState) -> None:
        """Forget an earlier training."""
        self.predictions = []

    def on_epoch_end(self, state: TrainingState) -> None:
        """Predict all rows."""
        self.predictions.append(predict(state.model, self.X))
