"""Links to the glossary lead to the word that they show."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest

from .test_pages import HTML

TERMS = {"test rows": "test rows", "penalty": "penalty", "elastic net": "Elastic Net"}


@pytest.fixture
def find_term(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    monkeypatch.syspath_prepend(HTML.parents[1] / "book" / "_ext")
    return importlib.import_module("book_site.glossary").find_term


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("penalty", "penalty"),
        ("Penalties", "penalty"),
        ("test  rows", "test rows"),
        ("elastic nets", "Elastic Net"),
        ("penal", None),
        ("rows", None),
    ],
)
def test_a_word_is_found_in_its_forms(
    find_term: Callable[..., str | None], word: str, term: str | None
) -> None:
    assert find_term(word, TERMS) == term
