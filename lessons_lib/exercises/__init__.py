"""Exercises that check themselves.

A reader writes a function or a value in a notebook and asks ``check`` about it; the answer runs in
a separate process, so that no answer can hang, crash or change the notebook.

>>> from lessons_lib.exercises import check, hint, solution, progress  # doctest: +SKIP
>>> check("overfitting.k_fold", k_fold)  # doctest: +SKIP
✓ passed — overfitting.k_fold

Only the engine lives here. A lesson's exercises live in its own folder, for example
``lessons_lib/lessons/overfitting/exercises.py``, which defines ``EXERCISES``, a tuple of
:class:`Exercise`; the engine names no lesson.
"""

from lessons_lib.exercises._api import check, hint, last_attempt, progress, solution
from lessons_lib.exercises._judge import verify_exercise
from lessons_lib.exercises._model import Exercise, Misconception

__all__ = [
    "Exercise",
    "Misconception",
    "check",
    "hint",
    "last_attempt",
    "progress",
    "solution",
    "verify_exercise",
]
