r"""Gradient noise: how far the gradient of a mini-batch is from that of all training data.

With the gradient :math:`g_i` of sample :math:`i` and their mean :math:`g`, a mini-batch
:math:`\mathcal B` of :math:`B` samples gives

.. math::

    \hat g = \frac1B \sum_{i \in \mathcal B} g_i, \qquad
    \mathbb E\,\hat g = g, \qquad
    \operatorname{Cov} \hat g = \frac{\Sigma}{B} \cdot
    \begin{cases} 1 & \text{drawn with replacement} \\
    \dfrac{n-B}{n-1} & \text{drawn without} \end{cases}, \qquad
    \Sigma = \frac1n \sum_{i=1}^n (g_i - g)(g_i - g)^\top .

:math:`\Sigma` is the covariance *within this training set* (hence :math:`1/n`, not
:math:`1/(n-1)`): the noise that training on it meets. Every function takes the matrix of the
:math:`g_i`, one row a sample; :func:`per_sample_gradients` computes it for a network. For linear
regression with the loss :math:`(x_i^\top w - y_i)^2/2` it is ``(X @ w - y)[:, None] * X``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import FloatArray, check_flag, check_integer
from lessons_lib.landscape.objective import NetworkLoss, check_point

__all__ = [
    "gradient_covariance",
    "minibatch_gradients",
    "minibatch_variance",
    "noise_scale",
    "per_sample_gradients",
]


def per_sample_gradients(objective: NetworkLoss, w: ArrayLike) -> FloatArray:
    r"""Return the gradient of each sample's own loss, :math:`g_i = \nabla \ell(f_w(x_i), y_i)`.

    One backward pass for each sample: simple, right for every layer, and about 0.1 ms a sample for
    a small network.

    Parameters
    ----------
    objective : NetworkLoss
        Its criterion must be a plain average over samples.
    w : array-like of shape (n_parameters,)
        Where.

    Returns
    -------
    ndarray of shape (n_samples, n_parameters)
        The rows average to the gradient of the objective.

    Raises
    ------
    TypeError
        If `objective` is not a NetworkLoss.
    ValueError
        If a sample has no loss of its own: with batch statistics, or if the criterion sums or
        weights the samples.

    Examples
    --------
    >>> from lessons_lib.network import Linear, MSELoss
    >>> model = Linear(1, 1, bias=False, random_state=0)
    >>> objective = NetworkLoss(model, MSELoss(), np.array([[1.0], [2.0]]), np.zeros((2, 1)))
    >>> per_sample_gradients(objective, [2.0]).tolist()
    [[4.0], [16.0]]
    """
    if not isinstance(objective, NetworkLoss):
        raise TypeError(f"objective must be a NetworkLoss, got {type(objective).__name__}.")
    if objective.batch_statistics:
        raise ValueError(
            "batch_statistics must be False: they make each sample's output depend on all others."
        )
    point = check_point(w)
    values, gradients = zip(
        *(objective.subset([i])(point) for i in range(len(objective))), strict=True
    )
    if not np.isclose(np.mean(values), objective.value(point)):
        raise ValueError(
            "the criterion must be the plain average of the samples' losses "
            "(reduction='mean', no class weights)."
        )
    return np.array(gradients)


def gradient_covariance(gradients: ArrayLike) -> FloatArray:
    r"""Return the covariance :math:`\Sigma` of the gradients of single samples.

    Parameters
    ----------
    gradients : array-like of shape (n_samples, n_parameters)
        One gradient a row.

    Returns
    -------
    ndarray of shape (n_parameters, n_parameters)
        Mind its size; for :math:`\operatorname{tr}\Sigma` alone, take :func:`minibatch_variance`
        with a batch of one.

    Examples
    --------
    >>> gradient_covariance([[1.0, 0.0], [3.0, 0.0]]).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    rows = _check_gradients(gradients)
    centered = rows - rows.mean(axis=0)
    covariance: FloatArray = centered.T @ centered / len(rows)
    return covariance


def minibatch_variance(gradients: ArrayLike, batch_size: int = 1, *, replace: bool = True) -> float:
    r"""Predict how far a mini-batch's gradient is from the full one: the mean squared distance.

    .. math::

        \mathbb E\,\lVert \hat g - g \rVert^2 = \frac{\operatorname{tr}\Sigma}{B} \cdot
        \begin{cases} 1 & \text{with replacement} \\ (n-B)/(n-1) & \text{without} \end{cases}

    Parameters
    ----------
    gradients : array-like of shape (n_samples, n_parameters)
        One gradient a row.
    batch_size : int, default=1
        :math:`B`. With 1 the result is :math:`\operatorname{tr}\Sigma`.
    replace : bool, default=True
        Whether a sample can be drawn twice. The mini-batches of an epoch are drawn without
        replacement.

    Returns
    -------
    float
        The trace of the covariance of :math:`\hat g`.

    Examples
    --------
    >>> gradients = [[1.0, 0.0], [3.0, 0.0], [2.0, 3.0]]
    >>> [round(minibatch_variance(gradients, size), 3) for size in (1, 2, 3)]
    [2.667, 1.333, 0.889]
    >>> [round(minibatch_variance(gradients, size, replace=False), 3) for size in (1, 2, 3)]
    [2.667, 0.667, 0.0]
    """
    rows = _check_gradients(gradients)
    n_samples = len(rows)
    _check_batch_size(batch_size, n_samples, replace)
    trace = float(rows.var(axis=0).sum())
    if replace or n_samples == 1:
        return trace / batch_size
    return trace / batch_size * (n_samples - batch_size) / (n_samples - 1)


def minibatch_gradients(
    gradients: ArrayLike,
    batch_size: int,
    n_draws: int,
    *,
    replace: bool = True,
    random_state: int | np.random.Generator | None = None,
) -> FloatArray:
    r"""Draw mini-batches and return their gradients :math:`\hat g`, to measure the noise.

    Parameters
    ----------
    gradients : array-like of shape (n_samples, n_parameters)
        One gradient a row.
    batch_size : int
        :math:`B`.
    n_draws : int
        Number of mini-batches, independent of each other.
    replace : bool, default=True
        Whether a sample can be drawn twice into a batch.
    random_state : int, Generator or None, default=None
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_draws, n_parameters)
        One mini-batch gradient a row.
    """
    rows = _check_gradients(gradients)
    _check_batch_size(batch_size, len(rows), replace)
    check_integer("n_draws", n_draws, 1)
    rng = np.random.default_rng(random_state)
    # How often each sample is in each batch: then all the means are one matrix product.
    if replace:
        counts = rng.multinomial(batch_size, np.full(len(rows), 1 / len(rows)), size=n_draws)
    else:
        ones: FloatArray = np.ones((n_draws, len(rows)))
        ones[:, batch_size:] = 0
        counts = rng.permuted(ones, axis=1)
    means: FloatArray = counts @ rows / batch_size
    return means


def noise_scale(gradients: ArrayLike) -> float:
    r"""Return the simple gradient-noise scale, a batch size.

    .. math:: B_\text{simple} = \frac{\operatorname{tr}\Sigma}{\lVert g \rVert^2}

    A batch of :math:`B_\text{simple}` samples (drawn with replacement) has a gradient whose noise
    is as long as its signal, :math:`\mathbb E\lVert\hat g-g\rVert^2 = \lVert g\rVert^2`. Much
    smaller batches are mostly noise; much larger ones spend samples on precision that a step cannot
    use. It tends to grow during training, as the mean gradient shrinks.

    Parameters
    ----------
    gradients : array-like of shape (n_samples, n_parameters)
        One gradient a row.

    Returns
    -------
    float
        In samples; infinite if the gradients average to zero.

    References
    ----------
    S. McCandlish, J. Kaplan, D. Amodei, OpenAI Dota Team, "An Empirical Model of Large-Batch
    Training", arXiv:1812.06162, 2018, equation 2.9.

    Examples
    --------
    >>> noise_scale([[1.0, 1.0], [1.0, -1.0]])
    1.0
    """
    rows = _check_gradients(gradients)
    mean = rows.mean(axis=0)
    squared_length = float(mean @ mean)
    return minibatch_variance(rows) / squared_length if squared_length > 0 else np.inf


def _check_gradients(gradients: ArrayLike) -> FloatArray:
    rows = np.asarray(gradients, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(
            f"gradients must be a matrix with one gradient a row, got shape {rows.shape}."
        )
    return rows


def _check_batch_size(batch_size: int, n_samples: int, replace: bool) -> None:
    check_flag("replace", replace)
    if check_integer("batch_size", batch_size, 1) > n_samples and not replace:
        raise ValueError(
            f"batch_size must be at most the {n_samples} samples without replacement, "
            f"got {batch_size}."
        )
