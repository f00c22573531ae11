"""Search for a sentence that explains a wrong answer which nobody foresaw.

A *candidate* is a wrong way of computing the result: the reference followed by a relation, the
reference on other inputs, a mutant of the reference, or two of these. It explains an answer when
both give the same on every case, and on further cases as well where they can be made. Candidates
are tried from the simplest to the least simple, until one explains the answer or time is up.

Where several results are wanted, each is explained on its own if nothing explains all of them.
"""

import contextlib
import dataclasses
import io
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from lessons_lib.exercises._calls import Outcome, call, parameter_names
from lessons_lib.exercises._model import Case, Exercise, OfInput, OfOutput
from lessons_lib.exercises._mutants import (
    Mutant,
    further_mutants_of,
    mutants_of,
    mutants_of_mutant,
)
from lessons_lib.exercises._mutations import UNSAID
from lessons_lib.exercises._plan import (
    Plan,
    jittered,
    make_cases,
    quiet,
    seeded_generator,
    tolerance_of,
)
from lessons_lib.exercises._relations import (
    ANSWER_RELATIONS,
    CONSTANTS,
    OUTPUT_RELATIONS,
    VALUE_RELATIONS,
    Quantity,
    counts,
    input_relations,
    is_clear_cut,
    kinds_of_case,
    map_numbers,
    quantities,
)
from lessons_lib.exercises._values import (
    Difference,
    Tolerance,
    compare,
    numbers_in,
    plain,
    to_array,
)

__all__ = ["Explainer", "Explanation", "on_further_cases"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_PARTLY = ("value", "accept")
_AS_IF = "You seem to compute as if"
_BUDGET = 0.45  # seconds of computing
_SMALL = 1e-2  # relative error that speaks of precision, not of another formula
_LONGEST = 4.0  # seconds on the clock, on a machine that does other things as well


@dataclass(frozen=True)
class Explanation:
    """What explains an answer, in one plain sentence or two."""

    kind: Literal["relation", "mutant"]
    because: str


def on_further_cases(
    exercise: Exercise, plan: Plan, run: Callable[..., Any], outcomes: Sequence[Outcome]
) -> list[tuple[Case, Outcome]]:
    """Return further cases and what an answer does on them, if that is quickly done.

    They tell apart explanations that agree on the exercise's own cases.
    """
    draws = any(isinstance(argument, np.random.Generator) for argument in plan.cases[0])
    slow = max(outcome.seconds for outcome in outcomes) > 0.02
    if exercise.cases is None or draws or slow:
        return []
    try:
        cases = make_cases(exercise, seeded_generator(exercise.name + " once more"))[:6]
        if is_weak(plan):
            cases += _jittered_cases(exercise, "jittered")
    except Exception:  # the answer has left nothing of NumPy that works
        return []
    # What it prints, it has printed already.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        deadline = time.perf_counter() + 1.0  # an answer may also sleep
        further = []
        for args in cases:
            further.append((args, call(run, args)))
            if time.perf_counter() > deadline:
                break
    return [(args, outcome) for args, outcome in further if outcome.raised is None]


def _jittered_cases(exercise: Exercise, seed: str) -> Iterator[Case]:
    """Yield changed inputs: many slightly changed ones, and some that are changed very much."""
    rng = seeded_generator(f"{exercise.name} {seed}")
    cases = make_cases(exercise)[:6]
    for scale in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        for args in cases:
            yield jittered(args, scale, rng)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hide what LAPACK prints about inputs that only mutants give it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the answer closed them
            sys.stderr.flush()
            saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nothing)
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, 2)
            os.dup2(nothing, 2)
        yield


def is_weak(plan: Plan) -> bool:
    """Return whether results hold no fractions: whole numbers and texts agree by chance."""
    return all(numbers_in(outcome.value, "f").size == 0 for outcome in plan.expected)


@dataclass(frozen=True)
class _Part:
    """All of a result (``index`` is None), or one of several results."""

    index: int | None

    def of(self, value: Any) -> Any:
        return value if self.index is None else value[self.index]


_WHOLE = _Part(None)


@dataclass(frozen=True)
class Candidate:
    """A wrong way of computing the result, or only one part of it, and what it means."""

    run: Callable[[Case], Any]
    because: str
    kind: Literal["relation", "mutant"] = "relation"
    only: _Part | None = None

    def outcome(self, args: Case) -> Outcome:
        """Return what it does, on copies of the arguments."""
        return call(lambda *given: self.run(given), args)


class Explainer:
    """Searches for an explanation of one wrong answer.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    plan : Plan
        Its cases, and what the reference does on them.
    outcomes : sequence of Outcome
        What the answer does on them.
    faults : sequence of Difference or None
        What is wrong with each outcome.
    further : sequence of (case, Outcome)
        What the answer does on further cases: see :func:`on_further_cases`.
    budget : float
        Seconds of computing that the search may take.
    """

    def __init__(
        self,
        exercise: Exercise,
        plan: Plan,
        outcomes: Sequence[Outcome],
        faults: Sequence[Difference | None],
        further: Sequence[tuple[Case, Outcome]] = (),
        budget: float = _BUDGET,
    ) -> None:
        self._exercise, self._plan, self._further = exercise, plan, further
        self._outcomes, self._faults = outcomes, faults
        self._budget = budget
        self._start_clock()
        self._got = [outcome.value for outcome in outcomes]
        self._right = [outcome.value for outcome in plan.expected]
        self._tolerance = tolerance_of(exercise)
        self._draws = any(isinstance(a, np.random.Generator) for args in plan.cases for a in args)
        self._names = parameter_names(exercise, plan.cases[0])
        self._found: dict[_Part, Candidate] = {}
        self._evaluated: list[tuple[Candidate, list[Any]]] = []
        self._parts = self._wrong_parts()

    # --- the search ---

    def explain(self) -> Explanation | None:
        """Return the simplest explanation that holds in every case; ``None`` if none is found."""
        if any(o.raised is not None for o in [*self._outcomes, *self._plan.expected]):
            return None
        self._start_clock()
        with quiet(), _silence():
            if self._exercise.asks_for_value:
                return self._from_answer() or self._explain_value()
            if self._is_equal() or not self._is_intact():
                return None
            return self._always_the_same() or self._from_answer() or self._search()

    def _search(self) -> Explanation | None:
        if not self._says_something():
            return None
        self._find_constant_parts()
        # Whole numbers agree with too much by chance for explanations of two steps.
        searches = [self._one_step] if self._is_weak() else [self._one_step, self._two_steps]
        for candidates in searches:
            for candidate in candidates():
                if candidates == self._two_steps and len(self._parts) > 1:
                    # Two slips in one of several results that have another one each: chance.
                    candidate = dataclasses.replace(candidate, only=candidate.only or _WHOLE)
                    if candidate.only is not _WHOLE:
                        continue
                self._try(candidate)
                if _WHOLE in self._found:
                    found = self._found[_WHOLE]
                    if self.has_rival(found.run):
                        return self._only_some_cases()
                    if self._some_parts_are_right():
                        return self._of_parts()
                    return Explanation(found.kind, found.because)
                if len(self._parts) == 1 and self._parts[0] in self._found:
                    return self._of_parts()
                if self._out_of_time():
                    break
            if self._parts and all(part in self._found for part in self._parts):
                return self._of_parts()
        return self._partly()

    def _says_something(self) -> bool:
        """Return whether the results hold anything but NaN and infinite numbers."""
        numbers = [numbers_in(value, "f") for value in self._got]
        return any(not vector.size or np.isfinite(vector).any() for vector in numbers)

    def has_rival(self, run: Callable[[Case], Any]) -> bool:
        """Return whether another candidate explains the answer as well, and is not the same.

        That happens only where results are whole numbers, truth values or texts.
        """
        if not self._is_weak() or not self._further:
            return False
        with quiet():
            tests = list(_jittered_cases(self._exercise, "rivals"))
            own = [Candidate(run, "").outcome(args) for args in tests]
            for candidate in map(_of_mutant, mutants_of(self._exercise)):
                if self._out_of_time():
                    break
                if self._explains(candidate) and any(
                    mine.raised is None
                    and (other := candidate.outcome(args)).raised is None
                    and compare(mine.value, other.value, self._tolerance) is not None
                    for args, mine in zip(tests, own, strict=True)
                ):
                    return True
        return False

    def _explains(self, candidate: Candidate) -> bool:
        for args, got in zip(self._plan.cases, self._outcomes, strict=True):
            outcome = candidate.outcome(args)
            if outcome.raised is not None or not self._is_same(_WHOLE, got, outcome, args):
                return False
        return self._is_confirmed(candidate, _WHOLE)

    def _find_constant_parts(self) -> None:
        """Recognize results that do not depend on the arguments: anything might explain them."""
        if len(self._got) < 2:
            return
        for part in self._parts:
            if self._same_everywhere([part.of(v) for v in self._got]) and not (
                self._same_everywhere([part.of(v) for v in self._right])
            ):
                because = "Your result is the same in every case, whatever the arguments are."
                self._found[part] = Candidate(itemgetter(0), because, only=part)

    def _is_intact(self) -> bool:
        """Return whether the answer has left NumPy and the rest as they were."""
        again = call(self._exercise.reference, self._plan.cases[0])
        return compare(again.value, self._right[0], self._tolerance) is None

    def _is_equal(self) -> bool:
        """Return whether the answer equals the reference, so that something else must be wrong."""
        return all(
            compare(got, right, self._tolerance) is None
            for got, right in zip(self._got, self._right, strict=True)
        )

    def _always_the_same(self) -> Explanation | None:
        """Recognize an answer that does not depend on its arguments: anything might explain it."""
        if not self._reasons_of_faults() <= {"value"} or len(self._got) < 2:
            return None
        if self._same_everywhere(self._right):
            return None
        if self._same_everywhere(self._got):
            because = "Your function returns the same in every case, whatever its arguments are."
            return Explanation("relation", because)
        try:
            numbers = [numbers_in(value, "iuf") for value in self._got]
        except ValueError:
            return None
        if not any(vector.any() for vector in numbers):
            return Explanation("relation", "Your function returns only zeros, in every case.")
        return None

    def _same_everywhere(self, values: Sequence[Any]) -> bool:
        return all(compare(value, values[0], self._tolerance) is None for value in values)

    def _from_answer(self) -> Explanation | None:
        """Look for a change of the answer's results that makes all of them right."""
        relations = VALUE_RELATIONS if self._exercise.asks_for_value else ANSWER_RELATIONS
        for change, because in relations:
            try:
                changed = [change(value) for value in self._got]
                fits = all(
                    compare(mine, right, self._tolerance) is None
                    for mine, right in zip(changed, self._right, strict=True)
                )
            except (TypeError, ValueError, IndexError, KeyError):
                continue
            if fits:
                return Explanation("relation", because)
        return None

    def is_same(self, case: int, other: Outcome, exactly: bool = True) -> bool:
        """Return whether the answer does in one case what ``other`` is, but for the draws."""
        if exactly:
            return compare(self._got[case], other.value, self._tolerance) is None
        return self._is_same(_WHOLE, self._outcomes[case], other, self._plan.cases[case])

    def fits(self, wrong: Callable[..., Any]) -> bool:
        """Return whether a wrong function does on further cases what the answer does there."""
        with quiet(), _silence():
            fits = self._is_confirmed(Candidate(_spread(wrong), ""), _WHOLE)
            return fits and not self.has_rival(_spread(wrong))

    def _one_step(self) -> Iterator[Candidate]:
        if self._reasons_of_faults() <= set(_PARTLY):
            yield from self._unchanged_arguments()
        yield from self._own_relations()
        yield from self._orders()
        for relation in OUTPUT_RELATIONS:
            if not (self._draws and "rounded" in relation.because):
                yield self._after(self._reference, relation.change, relation.because)
        reference = Candidate(self._reference, "")
        for part in [_WHOLE, *self._parts]:
            yield from self._constants_between(reference, self._right, part)
        if not self._draws:
            yield from self._rounded()
        for part in [_WHOLE, *self._parts]:
            yield from self._looked_up(part)
        # A sum of truth values divided by their largest is a count: the plain ratio is simpler.
        for part in [_WHOLE, *self._parts]:
            yield from self._quantities_between(part, counts)
        yield from map(_of_mutant, _named(mutants_of(self._exercise)))
        for given in self._inputs():
            yield Candidate(_on_other_input(self._reference, given), given.because)
        if self._is_weak():
            return
        for part in [_WHOLE, *self._parts]:
            yield from self._quantities_between(part, quantities)
            yield from self._arguments_between(part)
        yield from self._listed()
        yield from map(_of_mutant, further_mutants_of(self._exercise))

    def _two_steps(self) -> Iterator[Candidate]:
        first = list(self._evaluated)
        for candidate, values in first:
            for part in [_WHOLE, *self._parts]:
                yield from self._constants_between(candidate, values, part)
        for one, other in itertools.combinations(self._inputs(), 2):
            if one.because.startswith(_AS_IF) and other.because.startswith(_AS_IF):
                run = _on_other_input(_on_other_input(self._reference, one), other)
                yield Candidate(run, _two(one.because, other.because))
        for candidate, _ in first:
            for relation in OUTPUT_RELATIONS[:6]:
                yield self._after(
                    candidate.run, relation.change, _two(candidate.because, relation.because)
                )
        mutants = [c for c, _ in first if c.kind == "mutant"]
        for given in self._inputs():
            for candidate in mutants:
                yield Candidate(
                    _on_other_input(candidate.run, given),
                    _two(given.because, candidate.because),
                    "mutant",
                )
        for because, also, function in mutants_of_mutant(self._exercise):
            if because in UNSAID or also in UNSAID:
                continue
            yield Candidate(
                _spread(function),
                _two(because, also),
                "mutant",
            )

    # --- candidates ---

    def _reference(self, args: Case) -> Any:
        return self._exercise.reference(*args)

    def _after(
        self, run: Callable[[Case], Any], change: Callable[[Any, Case], Any], because: str
    ) -> Candidate:
        return Candidate(lambda args: change(plain(run(args)), args), because)

    def _unchanged_arguments(self) -> Iterator[Candidate]:
        for i, name in enumerate(self._names):
            for part in [_WHOLE, *self._parts]:
                because = f"Your result is `{name}` itself, unchanged."
                yield Candidate(itemgetter(i), because, only=part)

    def _own_relations(self) -> Iterator[Candidate]:
        for relation in self._exercise.relations:
            if isinstance(relation, OfInput):
                yield Candidate(_on_other_input(self._reference, relation), relation.because)
            elif isinstance(relation, OfOutput):
                yield self._after(self._reference, relation.change, relation.because)

    def _orders(self) -> Iterator[Candidate]:
        """Yield the wanted results in other orders, at most three of them."""
        first = self._right[0]
        if not isinstance(first, tuple) or not 2 <= len(first) <= 3:
            return
        for order in list(itertools.permutations(range(len(first))))[1:]:
            because = "Your results are right, but in the wrong order."
            after = self._after(self._reference, _in_order(order), because)
            yield dataclasses.replace(after, only=_WHOLE)

    def _inputs(self) -> list[OfInput]:
        if self._draws:
            return []
        return list(input_relations(self._names, self._plan.cases[0]))

    def _listed(self) -> Iterator[Candidate]:
        """Yield the listed misconceptions, which may explain one of several results."""
        for misconception in self._exercise.misconceptions:
            if self._parts and "right" not in misconception.because:
                yield Candidate(_spread(misconception.wrong), misconception.because)

    def _rounded(self) -> Iterator[Candidate]:
        for digits in (1, 2, 3, 4, 5, 6):
            yield self._after(
                self._reference,
                _rounding(digits),
                f"Your result is rounded to {digits} decimal{'s' * (digits > 1)}: give all digits.",
            )

    def _constants_between(
        self, base: Candidate, values: Sequence[Any], part: _Part
    ) -> Iterator[Candidate]:
        """Yield the base times or plus a constant, where the first case suggests which."""
        pairs = _vectors(self._got, values, part)
        if pairs is None:
            return
        for words, factor, term in _constants_in(pairs, exact=not base.because):
            if factor < 0 and base.because and self._signs_are_right(part):
                continue
            because = f"{base.because} Besides, your" if base.because else "Your"
            change = _times_and_plus(part, factor, term)
            after = self._after(base.run, change, f"{because} result {words}")
            yield dataclasses.replace(after, kind=base.kind, only=part)

    def _signs_are_right(self, part: _Part) -> bool:
        pairs = _vectors(self._got, self._right, part) or []
        return all(bool((np.sign(got) == np.sign(right)).all()) for got, right in pairs)

    def _quantities_between(
        self, part: _Part, table: Callable[[Sequence[str], Case], list[Quantity]]
    ) -> Iterator[Candidate]:
        """Yield the right result times or plus a number of the case."""
        pairs = _vectors(self._got, self._right, part)
        if pairs is None:
            return
        tables = [{q.name: q.value for q in table(self._names, args)} for args in self._plan.cases]
        for name in tables[0]:
            sizes = [table.get(name, math.nan) for table in tables]
            if len({round(size, 9) for size in sizes}) < 2:
                continue  # a constant as far as these cases tell
            for words, combine in _COMBINATIONS:
                if not all(
                    _near(combine(right, size), got)
                    for (got, right), size in zip(pairs, sizes, strict=True)
                ):
                    continue
                change = self._combining(part, name, combine, table)
                after = self._after(self._reference, change, f"Your result is {words.format(name)}")
                yield dataclasses.replace(after, only=part)

    def _combining(
        self,
        part: _Part,
        name: str,
        combine: Callable[[Any, float], Any],
        table: Callable[[Sequence[str], Case], list[Quantity]],
    ) -> Callable[[Any, Case], Any]:
        def change(value: Any, args: Case) -> Any:
            size = {q.name: q.value for q in table(self._names, args)}[name]
            return map_numbers(part.of(value), lambda x: combine(x, size))

        return change

    def _arguments_between(self, part: _Part) -> Iterator[Candidate]:
        """Yield the right result times or plus an argument, element by element."""
        for i, name in enumerate(self._names):
            if not all(isinstance(args[i], np.ndarray) for args in self._plan.cases):
                continue
            for words, combine in _COMBINATIONS[:6]:
                change = _combined_with_argument(part, i, combine)
                because = f"Your result is {words.format(f'`{name}`')}"
                yield dataclasses.replace(self._after(self._reference, change, because), only=part)

    def _looked_up(self, part: _Part) -> Iterator[Candidate]:
        """Yield what stands in an argument at the right position."""
        for i, name in enumerate(self._names):
            if all(isinstance(args[i], np.ndarray) for args in self._plan.cases):
                because = f"Your result is the value of `{name}` there: wanted is its position."
                after = self._after(self._reference, _at_position(part, i), because)
                yield dataclasses.replace(after, only=part)

    # --- does a candidate explain the answer? ---

    def _try(self, candidate: Candidate) -> None:
        """Note which parts of the answer a candidate explains."""
        only = candidate.only
        alive = [p for p in [_WHOLE, *self._parts] if p not in self._found and only in (None, p)]
        values = []
        for args, got in zip(self._plan.cases, self._outcomes, strict=True):
            outcome = candidate.outcome(args)
            if outcome.raised is not None:
                return
            values.append(outcome.value)
            alive = [p for p in alive if self._is_same(p, got, outcome, args, only is not None)]
            if not alive and (only is not None or candidate.kind == "relation"):
                break
        if only is None and len(values) == len(self._got):
            self._evaluated.append((candidate, values))
        for part in alive:
            if self._holds_numbers(part) and self._is_confirmed(candidate, part):
                self._found[part] = candidate

    def _holds_numbers(self, part: _Part) -> bool:
        """Return whether one of several results is of numbers: others agree by chance."""
        return part is _WHOLE or numbers_in(part.of(self._right[0]), "iuf ").size > 0

    def _is_same(
        self, part: _Part, got: Outcome, other: Outcome, args: Case, selected: bool = False
    ) -> bool:
        try:
            mine = part.of(got.value)
            theirs = other.value if selected else part.of(other.value)
        except (TypeError, IndexError, KeyError):
            return False
        if compare(mine, theirs, self._tolerance) is None:
            return True
        if not self._draws or self._exercise.accept is None:
            return False
        # Draws differ from answer to answer: `accept` says how far results may be apart.
        if part.index is not None:
            mixed = list(other.value)
            mixed[part.index] = got.value[part.index]
            mine = tuple(mixed)
        try:
            return self._exercise.accept(mine, other.value, args) is None
        except Exception:
            return False

    def _is_confirmed(self, candidate: Candidate, part: _Part) -> bool:
        selected = candidate.only is not None
        for args, got in self._further:
            other = candidate.outcome(args)
            if other.raised is None and not self._is_same(part, got, other, args, selected):
                return False
        return True

    def _is_weak(self) -> bool:
        """Return whether the results are whole numbers, truth values or texts only."""
        return is_weak(self._plan)

    def _wrong_parts(self) -> list[_Part]:
        """Return the results that are wrong in some case, where several are wanted."""
        sizes = {len(v) if isinstance(v, list | tuple) else -1 for v in [*self._got, *self._right]}
        if not self._reasons_of_faults() <= set(_PARTLY) or len(sizes) != 1:
            return []
        (size,) = sizes
        if not isinstance(self._right[0], tuple) or not 2 <= size <= len(_ORDINALS):
            return []
        return [_Part(i) for i in range(size) if not self._is_part_right(i)]

    def _is_part_right(self, i: int) -> bool:
        return all(
            self._is_same(_Part(i), got, right, args)
            for got, right, args in zip(
                self._outcomes, self._plan.expected, self._plan.cases, strict=True
            )
        )

    def _reasons_of_faults(self) -> set[str]:
        return {fault.reason for fault in self._faults if fault is not None}

    def _start_clock(self) -> None:
        self._computed = time.thread_time() + self._budget
        self._deadline = time.perf_counter() + max(self._budget, _LONGEST)

    def _out_of_time(self) -> bool:
        return time.thread_time() > self._computed or time.perf_counter() > self._deadline

    # --- words ---

    def _of_parts(self) -> Explanation:
        """Say for each of several results whether it is right, or what is wrong with it."""
        wrong = {part.index for part in self._parts}
        sentences = []
        right = [_ORDINALS[i] for i in range(len(self._right[0])) if i not in wrong]
        if right:
            verb = "result is" if len(right) == 1 else "results are"
            sentences.append(f"Your {' and '.join(right)} {verb} right.")
        for because, ordinals in self._reasons().items():
            which = " and ".join(ordinals)
            if not because:
                sentences.append(f"The {which} {'is' if len(ordinals) == 1 else 'are'} wrong.")
            elif because.startswith("Your result ") and len(ordinals) == 1:
                sentences.append(f"Your {which} result {because.removeprefix('Your result ')}")
            else:
                sentences.append(f"As to the {which}: {because[0].lower()}{because[1:]}")
        kinds = {candidate.kind for candidate in self._found.values()}
        return Explanation("mutant" if "mutant" in kinds else "relation", " ".join(sentences))

    def _reasons(self) -> dict[str, list[str]]:
        """Return which results each sentence is about; an empty one stands for no explanation."""
        reasons: dict[str, list[str]] = {}
        for part in self._parts:
            assert part.index is not None
            because = self._found[part].because if part in self._found else ""
            reasons.setdefault(because, []).append(_ORDINALS[part.index])
        return reasons

    def _partly(self) -> Explanation | None:
        """Say what is right where nothing explains the rest."""
        if not self._reasons_of_faults() <= set(_PARTLY):
            return self._only_some_cases()
        return (
            self._nearly()
            or self._only_some_cases()
            or self._only_some_parts()
            or self._only_some_elements()
        )

    def _only_some_cases(self) -> Explanation | None:
        wrong = [fault is not None for fault in self._faults]
        if all(wrong) or self._draws or len(wrong) < 4:
            return None
        if not self._reasons_of_faults() <= {*_PARTLY, "nan"}:
            return None  # a result of another shape or type: that is what must be said
        kinds = [
            kinds_of_case(self._names, args, right)
            for args, right in zip(self._plan.cases, self._right, strict=True)
        ]
        for sharp in (True, False):
            names = sorted(kind for kind in set().union(*kinds) if kind.startswith("!") == sharp)
            bad = [n for n in names if [n in of_case for of_case in kinds] == wrong]
            good = [n for n in names if [n not in of_case for of_case in kinds] == wrong]
            if min(sum(wrong), len(wrong) - sum(wrong)) < 2:  # one case fits by chance
                bad, good = list(filter(is_clear_cut, bad)), []
            # More than two things that fit by chance say nothing.
            if 1 <= len(bad) <= 2 and (sharp or len(wrong) >= 6):
                where = " or ".join(name.removeprefix("!") for name in bad)
                return Explanation("relation", f"Right in all cases but those where {where}.")
            if sharp and 1 <= len(good) <= 2:
                where = " or ".join(name.removeprefix("!") for name in good)
                return Explanation("relation", f"Right only in those cases where {where}.")
        return None

    def _only_some_parts(self) -> Explanation | None:
        return self._of_parts() if self._some_parts_are_right() or self._found else None

    def _some_parts_are_right(self) -> bool:
        return bool(self._parts) and len(self._parts) < len(self._right[0])

    def _only_some_elements(self) -> Explanation | None:
        where, some_right = set(_PLACES), False
        for got, right in zip(self._got, self._right, strict=True):
            if not isinstance(right, np.ndarray) or right.dtype.kind not in "iuf" or not right.ndim:
                return None
            mine = to_array(got)
            if mine.shape != right.shape or mine.dtype.kind not in "iuf":
                return None
            wrong = ~np.isclose(mine, right, self._tolerance.rtol, self._tolerance.atol)
            where = {place for place in where if np.array_equal(_PLACES[place](right), wrong)}
            some_right |= bool((~wrong & (right != 0)).any())
        if not where or not some_right:
            return None
        return Explanation("relation", f"All elements are right but {min(where, key=len)}.")

    def _nearly(self) -> Explanation | None:
        pairs = _vectors(self._got, self._right, _WHOLE)
        if pairs is None or all(numbers_in(v, "f").size == 0 for v in self._right):
            return None
        largest = max(float(np.max(np.abs(right))) for _, right in pairs)
        if not 0 < largest < np.inf or not all(np.isfinite(got).all() for got, _ in pairs):
            return None
        # Small in every case: a large one may not hide a small one that is quite wrong.
        gap = max(
            float(np.max(np.abs(got - right)) / (np.max(np.abs(right)) or largest))
            for got, right in pairs
        )
        if not 0 < gap < _SMALL:
            return None
        digits = math.floor(-math.log10(gap))
        return Explanation(
            "relation",
            f"Close, but not exact enough: right to about {digits} digits. Does something stop too "
            "early (a solver's tolerance, too few steps), or is something small added or left out?",
        )

    def _explain_value(self) -> Explanation | None:
        value = self._got[0]
        right = self._right[0]
        digits = numbers_in(right, "f").size and numbers_in(value, "f").size
        # A slow experiment is not repeated again and again.
        if not digits or self._plan.expected[0].seconds > 0.02 or not self._is_intact():
            return None
        loose = Tolerance(rtol=1e-4, atol=0.0)
        for mutant in _named(mutants_of(self._exercise)):
            outcome = call(mutant.function, ())
            if outcome.raised is None and compare(value, outcome.value, loose) is None:
                return Explanation("mutant", mutant.because)
            if self._out_of_time():
                break
        return None


def _named(mutants: Iterator[Mutant]) -> Iterator[Mutant]:
    """Leave out the slips that no sentence says so that it helps."""
    return (mutant for mutant in mutants if mutant.because not in UNSAID)


def _of_mutant(mutant: Mutant) -> Candidate:
    return Candidate(_spread(mutant.function), mutant.because, "mutant")


def _spread(function: Callable[..., Any]) -> Callable[[Case], Any]:
    return lambda args: function(*args)


def _in_order(order: Sequence[int]) -> Callable[[Any, Case], Any]:
    return lambda value, args: tuple(value[k] for k in order)


def _rounding(digits: int) -> Callable[[Any, Case], Any]:
    return lambda value, args: map_numbers(value, lambda x: np.round(x, digits))


def _combined_with_argument(
    part: _Part, i: int, combine: Callable[[Any, Any], Any]
) -> Callable[[Any, Case], Any]:
    def change(value: Any, args: Case) -> Any:
        right = part.of(value)
        result = combine(right, args[i])
        if np.shape(result) != np.shape(right):
            raise ValueError("the shape would be another")
        return result

    return change


def _at_position(part: _Part, i: int) -> Callable[[Any, Case], Any]:
    return lambda value, args: args[i][part.of(value)]


def _times_and_plus(part: _Part, factor: float, term: float) -> Callable[[Any, Case], Any]:
    return lambda value, args: map_numbers(part.of(value), lambda x: factor * x + term)


def _on_other_input(run: Callable[[Case], Any], relation: OfInput) -> Callable[[Case], Any]:
    return lambda args: run(relation.change(args))


def _two(because: str, also: str) -> str:
    return f"Two things seem to be wrong. {because} {also}"


# --- numbers ---

_Pairs = list[tuple[Any, Any]]

_COMBINATIONS: tuple[tuple[str, Callable[[Any, float], Any]], ...] = (
    ("the right one times {}.", lambda x, q: x * q),
    ("the right one divided by {}.", lambda x, q: x / q),
    ("the right one times twice {}.", lambda x, q: x * 2 * q),
    ("the right one with {} added.", lambda x, q: x + q),
    ("the right one with {} subtracted.", lambda x, q: x - q),
    ("the right one subtracted from {}.", lambda x, q: q - x),
    ("the right one, raised to the power {}.", lambda x, q: np.sign(x) * np.abs(x) ** q),
)

_PLACES: dict[str, Callable[[Any], Any]] = {
    "the first": lambda a: _at_ends(a, 0),
    "the last": lambda a: _at_ends(a, -1),
    "the first and the last": lambda a: _at_ends(a, 0) | _at_ends(a, -1),
    "those that should be 0": lambda a: a == 0,
    "those that should be negative": lambda a: a < 0,
    "those that should be positive": lambda a: a > 0,
    "those off the diagonal": lambda a: _off_diagonal(a),
}


def _off_diagonal(array: Any) -> Any:
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        return np.zeros(array.shape, dtype=bool)
    return np.eye(len(array)) == 0


def _at_ends(array: Any, index: int) -> Any:
    mask = np.zeros(array.shape, dtype=bool)
    mask[index] = True
    return mask


def _vectors(got: Sequence[Any], right: Sequence[Any], part: _Part) -> _Pairs | None:
    """Return the numbers of both sides of each case; ``None`` unless they correspond."""
    pairs = []
    for mine, theirs in zip(got, right, strict=True):
        try:
            pair = numbers_in(part.of(mine), "iuf"), numbers_in(part.of(theirs), "iuf")
        except (TypeError, IndexError, KeyError, ValueError):
            return None
        if pair[0].size != pair[1].size or not pair[0].size:
            return None
        pairs.append(pair)
    return pairs


def _constants_in(pairs: _Pairs, exact: bool) -> Iterator[tuple[str, float, float]]:
    """Yield the constant factors and terms that lead from the right numbers to those got."""
    got, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    if not got.any():
        return  # a result of zeros says nothing
    informative = np.abs(right) > 1e-12
    if informative.any() and not got[~informative].any():
        factor = float(got[informative][0] / right[informative][0])
        if _near(right * factor, got) and not math.isclose(factor, 1.0, rel_tol=1e-6):
            yield from _named_factor(factor, exact, int(informative.sum()), len(pairs))
    term = float(got[0] - right[0])
    enough = got.size > 1 and float(np.ptp(right)) > 0
    if enough and exact and _near(right + term, got) and abs(term) > 1e-9:
        yield f"is the right one plus {term:.6g}.", 1.0, term


def _named_factor(
    factor: float, exact: bool, n_numbers: int, n_cases: int
) -> Iterator[tuple[str, float, float]]:
    if math.isclose(factor, -1.0, rel_tol=1e-6):
        yield "has the wrong sign, and is right otherwise.", -1.0, 0.0
        return
    for constant, name in CONSTANTS.items():
        if math.isclose(abs(factor), constant, rel_tol=1e-6):
            sign = "−" if factor < 0 else ""
            yield f"is {sign}{name} times the right one.", factor, 0.0
            return
    if exact and n_numbers >= 3 and n_cases >= 2:
        yield f"is the right one times {factor:.6g}, in every case.", factor, 0.0


def _near(first: Any, second: Any) -> bool:
    if not np.all(np.isfinite(first)):
        return False
    return bool(np.all(np.abs(first - second) <= 1e-9 + 1e-6 * np.abs(second)))
