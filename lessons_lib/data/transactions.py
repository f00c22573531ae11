r"""Card transactions with a few frauds among them.

:func:`make_transactions` invents what no bank publishes: transactions with customers, merchants, a
history, wrong labels, and the probability with which each became a fraud. That probability is the
*ceiling*: no model can rank new transactions better, however it is trained. So one can tell what a
model has not learned from what cannot be learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from lessons_lib._jitter import jitter
from lessons_lib._validation import check_integer, check_interval, check_vector

__all__ = ["PATTERNS", "Transactions", "history_features", "make_transactions"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


BoolArray = NDArray[np.bool_]


Columns = dict[str, FloatArray]


RandomState = int | np.random.Generator | None


PATTERNS: tuple[str, ...] = (
    "card testing",
    "stolen card",
    "account takeover",
    "skimming",
    "chance",
)
"""Names of the fraud patterns, in the order of the numbers in `Transactions.pattern`."""


# Share of each pattern in the frauds, about, and by how much (in units of the logarithm) its rate
# changes from the first day to the last: fraudsters move on.
_PATTERN_SHARES = np.array([0.30, 0.30, 0.28, 0.08, 0.04])


_PATTERN_TRENDS = np.array([-2.0, 0.0, 2.0, 0.0, 0.0])


_DAYS = 60  # length of the period, which starts on a Monday at midnight


_HOUR = 1 / 24


_CUSTOMER_SPREAD, _MERCHANT_SPREAD = 0.6, 0.4  # of the hidden risks, on the log scale


class _Category(NamedTuple):
    share: float  # of all purchases
    median: float  # amount in euros
    online: float  # share of purchases made online


_CATEGORIES = {
    "grocery": _Category(0.30, 30, 0.10),
    "fuel": _Category(0.11, 45, 0.00),
    "restaurant": _Category(0.16, 25, 0.15),
    "travel": _Category(0.05, 120, 0.70),
    "clothing": _Category(0.12, 50, 0.50),
    "electronics": _Category(0.10, 90, 0.65),
    "gift cards": _Category(0.06, 40, 0.80),
    "cash": _Category(0.10, 80, 0.00),
}


@dataclass(frozen=True, eq=False)
class Transactions:
    """Transactions in the order of time, what is known about them, and what is not.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features, in their raw units: what a model may see.
    y : ndarray of int of shape (n_samples,)
        Reported labels, 1 = fraud: what a model is trained on. Some are wrong.
    y_true : ndarray of int of shape (n_samples,)
        True labels. Nobody has them outside of a simulation.
    feature_names : tuple of str
        One name for each column of `X`.
    time : ndarray of shape (n_samples,)
        Days since the start of the period, increasing.
    customer, merchant : ndarray of int of shape (n_samples,)
        Who paid whom. Not features, but what a split may have to respect.
    amount : ndarray of shape (n_samples,)
        Amount in euros.
    pattern : ndarray of int of shape (n_samples,)
        Index in `PATTERNS` of how the fraud was done, -1 for a legitimate transaction.
    probability : ndarray of shape (n_samples,)
        The probability with which the generator made each transaction a fraud, given everything,
        also the hidden risks of its customer and its merchant.
    visible_probability : ndarray of shape (n_samples,)
        The same, averaged over the hidden risks: given the features and the time alone.
    """

    X: FloatArray
    y: NDArray[np.intp]
    y_true: NDArray[np.intp]
    feature_names: tuple[str, ...]
    time: FloatArray
    customer: NDArray[np.intp]
    merchant: NDArray[np.intp]
    amount: FloatArray
    pattern: NDArray[np.intp]
    probability: FloatArray
    visible_probability: FloatArray

    def column(self, name: str) -> FloatArray:
        """Return one column of `X`.

        Parameters
        ----------
        name : str
            One of the `feature_names`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The values of the feature.

        Raises
        ------
        ValueError
            If there is no such feature.
        """
        if name not in self.feature_names:
            raise ValueError(f"name must be one of {self.feature_names}, got {name!r}.")
        return self.X[:, self.feature_names.index(name)]


def make_transactions(
    n_samples: int = 10_000,
    n_fraud: int = 500,
    *,
    label_noise: float = 0.1,
    n_irrelevant: int = 20,
    random_state: RandomState = None,
) -> Transactions:
    r"""Invent card transactions, of which an exact number are fraudulent.

    Customers, each with their own habits, buy at merchants during 60 days. A transaction becomes a
    fraud by one of several patterns :math:`k`, each of which has a rate that depends on the
    features and on the time,

    .. math:: \Lambda_i = v_{c(i)}\, v_{m(i)} \sum_k \lambda_k(x_i, t_i), \qquad
              P(\text{fraud}_i) = 1 - e^{-s \Lambda_i} .

    The factors :math:`v` are the hidden risks of the customer and of the merchant, log-normal with
    mean 1. To make exactly `n_fraud` frauds, each transaction gets a clock that rings after an
    exponential time with rate :math:`\Lambda_i`: the first `n_fraud` to ring are fraudulent,
    and :math:`s` is the time at which the last of them rang.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of transactions, at least 100. About 25 belong to each customer.
    n_fraud : int, default=500
        Number of true frauds, at least 1 and less than `n_samples`.
    label_noise : float in [0, 1], default=0.1
        Share of the frauds that nobody notices. Equally many legitimate transactions are reported
        by mistake, so that the number of reports is `n_fraud` as well.
    n_irrelevant : int, default=20
        Number of columns of pure noise.
    random_state : int, Generator or None, default=None
        Source of everything.

    Returns
    -------
    Transactions
        The features, both kinds of labels, the ids, and the probabilities.

    Raises
    ------
    TypeError
        If a count is not an integer or `label_noise` not a number.
    ValueError
        If an argument is out of range, or there are fewer legitimate transactions than reports by
        mistake.

    Notes
    -----
    **Features.** `amount` and its logarithm; the time of day as a point on a circle, `night` (0 to
    6 o'clock), `weekday` (0 = Monday), `weekend`; `online`; the distance from home; the merchant's
    category, one column for each; the history, see :func:`history_features`; `age`, `account_years`
    and `credit_limit` of the customer; and the columns `noise_0`, `noise_1`, … Many say
    nearly the same thing twice. `age` and `account_years` have nothing to do with fraud, but tell
    customers apart: a flexible model can memorize who was defrauded.

    **Patterns.** Each needs several things at once, so that no feature gives a fraud away:

    ================  =========================================================================
    pattern           where its rate is high
    ================  =========================================================================
    card testing      small amounts online, shortly after other purchases; becomes rarer
    stolen card       far from home, not online, more than the customer usually spends; night
    account takeover  online, electronics or gift cards, a new merchant, unusual amount; spreads
    skimming          fuel or cash, at night, on weekends; rare
    chance            everywhere the same; nobody can foresee it
    ================  =========================================================================

    **Realistic** are: the few frauds; skewed amounts that differ between customers; legitimate
    purchases that look like fraud (travel, shopping sprees, expensive things); customers without
    a history; wrong labels; more than one transaction for each customer; patterns that drift.

    **Simplified** are: features decide about fraud, while in reality the fraud decides about the
    features, so that here a fraudster leaves no series of linked frauds; fraud is far more
    frequent than on real cards (0.17 % in the data of Dal Pozzolo et al.); the wrong labels fall
    on all alike, and reports come without delay; nobody reacts to the detector; risks do not
    change but for the drift.

    **Ceiling.** `visible_probability` ranks transactions of customers and merchants that were never
    seen before as well as possible; `probability` is for somebody who also knows the hidden risks.
    A model that sees a customer's earlier labels can come to lie in between.
    :func:`lessons_lib.measure.average_precision_ceiling` says how good they are.

    References
    ----------
    P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a reservoir", Information
    Processing Letters 97, 2006 (the clocks).

    A. Dal Pozzolo, O. Caelen, R. A. Johnson, G. Bontempi, "Calibrating Probability with
    Undersampling for Unbalanced Classification", IEEE Symposium Series on Computational
    Intelligence 2015 (492 frauds in 284,807 transactions).

    Examples
    --------
    >>> data = make_transactions(random_state=0)
    >>> data.X.shape, int(data.y.sum()), int(data.y_true.sum())
    ((10000, 51), 500, 500)
    >>> int((data.y != data.y_true).sum())  # 50 unnoticed, 50 reported by mistake
    100
    """
    check_integer("n_samples", n_samples, 100)
    check_integer("n_fraud", n_fraud, 1)
    check_integer("n_irrelevant", n_irrelevant, 0)
    label_noise = check_interval("label_noise", label_noise, 0.0, 1.0)
    n_wrong = round(label_noise * n_fraud)
    if n_fraud + n_wrong > n_samples or n_fraud == n_samples:
        raise ValueError(
            f"n_fraud must leave more legitimate transactions than the {n_wrong} that are reported "
            f"by mistake, got n_fraud={n_fraud} with n_samples={n_samples}."
        )
    rng = np.random.default_rng(random_state)
    purchases = _draw_purchases(n_samples, rng)
    columns = _features(purchases)
    rates = _pattern_rates(columns, purchases.time)
    hidden = purchases.customer_risk * purchases.merchant_risk
    y_true, duration = _first_to_ring(hidden * rates.sum(axis=1), n_fraud, rng)
    y = _report(y_true, n_wrong, rng)
    pattern = np.where(y_true == 1, _draw_rows(rates, rng), -1)
    # Last, so that their number changes nothing else.
    for k, noise in enumerate(rng.standard_normal((n_irrelevant, n_samples))):
        columns[f"noise_{k}"] = noise
    return Transactions(
        X=jitter(np.column_stack(list(columns.values()))),
        y=y,
        y_true=y_true,
        feature_names=tuple(columns),
        time=purchases.time,
        customer=purchases.customer,
        merchant=purchases.merchant,
        amount=purchases.amount,
        pattern=pattern,
        probability=-np.expm1(-duration * hidden * rates.sum(axis=1)),
        visible_probability=_average_over_hidden_risks(duration * rates.sum(axis=1)),
    )


def history_features(
    time: ArrayLike, customer: ArrayLike, merchant: ArrayLike, amount: ArrayLike
) -> dict[str, FloatArray]:
    r"""Describe what each customer did before each transaction, from strictly earlier rows alone.

    =======================  ==================================================================
    feature                  meaning
    =======================  ==================================================================
    ``count_1h`` …           number of the customer's purchases in the last 1, 24, 168 hours
    ``mean_amount_24h`` …    their mean amount in euros in the last 24, 168 hours; 0 if none
    ``log_hours_since``      :math:`\log(1 + h)` of the hours since the last one; 1440 h if none
    ``log_amount_ratio``     :math:`\log` of the amount minus the mean of the earlier logarithms
    ``new_merchant``         1 if the customer never paid this merchant before
    ``merchant_count_24h``   number of purchases of anybody at the merchant in the last 24 hours
    =======================  ==================================================================

    The mean of the logarithms counts as if there had been two more purchases, each of 40 euros:
    without them it would not exist for the first purchase, and be noise for the second.

    Parameters
    ----------
    time : array-like of shape (n_samples,)
        Days, in any order.
    customer, merchant : array-like of int of shape (n_samples,)
        Ids, at least 0.
    amount : array-like of shape (n_samples,)
        Amounts in euros, above 0.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,)
        The features by name.

    Raises
    ------
    TypeError
        If ids are not integers.
    ValueError
        If shapes do not fit, or a value is not finite or out of range.

    Examples
    --------
    >>> features = history_features([0.0, 0.5, 2.0], [7, 7, 7], [1, 2, 1], [10.0, 20.0, 30.0])
    >>> features["count_24h"], features["new_merchant"], features["mean_amount_168h"]
    (array([0., 1., 0.]), array([1., 1., 0.]), array([ 0., 10., 15.]))
    """
    days, euros = check_vector("time", time), check_vector("amount", amount)
    if not np.all(euros > 0):
        raise ValueError(f"amount must be above 0, got {euros.min():g}.")
    who, where = _check_ids("customer", customer), _check_ids("merchant", merchant)
    if not len(days) == len(euros) == len(who) == len(where):
        raise ValueError(
            "time, customer, merchant and amount must have the same length, "
            f"got {len(days)}, {len(who)}, {len(where)} and {len(euros)}."
        )
    features = {}
    for hours in (1, 24, 168):
        features[f"count_{hours}h"], total = _earlier(days, who, euros, hours * _HOUR)
        if hours > 1:
            features[f"mean_amount_{hours}h"] = total / np.maximum(features[f"count_{hours}h"], 1)
    features["log_hours_since"] = np.log1p(np.minimum(_days_since_last(days, who) / _HOUR, 1440))
    count, total = _earlier(days, who, np.log(euros), np.inf)
    usual = (total + 2 * np.log(40)) / (count + 2)
    features["log_amount_ratio"] = np.log(euros) - usual
    # One id for each pair of customer and merchant.
    pair = np.unique(np.column_stack([who, where]), axis=0, return_inverse=True)[1]
    features["new_merchant"] = (_earlier(days, pair, euros, np.inf)[0] == 0).astype(np.float64)
    features["merchant_count_24h"] = _earlier(days, where, euros, 1.0)[0]
    return features


def _check_ids(name: str, values: ArrayLike) -> IntArray:
    ids = np.asarray(values)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {ids.dtype}.")
    if ids.ndim != 1 or ids.size == 0 or ids.min() < 0:
        raise ValueError(f"{name} must have shape (n_samples,) and be at least 0, got {values!r}.")
    return ids.astype(np.intp)


class _Purchases(NamedTuple):
    """What happened, one entry for each transaction, in the order of time."""

    time: FloatArray
    customer: IntArray
    merchant: IntArray
    category: IntArray
    amount: FloatArray
    online: FloatArray
    distance: FloatArray  # from home, in km
    age: FloatArray
    account_years: FloatArray
    credit_limit: FloatArray
    customer_risk: FloatArray
    merchant_risk: FloatArray


def _draw_purchases(n: int, rng: np.random.Generator) -> _Purchases:
    n_customers, n_merchants = n // 25, n // 60 + len(_CATEGORIES)
    shares, medians, online_shares = np.array(list(_CATEGORIES.values())).T
    time, customer, is_small = _draw_times(n, n_customers, rng)

    # A customer prefers some categories, and within each the merchants that all like.
    preferences = rng.dirichlet(8 * shares, size=n_customers)
    category = _draw_rows(preferences[customer], rng)
    # The first merchants are one of each category, so that none is without.
    n_categories = len(shares)
    others = rng.integers(n_categories, size=n_merchants - n_categories)
    of_merchant = np.append(np.arange(n_categories), others)
    popularity = rng.pareto(1.5, n_merchants)
    merchant = _draw_rows((of_merchant == category[:, None]) * popularity, rng)

    online = rng.random(n) < np.where(is_small, 0.8, online_shares[category])
    wealth = rng.normal(0, 0.5, n_customers)
    # Student's t has heavier tails than the normal distribution: some purchases are expensive.
    log_amount = (
        np.log(medians)[category]
        + wealth[customer]
        + rng.normal(0, 0.3, n_merchants)[merchant]
        + 0.5 * rng.standard_t(5, n)
        - 1.5 * is_small
    )
    return _Purchases(
        time=time,
        customer=customer,
        merchant=merchant,
        category=category,
        amount=np.exp(np.clip(log_amount, np.log(0.5), np.log(5_000))).round(2),
        online=online.astype(np.float64),
        distance=_draw_distances(time, customer, n_customers, rng),
        age=rng.integers(18, 85, n_customers)[customer].astype(np.float64),
        account_years=rng.exponential(6, n_customers)[customer],
        credit_limit=(1500 * np.exp(wealth + rng.normal(0, 0.3, n_customers))).round(-2)[customer],
        customer_risk=_draw_risks(n_customers, _CUSTOMER_SPREAD, rng)[customer],
        merchant_risk=_draw_risks(n_merchants, _MERCHANT_SPREAD, rng)[merchant],
    )


def _draw_times(
    n: int, n_customers: int, rng: np.random.Generator
) -> tuple[FloatArray, IntArray, BoolArray]:
    """Return when, who, and whether it is one of a series of small purchases."""
    activity = rng.lognormal(0, 0.6, n_customers)
    customer = rng.choice(n_customers, n, p=activity / activity.sum())
    weekday_weights = np.array([1.0, 1.0, 1.0, 1.1, 1.4, 1.5, 0.9])[np.arange(_DAYS) % 7]
    day = rng.choice(_DAYS, n, p=weekday_weights / weekday_weights.sum())
    usual_hour = rng.normal(15, 2.5, n_customers)
    hour = (usual_hour[customer] + rng.normal(0, 4.5, n)) % 24
    time = day + hour * _HOUR
    is_small = np.zeros(n, dtype=bool)

    # Purchases come in series: a fifth follow shortly after one of a few first ones.
    n_series, n_followers = max(n // 25, 1), n // 5
    first = rng.integers(n_series, size=n_followers)
    followers = slice(n - n_followers, None)
    time[followers] = time[first] + rng.exponential(0.6 * _HOUR, n_followers)
    customer[followers] = customer[first]
    is_small[followers] = (rng.random(n_series) < 0.4)[first]

    order = np.argsort(time)
    return time[order], customer[order], is_small[order]


def _draw_distances(
    time: FloatArray, customer: IntArray, n_customers: int, rng: np.random.Generator
) -> FloatArray:
    """Return the distances from home: near, unless the customer is on the one trip of each."""
    departure, length = rng.uniform(0, _DAYS, n_customers), rng.uniform(1, 8, n_customers)
    days_after = time - departure[customer]
    is_away = ((days_after >= 0) & (days_after < length[customer])) | (rng.random(len(time)) < 0.03)
    log_distance = np.where(is_away, np.log(250), np.log(4)) + rng.normal(0, 1, len(time))
    return np.asarray(np.exp(log_distance).round(1))


def _draw_risks(n: int, spread: float, rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.lognormal(-(spread**2) / 2, spread, n))


def _draw_rows(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return for each row the index of a column, drawn with probabilities as the weights."""
    cumulative = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * cumulative[:, -1]
    return np.asarray(np.argmax(cumulative > drawn[:, None], axis=1))


def _features(purchases: _Purchases) -> Columns:
    time, amount = purchases.time, purchases.amount
    hour, weekday = time % 1 * 24, np.floor(time) % 7
    columns = {
        "amount": amount,
        "log_amount": np.log(amount),
        "hour_sin": np.sin(2 * np.pi * hour / 24),
        "hour_cos": np.cos(2 * np.pi * hour / 24),
        "night": (hour < 6).astype(np.float64),
        "weekday": weekday,
        "weekend": (weekday >= 5).astype(np.float64),
        "online": purchases.online,
        "distance": purchases.distance,
        "log_distance": np.log1p(purchases.distance),
    }
    for k, name in enumerate(_CATEGORIES):
        columns[name] = (purchases.category == k).astype(np.float64)
    columns |= history_features(time, purchases.customer, purchases.merchant, amount)
    for name in ("age", "account_years", "credit_limit"):
        columns[name] = getattr(purchases, name)
    columns["amount_over_limit"] = amount / purchases.credit_limit
    return columns


def _earlier(
    time: FloatArray, group: IntArray, values: FloatArray, window: float
) -> tuple[FloatArray, FloatArray]:
    """Return number and sum of the group's values at times in ``[time - window, time)``.

    All groups are laid out one after the other on one axis, further apart than the window is
    long: then two binary searches find the ends of all windows.
    """
    span = float(np.ptp(time)) + 1
    window = min(window, span)
    group = np.unique(group, return_inverse=True)[1]
    position = group * (span + window + 1) + (time - time.min())
    order = np.argsort(position, kind="stable")
    axis = position[order]
    sums = np.append(0.0, np.cumsum(values[order]))
    begin = np.searchsorted(axis, position - window, side="left")
    end = np.searchsorted(axis, position, side="left")
    return (end - begin).astype(np.float64), sums[end] - sums[begin]


def _days_since_last(time: FloatArray, group: IntArray) -> FloatArray:
    """Return the days since the group's last earlier row, infinite for its first."""
    # Rows of a group at the same time are one moment: neither is before the other.
    pairs = np.column_stack([group, time])
    moments, moment_of_row = np.unique(pairs, axis=0, return_inverse=True)
    gaps = np.diff(moments[:, 1], prepend=0)
    gaps[np.diff(moments[:, 0], prepend=-1) != 0] = np.inf
    return np.asarray(gaps[moment_of_row])


def _pattern_rates(columns: Mapping[str, FloatArray], time: FloatArray) -> FloatArray:
    """Return the rate of each pattern, shape (n_samples, n_patterns), without the hidden risks."""
    online, offline = columns["online"], 1 - columns["online"]
    in_series = _above(columns["count_1h"], 2.5, 0.2)
    unusual = _above(columns["log_amount_ratio"], 0.8, 0.15)
    rates = np.column_stack(
        [
            online * in_series * _above(-columns["log_amount"], -np.log(15), 0.2),
            offline
            * unusual
            * _above(columns["log_distance"], np.log(60), 0.2)
            * (0.3 + columns["night"]),
            online
            * unusual
            * (columns["electronics"] + columns["gift cards"])
            * (0.02 + columns["new_merchant"]),
            (columns["fuel"] + columns["cash"]) * columns["night"] * (0.05 + columns["weekend"]),
            np.ones(len(time)),
        ]
    )
    rates *= np.exp(np.outer(time / _DAYS - 0.5, _PATTERN_TRENDS))
    return np.asarray(_PATTERN_SHARES * rates / rates.mean(axis=0))


def _above(x: FloatArray, value: float, width: float) -> FloatArray:
    """Return a soft step from 0 to 1 where x passes the value."""
    return np.asarray(expit((x - value) / width))


def _first_to_ring(
    rates: FloatArray, n_fraud: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], float]:
    """Return labels, 1 for the `n_fraud` transactions whose clocks ring first, and the time."""
    rings = rng.exponential(size=len(rates)) / rates
    last, next_one = np.sort(rings)[n_fraud - 1 : n_fraud + 1]
    return (rings <= last).astype(np.intp), float(last + next_one) / 2


def _report(y_true: NDArray[np.intp], n_wrong: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the labels with so many frauds unnoticed, and as many reported by mistake."""
    y = y_true.copy()
    for label in (0, 1):
        y[rng.choice(np.flatnonzero(y_true == label), n_wrong, replace=False)] = 1 - label
    return y


def _average_over_hidden_risks(rates: FloatArray) -> FloatArray:
    """Return the mean fraud probability, by Gauss-Hermite quadrature over the hidden risks.

    The product of two independent log-normal risks is log-normal: one integral is enough.
    """
    spread = np.hypot(_CUSTOMER_SPREAD, _MERCHANT_SPREAD)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    risks = np.exp(spread * nodes - spread**2 / 2)
    return np.asarray(-np.expm1(-np.outer(rates, risks)) @ (weights / weights.sum()))
