"""Exercises of the lesson on overfitting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._accept import agrees
from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
Split = tuple[IntArray, IntArray]


# ------------------------------------------------------------------------------- best_epoch


def best_epoch(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    """Return the epoch to stop at and the generalization gap there."""
    epoch = int(np.argmin(validation_loss))
    return epoch, float(validation_loss[epoch] - train_loss[epoch])


def _best_epoch_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_epochs, turn in ((8, 3.0), (20, 7.0), (50, 12.0)):
        epochs = np.arange(n_epochs)
        train = np.exp(-epochs / turn) + 0.01 * rng.random(n_epochs)
        validation = train + 0.05 + 0.004 * epochs**1.3 + 0.02 * rng.random(n_epochs)
        cases.append((train, validation))
    # The best epoch comes first, then last; losses and gaps may also be negative.
    cases.append((np.array([0.9, 0.7, 0.4, 0.5]), np.array([0.8, 1.1, 1.0, 1.3])))
    cases.append((np.array([0.2, -0.3, -0.9, -0.7]), np.array([0.1, -0.5, -0.2, -0.8])))
    return cases


def _best_on_training(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    epoch = int(np.argmin(train_loss))
    return epoch, float(validation_loss[epoch] - train_loss[epoch])


def _smallest_gap(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    gap = validation_loss - train_loss
    return int(np.argmin(gap)), float(gap.min())


def _first_rise(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    epoch = int(np.argmax(np.diff(validation_loss) > 0))
    return epoch, float(validation_loss[epoch] - train_loss[epoch])


def _negative_gap(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    epoch, gap = best_epoch(train_loss, validation_loss)
    return epoch, -gap


def _smallest_sum(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    epoch = int(np.argmin(train_loss + validation_loss))
    return epoch, float(validation_loss[epoch] - train_loss[epoch])


def _gap_of_the_minima(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    return int(np.argmin(validation_loss)), float(validation_loss.min() - train_loss.min())


def _with_patience(train_loss: FloatArray, validation_loss: FloatArray) -> tuple[int, float]:
    best = 0
    for epoch in range(1, len(validation_loss)):
        if validation_loss[epoch] < validation_loss[best]:
            best = epoch
        elif epoch - best >= 2:
            break
    return best, float(validation_loss[best] - train_loss[best])


BEST_EPOCH = Exercise(
    name="overfitting.best_epoch",
    title="Read a pair of loss curves",
    level=1,
    hints=(
        "Which of the two curves tells how the model does on data that it was not fitted to?",
        "`np.argmin` gives the position of the smallest value. The gap is validation minus "
        "training loss.",
    ),
    reference=best_epoch,
    cases=_best_epoch_cases,
    misconceptions=(
        Misconception(
            _best_on_training,
            "You stop where the training loss is lowest: it keeps falling while the model learns "
            "the noise, so that is nearly always the last epoch.",
        ),
        Misconception(
            _smallest_gap,
            "You stop where the gap is smallest: an untrained model has a small gap as well, "
            "because it is equally bad on both sets. The validation loss itself should be small.",
        ),
        Misconception(
            _first_rise,
            "You stop at the first rise of the validation loss: the curve is noisy, and it often "
            "rises for one epoch long before its lowest point.",
        ),
        Misconception(
            _negative_gap,
            "Your epoch is right and your gap has the wrong sign: it is validation minus training"
            " loss, so that a positive gap means worse on new data.",
        ),
        Misconception(
            _smallest_sum,
            "You add the two losses. The training loss has no say in where to stop: a low one may "
            "be learned noise.",
        ),
        Misconception(
            _gap_of_the_minima,
            "Your epoch is right, but your gap compares the lowest values of both curves, which "
            "are reached in different epochs. Take both at the epoch of the stop.",
        ),
        Misconception(
            _with_patience,
            "You give up after a few epochs without improvement. Here the whole curve is known: "
            "take its lowest point.",
        ),
    ),
    equivalent_mutants={
        "np.argmin(validation_loss) → _last_argmin(validation_loss)": "Of equal ones any counts.",
    },
)


# ----------------------------------------------------------------------------- k_fold_indices


def k_fold_indices(n_samples: int, n_splits: int) -> list[Split]:
    """Return (train, validation) indices of contiguous folds; the first folds take the rest."""
    rows = np.arange(n_samples)
    return [(np.setdiff1d(rows, fold), fold) for fold in np.array_split(rows, n_splits)]


def _k_fold_cases(rng: np.random.Generator) -> list[Case]:
    return [(12, 4), (10, 3), (11, 5), (7, 7)]


def _drop_remainder(n_samples: int, n_splits: int) -> list[Split]:
    size = n_samples // n_splits
    rows = np.arange(n_samples)
    folds = [rows[k * size : (k + 1) * size] for k in range(n_splits)]
    return [(np.setdiff1d(rows, fold), fold) for fold in folds]


def _last_takes_rest(n_samples: int, n_splits: int) -> list[Split]:
    size = n_samples // n_splits
    rows = np.arange(n_samples)
    folds = [rows[k * size : (k + 1) * size] for k in range(n_splits - 1)]
    folds.append(rows[(n_splits - 1) * size :])
    return [(np.setdiff1d(rows, fold), fold) for fold in folds]


def _train_on_everything(n_samples: int, n_splits: int) -> list[Split]:
    rows = np.arange(n_samples)
    return [(rows, fold) for fold in np.array_split(rows, n_splits)]


def _swapped(n_samples: int, n_splits: int) -> list[Split]:
    return [(fold, rest) for rest, fold in k_fold_indices(n_samples, n_splits)]


def _interleaved(n_samples: int, n_splits: int) -> list[Split]:
    rows = np.arange(n_samples)
    return [(rows[rows % n_splits != k], rows[rows % n_splits == k]) for k in range(n_splits)]


def _shuffled(n_samples: int, n_splits: int) -> list[Split]:
    rows = np.arange(n_samples)
    shuffled = np.random.default_rng(0).permutation(n_samples)
    folds = [np.sort(fold) for fold in np.array_split(shuffled, n_splits)]
    return [(np.setdiff1d(rows, fold), fold) for fold in folds]


K_FOLD_INDICES = Exercise(
    name="overfitting.k_fold_indices",
    title="Cut rows into folds",
    level=2,
    hints=(
        "Every row must be in exactly one validation fold, also when the rows do not divide "
        "evenly.",
        "The first `n_samples % n_splits` folds have one row more than the others; "
        "`np.array_split` does that.",
        "`np.setdiff1d(all_rows, fold)` gives the rows that are not in a fold.",
    ),
    reference=k_fold_indices,
    cases=_k_fold_cases,
    misconceptions=(
        Misconception(
            _drop_remainder,
            "The rows that do not divide evenly are in no validation fold: with 10 rows and 3 "
            "folds one row is never predicted.",
        ),
        Misconception(
            _last_takes_rest,
            "Your last fold takes all remaining rows, so that folds differ by more than one row; "
            "the first folds should take one extra row each.",
        ),
        Misconception(
            _train_on_everything,
            "Your training part contains the validation rows: the model is then tested on what it"
            " was fitted to.",
        ),
        Misconception(
            _swapped,
            "Training and validation are swapped: the model should be fitted to the other folds "
            "and validated on this one.",
        ),
        Misconception(
            _interleaved,
            "These are valid folds, but not contiguous ones: fold k should be the k-th block of "
            "neighboring rows.",
        ),
        Misconception(
            _shuffled,
            "You shuffle the rows first, which is often wise; here the folds should be blocks of "
            "neighboring rows.",
        ),
    ),
)


# ------------------------------------------------------------------------------ bias_variance


def bias_variance(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Return bias² and variance, averaged over the inputs, as one simulation estimates them."""
    mean_prediction = predictions.mean(axis=0)
    bias_squared = np.mean((mean_prediction - truth) ** 2)
    variance = np.mean(predictions.var(axis=0, ddof=1))
    return float(bias_squared), float(variance)


def _bias_variance_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_fits, n_inputs, shift in ((5, 3, 0.5), (8, 8, -0.7), (40, 6, 0.3), (2, 4, 0.0)):
        truth = np.sin(np.linspace(0, 5, n_inputs))
        spread = np.linspace(0.2, 1, n_inputs)
        predictions = truth + shift + rng.exponential(spread, size=(n_fits, n_inputs))
        cases.append((predictions, truth))
    return cases


def _mean_error_as_bias(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    bias_squared = np.mean((predictions - truth) ** 2)
    return float(bias_squared), float(np.mean(predictions.var(axis=0, ddof=1)))


def _signed_bias(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    bias = np.mean(predictions.mean(axis=0) - truth)
    return float(bias**2), float(np.mean(predictions.var(axis=0, ddof=1)))


def _variance_over_inputs(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    bias_squared, _ = bias_variance(predictions, truth)
    return bias_squared, float(np.mean(predictions.var(axis=1, ddof=1)))


def _population_variance(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    bias_squared, _ = bias_variance(predictions, truth)
    return bias_squared, float(np.mean(predictions.var(axis=0)))


def _pooled_variance(predictions: FloatArray, truth: FloatArray) -> tuple[float, float]:
    bias_squared, _ = bias_variance(predictions, truth)
    return bias_squared, float(predictions.var(ddof=1))


def _either_estimate(result: Any, expected: Any, args: Case) -> str | None:
    """Accept also the unbiased estimate of bias², which subtracts the noise of the mean fit."""
    bias_squared, variance = expected
    unbiased = bias_squared - variance / len(args[0])
    if agrees(result, expected) or agrees(result, (unbiased, variance)):
        return None
    return "these are not bias² and variance"


BIAS_VARIANCE = Exercise(
    name="overfitting.bias_variance",
    title="Measure bias and variance",
    level=2,
    hints=(
        "Row r of `predictions` is one fitted model. Which axis do you average over to get the "
        "mean model?",
        "Bias compares the mean model with the truth: average first, then square, then average "
        "over the inputs.",
        "Variance asks how much the fits differ at one input; `ddof=1` because their mean is "
        "estimated too.",
    ),
    reference=bias_variance,
    cases=_bias_variance_cases,
    accept=_either_estimate,
    misconceptions=(
        Misconception(
            _mean_error_as_bias,
            "Your first number squares before it averages over the fits: that is the whole error,"
            " bias² plus variance. Average the predictions over the fits first.",
        ),
        Misconception(
            _signed_bias,
            "You average the signed bias over the inputs before squaring, so that too high here "
            "and too low there cancel. Square at each input, then average.",
        ),
        Misconception(
            _variance_over_inputs,
            "Your variance runs along the inputs: that measures how wavy one curve is. Variance "
            "is how much different fits disagree at the same input, along axis 0.",
        ),
        Misconception(
            _population_variance,
            "Your variance divides by the number of fits: since the mean is estimated from the "
            "same fits, that is too small on average. Divide by one less (`ddof=1`).",
        ),
        Misconception(
            _pooled_variance,
            "You pool all predictions into one variance, which mixes the spread between fits with"
            " the shape of the curve. Take the variance at each input, then average.",
        ),
    ),
    equivalent_mutants={
        "mean_prediction - truth → truth - mean_prediction": "Only squares of it are used.",
    },
)


# ----------------------------------------------------------------------------------- optimism


def expected_errors(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    """Return the expected errors on the training targets and on new ones at the same inputs."""
    ratio = n_parameters / n_samples
    return noise**2 * (1 - ratio), noise**2 * (1 + ratio)


def _expected_errors_cases(rng: np.random.Generator) -> list[Case]:
    return [(10, 2, 1.0), (50, 5, 0.3), (40, 40, 2.0), (100, 1, 0.5)]


def _noise_level(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    return noise**2, noise**2


def _standard_deviation(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    ratio = n_parameters / n_samples
    return noise * (1 - ratio), noise * (1 + ratio)


def _gap_once(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    ratio = n_parameters / n_samples
    return noise**2 * (1 - ratio), noise**2


def _errors_swapped(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    train, test = expected_errors(n_samples, n_parameters, noise)
    return test, train


def _inverse_ratio(n_samples: int, n_parameters: int, noise: float) -> tuple[float, float]:
    ratio = n_samples / n_parameters
    return noise**2 * (1 - ratio), noise**2 * (1 + ratio)


EXPECTED_ERRORS = Exercise(
    name="overfitting.expected_errors",
    title="Derive the optimism of the training error",
    level=2,
    hints=(
        "Write the fit as a projection: the fitted values are `H y` with a matrix H of trace p "
        "and H² = H.",
        "The residual is (I − H) times the noise, and the expectation of a quadratic form in "
        "white noise is noise² times a trace. What is the trace of I − H?",
        "New targets at the same inputs have noise of their own: add its variance to that of the "
        "fit, noise²·p/n.",
    ),
    reference=expected_errors,
    cases=_expected_errors_cases,
    misconceptions=(
        Misconception(
            _noise_level,
            "That would be right if the fit were the truth. The fit follows the noise of its own "
            "training set: this lowers the one error and raises the other.",
        ),
        Misconception(
            _standard_deviation,
            "You multiply with the standard deviation of the noise; mean squared errors scale "
            "with its square.",
        ),
        Misconception(
            _gap_once,
            "Your training error is right. On new targets the noise in the fit is an additional "
            "error: what training seems to gain is lost a second time.",
        ),
        Misconception(
            _errors_swapped,
            "The two are swapped: the training error comes first, and it is the smaller one.",
        ),
        Misconception(
            _inverse_ratio,
            "Your ratio is upside down: with more samples for each parameter the two errors "
            "approach each other.",
        ),
    ),
)


# --------------------------------------------------------------------------- one_standard_error


def one_standard_error(losses: FloatArray) -> int:
    """Return the simplest model within one standard error of the best; the simplest comes first."""
    means = losses.mean(axis=1)
    errors = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    best = np.argmin(means)
    return int(np.argmax(means <= means[best] + errors[best]))


def _one_standard_error_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = [
        # The first model lies exactly on the threshold, 2 + 2/√4.
        (np.array([[2.0, 4.0, 3.0, 3.0], [1.0, 5.0, 1.0, 1.0], [6.0, 1.0, 2.0, 3.0]]),),
        # The first lies above it, though below 2 + 2/√3.
        (np.array([[3.1, 3.1, 3.1, 3.1], [2.0, 3.0, 2.5, 2.0], [1.0, 5.0, 1.0, 1.0]]),),
        # Negative losses; the simplest model is the best one.
        (np.array([[-3.0, -2.0, -4.0], [-1.0, -2.5, -2.0], [-2.0, -2.0, -1.5]]),),
    ]
    # Curves chosen so that each misconception picks another model at least once.
    for curve, spread in (
        ([3.0, 2.0, 1.4, 1.12, 1.0, 1.05, 1.2], [0.3, 0.3, 0.3, 0.3, 0.4, 0.3, 0.3]),
        ([2.0, 1.5, 1.3, 1.2, 1.15, 1.0, 1.1], [4.0, 1.2, 0.9, 0.3, 0.3, 0.5, 0.2]),
        ([5.0, 1.0, 1.3, 1.9], [0.2, 0.5, 0.4, 0.3]),
    ):
        n_folds = 10
        wave = np.resize([1.0, -1.0], n_folds)
        noise = wave * np.sqrt((n_folds - 1) / n_folds)
        losses = np.array(curve)[:, None] + np.array(spread)[:, None] * noise
        cases.append((losses[:, rng.permutation(n_folds)],))
    # Few folds, on which the divisors n and n − 1 differ, and skewed losses.
    for n_folds in (3, 4, 5, 4, 3, 6, 4, 3, 5, 4, 3, 8):
        means = 1 + np.sort(rng.uniform(0, 0.9, 8))[::-1]
        means[6:] = means[5] + rng.uniform(0, 0.5, 2)
        cases.append((means[:, None] + rng.exponential(0.6, (8, n_folds)),))
    return cases


def _just_the_minimum(losses: FloatArray) -> int:
    return int(np.argmin(losses.mean(axis=1)))


def _standard_deviation_of_folds(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    best = np.argmin(means)
    return int(np.argmax(means <= means[best] + losses[best].std(ddof=1)))


def _own_standard_error(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    errors = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return int(np.argmax(means - errors <= means.min()))


def _most_complex(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    errors = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    best = np.argmin(means)
    return int(np.flatnonzero(means <= means[best] + errors[best])[-1])


def _biased_deviation(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    best = np.argmin(means)
    return int(np.argmax(means <= means[best] + losses[best].std() / np.sqrt(losses.shape[1])))


def _divided_by_folds(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    best = np.argmin(means)
    return int(np.argmax(means <= means[best] + losses[best].std(ddof=1) / losses.shape[1]))


def _medians(losses: FloatArray) -> int:
    middles = np.median(losses, axis=1)
    errors = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    best = np.argmin(middles)
    return int(np.argmax(middles <= middles[best] + errors[best]))


def _spread_of_means(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    return int(np.argmax(means <= means.min() + means.std(ddof=1) / np.sqrt(len(means))))


def _paired_differences(losses: FloatArray) -> int:
    differences = losses - losses[np.argmin(losses.mean(axis=1))]
    errors = differences.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return int(np.argmax(differences.mean(axis=1) <= errors))


def _walks_to_the_left(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    chosen = best = int(np.argmin(means))
    threshold = means[best] + losses[best].std(ddof=1) / np.sqrt(losses.shape[1])
    while chosen > 0 and means[chosen - 1] <= threshold:
        chosen -= 1
    return chosen


def _walks_to_the_right(losses: FloatArray) -> int:
    means = losses.mean(axis=1)
    chosen = best = int(np.argmin(means))
    threshold = means[best] + losses[best].std(ddof=1) / np.sqrt(losses.shape[1])
    while chosen < len(means) - 1 and means[chosen + 1] <= threshold:
        chosen += 1
    return chosen


def _columns_for_models(losses: FloatArray) -> int:
    return one_standard_error(losses.T)


ONE_STANDARD_ERROR = Exercise(
    name="overfitting.one_standard_error",
    title="Implement the one-standard-error rule",
    level=2,
    hints=(
        "Average over the folds first; that gives one mean and one standard error for each model.",
        "The threshold is the mean of the best model plus the standard error of that same model.",
        "`np.argmax(condition)` is the position of the first `True`: the simplest model under the"
        " threshold.",
    ),
    reference=one_standard_error,
    cases=_one_standard_error_cases,
    misconceptions=(
        Misconception(
            _just_the_minimum,
            "This is the model with the smallest mean loss. The rule takes the simplest one that "
            "is not clearly worse than that.",
        ),
        Misconception(
            _standard_deviation_of_folds,
            "Your tolerance is the standard deviation over the folds; the standard error of their"
            " mean is smaller by the square root of the number of folds.",
        ),
        Misconception(
            _own_standard_error,
            "You give each model its own standard error, which favors models whose loss is "
            "uncertain. The threshold comes from the best model alone.",
        ),
        Misconception(
            _most_complex,
            "You take the most complex model under the threshold; the rule takes the simplest.",
        ),
        Misconception(
            _biased_deviation,
            "Your standard deviation divides by K: with the mean estimated from the same folds "
            "it divides by K − 1 (`ddof=1`).",
        ),
        Misconception(
            _divided_by_folds,
            "You divide the standard deviation by K; the standard error divides by its root.",
        ),
        Misconception(
            _medians,
            "You compare the medians over the folds; the rule compares means.",
        ),
        Misconception(
            _spread_of_means,
            "You take the spread of the models' means. The standard error is that of one model, "
            "the best: it comes from the folds.",
        ),
        Misconception(
            _paired_differences,
            "You take the standard error of the paired differences from the best model. That is a "
            "different, sharper rule; here the error is that of the best model's own losses.",
        ),
        Misconception(
            _walks_to_the_left,
            "You walk from the best model toward simpler ones and stop at the first above the "
            "threshold; a still simpler one may lie below it again.",
        ),
        Misconception(
            _walks_to_the_right,
            "You walk from the best model toward more complex ones: the simple ones come first.",
        ),
        Misconception(
            _columns_for_models,
            "You average over the models: each *row* is a model, each column a fold.",
        ),
    ),
    equivalent_mutants={
        "np.argmin(means) → _last_argmin(means)": "Which of two equal means counts is left open.",
    },
)


# --------------------------------------------------------------------------------- standardize


def standardize(X_train: FloatArray, X_test: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scale both parts with the mean and standard deviation of the training part."""
    mean, scale = X_train.mean(axis=0), X_train.std(axis=0)
    return (X_train - mean) / scale, (X_test - mean) / scale


def _standardize_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (rng.normal(3, 2, size=(12, 2)), rng.normal(3, 2, size=(5, 2))),
        (rng.normal(size=(6, 3)), rng.normal(10, 4, size=(6, 3))),
        (rng.normal([-5, 0.1, 300], [1, 0.01, 90], size=(7, 3)), rng.normal(size=(2, 3))),
    ]


def _either_divisor(result: Any, expected: Any, args: Case) -> str | None:
    """Accept also the divisor n − 1 of the standard deviation: it leaks nothing either."""
    other = np.sqrt(1 - 1 / len(args[0]))
    if agrees(result, expected) or agrees(result, [part * other for part in expected]):
        return None
    return "the two parts are not both scaled as they should be"


def _scale_pooled(X_train: FloatArray, X_test: FloatArray) -> tuple[FloatArray, FloatArray]:
    both = np.vstack([X_train, X_test])
    mean, scale = both.mean(axis=0), both.std(axis=0)
    return (X_train - mean) / scale, (X_test - mean) / scale


def _scale_each(X_train: FloatArray, X_test: FloatArray) -> tuple[FloatArray, FloatArray]:
    return (X_train - X_train.mean(axis=0)) / X_train.std(axis=0), (
        X_test - X_test.mean(axis=0)
    ) / X_test.std(axis=0)


def _scale_train_only(X_train: FloatArray, X_test: FloatArray) -> tuple[FloatArray, FloatArray]:
    return (X_train - X_train.mean(axis=0)) / X_train.std(axis=0), X_test


def _scale_all_columns(X_train: FloatArray, X_test: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean, scale = X_train.mean(), X_train.std()
    return (X_train - mean) / scale, (X_test - mean) / scale


STANDARDIZE = Exercise(
    name="overfitting.standardize",
    title="Spot the bug: a leak before the split",
    level=1,
    hints=(
        "Which rows may the mean and the standard deviation depend on if the test part stands for"
        " the future?",
        "Compute both from `X_train` and apply the same two numbers of each column to both parts.",
    ),
    reference=standardize,
    cases=_standardize_cases,
    accept=_either_divisor,
    misconceptions=(
        Misconception(
            _scale_pooled,
            "That is still the leak: the mean and the standard deviation are computed from "
            "training and test rows together, so the training features depend on the test rows.",
        ),
        Misconception(
            _scale_each,
            "You scale the test part with its own mean and standard deviation: the same patient "
            "then gets different features depending on who else is in the test set.",
        ),
        Misconception(
            _scale_train_only,
            "The test part is left in its raw units, but the model was fitted to standardized "
            "features.",
        ),
        Misconception(
            _scale_all_columns,
            "You use one mean and one standard deviation for all columns; each feature needs its "
            "own (`axis=0`).",
        ),
    ),
    equivalent_mutants={
        "X_train.std(axis=0) → X_train.std(axis=0, ddof=1)": "Either divisor is accepted.",
    },
)


# ------------------------------------------------------------------------------ winners_curse


def winners_curse(
    n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator
) -> float:
    """Return the mean best validation accuracy among models that all guess."""
    correct = rng.random((n_repeats, n_models, n_validation)) < 0.5
    accuracy = correct.mean(axis=2)
    return float(accuracy.max(axis=1).mean())


def _winners_curse_cases(rng: np.random.Generator) -> list[Case]:
    # As many repeats as it takes for an error of simulation far below the tolerance.
    return [
        (n_models, n_validation, n_repeats, np.random.default_rng(int(rng.integers(1 << 30))))
        for n_models, n_validation, n_repeats in (
            (100, 25, 700),
            (50, 10, 2000),
            (40, 100, 300),
            (20, 50, 800),
            (1, 60, 2500),
        )
    ]


def _average_model(
    n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator
) -> float:
    return float(rng.binomial(n_validation, 0.5, (n_repeats, n_models)).mean() / n_validation)


def _best_ever(n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator) -> float:
    return float(rng.binomial(n_validation, 0.5, (n_repeats, n_models)).max() / n_validation)


def _median_report(
    n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator
) -> float:
    accuracy = (rng.random((n_repeats, n_models, n_validation)) < 0.5).mean(axis=2)
    return float(np.median(accuracy.max(axis=1)))


def _best_of_either_side(
    n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator
) -> float:
    accuracy = rng.binomial(n_validation, 0.5, (n_repeats, n_models)) / n_validation
    return float(np.maximum(accuracy, 1 - accuracy).max(axis=1).mean())


def _bound(n_models: int, n_validation: int, n_repeats: int, rng: np.random.Generator) -> float:
    return float(0.5 + np.sqrt(np.log(n_models) / (2 * n_validation)))


WINNERS_CURSE = Exercise(
    name="overfitting.winners_curse",
    title="The best of many guessers",
    level=3,
    hints=(
        "Draw one array of coin flips of shape (n_repeats, n_models, n_validation): is a "
        "prediction correct?",
        "The mean over the last axis is the validation accuracy of each model. What does a "
        "researcher report who has tried all models of one repeat?",
        "Take the maximum over the models, then the mean over the repeats.",
    ),
    reference=winners_curse,
    cases=_winners_curse_cases,
    rtol=0.0,
    atol=0.01,
    misconceptions=(
        Misconception(
            _average_model,
            "That is the accuracy of each model on new data, the average over all of them. The "
            "one that looks best on the validation rows was chosen for its luck there: take the "
            "maximum over the models before you average over the repeats.",
        ),
        Misconception(
            _best_ever,
            "You take the maximum over the repeats as well: that is the luckiest result of all "
            "researchers, not what one of them finds on average.",
        ),
        Misconception(
            _median_report,
            "You take the median over the repeats; their mean was asked for.",
        ),
        Misconception(
            _best_of_either_side,
            "You turn a model over that is wrong more often than right; the researcher reports "
            "accuracies as they are.",
        ),
        Misconception(
            _bound,
            "That is an upper bound on the expected maximum; simulate the mean itself.",
        ),
    ),
    equivalent_mutants=dict.fromkeys(
        (
            "n_repeats → n_repeats - 1",
            "n_repeats → n_repeats + 1",
            "n_repeats → 700 in all cases",
        ),
        "More or fewer repeats change the error of simulation only.",
    )
    | dict.fromkeys(
        (
            (
                "rng.random((n_repeats, n_models, n_validation)) < 0.5"
                " → rng.random((n_repeats, n_models, n_validation)) <= 0.5"
            ),
            (
                "rng.random((n_repeats, n_models, n_validation)) < 0.5"
                " → rng.random((n_repeats, n_models, n_validation)) > 0.5"
            ),
        ),
        "A coin is fair from either side.",
    ),
)


# --------------------------------------------------------------------------- degrees of descent


def interpolation_threshold() -> int:
    """Return the number of features at the peak, with 60 training rows and no penalty."""
    return 60 - 1  # the intercept is fitted, too


INTERPOLATION_THRESHOLD = Exercise(
    name="overfitting.interpolation_threshold",
    title="Where is the peak?",
    level=3,
    hints=(
        "Vary `n_components` around several candidates and average the test error over ten seeds "
        "or more.",
        "At the peak the model can just barely fit all training rows. How many free coefficients "
        "does that take?",
        "The intercept takes one degree of freedom: a peak at 59 or at 60 cannot be told apart by"
        " measuring.",
    ),
    reference=interpolation_threshold,
    rtol=0.0,
    atol=1.0,  # ten seeds cannot tell 58, 59 and 60 apart
    misconceptions=(
        Misconception(
            lambda: 100,
            "100 was the number of training rows in the lesson's experiment; the peak moves with "
            "the training set.",
        ),
        Misconception(
            lambda: 120,
            "Twice the number of rows is well past the peak: there the model interpolates with "
            "room to spare, and among all interpolants the one of smallest norm is fairly tame.",
        ),
        Misconception(
            lambda: 30,
            "Half the number of rows is on the way up: the model cannot fit all training rows yet.",
        ),
        Misconception(
            lambda: 10,
            "That is the number of input features; the peak depends on the number of random "
            "features made from them.",
        ),
        Misconception(
            lambda: 61,
            "The intercept takes one degree of freedom, so that one feature *fewer* than rows is "
            "enough, not one more.",
        ),
        Misconception(
            lambda: 64,
            "That is the number of pixels of a digit; the peak depends on the number of random "
            "features made from them.",
        ),
        Misconception(
            lambda: 2000,
            "That is the largest width of the lesson's experiment, far past the peak: the error "
            "has come down again.",
        ),
    ),
)


EXERCISES = (
    BEST_EPOCH,
    STANDARDIZE,
    K_FOLD_INDICES,
    BIAS_VARIANCE,
    EXPECTED_ERRORS,
    ONE_STANDARD_ERROR,
    WINNERS_CURSE,
    INTERPOLATION_THRESHOLD,
)
