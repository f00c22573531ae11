"""Intervals against SciPy, and by counting how often they cover."""

import numpy as np
import pytest
from scipy import stats

from lessons_lib.measure import (
    ConfidenceInterval,
    confidence_interval,
    mean_confidence_interval,
    paired_confidence_interval,
    paired_difference,
    share_confidence_interval,
)


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


# --------------------------------------------------------------------------------------------
# What is repeated


def splits_of_one_data_set(rng, n_data_sets, n=60, n_test=20, n_splits=15):
    """Return the test errors of the mean as a model, and the error expected on new rows.

    Data are standard normal, so a mean of 40 rows has an expected error of 1 + 1/40.
    """
    data = rng.standard_normal((n_data_sets, n))
    errors = np.empty((n_data_sets, n_splits))
    for k in range(n_splits):
        order = rng.permutation(n)
        test, train = data[:, order[:n_test]], data[:, order[n_test:]]
        errors[:, k] = np.mean((test - train.mean(axis=1, keepdims=True)) ** 2, axis=1)
    return errors, 1 + 1 / (n - n_test)


def coverage(interval, truth):
    return np.mean((interval.low <= truth) & (truth <= interval.high))


def test_over_splits_the_corrected_interval_covers_and_the_naive_one_does_not():
    errors, truth = splits_of_one_data_set(np.random.default_rng(0), 4000)
    corrected = confidence_interval(errors, over="splits", test_share=20 / 60)
    assert 0.9 < coverage(corrected, truth) < 0.99
    assert coverage(confidence_interval(errors, over="seeds"), truth) < 0.75


def test_a_comparison_over_splits_covers_when_corrected_and_not_when_naive():
    """Ridge against least squares; the truth is their mean difference over many data sets."""
    rng = np.random.default_rng(1)
    n, p, n_test, n_splits = 60, 8, 20, 15
    differences = np.empty((500, n_splits))
    for i in range(len(differences)):
        X = rng.standard_normal((n, p))
        y = X @ np.full(p, 0.3) + rng.standard_normal(n)
        for k in range(n_splits):
            test, train = np.split(rng.permutation(n), [n_test])
            gram, moment = X[train].T @ X[train], X[train].T @ y[train]
            free, ridge = (np.linalg.solve(gram + a * np.eye(p), moment) for a in (0, 100))
            errors = [np.mean((y[test] - X[test] @ coef) ** 2) for coef in (free, ridge)]
            differences[i, k] = errors[1] - errors[0]
    corrected = confidence_interval(differences, over="splits", test_share=n_test / n)
    naive = confidence_interval(differences, over="seeds")
    assert coverage(corrected, differences.mean()) > 0.95, "on the safe side"
    assert coverage(naive, differences.mean()) < 0.8


def test_over_rows_the_interval_of_one_model_covers_its_own_error():
    rng = np.random.default_rng(0)
    losses = rng.standard_normal((4000, 200)) ** 2  # of one model, whose error is 1
    assert 0.9 < coverage(confidence_interval(losses, over="rows"), 1) < 0.99


@pytest.mark.parametrize(("n", "share"), [(30, 0.27), (30, 0.5), (200, 0.1), (500, 0.9)])
def test_the_interval_of_a_share_covers_at_least_as_often_as_it_says(n, share):
    """Exactly, by adding up the probabilities of all counts."""
    counts = np.arange(n + 1)
    intervals = [share_confidence_interval(int(k), n) for k in counts]
    covered = [i.low <= share <= i.high for i in intervals]
    assert 0.95 <= stats.binom.pmf(counts, n, share) @ covered <= 0.99


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 30), (29, 30), (30, 30), (1, 1)])
def test_the_interval_of_a_share_is_that_of_scipy(k, n):
    ours = share_confidence_interval(k, n, confidence=0.9)
    theirs = stats.binomtest(k, n).proportion_ci(0.9, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.mean == k / n


def test_the_correction_is_that_of_the_corrected_resampled_t_test():
    """Nadeau and Bengio's statistic: mean over sqrt((1/J + n2/n1) s²), with J - 1 degrees."""
    values = np.random.default_rng(0).normal(0.3, 1, 20)
    interval = confidence_interval(values, over="splits", test_share=0.1, confidence=0.9)
    statistic = values.mean() / np.sqrt((1 / 20 + 1 / 9) * values.var(ddof=1))
    assert interval.mean / interval.half_width == pytest.approx(statistic / stats.t.ppf(0.95, 19))


def test_an_interval_says_what_was_repeated():
    values = [1.0, 2.0, 3.0]
    assert confidence_interval(values, over="splits", test_share=0.5).over == "3 splits"
    assert f"{paired_confidence_interval(values, [1, 1, 2], over='rows'):.1f over}" == (
        "0.7 ± 1.4 over 3 rows"
    )
    assert f"{share_confidence_interval(0, 30, unit='runs'):.0% over}" == (
        "0% (0% to 12%) over 30 runs"
    )
    with pytest.raises(ValueError, match="does not know what was repeated"):
        f"{ConfidenceInterval(1.0, 0.5, 1.5, 0.95):.1f over}"


def test_the_sign_is_known_only_if_zero_is_outside():
    intervals = ConfidenceInterval(
        np.array([1.0, -1.0, 0.5, 0.5]),
        np.array([0.5, -1.5, -0.1, 0.0]),
        np.array([1.5, -0.5, 1.1, 1.0]),
        0.95,
    )
    np.testing.assert_array_equal(intervals.sign, [1, -1, 0, 0])
    assert confidence_interval([1, 2, 3, 2], over="seeds").sign == 1


def test_equivalence_is_that_of_two_one_sided_tests():
    """At the edge of the margin the larger of both p-values is 2.5 %."""
    values = np.random.default_rng(0).normal(0.1, 1, 40)
    interval = confidence_interval(values, over="seeds")
    edge = max(-interval.low, interval.high)
    for margin in (0.99 * edge, 1.01 * edge):
        below = stats.ttest_1samp(values, margin, alternative="less").pvalue
        above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
        assert interval.within(margin) == (max(below, above) < 0.025)
    assert interval.within(1.01 * edge)
    assert not interval.within(0.99 * edge)
    assert not confidence_interval([-3, 3, 0, 0.1], over="seeds").within(0.5), "too wide to say"


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: confidence_interval([1, 2], over="runs"), "over must be one of seeds, .*'runs'"),
        (lambda: confidence_interval([1, 2], over="splits"), "test_share must be .* got None"),
        (
            lambda: confidence_interval([1, 2], over="splits", test_share=1),
            "test_share must be .* got 1",
        ),
        (
            lambda: confidence_interval([1, 2], over="seeds", test_share=0.5),
            "test_share is for splits only; got 0.5 over seeds",
        ),
        (lambda: paired_confidence_interval([1, 2], [1], over="seeds"), "same shape"),
        (lambda: share_confidence_interval(3, 2), "successes must be at most n = 2, got 3"),
        (lambda: share_confidence_interval(-1, 2), "successes must be"),
        (lambda: share_confidence_interval(1, 2, confidence=1), "confidence must be between"),
        (lambda: ConfidenceInterval(0, -1, 1, 0.9).within(0), "margin must be positive .* got 0"),
    ],
)
def test_the_unit_and_the_counts_are_checked(run, message):
    with pytest.raises(ValueError, match=message):
        run()


def test_a_count_is_an_integer():
    with pytest.raises(TypeError, match="successes"):
        share_confidence_interval(0.5, 2)


def test_the_unit_is_required():
    with pytest.raises(TypeError, match="over"):
        confidence_interval([1, 2])
