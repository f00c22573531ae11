"""Soft targets for classification: label smoothing, in both of its conventions."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lessons_lib._validation import check_integer, check_interval, check_labels

__all__ = ["smooth_labels", "smoothed_logit_gap"]

FloatArray = NDArray[np.float64]


Convention = Literal["uniform", "others"]


def smooth_labels(
    y: ArrayLike, n_classes: int, epsilon: float, *, convention: Convention = "uniform"
) -> FloatArray:
    r"""Return targets that are not quite certain.

    ============  =====================================  ===============================
    convention    right class                            each wrong class
    ============  =====================================  ===============================
    ``uniform``   :math:`1-\varepsilon+\varepsilon/K`    :math:`\varepsilon/K`
    ``others``    :math:`1-\varepsilon`                  :math:`\varepsilon/(K-1)`
    ============  =====================================  ===============================

    ``uniform`` mixes the label with the uniform distribution over all :math:`K` classes,
    ``others`` takes :math:`\varepsilon` away from the right class and shares it among the others.
    They are one family: ``others`` with :math:`\varepsilon` is ``uniform`` with
    :math:`\varepsilon K/(K-1)`.

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)
        Classes, 0 to ``n_classes - 1``.
    n_classes : int
        Number of classes :math:`K`, at least 2.
    epsilon : float in [0, 1]
        Strength :math:`\varepsilon`; 0 gives one-hot targets.
    convention : {"uniform", "others"}, default="uniform"
        Which of the two; PyTorch's and Keras's ``label_smoothing`` is ``uniform``.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Rows that sum to 1, for ``CrossEntropyLoss``.

    Raises
    ------
    TypeError
        If `y` are not integers.
    ValueError
        If `y`, `n_classes` or `epsilon` is out of range, or `convention` is unknown.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
    section 7.

    Examples
    --------
    >>> smooth_labels([1], 3, 0.3).round(3)
    array([[0.1, 0.8, 0.1]])
    >>> smooth_labels([1], 3, 0.3, convention="others")
    array([[0.15, 0.7 , 0.15]])
    """
    labels = check_labels(y)
    right, wrong = _smoothed_pair(n_classes, epsilon, convention)
    if labels.max() >= n_classes:
        raise ValueError(f"y must be in 0..{n_classes - 1}, got {labels.max()}.")
    targets = np.full((len(labels), n_classes), wrong)
    targets[np.arange(len(labels)), labels] = right
    return targets


def smoothed_logit_gap(
    n_classes: int, epsilon: float, *, convention: Convention = "uniform"
) -> float:
    r"""Return how far the right logit is above the others where smoothed cross-entropy is least.

    The loss is least where the softmax equals the smoothed target, thus where

    .. math:: z_\text{right} - z_\text{wrong} = \log\frac{q_\text{right}}{q_\text{wrong}},

    with the two values :math:`q` of :func:`smooth_labels`. Without smoothing the gap is infinite:
    on separable data the logits grow as long as the training lasts.

    Parameters
    ----------
    n_classes : int
        Number of classes, at least 2.
    epsilon : float in [0, 1]
        Strength of the smoothing.
    convention : {"uniform", "others"}, default="uniform"
        See :func:`smooth_labels`.

    Returns
    -------
    float
        The gap; infinite for ``epsilon=0``.

    Raises
    ------
    ValueError
        If a number is out of range or `convention` is unknown.

    Examples
    --------
    >>> round(smoothed_logit_gap(10, 0.1), 3)  # log(0.91 / 0.01)
    4.511
    """
    right, wrong = _smoothed_pair(n_classes, epsilon, convention)
    with np.errstate(divide="ignore"):  # epsilon 0 or 1: the answer is infinite
        return float(np.log(right) - np.log(wrong))


def _smoothed_pair(n_classes: int, epsilon: float, convention: str) -> tuple[float, float]:
    """Return the target of the right class and of each wrong one."""
    check_integer("n_classes", n_classes, 2)
    epsilon = check_interval("epsilon", epsilon, 0.0, 1.0)
    if convention == "uniform":
        return 1 - epsilon + epsilon / n_classes, epsilon / n_classes
    if convention == "others":
        return 1 - epsilon, epsilon / (n_classes - 1)
    raise ValueError(f"convention must be 'uniform' or 'others', got {convention!r}.")
