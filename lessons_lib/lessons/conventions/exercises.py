"""Exercises of the appendix on conventions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lessons_lib.exercises._model import Case, Exercise, Misconception

__all__ = ["EXERCISES"]

FloatArray = NDArray[np.float64]
Pair = tuple[float, float]


# ----------------------------------------------------------------------------------- inverse_c


def inverse_c(strength: float, n_samples: int) -> float:
    """Return the C of scikit-learn's LogisticRegression for the house's λ."""
    return 1 / (n_samples * strength)


def _inverse_c_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.01, 200), (1.5, 40), (1e-4, 1000)]


def _without_rows(strength: float, n_samples: int) -> float:
    return 1 / strength


def _rows_above(strength: float, n_samples: int) -> float:
    return n_samples / strength


def _not_inverse(strength: float, n_samples: int) -> float:
    return n_samples * strength


INVERSE_C = Exercise(
    name="conventions.inverse_c",
    title="An inverse strength",
    level=1,
    hints=(
        "LogisticRegression minimizes C times the sum of the losses plus ½‖w‖². Divide by C.",
        "Then divide by the number of rows, so that the sum becomes the mean of the house.",
    ),
    reference=inverse_c,
    cases=_inverse_c_cases,
    misconceptions=(
        Misconception(
            _without_rows,
            "C stands in front of a sum over rows, the house's loss is a mean: the number of rows "
            "is missing.",
        ),
        Misconception(
            _rows_above,
            "With more rows the sum grows by itself, so C must become smaller, not larger.",
        ),
        Misconception(
            _not_inverse,
            "C multiplies the loss, not the penalty: a larger C is a weaker penalty.",
        ),
    ),
)


# ------------------------------------------------------------------------------ keras_to_torch


def keras_to_torch(l2: float, loss: str) -> float:
    """Return PyTorch's weight_decay for Keras' L2(l2), with the same loss in both."""
    return 2 * l2


def _keras_to_torch_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (strength, loss)
        for strength in (0.01, 0.3)
        for loss in ("mean squared error", "cross-entropy")
    ]


def _same_number(l2: float, loss: str) -> float:
    return l2


def _half(l2: float, loss: str) -> float:
    return l2 / 2


def _only_cross_entropy(l2: float, loss: str) -> float:
    return 2 * l2 if loss == "cross-entropy" else 4 * l2


KERAS_TO_TORCH = Exercise(
    name="conventions.keras_to_torch",
    title="From Keras to PyTorch",
    level=1,
    hints=(
        "Compare gradients: what does L2(l2) add to the gradient of a weight, and what does "
        "weight_decay add?",
        "Both libraries take the plain mean of the losses over the rows, so the data part agrees.",
    ),
    reference=keras_to_torch,
    cases=_keras_to_torch_cases,
    misconceptions=(
        Misconception(
            _same_number,
            "The gradient of l2‖w‖² is 2·l2·w, that of PyTorch's term is weight_decay·w: the same "
            "number is half the penalty in PyTorch.",
        ),
        Misconception(
            _half,
            "The wrong way: Keras has no ½ in its penalty, so PyTorch needs the larger number.",
        ),
        Misconception(
            _only_cross_entropy,
            "The missing ½ of the mean squared error is missing in both libraries; it matters only "
            "on the way to the house objective.",
        ),
    ),
    equivalent_mutants={
        "loss → 'mean squared error' in all cases": "That the loss does not matter is the point.",
    },
)


# ------------------------------------------------------------------------------ without_half


def without_half(strength: float, l1_share: float) -> Pair:
    """Return λ' and α of λ'(α‖θ‖₁ + (1−α)‖θ‖²) for the house's λ and ρ."""
    l1, l2 = strength * l1_share, strength * (1 - l1_share) / 2
    return l1 + l2, l1 / (l1 + l2)


def _without_half_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.4, 0.5), (1.5, 0.1), (0.02, 0.9)]


def _same_numbers(strength: float, l1_share: float) -> Pair:
    return strength, l1_share


def _half_the_wrong_way(strength: float, l1_share: float) -> Pair:
    l1, l2 = strength * l1_share, 2 * strength * (1 - l1_share)
    return l1 + l2, l1 / (l1 + l2)


def _share_of_l2(strength: float, l1_share: float) -> Pair:
    whole, share = without_half(strength, l1_share)
    return whole, 1 - share


def _strength_unchanged(strength: float, l1_share: float) -> Pair:
    return strength, without_half(strength, l1_share)[1]


WITHOUT_HALF = Exercise(
    name="conventions.without_half",
    title="A mixture without the half",
    level=2,
    hints=(
        "Compare term by term: what stands before ‖w‖₁, and what before ‖w‖²?",
        "λ'α = λρ and λ'(1−α) = λ(1−ρ)/2. Add the two equations.",
    ),
    reference=without_half,
    cases=_without_half_cases,
    misconceptions=(
        Misconception(
            _same_numbers,
            "The house has a ½ before ‖w‖² and the paper has none, so the same numbers are "
            "another model.",
        ),
        Misconception(
            _half_the_wrong_way,
            "The ½ is on the other side: the paper's factor of ‖w‖² is half the house's λ(1−ρ), "
            "not twice.",
        ),
        Misconception(_share_of_l2, "That α is the share of L2; the paper's α stands before L1."),
        Misconception(
            _strength_unchanged,
            "The mixture is right, the strength is not: the two factors no longer add up to λ.",
        ),
    ),
)


# ------------------------------------------------------------------------------ another_batch


def another_batch(alpha: float, batch_size: int, new_batch_size: int) -> float:
    """Return the alpha of MLPRegressor that means the same penalty with another batch size."""
    return alpha * new_batch_size / batch_size


def _another_batch_cases(rng: np.random.Generator) -> list[Case]:
    return [(1e-3, 32, 256), (0.5, 200, 50), (2.0, 64, 64)]


def _unchanged(alpha: float, batch_size: int, new_batch_size: int) -> float:
    return alpha


def _inverse_batch(alpha: float, batch_size: int, new_batch_size: int) -> float:
    return alpha * batch_size / new_batch_size


def _root(alpha: float, batch_size: int, new_batch_size: int) -> float:
    return alpha * float(np.sqrt(new_batch_size / batch_size))


ANOTHER_BATCH = Exercise(
    name="conventions.another_batch",
    title="Spot the bug: a colleague enlarges the batch",
    level=2,
    hints=(
        "Look MLPRegressor up in the table: by what does it divide alpha?",
        "The penalty in house units is alpha / batch size; keep it.",
    ),
    reference=another_batch,
    cases=_another_batch_cases,
    misconceptions=(
        Misconception(
            _unchanged,
            "scikit-learn's perceptrons divide alpha by the batch size: with the same alpha a "
            "larger batch has a weaker penalty.",
        ),
        Misconception(
            _inverse_batch,
            "Upside down: the penalty is alpha / batch size, so alpha must grow with the batch.",
        ),
        Misconception(
            _root,
            "That is a rule for learning rates and gradient noise. The penalty is divided by the "
            "batch size itself.",
        ),
    ),
)


# --------------------------------------------------------------------------------- to_glmnet


def to_glmnet(strength: float, l1_share: float, y: FloatArray) -> Pair:
    """Return glmnet's lambda and alpha for the house's λ and ρ."""
    l1, l2 = strength * l1_share, strength * (1 - l1_share) * float(np.std(y))
    return l1 + l2, l1 / (l1 + l2)


def _to_glmnet_cases(rng: np.random.Generator) -> list[Case]:
    return [
        (0.1, 0.5, 4 * rng.normal(size=20)),
        (0.3, 0.0, 2 * rng.normal(size=12)),
        (0.02, 0.9, 0.1 * rng.normal(size=15) + 3),
        (0.7, 1.0, rng.exponential(3, size=10)),
    ]


def _as_documented(strength: float, l1_share: float, y: FloatArray) -> Pair:
    return strength, l1_share


def _whole_scaled(strength: float, l1_share: float, y: FloatArray) -> Pair:
    return strength * float(np.std(y)), l1_share


def _divided(strength: float, l1_share: float, y: FloatArray) -> Pair:
    l1, l2 = strength * l1_share, strength * (1 - l1_share) / float(np.std(y))
    return l1 + l2, l1 / (l1 + l2)


def _sample_deviation(strength: float, l1_share: float, y: FloatArray) -> Pair:
    l1, l2 = strength * l1_share, strength * (1 - l1_share) * float(np.std(y, ddof=1))
    return l1 + l2, l1 / (l1 + l2)


TO_GLMNET = Exercise(
    name="conventions.to_glmnet",
    title="What glmnet does to the target",
    level=3,
    hints=(
        "In the table glmnet's L2 term is divided by s_y, the standard deviation of the target "
        "with divisor n; its L1 term is not.",
        "λρ = lambda·alpha and λ(1−ρ) = lambda·(1−alpha)/s_y. Solve the second for "
        "lambda·(1−alpha), then add.",
    ),
    reference=to_glmnet,
    cases=_to_glmnet_cases,
    misconceptions=(
        Misconception(
            _as_documented,
            "The documented formula is the same as the house's, but glmnet applies it to y divided "
            "by its standard deviation.",
        ),
        Misconception(
            _whole_scaled,
            "Only the L2 term is affected. An absolute value and a square scale differently when "
            "y changes its unit, so the mixture changes too.",
        ),
        Misconception(
            _divided,
            "Upside down: glmnet divides the L2 term by s_y, so the number you give must be larger "
            "by s_y.",
        ),
        Misconception(
            _sample_deviation,
            "glmnet's standard deviation has the divisor n; yours has n − 1.",
        ),
    ),
)


# ------------------------------------------------------------------------------ read_strength


def read_strength(X: FloatArray, y: FloatArray, coef: FloatArray) -> float:
    """Return the λ of the house that a ridge fit with a free intercept must have used."""
    Z = X - X.mean(axis=0)  # orthogonal to any constant: y need not be centered as well
    gradient = Z.T @ (Z @ coef - y) / len(y)
    return float(-(gradient @ coef) / (coef @ coef))


def _read_strength_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for n_samples, n_features, strength in ((30, 3, 0.2), (12, 5, 1.5), (50, 1, 0.03)):
        X = rng.normal(1, 1, size=(n_samples, n_features))
        y = X @ rng.normal(size=n_features) + rng.normal(4, 1, size=n_samples)
        Z, t = X - X.mean(axis=0), y - y.mean()
        hessian = Z.T @ Z + n_samples * strength * np.eye(n_features)
        cases.append((X, y, np.asarray(np.linalg.solve(hessian, Z.T @ t))))
    return cases


def _uncentered(X: FloatArray, y: FloatArray, coef: FloatArray) -> float:
    gradient = X.T @ (X @ coef - y) / len(y)
    return float(-(gradient @ coef) / (coef @ coef))


def _as_a_sum(X: FloatArray, y: FloatArray, coef: FloatArray) -> float:
    return len(y) * read_strength(X, y, coef)


def _wrong_sign(X: FloatArray, y: FloatArray, coef: FloatArray) -> float:
    return -read_strength(X, y, coef)


def _ratio_of_norms_to_plain(X: FloatArray, y: FloatArray, coef: FloatArray) -> float:
    Z, t = X - X.mean(axis=0), y - y.mean()
    plain = np.linalg.lstsq(Z, t, rcond=None)[0]
    return float(np.linalg.norm(plain) / np.linalg.norm(coef) - 1)


READ_STRENGTH = Exercise(
    name="conventions.read_strength",
    title="Read the strength off a fitted model",
    level=3,
    hints=(
        "At the minimum the gradient of the loss and that of the penalty cancel: "
        "∇L + λw = 0. You know w and can compute ∇L.",
        "Many equations for one unknown: take the scalar product with w.",
        "The intercept is free. Center the columns and the targets, and it drops out.",
    ),
    reference=read_strength,
    cases=_read_strength_cases,
    misconceptions=(
        Misconception(
            _uncentered,
            "Your residuals lack the intercept. Center the features and the targets first.",
        ),
        Misconception(
            _as_a_sum,
            "That is the strength for a sum over rows, scikit-learn's alpha; the house has a mean.",
        ),
        Misconception(
            _wrong_sign,
            "Mind the sign: the gradient of the loss points away from zero's side, ∇L = −λw.",
        ),
        Misconception(
            _ratio_of_norms_to_plain,
            "The length shrinks by 1 + λ only if all singular values are those of orthonormal "
            "features; use the condition at the minimum instead.",
        ),
    ),
)


# ------------------------------------------------------------------------------- more_rows


def more_rows(strength: float, n_samples: int, new_n_samples: int) -> float:
    """Return the house's λ that keeps the prior, when there are more rows."""
    return strength * n_samples / new_n_samples


def _more_rows_cases(rng: np.random.Generator) -> list[Case]:
    return [(0.4, 50, 100), (0.05, 300, 120), (1.0, 20, 2000)]


def _more_rows_unchanged(strength: float, n_samples: int, new_n_samples: int) -> float:
    return strength


def _more_rows_inverse(strength: float, n_samples: int, new_n_samples: int) -> float:
    return strength * new_n_samples / n_samples


def _more_rows_root(strength: float, n_samples: int, new_n_samples: int) -> float:
    return strength * float(np.sqrt(n_samples / new_n_samples))


MORE_ROWS = Exercise(
    name="conventions.more_rows",
    title="The same belief, more rows",
    level=2,
    hints=(
        "Under a Gaussian prior λ = σ²/(nτ²). What of this changes with more rows?",
        "nλ = σ²/τ² stays.",
    ),
    reference=more_rows,
    cases=_more_rows_cases,
    misconceptions=(
        Misconception(
            _more_rows_unchanged,
            "Your λ weighs the prior against the mean loss as before, though the mean now rests on "
            "another number of rows: you have changed the belief.",
        ),
        Misconception(
            _more_rows_inverse,
            "The wrong way: with more rows the data say more and the prior counts for less.",
        ),
        Misconception(
            _more_rows_root,
            "The error of an estimate falls with the root; the weight of the prior in the "
            "objective falls with n itself.",
        ),
    ),
)


EXERCISES = (
    INVERSE_C,
    KERAS_TO_TORCH,
    WITHOUT_HALF,
    ANOTHER_BATCH,
    MORE_ROWS,
    TO_GLMNET,
    READ_STRENGTH,
)
