r"""Transforms of images.

A batch has the shape (n_images, height, width) or (n_images, height, width, n_channels), of floats.
Names, parameters and formulas are torchvision's; its channels, however, come first.

:func:`affine` and the ``adjust_`` functions do to every image what they are told. The classes draw
the parameters, for each image its own, and call them.

No transform changes the shape of a batch except :class:`RandomCrop`. Those that move pixels give a
weighted average of old pixels and the fill value, so they stay within the old range; those that
change the brightness clip to a `value_range`. A pixel that is infinite or NaN spoils those new
pixels that it has a share in, and no other; `value_range=None` is needed to let it in.

Whether a transform keeps the *label* is a question that only the task can answer: half a turn makes
a 9 of a 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.augment._transform import (
    Compose,
    FloatArray,
    Range,
    Transform,
    as_range,
    check_floats,
    draw,
)

__all__ = [
    "ColorJitter",
    "Compose",
    "GaussianNoise",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_saturation",
    "affine",
]

Interpolation = Literal["nearest", "bilinear"]
ValueRange = tuple[float, float] | None

_SPLINE_ORDER = {"nearest": 0, "bilinear": 1}

# How bright red, green and blue look (ITU-R BT.601, as torchvision rounds it).
_LUMA = np.array([0.2989, 0.587, 0.114])


def affine(
    images: FloatArray,
    *,
    angle: ArrayLike = 0.0,
    translate: ArrayLike = (0.0, 0.0),
    scale: ArrayLike = 1.0,
    interpolation: Interpolation = "bilinear",
    fill: float = 0.0,
) -> FloatArray:
    r"""Rotate and scale images about their center, then shift them.

    The new image at :math:`p=(\text{row}, \text{column})` is the old one at

    .. math::

        q = c + \tfrac1s R(-\theta)\,(p - t - c), \qquad
        R(\theta) = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta
        \end{pmatrix},

    with the center :math:`c`, interpolated between the four pixels around :math:`q`. Running
    backwards, from the new pixels to the old ones, leaves no holes. Outside, the image continues
    with `fill`.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width) or (n_images, height, width, n_channels)
        The images.
    angle : float or array_like of shape (n_images,), default=0.0
        :math:`\theta` in degrees, counterclockwise. (torchvision's ``rotate`` turns
        counterclockwise as well, its ``affine`` clockwise.)
    translate : array_like of shape (2,) or (n_images, 2), default=(0.0, 0.0)
        Shift to the right and *down* in pixels: :math:`t` with its two entries swapped.
    scale : float or array_like of shape (n_images,), default=1.0
        :math:`s > 0`; above 1 enlarges what is shown.
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        The weighted average of four pixels, or the nearest one.
    fill : float, default=0.0
        Value around the image.

    Returns
    -------
    ndarray of the shape of `images`
        The new images.

    Raises
    ------
    TypeError
        If `images` are not floats.
    ValueError
        If a shape or `interpolation` does not fit, or a parameter is not finite.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> affine(image, angle=90).round(12)
    array([[[2., 4.],
            [1., 3.]]])
    >>> affine(image, translate=(1, 0))
    array([[[0., 1.],
            [0., 3.]]])
    """
    images = _check_images(images)
    n_images = len(images)
    theta = np.radians(_one_per_image("angle", angle, n_images))
    factor = _one_per_image("scale", scale, n_images)
    if np.any(factor <= 0):
        raise ValueError(f"scale must be greater than 0, got {scale!r}.")
    shift = _one_per_image("translate", translate, n_images, (2,))[:, ::-1]
    if interpolation not in _SPLINE_ORDER:
        raise ValueError(f"interpolation must be 'nearest' or 'bilinear', got {interpolation!r}.")

    # (row, column) points down and right, where R turns clockwise: so R(-θ) looks like R(θ).
    cosine, sine = np.cos(theta) / factor, np.sin(theta) / factor
    height, width = images.shape[1:3]
    center_row, center_column = (height - 1) / 2, (width - 1) / 2
    row = np.arange(height)[:, np.newaxis] - _spread(shift[:, 0]) - center_row
    column = np.arange(width) - _spread(shift[:, 1]) - center_column

    check_interval("fill", fill, -np.inf)
    # One call for the whole batch: the number of the image is a third coordinate, always whole.
    coordinates = np.empty((3, n_images, height, width))
    coordinates[0] = _spread(np.arange(n_images))
    coordinates[1] = _spread(cosine) * row + _spread(sine) * column + center_row
    coordinates[2] = _spread(cosine) * column - _spread(sine) * row + center_column
    finite = np.isfinite(images)
    result = _interpolate(np.where(finite, images, 0), coordinates, interpolation, fill)
    for value in () if finite.all() else (np.inf, -np.inf, np.nan):
        found = np.isnan(images) if np.isnan(value) else images == value
        # Interpolated, the places of such pixels are their shares in the new ones; rounding aside.
        share = _interpolate(found.astype(np.float32), coordinates, interpolation, 0.0)
        result[share > 1e-6] += value
    return result


def _interpolate(
    images: FloatArray, coordinates: NDArray[np.float64], interpolation: str, fill: float
) -> FloatArray:
    """Read finite images at the coordinates (image, row, column) of the new pixels."""
    # SciPy knows single and double precision only.
    dtype = images.dtype if images.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    source, result = images.astype(dtype, copy=False), np.empty(images.shape, dtype)
    for channel in np.ndindex(images.shape[3:]):
        ndimage.map_coordinates(
            source[(..., *channel)],
            coordinates,
            output=result[(..., *channel)],
            order=_SPLINE_ORDER[interpolation],
            mode="grid-constant",
            cval=fill,
        )
    # Weights that add up to 1 but for rounding could lead out of the range.
    np.clip(result, min(source.min(), fill), max(source.max(), fill), out=result)
    return result.astype(images.dtype, copy=False)


def adjust_brightness(
    images: FloatArray, factor: ArrayLike, *, value_range: ValueRange = (0.0, 1.0)
) -> FloatArray:
    r"""Multiply images by a factor: :math:`x' = \operatorname{clip}(f x)`.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width) or (n_images, height, width, n_channels)
        The images, with one or three channels.
    factor : float or array_like of shape (n_images,)
        :math:`f \ge 0`: 0 gives black, 1 the same image.
    value_range : tuple of float or None, default=(0.0, 1.0)
        Black and white: images must lie between them and are clipped there. None: no limits.

    Returns
    -------
    ndarray of the shape of `images`
        The new images.

    Raises
    ------
    TypeError
        If `images` are not floats.
    ValueError
        If a shape does not fit, an image is outside `value_range`, or `factor` is negative.

    Notes
    -----
    As torchvision's ``adjust_brightness``, where black is 0; so it is here.
    """
    images, factors = _check_adjustment(images, factor, value_range)
    return _blend(images, _black(images), factors, value_range)


def adjust_contrast(
    images: FloatArray, factor: ArrayLike, *, value_range: ValueRange = (0.0, 1.0)
) -> FloatArray:
    r"""Move the pixels away from the mean gray of their image, or towards it.

    .. math:: x' = \operatorname{clip}\bigl(f x + (1 - f)\, m\bigr), \qquad
              m = \text{mean of } 0.2989\,r + 0.587\,g + 0.114\,b

    Parameters
    ----------
    images, value_range
        As in :func:`adjust_brightness`.
    factor : float or array_like of shape (n_images,)
        :math:`f \ge 0`: 0 gives one gray, 1 the same image.

    Notes
    -----
    As torchvision's ``adjust_contrast``. Returns and raises what :func:`adjust_brightness` does.
    """
    images, factors = _check_adjustment(images, factor, value_range)
    return _blend(images, _mean_gray(images), factors, value_range)


def adjust_saturation(
    images: FloatArray, factor: ArrayLike, *, value_range: ValueRange = (0.0, 1.0)
) -> FloatArray:
    r"""Move every pixel away from the gray of its brightness, or towards it.

    .. math:: x' = \operatorname{clip}\bigl(f x + (1 - f)\, g\bigr), \qquad
              g = 0.2989\,r + 0.587\,g + 0.114\,b \text{ of the pixel}

    Parameters
    ----------
    images, value_range
        As in :func:`adjust_brightness`; images without colors stay as they are.
    factor : float or array_like of shape (n_images,)
        :math:`f \ge 0`: 0 gives a gray image, 1 the same image.

    Notes
    -----
    As torchvision's ``adjust_saturation``. Returns and raises what :func:`adjust_brightness` does.
    """
    images, factors = _check_adjustment(images, factor, value_range)
    return _blend(images, _pixel_gray(images), factors, value_range)


class _ImageTransform(Transform[FloatArray]):
    def _check(self, data: FloatArray) -> FloatArray:
        return _check_images(data)


@dataclass(frozen=True)
class RandomRotation(_ImageTransform):
    """Rotate each image by a random angle.

    Parameters
    ----------
    degrees : float or (float, float)
        The angle is uniform in ±degrees, or between the two, counterclockwise.
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between pixels, see :func:`affine`.
    fill : float, default=0.0
        Value of what was outside.

    Examples
    --------
    >>> RandomRotation(15)(np.ones((3, 8, 8)), random_state=0).shape
    (3, 8, 8)
    """

    degrees: Range
    interpolation: Interpolation = "bilinear"
    fill: float = 0.0

    def __post_init__(self) -> None:
        as_range("degrees", self.degrees)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        angle = draw(as_range("degrees", self.degrees), len(images), rng)
        return affine(images, angle=angle, interpolation=self.interpolation, fill=self.fill)


@dataclass(frozen=True)
class RandomAffine(_ImageTransform):
    """Rotate, scale and shift each image at random.

    Parameters
    ----------
    degrees : float or (float, float), default=0.0
        As in :class:`RandomRotation`.
    translate : (float, float), default=(0.0, 0.0)
        Largest shift to each side, horizontally and vertically, as fractions of width and height.
        Shifts are rounded to whole pixels, so that they alone do not blur.
    scale : (float, float), default=(1.0, 1.0)
        The factor is uniform between the two; above 1 enlarges.
    interpolation, fill
        As in :class:`RandomRotation`.

    Examples
    --------
    >>> zoom = RandomAffine(scale=(0.8, 1.2))
    >>> shift = RandomAffine(translate=(0.25, 0.25))  # by up to 2 of 8 pixels
    >>> image = np.ones((1, 8, 8))
    >>> float(zoom(image, random_state=0).max()), float(shift(image, random_state=0).min())
    (1.0, 0.0)
    """

    degrees: Range = 0.0
    translate: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    interpolation: Interpolation = "bilinear"
    fill: float = 0.0

    def __post_init__(self) -> None:
        as_range("degrees", self.degrees)
        if len(self.translate) != 2:
            raise ValueError(f"translate must be a pair of fractions, got {self.translate!r}.")
        for fraction in self.translate:
            check_interval("translate", fraction, 0.0, 1.0)
        if self._scales()[0] == 0:
            raise ValueError(f"scale must be greater than 0, got {self.scale!r}.")

    def _scales(self) -> tuple[float, float]:
        return as_range("scale", tuple(self.scale), low=0.0)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        n_images, height, width = images.shape[:3]
        largest = np.multiply(self.translate, (width, height))
        return affine(
            images,
            angle=draw(as_range("degrees", self.degrees), n_images, rng),
            translate=np.round(rng.uniform(-largest, largest, (n_images, 2))),
            scale=draw(self._scales(), n_images, rng),
            interpolation=self.interpolation,
            fill=self.fill,
        )


@dataclass(frozen=True)
class RandomHorizontalFlip(_ImageTransform):
    """Mirror each image left to right with probability `p`.

    Parameters
    ----------
    p : float in [0, 1], default=0.5
        The probability.
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        check_interval("p", self.p, 0.0, 1.0)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        chosen = rng.random(len(images)) < self.p
        result = images.copy()
        result[chosen] = images[chosen][:, :, ::-1]
        return result


@dataclass(frozen=True)
class RandomVerticalFlip(_ImageTransform):
    """Mirror each image top to bottom with probability `p`.

    Parameters
    ----------
    p : float in [0, 1], default=0.5
        As in :class:`RandomHorizontalFlip`.
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        check_interval("p", self.p, 0.0, 1.0)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        chosen = rng.random(len(images)) < self.p
        result = images.copy()
        result[chosen] = images[chosen][:, ::-1]
        return result


@dataclass(frozen=True)
class RandomCrop(_ImageTransform):
    """Cut a window of a fixed size out of each image, at a random place.

    *Changes the shape*: height and width become `size`. With a padding of `k` and the image's own
    size, it is a shift by up to `k` pixels.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the window; an int means a square.
    padding : int, default=0
        Pixels to add on all four sides first.
    fill : float, default=0.0
        Their value.

    Raises
    ------
    ValueError
        When called, if the padded images are smaller than the window.

    Examples
    --------
    >>> RandomCrop(28)(np.ones((5, 32, 32)), random_state=0).shape
    (5, 28, 28)
    >>> RandomCrop(8, padding=1)(np.ones((1, 8, 8)), random_state=1)[0, :2, :3]
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """

    size: int | tuple[int, int]
    padding: int = 0
    fill: float = 0.0

    def __post_init__(self) -> None:
        check_integer("padding", self.padding, 0)
        self._window()

    def _window(self) -> tuple[int, int]:
        pair = isinstance(self.size, tuple | list)
        sizes: Any = self.size if pair else (self.size, self.size)
        if len(sizes) != 2:
            raise ValueError(f"size must be an integer or (height, width), got {self.size!r}.")
        return check_integer("size", sizes[0], 1), check_integer("size", sizes[1], 1)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        height, width = self._window()
        around = ((0, 0), *[(self.padding, self.padding)] * 2, *[(0, 0)] * (images.ndim - 3))
        padded = np.pad(images, around, constant_values=self.fill)
        if padded.shape[1] < height or padded.shape[2] < width:
            raise ValueError(
                f"size must be at most the padded image's {padded.shape[1]} x {padded.shape[2]}, "
                f"got {height} x {width}."
            )
        top = rng.integers(padded.shape[1] - height + 1, size=len(images))
        left = rng.integers(padded.shape[2] - width + 1, size=len(images))
        rows = top[:, np.newaxis, np.newaxis] + np.arange(height)[:, np.newaxis]
        columns = left[:, np.newaxis, np.newaxis] + np.arange(width)
        windows: FloatArray = padded[_spread(np.arange(len(images))), rows, columns]
        return windows


@dataclass(frozen=True)
class ColorJitter(_ImageTransform):
    """Change brightness, contrast and saturation of each image at random, in random order.

    Parameters
    ----------
    brightness, contrast, saturation : float or (float, float), default=0.0
        The factor of :func:`adjust_brightness`, :func:`adjust_contrast` and
        :func:`adjust_saturation` is uniform in 1 ± this number, but never negative, or between
        the two.
    value_range : tuple of float or None, default=(0.0, 1.0)
        As in :func:`adjust_brightness`.

    Examples
    --------
    >>> jitter = ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2)
    >>> jitter(np.full((4, 8, 8, 3), 0.5), random_state=0).shape
    (4, 8, 8, 3)
    """

    brightness: Range = 0.0
    contrast: Range = 0.0
    saturation: Range = 0.0
    value_range: ValueRange = (0.0, 1.0)

    def __post_init__(self) -> None:
        _check_value_range(self.value_range)
        self._factor_ranges()

    def _factor_ranges(self) -> list[tuple[float, float]]:
        names = ("brightness", "contrast", "saturation")
        return [as_range(name, getattr(self, name), center=1.0, low=0.0) for name in names]

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        factors = np.array([draw(bounds, len(images), rng) for bounds in self._factor_ranges()])
        order = rng.permuted(np.tile(np.arange(3), (len(images), 1)), axis=1)
        result, _ = _check_adjustment(images, 1.0, self.value_range)
        for step in order.T:  # for each image, which of the three adjustments has its turn
            others = (_black(result), _mean_gray(result), _pixel_gray(result))
            other = np.choose(step.reshape(-1, *[1] * (images.ndim - 1)), others)
            factor = factors[step, np.arange(len(images))]
            result = _blend(result, other, factor, self.value_range)
        return result


@dataclass(frozen=True)
class GaussianNoise(_ImageTransform):
    r"""Add independent noise to each pixel: :math:`x' = \operatorname{clip}(x + \sigma z)`.

    Parameters
    ----------
    sigma : float, default=0.1
        Standard deviation :math:`\sigma` of the noise, in units of the pixels.
    value_range : tuple of float or None, default=(0.0, 1.0)
        As in :func:`adjust_brightness`. A black pixel can thus only become lighter.

    Examples
    --------
    >>> noisy = GaussianNoise(0.1)(np.full((2, 8, 8), 0.5), random_state=0)
    >>> bool(0.05 < noisy.std() < 0.15)
    True
    """

    sigma: float = 0.1
    value_range: ValueRange = (0.0, 1.0)

    def __post_init__(self) -> None:
        check_interval("sigma", self.sigma)
        _check_value_range(self.value_range)

    def _apply(self, images: FloatArray, rng: np.random.Generator) -> FloatArray:
        _check_within(images, self.value_range)
        noise = rng.standard_normal(images.shape).astype(images.dtype)
        return _clip(images + self.sigma * noise, self.value_range)


def _check_images(images: FloatArray) -> FloatArray:
    return check_floats("images", images, (3, 4))


def _check_value_range(value_range: ValueRange) -> None:
    if value_range is not None:
        low, high = as_range("value_range", value_range)
        if low == high:
            raise ValueError(f"value_range must have a length, got {value_range!r}.")


def _check_within(images: FloatArray, value_range: ValueRange) -> None:
    if value_range is None:
        return
    low, high = images.min(), images.max()
    if not (value_range[0] <= low and high <= value_range[1]):
        raise ValueError(
            f"images must lie in value_range {value_range}, got values from {low:g} to {high:g}; "
            "scale them, or say what their range is."
        )


def _one_per_image(
    name: str, value: ArrayLike, n_images: int, shape: tuple[int, ...] = ()
) -> NDArray[np.float64]:
    """Return one finite value for each image; one for all is repeated."""
    values = np.asarray(value, dtype=np.float64)
    if values.shape not in (shape, (n_images, *shape)):
        raise ValueError(
            f"{name} must have shape {shape} or {(n_images, *shape)}, got {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got {value!r}.")
    return values if values.shape != shape else np.broadcast_to(values, (n_images, *shape))


def _check_adjustment(
    images: FloatArray, factor: ArrayLike, value_range: ValueRange
) -> tuple[FloatArray, NDArray[np.float64]]:
    images = _check_images(images)
    if images.ndim == 4 and images.shape[3] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels on the last axis, got {images.shape}.")
    _check_value_range(value_range)
    _check_within(images, value_range)
    factors = _one_per_image("factor", factor, len(images))
    if np.any(factors < 0):
        raise ValueError(f"factor must be at least 0, got {factor!r}.")
    return images, factors


def _spread(values: NDArray[Any]) -> NDArray[Any]:
    """Give one value per image two more axes, to go with rows and columns."""
    return values[:, np.newaxis, np.newaxis]


def _like(images: FloatArray, values: FloatArray) -> FloatArray:
    """Give one value per image as many axes as `images` have."""
    return values.reshape(-1, *[1] * (images.ndim - 1))


def _gray(images: FloatArray) -> FloatArray:
    """Return the brightness of each pixel, of shape (n_images, height, width)."""
    if images.ndim == 3:
        return images
    if images.shape[3] == 1:
        return images[..., 0]
    return images @ _LUMA.astype(images.dtype)


def _black(images: FloatArray) -> FloatArray:
    """Return what `adjust_brightness` blends with."""
    return np.zeros_like(images)


def _mean_gray(images: FloatArray) -> FloatArray:
    """Return what `adjust_contrast` blends with."""
    gray = _gray(images)
    finite = np.isfinite(gray)
    if finite.all():
        return _like(images, gray.mean(axis=(1, 2)))
    # A bad pixel must not spoil its image; where all are bad, so is the mean.
    used = finite | ~finite.any(axis=(1, 2), keepdims=True)
    return _like(images, gray.mean(axis=(1, 2), where=used))


def _pixel_gray(images: FloatArray) -> FloatArray:
    """Return what `adjust_saturation` blends with."""
    gray = _gray(images)
    return gray if images.ndim == 3 else gray[..., np.newaxis]


def _blend(
    images: FloatArray, other: FloatArray, factors: FloatArray, value_range: ValueRange
) -> FloatArray:
    weight = _like(images, factors).astype(images.dtype)
    with np.errstate(invalid="ignore"):  # an infinite pixel may become NaN, for all to see
        return _clip(weight * images + (1 - weight) * other, value_range)


def _clip(images: FloatArray, value_range: ValueRange) -> FloatArray:
    return images if value_range is None else np.clip(images, *value_range)
