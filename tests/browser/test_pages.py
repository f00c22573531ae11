"""The pages of the built book in a browser: on a phone and a desktop, light and dark."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from ..contents import LESSONS
from .conftest import HTML, Visit

NAMES = sorted(path.relative_to(HTML).with_suffix("").as_posix() for path in HTML.rglob("*.html"))
SOURCES = [name for name in NAMES if name.startswith("_modules/")]
# The pages with source are all alike: their list, and the longest.
LONGEST = sorted(SOURCES, key=lambda name: (HTML / f"{name}.html").stat().st_size)[-2:]
PAGES = [name for name in NAMES if name not in SOURCES] + ["_modules/index", *LONGEST]
# A check of accessibility takes seconds: one of each width and of each theme.
CHECKED = {(390, "light"), (1280, "dark")}

each_page = pytest.mark.parametrize("page", PAGES)
each_theme = pytest.mark.parametrize("theme", ["light", "dark"])


def test_the_book_has_pages() -> None:
    assert {"index", "notation", "01-overfitting"} <= set(PAGES)


def look_at(browser: Browser, address: str, width: int, theme: str) -> None:
    with Visit(browser, address, width=width, theme=theme) as visit:
        hosts = {urlsplit(url).netloc for url in visit.requests if not url.startswith("data:")}
        assert hosts == {urlsplit(address).netloc}
        assert visit.problems == []
        assert visit.page.evaluate("document.documentElement.dataset.theme") == theme
        overflow = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, "the page is wider than the screen"
        assert visit.page.locator(".katex-error").count() == 0
        if (width, theme) in CHECKED:
            results = Axe().run(visit.page)
            assert results.violations_count == 0, results.generate_report()


# Classes, so that pytest-xdist may give each of them to another worker.
class TestOnAPhone:
    @each_theme
    @each_page
    def test_page(self, browser: Browser, site: str, page: str, theme: str) -> None:
        look_at(browser, f"{site}/{page}.html", 390, theme)


class TestOnADesktop:
    @each_theme
    @each_page
    def test_page(self, browser: Browser, site: str, page: str, theme: str) -> None:
        look_at(browser, f"{site}/{page}.html", 1280, theme)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_quick_reference_prints_on_one_sheet(browser: Browser, site: str, paper: str) -> None:
    with Visit(browser, f"{site}/quick-reference.html") as visit:
        pages = re.findall(rb"/Type\s*/Page\b", visit.page.pdf(format=paper))
        assert len(pages) == 1


@pytest.mark.parametrize("page", LESSONS)
def test_mathematics_is_rendered_without_a_script(browser: Browser, site: str, page: str) -> None:
    with Visit(browser, f"{site}/{page}.html", java_script_enabled=False) as visit:
        formulas = visit.page.locator(".katex")
        assert formulas.count() > 10
        font = formulas.first.evaluate("node => getComputedStyle(node).fontFamily")
        assert "KaTeX" in font
        text = visit.page.locator("article").inner_text()
        assert not re.search(r"\\(frac|mathbb|operatorname)(?![^\n]*\n)", text)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", LESSONS)
def test_sliders_move_the_picture(browser: Browser, site: str, page: str, width: int) -> None:
    with Visit(browser, f"{site}/{page}.html", width=width) as visit:
        explorables = visit.page.locator(".explorable")
        assert explorables.count() >= 2
        for i in range(explorables.count()):
            explorable = explorables.nth(i)
            explorable.scroll_into_view_if_needed()
            visit.page.wait_for_function(
                "n => Object.keys(window.explorables ?? {}).length >= n", arg=i + 1
            )
            picture = explorable.locator("[role=img]")
            for j in range(explorable.locator("input[type=range]").count()):
                slider = explorable.locator("input[type=range]").nth(j)
                # By keyboard, to both ends.
                slider.focus()
                visit.page.keyboard.press("Home")
                first = picture.get_attribute("aria-label")
                shown = picture.inner_html()
                visit.page.keyboard.press("End")
                last = picture.get_attribute("aria-label")
                visit.page.wait_for_function(
                    "([node, before]) => node.innerHTML !== before",
                    arg=[picture.element_handle(), shown],
                    timeout=2000,
                )
                assert first != last
                # By mouse, from there toward the other end.
                value = slider.input_value()
                box = slider.bounding_box()
                assert box is not None
                visit.page.mouse.click(box["x"] + box["width"] / 10, box["y"] + box["height"] / 2)
                assert slider.input_value() != value
                assert slider.get_attribute("aria-valuetext")
        assert visit.problems == []


@pytest.mark.parametrize("page", LESSONS)
def test_without_javascript_the_start_frame_is_there(
    browser: Browser, site: str, page: str
) -> None:
    with Visit(browser, f"{site}/{page}.html", java_script_enabled=False) as visit:
        for explorable in visit.page.locator(".explorable").all():
            assert explorable.locator("[role=img] svg").first.is_visible()
            assert not explorable.locator("input").first.is_visible()


@pytest.mark.parametrize(
    ("words", "page", "target"),
    [
        ("interpolant", "Overfitting", "01-overfitting.html"),  # a word of a lesson
        ("early stopping", "Early stopping", "07-early-stopping.html"),  # a concept
        ("overfit", "Overfitting", "01-overfitting.html"),  # a part of a word
        (
            "soft_threshold",
            "soft_threshold",
            "api/solvers.html#lessons_lib.penalties.soft_threshold",
        ),
        ("ridge_path", "ridge_path", "api/linear.html#lessons_lib.linear.ridge_path"),
        ("clip_grad", "clip_grad_norm_", "api/training.html#lessons_lib.network.clip_grad_norm_"),
    ],
)
def test_search_finds(browser: Browser, site: str, words: str, page: str, target: str) -> None:
    with Visit(browser, f"{site}/search.html?q={words}") as visit:
        result = visit.page.locator("#search-results li a").filter(has_text=page).first
        result.wait_for(timeout=10_000)
        address = result.evaluate("link => link.href")
        found, _, fragment = address.removeprefix(f"{site}/").partition("#")
        wanted, _, name = target.partition("#")
        assert found.split("?")[0] == wanted
        assert not name or fragment == name
        result.click()
        visit.page.wait_for_url(f"**/{wanted}*")
        if name:
            assert visit.page.locator(f'[id="{name}"]').is_visible()
        assert visit.problems == []


def test_hints_and_solutions_open(browser: Browser, site: str) -> None:
    with Visit(browser, f"{site}/01-overfitting.html", width=390) as visit:
        help_box = visit.page.locator(".exercise-help").first
        summary = help_box.locator("summary").first
        summary.click()
        assert help_box.locator("details").first.get_attribute("open") is not None
