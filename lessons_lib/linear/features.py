"""Feature maps: turn inputs into features that a linear model can combine into a curve.

Two scikit-learn transformers. `LegendreFeatures` makes polynomial regression well conditioned,
even at degree 20; `RandomReLUFeatures` is the first layer of a two-layer network whose weights
were drawn once and never trained, the model in which double descent is easiest to study.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from lessons_lib._jitter import jitter
from lessons_lib._validation import check_flag, check_interval

__all__ = ["LegendreFeatures", "RandomReLUFeatures"]

FloatArray = NDArray[np.float64]
RandomState = int | np.random.Generator | None


class LegendreFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Expand each input in Legendre polynomials, a basis of the polynomials that stays tame.

    With :math:`t = (2x - \text{low} - \text{high}) / (\text{high} - \text{low})`, which maps the
    interval to :math:`[-1, 1]`, and the Legendre polynomial :math:`P_k` of degree :math:`k`,

    .. math:: \phi_k(x) = P_k(t), \qquad k = 0, \dots, \text{degree}.

    On the interval :math:`|\phi_k(x)| \le 1`, and for inputs spread evenly over it the features are
    orthogonal: :math:`\mathbb{E}[\phi_j(x)\, \phi_k(x)] = 1/(2k + 1)` if :math:`j = k`, else 0.

    Parameters
    ----------
    degree : int, default=3
        The highest degree, at least 0.
    low, high : float, default=-1, 1
        The interval on which the features are orthogonal, ``low < high``. It is fixed in advance
        rather than learned, so that every training set gives the same features. Inputs outside of
        it are allowed, but there the features grow like :math:`|t|^k`.
    include_bias : bool, default=True
        Whether to include the constant :math:`\phi_0(x) = 1`. An estimator with an unpenalized
        intercept gains nothing from it (and loses nothing).

    Attributes
    ----------
    n_features_in_ : int
        Number of input features. Each is expanded on its own, without products between them.

    Notes
    -----
    The features span the same functions as the monomials :math:`1, x, x^2, \dots`, so plain least
    squares draws the same curve with either. Two things differ.

    *Conditioning.* For degree 20 on 200 evenly spaced points the condition number is 6.3 with
    these features and :math:`1.7 \cdot 10^7` with monomials, whose columns are nearly parallel.

    *The meaning of a penalty.* With :math:`f = \sum_k w_k \phi_k`, the part of degree
    :math:`k` has the mean square :math:`w_k^2 / (2k + 1)`. The ridge penalty :math:`\|w\|^2`
    therefore charges :math:`2k + 1` for each unit of it: a mild preference for low degrees. With
    monomials it is dominated by the huge coefficients that cancel each other at high degree. A
    value of `alpha` found with one basis means nothing in the other.

    References
    ----------
    M. Abramowitz, I. A. Stegun (1964). Handbook of Mathematical Functions, chapter 22.

    Examples
    --------
    >>> LegendreFeatures(degree=2).fit_transform([[-1.0], [0.0], [1.0]])
    array([[ 1. , -1. ,  1. ],
           [ 1. ,  0. , -0.5],
           [ 1. ,  1. ,  1. ]])
    """

    def __init__(
        self,
        degree: int = 3,
        *,
        low: float = -1.0,
        high: float = 1.0,
        include_bias: bool = True,
    ) -> None:
        self.degree = degree
        self.low = low
        self.high = high
        self.include_bias = include_bias

    @property
    def _n_features_out(self) -> int:
        """Number of columns of the output; scikit-learn names the columns after it."""
        return int(self.n_features_in_ * self.degree + bool(self.include_bias))

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the parameters and remember the number of input features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs; only their shape matters.
        y : None
            Ignored.

        Returns
        -------
        LegendreFeatures
            The transformer itself.

        Raises
        ------
        ValueError
            If `degree` is not an int of at least 0, or ``low >= high``, or no feature remains.
        """
        if not _is_int(self.degree) or self.degree < 0:
            raise ValueError(f"degree must be an int >= 0, got {self.degree!r}.")
        low = check_interval("low", self.low, -np.inf)
        high = check_interval("high", self.high, -np.inf)
        if not (low < high and np.isfinite(high - low)):
            raise ValueError(
                f"low and high must be finite with low < high, got {self.low!r} and {self.high!r}."
            )
        check_flag("include_bias", self.include_bias)
        if self.degree == 0 and not self.include_bias:
            raise ValueError("degree=0 needs include_bias=True: no feature would remain.")
        validate_data(self, X, dtype=np.float64)
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Evaluate the polynomials.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_features * degree + include_bias)
            The constant first, then for each input its degrees 1, 2, ... in turn.
        """
        check_is_fitted(self, "n_features_in_")
        inputs: FloatArray = validate_data(self, X, dtype=np.float64, reset=False)
        t = (2 * inputs - self.low - self.high) / (self.high - self.low)
        # (n_samples, n_features, degree + 1); the constant is the same for every input.
        values = np.asarray(np.polynomial.legendre.legvander(t, self.degree), dtype=np.float64)
        features = values[:, :, 1:].reshape(len(inputs), -1)
        return np.hstack([values[:, 0, :1], features]) if self.include_bias else features


class RandomReLUFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Pass the inputs through one layer of ReLU units with fixed random weights.

    .. math:: \phi_k(x) = \frac{1}{\sqrt{p}} \max(0,\; w_k^\top x + b_k), \qquad k = 1, \dots, p,

    where each :math:`(w_k, b_k)` is drawn once, uniformly from the unit sphere in
    :math:`\mathbb{R}^{d+1}`. A linear model on top is a two-layer network of which only the
    output weights are trained. The factor :math:`1/\sqrt{p}` keeps
    :math:`\phi(x)^\top \phi(x')` at the same size for any width :math:`p` (it converges as
    :math:`p` grows), so that one penalty strength can be compared across widths.

    Parameters
    ----------
    n_components : int, default=100
        Number :math:`p` of random units, at least 1.
    random_state : int, Generator or None, default=None
        Source of the weights. The same int gives nested layers: the units of a narrow layer are
        the first units of a wider one.

    Attributes
    ----------
    random_weights_ : ndarray of shape (n_features, n_components)
        The weights :math:`w_k`, one column a unit.
    random_offset_ : ndarray of shape (n_components,)
        The offsets :math:`b_k`.
    n_features_in_ : int
        Number :math:`d` of input features.

    Notes
    -----
    The offset is on the scale of one standardized input, so standardize the inputs first. In
    one dimension the unit's kink lies at :math:`-b_k/w_k`, which is Cauchy distributed: half of
    all kinks fall into :math:`[-1, 1]`.

    References
    ----------
    A. Rahimi, B. Recht (2007). Random features for large-scale kernel machines. NeurIPS 20.

    M. Belkin, D. Hsu, S. Ma, S. Mandal (2019). Reconciling modern machine-learning practice and
    the classical bias-variance trade-off. PNAS 116(32), 15849-15854.

    S. Mei, A. Montanari (2022). The generalization error of random features regression: precise
    asymptotics and the double descent curve. Communications on Pure and Applied Mathematics
    75(4), 667-766. (There the units have no offset and the inputs lie on a sphere.)

    Examples
    --------
    >>> features = RandomReLUFeatures(n_components=50, random_state=0)
    >>> features.fit_transform([[0.5, -1.0], [2.0, 0.0]]).shape
    (2, 50)
    """

    def __init__(self, n_components: int = 100, *, random_state: RandomState = None) -> None:
        self.n_components = n_components
        self.random_state = random_state

    @property
    def _n_features_out(self) -> int:
        """Number of columns of the output; scikit-learn names the columns after it."""
        return int(self.random_weights_.shape[1])

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Draw the random weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs; only their number of columns matters.
        y : None
            Ignored.

        Returns
        -------
        RandomReLUFeatures
            The transformer itself.

        Raises
        ------
        ValueError
            If `n_components` is not an int of at least 1.
        """
        if not _is_int(self.n_components) or self.n_components < 1:
            raise ValueError(f"n_components must be an int >= 1, got {self.n_components!r}.")
        validate_data(self, X, dtype=np.float64)
        rng = np.random.default_rng(self.random_state)
        # A Gaussian vector has no preferred direction: scaled to length 1 it is uniform on the
        # sphere. Drawn unit by unit, the weights of a narrow layer begin those of a wider one.
        directions = jitter(rng.standard_normal((self.n_components, self.n_features_in_ + 1)))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self.random_weights_ = directions[:, :-1].T
        self.random_offset_ = directions[:, -1]
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Evaluate the random units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The non-negative outputs of the units.
        """
        check_is_fitted(self)
        inputs: FloatArray = validate_data(self, X, dtype=np.float64, reset=False)
        before_relu: FloatArray = inputs @ self.random_weights_ + self.random_offset_
        scale: float = np.sqrt(len(self.random_offset_))
        return np.asarray(np.maximum(0.0, before_relu) / scale)


def _is_int(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
