r"""Curvature: the Hessian matrix :math:`H = \nabla^2 L(w)`, seen through its products with vectors.

A network of :math:`P` parameters has :math:`P^2` second derivatives, too many to write down. But
:math:`Hv` is how the gradient changes along :math:`v`, which costs two gradients, and products are
enough for the largest eigenvalue and for the trace.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from lessons_lib._validation import FloatArray, check_integer, check_interval
from lessons_lib.landscape.objective import NetworkLoss, Objective, check_point, value_function

__all__ = [
    "Eigenpair",
    "Estimate",
    "hessian_trace",
    "hessian_vector_product",
    "top_eigenvalue",
]


class Eigenpair(NamedTuple):
    r"""An eigenvalue and what is known about it.

    Attributes
    ----------
    value : float
        The eigenvalue :math:`\lambda`.
    vector : ndarray of shape (n_parameters,)
        The eigenvector :math:`v`, of length 1.
    residual : float
        :math:`\lVert Hv - \lambda v\rVert`: some eigenvalue of :math:`H` is no farther than that
        from `value`.
    n_iter : int
        Number of products :math:`Hv` that it took.
    """

    value: float
    vector: FloatArray
    residual: float
    n_iter: int


class Estimate(NamedTuple):
    """A mean over random draws.

    Attributes
    ----------
    value : float
        The mean.
    standard_error : float
        Its standard error; NaN for a single draw.
    """

    value: float
    standard_error: float


def hessian_vector_product(
    objective: Objective, w: ArrayLike, v: ArrayLike, *, step: float | None = None
) -> FloatArray:
    r"""Return the product of the Hessian matrix and a vector.

    .. math::

        H v \approx \frac{\nabla L(w + r v) - \nabla L(w - r v)}{2r}

    The error is :math:`r^2/6` times the third derivative of the gradient along :math:`v` from the
    formula, and about :math:`10^{-16}\,\lVert\nabla L\rVert/r` from rounding. The default step
    makes both about :math:`10^{-10}`; for a quadratic only the second is there.

    A network's ReLUs are held at the gates they have at `w` (see
    :meth:`NetworkLoss.with_fixed_gates`), so that the result is the derivative that automatic
    differentiation gives, and not one that jumps whenever a gate switches within the step. Other
    kinks, such as those of max pooling, are not taken care of.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where.
    v : array-like of shape (n_parameters,)
        The vector to multiply.
    step : float, optional
        Length :math:`r\lVert v\rVert` of the step. Default: :math:`6 \cdot 10^{-6}\,(1 + \lVert
        w\rVert)`, in which :math:`6 \cdot 10^{-6}` is the cube root of the machine precision.

    Returns
    -------
    ndarray of shape (n_parameters,)
        :math:`Hv`.

    References
    ----------
    B. A. Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 6(1), 1994.

    Examples
    --------
    >>> H = np.array([[2.0, 1.0], [1.0, 5.0]])
    >>> hessian_vector_product(lambda w: (w @ H @ w / 2, H @ w), [1.0, 1.0], [1.0, 0.0]).round(8)
    array([2., 1.])
    """
    point = check_point(w)
    vector = _check_vector(v, point)
    return _hessian(objective, point, step)(vector)


def top_eigenvalue(
    objective: Objective,
    w: ArrayLike,
    *,
    which: Literal["LA", "LM"] = "LA",
    tol: float = 1e-3,
    max_iter: int = 1000,
    random_state: int | np.random.Generator | None = None,
) -> Eigenpair:
    r"""Return the largest eigenvalue of the Hessian matrix, by power iteration.

    .. math:: v \leftarrow \frac{H v}{\lVert H v\rVert}, \qquad \lambda = v^\top H v

    Gradient descent with learning rate :math:`\eta` is stable along :math:`v` if
    :math:`\eta\lambda < 2`.

    The iteration goes to the eigenvalue of the largest *magnitude*. Away from a minimum that one
    can be negative. Then, with ``which="LA"``, a second iteration on :math:`H + |\lambda| I`, which
    has no negative eigenvalue, finds the largest one. The error of the vector shrinks by
    :math:`|\lambda_2/\lambda_1|` an iteration, so near-ties take long.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where.
    which : {"LA", "LM"}, default="LA"
        The largest (algebraic) eigenvalue, or the one of the largest magnitude; the names are those
        of ``scipy.sparse.linalg.eigsh``.
    tol : float, default=1e-3
        Stop when the residual is at most `tol` times the magnitude of the eigenvalue.
    max_iter : int, default=1000
        Products to spend on an iteration, at most; each takes two gradients.
    random_state : int, Generator or None, default=None
        Source of the start.

    Returns
    -------
    Eigenpair
        Eigenvalue, eigenvector, residual and number of products. The error of the eigenvalue is at
        most the residual and, with a gap to the next one, about its square over the gap.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If `max_iter` was not enough.

    Examples
    --------
    >>> H = np.diag([-5.0, 2.0, 1.0])
    >>> quadratic = lambda w: (w @ H @ w / 2, H @ w)
    >>> [round(top_eigenvalue(quadratic, np.zeros(3), which=which, random_state=0).value, 4)
    ...  for which in ("LM", "LA")]
    [-5.0, 2.0]
    """
    if which not in ("LA", "LM"):
        raise ValueError(f"which must be 'LA' or 'LM', got {which!r}.")
    check_interval("tol", tol, open_low=True)
    check_integer("max_iter", max_iter, 1)
    point = check_point(w)
    start = np.random.default_rng(random_state).standard_normal(point.size)
    product = _hessian(objective, point)
    pair = _power_iteration(product, start, 0.0, tol, max_iter)
    if which == "LA" and pair.value < 0:
        spent = pair.n_iter
        pair = _power_iteration(product, start, -pair.value, tol, max_iter)
        pair = pair._replace(n_iter=spent + pair.n_iter)
    if pair.residual > _allowed(pair.value, tol):
        warnings.warn(
            f"power iteration stopped after max_iter={max_iter} products with an error of up to "
            f"{pair.residual:.2g} in the eigenvalue {pair.value:.4g}; raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return pair


def hessian_trace(
    objective: Objective,
    w: ArrayLike,
    *,
    n_draws: int = 100,
    random_state: int | np.random.Generator | None = None,
) -> Estimate:
    r"""Estimate the trace of the Hessian matrix, the sum of its eigenvalues.

    .. math:: \operatorname{tr} H = \mathbb E\, v^\top H v, \qquad v_j = \pm 1

    with independent, equally likely signs. One draw has the variance :math:`2\sum_{j \ne k}
    H_{jk}^2`.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where.
    n_draws : int, default=100
        Number of products.
    random_state : int, Generator or None, default=None
        Source of the signs.

    Returns
    -------
    Estimate
        The mean of the draws and its standard error.

    References
    ----------
    M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix for Laplacian
    smoothing splines", Communications in Statistics: Simulation and Computation 18(3), 1989.

    Examples
    --------
    >>> H = np.diag([-5.0, 2.0, 1.0])  # without off-diagonal elements there is no variance
    >>> value, _ = hessian_trace(lambda w: (w @ H @ w / 2, H @ w), np.zeros(3), n_draws=1)
    >>> round(value, 6)
    -2.0
    """
    check_integer("n_draws", n_draws, 1)
    point = check_point(w)
    rng = np.random.default_rng(random_state)
    product = _hessian(objective, point)
    signs = (rng.choice([-1.0, 1.0], size=point.size) for _ in range(n_draws))
    return mean_and_error([float(v @ product(v)) for v in signs])


def mean_and_error(values: ArrayLike) -> Estimate:
    """Return the mean of independent values with its standard error."""
    draws = np.asarray(values, dtype=np.float64)
    error = draws.std(ddof=1) / np.sqrt(len(draws)) if len(draws) > 1 else np.nan
    return Estimate(float(draws.mean()), float(error))


def _hessian(
    objective: Objective, w: FloatArray, step: float | None = None
) -> Callable[[FloatArray], FloatArray]:
    """Return the function that multiplies by the Hessian matrix at `w`."""
    value_function(objective)  # raises unless it can be called
    smooth = objective.with_fixed_gates(w) if isinstance(objective, NetworkLoss) else objective
    if step is None:
        length = float(np.cbrt(np.finfo(np.float64).eps) * (1 + np.linalg.norm(w)))
    else:
        length = check_interval("step", step, open_low=True)

    def product(v: FloatArray) -> FloatArray:
        norm = np.linalg.norm(v)
        if norm == 0:
            return np.zeros_like(v)
        r = length / norm
        return (smooth(w + r * v)[1] - smooth(w - r * v)[1]) / (2 * r)

    return product


def _power_iteration(
    product: Callable[[FloatArray], FloatArray],
    v: FloatArray,
    shift: float,
    tol: float,
    max_iter: int,
) -> Eigenpair:
    r"""Iterate on :math:`H + \text{shift}\,I`; return the eigenpair of :math:`H`."""
    for n_iter in range(1, max_iter + 1):
        v = v / np.linalg.norm(v)
        image = product(v)
        value = float(v @ image)
        residual = float(np.linalg.norm(image - value * v))
        moved = image + shift * v
        if residual <= _allowed(value, tol) or not moved.any():
            break
        if n_iter < max_iter:
            v = moved
    return Eigenpair(value, v, residual, n_iter)


def _allowed(value: float, tol: float) -> float:
    """Return the residual at which to stop; rounding hides eigenvalues far below 1e-8."""
    return max(tol * abs(value), 1e-12)


def _check_vector(v: ArrayLike, w: FloatArray) -> FloatArray:
    vector = check_point(v, "v")
    if vector.shape != w.shape:
        raise ValueError(f"v must have the shape {w.shape} of w, got {vector.shape}.")
    return vector
