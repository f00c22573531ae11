"""Which names of the library a notebook uses, read from its code and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from IPython.core.inputtransformer2 import TransformerManager

from .inventory import PACKAGE

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def used_names(cells: Iterable[str]) -> list[str]:
    """Return the names of the library that code uses, with dots, in the order of first use.

    Parameters
    ----------
    cells : iterable of str
        Source of the code cells of a notebook, in order. Magics are skipped.

    Returns
    -------
    list of str
        Names as they are reached, ``lessons_lib.solvers.coordinate.coordinate_descent`` after
        ``from lessons_lib.solvers import coordinate``. A name that is only imported does not count,
        nor one that the notebook has given to something else.
    """
    reader, transform = _Reader(), TransformerManager().transform_cell
    for cell in cells:
        if not cell.startswith("%%"):
            reader.visit(ast.parse(transform(cell)))
    return list(reader.used)


class _Reader(ast.NodeVisitor):
    """Follow names from their import to their use, and respect the scopes of functions."""

    def __init__(self) -> None:
        self.imported: dict[str, str] = {}
        self.hidden: list[set[str]] = []
        self.used: dict[str, None] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] == PACKAGE:
                self.imported[alias.asname or PACKAGE] = alias.name if alias.asname else PACKAGE

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if str(node.module).split(".")[0] == PACKAGE:
            for alias in node.names:
                self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._use(inner.id, *reversed(parts))
        else:
            self.visit(inner)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id)
        elif not self.hidden:
            self.imported.pop(node.id, None)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        # What is assigned is computed before the name changes its meaning.
        if node.value is not None:
            self.visit(node.value)
        for name, child in ast.iter_fields(node):
            if name != "value":
                for item in child if isinstance(child, list) else [child]:
                    if isinstance(item, ast.AST):
                        self.visit(item)

    visit_AnnAssign = visit_AugAssign = visit_Assign

    def visit_FunctionDef(self, node: _Function) -> None:
        self._visit_scope(node)
        if not self.hidden and not isinstance(node, ast.Lambda):
            self.imported.pop(node.name, None)

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ListComp(self, node: _Comprehension) -> None:
        self._visit_scope(node)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def _visit_scope(self, node: _Function | _Comprehension) -> None:
        bound = {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                bound.add(inner.id)
        self.hidden.append(bound)
        self.generic_visit(node)
        self.hidden.pop()

    def _use(self, name: str, *attributes: str) -> None:
        if name in self.imported and not any(name in names for names in self.hidden):
            self.used.setdefault(".".join([self.imported[name], *attributes]))
