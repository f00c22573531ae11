"""Write down what a reader has typed, so that no attempt is lost.

The text is kept as it was typed. Where the source of a function cannot be read (under ``%%time``,
or made by ``exec``), the notebook's cell stands for it; outside of a notebook, a line says so.
"""

import ast
import functools
import linecache
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from lessons_lib.exercises._model import Exercise
from lessons_lib.exercises._source import CACHED, is_stub, source_of_code
from lessons_lib.exercises._values import Foreign, class_name, contains_ellipsis, plain, type_name

_LONGEST = 200_000  # characters
_NO_SOURCE = "# the source of this answer is not known"
_MOST_ITEMS = 50_000  # numbers of a value
_DEFAULT_DTYPES = (np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.bool_), np.dtype(complex))


def attempt_text(exercise: Exercise, answer: object) -> str:
    """Return the text of an answer, as it is kept for :func:`lessons_lib.exercises.last_attempt`.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    answer : object
        The function, or the value where the exercise asks for one.

    Returns
    -------
    str
        Source of a function with what decorates it, of a class, or code that makes the value. What
        is longer than 200,000 characters is cut, and a last line says so.
    """
    value = plain(answer) if exercise.asks_for_value else None
    if exercise.asks_for_value and not isinstance(value, Foreign):
        return _cut(as_code(value))
    parts = list(dict.fromkeys(_typed_parts(answer, set())))
    if parts:
        return _cut("\n\n\n".join(parts))
    cell = _cell_with(answer)
    return _cut(cell) if cell else f"{_NO_SOURCE}: {_in_words(answer)}"


def has_no_source(text: str) -> bool:
    """Return whether ``text`` stands for an answer whose source is not known: any other may be."""
    return text.startswith(_NO_SOURCE)


def has_nothing_typed(exercise: Exercise, answer: object) -> bool:
    """Return whether ``answer`` is what the lesson itself gives: the stub, or only ``...``."""
    if not exercise.asks_for_value:
        return answer is Ellipsis or is_stub(answer)  # type: ignore[arg-type]
    value = plain(answer)
    return value is Ellipsis or (
        isinstance(value, list | tuple)
        and contains_ellipsis(value)
        and all(item is Ellipsis for item in value)
    )


# --- values ---


def as_code(value: Any) -> str:
    """Write a plain value as Python code that makes it again, number for number.

    Parameters
    ----------
    value : object
        What :func:`lessons_lib.exercises._values.plain` returns.
    """
    if isinstance(value, np.ndarray):
        return _array_code(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list):
        return f"[{_items(value)}]"
    if isinstance(value, tuple):
        return f"({_items(value)}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        pairs = (f"{as_code(key)}: {as_code(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, float) and not np.isfinite(value):
        return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}[repr(value)]
    if value is Ellipsis:
        return "..."
    return f"<{value.description}>" if isinstance(value, Foreign) else _repr(value)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # Python refuses to write integers of many thousand digits
        return "<an integer of more than 4300 digits>"


def _items(values: list[Any] | tuple[Any, ...]) -> str:
    text = ", ".join(as_code(item) for item in values[:_MOST_ITEMS])
    more = len(values) - _MOST_ITEMS
    return text if more <= 0 else f"{text}, ...  # cut: {more} more elements\n"


def _array_code(array: np.ndarray[Any, Any]) -> str:
    dtype = "" if array.dtype in _DEFAULT_DTYPES else f", dtype={array.dtype.name!r}"
    if array.dtype.kind in "SU":
        dtype = ""
    if not array.size:
        return f"np.zeros({array.shape}{dtype})"
    if array.size > _MOST_ITEMS:
        first = as_code(array.ravel()[:1000].tolist())
        return (
            f"np.array({first}{dtype})  # cut: the first 1000 of {array.size}, shape {array.shape}"
        )
    return f"np.array({as_code(array.tolist())}{dtype})"


# --- functions ---


def _typed_parts(answer: Any, seen: set[int]) -> Iterator[str]:
    """Yield the source of each function and class that ``answer`` is made of, inner ones first.

    Only of what the reader wrote: a decorator of NumPy's or Python's own is left out.
    """
    if id(answer) in seen or len(seen) > 50:
        return
    seen.add(id(answer))
    kind = type(answer)  # asking the object itself could run code of its class
    if kind is FunctionType:
        if "__wrapped__" in answer.__dict__:
            yield from _typed_parts(answer.__dict__["__wrapped__"], seen)
        for cell in answer.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # a variable that is not set yet
                continue
            if type(held) in (FunctionType, CACHED, functools.partial, MethodType):
                yield from _typed_parts(held, seen)
        if not _is_library(answer.__code__):
            yield from _known(source_of_code(answer.__code__))
    elif kind is CACHED:
        yield from _typed_parts(answer.__wrapped__, seen)
    elif kind is functools.partial:
        yield from _typed_parts(answer.func, seen)
        given = [as_code(plain(a)) for a in answer.args]
        given += [f"{name}={as_code(plain(a))}" for name, a in answer.keywords.items()]
        name = getattr(answer.func, "__name__", "the function above")
        yield f"functools.partial({', '.join([str(name), *given])})"
    elif kind is MethodType:
        parts = list(_typed_parts(answer.__self__, seen))
        yield from parts or _typed_parts(answer.__func__, seen)
    else:
        yield from _known(_class_source(answer if issubclass(kind, type) else kind))


def _known(text: str | None) -> Iterator[str]:
    if text is not None:
        yield text


def _is_library(code: CodeType) -> bool:
    return code.co_filename.startswith("<frozen ") or code.co_filename.startswith(
        _library_folders()
    )


@functools.cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _class_source(kind: type) -> str | None:
    """Return the source of a class: of its definition that holds one of its methods."""
    namespace = type.__dict__["__dict__"].__get__(kind)
    codes = [value.__code__ for value in namespace.values() if type(value) is FunctionType]
    for code in codes:
        if _is_library(code):
            continue
        text = "".join(linecache.getlines(code.co_filename))
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        found = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and node.name == class_name(kind)
            and node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
        ]
        if found:
            lines = text.splitlines()[_first_line(found[-1]) - 1 : found[-1].end_lineno]
            return textwrap.dedent("\n".join(lines))
    return None


def _first_line(node: ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


# --- where no source is known ---


def _cell_with(answer: object) -> str | None:
    """Return the notebook cell, as typed, that defines ``answer``: the last one that names it."""
    cells = _cells()
    name = answer.__name__ if type(answer) is FunctionType else class_name(type(answer))
    for cell in reversed(cells):
        if f"def {name}" in cell or f"class {name}" in cell or f"{name} =" in cell:
            return cell
    return cells[-1] if cells else None


def _cells() -> list[str]:
    """Return the cells that were run, as they were typed, the running one last; outside, none."""
    if "IPython" not in sys.modules:
        return []
    from IPython import get_ipython

    shell = get_ipython()
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    return [cell for cell in history or [] if isinstance(cell, str) and cell.strip()]


def _in_words(answer: object) -> str:
    if type(answer) is FunctionType:
        parameters = answer.__code__.co_varnames[: answer.__code__.co_argcount]
        return f"a function {answer.__name__}({', '.join(parameters)})"
    if type(answer) is BuiltinFunctionType:
        return f"the built-in function {answer.__name__}"
    return f"an object of type {type_name(answer)}"


def _cut(text: str) -> str:
    more = len(text) - _LONGEST
    if more <= 0:
        return text
    return f"{text[:_LONGEST]}\n# cut here: {more:,} more characters are not kept"
