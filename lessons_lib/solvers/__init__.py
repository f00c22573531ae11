"""Solvers for least squares with a penalty, from the plainest to the fastest.

Algorithms live here, one a module, with their certificates; estimators with ``fit`` and
``predict`` are in :mod:`lessons_lib.linear`, optimizers of networks in :mod:`lessons_lib.network`.
"""

from lessons_lib.solvers._monitor import History, SolverResult, duality_gap, objective
from lessons_lib.solvers.active_set import active_set_newton
from lessons_lib.solvers.coordinate import coordinate_descent
from lessons_lib.solvers.descent import (
    fista,
    gradient_descent,
    ista,
    lipschitz_constant,
    subgradient_descent,
)
from lessons_lib.solvers.homotopy import HomotopyPath, homotopy

__all__ = [
    "History",
    "HomotopyPath",
    "SolverResult",
    "active_set_newton",
    "coordinate_descent",
    "duality_gap",
    "fista",
    "gradient_descent",
    "homotopy",
    "ista",
    "lipschitz_constant",
    "objective",
    "subgradient_descent",
]
