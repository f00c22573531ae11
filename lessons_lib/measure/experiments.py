"""Run an experiment over a grid of settings and many seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lessons_lib._validation import check_integer

__all__ = ["choose_by_validation", "run_grid"]


def run_grid(
    experiment: Callable[[Any, int], Any],
    settings: Sequence[Any] | NDArray[Any],
    *,
    n_seeds: int,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Run an experiment once for each setting and seed.

    Every setting gets the same seeds, so that arms can be compared in pairs.

    Parameters
    ----------
    experiment : callable
        ``experiment(setting, seed)`` returns a number or several numbers, always equally many.
    settings : sequence
        The settings to run, at least one.
    n_seeds : int
        Seeds are 0 to ``n_seeds - 1``; at least 1.
    n_jobs : int or None, default=None
        Number of parallel jobs. None means one, unless a ``joblib.parallel_config`` says otherwise:
        with it the same call runs on all cores or on a cluster. The results do not depend on it.

    Returns
    -------
    ndarray of shape (n_outputs, n_settings, n_seeds), or (n_settings, n_seeds)
        The first axis exists if the experiment returns several numbers, which can then be
        unpacked: ``train, test = run_grid(...)``.

    Raises
    ------
    TypeError
        If `experiment` is not callable.
    ValueError
        If there is no setting or no seed, or results differ in length.

    Examples
    --------
    >>> sums, products = run_grid(lambda x, seed: (x + seed, x * seed), [10, 20], n_seeds=3)
    >>> sums
    array([[10., 11., 12.],
           [20., 21., 22.]])
    """
    if not callable(experiment):
        raise TypeError(f"experiment must be callable, got {type(experiment).__name__}.")
    if len(settings) == 0:
        raise ValueError("settings must hold at least one setting, got none.")
    n_seeds = check_integer("n_seeds", n_seeds, 1)
    # The matrices of an experiment are small: more threads than one only wait for each other.
    with threadpool_limits(1):
        results = Parallel(n_jobs=n_jobs)(
            delayed(experiment)(setting, seed) for setting in settings for seed in range(n_seeds)
        )
    shapes = {np.shape(result) for result in results}
    if len(shapes) > 1 or len(shape := shapes.pop()) > 1:
        raise ValueError(
            "experiment must return a number or equally many numbers each time, "
            f"got results of shapes {sorted({np.shape(result) for result in results})}."
        )
    values = np.array(results, dtype=np.float64).reshape(len(settings), n_seeds, *shape)
    return np.moveaxis(values, -1, 0) if shape else values


def choose_by_validation(
    run: Callable[[Any], tuple[float, float]], candidates: Sequence[Any]
) -> float:
    """Return the test result of the candidate that does best on validation rows.

    A fair contrast gives each arm its own choice, for example of the learning rate: a rate that
    suits one arm is a handicap for the other.

    Parameters
    ----------
    run : callable
        ``run(candidate)`` returns two numbers: what to choose by, lower is better, and what to
        report. It may raise an `ArithmeticError`, as a training that diverges does: such a
        candidate is not chosen.
    candidates : sequence
        What to choose from, at least one.

    Returns
    -------
    float
        What the chosen candidate reports; the first of equals is chosen.

    Raises
    ------
    ValueError
        If there is no candidate, or none that ran through.

    Examples
    --------
    >>> choose_by_validation(lambda rate: ((rate - 0.1) ** 2, 10 * rate), [0.03, 0.1, 0.3])
    1.0
    """
    found = []
    for candidate in candidates:
        try:
            found.append(run(candidate))
        except ArithmeticError:
            continue
    if not found:
        raise ValueError(f"candidates must hold one that runs through, got {list(candidates)}.")
    return min(found, key=lambda pair: pair[0])[1]
