"""Exercises of the lesson on the lasso."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]


# ---------------------------------------------------------------------------- penalty and push


def penalty_and_push(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    """Return the L1 penalty and what it adds to the gradient."""
    return float(strength * np.abs(theta).sum()), strength * np.sign(theta)


def _penalty_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([0.8, -0.3, 0.5]), 0.1),
        (np.array([1.0, -2.0, 0.0]), 0.7),
        (rng.standard_normal(6), 1.3),
        (np.array([-4.0]), 2.0),
    ]


def _no_absolute_value(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    return float(strength * theta.sum()), strength * np.sign(theta)


def _l2_instead(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    return float(strength * (theta**2).sum() / 2), strength * theta


def _push_at_zero(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    return float(strength * np.abs(theta).sum()), strength * np.where(theta >= 0, 1.0, -1.0)


def _push_in_proportion(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    return float(strength * np.abs(theta).sum()), strength * theta


def _push_without_sign(theta: FloatArray, strength: float) -> tuple[float, FloatArray]:
    return float(strength * np.abs(theta).sum()), np.full_like(theta, strength)


PENALTY_AND_PUSH = Exercise(
    name="l1.penalty_and_push",
    title="The penalty and its push",
    level=1,
    hints=(
        "The penalty is the strength times the sum of the absolute values.",
        "The derivative of |w| is +1 or −1. `np.sign` gives it, and the conventional 0 at zero.",
    ),
    reference=penalty_and_push,
    cases=_penalty_cases,
    misconceptions=(
        Misconception(
            _no_absolute_value,
            "You sum the coefficients without absolute values: positive and negative ones cancel, "
            "and the penalty could be made as negative as one likes.",
        ),
        Misconception(
            _l2_instead,
            "That is the L2 penalty with its gradient. L1 sums absolute values, and its push does "
            "not depend on the size of a coefficient.",
        ),
        Misconception(
            _push_in_proportion,
            "Your penalty is right, but your push grows with the coefficient: that is the push of "
            "L2, which fades near zero. The push of L1 has the same size everywhere.",
        ),
        Misconception(
            _push_without_sign,
            "Your push has no sign: it would drive negative coefficients further from zero.",
        ),
        Misconception(
            _push_at_zero,
            "Your penalty is right. A weight of exactly zero is pushed by nothing: its sign is 0.",
        ),
    ),
)


# ------------------------------------------------------------------------------ soft threshold


def soft_threshold(v: FloatArray, t: float) -> FloatArray:
    """Shrink every value toward zero by t, and stop at zero."""
    return np.sign(v) * np.maximum(np.abs(v) - t, 0.0)


def _threshold_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([-3.0, -0.5, 0.0, 0.5, 2.0]), 1.0),
        (np.array([0.3, -0.2, 1.5, -1.5]), 0.25),
        (2 * rng.standard_normal(8), 0.7),
    ]


def _wrong_for_negative(v: FloatArray, t: float) -> FloatArray:
    return np.where(np.abs(v) > t, v - t, 0.0)


def _hard_threshold(v: FloatArray, t: float) -> FloatArray:
    return np.where(np.abs(v) > t, v, 0.0)


def _overshoots(v: FloatArray, t: float) -> FloatArray:
    result: FloatArray = v - t * np.sign(v)
    return result


def _ridge_shrinkage(v: FloatArray, t: float) -> FloatArray:
    return v / (1 + t)


def _keeps_size_only(v: FloatArray, t: float) -> FloatArray:
    return np.maximum(np.abs(v) - t, 0.0)


def _small_values_kept(v: FloatArray, t: float) -> FloatArray:
    return np.where(np.abs(v) > t, v - t * np.sign(v), v)


SOFT_THRESHOLD = Exercise(
    name="l1.soft_threshold",
    title="Spot the bug",
    level=1,
    hints=(
        "Try it by hand with v = −3 and t = 1. The answer should be −2.",
        "Shrink the absolute value, stop at zero, and put the sign back.",
    ),
    reference=soft_threshold,
    cases=_threshold_cases,
    misconceptions=(
        Misconception(
            _wrong_for_negative,
            "This is the bug itself: for negative values, subtracting t moves away from zero, so "
            "that −3 becomes −4.",
        ),
        Misconception(
            _hard_threshold,
            "That is the hard threshold: it drops small values but does not shrink large ones. It "
            "belongs to the choice of a best subset, not to L1.",
        ),
        Misconception(
            _overshoots,
            "You do not stop at zero: a value smaller than t comes out on the other side. That is "
            "what a plain subgradient step does.",
        ),
        Misconception(
            _ridge_shrinkage,
            "You divide, which is what L2 does: every value shrinks in proportion and none "
            "becomes zero.",
        ),
        Misconception(
            _keeps_size_only,
            "Your sizes are right, but the sign is lost.",
        ),
        Misconception(
            _small_values_kept,
            "You leave small values as they are: what is smaller than t becomes zero.",
        ),
    ),
)


# ----------------------------------------------------------------------------------- alpha_max


def alpha_max(X: FloatArray, y: FloatArray) -> float:
    """Return the smallest strength at which all coefficients are zero, with an intercept."""
    residual = y - y.mean()  # orthogonal to any constant: X need not be centered as well
    return float(np.max(np.abs(X.T @ residual)) / len(y))


def _alpha_max_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    # The strongest pull is negative or positive, and the first, the last or another feature's.
    for n, p, strongest, slope in ((6, 2, 0, -2.0), (20, 5, 4, 1.5), (8, 12, 3, -2.0)):
        X = 1 + rng.standard_normal((n, p))
        X[:, strongest] = 1 + 2 * rng.standard_normal(n)
        cases.append((X, 3 + slope * X[:, strongest] + 0.3 * rng.standard_normal(n)))
    return cases


def _not_centered(X: FloatArray, y: FloatArray) -> float:
    return float(np.max(np.abs(X.T @ y)) / len(y))


def _not_divided(X: FloatArray, y: FloatArray) -> float:
    return alpha_max(X, y) * len(y)


def _largest_signed(X: FloatArray, y: FloatArray) -> float:
    centered = X - X.mean(axis=0)
    return float(np.max(centered.T @ (y - y.mean())) / len(y))


def _length_of_gradient(X: FloatArray, y: FloatArray) -> float:
    centered = X - X.mean(axis=0)
    return float(np.linalg.norm(centered.T @ (y - y.mean())) / len(y))


ALPHA_MAX = Exercise(
    name="l1.alpha_max",
    title="Where the path begins",
    level=2,
    hints=(
        "All coefficients are zero: what does the model predict then, and what is the residual?",
        "With an intercept the model predicts the mean. So the residual is y minus its mean.",
        "Zero is the solution as long as no feature pulls harder than the penalty pushes.",
    ),
    reference=alpha_max,
    cases=_alpha_max_cases,
    misconceptions=(
        Misconception(
            _not_centered,
            "You use the data as they are. The intercept is not penalized: it takes the mean of y, "
            "and only what is left pulls at the coefficients. Center first.",
        ),
        Misconception(
            _not_divided,
            "You miss the factor 1/n: in the house objective the loss is half a mean, not half a "
            "sum.",
        ),
        Misconception(
            _largest_signed,
            "You take the largest pull in the positive direction. A strong negative one brings a "
            "feature in as well: take absolute values.",
        ),
        Misconception(
            _length_of_gradient,
            "You take the Euclidean length of the gradient. Each coefficient is held at zero "
            "separately, so that only the largest pull counts.",
        ),
    ),
    equivalent_mutants={
        "y - y.mean() → y.mean() - y": "The sign is lost in the absolute value.",
        "X.T @ residual → np.abs(X.T @ residual)": "The absolute value is taken anyway.",
    },
)


# --------------------------------------------------------------------------- coordinate update


def coordinate_update(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float
) -> float:
    """Return the best value of coefficient j while all others stay."""
    n = len(y)
    residual = y - X @ coef + X[:, j] * coef[j]
    pull = X[:, j] @ residual / n
    curvature = X[:, j] @ X[:, j] / n
    return float(np.sign(pull) * max(abs(pull) - alpha, 0.0) / curvature)


def _coordinate_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, p, j, alpha in (
        (5, 2, 0, 0.1),
        (12, 4, 2, 0.3),
        (30, 3, 1, 0.05),
        (9, 4, 3, 0.2),
        # A pull below the threshold, from either side.
        (10, 3, 1, 50.0),
        (10, 3, 2, 50.0),
    ):
        X = 1.7 * rng.standard_normal((n, p))
        w = np.resize([2.0, -1.5], p)
        coef = w + 0.5 * rng.standard_normal(p)
        cases.append((X, X @ w + 0.1 * rng.standard_normal(n), coef, j, alpha))
    # A feature that pulls at nothing.
    cases.append((np.array([[1.0, 1], [-1, 1]]), np.array([2.0, 2]), np.array([0.5, 0]), 0, 0.1))
    return cases


def _own_part_missing(
    X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float
) -> float:
    pull = X[:, j] @ (y - X @ coef) / len(y)
    curvature = X[:, j] @ X[:, j] / len(y)
    return float(np.sign(pull) * max(abs(pull) - alpha, 0.0) / curvature)


def _others_ignored(X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float) -> float:
    return coordinate_update(X, y, np.zeros_like(coef), j, alpha)


def _no_curvature(X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float) -> float:
    return coordinate_update(X, y, coef, j, alpha) * float(X[:, j] @ X[:, j]) / len(y)


def _threshold_last(X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float) -> float:
    best = coordinate_update(X, y, coef, j, 0.0)
    return float(np.sign(best) * max(abs(best) - alpha, 0.0))


def _sums_for_means(X: FloatArray, y: FloatArray, coef: FloatArray, j: int, alpha: float) -> float:
    return coordinate_update(X, y, coef, j, alpha / len(y))


COORDINATE_UPDATE = Exercise(
    name="l1.coordinate_update",
    title="One step of coordinate descent",
    level=2,
    hints=(
        "Write the objective as a function of coefficient j alone: a parabola plus alpha times an "
        "absolute value.",
        "The residual without feature j is `y - X @ coef + X[:, j] * coef[j]`.",
        "Soft-threshold the pull first, then divide by the curvature, the mean square of the "
        "column.",
    ),
    reference=coordinate_update,
    cases=_coordinate_cases,
    misconceptions=(
        Misconception(
            _own_part_missing,
            "Your residual still contains the old contribution of feature j: you compute a "
            "correction but return it as the new value. Add the old part back first.",
        ),
        Misconception(
            _others_ignored,
            "You fit feature j to y itself. The other coefficients stay where they are, so fit it "
            "to what they leave over.",
        ),
        Misconception(
            _no_curvature,
            "You forget to divide by the mean square of the column: that is right for "
            "standardized features only.",
        ),
        Misconception(
            _threshold_last,
            "You divide first and threshold afterwards. The threshold belongs to the pull, before "
            "the division, since the penalty acts on the objective and not on the solution.",
        ),
        Misconception(
            _sums_for_means,
            "You threshold a sum over the rows, not a mean: your penalty is weaker by a factor n.",
        ),
    ),
)


# ----------------------------------------------------------------------------------- ista step


def ista(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    """Return the coefficients after so many proximal gradient steps from zero."""
    n, p = X.shape
    step = n / np.linalg.norm(X, ord=2) ** 2
    coef = np.zeros(p)
    for _ in range(n_steps):
        coef = soft_threshold(coef + step * X.T @ (y - X @ coef) / n, step * alpha)
    return coef


def _ista_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, p, alpha, n_steps in ((6, 3, 0.2, 1), (20, 5, 0.3, 7), (10, 15, 0.4, 30)):
        X = 2 * rng.standard_normal((n, p))
        X[:, 2] *= p != 5  # one feature is zero everywhere, and its coefficient stays so
        cases.append((X, X[:, 0] - X[:, 1] + rng.standard_normal(n), alpha, n_steps))
    return cases


def _ista_like(
    X: FloatArray, y: FloatArray, alpha: float, n_steps: int, *, threshold: str
) -> FloatArray:
    n, p = X.shape
    step = n / np.linalg.norm(X, ord=2) ** 2
    coef = np.zeros(p)
    for _ in range(n_steps):
        ahead = coef + step * X.T @ (y - X @ coef) / n
        if threshold == "alpha":
            coef = soft_threshold(ahead, alpha)
        elif threshold == "subgradient":
            coef = ahead - step * alpha * np.sign(coef)
        elif threshold == "hard":
            coef = np.where(np.abs(ahead) > step * alpha, ahead, 0.0)
        else:
            coef = ahead
    return soft_threshold(coef, step * alpha) if threshold == "last" else coef


def _threshold_alpha(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    return _ista_like(X, y, alpha, n_steps, threshold="alpha")


def _subgradient(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    return _ista_like(X, y, alpha, n_steps, threshold="subgradient")


def _iterative_hard(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    return _ista_like(X, y, alpha, n_steps, threshold="hard")


def _threshold_once(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    return _ista_like(X, y, alpha, n_steps, threshold="last")


def _sum_for_mean(X: FloatArray, y: FloatArray, alpha: float, n_steps: int) -> FloatArray:
    return ista(X, y, alpha / len(y), n_steps)


ISTA = Exercise(
    name="l1.ista",
    title="Implement ISTA",
    level=3,
    hints=(
        "The gradient of the loss is `-X.T @ (y - X @ coef) / n`. Its largest curvature is the "
        "largest singular value of X, squared, over n.",
        "With the step 1 over that curvature, take a gradient step of the loss alone.",
        "Then soft-threshold. The proximal operator of the step times the penalty has the "
        "threshold step times alpha.",
    ),
    reference=ista,
    cases=_ista_cases,
    shows=(soft_threshold,),
    misconceptions=(
        Misconception(
            _threshold_alpha,
            "You threshold with alpha. In one step the penalty acts for as long as the loss does: "
            "the threshold is the step length times alpha.",
        ),
        Misconception(
            _subgradient,
            "You subtract a subgradient of the penalty instead of thresholding: coefficients jump "
            "across zero and do not stay there.",
        ),
        Misconception(
            _iterative_hard,
            "You drop small coefficients but do not shrink large ones: that minimizes another "
            "penalty, the number of coefficients that are not zero.",
        ),
        Misconception(
            _threshold_once,
            "You threshold once at the end. The loss must react to what the penalty has done: "
            "threshold after every step.",
        ),
        Misconception(
            _sum_for_mean,
            "You take the loss as a sum over the rows; in the house objective it is a mean, so "
            "that its curvature is n times smaller and the threshold n times larger.",
        ),
    ),
    equivalent_mutants={
        "range(n_steps) → range(1, n_steps + 1)": "The number of the step is not used.",
    },
)


# --------------------------------------------------------------------------------- duality gap


def duality_gap(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    """Return how far the lasso objective at coef can at most be above its minimum."""
    n = len(y)
    residual = y - X @ coef
    scale = min(1.0, n * alpha / np.max(np.abs(X.T @ residual)))
    theta = scale * residual
    primal = residual @ residual / (2 * n) + alpha * np.abs(coef).sum()
    dual = y @ theta / n - theta @ theta / (2 * n)
    return float(primal - dual)


def _gap_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n, p, alpha in ((5, 2, 0.1), (20, 6, 0.3), (10, 15, 5.0)):
        X = rng.standard_normal((n, p))
        cases.append((X, rng.standard_normal(n), 0.3 * rng.standard_normal(p), alpha))
    # Coefficients so large that the residual points away from y.
    X = rng.standard_normal((12, 3))
    w = np.array([1.0, -2.0, 0.5])
    cases.append((X, X @ w, 3 * w, 0.4))
    return cases


def _gap_with(
    X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float, scale: float
) -> tuple[float, float]:
    n, residual = len(y), y - X @ coef
    theta = scale * residual
    primal = residual @ residual / (2 * n) + alpha * np.abs(coef).sum()
    return float(primal), float(y @ theta / n - theta @ theta / (2 * n))


def _not_feasible(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    primal, dual = _gap_with(X, y, coef, alpha, 1.0)
    return primal - dual


def _scale_any(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    scale = len(y) * alpha / float(np.max(np.abs(X.T @ (y - X @ coef))))
    primal, dual = _gap_with(X, y, coef, alpha, scale)
    return primal - dual


def _scale_without_n(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    scale = min(1.0, alpha / float(np.max(np.abs(X.T @ (y - X @ coef)))))
    primal, dual = _gap_with(X, y, coef, alpha, scale)
    return primal - dual


def _primal_only(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    return _gap_with(X, y, coef, alpha, 1.0)[0]


def _euclidean(X: FloatArray, y: FloatArray, coef: FloatArray, alpha: float) -> float:
    scale = min(1.0, len(y) * alpha / float(np.linalg.norm(X.T @ (y - X @ coef))))
    primal, dual = _gap_with(X, y, coef, alpha, scale)
    return primal - dual


DUALITY_GAP = Exercise(
    name="l1.duality_gap",
    title="A certificate",
    level=3,
    hints=(
        "Compute the residual, and the largest absolute entry of `X.T @ residual`.",
        "A dual point must not correlate with any column by more than n times alpha: scale the "
        "residual down if it does, and leave it alone if it does not.",
        "The gap is the objective at coef minus the dual objective at that point.",
    ),
    reference=duality_gap,
    cases=_gap_cases,
    misconceptions=(
        Misconception(
            _not_feasible,
            "You use the residual as it is. If some column correlates with it by more than n times "
            "alpha, it is not a point of the dual problem, and it bounds nothing.",
        ),
        Misconception(
            _scale_any,
            "You scale the residual up as well when it is well inside the bounds: the point stays "
            "feasible, but it is worse than the residual itself. Limit the factor to 1.",
        ),
        Misconception(
            _scale_without_n,
            "Your bound on the correlations lacks the factor n: the house loss is a mean. The "
            "result is still a bound, but not a tight one, and it does not go to zero.",
        ),
        Misconception(
            _primal_only,
            "That is the objective alone. The certificate is its distance from a lower bound, the "
            "dual objective.",
        ),
        Misconception(
            _euclidean,
            "You scale by the Euclidean length of the correlations; each of them has to stay "
            "within the bound, so the largest counts.",
        ),
    ),
    equivalent_mutants={
        "X.T @ residual → np.abs(X.T @ residual)": "The absolute value is taken anyway.",
    },
)


# -------------------------------------------------------------------------------- Laplace prior


def strength_of_prior(noise: float, scale: float, n_samples: int) -> float:
    """Return the strength of the lasso that is the MAP estimate under a Laplace prior."""
    return noise**2 / (n_samples * scale)


def _prior_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.5, 2.0, 10), (3.0, 0.7, 50), (1.5, 4.0, 200)]


def _one_row(noise: float, scale: float, n_samples: int) -> float:
    return noise**2 / scale


def _noise_not_squared(noise: float, scale: float, n_samples: int) -> float:
    return noise / (n_samples * scale)


def _gaussian_prior(noise: float, scale: float, n_samples: int) -> float:
    return noise**2 / (n_samples * scale**2)


def _upside_down(noise: float, scale: float, n_samples: int) -> float:
    return scale / (n_samples * noise**2)


def _factor_two(noise: float, scale: float, n_samples: int) -> float:
    return 2 * noise**2 / (n_samples * scale)


STRENGTH_OF_PRIOR = Exercise(
    name="l1.strength_of_prior",
    title="From a prior to a penalty",
    level=2,
    hints=(
        "The negative logarithm of the prior density exp(−|w|/b)/(2b) is |w|/b plus a constant.",
        "That of the likelihood is the sum of squared residuals over 2σ².",
        "Multiply both by the same factor until the loss is half a mean: σ²/n.",
    ),
    reference=strength_of_prior,
    cases=_prior_cases,
    misconceptions=(
        Misconception(
            _one_row,
            "You miss the factor 1/n: the loss of the house objective is a mean, and the prior "
            "counts once however many rows there are.",
        ),
        Misconception(
            _noise_not_squared,
            "The likelihood has the variance of the noise in it, not its standard deviation.",
        ),
        Misconception(
            _gaussian_prior,
            "You square the scale of the prior: that is the formula for a Gaussian prior and L2. "
            "The exponent of a Laplace density is |w|/b, without squares.",
        ),
        Misconception(
            _upside_down,
            "Your fraction is upside down: noisier data must lead to a stronger penalty, a wider "
            "prior to a weaker one.",
        ),
        Misconception(
            _factor_two,
            "You have a factor 2 too many: multiplying with σ²/n turns the loss into half a mean, "
            "and the ½ belongs to the house objective.",
        ),
    ),
)


# ---------------------------------------------------------------------------- selection scores


def selection_scores(coef: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Return the share of true features found, and the share of selected features that are false.

    Nothing selected means nothing selected falsely.
    """
    selected, relevant = coef != 0, truth != 0
    found = np.sum(selected & relevant)
    false = np.sum(selected & ~relevant)
    return float(found / np.sum(relevant)), float(false / max(np.sum(selected), 1))


def _selection_cases(rng: np.random.Generator) -> list[Case]:
    truth = np.array([1.0, -2.0, 0.0, 0.0, 0.0, 0.0])
    return [
        (np.array([0.5, -1.0, 0.2, 0.0, -0.1, 0.0]), truth),
        (np.array([0.0, 1e-3, 0.0, 0.4, 0.0, 0.0]), truth),
        (np.zeros(6), truth),
        (np.array([0.9, 0.0, 0.0, 0.0, 0.0, -0.2]), truth),
        (np.array([0.0, 0.0, 0.0, 0.0, 0.3, 0.0]), truth),
        (np.array([0.1, -0.2, 0.0, 0.7]), np.array([0.0, -3.0, 0.5, 2.0])),
    ]


def _false_positive_rate(coef: FloatArray, truth: FloatArray) -> tuple[float, float]:
    found, _ = selection_scores(coef, truth)
    return found, float(np.sum((coef != 0) & (truth == 0)) / np.sum(truth == 0))


def _precision(coef: FloatArray, truth: FloatArray) -> tuple[float, float]:
    found, false = selection_scores(coef, truth)
    return found, 1.0 - false


def _positive_only(coef: FloatArray, truth: FloatArray) -> tuple[float, float]:
    return selection_scores(np.maximum(coef, 0), np.maximum(truth, 0))


def _agreement(coef: FloatArray, truth: FloatArray) -> tuple[float, float]:
    _, false = selection_scores(coef, truth)
    return float(np.mean((coef != 0) == (truth != 0))), false


SELECTION_SCORES = Exercise(
    name="l1.selection_scores",
    title="Score a selection",
    level=1,
    hints=(
        "A feature is selected if its coefficient is not zero, whatever its sign.",
        "The first number is relative to the true features, the second to the selected ones.",
        "If nothing is selected, the second number is 0.",
    ),
    reference=selection_scores,
    cases=_selection_cases,
    misconceptions=(
        Misconception(
            _false_positive_rate,
            "Your second number is relative to all irrelevant features. Asked for is the share of "
            "what was selected that is false: with many features the two differ widely.",
        ),
        Misconception(
            _precision,
            "Your second number is the share that is right, the precision. Asked for is the share "
            "that is false, one minus that.",
        ),
        Misconception(
            _positive_only,
            "You count only positive coefficients: a negative one is selected as well.",
        ),
        Misconception(
            _agreement,
            "Your first number counts rightly dropped features too. When nearly all features are "
            "irrelevant, selecting none of them would look excellent.",
        ),
    ),
)


# ----------------------------------------------------------------------------------- experiment


def _kept(divisor: float, *, standardize: bool = True) -> int:
    from sklearn.datasets import load_diabetes

    from lessons_lib.linear import Lasso

    data = load_diabetes(scaled=False)
    X = data.data - data.data.mean(axis=0)
    if standardize:
        X /= X.std(axis=0)
    strongest = alpha_max(X, data.target)
    return int(np.count_nonzero(Lasso(strongest / divisor, tol=1e-10).fit(X, data.target).coef_))


def features_kept() -> int:
    """Return how many features of the standardized diabetes data are kept at alpha_max / 20."""
    return _kept(20)


FEATURES_KEPT = Exercise(
    name="l1.features_kept",
    title="How many are kept",
    level=2,
    hints=(
        "Standardize the columns of `diabetes.X` first.",
        "Use your `alpha_max`, then `Lasso(alpha).fit(X, y)` with a twentieth of it.",
        "`np.count_nonzero(model.coef_)` counts the features that are kept.",
    ),
    reference=features_kept,
    misconceptions=(
        Misconception(
            lambda: 10,
            "That are all features: at a twentieth of the largest strength some are still at zero.",
        ),
        Misconception(
            lambda: 0,
            "That is the number at the largest strength itself.",
        ),
        Misconception(
            lambda: 1,
            "One feature has only just joined when λ is below its largest value; at a "
            "twentieth of it more have followed.",
        ),
        Misconception(
            lambda: _kept(20, standardize=False),
            "You left the columns in their units: the penalty then favors features with large "
            "numbers. Standardize first.",
        ),
        Misconception(
            lambda: 10 - features_kept(),
            "That is how many are dropped, with coefficients of zero; count those that are kept.",
        ),
        Misconception(
            lambda: _kept(10),
            "That is the number at a tenth of the largest strength; a twentieth was asked for.",
        ),
        Misconception(
            lambda: _kept(2),
            "So few are kept while λ is still at half of its largest value or more; asked for is a "
            "twentieth *of* it.",
        ),
        Misconception(
            lambda: _kept(100),
            "That is the number at a hundredth of the largest strength; a twentieth was asked for.",
        ),
    ),
)


EXERCISES = (
    PENALTY_AND_PUSH,
    SOFT_THRESHOLD,
    SELECTION_SCORES,
    ALPHA_MAX,
    COORDINATE_UPDATE,
    STRENGTH_OF_PRIOR,
    FEATURES_KEPT,
    ISTA,
    DUALITY_GAP,
)
