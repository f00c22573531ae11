"""The slips that machines can make in people's stead: each rule changes one place of a program.

A rule gets a node of the syntax tree and yields what may stand there by mistake, each with one
plain sentence. The sentence names the idea and never quotes the program, which the reader does not
see; of its names it uses only the function's parameters, which the reader does see.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["FURTHER_RULES", "RULES", "UNSAID", "Change", "Rule", "Scope"]

Change = tuple[ast.AST, str]
Rule = Callable[[ast.AST, "Scope"], Iterator[Change]]


@dataclass(frozen=True)
class Scope:
    """What a rule may know about the program around a node.

    Parameters
    ----------
    parameters : dict
        Annotation of each parameter of the reference, as text; these names the reader sees.
    parent : ast.AST or None
        The node above.
    definitions : mapping
        What each name that is set once is set to.
    inverted : bool
        Whether the result is divided by the node, so that a factor in it divides the result.
    """

    parameters: dict[str, str]
    parent: ast.AST | None = None
    definitions: Mapping[str, ast.expr] = field(default_factory=dict)
    inverted: bool = False

    def mention(self, node: ast.AST) -> str:
        """Name what the reader knows of an operand, for example "`n_samples`"; may be empty."""
        if isinstance(node, ast.Name) and node.id in self.parameters:
            return f"`{node.id}`"
        if isinstance(node, ast.Name) and node.id in self.definitions:
            return self.mention(self.definitions[node.id])
        if _is_number(node):
            assert isinstance(node, ast.Constant)
            small = isinstance(node.value, float) and abs(node.value) < 1e-3
            return "a small constant that keeps a division safe" if small else "a constant"
        if _is_length(node) or _is_width(node):
            array = ast.unparse(_measured(node))
            what = "length" if _is_length(node) else "number of columns"
            return f"the {what} of `{array}`" if array in self.parameters else f"the {what}"
        name = _called(node)
        if name in _NOUNS:
            return f"the {_NOUNS[name]}"
        names = sorted(
            {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in self.parameters}
        )
        return f"what depends on `{names[0]}`" if len(names) == 1 else ""

    def operand(self, node: ast.AST, otherwise: str) -> str:
        """Name an operand, or say what it is in general."""
        return self.mention(node) or otherwise


_NOUNS = {
    "mean": "mean",
    "sum": "sum",
    "std": "standard deviation",
    "var": "variance",
    "median": "median",
    "max": "maximum",
    "min": "minimum",
    "argmax": "position of the maximum",
    "argmin": "position of the minimum",
    "norm": "length",
    "sqrt": "square root",
    "abs": "absolute value",
    "log": "logarithm",
    "exp": "exponential",
    "sign": "sign",
}


# --- looking at nodes ---


def _called(node: ast.AST) -> str:
    """Return the bare name of the function or method that a node calls; empty for other nodes."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_method(node: ast.Call) -> bool:
    """Tell ``x.mean()`` from ``np.mean(x)`` and ``np.linalg.norm(x)``."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return False
    root = function.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return not (isinstance(root, ast.Name) and root.id in ("np", "math", "scipy"))


def _operand(node: ast.Call) -> ast.expr | None:
    """Return what a function or method works on."""
    if _is_method(node):
        assert isinstance(node.func, ast.Attribute)
        return node.func.value
    return node.args[0] if node.args else None


def _with_operand(node: ast.Call, operand: ast.expr) -> ast.Call:
    if _is_method(node):
        assert isinstance(node.func, ast.Attribute)
        function = ast.Attribute(operand, node.func.attr, ast.Load())
        return ast.Call(function, node.args, node.keywords)
    return ast.Call(node.func, [operand, *node.args[1:]], node.keywords)


def _renamed(node: ast.Call, name: str) -> ast.Call:
    """Call NumPy's function ``name`` on the same operand with the same arguments."""
    operand = _operand(node)
    if isinstance(operand, ast.GeneratorExp):
        operand = ast.ListComp(operand.elt, operand.generators)
    rest = node.args if _is_method(node) else node.args[1:]
    return _numpy(name, [operand, *rest] if operand else list(rest), node.keywords)


def _numpy(name: str, args: Sequence[ast.expr], keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    function: ast.expr = ast.Name("_np", ast.Load())
    for part in name.split("."):
        function = ast.Attribute(function, part, ast.Load())
    return ast.Call(function, list(args), list(keywords))


def _is_number(node: ast.AST, *values: float) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and (not values or node.value in values)
    )


def _is_length(node: ast.AST) -> bool:
    return _called(node) == "len" or _is_shape(node, 0)


def _is_width(node: ast.AST) -> bool:
    return _is_shape(node, 1)


def _measured(node: ast.AST) -> ast.AST:
    """Return the array whose length or width a node asks for."""
    if isinstance(node, ast.Call):
        return node.args[0]
    return next(child.value for child in ast.walk(node) if isinstance(child, ast.Attribute))


def _is_shape(node: ast.AST, axis: int) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "shape"
        and _is_number(node.slice, axis)
    )


def _binary(node: ast.BinOp, operator: ast.operator) -> ast.BinOp:
    return ast.BinOp(node.left, operator, node.right)


def _plus(node: ast.expr, number: int) -> ast.BinOp:
    operator = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(node, operator, ast.Constant(abs(number)))


def _squared(node: ast.expr) -> ast.BinOp:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


# --- arithmetic ---


def _signs(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not _is_number(node.operand):
            yield node.operand, "A minus sign seems to be missing."
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        right = scope.operand(node.right, "a term")
        added = isinstance(node.op, ast.Add)
        wrong = ast.Sub() if added else ast.Add()
        verb = "subtract" if added else "add"
        yield _binary(node, wrong), f"A sign seems to be wrong: you {verb} {right}."
        if not added and not _is_number(node.left, 1):
            swapped = ast.BinOp(node.right, ast.Sub(), node.left)
            yield (
                swapped,
                "A difference seems to be the wrong way round, and so has the wrong sign.",
            )


def _missing_terms(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return
    left, right = (scope.operand(side, "") for side in (node.left, node.right))
    if isinstance(node.op, ast.Sub) and _called(node.right) == "mean":
        yield node.left, "You seem to leave out the centering: a mean is not subtracted."
    elif isinstance(node.op, ast.Sub) and _is_number(node.left, 1):
        what = right or "something"
        yield node.right, f"You seem to take {what} itself where one minus it belongs."
    elif isinstance(node.op, ast.Sub) and _is_number(node.right, 1):
        what = left or "n"
        yield node.left, f"You seem to be off by one: {what} stands where one less belongs."
    elif isinstance(node.op, ast.Add) and _is_number(node.right, 1):
        what = left or "a number"
        yield node.left, f"You seem to be off by one: {what} stands where one more belongs."
    else:
        yield node.left, f"You seem to leave out {right or 'a term of a sum'}."
    if isinstance(node.op, ast.Add):
        yield node.right, f"You seem to leave out {left or 'a term of a sum'}."
    elif not _is_number(node.left, 1):
        minus = ast.UnaryOp(ast.USub(), node.right)
        yield minus, f"You seem to leave out {left or 'a term of a difference'}."


def _factors(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
        return
    left, right = (scope.operand(side, "a factor") for side in (node.left, node.right))
    if isinstance(node.op, ast.Mult):
        missing = "not to divide by" if scope.inverted else "to leave out"
        yield node.left, f"You seem {missing} {right}."
        yield node.right, f"You seem {missing} {left}."
        yield _binary(node, ast.Div()), _wrong_way(right, not scope.inverted)
        yield ast.BinOp(node.right, ast.Div(), node.left), _wrong_way(left, not scope.inverted)
        return
    right = scope.operand(node.right, "something")
    if _called(node.right) == "std":
        yield node.left, "You seem to leave out the scaling: you do not divide by the deviation."
    else:
        missing = "to leave out" if scope.inverted else "not to divide by"
        yield node.left, f"You seem {missing} {right}."
    yield _binary(node, ast.Mult()), _wrong_way(right, scope.inverted)
    if not _is_number(node.left, 1):
        flipped = ast.BinOp(node.right, ast.Div(), node.left)
        yield flipped, "A fraction seems to be upside down."
        yield (
            ast.BinOp(ast.Constant(1), ast.Div(), node.right),
            "You seem to leave out "
            + (scope.operand(node.left, "what stands above a fraction's line") + "."),
        )
    yield _binary(node, ast.FloorDiv()), "You seem to divide without a remainder."


def _wrong_way(factor: str, multiplies: bool) -> str:
    """Say that the result is divided by a factor that multiplies it, or the reverse."""
    if multiplies:
        return f"You seem to divide by {factor} instead of multiplying."
    return f"You seem to multiply by {factor} instead of dividing."


def _products(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.MatMult):
        return
    yield node.left, "You seem to leave out a matrix product."
    yield node.right, "You seem to leave out a matrix product."
    if ast.dump(node.left) == ast.dump(node.right):
        return  # a sum of squares
    total = _numpy("abs", [_binary(node, ast.MatMult())])
    yield total, "You seem to take an absolute value where the sign matters."


def _powers(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow):
        return
    base = scope.operand(node.left, "something")
    if _is_number(node.right, 2):
        yield node.left, f"A square seems to be missing: {base} enters as it is."
        double = ast.BinOp(ast.Constant(2), ast.Mult(), node.left)
        yield double, f"You seem to double {base} where its square belongs."
        yield _numpy("abs", [node.left]), "You seem to take absolute values instead of squares."
        yield ast.BinOp(node.left, ast.Pow(), ast.Constant(4)), f"You seem to square {base} twice."
        return
    exponent = scope.operand(node.right, "the exponent")
    if _is_number(node.right):
        yield node.left, "A power seems to be missing."
        return
    yield _plus_exponent(node, 1), f"A power seems to be one step too far: {exponent} plus one."
    yield _plus_exponent(node, -1), f"A power seems to be one step short: {exponent} minus one."
    yield _binary(node, ast.Mult()), f"You seem to multiply by {exponent} where a power belongs."
    yield node.left, f"You seem to leave out {exponent}: a power is missing."


def _plus_exponent(node: ast.BinOp, number: int) -> ast.BinOp:
    return ast.BinOp(node.left, ast.Pow(), _plus(node.right, number))


_BRACKETS = (
    "Some brackets seem to be missing or in the wrong place: a sum and a product are taken in the "
    "wrong order."
)


def _brackets(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """Turn (a ± b)·c into a ± b·c, a·b ± c into a·(b ± c), and the like with powers."""
    if not isinstance(node, ast.BinOp):
        return
    outer, left, right = node.op, node.left, node.right
    sums, products = ast.Add | ast.Sub, ast.Mult | ast.Div
    if isinstance(outer, products):
        if isinstance(left, ast.BinOp) and isinstance(left.op, sums):
            inner = ast.BinOp(left.right, outer, right)
            yield ast.BinOp(left.left, left.op, inner), _BRACKETS
        if isinstance(right, ast.BinOp) and isinstance(right.op, sums):
            inner = ast.BinOp(left, outer, right.left)
            yield ast.BinOp(inner, right.op, right.right), _BRACKETS
    if isinstance(outer, sums):
        if isinstance(left, ast.BinOp) and isinstance(left.op, products):
            inner = ast.BinOp(left.right, outer, right)
            yield ast.BinOp(left.left, left.op, inner), _BRACKETS
        if isinstance(right, ast.BinOp) and isinstance(right.op, products):
            inner = ast.BinOp(left, outer, right.left)
            yield ast.BinOp(inner, right.op, right.right), _BRACKETS
    divided = isinstance(outer, ast.Div)
    if divided and isinstance(right, ast.BinOp) and isinstance(right.op, products):
        inner = ast.BinOp(left, ast.Div(), right.left)
        yield ast.BinOp(inner, right.op, right.right), _BRACKETS
    if isinstance(outer, ast.Pow) and isinstance(left, ast.BinOp):
        if isinstance(left.op, products):
            raised = ast.BinOp(left.right, ast.Pow(), right)
            message = (
                "Only one of two factors seems to be raised to a power that is meant for both."
            )
            yield ast.BinOp(left.left, left.op, raised), message
            raised = ast.BinOp(left.left, ast.Pow(), right)
            yield ast.BinOp(raised, left.op, left.right), message
        elif isinstance(left.op, sums):
            message = "You seem to square before a sum or difference is taken, not after."
            sides = [ast.BinOp(side, ast.Pow(), right) for side in (left.left, left.right)]
            yield ast.BinOp(sides[0], left.op, sides[1]), message


_OFF_BY_ONE = "A constant seems to be off by one."

UNSAID = frozenset({_OFF_BY_ONE})
"""Of slips that the cases must find, but that explain nothing to who has written no constant."""


def _constants(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not _is_number(node) or isinstance(scope.parent, ast.keyword | ast.Subscript | ast.Slice):
        return
    assert isinstance(node, ast.Constant)
    value = node.value
    assert isinstance(value, int | float)
    if isinstance(value, int) and value >= 2:
        for other in (value - 1, value + 1):
            yield ast.Constant(other), _OFF_BY_ONE
    if value not in (0, 1) and abs(value) > 1e-4:
        half = value // 2 if value % 2 == 0 else value / 2
        yield ast.Constant(2 * value), "A constant seems to be twice what it should be."
        yield ast.Constant(half), "A constant seems to be half of what it should be."
    if isinstance(value, float) and 0 < value < 1 and value != 0.5:
        yield ast.Constant(1 - value), "A constant stands where one minus it belongs."
    if value == 1 and isinstance(value, int):
        factor = isinstance(scope.parent, ast.BinOp) and isinstance(
            scope.parent.op, ast.Mult | ast.Div
        )
        twice = "A constant seems to be twice what it should be."
        yield ast.Constant(2), twice if factor else _OFF_BY_ONE


# --- functions ---

_RENAMED: dict[str, tuple[tuple[str, str], ...]] = {
    "mean": (
        ("sum", "You seem to take a sum where a mean belongs."),
        ("median", "You seem to take a median where a mean belongs."),
        ("max", "You seem to take the largest value where a mean belongs."),
    ),
    "sum": (
        ("mean", "You seem to take a mean where a sum belongs."),
        ("max", "You seem to take the largest value where a sum belongs."),
    ),
    "median": (("mean", "You seem to take a mean where a median belongs."),),
    "std": (
        ("var", "You seem to take a variance where its root, the standard deviation, belongs."),
        ("ptp", "You seem to take the range of the values where their deviation belongs."),
    ),
    "var": (("std", "You seem to take a standard deviation where a variance belongs."),),
    "max": (
        ("min", "You seem to take the smallest where the largest belongs."),
        ("mean", "You seem to take a mean where the largest value belongs."),
        ("sum", "You seem to take a sum where the largest value belongs."),
    ),
    "min": (
        ("max", "You seem to take the largest where the smallest belongs."),
        ("mean", "You seem to take a mean where the smallest value belongs."),
    ),
    "maximum": (("minimum", "You seem to take the smaller of two where the larger belongs."),),
    "minimum": (("maximum", "You seem to take the larger of two where the smaller belongs."),),
    "argmax": (
        ("argmin", "You seem to look for the smallest where the largest belongs."),
        ("max", "You seem to take the largest value where its position belongs."),
    ),
    "argmin": (
        ("argmax", "You seem to look for the largest where the smallest belongs."),
        ("min", "You seem to take the smallest value where its position belongs."),
    ),
    "ceil": (
        ("floor", "You seem to round down where rounding up is meant."),
        ("round", "You seem to round to the nearest whole number where rounding up is meant."),
    ),
    "floor": (
        ("ceil", "You seem to round up where rounding down is meant."),
        ("round", "You seem to round to the nearest whole number where rounding down is meant."),
    ),
    "round": (
        ("floor", "You seem to round down where rounding to the nearest number is meant."),
        ("ceil", "You seem to round up where rounding to the nearest number is meant."),
    ),
    "any": (("all", "You seem to ask whether all hold where one is enough."),),
    "all": (("any", "You seem to ask whether any holds where all must."),),
    "log": (
        ("log2", "You seem to take a logarithm to base 2 instead of the natural one."),
        ("log10", "You seem to take a logarithm to base 10 instead of the natural one."),
    ),
    "cos": (("sin", "You seem to take a sine where a cosine belongs."),),
    "eye": (),
}

# Functions of one argument that are easily forgotten.
_DROPPED = {
    "abs": "You seem to leave out the absolute value.",
    "sqrt": "A square root seems to be missing.",
    "sort": "You seem to leave out the sorting.",
    "exp": "You seem to leave out the exponential.",
    "expm1": "You seem to leave out the exponential.",
    "log": "You seem to leave out the logarithm.",
    "cumsum": "You seem to leave out the running sum.",
    "unique": "You seem to count equal values again and again: each should be taken once.",
    "copy": "A copy seems to be missing.",
    "diag": "You seem to take a whole matrix where only its diagonal belongs.",
    "ceil": "You seem to leave out the rounding.",
    "floor": "You seem to leave out the rounding.",
    "round": "You seem to leave out the rounding.",
    "pinv": "You seem to leave out the inverse.",
    "inv": "You seem to leave out the inverse.",
    "soft_threshold": "You seem to leave out the soft threshold.",
}


def _functions(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Call):
        return
    name, operand = _called(node), _operand(node)
    if operand is None:
        return
    for other, because in _RENAMED.get(name, ()):
        yield _renamed(node, other), because
    if name in _DROPPED:
        yield operand, _DROPPED[name]
    if name == "ceil":
        yield (
            _plus(_numpy("floor", [operand]), 1),
            ("You seem to round down and add one, which is too many where nothing is left over."),
        )
    if name == "sign":
        yield ast.Constant(1.0), "A sign seems to be lost: you treat all values as positive."
    if name in ("argmax", "argmin") and not node.keywords:
        yield (
            ast.Call(ast.Name(f"_last_{name}", ast.Load()), [operand], []),
            ("Of several equally good ones you seem to take the last; the first is meant."),
        )
    if name in ("sort", "argsort"):
        minus = ast.UnaryOp(ast.USub(), operand)
        sorted_down = _numpy(name, [minus], node.keywords)
        if name == "sort":
            yield ast.UnaryOp(ast.USub(), sorted_down), "You seem to sort in the other direction."
        else:
            yield sorted_down, "You seem to sort in the other direction."
    if name == "eye" and not _is_method(node):
        shape = ast.Tuple([operand, operand], ast.Load())
        yield (
            _numpy("ones", [shape]),
            "You seem to use a matrix full of ones where the identity belongs.",
        )
    if name == "norm" and not any(k.arg == "ord" for k in node.keywords):
        order = ast.keyword("ord", ast.Constant(1))
        others = [k for k in node.keywords if k.arg != "ord"]
        yield (
            ast.Call(node.func, node.args, [order, *others]),
            ("You seem to measure lengths by sums of absolute values instead of by squares."),
        )
        yield _squared(node), "You seem to take a squared length: its square root is missing."
    if name == "solve" and len(node.args) == 2:
        yield (
            ast.BinOp(operand, ast.MatMult(), node.args[1]),
            ("You seem to multiply by a matrix where its inverse belongs."),
        )


def _bounds(node: ast.AST, scope: Scope) -> Iterator[Change]:
    name = _called(node)
    assert isinstance(node, ast.AST)
    if not isinstance(node, ast.Call) or _is_method(node):
        return
    if name in ("max", "min", "maximum", "minimum") and len(node.args) == 2:
        side = "below" if name.startswith("max") else "above"
        for i, argument in enumerate(node.args):
            bound = node.args[1 - i]
            if _is_number(argument):
                continue
            at = " at zero" if _is_number(bound, 0) else " at one" if _is_number(bound, 1) else ""
            yield (
                argument,
                f"You seem to leave out a bound: nothing holds the value from {side}{at}.",
            )
    if name == "clip" and node.args:
        yield node.args[0], "You seem to leave out the bounds of a value."
    if name == "where" and len(node.args) == 3:
        for choice in node.args[1:]:
            yield choice, "You seem to treat two kinds of elements alike that should differ."
        swapped = [node.args[0], node.args[2], node.args[1]]
        yield (
            ast.Call(node.func, swapped, node.keywords),
            ("You seem to have exchanged what happens where a condition holds and where not."),
        )


def _spread(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """Confuse n and n − 1 in a standard deviation or variance."""
    if not isinstance(node, ast.Call) or _called(node) not in ("std", "var"):
        return
    rest = [k for k in node.keywords if k.arg != "ddof"]
    noun = _NOUNS[_called(node)]
    if len(rest) < len(node.keywords):
        yield (
            ast.Call(node.func, node.args, rest),
            (f"Your {noun} seems to divide by n where n − 1 belongs (`ddof`)."),
        )
    else:
        one = ast.keyword("ddof", ast.Constant(1))
        yield (
            ast.Call(node.func, node.args, [*rest, one]),
            (f"Your {noun} seems to divide by n − 1 where n belongs (`ddof`)."),
        )


def _axes(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Call):
        return
    for i, keyword in enumerate(node.keywords):
        if keyword.arg != "axis" or not isinstance(keyword.value, ast.Constant):
            continue
        others = node.keywords[:i] + node.keywords[i + 1 :]
        for axis in (0, 1, 2):
            if axis == keyword.value.value:
                continue
            because = "You seem to compute along the wrong axis: rows and columns are exchanged."
            changed = [ast.keyword("axis", ast.Constant(axis)), *others]
            yield ast.Call(node.func, node.args, changed), because
        yield (
            ast.Call(node.func, node.args, others),
            ("You seem to compute one number of a whole array, where one along an axis is meant."),
        )


_ELEMENTWISE = ("abs", "sqrt", "log", "exp", "square")
_AGGREGATES = ("mean", "sum", "max", "min", "norm")


def _order_of_steps(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """f(mean(x)) becomes mean(f(x)), and the reverse; f(a ± b) becomes f(a) ± b."""
    outer, inner = _as_call(node), None
    if outer is None:
        return
    operand = _operand(outer)
    inner = _as_call(operand) if operand is not None else None
    if inner is not None and (core := _operand(inner)) is not None:
        first, second = _called(inner), _called(outer)
        if second in _AGGREGATES and first in _ELEMENTWISE:
            noun = _NOUNS.get(first, "square")
            yield (
                _with_operand(inner, _with_operand(outer, core)),
                (f"You seem to take the {noun} after the {_NOUNS[second]}, not before."),
            )
        if second in _ELEMENTWISE and first in _AGGREGATES:
            noun = _NOUNS.get(second, "square")
            yield (
                _with_operand(inner, _with_operand(outer, core)),
                (f"You seem to take the {noun} before the {_NOUNS[first]}, not after."),
            )
    name = _called(outer)
    if name in _ELEMENTWISE and isinstance(operand, ast.BinOp):
        if isinstance(operand.op, ast.Add | ast.Sub):
            applied = _with_operand(outer, operand.left)
            yield (
                ast.BinOp(applied, operand.op, operand.right),
                (
                    f"You seem to add or subtract outside of the {_NOUNS.get(name, 'square')} what "
                    "belongs inside."
                ),
            )
        elif isinstance(operand.op, ast.Mult | ast.Div):
            applied = _with_operand(outer, operand.left)
            yield (
                ast.BinOp(applied, operand.op, operand.right),
                (f"A factor seems to stand outside of the {_NOUNS.get(name, 'square')}."),
            )


def _as_call(node: ast.AST | None) -> ast.Call | None:
    """Return a call as it is, and ``x**2`` as a call of ``square``."""
    if isinstance(node, ast.Call):
        return node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _is_number(node.right, 2):
        return _numpy("square", [node.left])
    return None


# --- parameters ---


def _parameters(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    annotation = scope.parameters.get(node.id)
    if annotation is None:
        return
    for other, kind in scope.parameters.items():
        numbers = {annotation, kind} <= {"int", "float"}
        if other != node.id and (kind == annotation or numbers):
            yield (
                ast.Name(other, ast.Load()),
                f"`{other}` seems to stand where `{node.id}` belongs.",
            )
    # The size of an array or the length of a loop would explode.
    if annotation == "float" or (annotation == "int" and isinstance(scope.parent, ast.BinOp)):
        yield _squared(node), f"`{node.id}` seems to enter squared where it should not."
        yield _numpy("sqrt", [node]), f"`{node.id}` seems to enter as its square root."
    if annotation == "float":
        complement = ast.BinOp(ast.Constant(1), ast.Sub(), node)
        yield complement, f"One minus `{node.id}` seems to stand where `{node.id}` itself belongs."


def _kept_axes(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """Go along the other axis, and let the shape fit all the same."""
    if not isinstance(node, ast.Call):
        return
    others = [k for k in node.keywords if k.arg != "axis"]
    if len(others) < len(node.keywords):
        changed = ast.keyword("axis", ast.Constant(1)), ast.keyword("keepdims", ast.Constant(True))
        yield (
            ast.Call(node.func, node.args, [*changed, *others]),
            ("You seem to compute along the wrong axis: rows and columns are exchanged."),
        )


def _extra_factors(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """Multiply or divide an argument by another one, or an array by (n − 1) / n."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    annotation = scope.parameters.get(node.id, "")
    is_array = "Array" in annotation
    if not is_array and annotation != "float":
        return
    for other, kind in scope.parameters.items():
        if other == node.id or not (kind in ("float", "int") or (is_array and "Float" in kind)):
            continue
        factor = ast.Name(other, ast.Load())
        yield (
            ast.BinOp(node, ast.Mult(), factor),
            (f"`{node.id}` seems to be multiplied by `{other}` where it should not be."),
        )
        yield (
            ast.BinOp(node, ast.Div(), factor),
            (f"`{node.id}` seems to be divided by `{other}` where it should not be."),
        )
    if not is_array:
        return
    for name, kind in scope.parameters.items():
        if "Array" in kind:
            n = ast.Call(ast.Name("len", ast.Load()), [ast.Name(name, ast.Load())], [])
            share = ast.BinOp(_plus(n, -1), ast.Div(), n)
            because = f"`{node.id}` seems to be corrected for n − 1 where it should not be."
            yield ast.BinOp(node, ast.Mult(), share), because
            yield ast.BinOp(node, ast.Div(), share), because


def _counts(node: ast.AST, scope: Scope) -> Iterator[Change]:
    counted = _is_length(node) or _is_width(node)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        counted = scope.parameters.get(node.id) == "int"
    if not counted:
        return
    assert isinstance(node, ast.expr)
    noun = scope.mention(node)
    yield _plus(node, -1), f"One less than {noun} seems to stand where {noun} belongs (off by one)."
    yield _plus(node, 1), f"One more than {noun} seems to stand where {noun} belongs (off by one)."
    own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    for name in sorted(own & set(scope.parameters)):
        name = "X" if name == "y" and "X" in scope.parameters else name
        array = ast.Name(name, ast.Load())
        if _is_length(node):
            shape = ast.Attribute(array, "shape", ast.Load())
            width = ast.Subscript(shape, ast.Constant(1), ast.Load())
            yield width, f"The number of columns of `{name}` seems to stand where {noun} belongs."
        elif _is_width(node):
            length = ast.Call(ast.Name("len", ast.Load()), [array], [])
            yield length, f"The number of rows of `{name}` seems to stand where {noun} belongs."


# --- conditions ---

_OPPOSITE = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_AT_TIES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


def _comparisons(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return

    def changed(operator: ast.cmpop) -> ast.Compare:
        return ast.Compare(node.left, [operator], node.comparators)

    kind = type(node.ops[0])
    if kind in _AT_TIES:
        equal = "as well" if kind in (ast.Lt, ast.Gt) else "not at all"
        yield (
            changed(_AT_TIES[kind]()),
            (f"A comparison seems to count equal values {equal}: look at what a tie should do."),
        )
        yield changed(_OPPOSITE[kind]()), "A comparison seems to go the other way."
    if kind is ast.Eq:
        yield changed(ast.NotEq()), "A condition seems to be the opposite of what is meant."
    if kind is ast.NotEq:
        yield changed(ast.Eq()), "A condition seems to be the opposite of what is meant."
        yield changed(ast.Gt()), "You seem to count only positive values where others count, too."
    if kind in (ast.In, ast.NotIn):
        opposite = ast.NotIn() if kind is ast.In else ast.In()
        yield changed(opposite), "A condition seems to be the opposite of what is meant."


def _logic(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        both = isinstance(node.op, ast.BitAnd)
        wrong = ast.BitOr() if both else ast.BitAnd()
        words = "one of two conditions is enough" if both else "two conditions must both hold"
        yield _binary(node, wrong), f"You seem to take it that {words}; it is the other way."
        for side in (node.left, node.right):
            yield side, "One of several conditions seems to be missing."
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values), "You seem to have exchanged `and` and `or`."
        for i in range(len(node.values)):
            rest = node.values[:i] + node.values[i + 1 :]
            left = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield left, "One of several conditions seems to be missing."
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield node.operand, "A condition seems to be the opposite of what is meant."


def _branches(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if isinstance(node, ast.IfExp):
        asks = scope.mention(node.test)
        of = f", whatever {asks} is" if asks.startswith("`") else ""
        for branch in (node.body, node.orelse):
            yield branch, f"You seem to do the same in two cases that should differ{of}."
        swapped = ast.IfExp(node.test, node.orelse, node.body)
        yield swapped, f"You seem to have exchanged the two cases{of and ' of ' + asks}."
    elif isinstance(node, ast.If):
        names = sorted(
            {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)} & set(scope.parameters)
        )
        of = f", whatever `{names[0]}` is" if len(names) == 1 else ""
        for always in (True, False):
            yield (
                ast.If(ast.Constant(always), node.body, node.orelse),
                (f"You seem to do the same in two cases that should differ{of}."),
            )


def _texts(node: ast.AST, scope: Scope) -> Iterator[Change]:
    """Leave one text out of a collection of texts."""
    if not isinstance(node, ast.Tuple | ast.Set | ast.List) or len(node.elts) < 2:
        return
    if not all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in node.elts):
        return
    for i, element in enumerate(node.elts):
        assert isinstance(element, ast.Constant)
        rest = node.elts[:i] + node.elts[i + 1 :]
        fewer = ast.Set(rest) if isinstance(node, ast.Set) else ast.Tuple(rest, ast.Load())
        yield fewer, f"You seem to treat {element.value!r} like the others; it is an exception."


# --- positions ---


def _positions(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value, "A transpose seems to be missing."
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return
    index = node.slice

    def at(other: ast.expr) -> ast.Subscript:
        return ast.Subscript(node.value, other, ast.Load())

    minus_one = ast.UnaryOp(ast.USub(), ast.Constant(1))
    if _is_number(index, 0) and not _is_length(node):
        yield at(minus_one), "You seem to take the last where the first belongs."
        yield at(ast.Constant(1)), "You seem to take the second where the first belongs."
    if isinstance(index, ast.Slice):
        lower, upper, step = index.lower, index.upper, index.step
        if isinstance(step, ast.UnaryOp):
            yield node.value, "You seem to go through the values in the other direction."
        if lower is None and isinstance(upper, ast.UnaryOp):
            yield (
                at(ast.Slice(ast.Constant(1), None, step)),
                ("You seem to leave out the first where the last is to be left out."),
            )
            yield node.value, "You seem to use one value too many: the last does not belong."
        if _is_number(lower or ast.Pass(), 1) and upper is None:
            yield (
                at(ast.Slice(None, minus_one, step)),
                ("You seem to leave out the last where the first is to be left out."),
            )
            yield node.value, "You seem to use one value too many: the first does not belong."
    elif not _is_number(index) and not isinstance(index, ast.Tuple):
        if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            yield at(index.operand), "You seem to count from the start instead of from the end."
            return
        yield node.value, "You seem to use all values where only chosen ones are meant."


def _ranges(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Call) or _called(node) not in ("range", "arange"):
        return

    def called(*args: ast.expr) -> ast.Call:
        return ast.Call(node.func, list(args), node.keywords)

    first = node.args[0]
    if len(node.args) == 1:
        yield (
            called(_plus(first, 1)),
            "You seem to go one step too far, or to do one step too many.",
        )
        yield called(_plus(first, -1)), "You seem to stop one step too early."
        yield (
            called(ast.Constant(1), _plus(first, 1)),
            "You seem to count from 1 instead of from 0.",
        )
        return
    rest = node.args[2:]
    yield called(first, _plus(node.args[1], 1), *rest), "You seem to go one step too far."
    yield called(first, _plus(node.args[1], -1), *rest), "You seem to stop one step too early."
    yield called(_plus(first, 1), node.args[1], *rest), "You seem to begin one step too late."
    if not _is_number(first, 0):
        yield called(_plus(first, -1), node.args[1], *rest), "You seem to begin one step too early."


# --- statements ---


def _statements(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if isinstance(node, ast.AugAssign):
        yield ast.Pass(), "A step of your loop or computation seems to be missing."
        opposite = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
        wrong = opposite.get(type(node.op))
        if wrong is not None:
            words = "added" if wrong is ast.Add else "subtracted" if wrong is ast.Sub else ""
            because = f"Something is {words} with the wrong sign." if words else "Upside down."
            yield ast.AugAssign(node.target, wrong(), node.value), because
        yield (
            ast.Assign([_stored(node.target)], node.value, lineno=node.lineno),
            ("You seem to keep only the latest part of what should be added up."),
        )
    elif isinstance(node, ast.Continue | ast.Break):
        yield ast.Pass(), "Your loop seems to go on where it should skip the rest, or stop."
    elif isinstance(node, ast.Assign):
        yield from _assignments(node, scope)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        parts = node.value.elts
        for i in range(len(parts)):
            for j in range(i + 1, len(parts)):
                swapped = list(parts)
                swapped[i], swapped[j] = parts[j], parts[i]
                yield (
                    ast.Return(ast.Tuple(swapped, ast.Load())),
                    ("Your results seem to be right, but in another order."),
                )


def _assignments(node: ast.Assign, scope: Scope) -> Iterator[Change]:
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Subscript):
        yield ast.Pass(), "You seem to leave out a step: some elements are never set."
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=True))
    for i, (name, _) in enumerate(pairs):
        if not isinstance(name, ast.Name):
            continue
        # Names that are not known yet make this raise, and then it explains nothing.
        old = ast.Name(name.id, ast.Load())
        kept = [old if k == i else right for k, (_, right) in enumerate(pairs)]
        unchanged = kept[0] if len(pairs) == 1 else ast.Tuple(kept, ast.Load())
        because = (
            f"You seem to use `{name.id}` as it is, where a changed one belongs."
            if name.id in scope.parameters
            else "You seem to forget to update something from one step to the next."
        )
        yield ast.Assign([target], unchanged, lineno=node.lineno), because


def _stored(target: ast.expr) -> ast.expr:
    return ast.Name(target.id, ast.Store()) if isinstance(target, ast.Name) else target


def _infinities(node: ast.AST, scope: Scope) -> Iterator[Change]:
    if not isinstance(node, ast.Attribute) or node.attr != "inf":
        return
    for name, annotation in scope.parameters.items():
        if "Array" in annotation:
            first = ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(0), ast.Load())
            yield first, f"You seem to start the search from the first of `{name}`: a case is lost."
    yield ast.Constant(0.0), "You seem to start a search from 0, which nothing may ever go below."


RULES: tuple[Rule, ...] = (
    _functions,
    _bounds,
    _spread,
    _axes,
    _signs,
    _missing_terms,
    _factors,
    _powers,
    _parameters,
    _counts,
    _comparisons,
    _logic,
    _branches,
    _positions,
    _ranges,
    _products,
    _order_of_steps,
    _brackets,
    _statements,
    _infinities,
    _texts,
    _constants,
)
"""From the most specific to the most general; the first that explains an answer is named."""

FURTHER_RULES: tuple[Rule, ...] = (_kept_axes, _extra_factors)
"""These explain answers, but many of what they yield computes the same: no case can find those."""
