"""Grids of settings and seeds."""

from __future__ import annotations

import joblib
import numpy as np
import pytest

from lessons_lib.measure import choose_by_validation, run_grid


def noisy(setting: float, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    return setting + rng.standard_normal(), setting * rng.random()


def test_each_setting_gets_the_same_seeds() -> None:
    first, second = run_grid(noisy, [1.0, 5.0, 2.0], n_seeds=4)
    assert first.shape == second.shape == (3, 4)
    np.testing.assert_allclose(first[1] - first[0], 4.0)
    np.testing.assert_array_equal(first[2], [noisy(2.0, seed)[0] for seed in range(4)])
    np.testing.assert_array_equal(second[2], [noisy(2.0, seed)[1] for seed in range(4)])


def test_a_single_number_gives_no_first_axis() -> None:
    np.testing.assert_array_equal(
        run_grid(lambda x, seed: x * seed, (2, 3), n_seeds=3), [[0, 2, 4], [0, 3, 6]]
    )


def test_results_do_not_depend_on_the_number_of_jobs() -> None:
    alone = run_grid(noisy, [1.0, 2.0], n_seeds=3)
    np.testing.assert_array_equal(run_grid(noisy, [1.0, 2.0], n_seeds=3, n_jobs=2), alone)
    with joblib.parallel_config("threading", n_jobs=2):
        np.testing.assert_array_equal(run_grid(noisy, [1.0, 2.0], n_seeds=3), alone)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"experiment": 3}, TypeError, "experiment must be callable, got int"),
        ({"settings": []}, ValueError, "settings must hold at least one"),
        ({"n_seeds": 0}, ValueError, "n_seeds must be at least 1, got 0"),
        ({"experiment": lambda x, seed: np.ones(seed)}, ValueError, "equally many numbers"),
        ({"experiment": lambda x, seed: np.ones((2, 2))}, ValueError, "equally many numbers"),
    ],
)
def test_bad_input(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    call = {"experiment": noisy, "settings": [1.0], "n_seeds": 3, **arguments}
    with pytest.raises(error, match=message):
        run_grid(**call)


def test_the_choice_is_by_validation_and_the_report_by_test() -> None:
    results = {0.01: (0.3, 1.0), 0.1: (0.2, 5.0), 1.0: (0.4, 0.0)}
    assert choose_by_validation(results.__getitem__, list(results)) == 5.0
    assert choose_by_validation(lambda rate: (0.0, rate), [3, 1, 2]) == 3, "the first of equals"


def test_a_candidate_that_diverges_is_not_chosen() -> None:
    def run(rate: float) -> tuple[float, float]:
        if rate > 1:
            raise OverflowError
        return -rate, rate

    assert choose_by_validation(run, [0.5, 1.0, 2.0]) == 1.0
    with pytest.raises(ValueError, match=r"must hold one that runs through, got \[2.0\]"):
        choose_by_validation(run, [2.0])
    with pytest.raises(ValueError, match=r"got \[\]"):
        choose_by_validation(run, [])
