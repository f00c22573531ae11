import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import NearestNeighbors

from lessons_lib.augment import Compose, tabular
from lessons_lib.augment import tabular as tb
from lessons_lib.network import CrossEntropyLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
Y = np.repeat([0, 1, 2], [180, 80, 40])


def both(X, y, **parameters):
    """Resample with imbalanced-learn and here, with the same random numbers."""
    results = []
    for kind in (imblearn.over_sampling.SMOTE, tb.SMOTE):
        state = np.random.RandomState(0)
        results.append(kind(random_state=state, **parameters).fit_resample(X, y))
    return results


@pytest.mark.parametrize(
    "strategy",
    [
        "auto",
        "minority",
        "not minority",
        "not majority",
        "all",
        {1: 100, 2: 200},
        {2: 40},
        pytest.param(lambda y: {1: np.sum(y == 0) + 5}, id="function"),
    ],
    ids=str,
)
@pytest.mark.parametrize("k_neighbors", [1, 5])
def test_smote_is_that_of_imbalanced_learn(strategy, k_neighbors):
    order = np.random.default_rng(1).permutation(300)
    (X_ref, y_ref), (X_new, y_new) = both(
        X, Y[order], sampling_strategy=strategy, k_neighbors=k_neighbors
    )
    np.testing.assert_array_equal(y_new, y_ref)
    assert y_new.dtype == y_ref.dtype
    np.testing.assert_allclose(X_new, X_ref, atol=1e-12)


@pytest.mark.parametrize("ratio", [0.5, 0.93, 1.0])
def test_smote_to_a_ratio(ratio):
    (X_ref, y_ref), (X_new, y_new) = both(X, (Y > 1).astype(int), sampling_strategy=ratio)
    np.testing.assert_array_equal(y_new, y_ref)
    np.testing.assert_allclose(X_new, X_ref, atol=1e-12)


def test_a_data_frame_comes_back_as_one():
    frame = pd.DataFrame(X, columns=[f"column {j}" for j in range(X.shape[1])])
    frame.index = frame.index + 1000
    labels = pd.Series(Y, index=frame.index, name="class")
    (X_ref, y_ref), (X_new, y_new) = both(frame, labels)
    pd.testing.assert_frame_equal(X_new, X_ref)
    pd.testing.assert_series_equal(y_new, y_ref)
    (X_ref, y_ref), (X_new, y_new) = both(frame, Y)
    pd.testing.assert_frame_equal(X_new, X_ref)
    np.testing.assert_array_equal(y_new, y_ref)
    (X_ref, y_ref), (X_new, y_new) = both(X, labels)
    pd.testing.assert_series_equal(y_new, y_ref)
    np.testing.assert_allclose(X_new, X_ref)


def test_an_int_gives_imbalanced_learns_points_for_one_class():
    binary = (Y > 1).astype(int)
    X_ref, _ = imblearn.over_sampling.SMOTE(random_state=7).fit_resample(X, binary)
    X_new, _ = tb.SMOTE(random_state=7).fit_resample(X, binary)
    np.testing.assert_allclose(X_new, X_ref, atol=1e-12)


@pytest.mark.parametrize(
    "y", [np.array(["b", "a", "cc"])[Y], Y * 2.0, Y == 0], ids=["str", "float", "bool"]
)
def test_labels_of_any_kind(y):
    (X_ref, y_ref), (X_new, y_new) = both(X, y)
    np.testing.assert_array_equal(y_new, y_ref)
    assert y_new.dtype == y_ref.dtype
    np.testing.assert_allclose(X_new, X_ref, atol=1e-12)


def test_float32_stays_float32():
    (X_ref, _), (X_new, _) = both(X.astype(np.float32), Y)
    assert X_new.dtype == X_ref.dtype == np.float32
    np.testing.assert_allclose(X_new, X_ref, atol=1e-6)


class OurNeighbors(BaseEstimator):
    """Our neighbors in the interface that imbalanced-learn wants: the first one is the row."""

    def fit(self, X):
        self.neighbors_ = np.column_stack([np.arange(len(X)), tb.nearest_neighbors(X, 5)])
        return self

    def kneighbors(self, X, return_distance):
        assert not return_distance
        return self.neighbors_

    def kneighbors_graph(self):
        raise NotImplementedError


def test_smote_on_digits_with_the_same_neighbors():
    # Pixels are small integers: many distances are equal, and the libraries choose differently.
    X, y = load_digits(return_X_y=True)
    state = np.random.RandomState(0)
    reference = imblearn.over_sampling.SMOTE(random_state=state, k_neighbors=OurNeighbors())
    X_ref, y_ref = reference.fit_resample(X, y)
    ours = tb.SMOTE(random_state=np.random.RandomState(0))
    X_new, y_new = ours.fit_resample(X, y)
    np.testing.assert_array_equal(y_new, y_ref)
    np.testing.assert_array_equal(X_new, X_ref)
    assert ours.sampling_strategy_ == {c: 183 - n for c, n in enumerate(np.bincount(y)) if n < 183}


def test_new_points_lie_between_neighbors_of_their_class():
    X_new, y_new = tb.SMOTE(k_neighbors=3, random_state=0).fit_resample(X, Y)
    np.testing.assert_array_equal(X_new[:300], X)
    np.testing.assert_array_equal(y_new[:300], Y)
    for label in (1, 2):
        members = X[label == Y]
        neighbors = tb.nearest_neighbors(members, 3)
        starts = np.repeat(members, 3, axis=0)
        steps = members[neighbors].reshape(-1, 6) - starts
        for point in X_new[300:][y_new[300:] == label]:
            share = np.einsum("ij,ij->i", point - starts, steps) / np.einsum(
                "ij,ij->i", steps, steps
            )
            distance = np.linalg.norm(
                starts + np.clip(share, 0, 1)[:, None] * steps - point, axis=1
            )
            assert distance.min() < 1e-12


def test_smote_random_states():
    def points(random_state):
        return tb.SMOTE(random_state=random_state).fit_resample(X, Y)[0][300:]

    np.testing.assert_array_equal(points(3), points(3))
    np.testing.assert_array_equal(points(3), points(np.random.RandomState(3)))
    np.testing.assert_array_equal(
        points(np.random.default_rng(3)), points(np.random.default_rng(3))
    )
    rng = np.random.default_rng(3)
    assert np.any(points(rng) != points(rng))
    assert np.any(points(None) != points(None))


def test_smote_in_a_pipeline_resamples_the_training_data_only():
    pipeline = clone(make_pipeline(tb.SMOTE(random_state=0), LogisticRegression()))
    pipeline.fit(X, Y)
    direct = LogisticRegression().fit(*tb.SMOTE(random_state=0).fit_resample(X, Y))
    np.testing.assert_allclose(pipeline.predict_proba(X), direct.predict_proba(X))


def test_integers_become_floats_and_nothing_is_changed_in_place():
    whole = np.arange(20).reshape(10, 2)
    before = whole.copy()
    X_new, _ = tb.SMOTE(k_neighbors=1, random_state=0).fit_resample(whole, [0] * 7 + [1] * 3)
    np.testing.assert_array_equal(whole, before)
    assert X_new.dtype == np.float64
    assert np.any(X_new % 1 != 0)


@pytest.mark.parametrize(
    ("n_samples", "n_features", "k"),
    [(2, 1, 1), (7, 3, 6), (100, 2, 5), (600, 8, 1), (600, 8, 40), (1500, 20, 5)],
)
@pytest.mark.parametrize("block", [1, 5000, 2**18])
def test_nearest_neighbors_are_those_of_scikit_learn(n_samples, n_features, k, block, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK", block)
    rows = np.random.default_rng(2).normal(size=(n_samples, n_features)) + 100
    reference = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(rows)
    expected = reference.kneighbors(return_distance=False)
    np.testing.assert_array_equal(tb.nearest_neighbors(rows, k), expected)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("outlier", [1e2, 1e4, 1e6])
def test_an_outlier_does_not_blur_the_neighbors_of_others(k, outlier):
    # Single precision cannot tell the other distances apart when the outlier sets the scale.
    rows = np.random.default_rng(2).normal(size=(600, 4))
    rows[0] = outlier
    reference = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(rows)
    expected = reference.kneighbors(return_distance=False)
    np.testing.assert_array_equal(tb.nearest_neighbors(rows, k), expected)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_neighbors_do_not_depend_on_the_unit(scale):
    rows = np.random.default_rng(2).normal(size=(200, 4))
    np.testing.assert_array_equal(
        tb.nearest_neighbors(scale * rows, 5), tb.nearest_neighbors(rows, 5)
    )


@pytest.mark.parametrize("n_samples", [10, 300])
def test_among_equally_near_rows_the_first_come_first(n_samples):
    rows = np.random.default_rng(0).integers(-3, 4, size=(n_samples, 3)).astype(float)
    distances = np.sum((rows[:, None] - rows) ** 2, axis=2)
    np.fill_diagonal(distances, np.inf)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(tb.nearest_neighbors(rows, 5), expected)


def test_duplicates_are_neighbors_but_no_row_is_its_own():
    rows = np.zeros((6, 2))
    found = tb.nearest_neighbors(rows, 2)
    assert found.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [0, 1]]


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_mixup_is_its_formula(alpha):
    images, targets = RNG.random((40, 8, 8)), np.eye(4)[RNG.integers(0, 4, 40)]
    mixed, soft = tb.Mixup(alpha)(images, targets, 5)
    rng = np.random.default_rng(5)
    weights, partners = rng.beta(alpha, alpha, 40), rng.permutation(40)
    for i, (weight, j) in enumerate(zip(weights, partners, strict=True)):
        np.testing.assert_allclose(mixed[i], weight * images[i] + (1 - weight) * images[j])
        np.testing.assert_allclose(soft[i], weight * targets[i] + (1 - weight) * targets[j])
    np.testing.assert_allclose(soft.sum(axis=1), 1)


def test_mixup_of_targets_mixes_the_cross_entropy():
    # What the authors' program computes: λ CE(y_a) + (1 - λ) CE(y_b).
    logits, y = RNG.normal(size=(30, 4)), RNG.integers(0, 4, 30)
    _, soft = tb.Mixup(1.0)(logits, np.eye(4)[y], 5)
    rng = np.random.default_rng(5)
    weights, partners = rng.beta(1.0, 1.0, 30), rng.permutation(30)
    loss = CrossEntropyLoss()
    expected = [
        w * loss(logits[[i]], y[[i]]) + (1 - w) * loss(logits[[i]], y[[j]])
        for i, (w, j) in enumerate(zip(weights, partners, strict=True))
    ]
    assert loss(logits, soft) == pytest.approx(np.mean(expected))


def test_mixup_of_a_regression_and_its_weights():
    x = RNG.normal(size=(2000, 1))
    mixed, target = tb.Mixup(0.5)(x, 3 * x[:, 0] + 1, 0)
    np.testing.assert_allclose(target, 3 * mixed[:, 0] + 1)  # a line stays a line
    # Mixing 0 with 1 shows the weights: variance 1 / (4 (2 alpha + 1)) around 1/2.
    ends = np.repeat([0.0, 1.0], 5000)
    value, _ = tb.Mixup(0.5)(ends, ends, 0)
    different = value[(value > 0) & (value < 1)]
    assert different.var() == pytest.approx(1 / 8, rel=0.05)
    assert tb.Mixup(0.5)(ends.astype(np.float32), ends, 0)[0].dtype == np.float32


TRANSFORMS = [
    tb.InputNoise(0.3),
    tb.Jitter(0.1),
    tb.MaskingNoise(0.2),
    Compose([tb.InputNoise(0.3), tb.MaskingNoise(0.2)]),
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("shape", [(50,), (50, 4), (50, 4, 3)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_of_every_transform(transform, shape, dtype):
    data = RNG.normal(size=shape).astype(dtype)
    before = data.copy()
    result = transform(data, 0)
    np.testing.assert_array_equal(data, before)
    assert result.shape == shape
    assert result.dtype == dtype
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(transform(data, rng), result)
    assert np.any(transform(data, rng) != result)
    assert len(np.unique(result.reshape(50, -1), axis=0)) > 1


def test_input_noise_is_ridge():
    # Bishop (1995): with n samples, noise sigma acts like scikit-learn's alpha = n sigma².
    y = X @ RNG.normal(size=6) + RNG.normal(size=300)
    centered = X - X.mean(axis=0)
    copies = [tb.InputNoise(0.5)(centered, seed) for seed in range(400)]
    noisy = LinearRegression().fit(np.concatenate(copies), np.tile(y, 400))
    ridge = Ridge(300 * 0.5**2).fit(centered, y)
    np.testing.assert_allclose(noisy.coef_, ridge.coef_, atol=0.02)
    assert np.abs(LinearRegression().fit(centered, y).coef_ - ridge.coef_).max() > 0.1


def test_jitter_is_in_proportion_to_the_spread():
    data = np.random.default_rng(0).normal(size=(20_000, 3)) * [1, 1000, 0] + [5, 5, 5]
    noise = tb.Jitter(0.1)(data, 0) - data
    np.testing.assert_allclose(noise.std(axis=0), 0.1 * data.std(axis=0), rtol=0.03, atol=0)
    np.testing.assert_array_equal(noise[:, 2], 0)
    given = tb.Jitter(0.1, scale=[1, 2, 3])(data, 0) - data
    np.testing.assert_allclose(given.std(axis=0), [0.1, 0.2, 0.3], rtol=0.03)
    everywhere = tb.Jitter(0.1, scale=7)(data, 0) - data
    np.testing.assert_allclose(everywhere.std(axis=0), 0.7, rtol=0.03)


def test_masking_noise_masks_its_share():
    data = RNG.normal(size=(200, 100))
    masked = tb.MaskingNoise(0.3)(data, 0)
    assert np.mean(masked == 0) == pytest.approx(0.3, abs=0.013)  # 4 standard errors
    np.testing.assert_array_equal(masked[masked != 0], data[masked != 0])
    np.testing.assert_array_equal(tb.MaskingNoise(0.0)(data), data)
    np.testing.assert_array_equal(tb.MaskingNoise(1.0)(data), 0)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"k_neighbors": 40}, ValueError, "k_neighbors must be less .* 40 and class 2 with 40"),
        ({"k_neighbors": 0}, ValueError, "k_neighbors must be at least 1, got 0"),
        ({"k_neighbors": 2.5}, TypeError, "k_neighbors must be an integer"),
        ({"sampling_strategy": "most"}, ValueError, "sampling_strategy must be one of .* 'most'"),
        ({"sampling_strategy": 0.5}, ValueError, "sampling_strategy=0.5 needs two classes, got 3"),
        ({"sampling_strategy": 1.5}, ValueError, r"sampling_strategy must lie in \(0, 1\]"),
        ({"sampling_strategy": {7: 10}}, ValueError, "names the class 7, which y lacks"),
        ({"sampling_strategy": {1: 10}}, ValueError, "got 10 for class 1 with 80"),
        ({"sampling_strategy": {1: 90.5}}, TypeError, r"sampling_strategy\[1\] must be an integer"),
        ({"random_state": "x"}, ValueError, "cannot be used to seed"),
    ],
)
def test_bad_parameters_of_smote(parameters, error, message):
    with pytest.raises(error, match=message):
        tb.SMOTE(**parameters).fit_resample(X, Y)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tb.SMOTE().fit_resample(X, 0 * Y), ValueError, "y must have at least two classes"),
        (lambda: tb.SMOTE().fit_resample(X[:5], Y), ValueError, "inconsistent numbers of samples"),
        (lambda: tb.SMOTE().fit_resample(X, X[:, 0]), ValueError, "y must be labels of classes"),
        (lambda: tb.SMOTE().fit_resample(X * np.nan, Y), ValueError, "contains NaN"),
        (lambda: tb.nearest_neighbors(X, 300), ValueError, "n_neighbors must be less than"),
        (lambda: tb.nearest_neighbors(X[0], 1), ValueError, "X must have 2 dimensions"),
        (lambda: tb.nearest_neighbors(X * np.inf, 1), ValueError, "X must be finite"),
        (lambda: tb.Mixup(0.0), ValueError, r"alpha must lie in \(0, inf\)"),
        (lambda: tb.Mixup()(X, Y), TypeError, "targets must be an array of floats, got int"),
        (lambda: tb.Mixup()(X, np.eye(3)), ValueError, "targets must have X's 300 rows, got 3"),
        (lambda: tb.InputNoise(-1), ValueError, "sigma must lie in"),
        (lambda: tb.InputNoise()(Y), TypeError, "X must be an array of floats, got int"),
        (lambda: tb.Jitter(-1), ValueError, "strength must lie in"),
        (lambda: tb.Jitter(scale=[-1.0]), ValueError, "scale must be finite and at least 0"),
        (lambda: tb.Jitter(scale=[1.0, 2.0])(X), ValueError, r"scale must have shape \(6,\)"),
        (lambda: tb.MaskingNoise(1.1), ValueError, r"p must lie in \[0, 1\], got 1.1"),
    ],
)
def test_bad_input(make, error, message):
    with np.errstate(invalid="ignore"), pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("transform", [tb.InputNoise(0.1), tb.Jitter(0.1), tb.MaskingNoise(0.5)])
def test_a_bad_number_spoils_nothing_else(transform, bad):
    rows = np.random.default_rng(0).uniform(1, 2, (50, 3))
    spoiled = rows.copy()
    spoiled[7, 1] = bad
    result = transform(spoiled, 0)
    lost = ~np.isfinite(result)
    assert lost.sum() == lost[7, 1]
    if not isinstance(transform, tb.MaskingNoise):
        assert lost[7, 1]
    others = np.delete(np.arange(50), 7)
    expected = transform(rows, 0)
    if isinstance(transform, tb.Jitter):  # the spread is that of the finite values
        expected = tb.Jitter(0.1, np.std(rows, axis=0, where=np.isfinite(spoiled)))(rows, 0)
    np.testing.assert_allclose(result[others], expected[others])
    np.testing.assert_array_equal(tb.Jitter(0.1)(np.full((3, 2), bad), 0), np.full((3, 2), bad))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_masked_is_zero(bad):
    np.testing.assert_array_equal(tb.MaskingNoise(1.0)(np.full((3, 2), bad)), 0.0)
    assert not np.signbit(tb.MaskingNoise(1.0)(np.full((3, 2), -1.0))).any()
