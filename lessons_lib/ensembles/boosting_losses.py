r"""The losses that boosting lowers, with the two derivatives that a tree needs.

A boosted model is a sum :math:`F(x)` of trees, one sum for each *output*: the prediction in
regression, the log-odds of the second of two classes, or a score for each of several classes. At
every sample a loss :math:`\ell(y, F)` has a slope and a curvature in :math:`F`. With
:math:`g = -\partial\ell/\partial F` and :math:`h = \partial^2\ell/\partial F^2`, the best constant
to add in a leaf is, by one step of Newton's method with the leaf penalty :math:`\lambda v^2/2`,

.. math:: v = \frac{\sum_i g_i}{\sum_i h_i + \lambda} .
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, logit, softmax

from lessons_lib._validation import FloatArray

__all__ = ["BoostingLoss", "LogisticLoss", "MultinomialLoss", "SquaredLoss"]


class BoostingLoss:
    """Base class: a loss of raw outputs of shape (n_samples, n_outputs).

    Attributes
    ----------
    n_outputs : int
        Number of trees in each round.
    """

    n_outputs: int = 1

    def value(
        self, y: NDArray[Any], raw: FloatArray, sample_weight: FloatArray | None = None
    ) -> float:
        """Return the (weighted) mean loss."""
        return float(np.average(self._terms(y, raw), weights=sample_weight))

    def _terms(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return the loss of each sample."""
        raise NotImplementedError

    def negative_gradient(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`g`, of the shape of `raw`: where each output wants to go."""
        raise NotImplementedError

    def curvature(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`h`, of the shape of `raw`."""
        raise NotImplementedError

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the raw outputs that stand for predictions or probabilities."""
        raise NotImplementedError


class SquaredLoss(BoostingLoss):
    r"""Squared error :math:`(y - F)^2`, with :math:`g = y - F` and :math:`h = 1` of its half.

    A tree on :math:`g` is a tree on the residuals, and its leaf values are their means.

    Examples
    --------
    >>> loss, y, raw = SquaredLoss(), np.array([1.0, 3.0]), np.array([[0.0], [1.0]])
    >>> loss.value(y, raw), loss.negative_gradient(y, raw).ravel()
    (2.5, array([1., 2.]))
    """

    def _terms(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        return np.asarray((y - raw[:, 0]) ** 2)

    def negative_gradient(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return the residuals."""
        return y[:, None] - raw

    def curvature(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return ones."""
        return np.ones_like(raw)

    def link(self, mean: FloatArray) -> FloatArray:
        """Return predictions as a column."""
        return mean.reshape(-1, 1)


class LogisticLoss(BoostingLoss):
    r"""Deviance of two classes, numbered 0 and 1, where :math:`F` is the log-odds of class 1.

    .. math::

        \ell = 2 \bigl(\log(1 + e^F) - y F\bigr), \qquad
        g = y - p, \quad h = p (1 - p), \quad p = \frac{1}{1 + e^{-F}}

    As with squared error, the value has a factor 2 that the derivatives leave out.

    Examples
    --------
    >>> loss, y, raw = LogisticLoss(), np.array([1, 0]), np.zeros((2, 1))
    >>> round(loss.value(y, raw), 6), loss.negative_gradient(y, raw).ravel()
    (1.386294, array([ 0.5, -0.5]))
    """

    def _terms(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        return np.asarray(2.0 * (np.logaddexp(0.0, raw[:, 0]) - y * raw[:, 0]))

    def negative_gradient(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`y - p`."""
        return np.asarray(y[:, None] - expit(raw))

    def curvature(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`p(1-p)`."""
        return np.asarray(expit(raw) * expit(-raw))

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the log-odds for probabilities of shape (n_samples, 2)."""
        return np.asarray(logit(_inside(mean)[:, 1:]))


class MultinomialLoss(BoostingLoss):
    r"""Negative log-likelihood of :math:`K` classes, by a softmax of :math:`K` scores.

    .. math::

        \ell = -\log p_y, \qquad g_k = [y = k] - p_k, \qquad
        h_k = \frac{K}{K-1}\, p_k (1 - p_k), \qquad p_k = \frac{e^{F_k}}{\sum_l e^{F_l}}

    The factor of :math:`h`, from Friedman's algorithm, accounts for what the second derivatives of
    one output leave out: all :math:`K` outputs move at once. (XGBoost takes 2 in its place, a bound
    for any :math:`K`.)

    Parameters
    ----------
    n_classes : int
        :math:`K`.

    References
    ----------
    J. H. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of
    Statistics 29 (2001), section 4.6.

    Examples
    --------
    >>> MultinomialLoss(3).negative_gradient(np.array([2]), np.zeros((1, 3))).round(3)
    array([[-0.333, -0.333,  0.667]])
    """

    def __init__(self, n_classes: int) -> None:
        self.n_outputs = n_classes

    def _terms(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        return np.asarray(-log_softmax(raw, axis=1)[np.arange(len(y)), y])

    def negative_gradient(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`[y = k] - p_k`."""
        return np.asarray(np.eye(self.n_outputs)[y] - softmax(raw, axis=1))

    def curvature(self, y: NDArray[Any], raw: FloatArray) -> FloatArray:
        """Return :math:`h_k`."""
        p = softmax(raw, axis=1)
        return np.asarray(self.n_outputs / (self.n_outputs - 1) * p * (1.0 - p))

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the logarithms of probabilities, centered so that each row sums to zero."""
        scores = np.log(_inside(mean))
        return np.asarray(scores - scores.mean(axis=1, keepdims=True))


def _inside(probability: FloatArray) -> FloatArray:
    """Keep probabilities away from 0 and 1, where the link is infinite."""
    eps = np.finfo(np.float64).eps
    return np.clip(probability, eps, 1.0 - eps)
