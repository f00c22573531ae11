"""Relations between a wrong result and the right one, or between wrong inputs and the right ones.

Each relation is a small object with the sentence that is said when it holds in every case. The
tables below hold for all exercises; an exercise adds its own in its field ``relations``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lessons_lib.exercises._model import Case, OfInput, OfOutput

__all__ = [
    "ANSWER_RELATIONS",
    "CONSTANTS",
    "OUTPUT_RELATIONS",
    "VALUE_RELATIONS",
    "Quantity",
    "counts",
    "input_relations",
    "is_clear_cut",
    "kinds_of_case",
    "quantities",
]


# --- of the output ---


def map_numbers(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply ``function`` to every number and array inside of ``value``.

    Raises
    ------
    TypeError
        If there is anything else inside, such as a text.
    """
    if isinstance(value, list | tuple):
        return type(value)(map_numbers(item, function) for item in value)
    if isinstance(value, dict):
        return {key: map_numbers(item, function) for key, item in value.items()}
    kind = np.asarray(value).dtype.kind
    if kind not in "iuf":
        raise TypeError(f"no numbers: {value!r}")
    return function(value)


def _each(function: Callable[[Any], Any], because: str) -> OfOutput:
    return OfOutput(lambda value, args: map_numbers(value, function), because)


def _transposed(value: Any, args: Case) -> Any:
    return map_numbers(value, lambda x: np.asarray(x).T)


def _reversed(value: Any, args: Case) -> Any:
    if isinstance(value, tuple):
        raise TypeError("several results, not several values of one")
    return value[::-1]


def _sorted(value: Any, args: Case) -> Any:
    if isinstance(value, tuple):
        raise TypeError("several results, not several values of one")
    return np.sort(value) if isinstance(value, np.ndarray) else sorted(value)


def _of_truth(value: Any, args: Case) -> Any:
    array = np.asarray(value)
    if array.dtype.kind != "b":
        raise TypeError("no truth values")
    return ~array if array.ndim else not value


def _only_first(value: Any, args: Case) -> Any:
    return value[0]


def _only_last(value: Any, args: Case) -> Any:
    return value[-1]


def _fixed_sum(value: Any, args: Case) -> Any:
    return np.asarray(value) / np.sum(value)


def _whole_sum(value: Any, args: Case) -> Any:
    return np.sum(_array(value))


def _whole_mean(value: Any, args: Case) -> Any:
    return np.mean(_array(value))


def _stacked(value: Any, args: Case) -> Any:
    return np.concatenate(list(value))


def _array(value: Any) -> Any:
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        raise TypeError("no array")
    return value


def _shifted(number: int) -> Callable[[Any, Case], Any]:
    def change(value: Any, args: Case) -> Any:
        def shift(x: Any) -> Any:
            if np.asarray(x).dtype.kind == "f":
                raise TypeError("not counted")
            return x + number

        return map_numbers(value, shift)

    return change


OUTPUT_RELATIONS: tuple[OfOutput, ...] = (
    OfOutput(_of_truth, "Your result is the opposite: true where it should be false."),
    OfOutput(_transposed, "Your result is right, but transposed: rows and columns are exchanged."),
    OfOutput(_reversed, "Your result is right, but in the reverse order."),
    OfOutput(_sorted, "Your result holds the right values, but sorted: keep their order."),
    _each(abs, "Your result is right but for its sign: you seem to take an absolute value."),
    _each(lambda x: 1 - x, "Your result is one minus the right one: the rest instead of the part."),
    _each(lambda x: 1 / x, "Your result is upside down: one divided by the right one."),
    _each(np.square, "Your result is the square of the right one: a square root is missing."),
    _each(np.sqrt, "Your result is the square root of the right one."),
    _each(np.log, "Your result is the logarithm of the right one."),
    _each(np.exp, "Your result is the exponential of the right one."),
    _each(lambda x: np.maximum(x, 0), "Your result is right, but never negative: it should be."),
    _each(lambda x: np.minimum(x, 1), "Your result is right, but never above one: it should be."),
    _each(np.floor, "Your result is rounded down: give all digits."),
    _each(np.ceil, "Your result is rounded up: give all digits."),
    _each(np.round, "Your result is rounded to whole numbers: give all digits."),
    OfOutput(_shifted(-1), "Your result is one too low: do you count from 0 where 1 is meant?"),
    OfOutput(_shifted(+1), "Your result is one too high: do you count from 1 where 0 is meant?"),
    _each(lambda x: x - 1, "Your result is one too low."),
    _each(lambda x: x + 1, "Your result is one too high."),
    OfOutput(_only_first, "You return only the first of the wanted results, which is right."),
    OfOutput(_only_last, "You return only the last of the wanted results, which is right."),
    OfOutput(_fixed_sum, "Your result is right but for a factor: you divide it by its sum."),
    OfOutput(_stacked, "You return all results in one array: return them one by one."),
    OfOutput(_whole_sum, "You return the sum of the right values, not the values themselves."),
    OfOutput(_whole_mean, "You return the mean of the right values, not the values themselves."),
)


def _masks_to_indices(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_masks_to_indices(item) for item in value]
    if not isinstance(value, np.ndarray) or value.dtype.kind != "b":
        raise TypeError("no truth values")
    return np.flatnonzero(value)


def _first_of_more(value: Any) -> Any:
    if not isinstance(value, list | tuple | np.ndarray) or len(value) < 2:
        raise TypeError("not several results")
    return value[0]


def _number_in_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError("no text")
    return float(value)


ANSWER_RELATIONS: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (
        _masks_to_indices,
        "You return truth values, one a row; wanted are the positions of the rows.",
    ),
    (_first_of_more, "You return more than is wanted: the first of your results alone is right."),
)
"""Changes of a function's result that would make it right."""

VALUE_RELATIONS: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (_number_in_text, "That is a text: give the number itself."),
)
"""Changes of a value that would make it right."""

CONSTANTS: dict[float, str] = {
    2.0: "2",
    0.5: "½",
    4.0: "4",
    0.25: "¼",
    3.0: "3",
    1 / 3: "⅓",
    10.0: "10",
    0.1: "0.1",
    100.0: "100",
    0.01: "0.01",
    1000.0: "1000",
    0.001: "0.001",
    float(np.log(2)): "log 2 (a logarithm of another base)",
    float(1 / np.log(2)): "1/log 2 (a logarithm to base 2)",
    float(np.log(10)): "log 10 (a logarithm of another base)",
    float(1 / np.log(10)): "1/log 10 (a logarithm to base 10)",
    float(np.pi): "π",
    float(1 / np.pi): "1/π",
    float(2 * np.pi): "2π",
    float(np.pi / 180): "π/180 (degrees instead of radians)",
    float(180 / np.pi): "180/π (radians instead of degrees)",
    float(np.sqrt(2)): "√2",
    float(np.sqrt(0.5)): "1/√2",
}
"""Factors that have a name."""


@dataclass(frozen=True)
class Quantity:
    """A number of the case that may have become a factor or a term by mistake."""

    name: str
    value: float


def quantities(names: Sequence[str], args: Case) -> list[Quantity]:
    """Return the numbers of a case: its scalar arguments and the sizes of its arrays."""
    found: list[Quantity] = []
    for name, value in zip(names, args, strict=True):
        if isinstance(value, bool | np.bool_):
            continue
        if isinstance(value, int | float | np.integer | np.floating):
            found += _of_number(f"`{name}`", float(value))
        elif isinstance(value, np.ndarray | list) and len(value):
            rows = "number of rows" if np.ndim(value) > 1 else "length"
            found += _of_number(f"the {rows} of `{name}`", float(len(value)), size=True)
            if isinstance(value, np.ndarray) and value.ndim > 1:
                width = float(value.shape[1])
                found += _of_number(f"the number of columns of `{name}`", width, size=True)
                found.append(Quantity(f"the number of elements of `{name}`", float(value.size)))
            if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
                found.append(Quantity(f"the standard deviation of `{name}`", float(value.std())))
                found.append(Quantity(f"the variance of `{name}`", float(value.var())))
    return found


def counts(names: Sequence[str], args: Case) -> list[Quantity]:
    """Return how many elements of each array are not 0, where some are."""
    return [
        Quantity(_count_of(name, value), float(np.count_nonzero(value)))
        for name, value in zip(names, args, strict=True)
        if isinstance(value, np.ndarray)
        and value.dtype.kind in "iufb"
        and value.ndim == 1
        and not value.all()
    ]


def _count_of(name: str, value: Any) -> str:
    if value.dtype.kind == "b":
        return f"the number of `{name}` that are true"
    return f"the number of `{name}` that are not 0"


def _of_number(name: str, value: float, size: bool = False) -> Iterator[Quantity]:
    yield Quantity(name, value)
    if value > 1 and (size or value == int(value)):
        yield Quantity(f"({name} minus one)", value - 1)
        yield Quantity(f"n / (n − 1) with n {name}", value / (value - 1))
        yield Quantity(f"({name} plus one)", value + 1)
    if not size and 0 < value < 1:
        yield Quantity(f"(1 − {name})", 1 - value)
        yield Quantity(f"(1 + {name})", 1 + value)
    if value > 0:
        yield Quantity(f"the square root of {name}", float(np.sqrt(value)))
    yield Quantity(f"the square of {name}", value**2)


# --- of the input ---


def input_relations(names: Sequence[str], args: Case) -> Iterator[OfInput]:
    """Yield the ways of giving the reference other inputs, as far as this case allows them."""
    numbered = list(enumerate(zip(names, args, strict=True)))
    # Twice a rate is half a size: the rate comes first.
    for i, (name, value) in sorted(numbered, key=lambda item: type(item[1][1]) is int):
        for change, because in _changes(name, value):
            yield OfInput(_at(i, change), because)
        for j, other in enumerate(args):
            if i != j and _are_alike(value, other):
                yield OfInput(
                    _copied(j, i), f"You seem to use `{names[j]}` where `{name}` belongs."
                )
        yield from _statistics_of_others(names, args, i)
    yield from _both_centered(names, args)


def _at(i: int, change: Callable[[Any], Any]) -> Callable[[Case], Case]:
    return lambda args: (*args[:i], change(args[i]), *args[i + 1 :])


def _copied(source: int, target: int) -> Callable[[Case], Case]:
    return lambda args: (*args[:target], args[source], *args[target + 1 :])


def _are_alike(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first.ndim == second.ndim and first.dtype.kind == second.dtype.kind
    return type(first) is type(second) and not isinstance(first, np.random.Generator)


_Changes = Iterator[tuple[Callable[[Any], Any], str]]


def _changes(name: str, value: Any) -> _Changes:
    if isinstance(value, bool):
        yield lambda v: not v, f"You seem to treat `{name}` as its opposite."
    elif isinstance(value, int | float):
        yield from _changes_of_number(name, value)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "b":
        yield np.logical_not, f"You seem to treat `{name}` as its opposite: true where it is false."
        yield np.ones_like, f"You seem to compute as if all of `{name}` were true."
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield from _changes_of_array(name, value)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        yield lambda v: v[::-1], f"You seem to take `{name}` in the reverse order."
        yield np.sort, f"You seem to sort `{name}`, which loses what belongs to what."


def _changes_of_number(name: str, value: float) -> _Changes:
    if isinstance(value, int):
        yield lambda v: v - 1, f"One less than `{name}` seems to enter where `{name}` is meant."
        yield lambda v: v + 1, f"One more than `{name}` seems to enter where `{name}` is meant."
        yield lambda v: 2 * v, f"`{name}` seems to enter with twice its value."
        yield lambda v: v / 2, f"Only half of `{name}` seems to enter."
        yield lambda v: 1, f"You seem to compute as if `{name}` were 1."
        yield lambda v: 0, f"You seem to compute as if `{name}` were 0."
        return
    yield lambda v: 2 * v, f"`{name}` seems to enter with twice its value."
    yield lambda v: v / 2, f"Only half of `{name}` seems to enter."
    yield lambda v: -v, f"`{name}` seems to enter with the wrong sign."
    yield lambda v: v * v, f"`{name}` seems to enter squared where it should not."
    yield lambda v: v**0.5, f"The square root of `{name}` seems to enter where `{name}` is meant."
    yield lambda v: 1 - v, f"One minus `{name}` seems to enter where `{name}` itself is meant."
    yield lambda v: 1 / v, f"One divided by `{name}` seems to enter where `{name}` is meant."
    yield lambda v: v / (1 - v), f"You seem to use the odds of `{name}`."
    yield lambda v: 1.0, f"You seem to compute as if `{name}` were 1."
    yield lambda v: 0.0, f"You seem to compute as if `{name}` were 0."


def _changes_of_array(name: str, value: Any) -> _Changes:
    yield np.zeros_like, f"You seem to compute as if all of `{name}` were 0."
    yield np.ones_like, f"You seem to compute as if all of `{name}` were 1."
    yield np.negative, f"`{name}` seems to enter with the wrong sign."
    yield lambda v: 2 * v, f"`{name}` seems to enter with twice its value."
    yield lambda v: v / 2, f"Only half of `{name}` seems to enter."
    yield np.abs, f"You seem to take absolute values of `{name}`, and lose its signs."
    yield np.square, f"`{name}` seems to enter squared where it should not."
    yield np.sqrt, f"The square root of `{name}` seems to enter where `{name}` is meant."
    yield lambda v: v - v.mean(axis=0), f"You seem to center `{name}`, which is not asked for here."
    yield _standardized, f"You seem to standardize `{name}`, which is not asked for here."
    yield lambda v: v / v.std(axis=0), f"You seem to scale `{name}`, which is not asked for here."
    yield lambda v: v[::-1], f"You seem to take `{name}` in the reverse order."
    if value.ndim == 1:
        yield np.sort, f"You seem to sort `{name}`, which loses what belongs to what."
        yield lambda v: np.full_like(v, v.mean()), f"You seem to use only the mean of `{name}`."
        yield np.sign, f"You seem to use only the signs of `{name}`."
        yield lambda v: v**2 / 2, f"Half the square of `{name}` seems to enter."
    if value.ndim == 2:
        yield lambda v: v - v.mean(), f"You seem to subtract one mean of the whole of `{name}`."
        if value.shape[0] == value.shape[1]:
            yield np.transpose, f"`{name}` seems to enter transposed."


def _standardized(array: Any) -> Any:
    return (array - array.mean(axis=0)) / array.std(axis=0)


def _statistics_of_others(names: Sequence[str], args: Case, i: int) -> Iterator[OfInput]:
    """Yield statistics of the columns of another argument in place of a vector."""
    value = args[i]
    if not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind != "f":
        return
    for j, other in enumerate(args):
        if not isinstance(other, np.ndarray) or other.ndim != 2 or other.shape[1] != len(value):
            continue
        for noun, statistic in (
            ("means", lambda X: X.mean(axis=0)),
            ("variances", lambda X: X.var(axis=0)),
            ("variances", lambda X: X.var(axis=0, ddof=1)),
            ("standard deviations", lambda X: X.std(axis=0)),
        ):
            yield OfInput(
                _put(i, j, statistic),
                f"You seem to use the {noun} of the columns of `{names[j]}` where `{names[i]}` "
                "belongs.",
            )


def _put(target: int, source: int, statistic: Callable[[Any], Any]) -> Callable[[Case], Case]:
    return lambda args: (*args[:target], statistic(args[source]), *args[target + 1 :])


def _both_centered(names: Sequence[str], args: Case) -> Iterator[OfInput]:
    if "X" not in names or "y" not in names:
        return
    i, j = names.index("X"), names.index("y")
    if not all(isinstance(args[k], np.ndarray) and args[k].dtype.kind == "f" for k in (i, j)):
        return

    def centered(args: Case) -> Case:
        changed = list(args)
        for k in (i, j):
            changed[k] = args[k] - args[k].mean(axis=0)
        return tuple(changed)

    yield OfInput(centered, "You seem to center `X` and `y`, which is not asked for here.")


# --- of the cases ---


def kinds_of_case(names: Sequence[str], args: Case, expected: Any) -> set[str]:
    """Say what is special about a case; each text continues "those where".

    An exclamation mark begins what is special indeed, not only one of two kinds.
    """
    kinds: set[str] = set()
    for name, value in zip(names, args, strict=True):
        if isinstance(value, str | bool):
            kinds.add(f"!`{name}` is {value!r}")
        elif isinstance(value, int | float):
            kinds |= _kinds_of_number(f"`{name}`", value)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.size:
            kinds |= _kinds_of_array(f"`{name}`", value)
        elif isinstance(value, np.ndarray) and not value.size:
            kinds.add(f"!`{name}` is empty")
    return kinds | _kinds_of_sizes(names, args) | _kinds_of_result(expected)


def is_clear_cut(kind: str) -> bool:
    """Return whether a kind of case is so much a kind of its own that one case may show it."""
    return kind.endswith(("'", " is 0", " are 0", " is True", " is False", " is empty"))


def _kinds_of_number(name: str, value: float) -> set[str]:
    """Look at natural borders only: other values of a continuous number fit by chance."""
    kinds = set()
    if value == 0 or (value == 1 and isinstance(value, int)):
        kinds.add(f"!{name} is {int(value)}")
    if value < 0:
        kinds.add(f"!{name} is negative")
    return kinds


def _kinds_of_array(name: str, array: Any) -> set[str]:
    kinds = set()
    if array.dtype.kind == "b":
        for special in (True, False):
            if (array == special).all():
                kinds.add(f"!all of {name} are {special}")
        return kinds
    if not array.any():
        kinds.add(f"!all of {name} are 0")
    elif (array == 0).any():
        kinds.add(f"!{name} holds a zero")
    kinds.add(f"{name} holds a negative value" if (array < 0).any() else f"no {name} is negative")
    if array.ndim == 1:
        if len(np.unique(array)) < len(array):
            kinds.add(f"!{name} holds equal values")
        if array.argmin() == 0:
            kinds.add(f"the smallest of {name} is the first")
        if array.argmin() == len(array) - 1:
            kinds.add(f"the smallest of {name} is the last")
        if len(array) > 1 and (np.diff(array) >= 0).all():
            kinds.add(f"{name} is sorted")
    elif array.ndim == 2:
        rows, columns = array.shape
        if rows < columns:
            kinds.add(f"!{name} has more columns than rows")
        elif rows == columns:
            kinds.add(f"{name} is square")
        if columns == 1:
            kinds.add(f"!{name} has a single column")
    return kinds


def _kinds_of_sizes(names: Sequence[str], args: Case) -> set[str]:
    """Compare numbers with each other and with sizes: which is larger, does one divide another."""
    kinds = set()
    numbers = [
        (name, value)
        for name, value in zip(names, args, strict=True)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    for name, value in numbers:
        for other, size in numbers:
            if name == other:
                continue
            parts = isinstance(value, int) and isinstance(size, int) and _is_size(other)
            if parts and size and value % size:
                kinds.add(f"!`{other}` does not divide `{name}`")
            if value == size:
                kinds.add(f"!`{name}` equals `{other}`")
            if value < size:
                kinds.add(f"`{name}` is below `{other}`")
        for array_name, array in zip(names, args, strict=True):
            if isinstance(array, np.ndarray) and array.ndim and isinstance(value, int):
                if value and _is_size(name) and len(array) % value:
                    kinds.add(f"!`{name}` does not divide the number of rows of `{array_name}`")
                if value >= len(array):
                    kinds.add(f"`{name}` is at least the number of rows of `{array_name}`")
    return kinds


def _is_size(name: str) -> bool:
    """Return whether an argument says how a whole is divided, so that a rest matters."""
    return any(word in name for word in ("batch", "size", "fold", "group"))


def _kinds_of_result(expected: Any) -> set[str]:
    if isinstance(expected, bool | str) or expected is None:
        return set()
    try:
        result = np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return set()
    negative = result.size and (result < 0).all()
    return {"!the right result is negative"} if negative else set()
