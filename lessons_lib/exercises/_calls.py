"""Call an answer once and put into words what happened."""

import copy
import inspect
import linecache
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from lessons_lib.exercises._model import Case, Exercise
from lessons_lib.exercises._source import code_of
from lessons_lib.exercises._values import (
    Tolerance,
    class_name,
    compare,
    holds_foreign,
    plain,
    type_name,
)


@dataclass(frozen=True)
class Raised:
    """An exception that an answer raised, in words."""

    name: str
    message: str
    bases: tuple[str, ...]
    line: str
    traceback: str


@dataclass(frozen=True)
class Outcome:
    """What one call did: its result, a plain copy or the exception, changed inputs, seconds."""

    result: Any = None
    value: Any = None
    raised: Raised | None = None
    changed: tuple[int, ...] = ()
    seconds: float = 0.0


def call(function: Any, args: Case) -> Outcome:
    """Call ``function`` on copies of ``args``; whatever it raises is part of the outcome."""
    given = copy.deepcopy(args)
    start = time.thread_time()
    try:
        result = function(*given)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the answer's, too
        return Outcome(raised=_describe_exception(error, code_of(function)))
    seconds = time.thread_time() - start
    changed = tuple(i for i in range(len(args)) if has_changed(args[i], given[i]))
    return Outcome(result, plain(result), changed=changed, seconds=seconds)


def has_changed(before: object, after: object) -> bool:
    """Return whether an input is no longer what it was.

    Other objects, a random generator for example, may change state: that is what they are for.
    """
    return isinstance(before, np.ndarray | list | dict) and differs(before, after)


def differs(before: object, after: object) -> bool:
    """Return whether two objects differ at all; what cannot be compared counts as equal."""
    exact = Tolerance(rtol=0.0, atol=0.0, check_dtype=True)
    old, new = plain(before), plain(after)
    if holds_foreign(old):
        return False
    return type(old) is not type(new) or compare(new, old, exact) is not None


def _describe_exception(error: BaseException, code: CodeType | None) -> Raised:
    try:
        message = " ".join(str(error).split())
    except BaseException:
        message = ""
    # Asked of the built-in classes: the exception's own class and metaclass may define anything.
    trace: TracebackType | None = BaseException.__dict__["__traceback__"].__get__(error)
    # The first frame is that of `call`: none of the reader's business.
    own = trace.tb_next if trace is not None else None
    return Raised(
        name=type_name(error),
        message=message if len(message) <= 200 else message[:199] + "…",
        bases=tuple(class_name(base) for base in type.__dict__["__mro__"].__get__(type(error))),
        line=line_in_answer(traceback.walk_tb(own), code),
        traceback=_format_traceback(error, own),
    )


def _format_traceback(error: BaseException, trace: TracebackType | None) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:  # an exception class may define anything
        return f"{type_name(error)}\n"


def line_in_answer(frames: Iterable[tuple[FrameType, int]], code: CodeType | None) -> str:
    """Say where in the reader's own file or cell the innermost of ``frames`` is.

    Parameters
    ----------
    frames : iterable of (frame, line number)
        The call stack, outermost first.
    code : code object or None
        The answer's.

    Returns
    -------
    str
        For example "in line 3: `return 1 / 0`"; empty if no frame is in the reader's file or cell.
    """
    place = ""
    for frame, number in frames:
        if code is not None and frame.f_code.co_filename == code.co_filename:
            text = linecache.getline(code.co_filename, number).strip()
            place = f"in line {number}" + (f": `{text}`" if text else "")
    return place


def parameters_mismatch(exercise: Exercise, answer: Any, args: Case) -> str:
    """Say why ``answer`` cannot be called with ``args``; empty if it can."""
    try:
        signature = inspect.signature(answer)
    except BaseException:  # some built-in functions have none, and a class may define anything
        return ""
    try:
        signature.bind(*args)
    except TypeError:
        wanted = ", ".join(parameter_names(exercise, args))
        own = ", ".join(_with_stars(p) for p in signature.parameters.values())
        by_name = [
            f"`{p.name}`"
            for p in signature.parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        ]
        why = f", and {', '.join(by_name)} can only be given by name" if by_name else ""
        return f"the check calls your function with ({wanted}), but its parameters are ({own}){why}"
    return ""


def _with_stars(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return "*" + parameter.name
    return "**" + parameter.name if parameter.kind is parameter.VAR_KEYWORD else parameter.name


def parameter_names(exercise: Exercise, args: Case) -> list[str]:
    """Return a name for each argument: that of the reference's parameter."""
    names = [p.name for p in inspect.signature(exercise.reference).parameters.values()]
    names += [f"argument {i + 1}" for i in range(len(names), len(args))]
    return names[: len(args)]
