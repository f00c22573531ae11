"""Verdicts of lesson 6: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from lessons_lib.data import Dataset, load_breast_cancer, load_digits
from lessons_lib.measure import Knob, Verdict, choose_by_validation
from lessons_lib.network import (
    SGD,
    BatchNorm1d,
    CrossEntropyLoss,
    Dropout,
    Linear,
    Module,
    ReLU,
    Sequential,
    accuracy,
    fit,
    predict,
)

__all__ = ["VERDICTS"]

TEST_SHARE = 0.25
N_VALIDATION = 150


@cache
def _data(name: str) -> Dataset:
    return load_digits() if name == "digits" else load_breast_cancer()


def wrong_in_percent(setting: Mapping[str, Any], seed: int, *, order: str) -> float:
    """Return the test error in points, with the learning rate that validation rows choose.

    `order` says where a dropout of each block stands: before or after its normalization, or after
    the last one only.
    """
    data = _data(setting["data"])
    rows = np.random.default_rng(seed).permutation(len(data.y))
    n_test = round(TEST_SHARE * len(rows))
    test, validation, train = np.split(rows, [n_test, n_test + N_VALIDATION])
    train = train[: setting["rows"]]
    X = (data.X - data.X[train].mean(axis=0)) / (data.X[train].std(axis=0) + 1e-3)

    def run(learning_rate: float) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        model = _network(setting, X.shape[1], order, rng)
        fit(
            model,
            CrossEntropyLoss(),
            SGD(model.parameters(), lr=learning_rate),
            X[train],
            data.y[train],
            epochs=setting["updates"] // (len(train) // 64),
            batch_size=64,
            drop_last=True,
            progress=False,
            random_state=rng,
        )
        errors = [1 - accuracy(predict(model, X[r]), data.y[r]) for r in (validation, test)]
        return errors[0], 100 * errors[1]

    rate = setting["learning_rate"]
    return choose_by_validation(run, (0.03, 0.1, 0.3) if rate == "tuned" else (float(rate),))


def _network(
    setting: Mapping[str, Any], n_inputs: int, order: str, rng: np.random.Generator
) -> Sequential:
    layers: list[Module] = []
    widths = [n_inputs] + [setting["width"]] * setting["depth"]
    for block, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        drop: list[Module] = [Dropout(setting["rate"], random_state=rng)]
        layers.append(Linear(n_in, n_out, random_state=rng))
        if order == "before":
            layers += drop
        layers += [BatchNorm1d(n_out), ReLU()]
        if order == "after" or (order == "after the last" and block == setting["depth"]):
            layers += drop
    return Sequential(*layers, Linear(widths[-1], 10, random_state=rng))


VERDICTS = (
    Verdict(
        name="batch_norm.dropout_before",
        sentence=(
            "Where each arm may choose its learning rate, dropout before each batch normalization "
            "is as good as after it, to 3 points."
        ),
        treatment=partial(wrong_in_percent, order="before"),
        baseline=partial(wrong_in_percent, order="after"),
        arms=("before", "after"),
        metric="test error in points",
        claim=0,
        margin=3.0,
        base={
            "updates": 120,
            "learning_rate": "tuned",
            "rate": 0.5,
            "rows": 256,
            "width": 64,
            "depth": 2,
            "data": "digits",
        },
        knobs=(
            Knob("updates", (60, 120, 480, 1920)),
            Knob("learning_rate", ("tuned", "0.03", "0.1", "0.3")),
            Knob("rate", (0.2, 0.35, 0.5, 0.65), "dropout rate"),
            Knob("rows", (128, 256, 1024)),
            Knob("width", (32, 64, 256)),
            Knob("data", ("digits", "cancer")),
        ),
        n_seeds=8,
        over="splits",
        test_share=TEST_SHARE,
        spec=".1f",
    ),
)
