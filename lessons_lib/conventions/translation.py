"""Translate one penalty strength into every library's own words."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib.conventions.libraries import CONVENTIONS
from lessons_lib.conventions.objects import (
    QUANTITIES,
    Convention,
    Loss,
    Norm,
    Strength,
    Values,
    house_ratio,
    tidy,
)

__all__ = ["translate"]


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
    return tidy(array)


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
            total = tidy(np.divide(1.0, total))
    values = (total, own.l1_ratio) if target.kind == "mix" else (total,)
    return dict(zip(target.parameters, values, strict=True))


def _factor(convention: Convention, norm: Norm, loss: Loss, setting: Mapping[str, float]) -> float:
    """Evaluate the convention's factor, or say which quantity is missing."""
    ratio = house_ratio(convention, norm, loss)
    for quantity in QUANTITIES:
        if quantity in ratio.numerator + ratio.denominator and quantity not in setting:
            raise _NoTranslationError(
                f"{convention.name} minimizes {convention.objective(loss)}; "
                f"give {quantity} to compare it"
            )
    return ratio.value(setting)
