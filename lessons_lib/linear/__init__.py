"""Linear models with L2, L1 and Elastic Net penalties, as estimators and as paths.

Estimators, their paths and cross-validated forms, feature maps and pipelines of both live here;
the algorithms that fit them are in :mod:`lessons_lib.solvers`, the penalties themselves in
:mod:`lessons_lib.penalties`.

Everything is computed in float64: other number types, float32 among them, are converted, and
coefficients and predictions are float64. ``fit`` takes ``sample_weight``; a parameter that
scikit-learn's class has and this one leaves out is refused with the reason.
"""

from lessons_lib.linear.cross_validation import ElasticNetCV, LassoCV, RidgeCV
from lessons_lib.linear.descent import descent_filter, descent_path
from lessons_lib.linear.features import LegendreFeatures, RandomReLUFeatures
from lessons_lib.linear.lasso import ElasticNet, Lasso
from lessons_lib.linear.paths import alpha_grid, elastic_net_path, lars_path, lasso_path
from lessons_lib.linear.pipelines import (
    linear_regression,
    polynomial_regression,
    quadratic_regression,
    random_feature_regression,
)
from lessons_lib.linear.ridge import Ridge, Spectrum, effective_degrees_of_freedom, ridge_path
from lessons_lib.linear.stagewise import forward_stagewise

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LegendreFeatures",
    "RandomReLUFeatures",
    "Ridge",
    "RidgeCV",
    "Spectrum",
    "alpha_grid",
    "descent_filter",
    "descent_path",
    "effective_degrees_of_freedom",
    "elastic_net_path",
    "forward_stagewise",
    "lars_path",
    "lasso_path",
    "linear_regression",
    "polynomial_regression",
    "quadratic_regression",
    "random_feature_regression",
    "ridge_path",
]
