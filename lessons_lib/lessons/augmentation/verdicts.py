"""Verdicts of lesson 8: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from lessons_lib.augment import image
from lessons_lib.data import Dataset, load_digits
from lessons_lib.measure import Knob, Verdict, choose_by_validation
from lessons_lib.network import (
    Adam,
    CrossEntropyLoss,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    accuracy,
    evaluate,
    fit,
    predict,
)

__all__ = ["VERDICTS"]

N_TEST = 500
BATCH = 25


@cache
def _digits() -> Dataset:
    return load_digits()


def wrong_in_percent(setting: Mapping[str, Any], seed: int, *, change: str) -> float:
    """Return the test error in points, with the learning rate that validation rows choose."""
    digits = _digits()
    pictures = digits.X.reshape(-1, 8, 8) / 16
    order = np.random.default_rng(seed).permutation(len(pictures))
    test, validation, train = np.split(order, [N_TEST, N_TEST + 100])
    train = train[: setting["rows"]]
    transform: Any = {
        "none": lambda images, rng: images,
        "crop": image.RandomCrop(8, padding=1),
    }[change]

    def augment(x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        return transform(x, rng), y

    def run(learning_rate: float) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        model = Sequential(
            Flatten(),
            Linear(64, setting["width"], random_state=rng),
            ReLU(),
            Linear(setting["width"], 10, random_state=rng),
        )
        fit(
            model,
            CrossEntropyLoss(),
            Adam(model.parameters(), lr=learning_rate),
            pictures[train],
            digits.y[train],
            epochs=setting["updates"] * BATCH // len(train),
            batch_size=BATCH,
            augment=augment,
            progress=False,
            random_state=rng,
        )
        held_out = pictures[validation], digits.y[validation]
        loss = evaluate(model, CrossEntropyLoss(), *held_out)["loss"]
        return loss, 100 * (1 - accuracy(predict(model, pictures[test]), digits.y[test]))

    rate = setting["learning_rate"]
    return choose_by_validation(run, (0.003, 0.01, 0.03) if rate == "tuned" else (float(rate),))


BASE: dict[str, str | float] = {"updates": 200, "learning_rate": "tuned", "rows": 400, "width": 64}
KNOBS = (
    Knob("updates", (100, 200, 600, 2000)),
    Knob("learning_rate", ("tuned", "0.003", "0.01", "0.03")),
    Knob("rows", (50, 100, 400)),
    Knob("width", (32, 64, 256)),
)

VERDICTS = (
    Verdict(
        name="augmentation.crop",
        sentence="Shifts that never occur in the test data, by random crops, do harm.",
        treatment=partial(wrong_in_percent, change="crop"),
        baseline=partial(wrong_in_percent, change="none"),
        arms=("random crops", "none"),
        metric="test error in points",
        claim=1,
        base=BASE,
        knobs=KNOBS,
        n_seeds=8,
        over="splits",
        test_share=N_TEST / 1797,
        spec=".1f",
    ),
)
