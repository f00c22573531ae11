"""Decision trees for classification and regression."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn import tree as sklearn_tree
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Bunch
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lessons_lib._validation import FloatArray, check_integer, check_interval
from lessons_lib.ensembles._parameters import (
    ClassWeight,
    LeavesOut,
    RandomState,
    check_generator,
    check_weight,
    class_factors,
    count_features,
    count_samples,
)
from lessons_lib.ensembles.binning import MAX_BINS, Bins, bin_features
from lessons_lib.ensembles.growth import Settings, Tree, grow_trees
from lessons_lib.ensembles.pruning import prune, weakest_links

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor"]

_SAMPLES_PER_BIN = 8


def make_settings(estimator: Any, shape: tuple[int, ...], n_classes: int) -> Settings:
    """Check the parameters of a tree or a forest.

    Parameters
    ----------
    estimator : estimator
        With the parameters of `DecisionTreeClassifier`.
    shape : tuple of int
        Number of samples and of features of the training data.
    n_classes : int
        Number of classes; 0 for regression.

    Returns
    -------
    Settings

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong kind or out of range.
    """
    n_samples, n_features = shape
    criteria = ("gini", "entropy", "log_loss") if n_classes else ("squared_error",)
    if estimator.criterion not in criteria:
        names = ", ".join(repr(name) for name in criteria)
        raise ValueError(f"criterion must be one of {names}, got {estimator.criterion!r}.")
    depth = estimator.max_depth
    return Settings(
        criterion=estimator.criterion,
        n_classes=n_classes,
        max_depth=None if depth is None else check_integer("max_depth", depth, 1),
        min_samples_split=count_samples(
            "min_samples_split", estimator.min_samples_split, 2, n_samples
        ),
        min_samples_leaf=count_samples(
            "min_samples_leaf", estimator.min_samples_leaf, 1, n_samples
        ),
        min_weight_fraction_leaf=check_interval(
            "min_weight_fraction_leaf", estimator.min_weight_fraction_leaf, 0.0, 0.5
        ),
        max_features=count_features(estimator.max_features, n_features),
        splitter=getattr(estimator, "_splitter", "best"),
    )


def make_bins(estimator: Any, X: FloatArray) -> Bins | None:
    """Return the bins to count samples in, or None where sorting them is better."""
    max_bins = estimator.max_bins
    if max_bins is not None and check_integer("max_bins", max_bins, 2) > MAX_BINS:
        raise ValueError(f"max_bins must be at most {MAX_BINS} or None, got {max_bins!r}.")
    bins = bin_features(X, max_bins)
    # Counting visits all bins in all nodes. With few samples in them, sorting is faster.
    if max_bins is None and bins is not None and _SAMPLES_PER_BIN * len(bins.low) > len(X):
        return None
    return bins


class _DecisionTree(LeavesOut, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What both kinds of tree share."""

    max_features_: int
    n_features_in_: int
    tree_: Tree

    def _grow(self, X: FloatArray, y: NDArray[Any], weight: FloatArray, n_classes: int) -> None:
        """Fit the tree to checked data."""
        settings = make_settings(self, X.shape, n_classes)
        generator = check_generator(self.random_state)
        bins = make_bins(self, X)
        self.max_features_ = settings.max_features
        [tree] = grow_trees(X, y, weight[None], settings, [generator], bins)
        self.tree_ = prune(tree, check_interval("ccp_alpha", self.ccp_alpha))

    def cost_complexity_pruning_path(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Bunch:
        """Return the penalties at which the tree loses splits.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.

        Returns
        -------
        Bunch
            ``ccp_alphas``: 0, then the penalty at which each part is cut off; ``impurities``: the
            mean impurity of the leaves that are left.
        """
        tree = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight).tree_
        leaves = tree.children_left < 0
        weight = tree.weighted_n_node_samples[leaves] / tree.weighted_n_node_samples[0]
        links = list(weakest_links(tree))
        return Bunch(
            ccp_alphas=np.array([0.0, *(link.alpha for link in links)]),
            impurities=np.array([weight @ tree.impurity[leaves], *(link.cost for link in links)]),
        )

    def _check_X(self, X: ArrayLike) -> FloatArray:
        check_is_fitted(self)
        features: FloatArray = validate_data(self, X, reset=False, dtype=np.float64)
        return features

    def apply(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the number of the leaf that each sample ends in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of int of shape (n_samples,)
            Index into the arrays of `tree_`.
        """
        features = self._check_X(X)
        return self.tree_.apply(features)

    def decision_path(self, X: ArrayLike) -> csr_array:
        """Return which nodes each sample passes, from the root to its leaf.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        sparse array of int of shape (n_samples, node_count)
            1 where a sample passes a node of `tree_`.
        """
        features = self._check_X(X)
        return self.tree_.decision_path(features)

    def _compute_partial_dependence_recursion(
        self, grid: ArrayLike, target_features: NDArray[np.intp]
    ) -> FloatArray:
        """Return mean predictions, as ``sklearn.inspection.partial_dependence`` asks for them."""
        points = np.asarray(grid, dtype=np.float64)
        means = np.zeros(len(points))
        self.tree_.compute_partial_dependence(points, target_features, means)
        return means

    def get_depth(self) -> int:
        """Return the number of splits on the longest way from the root to a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self) -> int:
        """Return the number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    @property
    def feature_importances_(self) -> FloatArray:
        """Share of each feature in the total decrease of impurity, on the training data."""
        check_is_fitted(self)
        return self.tree_.feature_importances(self.n_features_in_)


class DecisionTreeClassifier(ClassifierMixin, _DecisionTree):  # type: ignore[misc, unused-ignore]
    r"""A tree of questions ":math:`x_j \le t`?" with shares of the classes in its leaves.

    Starting with all samples, each node takes the feature :math:`j` and threshold :math:`t` that
    lower the impurity :math:`I` of its samples most,

    .. math:: \max_{j,t}\; n\,I - n_L\,I_L - n_R\,I_R ,
        \qquad I = 1 - \sum_c p_c^2 \;\text{ (Gini)} \quad\text{or}\quad
        I = -\sum_c p_c \log_2 p_c \;\text{ (entropy)},

    where :math:`p_c` is the share of class :math:`c`, and goes on with the two parts, until a node
    holds one class only or another limit is reached.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        The impurity :math:`I`; "log_loss" is another name of the entropy.
    max_depth : int or None, default=None
        Largest number of splits between the root and a leaf.
    min_samples_split : int or float, default=2
        Smallest number of samples in a node that may be split. A float is a fraction of all.
    min_samples_leaf : int or float, default=1
        Smallest number of samples in a leaf. A float is a fraction of all.
    min_weight_fraction_leaf : float, default=0.0
        Smallest weight of a leaf as a fraction of the weight of all samples, at most 0.5.
    max_features : {"sqrt", "log2"}, int, float or None, default=None
        Number of features to look at in each node, drawn at random for each: the root or the
        logarithm of their number, a number, or a fraction. None means all. If no drawn feature
        allows a split, more are drawn until one does.
    max_bins : int or None, default=None
        With None all thresholds are considered. With a number from 2 to 256, a feature that has
        more different values is first divided into that many groups with about equally many
        samples, and thresholds inside a group are not considered: the tree is then approximate.
        See Notes.
    ccp_alpha : float, default=0.0
        Penalty of a leaf: parts of the grown tree that bring less for each of their leaves are cut
        off, see `prune`.
    class_weight : dict, "balanced" or None, default=None
        A factor of the sample weights for each class, 1 for classes that are not named. With
        "balanced" all classes get the same total weight.
    random_state : int, Generator, RandomState or None, default=None
        Draws the features. Without effect if all are looked at.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    tree_ : Tree
        The tree as arrays.
    feature_importances_ : ndarray of shape (n_features,)
        Share of each feature in the total decrease of impurity.
    max_features_ : int
        Number of features looked at in each node.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    Where each feature has few different values (at most 256, and an eighth of the number of
    samples), the splits of all nodes of a level are found at once by counting samples in bins.
    Otherwise the samples are sorted in each node, which finds the same and takes longer.
    ``max_bins`` makes counting available for any data, at the price of thresholds that are not
    considered.

    Among equally good splits that of the first feature and the lowest threshold is taken;
    scikit-learn takes a random one. Thresholds lie halfway between two neighboring values in the
    node. Sample weights weigh in the impurity, but not in the numbers of samples.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees" (1984),
    chapters 2 and 4.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> tree = DecisionTreeClassifier().fit(X, ["a", "a", "b", "b"])
    >>> print(tree.tree_.threshold[0], tree.predict([[2.4], [2.6]]))
    2.5 ['a' 'b']
    """

    classes_: NDArray[Any]
    n_classes_: int

    def __init__(
        self,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = None,
        max_bins: int | None = None,
        ccp_alpha: float = 0.0,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
    ) -> None:
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_bins = max_bins
        self.ccp_alpha = ccp_alpha
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative; 1 by default. A sample with weight zero does not take part.

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        weight = check_weight(sample_weight, features)
        weight = weight * class_factors(self.class_weight, self.classes_, numbers, weight)
        self._grow(features, numbers, weight, self.n_classes_)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the shares of the classes in each sample's leaf.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        features = self._check_X(X)
        return self.tree_.predict(features)

    def predict_log_proba(self, X: ArrayLike) -> FloatArray:
        """Return the logarithms of `predict_proba`; minus infinity for 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most frequent class in each sample's leaf.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels; the first one of several that are equally frequent.
        """
        leaf = self.apply(X)
        labels: NDArray[Any] = self.classes_[self.tree_.value[:, 0].argmax(axis=1)[leaf]]
        return labels


class DecisionTreeRegressor(RegressorMixin, _DecisionTree):  # type: ignore[misc, unused-ignore]
    r"""A tree of questions ":math:`x_j \le t`?" with a mean of the target in each leaf.

    Starting with all samples, each node takes the feature :math:`j` and threshold :math:`t` that
    lower the squared error most,

    .. math:: \max_{j,t}\; n\,I - n_L\,I_L - n_R\,I_R ,
        \qquad I = \tfrac{1}{n} \sum_i (y_i - \bar y)^2 ,

    and goes on with the two parts, until all targets in a node are equal or another limit is
    reached.

    Parameters
    ----------
    criterion : {"squared_error"}, default="squared_error"
        The impurity :math:`I`.
    max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        Limits of the growth, as in :class:`DecisionTreeClassifier`.
    max_features, max_bins, ccp_alpha, random_state
        As in :class:`DecisionTreeClassifier`.

    Attributes
    ----------
    tree_ : Tree
        The tree as arrays.
    feature_importances_ : ndarray of shape (n_features,)
        Share of each feature in the total decrease of impurity.
    max_features_ : int
        Number of features looked at in each node.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees" (1984),
    chapter 8.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> tree = DecisionTreeRegressor(max_depth=1).fit(X, [0.0, 0.0, 5.0, 7.0])
    >>> tree.predict([[0.0], [9.0]])
    array([0., 6.])
    """

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | int | float | None = None,
        max_bins: int | None = None,
        ccp_alpha: float = 0.0,
        random_state: RandomState = None,
    ) -> None:
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_bins = max_bins
        self.ccp_alpha = ccp_alpha
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the tree.

        As :meth:`DecisionTreeClassifier.fit`, but `y` holds the numbers to predict.
        """
        features, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weight = check_weight(sample_weight, features)
        self._grow(features, target.astype(np.float64), weight, n_classes=0)
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the mean target of each sample's leaf.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions, in the units of ``y``.
        """
        features = self._check_X(X)
        return self.tree_.predict(features)[:, 0]


# plot_tree, export_text and partial_dependence take what counts as one of scikit-learn's trees.
sklearn_tree.DecisionTreeClassifier.register(DecisionTreeClassifier)
sklearn_tree.DecisionTreeRegressor.register(DecisionTreeRegressor)
