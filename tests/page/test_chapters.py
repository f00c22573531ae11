"""The map of the home page and the chapters that it leads to, against the table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from bs4 import BeautifulSoup

from lessons_lib.exercises._registry import lesson_names
from lessons_lib.page import book_map, chapters

from ..contents import LESSONS, PAGES, ROOT


def links() -> dict[str, str]:
    """Return where the links of the map lead, by what a screen reader says of them."""
    soup = BeautifulSoup(book_map._map_html(), "html.parser")
    return {
        str(link.get("aria-label") or link.get_text(" ", strip=True)): str(link["href"])
        for link in soup("a")
    }


def test_the_chapters_are_pages_of_the_book_in_its_order() -> None:
    pages = [chapter.page for chapter in chapters.CHAPTERS]
    assert pages == [page for page in PAGES if page in pages]
    assert all((ROOT / "book" / chapter.file).is_file() for chapter in chapters.CHAPTERS)


def test_every_lesson_is_a_chapter_and_on_the_map() -> None:
    missing = set(LESSONS) - {chapter.page for chapter in chapters.CHAPTERS}
    assert not missing, "add it to CHAPTERS in lessons_lib/page/chapters.py"
    missing = {f"{page}.ipynb" for page in LESSONS} - set(links().values())
    assert not missing, (
        "add it to the map in lessons_lib/page/book_map.py: _EXPLICIT, _IMPLICIT or _EXITS"
    )


def test_all_exercises_belong_to_a_chapter() -> None:
    assert set(lesson_names()) <= {chapter.lesson for chapter in chapters.CHAPTERS}


def test_numbers_and_names_come_from_the_file() -> None:
    by_page = {chapter.page: chapter for chapter in chapters.CHAPTERS}
    assert (by_page["04-elastic-net"].number, by_page["04-elastic-net"].lesson) == (
        "4",
        "elastic_net",
    )
    assert by_page["10-sgd-noise"].number == "10"
    assert (by_page["conventions"].number, by_page["conventions"].lesson) == ("", "conventions")


def test_links_lead_to_files_live_and_to_sections_in_the_built_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    label = "8 Augmentation and L2: input noise is L2: λ\u00a0=\u00a0σ²"
    assert links()[label] == "02-l2.ipynb"
    assert all((ROOT / "book" / address).is_file() for address in links().values())
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    assert links()[label] == "02-l2.html#noise-on-the-inputs"
    assert links()["2 L2 ridge, weight decay"] == "02-l2.html"


def test_an_unknown_page_is_refused() -> None:
    with pytest.raises(ValueError, match=r"page must be one of 01-overfitting, .*; got '02-l3'"):
        chapters.chapter_link("02-l3")


def test_as_text_it_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    book_map.show_map()
    text = capsys.readouterr().out
    for part in BeautifulSoup(book_map._map_html(), "html.parser").select(
        "a b, a span, .map-heading"
    ):
        assert part.get_text() in text


@pytest.mark.parametrize("wide", [True, False])
class TestSheet:
    def boxes(self, wide: bool) -> Iterator[book_map._Box]:
        return iter(book_map._Sheet(wide=wide).boxes.values())

    def test_everything_is_on_it(self, wide: bool) -> None:
        sheet = book_map._Sheet(wide=wide)
        for box in sheet.boxes.values():
            assert 0 <= box.x < box.right <= sheet.width
            assert 0 <= box.y < box.bottom <= sheet.height

    def test_nothing_overlaps(self, wide: bool) -> None:
        for one, other in combinations(self.boxes(wide), 2):
            apart = one.right <= other.x or other.right <= one.x
            assert apart or one.bottom <= other.y or other.bottom <= one.y, (one, other)
