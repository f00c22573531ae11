"""Find the line of an answer that changes an input, and say what it overlooks."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lessons_lib.exercises._source import source_of

__all__ = ["why_changed"]

_IN_PLACE = {"sort", "fill", "append", "extend", "insert", "pop", "remove", "reverse", "clear"}
_VIEWS = {"ravel", "reshape", "view", "transpose", "squeeze", "swapaxes", "atleast_2d"}


def why_changed(answer: object, names: Sequence[str]) -> str:
    """Continue the sentence "your function changes its input …" with its line and the remedy.

    Parameters
    ----------
    answer : object
        The reader's function.
    names : sequence of str
        The parameters of the reference that were changed.

    Returns
    -------
    str
        Only ": work on a copy" where the line cannot be told from the source.
    """
    source = source_of(answer)
    try:
        tree = ast.parse(source or "")
        own = list(inspect.signature(answer).parameters)  # type: ignore[arg-type]
    except (SyntaxError, TypeError, ValueError):
        return ": work on a copy"
    search = _Search({name: name for name in own})
    for node in _in_order(tree):
        line = search.look_at(node)
        if line is not None:
            return f" in `{ast.unparse(line)}`" + search.remedy(line)
    return ": work on a copy"


@dataclass
class _Search:
    """Follows which names stand for which argument."""

    stands_for: dict[str, str]
    slices: dict[str, str] = field(default_factory=dict)

    def look_at(self, node: ast.AST) -> ast.stmt | None:
        """Return the statement if it changes an argument; note what its names stand for."""
        if isinstance(node, ast.AugAssign) and self._root(node.target) is not None:
            return node
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and self._root(target) is not None:
                    return node
            self._note(node)
        if isinstance(node, ast.For):
            self._note_loop(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and function.attr in _IN_PLACE:
                return node if self._root(function.value) is not None else None
        return None

    def remedy(self, line: ast.stmt) -> str:
        """Say why that line reaches the argument."""
        name = next(
            (n.id for n in ast.walk(line) if isinstance(n, ast.Name) and n.id in self.slices), None
        )
        if name is not None:
            text = self.slices[name]
            return f": a slice such as `{text}` is a view of the same numbers; copy with `.copy()`"
        return ", which works in place: work on a copy"

    def _note(self, node: ast.Assign) -> None:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs += list(zip(target.elts, node.value.elts, strict=False))
            else:
                pairs.append((target, node.value))
        roots = [(target, value, self._root(value)) for target, value in pairs]
        for target, value, root in roots:
            if not isinstance(target, ast.Name):
                continue
            self.stands_for.pop(target.id, None)
            self.slices.pop(target.id, None)
            if root is None:
                continue
            self.stands_for[target.id] = root
            if isinstance(value, ast.Subscript):
                self.slices[target.id] = ast.unparse(value)

    def _note_loop(self, node: ast.For) -> None:
        root = self._root(node.iter)
        if isinstance(node.target, ast.Name) and root is not None:
            self.stands_for[node.target.id] = root

    def _root(self, node: ast.expr) -> str | None:
        """Return the argument whose memory an expression shares, as far as that is certain."""
        if isinstance(node, ast.Name):
            return self.stands_for.get(node.id)
        if isinstance(node, ast.Subscript):
            return self._root(node.value)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            return self._root(node.value)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        if node.func.attr == "asarray":
            return self._root(node.args[0]) if node.args else None
        return self._root(node.func.value) if node.func.attr in _VIEWS else None


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield statements in the order of the text."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    yield from sorted(statements, key=lambda node: (node.lineno, node.col_offset))
