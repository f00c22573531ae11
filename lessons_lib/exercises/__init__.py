"""Exercises that check themselves.

A reader writes a function or a value in a notebook and asks ``check`` about it; the answer runs in
a separate process, so that no answer can hang, crash or change the notebook.

>>> from lessons_lib.exercises import check, hint, solution, progress  # doctest: +SKIP
>>> check("overfitting.k_fold", k_fold)  # doctest: +SKIP
✓ passed — overfitting.k_fold

A lesson's exercises live in one module of this package named after the lesson, for example
``lessons_lib/exercises/overfitting.py``, which defines ``EXERCISES``, a tuple of :class:`Exercise`.
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
