"""What an exercise is made of, and what a check finds out about an answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as declare
from typing import Any, Literal

import numpy as np

from lessons_lib.exercises._clock import TIME_LIMIT

Case = tuple[Any, ...]
State = Literal["passed", "not yet", "not attempted", "not checked"]

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Misconception:
    """A likely wrong answer and the sentence that explains it.

    Parameters
    ----------
    wrong : callable
        The wrong implementation, with the parameters of the exercise's reference (none for an
        exercise whose answer is a value). It may also raise, return NaN or change its inputs: an
        answer that does the same gets this explanation.
    because : str
        One plain sentence, shown to the reader. Code goes in backticks; no mathematics.
    """

    wrong: Callable[..., Any]
    because: str

    def __post_init__(self) -> None:
        if not callable(self.wrong):
            raise TypeError(f"wrong must be callable, got {self.wrong!r}")
        _require_text("because", self.because)


@dataclass(frozen=True)
class OfOutput:
    """A relation of a wrong result to the right one.

    Parameters
    ----------
    change : callable
        ``change(right, args)`` returns the wrong result that this relation makes of the right one;
        it may raise where the relation makes no sense.
    because : str
        One plain sentence, shown to the reader. "Your result" begins what is said of the result.
    """

    change: Callable[[Any, Case], Any]
    because: str

    def __post_init__(self) -> None:
        _require_relation(self.change, self.because)


@dataclass(frozen=True)
class OfInput:
    """A relation of inputs: the right computation on other arguments.

    Parameters
    ----------
    change : callable
        ``change(args)`` returns the arguments that are used by mistake; it may raise.
    because : str
        One plain sentence, shown to the reader.
    """

    change: Callable[[Case], Case]
    because: str

    def __post_init__(self) -> None:
        _require_relation(self.change, self.because)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what is asked, how an answer is checked, and what helps.

    Parameters
    ----------
    name : str
        ``"<lesson>.<exercise>"`` in lower case, for example ``"overfitting.k_fold"``; the first
        part is the name of the module that defines it.
    title : str
        A few words for the reader.
    level : {1, 2, 3}
        Difficulty, shown as ★ to ★★★.
    hints : tuple of str
        At least one; they are given one at a time, the first says least.
    reference : callable
        The right answer. For an exercise that asks for a value, a callable without parameters that
        computes the value.
    cases : callable, optional
        ``cases(rng)`` returns the positional arguments of each call, as a sequence of tuples. It
        gets a generator seeded by the exercise's name. ``None`` makes this an exercise that asks
        for a value.
    misconceptions : tuple of Misconception
        Likely wrong answers; each must differ from the reference on the cases.
    rtol, atol : float
        Numbers agree when ``|got − expected| ≤ atol + rtol·|expected|``.
    time_limit : float
        Seconds that the answer may compute for all cases together: time on the processor, without
        imports.
    check_dtype : bool
        Whether the result must have exactly the reference's dtype.
    accept : callable, optional
        ``accept(result, expected, args)`` replaces the comparison where several results are right
        (any permutation, either sign). It returns ``None`` when the result is right, else one
        sentence.
    shows : tuple of callable
        Helper functions whose source belongs to the shown solution.
    relations : tuple of OfOutput or OfInput
        Relations of this exercise's own that explain a wrong answer; those that make sense
        everywhere (a wrong sign, swapped arguments …) are searched for anyway.
    equivalent_mutants : mapping of str to str
        Changes of the reference by machine that make no difference, by their key (for example
        ``"x > 0 → x >= 0"``, as ``surviving_mutants`` lists them), each with the reason.

    Raises
    ------
    TypeError, ValueError
        If a field is ill-formed; the message names it.
    """

    name: str
    title: str
    level: int
    hints: tuple[str, ...]
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[Case]] | None = None
    misconceptions: tuple[Misconception, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    time_limit: float = TIME_LIMIT
    check_dtype: bool = False
    accept: Callable[[Any, Any, Case], str | None] | None = None
    shows: tuple[Callable[..., Any], ...] = ()
    relations: tuple[OfOutput | OfInput, ...] = ()
    equivalent_mutants: Mapping[str, str] = declare(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f'name must look like "lesson.exercise", got {self.name!r}')
        _require_text("title", self.title)
        if self.level not in (1, 2, 3):
            raise ValueError(f"level must be 1, 2 or 3, got {self.level!r}")
        _require_tuple("hints", self.hints)
        if not self.hints:
            raise ValueError("hints must hold at least one hint, got none")
        for hint in self.hints:
            _require_text("hints", hint)
        _require_tuple("misconceptions", self.misconceptions)
        for misconception in self.misconceptions:
            if not isinstance(misconception, Misconception):
                raise TypeError(f"misconceptions must hold Misconception, got {misconception!r}")
        _require_tuple("shows", self.shows)
        _require_tuple("relations", self.relations)
        for relation in self.relations:
            if not isinstance(relation, OfOutput | OfInput):
                raise TypeError(f"relations must hold OfOutput or OfInput, got {relation!r}")
        for key, reason in self.equivalent_mutants.items():
            _require_text("equivalent_mutants", key)
            _require_text("equivalent_mutants", reason)
        for field in ("reference", "cases", "accept"):
            value = getattr(self, field)
            if not callable(value) and (field == "reference" or value is not None):
                raise TypeError(f"{field} must be callable, got {value!r}")
        for field in ("rtol", "atol"):
            if not 0 <= getattr(self, field) < np.inf:
                raise ValueError(f"{field} must be finite and ≥ 0, got {getattr(self, field)!r}")
        if not 0 < self.time_limit < np.inf:
            raise ValueError(f"time_limit must be finite and > 0, got {self.time_limit!r}")

    @property
    def lesson(self) -> str:
        """Name of the lesson, which is also the name of the defining module."""
        return self.name.partition(".")[0]

    @property
    def asks_for_value(self) -> bool:
        """Whether the answer is a value rather than a function."""
        return self.cases is None

    @property
    def stars(self) -> str:
        """The level as three stars, the first ``level`` of them filled."""
        return "★" * self.level + "☆" * (3 - self.level)


@dataclass(frozen=True)
class Verdict:
    """What a check found out about an answer.

    Parameters
    ----------
    state : {"passed", "not yet", "not attempted", "not checked"}
        ``"not checked"`` means that the check itself could not be carried out.
    reason : str
        What decided, in one word: ``"misconception"``, ``"mutant"`` (the reference with a slip does
        the same), ``"relation"`` (to the right result or to other inputs), ``"raised"``,
        ``"changed"``, ``"none"``, ``"type"``, ``"nan"``, ``"shape"``, ``"dtype"``, ``"value"``,
        ``"accept"``, ``"signature"``, ``"pickle"``, ``"time"``, ``"memory"``, ``"ended"``,
        ``"startup"`` or ``"reply"``; empty when there is nothing to add to the state.
    message : str
        One plain sentence for the reader.
    details : str
        Further lines: the inputs, what was expected and what the answer gave.
    misconception : int or None
        Which misconception the answer equals.
    printed : str
        The first lines of what the answer printed.
    traceback : str
        The traceback, if the answer raised.
    """

    state: State
    reason: str = ""
    message: str = ""
    details: str = ""
    misconception: int | None = None
    printed: str = ""
    traceback: str = ""


def _require_text(field: str, text: object) -> None:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{field} must be a text that is not empty, got {text!r}")


def _require_relation(change: object, because: object) -> None:
    if not callable(change):
        raise TypeError(f"change must be callable, got {change!r}")
    _require_text("because", because)


def _require_tuple(field: str, value: object) -> None:
    # A forgotten comma turns ("one hint",) into a string, and a string into many one-letter hints.
    if not isinstance(value, tuple):
        raise TypeError(f"{field} must be a tuple, got {value!r}")
