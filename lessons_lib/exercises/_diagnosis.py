"""Turn what an answer did on all cases into one verdict with one plain sentence."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lessons_lib.exercises._calls import Outcome, Raised, parameter_names
from lessons_lib.exercises._changes import why_changed
from lessons_lib.exercises._explain import Explainer, Explanation
from lessons_lib.exercises._model import Case, Exercise, Verdict
from lessons_lib.exercises._plan import Plan, tolerance_of
from lessons_lib.exercises._values import (
    Difference,
    Foreign,
    Tolerance,
    compare,
    contains_ellipsis,
    holds_float,
    is_in_single_precision,
    plain,
    show,
    show_pair,
    type_name,
)


@dataclass(frozen=True)
class Diagnosis:
    """Turns the outcomes of all cases into one verdict."""

    exercise: Exercise
    plan: Plan
    outcomes: Sequence[Outcome]
    faults: Sequence[Difference | None]
    further: Sequence[tuple[Case, Outcome]] = ()
    answer: object = None

    def verdict(self) -> Verdict:
        if all(fault is None for fault in self.faults):
            return Verdict("passed", details=self._remark())
        if self._is_unfinished():
            return Verdict("not attempted", message="part of your answer is still `...`")
        which = self._misconception()
        trace = next((o.raised.traceback for o in self.outcomes if o.raised is not None), "")
        if which is not None:
            because = self.exercise.misconceptions[which].because
            return Verdict(
                "not yet", "misconception", because, misconception=which, traceback=trace
            )
        case, fault = min(
            ((i, fault) for i, fault in enumerate(self.faults) if fault is not None),
            key=lambda pair: (pair[1].rank, pair[0]),
        )
        explanation = self._explain(fault)
        if explanation is not None:
            return Verdict(
                "not yet", explanation.kind, explanation.because, self._details(case, fault)
            )
        return Verdict(
            "not yet",
            fault.reason,
            self._sentence(case, fault),
            details=self._details(case, fault),
            traceback=trace,
        )

    def _remark(self) -> str:
        """Say what is worth knowing about a right answer."""
        strictly = tolerance_of(self.exercise)
        for got, expected in zip(self.outcomes, self.plan.expected, strict=True):
            single = got.raised is None and is_in_single_precision(got.value)
            if single and compare(got.value, expected.value, strictly) is not None:
                return "your numbers are in single precision (float32): about 7 digits"
        return ""

    def _explain(self, fault: Difference) -> Explanation | None:
        if fault.reason not in ("type", "nan", "shape", "value", "accept"):
            return None
        try:
            return self._explainer.explain()
        except Exception:  # whatever a result may be: the verdict stands without an explanation
            return None

    def _is_unfinished(self) -> bool:
        """Return whether a ``...`` of the stub was returned, or stood in the way of computing."""
        first = self.outcomes[0]
        if first.raised is not None:
            return first.raised.name == "TypeError" and "ellipsis" in first.raised.message.lower()
        return contains_ellipsis(first.value)

    def _misconception(self) -> int | None:
        """Return the first misconception that does the same, number by number if there is one."""
        # Draws differ from answer to answer: then some are the same that are not so exactly.
        for exactly in (True, False):
            for i, misconception in enumerate(self.exercise.misconceptions):
                if self._equals(i, exactly) and self._fits_elsewhere(misconception.wrong):
                    return i
        return None

    def _equals(self, misconception: int, exactly: bool) -> bool:
        outcomes, faults = self.plan.wrong[misconception], self.plan.wrong_faults[misconception]
        return any(faults) and all(
            (fault is None and own is None) or self._does_the_same(case, wrong, exactly)
            for case, (own, wrong, fault) in enumerate(
                zip(self.faults, outcomes, faults, strict=True)
            )
        )

    def _does_the_same(self, case: int, wrong: Outcome, exactly: bool) -> bool:
        got = self.outcomes[case]
        if got.raised is not None or wrong.raised is not None:
            return (
                got.raised is not None
                and wrong.raised is not None
                and (got.raised.name, got.raised.message)
                == (wrong.raised.name, wrong.raised.message)
            )
        return got.changed == wrong.changed and self._explainer.is_same(case, wrong, exactly)

    def _fits_elsewhere(self, wrong: Callable[..., Any]) -> bool:
        """Return whether an answer that does the same as ``wrong`` does so on further cases."""
        if any(outcome.raised is not None for outcome in self.outcomes):
            return True
        try:
            return self._explainer.fits(wrong)
        except Exception:  # the answer has left nothing of NumPy that works
            return True

    @functools.cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.exercise, self.plan, self.outcomes, self.faults, self.further)

    def _sentence(self, case: int, fault: Difference) -> str:
        subject = "your answer is" if self.exercise.asks_for_value else "your function returns"
        outcome = self.outcomes[case]
        if fault.reason == "raised" and outcome.raised is not None:
            return _exception_sentence(outcome.raised) + fault.text
        if fault.reason == "changed":
            names = parameter_names(self.exercise, self.plan.cases[case])
            changed = [names[i] for i in outcome.changed]
            return (
                "your function changes its input "
                + " and ".join(f"`{name}`" for name in changed)
                + why_changed(self.answer, changed)
            )
        if fault.reason == "none" and fault.text == "None" and not self.exercise.asks_for_value:
            return "your function returns None: is the `return` statement missing?"
        if fault.reason == "accept":
            return self._value_sentence(case, fault) if self._is_number(case) else fault.text
        if fault.reason == "value":
            return self._value_sentence(case, fault)
        return f"{subject} {fault.text}"

    def _value_sentence(self, case: int, fault: Difference) -> str:
        if not self.exercise.asks_for_value:
            n_right = sum(fault is None for fault in self.faults)
            right = f" ({n_right} of {len(self.faults)} cases are right)" if n_right else ""
            return f"the result is wrong{fault.text}{right}"
        # The expected value stays secret: it is what the exercise asks for.
        got, expected = self.outcomes[case].value, self.plan.expected[case].value
        nearly = Tolerance(rtol=0.01, atol=self.exercise.atol)
        place = fault.text if fault.reason == "value" else ""
        if holds_float(expected) and (
            compare(got, expected, nearly) is None or _is_rounded(got, expected)
        ):
            return f"close, but not exact enough{place}: give more digits"
        if self._is_number(case):
            return f"{show(got)} is too {'high' if got > expected else 'low'}"
        return f"{show(got)} is not right{place}"

    def _is_number(self, case: int) -> bool:
        """Return whether a value is asked for that is a real number, and a real number is given."""
        values = self.outcomes[case].value, self.plan.expected[case].value
        return self.exercise.asks_for_value and all(
            isinstance(v, int | float | np.integer | np.floating) and not isinstance(v, bool)
            for v in values
        )

    def _details(self, case: int, fault: Difference) -> str:
        """List the inputs, and for a wrong result what was expected and what came out."""
        if self.exercise.asks_for_value or fault.reason in ("none", "type"):
            return ""
        args = self.plan.cases[case]
        names = parameter_names(self.exercise, args)
        given = ", ".join(f"{n} = {_show_argument(a)}" for n, a in zip(names, args, strict=True))
        rows = [("for", given)]
        if fault.reason not in ("raised", "changed"):
            pair = show_pair(self.plan.expected[case].value, self.outcomes[case].value)
            # Where several results are right, the reference's is only one of them.
            label = "expected" if self.exercise.accept is None else "for example"
            rows += [(label, pair[0]), ("got", pair[1])]
        if fault.numbers:
            rows.append(("that is", fault.numbers))
        return "\n".join(f"{label:<12}{text}" for label, text in rows)


def _is_rounded(got: Any, expected: Any) -> bool:
    """Return whether a number is the expected one, rounded to at least two digits."""
    try:
        number, right = float(got), float(expected)
    except (TypeError, ValueError):
        return False
    return any(float(f"{right:.{digits}g}") == number for digits in range(2, 12))


def _show_argument(argument: object) -> str:
    value = plain(argument)
    if not isinstance(value, Foreign):
        return show(value)
    name = getattr(argument, "__name__", None)
    return name if isinstance(name, str) else f"a {type_name(argument)}"


def _exception_sentence(raised: Raised) -> str:
    place = f", {raised.line}" if raised.line else ""
    if raised.name == "RecursionError":
        return f"your function calls itself without end (RecursionError){place}"
    if raised.name in ("MemoryError", "_ArrayMemoryError"):
        return f"your function asks for more memory than a check allows{place}"
    if raised.name == "BdbQuit":
        return f"your function starts the debugger{place}: a check has no keyboard for it"
    if raised.name == "SystemExit":
        return f"your function tries to end Python{place}: return the result instead"
    if raised.name == "EOFError":
        return (
            f"your function reads from the keyboard or an empty file (EOFError){place}: "
            "use only its arguments"
        )
    message = f": {raised.message}" if raised.message else ""
    return f"your function raises {raised.name}{message}{place}"


def timeout_verdict(exercise: Exercise, place: str) -> Verdict:
    """Return the verdict on an answer that takes too long."""
    limit = f"{exercise.time_limit:g} second" + ("" if exercise.time_limit == 1 else "s")
    message = (
        f"your function is still running after {limit} of computing"
        f"{', ' + place if place else ''}: "
        "is there a loop that never ends?"
    )
    return Verdict("not yet", "time", message)
