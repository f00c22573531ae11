"""Verdicts of lesson 3: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray
from lessons_lib.linear import LassoCV, RidgeCV, lasso_path
from lessons_lib.measure import KFold, Knob, Verdict

__all__ = ["VERDICTS"]

Problem = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]


def linear_problem(setting: Mapping[str, Any], seed: int, n_test: int = 500) -> Problem:
    """Return training rows, test rows and the truth; neighboring features correlate.

    The signal is equally strong, 5 in variance for independent features, however many coefficients
    share it.
    """
    rng = np.random.default_rng(seed)
    n, p, correlation = setting["rows"], setting["features"], setting["correlation"]
    X = rng.standard_normal((n + n_test, p))
    for j in range(1, p):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    real = np.arange(setting["real"]) * (p // setting["real"])
    truth = np.zeros(p)
    truth[real] = np.sqrt(5 / len(real)) * np.where(np.arange(len(real)) % 2, -1.0, 1.0)
    y = X @ truth + setting["noise"] * rng.standard_normal(n + n_test)
    return X[:n], y[:n], X[n:], y[n:], truth


def false_features(setting: Mapping[str, Any], seed: int, *, refit: bool) -> float:
    """Return how many features without effect are kept, strength and refit chosen in folds."""
    X, y, _, _, truth = linear_problem(setting, seed)
    Z, t = X - X.mean(axis=0), y - y.mean()
    folds = KFold(5, shuffle=True, random_state=seed)
    alphas, coefs, _ = lasso_path(Z, t, alphas=60)
    errors = np.zeros(len(alphas))
    for train, held_out in folds.split(Z):
        mean, level = Z[train].mean(axis=0), t[train].mean()
        centered = Z[train] - mean, t[train] - level
        _, path, _ = lasso_path(*centered, alphas=alphas)
        if refit:
            path = refitted(*centered, path)
        errors += np.mean((t[held_out, None] - level - (Z[held_out] - mean) @ path) ** 2, axis=0)
    kept: NDArray[np.bool_] = coefs[:, errors.argmin()] != 0
    return float(kept[truth == 0].sum())


def refitted(X: FloatArray, y: FloatArray, path: FloatArray) -> FloatArray:
    """Return least squares on the features that each point of a path keeps."""
    fits = np.zeros_like(path)
    for k in range(path.shape[1]):
        kept = path[:, k] != 0
        # The same features as at the point before have the same fit.
        if k and np.array_equal(kept, path[:, k - 1] != 0):
            fits[:, k] = fits[:, k - 1]
        else:
            fits[kept, k] = np.linalg.lstsq(X[:, kept], y, rcond=None)[0]
    return fits


def percent_error(setting: Mapping[str, Any], seed: int, *, penalty: str) -> float:
    """Return 100 log of the test error: differences are nearly percent."""
    X, y, X_test, y_test, _ = linear_problem(setting, seed)
    model = LassoCV(cv=5) if penalty == "L1" else RidgeCV(np.geomspace(1e-2, 1e4, 100), cv=5)
    return 100 * float(np.log(np.mean((y_test - model.fit(X, y).predict(X_test)) ** 2)))


BASE = {"rows": 100, "features": 40, "real": 5, "correlation": 0.0, "noise": 1.0}
ROWS = Knob("rows", (50, 100, 200, 400))
CORRELATION = Knob("correlation", (0.0, 0.5, 0.9))
NOISE = Knob("noise", (0.5, 1.0, 2.0, 4.0))

VERDICTS = (
    Verdict(
        name="l1.relaxed",
        sentence=(
            "Refitting inside the folds, as the relaxed lasso does, keeps fewer false features "
            "than the lasso with the lowest cross-validation error."
        ),
        treatment=partial(false_features, refit=True),
        baseline=partial(false_features, refit=False),
        arms=("relaxed lasso", "lasso"),
        metric="false features kept",
        claim=-1,
        base=BASE,
        knobs=(
            ROWS,
            Knob("features", (20, 40, 80, 160)),
            Knob("real", (2, 5, 10, 20), "real features"),
            CORRELATION,
            NOISE,
        ),
        grids=(("correlation", "noise"),),
        n_seeds=20,
        spec=".1f",
    ),
    Verdict(
        name="l1.sparse_truth",
        sentence="Where few features are real, the lasso predicts better than ridge regression.",
        treatment=partial(percent_error, penalty="L1"),
        baseline=partial(percent_error, penalty="L2"),
        arms=("lasso", "ridge"),
        metric="test error in %",
        claim=-1,
        base=BASE,
        knobs=(
            Knob("real", (2, 5, 10, 20, 40), "real features"),
            ROWS,
            Knob("features", (40, 80, 160)),
            CORRELATION,
            NOISE,
        ),
        grids=(("real", "noise"),),
        n_seeds=20,
        spec=".1f",
    ),
)
