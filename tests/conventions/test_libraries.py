"""Each convention is proved by fitting its library, or by algebra where that is not installed.

The reference is solved here from the house objective alone, to machine precision and by means that
none of the tested libraries uses for the same problem (see `house_solution`).
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special
from sklearn import linear_model, neural_network
from sklearn.exceptions import ConvergenceWarning

from lessons_lib.conventions import (
    CONVENTIONS,
    Convention,
    Strength,
    notes_to_markdown,
    table,
    to_markdown,
    translate,
)

from ..rounding import assert_close, rounding

N_SAMPLES, N_FEATURES = 40, 4
PENALTIES = {
    "l1": Strength(l1=0.08, l2=0.0),
    "l2": Strength(l1=0.0, l2=0.3),
    "both": Strength(l1=0.08, l2=0.2),
}


def make_data(loss, *, seed=0, intercept=1.0):
    """Draw features of different scales and targets for them; one true weight is zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)) * [1.0, 1.5, 0.8, 1.2] + 0.3
    score = X @ [1.0, -0.7, 0.0, 0.4] + intercept
    if loss == "squared":
        return X, 2 * score + rng.normal(size=N_SAMPLES)
    return X, (score - intercept + rng.logistic(size=N_SAMPLES) > 0.3).astype(float)


def data_loss(X, y, w, b, loss):
    """Evaluate the house data loss."""
    score = X @ w + b
    if loss == "squared":
        return np.mean((y - score) ** 2) / 2
    return np.mean(np.logaddexp(0, score) - y * score)


def data_gradient(X, y, w, b, loss):
    """Evaluate the gradient of the house data loss by (w, b), the bias last."""
    score = X @ w + b
    residual = (score if loss == "squared" else special.expit(score)) - y
    return np.append(X.T @ residual, residual.sum()) / len(y)


def house_solution(X, y, penalty, loss):
    """Minimize the house objective: find the signs with L-BFGS-B, then solve for the values.

    With w = u - v and u, v >= 0 the objective is smooth, which gives the signs; on the weights that
    are not zero the optimality conditions are smooth equations, which `scipy.optimize.root` solves
    to machine precision. The optimality conditions are then checked on all weights.
    """
    p = X.shape[1]

    def split(z):
        w, b = z[:p] - z[p:-1], z[-1]
        gradient = data_gradient(X, y, w, b, loss)
        value = data_loss(X, y, w, b, loss) + penalty.l1 * z[:-1].sum() + penalty.l2 / 2 * w @ w
        smooth = gradient[:p] + penalty.l2 * w
        return value, np.concatenate([smooth + penalty.l1, penalty.l1 - smooth, gradient[p:]])

    start = optimize.minimize(
        split,
        np.zeros(2 * p + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * (2 * p) + [(None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000},
    ).x
    w, b = start[:p] - start[p:-1], start[-1]
    free = np.abs(w) > 1e-5
    signs = np.sign(w[free])

    def conditions(z):
        full = np.zeros(p)
        full[free] = z[:-1]
        gradient = data_gradient(X, y, full, z[-1], loss)
        weights = gradient[:p][free] + penalty.l1 * signs + penalty.l2 * z[:-1]
        return np.append(weights, gradient[p])

    z = optimize.root(conditions, np.append(w[free], b), tol=1e-15).x
    w = np.zeros(p)
    w[free] = z[:-1]
    gradient = data_gradient(X, y, w, z[-1], loss)
    assert np.max(np.abs(conditions(z))) < 1e-13
    assert np.all(np.sign(z[:-1]) == signs)
    assert np.all(np.abs(gradient[:p][~free]) < penalty.l1)
    return w, z[-1]


def penalties_of(convention, loss):
    """List the penalties among `PENALTIES` that a convention can express."""
    return [
        penalty
        for penalty in PENALTIES.values()
        if (convention.has("l1") or penalty.l1 == 0) and (convention.has("l2") or penalty.l2 == 0)
    ]


# --------------------------------------------------------------------------------------------------
# The libraries. Each function fits one and returns (coef, intercept); it takes the parameters that
# `translate` returned, by name.
# --------------------------------------------------------------------------------------------------
def fit_sklearn(make, X, y):
    """Fit a scikit-learn estimator; its iterations end when they make no progress at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make.fit(X, y)
    return np.ravel(model.coef_), np.ravel(model.intercept_)[0]


def fit_house(X, y, *, alpha, l1_ratio):
    model = linear_model.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-14, max_iter=100_000)
    return fit_sklearn(model, X, y)


def fit_ridge(X, y, *, alpha):
    return fit_sklearn(linear_model.Ridge(alpha=alpha), X, y)


def fit_lasso(X, y, *, alpha):
    return fit_sklearn(linear_model.Lasso(alpha=alpha, tol=1e-14, max_iter=100_000), X, y)


def fit_sgd(model, X, y):
    """Fit with a constant learning rate, twice, and extrapolate to the learning rate 0.

    Plain SGD in a fixed order ends in a cycle around the minimizer, whose distance from it is
    proportional to the learning rate up to higher orders.
    """
    ends = []
    for eta0, epochs in ((4e-4, 8_000), (2e-4, 16_000)):
        model.set_params(eta0=eta0, max_iter=epochs)
        coef, intercept = fit_sklearn(model, X, y)
        ends.append(np.append(coef, intercept))
    extrapolated = 2 * ends[1] - ends[0]
    return extrapolated[:-1], extrapolated[-1]


SGD = {"penalty": "elasticnet", "learning_rate": "constant", "tol": None, "shuffle": False}


def fit_sgd_regressor(X, y, *, alpha, l1_ratio):
    return fit_sgd(linear_model.SGDRegressor(alpha=alpha, l1_ratio=l1_ratio, **SGD), X, y)


def fit_sgd_classifier(X, y, *, alpha, l1_ratio):
    return fit_sgd(
        linear_model.SGDClassifier(loss="log_loss", alpha=alpha, l1_ratio=l1_ratio, **SGD), X, y
    )


def fit_logistic_regression(X, y, *, C, l1_ratio):
    solver = "newton-cholesky" if l1_ratio == 0 else "saga"
    model = linear_model.LogisticRegression(
        C=C, l1_ratio=l1_ratio, solver=solver, tol=1e-12, max_iter=20_000, random_state=0
    )
    return fit_sklearn(model, X, y)


def fit_mlp(model, X, y, *, alpha):
    """Fit a network without hidden layers by full-batch gradient descent with momentum."""
    model.set_params(
        alpha=alpha,
        hidden_layer_sizes=(),
        solver="sgd",
        batch_size=len(y),
        learning_rate_init=0.2,
        max_iter=400,
        n_iter_no_change=400,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    return model.coefs_[0].ravel(), model.intercepts_[0][0]


def fit_mlp_regressor(X, y, *, alpha):
    return fit_mlp(neural_network.MLPRegressor(), X, y, alpha=alpha)


def fit_mlp_classifier(X, y, *, alpha):
    return fit_mlp(neural_network.MLPClassifier(), X, y, alpha=alpha)


def with_constant(X):
    """Prepend the column of ones that statsmodels wants."""
    return np.column_stack([np.ones(len(X)), X])


def free_constant(alpha):
    """Spread a penalty over all columns but the constant one."""
    return np.append(0.0, np.full(N_FEATURES, alpha))


def fit_statsmodels_ols(X, y, *, alpha, L1_wt):
    from statsmodels.regression.linear_model import OLS

    fit = OLS(y, with_constant(X)).fit_regularized(
        alpha=free_constant(alpha), L1_wt=L1_wt, maxiter=5_000, cnvrg_tol=1e-14
    )
    return fit.params[1:], fit.params[0]


def fit_statsmodels_glm(X, y, *, alpha, L1_wt):
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    fit = GLM(y, with_constant(X), family=Binomial()).fit_regularized(
        alpha=free_constant(alpha), L1_wt=L1_wt, maxiter=200, cnvrg_tol=1e-10
    )
    return fit.params[1:], fit.params[0]


def fit_statsmodels_logit(X, y, *, alpha):
    from statsmodels.discrete.discrete_model import Logit

    fit = Logit(y, with_constant(X)).fit_regularized(
        alpha=free_constant(alpha), disp=0, acc=1e-14, trim_mode="off"
    )
    return fit.params[1:], fit.params[0]


def fit_torch(make_optimizer, X, y, *, weight_decay, n_steps, decay=1.0):
    """Train a linear layer in double precision on full batches, its bias free."""
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(N_FEATURES, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
    binary = set(np.unique(y)) == {0.0, 1.0}
    criterion = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.MSELoss()
    optimizer = make_optimizer(
        torch.optim,
        [
            {"params": [layer.weight], "weight_decay": weight_decay},
            {"params": [layer.bias], "weight_decay": 0.0},
        ],
    )
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, decay)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)[:, None]
    for _ in range(n_steps):
        optimizer.zero_grad()
        criterion(layer(inputs), targets).backward()
        optimizer.step()
        scheduler.step()
    return layer.weight.detach().numpy().ravel(), layer.bias.item()


def fit_torch_sgd(X, y, *, weight_decay):
    def make(optim, groups):
        return optim.SGD(groups, lr=0.2, momentum=0.5)

    return fit_torch(make, X, y, weight_decay=weight_decay, n_steps=450)


def fit_torch_adam(X, y, *, weight_decay):
    def make(optim, groups):
        return optim.Adam(groups, lr=0.2)

    return fit_torch(make, X, y, weight_decay=weight_decay, n_steps=1_200, decay=0.99)


def fit_xgboost_gblinear(X, y, *, reg_alpha, reg_lambda):
    import xgboost

    binary = set(np.unique(y)) == {0.0, 1.0}
    booster = xgboost.train(
        {
            "booster": "gblinear",
            "objective": "binary:logistic" if binary else "reg:squarederror",
            "updater": "coord_descent",
            "learning_rate": 1.0,
            "reg_alpha": reg_alpha,
            "reg_lambda": reg_lambda,
            "base_score": 0.5,
            "nthread": 1,
        },
        xgboost.DMatrix(X, y),
        num_boost_round=500,
    )
    # The margin of x = 0 is the intercept; of a unit vector, the intercept plus that weight.
    probes = xgboost.DMatrix(np.vstack([np.zeros(N_FEATURES), np.eye(N_FEATURES)]))
    margins = booster.predict(probes, output_margin=True).astype(np.float64)
    return margins[1:] - margins[0], margins[0]


# Who is fitted, and how closely: the largest difference allowed between coefficients of order 1, as
# tight as the library allows (XGBoost computes in single precision; SLSQP, the BFGS behind GLM's
# ridge, and the extrapolated SGD end a little off).
FITS = {
    "house": (fit_house, 1e-12),
    "sklearn.Ridge": (fit_ridge, 1e-12),
    "sklearn.Lasso": (fit_lasso, 1e-12),
    "sklearn.ElasticNet": (fit_house, 1e-12),
    "sklearn.SGDRegressor": (fit_sgd_regressor, 1e-5),
    "sklearn.SGDClassifier": (fit_sgd_classifier, 1e-5),
    "sklearn.LogisticRegression": (fit_logistic_regression, 1e-10),
    "sklearn.MLPRegressor": (fit_mlp_regressor, 1e-10),
    "sklearn.MLPClassifier": (fit_mlp_classifier, 1e-10),
    "statsmodels.OLS": (fit_statsmodels_ols, 1e-12),
    "statsmodels.GLM": (fit_statsmodels_glm, 5e-5),
    "statsmodels.Logit": (fit_statsmodels_logit, 5e-6),
    "torch.SGD": (fit_torch_sgd, 1e-12),
    "torch.Adam": (fit_torch_adam, 1e-7),
    "xgboost.gblinear": (fit_xgboost_gblinear, 2e-6),
}
FIT_CASES = [
    pytest.param(name, loss, penalty, id=f"{name}-{loss}-l1={penalty.l1}-l2={penalty.l2}")
    for name in FITS
    for loss in CONVENTIONS[name].losses()
    if (name, loss) != ("house", "logistic")  # a definition: no library calls it by that name
    for penalty in penalties_of(CONVENTIONS[name], loss)
]


@pytest.mark.parametrize(("name", "loss", "penalty"), FIT_CASES)
def test_library_fitted_with_the_translation_solves_the_house_problem(name, loss, penalty):
    X, y = make_data(loss)
    fit, tolerance = FITS[name]
    parameters = translate(
        penalty, "house", name, loss=loss, n_samples=N_SAMPLES, batch_size=N_SAMPLES
    )

    coef, intercept = fit(X, y, **parameters)

    expected_coef, expected_intercept = house_solution(X, y, penalty, loss)
    np.testing.assert_allclose(coef, expected_coef, rtol=0, atol=tolerance)
    np.testing.assert_allclose(intercept, expected_intercept, rtol=0, atol=tolerance)
    # The comparison has teeth: the smallest factor that conventions disagree about is 2.
    doubled = Strength(2 * penalty.l1, 2 * penalty.l2)
    assert np.max(np.abs(house_solution(X, y, doubled, loss)[0] - expected_coef)) > 1e-2


def test_statsmodels_may_stop_above_the_minimum_where_a_coefficient_was_zero():
    from statsmodels.regression.linear_model import OLS

    n_stuck = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((30, 8)) @ (np.eye(8) + 0.5 * rng.standard_normal((8, 8)))
        y = X[:, 0] + rng.standard_normal(30)
        alpha = 10 ** rng.uniform(-2, -0.5)
        fit = OLS(y, X).fit_regularized(alpha=alpha, L1_wt=1.0, maxiter=5_000, cnvrg_tol=1e-12)
        best = linear_model.Lasso(alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X, y)

        def objective(w, X=X, y=y, alpha=alpha):
            return np.mean((y - X @ w) ** 2) / 2 + alpha * np.abs(w).sum()

        assert fit.converged
        if objective(fit.params) > (1 + 1e-6) * objective(best.coef_):
            n_stuck += 1
            # The conditions of the minimum fail at zeros, and nowhere else.
            correlation = X.T @ (y - X @ fit.params) / len(y)
            violated = np.abs(correlation) > alpha * (1 + 1e-3)
            assert violated.any()
            assert np.all(fit.params[violated] == 0)
    assert n_stuck >= 4


@pytest.mark.parametrize("name", ["sklearn.MLPRegressor", "sklearn.MLPClassifier"])
def test_perceptrons_divide_the_penalty_by_the_batch_not_by_the_samples(name):
    """Every batch is the same block of data, so mini-batch descent converges exactly."""
    loss = CONVENTIONS[name].losses()[0]
    block_X, block_y = make_data(loss)
    X, y = np.tile(block_X, (3, 1)), np.tile(block_y, 3)
    make = neural_network.MLPRegressor if loss == "squared" else neural_network.MLPClassifier
    model = make(
        hidden_layer_sizes=(),
        solver="sgd",
        batch_size=N_SAMPLES,
        shuffle=False,
        learning_rate_init=0.2,
        max_iter=200,
        n_iter_no_change=200,
        random_state=0,
        **translate(PENALTIES["l2"], "house", name, batch_size=N_SAMPLES),
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)

    expected, _ = house_solution(X, y, PENALTIES["l2"], loss)
    np.testing.assert_allclose(model.coefs_[0].ravel(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["sklearn.MLPRegressor", "sklearn.MLPClassifier"])
def test_perceptrons_with_lbfgs_take_all_samples_as_the_batch(name):
    loss = CONVENTIONS[name].losses()[0]
    X, y = make_data(loss)
    make = neural_network.MLPRegressor if loss == "squared" else neural_network.MLPClassifier
    alpha = translate(PENALTIES["l2"], "house", name, batch_size=N_SAMPLES)

    model = make(hidden_layer_sizes=(), solver="lbfgs", tol=1e-10, random_state=0, **alpha)
    model.fit(X, y)

    expected, _ = house_solution(X, y, PENALTIES["l2"], loss)
    # SciPy's L-BFGS stops on the decrease of the objective, hence only this close.
    np.testing.assert_allclose(model.coefs_[0].ravel(), expected, rtol=0, atol=2e-3)


# --------------------------------------------------------------------------------------------------
# Algebra: objectives and updates written out from the documentation, for libraries that the tests
# do not install.
# --------------------------------------------------------------------------------------------------
def mean_loss(X, y, w, b, loss):
    """Average what `loss="mse"` or a cross-entropy computes for each sample."""
    return 2 * data_loss(X, y, w, b, loss) if loss == "squared" else data_loss(X, y, w, b, loss)


def squares(w):
    return np.sum(w**2)


def absolutes(w):
    return np.sum(np.abs(w))


def glmnet_gaussian(X, y, w, b, loss, values):
    """glmnet's objective, in the units in which it computes: y and lambda divided by s_y."""
    s = np.sqrt(np.mean((y - y.mean()) ** 2))
    lam, alpha = values["lambda"] / s, values["alpha"]
    penalty = lam * ((1 - alpha) / 2 * squares(w / s) + alpha * absolutes(w / s))
    return np.mean((y / s - X @ w / s - b / s) ** 2) / 2 + penalty


def glmnet_binomial(X, y, w, b, loss, values):
    lam, alpha = values["lambda"], values["alpha"]
    penalty = lam * ((1 - alpha) / 2 * squares(w) + alpha * absolutes(w))
    return data_loss(X, y, w, b, loss) + penalty


def keras_l1(X, y, w, b, loss, values):
    return mean_loss(X, y, w, b, loss) + values["l1"] * absolutes(w)


def keras_l2(X, y, w, b, loss, values):
    return mean_loss(X, y, w, b, loss) + values["l2"] * squares(w)


def keras_l1_l2(X, y, w, b, loss, values):
    penalty = values["l1"] * absolutes(w) + values["l2"] * squares(w)
    return mean_loss(X, y, w, b, loss) + penalty


def sum_of_squares(X, y, w, b, loss, values):
    return data_loss(X, y, w, b, loss) + values["lambda"] * squares(w)


def half_alpha(X, y, w, b, loss, values):
    return data_loss(X, y, w, b, loss) + values["alpha"] / 2 * squares(w)


def half_norm(X, y, w, b, loss, values):
    return data_loss(X, y, w, b, loss) + values["lambda"] * (squares(w) / 2)


def per_sample(X, y, w, b, loss, values):
    return data_loss(X, y, w, b, loss) + values["lambda"] / (2 * len(y)) * squares(w)


def lasso(X, y, w, b, loss, values):
    return data_loss(X, y, w, b, loss) + values["lambda"] * absolutes(w)


def elastic_net_sum(X, y, w, b, loss, values):
    penalty = values["alpha_1"] * absolutes(w) + values["alpha_2"] * squares(w)
    return data_loss(X, y, w, b, loss) + penalty


def elastic_net_mix(X, y, w, b, loss, values):
    omega = values["alpha"] * absolutes(w) + (1 - values["alpha"]) * squares(w)
    return data_loss(X, y, w, b, loss) + values["lambda"] * omega


OBJECTIVES = {
    "glmnet.gaussian": glmnet_gaussian,
    "glmnet.binomial": glmnet_binomial,
    "keras.L1": keras_l1,
    "keras.L2": keras_l2,
    "keras.L1L2": keras_l1_l2,
    "textbook.sum_of_squares": sum_of_squares,
    "textbook.half_alpha": half_alpha,
    "textbook.half_norm": half_norm,
    "textbook.per_sample": per_sample,
    "textbook.lasso": lasso,
    "textbook.elastic_net_sum": elastic_net_sum,
    "textbook.elastic_net_mix": elastic_net_mix,
}
OBJECTIVE_CASES = [
    pytest.param(name, loss, penalty, id=f"{name}-{loss}-l1={penalty.l1}-l2={penalty.l2}")
    for name in OBJECTIVES
    for loss in CONVENTIONS[name].losses()
    for penalty in penalties_of(CONVENTIONS[name], loss)
]


@pytest.mark.parametrize(("name", "loss", "penalty"), OBJECTIVE_CASES)
def test_documented_objective_is_a_multiple_of_the_house_objective(name, loss, penalty):
    X, y = make_data(loss)
    values = translate(
        penalty, "house", name, loss=loss, n_samples=N_SAMPLES, y_scale=float(np.std(y))
    )
    rng = np.random.default_rng(1)

    ratios = []
    for _ in range(5):
        w, b = rng.normal(size=N_FEATURES), rng.normal()
        house = (
            data_loss(X, y, w, b, loss) + penalty.l1 * absolutes(w) + penalty.l2 / 2 * squares(w)
        )
        ratios.append(OBJECTIVES[name](X, y, w, b, loss, values) / house)

    np.testing.assert_allclose(ratios, ratios[0], rtol=rounding(np.float64, 10 * N_SAMPLES))


def test_glmnet_standardizes_features_and_targets_around_the_same_problem():
    """Go through the steps of glmnet's driver, and compare with the house problem."""
    X, y = make_data("squared")
    lam, alpha = 0.4, 0.3
    # glmnet: standardize X and y with the divisor n, divide lambda by s_y, solve, transform back.
    s_x, s_y = X.std(axis=0), y.std()
    X_standard, y_standard = (X - X.mean(axis=0)) / s_x, (y - y.mean()) / s_y
    inner = Strength.from_alpha(lam / s_y, l1_ratio=alpha)
    glmnet_coef = house_solution(X_standard, y_standard, inner, "squared")[0] * s_y / s_x

    house = translate(
        {"lambda": lam, "alpha": alpha}, "glmnet.gaussian", "house", y_scale=float(s_y)
    )

    coef, _ = house_solution(X / s_x, y, Strength.from_alpha(**house), "squared")
    np.testing.assert_allclose(coef / s_x, glmnet_coef, rtol=0, atol=1e-12)


def descend(X, y, loss, factor, learning_rate, momentum, decay):
    """Run SGD on full batches, shrinking the weights (not the bias) by `decay` in each step."""
    z, velocity = np.zeros(N_FEATURES + 1), np.zeros(N_FEATURES + 1)
    for _ in range(3_000):
        gradient = factor * data_gradient(X, y, z[:-1], z[-1], loss)
        velocity = momentum * velocity - learning_rate * gradient
        z = z * np.append(np.full(N_FEATURES, 1 - decay), 1.0) + velocity
    return z[:-1], z[-1]


UPDATES = ("keras.SGD", "textbook.SGDW")


@pytest.mark.parametrize("momentum", [0.0, 0.6])
@pytest.mark.parametrize("learning_rate", [0.1, 0.05])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", UPDATES)
def test_decoupled_decay_under_sgd_ends_at_the_penalized_minimizer(
    name, loss, learning_rate, momentum
):
    X, y = make_data(loss)
    penalty = PENALTIES["l2"]
    weight_decay = translate(
        penalty, "house", name, loss=loss, learning_rate=learning_rate, momentum=momentum
    )["weight_decay"]
    # Keras multiplies the decay by the learning rate and has a mean squared error without the ½.
    keras = name == "keras.SGD"
    decay = learning_rate * weight_decay if keras else weight_decay
    factor = 2 if keras and loss == "squared" else 1

    coef, intercept = descend(X, y, loss, factor, learning_rate, momentum, decay)

    expected_coef, expected_intercept = house_solution(X, y, penalty, loss)
    # Where the gradient of N_SAMPLES terms is zero but for rounding, the distance from the minimum
    # is that over the smallest curvature.
    scale = np.abs(X).max() * (1 + np.abs(y).max())
    curvature = np.linalg.eigvalsh(X.T @ X / N_SAMPLES).min() * (0.25 if loss == "logistic" else 1)
    rounded = {"terms": N_SAMPLES, "condition": 1 / curvature, "scale": scale}
    assert_close(coef, expected_coef, **rounded)
    assert_close(intercept, expected_intercept, **rounded)


def test_learning_rate_matters_only_where_it_does_not_multiply_the_decay():
    penalty = PENALTIES["l2"]

    def translated(name, learning_rate):
        return translate(penalty, "house", name, loss="squared", learning_rate=learning_rate)

    assert translated("keras.SGD", 0.1) == translated("keras.SGD", 0.05)
    slow, fast = translated("textbook.SGDW", 0.05), translated("textbook.SGDW", 0.1)
    assert fast["weight_decay"] == pytest.approx(
        2 * slow["weight_decay"], rel=rounding(np.float64, 5)
    )


# --------------------------------------------------------------------------------------------------
# What is no penalty on the weights
# --------------------------------------------------------------------------------------------------
def box_solution(X, y, bound):
    """Minimize the squared loss alone, with every weight (not the bias) within ±bound."""
    limits = np.append(np.full(N_FEATURES, bound), np.inf)
    design = np.column_stack([X, np.ones(len(X))])
    return optimize.lsq_linear(design, y, bounds=(-limits, limits), tol=1e-14).x[:-1]


# The second moment forgets faster than by default, because the gradient can vanish no faster than
# its running average does.
ADAMW_BETAS, ADAMW_STEPS, ADAMW_RATE, ADAMW_DECAY = (0.9, 0.98), 1_200, 0.05, 0.996


def fit_torch_adamw(X, y, weight_decay):
    def make(optim, groups):
        return optim.AdamW(groups, lr=ADAMW_RATE, betas=ADAMW_BETAS)

    return fit_torch(make, X, y, weight_decay=weight_decay, n_steps=ADAMW_STEPS, decay=ADAMW_DECAY)[
        0
    ]


def run_keras_adamw(X, y, weight_decay):
    """Run Keras's AdamW as its source states it: decay first, then Adam's step."""
    z, m, v = np.zeros((3, N_FEATURES + 1))
    beta_1, beta_2 = ADAMW_BETAS
    for step in range(1, ADAMW_STEPS + 1):
        learning_rate = ADAMW_RATE * ADAMW_DECAY ** (step - 1)
        gradient = 2 * data_gradient(X, y, z[:-1], z[-1], "squared")
        z[:-1] -= z[:-1] * weight_decay * learning_rate
        m += (gradient - m) * (1 - beta_1)
        v += (gradient**2 - v) * (1 - beta_2)
        rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        z -= m * rate / (np.sqrt(v) + 1e-7)
    return z[:-1]


ADAMW = {"torch.AdamW": fit_torch_adamw, "keras.AdamW": run_keras_adamw}


@pytest.mark.parametrize("name", ADAMW)
def test_adamw_heads_for_the_bare_loss_in_a_box_and_not_for_ridge(name):
    X, y = make_data("squared")
    least_squares = house_solution(X, y, Strength(0.0, 0.0), "squared")[0]
    assert 1 < np.max(np.abs(least_squares)) < 1 / 0.2

    # A wide box: no penalty at all, where the same weight_decay in SGD means ridge.
    wide = ADAMW[name](X, y, weight_decay=0.2)
    same_in_sgd = translate(0.2, "torch.SGD", "house", loss="squared")
    ridge = house_solution(X, y, Strength.from_alpha(**same_in_sgd), "squared")[0]
    np.testing.assert_allclose(wide, least_squares, rtol=0, atol=1e-3)
    assert np.max(np.abs(wide - ridge)) > 0.2

    # A narrow box: its corners bind.
    narrow = ADAMW[name](X, y, weight_decay=1.0)
    np.testing.assert_allclose(narrow, box_solution(X, y, bound=1.0), rtol=0, atol=1e-2)


def test_xgboost_trees_shrink_leaf_values():
    import xgboost

    X, y = make_data("squared")
    reg_alpha, reg_lambda = 1.5, 3.0
    booster = xgboost.train(
        {
            "max_depth": 2,
            "learning_rate": 1.0,
            "reg_alpha": reg_alpha,
            "reg_lambda": reg_lambda,
            "base_score": 0.0,
            "tree_method": "exact",
            "nthread": 1,
        },
        xgboost.DMatrix(X, y),
        num_boost_round=1,
    )
    leaves = booster.predict(xgboost.DMatrix(X), pred_leaf=True).ravel()
    predicted = booster.predict(xgboost.DMatrix(X))
    assert len(np.unique(leaves)) >= 3
    for leaf in np.unique(leaves):
        # From the prediction 0, the squared loss has the gradient -y and the second derivative 1.
        total, count = y[leaves == leaf].sum(), np.sum(leaves == leaf)
        value = np.sign(total) * max(abs(total) - reg_alpha, 0) / (count + reg_lambda)
        np.testing.assert_allclose(predicted[leaves == leaf], value, rtol=0, atol=1e-6)


REFUSED = ("torch.AdamW", "keras.AdamW", "xgboost.gbtree")


@pytest.mark.parametrize("name", REFUSED)
def test_no_equivalent_in_either_direction(name):
    own = dict.fromkeys(CONVENTIONS[name].parameters, 0.1)
    reason = "trees have no feature weights" if "gbtree" in name else "decoupled weight decay"
    with pytest.raises(ValueError, match=rf"cannot translate '{name}' to 'torch.SGD': .*{reason}"):
        translate(own, name, "torch.SGD", loss="squared")
    with pytest.raises(ValueError, match=rf"cannot translate 'torch.SGD' to '{name}': .*{reason}"):
        translate(0.1, "torch.SGD", name, loss="squared")


def test_adamw_carries_over_between_libraries():
    assert translate(0.1, "torch.AdamW", "keras.AdamW") == {"weight_decay": 0.1}


def test_every_record_is_proved_the_way_it_says():
    """`verified` is a promise; this is where the tests that keep it are counted."""
    fitted = {*FITS, "torch.AdamW", "xgboost.gbtree"}
    by_algebra = {*OBJECTIVES, *UPDATES, "keras.AdamW"}
    assert {c.name for c in CONVENTIONS.values() if c.verified == "fit"} == fitted
    assert {c.name for c in CONVENTIONS.values() if c.verified == "algebra"} == by_algebra
    assert {c.name for c in CONVENTIONS.values() if c.refusal} == set(REFUSED)


@pytest.mark.parametrize("package", ["sklearn", "statsmodels", "torch", "xgboost"])
def test_recorded_version_is_the_installed_one(package):
    module = pytest.importorskip("torch") if package == "torch" else __import__(package)
    installed = ".".join(module.__version__.split(".")[:2])
    records = [c.version for c in CONVENTIONS.values() if c.name.startswith(f"{package}.")]
    assert records
    for record in records:
        assert record == f"{package.replace('sklearn', 'scikit-learn')} {installed}"


# --------------------------------------------------------------------------------------------------
# The translation itself
# --------------------------------------------------------------------------------------------------
QUANTITIES = {
    "n_samples": 50,
    "batch_size": 10,
    "y_scale": 3.0,
    "learning_rate": 0.1,
    "momentum": 0.75,
}
TRANSLATABLE = [c.name for c in CONVENTIONS.values() if not c.refusal]


@pytest.mark.parametrize(
    ("name", "loss", "expected"),
    [
        # λρ = 0.3 and λ(1 - ρ) = 0.2 with the quantities above, worked out by hand.
        ("house", "squared", {"alpha": 0.5, "l1_ratio": 0.6}),
        ("sklearn.Ridge", "squared", {"alpha": 10.0}),
        ("sklearn.Lasso", "squared", {"alpha": 0.3}),
        ("sklearn.ElasticNet", "squared", {"alpha": 0.5, "l1_ratio": 0.6}),
        ("sklearn.SGDRegressor", "squared", {"alpha": 0.5, "l1_ratio": 0.6}),
        ("sklearn.SGDClassifier", "logistic", {"alpha": 0.5, "l1_ratio": 0.6}),
        ("sklearn.LogisticRegression", "logistic", {"C": 0.04, "l1_ratio": 0.6}),
        ("sklearn.MLPRegressor", "squared", {"alpha": 2.0}),
        ("sklearn.MLPClassifier", "logistic", {"alpha": 2.0}),
        ("glmnet.gaussian", "squared", {"lambda": 0.9, "alpha": 1 / 3}),
        ("glmnet.binomial", "logistic", {"lambda": 0.5, "alpha": 0.6}),
        ("statsmodels.OLS", "squared", {"alpha": 0.5, "L1_wt": 0.6}),
        ("statsmodels.GLM", "logistic", {"alpha": 0.5, "L1_wt": 0.6}),
        ("statsmodels.Logit", "logistic", {"alpha": 15.0}),
        ("torch.SGD", "squared", {"weight_decay": 0.4}),
        ("torch.SGD", "logistic", {"weight_decay": 0.2}),
        ("torch.Adam", "squared", {"weight_decay": 0.4}),
        ("torch.Adam", "logistic", {"weight_decay": 0.2}),
        ("keras.L1", "squared", {"l1": 0.6}),
        ("keras.L1", "logistic", {"l1": 0.3}),
        ("keras.L2", "squared", {"l2": 0.2}),
        ("keras.L2", "logistic", {"l2": 0.1}),
        ("keras.L1L2", "squared", {"l1": 0.6, "l2": 0.2}),
        ("keras.L1L2", "logistic", {"l1": 0.3, "l2": 0.1}),
        ("keras.SGD", "squared", {"weight_decay": 1.6}),
        ("keras.SGD", "logistic", {"weight_decay": 0.8}),
        ("xgboost.gblinear", "squared", {"reg_alpha": 0.3, "reg_lambda": 0.2}),
        ("xgboost.gblinear", "logistic", {"reg_alpha": 0.3, "reg_lambda": 0.2}),
        ("textbook.sum_of_squares", "squared", {"lambda": 0.1}),
        ("textbook.half_alpha", "squared", {"alpha": 0.2}),
        ("textbook.half_norm", "squared", {"lambda": 0.2}),
        ("textbook.per_sample", "squared", {"lambda": 10.0}),
        ("textbook.lasso", "squared", {"lambda": 0.3}),
        ("textbook.elastic_net_sum", "squared", {"alpha_1": 0.3, "alpha_2": 0.1}),
        ("textbook.elastic_net_mix", "squared", {"lambda": 0.4, "alpha": 0.75}),
        ("textbook.SGDW", "squared", {"weight_decay": 0.08}),
    ],
)
def test_numbers_worked_out_by_hand(name, loss, expected):
    convention = CONVENTIONS[name]
    strength = Strength(0.3 if convention.has("l1") else 0.0, 0.2 if convention.has("l2") else 0.0)
    result = translate(strength, "house", name, loss=loss, **QUANTITIES)
    assert list(result) == list(expected)
    assert result == pytest.approx(expected, rel=1e-14)


PAIRS = [
    pytest.param(source, target, loss, id=f"{source}-{target}-{loss}")
    for source in TRANSLATABLE
    for target in TRANSLATABLE
    for loss in CONVENTIONS[source].losses()
    if loss in CONVENTIONS[target].losses()
]


def own_parameters(source, target):
    """Choose a strength for the source that the target can express as well."""
    l1 = CONVENTIONS[target].has("l1") and CONVENTIONS[source].has("l1")
    l2 = CONVENTIONS[target].has("l2") and CONVENTIONS[source].has("l2")
    first, last = CONVENTIONS[source].parameters[0], CONVENTIONS[source].parameters[-1]
    values = np.array([0.01, 0.7, 30.0])
    match CONVENTIONS[source].kind:
        case "mix":
            return {first: values, last: np.full(3, 0.25 if l1 and l2 else float(l1))}
        case "pair":
            return {first: values * l1, last: values[::-1] * l2}
        case _:
            return {first: values}


def test_there_and_back_again():
    """Translate every convention into every other one and back, for arrays of strengths."""
    n_compared = 0
    for case in PAIRS:
        source, target, loss = case.values
        own = own_parameters(source, target)
        if {CONVENTIONS[source].kind, CONVENTIONS[target].kind} == {"l1", "l2"}:
            continue
        there = translate(own, source, target, loss=loss, **QUANTITIES)
        back = translate(there, target, source, loss=loss, **QUANTITIES)
        for parameter, values in own.items():
            # 1 - l1_ratio keeps few digits where l1 is 30 and l2 0.01.
            rtol = rounding(np.float64, 10, condition=30 / 0.01)
            np.testing.assert_allclose(back[parameter], values, rtol=rtol, err_msg=case.id)
        n_compared += 1
    assert n_compared > 600


def test_house_formula_of_the_table_is_what_translate_computes():
    for name in TRANSLATABLE:
        convention = CONVENTIONS[name]
        for loss in convention.losses():
            own = dict(zip(convention.parameters, (0.7, 0.3), strict=False))
            # "lambda" is no name in Python.
            names = {key.replace("lambda", "lambda_"): value for key, value in own.items()}
            strength = Strength.from_alpha(**translate(own, name, "house", loss=loss, **QUANTITIES))
            for norm, expected in (("l1", strength.l1), ("l2", strength.l2)):
                formula = convention.house_strength(norm, loss).replace("lambda", "lambda_")
                formula = formula.replace("reg_lambda_", "reg_lambda")
                assert eval(formula, {}, {**names, **own, **QUANTITIES}) == pytest.approx(
                    expected, rel=1e-14
                )


def test_scalars_stay_scalars_and_arrays_keep_their_shape():
    scalar = translate(10, "sklearn.Ridge", "keras.L1L2", n_samples=50)
    assert scalar == {"l1": 0.0, "l2": 0.2}
    assert all(type(value) is float for value in scalar.values())
    grid = np.geomspace(1e-3, 1e3, 6).reshape(2, 3)
    many = translate(grid, "sklearn.Ridge", "torch.SGD", n_samples=50)["weight_decay"]
    np.testing.assert_allclose(many, 2 * grid / 50, rtol=rounding(np.float64, 5))


def test_inputs_are_not_mutated():
    alphas = np.array([1.0, 2.0])
    own = {"alpha": alphas, "l1_ratio": 0.5}
    translate(own, "sklearn.ElasticNet", "keras.L1L2")
    np.testing.assert_array_equal(alphas, [1.0, 2.0])
    assert own["alpha"] is alphas


def test_no_penalty_is_infinite_inverse_strength():
    none = {"alpha": [0.0, 1.0], "l1_ratio": 1.0}
    there = translate(none, "sklearn.SGDClassifier", "sklearn.LogisticRegression", n_samples=4)
    np.testing.assert_array_equal(there["C"], [np.inf, 0.25])
    np.testing.assert_array_equal(there["l1_ratio"], [0.0, 1.0])
    back = translate(there, "sklearn.LogisticRegression", "sklearn.SGDClassifier", n_samples=4)
    np.testing.assert_array_equal(back["alpha"], [0.0, 1.0])


def test_own_convention_with_a_summed_loss():
    """Zou and Hastie's naive Elastic Net sums the squared errors."""
    summed = replace(CONVENTIONS["textbook.elastic_net_sum"], squared="sum")
    own = {"alpha_1": 4.0, "alpha_2": 3.0}
    house = translate(own, summed, "house", loss="squared", n_samples=10)
    assert house == pytest.approx({"alpha": 0.5, "l1_ratio": 0.4})
    half = replace(summed, squared="half-sum")
    house = translate(own, half, "house", loss="squared", n_samples=10)
    assert house == pytest.approx({"alpha": 1.0, "l1_ratio": 0.4})


# --------------------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("strength", "source", "target", "given", "message"),
    [
        (0.1, "sklearn.Lasso", "sklearn.Ridge", {"n_samples": 5}, "Ridge has no L1 term"),
        (
            {"alpha": 0.1, "l1_ratio": 0.5},
            "sklearn.ElasticNet",
            "torch.SGD",
            {},
            "torch.SGD has no L1 term, .* of strength 0.05",
        ),
        (0.1, "sklearn.Ridge", "sklearn.Lasso", {"n_samples": 5}, "Lasso has no L2 term"),
        (0.1, "sklearn.Ridge", "sklearn.MLPClassifier", {}, "share no data loss"),
        (0.1, "torch.SGD", "keras.L2", {}, "both offer .* give loss="),
        (0.1, "torch.SGD", "sklearn.Ridge", {"loss": "logistic"}, "they share only squared"),
        (0.1, "torch.SGD", "keras.L2", {"loss": "hinge"}, "squared and logistic"),
        (0.1, "sklearn.Ridge", "torch.SGD", {}, "give n_samples"),
        (0.1, "torch.SGD", "sklearn.Ridge", {}, "give n_samples"),
        (0.1, "torch.SGD", "sklearn.MLPRegressor", {"n_samples": 5}, "give batch_size"),
        (0.1, "torch.SGD", "glmnet.gaussian", {}, "give y_scale"),
        (0.1, "torch.SGD", "textbook.SGDW", {"loss": "squared"}, "give learning_rate"),
        (0.1, "sklearn.ElasticNet", "house", {}, "give a mapping"),
        ({"alpha": 0.1}, "sklearn.ElasticNet", "house", {}, "wanted .*'alpha', 'l1_ratio'"),
        ({"C": 1.0}, "sklearn.Ridge", "house", {"n_samples": 5}, "keys .*'C'.*wanted .*'alpha'"),
        (Strength(0.0, 0.1), "sklearn.Ridge", "house", {}, "a Strength is in house units"),
    ],
)
def test_impossible_translation_names_both_and_says_why(strength, source, target, given, message):
    with pytest.raises(ValueError, match=f"cannot translate '{source}' to '{target}': .*{message}"):
        translate(strength, source, target, **given)


@pytest.mark.parametrize(
    ("strength", "given", "error", "message"),
    [
        (-0.1, {"n_samples": 5}, ValueError, "alpha is -0.1; wanted finite numbers of at least 0"),
        (np.nan, {"n_samples": 5}, ValueError, "alpha is nan"),
        ([1.0, np.inf], {"n_samples": 5}, ValueError, "alpha is .*inf"),
        ("strong", {"n_samples": 5}, TypeError, "alpha is 'strong'; wanted a number"),
        (0.1, {"n_samples": 0}, ValueError, "n_samples is 0; wanted at least 1"),
        (0.1, {"n_samples": 5.0}, TypeError, "n_samples is 5.0; wanted an integer"),
        (0.1, {"n_samples": True}, TypeError, "n_samples is True"),
        (0.1, {"batch_size": -1}, ValueError, "batch_size is -1"),
        (0.1, {"y_scale": 0.0}, ValueError, "y_scale is 0.0; wanted a finite number above 0"),
        (0.1, {"y_scale": "big"}, TypeError, "y_scale is 'big'"),
        (0.1, {"learning_rate": np.inf}, ValueError, "learning_rate is inf"),
        (0.1, {"momentum": 1.0}, ValueError, r"momentum is 1.0; wanted a number in \[0, 1\)"),
        (0.1, {"momentum": None}, TypeError, "momentum is None"),
    ],
)
def test_impossible_values(strength, given, error, message):
    with pytest.raises(error, match=message):
        translate(strength, "sklearn.Ridge", "house", **given)


def test_impossible_shares_and_inverse_strengths():
    with pytest.raises(ValueError, match=r"l1_ratio is 1.5; wanted numbers in \[0, 1\]"):
        translate({"alpha": 1.0, "l1_ratio": 1.5}, "sklearn.ElasticNet", "house")
    with pytest.raises(ValueError, match=r"C is 0\.0; wanted numbers above 0"):
        translate({"C": 0.0, "l1_ratio": 0.0}, "sklearn.LogisticRegression", "house", n_samples=5)
    with pytest.raises(ValueError, match=r"l1 is -1\.0; wanted finite"):
        translate(Strength(-1.0, 0.0), "house", "sklearn.Lasso")


def test_unknown_names():
    with pytest.raises(ValueError, match=r"source is 'Ridge'; wanted .*'sklearn.Ridge'"):
        translate(1.0, "Ridge", "house")
    with pytest.raises(ValueError, match="target is 'glmnet'"):
        translate(1.0, "sklearn.Lasso", "glmnet")
    with pytest.raises(ValueError, match="loss is 'hinge'; wanted 'squared' or 'logistic'"):
        table("hinge")
    with pytest.raises(ValueError, match=r"loss is 'logistic'; sklearn\.Ridge has squared"):
        CONVENTIONS["sklearn.Ridge"].objective("logistic")


def test_a_convention_must_be_consistent():
    ridge = CONVENTIONS["sklearn.Ridge"]
    with pytest.raises(ValueError, match="kind 'mix' wants 2"):
        replace(ridge, kind="mix")
    with pytest.raises(ValueError, match="squared is 'total'; wanted None or one of"):
        replace(ridge, squared="total")
    with pytest.raises(ValueError, match="logistic is 'half-sum'; wanted"):
        replace(ridge, logistic="half-sum")
    with pytest.raises(TypeError):
        CONVENTIONS["mine"] = ridge


# --------------------------------------------------------------------------------------------------
# The table
# --------------------------------------------------------------------------------------------------
def test_table_has_a_line_for_every_convention_with_that_loss():
    for loss in ("squared", "logistic"):
        names = [row.convention.name for row in table(loss)]
        assert names == [c.name for c in CONVENTIONS.values() if loss in c.losses()]
    assert {name for loss in ("squared", "logistic") for name in names} <= set(CONVENTIONS)


def test_objectives_in_writing():
    ridge, logistic = CONVENTIONS["sklearn.Ridge"], CONVENTIONS["sklearn.LogisticRegression"]
    assert ridge.objective("squared") == "||y - Xw - b||_2^2 + alpha * ||w||_2^2"
    assert ridge.objective("squared", latex=True) == (
        r"\lVert y - Xw - b \rVert_2^2 + \texttt{alpha} \lVert w \rVert_2^2"
    )
    assert logistic.objective("logistic") == (
        "sum_i log_loss_i + l1_ratio / C * ||w||_1 + (1 - l1_ratio) / (2 * C) * ||w||_2^2"
    )
    keras = CONVENTIONS["keras.SGD"]
    assert keras.house_strength("l2", "squared") == "weight_decay * (1 - momentum) / 2"
    assert keras.house_strength("l2", "squared", latex=True) == (
        r"\frac{\texttt{weight\_decay}\,(1 - \mu)}{2}"
    )
    assert CONVENTIONS["torch.AdamW"].house_strength("l2", "squared") == ""


def test_needs_are_what_translate_asks_for():
    for name in TRANSLATABLE:
        convention = CONVENTIONS[name]
        for loss in convention.losses():
            own = dict(zip(convention.parameters, (0.7, 0.3), strict=False))
            given = {quantity: QUANTITIES[quantity] for quantity in convention.needs(loss)}
            translate(own, name, "house", loss=loss, **given)
            for quantity in given:
                fewer = {key: value for key, value in given.items() if key != quantity}
                with pytest.raises(ValueError, match=f"give {quantity}"):
                    translate(own, name, "house", loss=loss, **fewer)


def test_markdown_table_has_four_cells_a_line():
    lines = to_markdown(table("squared")).splitlines()
    assert len(lines) == 2 + len(table("squared"))
    assert all(line.count("|") == 5 for line in lines)
    assert lines[3] == (
        r"| `sklearn.Ridge` | $\lVert y - Xw - b \rVert_2^2 + \texttt{alpha} \lVert w \rVert_2^2$ "
        r"| $0$ | $\frac{\texttt{alpha}}{n}$ |"
    )


def test_markdown_notes_say_proof_and_source():
    entries = [CONVENTIONS[name] for name in ("sklearn.Ridge", "keras.L1")]
    ridge, keras = notes_to_markdown(entries).splitlines()
    assert ridge.startswith("- `sklearn.Ridge`: intercept free; proved by fitting scikit-learn")
    assert ridge.endswith("modules/linear_model.html#ridge-regression).")
    assert "proved by algebra. With loss='mse' or a cross-entropy. Source: [documentation]" in keras


def test_every_record_names_its_source():
    for convention in CONVENTIONS.values():
        assert isinstance(convention, Convention)
        assert convention.source
        assert bool(convention.refusal) == bool(convention.rule[0]) == bool(convention.rule[1])
