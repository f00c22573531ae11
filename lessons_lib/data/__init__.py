"""Where rows come from: problems with a known truth, data sets that ship with scikit-learn, fraud.

Here lives what makes or loads rows. What changes them for a training is in
:mod:`lessons_lib.augment`, what splits them in :mod:`lessons_lib.measure`.
"""

from lessons_lib.data.arithmetic import ModularAddition, modular_addition
from lessons_lib.data.datasets import (
    Dataset,
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_mnist,
    load_wine,
)
from lessons_lib.data.problems import RegressionProblem, polynomial_problem, sinusoid_problem
from lessons_lib.data.transactions import (
    PATTERNS,
    Transactions,
    history_features,
    make_transactions,
)

__all__ = [
    "PATTERNS",
    "Dataset",
    "ModularAddition",
    "RegressionProblem",
    "Transactions",
    "history_features",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_mnist",
    "load_wine",
    "make_transactions",
    "modular_addition",
    "polynomial_problem",
    "sinusoid_problem",
]
