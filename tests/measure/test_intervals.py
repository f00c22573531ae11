"""Intervals against SciPy and by counting."""

import numpy as np
import pytest
from scipy import stats

from lessons_lib.data import (
    load_diabetes,
)
from lessons_lib.measure import (
    mean_confidence_interval,
    paired_difference,
)


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    return data.X, data.y


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_mean_confidence_interval_is_that_of_scipy(confidence):
    values = np.random.default_rng(0).standard_normal((3, 8))
    ours = mean_confidence_interval(values, confidence=confidence)
    theirs = stats.ttest_1samp(values, 0, axis=-1).confidence_interval(confidence)
    np.testing.assert_allclose(ours.low, theirs.low)
    np.testing.assert_allclose(ours.high, theirs.high)
    np.testing.assert_allclose(ours.mean, values.mean(axis=1))
    np.testing.assert_allclose(ours.half_width, (theirs.high - theirs.low) / 2)


def test_paired_difference_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(12)
    a, b = common + 0.1 * rng.standard_normal(12), common
    ours = paired_difference(a, b, confidence=0.9)
    theirs = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.half_width < mean_confidence_interval(a).half_width / 3


def test_the_interval_covers_the_mean_as_often_as_it_says():
    values = np.random.default_rng(0).normal(5, 2, size=(20_000, 4))
    interval = mean_confidence_interval(values, confidence=0.9)
    coverage = np.mean((interval.low <= 5) & (interval.high >= 5))
    assert coverage == pytest.approx(0.9, abs=0.01)


def test_one_mean_is_a_plain_float_and_formats():
    interval = mean_confidence_interval([1, 2, 3])
    assert type(interval.mean) is float
    assert type(interval.low) is float
    assert f"{interval:.1f}" == "2.0 ± 2.5"


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: mean_confidence_interval(1.0), r"values must have shape .* got \(\)"),
        (lambda: mean_confidence_interval([1.0]), r"values must have shape .* got \(1,\)"),
        (lambda: mean_confidence_interval([1.0, np.nan]), "values must be finite"),
        (
            lambda: mean_confidence_interval([1.0, 2.0], confidence=95),
            "confidence must be between 0 and 1, got 95",
        ),
        (lambda: paired_difference([1, 2], [1, 2, 3]), r"same shape, got \(2,\) and \(3,\)"),
    ],
)
def test_intervals_name_bad_input(run, message):
    with pytest.raises(ValueError, match=message):
        run()


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-540, 2.0**540, 2.0**1000])
def test_units_do_not_matter(unit):
    values = np.random.default_rng(0).uniform(1, 2, size=(3, 8))
    plain, other = mean_confidence_interval(values), mean_confidence_interval(values * unit)
    np.testing.assert_array_equal(other.low, plain.low * unit)
    np.testing.assert_array_equal(other.high, plain.high * unit)
