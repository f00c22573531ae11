"""The home page in a browser: its map leads on by mouse, finger and keyboard, at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from .conftest import Visit

WIDTHS = [320, 390, 1280]
PLACES = ".map-sheet > a, .map-sheet > span"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("script", [True, False])
def test_the_map_is_legible(browser: Browser, site: str, width: int, script: bool) -> None:
    with Visit(browser, f"{site}/index.html", width=width, java_script_enabled=script) as visit:
        for place in visit.page.locator(PLACES).all():
            assert place.is_visible()
            wider, higher, font = place.evaluate(
                "node => [node.scrollWidth - node.clientWidth, node.scrollHeight - "
                "node.clientHeight, parseFloat(getComputedStyle(node).fontSize)]"
            )
            assert wider <= 0, place.inner_text()
            assert higher <= 0, place.inner_text()
            assert font >= (9.5 if width == 320 else 11.5)
        assert visit.page.locator(".map-sheet > svg:visible").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("2 L2 ridge, weight decay", "/02-l2.html"),
        ("8 Augmentation and L2: input noise is L2: λ\u00a0=\u00a0σ²", "#noise-on-the-inputs"),
    ],
)
def test_a_click_leads_there(
    browser: Browser, site: str, width: int, name: str, target: str
) -> None:
    touch = width < 1280
    with Visit(browser, f"{site}/index.html", width=width, has_touch=touch) as visit:
        link = visit.page.get_by_role("navigation", name="Map of the book").get_by_role(
            "link", name=name, exact=True
        )
        link.tap() if touch else link.click()
        visit.page.wait_for_url(lambda url: url.endswith(target))


def test_the_keyboard_meets_each_link_once_and_follows_it(browser: Browser, site: str) -> None:
    with Visit(browser, f"{site}/index.html") as visit:
        links = visit.page.locator(".book-map a")
        links.first.focus()
        met = []
        for _ in range(links.count()):
            met.append(
                visit.page.evaluate(
                    "[...document.querySelectorAll('.book-map a')].indexOf(document.activeElement)"
                )
            )
            visit.page.keyboard.press("Tab")
        assert met == list(range(links.count()))
        links.nth(1).focus()
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**/02-l2.html")


def test_the_exercises_lead_to_the_lessons(browser: Browser, site: str) -> None:
    with Visit(browser, f"{site}/index.html") as visit:
        overview = visit.page.get_by_role("region", name="Exercises")
        assert "passed" not in overview.inner_text()
        overview.get_by_role("link", name="1 Overfitting").click()
        visit.page.wait_for_url("**/01-overfitting.html#exercises")
