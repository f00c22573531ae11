"""What was typed is never lost."""

import functools
import itertools
import textwrap

import hostile
import numpy as np
import pytest
from sample_lessons.folds import exercises as folds
from sample_lessons.shrinkage import exercises as shrinkage

from lessons_lib.exercises import _attempts
from lessons_lib.exercises._api import Session
from lessons_lib.exercises._attempts import as_code, attempt_text, has_nothing_typed
from lessons_lib.exercises._model import Verdict
from lessons_lib.exercises._values import plain

SHUFFLE = folds.EXERCISES[0]
FACTOR, PENALTY = shrinkage.FACTOR, shrinkage.PENALTY


def text_of(run_cell, source, name="f"):
    return attempt_text(SHUFFLE, run_cell(source)[name])


# --- functions ---


def test_a_function_and_a_lambda(run_cell):
    assert text_of(run_cell, "def f(n, rng):\n    return 1") == "def f(n, rng):\n    return 1"
    assert text_of(run_cell, "f = lambda n, rng: n") == "lambda n, rng: n"


def test_what_is_decorated_is_shown_with_what_decorates_it(run_cell):
    """Not the wrapper alone, which looks alike for every answer."""
    source = """
        def logged(function):
            def wrapper(*args):
                print(args)
                return function(*args)
            return wrapper

        @logged
        def f(n, rng):
            return list(range(n))
    """
    text = text_of(run_cell, source)
    assert "@logged\ndef f(n, rng):\n    return list(range(n))" in text
    assert "def wrapper(*args):\n    print(args)" in text


def test_wrapped_and_cached(run_cell):
    source = """
        import functools

        def doubled(function):
            @functools.wraps(function)
            def wrapper(*args):
                return 2 * function(*args)
            return wrapper

        @doubled
        @functools.cache
        def f(n, rng):
            return n
    """
    text = text_of(run_cell, source)
    assert "def f(n, rng):\n    return n" in text
    assert "return 2 * function(*args)" in text


def test_a_wrapper_of_a_library_is_left_out(run_cell):
    text = text_of(
        run_cell,
        """
        import contextlib

        @contextlib.contextmanager
        def f(n, rng):
            yield n
        """,
    )
    assert text == "@contextlib.contextmanager\ndef f(n, rng):\n    yield n"


def test_a_callable_object(run_cell):
    source = """
        class Model:
            factor = 2

            def __init__(self, n):
                self.n = n

            def __call__(self, n, rng):
                return self.factor * n

        f = Model(3)
        g = f.__call__
        h = Model
    """
    expected = textwrap.dedent(source).strip().partition("\n\nf =")[0]
    notebook = run_cell(source)
    for name in "fgh":
        assert attempt_text(SHUFFLE, notebook[name]) == expected


def test_a_partial_with_what_was_given(run_cell):
    source = """
        import functools

        def general(factor, n, rng, shift=0):
            return factor * n + shift

        f = functools.partial(general, 0.1, shift=np.array([1.0, 2.0]))
    """
    assert text_of(run_cell, source) == (
        "def general(factor, n, rng, shift=0):\n    return factor * n + shift\n\n\n"
        "functools.partial(general, 0.1, shift=np.array([1.0, 2.0]))"
    )


def test_a_function_that_holds_itself(run_cell):
    source = """
        def outer():
            def f(n, rng):
                return f(n - 1, rng) if n else 0
            return f

        f = outer()
    """
    assert text_of(run_cell, source) == "def f(n, rng):\n    return f(n - 1, rng) if n else 0"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (len, "the built-in function len"),
        (textwrap.dedent, "a function dedent(text)"),  # its source is nothing that was typed
        (eval("lambda n, rng: n"), "a function <lambda>(n, rng)"),
        (functools.partial(len), "functools.partial(len)"),
        (np.vectorize(len), "an object of type vectorize"),
    ],
    ids=["builtin", "library", "eval", "partial", "object"],
)
def test_without_a_source_a_line_says_so(answer, shown, monkeypatch):
    monkeypatch.setattr(_attempts, "_cells", list)
    text = attempt_text(SHUFFLE, answer)
    is_text = shown.startswith("functools")
    assert text == (shown if is_text else f"# the source of this answer is not known: {shown}")


def test_objects_that_resist_being_looked_at():
    for exercise in (SHUFFLE, FACTOR):
        text = attempt_text(exercise, hostile.Hostile())
        assert text.startswith("class Hostile(metaclass=Meta):")


def test_a_long_attempt_says_that_it_is_cut(run_cell):
    source = "def f(n, rng):\n" + "    n += 1\n" * 30_000 + "    return n"
    text = text_of(run_cell, source)
    assert text.startswith("def f(n, rng):\n    n += 1\n")
    more = len(source) - 200_000
    assert text.endswith(f"\n# cut here: {more:,} more characters are not kept")


# --- values ---


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1 / 3,
        -0.0,
        3,
        2 - 1e-20j,
        "it's",
        None,
        True,
        [1, 2.5, [3]],
        (1,),
        (),
        {"a": np.arange(3), 2: (1.0,)},
        np.arange(12.0).reshape(3, 4) / 7,
        np.arange(40),
        np.array([1, 2], dtype=np.int8),
        np.array([0.1, 0.2], dtype=np.float32),
        np.array([[True, False]]),
        np.array(["a", "bc"]),
        np.zeros((0, 3)),
        np.float32(0.1),
        np.linspace(0, 1, 1000),
    ],
    ids=itertools.count(),
)
def test_code_of_a_value_makes_it_again(value):
    again = eval(as_code(plain(value)), {"np": np})
    np.testing.assert_equal(again, value)
    if isinstance(value, np.ndarray):
        assert again.dtype == value.dtype
        assert again.shape == value.shape


def test_what_is_not_finite():
    again = eval(as_code(plain([np.nan, np.array([np.inf, -np.inf])])), {"np": np})
    np.testing.assert_equal(again, [np.nan, np.array([np.inf, -np.inf])])


@pytest.mark.parametrize("value", [np.zeros(10**6), [0.5] * 60_000], ids=["array", "list"])
def test_a_large_value_says_that_it_is_cut(value):
    text = attempt_text(FACTOR, value)
    assert "# cut" in text
    assert len(text) <= 200_100


# --- whether anything was typed ---


def test_the_lesson_itself_types_nothing(run_cell):
    notebook = run_cell("def stub(n, rng):\n    '''Do it.'''\n    ...")
    assert has_nothing_typed(PENALTY, notebook["stub"])
    assert has_nothing_typed(PENALTY, ...)
    assert has_nothing_typed(FACTOR, ...)
    assert has_nothing_typed(FACTOR, (..., ...))
    unfinished = run_cell("def f(n, rng):\n    half = n / 2\n    return ...")["f"]
    assert not has_nothing_typed(PENALTY, unfinished)
    assert not has_nothing_typed(FACTOR, ("ridge", ...))
    assert not has_nothing_typed(FACTOR, ())


class Runner:
    """Gives verdicts, or raises."""

    def __init__(self, *results):
        self.results = list(results)

    def judge(self, exercise, answer):
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result

    def warm_up(self, lesson):
        """Start nothing."""


def kept(session, name, capsys):
    capsys.readouterr()
    session.last_attempt(name)
    return capsys.readouterr().out.rstrip("\n")


def test_an_attempt_is_kept_whatever_the_verdict(run_cell, capsys):
    unfinished = Verdict("not attempted", message="part of your answer is still `...`")
    session = Session(
        "sample_lessons", Runner(unfinished, KeyboardInterrupt(), Verdict("not yet"), unfinished)
    )
    first = run_cell("def f(n, rng):\n    half = n / 2\n    return ...")["f"]
    second = run_cell("def f(n, rng):\n    while True:\n        n += 1")["f"]
    stub = run_cell("def f(n, rng):\n    ...")["f"]
    session.check("folds.shuffle", first)
    assert kept(session, "folds.shuffle", capsys) == (
        "def f(n, rng):\n    half = n / 2\n    return ..."
    )
    with pytest.raises(KeyboardInterrupt):
        session.check("folds.shuffle", second)
    assert "while True" in kept(session, "folds.shuffle", capsys)
    session.progress("folds")
    assert "not attempted" in capsys.readouterr().out
    session.check("folds.shuffle", second)  # counts now, though its text was kept before
    session.progress("folds")
    assert "attempted 1×" in capsys.readouterr().out
    session.check("folds.shuffle", stub)  # "Run All" of a fresh copy of the lesson
    assert "while True" in kept(session, "folds.shuffle", capsys)


def test_an_attempt_is_shown_without_what_commands_but_kept_as_typed(run_cell, capsys):
    session = Session("sample_lessons", Runner(Verdict("not yet")))
    source = "def f(n, rng):\n    return '\x1b[2J\u202e'"
    session.check("folds.shuffle", run_cell(source)["f"])
    assert kept(session, "folds.shuffle", capsys) == "def f(n, rng):\n    return ''"
    assert session._records().read()["folds.shuffle"].last_attempt == source
