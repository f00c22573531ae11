"""The one-standard-error rule against its authors' example and by hand."""

import numpy as np
import pytest

from lessons_lib.measure import (
    one_standard_error_rule,
)


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
