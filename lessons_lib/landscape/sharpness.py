r"""Sharpness: how much the loss rises near a point, in the worst direction or on average.

Both measures come in two forms. The plain one perturbs every parameter by the same amount. The
*adaptive* one perturbs each in proportion to its own size, with :math:`T_w =
\operatorname{diag}(|w_1|, \dots, |w_P|)`, and therefore does not change when a network is rescaled
without changing what it computes (see :func:`~lessons_lib.landscape.rescale_layers`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import check_flag, check_integer, check_interval
from lessons_lib.landscape.curvature import Estimate, mean_and_error
from lessons_lib.landscape.objective import Objective, check_point, value_function

__all__ = ["expected_sharpness", "sam_sharpness"]


def sam_sharpness(
    objective: Objective, w: ArrayLike, rho: float, *, adaptive: bool = False
) -> float:
    r"""Return the rise of the loss by one normalized step uphill.

    .. math::

        \max_{\lVert\epsilon\rVert \le \rho} L(w+\epsilon) - L(w)
        \;\approx\; L(w + \hat\epsilon) - L(w), \qquad
        \hat\epsilon = \rho\,\frac{\nabla L(w)}{\lVert\nabla L(w)\rVert}

    The step is the exact maximizer for a linear :math:`L`, so the result is about :math:`\rho\,
    \lVert\nabla L(w)\rVert` for small :math:`\rho`; it never exceeds the maximum. In the adaptive
    form the ball is :math:`\lVert T_w^{-1}\epsilon\rVert \le \rho` and

    .. math::

        \hat\epsilon = \rho\,\frac{T_w^2\,\nabla L(w)}{\lVert T_w \nabla L(w)\rVert} .

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`~lessons_lib.landscape.NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where.
    rho : float
        Radius :math:`\rho > 0`: a length, or relative to the parameters in the adaptive form.
    adaptive : bool, default=False
        Whether to measure :math:`\epsilon` in units of the parameters' sizes.

    Returns
    -------
    float
        The rise, in units of the loss.

    Raises
    ------
    ValueError
        If the gradient is exactly zero: then no direction is uphill to first order.

    References
    ----------
    P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, "Sharpness-Aware Minimization for Efficiently
    Improving Generalization", ICLR 2021, equation 2.

    J. Kwon, J. Kim, H. Park, I. K. Choi, "ASAM: Adaptive Sharpness-Aware Minimization for
    Scale-Invariant Learning of Deep Neural Networks", ICML 2021, section 3 (here without the small
    constant that the paper adds to each size).

    Examples
    --------
    From 1 uphill to 1.5 on a parabola with curvature 4:

    >>> sam_sharpness(lambda w: (2 * float(w @ w), 4 * w), [1.0], rho=0.5)
    2.5
    """
    check_interval("rho", rho, open_low=True)
    value_of = value_function(objective)
    point = check_point(w)
    value, gradient = objective(point)
    size = np.abs(point) if check_flag("adaptive", adaptive) else 1.0
    length = float(np.linalg.norm(size * gradient))
    if length == 0:
        raise ValueError(
            "the gradient is zero at w: a step uphill has no direction; "
            "take top_eigenvalue or expected_sharpness there."
        )
    return value_of(point + rho * size**2 * gradient / length) - value


def expected_sharpness(
    objective: Objective,
    w: ArrayLike,
    sigma: float,
    *,
    adaptive: bool = False,
    n_draws: int = 50,
    random_state: int | np.random.Generator | None = None,
) -> Estimate:
    r"""Return the mean rise of the loss under Gaussian noise on the parameters.

    .. math::

        \mathbb E\,L(w + \sigma z) - L(w) \;\approx\; \tfrac12 \sigma^2 \operatorname{tr} H, \qquad
        z \sim N(0, I) \quad (\text{adaptive: } z \sim N(0, T_w^2))

    The approximation, for small :math:`\sigma`, is exact for a quadratic. Every draw is used with
    both signs; then the gradient at :math:`w`, which only adds variance, cancels.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`~lessons_lib.landscape.NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where.
    sigma : float
        Standard deviation :math:`\sigma > 0` of the noise: absolute, or relative to the parameters
        in the adaptive form.
    adaptive : bool, default=False
        Whether the noise is proportional to the parameters' sizes.
    n_draws : int, default=50
        Number of draws; each takes two losses.
    random_state : int, Generator or None, default=None
        Source of the noise.

    Returns
    -------
    Estimate
        The mean rise and its standard error, in units of the loss.

    References
    ----------
    B. Neyshabur, S. Bhojanapalli, D. McAllester, N. Srebro, "Exploring Generalization in Deep
    Learning", NeurIPS 2017.

    Examples
    --------
    For a quadratic with :math:`\operatorname{tr} H = 8`, exactly 0.04 with endless draws:

    >>> rise, error = expected_sharpness(
    ...     lambda w: (2 * float(w @ w), 4 * w), [1.0, 1.0], sigma=0.1, n_draws=2000, random_state=0
    ... )
    >>> abs(rise - 0.04) < 3 * error
    True
    """
    check_interval("sigma", sigma, open_low=True)
    check_integer("n_draws", n_draws, 1)
    value_of = value_function(objective)
    point = check_point(w)
    rng = np.random.default_rng(random_state)
    size = np.abs(point) if check_flag("adaptive", adaptive) else np.ones_like(point)
    value = value_of(point)
    rises = []
    for _ in range(n_draws):
        noise = sigma * size * rng.standard_normal(point.size)
        rises.append((value_of(point + noise) + value_of(point - noise)) / 2 - value)
    return mean_and_error(rises)
