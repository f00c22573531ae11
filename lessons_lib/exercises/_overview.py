"""Show how far a reader is in the whole book: one row for each lesson."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from lessons_lib.exercises._model import Exercise
from lessons_lib.page._output import is_static
from lessons_lib.page.chapters import CHAPTERS, chapter_link

_STYLE = """
.exercise-overview{overflow-x:auto}
.exercise-overview table{border-collapse:collapse;font-size:.92rem;margin:0}
.exercise-overview table :is(td,th){padding:.25rem .75rem .25rem 0;text-align:left!important}
"""


@dataclass(frozen=True)
class _Row:
    lesson: str
    title: str
    link: str | None
    exercises: tuple[Exercise, ...]
    n_passed: int
    next: Exercise | None


def _rows(lessons: Mapping[str, tuple[Exercise, ...]], passed: Collection[str]) -> Iterator[_Row]:
    """Yield the lessons in the order of the book, then those that are not in it."""
    chapters = {chapter.lesson: chapter for chapter in CHAPTERS}
    order = [name for name in chapters if name in lessons]
    for name in [*order, *(name for name in lessons if name not in chapters)]:
        chapter = chapters.get(name)
        left = [exercise for exercise in lessons[name] if exercise.name not in passed]
        yield _Row(
            lesson=name,
            title=chapter.heading if chapter else name,
            link=chapter_link(chapter.page, "exercises") if chapter else None,
            exercises=lessons[name],
            n_passed=len(lessons[name]) - len(left),
            next=left[0] if left else None,
        )


def overview_text(lessons: Mapping[str, tuple[Exercise, ...]], passed: Collection[str]) -> str:
    """Return one line for each lesson, and one for all of them.

    Parameters
    ----------
    lessons : mapping of str to tuple of Exercise
        The exercises of each lesson.
    passed : collection of str
        The names of the exercises that are passed.
    """
    rows = list(_rows(lessons, passed))
    width = max((len(row.title) for row in rows), default=0)
    lines = []
    for row in rows:
        what = f"next: {row.next.name} {row.next.stars}" if row.next else "all passed"
        lines.append(f"{row.title:<{width}}  {row.n_passed:2d} of {len(row.exercises):2d}  {what}")
    n_exercises = sum(len(row.exercises) for row in rows)
    return "\n".join([*lines, f"{sum(row.n_passed for row in rows)} of {n_exercises} passed"])


def overview_html(lessons: Mapping[str, tuple[Exercise, ...]], passed: Collection[str]) -> str:
    """Return the same as a table with links.

    In the built page, which knows nothing of its reader, it tells how many exercises of which
    level there are instead of how many are passed.

    Parameters
    ----------
    lessons : mapping of str to tuple of Exercise
        The exercises of each lesson.
    passed : collection of str
        The names of the exercises that are passed.
    """
    rows = list(_rows(lessons, passed))
    everything = sorted((e for row in rows for e in row.exercises), key=lambda e: e.level)
    stars = list(dict.fromkeys(exercise.stars for exercise in everything))
    heads = ["Lesson", *stars, "Exercises"] if is_static() else ["Lesson", "Passed", "Next"]
    lines = []
    for row in rows:
        title = escape(row.title)
        cells = [f'<a href="{row.link}">{title}</a>' if row.link else title]
        if is_static():
            levels = Counter(exercise.stars for exercise in row.exercises)
            cells += [str(levels[level]) for level in stars] + [str(len(row.exercises))]
        else:
            cells.append(
                f'<progress value="{row.n_passed}" max="{len(row.exercises)}"'
                f' aria-label="{title}"></progress> {row.n_passed} of {len(row.exercises)}'
            )
            cells.append(f"{escape(row.next.name)} {row.next.stars}" if row.next else "all passed")
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    n_exercises = len(everything)
    total = f"{n_exercises} exercises."
    if not is_static():
        total = f"{sum(row.n_passed for row in rows)} of {n_exercises} passed."
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f"<style>{_STYLE.strip()}</style>\n"
        '<div class="exercise-overview" role="region" aria-label="Exercises" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table><p>{total}</p></div>"
    )
