"""Mutants of a reference: the same program with one slip in it, made by machine.

A mutant that does what an answer does explains the answer, although nobody foresaw it. A mutant
that passes all cases shows that the cases do not decide (:func:`surviving_mutants`).
"""

import ast
import contextlib
import inspect
import itertools
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from lessons_lib.exercises._calls import Outcome, call
from lessons_lib.exercises._model import Case, Exercise
from lessons_lib.exercises._mutations import FURTHER_RULES, RULES, Rule, Scope
from lessons_lib.exercises._plan import Plan, fault_of, make_cases, quiet

__all__ = ["Mutant", "further_mutants_of", "mutants_of", "mutants_of_mutant", "surviving_mutants"]

_MOST_STEPS = 20_000
_LONGEST = 0.5  # seconds that a mutant may take for one call


@dataclass(frozen=True)
class Mutant:
    """A reference with one slip.

    Parameters
    ----------
    key : str
        What was changed into what, for example ``"abs(x) → x"``: names the mutant among those of
        its exercise as long as that line of the reference stays as it is.
    because : str
        The idea behind the slip in one plain sentence, which does not quote the reference.
    function : callable
        The changed reference. It raises ``EndlessError`` rather than loop without end.
    """

    key: str
    because: str
    function: Callable[..., Any] = field(compare=False)


class EndlessError(Exception):
    """A mutant has run for too long."""


def mutants_of(exercise: Exercise) -> Iterator[Mutant]:
    """Yield the mutants of an exercise's reference, with the helpers that its solution shows.

    They are compiled as they are asked for, so that a search may stop at any time. A reference
    without readable source has none.
    """
    program = _Program.of(exercise)
    if program is not None:
        yield from _compiled(program, program.edits())
        yield from _with_other_arguments(exercise, program.parameters)


def further_mutants_of(exercise: Exercise) -> Iterator[Mutant]:
    """Yield mutants that explain answers, but of which many compute the same as the reference."""
    program = _Program.of(exercise)
    if program is not None:
        yield from _compiled(program, program.edits(FURTHER_RULES))
        yield from _everywhere(program)


def _compiled(program: "_Program", edits: Iterable[tuple["_Edit", str]]) -> Iterator[Mutant]:
    seen: dict[str, int] = {}
    compiled: set[bytes] = set()
    for edit, because in edits:
        change = edit.describe()
        function, fingerprint = program.compile(edit)
        if function is None or fingerprint in compiled:
            continue
        compiled.add(fingerprint)
        seen[change] = seen.get(change, 0) + 1
        number = f" ({seen[change]})" if seen[change] > 1 else ""
        yield Mutant(change + number, because, function)


def _everywhere(program: "_Program") -> Iterator[Mutant]:
    """Yield the slips that are made in several places at once."""
    alike: dict[str, list[_Edit]] = {}
    for edit, because in program.edits((*FURTHER_RULES, *RULES)):
        if not any(edit.old is other.old for other in alike.setdefault(because, [])):
            alike[because].append(edit)
    for because, edits in alike.items():
        if len(edits) > 1:
            function, _ = program.compile(*edits)
            if function is not None:
                key = " and ".join(edit.describe() for edit in edits)
                yield Mutant(key, because, function)


def mutants_of_mutant(exercise: Exercise) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield references with two slips: both sentences, and the function; the likely ones first."""
    program = _Program.of(exercise)
    if program is None:
        return
    edits = list(program.edits())
    compiled: set[bytes] = set()
    for total in range(1, 2 * len(edits)):
        for i in range(max(0, total - len(edits) + 1), (total + 1) // 2):
            (first, because), (second, also) = edits[i], edits[total - i]
            if first.old is second.old or because == also:
                continue
            function, fingerprint = program.compile(first, second)
            if function is not None and fingerprint not in compiled:
                compiled.add(fingerprint)
                yield because, also, function


def _with_other_arguments(exercise: Exercise, parameters: dict[str, str]) -> Iterator[Mutant]:
    """Yield the reference with two arguments swapped, and with one that is always the same."""
    reference, names = exercise.reference, list(parameters)
    for i, j in itertools.combinations(range(len(names)), 2):
        if parameters[names[i]] != parameters[names[j]]:
            continue
        order = list(range(len(names)))
        order[i], order[j] = j, i
        yield Mutant(
            f"{names[i]}, {names[j]} → {names[j]}, {names[i]}",
            f"You seem to have exchanged `{names[i]}` and `{names[j]}`.",
            lambda *args, order=order: reference(*(args[k] for k in order)),
        )
    if exercise.cases is None:
        return
    for i, value in enumerate(make_cases(exercise)[0][: len(names)]):
        if not isinstance(value, int | float | str):
            continue
        yield Mutant(
            f"{names[i]} → {value!r} in all cases",
            f"Your result seems not to depend on `{names[i]}`: use the argument.",
            lambda *args, i=i, value=value: reference(*args[:i], value, *args[i + 1 :]),
        )


def surviving_mutants(exercise: Exercise) -> list[str]:
    """Return the keys of the mutants that pass all cases and are not known to be equivalent.

    An exercise that asks for a value has no cases, and so no survivors.

    See Also
    --------
    Exercise : ``equivalent_mutants`` lists those that compute the same, each with the reason.
    """
    if exercise.asks_for_value:
        return []
    plan = Plan.of(exercise)
    return [
        mutant.key
        for mutant in mutants_of(exercise)
        if mutant.key not in exercise.equivalent_mutants and _passes(exercise, mutant, plan)
    ]


def _passes(exercise: Exercise, mutant: Mutant, plan: Plan) -> bool:
    with quiet():
        return all(
            fault_of(exercise, call_mutant(mutant, args), expected, args) is None
            for args, expected in zip(plan.cases, plan.expected, strict=True)
        )


def call_mutant(mutant: Mutant, args: Case) -> Outcome:
    """Call a mutant on copies of ``args``."""
    return call(mutant.function, args)


class _Ticker:
    """Stops loops that do not end: every round of a loop calls it."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._steps, self._deadline = 0, time.perf_counter() + _LONGEST

    def __call__(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS or time.perf_counter() > self._deadline:
            raise EndlessError


@dataclass(frozen=True)
class _Edit:
    """Another node for one place of a tree."""

    parent: ast.AST
    name: str
    index: int | None
    old: ast.AST
    new: ast.AST

    def describe(self) -> str:
        return f"{_as_text(self.old)} → {_as_text(self.new)}"

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        self._put(self.new)
        try:
            yield
        finally:
            self._put(self.old)

    def _put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


def _as_text(node: ast.AST) -> str:
    text = ast.unparse(node).replace("_np.", "np.").replace("_tick()\n", "")
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


@dataclass(frozen=True)
class _Program:
    """The source of a reference and of its shown helpers, ready to be changed."""

    tree: ast.Module
    reference: Callable[..., Any]
    parameters: dict[str, str]

    @classmethod
    def of(cls, exercise: Exercise) -> "_Program | None":
        functions = [*exercise.shows, exercise.reference]
        definitions: list[ast.stmt] = []
        for function in functions:
            definition = _definition(function)
            if definition is None:
                return None
            definitions.append(definition)
        tree = ast.Module(definitions, type_ignores=[])
        _Loops().visit(tree)
        ast.fix_missing_locations(tree)
        try:
            parameters = {
                p.name: getattr(p.annotation, "__name__", str(p.annotation))
                for p in inspect.signature(exercise.reference).parameters.values()
            }
        except (TypeError, ValueError):
            return None
        return cls(tree, exercise.reference, parameters)

    def edits(self, rules: Sequence[Rule] = RULES) -> Iterator[tuple[_Edit, str]]:
        """Yield changes, those of the first rules first."""
        places = list(_places(self.tree))
        definitions = _definitions(self.tree)
        inverted = _below_a_line(self.tree, set(definitions))
        for rule, (parent, name, index, node) in itertools.product(rules, places):
            scope = Scope(self.parameters, parent, definitions, node in inverted)
            for new, because in rule(node, scope):
                yield _Edit(parent, name, index, node, ast.copy_location(new, node)), because

    def compile(self, *edits: _Edit) -> tuple[Callable[..., Any] | None, bytes]:
        """Return the changed reference and what tells it from others; ``None`` if there is none."""
        with contextlib.ExitStack() as stack:
            for edit in edits:
                ast.fix_missing_locations(edit.new)
                stack.enter_context(edit.applied())
            try:
                code = compile(self.tree, "<mutant>", "exec")
            except (SyntaxError, TypeError, ValueError, OverflowError):
                return None, b""
        ticker = _Ticker()
        space = dict(self.reference.__globals__)
        space |= {"_np": np, "_tick": ticker, "_last_argmax": _last_argmax}
        space |= {"_last_argmin": _last_argmin, "__name__": "<mutant>"}
        exec(code, space)
        function = space[self.reference.__name__]

        def run(*args: Any) -> Any:
            ticker.restart()
            return function(*args)

        return run, _fingerprint(code)


def _definitions(tree: ast.AST) -> dict[str, ast.expr]:
    """Return what the names that are set exactly once are set to."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for name, meaning in pairs:
            if isinstance(name, ast.Name):
                found.setdefault(name.id, []).append(meaning)
    return {
        name: meanings[0]
        for name, meanings in found.items()
        if len(meanings) == 1 and name not in {n.id for n in _names(meanings[0])}
    }


_MONOTONE = ("float", "sqrt", "asarray", "array")


def _below_a_line(tree: ast.AST, set_once: set[str]) -> set[ast.AST]:
    """Return the nodes by which the result is divided: a factor that grows there makes it smaller.

    Only products, fractions and powers around a node count: where a sum contains it, what is
    said is about the term. A name that is set once stands where it is used.
    """
    above = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    uses: dict[str, list[ast.AST]] = {}
    for name in _names(tree):
        if isinstance(name.ctx, ast.Load):
            uses.setdefault(name.id, []).append(name)

    def is_below(node: ast.AST) -> bool:
        below = False
        while (parent := above.get(node)) is not None:
            if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div):
                below ^= node is parent.right
            elif isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow):
                if node is not parent.left:
                    return below
                below ^= isinstance(parent.right, ast.UnaryOp)
            elif isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
                name = parent.targets[0].id
                used = {is_below(use) for use in uses.get(name, []) if name in set_once}
                return below ^ used.pop() if len(used) == 1 else below
            elif not (
                isinstance(parent, ast.UnaryOp)
                or (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult))
                or _calls(parent, *_MONOTONE)
            ):
                return below
            node = parent
        return below

    return {node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and is_below(node)}


def _names(tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _fingerprint(code: Any) -> bytes:
    """Return what programs share exactly if they are the same, instruction by instruction."""
    parts = [code.co_code, repr(code.co_names).encode()]
    for constant in code.co_consts:
        is_code = hasattr(constant, "co_code")
        parts.append(_fingerprint(constant) if is_code else repr(constant).encode())
    return b"|".join([*parts, repr(code.co_varnames).encode()])


def _definition(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """Return the syntax tree of a function without its docstring and annotations."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef) or not hasattr(function, "__globals__"):
        return None
    if function.__closure__:
        return None
    definition.decorator_list, definition.returns = [], None
    for argument in [*definition.args.args, *definition.args.kwonlyargs]:
        argument.annotation = None
    if ast.get_docstring(definition, clean=False) is not None:
        definition.body = definition.body[1:]
    return definition


_Loop = TypeVar("_Loop", ast.For, ast.While)


class _Loops(ast.NodeTransformer):
    """Let every round of every loop call ``_tick``; plain assignments instead of annotated ones."""

    def visit_For(self, node: ast.For) -> ast.For:
        return self._let_tick(node)

    def visit_While(self, node: ast.While) -> ast.While:
        return self._let_tick(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def _let_tick(self, node: _Loop) -> _Loop:
        self.generic_visit(node)
        tick = ast.Call(ast.Name("_tick", ast.Load()), [], [])
        node.body.insert(0, ast.Expr(tick))
        return node


_Place = tuple[ast.AST, str, int | None, ast.AST]


def _places(tree: ast.AST) -> Iterator[_Place]:
    """Yield every node with the place where it hangs.

    Which of several arrays of one length is asked for its length makes no difference.
    """
    for parent in ast.walk(tree):
        if isinstance(parent, ast.arguments) or _calls(parent, "_tick", "len", "zeros_like"):
            continue
        if isinstance(parent, ast.Attribute) and parent.attr == "shape":
            continue
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield parent, name, None, value
            elif isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield parent, name, i, item


def _calls(node: ast.AST, *names: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in names


def _last_argmax(values: Any) -> int:
    return len(values) - 1 - int(np.argmax(np.asarray(values)[::-1]))


def _last_argmin(values: Any) -> int:
    return len(values) - 1 - int(np.argmin(np.asarray(values)[::-1]))
