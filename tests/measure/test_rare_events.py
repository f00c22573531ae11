"""Metrics of rare events against scikit-learn, by hand, and by enumeration."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, precision_score, recall_score

from lessons_lib.data import make_transactions
from lessons_lib.measure import (
    average_precision_ceiling,
    correct_prior,
    expected_cost,
    recall_at_alert_rate,
)


def test_the_ceiling_is_the_best_and_leaves_room():
    ceiling = {
        (known, reported): average_precision_ceiling(DATA, known_risks=known, reported=reported)
        for known in (False, True)
        for reported in (False, True)
    }
    assert ceiling[False, False] == average_precision_score(DATA.y_true, DATA.visible_probability)
    assert ceiling[True, True] == average_precision_score(DATA.y, DATA.probability)
    assert 0.5 < ceiling[False, False] < ceiling[True, False] < 0.8
    assert ceiling[False, True] < ceiling[False, False]
    rows = np.arange(2000)
    assert average_precision_ceiling(DATA, rows) == average_precision_ceiling(
        DATA, np.arange(10_000) < 2000
    )


DATA = make_transactions(random_state=0)
RNG = np.random.default_rng(3)


Y = (RNG.random(400) < 0.1).astype(int)


SCORES = Y + RNG.normal(size=400)


AMOUNTS = RNG.lognormal(4, 1, 400)


@pytest.mark.parametrize("alert_rate", [0.01, 0.05, 0.29, 1.0])
def test_recall_is_that_of_scikit_learn(alert_rate):
    alerts = np.zeros(400, dtype=int)
    alerts[np.argsort(-SCORES)[: round(alert_rate * 400)]] = 1
    recall = recall_at_alert_rate(Y, SCORES, alert_rate)
    assert recall == pytest.approx(recall_score(Y, alerts))
    precision = recall * Y.sum() / alerts.sum()
    assert precision == pytest.approx(precision_score(Y, alerts))


def test_recall_by_hand():
    y, scores = [1, 0, 1, 0, 0, 0, 0, 0, 0, 1], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    recalls = [recall_at_alert_rate(y, scores, rate) for rate in (0, 0.1, 0.29, 0.3, 0.9, 1)]
    assert recalls == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1])
    # A boundary that floating point misses: 0.29 * 100 = 28.999…
    y = np.arange(100) == 28
    assert recall_at_alert_rate(y, -np.arange(100), 0.29) == 1


def test_ties_are_worth_their_mean_over_all_orders():
    y, scores = np.array([1, 0, 1, 0, 1, 0, 0, 0]), np.array([3, 2, 2, 2, 2, 1, 1, 0])
    amounts = np.arange(1.0, 9.0)
    broken = []
    for seed in range(800):
        strict = scores + 0.1 * np.random.default_rng(seed).random(8)
        broken.append(
            [
                recall_at_alert_rate(y, strict, 0.5),
                expected_cost(y, strict, amounts, cost_of_review=2.0, alert_rate=0.5),
            ]
        )
    recall = recall_at_alert_rate(y, scores, 0.5)
    cost = expected_cost(y, scores, amounts, cost_of_review=2.0, alert_rate=0.5)
    assert recall == pytest.approx((1 + 3 / 4 * 2) / 3)
    np.testing.assert_allclose(np.mean(broken, axis=0), [recall, cost], rtol=0.05)


@pytest.mark.parametrize("saved", [0.0, 0.6, 1.0])
def test_cost_is_its_definition(saved):
    threshold = np.sort(SCORES)[-40]
    expected = 0.0
    for label, score, amount in zip(Y, SCORES, AMOUNTS, strict=True):
        if score >= threshold:
            expected += 4.0
        if label == 1:
            expected += amount * (1 - saved) if score >= threshold else amount
    arguments = {"cost_of_review": 4.0, "share_recovered": saved}
    by_threshold = expected_cost(Y, SCORES, AMOUNTS, threshold=threshold, **arguments)
    by_rate = expected_cost(Y, SCORES, AMOUNTS, alert_rate=0.1, **arguments)
    assert by_threshold == pytest.approx(expected / 400)
    assert by_rate == pytest.approx(by_threshold)


def test_the_documented_policy_is_the_cheapest():
    data = make_transactions(20_000, 1000, random_state=5)
    p, arguments = data.probability, {"cost_of_review": 5.0, "share_recovered": 0.8}

    def cost(scores, threshold):
        return expected_cost(data.y_true, scores, data.amount, threshold=threshold, **arguments)

    best = cost(p * data.amount, 5 / 0.8)
    assert best < min(cost(p, t) for t in np.linspace(0, 1, 101))
    assert best < cost(p * data.amount, 30) < cost(p, 1.1)  # 1.1: never an alert
    assert cost(p, 1.1) == pytest.approx(data.amount[data.y_true == 1].sum() / 20_000)


@pytest.mark.parametrize(("trained", "actual"), [(0.5, 0.05), (0.05, 0.5), (0.2, 0.2)])
def test_the_corrected_prior_is_that_of_bayes(trained, actual):
    x = np.linspace(-8, 8, 41)  # the amount of something: N(0, 1) if legitimate, N(2, 2) if fraud
    fraud, legitimate = stats.norm(2, 2).pdf(x), stats.norm(0, 1).pdf(x)

    def posterior(share):
        return share * fraud / (share * fraud + (1 - share) * legitimate)

    corrected = correct_prior(posterior(trained), trained_share=trained, actual_share=actual)
    np.testing.assert_allclose(corrected, posterior(actual), rtol=1e-12)


def test_the_corrected_prior_is_that_of_the_paper():
    """The formula as printed: Elkan's theorem 2, and Dal Pozzolo et al. for undersampling."""
    p, b, b_new = np.random.default_rng(0).random(50), 0.3, 0.02
    corrected = correct_prior(p, trained_share=b, actual_share=b_new)
    printed = b_new * (p - p * b) / (b - p * b + b_new * p - b * b_new)
    np.testing.assert_allclose(corrected, printed, rtol=1e-12)
    kept = (b_new / (1 - b_new)) * (1 - b) / b  # share of the legitimate rows that were kept
    np.testing.assert_allclose(corrected, kept * p / (kept * p - p + 1), rtol=1e-12)


def test_certainty_needs_no_prior():
    corrected = correct_prior([0.0, 1.0], trained_share=0.5, actual_share=0.001)
    np.testing.assert_array_equal(corrected, [0.0, 1.0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: average_precision_ceiling(DATA, np.flatnonzero(DATA.y_true == 0)),
            ValueError,
            "rows must contain a fraud",
        ),
        (lambda: recall_at_alert_rate([0, 0], [1, 2], 0.5), ValueError, "y must contain a fraud"),
        (lambda: recall_at_alert_rate([0, 2], [1, 2], 0.5), ValueError, "y must contain 0 and 1"),
        (lambda: recall_at_alert_rate([], [], 0.5), ValueError, "y must have shape"),
        (lambda: recall_at_alert_rate([0, 1], [1], 0.5), ValueError, r"scores .* \(2,\), got \(1"),
        (lambda: recall_at_alert_rate([0, 1], [1, np.nan], 0.5), ValueError, "scores must be fin"),
        (lambda: recall_at_alert_rate([0, 1], ["a", "b"], 0.5), TypeError, "scores must be real"),
        (lambda: recall_at_alert_rate([0, 1], [1, 2], 5), ValueError, r"alert_rate must lie in"),
        (
            lambda: expected_cost([0, 1], [1, 2], [3], cost_of_review=1, threshold=0),
            ValueError,
            r"amounts must have shape \(2,\), got \(1,\)",
        ),
        (
            lambda: expected_cost([0, 1], [1, 2], [3, -1], cost_of_review=1, threshold=0),
            ValueError,
            "amounts must be at least 0, got -1",
        ),
        (
            lambda: expected_cost([0, 1], [1, 2], [3, 1], cost_of_review=-1, threshold=0),
            ValueError,
            "cost_of_review must lie in",
        ),
        (
            lambda: expected_cost([0, 1], [1, 2], [3, 1], cost_of_review=1),
            ValueError,
            "exactly one of alert_rate and threshold",
        ),
        (
            lambda: expected_cost(
                [0, 1], [1, 2], [3, 1], cost_of_review=1, alert_rate=0.5, threshold=0.5
            ),
            ValueError,
            "got alert_rate=0.5 and threshold=0.5",
        ),
        (
            lambda: expected_cost([0, 1], [1, 2], [3, 1], cost_of_review=1, threshold=np.nan),
            ValueError,
            "threshold must lie in",
        ),
        (
            lambda: expected_cost(
                [0, 1], [1, 2], [3, 1], cost_of_review=1, share_recovered=2, threshold=0
            ),
            ValueError,
            r"share_recovered must lie in \[0, 1\]",
        ),
        (
            lambda: correct_prior([0.5, 1.5], trained_share=0.5, actual_share=0.5),
            ValueError,
            r"probabilities must be in \[0, 1\], got 0.5 to 1.5",
        ),
        (
            lambda: correct_prior([0.5], trained_share=0, actual_share=0.5),
            ValueError,
            "trained_share must lie in",
        ),
        (
            lambda: correct_prior([0.5], trained_share=0.5, actual_share=1),
            ValueError,
            "actual_share must be below 1, got 1",
        ),
        (
            lambda: correct_prior(["a"], trained_share=0.5, actual_share=0.5),
            TypeError,
            "probabilities must be real",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
