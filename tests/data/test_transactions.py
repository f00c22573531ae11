"""Invented transactions: what is exact, what is calibrated, what nobody may know."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.metrics import average_precision_score, roc_auc_score

from lessons_lib.data import PATTERNS, history_features, make_transactions, transactions
from lessons_lib.measure import (
    expected_calibration_error,
)

DATA = make_transactions(random_state=0)


@pytest.mark.parametrize(
    ("n_samples", "n_fraud", "label_noise"),
    [(10_000, 500, 0.1), (100, 1, 0.0), (500, 250, 1.0), (1000, 30, 0.25), (100, 99, 0.0)],
)
def test_counts_are_exact(n_samples, n_fraud, label_noise):
    data = make_transactions(n_samples, n_fraud, label_noise=label_noise, random_state=1)
    n_wrong = round(label_noise * n_fraud)
    assert data.X.shape == (n_samples, len(data.feature_names))
    assert data.y_true.sum() == data.y.sum() == n_fraud
    assert np.sum((data.y == 0) & (data.y_true == 1)) == n_wrong
    assert np.sum((data.y == 1) & (data.y_true == 0)) == n_wrong
    for values in (data.time, data.customer, data.merchant, data.amount, data.pattern):
        assert values.shape == (n_samples,)


def test_wrong_labels_fall_on_all_alike():
    wrong = DATA.y != DATA.y_true
    for label in (0, 1):
        rows = DATA.y_true == label
        ranked = stats.mannwhitneyu(DATA.probability[rows & wrong], DATA.probability[rows & ~wrong])
        assert ranked.pvalue > 0.01


def test_same_int_same_data_and_a_generator_continues():
    rng = np.random.default_rng(0)
    again, other = make_transactions(random_state=rng), make_transactions(random_state=rng)
    for name in vars(DATA):
        np.testing.assert_array_equal(getattr(again, name), getattr(DATA, name))
    assert not np.array_equal(other.X, DATA.X)


def test_patterns_belong_to_the_frauds():
    np.testing.assert_array_equal(DATA.pattern >= 0, DATA.y_true == 1)
    counts = np.bincount(DATA.pattern[DATA.y_true == 1], minlength=len(PATTERNS))
    assert counts.sum() == 500
    common = [PATTERNS.index(name) for name in ("card testing", "stolen card", "account takeover")]
    assert counts[common].min() > 80
    assert 10 < counts[PATTERNS.index("skimming")] < 70  # rare, but there


def test_frauds_show_what_their_pattern_promises():
    median = {
        name: {f: np.median(DATA.column(f)[DATA.pattern == k]) for f in DATA.feature_names}
        for k, name in enumerate(PATTERNS)
    }
    assert median["card testing"]["amount"] < 15
    assert median["card testing"]["count_1h"] >= 2
    assert median["stolen card"]["distance"] > 60
    assert median["stolen card"]["online"] == 0
    assert median["stolen card"]["log_amount_ratio"] > 0.5
    assert median["account takeover"]["new_merchant"] == 1
    assert median["account takeover"]["log_amount_ratio"] > 0.5
    assert median["skimming"]["night"] == median["skimming"]["weekend"] == 1
    # Drift: one pattern becomes rarer, one spreads.
    for name, direction in [("card testing", "less"), ("account takeover", "greater")]:
        times = DATA.time[DATA.pattern == PATTERNS.index(name)]
        assert stats.mannwhitneyu(times, DATA.time, alternative=direction).pvalue < 0.01


def test_the_probabilities_are_calibrated():
    many = [make_transactions(random_state=seed) for seed in range(5)]
    y = np.concatenate([data.y_true for data in many])
    for name in ("probability", "visible_probability"):
        p = np.concatenate([getattr(data, name) for data in many])
        assert p.min() > 0
        assert p.max() < 1
        assert p.mean() == pytest.approx(0.05, rel=0.05)
        assert expected_calibration_error(y, p) < 0.004
        # The frauds among the most suspect, bin by bin, within four standard errors.
        for low, high in [(0.05, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1.0)]:
            rows = (p > low) & (p <= high)
            error = np.sqrt(np.sum(p[rows] * (1 - p[rows])))
            assert abs(np.sum(y[rows] - p[rows])) < 4 * error + 0.05 * p[rows].sum()


def test_hidden_risks_are_integrated_out():
    spread = np.hypot(transactions._CUSTOMER_SPREAD, transactions._MERCHANT_SPREAD)
    rates = np.array([1e-3, 0.1, 1.0, 5.0])
    risk = stats.lognorm(spread, scale=np.exp(-(spread**2) / 2))
    expected = [quad(lambda v, r=r: -np.expm1(-r * v) * risk.pdf(v), 0, 60)[0] for r in rates]
    np.testing.assert_allclose(transactions._average_over_hidden_risks(rates), expected, rtol=1e-6)


def test_the_first_clocks_ring_with_the_stated_probability():
    rng = np.random.default_rng(0)
    rates = np.array([1.0, 2.0, 4.0, 8.0])
    labels = np.array([transactions._first_to_ring(rates, 1, rng)[0] for _ in range(4000)])
    assert np.all(labels.sum(axis=1) == 1)
    assert stats.chisquare(labels.sum(axis=0), 4000 * rates / rates.sum()).pvalue > 0.01


def test_no_feature_gives_the_frauds_away():
    for values in DATA.X.T:
        scores = [average_precision_score(DATA.y_true, sign * values) for sign in (-1, 1)]
        assert max(scores) < 0.2


def test_irrelevant_features_are_independent_of_all_else():
    noise = [name for name in DATA.feature_names if name.startswith("noise_")]
    assert len(noise) == 20
    areas = [roc_auc_score(DATA.y_true, DATA.column(name)) for name in noise]
    # The area's standard error under independence, from the variance of the rank sum.
    error = np.sqrt((10_000 + 1) / (12 * 500 * 9500))
    assert stats.kstest((np.array(areas) - 0.5) / error, "norm").pvalue > 0.01
    values = np.concatenate([DATA.column(name) for name in noise])
    assert stats.kstest(values, "norm").pvalue > 0.01
    # Without them, everything else is the same.
    without = make_transactions(n_irrelevant=0, random_state=0)
    np.testing.assert_array_equal(without.X, DATA.X[:, : without.X.shape[1]])
    np.testing.assert_array_equal(without.y, DATA.y)


def test_customers_tell_nothing_by_their_age_but_can_be_recognized():
    _, first = np.unique(DATA.customer, return_index=True)
    for name in ("age", "account_years", "credit_limit"):
        assert np.array_equal(DATA.column(name), DATA.column(name)[first][DATA.customer])
    assert len(set(DATA.column("account_years")[first])) == len(first) == 400


def test_time_and_places_make_sense():
    assert np.all(np.diff(DATA.time) > 0)
    assert DATA.time[0] >= 0
    hour = DATA.time % 1 * 24
    np.testing.assert_array_equal(DATA.column("night"), hour < 6)
    np.testing.assert_allclose(DATA.column("hour_sin"), np.sin(hour * np.pi / 12), atol=1e-9)
    np.testing.assert_array_equal(DATA.column("weekend"), DATA.column("weekday") >= 5)
    categories = np.column_stack([DATA.column(name) for name in transactions._CATEGORIES])
    np.testing.assert_array_equal(categories.sum(axis=1), 1)
    # A merchant sells one kind of things.
    for merchant in np.unique(DATA.merchant):
        assert len(np.unique(categories[DATA.merchant == merchant], axis=0)) == 1
    assert set(DATA.column("online")) == {0.0, 1.0}
    assert stats.skew(DATA.amount) > 3 > 0.5 > abs(stats.skew(np.log(DATA.amount)))


def history_by_loops(time, customer, merchant, amount):
    """Return the documented features, one transaction after the other."""
    rows = []
    for t, c, m, a in zip(time, customer, merchant, amount, strict=True):
        past = (customer == c) & (time < t)
        row = {}
        for hours in (1, 24, 168):
            recent = amount[past & (time >= t - hours / 24)]
            row[f"count_{hours}h"] = len(recent)
            if hours > 1:
                row[f"mean_amount_{hours}h"] = recent.mean() if len(recent) else 0.0
        since = (t - time[past].max()) * 24 if past.any() else 1440
        row["log_hours_since"] = np.log1p(min(since, 1440))
        logs = [*np.log(amount[past]), np.log(40), np.log(40)]
        row["log_amount_ratio"] = np.log(a) - np.mean(logs)
        row["new_merchant"] = not np.any(past & (merchant == m))
        row["merchant_count_24h"] = np.sum((merchant == m) & (time < t) & (time >= t - 1))
        rows.append(row)
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


@pytest.mark.parametrize("ties", [False, True])
def test_history_is_its_definition(ties):
    rng = np.random.default_rng(0)
    # Binary fractions of a day: the ends of the windows are exact.
    time = rng.integers(0, 20 * 64, 300) / 64 if ties else rng.uniform(0, 20, 300)
    customer, merchant = rng.integers(0, 9, 300) * 100, rng.integers(0, 12, 300)
    amount = rng.lognormal(3, 1, 300)
    ours = history_features(time, customer, merchant, amount)
    loops = history_by_loops(time, customer, merchant, amount)
    assert ours.keys() == loops.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], loops[name], atol=1e-9, err_msg=name)


def test_the_columns_are_the_history():
    for name, values in history_features(
        DATA.time, DATA.customer, DATA.merchant, DATA.amount
    ).items():
        np.testing.assert_array_equal(DATA.column(name), values)


def test_no_feature_knows_the_future():
    raw = np.column_stack([DATA.customer, DATA.merchant])
    past = 6000
    changed = np.random.default_rng(0).permutation(np.arange(past, 10_000))
    ids, amount = raw.copy(), DATA.amount.copy()
    ids[past:], amount[past:] = raw[changed], 7 * DATA.amount[changed]
    before = history_features(DATA.time, *raw.T, DATA.amount)
    after = history_features(DATA.time, *ids.T, amount)
    alone = history_features(DATA.time[:past], *raw[:past].T, DATA.amount[:past])
    for name in before:
        np.testing.assert_allclose(after[name][:past], before[name][:past], atol=1e-8)
        np.testing.assert_allclose(alone[name], before[name][:past], atol=1e-8)
        assert not np.allclose(after[name][past:], before[name][past:])


def test_no_feature_but_noise_changes_with_the_labels():
    # The same world with more frauds and other labels: the features do not notice.
    other = make_transactions(n_fraud=900, label_noise=0.3, n_irrelevant=0, random_state=0)
    np.testing.assert_array_equal(other.X, DATA.X[:, : other.X.shape[1]])
    assert other.y.sum() == 900


ONE = ([0.0], [1], [1], [5.0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: make_transactions(99), ValueError, "n_samples must be at least 100, got 99"),
        (lambda: make_transactions(200.0), TypeError, "n_samples must be an integer"),
        (lambda: make_transactions(200, 0), ValueError, "n_fraud must be at least 1, got 0"),
        (lambda: make_transactions(200, 200, label_noise=0), ValueError, "n_fraud must leave more"),
        (lambda: make_transactions(200, 110, label_noise=1), ValueError, "than the 110 that are"),
        (lambda: make_transactions(label_noise=1.5), ValueError, r"label_noise must lie in \[0, 1"),
        (lambda: make_transactions(label_noise="a"), TypeError, "label_noise must be a real"),
        (lambda: make_transactions(n_irrelevant=-1), ValueError, "n_irrelevant must be at least 0"),
        (lambda: DATA.column("mood"), ValueError, "name must be one of .* got 'mood'"),
        (lambda: history_features([0.0, 1.0], *ONE[1:]), ValueError, "got 2, 1, 1 and 1"),
        (lambda: history_features([np.nan], *ONE[1:]), ValueError, "time must be finite"),
        (lambda: history_features(*ONE[:3], [0.0]), ValueError, "amount must be above 0, got 0"),
        (lambda: history_features([0.0], [1.5], *ONE[2:]), TypeError, "customer must be integers"),
        (lambda: history_features(*ONE[:2], [-1], [5.0]), ValueError, "merchant must have shape"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
