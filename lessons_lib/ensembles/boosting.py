r"""Gradient boosting: a sum of small trees, each fitted to what the sum so far gets wrong.

.. math:: F_m(x) = F_{m-1}(x) + \nu\, f_m(x), \qquad m = 1, \dots, M

Unlike an average, a sum goes on fitting: the training loss falls with every round, and the number
of rounds is a strength of regularization, like the number of steps of gradient descent.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from lessons_lib._validation import FloatArray, check_integer, check_interval
from lessons_lib.ensembles._parameters import (
    RandomState,
    check_generator,
    check_share,
    count_features,
    count_samples,
)
from lessons_lib.ensembles.boosting_losses import (
    BoostingLoss,
    LogisticLoss,
    MultinomialLoss,
    SquaredLoss,
)
from lessons_lib.ensembles.growth import Settings, Tree, apply_trees, grow_trees
from lessons_lib.ensembles.trees import DecisionTreeRegressor, make_bins

__all__ = ["GradientBoostingClassifier", "GradientBoostingRegressor", "newton_leaf_values"]

# Below this, a sample's curvature is rounding error, and no target can be divided by it.
_LEAST_CURVATURE = 1e-16
# Below this, a leaf has no curvature at all, and Newton's step is left out.
_NO_CURVATURE = 1e-150
# As many trees predict together as have this many samples: some 20 MB.
_TOGETHER = 2**21


def newton_leaf_values(
    tree: Tree,
    leaf: NDArray[np.intp],
    gradient: FloatArray,
    curvature: FloatArray,
    reg_lambda: float,
) -> FloatArray:
    r"""Return the best constant of each leaf, by one step of Newton's method.

    .. math:: v = \frac{\sum_i g_i}{\sum_i h_i + \lambda}

    Parameters
    ----------
    tree : Tree
    leaf : ndarray of int of shape (n_samples,)
        Leaf of each sample.
    gradient, curvature : ndarray of shape (n_samples,)
        Negative gradients :math:`g_i` and curvatures :math:`h_i`, times the samples' weights.
    reg_lambda : float
        Leaf penalty :math:`\lambda`.

    Returns
    -------
    ndarray of shape (node_count,)
        Zero for nodes that no sample ends in, and where there is no curvature to divide by.

    References
    ----------
    T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016, equation 5.
    """
    numerator: Any = np.bincount(leaf, gradient, tree.node_count)
    denominator: Any = np.bincount(leaf, curvature, tree.node_count) + reg_lambda
    values: FloatArray = np.zeros(tree.node_count)
    np.divide(numerator, denominator, out=values, where=denominator > _NO_CURVATURE)
    return values


class _Data(NamedTuple):
    """Samples to learn from, or to validate on."""

    X: FloatArray
    y: NDArray[Any]
    weight: FloatArray


class _GradientBoosting(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What both kinds of boosting share."""

    estimators_: NDArray[Any]
    init_: Any
    max_features_: int
    n_estimators_: int
    n_features_in_: int
    oob_improvement_: FloatArray
    train_score_: FloatArray
    _loss: BoostingLoss

    def _splits_by_curvature(self) -> bool:
        """Return whether samples weigh by their curvature when a tree is grown."""
        raise NotImplementedError

    def _fit(self, X: FloatArray, y: NDArray[Any], sample_weight: Any) -> None:
        """Add round after round, until there are enough or the held-out loss stops falling."""
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():
            raise ValueError("sample_weight must have a positive entry, got only zeros.")
        n_estimators = check_integer("n_estimators", self.n_estimators, 1)
        check_interval("learning_rate", self.learning_rate, open_low=True)
        generator = check_generator(self.random_state)
        counts = weight > 0.0
        everything = _Data(X[counts], y[counts], weight[counts])
        if is_classifier(self) and len(np.unique(everything.y)) < 2:
            raise ValueError("y must have samples of at least 2 classes, got 1 class.")
        data, held_out = self._hold_out(everything, generator)
        settings, bins = self._make_settings(data.X), make_bins(self, data.X)
        n_in_bag = check_share("subsample", self._subsample(), len(data.X))
        self._fit_init(data)

        raw = self._start(data.X)
        held_out_raw = None if held_out is None else self._start(held_out.X)
        patience = self.n_iter_no_change
        recent: deque[float] = deque(maxlen=patience)
        stages, scores, improvements = [], [], []
        for _ in range(n_estimators):
            in_bag = np.ones(len(data.X), dtype=bool)
            if n_in_bag < len(in_bag):
                in_bag[generator.permutation(len(in_bag))[n_in_bag:]] = False
            before = self._loss_of(data, raw, ~in_bag)
            trees = self._fit_round(data, raw, in_bag, settings, generator, bins)
            stages.append([self._make_model(tree, settings) for tree in trees])
            scores.append(self._loss_of(data, raw, in_bag))
            improvements.append(before - self._loss_of(data, raw, ~in_bag))
            if held_out is not None and held_out_raw is not None:
                self._add_round(held_out_raw, trees, apply_trees(trees, held_out.X))
                loss = self._loss_of(held_out, held_out_raw)
                if len(recent) == patience and all(loss + self.tol >= past for past in recent):
                    break
                recent.append(loss)

        self.estimators_ = np.array(stages, dtype=object)
        self.n_estimators_ = len(stages)
        self.max_features_ = settings.max_features
        self.train_score_ = np.array(scores)
        self.__dict__.pop("oob_improvement_", None)
        if n_in_bag < len(data.X):
            self.oob_improvement_ = np.array(improvements)

    def _subsample(self) -> float:
        return check_interval("subsample", self.subsample, 0.0, 1.0, open_low=True)

    def _hold_out(self, data: _Data, generator: np.random.Generator) -> tuple[_Data, _Data | None]:
        """Return data to learn from, and what is held out to decide when to stop, if any."""
        share = check_interval("validation_fraction", self.validation_fraction, open_low=True)
        if share >= 1.0:
            raise ValueError(
                f"validation_fraction must be less than 1, got {self.validation_fraction!r}."
            )
        check_interval("tol", self.tol)
        if self.n_iter_no_change is None:
            return data, None
        check_integer("n_iter_no_change", self.n_iter_no_change, 1)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = int(generator.integers(2**31))
        classes = data.y if is_classifier(self) else None
        parts = train_test_split(*data, test_size=share, random_state=seed, stratify=classes)
        if classes is not None and len(np.unique(parts[2])) < len(np.unique(classes)):
            raise ValueError(
                "early stopping holds out samples, and some class had no samples left to learn "
                "from; lower validation_fraction or set n_iter_no_change=None."
            )
        return _Data(*parts[::2]), _Data(*parts[1::2])

    def _make_settings(self, X: FloatArray) -> Settings:
        """Return how to grow a tree."""
        depth = self.max_depth
        return Settings(
            criterion="squared_error",
            n_classes=0,
            max_depth=None if depth is None else check_integer("max_depth", depth, 1),
            min_samples_split=count_samples("min_samples_split", self.min_samples_split, 2, len(X)),
            min_samples_leaf=count_samples("min_samples_leaf", self.min_samples_leaf, 1, len(X)),
            max_features=count_features(self.max_features, X.shape[1]),
            reg_lambda=self._reg_lambda() if self._splits_by_curvature() else 0.0,
        )

    def _reg_lambda(self) -> float:
        return check_interval("reg_lambda", self.reg_lambda)

    def _fit_init(self, data: _Data) -> None:
        """Fit what boosting starts from."""
        if self.init is None:
            prior = DummyClassifier(strategy="prior") if is_classifier(self) else DummyRegressor()
            self.init_ = prior.fit(*data)
        elif isinstance(self.init, str):
            if self.init != "zero":
                raise ValueError(f"init must be 'zero', an estimator or None, got {self.init!r}.")
            self.init_ = "zero"
        elif has_fit_parameter(self.init, "sample_weight"):
            self.init_ = clone(self.init).fit(data.X, data.y, sample_weight=data.weight)
        elif np.ptp(data.weight) > 0.0:
            raise ValueError(f"init must accept sample_weight in fit, got {self.init!r}.")
        else:
            self.init_ = clone(self.init).fit(data.X, data.y)

    def _start(self, X: FloatArray) -> FloatArray:
        """Return the raw outputs before the first round, of shape (n_samples, n_outputs)."""
        if isinstance(self.init_, str):
            return np.zeros((len(X), self._loss.n_outputs))
        if not is_classifier(self):
            return self._loss.link(np.asarray(self.init_.predict(X), dtype=np.float64))
        # A class of which all samples have the weight zero is unknown to it.
        probabilities = np.zeros((len(X), self.n_classes_))
        probabilities[:, self.init_.classes_] = self.init_.predict_proba(X)
        return self._loss.link(probabilities)

    def _loss_of(
        self, data: _Data, raw: FloatArray, rows: NDArray[np.bool_] | None = None
    ) -> float:
        """Return the mean loss of some samples; NaN if there are none."""
        if rows is None or rows.all():
            return self._loss.value(data.y, raw, data.weight)
        if not data.weight[rows].any():
            return float("nan")
        return self._loss.value(data.y[rows], raw[rows], data.weight[rows])

    def _fit_round(
        self,
        data: _Data,
        raw: FloatArray,
        in_bag: NDArray[np.bool_],
        settings: Settings,
        generator: np.random.Generator,
        bins: Any,
    ) -> list[Tree]:
        """Grow one tree for each output, give its leaves their values, and add them to `raw`."""
        weight = data.weight * in_bag
        gradients = self._loss.negative_gradient(data.y, raw)
        curvatures = self._loss.curvature(data.y, raw)
        trees, leaves = [], []
        for g, h in zip(gradients.T, curvatures.T, strict=True):
            target, tree_weight = g, weight
            if self._splits_by_curvature():
                # g^2/h is the square of a target g/h with the weight h.
                h = np.maximum(h, _LEAST_CURVATURE)
                target, tree_weight = g / h, weight * h
            [tree] = grow_trees(data.X, target, tree_weight[None], settings, [generator], bins)
            leaf = tree.apply(data.X)
            values = newton_leaf_values(tree, leaf, weight * g, weight * h, self._reg_lambda())
            trees.append(dataclasses.replace(tree, value=values[:, None, None]))
            leaves.append(leaf)
        self._add_round(raw, trees, leaves)
        return trees

    def _make_model(self, tree: Tree, settings: Settings) -> DecisionTreeRegressor:
        """Return a tree as an estimator, which predicts what its round adds before shrinkage."""
        model = DecisionTreeRegressor(
            max_depth=self.max_depth,
            min_samples_split=self.min_samples_split,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            max_bins=self.max_bins,
        )
        model.tree_, model.max_features_ = tree, settings.max_features
        model.n_features_in_ = self.n_features_in_
        return model

    def _staged_raw(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Yield the raw outputs after each round, always in the same array."""
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        raw = self._start(features)
        stages = [[model.tree_ for model in stage] for stage in self.estimators_]
        step = max(1, _TOGETHER // (len(features) * self._loss.n_outputs))
        for some in (stages[start : start + step] for start in range(0, len(stages), step)):
            leaves = apply_trees(list(chain.from_iterable(some)), features)
            for trees, reached in zip(some, np.split(leaves, len(some)), strict=True):
                self._add_round(raw, trees, reached)
                yield raw

    def _add_round(self, raw: FloatArray, trees: list[Tree], leaves: Iterable[Any]) -> None:
        """Add what the trees of a round say to the raw outputs."""
        for output, (tree, leaf) in enumerate(zip(trees, leaves, strict=True)):
            raw[:, output] += self.learning_rate * tree.value[leaf, 0, 0]

    def _raw(self, X: ArrayLike) -> FloatArray:
        """Return the raw outputs after the last round."""
        *_, raw = self._staged_raw(X)
        return raw


class GradientBoostingRegressor(RegressorMixin, _GradientBoosting):  # type: ignore[misc, unused-ignore]
    r"""A sum of trees, each fitted to the residuals of the sum so far.

    .. math::

        F_m = F_{m-1} + \nu f_m, \qquad
        f_m = \arg\min_f \sum_i \tfrac12 \bigl(y_i - F_{m-1}(x_i) - f(x_i)\bigr)^2
        + \tfrac{\lambda}{2} \sum_l v_l^2

    with :math:`f_m` grown greedily: a leaf with the residuals :math:`r_i` has the value
    :math:`v = \sum_i r_i / (n + \lambda)`, and is worth :math:`(\sum_i r_i)^2/(n + \lambda)`.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of rounds :math:`M`.
    learning_rate : float, default=0.1
        Shrinkage :math:`\nu`, above 0.
    subsample : float, default=1.0
        Share of the samples that each round draws, without replacement. Below 1 it is stochastic
        gradient boosting.
    min_samples_split : int or float, default=2
        Smallest number of samples in a node that may be split. A float is a fraction of all.
    min_samples_leaf : int or float, default=1
        Smallest number of samples in a leaf, likewise.
    max_depth : int or None, default=3
        Largest number of splits between the root and a leaf: how many features can interact.
    init : {"zero"}, estimator or None, default=None
        What boosting starts from; None means the mean of the target.
    max_features : {"sqrt", "log2"}, int, float or None, default=None
        Number of features to look at in each node, drawn at random for each. None means all.
    reg_lambda : float, default=0.0
        Leaf penalty :math:`\lambda`, as in XGBoost, where the default is 1. (Not in scikit-learn's
        class.)
    validation_fraction : float, default=0.1
        Share of the samples to hold out, if `n_iter_no_change` is given.
    n_iter_no_change : int or None, default=None
        Stop when the held-out loss was not lower by `tol` than any of so many last ones. None
        makes all rounds.
    tol : float, default=1e-4
        Least improvement.
    max_bins : int or None, default=None
        As in `DecisionTreeClassifier`: with a number the trees are approximate, and faster on
        many samples.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features, and what is held out.

    Attributes
    ----------
    estimators_ : ndarray of DecisionTreeRegressor of shape (n_estimators_, 1)
        The trees; they predict what is added, before shrinkage.
    n_estimators_ : int
        Number of rounds made.
    init_ : estimator or "zero"
        What boosting started from.
    train_score_ : ndarray of shape (n_estimators_,)
        Mean squared error after each round, on the samples that it drew.
    oob_improvement_ : ndarray of shape (n_estimators_,)
        By how much each round lowered the mean squared error of the samples that it did not draw.
        Only with ``subsample`` below 1.
    max_features_ : int
        Number of features looked at in each node.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    J. H. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of
    Statistics 29 (2001). J. H. Friedman, "Stochastic Gradient Boosting", Computational Statistics
    & Data Analysis 38 (2002). T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System",
    KDD 2016.

    Examples
    --------
    >>> X = np.linspace(0, 1, 50)[:, None]
    >>> y = np.sin(6 * X.ravel())
    >>> model = GradientBoostingRegressor().fit(X, y)
    >>> model.train_score_[[0, 9, 99]].round(4)
    array([0.4185, 0.07  , 0.    ])
    """

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        subsample: float = 1.0,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_depth: int | None = 3,
        init: Any = None,
        max_features: str | int | float | None = None,
        reg_lambda: float = 0.0,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        tol: float = 1e-4,
        max_bins: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.init = init
        self.max_features = max_features
        self.reg_lambda = reg_lambda
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.max_bins = max_bins
        self.random_state = random_state

    def _splits_by_curvature(self) -> bool:
        return True  # it is 1 everywhere

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Add up trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative; 1 by default.

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes.
        """
        features, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._loss = SquaredLoss()
        self._fit(features, target.astype(np.float64), sample_weight)
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the sum of all trees.

        See :meth:`DecisionTreeRegressor.predict`.
        """
        return self._raw(X)[:, 0]

    def staged_predict(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Yield what :meth:`predict` returns, after each round."""
        for raw in self._staged_raw(X):
            yield raw[:, 0].copy()


class GradientBoostingClassifier(ClassifierMixin, _GradientBoosting):  # type: ignore[misc, unused-ignore]
    r"""A sum of trees that adds up to log-odds.

    The probability of the second of two classes is :math:`p = 1/(1 + e^{-F})`; of several classes,
    each has a sum of its own, and the softmax of the sums are the probabilities. A round grows a
    tree on the slopes of the loss, :math:`g_i = y_i - p_i`, and gives each leaf the value
    :math:`v = \sum_i g_i / (\sum_i h_i + \lambda)`, with the curvatures
    :math:`h_i = p_i (1 - p_i)`; see `LogisticLoss` and `MultinomialLoss`.

    Parameters
    ----------
    learning_rate, reg_lambda
        :math:`\nu` and :math:`\lambda`, as in :class:`GradientBoostingRegressor`.
    criterion : {"squared_error", "newton"}, default="squared_error"
        What the trees are grown by: squared error on the slopes :math:`g_i`, as in Friedman's paper
        and scikit-learn, where the penalty acts on the values of leaves only; or, as in XGBoost,
        the loss that a split saves to second order,
        :math:`(\sum_i g_i)^2 / (\sum_i h_i + \lambda)` of each side.
    init : {"zero"}, classifier or None, default=None
        What boosting starts from; None means the frequencies of the classes.
    validation_fraction : float, default=0.1
        Share of the samples to hold out, stratified by class, if `n_iter_no_change` is given.
    n_estimators, subsample, min_samples_split, min_samples_leaf, max_depth, max_features
        As in :class:`GradientBoostingRegressor`.
    n_iter_no_change, tol, max_bins, random_state
        As in :class:`GradientBoostingRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    estimators_ : ndarray of DecisionTreeRegressor of shape (n_estimators_, n_outputs)
        The trees, one a round for two classes, else one for each class; they predict what is
        added, before shrinkage.
    n_estimators_ : int
        Number of rounds made.
    init_ : estimator or "zero"
        What boosting started from.
    train_score_ : ndarray of shape (n_estimators_,)
        Loss after each round, on the samples that it drew: the deviance for two classes (twice the
        mean negative log-likelihood), for more of them the mean negative log-likelihood.
    oob_improvement_ : ndarray of shape (n_estimators_,)
        By how much each round lowered that loss on the samples that it did not draw. Only with
        ``subsample`` below 1.
    max_features_ : int
        Number of features looked at in each node.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    J. H. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of
    Statistics 29 (2001). T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD
    2016.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = GradientBoostingClassifier(n_estimators=20).fit(X[::2], y[::2])
    >>> 0.9 < model.score(X[1::2], y[1::2]) < 1.0
    True
    """

    classes_: NDArray[Any]
    n_classes_: int

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        subsample: float = 1.0,
        criterion: str = "squared_error",
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        max_depth: int | None = 3,
        init: Any = None,
        max_features: str | int | float | None = None,
        reg_lambda: float = 0.0,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        tol: float = 1e-4,
        max_bins: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.criterion = criterion
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.init = init
        self.max_features = max_features
        self.reg_lambda = reg_lambda
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.max_bins = max_bins
        self.random_state = random_state

    def _splits_by_curvature(self) -> bool:
        if self.criterion not in ("squared_error", "newton"):
            raise ValueError(
                f"criterion must be 'squared_error' or 'newton', got {self.criterion!r}."
            )
        return bool(self.criterion == "newton")

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Add up trees.

        As :meth:`GradientBoostingRegressor.fit`, but `y` holds labels of at least two classes.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        self._loss = LogisticLoss() if self.n_classes_ == 2 else MultinomialLoss(self.n_classes_)
        self._fit(features, numbers, sample_weight)
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the sum of all trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of the second of two classes, or one score for each class.
        """
        return self._scores(self._raw(X))

    def staged_decision_function(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Yield what :meth:`decision_function` returns, after each round."""
        for raw in self._staged_raw(X):
            yield self._scores(raw).copy()

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the probabilities of the classes.

        See :meth:`DecisionTreeClassifier.predict_proba`.
        """
        return self._probabilities(self._raw(X))

    def staged_predict_proba(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Yield what :meth:`predict_proba` returns, after each round."""
        for raw in self._staged_raw(X):
            yield self._probabilities(raw)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each sample, as labels of shape (n_samples,)."""
        return self._labels(self._raw(X))

    def staged_predict(self, X: ArrayLike) -> Iterator[NDArray[Any]]:
        """Yield what :meth:`predict` returns, after each round."""
        for raw in self._staged_raw(X):
            yield self._labels(raw)

    def _scores(self, raw: FloatArray) -> FloatArray:
        return raw[:, 0] if self.n_classes_ == 2 else raw

    def _probabilities(self, raw: FloatArray) -> FloatArray:
        if self.n_classes_ == 2:
            return np.column_stack((expit(-raw[:, 0]), expit(raw[:, 0])))
        return np.asarray(softmax(raw, axis=1))

    def _labels(self, raw: FloatArray) -> NDArray[Any]:
        number = raw[:, 0] >= 0.0 if self.n_classes_ == 2 else raw.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[number.astype(np.intp)]
        return labels
