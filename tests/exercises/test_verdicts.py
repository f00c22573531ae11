"""Wrong answers do not pass, right ones in any form do, and what is said of a wrong one is true.

The cases of an exercise and its misconceptions are a promise about answers that nobody has seen
yet. Here are answers that lie close to the border: each wrong one is right on most inputs, each
right one is another form, construction or estimate than the reference's.
"""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._plan import make_cases
from lessons_lib.exercises._registry import exercises_of, find, lesson_names
from lessons_lib.lessons.augmentation.exercises import smote_point, split_and_fill
from lessons_lib.lessons.early_stopping.exercises import keep_best, lucky_stop
from lessons_lib.lessons.ensembles.exercises import (
    best_threshold,
    best_weights,
    measured_stump_gain,
    stump_gain,
)
from lessons_lib.lessons.fraud.exercises import measured_noise_for_half, noise_for_half
from lessons_lib.lessons.sgd_noise.exercises import power_iteration

WRONG = []
RIGHT = []


def wrong(name, words=""):
    """Collect a wrong answer, and words of what is to be said of it."""

    def collect(answer):
        WRONG.append(pytest.param(name, answer, words, id=f"{name}-{answer.__name__}"))
        return answer

    return collect


def right(name):
    """Collect a right answer."""

    def collect(answer):
        RIGHT.append(pytest.param(name, answer, id=f"{name}-{answer.__name__}"))
        return answer

    return collect


def wrong_value(name, value, words=""):
    WRONG.append(pytest.param(name, value, words, id=f"{name}-{value}"))


def right_value(name, value):
    RIGHT.append(pytest.param(name, value, id=f"{name}-{value!r}"))


def in_order_of(order):
    return lambda y, scores, n: y[order(scores)[:n]].sum() / y.sum()


def ranked(y, scores):
    hits = y[np.argsort(-scores)]
    return (np.cumsum(hits) / np.arange(1, len(y) + 1) * hits).sum() / y.sum()


wrong("ensembles.vote", "let each row vote")(
    lambda labels: np.array([np.bincount(row).argmax() for row in labels])
)
wrong("ensembles.vote", "how many votes")(
    lambda labels: np.array([np.bincount(column).max() for column in labels.T])
)
wrong("ensembles.vote", "all votes together")(lambda labels: np.bincount(labels.ravel()).argmax())
wrong("ensembles.vote", "the one that comes first")(
    lambda labels: np.array([Counter(c.tolist()).most_common(1)[0][0] for c in labels.T])
)
wrong("ensembles.vote", "the smallest should win")(
    lambda labels: np.array(
        [labels.max() - np.bincount(labels.max() - c).argmax() for c in labels.T]
    )
)
wrong("ensembles.members_needed", "Rounded down")(lambda V, C, e: int((V - C) / (e * C)))
wrong("ensembles.members_needed", "fraction of C")(lambda V, C, e: math.ceil((V - C) / e))
wrong("ensembles.neighbor_weights", "this one is not")(
    lambda n, k: (1 - np.arange(1, k + 1) / n) ** n
)
wrong("fraud.precision", "Brackets are missing")(lambda r, f, s: r * s / r * s + f * (1 - s))
wrong("fraud.recall_at_alert_rate", "sorting leaves them")(in_order_of(lambda s: np.argsort(-s)))
wrong("fraud.recall_at_alert_rate", "*lowest*")(in_order_of(np.argsort))
wrong("fraud.average_precision", "sorting leaves them")(ranked)


@right("ensembles.vote")
def counts_of_each_column(labels):
    return np.array([np.bincount(column).argmax() for column in labels.T])


@right("ensembles.vote")
def counts_along_an_axis(labels):
    return np.apply_along_axis(lambda column: np.bincount(column).argmax(), 0, labels)


@right("ensembles.vote")
def counts_of_every_label_up_to_the_largest(labels):
    return np.array([(labels == k).sum(axis=0) for k in range(labels.max() + 1)]).argmax(axis=0)


def softmax_of(logits):
    return np.exp(logits) / np.exp(logits).sum()


def shifted_with_negative_slices(images, down, right):
    out = np.roll(images, (down, right), axis=(1, 2))
    out[:, :down] = 0
    out[:, :, :right] = 0
    return out


def neighbor_of_the_others(X, row, neighbor, u):
    rest = np.delete(X, row, axis=0)
    near = np.argsort(((rest - X[row]) ** 2).sum(axis=1))[neighbor]
    return X[row] + u * (X[near] - X[row])


def largest_probabilities(probabilities, y):
    p = probabilities.max(axis=2)
    return -np.log(p).mean(), -np.log(p.mean(axis=0)).mean()


def gap_of_the_length(X, y, coef, alpha):
    n, r = len(y), y - X @ coef
    point = min(1, n * alpha / np.linalg.norm(X.T @ r)) * r
    primal = r @ r / 2 / n + alpha * np.abs(coef).sum()
    return primal - (y @ point / n - point @ point / 2 / n)


def steps_of_a_sum(X, y, alpha, n_steps):
    curvature, w = np.linalg.eigvalsh(X.T @ X).max(), np.zeros(X.shape[1])
    for _ in range(n_steps):
        v = w - X.T @ (X @ w - y) / curvature
        w = np.sign(v) * np.maximum(np.abs(v) - alpha / curvature, 0)
    return w


def odds_ridge(X, y, p):
    return np.linalg.solve(X.T @ X + p / (1 - p) * np.eye(X.shape[1]), X.T @ y)


def both_parts_grow(alpha, l1_ratio, factor):
    a, b = alpha * l1_ratio * factor, alpha * (1 - l1_ratio) * factor**2
    return a + b, a / (a + b)


def freedom_with_intercept(X, strength):
    s2 = np.linalg.svd(X - X.mean(0), compute_uv=False) ** 2
    return 1 + np.sum(s2 / (s2 + len(X) * strength))


def opposite_share(X, y, l1_ratio):
    return np.abs((X - X.mean(0)).T @ (y - y.mean())).max() / len(y) * (1 - l1_ratio)


wrong("l2.prior_strength", "to multiply by what depends on `prior` instead of dividing")(
    lambda n_samples, noise, prior: noise**2 / n_samples * prior**2
)
wrong("l2.decay_step", "push of an L1 penalty")(lambda w, g, r, s: w - r * (g + 2 * s * np.sign(w)))
wrong("l2.degrees_of_freedom", "count the intercept")(freedom_with_intercept)
wrong("l1.penalty_and_push", "a number is wanted")(
    lambda theta, strength: (strength * np.abs(theta), strength * np.sign(theta))
)
wrong("l1.penalty_and_push", "exactly zero")(
    lambda theta, strength: (
        strength * np.abs(theta).sum(),
        strength * np.array([1.0 if t >= 0 else -1.0 for t in theta]),
    )
)
wrong("l1.ista", "as a sum over the rows")(steps_of_a_sum)
wrong("l1.duality_gap", "Euclidean length")(gap_of_the_length)
wrong("elastic_net.alpha_max", "share of L2")(opposite_share)
wrong("elastic_net.change_unit", "stays as it is")(both_parts_grow)
wrong("dropout.average_networks", "bias as well")(
    lambda x, W, b, p: softmax_of((1 - p) * (W @ x + b))
)
wrong("dropout.average_networks", "by their sum")(lambda x, W, b, p: np.exp((1 - p) * (W @ x) + b))
wrong("dropout.dropout_ridge", "plain ridge")(odds_ridge)
wrong_value("dropout.mean_shift", 2.375, "absolute values")
wrong("augmentation.shift_images", "negative shifts")(shifted_with_negative_slices)
wrong("augmentation.smote_point", "rank among the neighbors")(
    lambda X, row, neighbor, u: X[row] + u * (X[neighbor] - X[row])
)
wrong("augmentation.smote_point", "shifted by one")(neighbor_of_the_others)
wrong("augmentation.orbit_losses", "probability of the right")(largest_probabilities)
wrong_value("augmentation.calibrated_error", 0.25, "one minus the confidence")
wrong("sgd_noise.same_temperature", "drops what is left over")(lambda r, b, n: r * (n // b))
wrong("sgd_noise.warmup_cosine")(
    lambda epoch, n_epochs, n_warmup, peak: (
        peak * epoch / n_warmup
        if epoch <= n_warmup
        else peak / 2 * (1 + math.cos(math.pi * (epoch - n_warmup) / (n_epochs - n_warmup)))
    )
)


def verdict_on(name, answer):
    return judge(find(name), answer)


# --- lesson 1 ---


@wrong("overfitting.one_standard_error", "median")
def with_medians(losses):
    middles = np.median(losses, axis=1)
    best = middles.argmin()
    error = losses[best].std(ddof=1) / losses.shape[1] ** 0.5
    return int(np.argmax(middles <= middles[best] + error))


@wrong("overfitting.one_standard_error", "K − 1")
def with_the_biased_deviation(losses):
    means = losses.mean(axis=1)
    best = means.argmin()
    return int(np.argmax(means <= means[best] + losses[best].std() / losses.shape[1] ** 0.5))


@wrong("overfitting.one_standard_error", "root")
def with_the_error_over_k(losses):
    means = losses.mean(axis=1)
    best = means.argmin()
    return int(np.argmax(means <= means[best] + losses[best].std(ddof=1) / losses.shape[1]))


@wrong("overfitting.one_standard_error")
def strictly_below_the_threshold(losses):
    means = losses.mean(axis=1)
    best = means.argmin()
    threshold = means[best] + losses[best].std(ddof=1) / losses.shape[1] ** 0.5
    below = np.flatnonzero(means < threshold)
    return int(below[0]) if len(below) else int(best)


@right("overfitting.bias_variance")
def unbiased_estimate(predictions, truth):
    variance = predictions.var(axis=0, ddof=1)
    bias = (predictions.mean(axis=0) - truth) ** 2 - variance / len(predictions)
    return [bias.mean(), variance.mean()]


@wrong("overfitting.bias_variance")
def bias_overcorrected(predictions, truth):
    variance = predictions.var(axis=0, ddof=1)
    return ((predictions.mean(axis=0) - truth) ** 2 - variance).mean(), variance.mean()


@right("overfitting.standardize")
def with_the_sample_deviation(X_train, X_test):
    mean, scale = X_train.mean(axis=0), X_train.std(axis=0, ddof=1)
    return (X_train - mean) / scale, (X_test - mean) / scale


@wrong("overfitting.standardize")
def two_divisors(X_train, X_test):
    mean = X_train.mean(axis=0)
    return (X_train - mean) / X_train.std(axis=0), (X_test - mean) / X_train.std(axis=0, ddof=1)


@wrong("overfitting.best_epoch")
def stops_when_it_has_not_fallen_for_three_epochs(train_loss, validation_loss):
    best = 0
    for epoch in range(1, len(validation_loss)):
        if validation_loss[epoch] < validation_loss[best]:
            best = epoch
        elif epoch - best == 3:
            break
    return best, validation_loss[best] - train_loss[best]


@right("overfitting.winners_curse")
def with_draws_of_its_own(n_models, n_validation, n_repeats, rng):
    own = np.random.default_rng(1)
    return np.mean([own.binomial(n_validation, 0.5, n_models).max() for _ in range(n_repeats)]) / (
        n_validation
    )


@wrong("overfitting.winners_curse", "looks best")
def average_of_own_draws(n_models, n_validation, n_repeats, rng):
    return np.random.default_rng(2).integers(0, 2, (200, 200)).mean()


for width in (58, 59, 60, 60.0, np.float64(59), np.array(60)):
    right_value("overfitting.interpolation_threshold", width)
wrong_value("overfitting.interpolation_threshold", 57)
wrong_value("overfitting.interpolation_threshold", 45)
wrong_value("overfitting.interpolation_threshold", 61, "fewer")
wrong_value("overfitting.interpolation_threshold", 70)
wrong_value("overfitting.interpolation_threshold", "60")


# --- lessons 2 and 3 ---


@wrong("l2.decoupled_step")
def epsilon_inside_the_root(w, gradient, mean, square, step):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    size = math.sqrt(square / (1 - 0.999**step) + 1e-8)
    return w * 0.999 - 0.01 * mean / (1 - 0.9**step) / size, mean, square


@wrong("l2.to_house_strength")
def one_number_of_rows(convention, strength, n_samples):
    rows = {"sum + sum of squares": 34, "half sum + half norm": 41}
    return strength * (2 if "half mean" in convention else 1 / rows.get(convention, 2))


for place in (0.122, 0.1221, 0.12207):
    right_value("l2.stuck_weight", place)
wrong_value("l2.stuck_weight", 0.12)
wrong_value("l2.stuck_weight", 0.0, "rounded")


@wrong("l1.alpha_max")
def only_what_pulls_down(X, y):
    return -np.min(X.T @ (y - y.mean())) / len(y)


@wrong("l1.selection_scores")
def at_least_two_selected(coef, truth):
    found = np.sum((coef != 0) & (truth != 0)) / np.sum(truth != 0)
    return found, np.sum((coef != 0) & (truth == 0)) / max(np.sum(coef != 0), 2)


right_value("l1.features_kept", 7.0)
right_value("l1.features_kept", np.int64(7))
wrong_value("l1.features_kept", 3, "how many are dropped")
wrong_value("l1.features_kept", 2, "half of its largest value or more")
wrong_value("l1.features_kept", 6)


# --- lesson 4 ---


def pull_and_rest(X, y, coef, j, alpha, l1_ratio):
    pull = X[:, j] @ (y - X @ coef + X[:, j] * coef[j]) / len(y)
    return pull, alpha * l1_ratio, X[:, j] @ X[:, j] / len(y) + alpha * (1 - l1_ratio)


@wrong("elastic_net.coordinate_update", "other side of zero")
def without_the_zero(*args):
    pull, threshold, curvature = pull_and_rest(*args)
    return np.sign(pull) * (abs(pull) - threshold) / curvature


@wrong("elastic_net.coordinate_update")
def subtracts_the_threshold(*args):
    pull, threshold, curvature = pull_and_rest(*args)
    return (pull - threshold) / curvature


@wrong("elastic_net.coordinate_update", "negative")
def one_sided(*args):
    pull, threshold, curvature = pull_and_rest(*args)
    return max(pull - threshold, 0) / curvature


@right("elastic_net.coordinate_update")
def with_cases_of_its_own(*args):
    pull, threshold, curvature = pull_and_rest(*args)
    if abs(pull) <= threshold:
        return 0
    return (pull - math.copysign(threshold, pull)) / curvature


@right("elastic_net.augment")
def rows_scaled(X, y, alpha, l1_ratio):
    n, p = X.shape
    rows = np.vstack([X, np.sqrt(n * alpha * (1 - l1_ratio)) * np.eye(p)]) * np.sqrt((n + p) / n)
    return rows, np.append(y, np.zeros(p)) * np.sqrt((n + p) / n), alpha * l1_ratio


@right("elastic_net.augment")
def added_rows_first_and_negative(X, y, alpha, l1_ratio):
    n, p = X.shape
    rows = np.vstack([-np.sqrt(n * alpha * (1 - l1_ratio)) * np.eye(p)[::-1], X])
    return rows, np.append(np.zeros(p), y), alpha * l1_ratio * n / (n + p)


@right("elastic_net.augment")
def rows_twice(X, y, alpha, l1_ratio):
    n, p = X.shape
    half = np.sqrt(n * alpha * (1 - l1_ratio) / 2) * np.eye(p)
    strength = alpha * l1_ratio * n / (n + 2 * p)
    return np.vstack([X, half, half]), np.append(y, np.zeros(2 * p)), strength


@wrong("elastic_net.augment")
def rows_too_long(X, y, alpha, l1_ratio):
    n, p = X.shape
    rows = np.vstack([X, np.sqrt(2 * n * alpha * (1 - l1_ratio)) * np.eye(p)])
    return rows, np.append(y, np.zeros(p)), alpha * l1_ratio * n / (n + p)


@wrong("elastic_net.augment")
def share_upside_down(X, y, alpha, l1_ratio):
    n, p = X.shape
    rows = np.vstack([X, np.sqrt(n * alpha * (1 - l1_ratio)) * np.eye(p)])
    return rows, np.append(y, np.zeros(p)), alpha * l1_ratio * (n + p) / n


@wrong("elastic_net.grouping_bound")
def always_the_first_two(X, y, i, j, alpha, l1_ratio):
    Z = StandardScaler().fit_transform(X)
    distance = np.linalg.norm(Z[:, 0] - Z[:, 1]) / np.sqrt(len(y))
    return distance * y.std() / (alpha * (1 - l1_ratio))


for number in (10, 10.0, np.float64(10), np.array(10)):
    right_value("elastic_net.features_kept", number)
wrong_value("elastic_net.features_kept", 11)


# --- lessons 5 and 6 ---


@wrong("dropout.average_networks", "do not divide")
def enumerated_in_the_inverted_form(x, W, b, p):
    logs = 0
    for mask in itertools.product((0, 1), repeat=len(x)):
        weight = math.prod(1 - p if kept else p for kept in mask)
        logits = W @ (x * np.array(mask) / (1 - p)) + b
        logs += weight * (logits - np.log(np.exp(logits).sum()))
    return np.exp(logs) / np.exp(logs).sum()


@wrong("dropout.back_through", "printed")
def printed_back_through(grad, x, W, mask, p):
    return grad.T @ x, grad @ W


@wrong("dropout.drop_units")
def drops_on_the_border(x, p, training, uniforms):
    return x * (uniforms > p) / (1 - p) if training else x


right_value("dropout.mean_shift", 1.1875)
right_value("dropout.mean_shift", np.float32(1.1875))
wrong_value("dropout.mean_shift", 1.19, "more digits")


@wrong("batch_norm.forward")
def constant_units_left_out(X, gamma, beta, eps):
    spread = X.std(axis=0)
    safe = np.where(spread == 0, 1, np.sqrt(spread**2 + eps))
    return np.abs(gamma) * (X - X.mean(axis=0)) / safe + beta


@right("batch_norm.clip_together")
def as_in_pytorch(gradients, max_norm):
    norm = math.sqrt(sum((g * g).sum() for g in gradients))
    return [g * min(1, max_norm / (norm + 1e-6)) for g in gradients]


wrong_value("batch_norm.iterations_needed", 34, "squared")
wrong_value("batch_norm.iterations_needed", 21, "One too many")
right_value("batch_norm.iterations_needed", 20.0)


# --- lesson 7 ---


@wrong("early_stopping.keep_best", "initial weights have no loss")
def starts_from_the_first_loss(weights, updates, losses):
    weights = weights.copy()
    best, lowest = weights.copy(), losses[0]
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights.copy(), loss
    return best


@wrong("early_stopping.keep_best", "`lowest` is never lowered")
def forgets_to_lower_the_lowest(weights, updates, losses):
    weights = weights.copy()
    best, lowest = weights.copy(), np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best = weights.copy()
    return best


@wrong("early_stopping.keep_best", "view")
def takes_a_slice_for_a_copy(weights, updates, losses):
    weights = weights[:]
    best, lowest = weights[:], np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = weights[:], loss
    return best


@wrong("early_stopping.keep_best", "view")
def copies_the_best_only(weights, updates, losses):
    weights = weights[:]
    best, lowest = None, np.inf
    for update, loss in zip(updates, losses, strict=True):
        weights -= update
        if loss < lowest:
            best, lowest = np.array(weights), loss
    return best


@wrong("early_stopping.stop", "whole curve")
def knows_the_future(values, patience, min_delta):
    best = 0
    for epoch in range(len(values)):
        if values[epoch] < values[best] - min_delta:
            best = epoch
        elif epoch - best == patience:
            return int(values.argmin()), epoch
    return int(values.argmin()), len(values) - 1


@right("early_stopping.lucky_stop")
def in_a_loop_with_own_draws(loss, noise, n_repeats, rng):
    own = np.random.default_rng(5)
    results = []
    for _ in range(n_repeats):
        seen = loss + own.normal(0, noise, len(loss))
        stop = seen.argmin()
        results.append((loss[stop] - loss.min(), loss[stop] - seen[stop]))
    return np.mean(results, axis=0)


@right("early_stopping.lucky_stop")
def as_a_list(*args):
    return list(lucky_stop(*args))


@wrong("early_stopping.lucky_stop", "wrong sign")
def sign_with_own_draws(loss, noise, n_repeats, rng):
    regret, optimism = in_a_loop_with_own_draws(loss, noise, n_repeats, rng)
    return regret, -optimism


@wrong("early_stopping.lucky_stop", "average the curves")
def averages_first(loss, noise, n_repeats, rng):
    seen = loss + rng.normal(0, noise, (n_repeats, len(loss))).mean(axis=0)
    return loss[seen.argmin()] - loss.min(), loss[seen.argmin()] - seen.min()


@wrong("early_stopping.lucky_stop", "standard deviation")
def noise_as_a_variance(loss, noise, n_repeats, rng):
    return in_a_loop_with_own_draws(loss, math.sqrt(noise), n_repeats, rng)


@wrong("early_stopping.lucky_stop")
def regret_without_the_lowest(loss, noise, n_repeats, rng):
    regret, optimism = in_a_loop_with_own_draws(loss, noise, n_repeats, rng)
    return regret + loss.min(), optimism


right_value("early_stopping.risk_factor", 1.686)
right_value("early_stopping.risk_factor", np.float32(1.68591))
wrong_value("early_stopping.risk_factor", 1.69, "more digits")
wrong_value("early_stopping.risk_factor", 1.598)


# --- lesson 8 ---


@wrong("augmentation.smote_point", "Euclidean")
def manhattan(X, row, neighbor, u):
    order = np.argsort(np.abs(X - X[row]).sum(axis=1), kind="stable")
    return X[row] + u * (X[order[order != row][neighbor]] - X[row])


@wrong("augmentation.smote_point")
def largest_difference(X, row, neighbor, u):
    order = np.argsort(np.abs(X - X[row]).max(axis=1), kind="stable")
    return X[row] + u * (X[order[order != row][neighbor]] - X[row])


@right("augmentation.smote_point")
def from_sorted_distances(X, row, neighbor, u):
    others = np.delete(X, row, axis=0)
    near = others[((others - X[row]) ** 2).sum(axis=1).argsort()[neighbor]]
    return (1 - u) * X[row] + u * near


@wrong("augmentation.split_and_fill", "on its two sides")
def without_the_gaps(X, y, test):
    rows = np.flatnonzero(y == 1)
    pairs = [(a, b) for a, b in itertools.pairwise(rows) if not test[[a, b]].any()]
    middles = np.array([(X[a] + X[b]) / 2 for a, b in pairs]).reshape(-1, X.shape[1])
    return np.concatenate([X[~test], middles]), np.append(y[~test], np.ones(len(pairs), int))


@right("augmentation.split_and_fill")
def as_lists(X, y, test):
    rows, labels = split_and_fill(X, y, test)
    return rows.tolist(), labels.tolist()


# --- lesson 9 ---


@wrong("ensembles.best_threshold", "each by itself")
def sorted_apart(x, y):
    return best_threshold(np.sort(x), np.sort(y))


@wrong("ensembles.best_threshold")
def sorted_apart_in_either_direction(x, y):
    return max(best_threshold(np.sort(x), np.sort(y)[::step]) for step in (1, -1))


@wrong("ensembles.best_weights", "negative")
def weights_clipped(errors):
    weights = np.clip(best_weights(errors), 0, None)
    return weights / weights.sum()


@right("ensembles.best_weights")
def weights_from_a_bordered_system(errors):
    k = len(errors)
    border = np.ones((k + 1, k + 1))
    border[:k, :k], border[k, k] = 2 * errors @ errors.T, 0
    return np.linalg.solve(border, np.append(np.zeros(k), 1))[:k].tolist()


@right("ensembles.best_weights")
def weights_from_a_careful_optimizer(errors):
    k = len(errors)
    moments = errors @ errors.T / errors.shape[1]
    basis = np.vstack([np.eye(k - 1), -np.ones(k - 1)])
    start = np.full(k, 1 / k)
    result = minimize(
        lambda z: (start + basis @ z) @ moments @ (start + basis @ z),
        np.zeros(k - 1),
        jac=lambda z: 2 * basis.T @ moments @ (start + basis @ z),
        method="BFGS",
        options={"gtol": 1e-10},
    )
    return start + basis @ result.x


@wrong("ensembles.members_needed", "nearest")
def members_rounded(V, C, excess):
    return max(1, round((V - C) / (excess * C)))


@wrong("ensembles.members_needed", "no rest")
def members_floor_and_one(V, C, excess):
    return int((V - C) / (excess * C)) + 1


@right("ensembles.members_needed")
def members_counted(V, C, excess):
    return next(k for k in itertools.count(1) if C + (V - C) / k <= (1 + excess) * C)


@wrong("ensembles.distinct_share")
def even_draws_only(n_samples, n_draws):
    return 1 - (1 / n_samples - 1) ** n_draws


right_value("ensembles.stump_gain", 0.1529)
right_value("ensembles.stump_gain", 0.15)
for part in (0.12, 0.18, 0.19, 0.14):
    wrong_value("ensembles.stump_gain", part)


# --- lesson 10 ---


@wrong("sgd_noise.top_eigenvalue", "no eigenvalue routine")
def by_a_routine(hessian, n_iterations):
    return np.linalg.eigvalsh(hessian)[-1]


@wrong("sgd_noise.top_eigenvalue", "use `n_iterations` products")
def with_products_of_its_own_number(hessian, n_iterations):
    return shifted_by(np.linalg.norm(hessian), hessian, 20_000)


def shifted_by(shift, hessian, n_iterations):
    return power_iteration(hessian + shift * np.eye(len(hessian)), n_iterations) - shift


@wrong("sgd_noise.top_eigenvalue")
def shifted_by_ten(hessian, n_iterations):
    return shifted_by(10, hessian, n_iterations)


@wrong("sgd_noise.top_eigenvalue")
def shifted_by_the_largest_entry(hessian, n_iterations):
    return shifted_by(np.abs(hessian).max(), hessian, n_iterations)


@right("sgd_noise.top_eigenvalue")
def shifted_by_the_largest_magnitude(hessian, n_iterations):
    return shifted_by(abs(power_iteration(hessian, n_iterations)), hessian, n_iterations)


@right("sgd_noise.top_eigenvalue")
def from_a_random_start(hessian, n_iterations):
    def run(matrix):
        v = np.random.default_rng(0).normal(size=len(matrix))
        for _ in range(n_iterations):
            v = matrix @ v
            v /= np.linalg.norm(v)
        return v @ matrix @ v

    found = run(hessian)
    return found if found > 0 else run(hessian - found * np.eye(len(hessian))) + found


@wrong("sgd_noise.warmup_cosine")
def with_the_numbers_of_the_example(epoch, n_epochs, n_warmup, peak):
    if epoch < 10:
        return 0.4 * epoch / 10
    return 0.2 * (1 + math.cos(math.pi * (epoch - 10) / 40))


# --- lesson 11 ---


@wrong("fraud.best_threshold", "one by one")
def ties_split(y, scores, amounts, cost_of_review):
    order = np.argsort(-scores, kind="stable")
    missed = np.sum(y * amounts)
    best = math.inf, missed / len(y)
    for k, row in enumerate(order, start=1):
        missed -= y[row] * amounts[row]
        cost = (k * cost_of_review + missed) / len(y)
        if cost < best[1]:
            best = scores[row], cost
    return best


@wrong("fraud.best_threshold", "highest")
def cheapest_from_below(y, scores, amounts, cost_of_review):
    best = math.inf, math.inf
    for threshold in [*np.unique(scores), math.inf]:
        reviewed = scores >= threshold
        cost = np.mean(np.where(reviewed, cost_of_review, y * amounts))
        if cost < best[1]:
            best = threshold, cost
    return best


@right("fraud.scale")
def scaled_by_scikit_learn(X, train, test):
    scaler = StandardScaler().fit(X[train])
    return [scaler.transform(X[train]), scaler.transform(X[test])]


right_value("fraud.noise_for_half", 0.4)
wrong_value("fraud.noise_for_half", 0.3, "more than half")


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_wrong_answers_do_not_pass(name, answer, words):
    verdict = verdict_on(name, answer)
    assert verdict.state == "not yet"
    assert words in verdict.message


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name, answer):
    verdict = verdict_on(name, answer)
    assert (verdict.state, verdict.message) == ("passed", "")


def test_augmented_rows_make_the_lasso_an_elastic_net():
    """The property that `augment` accepts, seen by an independent solver."""
    from sklearn.linear_model import ElasticNet

    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    expected = ElasticNet(0.2, l1_ratio=0.6, fit_intercept=False, tol=1e-12).fit(X, y).coef_
    for construct in (rows_scaled, added_rows_first_and_negative, rows_twice):
        rows, targets, strength = construct(X, y, 0.2, 0.6)
        lasso = Lasso(strength, fit_intercept=False, tol=1e-12).fit(rows, targets)
        np.testing.assert_allclose(lasso.coef_, expected, atol=1e-8)


def test_numbers_that_an_experiment_gives():
    """Where the experiment takes seconds, its exercise states the result; here it is measured."""
    assert measured_stump_gain() == pytest.approx(stump_gain(), abs=0.0005)
    assert measured_noise_for_half() == noise_for_half()


def swaps(exercise):
    """Return an answer that gives the two results of the reference the wrong way round."""

    def swapped(*args):
        first, second = exercise.reference(*args)
        return second, first

    return swapped


def gives_two(exercise):
    if exercise.asks_for_value:
        return False
    result = exercise.reference(*make_cases(exercise)[0])
    return isinstance(result, tuple | list) and len(result) == 2


PAIRS = [e for lesson in lesson_names() for e in exercises_of(lesson) if gives_two(e)]


@pytest.mark.parametrize("exercise", PAIRS, ids=lambda exercise: exercise.name)
def test_two_results_the_wrong_way_round_do_not_pass(exercise):
    assert judge(exercise, swaps(exercise)).state == "not yet"


def test_keep_best_knows_its_oracle():
    """The best weights are the start minus the sum of the updates up to the lowest loss."""
    rng = np.random.default_rng(0)
    updates, losses = rng.normal(size=(6, 3)), rng.normal(size=6)
    expected = -updates[: losses.argmin() + 1].sum(axis=0)
    np.testing.assert_allclose(keep_best(np.zeros(3), updates, losses), expected)


def test_smote_point_knows_its_oracle():
    from sklearn.neighbors import NearestNeighbors

    X = np.random.default_rng(1).normal(size=(10, 3))
    _, near = NearestNeighbors(n_neighbors=4).fit(X).kneighbors(X[[2]])
    np.testing.assert_allclose(smote_point(X, 2, 2, 0.3), 0.7 * X[2] + 0.3 * X[near[0, 3]])
