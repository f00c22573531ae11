"""Time of the linear models: ``lessons_lib`` against scikit-learn and three other libraries.

Run it with ``python benchmarks/linear.py``. All candidates take turns in one process, with one BLAS
thread. *ratio* is the median over the rounds of our time divided by scikit-learn's in the same
round; *best* the same for the fastest round of each, which neighbors on the machine disturb least;
*limit* the most that the ratio may be. The last columns are the times of celer, skglm and
ML-From-Scratch divided by scikit-learn's, where they are installed (``pip install celer skglm``;
the repository of ML-From-Scratch on the path).

The work is not quite the same. Ours is exact up to rounding; scikit-learn, celer and skglm stop at
their default tolerances. ML-From-Scratch takes a fixed number of (sub)gradient steps, which
need not end near the solution, and is timed once for a path and multiplied.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from _timing import interleaved_times  # sets the number of threads, so it comes first

# isort: split
import numpy as np
from sklearn import linear_model
from sklearn.datasets import load_diabetes

from lessons_lib import linear
from lessons_lib.solvers import lipschitz_constant

try:
    import celer
except ImportError:
    celer = None
try:
    import skglm
except ImportError:
    skglm = None
try:
    from mlfromscratch.supervised_learning import regression as from_scratch
except ImportError:
    from_scratch = None

Step = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One row of the table: the same work for each library."""

    work: str
    data: str
    limit: float
    steps: dict[str, Step]
    repeat: dict[str, int] = field(default_factory=dict)  # times to be multiplied


def make_data(n_samples: int, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian features of which ten matter, and noise of the size of one of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    coef = np.zeros(n_features)
    coef[:10] = rng.normal(size=10)
    return X, X @ coef + rng.normal(size=n_samples)


DATA = {
    "diabetes 442x10": load_diabetes(return_X_y=True),
    "dense 500x200": make_data(500, 200),
    "dense 200x2000": make_data(200, 2000),
}


def from_scratch_fit(kind: str, X: np.ndarray, y: np.ndarray, alpha: float) -> Step | None:
    """Return ML-From-Scratch's default number of steps on these data, with a stable step length."""
    if from_scratch is None:
        return None
    rate = 1.0 / (len(y) * lipschitz_constant(X) + 1.0)
    if kind == "lasso":
        model: Any = from_scratch.LassoRegression(1, len(y) * alpha, learning_rate=rate)
    else:
        model = from_scratch.RidgeRegression(alpha, learning_rate=rate)
    # The base class: without polynomial features.
    return lambda: from_scratch.Regression.fit(model, X, y)


def lasso_path_case(data: str, limit: float) -> Case:
    X, y = DATA[data]
    X, y = X - X.mean(axis=0), y - y.mean()
    alphas = linear.alpha_grid(X, y)
    steps: dict[str, Step | None] = {
        "scikit-learn": lambda: linear_model.lasso_path(X, y, alphas=100),
        "lessons_lib": lambda: linear.lasso_path(X, y, alphas=100),
        "celer": celer and (lambda: celer.celer_path(X, y, "lasso", alphas=alphas)),
        "skglm": skglm and (lambda: skglm.Lasso(fit_intercept=False).path(X, y, alphas)),
        "ML-From-Scratch": from_scratch_fit("lasso", X, y, alphas[50]),
    }
    return Case("exact lasso path", data, limit, keep(steps), {"ML-From-Scratch": 100})


def ridge_strengths(X: np.ndarray) -> np.ndarray:
    """Return 100 strengths from hardly any to nearly total shrinkage."""
    return np.linalg.norm(X - X.mean(axis=0), 2) ** 2 * np.geomspace(1e-4, 1e2, 100)


def ridge_case(data: str, limit: float) -> Case:
    X, y = DATA[data]
    alphas = ridge_strengths(X)
    steps: dict[str, Step | None] = {
        "scikit-learn": lambda: [linear_model.Ridge(alpha).fit(X, y) for alpha in alphas],
        "lessons_lib": lambda: linear.ridge_path(X, y, alphas, fit_intercept=True),
        "ML-From-Scratch": from_scratch_fit("ridge", X, y, alphas[50]),
    }
    return Case("ridge, 100 strengths", data, limit, keep(steps), {"ML-From-Scratch": 100})


def ridge_cv_case(data: str, limit: float) -> Case:
    X, y = DATA[data]
    alphas = ridge_strengths(X)
    steps: dict[str, Step | None] = {
        "scikit-learn": lambda: linear_model.RidgeCV(alphas).fit(X, y),
        "lessons_lib": lambda: linear.RidgeCV(alphas).fit(X, y),
    }
    return Case("ridge, leave-one-out", data, limit, keep(steps))


def lasso_case(data: str, limit: float) -> Case:
    X, y = DATA[data]
    alpha = linear.alpha_grid(X, y)[0] / 10
    steps: dict[str, Step | None] = {
        "scikit-learn": lambda: linear_model.Lasso(alpha).fit(X, y),
        "lessons_lib": lambda: linear.Lasso(alpha).fit(X, y),
        "celer": celer and (lambda: celer.Lasso(alpha).fit(X, y)),
        "skglm": skglm and (lambda: skglm.Lasso(alpha).fit(X, y)),
        "ML-From-Scratch": from_scratch_fit("lasso", X, y, alpha),
    }
    return Case("one lasso fit", data, limit, keep(steps))


def keep(steps: dict[str, Step | None]) -> dict[str, Step]:
    """Drop the libraries that are not installed."""
    return {name: step for name, step in steps.items() if step}


LIMITS: dict[Callable[[str, float], Case], tuple[float, float, float]] = {
    lasso_path_case: (0.1, 1.0, 0.6),
    ridge_case: (0.01, 0.05, 0.05),
    ridge_cv_case: (1.0, 1.0, 1.0),
    lasso_case: (0.5, 1.4, 2.0),
}
OTHERS = ("celer", "skglm", "ML-From-Scratch")


def main() -> None:
    warnings.simplefilter("ignore")  # the references' ConvergenceWarning
    print(f"{'work':21} {'data':16} {'scikit-learn':>12} {'ours':>11}", end="")
    print(f" {'ratio':>7} {'best':>7} {'limit':>6}", *(f"{name:>15}" for name in OTHERS))
    for make_case, limits in LIMITS.items():
        for data, limit in zip(DATA, limits, strict=True):
            case = make_case(data, limit)
            times = interleaved_times(case.steps)
            ours, reference = times["lessons_lib"], times["scikit-learn"]
            ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
            best = min(ours) / min(reference)
            print(f"{case.work:21} {data:16}", end="")
            print(f" {statistics.median(reference) * 1e3:9.3f} ms", end="")
            print(f" {statistics.median(ours) * 1e3:8.3f} ms", end="")
            print(f" {ratio:7.4f} {best:7.4f} {limit:6}", end="")
            for name in OTHERS:
                other = "-"
                if name in times:
                    total = statistics.median(times[name]) * case.repeat.get(name, 1)
                    other = f"{total / statistics.median(reference):.2f}"
                print(f" {other:>15}", end="")
            print(flush=True)


if __name__ == "__main__":
    main()
