"""Growing decision trees, all nodes of a level and all trees of a forest at once.

Growing works on a *level*: the nodes at one depth, each with its samples, of however many trees.
One step finds each node's best split, sends the samples to the children, and these are the next
level. Either of two functions searches the splits, and they find the same (a third one,
`_random_splits`, draws thresholds instead of searching them):

- `_sorted_splits` sorts the samples in each node, by `lessons_lib.ensembles.splits.best_splits`;
- `_counted_splits` counts the samples of all nodes in the bins of all features by a single
  ``bincount``. Cumulative sums over the bins then take the place of sorting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lessons_lib._validation import FloatArray
from lessons_lib.ensembles.binning import Bins
from lessons_lib.ensembles.splits import (
    CRITERIA,
    Score,
    best_splits,
    halfway,
    one_hot,
    penalized_score,
)

__all__ = ["Settings", "Tree", "apply_trees", "grow_trees"]

IntArray = NDArray[np.intp]

# What a leaf has in place of a child and of a feature; scikit-learn's numbers.
_LEAF, _UNDEFINED = -1, -2
# How much to do at once when searching splits and when predicting: what a processor's cache holds.
_NUMBERS, _STEPS = 2**17, 2**14


@dataclass(frozen=True)
class Settings:
    """What to split by, and when to stop.

    Attributes
    ----------
    criterion : {"gini", "entropy", "log_loss", "squared_error"}
    n_classes : int
        Number of classes; 0 for regression.
    max_depth : int or None
    min_samples_split, min_samples_leaf : int
    min_weight_fraction_leaf : float
    max_features : int
        Number of features to look at in each node.
    reg_lambda : float
        Leaf penalty of boosting: a split must lower the penalized loss, see `penalized_score`.
    splitter : {"best", "random"}
        Whether to consider all thresholds of a feature, or one that is drawn.
    """

    criterion: str
    n_classes: int
    max_depth: int | None = None
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_fraction_leaf: float = 0.0
    max_features: int = 1
    reg_lambda: float = 0.0
    splitter: str = "best"

    @property
    def score(self) -> Score:
        """What splits are judged by."""
        return penalized_score(self.reg_lambda) if self.reg_lambda else CRITERIA[self.criterion]


@dataclass(frozen=True)
class Tree:
    """A decision tree as arrays with one entry a node, under scikit-learn's names.

    scikit-learn's ``plot_tree`` and ``export_text`` can show it.

    Node 0 is the root. Nodes are numbered level by level (scikit-learn numbers them depth first),
    so that the right child of a node directly follows the left one.

    Attributes
    ----------
    children_left, children_right : ndarray of int of shape (node_count,)
        Numbers of the children; -1 in leaves.
    feature : ndarray of int of shape (node_count,)
        Feature that the node looks at; -2 in leaves.
    threshold : ndarray of shape (node_count,)
        Samples with ``x[feature] <= threshold`` go to the left; -2.0 in leaves.
    impurity : ndarray of shape (node_count,)
        Value of the criterion.
    n_node_samples : ndarray of int of shape (node_count,)
        Number of training samples with positive weight in the node.
    weighted_n_node_samples : ndarray of shape (node_count,)
        The sum of their weights.
    value : ndarray of shape (node_count, 1, n_columns)
        Mean of the target: the share of each class, or one number in regression. The axis between
        is scikit-learn's, for several outputs.
    n_features : int
        Number of features of the training data.
    """

    children_left: IntArray
    children_right: IntArray
    feature: IntArray
    threshold: FloatArray
    impurity: FloatArray
    n_node_samples: IntArray
    weighted_n_node_samples: FloatArray
    value: FloatArray
    n_features: int

    @property
    def n_outputs(self) -> int:
        """Number of targets: one. scikit-learn's ``plot_tree`` and ``export_text`` ask for it."""
        return 1

    @property
    def n_classes(self) -> IntArray:
        """Number of classes of each target; 1 in regression. For the same two functions."""
        return np.array([self.value.shape[2]])

    @property
    def node_count(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.feature)

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int((self.children_left == _LEAF).sum())

    @property
    def max_depth(self) -> int:
        """Number of splits on the longest way from the root to a leaf."""
        depth, nodes = 0, np.zeros(1, dtype=np.intp)
        while len(parents := nodes[self.children_left[nodes] != _LEAF]):
            nodes = np.concatenate((self.children_left[parents], self.children_right[parents]))
            depth += 1
        return depth

    def apply(self, X: FloatArray) -> IntArray:
        """Return the leaf that each sample ends in.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of int of shape (n_samples,)
        """
        leaves: IntArray = apply_trees([self], X)[0]
        return leaves

    def predict(self, X: FloatArray) -> FloatArray:
        """Return the value of the leaf that each sample ends in.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
        """
        values: FloatArray = self.value[:, 0].take(self.apply(X), axis=0)
        return values

    def decision_path(self, X: FloatArray) -> csr_array:
        """Return which nodes each sample passes, from the root to its leaf.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        sparse array of int of shape (n_samples, node_count)
            1 where a sample passes a node.
        """
        parents = np.flatnonzero(self.children_left != _LEAF)
        parent = np.full(self.node_count, -1)
        parent[self.children_left[parents]] = parent[self.children_right[parents]] = parents
        sample, node = np.arange(len(X)), self.apply(X)
        passed = []
        while len(node):
            passed.append((sample, node))
            sample, node = sample[node > 0], parent[node[node > 0]]
        rows, columns = np.concatenate(passed, axis=1)
        path = csr_array((np.ones_like(rows), (rows, columns)), (len(X), self.node_count))
        path.sort_indices()
        return path

    def compute_partial_dependence(
        self, X: FloatArray, target_features: IntArray, out: FloatArray
    ) -> None:
        """Add to `out` the mean prediction where some features are fixed.

        At a node that asks for another feature, a point goes to both children, with the shares of
        the training samples that did. ``sklearn.inspection.partial_dependence`` calls this.

        Parameters
        ----------
        X : ndarray of shape (n_points, n_target_features)
            Values of the fixed features.
        target_features : ndarray of int of shape (n_target_features,)
            Their numbers.
        out : ndarray of shape (n_points,)

        References
        ----------
        J. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of
        Statistics 29 (2001), section 8.2.
        """
        position = {int(feature): i for i, feature in enumerate(target_features)}
        share = np.zeros((self.node_count, len(X)))
        share[0] = 1.0
        for node in np.flatnonzero(self.children_left != _LEAF):  # parents before their children
            left, right = self.children_left[node], self.children_right[node]
            i = position.get(int(self.feature[node]))
            goes_left: Any = self.weighted_n_node_samples[left] / self.weighted_n_node_samples[node]
            if i is not None:
                goes_left = X[:, i] <= self.threshold[node]
            share[left] = share[node] * goes_left
            share[right] = share[node] - share[left]
        leaf = self.children_left == _LEAF
        out += self.value[leaf, 0, 0] @ share[leaf]

    def feature_importances(self, n_features: int) -> FloatArray:
        r"""Return by how much the splits on each feature lower the impurity.

        Parameters
        ----------
        n_features : int
            Number of features of the training data.

        Returns
        -------
        ndarray of shape (n_features,)
            Sums of :math:`n I - n_L I_L - n_R I_R` over the nodes that look at the feature,
            divided by their total; zeros for a tree without splits.

        Raises
        ------
        ValueError
            If the target is so large that its squares overflow.
        """
        parents = np.flatnonzero(self.children_left != _LEAF)
        if not np.isfinite(self.impurity).all():
            raise ValueError(
                "the squares of the target overflow, so that impurities cannot be compared; "
                "divide y by a constant."
            )
        # Only shares matter: in units of the root's weight and of the largest impurity, nothing
        # overflows or vanishes.
        total = self.weighted_n_node_samples / self.weighted_n_node_samples[0]
        total *= self.impurity / (self.impurity.max() or 1.0)
        decrease = total[parents] - total[self.children_left[parents]]
        decrease -= total[self.children_right[parents]]
        sums: Any = np.bincount(self.feature[parents], decrease, n_features)
        shares: FloatArray = sums / (sums.sum() or 1.0)
        return shares


def apply_trees(trees: Sequence[Tree], X: FloatArray) -> IntArray:
    """Return the leaf of every tree that each sample ends in.

    All samples go down several trees together, one level at a time.

    Parameters
    ----------
    trees : sequence of Tree
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of int of shape (n_trees, n_samples)
    """
    # The nodes of all trees in one row, with a leaf as its own left child: nothing goes to the
    # right of infinity, so that samples which have arrived stay.
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(sizes) - sizes
    left = np.concatenate([tree.children_left for tree in trees])
    is_leaf = left == _LEAF
    left = np.where(is_leaf, np.arange(len(left)), left + np.repeat(roots, sizes))
    feature = np.where(is_leaf, 0, np.concatenate([tree.feature for tree in trees]))
    threshold = np.where(is_leaf, np.inf, np.concatenate([tree.threshold for tree in trees]))

    values, row = X.ravel(), np.arange(len(X)) * X.shape[1]
    leaves = np.empty((len(trees), len(X)), dtype=np.intp)
    step = max(1, _STEPS // len(X))
    for some in (slice(start, start + step) for start in range(0, len(trees), step)):
        node = np.repeat(roots[some, None], len(X), axis=1)
        while True:
            goes_right = values.take(row + feature.take(node)) > threshold.take(node)
            following = left.take(node) + goes_right  # the right child follows the left one
            if np.array_equal(following, node):
                break
            node = following
        leaves[some] = node - roots[some, None]
    return leaves


class _Data(NamedTuple):
    """What is the same for all nodes."""

    X: FloatArray
    y: NDArray[Any]  # numbers of the classes, or numbers in regression
    target: NDArray[Any]  # what the splits are judged by: the same up to a constant
    bins: Bins | None
    settings: Settings
    min_weight_leaf: float


@dataclass
class _Level:
    """The nodes at one depth and their samples, those of a node side by side."""

    tree: IntArray  # (n_nodes,): the tree that each node belongs to, ascending
    n_samples: IntArray  # (n_nodes,): number of samples of each node
    sample: IntArray  # (n_samples.sum(),): rows of X
    weight: FloatArray  # (n_samples.sum(),)

    @property
    def node(self) -> IntArray:
        """Node of each entry of `sample`."""
        return np.repeat(np.arange(len(self.tree)), self.n_samples)

    @property
    def start(self) -> IntArray:
        """First entry of `sample` of each node."""
        return np.cumsum(self.n_samples) - self.n_samples

    def select(self, nodes: NDArray[np.bool_] | slice) -> _Level:
        """Return some of the nodes."""
        if isinstance(nodes, slice):
            first, last = self.start[nodes][0], self.start[nodes][-1] + self.n_samples[nodes][-1]
            entries: Any = slice(first, last)
        else:
            entries = np.repeat(nodes, self.n_samples)
        return _Level(
            self.tree[nodes], self.n_samples[nodes], self.sample[entries], self.weight[entries]
        )

    def children(self, goes_right: NDArray[np.bool_]) -> _Level:
        """Return the next level: each node's left child, directly followed by its right one."""
        child = 2 * self.node + goes_right
        order = child.argsort(kind="stable")
        n_samples = np.bincount(child, minlength=2 * len(self.tree))
        return _Level(np.repeat(self.tree, 2), n_samples, self.sample[order], self.weight[order])


class _Nodes(NamedTuple):
    """The results for the nodes of a level: the columns of `Tree`, and the tree of each node."""

    tree: IntArray
    left: IntArray  # number of the left child in the order in which all nodes are made
    feature: IntArray
    threshold: FloatArray
    impurity: FloatArray
    n_samples: IntArray
    weight: FloatArray
    value: FloatArray


def grow_trees(
    X: FloatArray,
    y: NDArray[Any],
    weights: FloatArray,
    settings: Settings,
    generators: Sequence[np.random.Generator],
    bins: Bins | None = None,
) -> list[Tree]:
    """Grow decision trees on the same data with different weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Numbers of the classes from 0, or numbers in regression.
    weights : ndarray of shape (n_trees, n_samples)
        How often, or how much, each sample counts in each tree. Samples with weight zero do not
        take part.
    settings : Settings
    generators : sequence of Generator
        One for each tree; it draws the features to look at, if these are not all.
    bins : Bins or None, default=None
        Bins of `X`. With them splits are found by counting, without them by sorting.

    Returns
    -------
    list of Tree
    """
    weight_unit = _unit(weights.max())
    weights = weights / weight_unit
    target_unit = 1.0 if settings.n_classes else _unit(np.abs(y[weights.any(axis=0)]).max())
    y = y if settings.n_classes else y / target_unit
    # In regression a large mean would cost digits. The median of whole numbers leaves sums exact.
    # (A leaf penalty pulls toward zero, so that the targets must not be moved.)
    settings = replace(settings, reg_lambda=settings.reg_lambda / weight_unit)
    target = y if settings.n_classes or settings.reg_lambda else y - np.median(y)
    # All trees of a forest have the same total weight.
    min_weight_leaf = settings.min_weight_fraction_leaf * float(weights[0].sum())
    data = _Data(X, y, target, bins, settings, min_weight_leaf)
    tree, sample = np.nonzero(weights)
    n_samples = np.count_nonzero(weights, axis=1)
    level = _Level(np.arange(len(weights)), n_samples, sample, weights[tree, sample])
    levels: list[_Nodes] = []
    n_nodes = 0
    while len(level.tree):
        n_nodes += len(level.tree)
        nodes, may_split = _make_nodes(level, data, depth=len(levels))
        levels.append(nodes)
        level = _split(level, data, nodes, may_split, n_nodes, generators)
    trees = _separate(levels, X.shape[1])
    return [_in_units(tree, weight_unit, target_unit) for tree in trees]


def _unit(largest: float) -> float:
    """Return a unit in which squares neither overflow nor vanish: 1, or else a power of two.

    Dividing by a power of two rounds nothing.
    """
    exponent = math.frexp(largest)[1] - 1
    return 1.0 if largest == 0 or abs(exponent) < 100 else math.ldexp(1.0, exponent)


def _in_units(tree: Tree, weight_unit: float, target_unit: float) -> Tree:
    """Express a tree's numbers in the units of the data."""
    if weight_unit == target_unit == 1.0:
        return tree
    with np.errstate(over="ignore"):  # the impurity of targets above 1e154 is infinite
        return replace(
            tree,
            weighted_n_node_samples=tree.weighted_n_node_samples * weight_unit,
            value=tree.value * target_unit,
            impurity=tree.impurity * target_unit * target_unit,
        )


def _make_nodes(level: _Level, data: _Data, depth: int) -> tuple[_Nodes, NDArray[np.bool_]]:
    """Return the nodes of a level as leaves, and which of them may be split."""
    settings, node, y = data.settings, level.node, data.y[level.sample]
    sums, n = _sum_targets(node, len(level.tree), y, level.weight, settings.n_classes)
    value = (sums / n).T
    if settings.criterion == "squared_error":
        deviation = y - value[node, 0]
        impurity: FloatArray = np.bincount(node, level.weight * deviation**2) / n
    else:
        pure_score = 1.0 if settings.criterion == "gini" else 0.0
        impurity = pure_score - CRITERIA[settings.criterion](value.T, np.ones_like(n))
    is_pure = np.logical_and.reduceat(y == np.repeat(y[level.start], level.n_samples), level.start)
    smallest = max(settings.min_samples_split, 2 * settings.min_samples_leaf)
    may_split = ~is_pure & (level.n_samples >= smallest)
    if depth == settings.max_depth:
        may_split[:] = False
    n_nodes = len(level.tree)
    nodes = _Nodes(
        level.tree,
        np.full(n_nodes, _LEAF),
        np.full(n_nodes, _UNDEFINED),
        np.full(n_nodes, float(_UNDEFINED)),
        np.maximum(impurity, 0.0),
        level.n_samples,
        n,
        value,
    )
    return nodes, may_split


def _split(
    level: _Level,
    data: _Data,
    nodes: _Nodes,
    may_split: NDArray[np.bool_],
    next_node: int,
    generators: Sequence[np.random.Generator],
) -> _Level:
    """Split the nodes that can be, enter that into `nodes`, and return the children.

    The children are numbered from `next_node`.
    """
    if not may_split.any():
        return level.select(may_split)
    level = level.select(may_split)
    feature, threshold, found = _choose_splits(level, data, generators)
    level, feature, threshold = level.select(found), feature[found], threshold[found]
    is_split = may_split.copy()
    is_split[may_split] = found
    nodes.feature[is_split], nodes.threshold[is_split] = feature, threshold
    nodes.left[is_split] = next_node + 2 * np.arange(len(feature))
    x = data.X[level.sample, np.repeat(feature, level.n_samples)]
    return level.children(x > np.repeat(threshold, level.n_samples))


def _choose_splits(
    level: _Level, data: _Data, generators: Sequence[np.random.Generator]
) -> tuple[IntArray, FloatArray, NDArray[np.bool_]]:
    """Return feature and threshold of the best split of each node, and where there is one.

    Where none of ``max_features`` drawn features allows a split, more features are drawn until one
    does: that one is taken.
    """
    n_features, n_drawn = data.X.shape[1], data.settings.max_features
    if n_drawn == n_features:
        features = np.broadcast_to(np.arange(n_features), (len(level.tree), n_features))
    else:
        features = _draw(level, n_features, generators).argsort(axis=1)

    gain, threshold = _search(level, features[:, :n_drawn], data, generators)
    slot = gain.argmax(axis=1)
    # A penalized split can raise the loss; without a penalty every possible split counts.
    least = 0.0 if data.settings.reg_lambda else -np.inf
    found = gain.max(axis=1) > least
    chosen = np.arange(len(slot)), slot
    feature, threshold = features[chosen], threshold[chosen]
    if n_drawn < n_features and not found.all():
        rest = ~found
        others = features[rest, n_drawn:]
        gain, other_threshold = _search(level.select(rest), others, data, generators)
        chosen = np.arange(len(others)), (gain > least).argmax(axis=1)
        feature[rest], threshold[rest] = others[chosen], other_threshold[chosen]
        found[rest] = gain[chosen] > least
    return feature, threshold, found


def _draw(level: _Level, n: int, generators: Sequence[np.random.Generator]) -> FloatArray:
    """Return `n` numbers from 0 to 1 for each node.

    Each tree has its own numbers: the result does not depend on which trees grow together.
    """
    n_nodes = np.bincount(level.tree, minlength=len(generators))
    draws = [rng.random((size, n)) for rng, size in zip(generators, n_nodes, strict=True)]
    return np.concatenate(draws)


def _search(
    level: _Level, features: IntArray, data: _Data, generators: Sequence[np.random.Generator]
) -> tuple[FloatArray, FloatArray]:
    """Return gain and threshold of the best split of each node by each of some features.

    Parameters
    ----------
    level : _Level
    features : ndarray of int of shape (n_nodes, n_slots)
        The features to look at in each node.
    data : _Data
    generators : sequence of Generator
        One for each tree; it draws thresholds, if these are drawn.

    Returns
    -------
    gain, threshold : ndarray of shape (n_nodes, n_slots)
        As `best_splits` returns them.
    """
    if data.settings.splitter == "random":
        return _random_splits(level, features, data, generators)
    if data.bins is None:
        return _sorted_splits(level, features, data)
    gain, threshold = np.empty(features.shape), np.empty(features.shape)
    counts_per_node = features.shape[1] * len(data.bins.low) * max(data.settings.n_classes, 2)
    step = max(1, _NUMBERS // counts_per_node)
    for start in range(0, len(features), step):
        some = slice(start, start + step)
        gain[some], threshold[some] = _counted_splits(
            level.select(some), features[some], data, data.bins
        )
    return gain, threshold


def _sorted_splits(level: _Level, features: IntArray, data: _Data) -> tuple[FloatArray, FloatArray]:
    """Search the splits of nodes with equally many samples together, by `best_splits`."""
    settings, target = data.settings, data.target
    targets = one_hot(target, settings.n_classes) if settings.n_classes else target[:, None]
    gain, threshold = np.empty(features.shape), np.empty(features.shape)
    for size in np.unique(level.n_samples):
        same = np.flatnonzero(level.n_samples == size)
        step = max(1, _NUMBERS // (size * features.shape[1] * targets.shape[1]))
        for nodes in (same[start : start + step] for start in range(0, len(same), step)):
            entries = level.start[nodes, None] + np.arange(size)
            sample = level.sample[entries]
            gain[nodes], threshold[nodes] = best_splits(
                data.X[sample[:, :, None], features[nodes, None, :]],
                targets[sample],
                level.weight[entries],
                settings.score,
                settings.min_samples_leaf,
                data.min_weight_leaf,
            )
    return gain, threshold


def _counted_splits(
    level: _Level, features: IntArray, data: _Data, bins: Bins
) -> tuple[FloatArray, FloatArray]:
    """Search the splits of all nodes at once: `best_splits` with counts in place of sorting."""
    settings, score = data.settings, data.settings.score
    n_bins, n_features = bins.low.shape
    n_columns = features.size  # a column for each node and slot
    column = np.arange(n_columns).reshape(features.shape)

    # Every sample is counted once for each slot of its node: in a bin, in the slot's column.
    place = np.repeat(features, level.n_samples, axis=0)
    place += (level.sample * n_features)[:, None]
    key = np.multiply(bins.codes.ravel().take(place), n_columns, dtype=np.intp)
    key += np.repeat(column, level.n_samples, axis=0)
    target = data.target[level.sample]
    sums, n = _sum_targets(key, n_bins * n_columns, target, level.weight, settings.n_classes)
    left, n_left = sums.reshape(-1, n_bins, n_columns), n.reshape(n_bins, n_columns)
    _accumulate(left.swapaxes(0, 1))
    _accumulate(n_left)
    right, n_right = left[:, -1:] - left, n_left[-1] - n_left

    allowed = (n_left > 0) & (n_right > 0)
    if data.min_weight_leaf:
        allowed &= (n_left >= data.min_weight_leaf) & (n_right >= data.min_weight_leaf)
    if settings.min_samples_leaf > 1:
        n_samples_left = np.bincount(key.ravel(), minlength=n.size).reshape(n_left.shape)
        _accumulate(n_samples_left)
        allowed &= n_samples_left >= settings.min_samples_leaf
        allowed &= n_samples_left[-1] - n_samples_left >= settings.min_samples_leaf
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 of empty sides
        gain = np.where(allowed, score(left, n_left) + score(right, n_right), -np.inf)

    best, columns, feature = gain.argmax(axis=0), column.ravel(), features.ravel()
    following = (n_left > n_left[best, columns]).argmax(axis=0)  # the next bin that is not empty
    threshold = halfway(bins.high[best, feature], bins.low[following, feature])
    gain = gain[best, columns] - score(left[:, -1], n_left[-1])
    return gain.reshape(features.shape), threshold.reshape(features.shape)


def _random_splits(
    level: _Level, features: IntArray, data: _Data, generators: Sequence[np.random.Generator]
) -> tuple[FloatArray, FloatArray]:
    """Draw a threshold for each node and feature, between the extremes of the node's samples."""
    settings, n_columns = data.settings, features.size
    x = data.X[level.sample[:, None], np.repeat(features, level.n_samples, axis=0)]
    low, high = (extreme.reduceat(x, level.start) for extreme in (np.minimum, np.maximum))
    threshold = low + _draw(level, features.shape[1], generators) * (high - low)
    threshold = np.where(threshold < high, threshold, low)  # rounding can give `high` itself

    column = np.arange(n_columns).reshape(features.shape)
    key = np.repeat(column, level.n_samples, axis=0)
    key += n_columns * (x > np.repeat(threshold, level.n_samples, axis=0))
    target = data.target[level.sample]
    sums, n = _sum_targets(key, 2 * n_columns, target, level.weight, settings.n_classes)
    n_samples = np.bincount(key.ravel(), minlength=2 * n_columns).reshape(2, n_columns)
    left, right = np.split(sums, 2, axis=1)
    n_left, n_right = np.split(n, 2)
    allowed = (low < high).ravel() & (n_samples.min(axis=0) >= settings.min_samples_leaf)
    allowed &= np.minimum(n_left, n_right) >= data.min_weight_leaf
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 of empty sides
        gain = settings.score(left, n_left) + settings.score(right, n_right)
        gain -= settings.score(left + right, n_left + n_right)
    gain = np.where(allowed, gain, -np.inf)
    return gain.reshape(features.shape), threshold


def _sum_targets(
    key: IntArray, n_keys: int, y: NDArray[Any], weight: FloatArray, n_classes: int
) -> tuple[FloatArray, FloatArray]:
    """Sum targets and weights over all entries with the same key.

    Parameters
    ----------
    key : ndarray of int of shape (n,) or (n, n_slots)
        Numbers below `n_keys`.
    n_keys : int
    y, weight : ndarray of shape (n,)
    n_classes : int

    Returns
    -------
    sums : ndarray of shape (n_classes or 1, n_keys)
        Weight of each class, or sums of ``weight * y``.
    n : ndarray of shape (n_keys,)
        Sums of the weights.
    """
    n_slots = key.size // len(y)
    weights = np.repeat(weight, n_slots)
    sums: Any
    if not n_classes:
        sums = np.bincount(key.ravel(), np.repeat(weight * y, n_slots), n_keys)
        n: Any = np.bincount(key.ravel(), weights, n_keys)
        return sums[None], n
    # Class and key become one number, so that one pass counts everything.
    key = key + (y * n_keys).reshape(-1, *[1] * (key.ndim - 1))
    sums = np.bincount(key.ravel(), weights, n_classes * n_keys).reshape(n_classes, n_keys)
    return sums, sums.sum(axis=0)


def _accumulate(array: NDArray[Any]) -> None:
    """Do ``cumsum(axis=0)`` in place, row by row, which the processor's cache likes better."""
    for previous, row in pairwise(array):
        row += previous


def _separate(levels: list[_Nodes], n_features: int) -> list[Tree]:
    """Sort the nodes of all levels into their trees."""
    joined: Any = (np.concatenate(columns) for columns in zip(*levels, strict=True))
    nodes = _Nodes(*joined)
    order = nodes.tree.argsort(kind="stable")
    sizes = np.bincount(nodes.tree)
    roots = np.cumsum(sizes) - sizes
    number = np.empty_like(order)  # of every node in its own tree
    number[order] = np.arange(len(order)) - np.repeat(roots, sizes)
    is_leaf = nodes.left == _LEAF
    left = np.where(is_leaf, _LEAF, number[nodes.left])
    right = np.where(is_leaf, _LEAF, left + 1)
    columns: Any = (left, right, *nodes[2:-1], nodes.value[:, None])
    return [
        Tree(*[*(column[tree] for column in columns), n_features])
        for tree in np.split(order, roots[1:])
    ]
