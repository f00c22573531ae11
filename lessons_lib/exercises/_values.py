"""Copy, compare and describe what an answer returns, without trusting it.

A result may be anything: an object whose ``==`` raises, a list that contains itself, a view of an
array that the next call overwrites. :func:`plain` therefore first copies it into numbers, texts,
arrays, lists, tuples and dictionaries, calling no method that the result itself could define;
everything else becomes :class:`Foreign`. All that follows works on the copy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import CoroutineType, FunctionType, GeneratorType
from typing import Any

import numpy as np

# By name, before any answer runs: an answer that replaces NumPy's functions harms only itself.
from numpy import argwhere, array_equal, asarray, errstate, isfinite, isinf, isnan, zeros

_MAX_DEPTH = 20
_MAX_ITEMS = 200_000
_MAX_NUMBERS = 20_000_000  # in all arrays together; one row can stand for millions at no cost

# Diagnoses from the most basic to the most specific: the first that applies is reported.
RANKS = ("raised", "changed", "none", "type", "nan", "shape", "dtype", "value", "accept")


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that is no number, text, array or collection of them."""

    description: str


# They cannot change, so that they need no copy.
_AS_THEY_ARE = {bool, Foreign} | {
    kind for kind in np.sctypeDict.values() if np.dtype(kind).kind in "biufcSU"
}


@dataclass(frozen=True)
class Tolerance:
    """How closely two results must agree."""

    rtol: float
    atol: float
    check_dtype: bool = False


@dataclass(frozen=True)
class Difference:
    """One way in which a result differs from the expected one.

    Parameters
    ----------
    reason : str
        One of ``RANKS``.
    text : str
        Continues a sentence that begins with "your function returns"; for the reason ``"value"``
        only the place of the difference.
    numbers : str
        The first pair of differing elements of an array.
    """

    reason: str
    text: str = ""
    numbers: str = ""

    @property
    def rank(self) -> int:
        """How basic the difference is; 0 is the most basic."""
        return RANKS.index(self.reason)


# --- copying ---


def plain(value: object) -> Any:
    """Return a copy of ``value`` made of built-in types and arrays; no object makes it fail."""
    try:
        return _Copier().copy(value)
    except KeyboardInterrupt:
        raise
    except _TooLarge as error:
        return Foreign(str(error))
    except BaseException:  # a class may define anything, even what its name is
        return Foreign(f"an object of type {type_name(value)} that cannot be read")


def conform(got: Any, expected: Any) -> Any:
    """Return a plain value in the form of the expected one where only the form differs.

    A number may come as an array or list of one element, a whole number as a float, a list as a
    tuple or an array, and the reverse.
    """
    kind = _element_kind(expected)
    if isinstance(expected, np.ndarray):
        if isinstance(got, list | tuple) and kind == "number":
            array = to_array(got)
            return array if array.dtype.kind in "iuf" else got
        return got
    if isinstance(expected, list | tuple):
        if isinstance(got, np.ndarray) and got.ndim:
            got = list(got)
        if isinstance(got, list | tuple) and len(got) == len(expected):
            pairs = zip(got, expected, strict=True)
            return type(expected)(conform(item, wanted) for item, wanted in pairs)
        return got
    if isinstance(got, np.ndarray) and got.size == 1 and kind != "other":
        got = got.ravel()[0]
    while isinstance(got, list | tuple) and len(got) == 1 and kind != "other":
        got = got[0]
    if isinstance(got, float | np.floating) and isinstance(expected, int) and kind == "number":
        return int(got) if float(got).is_integer() else got
    return got


def is_in_single_precision(value: Any) -> bool:
    """Return whether a plain value holds numbers of type float32."""
    return any(asarray(leaf).dtype == np.float32 for leaf in _leaves(value))


class _TooLarge(Exception):
    """A collection nests too deeply (it may contain itself) or holds too many elements."""


class _Copier:
    def __init__(self) -> None:
        self._items_left = _MAX_ITEMS
        self._numbers_left = _MAX_NUMBERS

    def copy(self, value: Any, depth: int = 0) -> Any:
        if depth > _MAX_DEPTH:
            raise _TooLarge("a collection nested too deeply (does it contain itself?)")
        self._items_left -= 1
        if self._items_left < 0:
            raise _TooLarge(f"a collection of more than {_MAX_ITEMS:,} elements")
        # issubclass(type(x), …) rather than isinstance(x, …): the latter asks the object itself.
        kind = type(value)
        if value is None or value is Ellipsis or kind in _AS_THEY_ARE:
            return value
        # The built-in type's own method copies the value; a subclass cannot interfere.
        if issubclass(kind, int):
            return int.__pos__(value)
        if issubclass(kind, float):
            return float.__pos__(value)
        if issubclass(kind, complex):
            return complex.__pos__(value)
        if issubclass(kind, str):
            return str.__str__(value)
        if issubclass(kind, np.ndarray):
            return self._copy_array(value, depth)
        if issubclass(kind, list):
            return [self.copy(item, depth + 1) for item in list.__iter__(value)]
        if kind is range:
            return [self.copy(item, depth + 1) for item in value]
        if kind is Fraction:
            return value.numerator / value.denominator
        if kind is Decimal:
            return float(value)
        if issubclass(kind, tuple):
            return tuple(self.copy(item, depth + 1) for item in tuple.__iter__(value))
        if issubclass(kind, dict):
            return {
                self._copy_key(key): self.copy(item, depth + 1) for key, item in dict.items(value)
            }
        return _foreign(value)

    def _copy_array(self, value: Any, depth: int) -> Any:
        # By name, because importing numpy.ma takes longer than all the rest of this package.
        if any(class_name(base) == "MaskedArray" for base in type(value).__mro__):
            return Foreign("a masked array")
        self._numbers_left -= int(np.ndarray.size.__get__(value))
        if self._numbers_left < 0:
            raise _TooLarge(f"arrays of more than {_MAX_NUMBERS:,} numbers")
        array = np.array(value, copy=True, subok=False)
        if array.dtype.kind == "O":
            return self.copy(array.tolist(), depth + 1)
        if array.dtype.kind not in "biufcSU":
            return Foreign(f"an array of dtype {array.dtype}")
        return array if array.ndim else array[()]

    def _copy_key(self, key: Any) -> Any:
        copied = self.copy(key, _MAX_DEPTH)  # a key is a scalar: no further level allowed
        if isinstance(copied, np.generic):
            copied = copied.item()
        return copied if isinstance(copied, int | float | complex | str | None) else repr(copied)


def class_name(kind: type) -> str:
    """Return the name of a class, even where its metaclass tries to prevent it."""
    return str(type.__dict__["__name__"].__get__(kind))


def type_name(value: object) -> str:
    """Return the name of the type of ``value``."""
    return class_name(type(value))


def contains_ellipsis(value: Any) -> bool:
    """Return whether a plain value still holds the ``...`` of a stub."""
    return any(leaf is Ellipsis for leaf in _leaves(value))


def holds_foreign(value: Any) -> bool:
    """Return whether a plain value holds anything that cannot be compared."""
    return any(isinstance(leaf, Foreign) for leaf in _leaves(value))


def holds_float(value: Any) -> bool:
    """Return whether a plain value holds a number that is not an integer by type."""
    return any(asarray(leaf).dtype.kind in "fc" for leaf in _leaves(value))


def numbers_in(value: Any, kinds: str) -> np.ndarray[Any, Any]:
    """Return all numbers inside a plain value as one vector; of other kinds than wanted, none.

    Raises
    ------
    ValueError
        If there is anything but numbers, and all kinds of numbers (``"iuf"``) are wanted.
    """
    arrays = [asarray(leaf) for leaf in _leaves(value)]
    chosen = [array.ravel() for array in arrays if array.dtype.kind in kinds]
    if kinds == "iuf" and len(chosen) < len(arrays):
        raise ValueError("not only numbers")
    return np.concatenate(chosen).astype(float) if chosen else np.empty(0)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what is inside nested lists, tuples and dictionaries."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _foreign(value: object) -> Foreign:
    kind = type(value)
    name = type_name(value)
    module = str(kind.__module__).partition(".")[0] if isinstance(kind.__module__, str) else ""
    if issubclass(kind, GeneratorType):
        return Foreign("a generator (does it say `yield` where `return` is meant?)")
    if issubclass(kind, CoroutineType):
        return Foreign("a coroutine (remove `async`)")
    if issubclass(kind, FunctionType):
        return Foreign("a function (is a call, with its parentheses, missing?)")
    if issubclass(kind, type):
        return Foreign("a class")
    if module == "pandas":
        return Foreign(f"a pandas {name} (its `.to_numpy()` is an array)")
    return Foreign(f"an object of type {name}")


# --- comparing ---


def compare(got: Any, expected: Any, tolerance: Tolerance) -> Difference | None:
    """Return the most basic difference between two plain values, ``None`` if they agree.

    A list, a tuple and a one-dimensional array stand for each other, and so do a number and an
    array without axes, unless the dtype is to be checked. Texts agree regardless of case and outer
    spaces.
    """
    with errstate(all="ignore"):
        return _compare(got, expected, tolerance, "")


def _compare(got: Any, expected: Any, tolerance: Tolerance, where: str) -> Difference | None:
    if expected is None or got is None:
        return _compare_none(got, expected, where)
    if isinstance(expected, np.ndarray):
        return _compare_array(got, expected, tolerance, where)
    if isinstance(expected, list | tuple):
        return _compare_sequence(got, expected, tolerance, where)
    if isinstance(expected, dict):
        return _compare_dict(got, expected, tolerance, where)
    return _compare_scalar(got, expected, tolerance, where)


def _compare_none(got: Any, expected: Any, where: str) -> Difference | None:
    if got is None and expected is None:
        return None
    if got is None:
        return Difference("none", f"None{where}")
    return _wrong_type(got, expected, where)


def _compare_scalar(got: Any, expected: Any, tolerance: Tolerance, where: str) -> Difference | None:
    if isinstance(got, np.ndarray) and got.dtype.kind in _kinds(expected):
        return _wrong_shape(got, expected, where)
    if _element_kind(got) != _element_kind(expected) or isinstance(expected, Foreign):
        return _wrong_type(got, expected, where)
    if _element_kind(expected) == "text":
        agree = str(got).strip().casefold() == str(expected).strip().casefold()
        return None if agree else Difference("value", where)
    if _element_kind(expected) == "truth value":
        return None if bool(got) == bool(expected) else Difference("value", where)
    if isinstance(got, int) and isinstance(expected, int):
        # Python's integers have no largest one, NumPy's and floats do.
        gap = abs(got - expected)
        agree = gap == 0 or gap <= tolerance.atol + tolerance.rtol * min(abs(expected), 2**1000)
        return None if agree else Difference("value", where)
    return _compare_numbers(_to_numbers(got), _to_numbers(expected), tolerance, where)


def _compare_array(
    got: Any, expected: np.ndarray[Any, Any], tolerance: Tolerance, where: str
) -> Difference | None:
    if isinstance(got, list | tuple) and not tolerance.check_dtype:
        array = to_array(got)
        # An empty list has no element type of its own.
        got = array if array.size else array.astype(expected.dtype)
    if _element_kind(got) != _element_kind(expected):
        return _wrong_type(got, expected, where)
    if _element_kind(expected) == "number":
        not_finite = _compare_finite(_to_numbers(got), expected, where)
        if not_finite:
            return not_finite
    if not isinstance(got, np.ndarray) or got.shape != expected.shape:
        return _wrong_shape(got, expected, where)
    if tolerance.check_dtype and got.dtype != expected.dtype:
        return Difference(
            "dtype", f"numbers of dtype {got.dtype}{where}; {expected.dtype} is wanted"
        )
    if _element_kind(expected) == "number":
        return _compare_numbers(got, expected, tolerance, where)
    return None if array_equal(got, expected) else Difference("value", where)


def _compare_sequence(
    got: Any, expected: list[Any] | tuple[Any, ...], tolerance: Tolerance, where: str
) -> Difference | None:
    if isinstance(got, np.ndarray):
        got = list(got)
    if not isinstance(got, list | tuple):
        return _wrong_type(got, expected, where)
    if len(got) != len(expected):
        wanted = "1 is" if len(expected) == 1 else f"{len(expected)} are"
        return Difference("shape", f"{describe(got)}{where}; {wanted} wanted")
    return _first(
        _compare(g, e, tolerance, f" in element {i}{where}")
        for i, (g, e) in enumerate(zip(got, expected, strict=True))
    )


def _compare_dict(
    got: Any, expected: dict[Any, Any], tolerance: Tolerance, where: str
) -> Difference | None:
    if not isinstance(got, dict):
        return _wrong_type(got, expected, where)
    if got.keys() != expected.keys():
        keys = ", ".join(repr(key) for key in got) or "none"
        wanted = ", ".join(repr(key) for key in expected)
        return Difference("shape", f"a dictionary with the keys {keys}{where}; wanted are {wanted}")
    return _first(
        _compare(got[key], expected[key], tolerance, f" under {key!r}{where}") for key in expected
    )


def _compare_numbers(
    got: Any, expected: Any, tolerance: Tolerance, where: str
) -> Difference | None:
    not_finite = _compare_finite(got, expected, where)
    if not_finite:
        return not_finite
    if tolerance.check_dtype and got.dtype != expected.dtype:
        return Difference(
            "dtype", f"a number of dtype {got.dtype}{where}; {expected.dtype} is wanted"
        )
    close = _are_close(got, expected, tolerance)
    if close.all():
        return None
    if not got.ndim:
        return Difference("value", where)
    first = tuple(int(i) for i in argwhere(~close)[0])
    index = "[" + ", ".join(map(str, first)) + "]"
    pair = show_pair(expected[first], got[first])
    numbers = f"{pair[1]} at index {index} where {pair[0]} is expected"
    return Difference("value", f", first at index {index}{where}", numbers)


def _are_close(got: Any, expected: Any, tolerance: Tolerance) -> Any:
    """Return for each element whether it agrees, as ``np.isclose`` with ``equal_nan`` does.

    That function itself looks NumPy's functions up by name, so that an answer that replaces one of
    them would break it.
    """
    # Times 1.0: unsigned integers cannot be subtracted, and the smallest one has no absolute value.
    gap = abs(got * 1.0 - expected * 1.0)
    bound = tolerance.atol + tolerance.rtol * abs(expected * 1.0)
    near = isfinite(expected) & (gap <= bound)
    return asarray(near | (got == expected) | (isnan(got) & isnan(expected)))


def _compare_finite(got: Any, expected: Any, where: str) -> Difference | None:
    """Report NaN or infinity in ``got``, unless ``expected`` has the same in the same place."""
    allowed = expected if got.shape == expected.shape else zeros(got.shape)
    if (isnan(got) & ~isnan(allowed)).any():
        return Difference("nan", f"NaN (not a number){where}")
    if (isinf(got) & isfinite(allowed)).any():
        return Difference("nan", f"an infinite number{where}")
    return None


def _first(differences: Any) -> Difference | None:
    """Return the most basic difference, of equally basic ones the first."""
    return min(
        (difference for difference in differences if difference is not None),
        key=lambda difference: difference.rank,
        default=None,
    )


def _wrong_type(got: Any, expected: Any, where: str) -> Difference:
    return Difference("type", f"{describe(got)}{where}; {_want(expected)} is wanted")


def _wrong_shape(got: Any, expected: Any, where: str) -> Difference:
    return Difference("shape", f"{describe(got)}{where}; {_want(expected)} is wanted")


def to_array(value: Any) -> np.ndarray[Any, Any]:
    """Convert numbers, or nested sequences of them, to an array; ragged ones to an object array."""
    try:
        return asarray(value)
    except (ValueError, OverflowError):
        return np.empty(len(value) if isinstance(value, list | tuple) else 0, dtype=object)


def _to_numbers(number: Any) -> np.ndarray[Any, Any]:
    """Convert a number or array of numbers to an array; huge integers become infinite."""
    array = asarray(number)
    return array if array.dtype.kind != "O" else asarray(np.inf if number > 0 else -np.inf)


def _element_kind(value: Any) -> str:
    """Return what a plain value consists of; numbers and truth values are not the same."""
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float | complex):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, np.ndarray | np.generic):
        kinds = {"b": "truth value", "S": "text", "U": "text", "O": "object"}
        return kinds.get(value.dtype.kind, "number")
    return "other"


def _kinds(scalar: Any) -> str:
    return {"number": "iufc", "truth value": "b", "text": "SU"}.get(_element_kind(scalar), "")


# --- describing ---


def describe(value: Any) -> str:
    """Say in a few words what a plain value is, for example "an array of shape (3, 1)"."""
    if isinstance(value, Foreign):
        return value.description
    if value is None:
        return "None"
    if value is Ellipsis:
        return "`...`"
    if isinstance(value, np.ndarray):
        of = {"truth value": " of truth values", "text": " of texts"}.get(_element_kind(value), "")
        if value.dtype.kind == "O":
            return "a list whose elements do not form an array"
        return f"an array{of} of shape {value.shape}"
    if isinstance(value, list | tuple | dict):
        name = {list: "list", tuple: "tuple", dict: "dictionary"}[type(value)]
        return f"a {name} of {len(value)} element{'' if len(value) == 1 else 's'}"
    return f"the {_element_kind(value)} {show(value)}"


def _want(value: Any) -> str:
    if isinstance(value, np.ndarray | list | tuple | dict | Foreign):
        return describe(value)
    return "None" if value is None else f"a {_element_kind(value)}"


def show(value: Any, precision: int = 6) -> str:
    """Write a plain value on one line, abbreviated."""
    if isinstance(value, np.ndarray):
        text = _show_items(list(value), "[{}]", precision)
        return text if value.size <= 8 else f"{text} (shape {'×'.join(map(str, value.shape))})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        value += 0.0  # no minus before a zero
        # A point keeps floats apart from integers: 5.0, not 5.
        text = f"{value:.{precision}g}"
        return text if set(text) & set(".en") else text + ".0"
    if isinstance(value, complex):
        return f"{value:.{precision}g}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:59] + "…")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "an integer of more than 30 digits"
    if isinstance(value, list):
        return _show_items(value, "[{}]", precision)
    if isinstance(value, tuple):
        return _show_items(value, "({},)" if len(value) == 1 else "({})", precision)
    if isinstance(value, dict):
        pairs = [f"{key!r}: {show(item, precision)}" for key, item in list(value.items())[:8]]
        return "{" + ", ".join(pairs + ["…"] * (len(value) > 8)) + "}"
    return describe(value) if isinstance(value, Foreign) else str(value)


def _show_items(items: Sequence[Any], brackets: str, precision: int) -> str:
    # A row of an array is shown as a list: the shape stands once, behind the whole.
    items = [
        list(item) if isinstance(item, np.ndarray) and item.ndim == 1 else item for item in items
    ]
    shown = [show(item, precision) for item in (items if len(items) <= 8 else items[:3])]
    if len(items) > 8:
        shown += ["…", show(items[-1], precision)]
    return brackets.format(", ".join(shown))


def show_pair(expected: Any, got: Any) -> tuple[str, str]:
    """Write two plain values so that a small difference between them stays visible."""
    for precision in (6, 17):
        pair = show(expected, precision), show(got, precision)
        if pair[0] != pair[1]:
            break
    return pair
