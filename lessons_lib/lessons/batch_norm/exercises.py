"""Exercises of the lesson on batch normalization."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]


# ------------------------------------------------------------------------------------- forward


def forward(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    """Normalize every column of a batch, then scale and shift it."""
    y: FloatArray = gamma * (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps) + beta
    return y


def _forward_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (
            np.array([[10.0], [20.0], [30.0], [40.0], [50.0]]),
            np.array([2.0]),
            np.array([1.0]),
            1e-12,
        )
    ]
    for n, p, eps in ((4, 3, 1e-5), (6, 6, 0.5)):
        X = rng.normal(rng.normal(size=p), 1 + rng.random(p), size=(n, p))
        cases.append((X, 0.5 + rng.random(p), rng.normal(size=p), eps))
    # A unit that never changes, and a negative gamma.
    X = np.column_stack([rng.normal(-3, 1, 5), np.full(5, 2.0), rng.exponential(4, 5)])
    cases.append((X, np.array([-1.5, 0.7, 2.0]), np.array([0.3, -1.0, 0.0]), 0.01))
    return cases


def _rows_instead(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    mean, var = X.mean(axis=1, keepdims=True), X.var(axis=1, keepdims=True)
    y: FloatArray = gamma * (X - mean) / np.sqrt(var + eps) + beta
    return y


def _whole_array(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    y: FloatArray = gamma * (X - X.mean()) / np.sqrt(X.var() + eps) + beta
    return y


def _unbiased(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    y: FloatArray = gamma * (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0, ddof=1) + eps) + beta
    return y


def _eps_outside(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    y: FloatArray = gamma * (X - X.mean(axis=0)) / (X.std(axis=0) + eps) + beta
    return y


def _by_variance(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    y: FloatArray = gamma * (X - X.mean(axis=0)) / (X.var(axis=0) + eps) + beta
    return y


def _shift_scaled(X: FloatArray, gamma: FloatArray, beta: FloatArray, eps: float) -> FloatArray:
    y: FloatArray = gamma * ((X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps) + beta)
    return y


FORWARD = Exercise(
    name="batch_norm.forward",
    title="The forward pass",
    level=1,
    hints=(
        "Every unit, which is a column, gets a mean and a variance of its own, over the rows.",
        "The variance has the divisor n, as `X.var(axis=0)` has, and eps is added to it before "
        "the root is taken.",
    ),
    reference=forward,
    cases=_forward_cases,
    misconceptions=(
        Misconception(
            _rows_instead,
            "You normalize every row over its units: that is layer normalization. Here every "
            "column is normalized over the rows of the batch.",
        ),
        Misconception(
            _whole_array,
            "You use one mean and one variance for all units together; every column has its own.",
        ),
        Misconception(
            _unbiased,
            "You divide by n − 1: the batch itself is normalized with the divisor n; n − 1 belongs "
            "to the running variance.",
        ),
        Misconception(
            _eps_outside,
            "You add eps to the standard deviation: it is added to the variance, inside the root.",
        ),
        Misconception(
            _by_variance,
            "You divide by the variance instead of its root, so that the unit of the feature does "
            "not cancel.",
        ),
        Misconception(
            _shift_scaled,
            "You scale the shift as well: beta is added after the multiplication by gamma.",
        ),
    ),
)


# ------------------------------------------------------------------------------------- predict


def predict(
    X: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> FloatArray:
    """Apply batch normalization in evaluation mode, with eps = 1e-5."""
    y: FloatArray = gamma * (X - running_mean) / np.sqrt(running_var + 1e-5) + beta
    return y


def _predict_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(1, 2, size=(n, p)),
            rng.normal(size=p),
            0.01 + rng.random(p),
            rng.choice([-1.0, 1.0], p) * (0.5 + rng.random(p)),
            rng.normal(size=p),
        )
        for n, p in ((5, 2), (1, 3), (8, 4))
    ]


def _batch_in_evaluation(
    X: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> FloatArray:
    y: FloatArray = gamma * (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-5) + beta
    return y


def _only_the_mean(
    X: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> FloatArray:
    y: FloatArray = gamma * (X - running_mean) / np.sqrt(X.var(axis=0) + 1e-5) + beta
    return y


def _variance_as_deviation(
    X: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> FloatArray:
    y: FloatArray = gamma * (X - running_mean) / (running_var + 1e-5) + beta
    return y


def _without_eps(
    X: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> FloatArray:
    y: FloatArray = gamma * (X - running_mean) / np.sqrt(running_var) + beta
    return y


PREDICT = Exercise(
    name="batch_norm.predict",
    title="Spot the bug: the prediction depends on the company",
    level=1,
    hints=(
        "What does the function return for a batch of one row, whatever the row is?",
        "Nothing that is computed from the other rows of `X` may enter a prediction.",
    ),
    reference=predict,
    cases=_predict_cases,
    misconceptions=(
        Misconception(
            _batch_in_evaluation,
            "That is still the bug: mean and variance come from the rows that happen to be "
            "predicted together. A single row always gives beta.",
        ),
        Misconception(
            _only_the_mean,
            "The mean is the running one now, but the variance still comes from the batch.",
        ),
        Misconception(
            _variance_as_deviation,
            "`running_var` is a variance: divide by its root.",
        ),
        Misconception(
            _without_eps,
            "eps is missing: evaluation adds it to the running variance as training adds it to "
            "that of the batch, or the two modes differ where variances are small.",
        ),
    ),
)


# ------------------------------------------------------------------------------ update_running


def update_running(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    """Return the running statistics after a batch, by the convention of PyTorch."""
    mean = (1 - momentum) * running_mean + momentum * X.mean(axis=0)
    var = (1 - momentum) * running_var + momentum * X.var(axis=0, ddof=1)
    return mean, var


def _update_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(2, 3, size=(n, p)), rng.normal(size=p), 0.5 + rng.random(p), momentum)
        for n, p, momentum in ((4, 2, 0.1), (6, 3, 0.3), (10, 1, 0.9), (5, 6, 0.5))
    ]


def _biased_update(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    mean, _ = update_running(X, running_mean, running_var, momentum)
    return mean, (1 - momentum) * running_var + momentum * X.var(axis=0)


def _momentum_reversed(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    return update_running(X, running_mean, running_var, 1 - momentum)


def _both_wrong(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    return _biased_update(X, running_mean, running_var, 1 - momentum)


def _average_deviations(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    mean, _ = update_running(X, running_mean, running_var, momentum)
    deviation = (1 - momentum) * np.sqrt(running_var) + momentum * X.std(axis=0, ddof=1)
    return mean, deviation**2


def _added_on_top(
    X: FloatArray, running_mean: FloatArray, running_var: FloatArray, momentum: float
) -> tuple[FloatArray, FloatArray]:
    return (
        running_mean + momentum * X.mean(axis=0),
        running_var + momentum * X.var(axis=0, ddof=1),
    )


UPDATE_RUNNING = Exercise(
    name="batch_norm.update_running",
    title="The running statistics",
    level=2,
    hints=(
        "`momentum` is the weight of the new value here; the old one gets the rest.",
        "The running variance is to estimate the variance of all rows, not only to describe the "
        "batch: which divisor is unbiased?",
    ),
    reference=update_running,
    cases=_update_cases,
    misconceptions=(
        Misconception(
            _biased_update,
            "Your running variance is biased: the batch is normalized with the divisor n, but what "
            "is stored has n − 1, since evaluation needs an estimate for all rows.",
        ),
        Misconception(
            _momentum_reversed,
            "Your momentum is the wrong way round: that is the convention of Keras, where it "
            "weighs the old value. With 0.1 you would nearly forget everything but the last batch.",
        ),
        Misconception(
            _both_wrong,
            "Two things: the momentum weighs the new value here, and the stored variance has the "
            "divisor n − 1.",
        ),
        Misconception(
            _average_deviations,
            "You average standard deviations: the running quantity is the variance.",
        ),
        Misconception(
            _added_on_top,
            "The old value must lose what the new one gains: without the factor 1 − momentum the "
            "sums grow forever.",
        ),
    ),
)


# ------------------------------------------------------------------------------------ backward


def backward(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the gradients for the input, for gamma and for beta."""
    inv_std = 1 / np.sqrt(X.var(axis=0) + eps)
    x_hat = (X - X.mean(axis=0)) * inv_std
    grad_beta, grad_gamma = G.sum(axis=0), (G * x_hat).sum(axis=0)
    grad_x = gamma * inv_std * (G - grad_beta / len(X) - x_hat * grad_gamma / len(X))
    return grad_x, grad_gamma, grad_beta


def _backward_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(size=(n, p)),
            rng.normal(1, 2, size=(n, p)),
            rng.choice([-1.0, 1.0], p) * (0.5 + rng.random(p)),
            eps,
        )
        for n, p, eps in ((4, 1, 1e-5), (5, 3, 0.1), (8, 2, 1e-3), (6, 5, 0.01))
    ]


def _constants(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    _, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    return gamma * G / np.sqrt(X.var(axis=0) + eps), grad_gamma, grad_beta


def _variance_constant(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    _, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    inv_std = 1 / np.sqrt(X.var(axis=0) + eps)
    return gamma * inv_std * (G - G.mean(axis=0)), grad_gamma, grad_beta


def _mean_constant(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    grad_x, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    inv_std = 1 / np.sqrt(X.var(axis=0) + eps)
    return grad_x + gamma * inv_std * G.mean(axis=0), grad_gamma, grad_beta


def _gamma_forgotten(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    grad_x, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    return grad_x / gamma, grad_gamma, grad_beta


def _averaged_parameters(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    grad_x, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    return grad_x, grad_gamma / len(X), grad_beta / len(X)


def _gamma_from_raw_input(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    grad_x, _, grad_beta = backward(G, X, gamma, eps)
    return grad_x, (G * X).sum(axis=0), grad_beta


def _gamma_and_beta_exchanged(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    grad_x, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    return grad_x, grad_beta, grad_gamma


def _sums_for_means(
    G: FloatArray, X: FloatArray, gamma: FloatArray, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    _, grad_gamma, grad_beta = backward(G, X, gamma, eps)
    inv_std = 1 / np.sqrt(X.var(axis=0) + eps)
    x_hat = (X - X.mean(axis=0)) * inv_std
    return gamma * inv_std * (G - grad_beta - x_hat * grad_gamma), grad_gamma, grad_beta


BACKWARD = Exercise(
    name="batch_norm.backward",
    title="The backward pass",
    level=3,
    hints=(
        "An input reaches the loss on three roads: through its own normalized value, through the "
        "mean of the batch and through its variance.",
        "Write x̂ for the normalized input. The gradient for gamma is the sum of G times x̂ over "
        "the rows, that for beta the sum of G.",
        "For the input, subtract from G its mean and x̂ times the mean of G times x̂; then multiply "
        "by gamma and divide by the standard deviation.",
    ),
    reference=backward,
    cases=_backward_cases,
    misconceptions=(
        Misconception(
            _constants,
            "You treat mean and variance as constants. They depend on every row: two terms are "
            "missing, which remove from the gradient its mean and its part along x̂.",
        ),
        Misconception(
            _variance_constant,
            "You treat the variance as a constant: the term with x̂ is missing, so that scaling all "
            "inputs seems to change the output.",
        ),
        Misconception(
            _mean_constant,
            "You treat the mean as a constant: your gradient does not sum to zero over the rows, "
            "though adding a constant to all inputs changes nothing.",
        ),
        Misconception(
            _gamma_forgotten,
            "The gradient for the input lacks the factor gamma: the output is gamma times x̂.",
        ),
        Misconception(
            _averaged_parameters,
            "Your gradients for gamma and beta are means over the rows: every row adds to the "
            "loss, so they are sums. (G already contains the 1/n of a mean loss.)",
        ),
        Misconception(
            _gamma_from_raw_input,
            "gamma multiplies the normalized input, so its gradient needs x̂ and not the input.",
        ),
        Misconception(
            _gamma_and_beta_exchanged,
            "The gradients for gamma and beta are exchanged: that for gamma comes first.",
        ),
        Misconception(
            _sums_for_means,
            "In the gradient for the input you subtract sums over the rows where means belong: "
            "each row has a share of 1/n in the mean and the variance.",
        ),
    ),
)


# ---------------------------------------------------------------------------------------- fold


def fold(
    weight: FloatArray,
    bias: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return weight and bias of one layer that does what linear layer and batch norm did."""
    scale = gamma / np.sqrt(running_var + 1e-5)
    return scale[:, None] * weight, scale * (bias - running_mean) + beta


def _fold_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(size=(p, k)),
            rng.normal(size=p),
            rng.normal(size=p),
            0.3 + rng.random(p),
            rng.choice([-1.0, 1.0], p) * (0.5 + rng.random(p)),
            rng.normal(size=p),
        )
        for p, k in ((2, 2), (3, 3), (4, 4), (3, 1))
    ]


def _fold_columns(
    weight: FloatArray,
    bias: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    scale = gamma / np.sqrt(running_var + 1e-5)
    return scale * weight, scale * (bias - running_mean) + beta


def _fold_old_bias(
    weight: FloatArray,
    bias: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    scale = gamma / np.sqrt(running_var + 1e-5)
    return scale[:, None] * weight, bias - scale * running_mean + beta


def _fold_without_bias(
    weight: FloatArray,
    bias: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    scale = gamma / np.sqrt(running_var + 1e-5)
    return scale[:, None] * weight, beta - scale * running_mean


def _fold_mean_unscaled(
    weight: FloatArray,
    bias: FloatArray,
    running_mean: FloatArray,
    running_var: FloatArray,
    gamma: FloatArray,
    beta: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    scale = gamma / np.sqrt(running_var + 1e-5)
    return scale[:, None] * weight, scale * bias - running_mean + beta


FOLD = Exercise(
    name="batch_norm.fold",
    title="Make the layer disappear",
    level=2,
    hints=(
        "In evaluation mode the layer multiplies each unit by a constant and adds a constant.",
        "Insert the output of the linear layer, `weight @ x + bias`, and collect what multiplies x "
        "and what does not.",
        "Each unit is a *row* of `weight`: `scale[:, None] * weight`.",
    ),
    reference=fold,
    cases=_fold_cases,
    misconceptions=(
        Misconception(
            _fold_columns,
            "You scale the columns of the weight, which belong to the inputs; the units that were "
            "normalized are its rows.",
        ),
        Misconception(
            _fold_old_bias,
            "The old bias goes through the normalization like the rest of the unit: it is scaled "
            "as well.",
        ),
        Misconception(
            _fold_without_bias,
            "You drop the old bias. The running mean contains it, so that the two cancel: without "
            "the bias the running mean takes away something that was never added.",
        ),
        Misconception(
            _fold_mean_unscaled,
            "The running mean is subtracted before the scaling, so it is scaled as well.",
        ),
    ),
)


# ---------------------------------------------------------------------------------- same_steps


def same_steps(
    gradient: FloatArray, learning_rate: float, factor: float
) -> tuple[FloatArray, float]:
    """Return the gradient at the scaled weights and the learning rate of the same step."""
    return gradient / factor, learning_rate * factor**2


def _same_steps_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=4), 0.1, 2.0),
        (rng.normal(size=(2, 3)), 0.5, 0.25),
        (rng.normal(size=3), 0.01, 10.0),
    ]


def _gradient_unchanged(
    gradient: FloatArray, learning_rate: float, factor: float
) -> tuple[FloatArray, float]:
    return gradient, learning_rate * factor


def _gradient_grows(
    gradient: FloatArray, learning_rate: float, factor: float
) -> tuple[FloatArray, float]:
    return gradient * factor, learning_rate


def _rate_once(
    gradient: FloatArray, learning_rate: float, factor: float
) -> tuple[FloatArray, float]:
    return gradient / factor, learning_rate * factor


def _rate_inverted(
    gradient: FloatArray, learning_rate: float, factor: float
) -> tuple[FloatArray, float]:
    return gradient / factor, learning_rate / factor**2


SAME_STEPS = Exercise(
    name="batch_norm.same_steps",
    title="Derive the effective learning rate",
    level=2,
    hints=(
        "Differentiate both sides of f(a w) = f(w) with respect to w; the chain rule gives a "
        "factor on the left.",
        "The step of the scaled weights must be the old step times the factor, for the direction "
        "to change by the same angle.",
    ),
    reference=same_steps,
    cases=_same_steps_cases,
    misconceptions=(
        Misconception(
            _gradient_unchanged,
            "The function is the same, but its gradient is not: on a larger sphere the same change "
            "is spread over a longer way, so the gradient is smaller.",
        ),
        Misconception(
            _gradient_grows,
            "Upside down: by the chain rule a times the gradient at a·w is the gradient at w.",
        ),
        Misconception(
            _rate_once,
            "With that learning rate the step is as long as before. But the weights are longer by "
            "the factor, and so the step must be: one more factor.",
        ),
        Misconception(
            _rate_inverted,
            "Upside down: longer weights have a smaller gradient and need a longer step, so the "
            "learning rate must grow.",
        ),
    ),
)


# ------------------------------------------------------------------------------ variance_ratio


def variance_ratio(mean: float, variance: float, keep: float) -> float:
    """Return the variance in evaluation over that in training, after inverted dropout."""
    return variance / ((variance + mean**2) / keep - mean**2)


def _ratio_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.0, 1.0, 0.5), (0.8, 0.5, 0.7), (-2.0, 1.5, 0.9)]


def _only_keep(mean: float, variance: float, keep: float) -> float:
    return keep


def _drop_for_keep(mean: float, variance: float, keep: float) -> float:
    return variance_ratio(mean, variance, 1 - keep) if keep != 0.5 else 0.5


def _training_over_evaluation(mean: float, variance: float, keep: float) -> float:
    return 1 / variance_ratio(mean, variance, keep)


def _not_rescaled(mean: float, variance: float, keep: float) -> float:
    return variance / (keep * (variance + mean**2) - keep**2 * mean**2)


def _second_moment(mean: float, variance: float, keep: float) -> float:
    return variance / ((variance + mean**2) / keep)


VARIANCE_RATIO = Exercise(
    name="batch_norm.variance_ratio",
    title="Derive the variance shift",
    level=2,
    hints=(
        "In training the value is x·m/keep, where m is 1 with probability keep and else 0. Its "
        "mean is that of x.",
        "Compute the mean of the square first: m² = m, so it is that of x² divided by keep.",
        "The variance is the mean of the square minus the square of the mean.",
    ),
    reference=variance_ratio,
    cases=_ratio_cases,
    misconceptions=(
        Misconception(
            _only_keep,
            "That is right for units of mean zero. Otherwise switching a unit off also removes its "
            "mean, which adds variance.",
        ),
        Misconception(
            _drop_for_keep,
            "`keep` is the probability to keep a unit, not to drop it.",
        ),
        Misconception(
            _training_over_evaluation,
            "Upside down: the variance in evaluation, the smaller one, belongs into the numerator.",
        ),
        Misconception(
            _not_rescaled,
            "You forget that inverted dropout divides by `keep` in training; the variance is "
            "divided by its square.",
        ),
        Misconception(
            _second_moment,
            "You use the mean of the square as the variance in training: subtract the square of "
            "the mean.",
        ),
    ),
)


# -------------------------------------------------------------------------------------- clip


def clip_together(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    """Shorten all gradients by one common factor if together they are too long."""
    norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients))
    return [g * min(1.0, max_norm / norm) for g in gradients]


def _clip_cases(rng: np.random.Generator) -> list[Case]:
    return [
        ([np.array([3.0, 0.5]), np.array([[4.0]])], 1.0),
        ([rng.normal(size=3), rng.normal(size=(2, 2)), 5 * rng.normal(size=1)], 2.0),
        ([0.1 * rng.normal(size=2), 0.1 * rng.normal(size=3)], 5.0),
        ([-3 * rng.random((3, 2)), np.array([0.5])], 1.5),
    ]


def _each_alone(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    return [g * min(1.0, max_norm / float(np.sqrt(np.sum(g**2)))) for g in gradients]


def _by_value(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    return [np.clip(g, -max_norm, max_norm) for g in gradients]


def _always_scaled(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients))
    return [g * (max_norm / norm) for g in gradients]


def _no_root(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    norm = sum(float(np.sum(g**2)) for g in gradients)
    return [g * min(1.0, max_norm / norm) for g in gradients]


def _sum_of_norms(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    norm = sum(float(np.sqrt(np.sum(g**2))) for g in gradients)
    return [g * min(1.0, max_norm / norm) for g in gradients]


def _root_mean_square(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    size = sum(g.size for g in gradients)
    norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients) / size)
    return [g * min(1.0, max_norm / norm) for g in gradients]


def _largest_of_norms(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    norm = max(float(np.sqrt(np.sum(g**2))) for g in gradients)
    return [g * min(1.0, max_norm / norm) for g in gradients]


def _spectral_norms(gradients: list[FloatArray], max_norm: float) -> list[FloatArray]:
    norm = np.sqrt(sum(float(np.linalg.norm(g, 2)) ** 2 for g in gradients))
    return [g * min(1.0, max_norm / norm) for g in gradients]


CLIP_TOGETHER = Exercise(
    name="batch_norm.clip_together",
    title="Clip gradients by their common norm",
    level=2,
    hints=(
        "Think of all gradients as one long vector: its squared length is the sum of all squares.",
        "Gradients that are short enough stay as they are: the factor is at most 1.",
    ),
    reference=clip_together,
    cases=_clip_cases,
    rtol=1e-5,  # PyTorch adds 1e-6 to the norm
    misconceptions=(
        Misconception(
            _each_alone,
            "You clip each array by its own norm, as Keras' `clipnorm` does: the direction of the "
            "whole step changes. One common factor keeps it.",
        ),
        Misconception(
            _by_value,
            "That is clipping by value, element by element: it changes the direction.",
        ),
        Misconception(
            _always_scaled,
            "You also lengthen short gradients: near a minimum all steps would have the same "
            "length, and the training would never settle.",
        ),
        Misconception(
            _no_root,
            "The norm is the root of the sum of squares; the root is missing.",
        ),
        Misconception(
            _sum_of_norms,
            "You add the norms of the arrays. The norm of all together is the root of the sum of "
            "their squares, which is smaller.",
        ),
        Misconception(
            _root_mean_square,
            "You take the root of the *mean* square: a norm is the root of the sum.",
        ),
        Misconception(
            _largest_of_norms,
            "You clip by the longest of the arrays; the norm of all together is longer.",
        ),
        Misconception(
            _spectral_norms,
            "`np.linalg.norm(g, 2)` of a matrix is its largest singular value; here all elements "
            "count, as in one long vector.",
        ),
    ),
)


# ------------------------------------------------------------------------------------ iterations


def iterations_needed() -> int:
    """Count the power iterations until the estimate is within a thousandth."""
    matrix, v = np.diag([1.0, 0.95]), np.array([1.0, 1.0]) / np.sqrt(2)
    for count in range(1, 10_000):
        u = matrix @ v / np.linalg.norm(matrix @ v)
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
        if u @ matrix @ v > 0.999:
            return count
    raise RuntimeError("the iteration did not converge")


def _vector_converged() -> int:
    matrix, v = np.diag([1.0, 0.95]), np.array([1.0, 1.0]) / np.sqrt(2)
    for count in range(1, 10_000):
        u = matrix @ v / np.linalg.norm(matrix @ v)
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
        if 1 - v[0] < 0.001:
            return count
    raise RuntimeError("the iteration did not converge")


ITERATIONS_NEEDED = Exercise(
    name="batch_norm.iterations_needed",
    title="How many power iterations?",
    level=3,
    hints=(
        "Use `power_iteration` with one iteration at a time, starting each time from the last v.",
        "Its estimate approaches 1 from below; count until it first exceeds 0.999.",
    ),
    reference=iterations_needed,
    misconceptions=(
        Misconception(
            lambda: 1,
            "One iteration is enough *in training*, where the weights hardly change from step to "
            "step and the vector is kept. From a start in between, with two singular values so "
            "close, it is not.",
        ),
        Misconception(
            _vector_converged,
            "You waited until the vector was within a thousandth. The estimate is there sooner: "
            "where two singular values are close, a wrong direction costs little.",
        ),
        Misconception(
            lambda: iterations_needed() - 1,
            "One short: count the iteration that brings the estimate above 0.999, too.",
        ),
        Misconception(
            lambda: 2 * iterations_needed(),
            "You count multiplications with the matrix; an iteration has two of them.",
        ),
        Misconception(
            lambda: iterations_needed() + 1,
            "One too many: the estimate has exceeded 0.999 already after the iteration before.",
        ),
        Misconception(
            lambda: math.ceil(math.log(0.001) / math.log(0.95**4)),
            "You ask when 0.95 to the power 4k has fallen to a thousandth. That is the wrong part "
            "of the vector, squared; the estimate is short by only 1 − 0.95 times that.",
        ),
        Misconception(
            lambda: math.ceil(math.log(0.001) / math.log(0.95**2)),
            "That is how long the *vector* needs by the rate 0.95². An iteration multiplies twice, "
            "and the error of the estimate is squared.",
        ),
        Misconception(
            lambda: math.ceil(math.log(0.001 / 0.025) / math.log(0.95**4)),
            "You let the error fall from 0.025, its value at the start, with the final rate. As "
            "long as both parts are about as large it falls more slowly: run and count.",
        ),
    ),
)


EXERCISES = (
    FORWARD,
    PREDICT,
    UPDATE_RUNNING,
    FOLD,
    SAME_STEPS,
    VARIANCE_RATIO,
    CLIP_TOGETHER,
    BACKWARD,
    ITERATIONS_NEEDED,
)
