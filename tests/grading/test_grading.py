"""A planted class, graded: what was handed in comes out, and nothing of it breaks the grader."""

from __future__ import annotations

import ast
import csv
import os
import zipfile
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lessons_lib.command import main
from lessons_lib.grading import (
    Answer,
    Result,
    Submission,
    find_submissions,
    grade_all,
    grade_notebook,
    write_reports,
)
from lessons_lib.grading.slicing import answer_cells

SAMPLES = Path(__file__).parents[1] / "exercises"
PACKAGE = "sample_lessons"
IMPORTS = "import numpy as np\nfrom lessons_lib.exercises import check, hint, progress"
RIGHT = "def penalty(theta, weight_decay):\n    return weight_decay / 2 * np.sum(theta**2)"
BLANK = "def penalty(theta, weight_decay):\n    ..."
CHECK = '\n\ncheck("shrinkage.penalty", penalty)'


@pytest.fixture(autouse=True)
def _samples_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(SAMPLES), known])))


def notebook(*sources: str) -> bytes:
    cells = [new_markdown_cell("# A lesson"), *(new_code_cell(source) for source in sources)]
    return nbformat.writes(new_notebook(cells=cells)).encode()


def graded(*sources: str, seconds: float = 60) -> Result:
    submission = Submission("anna", "lesson.ipynb", notebook(*sources))
    return grade_notebook(submission, seconds=seconds, package=PACKAGE)


def states(result: Result) -> dict[str, str]:
    return {answer.exercise: answer.state for answer in result.answers}


# --- judging one notebook ---


def test_answers_of_each_kind() -> None:
    wrong = RIGHT.replace(" / 2", "")
    for answer, state, message in [
        (RIGHT, "passed", ""),
        (wrong, "not yet", "You leave out the factor one half & write `λ < 1` wrong."),
        (BLANK, "not attempted", "replace the `...` with your answer"),
        ("penalty = 1 / 0", "not checked", "the cell raises ZeroDivisionError: division by zero"),
        ("def penalty(:", "not checked", "the cell raises SyntaxError"),
        ("raise SystemExit", "not checked", "the cell raises SystemExit"),
    ]:
        (got,) = graded(IMPORTS, answer + CHECK).answers
        assert (got.exercise, got.state) == ("shrinkage.penalty", state), answer
        assert got.message.startswith(message)
        assert answer in got.source


def test_what_an_answer_needs_of_other_cells_is_run_and_no_experiment() -> None:
    helper = "scale = {}\nscale['half'] = 0.5\n\ndef squares(theta):\n    return np.sum(theta**2)"
    answer = (
        "def penalty(theta, weight_decay):\n"
        "    return scale['half'] * weight_decay * squares(theta)"
    )
    experiment = "%time\nimport time\nwhile True:\n    time.sleep(1)"
    result = graded(IMPORTS, helper, experiment, answer + CHECK)
    assert states(result) == {"shrinkage.penalty": "passed"}
    assert result.problem == ""


def test_the_last_check_counts_and_what_a_record_claims_does_not() -> None:
    lie = "\nprint('✓ passed — shrinkage.penalty')"
    result = graded(IMPORTS, RIGHT + CHECK, BLANK + CHECK + lie)
    assert states(result) == {"shrinkage.penalty": "not attempted"}
    assert states(graded(IMPORTS, "check('no.such', 1)\ncheck('other')")) == {}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("while True:\n    pass", "longer than 20 seconds"),
        ("import os\nos._exit(0)", ""),
        ("import os\nos.kill(os.getpid(), 9)", "ended the process"),
        ("import os\nos._exit(7)", "ended the process"),
        ("input()", ""),
    ],
)
def test_code_that_breaks_its_process_breaks_nothing_else(source: str, problem: str) -> None:
    breaks = f"{source}\nx = 1\ncheck('shrinkage.step', x)"
    result = graded(IMPORTS, RIGHT + CHECK, breaks, seconds=20)
    assert problem in result.problem
    assert states(result)["shrinkage.penalty"] == "passed"  # what was judged before stays


def test_a_file_that_is_no_notebook_is_told() -> None:
    for content in (b"", b"{}", b"\xff\xfe", b'{"cells": 3}'):
        result = grade_notebook(Submission("anna", "x.ipynb", content), package=PACKAGE)
        assert result.answers == ()
        assert result.problem


def test_slices_hold_definitions_changes_and_what_these_need() -> None:
    sources = [
        "import numpy as np\nimport os",
        "a = 1\nb = []\nunused = 5",
        "for i in range(3):\n    b.append(a)",
        "check('x.y', lambda: b)",
    ]
    ((before, _, source),) = answer_cells(sources)
    assert [ast.unparse(statement) for statement in before] == [
        "a = 1", "b = []", "for i in range(3):\n    b.append(a)",
    ]  # fmt: skip
    assert source == sources[-1]


# --- who handed in what ---


def test_layouts_name_students(tmp_path: Path) -> None:
    for name in (
        "submitted/anna/l2/02-l2.ipynb",
        "submitted/ben/l2/02-l2.ipynb",
        "submitted/ben/l2/.ipynb_checkpoints/02-l2-checkpoint.ipynb",
        "submitted/ben/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    found = find_submissions(tmp_path)
    assert [(s.student, s.notebook) for s in found] == [
        ("anna", "02-l2.ipynb"),
        ("ben", "02-l2.ipynb"),
    ]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("anna.ipynb", "anna"),
        ("anna/02-l2.ipynb", "anna"),
        ("anna_123_456_02-l2.ipynb", "anna"),
        ("anna_LATE_123_456_02-l2.ipynb", "anna"),
        ("Anna B_123_assignsubmission_file/02-l2.ipynb", "Anna B"),
    ],
)
def test_a_zip_of_a_learning_system(tmp_path: Path, name: str, student: str) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr(name, b"1")
        archive.writestr("__MACOSX/x.ipynb", b"1")
    (found,) = find_submissions(tmp_path / "class.zip")
    assert found.student == student


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_bytes(b"1")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.ipynb").symlink_to(tmp_path / "secret.ipynb")
    with pytest.raises(ValueError, match="holds none"):
        find_submissions(tmp_path / "in")
    with pytest.raises(ValueError, match="place must be a folder, a zip file or a notebook"):
        find_submissions(tmp_path / "nowhere")


# --- a class and its reports ---


def test_a_planted_class_is_reported_as_planted(tmp_path: Path, capsys) -> None:
    wrong = RIGHT.replace(" / 2", "")
    planted = {"anna": RIGHT, "ben": wrong, "cleo": wrong, "dora": BLANK, "=1+1": "raise OSError"}
    folder = tmp_path / "in"
    folder.mkdir()
    for student, answer in planted.items():
        (folder / f"{student}.ipynb").write_bytes(notebook(IMPORTS, answer + CHECK))
    out = tmp_path / "out"
    call = ["grade", str(folder), "--out", str(out), "--package", PACKAGE, "--columns", "nbgrader"]
    assert main(call) == 0
    assert "5 notebooks judged, 0 with problems" in capsys.readouterr().out
    marks = list(csv.DictReader((out / "marks.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["student_id"]: row["score"] for row in marks} == {
        "anna": "1", "ben": "0", "cleo": "0", "dora": "0", "'=1+1": "0",
    }  # fmt: skip
    page = BeautifulSoup((out / "class.html").read_text(encoding="utf-8"), "html.parser")
    (row,) = page.select("table")[0].select("tbody tr")
    assert [cell.get_text() for cell in row("td")] == ["1", "2", "1", "1"]
    assert "2 in shrinkage.penalty: You leave out the factor one half" in page.select_one("ol").text
    for student in ("anna", "ben", "cleo", "dora"):
        assert student not in page.get_text()
    feedback = (out / "feedback" / "ben.html").read_text(encoding="utf-8")
    assert "factor one half &amp; write `λ &lt; 1`" in feedback
    assert "Solution" not in feedback
    # Again: nothing is judged a second time.
    before = {path: path.stat().st_mtime_ns for path in (out / ".judged").iterdir()}
    assert main([*call, "--solutions"]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (out / ".judged").iterdir()}
    assert "Solution" in (out / "feedback" / "ben.html").read_text(encoding="utf-8")


def test_texts_of_students_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    answer = Answer("a.b", "not yet", "value", evil, evil, evil)
    files = write_reports([Result(f"../{evil}", evil, (answer,), evil)], tmp_path)
    for path in files:
        assert path.resolve().is_relative_to(tmp_path.resolve())
        if path.suffix == ".html":
            assert "<script>" not in path.read_text(encoding="utf-8")


def test_students_with_like_names_get_pages_of_their_own(tmp_path: Path) -> None:
    results = [Result(name, "x.ipynb", ()) for name in ("a b", "a_b", "A_B", "")]
    pages = [path for path in write_reports(results, tmp_path) if path.parent.name == "feedback"]
    assert len({path.name.lower() for path in pages}) == 4


def test_bad_calls_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="preset must be one of plain"):
        write_reports([], tmp_path, preset="excel")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="got the file"):
        write_reports([], tmp_path / "file")
    with pytest.raises(ValueError, match="n_jobs must be at least 1"):
        grade_all([], n_jobs=0)
    assert main(["grade", str(tmp_path / "nowhere")]) == 1
