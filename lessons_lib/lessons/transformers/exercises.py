"""Exercises of the lesson on transformers and grokking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from lessons_lib.exercises._model import Case, Exercise, Misconception
from lessons_lib.network import TransformerBlock

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


# ------------------------------------------------------------------------------------ causal_mask


def causal_mask(n_tokens: int) -> BoolArray:
    """Say which places a token (row) must not look at (column): all later ones."""
    place = np.arange(n_tokens)
    return place[None, :] > place[:, None]


def _causal_mask_cases(rng: np.random.Generator) -> list[Case]:
    return [(4,), (1,), (6,)]


def _hides_itself(n_tokens: int) -> BoolArray:
    place = np.arange(n_tokens)
    return place[None, :] >= place[:, None]


def _hides_the_past(n_tokens: int) -> BoolArray:
    return causal_mask(n_tokens).T


def _allowed(n_tokens: int) -> BoolArray:
    return ~causal_mask(n_tokens)


CAUSAL_MASK = Exercise(
    name="transformers.causal_mask",
    title="Spot the bug: the mask",
    level=1,
    hints=(
        "Row i is the token that looks, column j the token that is looked at.",
        "What lies later has a larger column than row; the diagonal is the token itself.",
    ),
    reference=causal_mask,
    cases=_causal_mask_cases,
    equivalent_mutants={
        "np.arange(n_tokens) → np.arange(1, n_tokens + 1)": "Only the order of the places matters.",
    },
    misconceptions=(
        Misconception(
            _hides_itself,
            "That is still the bug: a token may look at itself. Hidden from itself, the first one "
            "has nothing to look at, and its softmax divides zero by zero.",
        ),
        Misconception(
            _hides_the_past,
            "You hide what came before and show what comes after: the next character, which the "
            "model shall predict, would be in view.",
        ),
        Misconception(
            _allowed,
            "You mark what a token may look at; asked for is what is hidden, as in `attn_mask`.",
        ),
    ),
)


# --------------------------------------------------------------------------------------- rms_norm


def rms_norm(x: FloatArray, eps: float) -> FloatArray:
    """Divide each row by its root mean square."""
    return np.asarray(x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps))


def _rms_norm_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(3, 1, size=(4, 5)), 1e-5),
        (rng.normal(size=(3, 3)), 0.5),
        (np.zeros((2, 4)), 1e-3),
        (rng.normal(-1, 1, size=(2, 3, 4)), 1.0),
    ]


def _layer_norm(x: FloatArray, eps: float) -> FloatArray:
    return rms_norm(x - x.mean(axis=-1, keepdims=True), eps)


def _length(x: FloatArray, eps: float) -> FloatArray:
    return np.asarray(x / np.sqrt(np.sum(x**2, axis=-1, keepdims=True) + eps))


def _over_the_batch(x: FloatArray, eps: float) -> FloatArray:
    return np.asarray(x / np.sqrt(np.mean(x**2, axis=0, keepdims=True) + eps))


def _eps_outside(x: FloatArray, eps: float) -> FloatArray:
    return np.asarray(x / (np.sqrt(np.mean(x**2, axis=-1, keepdims=True)) + eps))


RMS_NORM = Exercise(
    name="transformers.rms_norm",
    title="The root mean square",
    level=1,
    hints=(
        "The mean is taken over the features, the last axis, and it is not subtracted.",
        "Keep the axis, so that each row is divided by its own number.",
    ),
    reference=rms_norm,
    cases=_rms_norm_cases,
    misconceptions=(
        Misconception(
            _layer_norm,
            "You subtract the mean first: that is layer normalization without its two parameters.",
        ),
        Misconception(
            _length,
            "You divide by the length. The root of the *mean* square is smaller by the root of the "
            "number of features.",
        ),
        Misconception(
            _over_the_batch,
            "You average over the rows. That is what batch normalization does; here every row "
            "stands for itself.",
        ),
        Misconception(_eps_outside, "`eps` belongs under the root, beside the mean square."),
    ),
)


# --------------------------------------------------------------------------------- pure_decay


def pure_decay(lr: float, weight_decay: float, n_steps: int) -> float:
    """Return what AdamW leaves of a weight whose gradient is zero."""
    return (1 - lr * weight_decay) ** n_steps


def _pure_decay_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.01, 1.0, 100), (0.1, 0.5, 3), (0.2, 2.0, 1), (0.5, 3.0, 3), (0.05, 0.0, 10)]


def _forgets_lr(lr: float, weight_decay: float, n_steps: int) -> float:
    return (1 - weight_decay) ** n_steps


def _linear_decay(lr: float, weight_decay: float, n_steps: int) -> float:
    return 1 - lr * weight_decay * n_steps


def _continuous(lr: float, weight_decay: float, n_steps: int) -> float:
    return float(np.exp(-lr * weight_decay * n_steps))


def _twice(lr: float, weight_decay: float, n_steps: int) -> float:
    return (1 - 2 * lr * weight_decay) ** n_steps


PURE_DECAY = Exercise(
    name="transformers.pure_decay",
    title="What decay leaves",
    level=1,
    hints=(
        "With a zero gradient the moments stay zero: only the decay acts.",
        "Each step multiplies the weight by the same factor.",
    ),
    reference=pure_decay,
    cases=_pure_decay_cases,
    equivalent_mutants={
        "lr, weight_decay → weight_decay, lr": "Only the product of the two matters.",
    },
    misconceptions=(
        Misconception(
            _forgets_lr,
            "In PyTorch's AdamW the decay is multiplied by the learning rate in each step.",
        ),
        Misconception(
            _linear_decay,
            "A step takes a share of what is left, not of the first value: the factors multiply.",
        ),
        Misconception(
            _continuous,
            "The exponential function is the limit of many small steps; these are finite ones.",
        ),
        Misconception(
            _twice,
            "There is no factor 2: decay shrinks by lr · weight_decay, as the penalty "
            "½ · weight_decay · ‖w‖² would under plain gradient descent.",
        ),
    ),
)


# -------------------------------------------------------------------------------------- delay


def grokking_delay(
    steps: NDArray[np.int_], train: FloatArray, test: FloatArray, level: float
) -> int:
    """Return the steps from the first training to the first test accuracy of `level`, or -1."""
    if train.max() < level or test.max() < level:
        return -1
    return int(steps[np.argmax(test >= level)] - steps[np.argmax(train >= level)])


def _delay_cases(rng: np.random.Generator) -> list[Case]:
    steps = np.array([1, 10, 100, 1000, 2000])
    train = np.array([0.1, 0.7, 1.0, 0.9, 1.0])
    late = np.array([0.0, 0.0, 0.2, 0.9, 1.0])
    return [
        (steps, train, late, 0.9),
        (steps, train, late, 1.0),
        (steps, train, 0.5 * late, 0.9),
        (steps, 0.5 * train, late, 0.6),
        (steps, train, late[::-1], 0.9),
        (steps, 0.5 * train, 0.5 * late, 0.5),
        (steps, 0.5 * train, 0.5 * late, 0.3),
        (steps, train, 0.5 * late, 0.6),
    ]


def _to_the_end(steps: NDArray[np.int_], train: FloatArray, test: FloatArray, level: float) -> int:
    if train.max() < level or test.max() < level:
        return -1
    return int(steps[np.argmax(test)] - steps[np.argmax(train)])


def _in_records(steps: NDArray[np.int_], train: FloatArray, test: FloatArray, level: float) -> int:
    if train.max() < level or test.max() < level:
        return -1
    return int(np.argmax(test >= level) - np.argmax(train >= level))


def _strictly(steps: NDArray[np.int_], train: FloatArray, test: FloatArray, level: float) -> int:
    if train.max() <= level or test.max() <= level:
        return -1
    return int(steps[np.argmax(test > level)] - steps[np.argmax(train > level)])


def _never_unnoticed(
    steps: NDArray[np.int_], train: FloatArray, test: FloatArray, level: float
) -> int:
    return int(steps[np.argmax(test >= level)] - steps[np.argmax(train >= level)])


DELAY = Exercise(
    name="transformers.grokking_delay",
    title="How long is the wait?",
    level=2,
    hints=(
        "`np.argmax` of an array of booleans is the place of its first True, and 0 if there is "
        "none.",
        "Look first whether both curves reach the level at all.",
    ),
    reference=grokking_delay,
    cases=_delay_cases,
    misconceptions=(
        Misconception(_to_the_end, "You take the places of the maxima, not of the level."),
        Misconception(
            _in_records, "You count records; look up the steps at which they were taken."
        ),
        Misconception(_strictly, "A curve that equals the level has reached it."),
        Misconception(
            _never_unnoticed,
            "If no value reaches the level, `np.argmax` answers 0, the first record. Return -1 "
            "there.",
        ),
    ),
)


# ---------------------------------------------------------------------------------- stopped_at


def stopped_at(val_loss: FloatArray, patience: int) -> int:
    """Return the index of the last epoch that runs under early stopping."""
    best, waited = np.inf, 0
    for epoch, loss in enumerate(val_loss):
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == patience:
            return epoch
    return len(val_loss) - 1


def _stopped_at_cases(rng: np.random.Generator) -> list[Case]:
    double = np.array([3.0, 2.0, 2.5, 3.0, 4.0, 3.5, 1.5, 1.0, 0.5])
    return [
        (double, 2),
        (double, 4),
        (double, 5),
        (np.array([1.0, 1.0, 1.0, 0.5]), 2),
        (np.array([2.0, 1.0, 1.5, 0.9, 1.0, 1.1, 1.2]), 3),
        (np.array([2.0, 1.0]), 1),
        (np.array([3.0, 2.0, 2.5, 2.4, 2.3, 1.0]), 3),
    ]


def _better_than_the_last(val_loss: FloatArray, patience: int) -> int:
    waited = 0
    for epoch in range(1, len(val_loss)):
        waited = 0 if val_loss[epoch] < val_loss[epoch - 1] else waited + 1
        if waited == patience:
            return epoch
    return len(val_loss) - 1


def _the_best_epoch(val_loss: FloatArray, patience: int) -> int:
    stop = stopped_at(val_loss, patience)
    return int(np.argmin(val_loss[: stop + 1]))


def _one_more(val_loss: FloatArray, patience: int) -> int:
    return stopped_at(val_loss, patience + 1)


def _best_of_all(val_loss: FloatArray, patience: int) -> int:
    return int(np.argmin(val_loss))


STOPPED_AT = Exercise(
    name="transformers.stopped_at",
    title="Where patience ends",
    level=2,
    hints=(
        "Carry two things along: the best loss so far, and how many epochs have passed since.",
        "A loss that equals the best one is no improvement.",
    ),
    reference=stopped_at,
    cases=_stopped_at_cases,
    misconceptions=(
        Misconception(
            _better_than_the_last,
            "You compare with the epoch before. Patience waits for a new best value.",
        ),
        Misconception(
            _the_best_epoch,
            "That is the epoch whose weights are kept; asked for is the last epoch that runs.",
        ),
        Misconception(
            _one_more, "Training ends as soon as `patience` epochs without a new best have passed."
        ),
        Misconception(
            _best_of_all,
            "You look at the whole curve. A rule that runs along has not seen its end.",
        ),
    ),
)


# ------------------------------------------------------------------------------ causal_attention


def causal_attention(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    """Mix the values of each token and those before it."""
    scores = Q @ K.T / np.sqrt(Q.shape[1])
    place = np.arange(len(Q))
    scores[place[None, :] > place[:, None]] = -np.inf
    return np.asarray(softmax(scores, axis=1) @ V)


def _attention_cases(rng: np.random.Generator) -> list[Case]:
    return [
        tuple(rng.normal(size=(3, 5, 4))),
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(3, 5))),
        tuple(rng.normal(size=(3, 1, 3))),
    ]


def _not_masked(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    return np.asarray(softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1) @ V)


def _not_scaled(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    return causal_attention(Q * np.sqrt(Q.shape[1]), K, V)


def _zeros_before_softmax(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    scores = np.tril(Q @ K.T / np.sqrt(Q.shape[1]))
    return np.asarray(softmax(scores, axis=1) @ V)


def _zeros_after_softmax(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    weights = softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1)
    return np.asarray(np.tril(weights) @ V)


def _over_queries(Q: FloatArray, K: FloatArray, V: FloatArray) -> FloatArray:
    scores = Q @ K.T / np.sqrt(Q.shape[1])
    scores[~np.tri(len(Q), dtype=bool)] = -np.inf
    return np.asarray(softmax(scores, axis=0) @ V)


ATTENTION = Exercise(
    name="transformers.causal_attention",
    title="Attention in four lines",
    level=2,
    hints=(
        "Scores are products of queries and keys over the root of their length.",
        "A score of −∞ becomes a weight of exactly zero, and the others still sum to 1.",
    ),
    reference=causal_attention,
    cases=_attention_cases,
    equivalent_mutants={
        "np.arange(len(Q)) → np.arange(1, len(Q) + 1)": "Only the order of the places matters.",
    },
    misconceptions=(
        Misconception(_not_masked, "Your tokens look ahead: set the scores of later ones to −∞."),
        Misconception(_not_scaled, "The scores are not divided by the root of the key's length."),
        Misconception(
            _zeros_before_softmax,
            "A score of zero is not a weight of zero: exp(0) = 1. Hidden scores must be −∞.",
        ),
        Misconception(
            _zeros_after_softmax,
            "Zeros after the softmax leave weights that no longer sum to 1.",
        ),
        Misconception(
            _over_queries, "The weights of one token, a row, must sum to 1; yours sum by column."
        ),
    ),
)


# ------------------------------------------------------------------------------------ adamw_step


def adamw_step(
    w: FloatArray,
    grad: FloatArray,
    m: FloatArray,
    v: FloatArray,
    step: int,
    lr: float,
    weight_decay: float,
) -> FloatArray:
    """Return the weights after one step of AdamW with the betas 0.9 and 0.98 and eps 1e-8."""
    m = 0.9 * m + 0.1 * grad
    v = 0.98 * v + 0.02 * grad**2
    direction = m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.98**step)) + 1e-8)
    return np.asarray((1 - lr * weight_decay) * w - lr * direction)


def _adamw_cases(rng: np.random.Generator) -> list[Case]:
    w, grad, m, v = rng.normal(size=(4, 5))
    return [
        (w, grad, np.zeros(5), np.zeros(5), 1, 0.1, 0.0),
        (w, grad, m, v**2, 3, 0.1, 1.0),
        (w, grad, m, v**2, 20, 0.01, 0.5),
        (w, 1e-8 * grad, np.zeros(5), np.zeros(5), 1, 0.3, 0.2),
    ]


def _l2_in_gradient(
    w: FloatArray,
    grad: FloatArray,
    m: FloatArray,
    v: FloatArray,
    step: int,
    lr: float,
    weight_decay: float,
) -> FloatArray:
    return adamw_step(w, grad + weight_decay * w, m, v, step, lr, 0.0)


def _not_corrected(
    w: FloatArray,
    grad: FloatArray,
    m: FloatArray,
    v: FloatArray,
    step: int,
    lr: float,
    weight_decay: float,
) -> FloatArray:
    m, v = 0.9 * m + 0.1 * grad, 0.98 * v + 0.02 * grad**2
    return np.asarray((1 - lr * weight_decay) * w - lr * m / (np.sqrt(v) + 1e-8))


def _decay_without_lr(
    w: FloatArray,
    grad: FloatArray,
    m: FloatArray,
    v: FloatArray,
    step: int,
    lr: float,
    weight_decay: float,
) -> FloatArray:
    return adamw_step(w, grad, m, v, step, lr, weight_decay / lr)


ADAMW_STEP = Exercise(
    name="transformers.adamw_step",
    title="One step of AdamW",
    level=3,
    hints=(
        "First update both running means, then divide each by one minus its beta to the power of "
        "the step.",
        "The decay does not pass through the moments: it multiplies the weights by "
        "1 − lr · weight_decay.",
    ),
    reference=adamw_step,
    cases=_adamw_cases,
    misconceptions=(
        Misconception(
            _l2_in_gradient,
            "You add the decay to the gradient, so it is divided by the root of the second moment "
            "like the rest: that is L2 inside Adam.",
        ),
        Misconception(
            _not_corrected,
            "The running means start at zero and are too small at first; divide them by "
            "1 − 0.9**step and 1 − 0.98**step.",
        ),
        Misconception(
            _decay_without_lr, "The decay of a step is lr · weight_decay, not weight_decay alone."
        ),
    ),
)


# ------------------------------------------------------------------------- layer_norm_gradient


def layer_norm_gradient(x: FloatArray, grad: FloatArray, eps: float) -> FloatArray:
    """Return the gradient for `x` of a layer norm without scale and shift."""
    centered = x - x.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centered**2, axis=1, keepdims=True) + eps)
    normalized = centered * inverse
    grad = grad - grad.mean(axis=1, keepdims=True)
    along = np.mean(grad * normalized, axis=1, keepdims=True)
    return np.asarray(inverse * (grad - along * normalized))


def _layer_norm_gradient_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(2, 1, size=(4, 6)), rng.normal(1, 1, size=(4, 6)), 1e-5),
        (rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), 0.5),
        (rng.normal(-3, 2, size=(2, 5)), rng.normal(size=(2, 5)), 0.1),
    ]


def _constant_scale(x: FloatArray, grad: FloatArray, eps: float) -> FloatArray:
    centered = x - x.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centered**2, axis=1, keepdims=True) + eps)
    return np.asarray(inverse * (grad - grad.mean(axis=1, keepdims=True)))


def _constant_mean(x: FloatArray, grad: FloatArray, eps: float) -> FloatArray:
    centered = x - x.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centered**2, axis=1, keepdims=True) + eps)
    normalized = centered * inverse
    along = np.mean(grad * normalized, axis=1, keepdims=True)
    return np.asarray(inverse * (grad - along * normalized))


def _only_divided(x: FloatArray, grad: FloatArray, eps: float) -> FloatArray:
    return np.asarray(grad / np.sqrt(x.var(axis=1, keepdims=True) + eps))


LAYER_NORM_GRADIENT = Exercise(
    name="transformers.layer_norm_gradient",
    title="Back through a layer norm",
    level=3,
    hints=(
        "The mean and the standard deviation depend on every entry of the row.",
        "A shift of the row changes nothing: take the mean out of the gradient.",
        "A stretch of the row (nearly) changes nothing: take out the part along the normalized "
        "row, then divide by the standard deviation.",
    ),
    reference=layer_norm_gradient,
    cases=_layer_norm_gradient_cases,
    equivalent_mutants={
        "x - x.mean(axis=1, keepdims=True) → x.mean(axis=1, keepdims=True) - x": (
            "The normalized row enters twice, so its sign cancels."
        ),
    },
    misconceptions=(
        Misconception(
            _constant_scale, "You treat the standard deviation as a constant; it moves with x."
        ),
        Misconception(_constant_mean, "You treat the mean as a constant; it moves with x."),
        Misconception(
            _only_divided, "You treat mean and standard deviation as constants; both move with x."
        ),
    ),
)


# ---------------------------------------------------------------------------------- exempt_share


def exempt_share() -> float:
    """Return the share of a block's numbers that are biases or belong to norms."""
    parameters = TransformerBlock(32, 4, causal=True, random_state=0).parameters()
    exempt = sum(p.data.size for p in parameters if not p.regularize)
    return exempt / sum(p.data.size for p in parameters)


def _tensors() -> float:
    parameters = TransformerBlock(32, 4, causal=True, random_state=0).parameters()
    return sum(not p.regularize for p in parameters) / len(parameters)


def _decayed_share() -> float:
    return 1 - exempt_share()


def _against_the_rest() -> float:
    return exempt_share() / (1 - exempt_share())


EXEMPT_SHARE = Exercise(
    name="transformers.exempt_share",
    title="How much is exempt?",
    level=2,
    hints=(
        "`parameter.regularize` is False for biases and for what belongs to a norm.",
        "Count numbers, `parameter.data.size`, not arrays.",
    ),
    reference=exempt_share,
    misconceptions=(
        Misconception(_tensors, "You count arrays. The exempt ones are many, but small."),
        Misconception(_decayed_share, "That is the share that decays; asked for is the rest."),
        Misconception(_against_the_rest, "Divide by all numbers, not by those that decay."),
    ),
)


EXERCISES: tuple[Exercise, ...] = (
    CAUSAL_MASK,
    RMS_NORM,
    PURE_DECAY,
    DELAY,
    STOPPED_AT,
    EXEMPT_SHARE,
    ATTENTION,
    ADAMW_STEP,
    LAYER_NORM_GRADIENT,
)
