"""Work spread over a local Dask cluster gives the results of a single process."""

from __future__ import annotations

from collections.abc import Iterator

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster, get_worker
from sklearn.datasets import load_diabetes

from lessons_lib.ensembles import BaggingRegressor, DecisionTreeRegressor, RandomForestRegressor
from lessons_lib.measure import run_grid

X, y = load_diabetes(return_X_y=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers, as threads of this process: they start quickly."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    with LocalCluster(**options, dashboard_address=None) as workers, Client(workers):
        yield


def is_on_a_worker(setting: object, seed: int) -> float:
    try:
        return float(get_worker().status.name == "running")
    except ValueError:
        return 0.0


def errors_of_a_forest(max_features: int, seed: int) -> tuple[float, float]:
    """Return training and test error of an ensemble, which itself asks for parallel jobs."""
    model = RandomForestRegressor(4, max_features=max_features, max_depth=3, random_state=seed)
    model.fit(X[:200], y[:200])
    squares = (model.predict(X) - y) ** 2
    return squares[:200].mean(), squares[200:].mean()


@pytest.mark.usefixtures("cluster")
def test_an_experiment_over_many_seeds() -> None:
    alone = run_grid(errors_of_a_forest, [1, 5, 10], n_seeds=3)
    with joblib.parallel_config(backend="dask"):
        spread = run_grid(errors_of_a_forest, [1, 5, 10], n_seeds=3)
        places = run_grid(is_on_a_worker, [0], n_seeds=4)
    np.testing.assert_array_equal(spread, alone)
    np.testing.assert_array_equal(places, 1.0)
    np.testing.assert_array_equal(run_grid(is_on_a_worker, [0], n_seeds=2), 0.0)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    "model",
    [
        BaggingRegressor(DecisionTreeRegressor(max_depth=3), 6, oob_score=True, random_state=1),
        RandomForestRegressor(6, max_depth=3, max_features=3, oob_score=True, random_state=1),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:.* samples were seen by every member:UserWarning")
def test_a_fit(model: BaggingRegressor | RandomForestRegressor) -> None:
    alone = model.fit(X, y).predict(X)
    score = model.oob_score_
    with joblib.parallel_config(backend="dask"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), alone)
    assert model.oob_score_ == score
