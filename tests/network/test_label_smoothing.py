"""Soft targets against PyTorch and by minimization."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from lessons_lib.network import CrossEntropyLoss, smooth_labels, smoothed_logit_gap

RNG = np.random.default_rng(0)


LOGITS = 3 * RNG.normal(size=(500, 4))


PROBABILITIES = softmax(LOGITS, axis=1)


Y = np.array([RNG.choice(4, p=p) for p in softmax(LOGITS / 2, axis=1)])  # overconfident twofold


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_smooth_labels(epsilon, n_classes):
    y = np.arange(n_classes).repeat(2)
    one_hot = np.eye(n_classes)[y]
    uniform = smooth_labels(y, n_classes, epsilon)
    np.testing.assert_allclose(uniform, (1 - epsilon) * one_hot + epsilon / n_classes)
    others = smooth_labels(y, n_classes, epsilon, convention="others")
    expected = np.where(one_hot == 1, 1 - epsilon, epsilon / (n_classes - 1))
    np.testing.assert_allclose(others, expected)
    for targets in (uniform, others):
        np.testing.assert_allclose(targets.sum(axis=1), 1)
    # The two are one family.
    if epsilon * n_classes / (n_classes - 1) <= 1:
        same = smooth_labels(y, n_classes, epsilon * n_classes / (n_classes - 1))
        np.testing.assert_allclose(others, same, atol=1e-15)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7])
def test_smoothed_targets_are_pytorchs_label_smoothing(epsilon):
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.cross_entropy(
        torch.from_numpy(LOGITS), torch.from_numpy(Y), label_smoothing=epsilon
    ).item()
    assert CrossEntropyLoss()(LOGITS, smooth_labels(Y, 4, epsilon)) == pytest.approx(expected)
    assert CrossEntropyLoss(label_smoothing=epsilon)(LOGITS, Y) == pytest.approx(expected)


@pytest.mark.parametrize("convention", ["uniform", "others"])
@pytest.mark.parametrize(("n_classes", "epsilon"), [(3, 0.1), (10, 0.1), (2, 0.3)])
def test_logit_gap_is_where_the_loss_is_least(convention, n_classes, epsilon):
    target = smooth_labels([1], n_classes, epsilon, convention=convention)
    loss = CrossEntropyLoss()

    def objective(z):
        return loss(z[np.newaxis], target), loss.backward()[0]

    best = minimize(objective, np.zeros(n_classes), jac=True, options={"gtol": 1e-10}).x
    gap = smoothed_logit_gap(n_classes, epsilon, convention=convention)
    np.testing.assert_allclose(best[1] - np.delete(best, 1), gap, rtol=1e-6)


def test_logit_gap_at_the_ends():
    assert smoothed_logit_gap(10, 0.0) == np.inf
    assert smoothed_logit_gap(10, 1.0) == 0
    assert smoothed_logit_gap(10, 1.0, convention="others") == -np.inf


P = [[0.5, 0.5], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: smooth_labels([0, 1], 1, 0.1), ValueError, "n_classes must be at least 2, got 1"),
        (lambda: smooth_labels([0, 3], 3, 0.1), ValueError, "y must be in 0..2, got 3"),
        (lambda: smooth_labels([0, 1], 3, 1.1), ValueError, r"epsilon must lie in \[0, 1\]"),
        (lambda: smooth_labels([0], 3, 0.1, convention="K"), ValueError, "convention must be"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
