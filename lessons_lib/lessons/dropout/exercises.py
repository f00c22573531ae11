"""Exercises of the lesson on dropout."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


# ---------------------------------------------------------------------------------- both_modes


def both_modes(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    """Return the training output of inverted dropout and the test output of standard dropout."""
    return h * mask / (1 - p), h * (1 - p)


def _both_modes_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([0.5, 0.2, 0.3, 0.4, 0.7]), np.array([True, False, True, False, True]), 0.4),
        (rng.normal(size=6), rng.random(6) < 0.8, 0.2),
        (rng.normal(size=(2, 4)), rng.random((2, 4)) < 0.3, 0.7),
    ]


def _rate_as_keep(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    return h * mask / p, h * p


def _scaled_down(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    return h * mask * (1 - p), h * (1 - p)


def _scaled_twice(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    return h * mask / (1 - p), h / (1 - p)


def _by_the_count(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    return h * mask / mask.mean(), h * (1 - p)


def _dropped_kept(h: FloatArray, mask: BoolArray, p: float) -> tuple[FloatArray, FloatArray]:
    return h * ~mask / (1 - p), h * (1 - p)


BOTH_MODES = Exercise(
    name="dropout.both_modes",
    title="Two ways to scale",
    level=1,
    hints=(
        "A unit is kept with probability 1 − p. By what must the survivors be divided, so that "
        "their mean is the old value?",
        "The standard form does nothing in training; at test time every unit is multiplied by "
        "the probability with which it was there.",
    ),
    reference=both_modes,
    cases=_both_modes_cases,
    misconceptions=(
        Misconception(
            _rate_as_keep,
            "You take p for the probability to keep; here it is the probability to drop.",
        ),
        Misconception(
            _scaled_down,
            "In training you make the survivors smaller. They must grow, to stand in for those "
            "that are missing.",
        ),
        Misconception(
            _scaled_twice,
            "At test time all units are there: the standard form makes them smaller, not larger.",
        ),
        Misconception(
            _by_the_count,
            "You divide by the part that this mask happens to keep. Dropout divides by its "
            "expectation, 1 − p, so that the rule is the same for every mask.",
        ),
        Misconception(
            _dropped_kept,
            "Your mask is upside down: True means that a unit is kept.",
        ),
    ),
)


# ---------------------------------------------------------------------------- drop_probability


def drop_probability(convention: str, value: float) -> float:
    """Return the probability to drop that a convention's number means."""
    keeps = {"tensorflow 1 keep_prob", "p of Srivastava et al."}
    return 1 - value if convention in keeps else value


def _drop_probability_cases(rng: np.random.Generator) -> list[Case]:
    names = (
        "torch.nn.Dropout p",
        "keras.layers.Dropout rate",
        "tensorflow 1 keep_prob",
        "p of Srivastava et al.",
    )
    return [(name, value) for name in names for value in (0.8, 0.1)]


def _all_drop(convention: str, value: float) -> float:
    return value


def _all_keep(convention: str, value: float) -> float:
    return 1 - value


def _only_tensorflow(convention: str, value: float) -> float:
    return 1 - value if "keep" in convention else value


def _p_is_p(convention: str, value: float) -> float:
    return value if "keras" in convention else 1 - value


DROP_PROBABILITY = Exercise(
    name="dropout.drop_probability",
    title="Drop or keep?",
    level=1,
    hints=(
        "Two of the four numbers are the probability that a unit stays.",
        "The conventions box says which.",
    ),
    reference=drop_probability,
    cases=_drop_probability_cases,
    misconceptions=(
        Misconception(
            _all_drop,
            "You read all four as the probability to drop; two of them say how likely a unit is "
            "to stay.",
        ),
        Misconception(
            _all_keep,
            "You read all four as the probability to keep; PyTorch and Keras give the probability "
            "to drop.",
        ),
        Misconception(
            _only_tensorflow,
            "In the paper p is the probability that a unit is *retained*: its p = 0.8 for inputs "
            "drops 20 %.",
        ),
        Misconception(
            _p_is_p,
            "PyTorch's p is not the paper's p: PyTorch's is the probability to drop.",
        ),
    ),
)


# ----------------------------------------------------------------------------- what_arrives


def what_arrives(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    """Return mean and variance of a weighted sum of units under inverted dropout."""
    return float(w @ h), float(p / (1 - p) * np.sum((w * h) ** 2))


def _what_arrives_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.ones(4), np.ones(4), 0.5),
        (rng.normal(size=5), rng.normal(size=5), 0.2),
        (rng.normal(size=7), rng.normal(size=7), 0.8),
        (np.array([1.0, -2.0, 0.5]), np.array([2.0, 3.0, 0.0]), 0.6),
    ]


def _standard_variance(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    return float(w @ h), float(p * (1 - p) * np.sum((w * h) ** 2))


def _one_mask_for_all(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    return float(w @ h), float(p / (1 - p) * (w @ h) ** 2)


def _odds_inverted(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    return float(w @ h), float((1 - p) / p * np.sum((w * h) ** 2))


def _mean_scaled(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    return float((1 - p) * (w @ h)), float(p / (1 - p) * np.sum((w * h) ** 2))


def _standard_deviation(w: FloatArray, h: FloatArray, p: float) -> tuple[float, float]:
    return float(w @ h), float(np.sqrt(p / (1 - p) * np.sum((w * h) ** 2)))


WHAT_ARRIVES = Exercise(
    name="dropout.what_arrives",
    title="Derive what arrives downstream",
    level=2,
    hints=(
        "A mask has variance p(1 − p). What does the division by 1 − p make of it?",
        "The masks of different units are independent, so the variances of the terms add up.",
    ),
    reference=what_arrives,
    cases=_what_arrives_cases,
    misconceptions=(
        Misconception(
            _standard_variance,
            "p(1 − p) is the variance of the mask itself. Inverted dropout divides the mask by "
            "1 − p, and the variance by its square.",
        ),
        Misconception(
            _one_mask_for_all,
            "You square the sum: that would be right if all units fell together. Each has a mask "
            "of its own, so sum the squares.",
        ),
        Misconception(
            _odds_inverted,
            "Your odds are upside down: without dropout, at p = 0, there must be no variance.",
        ),
        Misconception(
            _mean_scaled,
            "That is the mean of the standard form; the inverted form keeps the mean.",
        ),
        Misconception(
            _standard_deviation,
            "You return the standard deviation; the variance was asked for.",
        ),
    ),
    equivalent_mutants={
        "w, h → h, w": "Both only enter as their product.",
    },
)


# --------------------------------------------------------------------------------- drop_units


def drop_units(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    """Apply inverted dropout; a unit is dropped where its uniform number is below p."""
    if not training:
        return x
    return x * (uniforms >= p) / (1 - p)


def _drop_units_cases(rng: np.random.Generator) -> list[Case]:
    on_the_border = np.array([[0.25, 0.1, 0.75], [0.3, 0.25, 0.0]])  # 0.25 is not below 0.25
    return [
        (rng.normal(size=(4, 3)), 0.5, True, rng.random((4, 3))),
        (rng.normal(size=(5, 6)), 0.2, True, rng.random((5, 6))),
        (rng.normal(size=(3, 4)), 0.5, False, rng.random((3, 4))),
        (rng.normal(size=(2, 3)), 0.25, True, on_the_border),
        (rng.normal(size=(2, 3)), 0.8, False, on_the_border),
    ]


def _as_published(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    return np.asarray(x * (uniforms[0] >= p) / (1 - p))


def _never_off(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    return x * (uniforms >= p) / (1 - p)


def _same_row(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    return x * (uniforms[0] >= p) / (1 - p) if training else x


def _keeps_p(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    return x * (uniforms < p) / (1 - p) if training else x


def _scales_at_test(x: FloatArray, p: float, training: bool, uniforms: FloatArray) -> FloatArray:
    return x * (uniforms >= p) / (1 - p) if training else x * (1 - p)


DROP_UNITS = Exercise(
    name="dropout.drop_units",
    title="Spot the bugs: one mask, always",
    level=2,
    hints=(
        "What does the function do with `training`?",
        "How many masks does it draw for a batch of 100 rows?",
        "`uniforms` already has a number for every row and unit; do not index it.",
    ),
    reference=drop_units,
    cases=_drop_units_cases,
    misconceptions=(
        Misconception(
            _as_published,
            "Both bugs are still there: all rows share one mask, and units fall at test time too.",
        ),
        Misconception(
            _never_off,
            "The masks are right now, but units still fall at test time: look at `training`.",
        ),
        Misconception(
            _same_row,
            "All rows still share the mask of the first one.",
        ),
        Misconception(
            _keeps_p,
            "You keep the units whose number is below p, so that p is the probability to keep; "
            "the scale no longer fits.",
        ),
        Misconception(
            _scales_at_test,
            "You scale twice: the division in training already keeps the mean, so that the test "
            "output is x as it is.",
        ),
    ),
)


# --------------------------------------------------------------------------------- thin_layer


def thin_layer(
    x: FloatArray, W: FloatArray, b: FloatArray, mask: BoolArray, p: float
) -> FloatArray:
    """Return the output of a linear layer whose inputs go through inverted dropout."""
    return (x * mask / (1 - p)) @ W.T + b


def _thin_layer_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(size=(n, k)),
            rng.normal(size=(m, k)),
            rng.normal(size=m),
            rng.random((n, k)) >= p,
            p,
        )
        for n, k, m, p in ((3, 4, 2, 0.5), (5, 3, 4, 0.2), (2, 6, 3, 0.7))
    ]


def _after_the_bias(
    x: FloatArray, W: FloatArray, b: FloatArray, mask: BoolArray, p: float
) -> FloatArray:
    return ((x * mask) @ W.T + b) / (1 - p)


def _not_scaled(
    x: FloatArray, W: FloatArray, b: FloatArray, mask: BoolArray, p: float
) -> FloatArray:
    return (x * mask) @ W.T + b


def _bias_scaled_down(
    x: FloatArray, W: FloatArray, b: FloatArray, mask: BoolArray, p: float
) -> FloatArray:
    return (x * mask / (1 - p)) @ W.T + b * (1 - p)


def _mask_left_out(
    x: FloatArray, W: FloatArray, b: FloatArray, mask: BoolArray, p: float
) -> FloatArray:
    return (x / (1 - p)) @ W.T + b


THIN_LAYER = Exercise(
    name="dropout.thin_layer",
    title="Spot the bug: the mean is wrong",
    level=2,
    hints=(
        "Average the function's output over all masks and compare it with the layer without "
        "dropout. Which term is off?",
        "The bias is never dropped, so that it needs no compensation.",
    ),
    reference=thin_layer,
    cases=_thin_layer_cases,
    misconceptions=(
        Misconception(
            _after_the_bias,
            "That is still the bug: the bias, which is never dropped, is divided by 1 − p with the "
            "rest.",
        ),
        Misconception(
            _not_scaled,
            "Now nothing is scaled: the mean of the weighted sum is too small by the factor 1 − p.",
        ),
        Misconception(
            _bias_scaled_down,
            "The bias needs no factor at all: it is there in training and at test time.",
        ),
        Misconception(
            _mask_left_out,
            "You scale all units and drop none.",
        ),
    ),
)


# ------------------------------------------------------------------------------ back_through


def back_through(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    """Return the gradients for the weights and for x of ``(x * mask / (1 - p)) @ W.T``."""
    scale = mask / (1 - p)
    return grad.T @ (x * scale), (grad @ W) * scale


def _back_through_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(size=(n, m)),
            rng.normal(size=(n, k)),
            rng.normal(size=(m, k)),
            rng.random((n, k)) >= p,
            p,
        )
        for n, k, m, p in ((4, 3, 2, 0.5), (6, 4, 3, 0.25))
    ]


def _mask_ignored(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ (x * mask / (1 - p)), grad @ W


def _mask_ignored_in_both(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ x, (grad @ W) * mask / (1 - p)


def _scale_forgotten(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ (x * mask / (1 - p)), (grad @ W) * mask


def _only_the_scale(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ (x * mask / (1 - p)), (grad @ W) / (1 - p)


def _as_printed(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ x, grad @ W


def _scale_forgotten_in_both(
    grad: FloatArray, x: FloatArray, W: FloatArray, mask: BoolArray, p: float
) -> tuple[FloatArray, FloatArray]:
    return grad.T @ (x * mask), (grad @ W) * mask


BACK_THROUGH = Exercise(
    name="dropout.back_through",
    title="Spot the bug: back through the mask",
    level=2,
    hints=(
        "The forward pass multiplies each element of x by a number. What is the derivative of "
        "that?",
        "The weights have met the thinned input, so that the thinned input stands in their "
        "gradient.",
    ),
    reference=back_through,
    cases=_back_through_cases,
    misconceptions=(
        Misconception(
            _as_printed,
            "That is the printed function: x reached the output only through the mask and its "
            "scale, so both gradients contain them.",
        ),
        Misconception(
            _mask_ignored,
            "The gradient for x passes through dropped units: they had no part in the output, so "
            "that theirs is zero, and the others are scaled.",
        ),
        Misconception(
            _mask_ignored_in_both,
            "The weights never saw x, but x times the mask, scaled: use that in their gradient.",
        ),
        Misconception(
            _scale_forgotten,
            "You apply the mask to the gradient for x but forget the division by 1 − p.",
        ),
        Misconception(
            _only_the_scale,
            "You scale the gradient for x but let it through dropped units.",
        ),
        Misconception(
            _scale_forgotten_in_both,
            "You apply the mask in both gradients but forget the division by 1 − p.",
        ),
    ),
)


# --------------------------------------------------------------------------- average_networks


def average_networks(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    """Return the normalized geometric mean of a softmax layer's subnetworks, by enumeration."""
    log_mean = np.zeros(len(b))
    for mask in itertools.product((0, 1), repeat=len(x)):
        kept = sum(mask)
        probability = (1 - p) ** kept * p ** (len(x) - kept)
        logits = W @ (x * np.array(mask)) + b
        log_mean += probability * (logits - np.log(np.exp(logits).sum()))
    mean = np.exp(log_mean)
    return np.asarray(mean / mean.sum())


def _average_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=k), 2 * rng.normal(size=(m, k)), rng.normal(size=m), p)
        for k, m, p in ((4, 3, 0.5), (6, 2, 0.2), (3, 5, 0.7))
    ]


def _softmax(logits: FloatArray) -> FloatArray:
    exponentials = np.exp(logits - logits.max())
    return np.asarray(exponentials / exponentials.sum())


def _arithmetic(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    mean = np.zeros(len(b))
    for mask in itertools.product((0, 1), repeat=len(x)):
        probability = (1 - p) ** sum(mask) * p ** (len(x) - sum(mask))
        mean += probability * _softmax(W @ (x * np.array(mask)) + b)
    return mean


def _all_equally_likely(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return average_networks(x, W, b, 0.5)


def _whole_network(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return _softmax(W @ x + b)


def _kept_and_dropped(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return average_networks(x, W, b, 1 - p)


def _not_normalized(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    log_mean = np.zeros(len(b))
    for mask in itertools.product((0, 1), repeat=len(x)):
        probability = (1 - p) ** sum(mask) * p ** (len(x) - sum(mask))
        log_mean += probability * np.log(_softmax(W @ (x * np.array(mask)) + b))
    return np.exp(log_mean)


def _bias_scaled(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return _softmax((1 - p) * (W @ x + b))


def _exponentials(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return np.exp((1 - p) * W @ x + b)


def _scaled_up(x: FloatArray, W: FloatArray, b: FloatArray, p: float) -> FloatArray:
    return _softmax(W @ x / (1 - p) + b)


AVERAGE_NETWORKS = Exercise(
    name="dropout.average_networks",
    title="Average all subnetworks",
    level=3,
    hints=(
        "The logarithm of a weighted geometric mean is the weighted mean of the logarithms.",
        "A mask that keeps k of n inputs has the probability (1 − p)ᵏ pⁿ⁻ᵏ.",
        "Enumerate with `itertools.product((0, 1), repeat=len(x))`, or find out why "
        "`softmax(W @ ((1 - p) * x) + b)` is the same.",
    ),
    reference=average_networks,
    cases=_average_cases,
    misconceptions=(
        Misconception(
            _arithmetic,
            "That is the arithmetic mean of the probabilities; average their logarithms.",
        ),
        Misconception(
            _all_equally_likely,
            "You weigh all masks alike, which is right for p = 0.5 only.",
        ),
        Misconception(
            _whole_network,
            "Those are the probabilities of the whole network with unscaled inputs: its logits "
            "are too large. (If you enumerate, do not divide the kept inputs by 1 − p: in the "
            "standard form nothing is scaled in training.)",
        ),
        Misconception(
            _kept_and_dropped,
            "You exchange keeping and dropping: p is the probability to drop.",
        ),
        Misconception(
            _not_normalized,
            "A geometric mean of probabilities sums to less than 1; divide by the sum.",
        ),
        Misconception(
            _bias_scaled,
            "You scale the bias as well: masks fall on the inputs, and the bias is always there.",
        ),
        Misconception(_exponentials, "Those are no probabilities yet: divide them by their sum."),
        Misconception(
            _scaled_up,
            "You divide by 1 − p, as inverted dropout does in training. Here nothing is scaled in "
            "training, so the mean logits are those of inputs times 1 − p.",
        ),
    ),
    equivalent_mutants=dict.fromkeys(
        (
            "np.log(np.exp(logits).sum()) → np.log2(np.exp(logits).sum())",
            "np.log(np.exp(logits).sum()) → np.log10(np.exp(logits).sum())",
            "np.exp(logits).sum() → np.mean(np.exp(logits))",
            "np.exp(logits).sum() → np.max(np.exp(logits))",
            "logits - np.log(np.exp(logits).sum()) → logits + np.log(np.exp(logits).sum())",
            "logits - np.log(np.exp(logits).sum()) → logits",
            "np.log(np.exp(logits).sum()) → np.log(np.exp(logits)).sum()",
            "np.exp(logits).sum() → np.exp(logits.sum())",
            (
                "probability * (logits - np.log(np.exp(logits).sum()))"
                " → probability * logits - np.log(np.exp(logits).sum())"
            ),
        ),
        "What is lost is the same for all classes, and the normalization takes it away.",
    ),
)


# ----------------------------------------------------------------------------- dropout_ridge


def dropout_ridge(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    """Minimize the expected squared error of linear regression with dropout on its inputs."""
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * np.diag(np.diag(gram)), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _dropout_ridge_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(1, [1, 3, 0.3], size=(12, 3)), rng.normal(size=12), 0.5),
        (rng.normal(-1, 2, size=(20, 5)), rng.normal(size=20), 0.2),
        (rng.normal(0.5, 1, size=(8, 4)), rng.normal(size=8), 0.8),
    ]


def _plain_ridge(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * len(y) * np.eye(X.shape[1]), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _ridge_of_odds(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * np.eye(X.shape[1]), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _lengths(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * np.diag(np.linalg.norm(X, axis=0)), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _rate_itself(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p * np.diag(np.diag(gram)), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _odds_of_keeping(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    return dropout_ridge(X, y, 1 - p)


def _variance_instead(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * len(y) * np.diag(X.var(axis=0)), X.T @ y)
    return np.asarray(w, dtype=np.float64)


def _standard_form(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    return dropout_ridge(X, y, p) / (1 - p)


def _mean_of_the_rows(X: FloatArray, y: FloatArray, p: float) -> FloatArray:
    gram = X.T @ X
    w = np.linalg.solve(gram + p / (1 - p) * np.diag(np.mean(X**2, axis=0)), X.T @ y)
    return np.asarray(w, dtype=np.float64)


DROPOUT_RIDGE = Exercise(
    name="dropout.dropout_ridge",
    title="Derive the penalty and solve it",
    level=3,
    hints=(
        "Write the mean squared error as squared mean plus variance; you know both from "
        "exercise 3.",
        "The variance of the prediction of row i is p/(1 − p) times the sum of (w_j x_ij)². Sum "
        "over the rows.",
        "Set the gradient to zero: the penalty adds p/(1 − p) times the diagonal of XᵀX.",
    ),
    reference=dropout_ridge,
    cases=_dropout_ridge_cases,
    misconceptions=(
        Misconception(
            _plain_ridge,
            "That is ridge with one strength for all weights; dropout charges a weight in "
            "proportion to the squares of its own feature.",
        ),
        Misconception(
            _rate_itself,
            "The strength is not p: at p → 1 it must grow without bound. Look at the variance of "
            "a scaled mask.",
        ),
        Misconception(
            _odds_of_keeping,
            "Your odds are upside down: a high rate must be a strong penalty.",
        ),
        Misconception(
            _variance_instead,
            "You take each feature's variance; a dropped feature becomes 0, not its mean, so that "
            "the raw mean square counts.",
        ),
        Misconception(
            _standard_form,
            "Those are the weights of the standard form, which at test time must be multiplied by "
            "1 − p. Here the inverted form was asked for.",
        ),
        Misconception(
            _mean_of_the_rows,
            "You add the features' *mean* squares to XᵀX, which is a sum over rows: the penalty is "
            "a sum over rows as well.",
        ),
        Misconception(
            _ridge_of_odds,
            "That is plain ridge with the strength p/(1 − p), the same for all coefficients. A "
            "large feature loses more when it falls: each has its own sum of squares.",
        ),
        Misconception(
            _lengths, "You use the lengths of the columns; the penalty has their *squares*."
        ),
    ),
)


# -------------------------------------------------------------------------------- mean_shift


def mean_shift() -> float:
    """Return how far the mean of a ReLU under dropout lies above its value without."""
    w, h, p = np.array([1.0, -2.0, 1.5, 0.5, -1.0]), np.ones(5), 0.5
    gap = -max(0.0, float(w @ h))
    for mask in itertools.product((0, 1), repeat=5):
        gap += 0.5**5 * max(0.0, float(w @ (h * np.array(mask) / (1 - p))))
    return gap


MEAN_SHIFT = Exercise(
    name="dropout.mean_shift",
    title="The mean after a ReLU",
    level=2,
    hints=(
        "There are 32 masks, all equally likely. The module `itertools` or `all_masks(5)` lists "
        "them.",
        "Scale the kept units by 2 before the weighted sum, take the ReLU of each sum, then "
        "average.",
        "Without dropout the sum is 0, so is its ReLU, and the mean itself is the answer.",
    ),
    reference=mean_shift,
    misconceptions=(
        Misconception(
            lambda: 0.0,
            "The mean of the *sum* is kept. The ReLU cuts off the negative half of its spread, so "
            "that the mean of the ReLU rises.",
        ),
        Misconception(
            lambda: mean_shift() / 2,
            "That is the value without the scale: the survivors are divided by 1 − p = 0.5.",
        ),
        Misconception(
            lambda: 2 * mean_shift(),
            "Do you take absolute values, or divide by 1 − p once too often? The ReLU sets "
            "negative sums to zero, and the kept units are scaled once.",
        ),
        Misconception(
            lambda: 32 * mean_shift(),
            "You have summed over the masks; divide by their number.",
        ),
        Misconception(
            lambda: mean_shift() / 4,
            "You multiply the survivors by 0.5; they are divided by it.",
        ),
        Misconception(
            lambda: 32 * mean_shift() / 31,
            "You have left out a mask: the one that keeps no unit counts, too.",
        ),
        Misconception(
            lambda: float(np.sqrt(8.5 / (2 * np.pi))),
            "That would be right if the sum were normal. It takes 32 values only: average the ReLU "
            "over them.",
        ),
    ),
)


EXERCISES = (
    BOTH_MODES,
    DROP_PROBABILITY,
    WHAT_ARRIVES,
    DROP_UNITS,
    THIN_LAYER,
    BACK_THROUGH,
    MEAN_SHIFT,
    AVERAGE_NETWORKS,
    DROPOUT_RIDGE,
)
