"""Pack an answer, with all that it uses in the notebook, for another process."""

import contextlib
import dis
import functools
import io
import linecache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import cloudpickle

from lessons_lib.exercises._source import CACHED, code_of
from lessons_lib.exercises._values import type_name


class CannotHandOverError(Exception):
    """The answer refers to something that exists only in this process; the message says to what."""


class _Pickler(cloudpickle.Pickler):
    """Copies functions and classes that were defined in the notebook, with all they refer to."""

    def reducer_override(self, obj: Any) -> Any:
        """Copy functions under ``functools.cache``, too, which cloudpickle passes by name."""
        if type(obj) is CACHED and obj.__module__ == "__main__":
            return functools.cache, (obj.__wrapped__,)
        return super().reducer_override(obj)


def pack(answer: object) -> bytes:
    """Return ``answer`` as bytes.

    Raises
    ------
    CannotHandOverError
        If that is impossible; the message names the variables that are in the way.
    """
    try:
        return _pickle(answer)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # copying may run code of the reader's classes
        uses = _find_obstacles(answer, set())
        what = (
            f"uses {' and '.join(uses)}, which cannot be handed to"
            if uses
            else f"cannot be handed ({type_name(error)}) to"
        )
        message = f"your function {what} the process that checks answers: use only its arguments"
        raise CannotHandOverError(message) from error


def _pickle(value: object) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()


def _find_obstacles(function: object, seen: set[int]) -> list[str]:
    """Name the variables of the notebook that ``function`` uses and that cannot be copied."""
    if type(function) is not FunctionType or id(function) in seen:
        return []
    seen.add(id(function))
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    known = {name: function.__globals__.get(name) for name in _global_names(function.__code__)}
    for name, cell in cells:
        with contextlib.suppress(ValueError):  # a variable that is not set yet
            known[name] = cell.cell_contents
    obstacles = []
    for name, value in known.items():
        try:
            _pickle(value)
        except KeyboardInterrupt:
            raise
        except BaseException:
            obstacles += _find_obstacles(value, seen) or [f"`{name}` (of type {type_name(value)})"]
    return obstacles


def _global_names(code: CodeType) -> list[str]:
    names = [step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # functions and comprehensions inside the function
            names += _global_names(constant)
    return names


def cell_of(answer: object) -> tuple[str, list[str]]:
    """Return the text of the notebook cell that defines ``answer``; of a file, nothing."""
    code = code_of(answer)
    if code is None or Path(code.co_filename).exists():
        return "", []
    return code.co_filename, linecache.getlines(code.co_filename)
