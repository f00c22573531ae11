"""Stacking: a model of the predictions of other models, learned on rows that they did not see."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, TransformerMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import check_cv
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lessons_lib._validation import FloatArray
from lessons_lib.linear import RidgeCV

__all__ = ["StackingClassifier", "StackingRegressor"]


class _Stacking(TransformerMixin, _BaseComposition):  # type: ignore[misc, unused-ignore]
    """What both kinds of stacking share."""

    classes_: NDArray[Any]
    estimators_: list[Any]
    final_estimator_: Any
    n_features_in_: int

    def __init__(
        self,
        estimators: Any,
        final_estimator: Any = None,
        *,
        cv: Any = None,
        passthrough: bool = False,
    ) -> None:
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.cv = cv
        self.passthrough = passthrough

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those of the models under ``<name>__<parameter>``."""
        parameters: dict[str, Any] = self._get_params("estimators", deep=deep)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of the models inside."""
        self._set_params("estimators", **params)
        return self

    def _default_final_estimator(self) -> Any:
        """Return what learns from the predictions if `final_estimator` is None."""
        raise NotImplementedError

    def _fit(self, X: FloatArray, y: NDArray[Any]) -> None:
        """Fit the final model to predictions out of fold, and then the others to all rows."""
        names = [name for name, _ in self._check_estimators()]
        self._validate_names(names)
        final = self.final_estimator
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        folds = list(cv.split(X, y))
        unseen = [self._out_of_fold(model, X, y, folds) for _, model in self.estimators]
        self.final_estimator_ = self._default_final_estimator() if final is None else clone(final)
        self.final_estimator_.fit(self._inputs(X, unseen), y)
        self.estimators_ = [clone(model).fit(X, y) for _, model in self.estimators]

    def _check_estimators(self) -> list[tuple[str, Any]]:
        pairs = self.estimators
        if not isinstance(pairs, list | tuple) or not pairs:
            raise ValueError(
                f"estimators must be a list of pairs of a name and an estimator, got {pairs!r}."
            )
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2 or not hasattr(pair[1], "fit"):
                raise ValueError(
                    f"estimators must hold pairs of a name and an estimator, got {pair!r}."
                )
        return list(pairs)

    def _out_of_fold(
        self,
        model: Any,
        X: FloatArray,
        y: NDArray[Any],
        folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    ) -> FloatArray:
        """Return predictions for all rows, each by a copy that did not see the row."""
        parts = [self._output(clone(model).fit(X[seen], y[seen]), X[rest]) for seen, rest in folds]
        rows = np.concatenate([rest for _, rest in folds])
        if not np.array_equal(np.sort(rows), np.arange(len(X))):
            raise ValueError("cv must predict every row once, as KFold does.")
        output = np.empty((len(X), parts[0].shape[1]))
        output[rows] = np.concatenate(parts)
        return output

    def _output(self, model: Any, X: FloatArray) -> FloatArray:
        """Return what a fitted model says, as columns."""
        raise NotImplementedError

    def _inputs(self, X: FloatArray, outputs: list[FloatArray]) -> FloatArray:
        """Return what the final model sees."""
        return np.hstack([*outputs, X] if self.passthrough else outputs)

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return what the models say: the inputs of the final model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            The columns of the models side by side, and `X` itself with ``passthrough``.
        """
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        return self._inputs(features, [self._output(m, features) for m in self.estimators_])


class StackingRegressor(RegressorMixin, _Stacking):  # type: ignore[misc, unused-ignore]
    r"""A regression on the predictions of other models.

    The final model :math:`g` is fitted to the predictions :math:`f_k^{-\kappa(i)}(x_i)` of copies
    that did not see the fold :math:`\kappa(i)` of sample :math:`i`,

    .. math:: \min_g \sum_i \ell\bigl(y_i,\;
        g(f_1^{-\kappa(i)}(x_i), \dots, f_K^{-\kappa(i)}(x_i))\bigr) ,

    and is then applied to the models fitted to all samples. Predictions for the samples that a
    model was fitted to would make the one that overfits most look best.

    Parameters
    ----------
    estimators : list of (str, regressor)
        The models, with names.
    final_estimator : regressor or None, default=None
        :math:`g`; None means `lessons_lib.linear.RidgeCV`.
    cv : int, splitter, iterable of (train, test) or None, default=None
        The folds; None means 5. ``cv=[(rows, rows)]`` with all rows on both sides is stacking on
        training predictions.
    passthrough : bool, default=False
        Whether :math:`g` sees `X` as well.

    Attributes
    ----------
    estimators_ : list of regressor
        The models fitted to all samples.
    final_estimator_ : regressor
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    D. Wolpert, "Stacked Generalization", Neural Networks 5 (1992). L. Breiman, "Stacked
    Regressions", Machine Learning 24 (1996).

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from lessons_lib.ensembles import DecisionTreeRegressor
    >>> X = np.linspace(0, 1, 60)[:, None]
    >>> y = np.sin(9 * X.ravel())
    >>> models = [("tree", DecisionTreeRegressor()), ("neighbors", KNeighborsRegressor())]
    >>> StackingRegressor(models).fit(X, y).transform(X).shape
    (60, 2)
    """

    def _default_final_estimator(self) -> Any:
        return RidgeCV()

    def _output(self, model: Any, X: FloatArray) -> FloatArray:
        return np.asarray(model.predict(X), dtype=np.float64).reshape(len(X), -1)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the models and the final one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        Self
            The fitted estimator itself.
        """
        features, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._fit(features, target.astype(np.float64))
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the final model's predictions.

        See :meth:`DecisionTreeRegressor.predict`.
        """
        outputs = self.transform(X)
        prediction: FloatArray = self.final_estimator_.predict(outputs)
        return prediction


class StackingClassifier(ClassifierMixin, _Stacking):  # type: ignore[misc, unused-ignore]
    """A classification by the probabilities that other models give.

    See `StackingRegressor`. A model that has no probabilities gives its decision function. Of two
    classes, the second one's probability is enough.

    Parameters
    ----------
    estimators : list of (str, classifier)
        The models, with names.
    final_estimator : classifier or None, default=None
        What learns from them; None means scikit-learn's logistic regression.
    cv : int, splitter, iterable of (train, test) or None, default=None
        As in :class:`StackingRegressor`, but the folds are stratified by class.
    passthrough
        As in :class:`StackingRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    estimators_ : list of classifier
        The models fitted to all samples.
    final_estimator_ : classifier
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    D. Wolpert, "Stacked Generalization", Neural Networks 5 (1992).
    """

    def _default_final_estimator(self) -> Any:
        return LogisticRegression()

    def _output(self, model: Any, X: FloatArray) -> FloatArray:
        if not hasattr(model, "predict_proba"):
            return np.asarray(model.decision_function(X), dtype=np.float64).reshape(len(X), -1)
        # A copy knows only the classes of its rows.
        output = np.zeros((len(X), len(self.classes_)))
        output[:, self.classes_.searchsorted(model.classes_)] = model.predict_proba(X)
        return output[:, 1:] if len(self.classes_) == 2 else output

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the models and the final one.

        As :meth:`StackingRegressor.fit`, but `y` holds class labels.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        self._fit(features, labels)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the final model's classes, as labels of shape (n_samples,)."""
        outputs = self.transform(X)
        labels: NDArray[Any] = self.final_estimator_.predict(outputs)
        return labels

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the final model's probabilities.

        See :meth:`DecisionTreeClassifier.predict_proba`.
        """
        outputs = self.transform(X)
        probabilities: FloatArray = self.final_estimator_.predict_proba(outputs)
        return probabilities
