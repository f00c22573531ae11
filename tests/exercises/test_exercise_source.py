import functools

import pytest

from lessons_lib.exercises._source import code_of, is_stub, source_of


def documented():
    """Say nothing."""


def ellipsis():
    """Say nothing."""
    ...


def returns_ellipsis(x):
    return ...


def passes(x, *, y=3):
    pass


@pytest.mark.parametrize("stub", [documented, ellipsis, returns_ellipsis, passes, lambda x: ...])
def test_stubs(stub):
    assert is_stub(stub)


def returns_argument(x):
    return x


def returns_constant():
    return 0


def generates():
    yield


def raises():
    raise NotImplementedError


def assigns():
    x = ...
    return x


@pytest.mark.parametrize(
    "answer",
    [returns_argument, returns_constant, generates, raises, assigns, abs, 3, type("C", (), {})],
)
def test_not_stubs(answer):
    assert not is_stub(answer)


def test_stub_that_uses_a_variable_around_it():
    outer = 1

    def stub(x):
        """Use ``outer``."""

    def answer(x):
        return outer

    assert is_stub(stub)
    assert not is_stub(answer)


# fmt: off
SINGLE = lambda x: x + 1  # noqa: E731
PAIR = (lambda x: x * 2, lambda x: x * 3)
LONG = (lambda x: (x +  # noqa: E731
                   1))
OUTER = lambda x: lambda y: x + y  # noqa: E731
CONSTANT = lambda: 0.5  # noqa: E731
# fmt: on


@pytest.mark.parametrize(
    ("function", "source"),
    [
        (returns_constant, "def returns_constant():\n    return 0"),
        (functools.cache(returns_constant), "def returns_constant():\n    return 0"),
        (functools.partial(returns_argument, 1), "def returns_argument(x):\n    return x"),
        (SINGLE, "lambda x: x + 1"),
        (PAIR[0], "lambda x: x * 2"),
        (PAIR[1], "lambda x: x * 3"),
        (LONG, "lambda x: (x +  # noqa: E731\n                   1)"),
        (OUTER, "lambda x: lambda y: x + y"),
        (OUTER(1), "lambda y: x + y"),
        (CONSTANT, "lambda: 0.5"),
        (abs, None),
        (eval("lambda x: x"), None),
        (3, None),
    ],
)
def test_source(function, source):
    assert source_of(function) == source


def test_source_of_nested_function_is_dedented():
    def inner(x):
        return x

    assert source_of(inner) == "def inner(x):\n    return x"


def test_source_of_notebook_function(run_cell):
    notebook = run_cell("""
        def f(x):
            return x + 1

        g = lambda x: x + 2
    """)
    assert source_of(notebook["f"]) == "def f(x):\n    return x + 1"
    assert source_of(notebook["g"]) == "lambda x: x + 2"


def test_code_of_asks_no_unknown_object():
    class Hostile:
        def __getattribute__(self, name):
            raise SystemExit

        def __call__(self):
            """Be callable."""

    assert code_of(Hostile()) is None
    assert not is_stub(Hostile())


def test_code_of_decorated_function_is_the_inner_one():
    @functools.wraps(returns_argument)
    def wrapper(x):
        return returns_argument(x)

    assert code_of(wrapper) is returns_argument.__code__
