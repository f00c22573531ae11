"""The built pages as files: complete, self-contained, light, and described."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from lessons_lib.measure import verdicts_of

from .. import contents
from ..contents import ROOT

HTML = ROOT / "_build" / "html"
EVERYTHING = sorted(HTML.rglob("*.html"))
SOURCES = sorted(
    (HTML / "_modules" / "lessons_lib").rglob("*.html"), key=lambda p: p.stat().st_size
)
# The pages with source are all alike: the longest stands for them.
PAGES = [page for page in EVERYTHING if page not in SOURCES[:-1]]


def name_of(page: Path) -> str:
    return page.relative_to(HTML).with_suffix("").as_posix()


LESSONS = [HTML / f"{name}.html" for name in contents.LESSONS]

each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
each_lesson = pytest.mark.parametrize("page", LESSONS, ids=name_of)


def read(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def ids_of(page: Path) -> frozenset[str]:
    return frozenset(str(tag["id"]) for tag in read(page).find_all(id=True))


def compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), mtime=0))


def test_every_chapter_is_built() -> None:
    assert all((HTML / f"{name}.html").is_file() for name in contents.PAGES)
    assert LESSONS


@each_page
def test_it_loads_nothing_from_elsewhere(page: Path) -> None:
    soup = read(page)
    loaded = [tag["src"] for tag in soup.find_all(src=True)]
    loaded += [tag["href"] for tag in soup.find_all("link", href=True)]
    for address in loaded:
        parts = urlsplit(address)
        if address.startswith("#"):
            continue
        assert parts.scheme in ("", "data"), address
        assert not parts.netloc, address
        if not parts.scheme:
            assert (page.parent / unquote(parts.path)).is_file(), address
    text = page.read_text(encoding="utf-8")
    for unwanted in ("thebe", "require.js", "html-manager", "mathjax.js", "unpkg", "jsdelivr"):
        assert unwanted not in text.lower(), unwanted


def test_style_sheets_and_scripts_load_nothing_from_elsewhere() -> None:
    for style in HTML.rglob("*.css"):
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", style.read_text(encoding="utf-8")):
            assert address.startswith(("data:", "#", ".", "fonts/")) or not urlsplit(address).scheme
            if not address.startswith(("data:", "#")) and "katex" in str(style):
                assert (style.parent / urlsplit(address).path).is_file(), address


@each_page
def test_its_links_lead_somewhere(page: Path) -> None:
    soup = read(page)
    for link in soup.select("a[href]"):
        parts = urlsplit(str(link["href"]))
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.is_file(), link["href"]
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in ids_of(target), link["href"]


def test_the_links_of_source_lead_to_the_reference() -> None:
    for page in SOURCES:
        text = page.read_text(encoding="utf-8")
        links = re.findall(r'class="viewcode-back" href="([^"#]+)#([^"]+)"', text)
        for path, name in links:
            assert name in ids_of((page.parent / path).resolve()), f"{page}: {name}"
    assert len(SOURCES) > 50


@each_page
def test_the_search_is_loaded_where_one_searches(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert ("search-records.js" in text) == (name_of(page) == "search")
    assert "searchindex.js" not in text  # Sphinx's own


@each_page
def test_no_id_is_used_twice(page: Path) -> None:
    counts = Counter(str(tag["id"]) for tag in read(page).find_all(id=True))
    # The theme shows its search button and dialog in several places.
    assert [name for name, count in counts.items() if count > 1 and "search" not in name] == []


@each_page
def test_every_picture_is_described(page: Path) -> None:
    soup = read(page)
    article = soup.find("article") or soup.main
    assert article is not None
    for image in article.find_all("img"):
        assert str(image.get("alt", "")).strip(), image
        assert not re.search(r"[0-9a-f]{20}", str(image["alt"])), "a file name is no description"
    for picture in article.select("[role=img]"):
        assert len(str(picture.get("aria-label", ""))) > 20, picture
    for svg in article.find_all("svg"):
        if svg.find_parent(class_="katex"):
            continue  # a root sign; the formula has MathML beside it
        assert svg.find_parent(attrs={"role": "img"}) or svg.get("aria-hidden") == "true"


@each_lesson
def test_a_lesson_has_its_parts(page: Path) -> None:
    soup = read(page)
    headings = " ".join(tag.get_text() for tag in soup.select("h1, h2, h3"))
    for part in ("Reality check", "Pitfalls", "Conventions", "Exercises", "Summary", "Further"):
        assert part in headings
    assert "Objectives" in soup.get_text()
    assert len(soup.select(".explorable")) >= 2
    assert len(soup.select(".exercise-help")) >= 5
    for figure in soup.select("article figure"):
        caption = figure.find("figcaption")
        assert caption is not None
        assert len(caption.get_text(strip=True)) > 30


@each_lesson
def test_exercise_help_is_complete(page: Path) -> None:
    for box in read(page).select(".exercise-help"):
        summaries = [tag.get_text() for tag in box.find_all("summary")]
        assert any("Hint" in text for text in summaries)
        assert any("Solution" in text for text in summaries)
        assert any("wrong" in text for text in summaries)


def test_every_verdict_has_its_map_and_its_row() -> None:
    soup = read(HTML / "verdicts.html")
    maps = [str(tag["id"]) for tag in soup.select(".verdict[id]")]
    assert len(maps) == len(verdicts_of())
    links = [str(link["href"]) for link in soup.select(".scorecard td:first-child a")]
    assert sorted(links) == sorted(f"#{name}" for name in maps)


def test_explorable_payloads_are_within_their_budget() -> None:
    payloads = sorted((HTML / "_static" / "explorables").glob("*.js"))
    assert len(payloads) == sum(len(read(page).select(".explorable")) for page in LESSONS)
    for payload in payloads:
        assert compressed(payload) <= 150_000, payload.name


@each_page
def test_weight(page: Path) -> None:
    """A page with its styles and scripts, without the explorables that come when one scrolls."""
    soup = read(page)
    files = {tag["src"] for tag in soup.select("script[src]")}
    files |= {tag["href"] for tag in soup.select("link[rel=stylesheet]")}
    total = compressed(page) + sum(compressed(page.parent / urlsplit(str(f)).path) for f in files)
    assert total <= 350_000


def test_icons_are_cut_to_those_in_use() -> None:
    fonts = list((HTML / "_static" / "vendor").rglob("*.woff2"))
    assert fonts
    assert sum(font.stat().st_size for font in fonts) < 30_000
    assert not (HTML / "_static" / "scripts" / "fontawesome.js").exists()


@each_page
def test_there_is_no_dead_launch_button(page: Path) -> None:
    assert "mybinder.org/v2" not in page.read_text(encoding="utf-8")
