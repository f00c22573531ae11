"""A second lesson, with one exercise of three stars."""

import numpy as np

from lessons_lib.exercises import Exercise, Misconception


def reference(n_samples, rng):
    return rng.permutation(n_samples)


def accept(result, expected, args):
    if sorted(int(i) for i in result) == list(range(args[0])):
        return None
    return "every index must occur exactly once"


EXERCISES = (
    Exercise(
        name="folds.shuffle",
        title="Shuffle indices",
        level=3,
        hints=("A permutation holds every index once.",),
        reference=reference,
        cases=lambda rng: [(5, np.random.default_rng(0)), (8, np.random.default_rng(1))],
        accept=accept,
        misconceptions=(
            Misconception(
                wrong=lambda n_samples, rng: rng.integers(n_samples, size=n_samples),
                because="You draw with replacement, so that indices repeat.",
            ),
        ),
    ),
)
