"""A lesson with exercises of every kind."""

import numpy as np

from lessons_lib.exercises import Exercise, Misconception


def sum_of_squares(theta):
    return float(np.sum(theta**2))


def penalty(theta, weight_decay):
    """Return λ/2·‖θ‖²."""
    return weight_decay / 2 * sum_of_squares(theta)


def without_half(theta, weight_decay):
    return weight_decay * sum_of_squares(theta)


def penalty_cases(rng):
    return [(rng.normal(size=n), float(rng.uniform(0.1, 1.0))) for n in (1, 3, 4)]


PENALTY = Exercise(
    name="shrinkage.penalty",
    title="The L2 penalty",
    level=1,
    hints=("Square the weights, `theta`.", "Sum, then halve.", "It is 0.5·λ·Σθ² & no more."),
    reference=penalty,
    cases=penalty_cases,
    shows=(sum_of_squares,),
    misconceptions=(
        Misconception(without_half, "You leave out the factor one half & write `λ < 1` wrong."),
        Misconception(
            lambda theta, weight_decay: weight_decay / 2 * np.abs(theta).sum(),
            "You sum absolute values: that is the L1 penalty.",
        ),
        Misconception(
            lambda theta, weight_decay: weight_decay / 2 * theta @ theta.reshape(-1, 2),
            "You multiply matrices whose shapes do not fit.",
        ),
    ),
)


def step(theta, grad, learning_rate):
    return theta - learning_rate * grad


def step_in_place(theta, grad, learning_rate):
    theta -= learning_rate * grad
    return theta


STEP = Exercise(
    name="shrinkage.step",
    title="One gradient step",
    level=2,
    hints=("Go against the gradient.",),
    reference=step,
    cases=lambda rng: [
        (rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), rate)
        for n, rate in ((2, 0.3), (10, 0.1))
    ],
    misconceptions=(
        Misconception(
            lambda theta, grad, learning_rate: theta + learning_rate * grad,
            "You go along the gradient: the loss grows.",
        ),
    ),
    equivalent_mutants={
        "grad, learning_rate → learning_rate, grad": "The two are multiplied with each other.",
    },
    time_limit=0.3,
)

SUMMARY = Exercise(
    name="shrinkage.summary",
    title="Count, mean and sign",
    level=2,
    hints=("Return a tuple.",),
    reference=lambda x: (x.size, {"mean": x.mean(), "positive": x > 0}, "more" * int(x.mean() > 0)),
    cases=lambda rng: [(rng.normal(size=n),) for n in (3, 5)],
)

COUNTS = Exercise(
    name="shrinkage.counts",
    title="Exact dtype",
    level=1,
    hints=("Count with integers.",),
    reference=lambda x: np.bincount(x).astype(np.int64),
    cases=lambda rng: [(rng.integers(4, size=n),) for n in (3, 20)],
    check_dtype=True,
)


def refuse_negative(alpha):
    if alpha < 0:
        raise ValueError(f"alpha must be at least 0, got {alpha}")
    return alpha


REFUSE = Exercise(
    name="shrinkage.refuse",
    title="Raise for bad input",
    level=1,
    hints=("Raise a ValueError.",),
    reference=refuse_negative,
    cases=lambda rng: [(1.0,), (0.0,), (-1.0,)],
    misconceptions=(Misconception(abs, "You repair the input silently."),),
)

FACTOR = Exercise(
    name="shrinkage.factor",
    title="A number",
    level=1,
    hints=("s²/(s²+λ)",),
    reference=lambda: 4 / 4.1,
    misconceptions=(
        Misconception(lambda: 2 / 2.1, "The singular value enters squared."),
        Misconception(lambda: None, "None is no number."),
    ),
)

WORD = Exercise(
    name="shrinkage.word",
    title="A word and an array",
    level=1,
    hints=("Two answers.",),
    reference=lambda: ("ridge", np.array([1.0, 2.0])),
    misconceptions=(Misconception(lambda: ("lasso", np.array([1.0, 2.0])), "It is not lasso."),),
)

EXERCISES = (PENALTY, STEP, SUMMARY, COUNTS, REFUSE, FACTOR, WORD)
