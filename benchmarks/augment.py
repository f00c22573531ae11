"""Time `lessons_lib.augment`'s SMOTE against imbalanced-learn's.

Run it from the top folder: ``python benchmarks/augment.py``. Both take turns in one process, with
one BLAS thread. *ratio* is the median over the rounds of our time divided by imbalanced-learn's in
the same round; *best* the same for the fastest round of each, which neighbors on the machine
disturb least; *limit* the most that the ratio may be.

The work is the same: both find all neighbors within the classes to oversample and draw as many new
points from the same random numbers. *largest difference* compares the results. On the digits it is
not zero, because pixels are small integers: many distances are equal, and among equally near
neighbors each library takes another one.
"""

from __future__ import annotations

import statistics

from _timing import interleaved_times  # sets the number of threads, so it comes first

# isort: split
import numpy as np
from imblearn.over_sampling import SMOTE as ReferenceSMOTE
from sklearn.datasets import load_digits

from lessons_lib.augment.tabular import SMOTE

Data = tuple[np.ndarray, np.ndarray]


def one_against_rest() -> Data:
    """Return the digits with the eights as the small class: 174 of 1797."""
    X, y = load_digits(return_X_y=True)
    return X, (y == 8).astype(int)


def thinned_digits() -> Data:
    """Return the digits with 178 zeros, 20 ones, 40 twos, ..., 180 nines."""
    X, y = load_digits(return_X_y=True)
    keep = np.concatenate([np.flatnonzero(y == c)[: 20 * c or None] for c in range(10)])
    return X[np.sort(keep)], y[np.sort(keep)]


def gaussian_data(share: float) -> Data:
    """Return 20000 x 20 normal numbers and a class of the given share."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(20_000, 20)), (np.arange(20_000) < share * 20_000).astype(int)


CASES: dict[str, tuple[Data, float]] = {
    "digits, balanced up": (load_digits(return_X_y=True), 0.6),
    "digits, 20 to 180": (thinned_digits(), 0.6),
    "digits, 8 against rest": (one_against_rest(), 0.6),
    "20000x20, 5 %": (gaussian_data(0.05), 0.8),
    "20000x20, 10 %": (gaussian_data(0.1), 0.8),
    "20000x20, 20 %": (gaussian_data(0.2), 0.8),
    "20000x20, 40 %": (gaussian_data(0.4), 0.8),
}


def resample(kind: type, data: Data) -> np.ndarray:
    return kind(random_state=np.random.RandomState(0)).fit_resample(*data)[0]


def main() -> None:
    print(f"{'data':24} {'imbalanced-learn':>16} {'ours':>11}", end="")
    print(f" {'ratio':>7} {'best':>7} {'limit':>6} {'largest difference':>19}")
    for name, (data, limit) in CASES.items():
        times = interleaved_times(
            {
                "reference": lambda data=data: resample(ReferenceSMOTE, data),
                "ours": lambda data=data: resample(SMOTE, data),
            }
        )
        ours, reference = times["ours"], times["reference"]
        ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
        difference = np.abs(resample(SMOTE, data) - resample(ReferenceSMOTE, data)).max()
        print(f"{name:24} {statistics.median(reference) * 1e3:13.3f} ms", end="")
        print(f" {statistics.median(ours) * 1e3:8.3f} ms {ratio:7.4f}", end="")
        print(f" {min(ours) / min(reference):7.4f} {limit:6} {difference:19.1e}", flush=True)


if __name__ == "__main__":
    main()
