"""Every example in a docstring of the library is run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import lessons_lib

MODULES = [m.name for m in pkgutil.walk_packages(lessons_lib.__path__, "lessons_lib.")]


@pytest.mark.parametrize("name", [name for name in MODULES if ".lessons." not in name])
def test_examples_give_what_they_show(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [
        example
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    ]
    assert len(examples) > 100
