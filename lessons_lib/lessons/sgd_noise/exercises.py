"""Exercises of the lesson on the noise of SGD and the loss landscape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._accept import agrees
from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]


# ------------------------------------------------------------------------------ same_temperature


def same_temperature(learning_rate: float, batch_size: int, new_batch_size: int) -> float:
    """Return the learning rate that keeps learning rate over batch size."""
    return learning_rate * new_batch_size / batch_size


def _same_temperature_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.1, 32, 256), (0.5, 64, 16), (0.02, 10, 25)]


def _same_rate(learning_rate: float, batch_size: int, new_batch_size: int) -> float:
    return learning_rate


def _square_root(learning_rate: float, batch_size: int, new_batch_size: int) -> float:
    return learning_rate * float(np.sqrt(new_batch_size / batch_size))


def _whole_division(learning_rate: float, batch_size: int, new_batch_size: int) -> float:
    return learning_rate * (new_batch_size // batch_size)


def _upside_down(learning_rate: float, batch_size: int, new_batch_size: int) -> float:
    return learning_rate * batch_size / new_batch_size


SAME_TEMPERATURE = Exercise(
    name="sgd_noise.same_temperature",
    title="Another batch size, the same temperature",
    level=1,
    hints=(
        "The temperature is the learning rate divided by the batch size.",
        "Solve new rate / new size = rate / size for the new rate.",
    ),
    reference=same_temperature,
    cases=_same_temperature_cases,
    misconceptions=(
        Misconception(
            _same_rate,
            "With the same learning rate a larger batch is colder: the noise of a step has fallen.",
        ),
        Misconception(
            _square_root,
            "The square root keeps the noise of one step. But the spread also depends on how fast "
            "it is pulled back, and that goes with the learning rate itself.",
        ),
        Misconception(
            _upside_down,
            "Your factor is upside down: a larger batch has less noise, so it can bear a larger "
            "learning rate.",
        ),
        Misconception(
            _whole_division,
            "`//` drops what is left over: the ratio of two sizes need not be whole. Use `/`.",
        ),
    ),
)


# ----------------------------------------------------------------------------- epoch_gradient


def epoch_gradient(gradients: FloatArray, batch_size: int) -> FloatArray:
    """Average the gradients of all samples from the means of consecutive batches."""
    total = np.zeros(gradients.shape[1])
    for start in range(0, len(gradients), batch_size):
        batch = gradients[start : start + batch_size]
        total += len(batch) * batch.mean(axis=0)
    return total / len(gradients)


def _epoch_gradient_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=(10, 3)), 4),
        (rng.normal(1, 1, size=(7, 2)), 3),
        (rng.normal(size=(6, 2)), 2),
        (rng.normal(size=(5, 1)), 8),
        (rng.normal(-2, 1, size=(9, 2)), 1),
    ]


def _mean_of_means(gradients: FloatArray, batch_size: int) -> FloatArray:
    starts = range(0, len(gradients), batch_size)
    means = [gradients[s : s + batch_size].mean(axis=0) for s in starts]
    return np.asarray(np.mean(means, axis=0), dtype=np.float64)


def _drop_last(gradients: FloatArray, batch_size: int) -> FloatArray:
    whole = len(gradients) - len(gradients) % batch_size
    return np.asarray(gradients[:whole].sum(axis=0) / max(whole, 1), dtype=np.float64)


def _sum_of_batches(gradients: FloatArray, batch_size: int) -> FloatArray:
    return np.asarray(gradients.sum(axis=0), dtype=np.float64)


def _divide_by_batch_size(gradients: FloatArray, batch_size: int) -> FloatArray:
    n_batches = -(-len(gradients) // batch_size)
    return np.asarray(gradients.sum(axis=0) / (batch_size * n_batches), dtype=np.float64)


EPOCH_GRADIENT = Exercise(
    name="sgd_noise.epoch_gradient",
    title="Spot the bug: the last batch",
    level=1,
    hints=(
        "How many samples does the last batch hold when the number of rows is no multiple of the "
        "batch size?",
        "Weight the mean of each batch by its number of samples.",
    ),
    reference=epoch_gradient,
    cases=_epoch_gradient_cases,
    misconceptions=(
        Misconception(
            _mean_of_means,
            "That is still the bug: a last batch with few samples counts as much as a full one, "
            "so that its samples count more than the others.",
        ),
        Misconception(
            _drop_last,
            "You leave out the last batch: then its samples do not count at all.",
        ),
        Misconception(
            _sum_of_batches,
            "That is the sum over all samples. The gradient of a mean loss is their mean.",
        ),
        Misconception(
            _divide_by_batch_size,
            "You divide each batch by the batch size; the last one holds fewer samples than that.",
        ),
    ),
    equivalent_mutants={
        "batch_size → 4 in all cases": "That the batch size does not matter is the point.",
    },
)


# ------------------------------------------------------------------------- minibatch_distance


def minibatch_distance(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    """Return the expected squared distance of a mini-batch gradient from the full one."""
    n_samples = len(gradients)
    variance = float(np.sum(np.var(gradients, axis=0))) / batch_size
    return variance if replace else variance * (n_samples - batch_size) / (n_samples - 1)


def _distance_cases(rng: np.random.Generator) -> list[Case]:
    gradients = rng.normal(1, 2, size=(8, 3))
    return [
        (gradients, 2, True),
        (gradients, 2, False),
        (gradients, 8, False),
        (rng.normal(size=(20, 4)), 5, False),
        (rng.normal(size=(5, 2)), 1, True),
    ]


def _never_without(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    return float(np.sum(np.var(gradients, axis=0))) / batch_size


def _sample_variance(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    n_samples = len(gradients)
    return minibatch_distance(gradients, batch_size, replace) * n_samples / (n_samples - 1)


def _not_centered(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    n_samples = len(gradients)
    second = float(np.mean(np.sum(gradients**2, axis=1))) / batch_size
    return second if replace else second * (n_samples - batch_size) / (n_samples - 1)


def _batch_squared(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    return minibatch_distance(gradients, batch_size, replace) / batch_size


def _distance_not_squared(gradients: FloatArray, batch_size: int, replace: bool) -> float:
    return float(np.sqrt(minibatch_distance(gradients, batch_size, replace)))


MINIBATCH_DISTANCE = Exercise(
    name="sgd_noise.minibatch_distance",
    title="How far is a mini-batch?",
    level=2,
    hints=(
        "The expected squared length of a centered random vector is the trace of its covariance.",
        "The noise is that of this training set: its covariance has 1/n in it, not 1/(n − 1).",
        "Without replacement there is a factor (n − B)/(n − 1): the whole set has no noise.",
    ),
    reference=minibatch_distance,
    cases=_distance_cases,
    misconceptions=(
        Misconception(
            _never_without,
            "Without replacement the draws are not independent: a batch of all samples is the "
            "full gradient, and your distance is not zero there.",
        ),
        Misconception(
            _sample_variance,
            "You divide by n − 1, which estimates the variance in a population. Here the training "
            "set is the population.",
        ),
        Misconception(
            _not_centered,
            "Subtract the mean gradient: the noise is the distance from it, not from zero.",
        ),
        Misconception(
            _batch_squared,
            "The variance of a mean of B draws is the variance divided by B, not by B².",
        ),
        Misconception(
            _distance_not_squared,
            "The squared distance was asked for; you return its root.",
        ),
    ),
)


# ------------------------------------------------------------------------- stationary_variance


def stationary_variance(
    learning_rate: float, batch_size: int, curvature: float, noise: float
) -> float:
    """Return the variance at which SGD on a parabola settles."""
    eta, h = learning_rate, curvature
    return eta * noise**2 / (batch_size * h * (2 - eta * h))


def _stationary_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.1, 1, 1.0, 2.0), (0.5, 8, 2.0, 1.0), (0.01, 16, 0.5, 3.0), (1.5, 4, 1.0, 0.5)]


def _small_steps(learning_rate: float, batch_size: int, curvature: float, noise: float) -> float:
    return learning_rate * noise**2 / (2 * batch_size * curvature)


def _one_step(learning_rate: float, batch_size: int, curvature: float, noise: float) -> float:
    return learning_rate**2 * noise**2 / batch_size


def _whole_noise(learning_rate: float, batch_size: int, curvature: float, noise: float) -> float:
    return batch_size * stationary_variance(learning_rate, batch_size, curvature, noise)


def _without_square(learning_rate: float, batch_size: int, curvature: float, noise: float) -> float:
    eta, h = learning_rate, curvature
    return float(eta**2 * noise**2 / batch_size / (1 - abs(1 - eta * h)))


STATIONARY_VARIANCE = Exercise(
    name="sgd_noise.stationary_variance",
    title="Derive the temperature",
    level=2,
    hints=(
        "One step is w ← (1 − ηh) w − η ξ. Take the variance of both sides.",
        "The noise of a step is independent of w, so variances add: V = (1 − ηh)² V + η² σ²/B.",
        "Solve for V. Do not neglect ηh against 2.",
    ),
    reference=stationary_variance,
    cases=_stationary_cases,
    misconceptions=(
        Misconception(
            _small_steps,
            "That is the limit of small steps. The exact result has a factor 2 − ηh in it, which "
            "is small where the training is about to become unstable.",
        ),
        Misconception(
            _one_step,
            "That is what one step adds. The next steps keep the part (1 − ηh)² of it.",
        ),
        Misconception(
            _whole_noise,
            "A batch averages its gradients: the variance of the noise is that of a sample "
            "divided by the batch size.",
        ),
        Misconception(
            _without_square,
            "A step multiplies w by 1 − ηh, and its variance by the square of that.",
        ),
    ),
)


# ------------------------------------------------------------------------------ end_of_descent


def end_of_descent(X: FloatArray, y: FloatArray, start: FloatArray) -> FloatArray:
    """Return where gradient descent on least squares ends, with more features than rows."""
    inverse = np.linalg.pinv(X)
    return start + inverse @ (y - X @ start)


def _end_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=(4, 7)), rng.normal(size=4), rng.normal(size=7)),
        (rng.normal(size=(2, 3)), rng.normal(size=2), np.zeros(3)),
        (rng.normal(size=(3, 10)), rng.normal(size=3), rng.normal(size=10)),
    ]


def _forget_the_start(X: FloatArray, y: FloatArray, start: FloatArray) -> FloatArray:
    return np.linalg.pinv(X) @ y


def _add_the_start(X: FloatArray, y: FloatArray, start: FloatArray) -> FloatArray:
    return start + np.linalg.pinv(X) @ y


def _keep_the_row_space(X: FloatArray, y: FloatArray, start: FloatArray) -> FloatArray:
    inverse = np.linalg.pinv(X)
    return inverse @ y + inverse @ X @ start


def _one_newton_step_back(X: FloatArray, y: FloatArray, start: FloatArray) -> FloatArray:
    return start - np.linalg.pinv(X) @ (y - X @ start)


END_OF_DESCENT = Exercise(
    name="sgd_noise.end_of_descent",
    title="Where does it end?",
    level=2,
    hints=(
        "Every gradient is a combination of the rows of X. What can it never change?",
        "The part of the start that is orthogonal to all rows stays. The rest is replaced.",
        "Descent from `start` is descent from zero for the targets `y − X @ start`.",
    ),
    reference=end_of_descent,
    cases=_end_cases,
    misconceptions=(
        Misconception(
            _forget_the_start,
            "That is the interpolant of smallest norm, which is reached from zero. What the start "
            "has in the null space of X is never touched.",
        ),
        Misconception(
            _add_the_start,
            "Your result does not fit the data: the part of the start in the row space of X must "
            "go.",
        ),
        Misconception(
            _keep_the_row_space,
            "You keep the wrong part of the start: the gradients act within the row space, so "
            "that the null space is what stays.",
        ),
        Misconception(
            _one_newton_step_back,
            "You walk away from the data: the residual is added, not subtracted.",
        ),
    ),
)


# ------------------------------------------------------------------------------ warmup_cosine


def warmup_cosine(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    """Rise linearly from zero to the peak, then fall to zero along half a cosine."""
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    done = (epoch - n_warmup) / (n_epochs - n_warmup)
    return float(peak * (1 + np.cos(np.pi * done)) / 2)


def _warmup_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [(epoch, 50, 10, 0.4) for epoch in (0, 5, 10, 20, 30, 49, 50)]
    cases += [(epoch, 12, 3, 2.0) for epoch in (2, 3, 4, 7, 12)]
    return [*cases, (1, 2, 1, 0.1), (6, 20, 8, 1.5), (50, 80, 20, 0.7), (0, 10, 0, 0.3)]


def _cosine_from_the_start(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    return float(peak * (1 + np.cos(np.pi * epoch / n_epochs)) / 2)


def _whole_wave(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    done = (epoch - n_warmup) / (n_epochs - n_warmup)
    return float(peak * (1 + np.cos(2 * np.pi * done)) / 2)


def _late_cosine(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    return float(peak * (1 + np.cos(np.pi * (epoch - n_warmup) / n_epochs)) / 2)


def _quarter_wave(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    return float(peak * np.cos(np.pi / 2 * (epoch - n_warmup) / (n_epochs - n_warmup)))


def _straight_down(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * epoch / n_warmup
    return peak * (n_epochs - epoch) / (n_epochs - n_warmup)


def _never_quite_zero(epoch: int, n_epochs: int, n_warmup: int, peak: float) -> float:
    if epoch < n_warmup:
        return peak * (epoch + 1) / n_warmup
    return warmup_cosine(epoch, n_epochs, n_warmup, peak)


WARMUP_COSINE = Exercise(
    name="sgd_noise.warmup_cosine",
    title="Warm-up, then cosine",
    level=2,
    hints=(
        "Treat the two parts separately; they meet at the peak.",
        "For the second part, count the epochs since the warm-up, as a part of those that remain.",
    ),
    reference=warmup_cosine,
    cases=_warmup_cases,
    misconceptions=(
        Misconception(
            _cosine_from_the_start,
            "Your learning rate jumps at the end of the warm-up: the cosine must begin there.",
        ),
        Misconception(
            _whole_wave,
            "That is a whole wave, which is back at the peak in the end; half a wave falls once.",
        ),
        Misconception(
            _late_cosine,
            "Your cosine is not at zero in the end: it has `n_epochs − n_warmup` epochs only.",
        ),
        Misconception(
            _quarter_wave,
            "That is a quarter of a cosine, steepest in the end. Half a wave, moved up by one and "
            "halved, is flat at both ends.",
        ),
        Misconception(
            _straight_down,
            "You fall along a straight line; half a cosine is flat at both ends.",
        ),
        Misconception(
            _never_quite_zero,
            "Your warm-up starts with a part of the peak and reaches it one epoch early; here it "
            "starts at zero.",
        ),
    ),
    equivalent_mutants=dict.fromkeys(
        (
            "epoch - n_warmup → n_warmup - epoch",
            "n_epochs - n_warmup → n_warmup - n_epochs",
        ),
        "A cosine is even.",
    )
    | dict.fromkeys(
        (
            "epoch → epoch - 1",
            "n_warmup → n_warmup + 1",
            "epoch < n_warmup → epoch <= n_warmup",
        ),
        "The two parts meet at the peak.",
    ),
)


# ----------------------------------------------------------------------------- top_eigenvalue


def top_eigenvalue(hessian: FloatArray, n_iterations: int) -> float:
    """Return the largest eigenvalue, also where the one of largest magnitude is negative."""
    shift = power_iteration(hessian, n_iterations)
    if shift >= 0:
        return shift
    shifted = hessian - shift * np.eye(len(hessian))  # no negative eigenvalues
    return power_iteration(shifted, n_iterations) + shift


def power_iteration(matrix: FloatArray, n_iterations: int) -> float:
    """Return the eigenvalue of largest magnitude, with its sign."""
    vector = np.linspace(1, 2, len(matrix))
    for _ in range(n_iterations):
        image = matrix @ vector
        vector = image / np.linalg.norm(image)
    return float(vector @ matrix @ vector)


def _eigenvalue_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for values in (
        [5.0, 1.0, 0.5],
        [-4.0, 2.0, 0.3],
        [3.0, -1.0],
        [-2.0, -0.5, -1.2],
        [-90.0, 40.0, -7.0],
        [0.03, -0.05, 0.01],
        [0.5, -0.1, 0.2],
    ):
        basis = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
        cases.append((basis @ np.diag(values) @ basis.T, 200))
    # All entries are small, and one eigenvalue is far below them.
    cases.append((np.diag([1.0, 0.5, 0.25, 0.125, 0.0]) - 3.0, 400))
    # Eigenvalues so close that few products cannot tell them apart.
    basis = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    cases.append((basis @ np.diag(np.linspace(1, 10, 30)) @ basis.T, 3))
    return cases


def _by_iteration(result: Any, expected: Any, args: Case) -> str | None:
    """Accept the eigenvalue; with few products, what a quotient of Rayleigh can be by then."""
    hessian, n_iterations = args
    if n_iterations > _FEW_PRODUCTS:
        return None if agrees(result, expected, rtol=1e-5, atol=1e-6) else "that is another number"
    lowest, highest = np.linalg.eigvalsh(hessian)[[0, -1]]
    is_between = agrees(result, (lowest + highest) / 2, rtol=0.0, atol=(highest - lowest) / 2)
    if is_between and not any(agrees(result, end, rtol=1e-6) for end in (lowest, highest)):
        return None
    return f"{n_iterations} products from any start do not lead there"


def _largest_magnitude(hessian: FloatArray, n_iterations: int) -> float:
    return power_iteration(hessian, n_iterations)


def _length_of_the_image(hessian: FloatArray, n_iterations: int) -> float:
    return abs(power_iteration(hessian, n_iterations))


def _without_moving_back(hessian: FloatArray, n_iterations: int) -> float:
    shift = power_iteration(hessian, n_iterations)
    if shift >= 0:
        return shift
    return power_iteration(hessian - shift * np.eye(len(hessian)), n_iterations)


def _trace(hessian: FloatArray, n_iterations: int) -> float:
    return float(np.trace(hessian))


_FEW_PRODUCTS = 10


def _by_a_routine(hessian: FloatArray, n_iterations: int) -> float:
    return float(np.linalg.eigvalsh(hessian)[-1])


TOP_EIGENVALUE = Exercise(
    name="sgd_noise.top_eigenvalue",
    title="The sharpest direction",
    level=3,
    hints=(
        "Multiply a vector by the matrix again and again, and keep its length at one.",
        "v · Hv is the eigenvalue with its sign; the length of Hv has lost the sign.",
        "If the eigenvalue found is negative, add its magnitude to the diagonal, repeat, and "
        "subtract it again.",
    ),
    reference=top_eigenvalue,
    cases=_eigenvalue_cases,
    accept=_by_iteration,
    shows=(power_iteration,),
    misconceptions=(
        Misconception(
            _largest_magnitude,
            "Power iteration finds the eigenvalue of largest magnitude. Away from a minimum that "
            "one can be negative, and the largest another one.",
        ),
        Misconception(
            _length_of_the_image,
            "You return a magnitude: curvature has a sign.",
        ),
        Misconception(
            _without_moving_back,
            "You have moved all eigenvalues up and not back down.",
        ),
        Misconception(
            _trace,
            "The trace is the sum of all eigenvalues, not the largest.",
        ),
        Misconception(
            _by_a_routine,
            "Your result is exact also where few products are not enough for that: use "
            "`n_iterations` products in each run, and no eigenvalue routine.",
        ),
    ),
    rtol=1e-5,
    atol=1e-6,
    equivalent_mutants={
        "range(n_iterations) → range(1, n_iterations + 1)": (
            "The number of the product is not used."
        ),
        "len(hessian) → hessian.shape[1]": "The matrix is square.",
        "shift >= 0 → shift > 0": "A shift of zero shifts nothing.",
    }
    | dict.fromkeys(
        (
            "n_iterations → n_iterations - 1",
            "n_iterations → n_iterations + 1",
            "n_iterations → n_iterations - 1 (2)",
            "n_iterations → n_iterations + 1 (2)",
            "n_iterations → n_iterations - 1 (3)",
            "n_iterations → n_iterations + 1 (3)",
        ),
        "More products change the error of the iteration only.",
    )
    | dict.fromkeys(
        (
            "1 → 2",
            "2 → 1",
            "2 → 3",
            "2 → 4",
        ),
        "Nearly every start leads to the same end.",
    ),
)


# --------------------------------------------------------------------------- filter_normalize


def filter_normalize(direction: FloatArray, weight: FloatArray) -> FloatArray:
    """Give every row of the direction the length of the same row of the weights."""
    lengths = np.linalg.norm(direction, axis=1, keepdims=True)
    scaled: FloatArray = direction / lengths * np.linalg.norm(weight, axis=1, keepdims=True)
    return scaled


def _filter_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)) * np.array([[0.1], [1.0], [10.0]])),
        (rng.normal(size=(2, 2)), rng.normal(size=(2, 2))),
        (rng.normal(size=(4, 4)), np.arange(16.0).reshape(4, 4)),
    ]


def _whole_layer(direction: FloatArray, weight: FloatArray) -> FloatArray:
    part = direction / np.linalg.norm(direction)
    return np.asarray(part * np.linalg.norm(weight), dtype=np.float64)


def _columns(direction: FloatArray, weight: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(direction, axis=0)
    return np.asarray(direction / lengths * np.linalg.norm(weight, axis=0), dtype=np.float64)


def _unit_rows(direction: FloatArray, weight: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(direction, axis=1, keepdims=True)
    return np.asarray(direction / lengths, dtype=np.float64)


def _times_length(direction: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(direction * np.linalg.norm(weight, axis=1, keepdims=True), dtype=np.float64)


FILTER_NORMALIZE = Exercise(
    name="sgd_noise.filter_normalize",
    title="Filter normalization",
    level=2,
    hints=(
        "A row of the weight matrix holds all weights into one unit: that is a filter.",
        "Divide each row of the direction by its own length first; `keepdims=True` helps.",
    ),
    reference=filter_normalize,
    cases=_filter_cases,
    misconceptions=(
        Misconception(
            _whole_layer,
            "One length for the whole layer: a unit with small weights is then moved by many "
            "times their size.",
        ),
        Misconception(
            _columns,
            "Those are the columns, the weights out of one input; a filter is a row.",
        ),
        Misconception(
            _unit_rows,
            "Your rows have length one, whatever the scale of the weights.",
        ),
        Misconception(
            _times_length,
            "Divide by the length that the row of the direction has by chance.",
        ),
    ),
)


# ----------------------------------------------------------------------- sharpness_of_product


def sharpness_of_product(first: float, second: float, factor: float) -> tuple[float, float]:
    """Return the top eigenvalue after rescaling, and the smallest that any factor gives."""
    return (factor * first) ** 2 + (second / factor) ** 2, 2 * abs(first * second)


def _product_cases(rng: np.random.Generator) -> list[Case]:
    return [(1.0, 1.0, 1.0), (2.0, 3.0, 5.0), (-0.5, 4.0, 0.1), (0.3, -0.7, 2.0)]


def _before_rescaling(first: float, second: float, factor: float) -> tuple[float, float]:
    return first**2 + second**2, 2 * abs(first * second)


def _scale_both(first: float, second: float, factor: float) -> tuple[float, float]:
    return (factor * first) ** 2 + (factor * second) ** 2, 2 * abs(first * second)


def _half_of_it(first: float, second: float, factor: float) -> tuple[float, float]:
    largest, smallest = sharpness_of_product(first, second, factor)
    return largest / 2, smallest / 2


def _without_factor_best(first: float, second: float, factor: float) -> tuple[float, float]:
    return sharpness_of_product(first, second, factor)[0], first**2 + second**2


def _zero_is_possible(first: float, second: float, factor: float) -> tuple[float, float]:
    return sharpness_of_product(first, second, factor)[0], 0.0


SHARPNESS_OF_PRODUCT = Exercise(
    name="sgd_noise.sharpness_of_product",
    title="As sharp as you like, but not as flat",
    level=3,
    hints=(
        "Write the loss as ½(uv − c)² and take the second derivatives where uv = c.",
        "The Hessian is an outer product of (v, u) with itself: its only eigenvalue that is not "
        "zero is u² + v².",
        "Rescaling puts a·u and v/a in place of u and v. A sum of two squares with a fixed product "
        "is smallest where they are equal.",
    ),
    reference=sharpness_of_product,
    cases=_product_cases,
    misconceptions=(
        Misconception(
            _before_rescaling,
            "That is the eigenvalue of the network as it was; rescaled weights are a·u and v/a.",
        ),
        Misconception(
            _scale_both,
            "You multiply both weights. Then the product changes, and with it the function.",
        ),
        Misconception(
            _half_of_it,
            "The ½ of the loss is gone after the second derivative of the square.",
        ),
        Misconception(
            _without_factor_best,
            "A factor of one is best only if the two weights are equally large already.",
        ),
        Misconception(
            _zero_is_possible,
            "When one weight shrinks, the other grows: the sum of the two squares cannot fall "
            "below twice their product.",
        ),
    ),
)


EXERCISES = (
    SAME_TEMPERATURE,
    EPOCH_GRADIENT,
    MINIBATCH_DISTANCE,
    STATIONARY_VARIANCE,
    END_OF_DESCENT,
    WARMUP_COSINE,
    FILTER_NORMALIZE,
    TOP_EIGENVALUE,
    SHARPNESS_OF_PRODUCT,
)
