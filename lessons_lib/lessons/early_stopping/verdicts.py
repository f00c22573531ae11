"""Verdicts of lesson 7: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from lessons_lib.data import Dataset, load_digits
from lessons_lib.measure import Knob, Verdict, choose_by_validation
from lessons_lib.network import (
    SGD,
    CrossEntropyLoss,
    EarlyStopping,
    Linear,
    ReLU,
    Sequential,
    accuracy,
    evaluate,
    fit,
    predict,
)

__all__ = ["VERDICTS"]

N_TEST = 400


@cache
def _digits() -> Dataset:
    return load_digits()


def wrong_in_percent(setting: Mapping[str, Any], seed: int, *, stop: bool) -> float:
    """Return the test error in points, with the learning rate that validation rows choose.

    Both arms train on the same rows; the wrong labels are in training and validation, the test
    labels are right.
    """
    digits, rng = _digits(), np.random.default_rng(seed)
    order = rng.permutation(len(digits.y))
    test, validation, train = np.split(order, [N_TEST, N_TEST + 100])
    train = train[: setting["rows"]]
    labels, X = digits.y.copy(), digits.X / 16
    hit = np.flatnonzero(rng.random(len(labels)) < setting["wrong_labels"])
    labels[hit] = (labels[hit] + rng.integers(1, 10, len(hit))) % 10
    held_out = X[validation], labels[validation]

    def run(learning_rate: float) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        model = Sequential(
            Linear(64, setting["width"], random_state=rng),
            ReLU(),
            Linear(setting["width"], 10, random_state=rng),
        )
        patience = setting["patience"]
        fit(
            model,
            CrossEntropyLoss(),
            SGD(model.parameters(), lr=learning_rate, momentum=0.9),
            X[train],
            labels[train],
            epochs=setting["epochs"],
            batch_size=25,
            validation_data=held_out,
            callbacks=[EarlyStopping(patience, restore_best_weights=True)] if stop else [],
            progress=False,
            random_state=rng,
        )
        loss = evaluate(model, CrossEntropyLoss(), *held_out)["loss"]
        return loss, 100 * (1 - accuracy(predict(model, X[test]), digits.y[test]))

    rate = setting["learning_rate"]
    return choose_by_validation(run, (0.01, 0.03, 0.1) if rate == "tuned" else (float(rate),))


VERDICTS = (
    Verdict(
        name="early_stopping.wrong_labels",
        sentence=(
            "With wrong labels, stopping early makes fewer test errors than training on for long."
        ),
        treatment=partial(wrong_in_percent, stop=True),
        baseline=partial(wrong_in_percent, stop=False),
        arms=("stopped", "trained on"),
        metric="test error in points",
        claim=-1,
        base={
            "patience": 5,
            "epochs": 240,
            "learning_rate": "tuned",
            "wrong_labels": 0.3,
            "rows": 200,
            "width": 64,
        },
        knobs=(
            Knob("patience", (2, 5, 20)),
            Knob("epochs", (20, 80, 240), "epochs at most"),
            Knob("learning_rate", ("tuned", "0.01", "0.03", "0.1")),
            Knob("wrong_labels", (0.0, 0.15, 0.3)),
        ),
        n_seeds=8,
        over="splits",
        test_share=N_TEST / 1797,
        spec=".1f",
    ),
)
