"""Fair timing: one thread, one process, and all candidates taking turns.

Import this module before NumPy. It sets the number of threads of every common BLAS to one: thread
pools of several libraries in one process compete, which slows whichever comes later and flatters
the other. Taking turns spreads slow moments of the machine over all candidates alike.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping

if "numpy" in sys.modules:
    raise ImportError("import _timing before numpy: it sets the number of threads")
for _library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "BLIS", "NUMBA"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

__all__ = ["interleaved_medians", "interleaved_times"]


def interleaved_times(
    steps: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 3.0,
    min_rounds: int = 7,
    max_rounds: int = 500,
) -> dict[str, list[float]]:
    """Time every step once in each of many rounds, in a new order each round.

    Parameters
    ----------
    steps : mapping of str to callable
        What to time, without arguments. Each is called twice before the first round, to compile and
        to fill caches.
    seconds : float, default=3.0
        Approximate total time; it decides the number of rounds.
    min_rounds, max_rounds : int, default=7, 500
        Limits of that number.

    Returns
    -------
    dict of str to list of float
        Times in seconds, in the order of the rounds.
    """
    for step in steps.values():
        step()
    start = time.perf_counter()
    for step in steps.values():
        step()
    one_round = time.perf_counter() - start
    n_rounds = min(max(int(seconds / max(one_round, 1e-9)), min_rounds), max_rounds)

    order = list(steps)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in steps}
    gc.collect()
    gc.disable()
    try:
        for _ in range(n_rounds):
            shuffle(order)
            for name in order:
                start = time.perf_counter()
                steps[name]()
                times[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return times


def interleaved_medians(
    steps: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 3.0,
    min_rounds: int = 7,
    max_rounds: int = 500,
) -> dict[str, float]:
    """Return the median time of every step in seconds; see `interleaved_times`."""
    times = interleaved_times(steps, seconds=seconds, min_rounds=min_rounds, max_rounds=max_rounds)
    return {name: statistics.median(values) for name, values in times.items()}
