r"""Learning-rate schedules: the learning rate as a function of the epoch.

Each schedule is one formula, :math:`\eta_t = f(\eta_0, t)` with :math:`t` the number of times that
``step`` was called, usually once per epoch. (PyTorch computes the same numbers by recursion.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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
    """Base class: sets the optimizer's learning rates, at once and at every ``step``.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates when its first schedule is made are the base rates, one for each group.

    Attributes
    ----------
    base_lrs : list of float
        The base rates.
    last_epoch : int
        :math:`t`, the number of steps so far.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set_learning_rates()

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch` for the base rate `base_lr`."""
        raise NotImplementedError

    def step(self) -> None:
        """Go to the next epoch."""
        self.last_epoch += 1
        self._set_learning_rates()

    def get_last_lr(self) -> list[float]:
        """Return the learning rates in use, one for each group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _set_learning_rates(self) -> None:
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.learning_rate(base_lr, self.last_epoch)


class StepLR(LRScheduler):
    r"""Multiply the learning rate by `gamma` every `step_size` epochs.

    .. math::

        \eta_t = \eta_0\, \gamma^{\lfloor t / s \rfloor}

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

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch`."""
        return base_lr * self.gamma ** (epoch // self.step_size)


class CosineAnnealingLR(LRScheduler):
    r"""Lower the learning rate to `eta_min` along half a cosine wave.

    .. math::

        \eta_t = \eta_\text{min}
        + \tfrac12 (\eta_0 - \eta_\text{min}) \bigl(1 + \cos(\pi t / T_\text{max})\bigr)

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

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch`."""
        wave = 1 + math.cos(math.pi * epoch / self.T_max)
        return self.eta_min + (base_lr - self.eta_min) * wave / 2


class LinearLR(LRScheduler):
    r"""Change a factor of the learning rate linearly, then keep it: a warm-up.

    .. math::

        \eta_t = \eta_0 \Bigl(a + (b-a)\, \frac{\min(t, T)}{T}\Bigr)

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

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch`."""
        done = min(epoch, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * done)


class LambdaLR(LRScheduler):
    r"""Multiply the learning rate by a function of the epoch: :math:`\eta_t = \eta_0\, f(t)`.

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

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch`."""
        return base_lr * self.lr_lambda(epoch)


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
        super().__init__(optimizer)

    def learning_rate(self, base_lr: float, epoch: int) -> float:
        """Return the learning rate at `epoch`."""
        index = sum(epoch >= milestone for milestone in self.milestones)
        start = self.milestones[index - 1] if index else 0
        return self.schedulers[index].learning_rate(base_lr, epoch - start)
