"""What a reader calls in a notebook: check, hint, solution, progress, last_attempt."""

import dataclasses
import datetime
import functools
import os
from collections.abc import Callable
from typing import Any

from lessons_lib.exercises._judge import look_at
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._progress import VARIABLE, ProgressStore, Record, open_store
from lessons_lib.exercises._registry import (
    DEFAULT_PACKAGE,
    UnknownExerciseError,
    exercises_of,
    find,
    lesson_names,
)
from lessons_lib.exercises._runner import Runner
from lessons_lib.exercises._source import source_of
from lessons_lib.exercises._values import plain, show

_LONGEST_ATTEMPT = 20_000  # characters kept in the progress file


class Session:
    """One reader's work on the exercises of one package.

    Parameters
    ----------
    package : str
        The package whose modules define the exercises.
    runner : Runner, optional
        What judges the answers.
    """

    def __init__(self, package: str = DEFAULT_PACKAGE, runner: Runner | None = None) -> None:
        self._package = package
        self._runner = Runner(package) if runner is None else runner
        self._store: ProgressStore | None = None
        self._store_setting: tuple[bool, str | None] | None = None

    def close(self) -> None:
        """Stop the process that waits for the next answer."""
        self._runner.close()

    def check(self, name: str, answer: Any = ..., *, traceback: bool = False) -> None:
        """Print what is right or wrong with ``answer``: see :func:`check`."""
        exercise = self._find(name)
        if exercise is None:
            return
        # In the static page nobody will type an answer next: a stub needs no process.
        verdict = look_at(exercise, answer) if _is_static_page() else None
        if verdict is None:
            verdict = self._runner.judge(exercise, answer)
        if verdict.state == "not attempted" and _is_static_page():
            _display_help(exercise, _in_words(exercise, verdict))
            return
        print(_in_words(exercise, verdict))
        if traceback and verdict.traceback:
            print(verdict.traceback.rstrip())
        if verdict.state in ("passed", "not yet"):
            self._keep_attempt(exercise, answer, passed=verdict.state == "passed")

    def hint(self, name: str) -> None:
        """Print the next hint: see :func:`hint`."""
        exercise = self._find(name)
        if exercise is None:
            return
        hints = exercise.hints
        given = self._records().read().get(name, Record()).hints
        if given < len(hints):
            print(f"hint {given + 1} of {len(hints)}: {hints[given]}")
            self._records().update(name, _with(hints=given + 1))
        else:
            print(f'that was the last hint; solution("{name}") shows the solution. All hints:')
            print("\n".join(f"{i}. {hint}" for i, hint in enumerate(hints, start=1)))

    def solution(self, name: str) -> None:
        """Print the reference's source: see :func:`solution`."""
        exercise = self._find(name)
        if exercise is None:
            return
        from lessons_lib.exercises._page import solution_source

        print(solution_source(exercise))
        if exercise.misconceptions:
            print("\nlikely wrong answers:")
            print("\n".join(f"- {m.because}" for m in exercise.misconceptions))

    def progress(self, lesson: str | None = None) -> None:
        """Show where the reader is: see :func:`progress`."""
        if lesson is None:
            self._overview()
            return
        try:
            exercises = exercises_of(lesson, self._package)
        except UnknownExerciseError as error:
            print(error)
            return
        records = self._records().read()
        width = max([len(e.name) for e in exercises], default=0)
        for exercise in exercises:
            status = _status(records.get(exercise.name, Record()))
            print(f"{exercise.name:<{width}}  {exercise.stars}  {status}")
        n_passed = sum(records.get(e.name, Record()).passed is not None for e in exercises)
        print(f"{n_passed} of {len(exercises)} passed")

    def _overview(self) -> None:
        """Show a table with a row for each lesson; in Jupyter its names are links."""
        from lessons_lib.exercises._overview import overview_html, overview_text
        from lessons_lib.page._output import display_output

        lessons = {name: exercises_of(name, self._package) for name in lesson_names(self._package)}
        passed = {name for name, record in self._records().read().items() if record.passed}
        rows = {"text/plain": overview_text(lessons, passed)}
        display_output({"text/html": overview_html(lessons, passed), **rows})

    def last_attempt(self, name: str) -> None:
        """Print the last answer that was checked: see :func:`last_attempt`."""
        exercise = self._find(name)
        if exercise is None:
            return
        attempt = self._records().read().get(name, Record()).last_attempt
        print(f"no attempt at {name} is kept" if attempt is None else attempt)

    def _find(self, name: str) -> Exercise | None:
        try:
            return find(name, self._package)
        except UnknownExerciseError as error:
            print(error)  # a typing mistake shall not stop "Run All"
            return None

    def _records(self) -> ProgressStore:
        setting = _is_static_page(), os.environ.get(VARIABLE)
        if self._store is None or self._store_setting != setting:
            self._store = ProgressStore(None, print) if setting[0] else open_store(print)
            self._store_setting = setting
        return self._store

    def _keep_attempt(self, exercise: Exercise, answer: object, *, passed: bool) -> None:
        text = show(plain(answer), 17) if exercise.asks_for_value else source_of(answer)
        today = datetime.date.today().isoformat()

        def change(record: Record) -> Record:
            # Running the same cell again is no further attempt.
            is_new = text is None or text[:_LONGEST_ATTEMPT] != record.last_attempt
            return dataclasses.replace(
                record,
                attempts=record.attempts + is_new,
                passed=record.passed or (today if passed else None),
                last_attempt=record.last_attempt if text is None else text[:_LONGEST_ATTEMPT],
            )

        self._records().update(exercise.name, change)


def check(name: str, answer: Any = ..., *, traceback: bool = False) -> None:
    """Check an answer and print what is right or wrong with it.

    The answer's code runs in a separate process, on copies of the inputs and with a time limit.

    Parameters
    ----------
    name : str
        The exercise, for example ``"overfitting.k_fold"``.
    answer : object
        The function, or the value where the exercise asks for one. It may use whatever the notebook
        defines, except what exists only once, such as widgets and open files.
    traceback : bool
        Whether to print the traceback, too, if the answer raises.
    """
    _session().check(name, answer, traceback=traceback)


def hint(name: str) -> None:
    """Print the next hint to an exercise; each call gives one more.

    Parameters
    ----------
    name : str
        The exercise.
    """
    _session().hint(name)


def solution(name: str) -> None:
    """Print the source of an exercise's solution, and the likely wrong answers.

    Parameters
    ----------
    name : str
        The exercise.
    """
    _session().solution(name)


def progress(lesson: str | None = None) -> None:
    """Show where you are: in the whole book, or in one lesson.

    Without an argument, how many exercises of each lesson are passed, and which one comes next.
    With one, whether each exercise of that lesson is passed, attempted, or not attempted.

    Parameters
    ----------
    lesson : str, optional
        The lesson to list, for example ``"overfitting"``.
    """
    _session().progress(lesson)


def last_attempt(name: str) -> None:
    """Print the source of the last answer to an exercise that was checked.

    Parameters
    ----------
    name : str
        The exercise.
    """
    _session().last_attempt(name)


@functools.cache
def _session() -> Session:
    """Return the notebook's one session: it owns the waiting process."""
    return Session()


def _in_words(exercise: Exercise, verdict: Verdict) -> str:
    if verdict.state == "passed":
        text = f"✓ passed — {exercise.name}"
    elif verdict.state == "not attempted":
        text = f'not attempted yet: {verdict.message}\n(a first hint: hint("{exercise.name}"))'
    else:
        text = f"{verdict.state}: {verdict.message}"
    if verdict.details:
        text += "\n" + _indent(verdict.details)
    if verdict.printed:
        text += "\nyour function printed:\n" + _indent(verdict.printed)
    # An answer's texts may hold half characters, which cannot be printed.
    return text.encode(errors="replace").decode()


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


def _status(record: Record) -> str:
    if record.passed is not None:
        return "passed"
    return f"attempted {record.attempts}×" if record.attempts else "not attempted"


def _with(**changes: Any) -> Callable[[Record], Record]:
    return lambda record: dataclasses.replace(record, **changes)


def _is_static_page() -> bool:
    """Return whether this runs for the built page, where a reader can unfold but not run."""
    return os.environ.get("LESSONS_LIB_STATIC") == "1"


def _display_help(exercise: Exercise, text: str) -> None:
    from IPython.display import display

    from lessons_lib.exercises._page import help_page

    display(  # type: ignore[no-untyped-call]
        {"text/html": help_page(exercise), "text/plain": text}, raw=True
    )
