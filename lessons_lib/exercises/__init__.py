"""Exercises that check themselves.

A reader writes a function or a value in a notebook and asks ``check`` about it. The answer runs in
a separate process, so that a mistake in it (an endless loop, a crash, a changed variable) leaves
the notebook as it was. For programs that grade, :func:`judge_answer` returns the verdict as an
object.

>>> from lessons_lib.exercises import check, hint, solution, progress  # doctest: +SKIP
>>> check("overfitting.k_fold", k_fold)  # doctest: +SKIP
✓ passed — overfitting.k_fold

Only the engine lives here. A lesson's exercises live in its own folder, for example
``lessons_lib/lessons/overfitting/exercises.py``, which defines ``EXERCISES``, a tuple of
:class:`Exercise`; the engine names no lesson.
"""

from lessons_lib.exercises._api import check, hint, judge_answer, last_attempt, progress, solution
from lessons_lib.exercises._judge import verify_exercise
from lessons_lib.exercises._model import Exercise, Misconception, Verdict

__all__ = [
    "Exercise",
    "Misconception",
    "Verdict",
    "check",
    "hint",
    "judge_answer",
    "last_attempt",
    "progress",
    "solution",
    "verify_exercise",
]
