"""A fingerprint changes with what a function does, and with nothing else."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lessons_lib.measure import fingerprint
from lessons_lib.measure.fingerprint import _definition_of, _reach
from lessons_lib.network import fit

ARM = '''
from {package}.layers import Layer
from {package} import tools

FACTOR = 3

def arm(setting, seed):
    """Run."""
    layer: Layer = Layer(2)  # a comment
    if seed < 0:
        raise ValueError("seed is negative")
    return FACTOR * tools.helper(layer.size)

def other():
    return 1
'''
LAYERS = '''
class Layer:
    """A layer."""
    def __init__(self, size: int) -> None:
        self.size = size

class Unused:
    pass
'''
TOOLS = """
def helper(x):
    return _deeper(x)

def _deeper(x):
    return x + 1

def unused():
    return 0
"""
NUMBERS = itertools.count()


@pytest.fixture
def imprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that writes a package with replaced texts and returns the fingerprint."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(*changes: tuple[str, str], name: str = "arm", file: str = "experiment") -> str:
        package = f"imprinted_{next(NUMBERS)}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for module, text in ((file, ARM), ("layers", LAYERS), ("tools", TOOLS)):
            for old, new in changes:
                text = text.replace(old, new)
            (folder / f"{module}.py").write_text(text.replace("{package}", package))
        importlib.invalidate_caches()
        return fingerprint(getattr(importlib.import_module(f"{package}.{file}"), name))

    yield write
    for name in [name for name in sys.modules if name.startswith("imprinted_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "change",
    [
        ("Layer(2)", "Layer(4)"),
        ("FACTOR = 3", "FACTOR = 4"),
        ("return x + 1", "return x + 2"),
        ("self.size = size", "self.size = 2 * size"),
        ("return _deeper(x)", "return _deeper(x) + 0"),
    ],
    ids=lambda change: change[1],
)
def test_it_changes_with_what_is_reached(imprint: Any, change: tuple[str, str]) -> None:
    assert imprint(change) != imprint()


@pytest.mark.parametrize(
    "change",
    [
        ("# a comment", "# another"),
        ('"""Run."""', '"""Run it."""'),
        ("seed is negative", "seed must be positive"),
        ("layer: Layer =", "layer: object ="),
        ("return 0", "return 5"),
        ("    pass", "    size = 3"),
        ("\ndef other():\n    return 1\n", ""),
        ("layer.size)", "\n        layer.size\n    )"),
    ],
    ids=lambda change: change[1].strip()[:20] or "removed",
)
def test_it_does_not_change_with_anything_else(imprint: Any, change: tuple[str, str]) -> None:
    assert imprint(change) == imprint()


def test_moving_a_function_to_another_file_is_no_change(imprint: Any) -> None:
    assert imprint(file="moved") == imprint()


def test_it_depends_on_the_function_and_on_arguments_of_a_partial(imprint: Any) -> None:
    assert imprint() != imprint(name="other")
    assert fingerprint(partial(fit, epochs=1)) != fingerprint(partial(fit, epochs=2))
    assert fingerprint(partial(fit, epochs=1)) == fingerprint(partial(fit, epochs=1))
    assert fingerprint(fit) != fingerprint(fit, extra="base")


def test_through_packages_it_reaches_what_the_library_uses() -> None:
    reached: set[tuple[str, str]] = set()
    _reach(_definition_of(partial(fit).func), reached)
    assert ("lessons_lib.network.training", "backpropagate") in reached
    assert ("lessons_lib.network.layers", "Dropout") not in reached, "it builds no network"


def test_a_lambda_has_no_fingerprint() -> None:
    with pytest.raises(TypeError, match="must be defined at the top level of a module, got"):
        fingerprint(lambda setting, seed: 0.0)
