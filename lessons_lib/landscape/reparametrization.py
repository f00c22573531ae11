r"""Other parameters, same function: why a flat minimum is not a property of the function alone."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network import (
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)

__all__ = ["rescale_layers"]

#: Layers h without parameters for which h(a x) = a h(x) if a > 0.
_HOMOGENEOUS = (ReLU, MaxPool2d, Flatten, Dropout)


def rescale_layers(model: Sequential, position: int, factor: float) -> Sequential:
    r"""Return a network that computes the same function with other weights.

    A ReLU is positively homogeneous, :math:`\max(a z, 0) = a \max(z, 0)` for :math:`a > 0`. One
    layer can thus be scaled by :math:`a` and the next by :math:`1/a`:

    .. math::

        \frac{W_2}{a} \max(a W_1 x + a b_1,\, 0) + b_2 = W_2 \max(W_1 x + b_1,\, 0) + b_2

    The loss is the same at both points, but its derivatives with respect to :math:`W_1` are divided
    by :math:`a`, the second ones by :math:`a^2`, and those with respect to :math:`W_2` multiplied.
    A factor far from 1 therefore makes any minimum as sharp as one likes.

    Parameters
    ----------
    model : Sequential
        The network; it stays as it is.
    position : int
        Position of the layer to scale by :math:`a`, a Linear or Conv2d. The next of these in the
        network is scaled by :math:`1/a`; between them only ReLU, MaxPool2d, Flatten and Dropout are
        allowed.
    factor : float
        :math:`a > 0`.

    Returns
    -------
    Sequential
        A rescaled copy.

    Raises
    ------
    ValueError
        If the layers at and after `position` are not as above, or `factor` is not positive.

    References
    ----------
    L. Dinh, R. Pascanu, S. Bengio, Y. Bengio, "Sharp Minima Can Generalize For Deep Nets",
    ICML 2017, sections 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Linear(2, 3, random_state=rng), ReLU(), Linear(3, 1, random_state=rng))
    >>> x = rng.standard_normal((5, 2))
    >>> bool(np.allclose(rescale_layers(model, 0, 10.0)(x), model(x)))
    True
    """
    check_interval("factor", factor, open_low=True)
    rescaled = copy.deepcopy(model)
    layers = list(rescaled)
    if check_integer("position", position, 0) >= len(layers):
        raise ValueError(f"position must be below the {len(layers)} layers, got {position}.")
    first = layers[position]
    if not isinstance(first, Linear | Conv2d):
        raise ValueError(
            f"the layer at position {position} must be Linear or Conv2d, "
            f"got {type(first).__name__}."
        )
    second = _next_linear(layers[position + 1 :])
    first.weight.data *= factor
    if first.bias is not None:
        first.bias.data *= factor
    second.weight.data /= factor
    return rescaled


def _next_linear(layers: Iterable[Module]) -> Linear | Conv2d:
    """Return the first linear layer, if only homogeneous layers stand before it."""
    for layer in layers:
        if isinstance(layer, Linear | Conv2d):
            return layer
        if not isinstance(layer, _HOMOGENEOUS):
            raise ValueError(
                f"a scale does not pass through {type(layer).__name__}: between the two layers "
                "only ReLU, MaxPool2d, Flatten and Dropout are allowed."
            )
    raise ValueError("position must not be that of the last Linear or Conv2d.")
