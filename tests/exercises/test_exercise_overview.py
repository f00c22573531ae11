"""The overview of all lessons, live and in the built page."""

import re

import bs4
import pytest

from lessons_lib.exercises._overview import overview_html, overview_text
from lessons_lib.exercises._registry import exercises_of

# By alphabet, as the registry has them; the book has them in another order.
LESSONS = {name: exercises_of(name) for name in ("augmentation", "conventions", "l2")}
L2 = [exercise.name for exercise in LESSONS["l2"]]


def table(passed):
    soup = bs4.BeautifulSoup(overview_html(LESSONS, passed), "html.parser")
    rows = [[cell.get_text(" ", strip=True) for cell in row.select("td, th")] for row in soup("tr")]
    return soup, rows


def test_a_line_for_each_lesson_in_the_order_of_the_book():
    lines = overview_text(LESSONS, set(L2)).splitlines()
    assert [re.match(r"\d* ?[\w ]+?(?=  )", line)[0] for line in lines[:-1]] == [
        "2 L2",
        "8 Augmentation",
        "Conventions",
    ]
    assert re.fullmatch(rf"2 L2 +{len(L2)} of +{len(L2)}  all passed", lines[0])
    n_exercises = sum(map(len, LESSONS.values()))
    assert lines[-1] == f"{len(L2)} of {n_exercises} passed"


def test_the_next_exercise_is_the_first_that_is_not_passed():
    assert f"1 of  {len(L2)}  next: {L2[0]} " in overview_text(LESSONS, {L2[1]})
    assert f"2 of  {len(L2)}  next: {L2[2]} " in overview_text(LESSONS, set(L2[:2]))


def test_the_record_of_an_exercise_that_is_gone_counts_nothing():
    assert overview_text(LESSONS, {"l2.gone", "gone.exercise"}) == overview_text(LESSONS, set())


def test_without_lessons():
    assert overview_text({}, set()) == "0 of 0 passed"


def test_live_it_links_to_notebooks_and_tells_what_is_passed():
    soup, rows = table(L2[:2])
    assert [link["href"] for link in soup("a")] == [
        "02-l2.ipynb",
        "08-augmentation.ipynb",
        "conventions.ipynb",
    ]
    assert rows[0] == ["Lesson", "Passed", "Next"]
    assert rows[1][:2] == ["2 L2", f"2 of {len(L2)}"]
    assert rows[1][2].startswith(L2[2])
    bar = soup.find("progress")
    assert (bar["value"], bar["max"]) == ("2", str(len(L2)))


@pytest.mark.usefixtures("_static_page")
def test_the_built_page_counts_the_levels_and_claims_nothing_about_its_reader():
    soup, rows = table(set())
    assert soup.find("a")["href"] == "02-l2.html#exercises"
    assert rows[0] == ["Lesson", "★☆☆", "★★☆", "★★★", "Exercises"]
    for row, lesson in zip(rows[1:], ("l2", "augmentation", "conventions"), strict=True):
        levels = [exercise.level for exercise in LESSONS[lesson]]
        assert row[1:] == [str(levels.count(level)) for level in (1, 2, 3)] + [str(len(levels))]
    assert "passed" not in soup.get_text()


@pytest.fixture
def _static_page(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
