r"""What every network is made of: parameters, modules that use them, and modules in a row.

A :class:`Module` is a function with a derivative. ``forward(x)`` computes the output and saves
what the derivative will need; ``backward(grad)`` receives :math:`\partial L/\partial y` for that
output, adds :math:`\partial L/\partial\theta` to every parameter's ``grad`` and returns
:math:`\partial L/\partial x`. Chaining those calls from the last layer to the first *is*
backpropagation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lessons_lib._jitter import jitter
from lessons_lib._validation import check_flag
from lessons_lib.network._common import FloatArray, float_dtype

__all__ = ["Module", "Parameter", "Sequential"]


class Parameter:
    """An array that training changes, and the gradient of the loss with respect to it.

    Assigning to ``data`` or ``grad`` copies the values into the same memory. An optimizer can
    therefore keep all parameters in one long array, of which each ``data`` is a view.

    Parameters
    ----------
    data : array_like of float32 or float64
        Initial values; they are copied, in their memory order.
    regularize : bool, default=True
        Whether a penalty acts on this parameter. Layers set it to False for biases and for the
        scale and shift of batch normalization.

    Attributes
    ----------
    regularize : bool
        As above; it may be changed at any time.

    Examples
    --------
    >>> weight = Parameter([1.0, 2.0])
    >>> weight.grad += 0.5
    >>> weight.data -= 0.1 * weight.grad
    >>> weight.data
    array([0.95, 1.95])
    """

    __slots__ = ("_data", "_grad", "_grad_is_zero", "regularize")

    def __init__(self, data: ArrayLike, *, regularize: bool = True) -> None:
        values = np.array(data)
        float_dtype(values.dtype)
        self._data: FloatArray = jitter(values)
        self._grad: FloatArray = np.empty_like(values)
        self._grad_is_zero = True
        self.regularize = check_flag("regularize", regularize)

    @property
    def data(self) -> FloatArray:
        """The values, an ndarray."""
        return self._data

    @data.setter
    def data(self, values: ArrayLike) -> None:
        if values is not self._data:  # with it `parameter.data -= step` ends
            _copy_into(self._data, jitter(np.asarray(values)), "data")

    @property
    def grad(self) -> FloatArray:
        """The gradient accumulated since the last ``zero_grad``, with the shape of ``data``."""
        self.settle_grad()
        return self._grad

    @grad.setter
    def grad(self, values: ArrayLike) -> None:
        _copy_into(self.grad, values, "grad")

    def zero_grad(self) -> None:
        """Set the gradient to zero; the zeros are written only when somebody asks for them."""
        self._grad_is_zero = True

    def settle_grad(self) -> None:
        """Write the zeros that ``zero_grad`` has promised, unless a sum has replaced them."""
        if self._grad_is_zero:
            self._grad.fill(0)
            self._grad_is_zero = False

    def add_product(self, left: FloatArray, right: FloatArray) -> None:
        """Do ``grad += left @ right``.

        After ``zero_grad`` there is nothing to add to, and the product goes straight to its place:
        no zeros, no temporary matrix and no sum, which saves one twentieth of a training step.
        """
        if self._grad_is_zero:
            np.matmul(left, right, out=self._grad)
            self._grad_is_zero = False
        else:
            self._grad += left @ right

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self._data.shape

    @property
    def size(self) -> int:
        """Number of values."""
        return self._data.size

    def move_to(self, data: FloatArray, grad: FloatArray) -> None:
        """Keep the values but live in other memory, of the same shape, from now on."""
        data[...] = self._data
        grad[...] = self.grad
        self._data, self._grad = data, grad

    def __repr__(self) -> str:
        return f"Parameter(shape={self.shape}, dtype={self._data.dtype})"


def _copy_into(target: FloatArray, values: ArrayLike, name: str) -> None:
    if values is target:  # what `parameter.grad += step` ends with
        return
    if np.shape(values) != target.shape:
        raise ValueError(f"{name} must have shape {target.shape}, got {np.shape(values)}")
    target[...] = values


class Module:
    """Base class: a function of `x` with parameters, and its hand-derived gradient.

    A subclass writes ``forward`` and ``backward``. Its parameters are simply those of its
    attributes that are :class:`Parameter` objects.

    Attributes
    ----------
    training : bool
        True (the default) in training mode; dropout and batch normalization look at it.
    """

    #: Names of attributes that training changes but not by gradient (running statistics).
    _buffer_names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.training = True

    def forward(self, x: FloatArray) -> FloatArray:
        """Compute the output and save what ``backward`` needs."""
        raise NotImplementedError

    def backward(self, grad: FloatArray) -> FloatArray:
        """Add the parameters' gradients to their ``grad``; return the gradient for the input."""
        raise NotImplementedError

    def backward_parameters(self, grad: FloatArray) -> None:
        """Do ``backward`` without the gradient for the input.

        Nobody reads that gradient at a network's first layer, where it costs as much as the rest.
        """
        self.backward(grad)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Call ``forward``."""
        return self.forward(x)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly inside this one, with their names."""
        yield from ()

    def modules(self) -> Iterator[Module]:
        """Yield this module and all modules inside, at any depth."""
        yield self
        for _, child in self.named_children():
            yield from child.modules()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield every parameter with its name, such as ``0.weight``, in forward order."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value
        for child_name, child in self.named_children():
            for name, parameter in child.named_parameters():
                yield f"{child_name}.{name}", parameter

    def parameters(self) -> list[Parameter]:
        """Return all parameters, in forward order."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield every buffer (running statistics) with its name."""
        for name in self._buffer_names:
            if getattr(self, name) is not None:
                yield name, getattr(self, name)
        for child_name, child in self.named_children():
            for name, buffer in child.named_buffers():
                yield f"{child_name}.{name}", buffer

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode (or out of it), here and in all modules inside."""
        self.training = check_flag("mode", mode)
        for _, child in self.named_children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode: no dropout, running statistics in batch normalization."""
        return self.train(False)

    def to(self, dtype: DTypeLike) -> Self:
        """Convert parameters and buffers to float32 or float64; call it before the optimizer."""
        dtype = float_dtype(dtype)
        for value in vars(self).values():
            if isinstance(value, Parameter):
                value.move_to(np.empty_like(value.data, dtype), np.empty_like(value.data, dtype))
        for name in self._buffer_names:
            buffer = getattr(self, name)
            if buffer is not None and np.issubdtype(buffer.dtype, np.floating):
                setattr(self, name, buffer.astype(dtype))
        for _, child in self.named_children():
            child.to(dtype)
        return self

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and buffers, by name."""
        state: dict[str, NDArray[Any]] = {n: p.data.copy() for n, p in self.named_parameters()}
        state.update((name, buffer.copy()) for name, buffer in self.named_buffers())
        return state

    def load_state_dict(self, state_dict: Mapping[str, NDArray[Any]]) -> None:
        """Copy the values of `state_dict`, which must have exactly this module's names."""
        targets: dict[str, NDArray[Any]] = {n: p.data for n, p in self.named_parameters()}
        targets.update(self.named_buffers())
        if targets.keys() != state_dict.keys():
            missing = sorted(targets.keys() - state_dict.keys())
            unknown = sorted(state_dict.keys() - targets.keys())
            raise ValueError(f"state_dict does not fit: missing {missing}, unknown {unknown}")
        for name, target in targets.items():
            _copy_into(target, state_dict[name], f"state_dict[{name!r}]")

    def _describe(self) -> str:
        """Return the arguments shown by ``repr``."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._describe()})"


class Sequential(Module):
    r"""Modules applied one after the other: :math:`f = f_k \circ \dots \circ f_1`.

    Its backward pass is the chain rule,
    :math:`\partial L/\partial x = J_1^\top J_2^\top \cdots J_k^\top\,\partial L/\partial y`, read
    from right to left.

    Parameters
    ----------
    *layers : Module
        The layers, first to last.

    Raises
    ------
    TypeError
        If an argument is not a module.

    Examples
    --------
    >>> from lessons_lib.network import Linear, ReLU
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Linear(4, 8, random_state=rng), ReLU(), Linear(8, 3, random_state=rng))
    >>> model(np.ones((5, 4))).shape
    (5, 3)
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Module) -> None:
        super().__init__()
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(
                    f"Sequential: argument {position} must be a module, got {type(layer).__name__}"
                )
        self.layers = list(layers)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the layers, named by their position."""
        for position, layer in enumerate(self.layers):
            yield str(position), layer

    def forward(self, x: FloatArray) -> FloatArray:
        """Apply the modules in order."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad: FloatArray) -> FloatArray:
        """Apply the modules' backward passes in reverse order."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def backward_parameters(self, grad: FloatArray) -> None:
        """Go back only as far as there are parameters."""
        has_parameters = (any(layer.named_parameters()) for layer in self.layers)
        first = next((i for i, has in enumerate(has_parameters) if has), None)
        if first is None:
            return
        for layer in reversed(self.layers[first + 1 :]):
            grad = layer.backward(grad)
        self.layers[first].backward_parameters(grad)

    def __getitem__(self, position: int) -> Module:
        return self.layers[position]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        lines = (f"  ({name}): {child!r}" for name, child in self.named_children())
        return "\n".join(("Sequential(", *lines, ")"))
