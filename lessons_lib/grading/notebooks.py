"""Judge the answers of a notebook in a process of its own, and of many notebooks side by side."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.grading.submissions import Submission

__all__ = ["Answer", "Result", "grade_all", "grade_notebook"]

SECONDS = 120.0  # for all answers of a notebook
MEMORY = 4 * 2**30


@dataclass(frozen=True)
class Answer:
    """A student's answer to one exercise, and the verdict on it.

    Parameters
    ----------
    exercise : str
    state : {"passed", "not yet", "not attempted", "not checked"}
        As in :class:`lessons_lib.exercises.Verdict`; ``"not checked"`` also where the notebook's
        code before the check fails.
    reason : str
        Why, in one word.
    message : str
        One sentence for the student.
    details : str
        Inputs, expected and given results.
    source : str
        The cell in which the answer stands.
    """

    exercise: str
    state: str
    reason: str
    message: str
    details: str
    source: str


@dataclass(frozen=True)
class Result:
    """What one notebook is worth.

    Parameters
    ----------
    student, notebook : str
    answers : tuple of Answer
        In the order of the notebook; of several checks of one exercise the last counts.
    problem : str
        What kept the notebook from being judged, in one sentence; empty if nothing did.
    """

    student: str
    notebook: str
    answers: tuple[Answer, ...]
    problem: str = ""


def grade_notebook(
    submission: Submission, *, seconds: float = SECONDS, package: str = "lessons_lib.lessons"
) -> Result:
    """Judge all answers of one notebook, in a process with limits on time, memory and files.

    Parameters
    ----------
    submission : Submission
    seconds : float, default=120
        Wall-clock time for the notebook, in seconds.
    package : str, default="lessons_lib.lessons"
        The package of the exercises.

    Returns
    -------
    Result
        Whatever the notebook does is told in it; nothing is raised.
    """
    check_interval("seconds", seconds, open_low=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        notebook, reply = Path(folder, "notebook.ipynb"), Path(folder, "reply.json")
        notebook.write_bytes(submission.content)
        work = Path(folder, "work")
        work.mkdir()
        environment = {
            **os.environ,
            "LESSONS_LIB_PROGRESS": "",
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HOME": folder,
            "TMPDIR": folder,
        }
        command = [sys.executable, "-m", "lessons_lib.grading._grader"]
        command += [str(notebook), str(reply), package, str(MEMORY), str(seconds)]
        problem = _run(command, work, environment, seconds)
        answers = _read(reply)
    if answers is None:
        return Result(submission.student, submission.notebook, (), problem or "it cannot be read")
    return Result(submission.student, submission.notebook, answers, problem)


def _run(command: Sequence[str], work: Path, environment: dict[str, str], seconds: float) -> str:
    """Run the grader's process to its end, or end it; return what went wrong."""
    process = subprocess.Popen(
        command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=os.name != "nt",
    )  # fmt: skip
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"the notebook's answers took longer than {seconds:g} seconds"
    finally:
        _end(process)
    return "" if code == 0 else "the notebook's code ended the process that judges it"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started and that did not hide."""
    import psutil

    try:
        family = [*psutil.Process(process.pid).children(recursive=True)]
    except psutil.Error:
        family = []
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()
    process.kill()
    process.wait()


def _read(reply: Path) -> tuple[Answer, ...] | None:
    try:
        lines = reply.read_text(encoding="utf-8").splitlines()
        answers = [Answer(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError):
        return None
    last = {answer.exercise: answer for answer in answers}
    return tuple(last.values())


def grade_all(
    submissions: Sequence[Submission],
    *,
    n_jobs: int = 2,
    seconds: float = SECONDS,
    package: str = "lessons_lib.lessons",
    kept: Path | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> list[Result]:
    """Judge all notebooks, several at once.

    Parameters
    ----------
    submissions : sequence of Submission
    n_jobs : int, default=2
        Notebooks at once.
    seconds, package
        See :func:`grade_notebook`.
    kept : Path, optional
        A folder for finished results: a notebook that was judged before, by the same version, is
        not judged again.
    progress : callable
        Called as ``progress(done, total)`` after each notebook.

    Returns
    -------
    list of Result
        In the order of the submissions.
    """
    check_integer("n_jobs", n_jobs, 1)
    results: dict[int, Result] = {}
    with ThreadPoolExecutor(n_jobs) as pool:
        running = {
            pool.submit(_grade_or_recall, submission, seconds, package, kept): number
            for number, submission in enumerate(submissions)
        }
        for future in as_completed(running):
            results[running[future]] = future.result()
            progress(len(results), len(submissions))
    return [results[number] for number in sorted(results)]


def _grade_or_recall(
    submission: Submission, seconds: float, package: str, kept: Path | None
) -> Result:
    if kept is None:
        return grade_notebook(submission, seconds=seconds, package=package)
    key = [version("lessons-lib"), package, submission.student, submission.notebook]
    digest = hashlib.sha256("\0".join(key).encode() + submission.content).hexdigest()
    place = kept / f"{digest}.json"
    try:
        stored = json.loads(place.read_text(encoding="utf-8"))
        answers = tuple(Answer(**answer) for answer in stored.pop("answers"))
        return Result(answers=answers, **stored)
    except (OSError, ValueError, TypeError, KeyError):
        result = grade_notebook(submission, seconds=seconds, package=package)
    kept.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_text(json.dumps(asdict(result)), encoding="utf-8")
    part.replace(place)
    return result
