r"""Metrics for rare events: what is found with so many reviews, what it costs, what is possible.

At 5 % fraud the accuracy says little: who never raises an alert is right in 95 % of all cases.
:func:`recall_at_alert_rate` asks instead how many frauds are found if so many transactions can be
reviewed, :func:`expected_cost` what the remaining ones and the reviews cost. The third metric,
average precision, is ``sklearn.metrics.average_precision_score``; on invented transactions
:func:`average_precision_ceiling` says how large it can get. Who trains with more frauds than there
are in use, as after SMOTE, gets probabilities that are too high: :func:`correct_prior`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score

from lessons_lib._validation import check_interval, check_vector
from lessons_lib.data.transactions import Transactions

__all__ = ["average_precision_ceiling", "correct_prior", "expected_cost", "recall_at_alert_rate"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


BoolArray = NDArray[np.bool_]


Columns = dict[str, FloatArray]


RandomState = int | np.random.Generator | None


def average_precision_ceiling(
    data: Transactions,
    rows: ArrayLike | None = None,
    *,
    known_risks: bool = False,
    reported: bool = False,
) -> float:
    """Return the average precision of the generator's own probabilities.

    Parameters
    ----------
    data : Transactions
        What :func:`lessons_lib.data.make_transactions` returned.
    rows : array-like of int or bool, optional
        The rows to use, such as those of a test set; all by default.
    known_risks : bool, default=False
        Rank by `data.probability`, which knows the hidden risk of each customer and merchant,
        instead of `data.visible_probability`, which knows the features and the time.
    reported : bool, default=False
        Measure with the reported instead of the true labels. As the wrong ones fall on all alike,
        the best ranking is the same, but it looks worse.

    Returns
    -------
    float
        The ceiling, between the share of frauds and 1. On a finite sample a model can come to lie
        above by chance.

    Raises
    ------
    ValueError
        If the rows contain no fraud.

    Examples
    --------
    >>> from lessons_lib.data import make_transactions
    >>> data = make_transactions(random_state=0)
    >>> visible, known = (average_precision_ceiling(data, known_risks=k) for k in (False, True))
    >>> 0.05 < visible < known < 1
    True
    """
    chosen = slice(None) if rows is None else np.asarray(rows)
    labels = (data.y if reported else data.y_true)[chosen]
    if not np.any(labels):
        raise ValueError("rows must contain a fraud, got none.")
    probability = data.probability if known_risks else data.visible_probability
    return float(average_precision_score(labels, probability[chosen]))


def recall_at_alert_rate(y: ArrayLike, scores: ArrayLike, alert_rate: float) -> float:
    r"""Return the share of frauds among the transactions with the highest scores.

    .. math:: \frac{\#\{\text{frauds reviewed}\}}{\#\{\text{frauds}\}}, \qquad
              \text{reviewed: the } \lfloor \text{alert rate} \cdot n \rfloor
              \text{ highest scores}

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)
        Labels, 1 = fraud; at least one.
    scores : array-like of shape (n_samples,)
        The higher, the more suspect; probabilities or any other numbers.
    alert_rate : float in [0, 1]
        Share of the transactions that can be reviewed.

    Returns
    -------
    float
        The recall. Where equal scores compete for the last reviews, its mean over all ways to
        choose: constant scores get the recall `alert_rate`.

    Raises
    ------
    TypeError
        If an argument is not numeric.
    ValueError
        If shapes do not fit, labels are not 0 and 1, there is no fraud, or a value is out of range.

    Examples
    --------
    >>> recall_at_alert_rate([0, 1, 0, 1, 0], [0.1, 0.9, 0.8, 0.7, 0.2], alert_rate=0.4)
    0.5
    >>> recall_at_alert_rate([0, 1, 0, 1, 0], [0, 0, 0, 0, 0], alert_rate=0.4)
    0.4
    """
    labels, values = _check_labels_and_scores(y, scores)
    if not labels.any():
        raise ValueError("y must contain a fraud, got none.")
    return float(_review_by_rate(values, alert_rate)[labels].mean())


def expected_cost(
    y: ArrayLike,
    scores: ArrayLike,
    amounts: ArrayLike,
    *,
    cost_of_review: float,
    share_recovered: float = 1.0,
    alert_rate: float | None = None,
    threshold: float | None = None,
) -> float:
    r"""Return what frauds and reviews cost, per transaction.

    .. math:: \frac{1}{n} \Bigl( c \sum_i r_i + \sum_{i:\,\text{fraud}} a_i\,(1 - q\, r_i) \Bigr)

    with the amounts :math:`a_i`, the cost :math:`c` of a review, the share :math:`q` of the amount
    that a review saves, and :math:`r_i = 1` if transaction :math:`i` is reviewed, else 0.

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)
        Labels, 1 = fraud.
    scores : array-like of shape (n_samples,)
        The higher, the more suspect.
    amounts : array-like of shape (n_samples,)
        Amounts in euros, at least 0.
    cost_of_review : float
        Cost :math:`c \ge 0` of one review, in euros.
    share_recovered : float in [0, 1], default=1.0
        Share :math:`q` of a fraud's amount that is saved if it is reviewed.
    alert_rate : float in [0, 1], optional
        Review this share of the transactions, those with the highest scores (ties as in
        :func:`recall_at_alert_rate`).
    threshold : float, optional
        Or review where the score is at least this.

    Returns
    -------
    float
        Euros per transaction.

    Raises
    ------
    TypeError
        If an argument is not numeric.
    ValueError
        If not exactly one of `alert_rate` and `threshold` is given, shapes do not fit, labels are
        not 0 and 1, or a value is out of range.

    Notes
    -----
    A review pays where :math:`p_i\, q\, a_i > c`, with the probability :math:`p_i` of fraud.
    So with calibrated probabilities the cheapest policy is ``scores = p * amounts`` with
    ``threshold = cost_of_review / share_recovered``. To rank by `p` alone ignores that large
    frauds cost more.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001 (costs that depend on the
    sample).

    Examples
    --------
    Two reviews of 5 euros; one finds a fraud of 100 euros, the fraud of 30 euros is missed:

    >>> y, scores, amounts = [1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], [100, 20, 30, 50]
    >>> expected_cost(y, scores, amounts, cost_of_review=5, threshold=0.5)  # (2 · 5 + 30) / 4
    10.0
    >>> expected_cost(y, scores, amounts, cost_of_review=5, alert_rate=0)  # (100 + 30) / 4
    32.5
    """
    labels, values = _check_labels_and_scores(y, scores)
    euros = check_vector("amounts", amounts)
    if len(euros) != len(labels):
        raise ValueError(f"amounts must have shape ({len(labels)},), got {euros.shape}.")
    if not np.all(euros >= 0):
        raise ValueError(f"amounts must be at least 0, got {euros.min():g}.")
    cost = check_interval("cost_of_review", cost_of_review)
    saved = check_interval("share_recovered", share_recovered, 0.0, 1.0)
    if alert_rate is not None and threshold is None:
        reviewed = _review_by_rate(values, alert_rate)
    elif threshold is not None and alert_rate is None:
        check_interval("threshold", threshold, -np.inf, open_low=True)
        reviewed = (values >= threshold).astype(np.float64)
    else:
        raise ValueError(
            "exactly one of alert_rate and threshold must be given, "
            f"got alert_rate={alert_rate!r} and threshold={threshold!r}."
        )
    return float(np.mean(cost * reviewed + labels * euros * (1 - saved * reviewed)))


def correct_prior(
    probabilities: ArrayLike, *, trained_share: float, actual_share: float
) -> FloatArray:
    r"""Return the probabilities that a model would give if frauds were as frequent as they are.

    Oversampling and undersampling change the share of the frauds from :math:`\pi'` in use to
    :math:`\pi` in training, but neither what frauds look like nor what other transactions look
    like. So Bayes' rule has another prior, and the odds another factor:

    .. math:: \frac{p'}{1-p'} = \frac{p}{1-p} \cdot
              \frac{\pi'}{1-\pi'} \cdot \frac{1-\pi}{\pi} .

    The order of the transactions stays, and with it every metric that only ranks.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples,)
        Probabilities :math:`p` of fraud, from a model trained on the changed shares.
    trained_share : float in (0, 1)
        Share :math:`\pi` of the frauds in the training rows.
    actual_share : float in (0, 1)
        Share :math:`\pi'` of the frauds where the model is used.

    Returns
    -------
    ndarray of shape (n_samples,)
        The corrected probabilities :math:`p'`.

    Raises
    ------
    TypeError
        If an argument is not numeric.
    ValueError
        If a probability is not in [0, 1], a share not in (0, 1), or the shape is wrong.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, theorem 2.

    Examples
    --------
    A coin toss after training on equally many of both is no reason to worry:

    >>> correct_prior([0.5, 0.95], trained_share=0.5, actual_share=0.05)
    array([0.05, 0.5 ])
    """
    p = check_vector("probabilities", probabilities)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"probabilities must be in [0, 1], got {p.min():g} to {p.max():g}.")
    trained = _check_share("trained_share", trained_share)
    actual = _check_share("actual_share", actual_share)
    fraud = p * actual / trained
    return np.asarray(fraud / (fraud + (1 - p) * (1 - actual) / (1 - trained)))


def _review_by_rate(scores: FloatArray, alert_rate: float) -> FloatArray:
    """Return the probability of each transaction to be reviewed; between 0 and 1 only for ties."""
    rate = check_interval("alert_rate", alert_rate, 0.0, 1.0)
    n_reviews = int(rate * len(scores) + 1e-9)  # 0.29 * 100 is 28.999999999999996
    if n_reviews == 0:
        return np.zeros(len(scores))
    last = np.partition(scores, -n_reviews)[-n_reviews]
    above, tied = scores > last, scores == last
    return np.asarray(above + tied * ((n_reviews - above.sum()) / tied.sum()))


def _check_labels_and_scores(y: ArrayLike, scores: ArrayLike) -> tuple[BoolArray, FloatArray]:
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"y must have shape (n_samples,), not empty, got {labels.shape}.")
    if not np.all(np.isin(labels, (0, 1))):
        raise ValueError("y must contain 0 and 1 only.")
    values = check_vector("scores", scores)
    if len(values) != len(labels):
        raise ValueError(f"scores must have shape ({len(labels)},), got {values.shape}.")
    return labels == 1, values


def _check_share(name: str, value: float) -> float:
    share = check_interval(name, value, 0.0, 1.0, open_low=True)
    if share == 1:
        raise ValueError(f"{name} must be below 1, got {value!r}.")
    return share
