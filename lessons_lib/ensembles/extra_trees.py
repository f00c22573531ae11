"""Extremely randomized trees: thresholds are drawn, not searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray
from lessons_lib.ensembles._parameters import RandomState
from lessons_lib.ensembles.bagging import EnsembleClassifier, EnsembleRegressor, Member
from lessons_lib.ensembles.forest import _Forest
from lessons_lib.ensembles.growth import Settings, Tree
from lessons_lib.ensembles.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
]


class ExtraTreeClassifier(DecisionTreeClassifier):
    """A member of `ExtraTreesClassifier`: a tree with one random threshold for each feature.

    Parameters
    ----------
    criterion, max_depth, min_samples_split, min_samples_leaf, max_features, random_state
        As in `DecisionTreeClassifier`; by default, each node looks at the root of the number of
        features.

    Examples
    --------
    >>> X = np.arange(8.0)[:, None]
    >>> tree = ExtraTreeClassifier(random_state=0).fit(X, X.ravel() > 3)
    >>> tree.score(X, X.ravel() > 3), 3 < tree.tree_.threshold[0] < 4
    (1.0, np.False_)
    """

    _splitter = "random"
    max_bins = None

    def __init__(
        self,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_features: str | int | float | None = "sqrt",
        random_state: RandomState = None,
    ) -> None:
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state


class ExtraTreeRegressor(DecisionTreeRegressor):
    """A member of `ExtraTreesRegressor`: a tree with one random threshold for each feature.

    Parameters
    ----------
    criterion, max_depth, min_samples_split, min_samples_leaf, max_features, random_state
        As in `DecisionTreeRegressor`.
    """

    _splitter = "random"
    max_bins = None

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_features: str | int | float | None = 1.0,
        random_state: RandomState = None,
    ) -> None:
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state


class _ExtraTrees(_Forest):
    """A forest the trees of which draw their thresholds."""

    _splitter = "random"
    max_bins = None

    def __init__(
        self,
        n_estimators: int,
        criterion: str,
        max_depth: int | None,
        min_samples_split: int | float,
        min_samples_leaf: int | float,
        max_features: str | int | float | None,
        bootstrap: bool,
        oob_score: bool,
        n_jobs: int | None,
        max_samples: int | float | None,
        random_state: RandomState,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.max_samples = max_samples
        self.random_state = random_state

    def _tree_parameters(self) -> dict[str, Any]:
        parameters = super()._tree_parameters()
        del parameters["max_bins"]
        return parameters


class ExtraTreesClassifier(EnsembleClassifier, _ExtraTrees):
    r"""The average of trees that draw one threshold for each feature they look at.

    A random forest searches the best threshold of a few features; here the threshold is drawn
    between the smallest and the largest value in the node, and only the best of these few random
    splits is taken. The trees are more different and each fits worse: less variance of the
    average, more bias. All trees see all samples, so that the draws are their only difference.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"gini", "entropy"}, default="gini"
        Impurity that splits lower.
    max_depth : int or None, default=None
        Largest number of splits between the root and a leaf.
    min_samples_split : int or float, default=2
        Smallest number of samples in a node that may be split. A float is a fraction of all.
    min_samples_leaf : int or float, default=1
        Smallest number of samples in a leaf, likewise.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features to look at in each node, drawn at random for each. With 1 the trees
        do not depend on the target at all, except for where they stop.
    bootstrap : bool, default=False
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score : bool, default=False
        Whether to compute the out-of-bag score; it needs ``bootstrap``.
    n_jobs : int or None, default=None
        Number of parallel jobs of ``fit``. The result does not depend on it.
    max_samples : int, float or None, default=None
        Number of samples to draw for each tree with ``bootstrap``, or their fraction.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples, features and thresholds.

    Attributes
    ----------
    classes_, n_classes_, estimators_, estimators_samples_, estimators_features_, n_features_in_
        As in `RandomForestClassifier`; the members are `ExtraTreeClassifier`.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over the trees of each feature's share in the total decrease of impurity.
    oob_score_, oob_decision_function_
        As in `RandomForestClassifier`.

    References
    ----------
    P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ExtraTreesClassifier(random_state=0).fit(X[:900], y[:900])
    >>> 0.9 < model.score(X[900:], y[900:]) < 0.97
    True
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_features: str | int | float | None = "sqrt",
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            n_estimators,
            criterion,
            max_depth,
            min_samples_split,
            min_samples_leaf,
            max_features,
            bootstrap,
            oob_score,
            n_jobs,
            max_samples,
            random_state,
        )

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], seeds: NDArray[np.int64]
    ) -> list[Member]:
        return self._fit_trees(X, self.classes_.searchsorted(y), seeds, self.n_classes_)

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> ExtraTreeClassifier:
        model = ExtraTreeClassifier(**self._tree_parameters(), random_state=seed)
        self._dress(model, tree, settings)
        model.classes_, model.n_classes_ = self.classes_, self.n_classes_
        return model


class ExtraTreesRegressor(EnsembleRegressor, _ExtraTrees):
    r"""The average of trees that draw one threshold for each feature they look at.

    See `ExtraTreesClassifier`. As in scikit-learn, all features are looked at by default.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"squared_error"}, default="squared_error"
        Impurity that splits lower.
    max_depth, min_samples_split, min_samples_leaf
        As in `ExtraTreesClassifier`.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        Number of features to look at in each node, drawn at random for each.
    bootstrap : bool, default=False
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score, n_jobs, max_samples, random_state
        As in `ExtraTreesClassifier`.

    Attributes
    ----------
    estimators_, estimators_samples_, estimators_features_, feature_importances_, n_features_in_
        As in `RandomForestRegressor`; the members are `ExtraTreeRegressor`.
    oob_score_, oob_prediction_
        As in `RandomForestRegressor`.

    References
    ----------
    P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ExtraTreesRegressor(random_state=0).fit(X[:300], y[:300])
    >>> 0.35 < model.score(X[300:], y[300:]) < 0.6
    True
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_features: str | int | float | None = 1.0,
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            n_estimators,
            criterion,
            max_depth,
            min_samples_split,
            min_samples_leaf,
            max_features,
            bootstrap,
            oob_score,
            n_jobs,
            max_samples,
            random_state,
        )

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], seeds: NDArray[np.int64]
    ) -> list[Member]:
        return self._fit_trees(X, y, seeds, n_classes=0)

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> ExtraTreeRegressor:
        model = ExtraTreeRegressor(**self._tree_parameters(), random_state=seed)
        self._dress(model, tree, settings)
        return model

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each tree's prediction."""
        return (value[:, 0] for value in super()._outputs(X))
