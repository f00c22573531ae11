"""Who may import whom in the library; read from the source, so that nothing needs to run."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import lessons_lib

ROOT = Path(lessons_lib.__file__).parent
METHODS = {
    "penalties", "solvers", "linear", "network", "augment", "ensembles", "landscape",
    "conventions", "data",
}  # fmt: skip
SHOWN = {"page", "exercises", "lessons", "grading", "command", "__main__"}
SHARED = {"measure", "_jitter", "_validation"}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the file of each module."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


@cache
def imports(name: str, *, only_at_import: bool = False) -> frozenset[str]:
    """Return the modules of the library that a module imports, wherever in it."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in tree.body if only_at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            inner = {f"{source}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= inner or {source}
    return frozenset(module for module in found if module.split(".")[0] == lessons_lib.__name__)


def room(module: str) -> str:
    """Return the package or module right below the library to which a module belongs."""
    return f"{module}.".split(".")[1]


def arrows() -> Iterator[tuple[str, str]]:
    for name in MODULES:
        for target in imports(name):
            if name != target:
                yield name, target


def test_every_room_is_known() -> None:
    assert {info.name for info in pkgutil.iter_modules([str(ROOT)])} <= METHODS | SHOWN | SHARED


def test_methods_and_measurements_know_nothing_of_what_shows_them() -> None:
    wrong = [
        arrow
        for arrow in arrows()
        if room(arrow[0]) in METHODS | SHARED and room(arrow[1]) in SHOWN
    ]
    assert not wrong


def test_only_a_lesson_imports_itself() -> None:
    def lesson(module: str) -> str:
        return f"{module}..".split(".")[2] if room(module) == "lessons" else ""

    wrong = [
        arrow for arrow in arrows() if lesson(arrow[1]) and lesson(arrow[0]) != lesson(arrow[1])
    ]
    assert not wrong


def test_the_engine_names_no_lesson() -> None:
    """Neither in an import nor in code; an example in a docstring may."""
    lessons = {path.parent.name for path in ROOT.glob("lessons/*/exercises.py")}
    for name, path in MODULES.items():
        if room(name) != "exercises":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value.split(".")[0] not in lessons, f"{path.name}:{node.lineno}"


def test_the_page_does_not_need_the_engine() -> None:
    assert not [
        arrow for arrow in arrows() if room(arrow[0]) == "page" and room(arrow[1]) == "exercises"
    ]


@pytest.mark.parametrize("level", ["rooms", "modules"])
def test_no_circles(level: str) -> None:
    graph: dict[str, set[str]] = {}
    for name in MODULES:
        for target in imports(name, only_at_import=level == "modules"):
            one, other = (name, target) if level == "modules" else (room(name), room(target))
            # A package lists what its modules offer: that is no need of theirs.
            if one != other and not name.startswith(f"{target}.") and one:
                graph.setdefault(one, set()).add(other)
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert order


def test_the_map_names_every_room_once_and_what_is_taught_first() -> None:
    text = lessons_lib.__doc__ or ""
    rooms = [line.split("``")[1] for line in text.splitlines() if line.startswith("``")]
    public = {info.name for info in pkgutil.iter_modules([str(ROOT)]) if info.name[0] != "_"}
    assert set(rooms) == public
    assert len(rooms) == len(public)
    shown = [name for name in rooms if name in SHOWN]
    assert rooms[-len(shown) :] == shown, "what shows the methods comes after them"


def test_every_package_says_what_lives_there() -> None:
    for name, path in MODULES.items():
        if path.name == "__init__.py":
            doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            assert doc.splitlines()[0].endswith("."), name
