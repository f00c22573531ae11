r"""The mean squared error of an average, from the errors of its members."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import FloatArray

__all__ = ["ensemble_mse", "error_moments"]

# Moments that were computed may miss what exact ones satisfy by this fraction of V.
_ROUNDING = 1e-9


def ensemble_mse(V: ArrayLike, C: ArrayLike, k: ArrayLike) -> Any:
    r"""Return the expected squared error of the average of `k` models.

    Let the models make the errors :math:`\epsilon_1, \dots, \epsilon_k` with
    :math:`\mathbb E[\epsilon_i^2] = V` and :math:`\mathbb E[\epsilon_i \epsilon_j] = C` for
    :math:`i \ne j`. The average of the models makes the average error. Its square consists of
    :math:`k` squares and :math:`k(k-1)` products:

    .. math::

        \mathbb E\Big[\Big(\tfrac 1k \sum_i \epsilon_i\Big)^2\Big]
        = \tfrac{1}{k^2} \Big( \sum_i \mathbb E[\epsilon_i^2]
        + \sum_{i \ne j} \mathbb E[\epsilon_i \epsilon_j] \Big)
        = \tfrac 1k V + \tfrac{k-1}{k} C .

    Equal errors (:math:`C = V`) gain nothing, uncorrelated ones (:math:`C = 0`) the factor
    :math:`k`. However many models, :math:`C` remains. With :math:`C = \rho V` this is
    :math:`V (\rho + (1 - \rho) / k)`.

    Parameters
    ----------
    V : array-like
        Mean squared error of a single model, in squared units of the target; not negative.
    C : array-like
        Mean product of the errors of two different models, in the same units. No errors exist for
        which it exceeds `V` or is below ``-V / (k - 1)``.
    k : array-like of int
        Number of models, at least 1.

    Returns
    -------
    float or ndarray
        Of the shape to which the three arguments broadcast.

    Raises
    ------
    TypeError
        If `k` does not consist of whole numbers.
    ValueError
        If an argument is out of the range stated above, or not finite.

    References
    ----------
    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning" (2016), section 7.11, eq. 7.50
    and 7.51. L. Breiman, "Random Forests", Machine Learning 45 (2001), theorem 11.2, for the limit
    of many trees, where :math:`C = \rho V` remains.

    Examples
    --------
    >>> print(ensemble_mse(V=4.0, C=1.0, k=3))
    2.0
    >>> ensemble_mse(1.0, [0.0, 0.5, 1.0], 10)
    array([0.1 , 0.55, 1.  ])
    """
    V, C, k = np.asarray(V, dtype=np.float64), np.asarray(C, dtype=np.float64), np.asarray(k)
    if not np.issubdtype(k.dtype, np.integer):
        raise TypeError(f"k must consist of integers, got {k.dtype}.")
    if (k < 1).any():
        raise ValueError(f"k must be at least 1, got {k.min()}.")
    if not (np.isfinite(V).all() and (V >= 0).all()):
        raise ValueError(f"V must be finite and not negative, got {V}.")
    if not (np.isfinite(C).all() and (C <= V * (1 + _ROUNDING)).all()):
        raise ValueError(f"C must be finite and at most V, got C = {C} and V = {V}.")
    if (V + (k - 1) * C < -_ROUNDING * V).any():
        raise ValueError(f"C must be at least -V / (k - 1), got C = {C}, V = {V} and k = {k}.")
    return (V / k + (k - 1) / k * C)[()]


def error_moments(errors: ArrayLike) -> tuple[float, float]:
    r"""Return the mean square and the mean product of the errors of several models.

    .. math::

        V = \frac{1}{k} \sum_i \overline{\epsilon_i^2} , \qquad
        C = \frac{1}{k(k-1)} \sum_{i \ne j} \overline{\epsilon_i \epsilon_j} ,

    where the bar is the mean over the samples (and over further axes). They are the quantities of
    `ensemble_mse`: with them its formula is not an approximation but the mean squared error of the
    average of these very models, even if they are not equally good.

    Parameters
    ----------
    errors : array-like of shape (k, n_samples) or (k, n_samples, ...)
        Prediction minus target of each of at least two models on the same samples; for
        classification, for example, probabilities minus the class as a one-hot vector.

    Returns
    -------
    V : float
        Mean squared error of the models.
    C : float
        Mean product of the errors of two different models; with ``rho = C / V``. It contains the
        product of their biases, and noise in the target, which all models share.

    Raises
    ------
    ValueError
        If there are fewer than two models, no samples, or numbers that are not finite.

    References
    ----------
    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning" (2016), section 7.11.

    Examples
    --------
    >>> errors = np.array([[1.0, -1.0, 2.0], [1.0, 1.0, 0.0]])
    >>> V, C = error_moments(errors)
    >>> print(round(V, 3), round(C, 3))
    1.333 0.0
    >>> print(round(ensemble_mse(V, C, k=2), 3), round((errors.mean(axis=0) ** 2).mean(), 3))
    0.667 0.667
    """
    e: FloatArray = np.asarray(errors, dtype=np.float64)
    if e.ndim < 2 or len(e) < 2 or e.size == 0:
        raise ValueError(
            "errors must have the shape (k, n_samples) with at least two models and one sample, "
            f"got {e.shape}."
        )
    if not np.isfinite(e).all():
        raise ValueError("errors must be finite, got NaN or infinity.")
    k = len(e)
    squares = float(np.mean(e**2))
    square_of_mean = float(np.mean(e.mean(axis=0) ** 2))
    # k^2 times the latter consists of k squares and k (k - 1) products.
    return squares, (k * square_of_mean - squares) / (k - 1)
