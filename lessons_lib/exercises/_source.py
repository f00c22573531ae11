"""Read the source of functions: to show a solution, to keep an attempt, to recognize a stub."""

import ast
import dis
import functools
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType, EllipsisType, FunctionType, MethodType, NoneType
from typing import Any

# A body of only a docstring, `...`, `pass` or `return ...` compiles to these instructions alone.
_STUB_INSTRUCTIONS = {"RESUME", "NOP", "COPY_FREE_VARS", "RETURN_VALUE"}

CACHED = type(functools.cache(lambda: None))
"""The type of functions under ``functools.cache`` or ``lru_cache``."""


def is_stub(function: Callable[..., Any]) -> bool:
    """Return whether the body of ``function`` is still only a docstring, ``...`` or ``pass``.

    It looks at the compiled code, so that it needs no source text and runs nothing.
    """
    # type(…) is …: asking isinstance could run code of the object's class.
    if type(function) is not FunctionType or inspect.isgeneratorfunction(function):
        return False
    return all(
        step.opname in _STUB_INSTRUCTIONS or _is_empty_constant(step)
        for step in dis.get_instructions(function)
    )


def _is_empty_constant(step: dis.Instruction) -> bool:
    loads = step.opname.startswith("LOAD_") or step.opname == "RETURN_CONST"
    return loads and isinstance(step.argval, NoneType | EllipsisType)


def source_of(function: object) -> str | None:
    """Return the dedented source of a function, of a ``lambda`` only its own expression.

    Returns
    -------
    str or None
        ``None`` where no source is known, for example for a built-in function.
    """
    code = code_of(function)
    return None if code is None else source_of_code(code)


def source_of_code(code: CodeType) -> str | None:
    """Return the dedented source that was compiled to ``code``, ``None`` where it is not known."""
    if code.co_filename == "<string>":  # made by `exec`: that name may stand for another text
        return None
    try:
        if code.co_name == "<lambda>":
            lines, _ = inspect.findsource(code)
            return _lambda_source("".join(lines), code)
        return textwrap.dedent(inspect.getsource(code)).rstrip()
    except (OSError, TypeError, SyntaxError):
        return None


def code_of(function: Any) -> CodeType | None:
    """Return the code object behind a function, method, ``functools.cache`` or ``partial``."""
    for _ in range(10):  # wrappers around wrappers
        kind = type(function)
        if kind is FunctionType and "__wrapped__" not in function.__dict__:
            code: CodeType = function.__code__
            return code
        if kind is FunctionType or kind is CACHED:
            function = function.__wrapped__
        elif kind is functools.partial:
            function = function.func
        elif kind is MethodType:
            function = function.__func__
        else:
            return None
    return None


def _lambda_source(text: str, code: CodeType) -> str | None:
    """Pick, among the lambdas that begin on the code's first line, the one that holds the code."""
    # Instructions know where they come from; those without a column belong to no expression.
    spans = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if line and end_line and column and end_column
    ]
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and all(_holds(node.body, start, end) for start, end in spans)
    ]
    if not found:
        return None
    # A lambda inside a lambda: both hold the code, the inner one begins later.
    innermost = max(found, key=lambda node: node.col_offset)
    segment = ast.get_source_segment(text, innermost)
    return None if segment is None else textwrap.dedent(segment)


def _holds(node: ast.expr, start: tuple[int, int], end: tuple[int, int]) -> bool:
    # Positions of parsed source are always known; the types allow None for made-up trees.
    last = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset) <= start and end <= last
