"""Slips made by machine: that they are made, what is said of them, and that the cases find them."""

import dataclasses
import time

import numpy as np
import pytest

from lessons_lib.exercises import Exercise
from lessons_lib.exercises._mutants import EndlessError, mutants_of, surviving_mutants


def shrink(v: float, t: float) -> float:
    """Return v shrunk toward zero by t."""
    return np.sign(v) * max(abs(v) - t, 0.0)


def deviation(X: "np.ndarray", n_best: int) -> "np.ndarray":
    return np.sqrt(X.var(axis=0, ddof=1)).mean() / n_best


def count_down(n: int) -> int:
    steps = 0
    while n > 0:
        n -= 1
        steps += 1
    return steps


def exercise_of(reference, *cases, **changes):
    return Exercise(
        name="sample.mutants",
        title="A sample",
        level=1,
        hints=("None.",),
        reference=reference,
        cases=lambda rng: list(cases),
        **changes,
    )


def by_key(reference):
    return {mutant.key: mutant for mutant in mutants_of(exercise_of(reference, ()))}


@pytest.mark.parametrize(
    ("reference", "key", "args", "gives", "words"),
    [
        (shrink, "abs(v) → v", (-3.0, 1.0), 0.0, "absolute value"),
        (shrink, "max(abs(v) - t, 0.0) → abs(v) - t", (0.5, 2.0), -1.5, "bound"),
        (shrink, "np.sign(v) → 1.0", (-3.0, 1.0), 2.0, "sign"),
        (shrink, "abs(v) - t → abs(v) + t", (3.0, 1.0), 4.0, "add `t`"),
        (shrink, "t → v", (3.0, 1.0), 0.0, "`v` seems to stand where `t` belongs"),
        (count_down, "n > 0 → n >= 0", (3,), 4, "equal values"),
    ],
)
def test_a_slip_and_what_is_said_of_it(reference, key, args, gives, words):
    mutant = by_key(reference)[key]
    assert mutant.function(*args) == gives
    assert words in mutant.because
    assert mutant.because.endswith(".")


def share(a: float, b: float, c: float) -> float:
    return a / (b * c)


def named_share(a: float, b: float, c: float) -> float:
    below = b / c
    return float(a / below)


def term(a: float, b: float, c: float) -> float:
    return a / (1 + b * c)


@pytest.mark.parametrize(
    ("reference", "key", "words"),
    [
        (share, "b * c → b / c", "multiply by `c` instead of dividing"),
        (share, "b * c → c / b", "multiply by `b` instead of dividing"),
        (share, "b * c → b", "not to divide by `c`"),
        (share, "a / (b * c) → a * (b * c)", "instead of dividing"),
        (named_share, "b / c → b * c", "divide by `c` instead of multiplying"),
        (named_share, "b / c → b", "leave out `c`"),
        (term, "b * c → b / c", "divide by `c` instead of multiplying"),
    ],
)
def test_a_direction_is_that_of_the_result(reference, key, words):
    assert words in by_key(reference)[key].because


X = np.array([[1.0, 4.0], [3.0, 10.0], [8.0, 1.0]])


@pytest.mark.parametrize(
    ("key", "gives", "words"),
    [
        ("X.var(axis=0, ddof=1) → X.var(axis=0)", np.sqrt(X.var(axis=0)).mean() / 2, "n − 1"),
        (
            "X.var(axis=0, ddof=1) → X.var(axis=1, ddof=1)",
            np.sqrt(X.var(axis=1, ddof=1)).mean() / 2,
            "wrong axis",
        ),
        (
            "np.sqrt(X.var(axis=0, ddof=1)) → X.var(axis=0, ddof=1)",
            X.var(axis=0, ddof=1).mean() / 2,
            "square root",
        ),
        ("n_best → n_best - 1", np.sqrt(X.var(axis=0, ddof=1)).mean(), "One less than `n_best`"),
    ],
)
def test_slips_with_arrays(key, gives, words):
    mutant = by_key(deviation)[key]
    np.testing.assert_allclose(mutant.function(X, 2), gives)
    assert words in mutant.because


def test_a_mutant_that_never_ends_is_stopped():
    start = time.perf_counter()
    with pytest.raises(EndlessError):
        by_key(count_down)["n -= 1 → pass"].function(3)
    assert time.perf_counter() - start < 2


def test_sentences_do_not_quote_the_solution():
    for mutant in by_key(count_down).values():
        assert "steps" not in mutant.because


def test_mutants_leave_the_reference_alone():
    exercise = exercise_of(shrink, (3.0, 1.0))
    assert len(list(mutants_of(exercise))) > 10
    assert shrink(3.0, 1.0) == 2.0


def test_references_without_source_have_no_mutants():
    assert list(mutants_of(exercise_of(max, (1.0, 2.0)))) == []
    local = 1.0
    assert list(mutants_of(exercise_of(lambda x: x + local, (1.0,)))) == []


def test_cases_that_do_not_decide_are_found():
    one_sided = exercise_of(shrink, (3.0, 1.0), (5.0, 2.0))
    survivors = surviving_mutants(one_sided)
    assert {"abs(v) → v", "np.sign(v) → 1.0"} <= set(survivors)
    both = exercise_of(shrink, (3.0, 1.0), (-5.0, 2.0), (0.5, 1.0), (-0.5, 1.0))
    assert not {"abs(v) → v", "np.sign(v) → 1.0"} & set(surviving_mutants(both))
    known = dataclasses.replace(one_sided, equivalent_mutants=dict.fromkeys(survivors, "Tested."))
    assert surviving_mutants(known) == []
