"""Effects of known size with a little noise: they fall with `updates`, and turn at 500."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lessons_lib.measure import Knob, Verdict


def score(setting: Mapping[str, Any], seed: int, *, treated: bool) -> float:
    rng = np.random.default_rng([seed, treated])
    effect = (1 - setting["updates"] / 500) * (0 if setting["kind"] == "useless" else 1)
    return float(treated * effect + rng.normal(0, 0.02))


BASE = {"updates": 100, "learning_rate": 0.1, "kind": "plain"}
KNOBS = (
    Knob("updates", (50, 100, 500, 1000)),
    Knob("learning_rate", (0.05, 0.1, 0.2)),
    Knob("kind", ("plain", "useless")),
)

VERDICTS = (
    Verdict(
        name="ramp.up",
        sentence="The treatment raises the score.",
        treatment=partial(score, treated=True),
        baseline=partial(score, treated=False),
        metric="score",
        claim=1,
        base=BASE,
        knobs=KNOBS,
        grids=(("updates", "kind"),),
        n_seeds=6,
        arms=("treated", "plain"),
    ),
    Verdict(
        name="ramp.always",
        sentence="The treatment raises the score & nothing <turns> it.",
        treatment=partial(score, treated=True),
        baseline=partial(score, treated=False),
        metric="score",
        claim=1,
        base=BASE,
        knobs=(KNOBS[1],),
        n_seeds=4,
    ),
)
