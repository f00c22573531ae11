import collections
import math
import re

import hostile
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lessons_lib.exercises._values import (
    Foreign,
    Tolerance,
    compare,
    contains_ellipsis,
    describe,
    plain,
    show,
    show_pair,
)

TOLERANCE = Tolerance(rtol=1e-6, atol=1e-9)
STRICT = Tolerance(rtol=1e-6, atol=1e-9, check_dtype=True)


Point = collections.namedtuple("Point", "x y")

# --- copying ---


def test_plain_copies_arrays():
    array = np.arange(3)
    copied = plain([array])
    array[:] = 7
    np.testing.assert_array_equal(copied[0], [0, 1, 2])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (Point(1, 2), (1, 2)),
        (collections.OrderedDict(a=1), {"a": 1}),
        ({np.int64(1): 2, True: 3, "a": 4}, {1: 3, "a": 4}),
        (np.array(2.5), 2.5),
        (np.array([1, None], dtype=object), [1, None]),
        (np.array(..., dtype=object), ...),
        (np.float32(0.5), 0.5),
        (1j, 1j),
    ],
)
def test_plain_keeps_data(value, expected):
    copied = plain(value)
    assert copied == expected
    assert type(copied) in (type(expected), np.float32, np.float64)


def test_plain_calls_no_method_of_subclasses():
    number = plain(hostile.HostileFloat(2.5))
    assert (type(number), number) == (float, 2.5)
    items = plain(hostile.HostileList([1, (2, "a")]))
    assert (type(items), items) == (list, [1, (2, "a")])


def test_plain_reduces_array_subclasses():
    copied = plain(np.arange(3).view(hostile.HostileArray))
    assert type(copied) is np.ndarray
    assert plain(np.eye(2).view(np.matrix)).shape == (2, 2)


def endless_list():
    items = []
    items.append(items)
    return items


def doubling_list():
    items = [0]
    for _ in range(19):
        items = [items] * 10
    return items


def generator():
    yield 1


async def coroutine():
    return 1


@pytest.mark.parametrize(
    ("make", "description"),
    [
        (lambda: hostile.Hostile(), "an object of type Hostile that cannot be read"),
        (lambda: hostile.Hostile, "a class"),
        (lambda: object(), "an object of type object"),
        (lambda: endless_list(), "nested too deeply"),
        (lambda: doubling_list(), "more than 200,000 elements"),
        (lambda: generator(), r"a generator \(does it say `yield`"),
        (lambda: generator, r"a function \(is a call"),
        (lambda: int, "a class"),
        (lambda: pd.Series([1.0]), r"a pandas Series \(its `.to_numpy\(\)` is an array\)"),
        (lambda: pd.DataFrame(), "a pandas DataFrame"),
        (lambda: np.ma.masked_array([1]), "a masked array"),
        (lambda: np.array(["2020-01-01"], dtype="datetime64[D]"), "an array of dtype datetime64"),
        (lambda: b"bytes", "an object of type bytes"),
        (lambda: {1, 2}, "an object of type set"),
    ],
)
def test_plain_replaces_everything_else(make, description):
    copied = plain(make())
    assert isinstance(copied, Foreign)
    assert re.search(description, describe(copied))


def test_plain_names_coroutines():
    waiting = coroutine()
    assert describe(plain(waiting)) == "a coroutine (remove `async`)"
    waiting.close()


def test_contains_ellipsis():
    assert contains_ellipsis(plain((1, [..., 2])))
    assert contains_ellipsis({"a": ...})
    assert not contains_ellipsis(plain((1, np.ones(2))))


# --- comparing ---


@given(
    arrays(float, 3, elements=st.floats(-1e3, 1e3)),
    arrays(float, 3, elements=st.sampled_from([0.0, 1e-12, 1e-7, 1e-5, 1.0])),
)
def test_compare_agrees_with_numpy(expected, change):
    got = expected + change
    agree = compare(got, expected, TOLERANCE) is None
    assert agree == np.allclose(got, expected, rtol=1e-6, atol=1e-9)


SPECIAL = [0.0, 1.0, 1.0 + 1e-7, 1.0 + 1e-5, -1.0, 1e300, np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("got", [*SPECIAL, 1 + 1e-7j, 3, 2**64 - 1])
@pytest.mark.parametrize("expected", [*SPECIAL, 1j, 3, 2**64 - 1])
def test_compare_agrees_with_numpy_on_special_numbers(got, expected):
    agree = np.isclose(got, expected, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert (compare(got, expected, TOLERANCE) is None) == agree
    assert (compare(np.array([got]), np.array([expected]), TOLERANCE) is None) == agree


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1, 1.0),
        (np.float32(0.5), 0.5),
        (2**70, 2**70),
        (10**400, 10**400),
        (True, np.True_),
        (" Ridge", "ridge"),
        ([1.0, 2.0], np.array([1.0, 2.0])),
        (np.array([1.0, 2.0]), (1.0, 2.0)),
        ([], np.array([])),
        ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
        (math.nan, math.nan),
        (None, None),
        ((1, {"a": np.ones(2)}), [1, {"a": [1.0, 1.0]}]),
        (np.array(["a"]), np.array(["a"])),
        (np.array([True]), [True]),
    ],
)
def test_compare_accepts(got, expected):
    assert compare(plain(got), plain(expected), TOLERANCE) is None


@pytest.mark.parametrize(
    ("got", "expected", "reason", "text"),
    [
        (None, 1.0, "none", "None"),
        ((1, None), (1, 2), "none", "None in element 1"),
        (1.0, None, "type", "the number 1.0; None is wanted"),
        ("a", 1.0, "type", "the text 'a'; a number is wanted"),
        (1, True, "type", "the number 1; a truth value is wanted"),
        (True, 1, "type", "the truth value True; a number is wanted"),
        (np.array([True]), np.ones(1), "type", "an array of truth values of shape (1,); an array"),
        ([1.0, [2.0]], np.ones(2), "type", "a list whose elements do not form an array"),
        ({"a": 1}, (1,), "type", "a dictionary of 1 element; a tuple of 1 element is wanted"),
        (3.0, (1, 2), "type", "the number 3.0; a tuple of 2 elements is wanted"),
        (object(), 1.0, "type", "an object of type object; a number is wanted"),
        (math.nan, 1.0, "nan", "NaN (not a number)"),
        (np.array([1.0, np.nan]), np.ones(3), "nan", "NaN (not a number)"),
        (np.array([1.0, -np.inf]), np.ones(2), "nan", "an infinite number"),
        ((1, {"a": np.nan}), (1, {"a": 2.0}), "nan", "NaN (not a number) under 'a' in element 1"),
        (10**400, 1.0, "nan", "an infinite number"),
        (np.ones((3, 1)), np.ones(3), "shape", "an array of shape (3, 1); an array of shape (3,)"),
        (np.ones(1), 1.0, "shape", "an array of shape (1,); a number is wanted"),
        (1.0, np.ones(3), "shape", "the number 1.0; an array of shape (3,) is wanted"),
        ("a", np.array(["a"]), "shape", "the text 'a'; an array of texts of shape (1,) is wanted"),
        (np.inf, np.ones(3), "nan", "an infinite number"),
        ((1, 2, 3), (1, 2), "shape", "a tuple of 3 elements; 2 are wanted"),
        ([], (1,), "shape", "a list of 0 elements; 1 is wanted"),
        ({"b": 1}, {"a": 1}, "shape", "a dictionary with the keys 'b'; wanted are 'a'"),
        (2.0, 1.0, "value", ""),
        (2**70 + 2**60, 2**70, "value", ""),
        ("lasso", "ridge", "value", ""),
        (False, True, "value", ""),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), "value", ", first at index [1]"),
        ((1, 2.0), (1, 3.0), "value", " in element 1"),
        # The most basic difference counts, not the first.
        ((2.0, None), (1.0, 1.0), "none", "None in element 1"),
    ],
)
def test_compare_says_what_differs(got, expected, reason, text):
    difference = compare(plain(got), plain(expected), TOLERANCE)
    assert difference is not None
    assert difference.reason == reason
    assert difference.text.startswith(text)


def test_compare_dtypes_on_demand():
    ints, floats = np.arange(3), np.arange(3.0)
    assert compare(ints, floats, TOLERANCE) is None
    difference = compare(ints, floats, STRICT)
    assert difference is not None
    assert difference.text == "numbers of dtype int64; float64 is wanted"
    assert compare([0.0, 1.0, 2.0], floats, STRICT).reason == "type"
    assert compare(np.float32(1), np.float64(1), STRICT).reason == "dtype"


def test_compare_shows_the_first_pair():
    difference = compare(
        np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), STRICT
    )
    assert difference is not None
    assert difference.numbers == "5.0 at index [1, 1] where 4.0 is expected"


# --- describing ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5.0"),
        (1 / 3, "0.333333"),
        (1e-9, "1e-09"),
        (math.nan, "nan"),
        (5, "5"),
        (10**40, "an integer of more than 30 digits"),
        (True, "True"),
        ("a" * 100, "'" + "a" * 59 + "…'"),
        (np.float64(0.5), "0.5"),
        (np.array([1.0, 2.5]), "[1.0, 2.5]"),
        (np.eye(2), "[[1.0, 0.0], [0.0, 1.0]]"),
        (np.zeros((50, 2)), "[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], …, [0.0, 0.0]] (shape 50×2)"),
        (np.arange(100), "[0, 1, 2, …, 99] (shape 100)"),
        ((1,), "(1,)"),
        ([1, "a", None], "[1, 'a', None]"),
        ({"a": 1.0}, "{'a': 1.0}"),
        (1 + 2j, "1+2j"),
    ],
)
def test_show(value, text):
    assert show(value) == text


def test_show_pair_keeps_small_differences_visible():
    assert show_pair(1.0, 2.0) == ("1.0", "2.0")
    assert show_pair(1.0, 1.0 + 1e-9) == ("1.0", "1.0000000010000001")
