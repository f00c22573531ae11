"""The feature maps against NumPy, exact integrals and a kernel known in closed form."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from lessons_lib.linear import LegendreFeatures, RandomReLUFeatures


@pytest.mark.parametrize("transformer", [LegendreFeatures(), RandomReLUFeatures()])
def test_passes_the_checks_of_scikit_learn(transformer):
    results = check_estimator(transformer, on_skip=None)
    not_passed = {check["check_name"] for check in results if check["status"] != "passed"}
    assert len(results) > 40
    # Needs an environment variable, and neither transformer claims to support other arrays.
    assert not_passed <= {"check_array_api_input"}


# ----------------------------------------------------------------- LegendreFeatures


@pytest.mark.parametrize("degree", [0, 1, 2, 20])
def test_on_the_default_interval_it_is_legvander(degree):
    x = np.linspace(-1.2, 1.2, 31)
    np.testing.assert_allclose(
        LegendreFeatures(degree).fit_transform(x[:, None]),
        np.polynomial.legendre.legvander(x, degree),
        rtol=1e-12,
    )


def test_features_are_orthogonal_with_the_documented_mean_square():
    low, high, degree = 2.0, 7.0, 12
    nodes, weights = np.polynomial.legendre.leggauss(degree + 1)  # exact for products of degree 24
    x = low + (nodes + 1) / 2 * (high - low)
    Z = LegendreFeatures(degree, low=low, high=high).fit_transform(x[:, None])
    mean_products = Z.T @ (Z * weights[:, None]) / 2
    expected = np.diag(1 / (2 * np.arange(degree + 1) + 1))
    np.testing.assert_allclose(mean_products, expected, atol=1e-13)


def test_least_squares_draws_the_same_curve_as_monomials():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 3, 40), rng.standard_normal(40)
    model = make_pipeline(LegendreFeatures(5, low=0, high=3), LinearRegression())
    grid = np.linspace(0, 3, 17)
    expected = np.polyval(np.polyfit(x, y, 5), grid)
    np.testing.assert_allclose(model.fit(x[:, None], y).predict(grid[:, None]), expected, rtol=1e-8)


def test_condition_numbers_are_as_documented():
    x = np.linspace(-1, 1, 200)
    legendre = np.linalg.cond(LegendreFeatures(20).fit_transform(x[:, None]))
    monomials = np.linalg.cond(np.vander(x, 21))
    assert legendre == pytest.approx(6.3, abs=0.05)
    assert monomials == pytest.approx(1.7e7, rel=0.02)


def test_each_input_feature_is_expanded_on_its_own():
    X = np.random.default_rng(0).uniform(-1, 1, (6, 2))
    both = LegendreFeatures(3).fit_transform(X)
    alone = [LegendreFeatures(3, include_bias=False).fit_transform(X[:, [j]]) for j in (0, 1)]
    np.testing.assert_array_equal(both, np.hstack([np.ones((6, 1)), *alone]))


@pytest.mark.parametrize("transformer", [LegendreFeatures(4), RandomReLUFeatures(7)])
def test_every_output_column_has_a_name(transformer):
    with pytest.raises(NotFittedError):
        transformer.get_feature_names_out()
    Z = transformer.fit_transform(np.ones((2, 3)))
    assert len(transformer.get_feature_names_out()) == Z.shape[1]


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (LegendreFeatures(degree=-1), "degree must be an int >= 0, got -1"),
        (LegendreFeatures(degree=2.0), "degree must be an int >= 0, got 2.0"),
        (LegendreFeatures(degree=True), "degree must be an int >= 0, got True"),
        (LegendreFeatures(low=1.0, high=0.0), "low < high, got 1.0 and 0.0"),
        (LegendreFeatures(high=np.nan), r"high must lie in \(-inf, inf\), got nan"),
        (LegendreFeatures(low=-1e308, high=1e308), "low and high must be finite"),
        (LegendreFeatures(degree=0, include_bias=False), "degree=0 needs include_bias=True"),
        (RandomReLUFeatures(n_components=0), "n_components must be an int >= 1, got 0"),
        (RandomReLUFeatures(n_components="10"), "n_components must be an int >= 1, got '10'"),
    ],
)
def test_bad_parameters_are_named(transformer, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit([[0.0], [1.0]])


@pytest.mark.parametrize("transformer", [LegendreFeatures(), RandomReLUFeatures()])
def test_transform_needs_fit_and_the_same_columns(transformer):
    with pytest.raises(NotFittedError):
        clone(transformer).transform([[0.0]])
    with pytest.raises(ValueError, match="features"):
        transformer.fit([[0.0], [1.0]]).transform([[0.0, 1.0]])


# ----------------------------------------------------------------- RandomReLUFeatures


def test_weights_lie_on_the_unit_sphere_and_the_formula_holds():
    X = np.random.default_rng(1).standard_normal((5, 3))
    layer = RandomReLUFeatures(40, random_state=0).fit(X)
    length = np.sum(layer.random_weights_**2, axis=0) + layer.random_offset_**2
    np.testing.assert_allclose(length, 1)
    for row, outputs in zip(X, layer.transform(X), strict=True):
        for k in range(40):
            preactivation = row @ layer.random_weights_[:, k] + layer.random_offset_[k]
            assert outputs[k] == pytest.approx(max(0.0, preactivation) / np.sqrt(40))


def test_inner_products_converge_to_the_arc_cosine_kernel():
    # Cho & Saul (2009), order 1, for weights on the sphere in D dimensions: with a = (x, 1),
    # E[max(0, w.a) max(0, w.b)] = |a| |b| (sin t + (pi - t) cos t) / (2 pi D), t their angle.
    X = np.random.default_rng(0).standard_normal((6, 4))
    a = np.hstack([X, np.ones((6, 1))])
    norms = np.linalg.norm(a, axis=1)
    angle = np.arccos(np.clip(a @ a.T / np.outer(norms, norms), -1, 1))
    kernel = np.outer(norms, norms) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    kernel /= 2 * np.pi * a.shape[1]

    Z = RandomReLUFeatures(200_000, random_state=0).fit_transform(X)
    np.testing.assert_allclose(Z @ Z.T, kernel, atol=0.01 * kernel.max())


def test_half_of_the_kinks_of_one_input_lie_within_one_standard_deviation():
    layer = RandomReLUFeatures(20_000, random_state=0).fit([[0.0], [1.0]])
    kinks = -layer.random_offset_ / layer.random_weights_[0]
    assert np.mean(np.abs(kinks) <= 1) == pytest.approx(0.5, abs=0.015)


def test_same_seed_gives_nested_layers():
    X = np.random.default_rng(0).standard_normal((5, 3))
    narrow = RandomReLUFeatures(10, random_state=7).fit_transform(X) * np.sqrt(10)
    wide = RandomReLUFeatures(25, random_state=7).fit_transform(X) * np.sqrt(25)
    other = RandomReLUFeatures(10, random_state=8).fit_transform(X) * np.sqrt(10)
    np.testing.assert_allclose(wide[:, :10], narrow)
    assert not np.allclose(other, narrow)
