r"""Cost-complexity pruning: the penalty on a tree is its number of leaves.

.. math:: R_\alpha(T) = \sum_{\text{leaves } t} \frac{n_t}{n} I_t + \alpha \, |T|

As L1 does with coefficients, a larger :math:`\alpha` sets more splits to nothing: the trees that
are best for growing :math:`\alpha` are cut out of one another, so that all of them come from a
single sequence, in which the *weakest link* breaks next. That is the inner node whose splits bring
least for each leaf that they cost,

.. math:: g(t) = \frac{R(t) - R(T_t)}{|T_t| - 1},

where :math:`R(t)` is the cost of the node as a leaf and :math:`R(T_t)` that of the leaves below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lessons_lib.ensembles.growth import Tree

__all__ = ["WeakestLink", "prune", "weakest_links"]


class WeakestLink(NamedTuple):
    """One step of the sequence: which node becomes a leaf.

    Attributes
    ----------
    node : int
    alpha : float
        The penalty from which on the tree is better without the splits below the node.
    cost : float
        The sum over the remaining leaves of :math:`n_t I_t / n`.
    """

    node: int
    alpha: float
    cost: float


def weakest_links(tree: Tree) -> Iterator[WeakestLink]:
    """Cut a tree back to its root, the weakest link first.

    Parameters
    ----------
    tree : Tree

    Yields
    ------
    WeakestLink
        As long as there is a split, with penalties that do not decrease but for rounding.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees" (1984),
    section 3.3.
    """
    left, right = tree.children_left, tree.children_right
    inner = np.flatnonzero(left >= 0)
    parent = np.full(tree.node_count, -1)
    parent[left[inner]] = parent[right[inner]] = inner
    cost = tree.weighted_n_node_samples / tree.weighted_n_node_samples[0] * tree.impurity
    below, n_leaves = cost.copy(), np.ones(tree.node_count)
    for node in inner[::-1]:  # children have larger numbers than their parents
        below[node] = below[left[node]] + below[right[node]]
        n_leaves[node] = n_leaves[left[node]] + n_leaves[right[node]]
    strength = np.full(tree.node_count, np.inf)
    strength[inner] = (cost[inner] - below[inner]) / (n_leaves[inner] - 1)

    while np.isfinite(strength[0]):
        node = int(strength.argmin())
        alpha = float(strength[node])
        more_cost, fewer_leaves = cost[node] - below[node], n_leaves[node] - 1
        gone = [node]
        while gone:  # what hangs below is gone with the node's split
            lost = gone.pop()
            if np.isfinite(strength[lost]):
                strength[lost] = np.inf
                gone += [left[lost], right[lost]]
        upward = node
        while upward >= 0:
            below[upward] += more_cost
            n_leaves[upward] -= fewer_leaves
            if upward != node:
                strength[upward] = (cost[upward] - below[upward]) / (n_leaves[upward] - 1)
            upward = int(parent[upward])
        yield WeakestLink(node, alpha, float(below[0]))


def prune(tree: Tree, ccp_alpha: float) -> Tree:
    r"""Return the smallest part of a tree that minimizes :math:`R_\alpha`.

    Parameters
    ----------
    tree : Tree
    ccp_alpha : float
        The penalty :math:`\alpha` of a leaf; 0 changes nothing.

    Returns
    -------
    Tree
    """
    is_leaf = tree.children_left < 0
    for link in weakest_links(tree) if ccp_alpha else ():
        if link.alpha > ccp_alpha:
            break
        is_leaf[link.node] = True
    return _cut(tree, is_leaf)


def _cut(tree: Tree, is_leaf: NDArray[np.bool_]) -> Tree:
    """Return a tree without the nodes below some."""
    stays = np.zeros(tree.node_count, dtype=np.bool_)
    stays[0] = True
    for node in np.flatnonzero(tree.children_left >= 0):  # parents before their children
        if stays[node] and not is_leaf[node]:
            stays[[tree.children_left[node], tree.children_right[node]]] = True
    number = np.cumsum(stays) - 1
    leaf = is_leaf[stays]
    columns: dict[str, Any] = {
        name: values[stays] for name, values in vars(tree).items() if isinstance(values, np.ndarray)
    }
    columns["children_left"] = np.where(leaf, -1, number[columns["children_left"]])
    columns["children_right"] = np.where(leaf, -1, number[columns["children_right"]])
    columns["feature"] = np.where(leaf, -2, columns["feature"])
    columns["threshold"] = np.where(leaf, -2.0, columns["threshold"])
    return replace(tree, **columns)
