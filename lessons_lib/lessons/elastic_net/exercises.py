"""Exercises of the lesson on the Elastic Net."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib.data import load_breast_cancer
from lessons_lib.exercises._accept import agrees
from lessons_lib.exercises._model import Case, Exercise, Misconception
from lessons_lib.linear import ElasticNet
from lessons_lib.penalties import soft_threshold

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


# ------------------------------------------------------------------------------------- to_house


def to_house(alpha_1: float, alpha_2: float) -> tuple[float, float]:
    """Translate the two strengths of an L1 norm and a squared L2 norm to strength and mixture."""
    strength = alpha_1 + 2 * alpha_2
    return strength, alpha_1 / strength


def _to_house_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.3, 0.2), (1.0, 0.0), (0.0, 0.7), (0.05, 1.5)]


def _without_two(alpha_1: float, alpha_2: float) -> tuple[float, float]:
    return alpha_1 + alpha_2, alpha_1 / (alpha_1 + alpha_2)


def _half_instead(alpha_1: float, alpha_2: float) -> tuple[float, float]:
    strength = alpha_1 + alpha_2 / 2
    return strength, alpha_1 / strength


def _l2_share(alpha_1: float, alpha_2: float) -> tuple[float, float]:
    strength = alpha_1 + 2 * alpha_2
    return strength, 2 * alpha_2 / strength


def _doubled_both(alpha_1: float, alpha_2: float) -> tuple[float, float]:
    return 2 * (alpha_1 + alpha_2), alpha_1 / (alpha_1 + alpha_2)


TO_HOUSE = Exercise(
    name="elastic_net.to_house",
    title="From two strengths to strength and mixture",
    level=1,
    hints=(
        "Compare the factors of the L1 norm first, then those of the squared norm.",
        "The house has a ½ in front of the squared norm: its λ(1 − ρ) is twice the other's factor.",
        "Now λρ and λ(1 − ρ) are known; their sum is λ.",
    ),
    reference=to_house,
    cases=_to_house_cases,
    misconceptions=(
        Misconception(
            _without_two,
            "You read the squared norm as if it had no ½ in the house objective.",
        ),
        Misconception(
            _half_instead,
            "The factor goes the other way: α₂‖w‖² is ½ · (2α₂)‖w‖², so λ(1 − ρ) = 2α₂.",
        ),
        Misconception(
            _l2_share,
            "The strength is right, but your second number is the share of L2. ρ is that of L1.",
        ),
        Misconception(
            _doubled_both,
            "Only the squared norm has the ½; the L1 norm keeps its factor.",
        ),
    ),
)


# ------------------------------------------------------------------------------------ alpha_max


def alpha_max(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    """Return the smallest strength at which all coefficients are zero."""
    residual = y - y.mean()  # orthogonal to any constant: X need not be centered as well
    return float(np.max(np.abs(X.T @ residual)) / len(y) / l1_ratio)


def _alpha_max_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    # The strongest pull is negative or positive, and the second, the last or the first feature's.
    for n_samples, n_features, l1_ratio, strongest, slope in (
        (20, 3, 0.5, 1, -2.0),
        (8, 12, 0.1, 11, 3.0),
        (30, 5, 0.9, 0, -1.5),
        (15, 4, 1.0, 2, 2.0),
    ):
        X = rng.normal(1, 1, size=(n_samples, n_features))
        y = 4 + slope * X[:, strongest] + rng.normal(size=n_samples)
        cases.append((X, y, l1_ratio))
    return cases


def _ratio_ignored(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    return alpha_max(X, y, 1.0)


def _ratio_multiplied(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    return alpha_max(X, y, 1.0) * l1_ratio


def _alpha_max_uncentered(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    return float(np.max(np.abs(X.T @ y)) / len(y) / l1_ratio)


def _alpha_max_of_sum(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    return alpha_max(X, y, l1_ratio) * len(y)


def _other_part_multiplied(X: FloatArray, y: FloatArray, l1_ratio: float) -> float:
    return alpha_max(X, y, 1.0) * (1 - l1_ratio)


ALPHA_MAX = Exercise(
    name="elastic_net.alpha_max",
    title="Where the path begins",
    level=1,
    hints=(
        "At zero coefficients the L2 part pulls at nothing. Which part holds them there?",
        "A coefficient stays zero while its feature pulls with at most λρ.",
    ),
    reference=alpha_max,
    cases=_alpha_max_cases,
    misconceptions=(
        Misconception(
            _ratio_ignored,
            "That is the largest strength of the lasso. Here only the share ρ of λ holds the "
            "coefficients at zero.",
        ),
        Misconception(
            _ratio_multiplied,
            "You multiply by ρ: the smaller the share of L1, the *larger* λ must be.",
        ),
        Misconception(
            _alpha_max_uncentered,
            "The model has an intercept, and your data still have their means in them.",
        ),
        Misconception(
            _alpha_max_of_sum,
            "You forgot the 1/n of the house objective.",
        ),
        Misconception(
            _other_part_multiplied,
            "You multiply by 1 − ρ, the share of L2, which pulls at nothing at zero. Divide by ρ, "
            "the share of L1: the smaller it is, the larger λ must be.",
        ),
    ),
    equivalent_mutants={
        "y - y.mean() → y.mean() - y": "The sign is lost in the absolute value.",
        "X.T @ residual → np.abs(X.T @ residual)": "The absolute value is taken anyway.",
    },
)


# ------------------------------------------------------------------------------------ change_unit


def change_unit(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    """Return strength and mixture for targets that are multiplied by a factor."""
    l1, l2 = factor * alpha * l1_ratio, alpha * (1 - l1_ratio)
    return l1 + l2, l1 / (l1 + l2)


def _change_unit_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (0.4, 0.5, 100.0),
        (2.0, 0.9, 0.1),
        (0.3, 0.05, 7.0),
        (0.6, 1.0, 3.0),
        (1.5, 0.0, 0.2),
    ]


def _strength_only(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    return factor * alpha, l1_ratio


def _nothing_changes(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    return alpha, l1_ratio


def _l2_scaled(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    l1, l2 = alpha * l1_ratio, factor * alpha * (1 - l1_ratio)
    return l1 + l2, l1 / (l1 + l2)


def _squared_factor(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    return change_unit(alpha, l1_ratio, factor**2)


def _wrong_way(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    return change_unit(alpha, l1_ratio, 1 / factor)


def _l1_and_l2_scaled(alpha: float, l1_ratio: float, factor: float) -> tuple[float, float]:
    l1, l2 = factor * alpha * l1_ratio, factor**2 * alpha * (1 - l1_ratio)
    return l1 + l2, l1 / (l1 + l2)


CHANGE_UNIT = Exercise(
    name="elastic_net.change_unit",
    title="Another unit",
    level=1,
    hints=(
        "Multiply y and all coefficients by c. By which power of c does each term of the "
        "objective grow?",
        "Loss and squared norm grow by the square, the L1 norm does not: make up for it in its "
        "factor.",
    ),
    reference=change_unit,
    cases=_change_unit_cases,
    misconceptions=(
        Misconception(
            _strength_only,
            "That is right for the lasso, where the mixture is 1. Here you have made the L2 part "
            "stronger as well.",
        ),
        Misconception(
            _nothing_changes,
            "That is right for ridge. The L1 norm does not grow like the loss, so its factor must.",
        ),
        Misconception(
            _l2_scaled,
            "You changed the wrong part: the squared norm grows like the loss, the L1 norm does "
            "not.",
        ),
        Misconception(
            _squared_factor,
            "The loss grows by the square of the factor and the L1 norm by the factor itself: "
            "what is missing is one factor, not two.",
        ),
        Misconception(
            _wrong_way,
            "You divide where you should multiply: larger targets need a larger λρ.",
        ),
        Misconception(
            _l1_and_l2_scaled,
            "Your L1 part is right. The squared norm grows by the square of the factor as the loss "
            "does: its strength stays as it is.",
        ),
    ),
)


# ----------------------------------------------------------------------------- coordinate_update


def coordinate_update(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    """Return the best value of coefficient j while all others stay."""
    others = np.arange(len(coef)) != j
    pull = X[:, j] @ (y - X[:, others] @ coef[others]) / len(y)
    curvature = X[:, j] @ X[:, j] / len(y)
    threshold = alpha * l1_ratio
    return float(soft_threshold(pull, threshold) / (curvature + alpha * (1 - l1_ratio)))


def _coordinate_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    # What is left for feature j is `part` times it: a pull of either sign, above the threshold or
    # below it.
    for n_samples, n_features, j, alpha, l1_ratio, part in (
        (20, 3, 1, 0.4, 0.5, 2.0),
        (15, 5, 0, 0.8, 0.2, -1.5),
        (30, 2, 1, 0.3, 0.9, -1.0),
        (12, 4, 3, 9.0, 0.7, 0.8),
        (25, 3, 2, 6.0, 0.6, -0.7),
        (18, 4, 0, 0.5, 0.4, 1.2),
    ):
        X = rng.normal(size=(n_samples, n_features)) * rng.uniform(0.5, 2, size=n_features)
        X[:, j] *= 1.3 / np.sqrt(np.mean(X[:, j] ** 2))
        coef = rng.normal(size=n_features)
        others = X @ coef - X[:, j] * coef[j]
        cases.append(
            (
                X,
                others + part * X[:, j] + 0.2 * rng.normal(size=n_samples),
                coef,
                j,
                alpha,
                l1_ratio,
            )
        )
    # A feature that pulls at nothing.
    X, y = np.array([[1.0, 1.0], [-1.0, 1.0]]), np.array([2.0, 2.0])
    cases.append((X, y, np.array([0.5, 0.0]), 0, 0.3, 0.5))
    return cases


def _lasso_update(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    return coordinate_update(X, y, coef, j, alpha * l1_ratio, 1.0)


def _whole_alpha(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    lasso = coordinate_update(X, y, coef, j, alpha, 1.0)
    curvature = X[:, j] @ X[:, j] / len(y)
    return float(lasso * curvature / (curvature + alpha * (1 - l1_ratio)))


def _full_residual(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    pull = X[:, j] @ (y - X @ coef) / len(y)
    curvature = X[:, j] @ X[:, j] / len(y)
    return float(soft_threshold(pull, alpha * l1_ratio) / (curvature + alpha * (1 - l1_ratio)))


def _assumes_standardized(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    curvature = X[:, j] @ X[:, j] / len(y)
    right = coordinate_update(X, y, coef, j, alpha, l1_ratio)
    return float(right * (curvature + alpha * (1 - l1_ratio)) / (1 + alpha * (1 - l1_ratio)))


def _shrink_first(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    others = np.arange(len(coef)) != j
    pull = X[:, j] @ (y - X[:, others] @ coef[others]) / len(y)
    curvature = X[:, j] @ X[:, j] / len(y)
    return float(soft_threshold(pull / (curvature + alpha * (1 - l1_ratio)), alpha * l1_ratio))


def _not_stopped_at_zero(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    others = np.arange(len(coef)) != j
    pull = X[:, j] @ (y - X[:, others] @ coef[others]) / len(y)
    curvature = X[:, j] @ X[:, j] / len(y)
    return float((pull - np.sign(pull) * alpha * l1_ratio) / (curvature + alpha * (1 - l1_ratio)))


def _positive_only(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float, l1_ratio: float
) -> float:
    return max(coordinate_update(X, y, coef, j, alpha, l1_ratio), 0.0)


COORDINATE_UPDATE = Exercise(
    name="elastic_net.coordinate_update",
    title="One coordinate",
    level=2,
    hints=(
        "As a function of one coefficient the loss is a parabola. Which pull and which curvature "
        "does it have?",
        "The pull is that of the feature on the residual *without* this feature's own part.",
        "The L1 part thresholds the pull, the L2 part adds to the curvature.",
    ),
    reference=coordinate_update,
    cases=_coordinate_cases,
    misconceptions=(
        Misconception(
            _lasso_update,
            "That is the lasso's update: the L2 part, which adds λ(1 − ρ) to the curvature, is "
            "missing.",
        ),
        Misconception(
            _whole_alpha,
            "You threshold with λ; the L1 part has only the share ρ of it.",
        ),
        Misconception(
            _full_residual,
            "Your residual still contains the feature's own contribution: add it back first.",
        ),
        Misconception(
            _assumes_standardized,
            "You take the curvature of the loss as 1, which is so for standardized features only; "
            "these are not.",
        ),
        Misconception(
            _shrink_first,
            "You divide before you threshold. Setting the derivative to zero gives the threshold "
            "first, then the division.",
        ),
        Misconception(
            _not_stopped_at_zero,
            "A pull below the threshold comes out on the other side of zero with you: it should "
            "leave the coefficient at zero.",
        ),
        Misconception(
            _positive_only,
            "You set the coefficient to zero where the pull is negative: its sign must come back "
            "after the threshold.",
        ),
    ),
)


# --------------------------------------------------------------------------------------- augment


def augment(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float
) -> tuple[FloatArray, FloatArray, float]:
    """Return rows and a strength for which the lasso is this Elastic Net."""
    n_samples, n_features = X.shape
    extra = np.sqrt(n_samples * alpha * (1 - l1_ratio)) * np.eye(n_features)
    share = n_samples / (n_samples + n_features)
    return np.vstack([X, extra]), np.append(y, np.zeros(n_features)), alpha * l1_ratio * share


def _augment_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=(6, 2)), rng.normal(size=6), 0.5, 0.5),
        (rng.normal(size=(4, 7)), rng.normal(size=4), 2.0, 0.1),
        (rng.normal(size=(9, 3)), rng.normal(size=9), 0.3, 0.8),
    ]


def _strength_kept(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float
) -> tuple[FloatArray, FloatArray, float]:
    rows, targets, _ = augment(X, y, alpha, l1_ratio)
    return rows, targets, alpha * l1_ratio


def _no_root(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float
) -> tuple[FloatArray, FloatArray, float]:
    rows, targets, strength = augment(X, y, alpha, l1_ratio)
    rows[len(y) :] **= 2
    return rows, targets, strength


def _rows_without_n(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float
) -> tuple[FloatArray, FloatArray, float]:
    rows, targets, strength = augment(X, y, alpha, l1_ratio)
    rows[len(y) :] /= np.sqrt(len(y))
    return rows, targets, strength


def _targets_repeated(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float
) -> tuple[FloatArray, FloatArray, float]:
    rows, targets, strength = augment(X, y, alpha, l1_ratio)
    targets[len(y) :] = y.mean()
    return rows, targets, strength


def _same_minimum(result: Any, expected: Any, args: Case) -> str | None:
    """Accept any data on which the lasso's objective is the Elastic Net's times a constant."""
    if agrees(result, expected):
        return None
    X, y, alpha, l1_ratio = args
    rows, targets, strength = result
    rows, targets = np.asarray(rows, dtype=float), np.asarray(targets, dtype=float)
    if rows.ndim != 2 or targets.shape != rows.shape[:1] or rows.shape[1] != X.shape[1]:
        return "wanted are rows with all features, one target for each row, and a strength"
    constant = float(strength) / (alpha * l1_ratio)
    if not constant > 0:
        return "the strength must be positive"
    if not agrees(rows.T @ targets / len(rows), constant * (X.T @ y) / len(y)):
        return (
            "with your strength the L1 norm and the features' pull on the targets are not in "
            "balance: compare both with the Elastic Net's"
        )
    ridge = alpha * (1 - l1_ratio) * np.eye(X.shape[1])
    if not agrees(rows.T @ rows / len(rows), constant * (X.T @ X / len(y) + ridge)):
        return "your strength fits the targets, but the added rows are not the squared penalty"
    return None


AUGMENT = Exercise(
    name="elastic_net.augment",
    title="Spot the bug: a lasso in disguise",
    level=2,
    hints=(
        "How many rows does the lasso divide by, and how many does the Elastic Net divide by?",
        "Multiply both objectives by twice their number of rows and compare term by term.",
    ),
    reference=augment,
    cases=_augment_cases,
    accept=_same_minimum,
    misconceptions=(
        Misconception(
            _strength_kept,
            "That is still the bug: the lasso on n + p rows divides its loss by n + p, so its "
            "strength must be multiplied by n/(n + p) to keep the balance.",
        ),
        Misconception(
            _no_root,
            "The extra residuals are squared by the loss, so the extra rows need the square root.",
        ),
        Misconception(
            _rows_without_n,
            "The penalty stands beside half a *mean* of squares: as rows of the sum it is n times "
            "as large.",
        ),
        Misconception(
            _targets_repeated,
            "The targets of the extra rows are zero: the penalty pulls toward zero.",
        ),
    ),
)


# ---------------------------------------------------------------------------------------- copies


def copies(pull: float, n_copies: int, alpha: float, l1_ratio: float) -> float:
    """Return the coefficient of each of several exact copies of one standardized feature."""
    return float(soft_threshold(np.asarray(pull), alpha * l1_ratio)) / (
        n_copies + alpha * (1 - l1_ratio)
    )


def _copies_cases(rng: np.random.Generator) -> list[Case]:
    return [(1.0, 2, 0.5, 0.5), (-2.0, 5, 1.0, 0.2), (0.1, 3, 0.5, 0.9), (0.7, 1, 0.3, 0.4)]


def _single_divided(pull: float, n_copies: int, alpha: float, l1_ratio: float) -> float:
    return copies(pull, 1, alpha, l1_ratio) / n_copies


def _penalty_times_copies(pull: float, n_copies: int, alpha: float, l1_ratio: float) -> float:
    return copies(pull, n_copies, alpha, l1_ratio) * (
        (n_copies + alpha * (1 - l1_ratio)) / (n_copies * (1 + n_copies * alpha * (1 - l1_ratio)))
    )


def _sum_of_copies(pull: float, n_copies: int, alpha: float, l1_ratio: float) -> float:
    return n_copies * copies(pull, n_copies, alpha, l1_ratio)


def _not_shared(pull: float, n_copies: int, alpha: float, l1_ratio: float) -> float:
    return copies(pull, 1, alpha, l1_ratio)


COPIES = Exercise(
    name="elastic_net.copies",
    title="Derive what each copy gets",
    level=2,
    hints=(
        "By symmetry, and since the minimum is unique, all copies have the same coefficient u.",
        "Write the objective for m copies with coefficient u each: the prediction is mxu, the L1 "
        "norm m|u|, the squared norm mu².",
        "Divide the objective by m: a parabola in u of curvature m + λ(1 − ρ), plus λρ|u|.",
    ),
    reference=copies,
    cases=_copies_cases,
    misconceptions=(
        Misconception(
            _single_divided,
            "You share out the coefficient of a single feature. Spread over m copies the squared "
            "norm is m times smaller, so that together they are shrunk less.",
        ),
        Misconception(
            _penalty_times_copies,
            "Your penalty grows with the number of copies; it is the other way round, since a "
            "shared coefficient has a smaller squared norm.",
        ),
        Misconception(
            _sum_of_copies,
            "That is the sum of the coefficients; each copy gets its part of it.",
        ),
        Misconception(
            _not_shared,
            "That is the coefficient if there were only one copy.",
        ),
    ),
)


# --------------------------------------------------------------------------------- grouping_bound


def grouping_bound(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    """Bound how far two coefficients of the Elastic Net can be apart."""
    Z, t = X - X.mean(axis=0), y - y.mean()
    Z = Z / Z.std(axis=0)
    correlation = float(Z[:, i] @ Z[:, j] / len(t))
    spread = float(np.sqrt(2 * (1 - correlation)))
    return spread * float(np.sqrt(t @ t / len(t))) / (alpha * (1 - l1_ratio))


def _bound_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, i, j, alpha, l1_ratio in (
        (20, 0, 1, 0.5, 0.5),
        (40, 3, 1, 0.1, 0.2),
        (9, 2, 3, 2.0, 0.9),
    ):
        X = rng.normal(2, 1, size=(n_samples, 4)) * np.array([1.0, 3.0, 0.2, 1.0])
        X[:, 1] += 2 * X[:, 0]
        y = 5 + X[:, 0] + rng.normal(size=n_samples)
        cases.append((X, y, i, j, alpha, l1_ratio))
    return cases


def _bound_with_alpha(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    return grouping_bound(X, y, i, j, alpha, 0.0)


def _bound_with_l1(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    return grouping_bound(X, y, i, j, alpha, 1 - l1_ratio)


def _bound_with_norm(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    return float(grouping_bound(X, y, i, j, alpha, l1_ratio) * np.sqrt(len(y)))


def _bound_without_root(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    correlation = float(np.corrcoef(X[:, i], X[:, j])[0, 1])
    return grouping_bound(X, y, i, j, alpha, l1_ratio) * float(np.sqrt(2 * (1 - correlation)))


def _bound_uncentered(
    X: FloatArray, y: FloatArray, i: int, j: int, alpha: float, l1_ratio: float
) -> float:
    root_mean_square = float(np.sqrt(np.mean(y**2)))
    return grouping_bound(X, y, i, j, alpha, l1_ratio) * root_mean_square / float(y.std())


GROUPING_BOUND = Exercise(
    name="elastic_net.grouping_bound",
    title="Derive the bound on a difference",
    level=2,
    hints=(
        "Subtract the optimality conditions of the two coefficients. What is left on the left?",
        "Cauchy and Schwarz bound the right-hand side by two norms, and the residual is no longer "
        "than the centered targets.",
        "For standardized features the squared distance of two columns is 2n(1 − r).",
    ),
    reference=grouping_bound,
    cases=_bound_cases,
    misconceptions=(
        Misconception(
            _bound_with_alpha,
            "You divide by λ: only the L2 part, λ(1 − ρ), pulls the coefficients together.",
        ),
        Misconception(
            _bound_with_l1,
            "You divide by λρ: the L1 part does not pull coefficients together.",
        ),
        Misconception(
            _bound_with_norm,
            "You take the norm of the targets where their root *mean* square belongs: the factor "
            "1/n of the loss meets √n from the columns and √n from the targets.",
        ),
        Misconception(
            _bound_without_root,
            "The distance of two standardized columns is √(2n(1 − r)), with the root.",
        ),
        Misconception(
            _bound_uncentered,
            "The residual is no longer than the *centered* targets, since the intercept is free.",
        ),
    ),
    equivalent_mutants={
        "X - X.mean(axis=0) → X.mean(axis=0) - X": "Both columns change their sign.",
        "y - y.mean() → y.mean() - y": "Only squares of it are used.",
        "i, j → j, i": "A correlation is symmetric.",
    },
)


# -------------------------------------------------------------------------------------- agreement


def agreement(first: BoolArray, second: BoolArray) -> float:
    """Return how much two selections overlap beyond chance: 0 by chance, 1 if they are equal."""
    both = np.sum(first & second)
    size, other = first.sum(), second.sum()
    chance = size * other / len(first)
    return float((both - chance) / ((size + other) / 2 - chance))


def _agreement_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (rng.random(n) < a, rng.random(n) < b) for n, a, b in ((30, 0.5, 0.7), (41, 0.6, 0.2))
    ]
    some = rng.random(20) < 0.4
    other = some.copy()
    other[:6] = ~other[:6]
    cases += [(some, some.copy()), (some, other), (some, ~some)]
    return cases


def _jaccard(first: BoolArray, second: BoolArray) -> float:
    return float(np.sum(first & second) / np.sum(first | second))


def _simple_matching(first: BoolArray, second: BoolArray) -> float:
    return float(np.mean(first == second))


def _not_normalized(first: BoolArray, second: BoolArray) -> float:
    return float(np.sum(first & second) - first.sum() * second.sum() / len(first))


def _normalized_by_union(first: BoolArray, second: BoolArray) -> float:
    chance = first.sum() * second.sum() / len(first)
    return float((np.sum(first & second) - chance) / (np.sum(first | second) - chance))


def _dice(first: BoolArray, second: BoolArray) -> float:
    return float(2 * np.sum(first & second) / (first.sum() + second.sum()))


def _normalized_by_larger(first: BoolArray, second: BoolArray) -> float:
    chance = first.sum() * second.sum() / len(first)
    return float((np.sum(first & second) - chance) / (max(first.sum(), second.sum()) - chance))


def _normalized_by_smaller(first: BoolArray, second: BoolArray) -> float:
    chance = first.sum() * second.sum() / len(first)
    return float((np.sum(first & second) - chance) / (min(first.sum(), second.sum()) - chance))


AGREEMENT = Exercise(
    name="elastic_net.agreement",
    title="Overlap beyond chance",
    level=2,
    hints=(
        "How many features would two *random* sets of these sizes have in common on average?",
        "Subtract that number above and below the fraction line.",
        "Two equal sets of size k have k features in common; for two sizes take their mean.",
    ),
    reference=agreement,
    cases=_agreement_cases,
    misconceptions=(
        Misconception(
            _jaccard,
            "That is the share of common features. Large sets overlap by chance: subtract what "
            "random sets of these sizes would have in common.",
        ),
        Misconception(
            _simple_matching,
            "That counts agreements, also on features that neither selects, and not what chance "
            "would give.",
        ),
        Misconception(
            _not_normalized,
            "You have the numerator; divide by what it would be for equal sets, so that 1 means "
            "equal.",
        ),
        Misconception(
            _normalized_by_union,
            "Divide by the mean of the two sizes, not by the size of the union.",
        ),
        Misconception(
            _dice,
            "That is the overlap relative to the mean size. Subtract what random sets of these "
            "sizes would have in common, above and below the fraction line.",
        ),
        Misconception(
            _normalized_by_larger,
            "Divide by the mean of the two sizes, not by the larger one.",
        ),
        Misconception(
            _normalized_by_smaller,
            "Divide by the mean of the two sizes, not by the smaller one.",
        ),
    ),
    equivalent_mutants={
        "first, second → second, first": "The measure is symmetric.",
    },
)


# ----------------------------------------------------------------------------------- features_kept


def _kept(factor: float, l1_ratio: float, *, standardize: bool = True) -> int:
    data = load_breast_cancer()
    X = (data.X - data.X.mean(axis=0)) / (data.X.std(axis=0) if standardize else 1.0)
    y = 1.0 - data.y
    alpha = factor * alpha_max(X, y, l1_ratio)
    return int(np.count_nonzero(ElasticNet(alpha, l1_ratio=l1_ratio).fit(X, y).coef_))


def features_kept() -> int:
    """Return how many features of the breast-cancer data stay at half of alpha_max, ρ = 0.1."""
    return _kept(0.5, 0.1)


FEATURES_KEPT = Exercise(
    name="elastic_net.features_kept",
    title="Halfway, with a little L1",
    level=2,
    hints=(
        "Standardize the columns of `cancer.X` over all rows; the target is `1 - cancer.y`.",
        "Your `alpha_max` of exercise 2 gives the largest strength for a mixture of 0.1.",
        "`np.count_nonzero(model.coef_)` counts what is kept.",
    ),
    reference=features_kept,
    misconceptions=(
        Misconception(
            lambda: _kept(0.5, 1.0),
            "That is the lasso's number at half of *its* largest strength.",
        ),
        Misconception(
            lambda: _kept(0.05, 0.1),
            "You took half of the lasso's largest strength; with a mixture of 0.1 the largest "
            "strength is ten times that.",
        ),
        Misconception(
            lambda: 30,
            "That are all features: a little L1 is enough to drop some.",
        ),
        Misconception(
            lambda: _kept(0.5, 0.1, standardize=False),
            "You left the columns in their units. Standardize first.",
        ),
        Misconception(
            lambda: _kept(0.1, 0.1),
            "That is the number at a tenth of the largest strength; half of it was asked for.",
        ),
        Misconception(
            lambda: _kept(0.5, 0.9),
            "You gave L1 the share 0.9; ρ = 0.1 is the share of L1.",
        ),
    ),
)


# -------------------------------------------------------------------------------------- descent


def descend(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    """Do sweeps of coordinate descent from zero; return coefficients and intercept."""
    X_mean, y_mean = X.mean(axis=0), y.mean()
    Z, residual = X - X_mean, y - y_mean
    coef = np.zeros(X.shape[1])
    curvature = np.mean(Z**2, axis=0)
    for _ in range(n_sweeps):
        for j in range(len(coef)):
            residual = residual + Z[:, j] * coef[j]
            pull = Z[:, j] @ residual / len(y)
            coef[j] = soft_threshold(pull, alpha * l1_ratio) / (
                curvature[j] + alpha * (1 - l1_ratio)
            )
            residual = residual - Z[:, j] * coef[j]
    return coef, float(y_mean - X_mean @ coef)


def _descend_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, n_features, alpha, l1_ratio, n_sweeps in (
        (20, 3, 0.2, 0.5, 1),
        (30, 5, 0.1, 0.2, 4),
        (10, 14, 0.5, 0.8, 7),
    ):
        X = rng.normal(1, 1, size=(n_samples, n_features))
        X[:, 1] += X[:, 0]
        y = 3 + X @ rng.normal(size=n_features) + rng.normal(size=n_samples)
        cases.append((X, y, alpha, l1_ratio, n_sweeps))
    return cases


def _simultaneous(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    Z, t = X - X.mean(axis=0), y - y.mean()
    coef, curvature = np.zeros(X.shape[1]), np.mean(Z**2, axis=0)
    for _ in range(n_sweeps):
        pull = Z.T @ (t - Z @ coef) / len(y) + curvature * coef
        coef = soft_threshold(pull, alpha * l1_ratio) / (curvature + alpha * (1 - l1_ratio))
    return coef, float(y.mean() - X.mean(axis=0) @ coef)


def _not_centered(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    residual, coef, curvature = y, np.zeros(X.shape[1]), np.mean(X**2, axis=0)
    for _ in range(n_sweeps):
        for j in range(len(coef)):
            residual = residual + X[:, j] * coef[j]
            pull = X[:, j] @ residual / len(y)
            shrunk = soft_threshold(pull, alpha * l1_ratio)
            coef[j] = shrunk / (curvature[j] + alpha * (1 - l1_ratio))
            residual = residual - X[:, j] * coef[j]
    return coef, float(np.mean(residual))


def _corrected(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    coef = (1 + alpha * (1 - l1_ratio)) * descend(X, y, alpha, l1_ratio, n_sweeps)[0]
    return coef, float(y.mean() - X.mean(axis=0) @ coef)


def _mean_as_intercept(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    return descend(X, y, alpha, l1_ratio, n_sweeps)[0], float(y.mean())


def _standardized(
    X: FloatArray, y: FloatArray, alpha: float, l1_ratio: float, n_sweeps: int
) -> tuple[FloatArray, float]:
    scale = X.std(axis=0)
    coef = descend(X / scale, y, alpha, l1_ratio, n_sweeps)[0] / scale
    return coef, float(y.mean() - X.mean(axis=0) @ coef)


DESCEND = Exercise(
    name="elastic_net.descend",
    title="Implement coordinate descent",
    level=3,
    hints=(
        "Center first: that takes care of the intercept until the very end.",
        "Keep the residual up to date: add a feature's part, update its coefficient, subtract the "
        "new part.",
        "The intercept is the mean of the targets minus the mean of the features times the "
        "coefficients.",
    ),
    reference=descend,
    cases=_descend_cases,
    misconceptions=(
        Misconception(
            _simultaneous,
            "You update all coefficients from the same residual. Correlated features then "
            "overshoot together; each update must see those before it.",
        ),
        Misconception(
            _not_centered,
            "You did not center: the intercept must be free from the first sweep on.",
        ),
        Misconception(
            _corrected,
            "You rescaled the result by 1 + λ(1 − ρ). That is the corrected Elastic Net; the "
            "minimum of the house objective is the naive one.",
        ),
        Misconception(
            _mean_as_intercept,
            "The coefficients are right; the intercept of the raw features is the mean of y minus "
            "their means times the coefficients.",
        ),
        Misconception(
            _standardized,
            "You standardize the features first, which changes what the penalty costs each of "
            "them; here they keep their scale.",
        ),
    ),
    equivalent_mutants={
        "range(n_sweeps) → range(1, n_sweeps + 1)": "The number of the sweep is not used.",
    }
    | dict.fromkeys(
        (
            "y - y_mean → y + y_mean",
            "y - y_mean → y",
        ),
        "Centered columns do not see a constant.",
    ),
)


EXERCISES = (
    TO_HOUSE,
    ALPHA_MAX,
    CHANGE_UNIT,
    COORDINATE_UPDATE,
    AUGMENT,
    COPIES,
    GROUPING_BOUND,
    AGREEMENT,
    FEATURES_KEPT,
    DESCEND,
)
