r"""Say one penalty strength in every library's own words.

Libraries agree on what ridge, lasso and Elastic Net are, and disagree on every factor: some add the
penalty to a sum over samples and some to a mean, some halve the squared error, some halve the
squared norm, one takes the inverse of the strength, one divides it by the batch size. The number
called `alpha` in one of them can mean :math:`n` times less in the next.

`translate` goes through the one objective that this book uses everywhere,

.. math:: D(w, b) + \lambda \bigl(\rho \|w\|_1 + \tfrac{1-\rho}{2} \|w\|_2^2\bigr),

where the data loss is :math:`D = \frac{1}{2n} \|y - Xw - b\|_2^2` for regression (``"squared"``)
and the mean log-loss :math:`D = \frac{1}{n} \sum_i \ell_i` for classification (``"logistic"``),
with :math:`\ell_i = \log(1 + e^{-y_i (x_i^T w + b)})` for labels ±1, or its softmax version.

Every library's objective is a multiple of this one, :math:`c\, D + s_1 \|w\|_1 +
\frac{s_2}{2} \|w\|_2^2`. Dividing by :math:`c` changes no minimizer, hence
:math:`\lambda\rho = s_1 / c` and :math:`\lambda(1-\rho) = s_2 / c`. That is all there is to it; the
rest of this module is a record of who uses which :math:`c`, :math:`s_1` and :math:`s_2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Row",
    "Strength",
    "notes_to_markdown",
    "table",
    "to_markdown",
    "translate",
]

FloatArray = NDArray[np.float64]
Values = float | FloatArray
Loss = Literal["squared", "logistic"]
Norm = Literal["l1", "l2"]
DataLoss = Literal["half-mean", "mean", "half-sum", "sum"]
Quantity = Literal["n_samples", "batch_size", "y_scale", "learning_rate"]


# --------------------------------------------------------------------------------------------------
# What a convention is
# --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Strength:
    r"""A penalty strength in house units: the L1 and the L2 part, side by side.

    .. math:: \text{l1} \cdot \|w\|_1 + \frac{\text{l2}}{2} \|w\|_2^2,
        \qquad \text{l1} = \lambda\rho, \quad \text{l2} = \lambda(1 - \rho).

    The pair translates more simply than :math:`(\lambda, \rho)`, because libraries rescale the two
    parts independently of each other.

    Parameters
    ----------
    l1, l2 : float or ndarray
        At least 0; arrays for several strengths at once.

    Examples
    --------
    >>> Strength(l1=1.5, l2=0.5).alpha
    2.0
    >>> Strength.from_alpha(2.0, l1_ratio=0.75)
    Strength(l1=1.5, l2=0.5)
    """

    l1: Values
    l2: Values

    @classmethod
    def from_alpha(cls, alpha: Values, l1_ratio: Values) -> Strength:
        r"""Build the pair from :math:`\lambda` (`alpha`) and :math:`\rho` (`l1_ratio`)."""
        return cls(l1=alpha * l1_ratio, l2=alpha * (1 - l1_ratio))

    @property
    def alpha(self) -> Values:
        r"""The whole strength :math:`\lambda`."""
        return self.l1 + self.l2

    @property
    def l1_ratio(self) -> Values:
        r"""The L1 share :math:`\rho`; 0 where the strength is 0 (any share would do there)."""
        l1, total = np.broadcast_arrays(self.l1, self.alpha)
        return _tidy(np.divide(l1, total, out=np.zeros(total.shape), where=total > 0))


@dataclass(frozen=True, kw_only=True)
class Convention:
    r"""How one library, paper or textbook states a penalized objective.

    The convention's own objective is

    .. math:: c\, D + s_1 \|w\|_1 + f \cdot \frac{s_2}{2} \|w\|_2^2,

    with the house data loss :math:`D` and the factor :math:`c` that `squared` or `logistic` implies
    (1, 2, n or 2n), strengths :math:`s_1, s_2` that follow from `parameters` as `kind` says, and
    the factor :math:`f` given by `l2_factor`, `l2_divisor` and `decoupled`.

    To change one thing, use `dataclasses.replace`: ``replace(CONVENTIONS["torch.SGD"],
    squared="sum")`` is PyTorch with ``MSELoss(reduction="sum")``. `translate` takes the result
    wherever it takes a name.

    Parameters
    ----------
    name : str
        The name under which `CONVENTIONS` knows it.
    parameters : tuple of str
        The library's own argument names.
    kind : {"l1", "l2", "pair", "mix"}
        What the parameters are: an L1 strength; an L2 strength; both; or one strength and the share
        of L1 in it.
    squared, logistic : {"half-mean", "mean", "half-sum", "sum"} or None
        How the convention adds up the squared errors or log-losses of the samples (the log-loss
        without "half"); None if it does not offer that loss.
    l2_factor : {1, 2}, default=1
        1 if the penalty is :math:`\frac{s}{2} \|w\|^2`, 2 if it is :math:`s \|w\|^2`.
    l2_divisor : str or None, default=None
        A quantity by which the L2 term is divided besides.
    inverse : bool, default=False
        Whether the first parameter is the inverse of the strength (scikit-learn's `C`).
    decoupled : bool, default=False
        Whether the decay is applied to the weights outside of the momentum buffer. With momentum
        :math:`\mu` the buffer amplifies a steady gradient :math:`1/(1-\mu)` times and leaves the
        decay alone, so that the decay counts as a penalty :math:`(1-\mu)` times as strong.
    intercept : str
        What happens to the intercept.
    source : str
        Where the convention is documented.
    version : str
        The version that was compared with this record; empty for papers and textbooks.
    verified : {"fit", "algebra"}
        How the tests prove this record: by fitting the library itself, or by evaluating the
        documented objective or update.
    note : str
        What else to know.
    refusal : str
        Why there is no equivalent penalty on the weights; empty where there is one.
    rule : tuple of str
        LaTeX and plain text that stand in for the objective where `refusal` is set.
    """

    name: str
    parameters: tuple[str, ...]
    kind: Literal["l1", "l2", "pair", "mix"]
    squared: DataLoss | None
    logistic: DataLoss | None
    l2_factor: Literal[1, 2] = 1
    l2_divisor: Quantity | None = None
    inverse: bool = False
    decoupled: bool = False
    intercept: str = "free"
    source: str
    version: str
    verified: Literal["fit", "algebra"]
    note: str = ""
    refusal: str = ""
    rule: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        wanted = 1 if self.kind in _NORMS else 2
        if len(self.parameters) != wanted:
            raise ValueError(
                f"parameters is {self.parameters}; kind {self.kind!r} wants {wanted} of them"
            )
        scalings: tuple[tuple[Loss, DataLoss | None], ...] = (
            ("squared", self.squared),
            ("logistic", self.logistic),
        )
        for loss, scaling in scalings:
            if scaling is not None and scaling not in _DATA_FACTOR[loss]:
                raise ValueError(
                    f"{loss} is {scaling!r}; wanted None or one of {sorted(_DATA_FACTOR[loss])}"
                )

    def has(self, norm: Norm) -> bool:
        """Tell whether the convention has a term with this norm."""
        return self.kind == norm or self.kind in ("pair", "mix")

    def losses(self) -> tuple[Loss, ...]:
        """List the data losses that the convention offers."""
        offered: tuple[Loss, ...] = ()
        if self.squared is not None:
            offered += ("squared",)
        if self.logistic is not None:
            offered += ("logistic",)
        return offered

    def needs(self, loss: Loss) -> tuple[str, ...]:
        """List the quantities without which a strength has no house equivalent."""
        if self.refusal:
            return ()
        ratios = [_house_ratio(self, norm, loss) for norm in _NORMS if self.has(norm)]
        tokens = {token for ratio in ratios for token in ratio.numerator + ratio.denominator}
        return tuple(quantity for quantity in _QUANTITIES if quantity in tokens)

    def objective(self, loss: Loss, *, latex: bool = False) -> str:
        """Write the objective out, in the library's own parameter names.

        Parameters
        ----------
        loss : {"squared", "logistic"}
            The data loss.
        latex : bool, default=False
            LaTeX (without dollar signs) instead of plain text.

        Returns
        -------
        str
            The objective that is minimized, or the update rule where there is none.

        Raises
        ------
        ValueError
            If the convention does not offer that loss.
        """
        if self.refusal:
            return self.rule[0] if latex else self.rule[1]
        terms = [_DATA_TEXT[loss][_data_loss(self, loss)][0 if latex else 1]]
        for norm in _NORMS:
            if self.has(norm):
                # The objective shows the plain norms, so the ½ of ½‖w‖² joins the coefficient.
                half = _Ratio(denominator=("2",)) if norm == "l2" else _Ratio()
                coefficient = _raw(self, norm) * _penalty_ratio(self, norm) * half
                terms.append(
                    rf"{coefficient.latex()} {_NORM_TEXT[norm][0]}"
                    if latex
                    else f"{coefficient.plain()} * {_NORM_TEXT[norm][1]}"
                )
        return " + ".join(terms)

    def house_strength(self, norm: Norm, loss: Loss, *, latex: bool = False) -> str:
        r"""Write out :math:`\lambda\rho` (L1) or :math:`\lambda(1-\rho)` (L2) in its parameters.

        Parameters
        ----------
        norm : {"l1", "l2"}
            Which part of the penalty.
        loss : {"squared", "logistic"}
            The data loss.
        latex : bool, default=False
            LaTeX (without dollar signs) instead of a Python expression.

        Returns
        -------
        str
            The formula that `translate` computes; ``"0"`` if there is no such term, and empty where
            the convention is no penalty.

        Raises
        ------
        ValueError
            If the convention does not offer that loss.
        """
        if self.refusal:
            return ""
        if not self.has(norm):
            return "0"
        formula = _raw(self, norm) * _house_ratio(self, norm, loss)
        return formula.latex() if latex else formula.plain()


# --------------------------------------------------------------------------------------------------
# Factors: products and quotients of a few named quantities
# --------------------------------------------------------------------------------------------------
# `translate` computes with the same factors from which the formulas of the table are written, so
# that the two cannot disagree.
_NORMS: tuple[Norm, ...] = ("l1", "l2")
_QUANTITIES: tuple[Quantity, ...] = ("n_samples", "batch_size", "y_scale", "learning_rate")
_SYMBOLS = {
    "n_samples": "n",
    "batch_size": "B",
    "y_scale": "s_y",
    "learning_rate": r"\eta",
    "momentum": r"\mu",
}
_NORM_TEXT = {
    "l1": (r"\lVert w \rVert_1", "||w||_1"),
    "l2": (r"\lVert w \rVert_2^2", "||w||_2^2"),
}
_RESIDUAL = (r"\lVert y - Xw - b \rVert_2^2", "||y - Xw - b||_2^2")
_DATA_TEXT: dict[Loss, dict[DataLoss, tuple[str, str]]] = {
    "squared": {
        "half-mean": (rf"\frac{{1}}{{2n}} {_RESIDUAL[0]}", f"1 / (2 n) * {_RESIDUAL[1]}"),
        "mean": (rf"\frac{{1}}{{n}} {_RESIDUAL[0]}", f"1 / n * {_RESIDUAL[1]}"),
        "half-sum": (rf"\frac{{1}}{{2}} {_RESIDUAL[0]}", f"1 / 2 * {_RESIDUAL[1]}"),
        "sum": _RESIDUAL,
    },
    "logistic": {
        "mean": (r"\frac{1}{n} \sum_i \ell_i", "1 / n * sum_i log_loss_i"),
        "sum": (r"\sum_i \ell_i", "sum_i log_loss_i"),
    },
}
# The factor c: the convention's data loss is c times the house's.
_DATA_FACTOR: dict[Loss, dict[DataLoss, tuple[str, ...]]] = {
    "squared": {
        "half-mean": (),
        "mean": ("2",),
        "half-sum": ("n_samples",),
        "sum": ("2", "n_samples"),
    },
    "logistic": {"mean": (), "sum": ("n_samples",)},
}


@dataclass(frozen=True)
class _Ratio:
    """A product of named quantities divided by another one."""

    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()

    def __mul__(self, other: _Ratio) -> _Ratio:
        above = list(self.numerator + other.numerator)
        below = list(self.denominator + other.denominator)
        for token in tuple(above):
            if token in below:
                above.remove(token)
                below.remove(token)
        # Numbers first, as one writes them.
        above.sort(key=lambda token: not token.isdigit())
        below.sort(key=lambda token: not token.isdigit())
        return _Ratio(tuple(above), tuple(below))

    def value(self, setting: Mapping[str, float]) -> float:
        """Evaluate with the given quantities."""

        def product(tokens: tuple[str, ...]) -> float:
            return float(np.prod([_evaluate(token, setting) for token in tokens]))

        return product(self.numerator) / product(self.denominator)

    def plain(self) -> str:
        """Write as a Python expression."""

        def product(tokens: tuple[str, ...]) -> str:
            return " * ".join(f"({t})" if " " in t else t for t in tokens) or "1"

        if not self.denominator:
            return product(self.numerator)
        below = product(self.denominator)
        return f"{product(self.numerator)} / {f'({below})' if '*' in below else below}"

    def latex(self) -> str:
        """Write as LaTeX."""

        def product(tokens: tuple[str, ...]) -> str:
            return r"\,".join(_token_latex(t, alone=len(tokens) == 1) for t in tokens) or "1"

        if not self.denominator:
            return product(self.numerator)
        return rf"\frac{{{product(self.numerator)}}}{{{product(self.denominator)}}}"


def _evaluate(token: str, setting: Mapping[str, float]) -> float:
    if token.isdigit():
        return float(token)
    if token.startswith("1 - "):
        return 1 - setting[token.removeprefix("1 - ")]
    return setting[token]


def _token_latex(token: str, alone: bool = False) -> str:
    if token.startswith("1 - "):
        difference = f"1 - {_token_latex(token.removeprefix('1 - '))}"
        return difference if alone else f"({difference})"
    if token.isdigit() or token in _SYMBOLS:
        return _SYMBOLS.get(token, token)
    return rf"\texttt{{{token}}}".replace("_", r"\_")


def _raw(convention: Convention, norm: Norm) -> _Ratio:
    """Express the strength s1 or s2 by the convention's parameters."""
    first, last = convention.parameters[0], convention.parameters[-1]
    strength = last if convention.kind == "pair" and norm == "l2" else first
    share: tuple[str, ...] = ()
    if convention.kind == "mix":
        share = (last if norm == "l1" else f"1 - {last}",)
    return _Ratio(share, (strength,)) if convention.inverse else _Ratio((strength, *share))


def _penalty_ratio(convention: Convention, norm: Norm) -> _Ratio:
    """Give the factor of s1·‖w‖₁ or of (s2/2)·‖w‖² in the convention's own objective."""
    if norm == "l1":
        return _Ratio()
    numerator: tuple[str, ...] = ()
    if convention.l2_factor == 2:
        numerator += ("2",)
    if convention.decoupled:
        numerator += ("1 - momentum",)
    return _Ratio(numerator, (convention.l2_divisor,) if convention.l2_divisor else ())


def _house_ratio(convention: Convention, norm: Norm, loss: Loss) -> _Ratio:
    """Give the factor from s1 or s2 to house units: the factor above, divided by c."""
    data_factor = _DATA_FACTOR[loss][_data_loss(convention, loss)]
    return _penalty_ratio(convention, norm) * _Ratio(denominator=data_factor)


def _data_loss(convention: Convention, loss: Loss) -> DataLoss:
    """Tell how the convention adds up the losses of the samples."""
    scaling = convention.squared if loss == "squared" else convention.logistic
    if scaling is None:
        raise ValueError(
            f"loss is {loss!r}; {convention.name} has {', '.join(convention.losses())}"
        )
    return scaling


# --------------------------------------------------------------------------------------------------
# Translating
# --------------------------------------------------------------------------------------------------
class _NoTranslationError(ValueError):
    """Raised inside `translate`, which adds both names."""


def translate(
    strength: ArrayLike | Mapping[str, ArrayLike] | Strength,
    source: str | Convention,
    target: str | Convention,
    *,
    loss: Loss | None = None,
    n_samples: int | None = None,
    batch_size: int | None = None,
    y_scale: float | None = None,
    learning_rate: float | None = None,
    momentum: float = 0.0,
) -> dict[str, Values]:
    r"""Translate a penalty strength from one convention into another.

    The two objectives then have the same minimizer :math:`(w, b)`, provided that both are given the
    same data and treat the intercept alike. The way goes through house units,

    .. math:: \lambda\rho = s_1 / c, \qquad \lambda(1 - \rho) = f s_2 / c,

    in the symbols of `Convention`, and back with the target's factors.

    Parameters
    ----------
    strength : float, array, mapping or Strength
        In the source's units. A number or an array of any shape where the source has a single
        parameter; otherwise a mapping from each of its parameter names to numbers or arrays. A
        `Strength` if the source is ``"house"``.
    source, target : str or Convention
        A name from `CONVENTIONS`, or a `Convention` of your own.
    loss : {"squared", "logistic"} or None, default=None
        The data loss. Needed only if both conventions offer both, because the factor depends on it:
        `torch.nn.MSELoss` is twice the house's squared loss, `BCEWithLogitsLoss` is the house's
        log-loss itself.
    n_samples : int or None, default=None
        Number of training samples. Needed where a convention sums over samples.
    batch_size : int or None, default=None
        Samples per gradient step. Needed for scikit-learn's multilayer perceptrons, which divide
        the penalty by it; it is `n_samples` with ``solver="lbfgs"``.
    y_scale : float or None, default=None
        Standard deviation of the targets, with the divisor n: ``y.std()``. Needed for glmnet's
        Gaussian family. Without an intercept it is ``np.sqrt(np.mean(y**2))``.
    learning_rate : float or None, default=None
        Needed where the decay of the weights per step is not multiplied by it.
    momentum : float, default=0.0
        Momentum of the optimizer, in [0, 1). It matters only for decoupled decay.

    Returns
    -------
    dict from str to float or ndarray
        The target's parameters, ready to be passed on with ``**``. Arrays in, arrays out.

    Raises
    ------
    ValueError
        If there is no equivalent, with the reason; if a quantity is needed and was not given; if an
        argument has an impossible value. The message names both conventions.
    TypeError
        If an argument is of the wrong type.

    References
    ----------
    Each convention's `source`.

    Examples
    --------
    The same ridge regression on 50 samples, in four libraries:

    >>> translate(10.0, "sklearn.Ridge", "house", n_samples=50)
    {'alpha': 0.2, 'l1_ratio': 0.0}
    >>> translate(10.0, "sklearn.Ridge", "torch.SGD", n_samples=50)
    {'weight_decay': 0.4}
    >>> translate(10.0, "sklearn.Ridge", "keras.L2", n_samples=50)
    {'l2': 0.2}
    >>> translate(10.0, "sklearn.Ridge", "glmnet.gaussian", n_samples=50, y_scale=2.0)
    {'lambda': 0.4, 'alpha': 0.0}

    Several strengths at once, to logistic regression's inverse strength:

    >>> weight_decays = np.array([0.01, 0.1, 1.0])
    >>> translate(weight_decays, "torch.SGD", "sklearn.LogisticRegression", n_samples=50)["C"]
    array([2.  , 0.2 , 0.02])

    And what cannot be said, unless in the same words:

    >>> translate(0.01, "torch.AdamW", "keras.AdamW")
    {'weight_decay': 0.01}

    >>> translate(0.01, "torch.AdamW", "torch.SGD", loss="squared")
    Traceback (most recent call last):
        ...
    ValueError: cannot translate 'torch.AdamW' to 'torch.SGD': ...
    """
    source, target = _look_up("source", source), _look_up("target", target)
    setting = _check_setting(n_samples, batch_size, y_scale, learning_rate, momentum)
    try:
        if source.refusal and source.rule == target.rule:
            # Not a penalty, but the very same rule in another library: nothing to convert.
            return _name_parameters(_read_parameters(strength, source), target)
        for convention in (source, target):
            if convention.refusal:
                raise _NoTranslationError(convention.refusal)
        loss = _common_loss(source, target, loss)
        house = _to_house(_read_parameters(strength, source), source, loss, setting)
        return _from_house(house, target, loss, setting)
    except _NoTranslationError as reason:
        message = f"cannot translate {source.name!r} to {target.name!r}: {reason}"
        raise ValueError(message) from None


def _look_up(argument: str, convention: str | Convention) -> Convention:
    if isinstance(convention, Convention):
        return convention
    if convention not in CONVENTIONS:
        raise ValueError(
            f"{argument} is {convention!r}; wanted a Convention or one of {sorted(CONVENTIONS)}"
        )
    return CONVENTIONS[convention]


def _check_setting(
    n_samples: int | None,
    batch_size: int | None,
    y_scale: float | None,
    learning_rate: float | None,
    momentum: float,
) -> dict[str, float]:
    """Check the quantities and keep those that were given."""
    setting: dict[str, float] = {}
    for name, count in (("n_samples", n_samples), ("batch_size", batch_size)):
        if count is None:
            continue
        if isinstance(count, bool) or not isinstance(count, Integral):
            raise TypeError(f"{name} is {count!r}; wanted an integer")
        if count < 1:
            raise ValueError(f"{name} is {count}; wanted at least 1")
        setting[name] = int(count)
    for name, number in (("y_scale", y_scale), ("learning_rate", learning_rate)):
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{name} is {number!r}; wanted a number")
        if not 0 < number < np.inf:
            raise ValueError(f"{name} is {number}; wanted a finite number above 0")
        setting[name] = float(number)
    if isinstance(momentum, bool) or not isinstance(momentum, Real):
        raise TypeError(f"momentum is {momentum!r}; wanted a number")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum}; wanted a number in [0, 1)")
    return {**setting, "momentum": float(momentum)}


def _common_loss(source: Convention, target: Convention, loss: Loss | None) -> Loss:
    common = [name for name in source.losses() if name in target.losses()]
    if not common:
        raise _NoTranslationError(
            f"they share no data loss ({source.name} has {', '.join(source.losses())}; "
            f"{target.name} has {', '.join(target.losses())}), so no two fits can coincide"
        )
    if loss is None and len(common) > 1:
        raise _NoTranslationError(
            "both offer the squared and the logistic loss, and the factor depends on it; "
            "give loss='squared' or loss='logistic'"
        )
    if loss is not None and loss not in common:
        raise _NoTranslationError(f"loss is {loss!r}; they share only {' and '.join(common)}")
    return loss or common[0]


def _read_parameters(
    strength: ArrayLike | Mapping[str, ArrayLike] | Strength, source: Convention
) -> Strength:
    """Check the source's parameters and split them into its own L1 and L2 strength."""
    if isinstance(strength, Strength):
        if source.name != "house":
            raise _NoTranslationError("a Strength is in house units; the source must be 'house'")
        return Strength(_non_negative("l1", strength.l1), _non_negative("l2", strength.l2))

    if not isinstance(strength, Mapping):
        if len(source.parameters) > 1:
            raise _NoTranslationError(
                f"{source.name} has the parameters {', '.join(source.parameters)}; "
                "give a mapping with these keys instead of one number"
            )
        strength = {source.parameters[0]: strength}
    if set(strength) != set(source.parameters):
        raise _NoTranslationError(
            f"strength has the keys {sorted(strength)}; wanted {sorted(source.parameters)}"
        )

    name = source.parameters[0]
    first = _non_negative(name, strength[name], inverse=source.inverse)
    if source.inverse:
        first = 1 / first
    if source.kind == "l1":
        return Strength(first, 0.0)
    if source.kind == "l2":
        return Strength(0.0, first)
    name = source.parameters[1]
    second = _non_negative(name, strength[name])
    if source.kind == "pair":
        return Strength(first, second)
    if np.any(np.asarray(second) > 1):
        raise ValueError(f"{name} is {second}; wanted numbers in [0, 1]")
    return Strength.from_alpha(first, second)


def _non_negative(name: str, values: ArrayLike, inverse: bool = False) -> Values:
    """Return the values as float64; they must be finite and at least 0.

    With `inverse` they must be above 0, and infinity (no penalty) is allowed.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {values!r}; wanted a number or an array of numbers") from None
    allowed = array > 0 if inverse else (array >= 0) & (array < np.inf)
    if not np.all(allowed):
        wanted = "numbers above 0" if inverse else "finite numbers of at least 0"
        raise ValueError(f"{name} is {values!r}; wanted {wanted}")
    return _tidy(array)


def _to_house(
    own: Strength, source: Convention, loss: Loss, setting: Mapping[str, float]
) -> Strength:
    """Multiply by the source's factors."""
    l1 = own.l1 * _factor(source, "l1", loss, setting) if source.has("l1") else 0.0
    l2 = own.l2 * _factor(source, "l2", loss, setting) if source.has("l2") else 0.0
    return Strength(l1, l2)


def _from_house(
    house: Strength, target: Convention, loss: Loss, setting: Mapping[str, float]
) -> dict[str, Values]:
    """Divide by the target's factors."""
    parts: tuple[tuple[Norm, Values], ...] = (("l1", house.l1), ("l2", house.l2))
    for norm, value in parts:
        if not target.has(norm) and np.any(np.asarray(value) > 0):
            raise _NoTranslationError(
                f"{target.name} has no {norm.upper()} term, and the penalty has one "
                f"of strength {value} in house units"
            )
    l1 = house.l1 / _factor(target, "l1", loss, setting) if target.has("l1") else 0.0
    l2 = house.l2 / _factor(target, "l2", loss, setting) if target.has("l2") else 0.0
    return _name_parameters(Strength(l1, l2), target)


def _name_parameters(own: Strength, target: Convention) -> dict[str, Values]:
    """Write the target's own L1 and L2 strength in its parameters."""
    if target.kind == "pair":
        return dict(zip(target.parameters, (own.l1, own.l2), strict=True))
    total = own.alpha
    if target.inverse:
        with np.errstate(divide="ignore"):  # no penalty is C = infinity
            total = _tidy(np.divide(1.0, total))
    values = (total, own.l1_ratio) if target.kind == "mix" else (total,)
    return dict(zip(target.parameters, values, strict=True))


def _factor(convention: Convention, norm: Norm, loss: Loss, setting: Mapping[str, float]) -> float:
    """Evaluate the convention's factor, or say which quantity is missing."""
    ratio = _house_ratio(convention, norm, loss)
    for quantity in _QUANTITIES:
        if quantity in ratio.numerator + ratio.denominator and quantity not in setting:
            raise _NoTranslationError(
                f"{convention.name} minimizes {convention.objective(loss)}; "
                f"give {quantity} to compare it"
            )
    return ratio.value(setting)


def _tidy(values: NDArray[np.float64]) -> Values:
    """Turn an array without dimensions into a float."""
    return float(values) if values.ndim == 0 else values


# --------------------------------------------------------------------------------------------------
# Who does what
# --------------------------------------------------------------------------------------------------
_SKLEARN = "https://scikit-learn.org/stable/modules"
_KERAS = "https://keras.io/api"
_TORCH = "https://docs.pytorch.org/docs/stable/generated"
_STATSMODELS = "https://www.statsmodels.org/stable/generated/statsmodels"
_XGBOOST = "https://xgboost.readthedocs.io/en/stable"
_GLMNET = (
    "J. Friedman, T. Hastie, R. Tibshirani (2010), Journal of Statistical Software 33(1), eq. 1; "
    "https://glmnet.stanford.edu/articles/glmnet.html"
)
_ADAMW = "I. Loshchilov, F. Hutter (2019), Decoupled weight decay regularization, ICLR"
_GLMNET_FEATURES = (
    "standardize=TRUE, the default, penalizes the coefficients of the features divided by their "
    "standard deviations (divisor n). To compare, divide the features in the same way first "
    "(StandardScaler does), and the coefficients afterwards."
)
_ADAMW_REFUSAL = (
    "decoupled weight decay under Adam is not a penalty. It shrinks every weight at the same rate, "
    "while Adam rescales the gradient of each weight by its own history, so the two balance at no "
    "minimizer of loss + penalty; full-batch AdamW, where it converges, heads for the minimum of "
    "the bare loss within max|w_j| <= 1/weight_decay (S. Xie, Z. Li 2024, ICML). Only plain SGD "
    "turns decay into an L2 penalty: 'keras.SGD' if each step multiplies the decay by the learning "
    "rate, 'textbook.SGDW' if it does not, and then the penalty depends on the learning rate"
)
_ADAMW_RULE = (
    r"w \gets (1 - \eta\,\texttt{weight\_decay})\, w "
    r"- \eta\, \hat m / (\sqrt{\hat v} + \epsilon)",
    "w <- (1 - lr * weight_decay) * w - lr * m_hat / (sqrt(v_hat) + eps)",
)

_ALL = (
    Convention(
        name="house",
        parameters=("alpha", "l1_ratio"),
        kind="mix",
        squared="half-mean",
        logistic="mean",
        source="this book's notation page; the same as sklearn.ElasticNet",
        version="",
        verified="fit",
    ),
    # ---- scikit-learn ----
    Convention(
        name="sklearn.Ridge",
        parameters=("alpha",),
        kind="l2",
        squared="sum",
        logistic=None,
        l2_factor=2,
        source=f"{_SKLEARN}/linear_model.html#ridge-regression",
        version="scikit-learn 1.9",
        verified="fit",
        note="The loss is a sum: twice the samples need twice the alpha.",
    ),
    Convention(
        name="sklearn.Lasso",
        parameters=("alpha",),
        kind="l1",
        squared="half-mean",
        logistic=None,
        source=f"{_SKLEARN}/linear_model.html#lasso",
        version="scikit-learn 1.9",
        verified="fit",
    ),
    Convention(
        name="sklearn.ElasticNet",
        parameters=("alpha", "l1_ratio"),
        kind="mix",
        squared="half-mean",
        logistic=None,
        source=f"{_SKLEARN}/linear_model.html#elastic-net",
        version="scikit-learn 1.9",
        verified="fit",
    ),
    Convention(
        name="sklearn.SGDRegressor",
        parameters=("alpha", "l1_ratio"),
        kind="mix",
        squared="half-mean",
        logistic=None,
        source=f"{_SKLEARN}/sgd.html#mathematical-formulation",
        version="scikit-learn 1.9",
        verified="fit",
        note="With penalty='elasticnet'; penalty='l2' and 'l1' fix l1_ratio at 0 and 1.",
    ),
    Convention(
        name="sklearn.SGDClassifier",
        parameters=("alpha", "l1_ratio"),
        kind="mix",
        squared=None,
        logistic="mean",
        source=f"{_SKLEARN}/sgd.html#mathematical-formulation",
        version="scikit-learn 1.9",
        verified="fit",
        note="With loss='log_loss' (the default is the hinge) and penalty='elasticnet'.",
    ),
    Convention(
        name="sklearn.LogisticRegression",
        parameters=("C", "l1_ratio"),
        kind="mix",
        squared=None,
        logistic="sum",
        inverse=True,
        source=f"{_SKLEARN}/linear_model.html#logistic-regression",
        version="scikit-learn 1.9",
        verified="fit",
        intercept="free (penalized by solver='liblinear')",
        note="Documented as C times the sum of losses, plus the penalty: shown divided by C.",
    ),
    Convention(
        name="sklearn.MLPRegressor",
        parameters=("alpha",),
        kind="l2",
        squared="half-mean",
        logistic=None,
        l2_divisor="batch_size",
        source=f"{_SKLEARN}/neural_networks_supervised.html#mathematical-formulation",
        version="scikit-learn 1.9",
        verified="fit",
        note="B is n with solver='lbfgs', by default min(200, n) otherwise: "
        "a larger batch means a weaker penalty.",
    ),
    Convention(
        name="sklearn.MLPClassifier",
        parameters=("alpha",),
        kind="l2",
        squared=None,
        logistic="mean",
        l2_divisor="batch_size",
        source=f"{_SKLEARN}/neural_networks_supervised.html#mathematical-formulation",
        version="scikit-learn 1.9",
        verified="fit",
        note="As MLPRegressor.",
    ),
    # ---- glmnet ----
    Convention(
        name="glmnet.gaussian",
        parameters=("lambda", "alpha"),
        kind="mix",
        squared="half-mean",
        logistic=None,
        l2_divisor="y_scale",
        source=f"{_GLMNET} (linear regression); elnet_driver/gaussian.hpp in the source",
        version="glmnet 4.1-4",
        verified="algebra",
        note="The documented formula has no s_y, but it is applied to y / s_y with lambda / s_y, "
        "s_y being the standard deviation of y (divisor n): in units of y that divides the L2 term "
        "by s_y and leaves the L1 term alone. Without an intercept s_y is the root mean square of "
        f"y since glmnet 4.0. {_GLMNET_FEATURES}",
    ),
    Convention(
        name="glmnet.binomial",
        parameters=("lambda", "alpha"),
        kind="mix",
        squared=None,
        logistic="mean",
        source=f"{_GLMNET} (logistic regression)",
        version="glmnet 4.1-4",
        verified="algebra",
        note=_GLMNET_FEATURES,
    ),
    # ---- statsmodels ----
    Convention(
        name="statsmodels.OLS",
        parameters=("alpha", "L1_wt"),
        kind="mix",
        squared="half-mean",
        logistic=None,
        intercept="penalized like any column",
        source=f"{_STATSMODELS}.regression.linear_model.OLS.fit_regularized.html",
        version="statsmodels 0.15",
        verified="fit",
        note="For a free intercept give alpha as a vector with 0 for the constant column.",
    ),
    Convention(
        name="statsmodels.GLM",
        parameters=("alpha", "L1_wt"),
        kind="mix",
        squared=None,
        logistic="mean",
        intercept="penalized like any column",
        source=f"{_STATSMODELS}.genmod.generalized_linear_model.GLM.fit_regularized.html",
        version="statsmodels 0.15",
        verified="fit",
        note="With family=Binomial(). As OLS for the intercept.",
    ),
    Convention(
        name="statsmodels.Logit",
        parameters=("alpha",),
        kind="l1",
        squared=None,
        logistic="sum",
        intercept="penalized like any column",
        source=f"{_STATSMODELS}.discrete.discrete_model.Logit.fit_regularized.html",
        version="statsmodels 0.15",
        verified="fit",
        note="A sum where GLM of the same package takes the mean. As OLS for the intercept.",
    ),
    # ---- PyTorch ----
    Convention(
        name="torch.SGD",
        parameters=("weight_decay",),
        kind="l2",
        squared="mean",
        logistic="mean",
        intercept="penalized, unless in a parameter group with weight_decay=0",
        source=f"{_TORCH}/torch.optim.SGD.html",
        version="torch 2.13",
        verified="fit",
        note="With MSELoss (which has no ½) or BCEWithLogitsLoss / CrossEntropyLoss. The optimizer "
        "adds weight_decay * w to the gradient, with or without momentum.",
    ),
    Convention(
        name="torch.Adam",
        parameters=("weight_decay",),
        kind="l2",
        squared="mean",
        logistic="mean",
        intercept="penalized, unless in a parameter group with weight_decay=0",
        source=f"{_TORCH}/torch.optim.Adam.html",
        version="torch 2.13",
        verified="fit",
        note="The objective and its minimizer are SGD's. The way there is not: Adam rescales the "
        "penalty's gradient together with the loss's.",
    ),
    Convention(
        name="torch.AdamW",
        parameters=("weight_decay",),
        kind="l2",
        squared="mean",
        logistic="mean",
        intercept="decayed, unless in a parameter group with weight_decay=0",
        source=f"{_TORCH}/torch.optim.AdamW.html; {_ADAMW}, algorithm 2",
        version="torch 2.13",
        verified="fit",
        refusal=_ADAMW_REFUSAL,
        rule=_ADAMW_RULE,
    ),
    # ---- Keras ----
    Convention(
        name="keras.L1",
        parameters=("l1",),
        kind="l1",
        squared="mean",
        logistic="mean",
        source=f"{_KERAS}/layers/regularizers/",
        version="keras 3.15",
        verified="algebra",
        intercept="free (kernel_regularizer)",
        note="With loss='mse' or a cross-entropy.",
    ),
    Convention(
        name="keras.L2",
        parameters=("l2",),
        kind="l2",
        squared="mean",
        logistic="mean",
        l2_factor=2,
        source=f"{_KERAS}/layers/regularizers/",
        version="keras 3.15",
        verified="algebra",
        intercept="free (kernel_regularizer)",
        note="No ½ in the penalty: half the number of PyTorch's weight_decay.",
    ),
    Convention(
        name="keras.L1L2",
        parameters=("l1", "l2"),
        kind="pair",
        squared="mean",
        logistic="mean",
        l2_factor=2,
        source=f"{_KERAS}/layers/regularizers/",
        version="keras 3.15",
        verified="algebra",
        intercept="free (kernel_regularizer)",
    ),
    Convention(
        name="keras.SGD",
        parameters=("weight_decay",),
        kind="l2",
        squared="mean",
        logistic="mean",
        decoupled=True,
        intercept="decayed, unless in exclude_from_weight_decay",
        source=f"{_KERAS}/optimizers/sgd/; base_optimizer.py in the source",
        version="keras 3.15",
        verified="algebra",
        note="w <- w - lr * weight_decay * w, then the step. Under plain SGD the learning rate "
        "multiplies both and cancels; momentum μ does not.",
    ),
    Convention(
        name="keras.AdamW",
        parameters=("weight_decay",),
        kind="l2",
        squared="mean",
        logistic="mean",
        intercept="decayed, unless in exclude_from_weight_decay",
        source=f"{_KERAS}/optimizers/adamw/; {_ADAMW}, algorithm 2",
        version="keras 3.15",
        verified="algebra",
        note="Keras's Adam(weight_decay=…) is decoupled as well: it is this, not torch.Adam.",
        refusal=_ADAMW_REFUSAL,
        rule=_ADAMW_RULE,
    ),
    # ---- XGBoost ----
    Convention(
        name="xgboost.gblinear",
        parameters=("reg_alpha", "reg_lambda"),
        kind="pair",
        squared="half-mean",
        logistic="mean",
        source=f"{_XGBOOST}/parameter.html#parameters-for-linear-booster-booster-gblinear",
        version="xgboost 3.2",
        verified="fit",
        note="Sums over samples, and multiplies the penalties by the number of samples: shown "
        "divided by it.",
    ),
    Convention(
        name="xgboost.gbtree",
        parameters=("reg_alpha", "reg_lambda"),
        kind="pair",
        squared="half-sum",
        logistic="sum",
        intercept="not separate",
        source=f"{_XGBOOST}/tutorials/model.html; T. Chen, C. Guestrin (2016), KDD, eq. 2",
        version="xgboost 3.2",
        verified="fit",
        refusal="XGBoost's trees have no feature weights. reg_lambda and reg_alpha penalize the "
        "value in each leaf, which becomes -soft(G, reg_alpha) / (H + reg_lambda) with the sums G "
        "and H of first and second derivatives over the samples in that leaf",
        rule=(
            r"\sum_i \ell_i + \sum_{\text{leaves } j} \bigl(\texttt{reg\_alpha}\, "
            r"\lvert v_j \rvert + \frac{\texttt{reg\_lambda}}{2}\, v_j^2\bigr)",
            "sum_i loss_i + sum over leaves j of (reg_alpha * |v_j| + reg_lambda / 2 * v_j^2)",
        ),
    ),
    # ---- Textbooks and papers. Their "L" is taken to be the house's data loss, so that only the
    # penalty's factor differs; use dataclasses.replace if theirs is a sum. ----
    Convention(
        name="textbook.sum_of_squares",
        parameters=("lambda",),
        kind="l2",
        squared="half-mean",
        logistic="mean",
        l2_factor=2,
        source="L + λ Σ w²",
        version="",
        verified="algebra",
        note="Gradient 2λw; decay factor 1 - 2ηλ.",
    ),
    Convention(
        name="textbook.half_alpha",
        parameters=("alpha",),
        kind="l2",
        squared="half-mean",
        logistic="mean",
        source="L + (α/2) ‖w‖²; I. Goodfellow, Y. Bengio, A. Courville (2016), Deep Learning, "
        "eq. 7.2",
        version="",
        verified="algebra",
        note="Gradient αw; decay factor 1 - ηα.",
    ),
    Convention(
        name="textbook.half_norm",
        parameters=("lambda",),
        kind="l2",
        squared="half-mean",
        logistic="mean",
        source="L + λΩ with Ω = ½‖θ‖²",
        version="",
        verified="algebra",
        note="The same as α/2 ‖w‖² with another letter.",
    ),
    Convention(
        name="textbook.per_sample",
        parameters=("lambda",),
        kind="l2",
        squared="half-mean",
        logistic="mean",
        l2_divisor="n_samples",
        source="L + λ/(2n) ‖w‖²; M. Nielsen (2015), Neural Networks and Deep Learning, chapter 3",
        version="",
        verified="algebra",
        note="A mean loss with the strength of a summed one: sklearn.Ridge with a ½ on both terms.",
    ),
    Convention(
        name="textbook.lasso",
        parameters=("lambda",),
        kind="l1",
        squared="half-mean",
        logistic="mean",
        source="L + λ ‖w‖₁",
        version="",
        verified="algebra",
    ),
    Convention(
        name="textbook.elastic_net_sum",
        parameters=("alpha_1", "alpha_2"),
        kind="pair",
        squared="half-mean",
        logistic="mean",
        l2_factor=2,
        source="L + α₁‖w‖₁ + α₂‖w‖²; H. Zou, T. Hastie (2005), J. R. Statist. Soc. B 67, eq. 3 "
        "(there with a summed loss)",
        version="",
        verified="algebra",
    ),
    Convention(
        name="textbook.elastic_net_mix",
        parameters=("lambda", "alpha"),
        kind="mix",
        squared="half-mean",
        logistic="mean",
        l2_factor=2,
        source="L + λ (α‖θ‖₁ + (1 - α)‖θ‖²)",
        version="",
        verified="algebra",
        note="Without the ½ of the house penalty, so its α is not the house's ρ.",
    ),
    Convention(
        name="textbook.SGDW",
        parameters=("weight_decay",),
        kind="l2",
        squared="half-mean",
        logistic="mean",
        l2_divisor="learning_rate",
        decoupled=True,
        source=f"{_ADAMW}, eq. 1 and proposition 1",
        version="",
        verified="algebra",
        note="w <- (1 - weight_decay) * w - lr * gradient: the decay per step does not shrink with "
        "the learning rate, so halving the learning rate doubles the penalty.",
    ),
)

#: Every convention by its name, in the order of the table.
CONVENTIONS: Mapping[str, Convention] = MappingProxyType({entry.name: entry for entry in _ALL})


# --------------------------------------------------------------------------------------------------
# The table of the appendix
# --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """One line of the table of conventions; formulas are LaTeX without dollar signs.

    Parameters
    ----------
    convention : Convention
        Whom the line is about.
    objective : str
        What is minimized, or the update rule where that is not a penalized loss.
    l1, l2 : str
        The house strengths by the convention's parameters; ``"0"`` if there is no such term, and
        empty if there is no equivalent.
    needs : tuple of str
        Quantities that a translation needs.
    """

    convention: Convention
    objective: str
    l1: str
    l2: str
    needs: tuple[str, ...]


def table(loss: Loss = "squared") -> list[Row]:
    r"""List all conventions that offer a loss, with the formulas that `translate` uses.

    Parameters
    ----------
    loss : {"squared", "logistic"}, default="squared"
        The data loss.

    Returns
    -------
    list of Row
        In the order of `CONVENTIONS`.

    Raises
    ------
    ValueError
        If `loss` is unknown.

    Examples
    --------
    >>> row = table("squared")[1]
    >>> row.convention.name, row.l1, row.l2
    ('sklearn.Ridge', '0', '\\frac{\\texttt{alpha}}{n}')
    """
    if loss not in _DATA_FACTOR:
        raise ValueError(f"loss is {loss!r}; wanted 'squared' or 'logistic'")
    return [
        Row(
            convention=entry,
            objective=entry.objective(loss, latex=True),
            l1=entry.house_strength("l1", loss, latex=True),
            l2=entry.house_strength("l2", loss, latex=True),
            needs=entry.needs(loss),
        )
        for entry in CONVENTIONS.values()
        if loss in entry.losses()
    ]


def to_markdown(rows: Iterable[Row]) -> str:
    r"""Write rows as a Markdown table: convention, objective, both house strengths.

    Parameters
    ----------
    rows : iterable of Row
        For example ``table("squared")``.

    Returns
    -------
    str
        A pipe table with mathematics between dollar signs. Nothing in it needs escaping, because
        the formulas write norms with ``\lVert`` and ``\rVert`` instead of bars.
    """
    lines = [
        r"| Convention | Minimizes | L1: $\lambda\rho$ | L2: $\lambda(1-\rho)$ |",
        "|---|---|---|---|",
    ]
    for row in rows:
        l1, l2 = (f"${formula}$" if formula else "none" for formula in (row.l1, row.l2))
        lines.append(f"| `{row.convention.name}` | ${row.objective}$ | {l1} | {l2} |")
    return "\n".join(lines)


def notes_to_markdown(entries: Iterable[Convention]) -> str:
    """Write what the table of `to_markdown` has no room for as a Markdown list.

    Parameters
    ----------
    entries : iterable of Convention
        For example ``CONVENTIONS.values()``.

    Returns
    -------
    str
        For each convention what happens to the intercept, how the tests prove the record, its note,
        and where it is documented.
    """
    return "\n".join(f"- {_note(entry)}" for entry in entries)


def _note(entry: Convention) -> str:
    fitted = f"by fitting {entry.version}" if entry.version else "by a fit"
    proof = fitted if entry.verified == "fit" else "by algebra"
    parts = [f"`{entry.name}`: intercept {entry.intercept}; proved {proof}."]
    refusal = entry.refusal[:1].upper() + entry.refusal[1:]
    parts += [text.rstrip(".") + "." for text in (entry.note, refusal) if text]
    # A place is a text, or an address with or without a remark behind it.
    places = [
        re.sub(r"^(https://\S+)", r"[documentation](\1)", p) for p in entry.source.split("; ")
    ]
    return " ".join([*parts, "Source: " + ", ".join(places) + "."])
