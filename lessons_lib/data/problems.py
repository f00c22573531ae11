"""Regression problems with a known truth: as many rows as one asks for, and what is right.

They are objects rather than arrays, because lessons need more than one sample: the bias-variance
decomposition draws hundreds of fresh training sets, and a figure shows the noise-free curve next to
the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lessons_lib._jitter import jitter
from lessons_lib._validation import check_integer, check_interval

__all__ = ["RegressionProblem", "polynomial_problem", "sinusoid_problem"]

FloatArray = NDArray[np.float64]


RandomState = int | np.random.Generator | None


@dataclass(frozen=True)
class RegressionProblem:
    r"""One-dimensional regression with a known truth and Gaussian noise.

    .. math:: y = f(x) + \varepsilon, \qquad x \sim \mathcal{U}(\text{low}, \text{high}), \quad
              \varepsilon \sim \mathcal{N}(0, \sigma^2)

    Parameters
    ----------
    function : callable
        The truth :math:`f`: maps an array of shape (n_samples,) to one of the same shape.
    noise : float
        Standard deviation :math:`\sigma \ge 0` of the noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn, ``low < high``.

    Raises
    ------
    ValueError
        If `noise` is negative, a bound is not finite, or ``low >= high``.

    Examples
    --------
    >>> import numpy as np
    >>> problem = RegressionProblem(np.square, noise=0.0)
    >>> X, y = problem.sample(5, random_state=0)
    >>> X.shape, y.shape
    ((5, 1), (5,))
    >>> bool(np.all(y == problem.truth(X)))
    True
    """

    function: Callable[[FloatArray], FloatArray]
    noise: float
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval("noise", self.noise)
        low = check_interval("low", self.low, -np.inf)
        high = check_interval("high", self.high, -np.inf)
        if not (low < high and np.isfinite(high - low)):
            raise ValueError(
                f"low and high must be finite with low < high, got {self.low!r} and {self.high!r}."
            )

    def truth(self, X: ArrayLike) -> FloatArray:
        """Return the noise-free target.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Inputs; they may lie outside of ``[low, high]``.

        Returns
        -------
        ndarray of shape (n_samples,)
            The value of the truth at each input.

        Raises
        ------
        ValueError
            If `X` does not have exactly one column.
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != 1:
            raise ValueError(f"X must have shape (n_samples, 1), got {X.shape}.")
        return np.asarray(self.function(X[:, 0]), dtype=np.float64)

    def observe(self, X: ArrayLike, *, random_state: RandomState = None) -> FloatArray:
        """Return one noisy target for each row of `X`: the truth plus fresh noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Inputs at which to observe.
        random_state : int, Generator or None, default=None
            Source of the noise.

        Returns
        -------
        ndarray of shape (n_samples,)
            The noisy targets.
        """
        truth = self.truth(X)
        noise = np.random.default_rng(random_state).standard_normal(len(truth))
        return jitter(truth + self.noise * noise)

    def sample(
        self, n_samples: int, *, random_state: RandomState = None
    ) -> tuple[FloatArray, FloatArray]:
        """Draw a data set: inputs uniform on ``[low, high)`` and their noisy targets.

        Parameters
        ----------
        n_samples : int
            Number of samples, at least 1.
        random_state : int, Generator or None, default=None
            Source of the inputs and of the noise. The same int gives the same data set; a
            generator continues its stream, so that successive calls give independent data sets.

        Returns
        -------
        X : ndarray of shape (n_samples, 1)
            Inputs.
        y : ndarray of shape (n_samples,)
            Noisy targets.

        Raises
        ------
        ValueError
            If `n_samples` is less than 1.
        """
        n_samples = check_integer("n_samples", n_samples, 1)
        rng = np.random.default_rng(random_state)
        X = jitter(rng.uniform(self.low, self.high, size=(n_samples, 1)))
        return X, self.observe(X, random_state=rng)


def polynomial_problem(
    coef: Sequence[float], *, noise: float, low: float = -1.0, high: float = 1.0
) -> RegressionProblem:
    r"""Return a problem whose truth is a polynomial.

    .. math:: f(x) = c_0 + c_1 x + c_2 x^2 + \dots

    Parameters
    ----------
    coef : sequence of float
        The coefficients :math:`c_0, c_1, \dots`, the constant first (NumPy's order).
    noise : float
        Standard deviation of the Gaussian noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn.

    Returns
    -------
    RegressionProblem
        The problem, with `sample`, `observe` and `truth`.

    Raises
    ------
    ValueError
        If `coef` is empty or not one-dimensional, or another argument is out of range.

    Examples
    --------
    >>> parabola = polynomial_problem([0, 0, 1], noise=0.1)
    >>> parabola.truth([[0.0], [0.5], [1.0]])
    array([0.  , 0.25, 1.  ])
    """
    coefficients = np.asarray(coef, dtype=np.float64)
    if coefficients.ndim != 1 or coefficients.size == 0:
        raise ValueError(
            f"coef must be a non-empty sequence of numbers, got shape {coefficients.shape}."
        )
    return RegressionProblem(np.polynomial.Polynomial(coefficients), noise, low, high)


def sinusoid_problem(
    frequency: float = 1.0, *, noise: float, low: float = -1.0, high: float = 1.0
) -> RegressionProblem:
    r"""Return a problem whose truth is a sine wave of amplitude 1.

    .. math:: f(x) = \sin(2\pi\, \nu\, x)

    Parameters
    ----------
    frequency : float, default=1.0
        The frequency :math:`\nu > 0`, in periods per unit of `x`.
    noise : float
        Standard deviation of the Gaussian noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn.

    Returns
    -------
    RegressionProblem
        The problem, with `sample`, `observe` and `truth`.

    Raises
    ------
    ValueError
        If `frequency` is not positive, or another argument is out of range.

    Notes
    -----
    On an interval around 0 this truth is odd, so that polynomial terms of even degree add
    variance and remove no bias: error against degree is a zigzag. On ``low=0, high=1.25`` every
    degree helps.

    Examples
    --------
    >>> wave = sinusoid_problem(noise=0.3)
    >>> wave.truth([[0.0], [0.25], [0.75]])
    array([ 0.,  1., -1.])
    """
    frequency = check_interval("frequency", frequency, open_low=True)
    # A partial, unlike a lambda, can be sent to another process.
    return RegressionProblem(partial(_sine, frequency=frequency), noise, low, high)


def _sine(x: FloatArray, frequency: float) -> FloatArray:
    return np.asarray(np.sin(2 * np.pi * frequency * x))
