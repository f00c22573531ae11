"""Exercises of the lesson on fraud detection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib.data import make_transactions
from lessons_lib.exercises._accept import agrees
from lessons_lib.exercises._model import Case, Exercise, Misconception
from lessons_lib.measure import average_precision_ceiling

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Pair = tuple[FloatArray, FloatArray]


# --------------------------------------------------------------------------- least_false_alarms


def least_false_alarms(accuracy: float, share: float) -> float:
    """Return the smallest rate of false alarms that fits an accuracy."""
    return max(0.0, (1 - accuracy - share) / (1 - share))


def _alarm_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.71, 0.05), (0.9, 0.02), (0.96, 0.05), (0.5, 0.3), (1.0, 0.1), (0.0, 0.2)]


def _may_be_negative(accuracy: float, share: float) -> float:
    return (1 - accuracy - share) / (1 - share)


def _no_miss(accuracy: float, share: float) -> float:
    return (1 - accuracy) / (1 - share)


def _of_all(accuracy: float, share: float) -> float:
    return max(0.0, 1 - accuracy - share)


def _of_frauds(accuracy: float, share: float) -> float:
    return max(0.0, (1 - accuracy - share) / share)


LEAST_FALSE_ALARMS = Exercise(
    name="fraud.least_false_alarms",
    title="What an accuracy gives away",
    level=1,
    hints=(
        "Every mistake is a missed fraud or a false alarm.",
        "The number of false alarms is smallest if *all* frauds are missed: how many mistakes are "
        "then left, per transaction?",
        "A rate of false alarms counts per legitimate transaction, and cannot be negative.",
    ),
    reference=least_false_alarms,
    cases=_alarm_cases,
    misconceptions=(
        Misconception(
            _may_be_negative,
            "A rate cannot be negative: if the mistakes are fewer than the frauds, there need not "
            "be any false alarm.",
        ),
        Misconception(
            _no_miss,
            "That is the *largest* rate, with every fraud found. For the smallest one as many "
            "mistakes as possible must be missed frauds.",
        ),
        Misconception(
            _of_all,
            "You count false alarms per transaction; the rate is per *legitimate* transaction.",
        ),
        Misconception(
            _of_frauds,
            "You divide by the share of frauds, but false alarms fall on the other transactions.",
        ),
    ),
)


# ------------------------------------------------------------------------------------ precision


def precision(recall: float, false_alarms: float, share: float) -> float:
    """Return the share of true alerts, from rates and the base rate."""
    hits = share * recall
    return hits / (hits + (1 - share) * false_alarms)


def _precision_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (0.8, 0.02, 0.05),
        (0.8, 0.02, 0.0017),
        (0.3, 0.001, 0.5),
        (1.0, 0.0, 0.1),
        (0.9, 0.4, 0.7),
    ]


def _without_base_rate(recall: float, false_alarms: float, share: float) -> float:
    return recall / (recall + false_alarms)


def _alarms_of_all(recall: float, false_alarms: float, share: float) -> float:
    return share * recall / (share * recall + false_alarms)


def _one_minus_alarms(recall: float, false_alarms: float, share: float) -> float:
    return 1 - false_alarms


def _brackets_missing(recall: float, false_alarms: float, share: float) -> float:
    return recall * share / recall * share + false_alarms * (1 - share)


def _half_of_the_brackets(recall: float, false_alarms: float, share: float) -> float:
    return share * recall / share * recall + false_alarms * (1 - share)


def _alarms_added(recall: float, false_alarms: float, share: float) -> float:
    return 1 + (1 - share) * false_alarms


def _share_missed(recall: float, false_alarms: float, share: float) -> float:
    return share * recall


PRECISION = Exercise(
    name="fraud.precision",
    title="The base rate",
    level=1,
    hints=(
        "Imagine 10,000 transactions: how many alerts are frauds, how many are not?",
        "Of n transactions, share · n are frauds; recall acts on them, the rate of false alarms on "
        "all others.",
    ),
    reference=precision,
    cases=_precision_cases,
    misconceptions=(
        Misconception(
            _without_base_rate,
            "That holds if there are as many frauds as other transactions. Weight the two rates "
            "with the shares.",
        ),
        Misconception(
            _alarms_of_all,
            "False alarms can only come from transactions that are no frauds: weight their rate "
            "with `1 - share`.",
        ),
        Misconception(
            _one_minus_alarms,
            "1 − false alarms is the share of legitimate transactions *without* an alert, not the "
            "share of alerts that are right.",
        ),
        Misconception(
            _share_missed,
            "These are true alerts per *transaction*; divide by all alerts.",
        ),
        Misconception(
            _brackets_missing,
            "Brackets are missing: `a / b * c + d` divides by b alone. Put all that is below the "
            "line of the fraction in brackets.",
        ),
        Misconception(
            _half_of_the_brackets,
            "Brackets are missing: `a / b * c + d` divides by b alone. Put all that is below the "
            "line of the fraction in brackets.",
        ),
        Misconception(
            _alarms_added,
            "Brackets are missing: `a / b * c + d` divides by b alone. Put all that is below the "
            "line of the fraction in brackets.",
        ),
    ),
)


# -------------------------------------------------------------------------------------- scaling


def scale(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    """Standardize training and test rows with what the training rows know."""
    mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
    return (X[train] - mean) / deviation, (X[test] - mean) / deviation


def _either_divisor(result: Any, expected: Any, args: Case) -> str | None:
    """Accept also the divisor n − 1 of the standard deviation: it leaks nothing either."""
    other = np.sqrt(1 - 1 / len(args[1]))
    if agrees(result, expected) or agrees(result, [part * other for part in expected]):
        return None
    return "the two parts are not both scaled as they should be"


def _scale_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_train, n_test in ((8, 4), (20, 7)):
        X = rng.lognormal(1, 1, (n_train + n_test + 3, 3)) * [1, -5, 0.1]
        order = rng.permutation(len(X))
        cases.append((X, order[:n_train], order[n_train : n_train + n_test]))
    return cases


def _all_rows(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return Z[train], Z[test]


def _each_its_own(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    return scale(X, train, train)[0], scale(X, test, test)[0]


def _train_and_test(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    both = np.concatenate([train, test])
    mean, deviation = X[both].mean(axis=0), X[both].std(axis=0)
    return (X[train] - mean) / deviation, (X[test] - mean) / deviation


def _test_as_it_is(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    return scale(X, train, test)[0], X[test]


def _one_number(X: FloatArray, train: IntArray, test: IntArray) -> Pair:
    mean, deviation = X[train].mean(), X[train].std()
    return (X[train] - mean) / deviation, (X[test] - mean) / deviation


SCALE = Exercise(
    name="fraud.scale",
    title="Spot the bug: a pipeline that leaks",
    level=1,
    hints=(
        "Which rows have contributed to the mean that is subtracted from the training rows?",
        "Compute mean and standard deviation of each column from the training rows, and use these "
        "two for both parts.",
    ),
    reference=scale,
    cases=_scale_cases,
    accept=_either_divisor,
    misconceptions=(
        Misconception(
            _all_rows,
            "Mean and deviation still come from all rows, those of the test among them.",
        ),
        Misconception(
            _each_its_own,
            "The test rows are scaled by their own mean and deviation: a row on its own would "
            "become zero, and the model sees other units than it has learned.",
        ),
        Misconception(
            _train_and_test,
            "You leave out the rows of neither part, but the test rows still take part in the "
            "scaling.",
        ),
        Misconception(_test_as_it_is, "The test rows need the same scaling as the training rows."),
        Misconception(
            _one_number, "Each feature has a mean and a deviation of its own: use `axis=0`."
        ),
    ),
    equivalent_mutants={
        "X[train].std(axis=0) → X[train].std(axis=0, ddof=1)": "Either divisor is accepted.",
    },
)


# --------------------------------------------------------------------------- recall_at_alert_rate


def recall_at_alert_rate(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    """Return the expected recall if equal scores are reviewed in random order."""
    last = np.sort(scores)[-n_reviews]
    above, tied = scores > last, scores == last
    places = n_reviews - above.sum()
    return float((y[above].sum() + y[tied].sum() * places / tied.sum()) / y.sum())


def _recall_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (np.array([0, 1, 0, 1, 0]), np.zeros(5), 2),
        (np.array([1, 0, 1, 0, 0, 1]), np.array([0.9, 0.8, 0.8, 0.8, 0.1, 0.2]), 3),
        (np.array([1, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.1]), 2),
        (np.array([0, 1, 1, 1]), np.full(4, 0.3), 2),
        (np.array([1, 0, 0, 1, 1]), np.array([-0.5, 2.0, -3.0, -0.5, 1.0]), 3),
        (np.array([1, 0, 1]), np.array([0.2, 0.5, 0.1]), 3),
        (np.array([1, 0, 1]), np.array([0.2, 0.5, 0.1]), 1),
    ]
    for n in (30, 50):
        y = (rng.random(n) < 0.3).astype(np.intp)
        y[0] = 1
        cases.append((y, rng.integers(0, 5, n) / 4, n // 5))
    return cases


def _in_their_order(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    order = np.argsort(-scores, kind="stable")
    return float(y[order[:n_reviews]].sum() / y.sum())


def _all_tied(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return float(y[scores >= np.sort(scores)[-n_reviews]].sum() / y.sum())


def _none_tied(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return float(y[scores > np.sort(scores)[-n_reviews]].sum() / y.sum())


def _in_order_of_argsort(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return float(y[np.argsort(-scores)[:n_reviews]].sum() / y.sum())


def _in_reverse_order(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return float(y[np.argsort(scores)[::-1][:n_reviews]].sum() / y.sum())


def _lowest_reviewed(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return float(y[np.argsort(scores)[:n_reviews]].sum() / y.sum())


def _lowest_with_ties(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return recall_at_alert_rate(y, -scores, n_reviews)


def _half_of_the_tied(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return (_all_tied(y, scores, n_reviews) + _none_tied(y, scores, n_reviews)) / 2


def _precision_at(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    return recall_at_alert_rate(y, scores, n_reviews) * float(y.sum()) / n_reviews


def _lucky_ties(y: IntArray, scores: FloatArray, n_reviews: int) -> float:
    order = np.lexsort((-y, -scores))
    return float(y[order[:n_reviews]].sum() / y.sum())


RECALL = Exercise(
    name="fraud.recall_at_alert_rate",
    title="Recall with ties",
    level=2,
    hints=(
        "Find the score of the last transaction that is reviewed. Three groups: above it, equal "
        "to it, below.",
        "All above are reviewed. The places that are left are drawn among the equal ones: each "
        "has the same chance.",
    ),
    reference=recall_at_alert_rate,
    cases=_recall_cases,
    misconceptions=(
        Misconception(
            _in_their_order,
            "Equal scores are reviewed in the order of the rows: shuffle the rows, and the recall "
            "changes.",
        ),
        Misconception(
            _all_tied,
            "You review everything that is tied with the last one, and so more than there is time "
            "for: a constant score would find all frauds.",
        ),
        Misconception(
            _none_tied,
            "You review only what is *above* the last score: a constant score would find nothing, "
            "and distinct scores lose one review.",
        ),
        Misconception(
            _precision_at,
            "You divide by the number of reviews; that is the precision. Recall divides by the "
            "number of frauds.",
        ),
        Misconception(
            _lucky_ties,
            "Among equal scores you review the frauds first. Nobody knows which they are.",
        ),
        Misconception(
            _in_order_of_argsort,
            "Equal scores are reviewed in the order in which the sorting leaves them: shuffle the "
            "rows, and the recall changes.",
        ),
        Misconception(
            _in_reverse_order,
            "Equal scores are reviewed in the order in which the sorting leaves them: shuffle the "
            "rows, and the recall changes.",
        ),
        Misconception(
            _lowest_reviewed,
            "You review the transactions with the *lowest* scores: `argsort` sorts upward.",
        ),
        Misconception(_lowest_with_ties, "You review the transactions with the *lowest* scores."),
        Misconception(
            _half_of_the_tied,
            "You count half of the frauds among the equal scores; the share that is reviewed "
            "depends on how many places are left for them.",
        ),
    ),
    equivalent_mutants={
        "scores > last → scores >= last": "Ties are added and taken away again.",
    },
)


# --------------------------------------------------------------------------- average_precision


def average_precision(y: IntArray, scores: FloatArray) -> float:
    """Return the average precision; equal scores are one step."""
    total, last_recall = 0.0, 0.0
    for threshold in np.unique(scores)[::-1]:
        alerts = scores >= threshold
        recall = y[alerts].sum() / y.sum()
        total += (recall - last_recall) * y[alerts].mean()
        last_recall = recall
    return float(total)


def _ap_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (np.array([0, 1, 0, 1, 0]), np.array([0.1, 0.9, 0.8, 0.7, 0.2])),
        (np.array([0, 1, 0, 0]), np.full(4, 0.5)),
        (np.array([1, 0, 1, 0, 1]), np.array([-2.0, 3.0, -0.5, -0.5, 5.0])),
    ]
    for n in (25, 60):
        y = (rng.random(n) < 0.25).astype(np.intp)
        y[:2] = 0, 1
        cases.append((y, rng.permutation(n) / n))
    y = (rng.random(40) < 0.3).astype(np.intp)
    y[0] = 1
    cases.append((y, rng.integers(0, 6, 40) / 5))
    return cases


def _trapezoid(y: IntArray, scores: FloatArray) -> float:
    recalls, precisions = [0.0], [1.0]
    for threshold in np.unique(scores)[::-1]:
        alerts = scores >= threshold
        recalls.append(float(y[alerts].sum() / y.sum()))
        precisions.append(float(y[alerts].mean()))
    return float(np.trapezoid(precisions, recalls))


def _ties_in_row_order(y: IntArray, scores: FloatArray) -> float:
    ranked = y[np.argsort(-scores, kind="stable")]
    at = np.cumsum(ranked) / np.arange(1, len(y) + 1)
    return float(at[ranked == 1].mean())


def _ties_in_order_of_argsort(y: IntArray, scores: FloatArray) -> float:
    return _of_ranking(y[np.argsort(-scores)])


def _ties_in_reverse_order(y: IntArray, scores: FloatArray) -> float:
    return _of_ranking(y[np.argsort(scores)[::-1]])


def _of_ranking(ranked: IntArray) -> float:
    at = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(at[ranked == 1].mean())


def _not_divided(y: IntArray, scores: FloatArray) -> float:
    return average_precision(y, scores) * float(y.sum())


def _above_only(y: IntArray, scores: FloatArray) -> float:
    total, last_recall = 0.0, 0.0
    for threshold in np.unique(scores)[::-1]:
        alerts = scores > threshold
        recall = float(y[alerts].sum() / y.sum())
        total += (recall - last_recall) * float(y[alerts].mean() if alerts.any() else 0)
        last_recall = recall
    return total


def _mean_of_all_places(y: IntArray, scores: FloatArray) -> float:
    ranked = y[np.argsort(-scores, kind="stable")]
    return float(np.mean(np.cumsum(ranked) / np.arange(1, len(y) + 1)))


def _lowest_first(y: IntArray, scores: FloatArray) -> float:
    return average_precision(y, -scores)


def _under_roc(y: IntArray, scores: FloatArray) -> float:
    gaps = scores[y == 1][:, None] - scores[y == 0]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


def _interpolated(y: IntArray, scores: FloatArray) -> float:
    total, last_recall = 0.0, 0.0
    thresholds = np.unique(scores)[::-1]
    precisions = [float(y[scores >= t].mean()) for t in thresholds]
    for i, threshold in enumerate(thresholds):
        recall = float(y[scores >= threshold].sum() / y.sum())
        total += (recall - last_recall) * max(precisions[i:])
        last_recall = recall
    return total


def _precision_before(y: IntArray, scores: FloatArray) -> float:
    total, last_recall, last_precision = 0.0, 0.0, 1.0
    for threshold in np.unique(scores)[::-1]:
        recall = float(y[scores >= threshold].sum() / y.sum())
        total += (recall - last_recall) * last_precision
        last_recall, last_precision = recall, float(y[scores >= threshold].mean())
    return total


AVERAGE_PRECISION = Exercise(
    name="fraud.average_precision",
    title="Average precision",
    level=2,
    hints=(
        "Go through the different scores from the highest to the lowest; each is a threshold.",
        "At each threshold, alerts are all transactions with at least this score. Take precision "
        "and recall of these alerts.",
        "Add up precision times the *growth* of the recall since the threshold before.",
    ),
    reference=average_precision,
    cases=_ap_cases,
    misconceptions=(
        Misconception(
            _trapezoid,
            "You join the points of the curve by straight lines. Between two thresholds there is "
            "no detector on that line, and the area differs; average precision takes steps.",
        ),
        Misconception(
            _ties_in_row_order,
            "Equal scores are one threshold: you rank them in the order of the rows.",
        ),
        Misconception(
            _mean_of_all_places,
            "You average the precision over all places of the ranking; only places of frauds "
            "count, where the recall grows.",
        ),
        Misconception(_lowest_first, "You start with the *lowest* scores."),
        Misconception(
            _under_roc,
            "That is the area under the ROC curve: how often a fraud is ranked above another "
            "transaction.",
        ),
        Misconception(
            _interpolated,
            "You take the best precision at this recall or any larger one: that is the "
            "interpolated average precision of information retrieval, and it is higher.",
        ),
        Misconception(
            _precision_before,
            "You multiply the growth of the recall by the precision at the threshold *before*; "
            "each growth belongs to the precision at its own threshold.",
        ),
        Misconception(
            _ties_in_order_of_argsort,
            "Equal scores are one threshold: you rank them in the order in which the sorting "
            "leaves them.",
        ),
        Misconception(
            _ties_in_reverse_order,
            "Equal scores are one threshold: you rank them in the order in which the sorting "
            "leaves them.",
        ),
        Misconception(
            _not_divided,
            "You add up numbers of frauds; recall is their share: divide by the number of frauds.",
        ),
        Misconception(
            _above_only,
            "A score that *equals* the threshold is an alert as well: `>=`. The lowest scores are "
            "never alerts in yours.",
        ),
    ),
)


# ------------------------------------------------------------------------------ undersampling


def undo_undersampling(p: FloatArray, kept: float) -> FloatArray:
    """Return the probabilities in a world where no legitimate row was thrown away."""
    return kept * p / (kept * p + 1 - p)


def _undo_cases(rng: np.random.Generator) -> list[Case]:
    return [(np.array([0.0, 0.1, 0.5, 0.9, 1.0]), 0.05), (rng.random(6), 0.5), (rng.random(4), 1.0)]


def _scaled(p: FloatArray, kept: float) -> FloatArray:
    return kept * p


def _other_way(p: FloatArray, kept: float) -> FloatArray:
    return p / (p + kept * (1 - p))


def _odds_returned(p: FloatArray, kept: float) -> FloatArray:
    with np.errstate(divide="ignore"):
        odds: FloatArray = kept * p / (1 - p)
    return odds


def _not_corrected(p: FloatArray, kept: float) -> FloatArray:
    return p


def _sum_to_one(p: FloatArray, kept: float) -> FloatArray:
    q = undo_undersampling(p, kept)
    normalized: FloatArray = q / q.sum()
    return normalized


UNDO_UNDERSAMPLING = Exercise(
    name="fraud.undo_undersampling",
    title="Undo the undersampling",
    level=2,
    hints=(
        "Think in odds, p / (1 − p): frauds for each legitimate transaction. What has throwing "
        "away legitimate rows done to them?",
        "If a share `kept` of the legitimate rows was kept, the odds in training are 1/kept times "
        "the true ones.",
        "Multiply the odds by `kept`, then go back: p = odds / (1 + odds). Written without a "
        "division by 1 − p it also works at p = 1.",
    ),
    reference=undo_undersampling,
    cases=_undo_cases,
    misconceptions=(
        Misconception(
            _scaled,
            "You multiply the probability; the factor belongs to the *odds*. At p = 1 the model "
            "is certain, and stays so.",
        ),
        Misconception(
            _other_way,
            "The wrong way round: frauds are rarer in use than in training, so probabilities must "
            "fall.",
        ),
        Misconception(_odds_returned, "These are the odds; go back to a probability."),
        Misconception(_not_corrected, "You have not changed the probabilities."),
        Misconception(
            _sum_to_one,
            "The probabilities of different transactions need not add up to one.",
        ),
    ),
)


# ---------------------------------------------------------------------------------- smote_rows


def smote_rows(y: IntArray, train: IntArray) -> IntArray:
    """Return the rows between which an honest SMOTE may put new points."""
    rows: IntArray = np.sort(train[y[train] == 1])
    return rows


def _smote_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n in (12, 30):
        y = (np.arange(n) % 3 == 0).astype(np.intp)
        cases.append((rng.permutation(y), rng.permutation(n)[: n // 2]))
    return cases


def _every_fraud(y: IntArray, train: IntArray) -> IntArray:
    return np.flatnonzero(y == 1)


def _every_training_row(y: IntArray, train: IntArray) -> IntArray:
    return np.sort(train)


def _places_in_training(y: IntArray, train: IntArray) -> IntArray:
    return np.flatnonzero(y[train] == 1)


def _the_majority(y: IntArray, train: IntArray) -> IntArray:
    rows: IntArray = np.sort(train[y[train] == 0])
    return rows


def _test_frauds(y: IntArray, train: IntArray) -> IntArray:
    rows: IntArray = np.setdiff1d(np.flatnonzero(y == 1), train)
    return rows


SMOTE_ROWS = Exercise(
    name="fraud.smote_rows",
    title="What SMOTE may touch",
    level=2,
    hints=(
        "A new point is a mixture of two rows. If one of them is a test row, the training set "
        "contains half of a test row.",
        "It needs two rows of the rare class, both among the training rows. `train` holds row "
        "numbers: return row numbers, too.",
    ),
    reference=smote_rows,
    cases=_smote_cases,
    misconceptions=(
        Misconception(
            _every_fraud,
            "All frauds, those of the test rows among them: that is the leak of the lesson.",
        ),
        Misconception(
            _every_training_row,
            "Between a fraud and a legitimate row there is nothing that deserves the label fraud: "
            "only rows of the rare class.",
        ),
        Misconception(
            _places_in_training,
            "These are positions within `train`, not row numbers; other rows than you think would "
            "be mixed.",
        ),
        Misconception(_the_majority, "You oversample the class that is frequent already."),
        Misconception(_test_frauds, "These are exactly the rows that training must not see."),
    ),
)


# ----------------------------------------------------------------------------- best_threshold


def best_threshold(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    """Return the threshold that costs least on these rows, and what it costs each."""
    best = (np.inf, float(np.mean(y * amounts)))
    for threshold in np.unique(scores)[::-1]:
        reviewed = scores >= threshold
        cost = float(np.mean(cost_of_review * reviewed + y * amounts * ~reviewed))
        if cost < best[1]:
            best = float(threshold), cost
    return best


def _threshold_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (np.array([0, 1, 0, 1]), np.array([0.2, 0.9, 0.6, 0.4]), np.array([9.0, 80, 9, 30]), 5.0),
        (np.array([0, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.7]), np.array([9.0, 8, 9, 9]), 5.0),
        # Equal scores stand or fall together: of them only the first row is worth a review.
        (np.array([1, 0, 0, 0]), np.array([0.5, 0.5, 0.5, 0.5]), np.array([9.0, 8, 9, 9]), 4.0),
        (
            np.array([1, 0, 0, 0, 1]),
            np.array([0.5, 0.5, 0.5, 0.25, 0.75]),
            np.array([16.0, 4, 2, 8, 32]),
            8.0,
        ),
        # Equally cheap: no review or the only one; the first score or the first two.
        (np.array([1, 0]), np.array([0.75, 0.25]), np.array([4.0, 2.0]), 4.0),
        (np.array([1, 1, 0, 0]), np.array([0.75, 0.5, 0.25, -1]), np.array([16.0, 2, 4, 8]), 2.0),
    ]
    for n, cost in ((30, 4.0), (60, 12.0)):
        p = rng.beta(0.5, 2, n).round(2)
        y = (rng.random(n) < p).astype(np.intp)
        cases.append((y, p, rng.lognormal(3.5, 1, n).round(2), cost))
    return cases


def _always_review(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    costs = {}
    for threshold in np.unique(scores)[::-1]:
        reviewed = scores >= threshold
        costs[float(threshold)] = float(
            np.mean(cost_of_review * reviewed + y * amounts * ~reviewed)
        )
    chosen = min(costs, key=lambda threshold: costs[threshold])
    return chosen, costs[chosen]


def _always_review_lowest(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    thresholds = np.unique(scores)
    costs = [
        float(np.mean(cost_of_review * (scores >= t) + y * amounts * (scores < t)))
        for t in thresholds
    ]
    return float(thresholds[np.argmin(costs)]), min(costs)


def _mean_loss(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    return best_threshold(y, scores, np.full(len(y), amounts[y == 1].mean()), cost_of_review)


def _count_mistakes(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    return best_threshold(y, scores, np.full(len(y), cost_of_review), cost_of_review)


def _false_alarms_only(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    best = (np.inf, float(np.mean(y * amounts)))
    for threshold in np.unique(scores)[::-1]:
        reviewed = scores >= threshold
        cost = float(np.mean(cost_of_review * reviewed * (1 - y) + y * amounts * ~reviewed))
        if cost < best[1]:
            best = float(threshold), cost
    return best


def _mean_amount(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    threshold = cost_of_review / float(amounts.mean())
    reviewed = scores >= threshold
    return threshold, float(np.mean(cost_of_review * reviewed + y * amounts * ~reviewed))


def _strictly_above(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    best = (np.inf, float(np.mean(y * amounts)))
    for threshold in np.unique(scores)[::-1]:
        reviewed = scores > threshold
        cost = float(np.mean(cost_of_review * reviewed + y * amounts * ~reviewed))
        if cost < best[1]:
            best = float(threshold), cost
    return best


def _row_by_row(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    order = np.argsort(-scores, kind="stable")
    missed = (y * amounts).sum() - np.cumsum((y * amounts)[order])
    costs = (cost_of_review * np.arange(1, len(y) + 1) + missed) / len(y)
    nothing = float(np.mean(y * amounts))
    if nothing <= costs.min():
        return np.inf, nothing
    return float(scores[order][costs.argmin()]), float(costs.min())


def _lowest_of_equal(
    y: IntArray, scores: FloatArray, amounts: FloatArray, cost_of_review: float
) -> tuple[float, float]:
    best = (np.inf, float(np.mean(y * amounts)))
    for threshold in np.unique(scores)[::-1]:
        reviewed = scores >= threshold
        cost = float(np.mean(cost_of_review * reviewed + y * amounts * ~reviewed))
        if cost <= best[1]:
            best = float(threshold), cost
    return best


BEST_THRESHOLD = Exercise(
    name="fraud.best_threshold",
    title="The cheapest threshold",
    level=3,
    hints=(
        "Only the scores themselves matter as thresholds, and infinity, for no review at all.",
        "A review costs the same whether it finds a fraud or not; a fraud without one costs its "
        "amount.",
        "Start with no review as the best so far; go through the scores from the highest to the "
        "lowest and keep what is cheaper.",
    ),
    reference=best_threshold,
    cases=_threshold_cases,
    misconceptions=(
        Misconception(
            _always_review,
            "You never consider no review at all. If the scores are bad or reviews dear, that is "
            "cheapest: the threshold is infinity.",
        ),
        Misconception(
            _count_mistakes,
            "You count every missed fraud the same, as if it cost one review; it costs its own "
            "amount.",
        ),
        Misconception(
            _false_alarms_only,
            "A review costs as much if it finds a fraud: the clerk is paid all the same.",
        ),
        Misconception(
            _mean_amount,
            "That is the threshold for probabilities that are right and amounts that are equal. "
            "Here you look for the best one on given rows, whatever the scores mean.",
        ),
        Misconception(
            _strictly_above,
            "A transaction whose score is *equal* to the threshold is reviewed: `>=`.",
        ),
        Misconception(
            _row_by_row,
            "You review equal scores one by one. A threshold cannot tell them apart: all of them "
            "are reviewed, or none.",
        ),
        Misconception(
            _lowest_of_equal,
            "Of equally cheap thresholds you return the lowest; the highest was asked for.",
        ),
        Misconception(
            _always_review_lowest,
            "You always review something; no review at all, the threshold ∞, may cost least. And "
            "of equally cheap thresholds the highest was asked for.",
        ),
        Misconception(
            _mean_loss,
            "You take the mean amount of the frauds for each of them; a missed fraud costs its own "
            "amount.",
        ),
    ),
)


# ------------------------------------------------------------------------ luck_of_the_ranking


def random_average_precision(n_samples: int, n_fraud: int) -> float:
    """Return the expected average precision of a ranking at random."""
    harmonic = float(np.sum(1 / np.arange(1, n_samples + 1)))
    others = (n_fraud - 1) / (n_samples - 1)
    return (harmonic + others * (n_samples - harmonic)) / n_samples


def _random_ap_cases(rng: np.random.Generator) -> list[Case]:
    return [(20, 1), (20, 4), (100, 5), (6, 6)]


def _base_rate_only(n_samples: int, n_fraud: int) -> float:
    return n_fraud / n_samples


def _others_with_replacement(n_samples: int, n_fraud: int) -> float:
    harmonic = float(np.sum(1 / np.arange(1, n_samples + 1)))
    return (harmonic + n_fraud / n_samples * (n_samples - harmonic)) / n_samples


def _one_half(n_samples: int, n_fraud: int) -> float:
    return 0.5


def _first_fraud_only(n_samples: int, n_fraud: int) -> float:
    return float(np.mean(1 / np.arange(1, n_samples + 1)))


RANDOM_AVERAGE_PRECISION = Exercise(
    name="fraud.random_average_precision",
    title="What luck is worth",
    level=3,
    hints=(
        "Average precision is the mean, over the frauds, of the precision at the place of the "
        "fraud. In a random order a fraud is equally likely at each place r.",
        "Given a fraud at place r, the r − 1 places above it hold each of the n_fraud − 1 other "
        "frauds with probability (r − 1) / (n − 1).",
        "Average (1 + (r − 1)(n_fraud − 1)/(n − 1)) / r over r = 1 … n.",
    ),
    reference=random_average_precision,
    cases=_random_ap_cases,
    misconceptions=(
        Misconception(
            _base_rate_only,
            "That is the limit for many rows. At the place of a fraud the precision counts this "
            "fraud, too: on few rows luck is worth more than the base rate.",
        ),
        Misconception(
            _others_with_replacement,
            "You let the other places hold frauds with the share of all. One fraud is used up at "
            "place r: of the n − 1 other rows, n_fraud − 1 are frauds.",
        ),
        Misconception(
            _one_half, "One half is what the area under the ROC curve has for a random ranking."
        ),
        Misconception(
            _first_fraud_only,
            "You count only the fraud itself at its place: other frauds may stand above it.",
        ),
    ),
)


# ---------------------------------------------------------------------------- noise_for_half


def noise_for_half() -> float:
    """Return the smallest label noise that halves the ceiling: ``measured_noise_for_half()``."""
    return 0.4


def measured_noise_for_half() -> float:
    """Return the smallest label noise for which the reported ceiling is below half the true one."""
    for noise in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        worlds = [make_transactions(label_noise=noise, random_state=seed) for seed in range(5)]
        reported, true = (
            np.mean([average_precision_ceiling(world, reported=r) for world in worlds])
            for r in (True, False)
        )
        if reported < true / 2:
            return noise
    raise AssertionError("no such noise")


NOISE_FOR_HALF = Exercise(
    name="fraud.noise_for_half",
    title="Wrong labels and the ceiling",
    level=2,
    hints=(
        "`average_precision_ceiling(data, reported=True)` measures with reported labels; by "
        "default it is measured with the true ones.",
        "For each noise, average both over the five data sets; then compare.",
    ),
    reference=noise_for_half,
    shows=(measured_noise_for_half,),
    misconceptions=(
        Misconception(
            lambda: 0.5,
            "The ceiling does not fall in proportion to the labels that are right: precision and "
            "recall both lose. Try it.",
        ),
        Misconception(
            lambda: 0.1,
            "At a tenth the reported ceiling is still most of the true one, as the lesson shows.",
        ),
        Misconception(
            lambda: 0.3,
            "At 0.3 the reported ceiling is still a little more than half of the true one.",
        ),
        Misconception(
            lambda: 0.2,
            "At 0.2 the reported ceiling is still more than two thirds of the true one.",
        ),
        Misconception(
            lambda: 0.6,
            "At 0.6 the reported ceiling is about a quarter of the true one: smaller noises halve "
            "it already.",
        ),
    ),
)


EXERCISES = (
    LEAST_FALSE_ALARMS,
    PRECISION,
    SCALE,
    RECALL,
    AVERAGE_PRECISION,
    UNDO_UNDERSAMPLING,
    SMOTE_ROWS,
    NOISE_FOR_HALF,
    BEST_THRESHOLD,
    RANDOM_AVERAGE_PRECISION,
)
