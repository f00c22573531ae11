"""What all transforms have in common, and checks of their parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_interval

__all__ = ["Compose", "FloatArray", "RandomState", "Transform", "as_range", "check_floats", "draw"]

#: An array of float32 or float64; a transform returns the type that it got.
FloatArray = NDArray[np.floating[Any]]
RandomState = int | np.random.Generator | None
Range = float | tuple[float, float]

Data = TypeVar("Data")


class Transform(ABC, Generic[Data]):
    """Base class of the random transforms: a call turns a batch into a batch.

    Subclasses are frozen dataclasses whose fields are the parameters. They keep no state, so that
    one object can serve any number of experiments at once.
    """

    def __call__(self, data: Data, random_state: RandomState = None) -> Data:
        """Return a transformed copy of a batch; each item gets its own draw.

        Parameters
        ----------
        data : array or list of str
            The batch; the class says which shapes it takes. It is not changed.
        random_state : int, Generator or None, default=None
            Source of the draws. A generator continues its stream, so that every epoch sees other
            draws; an int draws the same again.

        Returns
        -------
        array or list of str
            As many items, in the same order, so that the labels still fit.
        """
        return self._apply(self._check(data), np.random.default_rng(random_state))

    def _check(self, data: Data) -> Data:
        """Raise if `data` is no batch that the transform takes."""
        return data

    @abstractmethod
    def _apply(self, data: Data, rng: np.random.Generator) -> Data:
        """Return the transformed batch."""


class _Callable(Protocol[Data]):
    def __call__(self, data: Data, random_state: RandomState = None, /) -> Data: ...


@dataclass(frozen=True)
class Compose(Transform[Data]):
    """Apply several transforms one after the other, with one stream of random numbers.

    Parameters
    ----------
    transforms : sequence of callable
        The transforms in their order, all for the same kind of data. Any function of
        ``(data, random_state)`` will do.

    Raises
    ------
    TypeError
        If one of them is not callable.

    Examples
    --------
    >>> import numpy as np
    >>> from lessons_lib.augment.image import GaussianNoise, RandomRotation
    >>> augment = Compose([RandomRotation(15), GaussianNoise(0.05)])
    >>> augment(np.zeros((10, 8, 8)), random_state=0).shape
    (10, 8, 8)
    """

    transforms: Sequence[_Callable[Data]]

    def __post_init__(self) -> None:
        steps = tuple(self.transforms)
        for step in steps:
            if not callable(step):
                raise TypeError(f"transforms must be callable, got {step!r}.")
        object.__setattr__(self, "transforms", steps)

    def _apply(self, data: Data, rng: np.random.Generator) -> Data:
        for transform in self.transforms:
            data = transform(data, rng)
        return data


def as_range(
    name: str, value: object, *, center: float = 0.0, low: float = -np.inf
) -> tuple[float, float]:
    """Return ``(from, to)`` of a parameter that is such a pair, or one number: center ± number.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        What the caller passed: a pair, or a number of at least 0.
    center : float, default=0.0
        Middle of the range of one number.
    low : float, default=-inf
        Least value allowed. The range of one number is cut there; a pair must not go below.

    Returns
    -------
    tuple of float
        Ends of the range.

    Raises
    ------
    TypeError
        If it is neither a number nor a pair of numbers.
    ValueError
        If it is negative, not finite, in the wrong order or below `low`.
    """
    if not isinstance(value, tuple | list):
        radius = check_interval(name, value)
        return max(center - radius, low), center + radius
    if len(value) != 2:
        raise ValueError(f"{name} must be a number or a pair (from, to), got {value!r}.")
    first, last = (check_interval(name, end, low) for end in value)
    if first > last:
        raise ValueError(f"{name} must be a pair (from, to) in this order, got {value!r}.")
    return first, last


def draw(bounds: tuple[float, float], size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw `size` numbers, uniform between `bounds`."""
    return rng.uniform(*bounds, size)


def check_floats(
    name: str, array: object, ndims: tuple[int, ...] | None = None, *, finite: bool = False
) -> FloatArray:
    """Return `array` if it is a non-empty array of floats with a fitting rank, else raise.

    With `finite`, NaN and infinity are refused too.
    """
    result = np.asarray(array)
    if result.dtype.kind != "f":
        raise TypeError(
            f"{name} must be an array of floats, got {result.dtype}; convert it, and scale it to "
            "the range that you want to work with."
        )
    if ndims is not None and result.ndim not in ndims:
        wanted = " or ".join(str(ndim) for ndim in ndims)
        raise ValueError(f"{name} must have {wanted} dimensions, got shape {result.shape}.")
    if result.size == 0:
        raise ValueError(f"{name} is empty, got shape {result.shape}.")
    if finite and not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    return result
