"""Verdicts of lesson 4: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lessons_lib._validation import FloatArray
from lessons_lib.linear import elastic_net_path
from lessons_lib.measure import KFold, Knob, Verdict

__all__ = ["VERDICTS"]


def dense_problem(
    setting: Mapping[str, Any], seed: int, n_test: int = 500
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return training and test rows of a problem in which all features matter.

    ``"independent"`` features, ``"blocks"`` of ten that correlate by 0.9, or ten hidden
    ``"factors"`` behind all of them. The signal has the variance 5.
    """
    rng = np.random.default_rng(seed)
    n, p = setting["rows"] + n_test, setting["features"]
    X = rng.standard_normal((n, p))
    if setting["truth"] == "blocks":
        X = np.sqrt(0.1) * X + np.sqrt(0.9) * np.repeat(rng.standard_normal((n, p // 10)), 10, 1)
    elif setting["truth"] == "factors":
        loadings = rng.standard_normal((10, p)) / np.sqrt(10)
        X = np.sqrt(0.1) * X + np.sqrt(0.9) * rng.standard_normal((n, 10)) @ loadings
    signal = X @ rng.standard_normal(p)
    y = np.sqrt(5) * signal / signal.std() + setting["noise"] * rng.standard_normal(n)
    return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]


def percent_error(setting: Mapping[str, Any], seed: int, *, arm: str) -> float:
    """Return 100 log of the test error, strength and mixture chosen in five folds.

    60 candidates for each arm; differences are nearly percent.
    """
    X, y, X_test, y_test = dense_problem(setting, seed)
    mean, spread, level = X.mean(axis=0), X.std(axis=0), y.mean()
    Z, t = (X - mean) / spread, y - level
    ridge = (0.0, np.geomspace(1e-3, 1e2, 60))
    lowest = setting["lowest_ratio"]
    grid: list[tuple[float, Any]] = [ridge] if arm == "ridge" else [(lowest, 20)]
    if arm != "ridge":
        grid += [((lowest + 1) / 2, 20), (1.0, 20)]
    folds = list(KFold(5, shuffle=True, random_state=seed).split(Z))
    best = min((_choose(Z, t, ratio, strengths, folds) for ratio, strengths in grid), key=_error)
    return 100 * float(np.log(np.mean((y_test - level - (X_test - mean) / spread @ best[1]) ** 2)))


def _error(found: tuple[float, FloatArray]) -> float:
    return found[0]


def _choose(
    Z: FloatArray, t: FloatArray, ratio: float, strengths: Any, folds: list[Any]
) -> tuple[float, FloatArray]:
    """Return the lowest error in the folds along a path, and the coefficients there."""
    alphas, coefs, _ = elastic_net_path(Z, t, l1_ratio=ratio, alphas=strengths)
    errors = np.zeros(len(alphas))
    for train, held_out in folds:
        mean, level = Z[train].mean(axis=0), t[train].mean()
        _, path, _ = elastic_net_path(
            Z[train] - mean, t[train] - level, l1_ratio=ratio, alphas=alphas
        )
        errors += np.mean((t[held_out, None] - level - (Z[held_out] - mean) @ path) ** 2, axis=0)
    return float(errors.min()), coefs[:, errors.argmin()]


VERDICTS = (
    Verdict(
        name="elastic_net.near_ridge",
        sentence=(
            "Where all features matter, the tuned Elastic Net is as good as tuned ridge "
            "regression, to 5 %."
        ),
        treatment=partial(percent_error, arm="Elastic Net"),
        baseline=partial(percent_error, arm="ridge"),
        arms=("Elastic Net", "ridge"),
        metric="test error in %",
        claim=0,
        margin=5.0,
        base={
            "lowest_ratio": 0.1,
            "truth": "independent",
            "rows": 100,
            "features": 40,
            "noise": 1.0,
        },
        knobs=(
            Knob("lowest_ratio", (0.001, 0.01, 0.1, 0.3), "lowest ρ in the grid"),
            Knob("truth", ("independent", "blocks", "factors")),
            Knob("rows", (50, 100, 200)),
            Knob("features", (20, 40, 100, 200)),
            Knob("noise", (0.5, 1.0, 2.0)),
        ),
        grids=(("lowest_ratio", "features"),),
        n_seeds=15,
        spec=".1f",
    ),
)
