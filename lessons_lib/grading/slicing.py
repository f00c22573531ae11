"""Take from a notebook what its exercises need, so that no experiment has to run again.

A lesson computes for half a minute; its answers need a few imports and definitions of it. For each
cell with a ``check(…)`` the statements before it are kept that define, or change, a name which the
cell needs, directly or through other names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["answer_cells", "needed"]


def answer_cells(sources: Iterable[str]) -> Iterator[tuple[list[ast.stmt], list[ast.stmt], str]]:
    """Yield, for each cell that checks an answer, what it needs, its statements, and its source.

    Parameters
    ----------
    sources : iterable of str
        The source of each code cell, in order.

    Yields
    ------
    before : list of ast.stmt
        Statements of earlier cells, in order.
    own : list of ast.stmt
        The cell's own statements.
    source : str
        The cell's text.
    """
    earlier: list[ast.stmt] = []
    for source in sources:
        try:
            own = ast.parse(_without_magic(source)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            own = []
            if "check(" in source:
                yield [], [], source
        if any(_is_check(node) for statement in own for node in ast.walk(statement)):
            yield needed(earlier, own), own, source
        earlier += own


def needed(earlier: list[ast.stmt], own: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that define or change what others need, in their order."""
    wanted = set().union(*(_reads(statement) for statement in own))
    kept = []
    for statement in reversed(earlier):
        if _writes(statement) & wanted:
            kept.append(statement)
            wanted |= _reads(statement)
    return kept[::-1]


def _is_check(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
    )


def _reads(statement: ast.stmt) -> set[str]:
    """Return the names that a statement looks up, also in the functions that it defines."""
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _writes(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, or whose objects it may change."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) or (
            isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        ):
            # `results[k] = …`, `rng.shuffle(…)`: the object may be another one afterwards.
            found |= _base(node)
    return found


def _base(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _without_magic(source: str) -> str:
    """Blank the lines that only IPython understands; the number of lines stays."""
    return "\n".join(
        "" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.split("\n")
    )
