"""Exercises of the lesson on early stopping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
Point = tuple[int, int]


# ----------------------------------------------------------------------------------- translate


def translate(patience: int, library: str) -> int:
    """Return the setting that stops another library where Keras stops."""
    return patience - 1 if library in ("MLPClassifier", "ReduceLROnPlateau") else patience


def _translate_cases(rng: np.random.Generator) -> list[Case]:
    libraries = ("Lightning", "XGBoost", "MLPClassifier", "SGDClassifier", "ReduceLROnPlateau")
    return [(patience + k, library) for patience in (3, 10) for k, library in enumerate(libraries)]


def _same_everywhere(patience: int, library: str) -> int:
    return patience


def _one_more(patience: int, library: str) -> int:
    return 2 * patience - translate(patience, library)


def _all_of_one_house(patience: int, library: str) -> int:
    return patience - 1 if "Classifier" in library else patience


def _one_less_everywhere(patience: int, library: str) -> int:
    return patience - 1


TRANSLATE = Exercise(
    name="early_stopping.translate",
    title="The same patience in five libraries",
    level=1,
    hints=(
        "The cell with the tolerance that nothing can meet shows how many epochs each runs.",
        "A library that stops when the count *exceeds* its setting runs one epoch more.",
    ),
    reference=translate,
    cases=_translate_cases,
    misconceptions=(
        Misconception(
            _same_everywhere,
            "Two of the five stop when the count exceeds the setting, not when it reaches it.",
        ),
        Misconception(
            _one_more,
            "The wrong way round: who waits one epoch longer needs the smaller number.",
        ),
        Misconception(
            _all_of_one_house,
            "The house is no guide: scikit-learn's `SGDClassifier` counts as Keras does, its "
            "`MLPClassifier` does not.",
        ),
        Misconception(
            _one_less_everywhere,
            "Lightning, XGBoost and `SGDClassifier` count exactly as Keras does.",
        ),
    ),
)


# ----------------------------------------------------------------------------------------- stop


def stop(values: FloatArray, patience: int, min_delta: float) -> Point:
    """Return the best epoch and the last epoch that is run."""
    best, best_value, wait = 0, values[0], 0
    for epoch in range(1, len(values)):
        if values[epoch] < best_value - min_delta:
            best, best_value, wait = epoch, values[epoch], 0
            continue
        wait += 1
        if wait >= patience:
            return best, epoch
    return best, len(values) - 1


def _stop_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        (np.array([1.0, 0.8, 0.9, 0.85, 0.7, 0.75, 0.72, 0.71, 0.73, 0.9]), 3, 0.0),
        (np.array([1.0, 0.5, 0.5, 0.5, 0.5, 0.4]), 2, 0.0),
        (np.array([8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 5.25, 5.5, 5.5]), 2, 0.75),
        (np.array([3.0, 2.0, 1.0]), 4, 0.0),
        # The first epoch stays the best; one epoch alone; the count runs out in the last epoch.
        (np.array([0.5, 0.75, 0.625, 1.0, 0.25]), 3, 0.0),
        (np.array([2.0]), 1, 0.0),
        (np.array([3.0, 2.0, 1.0, 1.5]), 4, 0.0),
        (np.array([4.0, 3.0, 3.5, 3.25]), 2, 0.0),
        # Negative losses, and a fall in steps that are each too small.
        (np.array([-1.0, -3.0, -2.0, -2.5, -4.0, -3.5, -3.75, -3.0]), 2, 0.0),
        (np.array([2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5]), 3, 0.5),
        (np.array([2.0, 3.0, 1.0, 0.5]), 1, 0.0),
    ]
    for patience, min_delta in ((2, 0.0), (4, 0.125), (3, 0.25)):
        epochs = np.arange(30)
        noise = rng.integers(-2, 3, 30) / 8
        cases.append((4 * 0.75**epochs + 0.03125 * epochs + noise, patience, min_delta))
    return cases


def _never_reset(values: FloatArray, patience: int, min_delta: float) -> Point:
    best, wait = 0, 0
    for epoch in range(1, len(values)):
        if values[epoch] < values[best] - min_delta:
            best = epoch
            continue
        wait += 1
        if wait >= patience:
            return best, epoch
    return best, len(values) - 1


def _equal_is_better(values: FloatArray, patience: int, min_delta: float) -> Point:
    best = 0
    for epoch in range(1, len(values)):
        if values[epoch] <= values[best] - min_delta:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch
    return best, len(values) - 1


def _wrong_sign(values: FloatArray, patience: int, min_delta: float) -> Point:
    return stop(values, patience, -min_delta)


def _ignore_min_delta(values: FloatArray, patience: int, min_delta: float) -> Point:
    return stop(values, patience, 0.0)


def _last_twice(values: FloatArray, patience: int, min_delta: float) -> Point:
    last = stop(values, patience, min_delta)[1]
    return last, last


def _one_too_many(values: FloatArray, patience: int, min_delta: float) -> Point:
    return stop(values, patience + 1, min_delta)


def _against_the_previous(values: FloatArray, patience: int, min_delta: float) -> Point:
    best, wait = 0, 0
    for epoch in range(1, len(values)):
        if values[epoch] < values[epoch - 1] - min_delta:
            best, wait = epoch, 0
            continue
        wait += 1
        if wait >= patience:
            return best, epoch
    return best, len(values) - 1


def _reference_moves(values: FloatArray, patience: int, min_delta: float) -> Point:
    best, lowest, wait = 0, values[0], 0
    for epoch in range(1, len(values)):
        better = values[epoch] < lowest - min_delta
        lowest = min(lowest, values[epoch])
        best, wait = (epoch, 0) if better else (best, wait + 1)
        if wait >= patience:
            return best, epoch
    return best, len(values) - 1


def _one_past_the_end(values: FloatArray, patience: int, min_delta: float) -> Point:
    best, last = stop(values, patience, min_delta)
    return best, last if last - best >= patience else len(values)


def _lowest_of_all(values: FloatArray, patience: int, min_delta: float) -> Point:
    return int(np.argmin(values)), stop(values, patience, min_delta)[1]


STOP = Exercise(
    name="early_stopping.stop",
    title="The rule",
    level=2,
    hints=(
        "Carry three things from epoch to epoch: the best epoch, its value, and a count.",
        "An improvement sets the count back to zero; any other epoch adds one, and then you "
        "compare the count with the patience.",
        "If the values end first, the last epoch is the last of them.",
    ),
    reference=stop,
    cases=_stop_cases,
    misconceptions=(
        Misconception(
            _never_reset,
            "Your count is never set back to zero, so it adds up bad epochs that have long been "
            "made good. Patience counts epochs *in a row* without improvement.",
        ),
        Misconception(
            _equal_is_better,
            "An epoch that is exactly at the border counts as better with you: a plateau would "
            "then never stop. Improvement means `<`, not `<=`.",
        ),
        Misconception(
            _wrong_sign,
            "Your min_delta has the wrong sign: it makes an epoch pass as better that is worse. "
            "The value must lie below the best by *more* than min_delta.",
        ),
        Misconception(_ignore_min_delta, "You never use min_delta."),
        Misconception(
            _last_twice,
            "You return the epoch at which it stopped as the best one; the best lies before it.",
        ),
        Misconception(
            _one_too_many,
            "You wait one epoch too long: stop when the count *reaches* the patience.",
        ),
        Misconception(
            _against_the_previous,
            "You compare with the epoch before, not with the best so far: any small recovery "
            "after a disaster would count as progress.",
        ),
        Misconception(
            _reference_moves,
            "A fall that is smaller than min_delta lowers your best value, so that a slow descent "
            "never counts. Compare with the value of the best *epoch*.",
        ),
        Misconception(
            _one_past_the_end,
            "If patience does not run out, the last epoch is the last index, one less than the "
            "number of values.",
        ),
        Misconception(
            _lowest_of_all,
            "Your best epoch is the lowest of the whole curve: what comes after the stop is never "
            "seen, and an improvement must exceed min_delta.",
        ),
    ),
)


# ----------------------------------------------------------------------------------- keep_best


def keep_best(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    """Return the weights after the update with the lowest validation loss."""
    weights = weights.copy()
    best, lowest = weights.copy(), np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights.copy(), loss
    return best


def _keep_best_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    # The best update is in the middle, the first, the last; losses may be negative.
    for n_epochs, shape, best, level in (
        (5, (2,), 2, 0.0),
        (9, (3,), 4, -3.0),
        (12, (2, 2), 0, 0.5),
        (4, (3,), 3, 0.0),
    ):
        losses = level + np.abs(np.arange(n_epochs) - best) + 0.9 * rng.random(n_epochs)
        cases.append((rng.normal(size=shape), rng.normal(size=(n_epochs, *shape)), losses))
    return cases


def _by_reference(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    weights = weights.copy()
    best, lowest = weights, np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights, loss
    return best


def _changes_its_input(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    best, lowest = weights.copy(), np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights.copy(), loss
    return best


def _before_the_update(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    best: FloatArray = weights - updates[: np.argmin(losses)].sum(axis=0)
    return best


def _copied_once(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    return weights.copy()


def _worst(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    return keep_best(weights, updates, -losses)


def _as_printed(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    best, lowest = weights, np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights, loss
    return best


def _first_loss_as_lowest(
    weights: FloatArray, updates: FloatArray, losses: FloatArray
) -> FloatArray:
    weights = weights.copy()
    best, lowest = weights.copy(), losses[0]
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights.copy(), loss
    return best


def _added(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    return keep_best(weights, -updates, losses)


def _one_update(weights: FloatArray, updates: FloatArray, losses: FloatArray) -> FloatArray:
    best: FloatArray = weights - updates[np.argmin(losses)]
    return best


KEEP_BEST = Exercise(
    name="early_stopping.keep_best",
    title="Spot the bug: the best weights are the last",
    level=1,
    hints=(
        "How many arrays are there after `best = weights`?",
        "`-=` changes the array in place, under every name that it has.",
        "Copy when you save, and copy the argument before you change it.",
    ),
    reference=keep_best,
    cases=_keep_best_cases,
    misconceptions=(
        Misconception(
            _as_printed,
            "Both bugs are still there: `best` is a second name for the caller's array, which the "
            "updates change. Copy it with `.copy()`; a slice, `weights[:]`, is no copy but a view.",
        ),
        Misconception(
            _by_reference,
            "You return the last weights. Either `best` is still a second name for the array that "
            "the next update changes (save a copy; a slice is none), or `lowest` is never lowered.",
        ),
        Misconception(
            _changes_its_input,
            "You return the right weights, but you have changed the caller's array on the way: "
            "copy the argument first (with `.copy()`: a slice, `weights[:]`, is only a view).",
        ),
        Misconception(
            _before_the_update,
            "You save the weights before the update, but the loss was measured after it.",
        ),
        Misconception(
            _copied_once,
            "You return the initial weights: the copy must be taken anew at each improvement.",
        ),
        Misconception(_worst, "These are the weights with the *highest* loss."),
        Misconception(
            _first_loss_as_lowest,
            "You start with the first loss as the lowest, so that the first update is never the "
            "best: the initial weights have no loss yet. Start from infinity.",
        ),
        Misconception(_added, "The updates are subtracted, as in the printed loop."),
        Misconception(
            _one_update,
            "You apply the best update alone; the weights have had all updates before it as well.",
        ),
    ),
    equivalent_mutants={
        "loss < lowest → loss <= lowest": "Which of two equal losses counts is left open.",
    }
    | dict.fromkeys(
        (
            "weights.copy() → weights (2)",
            "weights → updates (2)",
            "weights → losses (2)",
        ),
        "The first loss is below infinity, so that `best` is set anew.",
    ),
)


# ------------------------------------------------------------------------------ filter_factors


def filter_factors(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    """Return the part of least squares that gradient descent from zero has learned."""
    return 1 - (1 - learning_rate * singular_values**2 / n_samples) ** n_steps


def _filter_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([6.0, 3.0, 1.0]), 40, 0.5, 3),
        (np.sort(rng.uniform(0.5, 5, 5))[::-1], 30, 0.9, 12),
        (np.array([4.0, 2.0, 0.0]), 20, 0.1, 50),
        (np.array([5.0, 2.0]), 20, 1.4, 3),
    ]


def _remaining(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return 1 - filter_factors(singular_values, n_samples, learning_rate, n_steps)


def _not_squared(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return 1 - (1 - learning_rate * singular_values / n_samples) ** n_steps


def _without_n(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return filter_factors(singular_values, 1, learning_rate, n_steps)


def _small_steps_only(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return -np.expm1(-learning_rate * n_steps * singular_values**2 / n_samples)


def _as_ridge(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    h = singular_values**2 / n_samples
    return h / (h + 1 / (learning_rate * n_steps))


def _power_less_one(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return filter_factors(singular_values, n_samples, learning_rate, n_steps - 1)


def _first_order(
    singular_values: FloatArray, n_samples: int, learning_rate: float, n_steps: int
) -> FloatArray:
    return learning_rate * n_steps * singular_values**2 / n_samples


FILTER_FACTORS = Exercise(
    name="early_stopping.filter_factors",
    title="What has been learned after t steps",
    level=2,
    hints=(
        "Along one singular direction the gradient of the house loss is h (w − w_LS), with "
        "h = s²/n.",
        "Write one step for the distance to least squares: by which factor does it shrink?",
        "After t steps the distance is (1 − ηh)ᵗ times the first one; what is learned is the rest.",
    ),
    reference=filter_factors,
    cases=_filter_cases,
    misconceptions=(
        Misconception(
            _remaining,
            "That is what is still missing after t steps; asked was what has been learned.",
        ),
        Misconception(
            _not_squared,
            "The curvature of the loss is s²/n: the matrix XᵀX has squared singular values.",
        ),
        Misconception(
            _without_n,
            "You forget n: the house loss is half a *mean*, so its curvature is s² divided by n.",
        ),
        Misconception(
            _small_steps_only,
            "That is the limit of infinitely small steps, gradient flow; these steps are finite.",
        ),
        Misconception(
            _as_ridge,
            "That is ridge with the matched penalty, which is similar and not the same.",
        ),
        Misconception(
            _power_less_one,
            "You are one step behind: from zero, the first step has learned ηh already.",
        ),
        Misconception(
            _first_order,
            "ηth is right for directions of which little has been learned; it grows beyond 1, and "
            "no more than all can be learned.",
        ),
    ),
)


# ------------------------------------------------------------------------- equivalent_penalty


def equivalent_penalty(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    """Return λ of the house objective and `alpha` of Ridge that match a number of steps."""
    strength = 1 / (learning_rate * n_steps)
    return strength, n_samples * strength


def _penalty_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.1, 50, 30), (0.02, 1000, 442), (0.5, 7, 12)]


def _steps_over_rate(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    return n_steps / learning_rate, n_samples * n_steps / learning_rate


def _upside_down(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    return learning_rate * n_steps, n_samples * learning_rate * n_steps


def _alpha_is_lambda(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    return 1 / (learning_rate * n_steps), 1 / (learning_rate * n_steps)


def _divide_by_n(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    strength = 1 / (learning_rate * n_steps)
    return strength, strength / n_samples


def _rate_cancels(learning_rate: float, n_steps: int, n_samples: int) -> tuple[float, float]:
    return 1 / n_steps, n_samples / n_steps


EQUIVALENT_PENALTY = Exercise(
    name="early_stopping.equivalent_penalty",
    title="The penalty that a stop is worth",
    level=1,
    hints=(
        "For a direction that has hardly been learned, compare 1 − (1 − ηh)ᵗ with h / (h + λ).",
        "For small h the first is about ηth, the second about h/λ.",
        "`Ridge` has a sum of squares as data loss: its `alpha` is n times λ.",
    ),
    reference=equivalent_penalty,
    cases=_penalty_cases,
    misconceptions=(
        Misconception(
            _steps_over_rate,
            "t/η grows with the number of steps, but more steps mean *less* regularization, and "
            "a larger learning rate acts like more steps: the two must be multiplied.",
        ),
        Misconception(
            _upside_down,
            "Upside down: with more steps the matching penalty must become weaker.",
        ),
        Misconception(
            _alpha_is_lambda,
            "You forget n: the data loss of `Ridge` is a sum over rows, not half a mean.",
        ),
        Misconception(
            _divide_by_n,
            "`alpha` is n times λ, not λ divided by n: a sum is larger than a mean.",
        ),
        Misconception(
            _rate_cancels,
            "You leave out the learning rate: half as long a step learns half as much.",
        ),
    ),
)


# --------------------------------------------------------------------------------- warm_start


def warm_start(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    """Return the weights after gradient descent from `start`."""
    _, s, Vt = np.linalg.svd(X, full_matrices=False)
    least_squares = np.linalg.lstsq(X, y)[0]
    remaining = (1 - learning_rate * s**2 / len(y)) ** n_steps
    weights: FloatArray = least_squares + Vt.T @ (remaining * (Vt @ (start - least_squares)))
    return weights


def _warm_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, n_features, learning_rate, n_steps in (
        (12, 2, 0.2, 3),
        (30, 4, 0.05, 20),
        (25, 5, 0.3, 100),
        (10, 3, 0.1, 1),
    ):
        X = rng.normal(0.5, 1, size=(n_samples, n_features))
        y, start = rng.normal(1, 1, size=n_samples), 2 * rng.normal(size=n_features)
        cases.append((X, y, start, learning_rate, n_steps))
    return cases


def _from_zero(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    return warm_start(X, y, np.zeros_like(start), learning_rate, n_steps)


def _start_added(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    return start + warm_start(X, y, np.zeros_like(start), learning_rate, n_steps)


def _sum_instead_of_mean(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    return warm_start(X, y, start, learning_rate * len(y), n_steps)


def _swapped(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    least_squares = np.linalg.lstsq(X, y)[0]
    weights: FloatArray = start + least_squares - warm_start(X, y, start, learning_rate, n_steps)
    return weights


def _row_by_row(
    X: FloatArray, y: FloatArray, start: FloatArray, learning_rate: float, n_steps: int
) -> FloatArray:
    weights = start.copy()
    for step in range(n_steps):
        row = X[step % len(y)]
        weights -= learning_rate * row * (row @ weights - y[step % len(y)])
    return weights


WARM_START = Exercise(
    name="early_stopping.warm_start",
    title="Descent from anywhere",
    level=2,
    hints=(
        "A loop is a right answer. A formula is a better one: what happens to the distance from "
        "least squares?",
        "In the basis of the right singular vectors each coordinate of w − w_LS is multiplied by "
        "1 − ηs²/n per step.",
        "w(t) = w_LS + V diag((1 − ηs²/n)ᵗ) Vᵀ (w₀ − w_LS).",
    ),
    reference=warm_start,
    cases=_warm_cases,
    misconceptions=(
        Misconception(
            _from_zero,
            "You start from zero: what has not been learned yet is still at `start`.",
        ),
        Misconception(
            _start_added,
            "You add the start to a descent from zero, but the start is forgotten, too, by the "
            "factor (1 − ηh) in each step.",
        ),
        Misconception(
            _sum_instead_of_mean,
            "Your gradient is that of a sum over rows; the house loss is half a mean.",
        ),
        Misconception(
            _swapped,
            "You have exchanged what is learned and what remains: after no step at all the "
            "weights must be those of the start.",
        ),
        Misconception(
            _row_by_row,
            "You take one row a step, which is *stochastic* gradient descent; a step here uses the "
            "mean over all rows.",
        ),
    ),
)


# --------------------------------------------------------------------------------- lucky_stop


def lucky_stop(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the mean regret and the mean optimism of stopping at a noisy minimum."""
    seen = loss + noise * rng.standard_normal((n_repeats, len(loss)))
    chosen = seen.argmin(axis=1)
    regret = loss[chosen] - loss.min()
    optimism = loss[chosen] - seen.min(axis=1)
    return float(regret.mean()), float(optimism.mean())


def _lucky_cases(rng: np.random.Generator) -> list[Case]:
    return [
        ((np.linspace(-1, 1, 21) + 0.3) ** 2 - 0.6, 0.3, 12_000, rng),
        (0.02 * np.abs(np.arange(40) - 12.0) + 0.5, 0.1, 4_000, rng),
        (np.array([0.7, 0.4, 0.1, 0.2]), 0.1, 9_000, rng),
    ]


def _average_first(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    seen = loss + (noise * rng.standard_normal((n_repeats, len(loss)))).mean(axis=0)
    chosen = seen.argmin()
    return float(loss[chosen] - loss.min()), float(loss[chosen] - seen[chosen])


def _regret_of_what_was_seen(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    regret, optimism = lucky_stop(loss, noise, n_repeats, rng)
    return regret - optimism, optimism


def _noise_as_variance(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    return lucky_stop(loss, noise**0.5, n_repeats, rng)


def _against_the_best(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    regret, optimism = lucky_stop(loss, noise, n_repeats, rng)
    return regret, optimism - regret


def _minus_optimism(
    loss: FloatArray, noise: float, n_repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    regret, optimism = lucky_stop(loss, noise, n_repeats, rng)
    return regret, -optimism


LUCKY_STOP = Exercise(
    name="early_stopping.lucky_stop",
    title="Stopped by luck",
    level=3,
    hints=(
        "Draw one array of noise, with a row for each repeat and a column for each epoch.",
        "Each repeat chooses the epoch at which *its* noisy curve is lowest.",
        "Regret compares true losses: the chosen epoch's and the lowest. Optimism compares the "
        "chosen epoch's true loss with what was seen there.",
    ),
    reference=lucky_stop,
    cases=_lucky_cases,
    rtol=0.0,
    atol=0.01,
    misconceptions=(
        Misconception(
            _average_first,
            "You stop at the true minimum: either all epochs of a repeat have the same noise, or "
            "you average the curves before you look for their minimum. Give each epoch a noise of "
            "its own, choose in each repeat, then average.",
        ),
        Misconception(
            _against_the_best,
            "You compare what was seen with the loss of the truly best epoch. The report is about "
            "the weights that were kept, so compare with the true loss of the *chosen* epoch.",
        ),
        Misconception(
            _minus_optimism,
            "Your optimism has the wrong sign: it is positive where the true loss is higher than "
            "the one that was seen.",
        ),
        Misconception(
            _regret_of_what_was_seen,
            "Your regret compares what was *seen* at the stop with the lowest true loss; regret "
            "compares true losses.",
        ),
        Misconception(
            _noise_as_variance,
            "`noise` is a standard deviation: you use it as a variance.",
        ),
    ),
    equivalent_mutants={
        (
            "loss + noise * rng.standard_normal((n_repeats, len(loss)))"
            " → loss - noise * rng.standard_normal((n_repeats, len(loss)))"
        ): "The noise is symmetric.",
    }
    | dict.fromkeys(
        (
            "n_repeats → n_repeats - 1",
            "n_repeats → n_repeats + 1",
            "n_repeats → 12000 in all cases",
        ),
        "More or fewer repeats change the error of simulation only.",
    ),
)


# --------------------------------------------------------------------------------- risk_factor


def risk_factor() -> float:
    """Return the largest factor by which gradient flow can be worse than matched ridge."""
    ratio = minimize_scalar(
        lambda x: -(-np.expm1(-x) * (1 + x) / x), bounds=(0.1, 10), method="bounded"
    )
    return float(ratio.fun**2)


RISK_FACTOR = Exercise(
    name="early_stopping.risk_factor",
    title="How much worse can stopping be?",
    level=3,
    hints=(
        "With x = ηth, the risk in one direction is a² (1 − f)² + v f², where a is the true "
        "coefficient and v the variance of least squares there. Compare each term for "
        "f = 1 − exp(−x) with the one for f = x / (1 + x).",
        "exp(−x) is at most 1 / (1 + x), so the bias is never larger. That leaves the variance.",
        "Maximize the ratio of the two f over x, by a grid or `minimize_scalar`, and square it.",
    ),
    reference=risk_factor,
    rtol=3e-4,
    misconceptions=(
        Misconception(
            lambda: 1.2984,
            "That is the largest ratio of the two factors; the variance has their *square*.",
        ),
        Misconception(
            lambda: 0.2036,
            "That is the largest difference between the two factors; asked is a ratio of risks.",
        ),
        Misconception(
            lambda: 1.0,
            "The bias is never larger than that of ridge, but the variance is: descent keeps more "
            "in every direction.",
        ),
        Misconception(
            lambda: 4.0,
            "That happens in a first step of length 1/h, where descent keeps all and ridge one "
            "half. Gradient flow, with its infinitely small steps, never does so badly.",
        ),
        Misconception(
            lambda: (2 * -np.expm1(-1.0)) ** 2,
            "That is the factor at x = 1; the largest one lies at another x.",
        ),
        Misconception(
            lambda: risk_factor() ** 2,
            "You have squared twice: the variance has the square of the ratio.",
        ),
        Misconception(
            lambda: risk_factor() - 1,
            "That is by how much it can be worse; asked is the factor itself.",
        ),
        Misconception(
            lambda: 2.0,
            "Twice is a bound, but not the smallest: maximize the ratio numerically.",
        ),
    ),
)


EXERCISES = (
    TRANSLATE,
    KEEP_BEST,
    STOP,
    EQUIVALENT_PENALTY,
    FILTER_FACTORS,
    WARM_START,
    LUCKY_STOP,
    RISK_FACTOR,
)
