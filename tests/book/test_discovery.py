"""What search engines, previews and programs get of the built pages."""

from __future__ import annotations

import importlib
import sys
from collections import Counter

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree

from .. import contents
from .test_pages import HTML, each_page, read


@each_page
def test_it_says_what_it_is_about(page) -> None:
    (tag,) = read(page).select('head meta[name="description"]')
    assert 15 < len(tag["content"]) <= 202
    assert tag["content"] == read(page).select_one('meta[property="og:description"]')["content"]


def test_each_page_of_the_contents_says_something_else() -> None:
    texts = Counter(
        BeautifulSoup(
            (HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser"
        ).select_one('meta[name="description"]')["content"]
        for page in contents.PAGES
    )
    assert max(texts.values()) == 1, texts.most_common(2)


def test_all_pages_are_listed_and_stand_beside_as_markdown() -> None:
    lines = (HTML / "llms.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.split("](")[1].split(".md)")[0] for line in lines if line.startswith("- [")]
    assert listed == contents.PAGES
    for page in contents.PAGES:
        assert (HTML / f"{page}.md").read_text(encoding="utf-8").startswith(("#", "(", "---")), page
    lesson = (HTML / "02-l2.md").read_text(encoding="utf-8")
    for part in ("$$", "```python\n", "```text\n", "lambda"):
        assert part in lesson


def test_without_an_address_nothing_claims_one() -> None:
    assert not (HTML / "sitemap.xml").exists()
    assert not read(HTML / "02-l2.html").select('link[rel="canonical"], meta[property="og:url"]')


@pytest.mark.parametrize(
    ("text", "promise"),
    [
        ("Title\n=====\n\nOne.\n\nTwo.", "One."),
        (f"{'Word and word. ' * 20}", "Word and word. " * 13),
        ("no end " * 40, "no end " * 28 + " …"),
        ("", ""),
    ],
)
def test_a_promise_ends_with_a_sentence_or_a_word(discovery, text: str, promise: str) -> None:
    got = discovery.promise(publish_doctree(text))
    assert got.replace("no …", "…").split() == promise.split()


@pytest.fixture(scope="module")
def discovery():
    sys.path.insert(0, str(contents.ROOT / "site" / "extensions"))
    return importlib.import_module("book_site.discovery")
