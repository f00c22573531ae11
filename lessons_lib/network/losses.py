r"""Losses: a number that says how wrong the predictions are, and its gradient.

``loss(prediction, target)`` returns the number; ``loss.backward()`` then returns
:math:`\partial L/\partial\,\text{prediction}`, with which backpropagation starts. All work on raw
scores (*logits*), not on probabilities: the exponential and the logarithm cancel, so that nothing
overflows. A term with weight 0 is 0, even where its logarithm is infinite: a logit of
:math:`-\infty` masks a class.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lessons_lib.network._common import FloatArray, after_forward, check_batch

__all__ = ["BCEWithLogitsLoss", "CrossEntropyLoss", "Loss", "MSELoss"]

Reduction = Literal["mean", "sum"]


class Loss:
    """Base class: ``forward`` computes the loss and saves its gradient.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default="mean"
        How the terms become one number.
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
        self.reduction = reduction
        self._grad: FloatArray | None = None

    def forward(self, prediction: FloatArray, target: NDArray[Any]) -> float:
        """Return the loss and save its gradient."""
        raise NotImplementedError

    def backward(self) -> FloatArray:
        """Return the gradient of the last loss with respect to its prediction."""
        return after_forward(self, self._grad)

    def __call__(self, prediction: FloatArray, target: NDArray[Any]) -> float:
        """Call ``forward``."""
        return self.forward(prediction, target)


class MSELoss(Loss):
    r"""Mean squared error over all :math:`N` elements.

    .. math::

        L = \frac1N \sum_i (\hat y_i - y_i)^2, \qquad
        \frac{\partial L}{\partial \hat y_i} = \frac2N (\hat y_i - y_i)

    There is no factor 1/2, as in PyTorch and Keras. With ``reduction="sum"``, :math:`1/N` is left
    out.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default="mean"
        Mean or sum over all elements.

    Examples
    --------
    >>> loss = MSELoss()
    >>> loss(np.array([[1.0], [3.0]]), np.array([[0.0], [0.0]]))
    5.0
    >>> loss.backward().ravel()
    array([1., 3.])
    """

    def forward(self, prediction: FloatArray, target: NDArray[Any]) -> float:
        """Compare prediction and target of one and the same shape."""
        check_batch(self, prediction)
        target = _same_shape(self, prediction, target)
        scale = 1 / prediction.size if self.reduction == "mean" else 1.0
        difference = prediction - target
        self._grad = (2 * scale) * difference
        return float(np.vdot(difference, difference)) * scale


class BCEWithLogitsLoss(Loss):
    r"""Binary cross-entropy of logits :math:`z` with targets :math:`y \in [0, 1]`.

    With :math:`p = 1/(1+e^{-z})` and the weight :math:`c` of the positive class,

    .. math::

        L = -\frac1N \sum_i \bigl( c\,y_i \log p_i + (1-y_i) \log(1-p_i) \bigr), \qquad
        \frac{\partial L}{\partial z_i} = \frac1N \bigl( (1-y_i)\,p_i - c\,y_i (1-p_i) \bigr) .

    It is computed from :math:`-\log p = \log(1+e^{-z})` and :math:`-\log(1-p) = \log(1+e^{z})`,
    which do not overflow when written as ``logaddexp(0, ∓z)``.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default="mean"
        Mean or sum over all elements.
    pos_weight : array_like or None, default=None
        :math:`c`: a number, or one for each column; None means 1.

    Examples
    --------
    >>> loss = BCEWithLogitsLoss()
    >>> round(loss(np.array([0.0, 0.0]), np.array([0.0, 1.0])), 6)
    0.693147
    >>> loss.backward()
    array([ 0.25, -0.25])
    """

    def __init__(
        self, *, reduction: Reduction = "mean", pos_weight: ArrayLike | None = None
    ) -> None:
        super().__init__(reduction=reduction)
        self.pos_weight = None if pos_weight is None else np.asarray(pos_weight)
        if self.pos_weight is not None and not np.all(
            (self.pos_weight > 0) & np.isfinite(self.pos_weight)
        ):
            raise ValueError(f"pos_weight must be above 0 and finite, got {pos_weight!r}")

    def forward(self, prediction: FloatArray, target: NDArray[Any]) -> float:
        """Compare logits with targets of the same shape."""
        check_batch(self, prediction)
        target = _same_shape(self, prediction, target)
        if not (target.min() >= 0 and target.max() <= 1):
            raise ValueError(
                "BCEWithLogitsLoss: targets must be in [0, 1], "
                f"got values from {target.min()} to {target.max()}"
            )
        positive = self._weighted(target)
        negative = 1 - target
        minus_log_p = np.logaddexp(0, -prediction)
        minus_log_1_minus_p = np.logaddexp(0, prediction)
        scale = 1 / prediction.size if self.reduction == "mean" else 1.0
        p = np.exp(-minus_log_p)
        self._grad = scale * (negative * p - positive * np.exp(-minus_log_1_minus_p))
        terms = positive * _unless_unasked(minus_log_p, positive)
        terms += negative * _unless_unasked(minus_log_1_minus_p, negative)
        return float(terms.sum()) * scale

    def _weighted(self, target: FloatArray) -> FloatArray:
        """Return the targets times their class's weight."""
        if self.pos_weight is None:
            return target
        try:
            weight = np.broadcast_to(self.pos_weight, target.shape)
        except ValueError:
            raise ValueError(
                "BCEWithLogitsLoss: pos_weight must be a number or fit the last axes of the target "
                f"{target.shape}, got shape {self.pos_weight.shape}"
            ) from None
        weighted: FloatArray = (target * weight).astype(target.dtype, copy=False)
        return weighted


class CrossEntropyLoss(Loss):
    r"""Cross-entropy of the softmax of logits with class labels or class probabilities.

    With :math:`p_{ik} = e^{z_{ik}} / \sum_l e^{z_{il}}`, target probabilities :math:`q_{ik}` and
    class weights :math:`w_k`,

    .. math::

        L = -\frac1N \sum_{i,k} w_k\,q_{ik} \log p_{ik}, \qquad
        \frac{\partial L}{\partial z_{ik}}
        = \frac1N \Bigl( p_{ik} \sum_l w_l\,q_{il} - w_k\,q_{ik} \Bigr) ,

    which without weights is :math:`(p_{ik}-q_{ik})/N`. A label :math:`y_i` stands for
    :math:`q_{ik}=\mathbb 1[k=y_i]`. Label smoothing replaces :math:`q` by
    :math:`(1-\varepsilon)\,q + \varepsilon/K`: the *wrong* classes get :math:`\varepsilon/K` each,
    the right one :math:`1-\varepsilon+\varepsilon/K`. :math:`N` is the number of samples or, with
    class weights and labels, :math:`\sum_i w_{y_i}`.

    Parameters
    ----------
    weight : array_like of shape (n_classes,) or None, default=None
        :math:`w`; None means 1.
    reduction : {"mean", "sum"}, default="mean"
        ``sum`` leaves out :math:`1/N`.
    label_smoothing : float in [0, 1], default=0.0
        :math:`\varepsilon`.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
    section 7 (label smoothing).

    Examples
    --------
    >>> loss = CrossEntropyLoss()
    >>> round(loss(np.zeros((1, 4)), np.array([2])), 6)
    1.386294
    >>> loss.backward()
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """

    def __init__(
        self,
        weight: ArrayLike | None = None,
        *,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be in [0, 1], got {label_smoothing!r}")
        self.weight = None if weight is None else np.asarray(weight, dtype=np.float64)
        if self.weight is not None and not (
            self.weight.ndim == 1 and np.all(self.weight >= 0) and np.isfinite(self.weight).all()
        ):
            raise ValueError(
                f"weight must be one finite number of at least 0 per class, got {weight!r}"
            )
        self.label_smoothing = label_smoothing

    def forward(self, prediction: FloatArray, target: NDArray[Any]) -> float:
        """Compare logits (n_samples, n_classes) with labels (n_samples,) or probabilities."""
        check_batch(self, prediction, (2,))
        q, normalizer = self._weighted_target(prediction, np.asarray(target))
        # The maximum of each row, taken column by column: rows are short, columns long.
        largest = prediction.T.copy().max(axis=0)[:, np.newaxis]
        with np.errstate(over="ignore"):  # a difference beyond float32 is as good as -inf
            shifted = prediction - largest
        p = np.exp(shifted)
        sums = p.sum(axis=1, keepdims=True)
        p /= sums
        if self.weight is not None:
            p *= q.sum(axis=1, keepdims=True)
        scale = 1 / normalizer if self.reduction == "mean" else 1.0
        self._grad = scale * (p - q)
        log_p = _unless_unasked(shifted - np.log(sums), q)
        return -float(np.vdot(q, log_p)) * scale

    def _weighted_target(
        self, prediction: FloatArray, target: NDArray[Any]
    ) -> tuple[FloatArray, float]:
        """Return :math:`w_k q_{ik}` and :math:`N`."""
        n_samples, n_classes = prediction.shape
        smooth = self.label_smoothing / n_classes
        normalizer = float(n_samples)
        if target.shape == prediction.shape:
            _check_probabilities(target)
            q = ((1 - self.label_smoothing) * target + smooth).astype(prediction.dtype)
        else:
            _check_labels(target, n_samples, n_classes)
            q = np.full(prediction.shape, smooth, prediction.dtype)
            q[np.arange(n_samples), target] = 1 - self.label_smoothing + smooth
        if self.weight is not None:
            if len(self.weight) != n_classes:
                raise ValueError(
                    f"CrossEntropyLoss: weight has {len(self.weight)} classes, "
                    f"the prediction {n_classes}"
                )
            q *= self.weight.astype(q.dtype)
            if target.ndim == 1:
                normalizer = self._total_weight(self.weight[target])
        return q, normalizer

    def _total_weight(self, weights: FloatArray) -> float:
        """Return the sum of the samples' weights, by which the loss is divided."""
        total = float(weights.sum())
        if total == 0 and self.reduction == "mean":
            raise ValueError(
                "CrossEntropyLoss: all labels of this batch are of classes with weight 0, so that "
                "there is no mean; use larger batches, or reduction='sum'"
            )
        return total


def _same_shape(loss: Loss, prediction: FloatArray, target: NDArray[Any]) -> NDArray[Any]:
    target = np.asarray(target, dtype=prediction.dtype)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{type(loss).__name__}: target must have the prediction's shape {prediction.shape}, "
            f"got {target.shape}"
        )
    return target


def _unless_unasked(cost: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the cost, or 0 where it is infinite and its weight 0, for 0 times infinity is NaN."""
    infinite = np.isinf(cost)
    return np.where(infinite & (weight == 0), 0, cost) if infinite.any() else cost


def _check_labels(target: NDArray[Any], n_samples: int, n_classes: int) -> None:
    if target.shape != (n_samples,):
        raise ValueError(
            f"CrossEntropyLoss: target must have shape ({n_samples},) for labels or "
            f"({n_samples}, {n_classes}) for probabilities, got {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"CrossEntropyLoss: labels must be integers, got {target.dtype}")
    if target.min() < 0 or target.max() >= n_classes:
        raise ValueError(
            f"CrossEntropyLoss: labels must be in 0..{n_classes - 1}, "
            f"got values from {target.min()} to {target.max()}"
        )


def _check_probabilities(target: NDArray[Any]) -> None:
    if target.min() < 0 or not np.allclose(target.sum(axis=1), 1):
        raise ValueError(
            "CrossEntropyLoss: each row of target probabilities must be at least 0 and sum to 1"
        )
