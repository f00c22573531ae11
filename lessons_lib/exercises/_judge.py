"""Judge an answer: pure logic, in whichever process it is called.

The worker process calls :func:`judge` on readers' answers; tests call it directly.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from lessons_lib.exercises._calls import Outcome, call, differs, parameters_mismatch
from lessons_lib.exercises._diagnosis import Diagnosis
from lessons_lib.exercises._explain import on_further_cases
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._mutants import mutants_of, surviving_mutants
from lessons_lib.exercises._plan import Plan, fault_of, in_form
from lessons_lib.exercises._source import is_stub, source_of
from lessons_lib.exercises._values import (
    Difference,
    Foreign,
    class_name,
    contains_ellipsis,
    describe,
    holds_foreign,
    plain,
    type_name,
)

_STILL_A_STUB = "replace the `...` with your answer"


def judge(
    exercise: Exercise,
    answer: object,
    *,
    plan: Plan | None = None,
    on_start: Callable[[], object] = lambda: None,
    on_end: Callable[[], object] = lambda: None,
) -> Verdict:
    """Run ``answer`` on the exercise's cases and say what is right or wrong with it.

    Parameters
    ----------
    exercise : Exercise
        What is asked.
    answer : object
        A function, or a value where the exercise asks for one.
    plan : Plan, optional
        What the reference does, if that is known already.
    on_start : callable
        Called once, right before the answer's code runs for the first time. All that the exercise
        itself computes is finished by then, so that an answer that changes NumPy, say, or takes too
        long is told apart from the exercise's own work.
    on_end : callable
        Called once, when the answer's code has run on all cases.

    Returns
    -------
    Verdict
        Of what is wrong: a misconception if the answer does the same on every case, else the most
        basic fault (an exception, a changed input, None, a type, NaN, a shape, a dtype, a number).
    """
    early = look_at(exercise, answer)
    if early is not None:
        return early
    plan = Plan.of(exercise) if plan is None else plan
    if not exercise.asks_for_value:
        mismatch = parameters_mismatch(exercise, answer, plan.cases[0])
        if mismatch:
            return Verdict("not yet", "signature", mismatch)
    on_start()
    run = (lambda: answer) if exercise.asks_for_value else cast(Callable[..., Any], answer)
    outcomes: list[Outcome] = []
    faults: list[Difference | None] = []
    for args, expected in zip(plan.cases, plan.expected, strict=True):
        outcomes.append(in_form(exercise, call(run, args), expected))
        faults.append(fault_of(exercise, outcomes[-1], expected, args))
    further = on_further_cases(exercise, plan, run, outcomes) if any(faults) else []
    on_end()
    return Diagnosis(exercise, plan, outcomes, faults, further, answer).verdict()


def look_at(exercise: Exercise, answer: object) -> Verdict | None:
    """Return the verdict that needs no run: a stub, or a function for a value and vice versa."""
    if answer is Ellipsis:
        return Verdict("not attempted", message=_STILL_A_STUB)
    if exercise.asks_for_value:
        value = plain(answer)
        if contains_ellipsis(value):
            return Verdict("not attempted", message="part of your answer is still `...`")
        if isinstance(value, Foreign) and callable(answer):
            message = "a value is wanted, but you gave a function: give the result of calling it"
            return Verdict("not yet", "type", message)
        return None
    if issubclass(type(answer), type):  # isinstance would ask the object itself
        message = f"a function is wanted, but you gave the class {class_name(cast(type, answer))}"
        return Verdict("not yet", "type", message)
    if not callable(answer):
        message = (
            f"a function is wanted, but you gave {describe(plain(answer))}: "
            "give its name without calling it"
        )
        return Verdict("not yet", "type", message)
    if is_stub(answer):
        return Verdict("not attempted", message=_STILL_A_STUB)
    return None


def verify_exercise(exercise: Exercise) -> list[str]:
    """Check the definition of an exercise against itself, as every lesson's tests do.

    Parameters
    ----------
    exercise : Exercise
        The definition.

    Returns
    -------
    list of str
        What is wrong, one sentence each; empty if the reference passes, each misconception is named
        as itself, a stub counts as not attempted, all shown source can be read and every mutant of
        the reference fails, but for those that are known to be equivalent.
    """
    try:
        return [f"{exercise.name}: {problem}" for problem in _problems(exercise)]
    except Exception as error:
        return [f"{exercise.name}: the definition raises {type_name(error)}: {error}"]


def _problems(exercise: Exercise) -> Iterator[str]:
    verdict = judge(exercise, _as_answer(exercise, exercise.reference))
    if verdict.state != "passed":
        yield f"its reference does not pass: {verdict.message} {verdict.details}".rstrip()
    for i, misconception in enumerate(exercise.misconceptions):
        verdict = judge(exercise, _as_answer(exercise, misconception.wrong))
        if verdict.state == "passed":
            yield f"misconception {i} is right on every case ({misconception.because})"
        elif verdict.misconception != i:
            told = verdict.misconception if verdict.misconception is not None else verdict.reason
            yield f"misconception {i} is diagnosed as {told} ({misconception.because})"
    if judge(exercise, ...).state != "not attempted":
        yield "a stub does not count as not attempted"
    shown = [exercise.reference, *exercise.shows, *(m.wrong for m in exercise.misconceptions)]
    for function in shown:
        if source_of(function) is None:
            yield f"the source of {getattr(function, '__name__', function)} cannot be read"
    yield from _problems_of_mutants(exercise)
    yield from _problems_of_cases(exercise)


def _problems_of_mutants(exercise: Exercise) -> Iterator[str]:
    for key in surviving_mutants(exercise):
        yield f"no case finds the slip `{key}`: add one, or say why it is `equivalent_mutants`"
    for key in set(exercise.equivalent_mutants) - {m.key for m in mutants_of(exercise)}:
        yield f"equivalent_mutants names `{key}`, which is no mutant"


def _problems_of_cases(exercise: Exercise) -> Iterator[str]:
    plan = Plan.of(exercise)
    if all(outcome.raised is not None for outcome in plan.expected):
        yield "its reference raises on every case"
    if exercise.accept is None and any(holds_foreign(outcome.value) for outcome in plan.expected):
        yield "its reference returns what cannot be compared: give it an `accept`"
    for first, second in zip(plan.cases, Plan.of(exercise).cases, strict=True):
        if any(differs(a, b) for a, b in zip(first, second, strict=True)):
            yield "its cases differ from run to run: draw them from the generator only"
            return


def _as_answer(exercise: Exercise, function: Callable[..., Any]) -> Any:
    """Turn a reference or misconception into what a reader would pass to ``check``."""
    return function() if exercise.asks_for_value else function
