"""Exercises of the lesson on L2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]


# ---------------------------------------------------------------------------------- decay_step


def decay_step(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    """Take one gradient step on the loss plus ``strength`` times the sum of squares."""
    return (1 - 2 * learning_rate * strength) * weights - learning_rate * gradient


def _decay_step_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([5.0]), np.array([0.3]), 0.1, 0.01),
        (rng.normal(size=4), rng.normal(size=4), 0.2, 0.5),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), 0.05, 1.5),
    ]


def _without_two(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return (1 - learning_rate * strength) * weights - learning_rate * gradient


def _decay_without_rate(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return (1 - 2 * strength) * weights - learning_rate * gradient


def _growing(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return (1 + 2 * learning_rate * strength) * weights - learning_rate * gradient


def _decay_after(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return (1 - 2 * learning_rate * strength) * (weights - learning_rate * gradient)


def _constant_push(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return weights - learning_rate * (gradient + strength * np.sign(weights))


def _constant_push_doubled(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return _constant_push(weights, gradient, learning_rate, 2 * strength)


def _penalty_itself(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return weights - learning_rate * (gradient + strength * float(np.sum(weights**2)))


def _penalty_doubled(
    weights: FloatArray, gradient: FloatArray, learning_rate: float, strength: float
) -> FloatArray:
    return _penalty_itself(weights, gradient, learning_rate, 2 * strength)


DECAY_STEP = Exercise(
    name="l2.decay_step",
    title="One step of weight decay",
    level=1,
    hints=(
        "Differentiate the penalty first: it is the strength times the sum of squares, with no ½.",
        "The step goes against the gradient of the whole objective, times the learning rate.",
    ),
    reference=decay_step,
    cases=_decay_step_cases,
    misconceptions=(
        Misconception(
            _without_two,
            "The gradient of λw² is 2λw; the factor is 1 only where the penalty has a ½ in it.",
        ),
        Misconception(
            _decay_without_rate,
            "Your decay does not depend on the learning rate: the gradient of the penalty is "
            "multiplied by it like the gradient of the loss.",
        ),
        Misconception(
            _growing,
            "Your weights grow: the step goes against the gradient of the penalty, too.",
        ),
        Misconception(
            _decay_after,
            "You decay the weights after the step of the loss, so that the gradient of the loss "
            "shrinks as well. Both gradients belong to the old weights.",
        ),
        Misconception(
            _constant_push,
            "That is the constant push of an L1 penalty; the push of L2 is proportional to the "
            "weight.",
        ),
        Misconception(
            _constant_push_doubled,
            "That is the constant push of an L1 penalty; the push of L2 is proportional to the "
            "weight.",
        ),
        Misconception(
            _penalty_itself,
            "You add the penalty itself; what pulls at the weights is its gradient.",
        ),
        Misconception(
            _penalty_doubled,
            "You add a sum over all weights, the penalty; its gradient pulls at each weight in "
            "proportion to that weight alone.",
        ),
    ),
)


# ------------------------------------------------------------------------------ to_house_strength


def to_house_strength(convention: str, strength: float, n_samples: int) -> float:
    """Return the strength that gives the house objective the same minimizer."""
    factors = {
        "half mean + sum of squares": 2.0,
        "mean + half norm": 0.5,
        "sum + sum of squares": 1 / n_samples,
        "half sum + half norm": 1 / n_samples,
    }
    return factors[convention] * strength


def _to_house_cases(rng: np.random.Generator) -> list[Case]:
    conventions = (
        "half mean + sum of squares",
        "mean + half norm",
        "sum + sum of squares",
        "half sum + half norm",
    )
    return [
        (name, strength, n_samples)
        for k, name in enumerate(conventions)
        for strength, n_samples in ((0.1 * (k + 1), 20 + 7 * k), (2.5 - 0.3 * k, 90 - 11 * k))
    ]


def _penalty_only(convention: str, strength: float, n_samples: int) -> float:
    return strength * (2.0 if convention.endswith("sum of squares") else 1.0)


def _ignore_rows(convention: str, strength: float, n_samples: int) -> float:
    return to_house_strength(convention, strength, n_samples) * (
        n_samples if "sum +" in convention else 1
    )


def _inverse_factor(convention: str, strength: float, n_samples: int) -> float:
    return strength**2 / to_house_strength(convention, strength, n_samples)


TO_HOUSE_STRENGTH = Exercise(
    name="l2.to_house_strength",
    title="Four conventions, one minimizer",
    level=2,
    hints=(
        "An objective may be divided by any positive number without moving its minimizer.",
        "Bring the data loss to half a mean first; then read what stands in front of ½‖w‖².",
        "The sum of squared errors is 2n times half a mean. So divide the whole objective by 2n.",
    ),
    reference=to_house_strength,
    cases=_to_house_cases,
    misconceptions=(
        Misconception(
            _penalty_only,
            "You translate the penalty and forget the data loss: what counts is the ratio of the "
            "two, and the losses differ by factors of 2 and n.",
        ),
        Misconception(
            _ignore_rows,
            "With a sum over rows as data loss the same penalty weighs n times less than with a "
            "mean: divide by the number of rows.",
        ),
        Misconception(
            _inverse_factor,
            "Your factors are upside down: you translate from the house objective to the "
            "convention.",
        ),
    ),
)


# --------------------------------------------------------------------------------- fit_ridge


def fit_ridge(X: FloatArray, y: FloatArray, strength: float) -> tuple[FloatArray, float]:
    """Minimize the house objective with L2; the intercept is free."""
    X_mean, y_mean = X.mean(axis=0), y.mean()
    Z = X - X_mean  # orthogonal to any constant: y need not be centered as well
    coef: FloatArray = np.linalg.solve(Z.T @ Z + len(y) * strength * np.eye(X.shape[1]), Z.T @ y)
    return coef, float(y_mean - X_mean @ coef)


def _fit_ridge_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, n_features, strength, level in (
        (12, 2, 0.5, 10.0),
        (30, 4, 0.1, -3.0),
        (6, 9, 1.0, 0.0),
        (15, 3, 0.0, 1.0),
    ):
        X = rng.normal(2, 1, size=(n_samples, n_features))
        y = X @ rng.normal(size=n_features) + level + 0.1 * rng.normal(size=n_samples)
        cases.append((X, y, strength))
    return cases


def _penalized_intercept(X: FloatArray, y: FloatArray, strength: float) -> tuple[FloatArray, float]:
    A = np.column_stack([X, np.ones(len(y))])
    w = np.linalg.solve(A.T @ A + len(y) * strength * np.eye(A.shape[1]), A.T @ y)
    return np.asarray(w[:-1], dtype=np.float64), float(w[-1])


def _strength_not_times_n(
    X: FloatArray, y: FloatArray, strength: float
) -> tuple[FloatArray, float]:
    return fit_ridge(X, y, strength / len(y))


def _mean_as_intercept(X: FloatArray, y: FloatArray, strength: float) -> tuple[FloatArray, float]:
    return fit_ridge(X, y, strength)[0], float(y.mean())


def _only_targets_centered(
    X: FloatArray, y: FloatArray, strength: float
) -> tuple[FloatArray, float]:
    t = y - y.mean()
    coef = np.linalg.solve(X.T @ X + len(y) * strength * np.eye(X.shape[1]), X.T @ t)
    return coef, float(y.mean() - X.mean(axis=0) @ coef)


FIT_RIDGE = Exercise(
    name="l2.fit_ridge",
    title="Spot the bug: the answer depends on the zero of the scale",
    level=2,
    hints=(
        "Which coefficient of the function belongs to the column of ones, and what does the "
        "identity matrix do to it?",
        "Center the columns and the targets; then the best intercept of the centered problem is "
        "zero and can be left out.",
        "Undo the centering at the end: the intercept is the mean of the targets minus the mean "
        "of the features times the coefficients.",
    ),
    reference=fit_ridge,
    cases=_fit_ridge_cases,
    misconceptions=(
        Misconception(
            _penalized_intercept,
            "That is still the bug: the identity matrix has an entry for the column of ones, so "
            "that the intercept is pulled to zero.",
        ),
        Misconception(
            _strength_not_times_n,
            "You add λ where nλ belongs: multiply the house objective by n and look at the "
            "penalty again.",
        ),
        Misconception(
            _mean_as_intercept,
            "The mean of the targets is the intercept of the *centered* features; for the raw "
            "ones subtract their mean times the coefficients.",
        ),
        Misconception(
            _only_targets_centered,
            "You center the targets but not the features: the intercept can then still take part "
            "in the fit, and it is missing from your equations.",
        ),
    ),
)


# --------------------------------------------------------------------------------- ridge_path


def ridge_path(X: FloatArray, y: FloatArray, strengths: FloatArray) -> FloatArray:
    """Return the coefficients for all strengths from one SVD, one column each."""
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    shrunk = s[:, None] / (s[:, None] ** 2 + len(y) * strengths)
    return Vt.T @ (shrunk * (U.T @ y)[:, None])


def _ridge_path_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, n_features, strengths in (
        (10, 3, [0.05, 0.3, 5.0, 0.8]),
        (25, 6, [2.0, 0.01]),
        (5, 8, [0.4, 3.0, 0.1]),
        (12, 4, [0.7]),
    ):
        X = rng.normal(size=(n_samples, n_features))
        X -= X.mean(axis=0)
        y = rng.normal(size=n_samples)
        cases.append((X, y - y.mean(), np.array(strengths)))
    return cases


def _path_without_n(X: FloatArray, y: FloatArray, strengths: FloatArray) -> FloatArray:
    return ridge_path(X, y, strengths / len(y))


def _factor_twice(X: FloatArray, y: FloatArray, strengths: FloatArray) -> FloatArray:
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    kept = s[:, None] ** 2 / (s[:, None] ** 2 + len(y) * strengths)
    return Vt.T @ (kept * (U.T @ y)[:, None])


def _singular_values_not_squared(X: FloatArray, y: FloatArray, strengths: FloatArray) -> FloatArray:
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return Vt.T @ ((U.T @ y)[:, None] / (s[:, None] + len(y) * strengths))


def _path_transposed(X: FloatArray, y: FloatArray, strengths: FloatArray) -> FloatArray:
    return ridge_path(X, y, strengths).T


RIDGE_PATH = Exercise(
    name="l2.ridge_path",
    title="All penalties from one decomposition",
    level=2,
    hints=(
        "Insert X = USVᵀ into the closed form. What is left of the inverse when V is orthogonal?",
        "In the direction of a singular value s the solution is s / (s² + nλ) times the "
        "coordinate of `U.T @ y`.",
        "Use broadcasting: `s[:, None]` against `strengths` gives one column for each strength.",
    ),
    reference=ridge_path,
    cases=_ridge_path_cases,
    misconceptions=(
        Misconception(
            _path_without_n,
            "You add λ to the squared singular values where nλ belongs.",
        ),
        Misconception(
            _factor_twice,
            "s² / (s² + nλ) is what remains of the least-squares coefficients. `U.T @ y` has not "
            "been divided by s yet.",
        ),
        Misconception(
            _singular_values_not_squared,
            "The matrix XᵀX has the *squared* singular values as eigenvalues, and λ is added to "
            "those.",
        ),
        Misconception(
            _path_transposed,
            "One column for each strength was asked for; yours are rows.",
        ),
    ),
)


# -------------------------------------------------------------------------- degrees_of_freedom


def degrees_of_freedom(X: FloatArray, strength: float) -> float:
    """Return the trace of the matrix that maps centered targets to fitted values."""
    squared = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    return float(np.sum(squared / (squared + len(X) * strength)))


def _degrees_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(1, 1, size=(20, 3)), 0.5),
        (rng.normal(1, 2, size=(8, 5)), 2.0),
        (rng.normal(-1, 1, size=(15, 4)), 0.01),
        (rng.normal(2, 1, size=(5, 9)), 0.3),
    ]


def _freedom_uncentered(X: FloatArray, strength: float) -> float:
    squared = np.linalg.svd(X, compute_uv=False) ** 2
    return float(np.sum(squared / (squared + len(X) * strength)))


def _freedom_without_n(X: FloatArray, strength: float) -> float:
    return degrees_of_freedom(X, strength / len(X))


def _count_of_features(X: FloatArray, strength: float) -> float:
    return float(X.shape[1])


def _with_intercept(X: FloatArray, strength: float) -> float:
    return 1 + degrees_of_freedom(X, strength)


def _sum_of_squared_factors(X: FloatArray, strength: float) -> float:
    squared = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    return float(np.sum((squared / (squared + len(X) * strength)) ** 2))


DEGREES_OF_FREEDOM = Exercise(
    name="l2.degrees_of_freedom",
    title="Derive the effective degrees of freedom",
    level=2,
    hints=(
        "Fitted values are a matrix times y. In the basis U that matrix is diagonal.",
        "The trace is the sum of the diagonal: one shrinkage factor for each singular value of "
        "the centered features.",
    ),
    reference=degrees_of_freedom,
    cases=_degrees_cases,
    misconceptions=(
        Misconception(
            _freedom_uncentered,
            "The intercept is free, so the singular values are those of the *centered* features.",
        ),
        Misconception(
            _freedom_without_n,
            "You add λ where nλ belongs: s² grows with the number of rows.",
        ),
        Misconception(
            _count_of_features,
            "That is the number of coefficients, which is right without a penalty only.",
        ),
        Misconception(
            _sum_of_squared_factors,
            "You sum the squared factors: that is the trace of HᵀH, which measures the variance "
            "of the fit. For a projection, where H² = H, it would be the same.",
        ),
        Misconception(
            _with_intercept,
            "You count the intercept as well. Asked for is the trace of the matrix that maps "
            "*centered* targets: the intercept is not in it.",
        ),
    ),
    equivalent_mutants={
        "X - X.mean(axis=0) → X.mean(axis=0) - X": "Singular values have no sign.",
    },
)


# ------------------------------------------------------------------------------ prior_strength


def prior_strength(n_samples: int, noise: float, prior: float) -> float:
    """Return the house strength whose solution is the most probable one."""
    return noise**2 / (n_samples * prior**2)


def _prior_cases(rng: np.random.Generator) -> list[Case]:
    return [(50, 0.5, 2.0), (10, 3.0, 0.7), (200, 1.3, 1.1)]


def _ridge_alpha(n_samples: int, noise: float, prior: float) -> float:
    return noise**2 / prior**2


def _not_squared(n_samples: int, noise: float, prior: float) -> float:
    return noise / (n_samples * prior)


def _prior_inverted(n_samples: int, noise: float, prior: float) -> float:
    return prior**2 / (n_samples * noise**2)


def _half_prior(n_samples: int, noise: float, prior: float) -> float:
    return 1 / (2 * prior**2)


PRIOR_STRENGTH = Exercise(
    name="l2.prior_strength",
    title="The penalty that a prior implies",
    level=2,
    hints=(
        "The negative logarithm of the posterior is a sum of squared errors over 2σ² plus a sum "
        "of squared coefficients over 2τ², plus a constant.",
        "Multiply it by σ²/n, so that the data loss becomes half a mean.",
    ),
    reference=prior_strength,
    cases=_prior_cases,
    misconceptions=(
        Misconception(
            _ridge_alpha,
            "That is `alpha` of `Ridge`, whose data loss is a sum; the house objective has half a "
            "mean, so divide by the number of rows.",
        ),
        Misconception(
            _not_squared,
            "`noise` and `prior` are standard deviations; the formula has variances.",
        ),
        Misconception(
            _prior_inverted,
            "Upside down: a wide prior allows large weights, so it must give a weak penalty.",
        ),
        Misconception(
            _half_prior,
            "That is the factor of the prior alone; what matters is its ratio to the factor of "
            "the data.",
        ),
    ),
)


# -------------------------------------------------------------------------------- decoupled_step


def decoupled_step(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    """Take a step of AdamW with learning rate 0.01 and weight decay 0.1."""
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    direction = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return (1 - 0.01 * 0.1) * w - 0.01 * float(direction), mean, square


def _decoupled_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (2.0, 0.5, 0.0, 0.0, 1),
        (-3.0, 0.2, 0.1, 0.05, 7),
        (10.0, -4.0, 0.3, 2.0, 40),
        # Gradients so small that epsilon counts.
        (0.5, 2e-8, 0.0, 0.0, 1),
        (-1.0, 0.0, 0.0, 0.0, 3),
    ]


def _decay_in_gradient(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    updated, mean, square = decoupled_step(w, gradient + 0.1 * w, mean, square, step)
    return updated + 0.01 * 0.1 * w, mean, square


def _decay_without_learning_rate(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    updated, mean, square = decoupled_step(w, gradient, mean, square, step)
    return updated + 0.01 * 0.1 * w - 0.1 * w, mean, square


def _no_bias_correction(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    return (1 - 0.001) * w - 0.01 * float(mean / (np.sqrt(square) + 1e-8)), mean, square


def _no_decay(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    updated, mean, square = decoupled_step(w, gradient, mean, square, step)
    return updated + 0.001 * w, mean, square


def _decay_after_the_step(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    updated, mean, square = decoupled_step(w, gradient, mean, square, step)
    return (1 - 0.001) * (updated + 0.001 * w), mean, square


def _corrected_averages(
    w: float, gradient: float, mean: float, square: float, step: int
) -> tuple[float, float, float]:
    updated, mean, square = decoupled_step(w, gradient, mean, square, step)
    return updated, mean / (1 - 0.9**step), square / (1 - 0.999**step)


DECOUPLED_STEP = Exercise(
    name="l2.decoupled_step",
    title="One step of AdamW",
    level=3,
    hints=(
        "Compute Adam's step from the gradient of the loss alone.",
        "The averages start from zero: divide them by 1 − 0.9ᵗ and 1 − 0.999ᵗ before you use them, "
        "and return them undivided.",
        "Shrink the old weight by the factor 1 − 0.01 · 0.1, then subtract Adam's step.",
    ),
    reference=decoupled_step,
    cases=_decoupled_cases,
    misconceptions=(
        Misconception(
            _decay_in_gradient,
            "You add the decay to the gradient: that is Adam with an L2 penalty, and the division "
            "by the size of the gradient undoes it. Decay the weight directly.",
        ),
        Misconception(
            _decay_without_learning_rate,
            "Your decay is not multiplied by the learning rate; in the usual libraries it is.",
        ),
        Misconception(
            _no_bias_correction,
            "The averages start from zero and are too small in the first steps: divide them by one "
            "minus the power of their factor.",
        ),
        Misconception(_no_decay, "That is plain Adam: the weight decay is missing."),
        Misconception(
            _decay_after_the_step,
            "You decay the weight after Adam's step; the decay takes the *old* weight.",
        ),
        Misconception(
            _corrected_averages,
            "You return the averages after the correction: return them as they are stored.",
        ),
    ),
)


# ------------------------------------------------------------------------------------ stuck_weight


def stuck_weight() -> float:
    """Return where a weight stops decaying that is rounded to multiples of 1/4096."""
    weight, resolution = 5.0, 2.0**-12
    while True:
        decay = np.round(0.1 * 0.01 * weight / resolution) * resolution
        if decay == 0:
            return float(weight)
        weight -= decay


STUCK_WEIGHT = Exercise(
    name="l2.stuck_weight",
    title="Where does the decay stop?",
    level=3,
    hints=(
        "Copy the loop of the lesson, and change the number of binary places.",
        "Rounding gives zero as soon as the step is at most half the resolution.",
    ),
    reference=stuck_weight,
    rtol=0.005,
    misconceptions=(
        Misconception(
            lambda: 0.0,
            "In exact arithmetic it would approach zero; here the step is rounded, and a step "
            "below half the resolution is no step at all.",
        ),
        Misconception(
            lambda: 2.0**-12,
            "That is the resolution itself, the smallest weight that can be written down; the "
            "decay stops long before, because the *step* is a thousand times smaller than the "
            "weight.",
        ),
        Misconception(
            lambda: 2.0**-12 / 0.001,
            "The step is rounded to the nearest multiple: it survives down to *half* the "
            "resolution.",
        ),
        Misconception(
            lambda: 0.5 * 2.0**-8 / 0.001,
            "That is where the lesson's weight with 8 binary places stops; here are 12.",
        ),
        Misconception(
            lambda: 0.5 * 2.0**-12 / 0.01,
            "The step is η times λ times the weight; you have left out a factor of 0.1.",
        ),
        Misconception(
            lambda: 0.5 * 2.0**-12,
            "That is half the resolution, below which a *step* is lost. At which weight is the "
            "step, ηλ times the weight, that small?",
        ),
    ),
)


EXERCISES = (
    DECAY_STEP,
    TO_HOUSE_STRENGTH,
    FIT_RIDGE,
    RIDGE_PATH,
    DEGREES_OF_FREEDOM,
    PRIOR_STRENGTH,
    DECOUPLED_STEP,
    STUCK_WEIGHT,
)
