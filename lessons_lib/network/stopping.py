r"""Early stopping: where a rule stops, and which part of the fit has been learned by then.

The squared loss is the house's, :math:`\frac{1}{2n}\lVert y - Xw\rVert_2^2`, so that its curvature
along the singular direction :math:`i` of ``X`` is :math:`h_i = s_i^2/n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lessons_lib._validation import FloatArray, check_data, check_integer, check_interval
from lessons_lib.linear import Spectrum
from lessons_lib.network import Callback, TrainingState, predict

__all__ = [
    "PredictionRecorder",
    "StoppingPoint",
    "descent_filter",
    "descent_path",
    "stopping_point",
]


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
    training ends with the `patience`-th epoch in a row that does not. Runs recorded once can so be
    stopped with many settings.

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
        If patience does not run out, ``last`` is the last epoch of `values`.

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
    best = 0
    for epoch in range(1, len(values)):
        if values[epoch] < values[best] - min_delta:
            best = epoch
        elif epoch - best >= patience:
            return StoppingPoint(best, epoch)
    return StoppingPoint(best, len(values) - 1)


def descent_filter(curvatures: ArrayLike, learning_rate: float, n_steps: ArrayLike) -> FloatArray:
    r"""Return the part of least squares that gradient descent from zero has learned.

    .. math:: f_i(t) = 1 - (1 - \eta h_i)^t

    Parameters
    ----------
    curvatures : array-like of shape (n_directions,)
        :math:`h_i = s_i^2/n`, not negative.
    learning_rate : float
        Step length :math:`\eta > 0`. Above :math:`2/\max h_i` the descent diverges.
    n_steps : array-like of shape (n_times,)
        Numbers of steps :math:`t \ge 0`.

    Returns
    -------
    ndarray of shape (n_directions, n_times)
        Between 0 and 1 if :math:`\eta h_i \le 1`.

    Raises
    ------
    ValueError
        If an argument is negative, or the learning rate is too large to converge.

    References
    ----------
    A. Ali, J. Z. Kolter, R. J. Tibshirani, "A Continuous-Time View of Early Stopping for Least
    Squares Regression", AISTATS 2019.

    Examples
    --------
    >>> descent_filter([1.0, 0.5], learning_rate=0.5, n_steps=[0, 1, 2])
    array([[0.    , 0.5   , 0.75  ],
           [0.    , 0.25  , 0.4375]])
    """
    h = np.asarray(curvatures, dtype=np.float64)
    steps = np.asarray(n_steps, dtype=np.float64)
    _check_descent(h, learning_rate, steps)
    remaining: FloatArray = (1.0 - learning_rate * h[:, None]) ** steps
    return 1.0 - remaining


def _check_descent(h: FloatArray, learning_rate: float, steps: FloatArray) -> None:
    check_interval("learning_rate", learning_rate, open_low=True)
    if h.ndim != 1 or (h < 0).any() or steps.ndim != 1 or (steps < 0).any():
        raise ValueError(
            f"curvatures and n_steps must be sequences of numbers that are not negative, got "
            f"{h!r} and {steps!r}."
        )
    if h.size and learning_rate * h.max() > 2:
        raise ValueError(
            f"learning_rate must be at most 2 / max(curvatures) = {2 / h.max():g}, got "
            f"{learning_rate:g}: gradient descent would diverge."
        )


def descent_path(
    X: ArrayLike, y: ArrayLike, n_steps: ArrayLike, *, learning_rate: float | None = None
) -> tuple[FloatArray, float]:
    r"""Compute where gradient descent from zero is after many numbers of steps, without stepping.

    .. math:: w(t) = \sum_i v_i\, \frac{1 - (1 - \eta s_i^2/n)^t}{s_i}\, u_i^\top y

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Used as it is: center it if the model has an intercept.
    y : array-like of shape (n_samples,)
    n_steps : array-like of shape (n_times,)
        Numbers of steps.
    learning_rate : float, optional
        Step length :math:`\eta`. Default: one over the largest curvature.

    Returns
    -------
    coefs : ndarray of shape (n_features, n_times)
        One column for each number of steps.
    learning_rate : float
        The step length used.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or as in :func:`descent_filter`.
    """
    X, y = check_data(X, y)
    spectrum = Spectrum.from_svd(X, y)
    curvatures = spectrum.squared / len(y)
    rate = 1.0 / float(curvatures.max()) if learning_rate is None else learning_rate
    learned = descent_filter(curvatures, rate, n_steps)
    full = spectrum.projections / spectrum.squared  # least squares, direction by direction
    return spectrum.basis @ (learned * full[:, None]), rate


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
