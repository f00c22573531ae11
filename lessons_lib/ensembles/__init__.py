"""Averages and sums of models: trees, bagging, forests, boosting, and what averaging can gain.

Anything that combines trees or other models lives here; networks live in
:mod:`lessons_lib.network`.
"""

from lessons_lib.ensembles.adaboost import AdaBoostClassifier
from lessons_lib.ensembles.bagging import BaggingClassifier, BaggingRegressor
from lessons_lib.ensembles.boosting import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    newton_leaf_values,
)
from lessons_lib.ensembles.boosting_losses import (
    BoostingLoss,
    LogisticLoss,
    MultinomialLoss,
    SquaredLoss,
)
from lessons_lib.ensembles.extra_trees import (
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)
from lessons_lib.ensembles.forest import RandomForestClassifier, RandomForestRegressor
from lessons_lib.ensembles.growth import Tree
from lessons_lib.ensembles.pruning import WeakestLink, prune, weakest_links
from lessons_lib.ensembles.splits import (
    best_splits,
    entropy_score,
    one_hot,
    penalized_score,
    square_score,
)
from lessons_lib.ensembles.stacking import StackingClassifier, StackingRegressor
from lessons_lib.ensembles.theory import ensemble_mse, error_moments
from lessons_lib.ensembles.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "AdaBoostClassifier",
    "BaggingClassifier",
    "BaggingRegressor",
    "BoostingLoss",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "LogisticLoss",
    "MultinomialLoss",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "SquaredLoss",
    "StackingClassifier",
    "StackingRegressor",
    "Tree",
    "WeakestLink",
    "best_splits",
    "ensemble_mse",
    "entropy_score",
    "error_moments",
    "newton_leaf_values",
    "one_hot",
    "penalized_score",
    "prune",
    "square_score",
    "weakest_links",
]
