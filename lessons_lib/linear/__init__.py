"""Linear models with L2, L1 and Elastic Net penalties, as estimators and as paths."""

from lessons_lib.linear.cross_validation import ElasticNetCV, LassoCV, RidgeCV
from lessons_lib.linear.lasso import ElasticNet, Lasso
from lessons_lib.linear.paths import alpha_grid, elastic_net_path, lars_path, lasso_path
from lessons_lib.linear.ridge import Ridge, Spectrum, effective_degrees_of_freedom, ridge_path

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "Ridge",
    "RidgeCV",
    "Spectrum",
    "alpha_grid",
    "effective_degrees_of_freedom",
    "elastic_net_path",
    "lars_path",
    "lasso_path",
    "ridge_path",
]
