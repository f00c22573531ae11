"""Verdicts of lesson 5: how far they hold when knobs are turned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from lessons_lib.data import Dataset, load_digits
from lessons_lib.measure import Knob, Verdict, choose_by_validation
from lessons_lib.network import (
    Adam,
    CrossEntropyLoss,
    Dropout,
    Linear,
    Module,
    ReLU,
    Sequential,
    evaluate,
    fit,
)

__all__ = ["VERDICTS"]

N_TEST = 400
BATCH = 25


@cache
def _digits() -> Dataset:
    return load_digits()


def loss_on_test(setting: Mapping[str, Any], seed: int, *, output: float, hidden: str) -> float:
    """Return the test loss, with the learning rate that validation rows choose.

    `hidden` is ``"on"`` for the hidden rate of the setting, ``"off"`` for none; a part of the
    labels is wrong in all parts of the data, as from a careless annotator.
    """
    digits, rng = _digits(), np.random.default_rng(seed)
    order = rng.permutation(len(digits.y))
    labels = digits.y.copy()
    hit = np.flatnonzero(rng.random(len(labels)) < setting["wrong_labels"])
    labels[hit] = (labels[hit] + rng.integers(1, 10, len(hit))) % 10
    test, validation, train = np.split(order, [N_TEST, N_TEST + 100])
    train = train[: setting["rows"]]
    X = digits.X / 16

    def run(learning_rate: float) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        model = _network(setting, rng, output, setting["rate"] if hidden == "on" else 0.0)
        fit(
            model,
            CrossEntropyLoss(),
            Adam(model.parameters(), lr=learning_rate),
            X[train],
            labels[train],
            epochs=setting["updates"] * BATCH // len(train),
            batch_size=BATCH,
            progress=False,
            random_state=rng,
        )
        parts = ((X[rows], labels[rows]) for rows in (validation, test))
        chosen_by, reported = (evaluate(model, CrossEntropyLoss(), *p)["loss"] for p in parts)
        return chosen_by, reported

    rate = setting["learning_rate"]
    return choose_by_validation(run, (0.001, 0.003, 0.01) if rate == "tuned" else (float(rate),))


def _network(
    setting: Mapping[str, Any], rng: np.random.Generator, output: float, hidden: float
) -> Sequential:
    width = setting["width"]
    layers: list[Module] = [Linear(64, width, random_state=rng), ReLU()]
    if hidden > 0:
        layers.append(Dropout(hidden, random_state=rng))
    layers.append(Linear(width, 10, random_state=rng))
    if output > 0:
        layers.append(Dropout(output, random_state=rng))
    return Sequential(*layers)


BASE: dict[str, str | float] = {
    "rate": 0.5,
    "wrong_labels": 0.2,
    "updates": 400,
    "learning_rate": "tuned",
    "rows": 100,
    "width": 64,
}
KNOBS = (
    Knob("rate", (0.2, 0.5, 0.8), "hidden rate"),
    Knob("wrong_labels", (0.0, 0.1, 0.2, 0.4)),
    Knob("updates", (100, 400, 1600)),
    Knob("learning_rate", ("tuned", "0.001", "0.003", "0.01")),
    Knob("rows", (50, 100, 400)),
    Knob("width", (32, 64, 256)),
)

VERDICTS = (
    Verdict(
        name="dropout.wrong_labels",
        sentence=(
            "Where each arm may choose its learning rate, a few hundred updates with dropout of "
            "hidden units have the same test loss as without, to 0.15, even with wrong labels."
        ),
        treatment=partial(loss_on_test, output=0.0, hidden="on"),
        baseline=partial(loss_on_test, output=0.0, hidden="off"),
        arms=("dropout", "none"),
        metric="test loss",
        claim=0,
        margin=0.15,
        base=BASE,
        knobs=KNOBS,
        n_seeds=8,
        over="splits",
        test_share=N_TEST / 1797,
    ),
    Verdict(
        name="dropout.output",
        sentence=(
            "Where each arm may choose its learning rate, dropping the outputs at a rate of 0.5 as "
            "well changes the test loss by less than 0.1."
        ),
        treatment=partial(loss_on_test, output=0.5, hidden="on"),
        baseline=partial(loss_on_test, output=0.0, hidden="on"),
        arms=("hidden and output", "hidden"),
        metric="test loss",
        claim=0,
        margin=0.1,
        base=BASE,
        knobs=KNOBS,
        n_seeds=8,
        over="splits",
        test_share=N_TEST / 1797,
    ),
)
