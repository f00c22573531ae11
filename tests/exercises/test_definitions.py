"""Every exercise of the book holds what it promises; a new lesson's module is found by itself."""

from pathlib import Path

import pytest
import sample_lessons

import lessons_lib.lessons as book
from lessons_lib.exercises import Exercise, Misconception, verify_exercise
from lessons_lib.exercises._registry import exercises_of, lesson_names
from lessons_lib.exercises._runner import Runner

BOOK = [exercise for lesson in lesson_names() for exercise in exercises_of(lesson)]
SAMPLE = [
    exercise
    for lesson in lesson_names("sample_lessons")
    for exercise in exercises_of(lesson, "sample_lessons")
]


def lesson_files(package):
    return {p.parent.name for p in Path(package.__file__).parent.glob("*/exercises.py")}


def test_every_lesson_module_is_found():
    assert set(lesson_names()) == lesson_files(book)
    assert {exercise.lesson for exercise in BOOK} == lesson_files(book)


def test_discovery_finds_the_sample():
    assert [exercise.name for exercise in SAMPLE] == [
        "folds.shuffle",
        "shrinkage.penalty",
        "shrinkage.step",
        "shrinkage.summary",
        "shrinkage.counts",
        "shrinkage.refuse",
        "shrinkage.factor",
        "shrinkage.word",
    ]


@pytest.mark.parametrize("exercise", BOOK, ids=lambda exercise: exercise.name)
def test_exercise_of_the_book(exercise):
    assert verify_exercise(exercise) == []


@pytest.mark.parametrize("lesson", lesson_names()[:1])  # one is enough: it takes a second
def test_lesson_works_in_the_worker(lesson):
    exercise = exercises_of(lesson)[0]
    runner = Runner("lessons_lib.lessons")
    answer = exercise.reference() if exercise.asks_for_value else exercise.reference
    try:
        verdict = runner.judge(exercise, answer)
    finally:
        runner.close()
    assert (verdict.state, verdict.message) == ("passed", "")


@pytest.mark.parametrize("exercise", SAMPLE, ids=lambda exercise: exercise.name)
def test_exercise_of_the_sample(exercise):
    # abs, one of the sample's wrong answers, is built in: its source cannot be read.
    expected = (
        ["shrinkage.refuse: the source of abs cannot be read"]
        if exercise.name == "shrinkage.refuse"
        else []
    )
    assert verify_exercise(exercise) == expected


# --- the helper itself finds faults ---


def double(x):
    return 2 * x


def lower(x):
    return 2 * min(x, 9.0)


def triple(x):
    return 3 * x


def defined(**changes):
    fields = {
        "name": "sample.double",
        "title": "Double",
        "level": 1,
        "hints": ("Add it to itself.",),
        "reference": double,
        "cases": lambda rng: [(1.0,), (rng.normal(),)],
        "misconceptions": (Misconception(triple, "That is three times as much."),),
    }
    return Exercise(**(fields | changes))


def test_verify_exercise_accepts_a_sound_definition():
    assert verify_exercise(defined()) == []


def mistaken(wrong):
    return (Misconception(wrong, "Because."),)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"misconceptions": mistaken(double)}, "misconception 0 is right on every case"),
        ({"misconceptions": 2 * mistaken(triple)}, "misconception 1 is diagnosed as 0"),
        ({"reference": lambda x: x.missing}, "its reference raises on every case"),
        ({"reference": lambda x: object()}, "cannot be compared"),
        ({"reference": lambda x: None}, "a stub|does not pass"),
        ({"accept": lambda *_: "never right"}, "its reference does not pass: never right"),
        ({"shows": (abs,)}, "the source of abs cannot be read"),
        ({"reference": lower}, "no case finds the slip `min(x, 9.0) → x`"),
        ({"equivalent_mutants": {"x → y": "Why not."}}, "names `x → y`, which is no mutant"),
        ({"cases": lambda rng: []}, "at least one"),
        ({"cases": lambda rng: [1.0]}, "must be tuples of arguments"),
        ({"cases": lambda rng: 1 / 0}, "the definition raises ZeroDivisionError"),
        ({"cases": lambda rng: [(id(object()) + next(COUNTER),)]}, "differ from run to run"),
    ],
)
def test_verify_exercise_finds_what_is_wrong(changes, problem):
    problems = verify_exercise(defined(**changes))
    assert any(part in text for text in problems for part in problem.split("|")), problems


COUNTER = iter(range(1000))


def test_sample_is_beside_this_file():
    assert Path(sample_lessons.__file__).parent.parent == Path(__file__).parent
