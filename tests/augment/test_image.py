import numpy as np
import pytest
from scipy import ndimage

from lessons_lib.augment import Compose
from lessons_lib.augment import image as im

from ..rounding import assert_close

IMAGES = np.random.default_rng(0).random((6, 9, 12))
COLORS = np.random.default_rng(1).random((6, 9, 12, 3))
both = pytest.mark.parametrize("images", [IMAGES, COLORS], ids=["gray", "color"])

TRANSFORMS = [
    im.RandomRotation(15),
    im.RandomAffine(10, (0.2, 0.2), (0.8, 1.2)),
    im.RandomHorizontalFlip(),
    im.RandomVerticalFlip(),
    im.RandomCrop((7, 8), padding=1),
    im.ColorJitter(0.4, 0.4, 0.4),
    im.GaussianNoise(0.1),
    Compose([im.RandomRotation(15), im.ColorJitter(0.2), im.GaussianNoise(0.1)]),
]
every = pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)


@every
@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_of_every_transform(transform, images, dtype):
    images = images.astype(dtype)
    before = images.copy()
    result = transform(images, 0)
    np.testing.assert_array_equal(images, before)
    size = (7, 8) if isinstance(transform, im.RandomCrop) else images.shape[1:3]
    assert result.shape == (len(images), *size, *images.shape[3:])
    assert result.dtype == dtype
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_array_equal(transform(images, 0), result)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(transform(images, rng), result)
    assert np.any(transform(images, rng) != result)  # the generator went on


@every
def test_each_image_gets_its_own_draw(transform):
    result = transform(np.repeat(IMAGES[:1], 20, axis=0), 0)
    assert len(np.unique(result.reshape(20, -1), axis=0)) > 1


@both
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_rotation_is_that_of_scipy(images, interpolation):
    angles = np.array([0.0, 7.3, -15.0, 41.0, 117.0, -200.0])
    result = im.affine(images, angle=angles, interpolation=interpolation, fill=0.3)
    for one, image, angle in zip(result, images, angles, strict=True):
        options = {"order": 0 if interpolation == "nearest" else 1, "cval": 0.3}
        expected = ndimage.rotate(image, angle, reshape=False, mode="grid-constant", **options)
        np.testing.assert_allclose(one, expected, atol=1e-12)


def test_quarter_turns_are_those_of_numpy():
    square = IMAGES[:, :, :9]
    for turns in range(4):
        expected = np.rot90(square, turns, axes=(1, 2))
        np.testing.assert_allclose(im.affine(square, angle=90 * turns), expected, atol=1e-12)


def test_affine_is_that_of_torch():
    # torchvision's affine is affine_grid with the inverse map, then grid_sample with zeros outside.
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    images = IMAGES[:, :, :9]
    angles = np.array([0.0, 7.3, -15.0, 41.0, 117.0, -200.0])
    scales = np.array([1.0, 0.5, 2.0, 1.3, 0.8, 1.1])
    shifts = np.array([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.5], [0.3, -0.7], [3.0, 3.0], [0.0, 0.0]])
    radians = np.radians(angles)
    inverse = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    inverse = inverse.transpose(2, 0, 1) / scales[:, None, None]  # of (x, y), y pointing down
    offset = -inverse @ (shifts[:, :, None] * 2 / 9)  # the width is 2 in torch's units
    theta = torch.from_numpy(np.concatenate([inverse, offset], axis=2))
    grid = functional.affine_grid(theta, [6, 1, 9, 9], align_corners=False)
    batch = torch.from_numpy(images[:, None])
    expected = functional.grid_sample(batch, grid, align_corners=False)[:, 0].numpy()
    result = im.affine(images, angle=angles, translate=shifts, scale=scales)
    np.testing.assert_allclose(result, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_does_not_lead_out_of_the_range(dtype):
    white = im.affine(np.ones((500, 8, 8), dtype), angle=np.linspace(0, 360, 500), fill=1.0)
    assert np.all(white <= 1)
    np.testing.assert_allclose(white, 1, rtol=1e-6)
    im.GaussianNoise(0.1)(white)  # would complain


def test_affine_moves_right_and_down_and_fills():
    result = im.affine(IMAGES, translate=(2, 1), fill=7.0)
    np.testing.assert_array_equal(result[:, 1:, 2:], IMAGES[:, :-1, :-2])
    assert np.all(result[:, 0] == 7)
    assert np.all(result[:, :, :2] == 7)


def test_random_rotation_and_affine_draw_within_their_ranges():
    angle = np.random.default_rng(3).uniform(-15, 15, 6)
    np.testing.assert_array_equal(im.RandomRotation(15)(IMAGES, 3), im.affine(IMAGES, angle=angle))
    angle = np.random.default_rng(3).uniform(80, 90, 6)
    np.testing.assert_array_equal(
        im.RandomRotation((80, 90))(IMAGES, 3), im.affine(IMAGES, angle=angle)
    )
    # A bright spot in the middle tells where each image went.
    spot = np.zeros((500, 9, 9))
    spot[:, 4, 4] = 1
    moved = im.RandomAffine(translate=(1 / 3, 1 / 9))(spot, 0)
    assert np.all(np.sort(moved.reshape(500, -1), axis=1)[:, -1] == 1)  # whole pixels: no blur
    _, rows, columns = np.nonzero(moved)
    assert sorted(set(rows)) == [3, 4, 5]
    assert sorted(set(columns)) == [1, 2, 3, 4, 5, 6, 7]
    # The area of a disk grows with the square of the scale.
    y, x = np.indices((41, 41)) - 20
    disk = np.broadcast_to((x**2 + y**2 < 81).astype(float), (200, 41, 41))
    areas = im.RandomAffine(scale=(0.5, 2.0))(disk, 0).sum(axis=(1, 2)) / disk[0].sum()
    assert 0.24 < areas.min() < 0.35
    assert 3.5 < areas.max() < 4.05


@both
def test_flips(images):
    np.testing.assert_array_equal(im.RandomHorizontalFlip(1.0)(images), images[:, :, ::-1])
    np.testing.assert_array_equal(im.RandomVerticalFlip(1.0)(images), images[:, ::-1])
    np.testing.assert_array_equal(im.RandomHorizontalFlip(0.0)(images), images)
    many = np.repeat(images[:1], 1000, axis=0)
    for flip, mirrored in [
        (im.RandomHorizontalFlip(0.3), images[0][:, ::-1]),
        (im.RandomVerticalFlip(0.3), images[0][::-1]),
    ]:
        result = flip(many, 0)
        flipped = np.array([np.array_equal(one, mirrored) for one in result])
        np.testing.assert_array_equal(result[~flipped], many[~flipped])
        assert 0.25 < flipped.mean() < 0.35  # 3 standard errors are 0.044


@both
def test_crops_are_windows_of_the_padded_image(images):
    many = np.repeat(images[:1], 300, axis=0)
    around = [(2, 2), (2, 2), (0, 0)][: images.ndim - 1]
    padded = np.pad(images[0], around, constant_values=0.5)  # 13 x 16
    windows = {
        padded[top : top + 11, left : left + 12].tobytes(): (top, left)
        for top in range(3)
        for left in range(5)
    }
    found = [
        windows[one.tobytes()] for one in im.RandomCrop((11, 12), padding=2, fill=0.5)(many, 0)
    ]
    assert len(set(found)) == 15  # every place occurs, the last ones included


def test_a_crop_of_the_whole_image_is_the_image():
    np.testing.assert_array_equal(im.RandomCrop((9, 12))(COLORS), COLORS)
    assert im.RandomCrop(9)(COLORS).shape == (6, 9, 9, 3)


# torchvision.transforms.functional: adjust_* blends with black, with the mean of the gray image or
# with the gray image, and clamps to [0, 1]; gray is 0.2989 r + 0.587 g + 0.114 b. Pixel by pixel:


def clamp(x):
    return min(max(x, 0.0), 1.0)


def gray(pixel):
    return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def torchvision_adjust(kind, image, factor):
    mean = sum(gray(pixel) for row in image for pixel in row) / (image.shape[0] * image.shape[1])
    result = np.empty_like(image)
    for place in np.ndindex(image.shape[:2]):
        other = {"brightness": 0.0, "contrast": mean, "saturation": gray(image[place])}[kind]
        for channel in range(3):
            value = factor * image[(*place, channel)] + (1 - factor) * other
            result[(*place, channel)] = clamp(value)
    return result


@pytest.mark.parametrize("kind", ["brightness", "contrast", "saturation"])
def test_adjustments_are_those_of_torchvision(kind):
    factors = np.array([0.0, 0.3, 1.0, 1.7, 3.0, 0.9])
    result = getattr(im, f"adjust_{kind}")(COLORS, factors)
    expected = [torchvision_adjust(kind, *pair) for pair in zip(COLORS, factors, strict=True)]
    np.testing.assert_allclose(result, expected, atol=1e-12)
    assert result.max() == 1.0  # clamping was tested as well


def test_adjustments_of_gray_images():
    np.testing.assert_allclose(
        im.adjust_contrast(IMAGES, 0.0),
        np.broadcast_to(IMAGES.mean((1, 2))[:, None, None], (6, 9, 12)),
    )
    assert_close(im.adjust_saturation(IMAGES, 3.0), IMAGES, terms=5, condition=3 + 2)
    for adjust in (im.adjust_brightness, im.adjust_contrast, im.adjust_saturation):
        one_channel = adjust(IMAGES[..., np.newaxis], 1.4)
        assert_close(one_channel[..., 0], adjust(IMAGES, 1.4), terms=IMAGES[0].size)
    assert im.adjust_brightness(IMAGES, 2.0, value_range=None).max() > 1.5


def test_color_jitter_applies_the_three_in_random_order():
    kinds = ["brightness", "contrast", "saturation"]
    rng = np.random.default_rng(5)
    factors = [rng.uniform(0.5, 1.5, 6), rng.uniform(0.0, 2.5, 6), rng.uniform(0.9, 1.2, 6)]
    order = rng.permuted(np.tile(np.arange(3), (6, 1)), axis=1)
    assert len(np.unique(order, axis=0)) > 2
    expected = COLORS.copy()
    for i in range(6):
        for k in order[i]:
            expected[i] = torchvision_adjust(kinds[k], expected[i], factors[k][i])
    jitter = im.ColorJitter(brightness=0.5, contrast=1.5, saturation=(0.9, 1.2))
    np.testing.assert_allclose(jitter(COLORS, 5), expected, atol=1e-12)


def test_gaussian_noise_has_its_deviation_and_stays_in_range():
    gray = np.full((50, 20, 20), 0.5)
    noise = im.GaussianNoise(0.1)(gray, 0) - 0.5
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean()) < 0.003
    assert abs(np.corrcoef(noise[:, :, :-1].ravel(), noise[:, :, 1:].ravel())[0, 1]) < 0.03
    assert im.GaussianNoise(1.0)(gray, 0).min() == 0
    assert im.GaussianNoise(1.0)(gray, 0).max() == 1
    assert im.GaussianNoise(1.0, value_range=None)(gray, 0).max() > 1
    assert im.GaussianNoise(5.0, value_range=(0, 16))(16 * gray, 0).max() == 16


def test_compose_is_one_after_the_other_with_one_stream():
    rotate, noise = im.RandomRotation(15), im.GaussianNoise(0.1)
    rng = np.random.default_rng(0)
    expected = noise(rotate(IMAGES, rng), rng)
    np.testing.assert_array_equal(Compose([rotate, noise])(IMAGES, 0), expected)
    nested = Compose([Compose([rotate]), Compose([noise])])
    np.testing.assert_array_equal(nested(IMAGES, 0), expected)
    inverted = Compose([lambda images, random_state: 1 - images])
    np.testing.assert_array_equal(inverted(IMAGES), 1 - IMAGES)
    np.testing.assert_array_equal(Compose([])(IMAGES), IMAGES)


def test_bad_images():
    with pytest.raises(TypeError, match="images must be an array of floats, got int"):
        im.RandomRotation(15)(np.zeros((3, 8, 8), dtype=int))
    with pytest.raises(ValueError, match=r"images must have 3 or 4 dimensions, got"):
        im.RandomHorizontalFlip()(np.zeros((3, 64)))
    with pytest.raises(ValueError, match="images is empty"):
        im.affine(np.zeros((0, 8, 8)))
    with pytest.raises(ValueError, match=r"value_range \(0.0, 1.0\), got values from 0 to 16"):
        im.GaussianNoise()(np.linspace(0, 16, 64).reshape(1, 8, 8))
    with pytest.raises(ValueError, match="images must lie in value_range"):
        im.ColorJitter(0.1)(np.full((1, 8, 8), np.nan))
    with pytest.raises(ValueError, match="images must have 1 or 3 channels"):
        im.adjust_contrast(np.zeros((2, 8, 8, 4)), 1.0)
    with pytest.raises(ValueError, match="padded image's 10 x 10, got 11 x 11"):
        im.RandomCrop(11, padding=1)(np.zeros((2, 8, 8)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: im.RandomRotation(-5), ValueError, "degrees must lie in"),
        (lambda: im.RandomRotation("15"), TypeError, "degrees must be a real number, got '15'"),
        (lambda: im.RandomRotation((5, -5)), ValueError, "degrees must be a pair"),
        (lambda: im.RandomRotation((1, 2, 3)), ValueError, "degrees must be a number or a pair"),
        (lambda: im.RandomAffine(translate=(0.1,)), ValueError, "translate must be a pair"),
        (
            lambda: im.RandomAffine(translate=(0.1, 2)),
            ValueError,
            "translate must lie in",
        ),
        (lambda: im.RandomAffine(scale=(0, 1)), ValueError, "scale must be greater than 0"),
        (lambda: im.RandomHorizontalFlip(1.5), ValueError, r"p must lie in \[0, 1\], got 1.5"),
        (lambda: im.RandomVerticalFlip(-1), ValueError, r"p must lie in \[0, 1\], got -1"),
        (lambda: im.RandomCrop(0), ValueError, "size must be at least 1, got 0"),
        (lambda: im.RandomCrop(8.0), TypeError, "size must be an integer"),
        (lambda: im.RandomCrop((8, 8, 3)), ValueError, "size must be an integer or"),
        (lambda: im.RandomCrop(8, padding=-1), ValueError, "padding must be at least 0"),
        (lambda: im.ColorJitter(contrast=-0.1), ValueError, "contrast must lie in"),
        (lambda: im.ColorJitter(saturation=(-1, 1)), ValueError, "saturation must lie in"),
        (lambda: im.ColorJitter(value_range=(1, 1)), ValueError, "value_range must have"),
        (lambda: im.GaussianNoise(-0.1), ValueError, "sigma must lie in"),
        (lambda: im.affine(IMAGES, scale=0.0), ValueError, "scale must be greater than 0"),
        (
            lambda: im.affine(IMAGES, angle=[1.0, 2.0]),
            ValueError,
            "angle must have shape",
        ),
        (lambda: im.affine(IMAGES, angle=np.inf), ValueError, "angle must be finite"),
        (lambda: im.affine(IMAGES, interpolation="cubic"), ValueError, "interpolation must be"),
        (lambda: im.adjust_brightness(IMAGES, -1.0), ValueError, "factor must be at least 0"),
        (lambda: Compose([3]), TypeError, "transforms must be callable, got 3"),
    ],
)
def test_bad_parameters(make, error, message):
    with pytest.raises(error, match=message):
        make()


EVERY_TRANSFORM = [
    im.RandomRotation(15),
    im.RandomRotation(15, interpolation="nearest"),
    im.RandomAffine(10, (0.2, 0.2), (0.9, 1.1)),
    im.RandomHorizontalFlip(0.5),
    im.RandomVerticalFlip(0.5),
    im.RandomCrop(4, padding=1),
    im.ColorJitter(0.3, 0.3, 0.3, value_range=None),
    im.GaussianNoise(0.1, value_range=None),
]
every_transform = pytest.mark.parametrize(
    "transform", EVERY_TRANSFORM, ids=lambda transform: type(transform).__name__
)


@every_transform
@pytest.mark.parametrize("shape", [(3, 7, 6), (3, 7, 6, 3)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_pixel_spoils_its_neighborhood_only(transform, shape, bad):
    images = np.random.default_rng(0).uniform(0, 1, shape)
    spoiled = images.copy()
    spoiled[1, 3, 2] = bad
    clean, dirty = transform(images, 0), transform(spoiled, 0)
    np.testing.assert_array_equal(dirty[[0, 2]], clean[[0, 2]])
    lost = ~np.isfinite(dirty[1]).reshape(*dirty.shape[1:3], -1).all(axis=2)
    assert lost.sum() <= 9  # the new pixels that lie around an old one
    if not isinstance(transform, im.ColorJitter):  # whose image has another mean now
        np.testing.assert_array_equal(dirty[1][~lost], clean[1][~lost])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_whole_pixels_move_and_leave_nothing_behind(bad):
    image = np.arange(12.0).reshape(1, 3, 4)
    image[0, 1, 1] = bad
    moved = im.affine(image, translate=(1, 0), fill=-1.0)
    np.testing.assert_array_equal(moved[0], np.column_stack([np.full(3, -1.0), image[0, :, :-1]]))
    np.testing.assert_array_equal(im.affine(image), image)
    two = np.array([[[np.inf, -np.inf, 0.0]]])
    with np.errstate(invalid="ignore"):
        half = im.affine(two, translate=(0.5, 0))
    np.testing.assert_array_equal(half[0, 0, :2], [np.inf, np.nan])  # ∞ and 0; ∞ and -∞


@every_transform
@pytest.mark.parametrize("shape", [(3, 7, 6), (3, 7, 6, 3)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_every_float_comes_back(transform, shape, dtype):
    images = np.random.default_rng(0).uniform(0, 1, shape)
    result = transform(images.astype(dtype), 0)
    assert result.dtype == dtype
    expected = transform(images.astype(dtype).astype(np.float64), 0)
    tolerance = 4e-3 if dtype == np.float16 else 1e-5
    np.testing.assert_allclose(result.astype(float), expected, atol=tolerance)


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_what_is_outside_is_finite(fill):
    with pytest.raises(ValueError, match="fill must"):
        im.affine(np.ones((1, 3, 3)), fill=fill)
