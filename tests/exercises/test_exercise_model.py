import dataclasses

import numpy as np
import pytest

from lessons_lib.exercises import Exercise, Misconception
from lessons_lib.exercises._registry import (
    UnknownExerciseError,
    exercises_of,
    find,
    lesson_names,
)

GOOD = {"name": "a.b", "title": "T", "level": 1, "hints": ("h",), "reference": abs}


def test_fields_with_defaults():
    exercise = Exercise(**GOOD)
    assert (exercise.lesson, exercise.stars, exercise.asks_for_value) == ("a", "★☆☆", True)
    assert not Exercise(**GOOD, cases=lambda rng: [(1,)]).asks_for_value
    with pytest.raises(dataclasses.FrozenInstanceError):
        exercise.level = 2


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("name", "no_dot", ValueError),
        ("name", "a.B", ValueError),
        ("name", "a.b.c", ValueError),
        ("name", 3, ValueError),
        ("title", " ", ValueError),
        ("level", 0, ValueError),
        ("level", 4, ValueError),
        ("hints", (), ValueError),
        ("hints", ("good", ""), ValueError),
        ("hints", ("a forgotten comma"), TypeError),
        ("reference", None, TypeError),
        ("reference", 0.5, TypeError),
        ("cases", [(1,)], TypeError),
        ("accept", "yes", TypeError),
        ("misconceptions", [], TypeError),
        ("misconceptions", (abs,), TypeError),
        ("shows", abs, TypeError),
        ("rtol", -1e-3, ValueError),
        ("atol", np.inf, ValueError),
        ("rtol", np.nan, ValueError),
        ("time_limit", 0, ValueError),
        ("time_limit", np.inf, ValueError),
    ],
)
def test_ill_formed_fields_are_named(field, value, error):
    with pytest.raises(error, match=field):
        Exercise(**(GOOD | {field: value}))


def test_ill_formed_misconceptions():
    with pytest.raises(TypeError, match="wrong"):
        Misconception(3, "because")
    with pytest.raises(ValueError, match="because"):
        Misconception(abs, "")


def test_registry_finds_lessons_and_exercises():
    assert lesson_names("sample_lessons") == ("folds", "shrinkage")  # and not _shared
    assert find("folds.shuffle", "sample_lessons").level == 3
    assert len(exercises_of("shrinkage", "sample_lessons")) == 7


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shrinkage.penalti", 'no exercise "shrinkage.penalti"; did you mean "shrinkage.penalty"'),
        ("shrinkge.penalty", 'did you mean "shrinkage.penalty"'),
        ("zzz", 'there is no exercise "zzz"$'),
        ("", 'there is no exercise ""$'),
        ("_shared.x", 'there is no exercise "_shared.x"'),
        ("os.path", 'there is no exercise "os.path"'),
        (abs, "the first argument is the exercise's name"),
    ],
)
def test_unknown_exercises_get_suggestions(name, message):
    with pytest.raises(UnknownExerciseError, match=message):
        find(name, "sample_lessons")


def test_unknown_lesson():
    with pytest.raises(UnknownExerciseError, match='no lesson "fold"; did you mean "folds"'):
        exercises_of("fold", "sample_lessons")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "must define EXERCISES"),
        ("EXERCISES = [1]", "must define EXERCISES, a tuple of Exercise"),
        ("EXERCISES = (make('other.one'),)", "defines other.one, of another lesson"),
        ("EXERCISES = 2 * (make('lesson.one'),)", "defines lesson.one more than once"),
    ],
)
def test_ill_formed_lesson_modules(body, message, tmp_path, monkeypatch):
    package = f"package_{abs(hash(body)) % 10**6}"
    folder = tmp_path / package / "lesson"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    make = "from lessons_lib.exercises import Exercise\n\ndef make(name):\n    return Exercise("
    make += "name=name, title='T', level=1, hints=('h',), reference=abs)\n\n"
    (folder / "exercises.py").write_text(make + body)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=message):
        exercises_of("lesson", package)
