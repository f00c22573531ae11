"""Exercises of the lesson on data augmentation, noise and soft targets."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


# --------------------------------------------------------------------------------- soft_targets


def soft_targets(y: IntArray, n_classes: int, epsilon: float) -> tuple[FloatArray, FloatArray]:
    """Return the smoothed targets in both conventions, uniform first."""
    one_hot = np.eye(n_classes)[y]
    uniform = (1 - epsilon) * one_hot + epsilon / n_classes
    others = (1 - epsilon) * one_hot + epsilon / (n_classes - 1) * (1 - one_hot)
    return uniform, others


def _soft_targets_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.array([2]), 10, 0.1),
        (np.array([0, 1, 1]), 2, 0.2),
        (rng.integers(0, 5, 6), 5, 0.3),
    ]


def _swapped(y: IntArray, n_classes: int, epsilon: float) -> tuple[FloatArray, FloatArray]:
    uniform, others = soft_targets(y, n_classes, epsilon)
    return others, uniform


def _always_uniform(y: IntArray, n_classes: int, epsilon: float) -> tuple[FloatArray, FloatArray]:
    uniform, _ = soft_targets(y, n_classes, epsilon)
    return uniform, uniform


def _always_others(y: IntArray, n_classes: int, epsilon: float) -> tuple[FloatArray, FloatArray]:
    _, others = soft_targets(y, n_classes, epsilon)
    return others, others


def _too_little(y: IntArray, n_classes: int, epsilon: float) -> tuple[FloatArray, FloatArray]:
    uniform, others = soft_targets(y, n_classes, epsilon)
    right = np.eye(n_classes)[y] == 1
    return np.where(right, 1 - epsilon, uniform), others


SOFT_TARGETS = Exercise(
    name="augmentation.soft_targets",
    title="Soft targets in two conventions",
    level=1,
    hints=(
        "`np.eye(n_classes)[y]` gives the one-hot rows.",
        "In the uniform convention every class gets ε/K, the right one too.",
        "Every row must sum to 1.",
    ),
    reference=soft_targets,
    cases=_soft_targets_cases,
    misconceptions=(
        Misconception(_swapped, "You have the two conventions the wrong way around."),
        Misconception(
            _always_uniform,
            "Your second answer is the uniform convention again: there the right class keeps "
            "exactly 1 − ε and the others share ε.",
        ),
        Misconception(
            _always_others,
            "Your first answer is the convention of the others: in the uniform one the right class "
            "gets its share ε/K back.",
        ),
        Misconception(
            _too_little,
            "Your first rows sum to less than 1: the right class must get 1 − ε + ε/K.",
        ),
    ),
)


# -------------------------------------------------------------------------------- count_weights


def count_weights(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    """Return the numbers of weights and biases: a dense layer's, a convolution's."""
    dense = units * (height * width * channels + 1)
    shared = units * (kernel * kernel * channels + 1)
    return [dense, shared]


def _count_weights_cases(rng: np.random.Generator) -> list[Case]:
    return [(224, 224, 1, 3, 1), (224, 224, 3, 3, 64), (8, 12, 2, 5, 7)]


def _no_biases(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    return [units * height * width * channels, units * kernel * kernel * channels]


def _one_channel(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    return count_weights(height, width, 1, kernel, units)


def _kernel_for_all(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    dense, _ = count_weights(height, width, channels, kernel, units)
    return [dense, units * (kernel * kernel + 1)]


def _per_place(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    dense, shared = count_weights(height, width, channels, kernel, units)
    return [dense, shared * height * width]


def _one_bias(height: int, width: int, channels: int, kernel: int, units: int) -> list[int]:
    dense, shared = _no_biases(height, width, channels, kernel, units)
    return [dense + 1, shared + 1]


COUNT_WEIGHTS = Exercise(
    name="augmentation.count_weights",
    title="What sharing saves",
    level=1,
    hints=(
        "A dense unit has a weight for every number of the image, and one bias.",
        "A kernel reaches through all channels; its weights are the same at every place.",
    ),
    reference=count_weights,
    cases=_count_weights_cases,
    misconceptions=(
        Misconception(_no_biases, "You have left out the biases: one for each unit or channel."),
        Misconception(
            _one_channel,
            "You count one input channel; both layers look at all of them.",
        ),
        Misconception(
            _kernel_for_all,
            "Your kernel is flat: it has kernel × kernel weights for *each* input channel.",
        ),
        Misconception(
            _per_place,
            "You count the kernel's weights anew at every place; sharing means that they are the "
            "same ones.",
        ),
        Misconception(_one_bias, "You count one bias for all; each unit or kernel has its own."),
    ),
    equivalent_mutants={
        "height, width → width, height": "Both only enter as their product.",
    },
)


# --------------------------------------------------------------------------------- shift_images


def shift_images(images: FloatArray, down: int, right: int) -> FloatArray:
    """Return images shifted by whole pixels; what comes in from outside is 0."""
    result = np.zeros_like(images)
    height, width = images.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    old_rows, old_columns = rows - down, columns - right
    inside = (old_rows >= 0) & (old_rows < height) & (old_columns >= 0) & (old_columns < width)
    result[:, inside] = images[:, old_rows[inside], old_columns[inside]]
    return result


def _shift_images_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (np.arange(1.0, 10.0).reshape(1, 3, 3), 1, 0),
        (rng.random((2, 4, 5)), 1, -2),
        (rng.random((2, 5, 4)), -2, 1),
        (rng.random((1, 3, 3)), 0, 0),
        (rng.normal(size=(3, 4, 4)), -1, -3),
        (rng.normal(size=(2, 5, 6)), 2, 3),
    ]


def _wraps(images: FloatArray, down: int, right: int) -> FloatArray:
    return np.roll(images, (down, right), axis=(1, 2))


def _shift_of_the_batch(images: FloatArray, down: int, right: int) -> FloatArray:
    return np.roll(images, (down, right), axis=(0, 1))


def _other_way(images: FloatArray, down: int, right: int) -> FloatArray:
    return shift_images(images, -down, -right)


def _axes_swapped(images: FloatArray, down: int, right: int) -> FloatArray:
    return shift_images(images, right, down)


def _cleared_above_and_left(images: FloatArray, down: int, right: int) -> FloatArray:
    shifted = _wraps(images, down, right)
    shifted[:, :down] = 0
    shifted[:, :, :right] = 0
    return shifted


def _wraps_above_and_left(images: FloatArray, down: int, right: int) -> FloatArray:
    result = np.zeros_like(images)
    height, width = images.shape[1:]
    for i, j in np.ndindex(height, width):
        if i + down < height and j + right < width:
            result[:, i + down, j + right] = images[:, i, j]
    return result


SHIFT_IMAGES = Exercise(
    name="augmentation.shift_images",
    title="Spot the bugs: a shift",
    level=1,
    hints=(
        "What does `np.roll` do with the row that leaves the image?",
        "The first axis is the number of the image, the second goes down, the third to the right.",
        "`np.pad` the images with zeros on all sides, then cut out a window.",
    ),
    reference=shift_images,
    cases=_shift_images_cases,
    misconceptions=(
        Misconception(
            _shift_of_the_batch,
            "Both bugs are still there: axis 0 counts the images, so that you exchange whole "
            "images (and their labels), and what leaves on one side comes back on the other.",
        ),
        Misconception(
            _wraps,
            "What leaves on one side comes back on the other; it should be lost, with zeros coming "
            "in.",
        ),
        Misconception(_other_way, "You shift the other way: up and to the left."),
        Misconception(_axes_swapped, "You have exchanged down and right."),
        Misconception(
            _cleared_above_and_left,
            "Right where the shift goes down and to the right. A negative index counts from the "
            "end: look at negative shifts.",
        ),
        Misconception(
            _wraps_above_and_left,
            "Right where the shift goes down and to the right. A negative index counts from the "
            "end: look at negative shifts.",
        ),
    ),
)


# ----------------------------------------------------------------------------------- mix_batch


def mix_batch(
    x: FloatArray, y: IntArray, n_classes: int, share: FloatArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the inputs and the soft targets of mixup."""
    targets = np.eye(n_classes)[y]
    weight = share[:, None]
    mixed = weight * x + (1 - weight) * x[partner]
    return mixed, weight * targets + (1 - weight) * targets[partner]


def _mix_batch_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.normal(size=(n, 3)),
            rng.permutation(n) % k,
            k,
            rng.random(n),
            np.roll(np.arange(n), 1),
        )
        for n, k in ((4, 2), (5, 3), (6, 4))
    ]


def _labels_kept(
    x: FloatArray, y: IntArray, n_classes: int, share: FloatArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    mixed, _ = mix_batch(x, y, n_classes, share, partner)
    return mixed, np.eye(n_classes)[y]


def _shares_exchanged(
    x: FloatArray, y: IntArray, n_classes: int, share: FloatArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    mixed, _ = mix_batch(x, y, n_classes, share, partner)
    return mixed, mix_batch(x, y, n_classes, 1 - share, partner)[1]


def _in_halves(
    x: FloatArray, y: IntArray, n_classes: int, share: FloatArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    return mix_batch(x, y, n_classes, np.full_like(share, 0.5), partner)


def _one_share(
    x: FloatArray, y: IntArray, n_classes: int, share: FloatArray, partner: IntArray
) -> tuple[FloatArray, FloatArray]:
    return mix_batch(x, y, n_classes, np.full_like(share, share[0]), partner)


MIX_BATCH = Exercise(
    name="augmentation.mix_batch",
    title="Spot the bug: mixup",
    level=2,
    hints=(
        "The picture of a third of a 3 and two thirds of an 8: what should its label be?",
        "Make one-hot rows of the labels; they can be mixed as the inputs are, with the same "
        "shares.",
    ),
    reference=mix_batch,
    cases=_mix_batch_cases,
    misconceptions=(
        Misconception(
            _labels_kept,
            "The labels are still those of the first partner: a mix with a small share of it would "
            "be called by its name.",
        ),
        Misconception(
            _shares_exchanged,
            "Inputs and targets are mixed with opposite shares.",
        ),
        Misconception(_in_halves, "You mix all pairs half and half; each has a share of its own."),
        Misconception(
            _one_share,
            "You use the first share for the whole batch; here each pair has its own.",
        ),
    ),
)


# -------------------------------------------------------------------------------- smote_point


def smote_point(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    """Return the point at `u` on the way from a row to its neighbor number 0, 1, ..."""
    distances = np.linalg.norm(X - X[row], axis=1)
    distances[row] = np.inf  # a row is not its own neighbor
    other = X[np.argsort(distances, kind="stable")[neighbor]]
    return np.asarray(X[row] + u * (other - X[row]))


def _smote_point_cases(rng: np.random.Generator) -> list[Case]:
    # Seen from row 0, other rows are the nearest in Manhattan, Euclidean and maximum distance.
    corners = np.array([[0.0, 0.0], [2.2, 2.2], [3.0, 0.0], [-1.8, 2.3], [0.0, 4.5], [-5.0, 1.0]])
    return [
        (rng.normal(size=(6, 2)), 0, 0, 0.25),
        (rng.normal(size=(8, 3)), 5, 2, 0.7),
        (rng.normal(size=(5, 4)), 4, 1, 0.1),
        *((corners, 0, neighbor, 0.5) for neighbor in range(5)),
        (rng.normal(1, [1, 5, 0.2], size=(7, 3)), 3, 5, 1.0),
    ]


def _itself_first(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    order = np.argsort(np.linalg.norm(X - X[row], axis=1), kind="stable")
    return np.asarray(X[row] + u * (X[order[neighbor]] - X[row]))


def _from_the_other_end(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    return smote_point(X, row, neighbor, 1 - u)


def _beyond(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    return smote_point(X, row, neighbor, -u)


def _farthest(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    order = np.argsort(-np.linalg.norm(X - X[row], axis=1), kind="stable")
    return np.asarray(X[row] + u * (X[order[neighbor]] - X[row]))


def _rank_as_row(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    return np.asarray(X[row] + u * (X[neighbor] - X[row]))


def _of_shortened_array(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    others = np.delete(X, row, axis=0)
    near = np.argsort(np.linalg.norm(others - X[row], axis=1), kind="stable")[neighbor]
    return np.asarray(X[row] + u * (X[near] - X[row]))


def _manhattan(X: FloatArray, row: int, neighbor: int, u: float) -> FloatArray:
    distances = np.abs(X - X[row]).sum(axis=1)
    distances[row] = np.inf
    return np.asarray(X[row] + u * (X[np.argsort(distances)[neighbor]] - X[row]))


SMOTE_POINT = Exercise(
    name="augmentation.smote_point",
    title="One synthetic row",
    level=2,
    hints=(
        "`np.linalg.norm(X - X[row], axis=1)` gives all distances.",
        "The nearest row of all is the row itself. It must not count.",
    ),
    reference=smote_point,
    cases=_smote_point_cases,
    misconceptions=(
        Misconception(
            _itself_first,
            "You count the row as its own nearest neighbor, so that some new rows are copies.",
        ),
        Misconception(
            _from_the_other_end,
            "You start at the neighbor: at u = 0 the point must be the row itself.",
        ),
        Misconception(
            _beyond,
            "Your point lies on the line, but on the far side of the row, away from the neighbor.",
        ),
        Misconception(_farthest, "You take the most distant rows for the neighbors."),
        Misconception(
            _manhattan,
            "You sum the absolute differences; SMOTE's neighbors are those of the Euclidean "
            "distance.",
        ),
        Misconception(
            _rank_as_row,
            "You take the row with the number `neighbor`; it is the rank among the neighbors, "
            "sorted by their distance.",
        ),
        Misconception(
            _of_shortened_array,
            "You look up in `X` a position that counts without the row itself: all rows behind it "
            "are shifted by one.",
        ),
    ),
    equivalent_mutants={
        "np.linalg.norm(X - X[row], axis=1) → np.linalg.norm(X - X[row], axis=1) ** 2": (
            "Squares of distances have the same order."
        ),
        "X - X[row] → X[row] - X": "A distance has no direction.",
    },
)


# ------------------------------------------------------------------------------ split_and_fill


def split_and_fill(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    """Return the training rows, then the midpoints of consecutive training rows of class 1."""
    X_train, y_train = X[~test], y[~test]
    minority = X_train[y_train == 1]
    middles = (minority[:-1] + minority[1:]) / 2
    labels = np.ones(len(middles), dtype=y.dtype)
    return np.concatenate([X_train, middles]), np.concatenate([y_train, labels])


def _split_and_fill_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for n in (8, 12):
        y = np.tile([0, 1, 1, 0], n // 4)
        test = np.arange(n) % 3 == 1
        cases.append((rng.normal(size=(n, 2)), y, test))
    # A test row between two training rows of class 1, and classes in any order.
    y = np.array([1, 1, 1, 0, 1, 0, 1])
    test = np.array([False, True, False, True, True, False, False])
    cases.append((rng.normal(size=(7, 3)), y, test))
    return cases


def _fill_first(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    minority = X[y == 1]
    middles = (minority[:-1] + minority[1:]) / 2
    labels = np.ones(len(middles), dtype=y.dtype)
    return np.concatenate([X[~test], middles]), np.concatenate([y[~test], labels])


def _fill_all(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    X_train, y_train = X[~test], y[~test]
    middles = (X_train[:-1] + X_train[1:]) / 2
    labels = np.ones(len(middles), dtype=y.dtype)
    return np.concatenate([X_train, middles]), np.concatenate([y_train, labels])


def _fill_from_the_test(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    return split_and_fill(X, y, ~test)


def _middles_only(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    X_new, y_new = split_and_fill(X, y, test)
    n_train = int(np.sum(~test))
    return X_new[n_train:], y_new[n_train:]


def _drop_mixed(X: FloatArray, y: IntArray, test: BoolArray) -> tuple[FloatArray, IntArray]:
    minority = np.flatnonzero(y == 1)
    pairs = [(a, b) for a, b in itertools.pairwise(minority) if not (test[a] or test[b])]
    middles = [(X[a] + X[b]) / 2 for a, b in pairs]
    labels = np.ones(len(middles), dtype=y.dtype)
    return np.vstack([X[~test], *middles]), np.concatenate([y[~test], labels])


SPLIT_AND_FILL = Exercise(
    name="augmentation.split_and_fill",
    title="Spot the bug: filling up before the split",
    level=2,
    hints=(
        "Which rows have a part in each midpoint?",
        "Throw the test rows away in the first line; nothing below may see them.",
    ),
    reference=split_and_fill,
    cases=_split_and_fill_cases,
    misconceptions=(
        Misconception(
            _fill_first,
            "That is still the bug: midpoints of test rows are in the training data.",
        ),
        Misconception(
            _fill_all,
            "You take midpoints of all training rows; only those of class 1 were asked for.",
        ),
        Misconception(_fill_from_the_test, "Your mask is upside down: `test` marks the test rows."),
        Misconception(_middles_only, "The training rows themselves are missing."),
        Misconception(
            _drop_mixed,
            "You leave out the midpoints that a test row had a part in. Once the test rows are "
            "gone, the training rows on its two sides are consecutive: they have a midpoint.",
        ),
    ),
)


# --------------------------------------------------------------------------------- orbit_losses


def orbit_losses(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    """Return the mean log loss over all versions, and the log loss of the mean prediction."""
    rows = np.arange(len(y))
    of_each = -np.log(probabilities[:, rows, y]).mean()
    of_mean = -np.log(probabilities.mean(axis=0)[rows, y]).mean()
    return float(of_each), float(of_mean)


def _orbit_losses_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (
            rng.dirichlet(np.ones(k), size=(t, n)),
            rng.integers(0, k, n),
        )
        for t, n, k in ((2, 3, 2), (5, 4, 3), (8, 6, 10))
    ]


def _other_order(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    each, mean = orbit_losses(probabilities, y)
    return mean, each


def _mean_logarithm(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    each, _ = orbit_losses(probabilities, y)
    return each, each


def _of_rows(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    each, _ = orbit_losses(probabilities, y)
    right = probabilities[:, np.arange(len(y)), y]
    return each, float(-np.log(right.mean()))


def _most_likely(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    return (
        float(-np.log(probabilities.max(axis=2)).mean()),
        float(-np.log(probabilities.mean(axis=0).max(axis=1)).mean()),
    )


def _most_likely_averaged(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    largest = probabilities.max(axis=2)
    return float(-np.log(largest).mean()), float(-np.log(largest.mean(axis=0)).mean())


def _all_pairs(probabilities: FloatArray, y: IntArray) -> tuple[float, float]:
    pairs = probabilities[:, :, y]
    return float(-np.log(pairs).mean()), float(-np.log(pairs.mean(axis=0)).mean())


ORBIT_LOSSES = Exercise(
    name="augmentation.orbit_losses",
    title="The loss of the average",
    level=2,
    hints=(
        "`probabilities[:, np.arange(len(y)), y]` picks the right class in every version.",
        "For the second number average over axis 0 first, then take the logarithm.",
        "By Jensen's inequality the second is never larger than the first.",
    ),
    reference=orbit_losses,
    cases=_orbit_losses_cases,
    misconceptions=(
        Misconception(_other_order, "The two numbers are in the wrong order."),
        Misconception(
            _mean_logarithm,
            "Your two numbers are equal: average the probabilities *before* the logarithm.",
        ),
        Misconception(
            _of_rows,
            "You average over the rows too before the logarithm; the average is over versions of "
            "the same row only.",
        ),
        Misconception(
            _most_likely,
            "You take the most likely class; the log loss asks for the probability of the right "
            "one.",
        ),
        Misconception(
            _most_likely_averaged,
            "You take the largest probability; the log loss asks for the probability of the right "
            "class.",
        ),
        Misconception(
            _all_pairs,
            "`[:, :, y]` takes every row together with every label; each row has its own label: "
            "pair them with `np.arange(len(y))`.",
        ),
    ),
)


# -------------------------------------------------------------------------- equivalent_smoothing


def equivalent_smoothing(n_classes: int, gap: float) -> tuple[float, float]:
    """Return the strengths, uniform and others, whose least loss is at a logit gap."""
    others = (n_classes - 1) / (n_classes - 1 + np.exp(gap))
    return float(others * n_classes / (n_classes - 1)), float(others)


def _equivalent_smoothing_cases(rng: np.random.Generator) -> list[Case]:
    return [(10, np.log(91.0)), (2, 3.0), (1000, 8.0), (5, float(rng.uniform(1, 6)))]


def _gap_of_two(n_classes: int, gap: float) -> tuple[float, float]:
    others = 1 / (1 + np.exp(gap))
    return float(others * n_classes / (n_classes - 1)), float(others)


def _conventions_exchanged(n_classes: int, gap: float) -> tuple[float, float]:
    uniform, others = equivalent_smoothing(n_classes, gap)
    return others, uniform


def _same_number(n_classes: int, gap: float) -> tuple[float, float]:
    _, others = equivalent_smoothing(n_classes, gap)
    return others, others


def _factor_upside_down(n_classes: int, gap: float) -> tuple[float, float]:
    _, others = equivalent_smoothing(n_classes, gap)
    return others * (n_classes - 1) / n_classes, others


EQUIVALENT_SMOOTHING = Exercise(
    name="augmentation.equivalent_smoothing",
    title="Derive the strength from the gap",
    level=2,
    hints=(
        "Where the loss is least the softmax equals the target. What does the softmax give the "
        "right class, if it is `gap` above K − 1 equal others?",
        "In the second convention the right class has 1 − ε, so that ε is what the others have.",
        "ε of the first convention is larger by the factor K/(K − 1).",
    ),
    reference=equivalent_smoothing,
    cases=_equivalent_smoothing_cases,
    misconceptions=(
        Misconception(
            _gap_of_two,
            "You count one other class. There are K − 1 of them, each with exp(−gap) times the "
            "right one's probability.",
        ),
        Misconception(_conventions_exchanged, "You have exchanged the two conventions."),
        Misconception(
            _same_number,
            "Your two strengths are equal; the same target is a larger ε in the uniform "
            "convention, where the right class gets a part of it back.",
        ),
        Misconception(
            _factor_upside_down,
            "Your factor between the two is upside down: uniform needs the larger ε.",
        ),
    ),
)


# ------------------------------------------------------------------------------- average_over


def average_over(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    """Return the weights of least expected squared error under random linear transforms."""
    gram, moment = 0.0, 0.0
    for transform, probability in zip(transforms, probabilities, strict=True):
        Z = X @ transform.T
        gram = gram + probability * Z.T @ Z
        moment = moment + probability * Z.T @ y
    return np.asarray(np.linalg.solve(gram, moment))


def _average_over_cases(rng: np.random.Generator) -> list[Case]:
    shifts = np.stack([np.roll(np.eye(4), k, axis=0) for k in (0, 1, 3)])
    flips = np.stack([np.eye(3), np.eye(3)[::-1]])
    return [
        (rng.normal(size=(9, 4)), rng.normal(size=9), shifts, np.array([0.5, 0.25, 0.25])),
        (rng.normal(size=(7, 3)), rng.normal(size=7), flips, np.array([0.8, 0.2])),
        (rng.normal(size=(8, 2)), rng.normal(size=8), rng.normal(size=(3, 2, 2)), np.ones(3) / 3),
    ]


def _average_the_rows(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    Z = X @ np.tensordot(probabilities, transforms, axes=1).T
    return np.asarray(np.linalg.lstsq(Z, y, rcond=None)[0])


def _average_the_fits(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    fits = [np.linalg.lstsq(X @ t.T, y, rcond=None)[0] for t in transforms]
    return np.asarray(probabilities @ np.array(fits))


def _all_equally_likely(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    return average_over(X, y, transforms, np.full(len(transforms), 1 / len(transforms)))


def _not_transposed(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    return average_over(X, y, transforms.transpose(0, 2, 1), probabilities)


def _weighs_the_rows(
    X: FloatArray, y: FloatArray, transforms: FloatArray, probabilities: FloatArray
) -> FloatArray:
    Z = np.vstack([q * X @ t.T for t, q in zip(transforms, probabilities, strict=True)])
    targets = np.concatenate([q * y for q in probabilities])
    return np.asarray(np.linalg.lstsq(Z, targets, rcond=None)[0])


AVERAGE_OVER = Exercise(
    name="augmentation.average_over",
    title="All copies at once",
    level=3,
    hints=(
        "Row i becomes the row T x_i: all rows at once are `X @ T.T`.",
        "The expected loss is a weighted sum of ordinary squared errors. Set its gradient to zero.",
        "Sum the matrices ZᵀZ and the vectors Zᵀy with the probabilities, then solve once.",
    ),
    reference=average_over,
    cases=_average_over_cases,
    misconceptions=(
        Misconception(
            _average_the_rows,
            "You average the transformed rows and fit to the averages. That loses the variance "
            "within the copies of a row, which is the penalty.",
        ),
        Misconception(
            _average_the_fits,
            "You fit to each version by itself and average the weights; one model must fit all "
            "versions.",
        ),
        Misconception(
            _all_equally_likely,
            "You give all transforms the same probability.",
        ),
        Misconception(
            _not_transposed,
            "You use the transposed transforms: row i must become T x_i, thus `X @ T.T`.",
        ),
        Misconception(
            _weighs_the_rows,
            "You multiply rows and targets by the probabilities. The loss squares them, so that "
            "the probabilities enter squared: use their roots, or weigh the squares.",
        ),
    ),
)


# ---------------------------------------------------------------------------- calibrated_error


def calibrated_error() -> float:
    """Return the mean calibration error that a calibrated classifier shows on 200 rows."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, (2000, 200))
    right = rng.random((2000, 200)) < confidence
    bins = np.minimum((10 * confidence).astype(int), 9)
    gaps = [((confidence - right) * (bins == b)).sum(axis=1) for b in range(10)]
    return float(np.mean(np.abs(gaps).sum(axis=0) / 200))


CALIBRATED_ERROR = Exercise(
    name="augmentation.calibrated_error",
    title="The calibration error of the calibrated",
    level=3,
    hints=(
        "Draw 200 confidences, then 200 outcomes, each right with the probability that its "
        "confidence says.",
        "`expected_calibration_error(right.astype(int), confidence)` does the binning. Its "
        "two-dimensional form is not needed here.",
        "Repeat a few thousand times and average.",
    ),
    reference=calibrated_error,
    rtol=0.0,
    atol=0.003,
    misconceptions=(
        Misconception(
            lambda: 0.0,
            "With infinitely many rows it would be 0. In a bin of 40 rows the accuracy differs "
            "from the confidence by chance, and the absolute value keeps that from averaging out.",
        ),
        Misconception(
            lambda: 5 * calibrated_error(),
            "Have you summed the gaps of the bins? Weight each by its part of the rows. Or "
            "averaged one minus the confidence? What counts is the *difference* from how often it "
            "is right.",
        ),
        Misconception(
            lambda: calibrated_error() / 2,
            "About half of it. Do you divide by all 10 bins, of which only 5 hold any rows, or let "
            "the gaps of the bins cancel before you take the absolute value?",
        ),
        Misconception(
            lambda: 0.070,
            "Your ten bins divide the range from 0.5 to 1. Ten bins on [0, 1] leave five for these "
            "confidences, with twice as many rows each and less chance in each.",
        ),
        Misconception(
            lambda: 0.106,
            "That is the largest gap of a bin, the *maximum* calibration error; the expected one "
            "is their mean, weighted by the rows.",
        ),
        Misconception(
            lambda: 0.061,
            "You take the root mean square of the gaps; the ECE is the mean of absolute values.",
        ),
    ),
)


EXERCISES = (
    SOFT_TARGETS,
    COUNT_WEIGHTS,
    SHIFT_IMAGES,
    MIX_BATCH,
    SMOTE_POINT,
    SPLIT_AND_FILL,
    ORBIT_LOSSES,
    EQUIVALENT_SMOOTHING,
    AVERAGE_OVER,
    CALIBRATED_ERROR,
)
