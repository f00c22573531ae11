"""Write what came out: marks as CSV, one feedback page a student, one page about the class."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from lessons_lib.grading.notebooks import Answer, Result

__all__ = ["PRESETS", "write_reports"]

PRESETS: Mapping[str, Mapping[str, str]] = {
    "plain": {"student": "student", "notebook": "notebook", "score": "score", "max": "max_score"},
    "nbgrader": {
        "notebook": "assignment", "student": "student_id", "score": "score", "max": "max_score",
    },
    "canvas": {"student": "SIS Login ID", "score": "Score", "max": "Points Possible"},
    "moodle": {"student": "Identifier", "score": "Grade", "max": "Maximum Grade"},
}  # fmt: skip
"""Columns of the CSV: what each holds, and its heading, for the systems that read it."""

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid;vertical-align:top}
.n{text-align:right}
pre{overflow-x:auto;padding:.6rem;border:1px solid;font-size:.85rem}
"""
_STATES = {
    "passed": "✓ passed",
    "not yet": "✗ not yet",
    "not attempted": "– not attempted",
    "not checked": "? not checked",
}


def write_reports(
    results: Sequence[Result],
    folder: str | Path,
    *,
    preset: str = "plain",
    solutions: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write marks, feedback and the class page.

    Parameters
    ----------
    results : sequence of Result
        What :func:`lessons_lib.grading.grade_all` returned.
    folder : str or Path
        Where to; made if it does not exist.
    preset : {"plain", "nbgrader", "canvas", "moodle"}, default="plain"
        The columns of ``marks.csv``.
    solutions : mapping of str to str, optional
        The text of each exercise's solution, to be shown in the feedback.

    Returns
    -------
    list of Path
        The files: ``marks.csv``, ``exercises.csv`` (one row an answer), ``class.html``, and
        ``feedback/<student>.html``.

    Raises
    ------
    ValueError
        If `preset` is unknown, or `folder` is a file.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}.")
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ValueError(f"folder must be a folder, got the file {str(folder)!r}.")
    (target / "feedback").mkdir(parents=True, exist_ok=True)
    written = [target / "marks.csv", target / "exercises.csv", target / "class.html"]
    _write_marks(results, written[0], PRESETS[preset])
    _write_answers(results, written[1])
    written[2].write_text(_class_page(results), encoding="utf-8")
    by_student: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_student[result.student].append(result)
    taken: set[str] = set()
    for student, own in by_student.items():
        path = target / "feedback" / f"{_file_name(student, taken)}.html"
        path.write_text(_feedback_page(student, own, solutions or {}), encoding="utf-8")
        written.append(path)
    return written


def _write_marks(results: Iterable[Result], path: Path, columns: Mapping[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.values())
        for result in results:
            row = {
                "student": _cell(result.student),
                "notebook": _cell(result.notebook),
                "score": str(sum(answer.state == "passed" for answer in result.answers)),
                "max": str(len(result.answers)),
            }
            writer.writerow([row[key] for key in columns])


def _write_answers(results: Iterable[Result], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "notebook", "exercise", "state", "reason", "message"])
        for result in results:
            start = [_cell(result.student), _cell(result.notebook)]
            if result.problem:
                writer.writerow([*start, "", "not checked", "notebook", result.problem])
            for a in result.answers:
                writer.writerow([*start, a.exercise, a.state, a.reason, _cell(a.message)])


def _cell(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _file_name(student: str, taken: set[str]) -> str:
    """Return a name that every file system takes, and that nobody else has."""
    base = name = re.sub(r"[^\w.-]+", "_", student).strip(".") or "student"
    number = 2
    while name.lower() in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name.lower())
    return name


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def _feedback_page(student: str, results: Sequence[Result], solutions: Mapping[str, str]) -> str:
    parts = []
    for result in results:
        n_passed = sum(answer.state == "passed" for answer in result.answers)
        parts.append(f"<h2>{escape(result.notebook)}</h2>")
        if result.problem:
            parts.append(f"<p><strong>Not judged:</strong> {escape(result.problem)}.</p>")
        parts.append(f"<p>{n_passed} of {len(result.answers)} passed.</p>")
        for answer in result.answers:
            parts.append(f"<h3>{escape(answer.exercise)}: {_STATES[answer.state]}</h3>")
            if answer.message:
                parts.append(f"<p>{escape(answer.message)}</p>")
            if answer.details:
                parts.append(f'<pre tabindex="0">{escape(answer.details)}</pre>')
            if answer.exercise in solutions:
                text = escape(solutions[answer.exercise])
                parts.append(f"<details><summary>Solution</summary><pre>{text}</pre></details>")
    return _page(f"Feedback for {student}", "\n".join(parts))


def _class_page(results: Sequence[Result]) -> str:
    """Return the page about the class: no names, and of each mistake one example."""
    by_exercise: dict[str, list[Answer]] = defaultdict(list)
    for result in results:
        for answer in result.answers:
            by_exercise[answer.exercise].append(answer)
    students = len({result.student for result in results})
    body = [
        f"<p>{len(results)} notebooks of {students} students, {len(by_exercise)} exercises.</p>",
        _problems(results),
        _overview(by_exercise),
        _to_discuss(by_exercise),
    ]
    for exercise, answers in by_exercise.items():
        body.append(f'<h2 id="{escape(exercise)}">{escape(exercise)}</h2>{_mistakes(answers)}')
    return _page("What the class believes", "\n".join(body))


def _problems(results: Sequence[Result]) -> str:
    counts = Counter(result.problem for result in results if result.problem)
    if not counts:
        return ""
    items = "".join(f"<li>{n} notebooks: {escape(text)}</li>" for text, n in counts.most_common())
    return f"<h2>Not judged</h2><ul>{items}</ul>"


def _overview(by_exercise: Mapping[str, Sequence[Answer]]) -> str:
    head = "".join(f'<th scope="col" class="n">{_STATES[state]}</th>' for state in _STATES)
    rows = []
    for exercise, answers in by_exercise.items():
        counts = Counter(answer.state for answer in answers)
        cells = "".join(f'<td class="n">{counts[state]}</td>' for state in _STATES)
        name = escape(exercise)
        rows.append(f'<tr><th scope="row"><a href="#{name}">{name}</a></th>{cells}</tr>')
    return (
        f'<table><thead><tr><th scope="col">Exercise</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _to_discuss(by_exercise: Mapping[str, Sequence[Answer]]) -> str:
    """Return the mistakes that most of the class share: what to discuss first."""
    shared: list[tuple[int, str, str]] = []
    for exercise, answers in by_exercise.items():
        for (_, message), same in _grouped(answers):
            if len(same) > 1:
                shared.append((len(same), exercise, message))
    shared.sort(key=lambda entry: -entry[0])
    if not shared:
        return ""
    items = "".join(
        f"<li>{n} in {escape(exercise)}: {escape(message)}</li>"
        for n, exercise, message in shared[:5]
    )
    return f"<h2>To discuss first</h2><ol>{items}</ol>"


def _grouped(answers: Iterable[Answer]) -> list[tuple[tuple[str, str], list[Answer]]]:
    """Group the wrong answers by what is said of them, the most frequent first."""
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.state in ("not yet", "not checked"):
            groups[answer.reason, answer.message].append(answer)
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def _mistakes(answers: Sequence[Answer]) -> str:
    rows = []
    for (_, message), same in _grouped(answers):
        example = f"<pre>{escape(same[0].source)}</pre>"
        rows.append(
            f'<tr><td class="n">{len(same)}</td><td>{escape(message)}'
            f"<details><summary>An example</summary>{example}</details></td></tr>"
        )
    if not rows:
        return "<p>No mistakes.</p>"
    return (
        '<table><thead><tr><th scope="col" class="n">Students</th><th scope="col">What is said '
        f"of the answer</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
