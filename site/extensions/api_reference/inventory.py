"""What is public in a package: each object once, under its shortest name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

PACKAGE = "lessons_lib"
# Drawings are for one lesson each, exercises hold solutions; a command is told by its help.
LEFT_OUT = (f"{PACKAGE}.lessons.", f"{PACKAGE}.command.")


@dataclass(frozen=True)
class Entry:
    """A public object.

    Attributes
    ----------
    name : str
        Its shortest public name with dots, the one under which it is documented.
    home : str
        The innermost public module that lists it, in whose section it is documented.
    aliases : tuple of str
        Its other public names.
    value : object
        The object itself.
    """

    name: str
    home: str
    aliases: tuple[str, ...]
    value: Any

    @property
    def directive(self) -> str:
        """The directive of autodoc that documents it, or ``data``."""
        if inspect.isclass(self.value):
            kind = "exception" if issubclass(self.value, BaseException) else "class"
            return f"auto{kind}"
        return "autofunction" if inspect.isroutine(self.value) else "data"


def is_covered(module: str) -> bool:
    """Whether a module belongs into the reference."""
    private = any(part.startswith("_") for part in module.split("."))
    return not private and not f"{module}.".startswith(LEFT_OUT)


def public_modules() -> Iterator[ModuleType]:
    """Yield the modules of the reference that list public names, packages before their parts."""
    package = importlib.import_module(PACKAGE)
    for info in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        if is_covered(info.name):
            module = importlib.import_module(info.name)
            if hasattr(module, "__all__"):
                yield module


@cache
def entries() -> tuple[Entry, ...]:
    """Return every public object once, in the order of the modules and of their ``__all__``."""
    names: dict[tuple[str, int], list[tuple[str, Any]]] = {}
    for module in public_modules():
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value):
                names.setdefault((name, id(value)), []).append((module.__name__, value))
    result = []
    for (name, _), places in names.items():
        modules = sorted((module for module, _ in places), key=lambda m: m.count("."))
        first, *others = (f"{module}.{name}" for module in modules)
        result.append(Entry(first, modules[-1], tuple(others), places[0][1]))
    return tuple(result)


def public_classes() -> set[type]:
    """Return the classes that have an entry."""
    return {entry.value for entry in entries() if inspect.isclass(entry.value)}
