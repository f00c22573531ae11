"""Maps and scorecard in a browser: phone, dark mode, sorted by a click, and without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from lessons_lib.measure import RobustnessMap, run_cell
from lessons_lib.page.verdicts import scorecard_html, verdict_html

from ..measure.sample_verdicts.ramp.verdicts import VERDICTS
from .conftest import ROOT, Visit


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a page with the scorecard and the maps."""
    maps = [RobustnessMap(v, [run_cell(v, t) for t in v.settings()]) for v in VERDICTS]
    body = scorecard_html(maps) + "".join(verdict_html(measured) for measured in maps)
    script = (ROOT / "site" / "static" / "site.js").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("site") / "page.html"
    path.write_text(
        f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Verdicts</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>@media (prefers-color-scheme: dark) {{ html {{ background: #121212; color: #ced6dd }}
a {{ color: #9bdcff }} }}</style></head>
<body><main><h1>Verdicts</h1>{body}</main><script>{script}</script></body></html>""",
        encoding="utf-8",
    )
    return path.as_uri()


def order(page: Page) -> list[str]:
    """Return the verdicts as the scorecard lists them."""
    cells: list[str] = page.locator(".scorecard tbody td:first-child").evaluate_all(
        "cells => cells.map(cell => cell.dataset.sort)"
    )
    return cells


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with Visit(browser, address, until="load") as visit:
        yield visit.page
        assert visit.problems == []


def test_a_click_on_a_head_sorts_and_another_turns_it_around(page: Page) -> None:
    assert order(page) == ["ramp.up", "ramp.always"]
    head = page.get_by_role("columnheader", name="Holds in")
    head.get_by_role("button").click()
    assert order(page) == ["ramp.up", "ramp.always"], "4 of 10 before 3 of 3"
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").press("Enter")
    assert order(page) == ["ramp.always", "ramp.up"]
    assert head.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Turns in").click()
    assert order(page) == ["ramp.always", "ramp.up"]
    assert head.get_attribute("aria-sort") is None


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "dark")])
def test_it_fits_and_is_accessible(browser: Browser, address: str, width: int, theme: str) -> None:
    with Visit(browser, address, width=width, theme=theme, until="load") as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        results = Axe().run(visit.page)
        assert results.violations_count == 0, results.generate_report()
        tops = visit.page.locator(".verdict-map tr:first-child > *").evaluate_all(
            "cells => cells.slice(0, 2).map(cell => Math.round(cell.getBoundingClientRect().top))"
        )
        assert (tops[0] < tops[1]) == (width == 390), "on a phone the cells wrap below their knob"


def test_without_script_all_is_there(browser: Browser, address: str) -> None:
    with Visit(browser, address, until="load", java_script_enabled=False) as visit:
        assert visit.page.locator(".scorecard button").count() == 0
        assert visit.page.locator(".scorecard tbody tr").count() == 2
        assert "Holds in 4 of 10 cells." in visit.page.locator("main").inner_text()
