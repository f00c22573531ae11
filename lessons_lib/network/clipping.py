r"""Clipping of gradients, before a step, and of weights, after it.

As in PyTorch, a trailing underscore in a name says that the function changes its argument, and
one parameter may stand for a list of them. Nothing hides trouble: NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lessons_lib._validation import check_flag, check_interval
from lessons_lib.network._common import FloatArray
from lessons_lib.network.module import Parameter

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_weight_norm_", "clip_weight_value_"]


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    r"""Shorten all gradients by one common factor if together they are too long.

    .. math::

        g \leftarrow g \cdot \min\Bigl(1,\ \frac{c}{\|g\|_p + 10^{-6}}\Bigr)

    for the vector :math:`g` of all gradients. The direction stays; the small constant is PyTorch's.
    One gradient that is NaN makes all of them NaN: a step in a random direction would be worse.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Their gradients form :math:`g`.
    max_norm : float
        :math:`c`.
    norm_type : float, default=2.0
        :math:`p`, at least 1; ``inf`` for the largest absolute value.
    error_if_nonfinite : bool, default=False
        Whether to raise if the norm is infinite or not a number.

    Returns
    -------
    float
        The norm before clipping.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013, algorithm 1.

    Examples
    --------
    >>> weight = Parameter([0.0, 0.0])
    >>> weight.grad = [3.0, 4.0]
    >>> clip_grad_norm_([weight], max_norm=1.0)
    5.0
    >>> weight.grad.round(3)
    array([0.6, 0.8])
    """
    check_interval("max_norm", max_norm, open_low=True)
    if not norm_type >= 1:
        raise ValueError(f"norm_type must be at least 1, got {norm_type!r}")
    check_flag("error_if_nonfinite", error_if_nonfinite)
    parameters = _as_list(parameters)
    norms = [_norm(parameter.grad.ravel(), norm_type) for parameter in parameters]
    total_norm = _norm(np.array(norms), norm_type)
    if error_if_nonfinite and not np.isfinite(total_norm):
        raise RuntimeError(f"the norm of the gradients is {total_norm}: it cannot be clipped")
    factor = np.minimum(1.0, max_norm / (total_norm + 1e-6))  # unlike min, it lets NaN through
    for parameter in parameters:
        parameter.grad *= factor
    return total_norm


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    r"""Cut every element of the gradients to :math:`[-c, c]`; the direction may change.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients to cut. As in PyTorch, an infinite one becomes :math:`\pm c`.
    clip_value : float
        :math:`c`.
    """
    check_interval("clip_value", clip_value, open_low=True)
    for parameter in _as_list(parameters):
        np.clip(parameter.grad, -clip_value, clip_value, out=parameter.grad)


def clip_weight_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    r"""Cut every weight to :math:`[-c, c]`, a projection on a box.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose values to cut.
    clip_value : float
        :math:`c`.

    References
    ----------
    M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017,
    algorithm 1.
    """
    check_interval("clip_value", clip_value, open_low=True)
    for parameter in _as_list(parameters):
        np.clip(parameter.data, -clip_value, clip_value, out=parameter.data)


def clip_weight_norm_(parameters: Parameter | Iterable[Parameter], max_norm: float) -> None:
    r"""Shorten the incoming weights of each unit to length :math:`c` (max-norm constraint).

    .. math::

        w_j \leftarrow w_j \cdot \frac{c}{\max(\|w_j\|_2,\ c)}

    for every row :math:`w_j` of a weight matrix, or every kernel of a convolution.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Weights with the units along axis 0 and at least two axes; not biases.
    max_norm : float
        :math:`c`.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15, 2014, section 5.1.
    """
    check_interval("max_norm", max_norm, open_low=True)
    for parameter in _as_list(parameters):
        if len(parameter.shape) < 2:
            raise ValueError(
                "clip_weight_norm_ needs weights with two axes or more, "
                f"got shape {parameter.shape}"
            )
        units = parameter.data.reshape(len(parameter.data), -1)
        with np.errstate(over="ignore"):
            norms = np.linalg.norm(units, axis=1, keepdims=True)
        if np.isinf(norms).any():
            norms = np.array([[_norm(unit)] for unit in units])
        units *= (max_norm / np.maximum(norms, max_norm)).astype(units.dtype, copy=False)


def _as_list(parameters: Parameter | Iterable[Parameter]) -> list[Parameter]:
    return [parameters] if isinstance(parameters, Parameter) else list(parameters)


def _norm(vector: FloatArray, norm_type: float = 2.0) -> float:
    """Return the norm of a vector, also where its powers would overflow or vanish."""
    with np.errstate(over="ignore", under="ignore"):
        norm = float(np.linalg.norm(vector, norm_type))
    if 0 < norm < np.inf or np.isnan(norm):
        return norm
    largest = float(np.abs(vector).max(initial=0.0))
    if largest in (0.0, np.inf):
        return largest
    return largest * float(np.linalg.norm(vector / largest, norm_type))
