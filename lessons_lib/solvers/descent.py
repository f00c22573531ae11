r"""Methods that move all coefficients at once along the gradient.

The problem is :math:`\min_w \tfrac{1}{2n}\lVert y - Xw\rVert_2^2 + \Omega(w)`. Its first part, the
loss, has the gradient :math:`-X^\top(y - Xw)/n` and the largest curvature :math:`L`, the largest
eigenvalue of :math:`X^\top X/n`. None of the functions fits an intercept: center the data, or add
a column of ones that the penalty leaves out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from lessons_lib._validation import FloatArray, check_interval
from lessons_lib.penalties import L2, Penalty
from lessons_lib.solvers._monitor import Monitor, SolverResult, check_problem

__all__ = ["fista", "gradient_descent", "ista", "lipschitz_constant", "subgradient_descent"]


def lipschitz_constant(X: FloatArray) -> float:
    r"""Return the largest curvature of the loss, :math:`L = \lVert X\rVert_2^2 / n`.

    The gradient of the loss is Lipschitz continuous with this constant.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    float
        Largest eigenvalue of :math:`X^\top X/n`.
    """
    n_samples, n_features = X.shape
    gram: FloatArray = X.T @ X if n_features <= n_samples else X @ X.T
    last = len(gram) - 1
    largest: float = linalg.eigvalsh(gram, subset_by_index=(last, last)).item()
    return largest / float(n_samples)


def _step_length(learning_rate: float | None, curvature: float) -> float:
    """Return the learning rate asked for, or one over the largest curvature."""
    if learning_rate is not None:
        return check_interval("learning_rate", learning_rate, open_low=True)
    return 1.0 / curvature if curvature > 0 else 1.0


def gradient_descent(
    X: ArrayLike,
    y: ArrayLike,
    penalty: L2,
    *,
    learning_rate: float | None = None,
    coef_init: ArrayLike | None = None,
    max_iter: int = 10_000,
    tol: float | None = 1e-8,
    record: bool = False,
) -> SolverResult:
    r"""Minimize a ridge objective by gradient descent.

    .. math:: w \leftarrow w - \eta\,\big(\nabla f(w) + \nabla\Omega(w)\big)

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L2
        A differentiable penalty; ``L2(0.0)`` gives least squares.
    learning_rate : float, optional
        Step length :math:`\eta`. Default: :math:`1/(L + \alpha)`, which never overshoots.
    coef_init : array-like of shape (n_features,), optional
        Start; zero by default.
    max_iter : int, default=10_000
        Largest number of iterations.
    tol : float or None, default=1e-8
        Stop when the duality gap is at most ``tol`` times the mean square of ``y``. With None
        all iterations are done.
    record : bool, default=False
        Whether to keep the history.

    Returns
    -------
    SolverResult
        The last iterate and how it got there.

    Raises
    ------
    TypeError
        If ``penalty`` has no gradient.
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    Warns
    -----
    ConvergenceWarning
        If the tolerance is not reached.

    Examples
    --------
    >>> from lessons_lib.penalties import L2
    >>> result = gradient_descent([[1.0], [1.0]], [1.0, 3.0], L2(1.0))
    >>> print(result.coef, result.converged)
    [1.] True
    """
    if not hasattr(penalty, "gradient"):
        raise TypeError(
            f"penalty must have a gradient, got {type(penalty).__name__}: use subgradient_descent, "
            "ista or fista."
        )
    X, y, coef = check_problem(X, y, coef_init)
    curvature = lipschitz_constant(X) + float(penalty.parts(X.shape[1]).l2.max())
    step = _step_length(learning_rate, curvature)
    monitor = Monitor("gradient_descent", X, y, penalty, max_iter=max_iter, tol=tol, record=record)
    while (gradient := monitor.gradient(coef)) is not None:
        coef = coef - step * (gradient + penalty.gradient(coef))
    return monitor.result(coef)


def subgradient_descent(
    X: ArrayLike,
    y: ArrayLike,
    penalty: Penalty,
    *,
    learning_rate: float | None = None,
    coef_init: ArrayLike | None = None,
    max_iter: int = 10_000,
    tol: float | None = 1e-2,
    record: bool = False,
) -> SolverResult:
    r"""Minimize with any penalty by subgradient descent with decreasing steps.

    .. math::

        w \leftarrow w - \frac{\eta}{\sqrt{t}}\,\big(\nabla f(w) + g\big),
        \quad g \in \partial\Omega(w)

    in iteration :math:`t = 1, 2, \dots`. The objective may go up from one iterate to the next, and
    coefficients cross zero without ever staying there: it is in the library to be compared with.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L1, L2 or ElasticNet
    learning_rate : float, optional
        First step length :math:`\eta`. Default: :math:`1/(L + l_2)`, where :math:`l_2` is the
        curvature of the penalty.
    coef_init, max_iter, tol, record
        Start, budget, tolerance and history, as in `gradient_descent`.

    Returns
    -------
    SolverResult
        The last iterate and how it got there.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    References
    ----------
    Y. Nesterov, *Lectures on Convex Optimization* (2018), section 3.2.3.
    """
    X, y, coef = check_problem(X, y, coef_init)
    curvature = lipschitz_constant(X) + float(penalty.parts(X.shape[1]).l2.max())
    step = _step_length(learning_rate, curvature)
    monitor = Monitor(
        "subgradient_descent", X, y, penalty, max_iter=max_iter, tol=tol, record=record
    )
    while (gradient := monitor.gradient(coef)) is not None:
        decreasing_step = step / np.sqrt(monitor.n_iter + 1)
        coef = coef - decreasing_step * (gradient + penalty.subgradient(coef))
    return monitor.result(coef)


def ista(
    X: ArrayLike,
    y: ArrayLike,
    penalty: Penalty,
    *,
    learning_rate: float | None = None,
    coef_init: ArrayLike | None = None,
    max_iter: int = 10_000,
    tol: float | None = 1e-6,
    record: bool = False,
) -> SolverResult:
    r"""Minimize by proximal gradient descent (iterative soft-thresholding).

    .. math:: w \leftarrow \operatorname{prox}_{\eta\Omega}\big(w - \eta\,\nabla f(w)\big)

    A gradient step for the loss, then the proximal step for the penalty. The error of the objective
    after :math:`t` iterations is :math:`O(1/t)`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L1, L2 or ElasticNet
    learning_rate : float, optional
        Step length :math:`\eta`. Default: :math:`1/L`, which guarantees descent.
    coef_init, max_iter, tol, record
        Start, budget, tolerance and history, as in `gradient_descent`.

    Returns
    -------
    SolverResult
        The last iterate and how it got there.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    References
    ----------
    I. Daubechies, M. Defrise and C. De Mol, "An Iterative Thresholding Algorithm for Linear
    Inverse Problems with a Sparsity Constraint", Comm. Pure Appl. Math. 57 (2004), eq. 1.15.

    A. Beck and M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse
    Problems", SIAM J. Imaging Sci. 2 (2009), section 3 and theorem 3.1.
    """
    X, y, coef = check_problem(X, y, coef_init)
    step = _step_length(learning_rate, lipschitz_constant(X))
    monitor = Monitor("ista", X, y, penalty, max_iter=max_iter, tol=tol, record=record)
    while (gradient := monitor.gradient(coef)) is not None:
        coef = penalty.prox(coef - step * gradient, step)
    return monitor.result(coef)


def fista(
    X: ArrayLike,
    y: ArrayLike,
    penalty: Penalty,
    *,
    restart: bool = True,
    learning_rate: float | None = None,
    coef_init: ArrayLike | None = None,
    max_iter: int = 10_000,
    tol: float | None = 1e-6,
    record: bool = False,
) -> SolverResult:
    r"""Minimize by accelerated proximal gradient descent.

    .. math::

        z = w_t + \beta_t (w_t - w_{t-1}), \qquad
        w_{t+1} = \operatorname{prox}_{\eta\Omega}\big(z - \eta\,\nabla f(z)\big)

    with :math:`\beta_t = (\theta_{t-1} - 1)/\theta_t` and
    :math:`\theta_t = (1 + \sqrt{1 + 4\theta_{t-1}^2})/2`. Momentum makes the error
    :math:`O(1/t^2)`, and makes the iterates oscillate around the solution. With ``restart`` the
    momentum is dropped whenever the last step went against it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L1, L2 or ElasticNet
    restart : bool, default=True
        Whether to restart the momentum adaptively.
    learning_rate : float, optional
        Step length :math:`\eta`. Default: :math:`1/L`.
    coef_init, max_iter, tol, record
        Start, budget, tolerance and history, as in `gradient_descent`.

    Returns
    -------
    SolverResult
        The last iterate and how it got there.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    References
    ----------
    A. Beck and M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse
    Problems", SIAM J. Imaging Sci. 2 (2009), section 4 and theorem 4.4.

    B. O'Donoghue and E. Candès, "Adaptive Restart for Accelerated Gradient Schemes", Found. Comput.
    Math. 15 (2015), section 3.2 (the gradient scheme).
    """
    X, y, coef = check_problem(X, y, coef_init)
    step = _step_length(learning_rate, lipschitz_constant(X))
    monitor = Monitor("fista", X, y, penalty, max_iter=max_iter, tol=tol, record=record)
    theta, momentum = 1.0, 0.0
    previous, previous_gradient = coef, np.zeros_like(coef)
    while (gradient := monitor.gradient(coef)) is not None:
        ahead = coef + momentum * (coef - previous)
        # The gradient of a squared loss is affine, so it can be extrapolated like the iterate.
        gradient_ahead = gradient + momentum * (gradient - previous_gradient)
        previous, previous_gradient = coef, gradient
        coef = penalty.prox(ahead - step * gradient_ahead, step)
        if restart and (ahead - coef) @ (coef - previous) > 0:
            theta = 1.0
        next_theta = (1.0 + np.sqrt(1.0 + 4.0 * theta**2)) / 2.0
        momentum, theta = (theta - 1.0) / next_theta, next_theta
    return monitor.result(coef)
