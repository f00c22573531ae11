"""Splits and curves against scikit-learn, intervals against SciPy, bias and variance by theory."""

import doctest

import numpy as np
import pytest
from scipy import stats
from sklearn import model_selection
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error, zero_one_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from lessons_lib import selection
from lessons_lib.datasets import (
    load_diabetes,
    load_wine,
    polynomial_problem,
    sinusoid_problem,
)
from lessons_lib.features import LegendreFeatures
from lessons_lib.selection import (
    KFold,
    StratifiedKFold,
    bias_variance_decomposition,
    cross_val_loss,
    learning_curve,
    mean_confidence_interval,
    one_standard_error_rule,
    paired_difference,
    train_validation_test_split,
    validation_curve,
)


def test_docstring_examples():
    results = doctest.testmod(selection)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    return data.X, data.y


# ----------------------------------------------------------------- train_validation_test_split


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("n_samples", [10, 101, 1000])
def test_split_is_a_partition_with_the_stated_sizes(n_samples, stratified):
    X = np.arange(2 * n_samples).reshape(n_samples, 2)
    y = np.arange(n_samples)
    labels = y % 3 if stratified else None
    parts = train_validation_test_split(X, y, random_state=0, stratify=labels)
    X_parts, y_parts = parts[:3], parts[3:]
    for X_part, y_part, fraction in zip(X_parts, y_parts, (0.6, 0.2, 0.2), strict=True):
        np.testing.assert_array_equal(X_part[:, 0], 2 * y_part)  # rows stay together
        assert abs(len(y_part) - fraction * n_samples) <= 1
    np.testing.assert_array_equal(np.sort(np.concatenate(y_parts)), y)


def test_stratified_split_keeps_the_proportions_of_every_class():
    labels = np.repeat(["a", "b", "c"], [900, 80, 20])
    y_parts = train_validation_test_split(labels, labels, random_state=0, stratify=labels)[3:]
    for y_part, fraction in zip(y_parts, (0.6, 0.2, 0.2), strict=True):
        for label, count in (("a", 900), ("b", 80), ("c", 20)):
            assert abs(np.sum(y_part == label) - fraction * count) <= 1


def test_split_is_random_and_reproducible():
    y = np.arange(300)
    for labels in (None, y % 2):
        first, again, other = (
            train_validation_test_split(y, y, random_state=seed, stratify=labels)
            for seed in (0, 0, 1)
        )
        for a, b, c in zip(first, again, other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert np.mean(a == c) < 0.1


def test_classes_follow_each_other_at_random_in_a_stratified_part():
    labels = np.repeat([0, 1], 500)
    y_train = train_validation_test_split(labels, labels, random_state=0, stratify=labels)[3]
    changes = np.count_nonzero(np.diff(y_train))
    assert abs(changes - 300) < 4 * np.sqrt(600 / 4)  # 599 fair coin flips


def test_every_row_is_equally_likely_in_every_part():
    y = np.arange(10)
    tests = [
        train_validation_test_split(y, y, random_state=seed, stratify=[0] * 5 + [1] * 5)[5]
        for seed in range(2000)
    ]
    counts = np.bincount(np.concatenate(tests), minlength=10)
    assert stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (0.5, 0.5)}, "sizes must be three positive fractions"),
        ({"sizes": (0.5, 0.5, 0.5)}, "with sum 1, got"),
        ({"sizes": (0.9, 0.1, 0.0)}, "sizes must be three positive"),
        ({"sizes": (0.98, 0.01, 0.01)}, "leave a part of the 10 rows empty"),
        ({"stratify": [0, 1]}, r"stratify must have shape \(10,\), got \(2,\)"),
        ({"y": [0, 1]}, "X and y must have the same number of rows"),
    ],
)
def test_split_names_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_validation_test_split(**({"X": np.ones((10, 1)), "y": np.ones(10)} | arguments))


# ----------------------------------------------------------------- KFold, StratifiedKFold


def assert_same_folds(ours, theirs):
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for (train, validation), (expected_train, expected_validation) in zip(
        ours, theirs, strict=True
    ):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(validation, expected_validation)


@pytest.mark.parametrize("n_samples", [5, 23, 100])
@pytest.mark.parametrize("n_splits", [2, 3, 5])
@pytest.mark.parametrize("shuffle", [{}, {"shuffle": True, "random_state": 7}])
def test_kfold_has_the_folds_of_scikit_learn(n_samples, n_splits, shuffle):
    X = np.zeros((n_samples, 1))
    theirs = model_selection.KFold(n_splits, **shuffle)
    assert_same_folds(KFold(n_splits, **shuffle).split(X), theirs.split(X))


@pytest.mark.parametrize("labels", [[0, 1, 2], ["b", "a", "c"], [2.0, 0.0, 1.0]])
@pytest.mark.parametrize("n_splits", [2, 5])
@pytest.mark.parametrize("shuffle", [{}, {"shuffle": True, "random_state": 7}])
def test_stratified_kfold_has_the_folds_of_scikit_learn(labels, n_splits, shuffle):
    y = np.random.default_rng(0).choice(labels, size=83, p=[0.6, 0.3, 0.1])
    theirs = model_selection.StratifiedKFold(n_splits, **shuffle)
    assert_same_folds(StratifiedKFold(n_splits, **shuffle).split(y, y), theirs.split(y, y))


def test_a_random_state_object_continues_its_stream():
    X = np.zeros((20, 1))
    ours = KFold(4, shuffle=True, random_state=np.random.RandomState(0))
    theirs = model_selection.KFold(4, shuffle=True, random_state=np.random.RandomState(0))
    for _ in range(2):
        assert_same_folds(ours.split(X), theirs.split(X))


def test_scikit_learn_accepts_our_splitters(diabetes):
    cv = KFold(4, shuffle=True, random_state=0)
    scores = model_selection.cross_val_score(LinearRegression(), *diabetes, cv=cv)
    assert scores.shape == (4,)
    search = model_selection.GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(*diabetes)
    assert search.n_splits_ == 4


def test_splitters_print_their_parameters():
    assert repr(KFold(3)) == "KFold(n_splits=3, shuffle=False, random_state=None)"
    assert repr(StratifiedKFold(2)).startswith("StratifiedKFold(n_splits=2")


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: KFold(1), "n_splits must be an int >= 2, got 1"),
        (lambda: KFold(2.5), "n_splits must be an int >= 2, got 2.5"),
        (lambda: KFold(3, random_state=0), "random_state=0 has no effect"),
        (lambda: list(KFold(5).split([1, 2])), "n_splits=5 is more than the 2 rows"),
        (lambda: list(StratifiedKFold(2).split([1, 2])), "y must hold the class"),
        (
            lambda: list(StratifiedKFold(3).split([0] * 8, [0] * 6 + [1] * 2)),
            "n_splits=3 is more than the 2 rows of the rarest class",
        ),
    ],
)
def test_splitters_name_bad_input(run, message):
    with pytest.raises(ValueError, match=message):
        run()


# ----------------------------------------------------------------- cross_val_loss


def test_cross_val_loss_is_the_negative_score_of_scikit_learn(diabetes):
    model = make_pipeline(StandardScaler(), Ridge(3.0))
    cv = KFold(5, shuffle=True, random_state=0)
    for loss, scoring in (
        (None, "neg_mean_squared_error"),
        (mean_absolute_error, "neg_mean_absolute_error"),
    ):
        ours = cross_val_loss(model, *diabetes, cv=cv, **({"loss": loss} if loss else {}))
        theirs = model_selection.cross_val_score(model, *diabetes, cv=cv, scoring=scoring)
        np.testing.assert_allclose(ours, -theirs)


def test_cross_val_loss_of_a_classifier():
    data = load_wine()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    cv = model_selection.StratifiedKFold(4, shuffle=True, random_state=0)
    losses = cross_val_loss(model, data.X, data.y, cv=cv, loss=zero_one_loss)
    accuracies = model_selection.cross_val_score(model, data.X, data.y, cv=cv)
    np.testing.assert_allclose(losses, 1 - accuracies)


def test_the_estimator_itself_is_never_fitted(diabetes):
    model = Ridge()
    cross_val_loss(model, *diabetes, cv=KFold(3))
    validation_curve(model, *diabetes, param_name="alpha", param_range=[1, 2], cv=KFold(3))
    learning_curve(model, *diabetes, train_sizes=[10], n_repeats=2, random_state=0)
    assert not hasattr(model, "coef_")
    assert model.alpha == 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cv": 5}, TypeError, r"cv must be a splitter such as KFold\(5\), got 5"),
        ({"loss": "mse"}, TypeError, "loss must be a callable .* got 'mse'"),
        ({"y": [1.0]}, ValueError, "X and y must have the same number of rows"),
    ],
)
def test_cross_val_loss_names_bad_input(arguments, error, message):
    defaults = {"X": np.ones((4, 1)), "y": np.ones(4), "cv": KFold(2)}
    with pytest.raises(error, match=message):
        cross_val_loss(Ridge(), **(defaults | arguments))


# ----------------------------------------------------------------- curves


def test_validation_curve_is_that_of_scikit_learn(diabetes):
    model = make_pipeline(StandardScaler(), Ridge())
    arguments = {
        "param_name": "ridge__alpha",
        "param_range": [0.1, 10.0, 1000.0],
        "cv": KFold(5, shuffle=True, random_state=0),
    }
    ours = validation_curve(model, *diabetes, **arguments)
    theirs = model_selection.validation_curve(
        model, *diabetes, **arguments, scoring="neg_mean_squared_error"
    )
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, -reference)


def test_validation_curve_uses_the_same_folds_for_every_value(diabetes):
    # An unseeded shuffle gives other folds each time it is asked.
    cv = KFold(5, shuffle=True)
    _, losses = validation_curve(
        Ridge(), *diabetes, param_name="alpha", param_range=[1.0, 1.0], cv=cv
    )
    np.testing.assert_array_equal(losses[0], losses[1])


def test_validation_curve_names_bad_input(diabetes):
    arguments = {"cv": KFold(3), "param_name": "alpha"}
    with pytest.raises(ValueError, match="param_range must contain at least one value"):
        validation_curve(Ridge(), *diabetes, param_range=[], **arguments)
    with pytest.raises(ValueError, match="Invalid parameter 'beta'"):
        validation_curve(
            Ridge(), *diabetes, param_range=[1], **(arguments | {"param_name": "beta"})
        )
    with pytest.raises(TypeError, match="cv must be a splitter"):
        validation_curve(Ridge(), *diabetes, param_range=[1], **(arguments | {"cv": 3}))


def test_learning_curve_is_that_of_scikit_learn_on_the_same_splits(diabetes):
    X, y = diabetes
    sizes, n_repeats, n_test = [20, 100, 331], 3, 111  # 111 = 442 / 4, rounded up
    ours = learning_curve(Ridge(), X, y, train_sizes=sizes, n_repeats=n_repeats, random_state=5)

    rng = np.random.default_rng(5)
    orders = [rng.permutation(len(X)) for _ in range(n_repeats)]
    splits = [(order[n_test:], order[:n_test]) for order in orders]
    _, *theirs = model_selection.learning_curve(
        Ridge(), X, y, train_sizes=sizes, cv=splits, scoring="neg_mean_squared_error"
    )
    for mine, reference in zip(ours, theirs, strict=True):
        assert mine.shape == (len(sizes), n_repeats)
        np.testing.assert_allclose(mine, -reference)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"train_sizes": [8]}, ValueError, "must be from 1 to 7 .* got 8 to 8"),
        ({"train_sizes": [0, 3]}, ValueError, "must be from 1 to 7 .* got 0 to 3"),
        ({"train_sizes": [0.5]}, ValueError, "train_sizes must be a non-empty list of ints"),
        ({"train_sizes": []}, ValueError, "train_sizes must be a non-empty list of ints"),
        ({"test_size": 1.0}, ValueError, "test_size must be between 0 and 1, got 1.0"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be at least 1, got 0"),
        ({"loss": "mse"}, TypeError, "loss must be a callable"),
    ],
)
def test_learning_curve_names_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        learning_curve(Ridge(), np.ones((10, 1)), np.ones(10), **({"train_sizes": [2]} | arguments))


# ----------------------------------------------------------------- one_standard_error_rule


def losses_with(means, standard_errors):
    """Two folds whose mean and standard error are exactly the given ones."""
    means, standard_errors = np.asarray(means), np.asarray(standard_errors)
    return np.stack([means - standard_errors, means + standard_errors], axis=1)


def test_one_standard_error_rule_on_the_published_example_of_bestglm():
    # The example of oneSDRule in the R package bestglm (McLeod & Xu), whose answer is model 3.
    means = [1.4637799, 0.7036285, 0.6242480, 0.6069406, 0.6006877]
    means += [0.6005472, 0.5707958, 0.5907897, 0.5895489]
    errors = [0.24878992, 0.14160499, 0.08714908, 0.11376041, 0.08522291]
    errors += [0.11897327, 0.07960879, 0.09235052, 0.12860983]
    assert one_standard_error_rule(losses_with(means, errors), complexity=range(9)) == 3 - 1


def test_one_standard_error_rule_uses_the_standard_error_of_the_best_model_only():
    losses = losses_with([1.2, 1.0, 1.1], [9.0, 0.15, 0.0])
    assert one_standard_error_rule(losses, complexity=[0, 2, 1]) == 2


def test_complexity_not_order_decides():
    losses = losses_with([1.0, 1.05, 1.02], [0.1, 0.1, 0.1])
    alphas = np.array([0.1, 10.0, 1.0])
    assert one_standard_error_rule(losses, complexity=-alphas) == 1
    assert one_standard_error_rule(losses, complexity=alphas) == 0


def test_equally_complex_models_are_ranked_by_loss():
    losses = losses_with([1.05, 1.0, 1.02], [0.1, 0.1, 0.1])
    assert one_standard_error_rule(losses, complexity=[1, 2, 1]) == 2


@pytest.mark.parametrize(
    ("losses", "complexity", "message"),
    [
        ([1.0, 2.0], [1, 2], r"losses must have shape .* got \(2,\)"),
        ([[1.0], [2.0]], [1, 2], r"losses must have shape .* got \(2, 1\)"),
        ([[1.0, 2.0]], [1, 2], r"complexity must have shape \(1,\), got \(2,\)"),
        ([[1.0, np.nan]], [1], "must be finite"),
    ],
)
def test_one_standard_error_rule_names_bad_input(losses, complexity, message):
    with pytest.raises(ValueError, match=message):
        one_standard_error_rule(losses, complexity=complexity)


# ----------------------------------------------------------------- bias and variance


@pytest.fixture(scope="module")
def constant_fit():
    """Predicting the training mean of y = x² + noise: every term is known exactly."""
    problem = polynomial_problem([0, 0, 1], noise=0.5)  # x uniform on [-1, 1]
    X_test = np.linspace(-1, 1, 11)[:, None]
    mean, variance_of_truth = 1 / 3, 1 / 5 - 1 / 9
    exact = {
        "bias_squared": (mean - X_test[:, 0] ** 2) ** 2,
        "variance": np.full(11, (variance_of_truth + 0.25) / 8),
    }
    runs = [
        bias_variance_decomposition(
            DummyRegressor(), problem, n_train=8, X_test=X_test, n_repeats=40, random_state=seed
        )
        for seed in range(40)
    ]
    return exact, runs


def test_terms_are_unbiased(constant_fit):
    exact, runs = constant_fit
    for name, per_point in exact.items():
        estimates = np.array([getattr(run, name) for run in runs])
        assert abs(estimates.mean() - per_point.mean()) < 3 * stats.sem(estimates)
        at_points = np.array([getattr(run, f"{name}_per_point") for run in runs])
        z_scores = (at_points.mean(axis=0) - per_point) / stats.sem(at_points, axis=0)
        assert np.abs(z_scores).max() < 4
    errors = np.array([run.expected_error for run in runs])
    expected = exact["bias_squared"].mean() + exact["variance"].mean() + 0.25
    assert abs(errors.mean() - expected) < 3 * stats.sem(errors)


def test_the_plug_in_estimate_of_the_squared_bias_is_too_large(constant_fit):
    exact, runs = constant_fit
    truth = np.linspace(-1, 1, 11) ** 2
    plug_in = np.array([np.mean((run.predictions.mean(axis=0) - truth) ** 2) for run in runs])
    excess = exact["variance"].mean() / 40
    corrected = np.array([run.bias_squared for run in runs])
    unbiased_variance = np.array([run.variance for run in runs])
    np.testing.assert_allclose(plug_in - corrected, unbiased_variance / 40)
    assert plug_in.mean() - corrected.mean() == pytest.approx(excess, rel=0.1)


def test_standard_errors_match_the_spread_over_seeds(constant_fit):
    _, runs = constant_fit
    for name in ("bias_squared", "variance", "predicted_error", "expected_error"):
        spread = np.std([getattr(run, name) for run in runs], ddof=1)
        reported = np.mean([getattr(run, f"{name}_standard_error") for run in runs])
        # The standard deviation of 40 values is itself known to about 11 %.
        assert reported == pytest.approx(spread, rel=0.35)
    z_scores = [run.discrepancy / run.discrepancy_standard_error for run in runs]
    assert 0.7 < np.std(z_scores) < 1.3


def test_standard_errors_are_those_of_a_jackknife_by_hand():
    problem = sinusoid_problem(noise=0.3)
    X_test = np.linspace(-1, 1, 7)[:, None]
    result = bias_variance_decomposition(
        LinearRegression(), problem, n_train=6, X_test=X_test, n_repeats=9, random_state=0
    )
    truth = problem.truth(X_test)
    estimates = []
    for left_out in range(9):
        kept = np.delete(result.predictions, left_out, axis=0)
        variance = kept.var(axis=0, ddof=1)
        bias_squared = (kept.mean(axis=0) - truth) ** 2 - variance / 8
        estimates.append([bias_squared.mean(), variance.mean(), (bias_squared + variance).mean()])
    by_hand = np.sqrt(8 * np.var(estimates, axis=0))
    reported = [
        result.bias_squared_standard_error,
        result.variance_standard_error,
        result.predicted_error_standard_error,
    ]
    np.testing.assert_allclose(reported, by_hand)


def test_terms_are_the_documented_averages_over_pairs_of_fits():
    problem = sinusoid_problem(noise=0.3)
    X_test = np.linspace(-1, 1, 4)[:, None]
    result = bias_variance_decomposition(
        LinearRegression(), problem, n_train=6, X_test=X_test, n_repeats=5, random_state=0
    )
    d = result.predictions - problem.truth(X_test)
    pairs = [d[r] * d[s] for r in range(5) for s in range(5) if r != s]
    np.testing.assert_allclose(result.bias_squared_per_point, np.mean(pairs, axis=0))
    np.testing.assert_allclose(result.variance_per_point, np.var(d, axis=0, ddof=1))


def test_standard_error_of_the_measured_error_treats_test_points_as_dependent():
    # One training row: the prediction is its noise, wrong by the same amount at all test points.
    # The error of a repeat is then about noise + chi-squared(1), with variance 2.
    result = bias_variance_decomposition(
        DummyRegressor(),
        polynomial_problem([0.0], noise=1.0),
        n_train=1,
        X_test=np.zeros((100, 1)),
        n_repeats=400,
        random_state=0,
    )
    assert result.expected_error_standard_error == pytest.approx(np.sqrt(2 / 400), rel=0.25)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(LegendreFeatures(1), LinearRegression()),
        make_pipeline(LegendreFeatures(3), LinearRegression()),
        make_pipeline(LegendreFeatures(5), LinearRegression()),
        make_pipeline(LegendreFeatures(15), Ridge(0.1)),
        make_pipeline(LegendreFeatures(15), Ridge(10.0)),
        DecisionTreeRegressor(max_depth=3, random_state=0),
    ],
    ids=["degree-1", "degree-3", "degree-5", "weak-ridge", "strong-ridge", "tree"],
)
def test_the_three_terms_add_up_to_the_measured_error(model):
    result = bias_variance_decomposition(
        model,
        sinusoid_problem(noise=0.3),
        n_train=40,
        X_test=np.linspace(-0.95, 0.95, 20)[:, None],
        n_repeats=100,
        random_state=1,
    )
    assert result.noise == pytest.approx(0.09)
    total = result.bias_squared + result.variance + result.noise
    assert result.predicted_error == pytest.approx(total)
    assert result.discrepancy == pytest.approx(result.expected_error - total)
    assert abs(result.discrepancy) < 3 * result.discrepancy_standard_error
    # The interval must be short enough to mean something.
    assert result.discrepancy_standard_error < 0.15 * result.expected_error


def test_averages_and_arrays_agree():
    result = bias_variance_decomposition(
        Ridge(),
        sinusoid_problem(noise=0.3),
        n_train=10,
        X_test=np.linspace(-1, 1, 4)[:, None],
        n_repeats=5,
        random_state=0,
    )
    assert result.predictions.shape == (5, 4)
    for name in ("bias_squared", "variance", "expected_error"):
        per_point = getattr(result, f"{name}_per_point")
        assert per_point.shape == (4,)
        assert per_point.mean() == pytest.approx(getattr(result, name))


def test_same_seed_gives_both_estimators_the_same_training_sets():
    problem = polynomial_problem([0.0, 1.0], noise=0.3)
    predictions = [
        bias_variance_decomposition(
            model, problem, n_train=10, X_test=[[0.0], [0.5]], n_repeats=4, random_state=2
        ).predictions
        for model in (LinearRegression(), Ridge(1e-10), Ridge(1.0))
    ]
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-6)
    assert not np.allclose(predictions[0], predictions[2])


def test_a_perfect_model_of_noiseless_data_has_no_error():
    result = bias_variance_decomposition(
        LinearRegression(),
        polynomial_problem([1.0, 2.0], noise=0.0),
        n_train=5,
        X_test=[[0.0], [1.0]],
        n_repeats=3,
        random_state=0,
    )
    terms = [result.bias_squared, result.variance, result.noise, result.expected_error]
    np.testing.assert_allclose(terms, 0, atol=1e-25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 2}, "n_repeats must be at least 3, got 2"),
        ({"n_train": 0}, "n_samples must be at least 1, got 0"),
        ({"X_test": [1.0, 2.0]}, r"X must have shape \(n_samples, 1\), got \(2,\)"),
    ],
)
def test_bias_variance_names_bad_input(arguments, message):
    defaults = {"n_train": 5, "X_test": [[0.0]], "n_repeats": 3}
    with pytest.raises(ValueError, match=message):
        bias_variance_decomposition(Ridge(), sinusoid_problem(noise=1.0), **(defaults | arguments))


# ----------------------------------------------------------------- intervals


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_mean_confidence_interval_is_that_of_scipy(confidence):
    values = np.random.default_rng(0).standard_normal((3, 8))
    ours = mean_confidence_interval(values, confidence=confidence)
    theirs = stats.ttest_1samp(values, 0, axis=-1).confidence_interval(confidence)
    np.testing.assert_allclose(ours.low, theirs.low)
    np.testing.assert_allclose(ours.high, theirs.high)
    np.testing.assert_allclose(ours.mean, values.mean(axis=1))
    np.testing.assert_allclose(ours.half_width, (theirs.high - theirs.low) / 2)


def test_paired_difference_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(12)
    a, b = common + 0.1 * rng.standard_normal(12), common
    ours = paired_difference(a, b, confidence=0.9)
    theirs = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.half_width < mean_confidence_interval(a).half_width / 3


def test_the_interval_covers_the_mean_as_often_as_it_says():
    values = np.random.default_rng(0).normal(5, 2, size=(20_000, 4))
    interval = mean_confidence_interval(values, confidence=0.9)
    coverage = np.mean((interval.low <= 5) & (interval.high >= 5))
    assert coverage == pytest.approx(0.9, abs=0.01)


def test_one_mean_is_a_plain_float_and_formats():
    interval = mean_confidence_interval([1, 2, 3])
    assert type(interval.mean) is float
    assert type(interval.low) is float
    assert f"{interval:.1f}" == "2.0 ± 2.5"


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: mean_confidence_interval(1.0), r"values must have shape .* got \(\)"),
        (lambda: mean_confidence_interval([1.0]), r"values must have shape .* got \(1,\)"),
        (lambda: mean_confidence_interval([1.0, np.nan]), "values must be finite"),
        (
            lambda: mean_confidence_interval([1.0, 2.0], confidence=95),
            "confidence must be between 0 and 1, got 95",
        ),
        (lambda: paired_difference([1, 2], [1, 2, 3]), r"same shape, got \(2,\) and \(3,\)"),
    ],
)
def test_intervals_name_bad_input(run, message):
    with pytest.raises(ValueError, match=message):
        run()
