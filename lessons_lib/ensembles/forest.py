"""Random forests: bagged trees that look at few features in each node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from lessons_lib._validation import FloatArray, check_flag, check_interval
from lessons_lib.ensembles._parameters import ClassWeight, RandomState, class_factors
from lessons_lib.ensembles.bagging import (
    Ensemble,
    EnsembleClassifier,
    EnsembleRegressor,
    Member,
    draw_samples,
)
from lessons_lib.ensembles.growth import Settings, Tree, apply_trees, grow_trees
from lessons_lib.ensembles.pruning import prune
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

    _tree_class: type[DecisionTreeClassifier | DecisionTreeRegressor]

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> Any:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        raise NotImplementedError

    def _fit_trees(
        self,
        X: FloatArray,
        y: NDArray[Any],
        weight: FloatArray,
        seeds: NDArray[np.int64],
        n_classes: int,
    ) -> list[Member]:
        """Grow one tree for each seed."""
        if not check_flag("bootstrap", self.bootstrap) and self.max_samples is not None:
            raise ValueError(
                f"max_samples must be None with bootstrap=False, got {self.max_samples!r}."
            )
        settings, bins = make_settings(self, X.shape, n_classes), make_bins(self, X)
        ccp_alpha = check_interval("ccp_alpha", self.ccp_alpha)
        members: list[Member] = []
        step = max(1, _TOGETHER // len(X))
        for start in range(0, len(seeds), step):
            generators = [np.random.default_rng(seed) for seed in seeds[start : start + step]]
            draws = [self._draw(generator, weight) for generator in generators]
            weights = np.array([self._weight_of_draw(y, weight, draw) for draw in draws])
            tree_seeds = [int(generator.integers(2**31)) for generator in generators]
            generators = [np.random.default_rng(seed) for seed in tree_seeds]
            trees = grow_trees(X, y, weights, settings, generators, bins)
            for tree, draw, seed in zip(trees, draws, tree_seeds, strict=True):
                model = self._make_model(prune(tree, ccp_alpha), settings, seed)
                members.append(Member(model, draw, np.arange(X.shape[1])))
        return members

    def _draw(self, generator: np.random.Generator, weight: FloatArray) -> NDArray[np.intp]:
        """Return the rows that one tree sees."""
        if not self.bootstrap:
            return np.flatnonzero(weight)
        return draw_samples(generator, weight, self.max_samples, bootstrap=True)

    def _weight_of_draw(
        self, y: NDArray[Any], weight: FloatArray, draw: NDArray[np.intp]
    ) -> FloatArray:
        """Return how much each sample counts in the tree that sees some rows."""
        if not self.bootstrap:
            return weight
        counts = np.bincount(draw, minlength=len(y))  # a sample that was drawn twice counts twice
        return counts.astype(np.float64)

    def _dress(self, model: Any, tree: Tree, settings: Settings) -> None:
        """Give an estimator its fitted attributes."""
        model.tree_, model.max_features_ = tree, settings.max_features
        model.n_features_in_ = self.n_features_in_

    def _make_estimator(self) -> Any:
        """Return a tree with the parameters that it shares with the forest."""
        model = self._tree_class()
        # Weights of classes are part of the weights that a tree gets.
        names = set(model.get_params()) - {"random_state", "class_weight"}
        return model.set_params(**{name: getattr(self, name) for name in names})

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each tree's values for all samples, with one column a class."""
        trees = [model.tree_ for model in self.estimators_]
        step = max(1, _TOGETHER // len(X))
        for start in range(0, len(trees), step):
            some = trees[start : start + step]
            for tree, leaf in zip(some, apply_trees(some, X), strict=True):
                yield tree.value[:, 0].take(leaf, axis=0)

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

    def decision_path(self, X: ArrayLike) -> tuple[csr_array, NDArray[np.intp]]:
        """Return which nodes of all trees each sample passes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        indicator : sparse array of int of shape (n_samples, n_nodes)
            1 where a sample passes a node; the trees' nodes side by side.
        n_nodes_ptr : ndarray of int of shape (n_estimators + 1,)
            The columns of tree `i` are those from ``n_nodes_ptr[i]`` to ``n_nodes_ptr[i + 1]``.
        """
        features = self._check_X(X)
        trees = [model.tree_ for model in self.estimators_]
        indicator = hstack([tree.decision_path(features) for tree in trees], format="csr")
        return indicator, np.cumsum([0, *(tree.node_count for tree in trees)])

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
    criterion, max_depth, min_weight_fraction_leaf
        Of each tree, as in :class:`DecisionTreeClassifier`.
    min_samples_split, min_samples_leaf
        As in :class:`DecisionTreeClassifier`. A sample that was drawn several times counts once.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features to look at in each node, as in :class:`DecisionTreeClassifier`, but by
        default the root of their number.
    bootstrap : bool, default=True
        Whether each tree sees a bootstrap sample, or all samples.
    oob_score : bool, default=False
        Whether to compute the out-of-bag score.
    n_jobs : int or None, default=None
        Number of threads of ``fit``. None means one, unless a ``joblib.parallel_config`` says
        otherwise. The result does not depend on it.
    max_samples : int, float or None, default=None
        Number of samples to draw for each tree, or their fraction; None means as many as there are.
    max_bins : int or None, default=None
        As in :class:`DecisionTreeClassifier`: with a number the trees are approximate, and mostly
        faster to grow.
    ccp_alpha : float, default=0.0
        Penalty of a leaf, by which each tree is pruned, as in :class:`DecisionTreeClassifier`.
    class_weight : dict, {"balanced", "balanced_subsample"} or None, default=None
        A factor of the sample weights for each class, see `DecisionTreeClassifier`: samples are
        drawn with probabilities in proportion to the product. With "balanced_subsample" all are
        drawn alike, and the classes are balanced among those drawn for each tree.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    estimator_ : DecisionTreeClassifier
        A tree that is not grown.
    estimators_ : list of DecisionTreeClassifier
        The trees; ``forest[i]`` is short for ``forest.estimators_[i]``.
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

    _tree_class: type[DecisionTreeClassifier] = DecisionTreeClassifier

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
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        max_bins: int | None = None,
        ccp_alpha: float = 0.0,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.max_samples = max_samples
        self.max_bins = max_bins
        self.ccp_alpha = ccp_alpha
        self.class_weight = class_weight
        self.random_state = random_state

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], weight: FloatArray, seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Grow one tree for each seed."""
        numbers = self.classes_.searchsorted(y)
        class_weight = self.class_weight
        if self._balances_draws():
            class_weight = None if self.bootstrap else "balanced"
        weight = weight * class_factors(class_weight, self.classes_, numbers, weight)
        return self._fit_trees(X, numbers, weight, seeds, self.n_classes_)

    def _balances_draws(self) -> bool:
        """Whether the classes are balanced in each draw, not in all of the data."""
        return isinstance(self.class_weight, str) and self.class_weight == "balanced_subsample"

    def _weight_of_draw(
        self, y: NDArray[Any], weight: FloatArray, draw: NDArray[np.intp]
    ) -> FloatArray:
        """Return how much each sample counts in the tree that sees some rows."""
        weight = super()._weight_of_draw(y, weight, draw)
        if self.bootstrap and self._balances_draws():
            return weight * class_factors("balanced", self.classes_, y, weight)
        return weight

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> DecisionTreeClassifier:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        model: DecisionTreeClassifier = clone(self.estimator_).set_params(random_state=seed)
        self._dress(model, tree, settings)
        model.classes_, model.n_classes_ = self.classes_, self.n_classes_
        return model


class RandomForestRegressor(EnsembleRegressor, _Forest):
    r"""The average of trees, each grown on a bootstrap sample and on some features in each node.

    See :class:`RandomForestClassifier` for what that is good for. As in scikit-learn the default is
    to look at all features, which is plain bagging.

    Parameters
    ----------
    criterion : {"squared_error"}, default="squared_error"
        Impurity that splits lower.
    max_depth, min_weight_fraction_leaf
        Of each tree, as in :class:`DecisionTreeClassifier`.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        Number of features to look at in each node, as in :class:`DecisionTreeClassifier`; by
        default all.
    n_estimators, min_samples_split, min_samples_leaf, bootstrap, oob_score, n_jobs, max_samples
        As in :class:`RandomForestClassifier`.
    max_bins, ccp_alpha, random_state
        As in :class:`RandomForestClassifier`.

    Attributes
    ----------
    estimator_ : DecisionTreeRegressor
        A tree that is not grown.
    estimators_ : list of DecisionTreeRegressor
        The trees; ``forest[i]`` is short for ``forest.estimators_[i]``.
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

    _tree_class: type[DecisionTreeRegressor] = DecisionTreeRegressor

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
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        max_samples: int | float | None = None,
        max_bins: int | None = None,
        ccp_alpha: float = 0.0,
        random_state: RandomState = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.max_samples = max_samples
        self.max_bins = max_bins
        self.ccp_alpha = ccp_alpha
        self.random_state = random_state

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], weight: FloatArray, seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Grow one tree for each seed."""
        return self._fit_trees(X, y, weight, seeds, n_classes=0)

    def _make_model(self, tree: Tree, settings: Settings, seed: int) -> DecisionTreeRegressor:
        """Return a tree as an estimator that looks as if it had been fitted alone."""
        model: DecisionTreeRegressor = clone(self.estimator_).set_params(random_state=seed)
        self._dress(model, tree, settings)
        return model

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each tree's prediction."""
        return (value[:, 0] for value in super()._outputs(X))
