r"""Calibration: whether predicted probabilities mean what they say.

A classifier is calibrated if, of all predictions made with confidence 0.8, 80 % are right.
:func:`reliability_curve` shows whether that is so, :func:`expected_calibration_error` and
:func:`maximum_calibration_error` sum it up. :func:`fit_temperature` changes the logits of a trained
model so that they do; label smoothing (:func:`lessons_lib.network.smooth_labels`) changes the
targets before the training.

scikit-learn has the rest: ``sklearn.metrics.log_loss`` and ``brier_score_loss`` are proper scores,
which a calibration error is not (whoever always predicts the classes' frequencies is perfectly
calibrated, and of no use); ``sklearn.calibration.CalibratedClassifierCV`` repairs a classifier with
cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from lessons_lib._validation import check_integer, check_labels

__all__ = [
    "ReliabilityCurve",
    "expected_calibration_error",
    "fit_temperature",
    "maximum_calibration_error",
    "reliability_curve",
]

FloatArray = NDArray[np.float64]


Strategy = Literal["uniform", "quantile"]


# Temperatures outside this range make all predictions certain or all uniform.
_TEMPERATURES = (1e-3, 1e3)


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Confidence and accuracy in bins of the confidence; empty bins are left out.

    Parameters
    ----------
    confidence : ndarray of shape (n_nonempty_bins,)
        Mean predicted probability in each bin.
    accuracy : ndarray of shape (n_nonempty_bins,)
        Fraction of the bin's samples that were right (or positive).
    counts : ndarray of int of shape (n_nonempty_bins,)
        Number of samples in each bin.
    """

    confidence: FloatArray
    accuracy: FloatArray
    counts: NDArray[np.intp]

    @property
    def gap(self) -> FloatArray:
        """Confidence minus accuracy: above 0 where the predictions are overconfident."""
        return self.confidence - self.accuracy


def reliability_curve(
    y: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Strategy = "uniform",
) -> ReliabilityCurve:
    r"""Compare confidence with accuracy, bin by bin.

    With the probabilities of all classes, the *confidence* :math:`\max_k p_{ik}` of the predicted
    class is compared with how often that class was right. With one probability per sample, that of
    class 1, it is compared with how often the class was 1.

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)
        True classes, 0 to ``n_classes - 1``.
    probabilities : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; each row sums to 1.
    n_bins : int, default=10
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width in [0, 1], each including its right end, or of about equal counts.

    Returns
    -------
    ReliabilityCurve
        Mean confidence, accuracy and number of samples in each non-empty bin.

    Raises
    ------
    TypeError
        If `y` are not integers.
    ValueError
        If shapes do not fit, labels or probabilities are out of range, or an option is unknown.

    See Also
    --------
    sklearn.calibration.calibration_curve : Does the work.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017, section 2.

    Examples
    --------
    >>> curve = reliability_curve([0, 1, 1, 1], [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    >>> curve.confidence, curve.accuracy, curve.counts
    (array([0.6, 0.7, 0.9]), array([1. , 1. , 0.5]), array([1, 1, 2]))
    """
    check_integer("n_bins", n_bins, 1)
    if strategy not in ("uniform", "quantile"):
        raise ValueError(f"strategy must be 'uniform' or 'quantile', got {strategy!r}.")
    right, confidence = _outcomes(y, probabilities)
    accuracy, mean_confidence = calibration_curve(
        right, confidence, n_bins=n_bins, strategy=strategy
    )
    # scikit-learn does not return the counts. It puts values on an edge into the bin to the left.
    if strategy == "uniform":
        edges = np.linspace(0, 1, n_bins + 1)
    else:
        edges = np.percentile(confidence, np.linspace(0, 1, n_bins + 1) * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], confidence))
    return ReliabilityCurve(mean_confidence, accuracy, counts[counts > 0])


def expected_calibration_error(
    y: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Strategy = "uniform",
) -> float:
    r"""Return the mean distance of confidence and accuracy, weighted by the bins' sizes.

    .. math:: \mathrm{ECE} = \sum_b \frac{n_b}{n}\,
              \lvert \mathrm{acc}(b) - \mathrm{conf}(b) \rvert

    Parameters
    ----------
    y, probabilities, n_bins, strategy
        As in :func:`reliability_curve`, and with the same errors.

    Returns
    -------
    float
        The error, between 0 and 1.

    Notes
    -----
    An estimate from few samples is too high: even for a calibrated classifier, the accuracy in a
    bin differs from the confidence by chance. More bins make that worse. So compare only errors
    with the same bins and equally many samples.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using
    Bayesian Binning", AAAI 2015.

    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.

    Examples
    --------
    >>> probabilities = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]
    >>> round(expected_calibration_error([0, 1, 1, 1], probabilities), 3)  # (2·0.4 + 0.4 + 0.3) / 4
    0.375
    """
    curve = reliability_curve(y, probabilities, n_bins=n_bins, strategy=strategy)
    return float(np.average(np.abs(curve.gap), weights=curve.counts))


def maximum_calibration_error(
    y: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Strategy = "uniform",
) -> float:
    r"""Return the largest distance of confidence and accuracy in any bin.

    .. math:: \mathrm{MCE} = \max_b \lvert \mathrm{acc}(b) - \mathrm{conf}(b) \rvert

    It may come from a bin with a single sample; ``strategy="quantile"`` avoids that.

    Parameters
    ----------
    y, probabilities, n_bins, strategy
        As in :func:`reliability_curve`, and with the same errors.

    Returns
    -------
    float
        The error, between 0 and 1.

    References
    ----------
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 5.

    Examples
    --------
    >>> probabilities = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]
    >>> round(maximum_calibration_error([0, 1, 1, 1], probabilities), 3)
    0.4
    """
    curve = reliability_curve(y, probabilities, n_bins=n_bins, strategy=strategy)
    return float(np.abs(curve.gap).max())


def fit_temperature(y: ArrayLike, logits: ArrayLike) -> float:
    r"""Return the temperature that fits the logits' confidence to data.

    The probabilities become :math:`\operatorname{softmax}(z / T)`. Dividing by :math:`T > 1` makes
    them less certain. The order of the classes stays, and so does the accuracy: only the confidence
    changes. The temperature returned minimizes the log loss,

    .. math:: T = \arg\min_T\, -\sum_i \log \operatorname{softmax}(z_i / T)_{y_i} .

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)
        True classes, of *held-out* data. On training data that the model fits perfectly, no
        temperature is small enough.
    logits : array-like of shape (n_samples, n_classes)
        Raw scores :math:`z`, before the softmax.

    Returns
    -------
    float
        :math:`T`. Calibrated probabilities are then ``scipy.special.softmax(logits / T, axis=1)``.

    Raises
    ------
    TypeError
        If `y` are not integers.
    ValueError
        If shapes do not fit, or the best temperature is not in (0.001, 1000): if all predictions
        are right, it is 0; if they are no better than guessing, infinite.

    Notes
    -----
    The loss is convex in :math:`1/T`: it has a minimum where its slope changes its sign, which is
    looked for between the two temperatures above.

    References
    ----------
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.

    Examples
    --------
    >>> logits = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    >>> T = fit_temperature([0, 0, 0, 1], logits)  # 98 % confident, 75 % right
    >>> round(T, 3), round(float(1 / (1 + np.exp(-4 / T))), 3)
    (3.641, 0.75)
    """
    labels = check_labels(y)
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim != 2 or len(z) != len(labels) or z.shape[1] <= labels.max():
        raise ValueError(
            f"logits must have shape ({len(labels)}, more than {labels.max()} classes), "
            f"got {z.shape}."
        )
    if not np.isfinite(z).all():
        raise ValueError("logits must be finite, got NaN or infinity.")
    # Only differences to the right class matter, and beyond 1e300 all are equally certain.
    with np.errstate(over="ignore"):
        z = np.clip(z - z[np.arange(len(z)), labels][:, np.newaxis], -1e300, 1e300)

    def slope(log_temperature: float) -> float:
        """Return the derivative of the log loss by 1/T: the mean logit, beyond the right one."""
        p = softmax(z * np.exp(-log_temperature), axis=1)
        return float(np.mean(np.sum(p * z, axis=1)))

    lowest, highest = np.log(_TEMPERATURES)
    if not slope(lowest) > 0 > slope(highest):
        raise ValueError(
            "logits must be wrong sometimes, but better than guessing, for a temperature to be "
            f"best; here the best one lies outside of {_TEMPERATURES}."
        )
    return float(np.exp(brentq(slope, lowest, highest, xtol=1e-12)))


def _outcomes(y: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.intp], FloatArray]:
    """Return whether each prediction was right (or the class 1), and its probability."""
    labels = check_labels(y)
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim not in (1, 2) or len(p) != len(labels):
        raise ValueError(
            f"probabilities must have shape ({len(labels)},) or ({len(labels)}, n_classes), "
            f"got {p.shape}."
        )
    if not (np.all(p >= 0) and np.all(p <= 1 + 1e-9)):
        raise ValueError(f"probabilities must be in [0, 1], got {p.min():g} to {p.max():g}.")
    n_classes = 2 if p.ndim == 1 else p.shape[1]
    if labels.max() >= n_classes:
        raise ValueError(f"y must be in 0..{n_classes - 1}, got {labels.max()}.")
    p = np.minimum(p, 1)  # rounding may have led beyond
    if p.ndim == 1:
        return labels, p
    if not np.allclose(p.sum(axis=1), 1, atol=1e-5):
        raise ValueError("probabilities must sum to 1 in each row.")
    return (p.argmax(axis=1) == labels).astype(np.intp), p.max(axis=1)
