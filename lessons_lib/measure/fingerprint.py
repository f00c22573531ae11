"""Fingerprints of code, which tell whether what made a stored result has changed.

A fingerprint is made from the source that a function *reaches*: its own, and that of every
definition of the same package which it names, directly or through others. Comments, docstrings and
layout do not count, nor do other definitions in the same files or in which file something is, so
that a new layer beside an old one leaves the fingerprints of experiments with the old one alone.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

__all__ = ["fingerprint"]

Definition = tuple[str, str]
"""Module and name of something defined at the top level of a module."""


def fingerprint(*functions: Callable[..., Any], extra: str = "") -> str:
    """Return twelve hexadecimal digits that change when the code behind functions changes.

    Code counts if a function reaches it by names: top-level functions, classes and constants of
    the top-level package in which the function lives. Code of other packages does not count.

    Parameters
    ----------
    *functions : callable
        Functions of the top level of modules, or `functools.partial` of them with plain values.
    extra : str, default=""
        More that counts.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If a function has no source of its own at the top level of a module, as a lambda.

    Examples
    --------
    >>> fingerprint(fingerprint) == fingerprint(fingerprint)
    True
    >>> fingerprint(fingerprint) == fingerprint(fingerprint, extra="more")
    False
    """
    parts = [extra]
    reached: set[Definition] = set()
    for function in functions:
        while isinstance(function, partial):
            parts.append(repr((function.args, sorted(function.keywords.items()))))
            function = function.func
        start = _definition_of(function)
        parts.append(start[1])
        _reach(start, reached)
    # Sorted by content: where something is defined does not count.
    parts += sorted(filter(None, (_text_of(*definition) for definition in reached)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _definition_of(function: Callable[..., Any]) -> Definition:
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if name not in (_definitions(module) if module else {}):
        raise TypeError(
            f"functions must be defined at the top level of a module, got {function!r}."
        )
    return module, name


def _reach(start: Definition, reached: set[Definition]) -> None:
    """Add a definition and all that it names, directly or through others."""
    waiting = [start]
    while waiting:
        module, name = waiting.pop()
        if (module, name) not in reached:
            reached.add((module, name))
            waiting += _named_by(module, name)


@cache
def _text_of(module: str, name: str) -> str:
    """Return what counts of a definition; nothing for an import, which only leads on."""
    statements = _definitions(module).get(name, ())
    return "".join(
        piece
        for statement in statements
        if not isinstance(statement, ast.Import | ast.ImportFrom)
        for piece in _canonical(statement)
    )


@cache
def _named_by(module: str, name: str) -> tuple[Definition, ...]:
    """Return the definitions that a definition names."""
    found: list[Definition] = []
    for statement in _definitions(module).get(name, ()):
        if isinstance(statement, ast.ImportFrom):
            found += _imported(statement, module, name)
            continue
        nodes = list(_counting(statement))
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        for used in {node.id for node in nodes if isinstance(node, ast.Name)} - {name}:
            if used in _definitions(module):
                found.append((module, used))
                # Of a module that is named, what is taken from it.
                for source in _modules_behind(module, used):
                    found += [(source, a) for a in attributes if a in _definitions(source)]
        for inner in nodes:  # an import within a function
            if isinstance(inner, ast.ImportFrom):
                for alias in inner.names:
                    found += _imported(inner, module, alias.asname or alias.name)
    return tuple(found)


def _imported(statement: ast.ImportFrom, module: str, name: str) -> Iterator[Definition]:
    """Yield what an import from the own package binds to a name, if that is a definition."""
    source = _source_of(statement, module)
    for alias in statement.names:
        if (alias.asname or alias.name) == name and alias.name in _definitions(source):
            yield source, alias.name


def _modules_behind(module: str, name: str) -> Iterator[str]:
    """Yield the module of the own package that a name stands for, if it stands for one."""
    for statement in _definitions(module)[name]:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                inner = f"{_source_of(statement, module)}.{alias.name}"
                if (alias.asname or alias.name) == name and _file_of(inner):
                    yield inner


def _source_of(statement: ast.ImportFrom, module: str) -> str:
    """Return the module from which an import takes names; empty for those of other packages."""
    path = _file_of(module)
    package = module if path and path.name == "__init__.py" else module.rpartition(".")[0]
    source = resolve_name("." * statement.level + (statement.module or ""), package)
    return source if source.split(".")[0] == module.split(".")[0] else ""


@cache
def _definitions(module: str) -> dict[str, tuple[ast.stmt, ...]]:
    """Return the statements of a module by the names that they bind at its top level."""
    path = _file_of(module)
    found: dict[str, tuple[ast.stmt, ...]] = {}
    if path is None:
        return found
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        for name in _bound_by(statement):
            found[name] = (*found.get(name, ()), statement)
    return found


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.split(".")[0]
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


@cache
def _file_of(module: str) -> Path | None:
    """Return the file of a module; None if there is no such module, or no source."""
    try:
        spec = importlib.util.find_spec(module) if module else None
    except (ImportError, ValueError):  # a parent that is no package
        return None
    if spec is None or not spec.has_location or not str(spec.origin).endswith(".py"):
        return None
    return Path(str(spec.origin))


def _counting(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is below it, but no docstring, no annotation and nothing raised.

    None of these changes a result.
    """
    if isinstance(node, ast.Raise | ast.expr_context):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield node
    for _, child in _fields(node):
        if isinstance(child, ast.AST):
            yield from _counting(child)


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns", "type_comment", "type_params", "kind"):
            for item in value if isinstance(value, list) else [value]:
                yield field, item


def _canonical(statement: ast.stmt) -> Iterator[str]:
    """Yield a text of a statement that is the same in every version of Python."""
    for node in _counting(statement):
        yield f"({type(node).__name__}"
        for field, value in _fields(node):
            if isinstance(value, ast.AST):
                yield f" {field}"
            elif value is not None:
                yield f" {field}={value!r}"
