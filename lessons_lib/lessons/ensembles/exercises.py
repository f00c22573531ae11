"""Exercises of the lesson on ensembles."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from lessons_lib.data import load_diabetes
from lessons_lib.ensembles import BaggingRegressor, DecisionTreeRegressor
from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
BoolArray = NDArray[np.bool_]


# ------------------------------------------------------------------------------------- vote


def vote(labels: IntArray) -> IntArray:
    """Return the most frequent label of each column, the smallest of several."""
    classes = np.unique(labels)
    counts = (labels == classes[:, None, None]).sum(axis=1)
    return np.asarray(classes[counts.argmax(axis=0)])


def _vote_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([[3, 3, 1, 7], [5, 5, 1, 7], [3, 5, 9, 2], [5, 5, 9, 2]]),),
        (rng.integers(0, 10, (7, 6)),),
        (rng.integers(2, 5, (5, 8)),),
        (rng.choice([0, 4, 11], (4, 9)),),
    ]


def _mean_of_labels(labels: IntArray) -> IntArray:
    return np.asarray(np.round(labels.mean(axis=0)), dtype=int)


def _median_of_labels(labels: IntArray) -> IntArray:
    return np.asarray(np.median(labels, axis=0), dtype=int)


def _position_of_class(labels: IntArray) -> IntArray:
    classes = np.unique(labels)
    counts = (labels == classes[:, None, None]).sum(axis=1)
    return np.asarray(counts.argmax(axis=0))


def _largest_of_several(labels: IntArray) -> IntArray:
    classes = np.unique(labels)[::-1]
    counts = (labels == classes[:, None, None]).sum(axis=1)
    return np.asarray(classes[counts.argmax(axis=0)])


def _over_rows(labels: IntArray) -> IntArray:
    return vote(labels.T)


def _number_of_votes(labels: IntArray) -> IntArray:
    return np.asarray((labels == vote(labels)).sum(axis=0))


def _one_for_all(labels: IntArray) -> int:
    return int(np.bincount(labels.ravel()).argmax())


def _first_of_several(labels: IntArray) -> IntArray:
    return np.array([Counter(column.tolist()).most_common(1)[0][0] for column in labels.T])


def _position_in_column(labels: IntArray) -> IntArray:
    counts = [np.unique(column, return_counts=True)[1] for column in labels.T]
    return np.array([count.argmax() for count in counts])


VOTE = Exercise(
    name="ensembles.vote",
    title="Spot the bug",
    level=1,
    hints=(
        "Labels are names, not quantities: a 4 does not lie between a 3 and a 5.",
        "Count, for each class, how many members chose it: `(labels == c).sum(axis=0)`.",
        "`argmax` of the counts gives a position; look up the class at that position.",
    ),
    reference=vote,
    cases=_vote_cases,
    misconceptions=(
        Misconception(
            _mean_of_labels,
            "You average class numbers: the mean of a 3 and a 5 is a 4, which nobody said. Count "
            "votes instead.",
        ),
        Misconception(
            _median_of_labels,
            "The median treats class numbers as quantities just as the mean does: it may be a "
            "class that few members chose. Count votes.",
        ),
        Misconception(
            _position_of_class,
            "You return the position among the classes that occur, not the class itself.",
        ),
        Misconception(
            _largest_of_several,
            "Right where there is one winner; of several equally frequent labels the smallest "
            "should win.",
        ),
        Misconception(
            _first_of_several,
            "Right where there is one winner; of several equally frequent labels the smallest "
            "should win, not the one that comes first.",
        ),
        Misconception(
            _over_rows,
            "You let each row vote. A row is one member; the votes on one object are a column.",
        ),
        Misconception(
            _number_of_votes,
            "You return how many votes the winner has got, not the label that has got them.",
        ),
        Misconception(
            _one_for_all, "You count all votes together; each column has a winner of its own."
        ),
        Misconception(
            _position_in_column,
            "You return the position among the classes that occur in a column, not the class.",
        ),
    ),
    equivalent_mutants={
        (
            "(labels == classes[:, None, None]).sum(axis=1)"
            " → np.mean(labels == classes[:, None, None], axis=1)"
        ): "All counts are divided by the same number.",
    },
)


# --------------------------------------------------------------------------- distinct_share


def distinct_share(n_samples: int, n_draws: int) -> float:
    """Return the expected share of rows that are drawn at least once."""
    return float(1 - (1 - 1 / n_samples) ** n_draws)


def _distinct_cases(rng: np.random.Generator) -> list[Case]:
    return [(10, 10), (100, 50), (4, 12), (1000, 1000), (7, 3), (5, 1)]


def _share_missed(n_samples: int, n_draws: int) -> float:
    return float((1 - 1 / n_samples) ** n_draws)


def _always_the_limit(n_samples: int, n_draws: int) -> float:
    return 1 - math.exp(-1)


def _exponential(n_samples: int, n_draws: int) -> float:
    return 1 - math.exp(-n_draws / n_samples)


def _no_replacement(n_samples: int, n_draws: int) -> float:
    return min(1.0, n_draws / n_samples)


DISTINCT_SHARE = Exercise(
    name="ensembles.distinct_share",
    title="Rows in a bootstrap sample",
    level=1,
    hints=(
        "What is the probability that one draw misses a given row? And that all draws do?",
        "The expected share of drawn rows is the probability that a given row is drawn.",
    ),
    reference=distinct_share,
    cases=_distinct_cases,
    misconceptions=(
        Misconception(
            _share_missed, "That is the share of rows that are left out; you want the others."
        ),
        Misconception(
            _always_the_limit,
            "1 − 1/e is the limit for as many draws as rows, and many of them; the answer depends "
            "on both numbers.",
        ),
        Misconception(
            _exponential,
            "That is the limit for many rows; with few rows it is visibly off. Use the power "
            "itself instead of the exponential.",
        ),
        Misconception(
            _no_replacement,
            "That would be the share without replacement, where no row is drawn twice.",
        ),
    ),
)


# --------------------------------------------------------------------------- best_threshold


def best_threshold(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return the threshold with the largest decrease of the sum of squares, and the decrease."""
    order = np.argsort(x)
    x, y = x[order], y[order]
    n, n_left = len(y), np.arange(1, len(y))
    left = y.cumsum()[:-1]
    gain = left**2 / n_left + (y.sum() - left) ** 2 / (n - n_left) - y.sum() ** 2 / n
    best = int(gain.argmax())
    return float((x[best] + x[best + 1]) / 2), float(gain[best])


def _threshold_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    # The target rises or falls with x, or is high in the middle; values of either sign.
    for n, step in ((6, 2.0), (15, -3.0), (40, 3.0)):
        x = rng.permutation(np.arange(n) + rng.uniform(0, 0.8, n)) - 3
        cases.append((x, 1 + step * (x > n / 4 - 3) + rng.normal(0, 0.5, n)))
    x = rng.permutation(np.arange(9.0)) - 6
    cases.append((x, np.where(np.abs(x + 1) < 2, 4.0, -1.0) + 0.1 * x))
    # One row alone on the left, and one alone on the right.
    cases.append((np.array([0.3, -2.0, 0.5, 0.1]), np.array([0.5, 9.0, 0.0, 0.25])))
    cases.append((np.array([-0.3, 2.0, -0.5, -0.1]), np.array([1.5, -9.0, 1.0, 1.25])))
    return cases


def _not_sorted(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    n, n_left = len(y), np.arange(1, len(y))
    left = y.cumsum()[:-1]
    gain = left**2 / n_left + (y.sum() - left) ** 2 / (n - n_left) - y.sum() ** 2 / n
    best = int(gain.argmax())
    return float((x[best] + x[best + 1]) / 2), float(gain[best])


def _value_as_threshold(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    threshold, gain = best_threshold(x, y)
    return float(x[x <= threshold].max()), gain


def _score_without_parent(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    threshold, gain = best_threshold(x, y)
    return threshold, float(gain + y.sum() ** 2 / len(y))


def _mean_of_variances(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    values = np.sort(x)
    thresholds = (values[1:] + values[:-1]) / 2
    gains = [y.var() - (y[x <= t].var() + y[x > t].var()) / 2 for t in thresholds]
    best = int(np.argmax(gains))
    return float(thresholds[best]), float(gains[best])


def _gain_per_row(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    threshold, gain = best_threshold(x, y)
    return threshold, gain / len(y)


def _sorted_apart(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    return best_threshold(np.sort(x), np.sort(y))


def _end_of_the_left_group(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    threshold, gain = best_threshold(x, y)
    values = np.sort(x)
    left = int(np.sum(values <= threshold))
    return float((values[left - 2] + values[left - 1]) / 2), gain


BEST_THRESHOLD = Exercise(
    name="ensembles.best_threshold",
    title="Find the best split",
    level=2,
    hints=(
        "Sort both arrays by `x`; then the left group of any threshold is a beginning.",
        "`y.cumsum()` gives the sum of every beginning; the sum of the rest is the total minus it.",
        "The last row cannot be the end of the left group: the right group would be empty.",
    ),
    reference=best_threshold,
    cases=_threshold_cases,
    misconceptions=(
        Misconception(
            _not_sorted,
            "You take the rows in the order in which they come; sort them by `x` first.",
        ),
        Misconception(
            _value_as_threshold,
            "Your split is right; the threshold should lie halfway between the two values, since "
            "a new row may fall between them.",
        ),
        Misconception(
            _score_without_parent,
            "Your threshold is right; the gain lacks the term of the undivided group, which is "
            "subtracted.",
        ),
        Misconception(
            _mean_of_variances,
            "You give both groups the same say; each counts with its number of rows, else a "
            "single row with variance 0 looks like a success.",
        ),
        Misconception(
            _gain_per_row,
            "That is the decrease of the *mean* square; the gain of the text is that of the sum.",
        ),
        Misconception(
            _sorted_apart,
            "You sort `x` and `y` each by itself, so that values no longer belong to their row: "
            "take the order of `x` for both.",
        ),
        Misconception(
            _end_of_the_left_group,
            "Your threshold is one place off: it lies halfway between the last value on the left "
            "and the first on the right.",
        ),
    ),
    equivalent_mutants={
        "np.argsort(x) → np.argsort(-x)": "From right to left the splits are the same.",
        "gain.argmax() → _last_argmax(gain)": "Which of two equal gains counts is left open.",
        "y.sum() - left → left - y.sum()": "Only squares of it are used.",
    },
)


# --------------------------------------------------------------------------- members_needed


def members_needed(V: float, C: float, excess: float) -> int:
    """Return the smallest k with C + (V - C) / k <= (1 + excess) C."""
    return max(1, math.ceil((V - C) / (excess * C)))


def _needed_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (6500.0, 3500.0, 0.03),
        (1.0, 0.25, 0.1),
        (2.0, 1.9, 0.2),
        (5.0, 0.7, 0.013),
        (3.0, 1.0, 0.5),  # exactly 4
        (2.0625, 1.0, 0.25),  # 4.25
        (2.0, 2.0, 0.125),  # members that all err alike
    ]


def _no_floor(V: float, C: float, excess: float) -> int:
    return max(1, math.ceil(V / (excess * C)))


def _rounded_down(V: float, C: float, excess: float) -> int:
    return max(1, math.floor((V - C) / (excess * C)))


def _not_rounded(V: float, C: float, excess: float) -> float:
    return (V - C) / (excess * C)


def _cut_off(V: float, C: float, excess: float) -> int:
    return math.floor((V - C) / (excess * C))


def _absolute_without_bound(V: float, C: float, excess: float) -> int:
    return math.ceil((V - C) / excess)


def _relative_to_member(V: float, C: float, excess: float) -> int:
    return max(1, math.ceil((V - C) / (excess * V)))


def _absolute(V: float, C: float, excess: float) -> int:
    return max(1, math.ceil((V - C) / excess))


def _rounded(V: float, C: float, excess: float) -> int:
    return max(1, round((V - C) / (excess * C)))


def _always_one_more(V: float, C: float, excess: float) -> int:
    return math.floor((V - C) / (excess * C)) + 1


def _perhaps_none(V: float, C: float, excess: float) -> int:
    return math.ceil((V - C) / (excess * C))


MEMBERS_NEEDED = Exercise(
    name="ensembles.members_needed",
    title="How many are enough?",
    level=2,
    hints=(
        "Write the error of the average as C + (V − C)/k.",
        "The condition becomes (V − C)/k ≤ excess · C. Solve for k, and mind that it is a whole "
        "number of at least 1.",
    ),
    reference=members_needed,
    cases=_needed_cases,
    misconceptions=(
        Misconception(
            _no_floor,
            "You compare V/k with the excess; the part that shrinks is (V − C)/k.",
        ),
        Misconception(
            _rounded_down,
            "Rounded down, the average is not yet good enough: round up.",
        ),
        Misconception(
            _relative_to_member,
            "The excess is relative to C, the error of infinitely many, not to V.",
        ),
        Misconception(_absolute, "The excess is a fraction of C, not an error in the units of C."),
        Misconception(
            _rounded,
            "You round to the nearest number: below one half that is rounded down, and the average "
            "is not yet good enough. Round up.",
        ),
        Misconception(
            _always_one_more,
            "You add one to the whole part. Where the division leaves no rest, that is one member "
            "too many: round up instead.",
        ),
        Misconception(_perhaps_none, "At least one member is needed, also if V equals C."),
        Misconception(
            _not_rounded,
            "That is where the error is exactly at the limit. A number of members is whole: round "
            "up, and at least one is needed.",
        ),
        Misconception(
            _cut_off,
            "Rounded down, the average is not yet good enough: round up. And at least one member "
            "is needed.",
        ),
        Misconception(
            _absolute_without_bound,
            "The excess is a fraction of C, not an error in the units of C. And at least one "
            "member is needed.",
        ),
    ),
)


# ---------------------------------------------------------------------------- honest_judges


def honest_judges(drawn: IntArray, groups: IntArray) -> BoolArray:
    """Return, for each tree and row, whether the tree has seen no row of the same group."""
    return np.array([~np.isin(groups, groups[rows]) for rows in drawn])


def _judges_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, n_groups, n_trees, n_draws in ((8, 4, 3, 3), (15, 6, 4, 4), (12, 12, 5, 12)):
        groups = rng.permutation(np.arange(n) % n_groups)
        cases.append((rng.integers(n, size=(n_trees, n_draws)), groups))
    return cases


def _rows_only(drawn: IntArray, groups: IntArray) -> BoolArray:
    rows = np.arange(len(groups))
    return np.array([~np.isin(rows, seen) for seen in drawn])


def _seen(drawn: IntArray, groups: IntArray) -> BoolArray:
    return ~honest_judges(drawn, groups)


def _rows_as_groups(drawn: IntArray, groups: IntArray) -> BoolArray:
    return np.array([~np.isin(groups, seen) for seen in drawn])


def _any_tree(drawn: IntArray, groups: IntArray) -> BoolArray:
    unseen = ~np.isin(groups, groups[drawn.ravel()])
    return np.tile(unseen, (len(drawn), 1))


HONEST_JUDGES = Exercise(
    name="ensembles.honest_judges",
    title="Out of bag among relatives",
    level=2,
    hints=(
        "`groups[drawn[i]]` are the patients that tree i has seen.",
        "`np.isin(groups, seen_patients)` says for each row whether its patient is among them.",
    ),
    reference=honest_judges,
    cases=_judges_cases,
    misconceptions=(
        Misconception(
            _rows_only,
            "You exclude the rows that the tree has seen, and not their relatives: other rows of "
            "the same patient make the judge partial.",
        ),
        Misconception(_seen, "The other way round: true means that the tree has not seen them."),
        Misconception(
            _rows_as_groups,
            "You compare patients with row numbers: look up the patients of the drawn rows first.",
        ),
        Misconception(
            _any_tree,
            "Each tree has its own draw: a patient that one tree has seen may still be judged by "
            "the others.",
        ),
    ),
)


# -------------------------------------------------------------------------------- ambiguity


def ambiguity(outputs: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Return the weighted mean error of the members and their weighted ambiguity."""
    average = weights @ outputs
    return (
        float(np.mean(weights @ (outputs - y) ** 2)),
        float(np.mean(weights @ (outputs - average) ** 2)),
    )


def _ambiguity_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for k, n in ((2, 5), (4, 9), (6, 20)):
        weights = rng.uniform(0.2, 1, k)
        y = rng.normal(size=n)
        cases.append((y + rng.normal(0.3, 1, (k, n)), y, weights / weights.sum()))
    # A weight may be negative, and so may the ambiguity.
    outputs = np.array([[1.0, 2.0, -1.0], [4.0, -3.0, 2.0], [0.5, 1.0, 1.0]])
    cases.append((outputs, np.array([0.0, 1.0, 0.5]), np.array([0.75, -0.25, 0.5])))
    cases.append((outputs, np.array([2.0, -5.0, 3.0]), np.array([1.5, -2.0, 1.5])))
    return cases


def _equal_weights(outputs: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    average = outputs.mean(axis=0)
    return float(np.mean((outputs - y) ** 2)), float(np.mean((outputs - average) ** 2))


def _around_plain_mean(
    outputs: FloatArray, y: FloatArray, weights: FloatArray
) -> tuple[float, float]:
    mean, _ = ambiguity(outputs, y, weights)
    return mean, float(np.mean(weights @ (outputs - outputs.mean(axis=0)) ** 2))


def _unweighted_ambiguity(
    outputs: FloatArray, y: FloatArray, weights: FloatArray
) -> tuple[float, float]:
    mean, _ = ambiguity(outputs, y, weights)
    return mean, float(np.mean((outputs - weights @ outputs) ** 2))


def _ensemble_error(outputs: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    _, spread = ambiguity(outputs, y, weights)
    return float(np.mean((weights @ outputs - y) ** 2)), spread


AMBIGUITY = Exercise(
    name="ensembles.ambiguity",
    title="The ambiguity of a weighted average",
    level=2,
    hints=(
        "Write each member's error as its distance from the average plus that of the average from "
        "the target, and square.",
        "The cross terms vanish if the distances from the average are weighted as the average is.",
        "Both numbers are weighted means over the members: `weights @ squares`, then the mean over "
        "the rows.",
    ),
    reference=ambiguity,
    cases=_ambiguity_cases,
    misconceptions=(
        Misconception(
            _equal_weights, "You ignore the weights: that is the case in which all are equal."
        ),
        Misconception(
            _around_plain_mean,
            "You measure the distances from the plain mean of the members; it must be the weighted "
            "one, or the cross terms do not vanish.",
        ),
        Misconception(
            _unweighted_ambiguity,
            "The ambiguity is a weighted mean too: a member with a small weight adds little to it.",
        ),
        Misconception(
            _ensemble_error,
            "Your first number is the error of the average itself; the mean of the members' errors "
            "is larger, by the ambiguity.",
        ),
    ),
    equivalent_mutants={
        "(outputs - average) ** 2 → outputs ** 2 - average ** 2": (
            "Weights of sum 1 make them equal."
        ),
    }
    | dict.fromkeys(
        (
            "outputs - y → y - outputs",
            "outputs - average → average - outputs",
        ),
        "Only squares of it are used.",
    ),
)


# ----------------------------------------------------------------------------- best_weights


def best_weights(errors: FloatArray) -> FloatArray:
    """Return the weights with sum 1 that minimize the mean square of the weighted error."""
    moments = errors @ errors.T / errors.shape[1]
    weights = np.linalg.solve(moments, np.ones(len(errors)))
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _weights_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for k, n in ((2, 30), (3, 50), (5, 80)):
        shared = rng.normal(0.4, 0.7, n)
        cases.append((shared + rng.uniform(0.4, 1.5, (k, 1)) * rng.normal(size=(k, n)),))
    # A member that errs as the first does, and more: its best weight is negative.
    first, own = rng.normal(0.2, 1, 40), rng.normal(0, 0.3, 40)
    cases.append((np.array([first, 1.6 * first + own, rng.normal(-0.5, 1, 40)]),))
    return cases


def _inverse_errors(errors: FloatArray) -> FloatArray:
    weights = 1 / np.mean(errors**2, axis=1)
    return np.asarray(weights / weights.sum())


def _centered(errors: FloatArray) -> FloatArray:
    return best_weights(errors - errors.mean(axis=1, keepdims=True))


def _equal(errors: FloatArray) -> FloatArray:
    return np.full(len(errors), 1 / len(errors))


def _best_member(errors: FloatArray) -> FloatArray:
    return np.asarray(np.eye(len(errors))[np.mean(errors**2, axis=1).argmin()])


def _unit_length(errors: FloatArray) -> FloatArray:
    moments = errors @ errors.T / errors.shape[1]
    return np.asarray(np.linalg.solve(moments, np.ones(len(errors))))


def _clipped(errors: FloatArray) -> FloatArray:
    weights = np.maximum(best_weights(errors), 0)
    return np.asarray(weights / weights.sum())


def _absolute_sum(errors: FloatArray) -> FloatArray:
    weights = best_weights(errors)
    return np.asarray(weights / np.abs(weights).sum())


BEST_WEIGHTS = Exercise(
    name="ensembles.best_weights",
    title="The best weights",
    level=3,
    hints=(
        "The mean squared error of the weighted average is a quadratic form in the weights. Which "
        "matrix does it have?",
        "With M the matrix of the mean products of errors, set the gradient of "
        "wᵀMw − 2μ(sum of w − 1) to zero.",
        "M w is proportional to a vector of ones: solve, then divide by the sum.",
    ),
    reference=best_weights,
    cases=_weights_cases,
    misconceptions=(
        Misconception(
            _inverse_errors,
            "Weights inverse to the errors are best only if the errors are uncorrelated; here they "
            "have a common part.",
        ),
        Misconception(
            _centered,
            "You use the covariance matrix: it ignores the bias of the members. The error has the "
            "matrix of mean products, not centered.",
        ),
        Misconception(_equal, "Equal weights are best only if all members are alike."),
        Misconception(
            _best_member, "All weight on the best member: a worse one that errs otherwise can help."
        ),
        Misconception(_unit_length, "Right direction; the weights have to sum to 1."),
        Misconception(
            _clipped,
            "You set negative weights to zero. They are allowed, and the best: a member that errs "
            "as another does, but more, is subtracted.",
        ),
        Misconception(
            _absolute_sum,
            "You divide by the sum of the *absolute* weights; the weights themselves sum to 1.",
        ),
    ),
    equivalent_mutants=dict.fromkeys(
        (
            "errors @ errors.T / errors.shape[1] → errors @ errors.T",
            "errors @ errors.T / errors.shape[1] → errors @ errors.T * errors.shape[1]",
            "errors.shape[1] → errors.shape[1] - 1",
            "errors.shape[1] → errors.shape[1] + 1",
            "errors.shape[1] → len(errors)",
        ),
        "The scale of the matrix is lost when the weights are divided by their sum.",
    ),
)


# ------------------------------------------------------------------------- neighbor_weights


def neighbor_weights(n_samples: int, n_neighbors: int) -> FloatArray:
    """Return the probability that row j is the nearest one in a bootstrap sample."""
    nearer = np.arange(n_neighbors)  # how many rows are nearer
    missed = (1 - nearer / n_samples) ** n_samples
    return np.asarray(missed - (1 - (nearer + 1) / n_samples) ** n_samples, dtype=np.float64)


def _neighbor_cases(rng: np.random.Generator) -> list[Case]:
    return [(5, 5), (20, 4), (200, 6)]


def _geometric_limit(n_samples: int, n_neighbors: int) -> FloatArray:
    return np.asarray(np.exp(-np.arange(n_neighbors)) * (1 - np.exp(-1)))


def _probability_present(n_samples: int, n_neighbors: int) -> FloatArray:
    return np.full(n_neighbors, 1 - (1 - 1 / n_samples) ** n_samples)


def _as_if_independent(n_samples: int, n_neighbors: int) -> FloatArray:
    missed = (1 - 1 / n_samples) ** n_samples
    return np.asarray((1 - missed) * missed ** np.arange(n_neighbors))


def _only_nearest(n_samples: int, n_neighbors: int) -> FloatArray:
    return np.asarray(np.eye(n_neighbors)[0])


def _missed_nearer(n_samples: int, n_neighbors: int) -> FloatArray:
    nearer = np.arange(1, n_neighbors + 1)
    return np.asarray((1 - nearer / n_samples) ** n_samples)


def _missed_before(n_samples: int, n_neighbors: int) -> FloatArray:
    return np.asarray((1 - np.arange(n_neighbors) / n_samples) ** n_samples)


def _among_the_first(n_samples: int, n_neighbors: int) -> FloatArray:
    return np.cumsum(neighbor_weights(n_samples, n_neighbors))


NEIGHBOR_WEIGHTS = Exercise(
    name="ensembles.neighbor_weights",
    title="The bagged nearest neighbor",
    level=3,
    hints=(
        "Row j is the nearest in the sample if it was drawn and none of the nearer rows was.",
        "With what probability do all draws miss the j nearest rows? It is (1 − j/n) to the n.",
        "The nearest row in the sample is number j if the first j − 1 are missed and not the first "
        "j: subtract two such probabilities.",
    ),
    reference=neighbor_weights,
    cases=_neighbor_cases,
    misconceptions=(
        Misconception(
            _geometric_limit,
            "That is the limit for many rows, a good picture: 0.63, 0.23, 0.09, …; with few rows "
            "it is off.",
        ),
        Misconception(
            _probability_present,
            "That is the probability that a row is in the sample; it predicts only if no nearer "
            "row is.",
        ),
        Misconception(
            _as_if_independent,
            "You multiply as if rows were drawn independently of each other; the draws that miss "
            "one row are more likely to hit another. Ask directly for draws that miss all j rows.",
        ),
        Misconception(
            _only_nearest,
            "More than a third of the samples do not contain the nearest row and ask the next.",
        ),
        Misconception(
            _among_the_first,
            "That is the probability that the sample holds *any* of the j nearest rows; subtract "
            "the one for the rows before.",
        ),
        Misconception(
            _missed_nearer,
            "That is the probability that this row and all nearer ones are missed; asked for is "
            "that the nearer ones are missed and this one is not.",
        ),
        Misconception(
            _missed_before,
            "That is the probability that all nearer rows are missed; this row must be drawn, too.",
        ),
    ),
)


# ------------------------------------------------------------------------------- stump_gain


def stump_gain() -> float:
    """Return the part of a stump's error that bagging removes: ``measured_stump_gain()``."""
    return 0.153


def measured_stump_gain() -> float:
    """Return the part of a stump's error that bagging 20 of them removes."""
    data = load_diabetes(scaled=False)
    stump = DecisionTreeRegressor(max_depth=1, max_bins=64)
    parts = []
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(len(data.y))
        train, test = order[:221], order[221:]
        bagged = BaggingRegressor(stump, 20, random_state=seed)
        single, average = (
            np.mean(
                (model.fit(data.X[train], data.y[train]).predict(data.X[test]) - data.y[test]) ** 2
            )
            for model in (stump, bagged)
        )
        parts.append(1 - average / single)
    return float(np.mean(parts))


STUMP_GAIN = Exercise(
    name="ensembles.stump_gain",
    title="Do stumps gain?",
    level=3,
    hints=(
        'Add `"stump": DecisionTreeRegressor(max_depth=1, max_bins=64)` to `models`.',
        "Run `run_grid(bagging_gain, ['stump'], n_seeds=8)`, and take the mean of "
        "`1 - bagged / single`.",
    ),
    reference=stump_gain,
    shows=(measured_stump_gain,),
    rtol=0.0,
    atol=0.0065,  # also the ratio of the mean errors, or two digits
    misconceptions=(
        Misconception(
            lambda: 0.0,
            "A stump has little variance in its *depth*, but its one threshold and even its "
            "feature change from sample to sample: it is not stable.",
        ),
        Misconception(lambda: 0.43, "That is the gain of full trees; stumps have less to gain."),
        Misconception(
            lambda: -0.15, "The sign is wrong: bagging lowers the error, 1 − bagged / single > 0."
        ),
        Misconception(
            lambda: 1.18,
            "That is single / bagged; the part removed is 1 − bagged / single.",
        ),
        Misconception(
            lambda: 1 / (1 - stump_gain()) - 1,
            "That is how much larger the error of a stump is than that of the average; the part "
            "removed is relative to the stump's error.",
        ),
        Misconception(
            lambda: 1 - stump_gain(),
            "That is the part which remains, bagged / single.",
        ),
        Misconception(
            lambda: 1 - (1 - stump_gain()) ** 0.5,
            "You compare roots of mean squares; the error here is the mean square itself.",
        ),
    ),
)


EXERCISES = (
    VOTE,
    DISTINCT_SHARE,
    BEST_THRESHOLD,
    MEMBERS_NEEDED,
    HONEST_JUDGES,
    AMBIGUITY,
    BEST_WEIGHTS,
    NEIGHBOR_WEIGHTS,
    STUMP_GAIN,
)
