"""Whatever a batch looks like: the same result for the same numbers, in its type, and no change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lessons_lib.augment import audio, image, tabular

FEW = settings(max_examples=12, derandomize=True, deadline=None)

IMAGES = [
    image.RandomRotation(30),
    image.RandomRotation(30, interpolation="nearest", fill=1.0),
    image.RandomAffine(10, (0.2, 0.2), (0.5, 2.0)),
    image.RandomHorizontalFlip(),
    image.RandomVerticalFlip(),
    image.RandomCrop(1),
    image.RandomCrop((2, 1), padding=1),
    image.ColorJitter(0.3, 0.3, 0.3, value_range=None),
    image.GaussianNoise(0.1, value_range=None),
]
TABLES = [tabular.InputNoise(), tabular.Jitter(), tabular.MaskingNoise()]
SOUNDS = [
    audio.RandomTimeStretch(n_fft=8),
    audio.RandomPitchShift(n_fft=8),
    audio.BackgroundNoise(),
]

NUMBERS = st.floats(-1e3, 1e3, width=32)
BATCHES = {
    "images": st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)),
    "colors": st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.just(3)),
    "rows": st.tuples(st.integers(1, 6), st.integers(1, 4)),
    "sounds": st.tuples(st.integers(1, 2), st.integers(8, 40)),
}
CASES = [
    *((t, kind) for t in IMAGES for kind in ("images", "colors")),
    *((t, "rows") for t in TABLES),
    *((t, "sounds") for t in SOUNDS),
]


def forms(batch):
    """Return the same numbers in many forms of memory."""
    read_only = batch.copy()
    read_only.flags.writeable = False
    wide = np.repeat(batch, 2, axis=-1)
    return [np.asfortranarray(batch), read_only, wide[..., ::2], batch[::-1].copy()[::-1]]


@pytest.mark.parametrize(
    ("transform", "kind"), CASES, ids=[f"{type(t).__name__}-{kind}" for t, kind in CASES]
)
@FEW
@given(data=st.data(), seed=st.integers(0, 99))
def test_the_form_of_a_batch_does_not_matter(transform, kind, data, seed):
    shape = data.draw(BATCHES[kind])
    batch = data.draw(arrays(np.float64, shape, elements=NUMBERS))
    if kind == "sounds":
        batch[:, 0] += 2e3  # silence has no loudness
    if isinstance(transform, image.RandomCrop) and transform.padding == 0:
        expected_shape = (shape[0], 1, 1, *shape[3:])
    elif isinstance(transform, image.RandomCrop):
        expected_shape = (shape[0], 2, 1, *shape[3:])
    else:
        expected_shape = shape
    expected = transform(batch, seed)
    assert expected.shape == expected_shape
    assert np.isfinite(expected).all()
    for form in forms(batch):
        before = form.copy()
        np.testing.assert_allclose(transform(form, seed), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(form, before)
    single = transform(batch.astype(np.float32), seed)
    assert single.dtype == np.float32
    if kind != "sounds":  # a vocoder's phases may jump by rounding
        size = max(1.0, np.abs(batch).max())
        nearest = getattr(transform, "interpolation", "") == "nearest"
        tolerance = 1e-4 * size if not nearest else 2 * size
        np.testing.assert_allclose(single, expected, atol=tolerance)


@pytest.mark.parametrize("transform", [t for t in IMAGES if hasattr(t, "fill")], ids=repr)
@FEW
@given(data=st.data(), exponent=st.sampled_from([-500, -100, 0, 100, 500]))
def test_moving_pixels_stays_within_their_range(transform, data, exponent):
    shape = data.draw(BATCHES["images"])
    images = np.ldexp(data.draw(arrays(np.float64, shape, elements=NUMBERS)), exponent)
    result = transform(images, 0)
    assert result.min() >= min(images.min(), transform.fill)
    assert result.max() <= max(images.max(), transform.fill)


@FEW
@given(data=st.data())
def test_new_points_of_smote_lie_between_old_ones(data):
    n, m = data.draw(st.integers(3, 8)), data.draw(st.integers(3, 8))
    X = data.draw(arrays(np.int64, (n + m, 2), elements=st.integers(-2, 2)))
    exponent = data.draw(st.sampled_from([-480, -100, 0, 100, 480]))
    X = np.ldexp(X.astype(np.float64), exponent)
    y = np.repeat([0, 1], [n, m])
    X_new, y_new = tabular.SMOTE(k_neighbors=2, random_state=0).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [max(n, m)] * 2
    np.testing.assert_array_equal(X_new[: n + m], X)
    for point, label in zip(X_new[n + m :], y_new[n + m :], strict=True):
        members = X[y == label]
        assert np.all(members.min(axis=0) <= point)
        assert np.all(point <= members.max(axis=0))
