"""Show the library's own source in a lesson, so that no reader sees a copy that has gone stale."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from IPython.display import display
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

__all__ = ["show_source", "source_without_docstring"]


def source_without_docstring(function: Callable[..., Any]) -> str:
    """Return the source of a function, method or class without its docstrings.

    Parameters
    ----------
    function : callable
        A function, method or class written in Python.

    Returns
    -------
    str
        The dedented source; comments and layout are kept.

    Raises
    ------
    TypeError
        If `function` has no Python source.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise TypeError(f"function must be written in Python, got {function!r}") from error
    lines = source.splitlines()
    # From the last to the first, so that line numbers before a removed docstring stay true.
    for node in sorted(_documented(ast.parse(source)), key=lambda node: -node.lineno):
        first, last = node.lineno, node.end_lineno or node.lineno
        blank_after = last < len(lines) and not lines[last].strip()
        del lines[first - 1 : last + blank_after]
    return "\n".join(lines)


def _documented(tree: ast.Module) -> list[ast.stmt]:
    """Return the docstring statements in a module."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, kinds) and ast.get_docstring(node) is not None and len(node.body) > 1
    ]


class _Source:
    """Source text that Jupyter shows with its syntax in color."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        formatter = HtmlFormatter(cssclass="highlight library-source")
        return str(highlight(self.text, PythonLexer(), formatter))


def show_source(*functions: Callable[..., Any]) -> None:
    """Display the source of functions without their docstrings.

    Parameters
    ----------
    *functions : callable
        Functions, methods or classes written in Python.
    """
    display(_Source("\n\n\n".join(source_without_docstring(function) for function in functions)))  # type: ignore[no-untyped-call]
