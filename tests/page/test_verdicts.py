"""Maps and scorecard: numbers and words as measured, readable as text, sorted by reach."""

from __future__ import annotations

from pathlib import Path

import bs4
import pytest

from lessons_lib.measure import Record, RobustnessMap, compute, read_map, verdicts_of
from lessons_lib.page import verdicts as page

from ..measure import sample_verdicts

PACKAGE = sample_verdicts.__name__


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measure the sample's verdicts once."""
    path = tmp_path_factory.mktemp("verdicts")
    list(compute([Record(v, path / f"{v.name}.toml") for v in verdicts_of(PACKAGE)]))
    return path


@pytest.fixture(autouse=True)
def _stored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Record, "of", lambda v, package: Record(v, folder / f"{v.name}.toml"))


@pytest.fixture
def up() -> RobustnessMap:
    return read_map("ramp.up", PACKAGE)


def test_as_text_it_has_all_numbers_and_words(up: RobustnessMap) -> None:
    text = page.verdict_text(up)
    assert text.startswith("The treatment raises the score.\nScore, treated less plain: mean ± ")
    assert "over 6 seeds." in text
    assert f"100* {up.effect().mean:+.2f} ± {up.effect().half_width:.2f} holds" in text
    assert "1000 −" in text, "a minus sign, not a hyphen"
    assert "updates × kind plain, useless" in text
    assert text.endswith(up.conditions())
    assert text.count("*") == 3, "the base, once on each knob"


def test_the_map_says_the_same_as_a_table(up: RobustnessMap) -> None:
    soup = bs4.BeautifulSoup(page.verdict_html(up), "html.parser")
    table, grid = soup("table")
    assert [head.get_text() for head in table("th")] == ["Updates", "Learning rate", "Kind"]
    rows = [[cell.get_text(" ") for cell in row("td")] for row in table("tr")]
    assert [len(row) for row in rows] == [4, 3, 2]
    assert rows[0][3].startswith("1000 −")
    assert rows[0][3].endswith(" turns")
    states = [cell["class"][0] for cell in table("td")]
    assert states[:4] == ["verdict-holds", "verdict-holds", "verdict-lost", "verdict-turns"]
    assert len(grid("td")) == 4 * 2 + 1
    assert len(table.select(".verdict-base")) == 3
    assert len(grid.select(".verdict-base")) == 1
    assert up.conditions() in str(table["aria-label"])
    assert up.conditions() in soup.get_text()


def test_words_not_only_colors_tell_the_states(up: RobustnessMap) -> None:
    soup = bs4.BeautifulSoup(page.verdict_html(up), "html.parser")
    for cell in soup.select("td[class]"):
        assert cell["class"][0] == "verdict-" + cell.get_text(" ").split()[-1]


def test_markup_in_a_sentence_is_text() -> None:
    soup = bs4.BeautifulSoup(page.verdict_html(read_map("ramp.always", PACKAGE)), "html.parser")
    assert soup.strong is not None
    assert soup.strong.get_text() == "The treatment raises the score & nothing <turns> it."


def test_the_scorecard_begins_with_what_holds_farthest(capsys: pytest.CaptureFixture[str]) -> None:
    page.show_scorecard(package=PACKAGE)
    assert capsys.readouterr().out.splitlines() == [
        "ramp.always: holds in 3 of 3",
        "ramp.up: holds in 4 of 10, turns in 1",
        "2 verdicts in 13 cells: 1 hold everywhere, 1 turn somewhere.",
    ]


def test_the_scorecard_leads_to_maps_and_lessons(up: RobustnessMap) -> None:
    soup = bs4.BeautifulSoup(page.scorecard_html([up]), "html.parser")
    (link,) = soup("a")  # the sample is no lesson of the book
    shown = bs4.BeautifulSoup(page.verdict_html(up), "html.parser")
    assert shown.find(id=str(link["href"]).removeprefix("#")) is not None
    assert all(cell.has_attr("data-sort") for cell in soup("td"))
    assert len(soup("td")) == len(soup("th"))


def test_showing_names_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    page.show_verdict("ramp.up", package=PACKAGE)
    assert "Holds in 4 of 10 cells." in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"must be that of a verdict .* got 'ramp.flat'"):
        page.show_verdict("ramp.flat", package=PACKAGE)
    with pytest.raises(ValueError, match=r"must declare verdicts, got 'tests.exercises'"):
        page.show_scorecard(package="tests.exercises")
