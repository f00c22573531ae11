"""Verdicts of lesson 1: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from lessons_lib._validation import FloatArray
from lessons_lib.data import polynomial_problem
from lessons_lib.linear import Ridge, polynomial_regression
from lessons_lib.measure import Knob, Verdict

__all__ = ["VERDICTS"]

CURVE = (1.0, -1.0, -2.0)  # the parabola of the opening


def log_error(setting: Mapping[str, Any], seed: int, *, degree: str) -> float:
    """Return the base-10 logarithm of a polynomial's error on 1000 new points.

    A mean of errors that span ten orders of magnitude would report the worst data set alone.
    """
    rng = np.random.default_rng(seed)
    curve = polynomial_problem(CURVE, noise=setting["noise"])
    X, y = curve.sample(setting["rows"], random_state=rng)
    X_new, y_new = curve.sample(1000, random_state=rng)
    prediction = _fit(X, y, X_new, 1 if degree == "line" else setting["degree"], setting["basis"])
    return float(np.log10(np.mean((prediction - y_new) ** 2)))


def _fit(X: FloatArray, y: FloatArray, X_new: FloatArray, degree: int, basis: str) -> FloatArray:
    """Fit the shortest vector of least-squares coefficients in a basis; return predictions."""
    model = polynomial_regression(degree)
    if basis == "monomials":
        model = make_pipeline(PolynomialFeatures(degree, include_bias=False), Ridge(alpha=0.0))
    prediction: FloatArray = model.fit(X, y).predict(X_new)
    return prediction


VERDICTS = (
    Verdict(
        name="overfitting.high_degree",
        sentence=(
            "A polynomial of high degree through all points predicts new points worse than a "
            "straight line."
        ),
        treatment=partial(log_error, degree="high"),
        baseline=partial(log_error, degree="line"),
        arms=("high degree", "straight line"),
        metric="log₁₀ of the test error",
        claim=1,
        base={"degree": 20, "basis": "Legendre", "rows": 10, "noise": 0.3},
        knobs=(
            Knob("degree", (5, 10, 20, 40, 80)),
            Knob("basis", ("Legendre", "monomials")),
            Knob("rows", (6, 10, 20, 40)),
            Knob("noise", (0.1, 0.3, 1.0)),
        ),
        grids=(("degree", "rows"),),
        n_seeds=50,
    ),
)
