"""Averages of models that are fitted to bootstrap samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from lessons_lib._validation import FloatArray, check_flag, check_integer
from lessons_lib.ensembles._parameters import (
    LeavesOut,
    RandomState,
    check_generator,
    check_share,
    check_weight,
)
from lessons_lib.ensembles.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = ["BaggingClassifier", "BaggingRegressor"]

IntArray = NDArray[np.intp]


class Member(NamedTuple):
    """A fitted model of an ensemble, and the data that it saw.

    Attributes
    ----------
    estimator : estimator
    samples : ndarray of int of shape (n_drawn_samples,)
        Rows of the training data, with repetitions if they were drawn with replacement.
    features : ndarray of int of shape (n_drawn_features,)
        Columns of the training data.
    """

    estimator: Any
    samples: IntArray
    features: IntArray


def draw_samples(
    generator: np.random.Generator,
    weight: FloatArray,
    max_samples: object,
    bootstrap: bool,
) -> IntArray:
    """Draw the rows that a member of an ensemble sees.

    Parameters
    ----------
    generator : Generator
    weight : ndarray of shape (n_samples,)
        The probability of a sample to be drawn is in proportion to its weight.
    max_samples : int, float or None
        How many to draw: a number, a fraction, or None for as many as there are.
    bootstrap : bool
        Whether to draw with replacement.

    Returns
    -------
    ndarray of int
    """
    size = n_samples = len(weight)
    if max_samples is not None:
        size = check_share("max_samples", max_samples, n_samples, may_exceed=bootstrap)
    if np.all(weight == weight[0]):  # drawing with equal probabilities is faster without them
        return generator.choice(n_samples, size, replace=bootstrap)
    if not bootstrap and size > (n_possible := np.count_nonzero(weight)):
        raise ValueError(
            f"max_samples must be at most {n_possible}, the number of samples with positive "
            f"weight, to draw without replacement, got {max_samples!r}."
        )
    probability = weight / weight.max()
    return generator.choice(n_samples, size, replace=bootstrap, p=probability / probability.sum())


class Ensemble(LeavesOut, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base class: the average of the members' outputs.

    A subclass says how to fit members. What it calls a member's output is a prediction in
    regression, and the probabilities of the classes in classification.
    """

    estimator_: Any
    estimators_: list[Any]
    estimators_samples_: list[IntArray]
    estimators_features_: list[IntArray]
    n_features_in_: int
    oob_score_: float

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], weight: FloatArray, seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Fit one member for each seed."""
        raise NotImplementedError

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each member's output, of shape (n_samples,) or (n_samples, n_classes)."""
        raise NotImplementedError

    def _make_estimator(self) -> Any:
        """Return a member that is not fitted."""
        raise NotImplementedError

    def _fit(self, X: FloatArray, y: NDArray[Any], weight: FloatArray) -> None:
        """Fit all members to checked data."""
        n_estimators = check_integer("n_estimators", self.n_estimators, 1)
        if check_flag("oob_score", self.oob_score) and not check_flag("bootstrap", self.bootstrap):
            raise ValueError("oob_score=True needs bootstrap=True, which leaves samples out.")
        # Each member depends on a seed of its own, and thus not on how the work is divided.
        seeds = check_generator(self.random_state).integers(2**31, size=n_estimators)
        self.estimator_ = self._make_estimator()
        n_parts = min(effective_n_jobs(self.n_jobs), n_estimators)
        # Threads start at once and share the data; new processes take seconds to import NumPy.
        parts = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._fit_members)(X, y, weight, part)
            for part in np.array_split(seeds, n_parts)
        )
        members = list(chain.from_iterable(parts))
        self.estimators_ = [member.estimator for member in members]
        self.estimators_samples_ = [member.samples for member in members]
        self.estimators_features_ = [member.features for member in members]

    def __len__(self) -> int:
        """Return the number of members."""
        check_is_fitted(self)
        return len(self.estimators_)

    def __getitem__(self, index: int) -> Any:
        """Return a member."""
        check_is_fitted(self)
        return self.estimators_[index]

    def __iter__(self) -> Iterator[Any]:
        """Go through the members."""
        check_is_fitted(self)
        return iter(self.estimators_)

    def _average(self, X: ArrayLike) -> FloatArray:
        """Return the mean of the members' outputs."""
        features = self._check_X(X)
        total: Any = sum(self._outputs(features))
        mean: FloatArray = total / len(self.estimators_)
        return mean

    def _out_of_bag(self, X: FloatArray) -> FloatArray:
        """Return the mean, for each training sample, over the members that did not see it.

        It is NaN for samples that all members saw.
        """
        total: Any = 0.0
        count = np.zeros(len(X))
        for output, samples in zip(self._outputs(X), self.estimators_samples_, strict=True):
            unseen = np.ones(len(X))
            unseen[samples] = 0.0
            count += unseen
            total += (output.T * unseen).T
        if not count.all():
            warnings.warn(
                f"{(count == 0).sum()} of {len(X)} samples were seen by every member and have no "
                "out-of-bag prediction; more estimators would help.",
                UserWarning,
                stacklevel=3,
            )
        count[count == 0] = np.nan
        mean: FloatArray = (total.T / count).T
        return mean

    def _check_X(self, X: ArrayLike) -> FloatArray:
        check_is_fitted(self)
        features: FloatArray = validate_data(self, X, reset=False, dtype=np.float64)
        return features

    def member_outputs(self, X: ArrayLike) -> FloatArray:
        """Return what every member says: the numbers of which the ensemble is the average.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_estimators, n_samples) or (n_estimators, n_samples, n_classes)
            Predictions in regression, probabilities of the classes in classification. Minus the
            targets they are the argument of `lessons_lib.ensembles.error_moments`.
        """
        features = self._check_X(X)
        return np.stack(list(self._outputs(features)))


class EnsembleClassifier(ClassifierMixin, Ensemble):  # type: ignore[misc, unused-ignore]
    """Base class: the most probable class by the average of the members' probabilities."""

    classes_: NDArray[Any]
    n_classes_: int
    oob_decision_function_: FloatArray

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, not negative; 1 by default. Samples are drawn with probabilities in proportion
            to them. (Without drawing, they weigh in the members.)

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes.

        Warns
        -----
        UserWarning
            If out-of-bag predictions are wanted and every member saw some sample.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        self.n_classes_ = len(self.classes_)
        weight = check_weight(sample_weight, features)
        self._fit(features, labels, weight)
        if self.oob_score:
            self.oob_decision_function_ = self._out_of_bag(features)
            known = ~np.isnan(self.oob_decision_function_[:, 0]) & (weight > 0)
            predicted = self.classes_[self.oob_decision_function_[known].argmax(axis=1)]
            # About no sample at all nothing is known; `_out_of_bag` has warned.
            self.oob_score_ = np.nan
            if known.any():
                score = accuracy_score(labels[known], predicted, sample_weight=weight[known])
                self.oob_score_ = float(score)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the average of the members' probabilities of the classes.

        See :meth:`DecisionTreeClassifier.predict_proba`.
        """
        return self._average(X)

    def predict_log_proba(self, X: ArrayLike) -> FloatArray:
        """Return the logarithms of `predict_proba`; minus infinity for 0.

        See :meth:`DecisionTreeClassifier.predict_log_proba`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class; the first one of several that are equally probable.

        See :meth:`DecisionTreeClassifier.predict`.
        """
        best = self._average(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels


class EnsembleRegressor(RegressorMixin, Ensemble):  # type: ignore[misc, unused-ignore]
    """Base class: the average of the members' predictions."""

    oob_prediction_: FloatArray

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the members.

        As :meth:`BaggingClassifier.fit`, but `y` holds the numbers to predict.
        """
        features, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weight = check_weight(sample_weight, features)
        self._fit(features, target.astype(np.float64), weight)
        if self.oob_score:
            self.oob_prediction_ = self._out_of_bag(features)
            known = ~np.isnan(self.oob_prediction_) & (weight > 0)
            # A coefficient of determination needs two samples; `_out_of_bag` has warned.
            self.oob_score_ = np.nan
            if known.sum() > 1:
                outputs = target[known], self.oob_prediction_[known]
                self.oob_score_ = float(r2_score(*outputs, sample_weight=weight[known]))
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the average of the members' predictions.

        See :meth:`DecisionTreeRegressor.predict`.
        """
        return self._average(X)


class _Bagging(Ensemble):
    """Fit copies of any estimator to bootstrap samples."""

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 10,
        *,
        max_samples: int | float | None = None,
        max_features: int | float = 1.0,
        bootstrap: bool = True,
        bootstrap_features: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.bootstrap_features = bootstrap_features
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _default_estimator(self) -> Any:
        """Return what is copied if `estimator` is None."""
        raise NotImplementedError

    def _make_estimator(self) -> Any:
        """Return a member that is not fitted."""
        return self._default_estimator() if self.estimator is None else clone(self.estimator)

    def _fit_members(
        self, X: FloatArray, y: NDArray[Any], weight: FloatArray, seeds: NDArray[np.int64]
    ) -> list[Member]:
        """Fit one member for each seed."""
        return [self._fit_member(clone(self.estimator_), X, y, weight, int(seed)) for seed in seeds]

    def _fit_member(
        self, model: Any, X: FloatArray, y: NDArray[Any], weight: FloatArray, seed: int
    ) -> Member:
        """Draw samples and features, and fit a model to them."""
        generator = np.random.default_rng(seed)
        n_samples, n_features = X.shape
        bootstrap = check_flag("bootstrap", self.bootstrap)
        samples = draw_samples(generator, weight, self.max_samples, bootstrap)
        replace = check_flag("bootstrap_features", self.bootstrap_features)
        size = check_share("max_features", self.max_features, n_features, may_exceed=replace)
        features = np.arange(n_features)
        if replace or size < n_features:
            features = generator.choice(n_features, size, replace=replace)
        seeds = {
            name: int(generator.integers(2**31))
            for name in sorted(model.get_params())
            if name == "random_state" or name.endswith("__random_state")
        }
        model.set_params(**seeds)
        if has_fit_parameter(model, "sample_weight"):
            # A sample that was drawn twice counts twice. One that was not drawn counts nothing,
            # but its class stays known: a rare class may be missing in the draw.
            counts = np.bincount(samples, minlength=n_samples).astype(np.float64)
            model.fit(X[:, features], y, sample_weight=counts)
        else:
            model.fit(X[np.ix_(samples, features)], y[samples])
        return Member(model, samples, features)


class BaggingClassifier(EnsembleClassifier, _Bagging):
    r"""The average of copies of a classifier, each fitted to a bootstrap sample.

    A bootstrap sample has as many samples as the data, drawn from them with replacement. It leaves
    out a sample with probability :math:`(1 - 1/n)^n \approx e^{-1} \approx 0.37`. What the copies
    say on the samples that they did not see, out of their bag, estimates the error on new data.

    A copy whose ``fit`` takes weights gets the numbers of times that the samples were drawn, and
    thus all classes, even if the draw missed a rare one.

    Parameters
    ----------
    estimator : classifier or None, default=None
        What to copy: any classifier with scikit-learn's interface. None means
        `DecisionTreeClassifier`. Copies without ``predict_proba`` vote.
    n_estimators : int, default=10
        Number of copies.
    max_samples : int, float or None, default=None
        Number of samples to draw for each copy, or their fraction; None means as many as there are.
    max_features : int or float, default=1.0
        Number of features to draw for each copy, or their fraction.
    bootstrap : bool, default=True
        Whether to draw samples with replacement.
    bootstrap_features : bool, default=False
        Whether to draw features with replacement.
    oob_score : bool, default=False
        Whether to compute the out-of-bag score.
    n_jobs : int or None, default=None
        Number of threads of ``fit``. None means one, unless a ``joblib.parallel_config`` says
        otherwise. The result does not depend on it.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features, and seeds the copies.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_classes_ : int
    estimator_ : estimator
        What was copied.
    estimators_ : list of estimator
        The fitted copies; ``model[i]`` is short for ``model.estimators_[i]``.
    estimators_samples_, estimators_features_ : list of ndarray of int
        Rows and columns of the training data that each copy saw.
    oob_score_ : float
        Accuracy of the out-of-bag predictions; NaN if there are none. Only with ``oob_score``.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Average probabilities by the copies that did not see the sample; NaN if all saw it. Only
        with ``oob_score``.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    L. Breiman, "Bagging Predictors", Machine Learning 24 (1996). L. Breiman, "Out-of-Bag
    Estimation" (1996).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BaggingClassifier(n_estimators=50, oob_score=True, random_state=0).fit(X, y)
    >>> model.predict(X[:1]), 0.9 < model.oob_score_ < 1.0
    (array([0]), True)
    """

    def _default_estimator(self) -> DecisionTreeClassifier:
        return DecisionTreeClassifier()

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each member's probabilities, or votes."""
        for model, features in zip(self.estimators_, self.estimators_features_, strict=True):
            output = np.zeros((len(X), self.n_classes_))
            if hasattr(model, "predict_proba"):
                # A copy knows only the classes of its sample.
                known = self.classes_.searchsorted(model.classes_)
                output[:, known] = model.predict_proba(X[:, features])
            else:
                votes = self.classes_.searchsorted(model.predict(X[:, features]))
                output[np.arange(len(X)), votes] = 1.0
            yield output


class BaggingRegressor(EnsembleRegressor, _Bagging):
    r"""The average of copies of a regressor, each fitted to a bootstrap sample.

    See :class:`BaggingClassifier` for what a bootstrap sample leaves out, and why that is useful.
    A copy whose ``fit`` takes weights gets the numbers of times that the samples were drawn.

    Parameters
    ----------
    estimator : regressor or None, default=None
        What to copy: any regressor with scikit-learn's interface. None means
        `DecisionTreeRegressor`.
    n_estimators, max_samples, max_features, bootstrap, bootstrap_features, oob_score, n_jobs
        As in :class:`BaggingClassifier`.
    random_state : int, Generator, RandomState or None, default=None
        Draws samples and features, and seeds the copies.

    Attributes
    ----------
    estimator_ : estimator
        What was copied.
    estimators_ : list of estimator
        The fitted copies; ``model[i]`` is short for ``model.estimators_[i]``.
    estimators_samples_, estimators_features_ : list of ndarray of int
        Rows and columns of the training data that each copy saw.
    oob_score_ : float
        Coefficient of determination of the out-of-bag predictions; NaN if there are fewer than two.
        Only with ``oob_score``.
    oob_prediction_ : ndarray of shape (n_samples,)
        Average prediction by the copies that did not see the sample; NaN if all saw it. Only with
        ``oob_score``.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    L. Breiman, "Bagging Predictors", Machine Learning 24 (1996). L. Breiman, "Out-of-Bag
    Estimation" (1996).

    Examples
    --------
    >>> X = np.arange(20.0)[:, None]
    >>> model = BaggingRegressor(n_estimators=50, random_state=0).fit(X, X.ravel() ** 2)
    >>> bool(90 < model.predict([[10.0]])[0] < 110)
    True
    """

    def _default_estimator(self) -> DecisionTreeRegressor:
        return DecisionTreeRegressor()

    def _outputs(self, X: FloatArray) -> Iterator[FloatArray]:
        """Yield each member's prediction."""
        for model, features in zip(self.estimators_, self.estimators_features_, strict=True):
            yield np.asarray(model.predict(X[:, features]), dtype=np.float64)
