"""Pack an answer, with all that it uses in the notebook, for another process."""

import contextlib
import dis
import functools
import io
import linecache
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import cloudpickle

from lessons_lib.exercises._source import CACHED, code_of
from lessons_lib.exercises._values import type_name


class CannotHandOverError(Exception):
    """The answer refers to something that exists only in this process; the message says to what."""


class _Pickler(cloudpickle.Pickler):
    """Copies functions and classes that the other process cannot import, with all they refer to.

    Parameters
    ----------
    file : file
        Where the bytes go.
    path : sequence of str
        The folders that the other process imports from.
    """

    def __init__(self, file: io.BytesIO, path: Sequence[str]) -> None:
        super().__init__(file)
        self._path = path
        self._copied: dict[str, ModuleType] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Decide whether ``obj`` goes by name or as a copy."""
        if type(obj) is CACHED and self._is_copied(obj.__module__):
            # cloudpickle passes functions under `functools.cache` by name.
            return functools.cache, (obj.__wrapped__,)
        if type(obj) is ModuleType:
            self._is_copied(obj.__name__)
        elif type(obj) is FunctionType or issubclass(type(obj), type):
            self._is_copied(obj.__module__)
        return super().reducer_override(obj)

    def _is_copied(self, name: object) -> bool:
        if name == "__main__":
            return True
        module = sys.modules.get(name) if isinstance(name, str) else None
        if module is None or is_importable(module, self._path):
            return False
        if module.__name__ not in cloudpickle.list_registry_pickle_by_value():
            self._copied[module.__name__] = module
            cloudpickle.register_pickle_by_value(module)
        return True

    def close(self) -> None:
        """Leave cloudpickle as it was."""
        for module in self._copied.values():
            with contextlib.suppress(ValueError):
                cloudpickle.unregister_pickle_by_value(module)


def is_importable(module: ModuleType, path: Sequence[str]) -> bool:
    """Return whether a process that imports from ``path`` gets this very module by its name.

    Not so a module that was loaded from a file by other means, whose folder has left the path, or
    in whose place another file would be found.
    """
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        # Built into Python, or a package without a file; one that was made on the fly has no spec.
        return getattr(module, "__spec__", None) is not None
    if file.startswith(_installed()):
        return True
    found: Sequence[str] | None = path
    spec = None
    parts = module.__name__.split(".")
    for i in range(len(parts)):
        spec = (
            None if found is None else PathFinder.find_spec(".".join(parts[: i + 1]), list(found))
        )
        if spec is None:
            return _is_editable(module)
        found = spec.submodule_search_locations
    with contextlib.suppress(OSError, TypeError):
        return spec is not None and Path(str(spec.origin)).samefile(file)
    return False


def _is_editable(module: ModuleType) -> bool:
    """Return whether a finder that pip has installed finds the module, as in every process."""
    finders = [f for f in sys.meta_path if "__editable__" in getattr(f, "__module__", "")]
    return any(finder.find_spec(module.__name__, None) is not None for finder in finders)


@functools.cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def pack(answer: object, path: Sequence[str] = ()) -> bytes:
    """Return ``answer`` as bytes.

    Parameters
    ----------
    answer : object
        A function or a value.
    path : sequence of str
        The folders that the other process imports from.

    Raises
    ------
    CannotHandOverError
        If that is impossible; the message names the variables that are in the way.
    """
    try:
        return _pickle(answer, path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # copying may run code of the reader's classes
        raise CannotHandOverError(_why_not(answer, path, error)) from error


def _why_not(answer: object, path: Sequence[str], error: BaseException) -> str:
    uses = _find_obstacles(answer, path, set())
    if any(name == "`get_ipython`" for name, _ in uses):
        return (
            "your function uses a command of the notebook (`!…`, `%…` or `get_ipython`), which a "
            "check does not have: write it in Python, or run the command in a cell of its own"
        )
    what = (
        f"uses {' and '.join(name + kind for name, kind in uses)}, which cannot be handed to"
        if uses
        else f"cannot be handed ({type_name(error)}) to"
    )
    return f"your function {what} the process that checks answers: use only its arguments"


def _pickle(value: object, path: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, path)
    try:
        pickler.dump(value)
    finally:
        pickler.close()
    return buffer.getvalue()


def _find_obstacles(function: object, path: Sequence[str], seen: set[int]) -> list[tuple[str, str]]:
    """Name the variables, each with its type, that ``function`` uses and that cannot be copied."""
    if type(function) is not FunctionType or id(function) in seen:
        return []
    seen.add(id(function))
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    known = {name: function.__globals__.get(name) for name in _global_names(function.__code__)}
    for name, cell in cells:
        with contextlib.suppress(ValueError):  # a variable that is not set yet
            known[name] = cell.cell_contents
    obstacles: list[tuple[str, str]] = []
    for name, value in known.items():
        try:
            _pickle(value, path)
        except KeyboardInterrupt:
            raise
        except BaseException:
            inner = _find_obstacles(value, path, seen)
            obstacles += inner or [(f"`{name}`", f" (of type {type_name(value)})")]
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
