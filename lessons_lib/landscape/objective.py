r"""One interface to every loss: a function of one long vector that also returns its gradient.

All of this package asks for an **objective**, ``value, gradient = objective(w)``, which is what
``scipy.optimize.minimize(..., jac=True)`` asks for too. A quadratic is a line of NumPy:

>>> import numpy as np
>>> H = np.diag([3.0, 1.0])
>>> quadratic = lambda w: (0.5 * w @ H @ w, H @ w)
>>> quadratic(np.array([1.0, 2.0]))
(np.float64(3.5), array([3., 2.]))

and a network with a loss and data becomes one by :class:`NetworkLoss`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lessons_lib._validation import FloatArray, check_integer
from lessons_lib.network import (
    Callback,
    Dropout,
    Loss,
    Module,
    Parameter,
    ReLU,
    TrainingState,
    backpropagate,
)

__all__ = [
    "NetworkLoss",
    "Objective",
    "TrajectoryRecorder",
    "parameters_to_vector",
    "vector_to_parameters",
]

#: A function of a vector that returns a number and its gradient.
Objective = Callable[[FloatArray], tuple[float, FloatArray]]


def parameters_to_vector(parameters: Iterable[Parameter]) -> FloatArray:
    """Return all values in one vector, parameter after parameter, each row by row.

    Parameters
    ----------
    parameters : iterable of Parameter
        Usually ``model.parameters()``.

    Returns
    -------
    ndarray of float64 of shape (n_parameters,)
        A copy.

    Examples
    --------
    >>> parameters_to_vector([Parameter([[1.0, 2.0], [3.0, 4.0]]), Parameter([5.0])])
    array([1., 2., 3., 4., 5.])
    """
    pieces = [parameter.data.ravel() for parameter in parameters]
    if not pieces:
        raise ValueError("parameters is empty: there is nothing to put into a vector")
    return np.concatenate(pieces, dtype=np.float64)


def vector_to_parameters(vector: ArrayLike, parameters: Iterable[Parameter]) -> None:
    """Copy the values of a vector into parameters: undo :func:`parameters_to_vector`.

    Parameters
    ----------
    vector : array-like of shape (n_parameters,)
        The values.
    parameters : iterable of Parameter
        Where to; they keep their memory, so that an optimizer can go on from there.

    Raises
    ------
    ValueError
        If there are not as many values as the parameters have.

    Examples
    --------
    >>> weight, bias = Parameter([[0.0, 0.0]]), Parameter([0.0])
    >>> vector_to_parameters([1.0, 2.0, 3.0], [weight, bias])
    >>> weight.data, bias.data
    (array([[1., 2.]]), array([3.]))
    """
    targets = list(parameters)
    values = np.asarray(vector, dtype=np.float64)
    size = sum(parameter.size for parameter in targets)
    if values.shape != (size,):
        raise ValueError(f"vector must have shape ({size},), got {values.shape}.")
    start = 0
    for parameter in targets:
        stop = start + parameter.size
        parameter.data[...] = values[start:stop].reshape(parameter.shape)
        start = stop


class NetworkLoss:
    r"""The loss of a network on some data, as a function of all its parameters.

    .. math::

        L(w) = \frac1n \sum_{i=1}^n \ell\bigl(f_w(x_i),\, y_i\bigr)

    with whatever average the criterion takes. It works in float64 on a copy of the network, made
    when it is created: the network itself never changes, not even if an evaluation fails, and
    training it further does not change this function.

    A landscape must be *one* function, thus dropout is off. Batch normalization uses the running
    statistics, as in evaluation, or those of the data at hand; the two landscapes differ.

    Parameters
    ----------
    model : Module
        The network; only its architecture, buffers and data types matter, the parameters come with
        each call.
    criterion : Loss
        :math:`\ell` and the way to average it.
    X, y : ndarray
        Inputs and targets.
    batch_statistics : bool, default=False
        Whether batch normalization uses mean and variance of `X`, as in a training step with the
        batch `X`, instead of its running statistics.

    Raises
    ------
    ValueError
        If `X` and `y` differ in length or are empty.

    Examples
    --------
    >>> from lessons_lib.network import Linear, MSELoss
    >>> model = Linear(1, 1, bias=False, random_state=0)
    >>> objective = NetworkLoss(model, MSELoss(), np.array([[1.0], [2.0]]), np.zeros((2, 1)))
    >>> objective(np.array([2.0]))  # mean of 2^2 and 4^2; mean of 2*2*1 and 2*4*2
    (10.0, array([10.]))
    """

    def __init__(
        self,
        model: Module,
        criterion: Loss,
        X: ArrayLike,
        y: ArrayLike,
        *,
        batch_statistics: bool = False,
    ) -> None:
        self.X: FloatArray = np.asarray(X, dtype=np.float64)
        self.y: NDArray[Any] = np.asarray(y)
        if len(self.X) != len(self.y) or len(self.X) == 0:
            raise ValueError(
                "X and y must have equally many samples, at least one, "
                f"got {len(self.X)} and {len(self.y)}."
            )
        self.batch_statistics = batch_statistics
        self._criterion = copy.deepcopy(criterion)
        self._model = copy.deepcopy(model).to(np.float64).train(batch_statistics)
        for module in self._model.modules():
            if isinstance(module, Dropout):
                module.eval()

    def __call__(self, w: ArrayLike) -> tuple[float, FloatArray]:
        """Return the loss and its gradient, a vector like `w`, at the parameters `w`."""
        parameters = self._model.parameters()
        vector_to_parameters(w, parameters)
        self._model.zero_grad()
        loss, _ = backpropagate(self._model, self._criterion, self.X, self.y)
        gradients = [parameter.grad.ravel() for parameter in parameters]
        return loss, np.concatenate(gradients)

    def value(self, w: ArrayLike) -> float:
        """Return the loss alone, in less than half the time."""
        vector_to_parameters(w, self._model.parameters())
        return self._criterion(self._model(self.X), self.y)

    def subset(self, indices: Any) -> Self:
        """Return the loss on some of the samples, such as a mini-batch.

        Parameters
        ----------
        indices : slice or sequence of int
            Which samples.

        Returns
        -------
        NetworkLoss
            It shares the copy of the network.
        """
        part = copy.copy(self)
        part.X, part.y = self.X[indices], self.y[indices]
        if len(part.X) == 0:
            raise ValueError("indices must select at least one sample, got none.")
        return part

    def with_fixed_gates(self, w: ArrayLike) -> Self:
        r"""Return the smooth function that this one equals around `w`.

        A ReLU is a gate, open where its input is positive. As long as no gate switches, the network
        is a product of matrices, and the loss has derivatives of every order. Held as they are at
        `w`, the gates extend this piece beyond its borders. Differentiation by backpropagation
        looks at that piece only, and so does the Hessian matrix of a network with ReLUs: what the
        kinks between the pieces add to the curvature of a longer step, it does not see.

        Parameters
        ----------
        w : array-like of shape (n_parameters,)
            Where the gates are read.

        Returns
        -------
        NetworkLoss
            Equal to this one, with its first derivatives, near `w`. Switches of a ``MaxPool2d``
            are not held.
        """
        smooth = copy.copy(self)
        smooth._model = copy.deepcopy(self._model)
        smooth.value(w)  # now every ReLU remembers its gates
        for module in smooth._model.modules():
            if type(module) is ReLU:
                module.__class__ = _FixedGates
        return smooth

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        return f"NetworkLoss({len(self)} samples, {type(self._criterion).__name__})"


class _FixedGates(ReLU):
    """A ReLU that goes on using the gates of its last forward pass."""

    def forward(self, x: Any) -> Any:
        return x * self._positive


class TrajectoryRecorder(Callback):
    """Keep the parameters before the training and after every few steps of it.

    Parameters
    ----------
    every : int, default=1
        Number of optimizer steps between two records.

    Attributes
    ----------
    steps : list of int
        When, in optimizer steps; the first is 0.
    vectors : list of ndarray of shape (n_parameters,)
        The parameters, see :func:`parameters_to_vector`.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = check_integer("every", every, 1)
        self.steps: list[int] = []
        self.vectors: list[FloatArray] = []

    def on_train_begin(self, state: TrainingState) -> None:
        """Forget an earlier training and record the start."""
        self.steps, self.vectors = [], []
        self._record(state)

    def on_batch_end(self, state: TrainingState) -> None:
        """Record each `every`-th step."""
        if state.step % self.every == 0:
            self._record(state)

    def _record(self, state: TrainingState) -> None:
        self.steps.append(state.step)
        self.vectors.append(parameters_to_vector(state.model.parameters()))


def check_point(w: ArrayLike, name: str = "w") -> FloatArray:
    """Return `w` as a float64 vector after checking that it is one, without NaN or infinity."""
    vector = np.asarray(w, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} must be a vector, got shape {vector.shape}.")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    return vector


def value_function(objective: Objective) -> Callable[[FloatArray], float]:
    """Return an objective without its gradient; a network need not compute it at all."""
    if not callable(objective):
        raise TypeError(
            "objective must be a function of a vector that returns value and gradient, such as "
            f"NetworkLoss, got {type(objective).__name__}."
        )
    if isinstance(objective, NetworkLoss):
        return objective.value
    return lambda w: float(objective(w)[0])
