"""Random forests: bagged trees that look at few features in each node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from lessons_lib._validation import FloatArray, check_flag
from lessons_lib.ensembles._parameters import RandomState
from lessons_lib.ensembles.bagging import (
    Ensemble,
    EnsembleClassifier,
    EnsembleRegressor,
    Member,
    draw_samples,
)
from lessons_lib.ensembles.growth import Settings, Tree, apply_trees, grow_trees
from lessons_lib.ensembles.trees import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    make_bins,
    make_settings,
)

__all__ = ["RandomForestClassifier", "RandomForestRegressor"]

# As many trees grow, or predict, together as have this many samples: about 100 MB.
_TOGETHER = 2**21


class _Forest(Ensemble):
    """Bagging, with trees that grow together."""

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> Any:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        raise NotImplementedError

    def _fit_trees(
        self, X: FloatArray, y: NDArray[Any], seeds: NDArray[np.int64], n_classes: int
    ) -> list[Member]:
        """Grow one tree for each seed."""
        if not check_flag("bootstrap", self.bootstrap) and self.max_samples is not None:
            raise ValueError(
                f"max_samples must be None with bootstrap=False, got {self.max_samples!r}."
            )
        settings, bins = make_settings(self, X.shape, n_classes), make_bins(self, X)
        members: list[Member] = []
        step = max(1, _TOGETHER // len(X))
        for start in range(0, len(seeds), step):
            generators = [np.random.default_rng(seed) for seed in seeds[start : start + step]]
            draws = [self._draw(generator, len(X)) for generator in generators]
            # A sample that was drawn twice counts twice.
            weights = np.array([np.bincount(draw, minlength=len(X)) for draw in draws], float)
            tree_seeds = [int(generator.integers(2**31)) for generator in generators]
            generators = [np.random.default_rng(seed) for seed in tree_seeds]
            trees = grow_trees(X, y, weights, settings, generators, bins)
            for tree, draw, seed in zip(trees, draws, tree_seeds, strict=True):
                model = self._make_model(tree, settings, seed)
                members.append(Member(model, draw, np.arange(X.shape[1])))
        return members

    def _draw(self, generator: np.random.Generator, n_samples: int) -> NDArray[np.intp]:
        """Return the rows that one tree sees."""
        if not self.bootstrap:
            return np.arange(n_samples)
        return draw_samples(generator, n_samples, self.max_samples, bootstrap=True)

    def _dress(self, model: Any, tree: Tree, settings: Settings) -> None:
        """Give an estimator its fitted attributes."""
        model.tree_, model.max_features_ = tree, settings.max_features
        model.n_features_in_ = self.n_features_in_

    def _tree_parameters(self) -> dict[str, Any]:
        """Return the parameters that the trees share with the forest."""
        names = set(DecisionTreeClassifier().get_params()) - {"random_state"}
        return {name: getattr(self, name) for name in names}

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each tree's values for all samples, with one column a class."""
        trees = [model.tree_ for model in self.estimators_]
        step = max(1, _TOGETHER // len(X))
        for start in range(0, len(trees), step):
            some = trees[start : start + step]
            for tree, leaf in zip(some, apply_trees(some, X), strict=True):
                yield tree.value.take(leaf, axis=0)

    def apply(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the leaf of each tree that each sample ends in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of int of shape (n_samples, n_estimators)
        """
        features = self._check_X(X)
        return apply_trees([model.tree_ for model in self.estimators_], features).T

    @property
    def feature_importances_(self) -> FloatArray:
        """Mean over the trees of each feature's share in the decrease of impurity.

        Trees without a split, which say nothing about features, are left out.
        """
        check_is_fitted(self)
        shares = np.array([model.feature_importances_ for model in self.estimators_])
        total = shares.sum(axis=0)
        importances: FloatArray = total / (total.sum() or 1.0)
        return importances


class RandomForestClassifier(EnsembleClassifier, _Forest):
    r"""The average of trees, each grown on a bootstrap sample and on few features in each node.

    The average of :math:`k` models with errors of mean square :math:`V` and mean product :math:`C`
    has the error :math:`V/k + (k-1)C/k` (`ensemble_mse`). Looking at few features makes each tree
    a little worse, which raises :math:`V`, and the trees more different, which lowers :math:`C`.

    Except for the features looked at, this is `BaggingClassifier` with `DecisionTreeClassifier`:
    with ``max_features`` given to the trees and the same ``random_state``, the trees are the same.
    Here they grow together, which is faster.

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
        A sample that was drawn several times counts once.
    min_samples_leaf : int or float, default=1
        Smallest number of samples in a leaf, likewise.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features to look at in each node, drawn at random for each: the root or the
        logarithm of their number, a number, or a fraction. None means all. If no drawn feature
        allows a split, more are drawn until one does.
    bootstrap : bool, default=True
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score : bool, default=False
        Whether to compute the out-of-bag score.
    n_jobs : int or None, default=None
        Number of parallel jobs of ``fit``. None means one, unless a ``joblib.parallel_config`` says
        otherwise. The result does not depend on it.
    max_samples : int, float or None, default=None
        Number of samples to draw for each tree, or their fraction; None means as many as there are.
    max_bins : int or None, default=None
        With None all thresholds are considered. With a number from 2 to 256, a feature with more
        different values is first divided into that many groups of about equally many samples:
        the trees are then approximate and mostly faster to grow. See `DecisionTreeClassifier`.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    estimators_ : list of DecisionTreeClassifier
        The trees.
    estimators_samples_, estimators_features_ : list of ndarray of int
        Rows and columns of the training data that each tree saw; the columns are all.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over the trees of each feature's share in the total decrease of impurity.
    oob_score_ : float
        Accuracy of the out-of-bag predictions; NaN if there are none. Only with ``oob_score``.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Average probabilities by the trees that did not see the sample; NaN if all saw it. Only
        with ``oob_score``.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    L. Breiman, "Random Forests", Machine Learning 45 (2001).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = RandomForestClassifier(oob_score=True, random_state=0).fit(X, y)
    >>> model.predict(X[:3]), 0.96 < model.oob_score_ < 0.99
    (array([0, 1, 2]), True)
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
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        max_bins: int | None = None,
        random_state: RandomState = None,
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
        self.max_bins = max_bins
        self.random_state = random_state

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Grow one tree for each seed."""
        return self._fit_trees(X, self.classes_.searchsorted(y), seeds, self.n_classes_)

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> DecisionTreeClassifier:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        model = DecisionTreeClassifier(**self._tree_parameters(), random_state=seed)
        self._dress(model, tree, settings)
        model.classes_, model.n_classes_ = self.classes_, self.n_classes_
        return model


class RandomForestRegressor(EnsembleRegressor, _Forest):
    r"""The average of trees, each grown on a bootstrap sample and on some features in each node.

    The average of :math:`k` models with errors of mean square :math:`V` and mean product :math:`C`
    has the error :math:`V/k + (k-1)C/k` (`ensemble_mse`). Looking at few features makes each tree
    a little worse, which raises :math:`V`, and the trees more different, which lowers :math:`C`.
    As in scikit-learn the default is to look at all features, which is plain bagging.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"squared_error"}, default="squared_error"
        Impurity that splits lower.
    max_depth : int or None, default=None
        Largest number of splits between the root and a leaf.
    min_samples_split : int or float, default=2
        Smallest number of samples in a node that may be split. A float is a fraction of all.
        A sample that was drawn several times counts once.
    min_samples_leaf : int or float, default=1
        Smallest number of samples in a leaf, likewise.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        Number of features to look at in each node, drawn at random for each: the root or the
        logarithm of their number, a number, or a fraction. None means all. If no drawn feature
        allows a split, more are drawn until one does.
    bootstrap : bool, default=True
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score : bool, default=False
        Whether to compute the out-of-bag score.
    n_jobs : int or None, default=None
        Number of parallel jobs of ``fit``. None means one, unless a ``joblib.parallel_config`` says
        otherwise. The result does not depend on it.
    max_samples : int, float or None, default=None
        Number of samples to draw for each tree, or their fraction; None means as many as there are.
    max_bins : int or None, default=None
        With None all thresholds are considered. With a number from 2 to 256, a feature with more
        different values is first divided into that many groups of about equally many samples:
        the trees are then approximate and mostly faster to grow. See `DecisionTreeClassifier`.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features.

    Attributes
    ----------
    estimators_ : list of DecisionTreeRegressor
        The trees.
    estimators_samples_, estimators_features_ : list of ndarray of int
        Rows and columns of the training data that each tree saw; the columns are all.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over the trees of each feature's share in the total decrease of impurity.
    oob_score_ : float
        Coefficient of determination of the out-of-bag predictions; NaN if there are fewer than two.
        Only with ``oob_score``.
    oob_prediction_ : ndarray of shape (n_samples,)
        Average prediction by the trees that did not see the sample; NaN if all saw it. Only with
        ``oob_score``.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    L. Breiman, "Random Forests", Machine Learning 45 (2001), section 11.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RandomForestRegressor(max_features=3, max_bins=256, oob_score=True, random_state=0)
    >>> bool(0.4 < model.fit(X, y).oob_score_ < 0.5)
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
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        max_bins: int | None = None,
        random_state: RandomState = None,
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
        self.max_bins = max_bins
        self.random_state = random_state

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Grow one tree for each seed."""
        return self._fit_trees(X, y, seeds, n_classes=0)

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> DecisionTreeRegressor:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        model = DecisionTreeRegressor(**self._tree_parameters(), random_state=seed)
        self._dress(model, tree, settings)
        return model

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each tree's prediction."""
        return (value[:, 0] for value in super()._outputs(X))
