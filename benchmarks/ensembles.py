"""Time of trees and ensembles: ``lessons_lib`` against scikit-learn.

Run it with ``python benchmarks/ensembles.py``. Both take turns in one process, with one thread.
*ratio* is the median over the rounds of our time divided by scikit-learn's in the same round;
*best* the same for the fastest round of each, which neighbors on the machine disturb least; *limit*
the most that the ratio may be, where there is one. With ``--profile`` it shows instead where our
time goes in each case.

The digits have 17 different values in each feature, so that counting samples in bins is exact. The
diabetes data have up to 302: there our exact way sorts the samples in each node, and ``max_bins``
chooses the approximate way by counting.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from _timing import interleaved_times  # sets the number of threads, so it comes first

# isort: split
from sklearn import ensemble, tree
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from lessons_lib import ensembles

Step = Callable[[], object]


class Case(NamedTuple):
    """Something to time: our way and scikit-learn's, and the largest ratio."""

    name: str
    ours: Step
    reference: Step
    limit: float | None = None


def fit_case(
    name: str, kind: str, data: tuple[Any, Any], limit: float | None = None, **parameters: Any
) -> Case:
    """Return a case of fitting, the parameters of which only ours has."""
    library = tree if kind.startswith("DecisionTree") else ensemble
    ours = getattr(ensembles, kind)(random_state=0, **parameters)
    reference = getattr(library, kind)(random_state=0)
    return Case(name, lambda: ours.fit(*data), lambda: reference.fit(*data), limit)


def predict_case(name: str, kind: str, data: tuple[Any, Any], limit: float | None) -> Case:
    ours = getattr(ensembles, kind)(random_state=0).fit(*data)
    reference = getattr(ensemble, kind)(random_state=0).fit(*data)
    return Case(name, lambda: ours.predict(data[0]), lambda: reference.predict(data[0]), limit)


def make_cases() -> list[Case]:
    digits, diabetes = load_digits(return_X_y=True), load_diabetes(return_X_y=True)
    cancer = load_breast_cancer(return_X_y=True)
    boosting = "GradientBoostingRegressor"
    forest, regression = "RandomForestClassifier", "RandomForestRegressor"
    return [
        fit_case("forest of 100, digits: fit", forest, digits, 2.0),
        predict_case("forest of 100, digits: predict", forest, digits, 1.5),
        fit_case("single tree, digits", "DecisionTreeClassifier", digits, 2.0),
        fit_case("bagging of 10 trees, digits", "BaggingClassifier", digits),
        fit_case("forest of 100, diabetes, exact", regression, diabetes),
        fit_case("forest of 100, diabetes, 64 bins", regression, diabetes, max_bins=64),
        fit_case("single tree, diabetes, exact", "DecisionTreeRegressor", diabetes),
        fit_case("single tree, diabetes, 64 bins", "DecisionTreeRegressor", diabetes, max_bins=64),
        fit_case("boosting of 100, diabetes, exact", boosting, diabetes),
        fit_case("boosting of 100, diabetes, 64 bins", boosting, diabetes, max_bins=64),
        predict_case("boosting of 100, diabetes: predict", boosting, diabetes, None),
        fit_case("boosting of 100, cancer, exact", "GradientBoostingClassifier", cancer),
        fit_case("AdaBoost of 50 stumps, cancer", "AdaBoostClassifier", cancer),
        fit_case("extra trees, 100, digits", "ExtraTreesClassifier", digits),
    ]


def show_profile(case: Case) -> None:
    """Print the functions in which our way spends most of its time."""
    case.ours()
    with cProfile.Profile() as profile:
        case.ours()
    print(f"\n=== {case.name}")
    pstats.Stats(profile).sort_stats("tottime").print_stats(12)


def main() -> None:
    cases = make_cases()
    if "--profile" in sys.argv[1:]:
        for case in cases:
            show_profile(case)
        return
    print(f"{'work':35} {'scikit-learn':>12} {'ours':>11} {'ratio':>6} {'best':>6} {'limit':>6}")
    for case in cases:
        times = interleaved_times({"ours": case.ours, "reference": case.reference}, seconds=8.0)
        ours, reference = times["ours"], times["reference"]
        ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
        print(f"{case.name:35}", end="")
        print(f" {statistics.median(reference) * 1e3:9.2f} ms", end="")
        print(f" {statistics.median(ours) * 1e3:8.2f} ms", end="")
        print(f" {ratio:6.2f} {min(ours) / min(reference):6.2f}", end="")
        print(f" {'-' if case.limit is None else case.limit:>6}", flush=True)


if __name__ == "__main__":
    main()
