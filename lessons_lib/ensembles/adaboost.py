"""AdaBoost: weak classifiers that vote, each trained on what the others got wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from lessons_lib._validation import FloatArray, check_integer, check_interval
from lessons_lib.ensembles._parameters import RandomState, check_generator
from lessons_lib.ensembles.trees import DecisionTreeClassifier

__all__ = ["AdaBoostClassifier"]


class AdaBoostClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    r"""Weighted votes of classifiers, each fitted with more weight where the last one was wrong.

    Round :math:`t` fits :math:`h_t` to the weights :math:`w` (of sum 1), and with its error
    :math:`\epsilon_t = \sum_i w_i [h_t(x_i) \ne y_i]`

    .. math::

        \alpha_t = \nu \Bigl(\log\frac{1-\epsilon_t}{\epsilon_t} + \log(K-1)\Bigr), \qquad
        w_i \leftarrow w_i\, e^{\alpha_t [h_t(x_i) \ne y_i]} \Big/ \textstyle\sum_j \dots

    The prediction is the class with the largest share of the votes :math:`\alpha_t`. For two
    classes this is coordinate descent on the exponential loss :math:`\sum_i e^{-y_i F(x_i)}` with
    :math:`F = \tfrac12 \sum_t \alpha_t h_t` and :math:`y, h_t \in \{-1, 1\}`.

    The *margin* of a sample is the share of the votes for its class minus the largest share of
    another one. It can go on growing after the training error is zero.

    Parameters
    ----------
    estimator : classifier or None, default=None
        What to copy; its ``fit`` must accept ``sample_weight``. None means a tree with one split,
        a stump.
    n_estimators : int, default=50
        Largest number of rounds. Fewer are made if a copy makes no mistake, or is not better than
        guessing.
    learning_rate : float, default=1.0
        Shrinkage :math:`\nu` of the votes.
    random_state : int, Generator, RandomState or None, default=None
        Seeds the copies, if they are random.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    estimators_ : list of classifier
        The fitted copies.
    estimator_weights_ : ndarray of shape (n_rounds,)
        Their votes :math:`\alpha_t`.
    estimator_errors_ : ndarray of shape (n_rounds,)
        Their weighted errors :math:`\epsilon_t`.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    Y. Freund, R. Schapire, "A Decision-Theoretic Generalization of On-Line Learning and an
    Application to Boosting", JCSS 55 (1997). J. Zhu, H. Zou, S. Rosset, T. Hastie, "Multi-class
    AdaBoost", Statistics and Its Interface 2 (2009), algorithm 2 (SAMME). R. Schapire, Y. Freund,
    P. Bartlett, W. S. Lee, "Boosting the Margin", Annals of Statistics 26 (1998).

    Examples
    --------
    >>> X = np.arange(6.0)[:, None]
    >>> y = ["a", "a", "b", "b", "a", "a"]
    >>> model = AdaBoostClassifier(n_estimators=10).fit(X, y)
    >>> model.score(X, y), float(model.margins(X, y).min().round(3))
    (1.0, 0.262)
    """

    classes_: NDArray[Any]
    estimator_errors_: FloatArray
    estimator_weights_: FloatArray
    estimators_: list[Any]
    n_classes_: int
    n_features_in_: int

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        learning_rate: float = 1.0,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the copies, one after the other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels, of at least two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights before the first round, not negative; equal by default.

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, the data are not finite numbers of matching shapes, or
            already the first copy is not better than guessing.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        weight: Any = _check_sample_weight(
            sample_weight, features, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        if not weight.any():
            raise ValueError("sample_weight must have a positive entry, got only zeros.")
        self.classes_ = np.unique(labels)
        self.n_classes_ = len(self.classes_)
        if len(np.unique(labels[weight > 0.0])) < 2:
            raise ValueError("y must have samples of at least 2 classes, got 1 class.")
        rate = check_interval("learning_rate", self.learning_rate, open_low=True)
        generator = check_generator(self.random_state)
        self.estimators_, errors, votes = [], [], []
        for _ in range(check_integer("n_estimators", self.n_estimators, 1)):
            weight /= weight.sum()
            model = self._make_model(generator).fit(features, labels, sample_weight=weight)
            wrong = model.predict(features) != labels
            error = float(weight @ wrong)
            if error >= 1.0 - 1.0 / self.n_classes_:
                break
            self.estimators_.append(model)
            errors.append(error)
            if error <= 0.0:
                votes.append(1.0)  # as good as infinitely many, but others keep their say
                break
            votes.append(rate * (np.log((1.0 - error) / error) + np.log(self.n_classes_ - 1.0)))
            weight *= np.exp(votes[-1] * wrong)
        if not self.estimators_:
            raise ValueError(
                "estimator must be better than guessing, but the first copy was wrong for "
                f"{error:.0%} of the weight of {self.n_classes_} classes."
            )
        self.estimator_errors_, self.estimator_weights_ = np.array(errors), np.array(votes)
        return self

    def _make_model(self, generator: np.random.Generator) -> Any:
        """Return a copy with a seed of its own."""
        if self.estimator is None:
            return DecisionTreeClassifier(max_depth=1)
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(f"estimator must accept sample_weight in fit, got {self.estimator!r}.")
        model = clone(self.estimator)
        if "random_state" in model.get_params():
            model.set_params(random_state=int(generator.integers(2**31)))
        return model

    def staged_votes(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Yield what :meth:`votes` returns, after each round."""
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        total = np.zeros((len(features), self.n_classes_))
        for model, vote in zip(self.estimators_, self.estimator_weights_, strict=True):
            total += vote * (model.predict(features)[:, None] == self.classes_)
            yield total / total.sum(axis=1, keepdims=True)

    def votes(self, X: ArrayLike) -> FloatArray:
        """Return each class's share of all votes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows sum to 1.
        """
        *_, shares = self.staged_votes(X)
        return shares

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the shares of the votes; for two classes, their difference.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes from -1 to 1, positive for the second class: half of what scikit-learn
            returns.
        """
        shares = self.votes(X)
        return shares[:, 1] - shares[:, 0] if self.n_classes_ == 2 else shares

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class with most votes; the first one of several with equally many.

        See :meth:`DecisionTreeClassifier.predict`.
        """
        best = self.votes(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def staged_predict(self, X: ArrayLike) -> Iterator[NDArray[Any]]:
        """Yield what :meth:`predict` returns, after each round."""
        for shares in self.staged_votes(X):
            yield self.classes_[shares.argmax(axis=1)]

    def margins(self, X: ArrayLike, y: ArrayLike) -> FloatArray:
        r"""Return by how much the right class wins, in shares of the votes.

        For two classes that is :math:`y F(x) / \sum_t \alpha_t` with :math:`y, h_t \in \{-1, 1\}`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            The right classes.

        Returns
        -------
        ndarray of shape (n_samples,)
            From -1 to 1; positive where the prediction is right.
        """
        *_, margins = self.staged_margins(X, y)
        return margins

    def staged_margins(self, X: ArrayLike, y: ArrayLike) -> Iterator[FloatArray]:
        """Yield what :meth:`margins` returns, after each round."""
        check_is_fitted(self)
        is_right = np.asarray(y)[:, None] == self.classes_
        if not is_right.any(axis=1).all():
            raise ValueError(f"y must hold classes of the training data, {self.classes_.tolist()}.")
        for shares in self.staged_votes(X):
            right = shares[is_right]
            yield right - np.where(is_right, -np.inf, shares).max(axis=1)
