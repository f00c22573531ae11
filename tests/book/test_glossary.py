"""Links to the glossary: they lead to the word, and every word is linked from a lesson."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest

from .test_pages import HTML, LESSONS, read

TERMS = {"test rows": "test rows", "penalty": "penalty", "elastic net": "Elastic Net"}


@pytest.fixture
def find_term(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    monkeypatch.syspath_prepend(HTML.parents[1] / "site" / "extensions")
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


def test_every_word_is_linked_from_a_lesson() -> None:
    entries = {str(entry["id"]) for entry in read(HTML / "glossary.html").select("dt[id]")}
    linked = {
        str(link["href"]).partition("#")[2]
        for page in LESSONS
        for link in read(page).select('article a[href^="glossary.html"]')
    }
    assert "" not in linked, "a link to the glossary leads to its top"
    assert entries - linked == set()
