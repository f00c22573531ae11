"""Extremely randomized trees: thresholds are drawn, not searched."""

from __future__ import annotations

from lessons_lib.ensembles._parameters import ClassWeight, RandomState
from lessons_lib.ensembles.forest import RandomForestClassifier, RandomForestRegressor
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
    criterion, max_depth, min_samples_split, min_samples_leaf, class_weight, random_state
        As in :class:`DecisionTreeClassifier`.
    min_weight_fraction_leaf, max_features
        As in :class:`DecisionTreeClassifier`; by default, each node looks at the root of the
        number of features.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(8.0)[:, None]
    >>> tree = ExtraTreeClassifier(random_state=0).fit(X, X.ravel() > 3)
    >>> tree.score(X, X.ravel() > 3), 3 < tree.tree_.threshold[0] < 4
    (1.0, np.False_)
    """

    _splitter = "random"

    def __init__(
        self,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = "sqrt",
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            class_weight=class_weight,
            random_state=random_state,
        )


class ExtraTreeRegressor(DecisionTreeRegressor):
    """A member of `ExtraTreesRegressor`: a tree with one random threshold for each feature.

    Parameters
    ----------
    criterion
        As in :class:`DecisionTreeRegressor`.
    max_depth, min_samples_split, min_samples_leaf, random_state
        As in :class:`DecisionTreeClassifier`.
    min_weight_fraction_leaf, max_features
        As in :class:`DecisionTreeClassifier`; by default, each node looks at all features.
    """

    _splitter = "random"

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = 1.0,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            random_state=random_state,
        )


class ExtraTreesClassifier(RandomForestClassifier):
    r"""The average of trees that draw one threshold for each feature they look at.

    A random forest searches the best threshold of a few features; here the threshold is drawn
    between the smallest and the largest value in the node, and only the best of these few random
    splits is taken. The trees are more different and each fits worse: less variance of the
    average, more bias. All trees see all samples, so that the draws are their only difference.

    Parameters
    ----------
    n_estimators, n_jobs, class_weight
        As in :class:`RandomForestClassifier`.
    criterion, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        Of each tree, as in :class:`DecisionTreeClassifier`.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features to look at in each node, drawn at random for each. With 1 the trees
        do not depend on the target at all, except for where they stop.
    bootstrap : bool, default=False
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score, max_samples
        As in :class:`RandomForestClassifier`; they need ``bootstrap``.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples, features and thresholds.

    Attributes
    ----------
    classes_, n_classes_, estimators_, estimators_samples_, estimators_features_, n_features_in_
        As in :class:`RandomForestClassifier`; the members are `ExtraTreeClassifier`.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over the trees of each feature's share in the total decrease of impurity.
    oob_score_, oob_decision_function_
        As in :class:`RandomForestClassifier`.

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

    _splitter = "random"
    _tree_class = ExtraTreeClassifier

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = "sqrt",
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            max_samples=max_samples,
            class_weight=class_weight,
            random_state=random_state,
        )


class ExtraTreesRegressor(RandomForestRegressor):
    r"""The average of trees that draw one threshold for each feature they look at.

    See `ExtraTreesClassifier`. As in scikit-learn, all features are looked at by default.

    Parameters
    ----------
    criterion : {"squared_error"}, default="squared_error"
        Impurity that splits lower.
    max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        Of each tree, as in :class:`DecisionTreeClassifier`.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        As in :class:`ExtraTreesClassifier`, but by default all.
    n_estimators, n_jobs
        As in :class:`RandomForestClassifier`.
    bootstrap, oob_score, max_samples, random_state
        As in :class:`ExtraTreesClassifier`.

    Attributes
    ----------
    estimators_, estimators_samples_, estimators_features_, feature_importances_, n_features_in_
        As in :class:`RandomForestRegressor`; the members are `ExtraTreeRegressor`.
    oob_score_, oob_prediction_
        As in :class:`RandomForestRegressor`.

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

    _splitter = "random"
    _tree_class = ExtraTreeRegressor

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = 1.0,
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            max_samples=max_samples,
            random_state=random_state,
        )
