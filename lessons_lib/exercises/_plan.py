"""Compute what an exercise expects: its cases, and what the reference and misconceptions do."""

import contextlib
import copy
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lessons_lib.exercises._calls import Outcome, call
from lessons_lib.exercises._model import Case, Exercise
from lessons_lib.exercises._values import (
    Difference,
    Tolerance,
    compare,
    contains_ellipsis,
    describe,
)


@dataclass(frozen=True)
class Plan:
    """The cases, and what the reference and each misconception do on them."""

    cases: Sequence[Case]
    expected: Sequence[Outcome]
    wrong: Sequence[Sequence[Outcome]]
    wrong_faults: Sequence[Sequence[Difference | None]]

    @classmethod
    def of(cls, exercise: Exercise) -> "Plan":
        """Compute everything; only the answer remains to be run."""
        with quiet():
            cases = [()] if exercise.cases is None else make_cases(exercise)
            expected = [call(exercise.reference, args) for args in cases]
            wrong = [[call(m.wrong, args) for args in cases] for m in exercise.misconceptions]
            faults = [
                [
                    fault_of(exercise, outcome, right, args)
                    for outcome, right, args in zip(outcomes, expected, cases, strict=True)
                ]
                for outcomes in wrong
            ]
        return cls(cases, expected, wrong, faults)


def make_cases(exercise: Exercise) -> list[Case]:
    """Generate the exercise's cases, always the same ones."""
    assert exercise.cases is not None
    cases = list(exercise.cases(seeded_generator(exercise.name)))
    if not cases or not all(isinstance(args, tuple) for args in cases):
        raise ValueError(f"the cases of {exercise.name} must be tuples of arguments, at least one")
    return cases


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide the warnings of references and misconceptions: the reader did not write those."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def seeded_generator(name: str) -> np.random.Generator:
    """Return the generator of an exercise's cases: the same on every machine and in every run."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def fault_of(exercise: Exercise, got: Outcome, expected: Outcome, args: Case) -> Difference | None:
    """Return what is wrong with one outcome, ``None`` if it is right."""
    if got.raised is not None or expected.raised is not None:
        return _fault_in_raising(got, expected)
    if exercise.accept is not None:
        difference = _ask_accept(exercise, got, expected, args)
    else:
        difference = compare(got.value, expected.value, tolerance_of(exercise))
    # A changed input spoils what follows: it is reported before a wrong result.
    return Difference("changed") if got.changed and not expected.changed else difference


def _fault_in_raising(got: Outcome, expected: Outcome) -> Difference | None:
    if expected.raised is None:
        return Difference("raised")
    if got.raised is None:
        return Difference("type", f"{describe(got.value)} where {expected.raised.name} is wanted")
    if expected.raised.name in got.raised.bases:
        return None
    return Difference("raised", f"; {expected.raised.name} is wanted")


def _ask_accept(
    exercise: Exercise, got: Outcome, expected: Outcome, args: Case
) -> Difference | None:
    assert exercise.accept is not None
    if got.value is None and expected.value is not None:
        return Difference("none", "None")
    if contains_ellipsis(got.value):
        return Difference("value")
    try:
        complaint = exercise.accept(got.result, copy.deepcopy(expected.result), copy.deepcopy(args))
    except Exception:  # the result is not even of the kind that `accept` can look at
        wanted = describe(expected.value)
        return Difference("type", f"{describe(got.value)}; something like {wanted} is wanted")
    return None if complaint is None else Difference("accept", complaint)


def tolerance_of(exercise: Exercise) -> Tolerance:
    """Return how closely results must agree."""
    return Tolerance(exercise.rtol, exercise.atol, exercise.check_dtype)
