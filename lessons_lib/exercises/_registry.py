"""Find an exercise by its name: ``"overfitting.k_fold"`` is in ``overfitting/exercises.py``.

A package of lessons has one folder a lesson, each with a module ``exercises`` that defines
``EXERCISES``; the book's own package is only the default.
"""

import difflib
import pkgutil
from importlib import import_module
from pathlib import Path

from lessons_lib.exercises._model import Exercise

DEFAULT_PACKAGE = "lessons_lib.lessons"


class UnknownExerciseError(LookupError):
    """There is no exercise, or no lesson, of that name; the message suggests close ones."""


def lesson_names(package: str = DEFAULT_PACKAGE) -> tuple[str, ...]:
    """Return the names of the folders with exercises in ``package``, without importing them."""
    paths = import_module(package).__path__
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(paths)
            if module.ispkg
            and any((Path(path) / module.name / "exercises.py").is_file() for path in paths)
        )
    )


def module_name(lesson: str, package: str = DEFAULT_PACKAGE) -> str:
    """Return the name of the module that defines the exercises of ``lesson``."""
    return f"{package}.{lesson}.exercises"


def exercises_of(lesson: str, package: str = DEFAULT_PACKAGE) -> tuple[Exercise, ...]:
    """Import the module of ``lesson`` and return its exercises in the order of definition.

    Raises
    ------
    UnknownExerciseError
        If there is no such lesson.
    ValueError
        If the module's ``EXERCISES`` is ill-formed: that is the lesson's author's mistake.
    """
    lessons = lesson_names(package)
    if lesson not in lessons:
        raise UnknownExerciseError(f'there is no lesson "{lesson}"{_suggest(lesson, lessons)}')
    exercises = getattr(import_module(module_name(lesson, package)), "EXERCISES", None)
    if not isinstance(exercises, tuple) or not all(isinstance(e, Exercise) for e in exercises):
        raise ValueError(f"{package}.{lesson}.exercises must define EXERCISES, a tuple of Exercise")
    names = [exercise.name for exercise in exercises]
    for exercise in exercises:
        if exercise.lesson != lesson:
            raise ValueError(
                f"{package}.{lesson}.exercises defines {exercise.name}, of another lesson"
            )
        if names.count(exercise.name) > 1:
            raise ValueError(f"{package}.{lesson}.exercises defines {exercise.name} more than once")
    return exercises


def find(name: object, package: str = DEFAULT_PACKAGE) -> Exercise:
    """Return the exercise called ``name``; only its own lesson's module is imported.

    Raises
    ------
    UnknownExerciseError
        If there is no such exercise.
    """
    if not isinstance(name, str):
        raise UnknownExerciseError(
            'the first argument is the exercise\'s name, a text such as "lesson.exercise"'
        )
    lesson = name.partition(".")[0]
    lessons = lesson_names(package)
    searched = [lesson] if lesson in lessons else lessons
    known = {e.name: e for module in searched for e in exercises_of(module, package)}
    if name not in known:
        raise UnknownExerciseError(f'there is no exercise "{name}"{_suggest(name, tuple(known))}')
    return known[name]


def _suggest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.8)
    return "; did you mean " + " or ".join(f'"{match}"' for match in close) + "?" if close else ""
