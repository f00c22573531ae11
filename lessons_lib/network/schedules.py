r"""Learning-rate schedules: the learning rate as a function of the epoch.

A schedule is a factor :math:`f_t`, with :math:`t` the number of times that ``step`` was called,
usually once per epoch. Alone it gives :math:`\eta_t = \eta_0 f_t`. As in PyTorch this is computed
step by step, :math:`\eta_t = \eta_{t-1}\, f_t / f_{t-1}`, and that is why several schedules of one
optimizer multiply, and why a rate that you set by hand is where the schedule goes on from.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network.optimizers import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    r"""Base class: changes the optimizer's learning rates, at once and at every ``step``.

    .. math::

        \eta_t = \eta_\text{min} + (\eta_{t-1} - \eta_\text{min})\, \frac{f_t}{f_{t-1}},
        \qquad f_{-1} = 1,

    where :math:`\eta_{t-1}` is the rate in use, whoever has set it. A subclass defines the factor
    :math:`f_t`; :math:`\eta_\text{min}` is 0 for most.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates when its first schedule is made are the base rates, one for each group.

    Attributes
    ----------
    base_lrs : list of float
        The base rates :math:`\eta_0`.
    last_epoch : int
        :math:`t`, the number of steps so far.
    """

    eta_min = 0.0
    #: What ``state_dict`` leaves out: what has no values, or belongs to others.
    _not_in_state: tuple[str, ...] = ("optimizer", "schedulers", "lr_lambda")

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = -1
        self.step()

    def factor(self, epoch: int) -> float:
        """Return :math:`f_t` of an epoch from 0 on."""
        raise NotImplementedError

    def step(self) -> None:
        """Go to the next epoch."""
        self.last_epoch += 1
        self._set_learning_rates(self.get_lr())

    def get_lr(self) -> list[float]:
        """Return the rates of the current epoch, given those in use, which are of the last one."""
        before = self.factor(self.last_epoch - 1) if self.last_epoch > 0 else 1.0
        now = self.factor(self.last_epoch)
        rates = []
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            if before == 0:  # a cosine comes back from its minimum
                rates.append(group["lr"] + (base_lr - self.eta_min) * now)
            else:
                rates.append(self.eta_min + (group["lr"] - self.eta_min) * now / before)
        return rates

    def get_last_lr(self) -> list[float]:
        """Return the learning rates that the last step has set, one for each group."""
        return list(self._last_lr)

    def restart(self) -> None:
        """Go to epoch 0, from the base rates."""
        self.last_epoch = 0
        first = self.factor(0)
        self._set_learning_rates(
            [self.eta_min + (base_lr - self.eta_min) * first for base_lr in self.base_lrs]
        )

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule has stored, without the optimizer and functions."""
        return copy.deepcopy(self._own_state())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state; the optimizer's rates are part of *its* state."""
        names = self._own_state().keys()
        if state_dict.keys() != names:
            raise ValueError(
                f"state_dict of {type(self).__name__} must have the entries {sorted(names)}, "
                f"got {sorted(state_dict)}"
            )
        vars(self).update(copy.deepcopy(dict(state_dict)))

    def _own_state(self) -> dict[str, Any]:
        return {name: v for name, v in vars(self).items() if name not in self._not_in_state}

    def _set_learning_rates(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = [float(rate) for rate in rates]


class StepLR(LRScheduler):
    r"""Multiply the learning rate by `gamma` every `step_size` epochs.

    .. math::

        f_t = \gamma^{\lfloor t / s \rfloor}

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    step_size : int
        :math:`s`.
    gamma : float, default=0.1
        :math:`\gamma`.

    Examples
    --------
    >>> from lessons_lib.network import SGD, Parameter
    >>> optimizer = SGD([Parameter([1.0])], lr=1.0)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = check_integer("step_size", step_size, 1)
        self.gamma = check_interval("gamma", gamma, open_low=True)
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        """Return the factor of an epoch."""
        return self.gamma ** (epoch // self.step_size)


class CosineAnnealingLR(LRScheduler):
    r"""Lower the learning rate to `eta_min` along half a cosine wave.

    .. math::

        \eta_t = \eta_\text{min} + (\eta_0 - \eta_\text{min})\, f_t, \qquad
        f_t = \tfrac12 \bigl(1 + \cos(\pi t / T_\text{max})\bigr)

    After :math:`T_\text{max}` the cosine rises again.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    T_max : int
        Epochs to the minimum.
    eta_min : float, default=0.0
        Lowest learning rate.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017,
    equation 5.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = check_integer("T_max", T_max, 1)
        self.eta_min = check_interval("eta_min", eta_min)
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        """Return the factor of an epoch."""
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class LinearLR(LRScheduler):
    r"""Change a factor of the learning rate linearly, then keep it: a warm-up.

    .. math::

        f_t = a + (b-a)\, \frac{\min(t, T)}{T}

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    start_factor : float, default=1/3
        :math:`a`, above 0.
    end_factor : float, default=1.0
        :math:`b`.
    total_iters : int, default=5
        :math:`T`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = check_interval("start_factor", start_factor, open_low=True)
        self.end_factor = check_interval("end_factor", end_factor)
        self.total_iters = check_integer("total_iters", total_iters, 1)
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        """Return the factor of an epoch."""
        done = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class LambdaLR(LRScheduler):
    r"""Multiply the base rate by a function of the epoch: :math:`\eta_t = \eta_0\, f(t)`.

    As in PyTorch, this schedule alone starts from the base rate each time, so that what another
    schedule or a hand has set before is lost.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    lr_lambda : callable
        :math:`f`, from the epoch to a factor.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        """Return the factor of an epoch."""
        return self.lr_lambda(epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the current epoch."""
        factor = self.factor(self.last_epoch)
        return [base_lr * factor for base_lr in self.base_lrs]


class SequentialLR(LRScheduler):
    """One schedule after the other, such as a warm-up and then a cosine.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    schedulers : sequence of LRScheduler
        The schedules, made for this optimizer; each starts from the base rate.
    milestones : sequence of int
        The epochs at which the second, third, ... schedule begin, counting from zero again.

    Examples
    --------
    >>> from lessons_lib.network import SGD, Parameter
    >>> optimizer = SGD([Parameter([1.0])], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> cosine = CosineAnnealingLR(optimizer, T_max=10)
    >>> schedule = SequentialLR(optimizer, [warm_up, cosine], milestones=[3])
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 3) for rate in rates]
    [0.25, 0.5, 0.75, 1.0, 0.976]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
    ) -> None:
        self.schedulers = list(schedulers)
        self.milestones = [check_integer("milestones", milestone, 1) for milestone in milestones]
        if len(self.schedulers) != len(self.milestones) + 1:
            raise ValueError(
                "SequentialLR needs one milestone fewer than schedulers, "
                f"got {len(self.milestones)} and {len(self.schedulers)}"
            )
        if self.milestones != sorted(set(self.milestones)):
            raise ValueError(f"milestones must increase, got {self.milestones}")
        if any(scheduler.optimizer is not optimizer for scheduler in self.schedulers):
            raise ValueError("all schedulers must be made for the optimizer of SequentialLR")
        self.optimizer = optimizer
        self.base_lrs = self.schedulers[0].base_lrs
        # Each schedule has made its first step when it was made; all but the first one must wait.
        self.restart()

    def step(self) -> None:
        """Go to the next epoch, of the schedule whose turn it is."""
        self.last_epoch += 1
        current = self.schedulers[sum(self.last_epoch >= start for start in self.milestones)]
        if self.last_epoch in self.milestones:
            current.restart()
        else:
            current.step()
        self._last_lr = current.get_last_lr()

    def restart(self) -> None:
        """Go to epoch 0, from the base rates."""
        self.last_epoch = 0
        self.schedulers[0].restart()
        self._last_lr = self.schedulers[0].get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return all that this schedule and its parts have stored."""
        parts = [scheduler.state_dict() for scheduler in self.schedulers]
        return {**super().state_dict(), "schedulers": parts}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state; the optimizer's rates are part of *its* state."""
        own = dict(state_dict)
        parts = own.pop("schedulers", [])
        if len(parts) != len(self.schedulers):
            raise ValueError(
                f"state_dict must be of {len(self.schedulers)} schedules, got {len(parts)}"
            )
        super().load_state_dict(own)
        for scheduler, part in zip(self.schedulers, parts, strict=True):
            scheduler.load_state_dict(part)
