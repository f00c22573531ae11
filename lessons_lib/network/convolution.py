"""Convolution and pooling of images, without a loop over pixels.

An image batch is ``(n_samples, channels, height, width)``, as in PyTorch. Inside, the channels come
last: then every window is made of a few contiguous runs of memory, which copy fast.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from lessons_lib._validation import check_flag, check_integer
from lessons_lib.network._common import (
    FloatArray,
    after_forward,
    check_batch,
    check_grad,
    column_sums,
    pair,
)
from lessons_lib.network.layers import uniform_fan_in
from lessons_lib.network.module import Module, Parameter

__all__ = ["Conv2d", "MaxPool2d"]


class Conv2d(Module):
    r"""Cross-correlation of images with learned kernels: the same weights at every position.

    .. math::

        Y_{n,o,i,j} = b_o + \sum_{c,r,s} W_{o,c,r,s}\; X_{n,c,\,i t + r,\,j t + s}

    for stride :math:`t` and padded `X`. Copying the window of each position into a row of a matrix
    :math:`C` turns the sum into :math:`Y = C W^\top + b`, a :class:`Linear` layer, so

    .. math::

        \frac{\partial L}{\partial W} = G^\top C, \quad
        \frac{\partial L}{\partial b} = \sum_{n,i,j} G_{n,\cdot,i,j}, \quad
        \frac{\partial L}{\partial X_{n,c,p,q}}
        = \sum_{r,s} \sum_{i,j:\; it+r=p,\, jt+s=q} \sum_o W_{o,c,r,s}\, G_{n,o,i,j} .

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_size : int or pair of int
        Rows and columns of a kernel.
    stride : int or pair of int, default=1
        Distance between neighboring windows.
    padding : int or pair of int, default=0
        Rows and columns of zeros added on each side.
    bias : bool, default=True
        Whether to add `b`.
    dtype : float32 or float64, default=float64
        Type of the parameters, which the input must share.
    random_state : int, Generator or None, default=None
        Source of the initial values, see :func:`uniform_fan_in` with
        :math:`n_\text{in}` = in_channels × rows × columns.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels, rows, columns)
        `W`.
    bias : Parameter of shape (out_channels,) or None
        `b`; penalties leave it alone.

    Examples
    --------
    >>> layer = Conv2d(1, 16, 3, padding=1, random_state=0)
    >>> layer(np.ones((2, 1, 8, 8))).shape
    (2, 16, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        *,
        bias: bool = True,
        dtype: DTypeLike = np.float64,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = check_integer("in_channels", in_channels, 1)
        self.out_channels = check_integer("out_channels", out_channels, 1)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", stride)
        self.padding = pair("padding", padding, minimum=0)
        rng = np.random.default_rng(random_state)
        shape = (out_channels, in_channels, *self.kernel_size)
        fan_in = int(np.prod(shape[1:]))
        self.weight = Parameter(uniform_fan_in(shape, fan_in, dtype=dtype, random_state=rng))
        self.bias: Parameter | None = None
        if check_flag("bias", bias):
            start = uniform_fan_in((out_channels,), fan_in, dtype=dtype, random_state=rng)
            self.bias = Parameter(start, regularize=False)
        self._saved: tuple[FloatArray, tuple[int, ...], tuple[int, ...]] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Map (n_samples, in_channels, height, width) to (n_samples, out_channels, ...)."""
        check_batch(self, x, (4,), self.in_channels, self.weight.data.dtype)
        padded = _pad(x.transpose(0, 2, 3, 1), self.padding, 0)
        n, (height, width) = len(x), _output_size(self, padded)
        # C: row (n, i, j) is one window; column block k holds what kernel element k meets.
        elements = self.kernel_size[0] * self.kernel_size[1]
        windows = np.empty((n, height, width, elements, self.in_channels), x.dtype)
        for k, view in enumerate(_shifted_views(self, padded)):
            windows[:, :, :, k] = view
        columns = windows.reshape(n * height * width, -1)
        y = columns @ self._kernel_matrix()
        if self.bias is not None:
            y += self.bias.data
        y = y.reshape(n, height, width, self.out_channels).transpose(0, 3, 1, 2)
        self._saved = columns, padded.shape, y.shape
        return y

    def backward_parameters(self, grad: FloatArray) -> None:
        """Accumulate the gradients of weight and bias."""
        columns, _, shape = after_forward(self, self._saved)
        check_grad(self, grad, shape)
        g = grad.transpose(0, 2, 3, 1).reshape(-1, self.out_channels)
        grad_weight = (columns.T @ g).reshape(*self.kernel_size, self.in_channels, -1)
        self.weight.grad += grad_weight.transpose(3, 2, 0, 1)
        if self.bias is not None:
            self.bias.grad += column_sums(g)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the parameters' gradients; return the gradient for the input."""
        self.backward_parameters(grad)
        _, padded_shape, (n, _, height, width) = after_forward(self, self._saved)
        g = grad.transpose(0, 2, 3, 1).reshape(-1, self.out_channels)
        grad_padded: FloatArray = np.zeros(padded_shape, grad.dtype)
        # A kernel element has read a shifted copy of the image: it sends its share back there.
        elements = self.weight.data.reshape(self.out_channels, self.in_channels, -1)
        for k, view in enumerate(_shifted_views(self, grad_padded)):
            view += (g @ elements[:, :, k]).reshape(n, height, width, -1)
        return _unpad(grad_padded, self.padding).transpose(0, 3, 1, 2)

    def _kernel_matrix(self) -> FloatArray:
        """Return the weight as a matrix with one row per element of a window."""
        return self.weight.data.transpose(2, 3, 1, 0).reshape(-1, self.out_channels)

    def _describe(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class MaxPool2d(Module):
    r"""Largest value of each window, channel by channel.

    .. math::

        Y_{n,c,i,j} = \max_{r,s} X_{n,c,\,it+r,\,jt+s}

    The gradient goes to the element that was the largest; among equals, to the first in reading
    order, as in PyTorch.

    Parameters
    ----------
    kernel_size : int or pair of int
        Rows and columns of a window.
    stride : int or pair of int or None, default=None
        Distance between neighboring windows; None means `kernel_size`, windows side by side.
    padding : int or pair of int, default=0
        Rows and columns of minus infinity added on each side, at most half of `kernel_size`.

    Examples
    --------
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = pair("padding", padding, minimum=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding must be at most half of kernel_size {self.kernel_size}, got {padding!r}"
            )
        self._saved: tuple[FloatArray, FloatArray] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Map (n_samples, channels, height, width) to (n_samples, channels, ...)."""
        check_batch(self, x, (4,))
        padded = _pad(x.transpose(0, 2, 3, 1), self.padding, -np.inf)
        first, *others = _shifted_views(self, padded)
        y = first.copy()
        for view in others:
            np.maximum(y, view, out=y)
        self._saved = padded, y
        return y.transpose(0, 3, 1, 2)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Send each gradient to the place of its window's maximum."""
        padded, y = after_forward(self, self._saved)
        check_grad(self, grad, y.transpose(0, 3, 1, 2).shape)
        g = grad.transpose(0, 2, 3, 1)
        grad_padded = np.zeros_like(padded)
        searching = np.ones(y.shape, np.bool_)  # windows whose maximum is not found yet
        for view, grad_view in zip(
            _shifted_views(self, padded), _shifted_views(self, grad_padded), strict=True
        ):
            found = (view == y) & searching
            grad_view += g * found
            searching &= ~found
        return _unpad(grad_padded, self.padding).transpose(0, 3, 1, 2)

    def _describe(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _output_size(layer: Conv2d | MaxPool2d, image: FloatArray) -> tuple[int, int]:
    """Return the number of windows along the rows and columns of padded channels-last images."""
    size = image.shape[1:3]
    if any(k > s for k, s in zip(layer.kernel_size, size, strict=True)):
        raise ValueError(
            f"{type(layer).__name__}: kernel_size {layer.kernel_size} is larger than the padded "
            f"image {size}"
        )
    height, width = (
        (s - k) // stride + 1
        for s, k, stride in zip(size, layer.kernel_size, layer.stride, strict=True)
    )
    return height, width


def _shifted_views(layer: Conv2d | MaxPool2d, image: FloatArray) -> Iterator[FloatArray]:
    """Yield, for each kernel element, the view of the pixels that it meets in all windows."""
    height, width = _output_size(layer, image)
    down, right = layer.stride
    for row in range(layer.kernel_size[0]):
        for column in range(layer.kernel_size[1]):
            yield image[
                :, row : row + down * height : down, column : column + right * width : right
            ]


def _pad(image: FloatArray, padding: tuple[int, int], value: float) -> FloatArray:
    """Surround channels-last images with a constant."""
    down, right = padding
    if down == right == 0:
        return image
    n, height, width, channels = image.shape
    shape = (n, height + 2 * down, width + 2 * right, channels)
    padded: FloatArray = np.full(shape, value, image.dtype)
    padded[:, down : down + height, right : right + width] = image
    return padded


def _unpad(padded: FloatArray, padding: tuple[int, int]) -> FloatArray:
    """Cut off what :func:`_pad` added."""
    down, right = padding
    return padded[:, down : padded.shape[1] - down, right : padded.shape[2] - right]
