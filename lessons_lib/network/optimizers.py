r"""Optimizers: how a gradient becomes a step.

Each optimizer moves its parameters into one long array :math:`w`, with their gradients in another
one, :math:`g`. An update is then the few lines of its formula on two arrays instead of on twenty,
and it works in place: at this size, allocating memory costs more than the arithmetic.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lessons_lib._validation import check_flag, check_interval
from lessons_lib.network._common import FloatArray, add_scaled
from lessons_lib.network.module import Parameter

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

#: Parameters, or groups of parameters with options of their own.
Parameters = Iterable[Parameter] | Sequence[Mapping[str, Any]]


class FlatParameters:
    """Parameters that live in one array, one after the other.

    Parameters
    ----------
    parameters : list of Parameter
        They keep their values, but their ``data`` and ``grad`` become views of the arrays below.

    Attributes
    ----------
    data, grad : ndarray of shape (n_values,)
        All values and all gradients.
    scratch : ndarray of shape (n_values,)
        Room for intermediate results.
    state : dict of ndarray
        What the optimizer remembers from step to step, such as momentum.
    n_steps : int
        Number of steps taken.
    """

    def __init__(self, parameters: list[Parameter]) -> None:
        dtypes = {parameter.data.dtype for parameter in parameters}
        if len(dtypes) != 1:
            raise TypeError(f"the parameters must share one dtype, got {sorted(map(str, dtypes))}")
        dtype = dtypes.pop()
        size = sum(parameter.size for parameter in parameters)
        self.parameters = parameters
        self.data: FloatArray = np.empty(size, dtype)
        self.grad: FloatArray = np.empty(size, dtype)
        self.scratch: FloatArray = np.empty(size, dtype)
        self.state: dict[str, FloatArray] = {}
        self.n_steps = 0
        self._take_over()

    def _take_over(self) -> None:
        """Let the parameters live in the arrays."""
        start = 0
        for parameter in self.parameters:
            piece = slice(start, start + parameter.size)
            parameter.move_to(*(_view(flat[piece], parameter) for flat in (self.data, self.grad)))
            start += parameter.size

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle, in which every array has become one of its own."""
        self.__dict__.update(state)
        self._take_over()

    def memory(self, name: str) -> FloatArray:
        """Return an array of the state, which starts with zeros."""
        if name not in self.state:
            self.state[name] = np.zeros_like(self.data)
        return self.state[name]

    def settle(self) -> None:
        """Complete the gradients; raise if parameters have moved, so that a step would be lost."""
        for parameter in self.parameters:
            parameter.settle_grad()
        if any(parameter.data.base is not self.data for parameter in self.parameters):
            raise RuntimeError(
                "these parameters have moved: another optimizer has taken them, or model.to() "
                "has converted them; create the optimizer last, and use only the newest one"
            )


def _view(piece: FloatArray, parameter: Parameter) -> FloatArray:
    """View a piece of a long array in the shape and the memory order of a parameter."""
    by_columns = parameter.data.flags.f_contiguous
    return piece.reshape(parameter.shape, order="F" if by_columns else "C")


class Optimizer:
    """Base class: parameters in groups, each with its options.

    Parameters
    ----------
    params : iterable of Parameter, or list of dict
        What to optimize. A dict is a group: ``{"params": [...], "weight_decay": 0.0}``, with any of
        the other arguments as keys.
    **defaults
        The options of groups that do not set their own.

    Attributes
    ----------
    param_groups : list of dict
        The groups, with all options; changing ``param_groups[0]["lr"]`` changes the next step.
    """

    def __init__(self, params: Parameters, **defaults: Any) -> None:
        entries: list[Any] = list(params)
        if not entries:
            raise ValueError("params is empty: there is nothing to optimize")
        groups = entries if isinstance(entries[0], Mapping) else [{"params": entries}]
        self.param_groups = [_complete_group(group, defaults) for group in groups]
        for group in self.param_groups:
            self._check_options(group)
        everything = [id(parameter) for group in self.param_groups for parameter in group["params"]]
        if len(set(everything)) != len(everything):
            raise ValueError("params contains the same parameter twice")
        self._flats = [FlatParameters(group["params"]) for group in self.param_groups]

    def zero_grad(self) -> None:
        """Set every gradient to zero; backward passes add to what is there."""
        for flat in self._flats:
            for parameter in flat.parameters:
                parameter.zero_grad()

    def step(self) -> None:
        """Change the parameters, given their gradients."""
        for group, flat in zip(self.param_groups, self._flats, strict=True):
            flat.settle()
            flat.n_steps += 1
            self._update(flat, group)

    def state_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return copies of what the optimizer remembers, and of the options, for each group."""
        state = [{**flat.state, "n_steps": flat.n_steps} for flat in self._flats]
        return copy.deepcopy({"state": state, "param_groups": self._options()})

    def load_state_dict(self, state_dict: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Go on from a state that was made with parameters of the same shapes, in this order.

        The parameters themselves are part of the *model's* state.
        """
        states, options = (copy.deepcopy(state_dict[key]) for key in ("state", "param_groups"))
        if not len(states) == len(options) == len(self._flats):
            raise ValueError(
                f"state_dict must be of {len(self._flats)} parameter groups, got {len(states)}"
            )
        for flat, state in zip(self._flats, states, strict=True):
            memory = {name: array for name, array in state.items() if name != "n_steps"}
            for name, array in memory.items():
                if array.shape != flat.data.shape:
                    raise ValueError(
                        f"state_dict: {name} must have {flat.data.size} values in all, one for "
                        f"each of the parameters, got {array.size}"
                    )
            flat.state = {name: a.astype(flat.data.dtype) for name, a in memory.items()}
            flat.n_steps = state["n_steps"]
        for group, values in zip(self.param_groups, options, strict=True):
            group.update(values)

    def _options(self) -> list[dict[str, Any]]:
        """Return the groups without their parameters."""
        return [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups]

    def _update(self, flat: FlatParameters, options: Mapping[str, Any]) -> None:
        """Take one step with the parameters of one group."""
        raise NotImplementedError

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Raise unless the options make sense."""
        check_interval("lr", options["lr"], open_low=True)
        check_interval("weight_decay", options["weight_decay"])

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._options()[0].items())
        return f"{type(self).__name__}({arguments})"


def _complete_group(group: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(group.keys() - defaults.keys() - {"params"})
    if unknown or "params" not in group:
        raise ValueError(
            f"a parameter group needs 'params' and may set {sorted(defaults)}, got {sorted(group)}"
        )
    parameters = list(group["params"])
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"params must contain parameters, got {type(parameter).__name__}")
    return {**defaults, **group, "params": parameters}


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum.

    .. math::

        \begin{aligned}
        g_t &= \nabla L(w_{t-1}) + \lambda w_{t-1} \\
        v_t &= \mu v_{t-1} + (1-d)\,g_t, \qquad v_1 = g_1 \\
        w_t &= w_{t-1} - \eta\, v_t \qquad
        (\text{Nesterov: } w_{t-1} - \eta\,(g_t + \mu v_t))
        \end{aligned}

    The learning rate multiplies :math:`v`, not the gradient inside it (as in Polyak's and
    Sutskever's form): the two differ when :math:`\eta` changes during training.

    Parameters
    ----------
    params : iterable of Parameter, or list of dict
        What to optimize, see :class:`Optimizer`.
    lr : float, default=1e-3
        Learning rate :math:`\eta`, above 0.
    momentum : float, default=0.0
        :math:`\mu`.
    dampening : float, default=0.0
        :math:`d`.
    weight_decay : float, default=0.0
        :math:`\lambda`: the gradient of the penalty :math:`\lambda\|w\|^2/2`, of *all* these
        parameters, biases too.
    nesterov : bool, default=False
        Whether to look ahead along :math:`v`; it needs momentum and no dampening.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning",
    ICML 2013, equations 1 to 4.

    Examples
    --------
    >>> w = Parameter([5.0])
    >>> optimizer = SGD([w], lr=0.1, weight_decay=0.02)
    >>> w.grad += 0.3
    >>> optimizer.step()
    >>> w.data
    array([4.96])
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def _update(self, flat: FlatParameters, options: Mapping[str, Any]) -> None:
        step = flat.grad
        if options["weight_decay"]:
            step = step + options["weight_decay"] * flat.data
        if options["momentum"]:
            velocity = flat.memory("velocity")
            velocity *= options["momentum"]
            dampening = options["dampening"] if flat.n_steps > 1 else 0  # v_1 = g_1
            add_scaled(velocity, step, 1 - dampening)
            step = step + options["momentum"] * velocity if options["nesterov"] else velocity
        add_scaled(flat.data, step, -options["lr"])

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        check_interval("momentum", options["momentum"])
        if check_flag("nesterov", options["nesterov"]) and (
            options["momentum"] == 0 or options["dampening"] != 0
        ):
            raise ValueError("nesterov=True needs momentum above 0 and dampening=0")


class Adam(Optimizer):
    r"""Adaptive moment estimation; `weight_decay` is an L2 penalty in the gradient.

    .. math::

        \begin{aligned}
        g_t &= \nabla L(w_{t-1}) + \lambda w_{t-1} \\
        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        w_t &= w_{t-1} - \eta\, \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}
        \end{aligned}

    Dividing by :math:`1-\beta^t` (to the power of the step number) undoes the bias of averages that
    start from zero. The penalty's gradient is divided by :math:`\sqrt{v_t}` like the rest, so that
    weights with large gradients are shrunk less: see :class:`AdamW`.

    Parameters
    ----------
    params : iterable of Parameter, or list of dict
        What to optimize, see :class:`Optimizer`.
    lr : float, default=1e-3
        Learning rate :math:`\eta`, above 0.
    betas : pair of float in [0, 1), default=(0.9, 0.999)
        :math:`\beta_1, \beta_2`.
    eps : float, default=1e-8
        :math:`\epsilon`.
    weight_decay : float, default=0.0
        :math:`\lambda`, for all these parameters.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _update(self, flat: FlatParameters, options: Mapping[str, Any]) -> None:
        grad = flat.grad
        if options["weight_decay"]:
            grad = grad + options["weight_decay"] * flat.data
        self._adam_step(flat, grad, options)

    def _adam_step(
        self, flat: FlatParameters, grad: FloatArray, options: Mapping[str, Any]
    ) -> None:
        beta1, beta2 = options["betas"]
        mean = flat.memory("mean")
        square = flat.memory("square")
        mean *= beta1
        add_scaled(mean, grad, 1 - beta1)
        square *= beta2
        add_scaled(square, np.multiply(grad, grad, out=flat.scratch), 1 - beta2)
        # Fraction and eps both times sqrt(1 - beta2^t): one division of all values less.
        correction = math.sqrt(1 - beta2**flat.n_steps)
        step = np.sqrt(square, out=flat.scratch)
        step += options["eps"] * correction
        np.divide(mean, step, out=step)
        add_scaled(flat.data, step, -options["lr"] * correction / (1 - beta1**flat.n_steps))

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        check_interval("eps", options["eps"])
        if len(options["betas"]) != 2 or not all(0 <= beta < 1 for beta in options["betas"]):
            raise ValueError(f"betas must be two numbers in [0, 1), got {options['betas']!r}")


class AdamW(Adam):
    r"""Adam with decoupled weight decay: the shrinkage bypasses the adaptive step.

    .. math::

        w_t = (1 - \eta\lambda)\, w_{t-1}
        - \eta\, \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}

    with :math:`m_t, v_t` of :class:`Adam` from :math:`g_t = \nabla L(w_{t-1})` alone. All weights
    shrink by the same factor. PyTorch multiplies :math:`\lambda` by the learning rate, the paper
    does not.

    Parameters
    ----------
    params, lr, betas, eps
        As in :class:`Adam`.
    weight_decay : float, default=1e-2
        :math:`\lambda`, for all these parameters.

    References
    ----------
    I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _update(self, flat: FlatParameters, options: Mapping[str, Any]) -> None:
        flat.data *= 1 - options["lr"] * options["weight_decay"]
        self._adam_step(flat, flat.grad, options)
