r"""Averages of the weights that training passes through: EMA and SWA.

With a learning rate that does not vanish, weights wander around a minimum. Their mean lies nearer
to it than each of them, and costs one copy of the network instead of an ensemble of many.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network._common import FloatArray
from lessons_lib.network.callbacks import Callback, TrainingState
from lessons_lib.network.module import Module

__all__ = ["AveragedModel", "WeightAveraging"]


class AveragedModel(Module):
    r"""A copy of a network with averages of its parameters.

    The first update copies the parameters, and each later one does

    .. math::

        \bar w \leftarrow \bar w + \frac{w - \bar w}{n + 1} \;\text{ (SWA)}
        \qquad\text{or}\qquad
        \bar w \leftarrow \beta\, \bar w + (1-\beta)\, w \;\text{ (EMA)},

    with :math:`n` the number of updates before. SWA gives all updates the same weight, EMA
    the last :math:`1/(1-\beta)` of them nearly all. Running statistics are copied: after SWA with
    batch normalization, let the average see the training data once in training mode.

    Parameters
    ----------
    model : Module
        The network in training; it is copied.
    decay : float in [0, 1) or None, default=None
        :math:`\beta`; None means equal weights.

    Attributes
    ----------
    module : Module
        The averaged network.
    n_averaged : int
        Number of updates.

    References
    ----------
    B. Polyak, A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control
    and Optimization 30 (1992). P. Izmailov et al., "Averaging Weights Leads to Wider Optima and
    Better Generalization", UAI 2018.

    Examples
    --------
    >>> from lessons_lib.network import Linear
    >>> model = Linear(1, 1, bias=False, random_state=0)
    >>> average = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     model.weight.data = [[value]]
    ...     average.update_parameters(model)
    >>> average.module.weight.data
    array([[3.]])
    """

    def __init__(self, model: Module, decay: float | None = None) -> None:
        super().__init__()
        if decay is not None and check_interval("decay", decay) >= 1.0:
            raise ValueError(f"decay must be less than 1, got {decay!r}")
        self.decay = decay
        self.module = copy.deepcopy(model).eval()
        self.training = False
        self.n_averaged = 0

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the averaged network."""
        yield "module", self.module

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of `model` into the average."""
        old = 1 - 1 / (self.n_averaged + 1) if self.decay is None else self.decay
        if self.n_averaged == 0:
            old = 0.0
        pairs = zip(self.module.parameters(), model.parameters(), strict=True)
        for average, parameter in pairs:
            average.data = old * average.data + (1 - old) * parameter.data
        buffers = dict(model.named_buffers())
        for name, buffer in self.module.named_buffers():
            buffer[...] = buffers[name]
        self.n_averaged += 1

    def forward(self, x: FloatArray) -> FloatArray:
        """Apply the averaged network."""
        return self.module.forward(x)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Go back through the averaged network."""
        return self.module.backward(grad)

    def _describe(self) -> str:
        return f"{self.module!r}, decay={self.decay}"


class WeightAveraging(Callback):
    """Update an average during :func:`fit`.

    Parameters
    ----------
    average : AveragedModel
        Made for the network in training.
    start : int, default=0
        Number of optimizer steps before the first update.
    every : int, default=1
        Number of steps between updates.
    """

    def __init__(self, average: AveragedModel, start: int = 0, every: int = 1) -> None:
        self.average = average
        self.start = check_integer("start", start, 0)
        self.every = check_integer("every", every, 1)

    def on_batch_end(self, state: TrainingState) -> None:
        """Update when it is time."""
        past = state.step - self.start
        if past > 0 and (past - 1) % self.every == 0:
            self.average.update_parameters(state.model)
