"""Addition modulo a number: the whole table once, and the right sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.data import modular_addition


@settings(max_examples=25, deadline=None)
@given(p=st.integers(2, 40), fraction=st.floats(0.2, 0.8), seed=st.integers(0, 10**6))
def test_the_two_parts_are_the_table(p, fraction, seed):
    table = modular_addition(p, fraction, random_state=seed)
    pairs = np.concatenate((table.X_train, table.X_test)).tolist()
    assert sorted(pairs) == [[a, b] for a in range(p) for b in range(p)]
    sums = np.concatenate((table.y_train, table.y_test)).tolist()
    assert sums == [(a + b) % p for a, b in pairs]
    assert len(table.X_train) == round(fraction * p * p)
    again = modular_addition(p, fraction, random_state=seed)
    np.testing.assert_array_equal(table.X_train, again.X_train)


def test_seeds_differ_and_generators_go_on():
    a, b = (modular_addition(random_state=seed).X_train for seed in (0, 1))
    assert not np.array_equal(a, b)
    generator = np.random.default_rng(0)
    a, b = (modular_addition(random_state=generator).X_train for _ in range(2))
    assert not np.array_equal(a, b)


def test_one_hot_pairs():
    table = modular_addition(4, 0.5, random_state=0)
    rows = table.one_hot(np.array([[1, 3]]), dtype=np.float32)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, [[0, 1, 0, 0, 0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1,), ValueError, "modulus must be at least 2"),
        ((5.0,), TypeError, "modulus must be an integer"),
        ((5, 0.0), ValueError, "train_fraction must leave rows"),
        ((5, 1.0), ValueError, "train_fraction must leave rows"),
        ((5, 1.5), ValueError, "train_fraction must lie in"),
        ((5, "all"), TypeError, "train_fraction must be a real number"),
        ((3, 0.01), ValueError, "train_fraction must leave rows for training and test, got 0.01"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        modular_addition(*arguments)
