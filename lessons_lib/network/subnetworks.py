"""All subnetworks of a small network with dropout, one after the other.

A network with dropout on `N` units contains :math:`2^N` subnetworks, one for each set of units that
stay. Training draws from them; here they are all computed, so that averages over masks are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_integer
from lessons_lib.network.layers import Dropout
from lessons_lib.network.module import Sequential

__all__ = ["all_masks", "subnetwork_outputs"]

#: More units than this would take more than a few seconds and much memory.
MAX_UNITS = 16


def all_masks(n_units: int) -> NDArray[np.bool_]:
    r"""Return every mask of some units: all words of zeros and ones.

    Parameters
    ----------
    n_units : int
        Number of units :math:`N`, from 1 to 16.

    Returns
    -------
    ndarray of bool of shape (2**n_units, n_units)
        True keeps a unit. Row `r` is `r` in binary, the lowest digit first, so that the first row
        drops everything and the last row nothing.

    Raises
    ------
    TypeError, ValueError
        If `n_units` is no integer or out of range.

    Examples
    --------
    >>> all_masks(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    check_integer("n_units", n_units, 1)
    if n_units > MAX_UNITS:
        raise ValueError(f"n_units must be at most {MAX_UNITS}, got {n_units}")
    digits: NDArray[np.int_] = np.arange(2**n_units)[:, None] >> np.arange(n_units) & 1
    return digits.astype(np.bool_)


def subnetwork_outputs(
    model: Sequential, X: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.floating[Any]]]:
    r"""Return what every subnetwork says about some rows, and how likely dropout draws it.

    For masks :math:`m` over the units of all dropout layers, of which unit `j` has the rate
    :math:`p_j`,

    .. math:: P(m) = \prod_j (1-p_j)^{m_j}\, p_j^{1-m_j} .

    Parameters
    ----------
    model : Sequential
        A network with dropout layers on, together, at most 16 units. A layer with rate 0 has one
        subnetwork only and does not count. Modes and masks are the same afterwards as before.
    X : ndarray of shape (n_samples, n_features)
        Inputs.

    Returns
    -------
    probabilities : ndarray of shape (n_subnetworks,)
        :math:`P(m)`; they sum to 1.
    outputs : ndarray of shape (n_subnetworks, n_samples, n_outputs)
        Outputs in training mode, thus scaled as training scales them.

    Raises
    ------
    ValueError
        If there is no dropout with a rate above 0, or it has more than 16 units.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15, 2014, section 4.

    Examples
    --------
    >>> from lessons_lib.network import Linear
    >>> model = Sequential(Dropout(0.25), Linear(2, 1, random_state=0))
    >>> probabilities, outputs = subnetwork_outputs(model, np.ones((3, 2)))
    >>> probabilities.tolist(), outputs.shape
    ([0.0625, 0.1875, 0.1875, 0.5625], (4, 3, 1))
    """
    dropouts, widths = _active_dropouts(model, X)
    masks = all_masks(sum(widths))
    rates = np.repeat([dropout.p for dropout in dropouts], widths)
    probabilities = np.prod(np.where(masks, 1 - rates, rates), axis=1)

    saved = [(module, module.training) for module in model.modules()]
    saved_masks = [dropout.fixed_mask for dropout in dropouts]
    try:
        model.eval()  # all else, such as batch normalization, as at test time
        # Every row meets every mask: one forward pass with n_subnetworks * n_samples rows.
        ends = np.cumsum(widths)
        for dropout, width, end in zip(dropouts, widths, ends, strict=True):
            dropout.train()
            dropout.fixed_mask = np.repeat(masks[:, end - width : end], len(X), axis=0)
        outputs = model(np.tile(X, (len(masks), 1)))
    finally:
        for module, training in saved:
            module.training = training
        for dropout, mask in zip(dropouts, saved_masks, strict=True):
            dropout.fixed_mask = mask
    return probabilities, outputs.reshape(len(masks), len(X), -1)


def _active_dropouts(
    model: Sequential, X: NDArray[np.floating[Any]]
) -> tuple[list[Dropout], list[int]]:
    """Return the dropout layers with a rate above 0, and how many units each acts on."""
    dropouts, widths = [], []
    x = X[:1]
    for layer in model:
        if isinstance(layer, Dropout) and layer.p > 0:
            dropouts.append(layer)
            widths.append(x.shape[1])
        else:
            x = layer(x)
    if not dropouts:
        raise ValueError("model needs a Dropout layer with a rate above 0, got none")
    if sum(widths) > MAX_UNITS:
        raise ValueError(f"model must drop at most {MAX_UNITS} units, got {sum(widths)}")
    return dropouts, widths
