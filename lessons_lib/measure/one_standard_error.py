"""The one-standard-error rule: the simplest model that is nearly as good as the best."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lessons_lib._validation import FloatArray

__all__ = ["one_standard_error_rule"]


def one_standard_error_rule(losses: ArrayLike, *, complexity: ArrayLike) -> int:
    r"""Choose the simplest model that is within one standard error of the best.

    With the mean :math:`\bar L_j` and standard deviation :math:`s_j` of the losses of model
    :math:`j` over :math:`K` folds, and the best model :math:`b = \arg\min_j \bar L_j`, the rule
    takes the least complex model with

    .. math:: \bar L_j \le \bar L_b + s_b / \sqrt{K}.

    Parameters
    ----------
    losses : array-like of shape (n_models, n_folds)
        Validation losses, for example from `validation_curve`; at least 2 folds.
    complexity : array-like of shape (n_models,)
        A number for each model that grows with its complexity: the degree of a polynomial as it
        is, for a penalty strength its negative. Among equally complex models the one with
        the smaller mean loss is taken.

    Returns
    -------
    int
        Index of the chosen model.

    Raises
    ------
    ValueError
        If the shapes do not fit or a value is not finite.

    Notes
    -----
    The standard error is the usual one, as if folds were independent. They share training
    rows, so it is only a rough guide; the rule is a preference for simplicity with a plausible
    tolerance, not a test.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone (1984). Classification and Regression Trees,
    section 3.4.3.

    T. Hastie, R. Tibshirani, J. Friedman (2009). The Elements of Statistical Learning, 2nd
    edition, section 7.10.1.

    Examples
    --------
    >>> losses = [[9.0, 11.0], [4.0, 6.0], [3.5, 5.5], [5.0, 7.0]]
    >>> one_standard_error_rule(losses, complexity=[1, 2, 3, 4])
    1
    """
    losses = np.asarray(losses, dtype=np.float64)
    complexity = np.asarray(complexity, dtype=np.float64)
    if losses.ndim != 2 or losses.shape[0] == 0 or losses.shape[1] < 2:
        raise ValueError(f"losses must have shape (n_models, n_folds >= 2), got {losses.shape}.")
    if complexity.shape != losses.shape[:1]:
        raise ValueError(f"complexity must have shape {losses.shape[:1]}, got {complexity.shape}.")
    if not (np.all(np.isfinite(losses)) and np.all(np.isfinite(complexity))):
        raise ValueError("losses and complexity must be finite, got NaN or infinity.")
    # In units of a power of two, which changes no digit, no square can overflow or vanish.
    scaled: FloatArray = np.ldexp(losses, -np.frexp(np.abs(losses).max())[1])
    means = scaled.mean(axis=1)
    best = int(np.argmin(means))
    threshold = means[best] + stats.sem(scaled[best])
    candidates = np.flatnonzero(means <= threshold)
    # Sort by complexity, then by loss; take the first.
    return int(candidates[np.lexsort((means[candidates], complexity[candidates]))[0]])
