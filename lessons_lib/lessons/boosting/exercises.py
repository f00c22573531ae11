"""Exercises of the lesson on boosting."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lessons_lib.data import load_diabetes
from lessons_lib.ensembles import GradientBoostingRegressor
from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
BoolArray = NDArray[np.bool_]


# -------------------------------------------------------------------------------- one_round


def one_round(y: FloatArray, total: FloatArray, leaf: IntArray, learning_rate: float) -> FloatArray:
    """Return the sum after one more round: each leaf adds a part of its mean residual."""
    residuals = y - total
    means = np.array([residuals[leaf == number].mean() for number in leaf])
    return np.asarray(total + learning_rate * means)


def _round_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, n_leaves, rate in ((6, 2, 0.1), (9, 3, 0.5), (12, 5, 1.0)):
        leaf = rng.permutation(np.arange(n) % n_leaves)
        cases.append((rng.normal(1, 2, n), rng.normal(-0.5, 1, n), leaf, rate))
    return cases


def _target_again(
    y: FloatArray, total: FloatArray, leaf: IntArray, learning_rate: float
) -> FloatArray:
    return one_round(y + total, total, leaf, learning_rate)


def _no_shrinkage(
    y: FloatArray, total: FloatArray, leaf: IntArray, learning_rate: float
) -> FloatArray:
    return one_round(y, total, leaf, 1.0)


def _only_the_step(
    y: FloatArray, total: FloatArray, leaf: IntArray, learning_rate: float
) -> FloatArray:
    return one_round(y, total, leaf, learning_rate) - total


def _own_residual(
    y: FloatArray, total: FloatArray, leaf: IntArray, learning_rate: float
) -> FloatArray:
    return total + learning_rate * (y - total)


ONE_ROUND = Exercise(
    name="boosting.one_round",
    title="Spot the bug",
    level=1,
    hints=(
        "What is a round fitted to: the target, or what the sum so far gets wrong?",
        "The best constant for a leaf is the mean of the residuals `y - total` of its rows.",
        "Add `learning_rate` times that mean to `total`; rows keep their places.",
    ),
    reference=one_round,
    cases=_round_cases,
    misconceptions=(
        Misconception(
            _target_again,
            "You fit the target again instead of the residual: the sum would grow beyond the "
            "target with every round.",
        ),
        Misconception(
            _no_shrinkage, "Right means, but the whole step: multiply it by the learning rate."
        ),
        Misconception(
            _only_the_step,
            "That is what the round adds. The sum after the round keeps what was there before.",
        ),
        Misconception(
            _own_residual,
            "You give each row its own residual: that is a tree with one row in each leaf. All "
            "rows of a leaf get the leaf's mean.",
        ),
    ),
)


# ---------------------------------------------------------------------------- out_of_fold


def out_of_fold(outputs: FloatArray, fold: IntArray) -> FloatArray:
    """Return, for each row, the output of the model that did not see the row's fold."""
    return np.asarray(outputs[fold, np.arange(len(fold))])


def _fold_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, n_folds in ((6, 3), (5, 5), (10, 2)):
        fold = rng.permutation(np.arange(n) % n_folds)
        cases.append((rng.normal(size=(n_folds, n)), fold))
    return cases


def _mean_of_all(outputs: FloatArray, fold: IntArray) -> FloatArray:
    return np.asarray(outputs.mean(axis=0))


def _models_that_saw_it(outputs: FloatArray, fold: IntArray) -> FloatArray:
    seen = np.arange(len(outputs))[:, None] != fold
    return np.asarray(np.where(seen, outputs, 0).sum(axis=0) / seen.sum(axis=0))


def _fold_after_fold(outputs: FloatArray, fold: IntArray) -> FloatArray:
    return np.concatenate([outputs[k, fold == k] for k in range(len(outputs))])


OUT_OF_FOLD = Exercise(
    name="boosting.out_of_fold",
    title="The columns of a stack",
    level=1,
    hints=(
        "Model k was trained without the rows of fold k: for which rows is it an honest judge?",
        "Row i needs the output `outputs[fold[i], i]`.",
    ),
    reference=out_of_fold,
    cases=_fold_cases,
    misconceptions=(
        Misconception(
            _mean_of_all,
            "The mean over all models contains those that were trained on the row.",
        ),
        Misconception(
            _models_that_saw_it,
            "The other way round: you average the models that *saw* the row.",
        ),
        Misconception(
            _fold_after_fold,
            "Right outputs in the wrong places: they must stay in the order of the rows.",
        ),
    ),
)


# --------------------------------------------------------------------------- rounds_needed


def rounds_needed(learning_rate: float, remaining: float) -> int:
    """Return the smallest t with (1 - learning_rate)^t <= remaining."""
    return math.ceil(math.log(remaining) / math.log(1 - learning_rate))


def _rounds_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.1, 0.5), (0.01, 0.5), (0.5, 0.25), (0.3, 0.01), (0.75, 0.9), (0.03, 0.2)]


def _by_time(learning_rate: float, remaining: float) -> int:
    return math.ceil(-math.log(remaining) / learning_rate)


def _linear(learning_rate: float, remaining: float) -> int:
    return math.ceil((1 - remaining) / learning_rate)


def _rounded_down(learning_rate: float, remaining: float) -> int:
    return math.floor(math.log(remaining) / math.log(1 - learning_rate))


def _one_more(learning_rate: float, remaining: float) -> int:
    return math.floor(math.log(remaining) / math.log(1 - learning_rate)) + 1


ROUNDS_NEEDED = Exercise(
    name="boosting.rounds_needed",
    title="How many rounds?",
    level=1,
    hints=(
        "If a tree fits the residual exactly, what is left after adding ν times the tree?",
        "After t rounds it is (1 − ν) to the t, times the first one.",
        "Take logarithms; both are negative. Round up to a whole number.",
    ),
    reference=rounds_needed,
    cases=_rounds_cases,
    misconceptions=(
        Misconception(
            _by_time,
            "That is the limit for small steps, where (1 − ν)^t is exp(−νt); with ν of a tenth and "
            "more it asks for too many rounds.",
        ),
        Misconception(
            _linear,
            "You take the same part of the *first* residual in each round; each round takes a part "
            "of what is left.",
        ),
        Misconception(_rounded_down, "Rounded down, too much of the residual remains: round up."),
        Misconception(
            _one_more, "One too many where the power meets the bound exactly: round up instead."
        ),
    ),
)


# ------------------------------------------------------------------------- huber_residuals


def huber_residuals(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    """Return the negative gradient of Huber's loss."""
    return np.asarray(np.clip(y - total, -delta, delta))


def _huber_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (rng.normal(0, 2, 9), rng.normal(0.5, 1, 9), delta) for delta in (0.5, 1.5, 3.0)
    ]
    cases.append((np.array([3.0, -3.0, 1.0, 0.5]), np.array([1.0, 1.0, 1.0, -9.0]), 2.0))
    return cases


def _squared_residuals(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    return y - total


def _positive_gradient(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    return -huber_residuals(y, total, delta)


def _signs_only(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    return delta * np.sign(y - total)


def _forgets_outliers(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    residuals = y - total
    return np.where(np.abs(residuals) <= delta, residuals, 0.0)


def _loss_itself(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    size = np.abs(y - total)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))


def _unit_outside(y: FloatArray, total: FloatArray, delta: float) -> FloatArray:
    residuals = y - total
    return np.where(np.abs(residuals) <= delta, residuals, np.sign(residuals))


HUBER_RESIDUALS = Exercise(
    name="boosting.huber_residuals",
    title="Residuals of a robust loss",
    level=2,
    hints=(
        "Differentiate each of the two pieces with respect to F, and change the sign.",
        "In the middle that is y − F. Outside it is δ times the sign of y − F.",
        "Both together clip the residual to the range from −δ to δ.",
    ),
    reference=huber_residuals,
    cases=_huber_cases,
    misconceptions=(
        Misconception(
            _squared_residuals,
            "Those are the residuals of squared loss; beyond δ the loss is a straight line, whose "
            "slope no longer grows.",
        ),
        Misconception(
            _positive_gradient, "That is the gradient; boosting follows the *negative* gradient."
        ),
        Misconception(_signs_only, "That is the slope of the outer pieces; within δ it is y − F."),
        Misconception(
            _forgets_outliers,
            "You drop what lies beyond δ. Huber's loss limits the pull of an outlier, it does not "
            "remove it.",
        ),
        Misconception(_loss_itself, "That is the loss; the round is fitted to its slope."),
        Misconception(
            _unit_outside, "Outside the slope is δ, not 1: the loss there is δ(|y − F| − δ/2)."
        ),
    ),
)


# ------------------------------------------------------------------------------ leaf_value


def leaf_value(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    """Return the value of a leaf that holds these rows, by one step of Newton's method."""
    p = 1 / (1 + np.exp(-total))
    return float(np.sum(y - p) / (np.sum(p * (1 - p)) + reg_lambda))


def _leaf_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (rng.integers(0, 2, n), rng.normal(shift, 1.2, n), reg_lambda)
        for n, shift, reg_lambda in ((5, 0.5, 0.0), (8, -1.0, 1.0), (12, 0.0, 10.0))
    ]
    cases.append((np.array([1, 1, 1]), np.array([-2.0, 0.0, 1.5]), 0.5))
    cases.append((np.array([0, 0, 0, 0]), np.array([-2.0, 0.3, 1.5, 1.0]), 2.0))
    return cases


def _mean_slope(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    p = 1 / (1 + np.exp(-total))
    return float(np.sum(y - p) / (len(y) + reg_lambda))


def _no_penalty(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    return leaf_value(y, total, 0.0)


def _sum_as_probability(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    curvature = np.abs(np.sum(total * (1 - total))) + reg_lambda
    return float(np.sum(y - total) / curvature)


def _penalty_per_row(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    return leaf_value(y, total, len(y) * reg_lambda)


def _downhill_twice(y: IntArray, total: FloatArray, reg_lambda: float) -> float:
    return -leaf_value(y, total, reg_lambda)


LEAF_VALUE = Exercise(
    name="boosting.leaf_value",
    title="The value of a leaf",
    level=2,
    hints=(
        "The sum so far is a log-odds: p = 1 / (1 + exp(−F)).",
        "The slopes are y − p and the curvatures p(1 − p); the penalty adds λ to the curvature, "
        "once for the leaf.",
    ),
    reference=leaf_value,
    cases=_leaf_cases,
    misconceptions=(
        Misconception(
            _mean_slope,
            "You divide by the number of rows, which is the curvature of squared loss. Here each "
            "row has the curvature p(1 − p), at most a quarter.",
        ),
        Misconception(_no_penalty, "Right without a penalty; λ is added to the curvature."),
        Misconception(
            _sum_as_probability,
            "You use the sum as a probability; it is a log-odds and goes through the sigmoid "
            "first.",
        ),
        Misconception(
            _penalty_per_row, "The penalty is one for the leaf, not one for each of its rows."
        ),
        Misconception(
            _downhill_twice, "The sign is wrong: a leaf with more ones than expected goes up."
        ),
    ),
)


# ------------------------------------------------------------------------------ split_gain


def split_gain(
    gradient: FloatArray,
    curvature: FloatArray,
    left: BoolArray,
    reg_lambda: float,
    gamma: float,
) -> float:
    """Return by how much a split lowers the penalized loss, to second order."""

    def worth(rows: BoolArray) -> float:
        slope, bend = gradient[rows].sum(), curvature[rows].sum()
        return float(slope**2 / (bend + reg_lambda))

    return (worth(left) + worth(~left) - worth(left | ~left)) / 2 - gamma


def _gain_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, reg_lambda, gamma in ((6, 0.0, 0.0), (10, 1.0, 0.3), (15, 5.0, 2.0)):
        left = rng.permutation(np.arange(n) < n // 3)
        gradient = rng.normal(0, 1, n) + np.where(left, 1.5, -1)
        cases.append((gradient, rng.uniform(0.05, 0.25, n), left, reg_lambda, gamma))
    return cases


def _without_half(
    gradient: FloatArray, curvature: FloatArray, left: BoolArray, reg_lambda: float, gamma: float
) -> float:
    return 2 * split_gain(gradient, curvature, left, reg_lambda, 0.0) - gamma


def _without_parent(
    gradient: FloatArray, curvature: FloatArray, left: BoolArray, reg_lambda: float, gamma: float
) -> float:
    parent = gradient.sum() ** 2 / (curvature.sum() + reg_lambda)
    return split_gain(gradient, curvature, left, reg_lambda, gamma) + float(parent) / 2


def _leaf_price_forgotten(
    gradient: FloatArray, curvature: FloatArray, left: BoolArray, reg_lambda: float, gamma: float
) -> float:
    return split_gain(gradient, curvature, left, reg_lambda, 0.0)


def _unpenalized(
    gradient: FloatArray, curvature: FloatArray, left: BoolArray, reg_lambda: float, gamma: float
) -> float:
    return split_gain(gradient, curvature, left, 0.0, gamma)


def _counts_as_curvature(
    gradient: FloatArray, curvature: FloatArray, left: BoolArray, reg_lambda: float, gamma: float
) -> float:
    return split_gain(gradient, np.ones(len(curvature)), left, reg_lambda, gamma)


SPLIT_GAIN = Exercise(
    name="boosting.split_gain",
    title="What a split is worth",
    level=2,
    hints=(
        "Put the best value of a leaf back into its loss: what is left is −½ G² / (H + λ).",
        "A split replaces one leaf by two: the worth of both sides, less that of the whole.",
        "One leaf more costs γ.",
    ),
    reference=split_gain,
    cases=_gain_cases,
    misconceptions=(
        Misconception(
            _without_half,
            "A factor two: the loss saved by a leaf is *half* of G² / (H + λ), and γ is in units "
            "of the loss.",
        ),
        Misconception(
            _without_parent, "Subtract what the undivided leaf was worth: that was there before."
        ),
        Misconception(_leaf_price_forgotten, "The split makes one leaf more, which costs γ."),
        Misconception(
            _unpenalized, "λ belongs into all three denominators: it makes small leaves worth less."
        ),
        Misconception(
            _counts_as_curvature,
            "You count rows; that is right for squared loss, whose curvature is 1. Use the sum of "
            "the curvatures.",
        ),
    ),
)


# ----------------------------------------------------------------------------- rounds_made


def rounds_made(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    """Return the number of rounds until none of so many rounds was an improvement."""
    best, since = losses[0], 0
    for made, loss in enumerate(losses[1:], start=2):
        if loss < best - tol:
            best, since = loss, 0
        else:
            since += 1
        if since == n_iter_no_change:
            return made
    return len(losses)


def _made_cases(rng: np.random.Generator) -> list[Case]:
    slow = np.array([5.0, 4.0, 3.5, 3.25, 3.125, 3.0, 2.875, 2.75, 2.625, 2.5])
    rough = np.array([8.0, 6.0, 7.0, 5.0, 5.5, 5.25, 4.0, 4.5, 4.25, 4.125, 3.0])
    return [
        (rough, 1, 0.0),
        (rough, 2, 0.0),
        (rough, 3, 0.0),
        (rough, 4, 0.0),
        (slow, 2, 0.25),
        (slow, 2, 0.0),
        (slow, 3, 0.125),
        (slow, 2, 0.5),
        (np.array([2.0, 2.0, 2.0, 2.0, 1.0]), 3, 0.0),
        (np.array([1.0, 2.0, 3.0]), 2, 0.0),
        (np.array([-1.0, -3.0, -2.0, -2.5, -3.5]), 2, 0.0),
    ]


def _against_the_last(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    since = 0
    for made in range(1, len(losses)):
        since = 0 if losses[made] < losses[made - 1] - tol else since + 1
        if since == n_iter_no_change:
            return made + 1
    return len(losses)


def _never_reset(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    best, since = losses[0], 0
    for made, loss in enumerate(losses[1:], start=2):
        if loss < best - tol:
            best = loss
        else:
            since += 1
        if since == n_iter_no_change:
            return made
    return len(losses)


def _best_round(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    return int(np.argmin(losses[: rounds_made(losses, n_iter_no_change, tol)])) + 1


def _tolerance_ignored(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    return rounds_made(losses, n_iter_no_change, 0.0)


def _index_of_the_last(losses: FloatArray, n_iter_no_change: int, tol: float) -> int:
    return rounds_made(losses, n_iter_no_change, tol) - 1


ROUNDS_MADE = Exercise(
    name="boosting.rounds_made",
    title="Spot the bug: patience",
    level=2,
    hints=(
        "Follow the losses 8, 6, 7, 5 with a patience of 2: what is 7 compared with, and what 5?",
        "Compare with the *best* loss so far, and set the counter back when there is a new best.",
        "An improvement must be more than `tol`; rounds are counted from 1.",
    ),
    reference=rounds_made,
    cases=_made_cases,
    misconceptions=(
        Misconception(
            _against_the_last,
            "You compare with the round before: a loss that jumps up and comes halfway back would "
            "count as progress. Compare with the best so far.",
        ),
        Misconception(
            _never_reset,
            "The rounds without improvement must follow each other: reset the counter.",
        ),
        Misconception(
            _best_round, "That is the best round; the question is how many rounds were *made*."
        ),
        Misconception(
            _tolerance_ignored, "An improvement counts only if it is larger than the tolerance."
        ),
        Misconception(
            _index_of_the_last, "That is the place of the last round, counted from 0: one too few."
        ),
    ),
)


# --------------------------------------------------------------------------- adaboost_round


def adaboost_round(weights: FloatArray, y: IntArray, votes: IntArray) -> tuple[float, FloatArray]:
    """Return the weight of a vote and the weights of the rows for the next round."""
    wrong = votes != y
    error = weights[wrong].sum() / weights.sum()
    say = np.log((1 - error) / error)
    raised = weights * np.exp(say * wrong)
    return float(say), np.asarray(raised / raised.sum())


def _adaboost_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, n_wrong in ((6, 2), (9, 3), (12, 1)):
        y = rng.choice([-1, 1], n)
        votes = y * np.where(rng.permutation(n) < n_wrong, -1, 1)
        weights = rng.uniform(0.5, 1.5, n)
        cases.append((weights / weights.sum(), y, votes))
    # Worse than a coin: the vote counts against itself.
    cases.append(
        (np.array([0.1, 0.3, 0.4, 0.2]), np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1]))
    )
    # Weights that do not sum to 1.
    cases.append((np.array([1.0, 3.0, 2.0]), np.array([1, -1, 1]), np.array([-1, -1, 1])))
    return cases


def _half_the_say(weights: FloatArray, y: IntArray, votes: IntArray) -> tuple[float, FloatArray]:
    say, raised = adaboost_round(weights, y, votes)
    return say / 2, raised


def _unweighted(weights: FloatArray, y: IntArray, votes: IntArray) -> tuple[float, FloatArray]:
    error = np.mean(votes != y)
    say = np.log((1 - error) / error)
    raised = weights * np.exp(say * (votes != y))
    return float(say), np.asarray(raised / raised.sum())


def _raises_the_right(
    weights: FloatArray, y: IntArray, votes: IntArray
) -> tuple[float, FloatArray]:
    say, _ = adaboost_round(weights, y, votes)
    raised = weights * np.exp(say * (votes == y))
    return say, np.asarray(raised / raised.sum())


def _not_normalized(weights: FloatArray, y: IntArray, votes: IntArray) -> tuple[float, FloatArray]:
    say, _ = adaboost_round(weights, y, votes)
    return say, weights * np.exp(say * (votes != y))


def _twice_the_step(weights: FloatArray, y: IntArray, votes: IntArray) -> tuple[float, FloatArray]:
    say, _ = adaboost_round(weights, y, votes)
    raised = weights * np.exp(-say * y * votes)
    return say, np.asarray(raised / raised.sum())


ADABOOST_ROUND = Exercise(
    name="boosting.adaboost_round",
    title="A round of AdaBoost",
    level=2,
    hints=(
        "The error is the share of the *weight* that lies on rows with a wrong vote.",
        "The vote weighs log((1 − error)/error), which is 0 for a coin.",
        "Multiply the weights of the wrong rows by exp(say), then divide by the sum.",
    ),
    reference=adaboost_round,
    cases=_adaboost_cases,
    misconceptions=(
        Misconception(
            _half_the_say,
            "Half of it belongs to the other way of writing AdaBoost, where weights are multiplied "
            "by exp(−α y h). Here the vote weighs log((1 − error)/error).",
        ),
        Misconception(
            _unweighted, "The error counts each row with its weight, not every row alike."
        ),
        Misconception(
            _raises_the_right, "The wrong way round: the next round must look at the *mistakes*."
        ),
        Misconception(_not_normalized, "Right up to a factor: the new weights sum to 1."),
        Misconception(
            _twice_the_step,
            "exp(−α y h) moves right rows down *and* wrong rows up. With the full logarithm as α "
            "that is the step twice.",
        ),
    ),
    equivalent_mutants={"y, votes → votes, y": "Only whether they differ is used."},
)


# ------------------------------------------------------------------------------- stagewise


def stagewise(X: FloatArray, y: FloatArray, step: float, n_steps: int) -> FloatArray:
    """Return the coefficients after so many small steps of forward stagewise regression."""
    coef = np.zeros(X.shape[1])
    for _ in range(n_steps):
        products = X.T @ (y - X @ coef)
        best = np.abs(products).argmax()
        coef[best] += step * np.sign(products[best])
    return coef


def _stagewise_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, p, step, n_steps in ((12, 3, 0.1, 25), (20, 5, 0.05, 40), (15, 2, 0.5, 1)):
        X = rng.normal(size=(n, p))
        X = X - X.mean(axis=0)
        y = X @ rng.permutation(np.linspace(-2, 1.5, p)) + rng.normal(0, 0.3, n)
        cases.append((X, y, step, n_steps))
    X, _, step, _ = cases[0]
    cases.append((X, X @ np.array([0.2, -2.0, 0.1]), step, 7))
    return cases


def _follows_the_largest(X: FloatArray, y: FloatArray, step: float, n_steps: int) -> FloatArray:
    coef = np.zeros(X.shape[1])
    for _ in range(n_steps):
        coef[(X.T @ (y - X @ coef)).argmax()] += step
    return coef


def _gradient_descent(X: FloatArray, y: FloatArray, step: float, n_steps: int) -> FloatArray:
    coef = np.zeros(X.shape[1])
    for _ in range(n_steps):
        coef = coef + step * X.T @ (y - X @ coef)
    return coef


def _old_residuals(X: FloatArray, y: FloatArray, step: float, n_steps: int) -> FloatArray:
    coef = np.zeros(X.shape[1])
    products = X.T @ y
    best = np.abs(products).argmax()
    coef[best] = n_steps * step * np.sign(products[best])
    return coef


def _all_signs(X: FloatArray, y: FloatArray, step: float, n_steps: int) -> FloatArray:
    coef = np.zeros(X.shape[1])
    for _ in range(n_steps):
        coef = coef + step * np.sign(X.T @ (y - X @ coef))
    return coef


STAGEWISE = Exercise(
    name="boosting.stagewise",
    title="Forward stagewise",
    level=3,
    hints=(
        "Boosting with features in place of trees: which one is most correlated with the residual?",
        "`X.T @ (y - X @ coef)` are the products; take the largest in absolute value.",
        "Move that one coefficient by `step` in the direction of the sign of its product; then "
        "compute the residual anew.",
    ),
    reference=stagewise,
    cases=_stagewise_cases,
    misconceptions=(
        Misconception(
            _follows_the_largest,
            "You never take a negative product: compare absolute values, and step in its "
            "direction.",
        ),
        Misconception(
            _gradient_descent,
            "You move all coefficients, by their products: that is gradient descent, whose path is "
            "close to ridge. One coefficient moves, by a constant.",
        ),
        Misconception(
            _old_residuals, "The residual changes after each step: compute the products anew."
        ),
        Misconception(
            _all_signs, "You move all coefficients; only the one with the largest product moves."
        ),
    ),
    equivalent_mutants={
        "np.abs(products).argmax() → _last_argmax(np.abs(products))": (
            "Which of two equal products counts is left open."
        ),
        "step * np.sign(products[best]) → step / np.sign(products[best])": (
            "A sign is its own inverse."
        ),
        "range(n_steps) → range(1, n_steps + 1)": "Only the number of passes matters.",
    },
)


# -------------------------------------------------------------------------- cost_of_waiting


def cost_of_waiting() -> float:
    """Return what too many rounds cost: ``measured_cost_of_waiting()``."""
    return 1.113


def measured_cost_of_waiting() -> float:
    """Return the test error of stumps after 400 rounds over that of the best round."""
    data = load_diabetes(scaled=False)
    curves = []
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(data.y))
        train, test = order[:221], order[221:]
        model = GradientBoostingRegressor(
            n_estimators=400, learning_rate=0.3, max_depth=1, max_bins=64
        ).fit(data.X[train], data.y[train])
        staged = np.array(list(model.staged_predict(data.X[test])))
        curves.append(np.mean((staged - data.y[test]) ** 2, axis=1))
    mean = np.mean(curves, axis=0)
    return float(mean[-1] / mean.min())


COST_OF_WAITING = Exercise(
    name="boosting.cost_of_waiting",
    title="What waiting costs",
    level=3,
    hints=(
        "`boosting_curve((0.3, 1, 400), seed)` returns training and test error after each of 400 "
        "rounds of stumps at the rate 0.3, for one split.",
        "Stack the test curves of ten seeds, and take the mean over the seeds *first*.",
        "Divide the last entry of the mean curve by its smallest.",
    ),
    reference=cost_of_waiting,
    shows=(measured_cost_of_waiting,),
    rtol=0.0,
    atol=0.004,  # also with two digits
    misconceptions=(
        Misconception(
            lambda: 1.0,
            "Stumps are weak, and yet their sum overfits: the mean curve has a lowest point and "
            "rises after it.",
        ),
        Misconception(
            lambda: 1 / cost_of_waiting(),
            "That is the best round over the last; the question is the other way round.",
        ),
        Misconception(
            lambda: 1.1225,
            "You divide each curve by its own lowest point: a round chosen for each split by its "
            "test rows. Take the mean of the curves first.",
        ),
        Misconception(
            lambda: cost_of_waiting() - 1,
            "That is the part by which the error is larger; give the ratio of the two errors.",
        ),
        Misconception(
            lambda: cost_of_waiting() ** 0.5,
            "You compare roots of mean squares; the error here is the mean square itself.",
        ),
    ),
)


EXERCISES = (
    ONE_ROUND,
    OUT_OF_FOLD,
    ROUNDS_NEEDED,
    HUBER_RESIDUALS,
    LEAF_VALUE,
    SPLIT_GAIN,
    ROUNDS_MADE,
    ADABOOST_ROUND,
    STAGEWISE,
    COST_OF_WAITING,
)
