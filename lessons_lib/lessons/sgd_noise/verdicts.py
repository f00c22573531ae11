"""Verdicts of lesson 10: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from lessons_lib.data import Dataset, load_digits
from lessons_lib.measure import Knob, Verdict, choose_by_validation
from lessons_lib.network import (
    SGD,
    CosineAnnealingLR,
    CrossEntropyLoss,
    Linear,
    ReLU,
    Sequential,
    accuracy,
    fit,
    predict,
)

__all__ = ["VERDICTS"]

N_TEST = 500


@cache
def _digits() -> Dataset:
    return load_digits()


def wrong_in_percent(setting: Mapping[str, Any], seed: int, *, batch: str) -> float:
    """Return the test error in points, with the learning rate that validation rows choose.

    Both arms make equally many updates, and lower the learning rate alike. A part of the training
    and validation labels is random; the test labels are right.
    """
    digits, rng = _digits(), np.random.default_rng(seed)
    order = rng.permutation(len(digits.y))
    test, validation, train = np.split(order, [N_TEST, N_TEST + 256])
    train, X = train[: setting["rows"]], digits.X / 16 - 0.3
    guesses = rng.integers(0, 10, len(order))
    labels = np.where(rng.random(len(order)) < setting["random_labels"], guesses, digits.y)
    size = setting["batch"] if batch == "small" else len(train)
    epochs = setting["updates"] * size // len(train)

    def run(learning_rate: float) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        model = Sequential(
            Linear(64, 64, random_state=rng), ReLU(), Linear(64, 10, random_state=rng)
        )
        optimizer = SGD(model.parameters(), lr=learning_rate)
        cosine = setting["schedule"] == "cosine"
        fit(
            model,
            CrossEntropyLoss(),
            optimizer,
            X[train],
            labels[train],
            epochs=epochs,
            batch_size=size,
            scheduler=CosineAnnealingLR(optimizer, epochs) if cosine else None,
            progress=False,
            random_state=rng,
        )
        wrong = 1 - accuracy(predict(model, X[validation]), labels[validation])
        return wrong, 100 * (1 - accuracy(predict(model, X[test]), digits.y[test]))

    rate = setting["learning_rate"]
    return choose_by_validation(run, (0.1, 0.3, 1.0) if rate == "tuned" else (float(rate),))


VERDICTS = (
    Verdict(
        name="sgd_noise.small_batches",
        sentence=(
            "Where each arm may choose its learning rate, small batches are as good as the full "
            "batch with as many updates, to 2 points."
        ),
        treatment=partial(wrong_in_percent, batch="small"),
        baseline=partial(wrong_in_percent, batch="full"),
        arms=("small batches", "full batch"),
        metric="test error in points",
        claim=0,
        margin=2.0,
        base={
            "batch": 16,
            "updates": 512,
            "learning_rate": "tuned",
            "schedule": "constant",
            "random_labels": 0.2,
            "rows": 256,
        },
        knobs=(
            Knob("batch", (4, 16, 64), "batch size"),
            Knob("updates", (128, 512, 2048)),
            Knob("learning_rate", ("tuned", "0.1", "0.3", "1")),
            Knob("schedule", ("constant", "cosine")),
            Knob("random_labels", (0.0, 0.2, 0.4)),
        ),
        n_seeds=8,
        over="splits",
        test_share=N_TEST / 1797,
        spec=".1f",
    ),
)
