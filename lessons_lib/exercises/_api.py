"""What a reader calls in a notebook: check, hint, solution, progress, last_attempt."""

import dataclasses
import datetime
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from lessons_lib.exercises._attempts import attempt_text, has_no_source, has_nothing_typed
from lessons_lib.exercises._judge import look_at
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._progress import VARIABLE, ProgressStore, Record, open_store
from lessons_lib.exercises._registry import (
    DEFAULT_PACKAGE,
    UnknownExerciseError,
    exercises_of,
    find,
    lesson_names,
    module_name,
)
from lessons_lib.exercises._runner import Runner, is_check
from lessons_lib.exercises._texts import printable
from lessons_lib.exercises._values import describe, plain


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
        self._stores: dict[tuple[bool, str | None], ProgressStore] = {}
        self._not_counted: set[str] = set()

    def close(self) -> None:
        """Stop the process that waits for the next answer."""
        self._runner.close()

    def check(self, name: str, answer: Any = ..., *, traceback: bool = False) -> None:
        """Print what is right or wrong with ``answer``: see :func:`check`."""
        if is_check():
            return
        if not _is_static_page():
            self._start_early(name)
        exercise = self._find(name)
        if exercise is None:
            return
        # In the static page nobody will type an answer next: a stub needs no process.
        verdict = look_at(exercise, answer) if _is_static_page() else None
        if verdict is None:
            # Before the answer runs: it may be interrupted, or take this process with it.
            self._keep_attempt(exercise, answer)
            verdict = self._runner.judge(exercise, answer)
        if verdict.state == "not attempted" and _is_static_page():
            _display_help(exercise, _in_words(exercise, verdict))
            return
        _say(_in_words(exercise, verdict))
        if traceback and verdict.traceback:
            _say(verdict.traceback.rstrip())
        if verdict.state in ("passed", "not yet"):
            self._count_attempt(exercise, passed=verdict.state == "passed")

    def verdict(self, name: str, answer: Any) -> Verdict:
        """Return the verdict on ``answer``: see :func:`judge_answer`."""
        return self._runner.judge(find(name, self._package), answer)

    def hint(self, name: str) -> None:
        """Print the next hint: see :func:`hint`."""
        exercise = None if is_check() else self._find(name)
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
        exercise = None if is_check() else self._find(name)
        if exercise is None:
            return
        from lessons_lib.exercises._page import solution_source

        print(solution_source(exercise))
        if exercise.misconceptions:
            print("\nlikely wrong answers:")
            print("\n".join(f"- {m.because}" for m in exercise.misconceptions))

    def progress(self, lesson: str | None = None) -> None:
        """Show where the reader is: see :func:`progress`."""
        if is_check():
            return
        if lesson is None:
            self._overview()
            return
        if not issubclass(type(lesson), str):  # isinstance would ask the object itself
            _say(
                "progress takes the name of a lesson, a text such as "
                f'"{lesson_names(self._package)[0]}", or nothing, but got {_described(lesson)}'
            )
            return
        try:
            exercises = exercises_of(lesson, self._package)
        except UnknownExerciseError as error:
            _say(str(error))
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
        exercise = None if is_check() else self._find(name)
        if exercise is None:
            return
        attempt = self._records().read().get(name, Record()).last_attempt
        _say(f"no attempt at {name} is kept" if attempt is None else attempt)

    def _find(self, name: str) -> Exercise | None:
        try:
            return find(name, self._package)
        except UnknownExerciseError as error:
            _say(str(error))  # a typing mistake shall not stop "Run All"
            return None

    def _start_early(self, name: object) -> None:
        """Let the other process import the lesson while this one does."""
        lesson = name.partition(".")[0] if type(name) is str else ""
        is_imported = module_name(lesson, self._package) in sys.modules
        if not is_imported and lesson in lesson_names(self._package):
            self._runner.warm_up(lesson)

    def _records(self) -> ProgressStore:
        setting = _is_static_page(), os.environ.get(VARIABLE)
        if setting not in self._stores:
            store = ProgressStore(None, _say) if setting[0] else open_store(_say)
            self._stores[setting] = store
        return self._stores[setting]

    def _keep_attempt(self, exercise: Exercise, answer: object) -> None:
        """Write down what was typed, unless that is nothing."""
        if has_nothing_typed(exercise, answer):
            self._not_counted.discard(exercise.name)
            return
        text = attempt_text(exercise, answer)

        def change(record: Record) -> Record:
            # Running the same cell again is no further attempt, unless it never came to a verdict.
            if text != record.last_attempt or has_no_source(text):
                self._not_counted.add(exercise.name)
            return dataclasses.replace(record, last_attempt=text)

        self._records().update(exercise.name, change)

    def _count_attempt(self, exercise: Exercise, *, passed: bool) -> None:
        is_new = exercise.name in self._not_counted
        self._not_counted.discard(exercise.name)
        today = datetime.date.today().isoformat()

        def change(record: Record) -> Record:
            return dataclasses.replace(
                record,
                attempts=record.attempts + is_new,
                passed=record.passed or (today if passed else None),
            )

        self._records().update(exercise.name, change)


def check(name: str, answer: Any = ..., *, traceback: bool = False) -> None:
    """Check an answer and print what is right or wrong with it.

    The answer's code runs in a separate process, on copies of the inputs, and may compute for some
    seconds. That guards the notebook against mistakes (an endless loop, a crash, a changed input),
    not against code that means harm: it runs with your rights. Within an answer that is being
    checked, this does nothing.

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


def judge_answer(name: str, answer: Any) -> Verdict:
    """Return the verdict on an answer as an object, for programs that grade.

    Nothing is printed, and no progress is kept. The answer's code runs as :func:`check` runs it.

    Parameters
    ----------
    name : str
        The exercise, for example ``"overfitting.k_fold"``.
    answer : object
        The function, or the value where the exercise asks for one.

    Returns
    -------
    Verdict
        Its ``state`` is ``"passed"``, ``"not yet"``, ``"not attempted"`` or ``"not checked"``; its
        texts hold no control characters, so that they can be printed or stored.

    Raises
    ------
    UnknownExerciseError
        If there is no such exercise; a ``LookupError``.

    Notes
    -----
    A verdict says what an honest answer is worth. It does not protect from cheating:

    - the references are public, and the answer's process can import, read and call them;
    - the answer runs in the process that judges it. Replies carry a secret, but code that searches
      that process's memory or call stack can find it, or replace what compares the results;
    - the answer runs with the rights of the caller: it can read and write the caller's files, use
      the network, and send signals to the caller.

    Where marks depend on it, run each submission in a container or an account of its own, without
    what others have handed in, and look at the source of what passes.
    """
    return _session().verdict(name, answer)


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
    return text


def _say(text: str) -> None:
    """Print a text that may quote a learner's."""
    print(printable(text))


def _described(value: object) -> str:
    return describe(plain(value))


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
