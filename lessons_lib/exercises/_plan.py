"""Compute what an exercise expects: its cases, and what the reference and misconceptions do."""

import contextlib
import copy
import dataclasses
import itertools
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import GeneratorType

import numpy as np

from lessons_lib.exercises._calls import Outcome, call
from lessons_lib.exercises._model import Case, Exercise
from lessons_lib.exercises._values import (
    Difference,
    Tolerance,
    compare,
    conform,
    contains_ellipsis,
    describe,
    holds_foreign,
    is_in_single_precision,
    numbers_in,
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
            wrong = [
                [
                    in_form(exercise, call(m.wrong, args), right)
                    for args, right in zip(cases, expected, strict=True)
                ]
                for m in exercise.misconceptions
            ]
            faults = [
                [
                    fault_of(exercise, outcome, right, args)
                    for outcome, right, args in zip(outcomes, expected, cases, strict=True)
                ]
                for outcomes in wrong
            ]
        return cls(cases, expected, wrong, faults)


_LAZY = (GeneratorType, map, zip, filter, reversed)
_LONGEST = 200_000


def in_form(exercise: Exercise, got: Outcome, expected: Outcome) -> Outcome:
    """Return an outcome whose value has the form of the expected one where only that differs."""
    if exercise.check_dtype or got.raised is not None or expected.raised is not None:
        return got
    value = got.value
    if isinstance(expected.value, list | tuple | np.ndarray) and type(got.result) in _LAZY:
        listed = call(lambda: list(itertools.islice(got.result, _LONGEST)), ())
        if listed.raised is not None:
            return listed
        value = listed.value
    return dataclasses.replace(got, value=conform(value, expected.value))


def make_cases(exercise: Exercise, rng: np.random.Generator | None = None) -> list[Case]:
    """Generate the exercise's cases, always the same ones, or further ones from another ``rng``."""
    assert exercise.cases is not None
    cases = list(exercise.cases(seeded_generator(exercise.name) if rng is None else rng))
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


def jittered(args: Case, scale: float, rng: np.random.Generator) -> Case:
    """Return a case like ``args`` whose arrays hold numbers that differ by about ``scale``."""
    return tuple(
        value * (1 + scale * rng.standard_normal(value.shape))
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for value in args
    )


def fault_of(exercise: Exercise, got: Outcome, expected: Outcome, args: Case) -> Difference | None:
    """Return what is wrong with one outcome, ``None`` if it is right."""
    if got.raised is not None or expected.raised is not None:
        return _fault_in_raising(got, expected)
    if exercise.accept is not None:
        difference = _ask_accept(exercise, got, expected, args)
    else:
        difference = compare(got.value, expected.value, tolerance_of(exercise))
        if difference is not None and agrees_in_single_precision(exercise, got, expected):
            difference = None
    # A changed input spoils what follows: it is reported before a wrong result.
    return Difference("changed") if got.changed and not expected.changed else difference


def agrees_in_single_precision(exercise: Exercise, got: Outcome, expected: Outcome) -> bool:
    """Return whether a result in float32 is as right as that type allows."""
    if exercise.check_dtype or not is_in_single_precision(got.value):
        return False
    sizes = np.abs(numbers_in(expected.value, "f"))
    largest = float(sizes.max()) if sizes.size else 0.0
    loose = Tolerance(max(1e-4, exercise.rtol), max(1e-5 * largest, exercise.atol))
    return compare(got.value, expected.value, loose) is None


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
        result = got.result if holds_foreign(got.value) else got.value
        complaint = exercise.accept(result, copy.deepcopy(expected.result), copy.deepcopy(args))
    except Exception:  # the result is not even of the kind that `accept` can look at
        wanted = describe(expected.value)
        return Difference("type", f"{describe(got.value)}; something like {wanted} is wanted")
    return None if complaint is None else Difference("accept", complaint)


def tolerance_of(exercise: Exercise) -> Tolerance:
    """Return how closely results must agree."""
    return Tolerance(exercise.rtol, exercise.atol, exercise.check_dtype)
