"""Forward stagewise regression: boosting of single features, whose path is nearly the lasso's."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import FloatArray, check_data, check_integer, check_interval

__all__ = ["forward_stagewise"]


def forward_stagewise(X: ArrayLike, y: ArrayLike, step: float, n_steps: int) -> FloatArray:
    r"""Change, again and again, the coefficient that helps most by a small constant.

    From :math:`w = 0`, with the residual :math:`r = y - Xw`,

    .. math:: j = \arg\max_k |x_k^\top r| , \qquad w_j \leftarrow w_j + \varepsilon\,
        \operatorname{sign}(x_j^\top r) .

    This is boosting with features in place of trees: the number of steps is the strength. After
    :math:`t` steps :math:`\lVert w \rVert_1 \le \varepsilon t`, so that rounds are a budget for the
    L1 norm. As :math:`\varepsilon \to 0` the path is the lasso's wherever the lasso's coefficients
    move away from zero only; where one would turn back, stagewise stays behind.

    The data are used as they are: standardize `X`, and center both for an unpenalized intercept.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    step : float
        The constant :math:`\varepsilon`, above 0.
    n_steps : int
        Largest number of steps. Fewer are made if no step would lower the squared error.

    Returns
    -------
    ndarray of shape (n_features, n_made + 1)
        Coefficients after each step, those before the first, all zero, included.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the data are not finite numbers of matching shapes.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning" (2009),
    algorithm 10.4 and section 16.2.1. B. Efron et al., "Least Angle Regression", Annals of
    Statistics 32 (2004).

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> forward_stagewise(X, [3.0, -1.0], step=1.0, n_steps=10)
    array([[ 0.,  1.,  2.,  3.,  3.],
           [ 0.,  0.,  0.,  0., -1.]])
    """
    features, target = check_data(X, y)
    step = check_interval("step", step, open_low=True)
    n_steps = check_integer("n_steps", n_steps, 0)
    gram = features.T @ features
    correlation = features.T @ target  # of the residual with each feature
    coef = np.zeros(features.shape[1])
    path = [coef.copy()]
    for _ in range(n_steps):
        j = int(np.abs(correlation).argmax())
        # The squared error changes by step^2 x'x - 2 step |x'r|.
        if 2.0 * abs(correlation[j]) <= step * gram[j, j]:
            break
        change = step if correlation[j] > 0.0 else -step
        coef[j] += change
        correlation -= change * gram[j]
        path.append(coef.copy())
    return np.array(path).T
