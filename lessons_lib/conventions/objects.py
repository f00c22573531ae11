r"""What a convention is: a strength, and how one library states its penalized objective.

`translate` computes with the same factors from which the formulas of the table are written, so that
the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Convention", "Strength"]

FloatArray = NDArray[np.float64]


Values = float | FloatArray


Loss = Literal["squared", "logistic"]


Norm = Literal["l1", "l2"]


DataLoss = Literal["half-mean", "mean", "half-sum", "sum"]


Quantity = Literal["n_samples", "batch_size", "y_scale", "learning_rate"]


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
        return tidy(np.divide(l1, total, out=np.zeros(total.shape), where=total > 0))


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
        wanted = 1 if self.kind in NORMS else 2
        if len(self.parameters) != wanted:
            raise ValueError(
                f"parameters is {self.parameters}; kind {self.kind!r} wants {wanted} of them"
            )
        scalings: tuple[tuple[Loss, DataLoss | None], ...] = (
            ("squared", self.squared),
            ("logistic", self.logistic),
        )
        for loss, scaling in scalings:
            if scaling is not None and scaling not in DATA_FACTOR[loss]:
                raise ValueError(
                    f"{loss} is {scaling!r}; wanted None or one of {sorted(DATA_FACTOR[loss])}"
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
        ratios = [house_ratio(self, norm, loss) for norm in NORMS if self.has(norm)]
        tokens = {token for ratio in ratios for token in ratio.numerator + ratio.denominator}
        return tuple(quantity for quantity in QUANTITIES if quantity in tokens)

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
        for norm in NORMS:
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
        formula = _raw(self, norm) * house_ratio(self, norm, loss)
        return formula.latex() if latex else formula.plain()


# `translate` computes with the same factors from which the formulas of the table are written, so
# that the two cannot disagree.
NORMS: tuple[Norm, ...] = ("l1", "l2")


QUANTITIES: tuple[Quantity, ...] = ("n_samples", "batch_size", "y_scale", "learning_rate")


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
DATA_FACTOR: dict[Loss, dict[DataLoss, tuple[str, ...]]] = {
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


def house_ratio(convention: Convention, norm: Norm, loss: Loss) -> _Ratio:
    """Give the factor from s1 or s2 to house units: the factor above, divided by c."""
    data_factor = DATA_FACTOR[loss][_data_loss(convention, loss)]
    return _penalty_ratio(convention, norm) * _Ratio(denominator=data_factor)


def _data_loss(convention: Convention, loss: Loss) -> DataLoss:
    """Tell how the convention adds up the losses of the samples."""
    scaling = convention.squared if loss == "squared" else convention.logistic
    if scaling is None:
        raise ValueError(
            f"loss is {loss!r}; {convention.name} has {', '.join(convention.losses())}"
        )
    return scaling


def tidy(values: NDArray[np.float64]) -> Values:
    """Turn an array without dimensions into a float."""
    return float(values) if values.ndim == 0 else values
