"""What readers type, and whether the search puts what they look for among its first three."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .conftest import Visit

QUERIES = tomllib.loads(Path(__file__).with_name("search.toml").read_text(encoding="utf-8"))


def test_the_first_three_results_hold_the_page(browser: Browser, site: str) -> None:
    with Visit(browser, f"{site}/search.html") as visit:
        missed = []
        for words, pages in {**QUERIES["words"], **QUERIES["spellings"]}.items():
            found = visit.page.evaluate(
                "words => bookSearch(words).slice(0, 3).map(record => record.link)", words
            )
            if not {link.split(".html")[0] for link in found} & set(pages):
                missed.append((words, found))
        n_queries = sum(map(len, QUERIES.values()))
        assert len(missed) <= 0.05 * n_queries, missed
        assert visit.problems == []


@pytest.mark.parametrize("width", [1280, 390])
def test_results_come_as_one_types(browser: Browser, site: str, width: int) -> None:
    with Visit(browser, f"{site}/search.html?q=regularisation", width=width) as visit:
        visit.page.locator("#search-results li a").first.wait_for(timeout=10_000)
        assert visit.page.locator("#search-results mark").first.is_visible()
        field = visit.page.locator(".bd-search-container input").first
        assert field.input_value() == "regularisation"
        field.fill("xyzzyqq")
        assert "Nothing found" in visit.page.locator("#search-summary").inner_text()
        field.fill("early stoping")
        assert "Early stopping" in visit.page.locator("#search-results").inner_text()
        assert visit.problems == []
