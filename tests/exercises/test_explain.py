"""Wrong answers that nobody listed: what is said of them, and what must not be said."""

import dataclasses
import math
import os
import time
from fractions import Fraction

import numpy as np
import pytest

from lessons_lib.exercises import Exercise
from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._model import Misconception, OfInput, OfOutput


def exercise_of(reference, cases, **changes):
    return Exercise(
        name="sample.explained",
        title="A sample",
        level=1,
        hints=("None.",),
        reference=reference,
        cases=cases,
        **changes,
    )


def ratio(X: "np.ndarray", y: "np.ndarray", alpha: float, n_steps: int) -> "np.ndarray":
    return (X - X.mean(axis=0)).T @ np.sqrt(y) * alpha / n_steps


def ratio_cases(rng):
    return [
        (rng.normal(2, 1, size=(n, p)), rng.uniform(1, 3, size=n), alpha, k)
        for n, p, alpha, k in ((5, 2, 0.3, 7), (8, 3, 0.8, 2), (4, 4, 0.5, 3), (6, 1, 0.2, 11))
    ]


RATIO = exercise_of(ratio, ratio_cases)


def pair(a: float, b: float, n: int) -> tuple[float, float]:
    return a / n + b, a * b**2


PAIR = exercise_of(
    pair, lambda rng: [(*map(float, rng.uniform(1, 4, size=2)), n) for n in (3, 8, 15, 40)]
)


def place(losses: "np.ndarray") -> int:
    return int(np.argmin(losses))


PLACE = exercise_of(place, lambda rng: [(rng.normal(size=9),) for _ in range(6)])


def said(exercise, answer):
    verdict = judge(exercise, answer)
    assert verdict.state == "not yet"
    return verdict.message


def times(factor):
    return lambda X, y, alpha, n_steps: factor * ratio(X, y, alpha, n_steps)


# --- of the output ---


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (times(-1), "wrong sign"),
        (times(2), "is 2 times the right one"),
        (times(0.5), "is ½ times the right one"),
        (times(100), "is 100 times the right one"),
        (times(np.log(2)), "log 2"),
        (times(1.7), "times 1.7, in every case"),
        (lambda X, y, a, k: ratio(X, y, a, k) + 1, "is one too high"),
        (lambda X, y, a, k: ratio(X, y, a, k) + 0.25, "the right one plus 0.25"),
        (lambda X, y, a, k: 1 - ratio(X, y, a, k), "one minus the right one"),
        (lambda X, y, a, k: 1 / ratio(X, y, a, k), "upside down"),
        (lambda X, y, a, k: ratio(X, y, a, k) ** 2, "the square of the right one"),
        (lambda X, y, a, k: np.exp(ratio(X, y, a, k)), "the exponential of the right one"),
        (lambda X, y, a, k: np.abs(ratio(X, y, a, k)), "absolute value"),
        (lambda X, y, a, k: np.maximum(ratio(X, y, a, k), 0), "never negative"),
        (lambda X, y, a, k: ratio(X, y, a, k)[::-1], "in the reverse order"),
        (lambda X, y, a, k: np.sort(ratio(X, y, a, k)), "sorted: keep their order"),
        (lambda X, y, a, k: ratio(X, y, a, k) * len(X), "times the number of rows of `X`"),
        (
            lambda X, y, a, k: ratio(X, y, a, k) * (len(X) - 1),
            "(the number of rows of `X` minus one)",
        ),
        (lambda X, y, a, k: ratio(X, y, a, k) / X.shape[1], "the number of columns of `X`"),
        (lambda X, y, a, k: ratio(X, y, a, k) + k, "with `n_steps` added"),
        (lambda X, y, a, k: np.round(ratio(X, y, a, k), 2), "rounded to 2 decimals"),
        (lambda X, y, a, k: ratio(X, y, a, k).sum(), "the sum of the right values"),
        (lambda X, y, a, k: ratio(X, y, a, k) * (1 + 1e-4 * np.cos(X[0])), "right to about"),
        (lambda X, y, a, k: (ratio(X, y, a, k), y), "more than is wanted"),
        (lambda X, y, a, k: np.zeros(X.shape[1]), "only zeros"),
    ],
)
def test_relations_of_the_output(answer, words):
    assert words in said(RATIO, answer)


def wrong_at(index):
    def answer(X, y, alpha, n_steps):
        result = ratio(X, y, alpha, n_steps)
        result[index] = np.cos(result[index]) + 2
        return result

    return answer


def test_wrong_elements_are_named():
    wide = exercise_of(
        ratio, lambda rng: [(rng.normal(size=(5, p)), rng.uniform(1, 2, 5), 0.5, 2) for p in (3, 4)]
    )
    assert said(wide, wrong_at(0)) == "All elements are right but the first."
    assert said(wide, wrong_at(-1)) == "All elements are right but the last."
    assert "All elements" not in said(wide, wrong_at(1))


# --- of several results ---


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda a, b, n: pair(a, b, n)[::-1], "right, but in the wrong order"),
        (lambda a, b, n: (a / n + b, a * b), "first result is right. As to the second: a square"),
        (lambda a, b, n: (a / n - b, a * b**2), "second result is right. As to the first: a sign"),
        (lambda a, b, n: (-(a / n + b), a * b**2), "Your first result has the wrong sign"),
        (lambda a, b, n: (a / n + b, np.cos(a)), "first result is right. The second is wrong."),
        (lambda a, b, n: pair(a, b, n)[0], "only the first of the wanted results"),
        (lambda a, b, n: (b, 2 * a * b**2), "first result is `b` itself, unchanged. Your second"),
    ],
)
def test_several_results(answer, words):
    assert words in said(PAIR, answer)


# --- of the input and of mutants ---


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda X, y, a, k: ratio(X, y, 2 * a, k), "2 times"),
        (lambda X, y, a, k: ratio(X, 2 * y, a, k), "is √2 times the right one"),
        (lambda X, y, a, k: ratio(X, y**2, a, k), "square root"),
        (lambda X, y, a, k: ratio(X, y, a**2, k), "`alpha`"),
        (lambda X, y, a, k: ratio(X, y, 1 - a, k), "One minus `alpha`"),
        (lambda X, y, a, k: ratio(X, y[::-1], a, k), "in the reverse order"),
        (lambda X, y, a, k: ratio(np.abs(X), y, a, k), "absolute values of `X`"),
        (lambda X, y, a, k: ratio(X, np.sort(y), a, k), "sort `y`"),
        (lambda X, y, a, k: X.T @ np.sqrt(y) * a / k, "the centering"),
        (
            lambda X, y, a, k: (X - X.mean(axis=0)).T @ y * a / k,
            "square root seems to be missing",
        ),
        (lambda X, y, a, k: (X - np.median(X, axis=0)).T @ np.sqrt(y) * a / k, "median"),
        (lambda X, y, a, k: (X - X.mean()).T @ np.sqrt(y) * a / k, "of a whole array"),
        (lambda X, y, a, k: ratio(X, y, a, k - 1), "less than `n_steps`"),
    ],
)
def test_other_inputs_and_mutants(answer, words):
    assert words in said(RATIO, answer)


def test_two_slips():
    message = said(RATIO, lambda X, y, a, k: -(X.T @ np.sqrt(y)) * a / k)
    assert "centering" in message
    assert "wrong sign" in message


def test_an_exercise_may_bring_its_own_relations():
    own = dataclasses.replace(
        RATIO,
        relations=(
            OfOutput(lambda right, args: right + args[1][0], "You add the first target."),
            OfInput(lambda args: (args[0] + 5 * args[1][:, None], *args[1:]), "You mix X and y."),
        ),
    )
    assert said(own, lambda X, y, a, k: ratio(X, y, a, k) + y[0]) == "You add the first target."
    assert said(own, lambda X, y, a, k: ratio(X + 5 * y[:, None], y, a, k)) == "You mix X and y."
    with pytest.raises(TypeError, match="relations must hold OfOutput or OfInput"):
        dataclasses.replace(RATIO, relations=("you mix",))
    with pytest.raises(ValueError, match="because"):
        OfOutput(lambda right, args: right, " ")


# --- what must not be said ---


def except_in_the_last_case(answer):
    def sometimes(X, y, alpha, n_steps):
        given = (X, y, alpha, n_steps)
        return answer(*given) if n_steps != 11 else ratio(*given) * 1.234

    return sometimes


@pytest.mark.parametrize(
    "answer",
    [
        times(-1),
        times(2),
        lambda X, y, a, k: ratio(X, y, a, k) + 1,
        lambda X, y, a, k: 1 - ratio(X, y, a, k),
        lambda X, y, a, k: X.T @ np.sqrt(y) * a / k,
        lambda X, y, a, k: ratio(X, y, 1 - a, k),
        lambda X, y, a, k: ratio(X, y, a, k) * len(X),
        lambda X, y, a, k: np.round(ratio(X, y, a, k), 2),
    ],
)
def test_what_does_not_hold_in_every_case_is_not_said(answer):
    assert said(RATIO, except_in_the_last_case(answer)).startswith("the result is wrong")


def test_what_holds_on_the_cases_by_chance_is_not_said():
    # On the cases of the exercise, which all have n = 4, this is twice the right one.
    double = exercise_of(
        lambda x, n: x.sum() * n, lambda rng: [(rng.normal(size=4), 4) for _ in range(3)]
    )
    assert "2 times" in said(double, lambda x, n: 2 * n * x.sum())
    uneven = exercise_of(lambda losses: int(np.argmin(losses)), lambda rng: [(rng.normal(size=3),)])
    verdict = judge(uneven, lambda losses: 1)
    assert "position" not in verdict.message


def test_weak_results_are_explained_with_care():
    assert "look for the largest" in said(PLACE, lambda losses: int(np.argmax(losses)))
    assert said(PLACE, lambda losses: int(np.argmin(losses)) + 1).startswith(
        "Your result is one too"
    )
    assert "the value of `losses` there" in said(PLACE, lambda losses: float(losses.min()))
    nonsense = said(PLACE, lambda losses: int(1e6 * abs(losses[0])) % 9)
    assert nonsense.startswith("the result is wrong")


def test_a_misconception_must_hold_on_further_cases():
    listed = dataclasses.replace(
        PLACE,
        cases=lambda rng: [(np.array([3.0, 1.0, 2.0, 2.5]),), (np.array([1.0, 5.0, 2.0, 4.0]),)],
        misconceptions=(
            Misconception(lambda losses: int(np.argmax(losses < 0)), "You look for negative ones."),
            Misconception(lambda losses: int(np.argsort(losses)[1]), "You take the second best."),
        ),
    )
    second = judge(listed, lambda losses: int(np.argsort(losses)[1]))
    assert second.message == "You take the second best."
    # The same on both cases, and not on others.
    other = judge(listed, lambda losses: int(np.argmin(np.abs(losses - 2.0))))
    assert other.misconception is None


def test_right_in_all_cases_but_some():
    steps = exercise_of(
        lambda x, library: x - (library == "a"),
        lambda rng: [(k, name) for k in (3, 5) for name in ("a", "b", "c")],
    )
    answer = said(steps, lambda x, library: x - (library in ("a", "c")))
    assert answer == "Right in all cases but those where `library` is 'c'."

    zero = exercise_of(
        lambda x, strength: x / (1 + strength),
        lambda rng: [(float(v), s) for v in rng.normal(size=3) for s in (0.0, 0.5, 2.0)],
    )
    answer = said(zero, lambda x, strength: x / (1 + strength) if strength else 0.3)
    assert answer == "Right in all cases but those where `strength` is 0."


def share_found(coef: "np.ndarray", truth: "np.ndarray") -> float:
    return np.sum((coef != 0) & (truth != 0)) / np.sum(truth != 0)


FOUND = exercise_of(
    share_found,
    lambda rng: [
        (rng.normal(size=n) * (rng.random(n) < 0.6), rng.normal(size=n) * (np.arange(n) % 3 > 0))
        for n in (6, 9, 12, 20)
    ],
)


def test_a_count_is_named_as_such():
    # The largest of truth values is 1: a mutant with max for sum computes the same.
    answer = said(FOUND, lambda coef, truth: np.sum((coef != 0) & (truth != 0)))
    assert answer == "Your result is the right one times the number of `truth` that are not 0."


def test_a_count_is_asked_for_its_start_only_where_something_is_counted():
    assert said(RATIO, lambda *args: ratio(*args) + 1) == "Your result is one too high."
    assert said(PLACE, lambda losses: int(np.argmin(losses)) + 1).endswith("where 0 is meant?")


def test_no_wrong_sign_where_the_sign_is_right():
    def difference(n: int, k: int) -> float:
        missed = (1 - k / n) ** n
        return missed - (1 - (k + 1) / n) ** n

    sample = exercise_of(difference, lambda rng: [(5, 2), (20, 4), (200, 6), (9, 1)])
    answer = said(sample, lambda n, k: (1 - (k + 1) / n) ** n)
    assert "wrong sign" not in answer


def test_slips_that_no_sentence_helps_with_are_not_named():
    powers = exercise_of(
        lambda x, p: x * 0.5**5 + p + 3, lambda rng: [(v, v / 3) for v in rng.normal(size=5)]
    )
    for answer in (lambda x, p: x * 0.5**4 + p + 3, lambda x, p: x * 0.5**5 + p + 4):
        message = said(powers, answer)
        assert "off by one" not in message
        assert "power" not in message


LEVELS = exercise_of(
    lambda x, u: x * (1 + u),
    lambda rng: [(rng.normal(size=3), u) for u in (0.0, 0.2, 0.7, 1.0, 1.0, 3.0)],
)


@pytest.mark.parametrize(
    "is_right",
    [lambda x, u: u == 1, lambda x, u: u != 1, lambda x, u: u <= 1, lambda x, u: u > 1],
)
def test_no_value_of_a_continuous_argument_is_named_but_zero(is_right):
    answer = said(LEVELS, lambda x, u: x * (1 + u) if is_right(x, u) else np.cos(40 * x))
    assert answer.startswith("the result is wrong")


def test_other_coincidences_of_the_cases_are_not_named():
    rest = exercise_of(
        lambda n, k: n / 3 + k, lambda rng: [(6, 2), (6, 4), (9, 3), (10, 3), (8, 4), (7, 2)]
    )
    answer = said(rest, lambda n, k: n / 3 + k if n % k else math.cos(n))
    assert answer.startswith("the result is wrong")
    zeros = exercise_of(
        lambda x: x * (x > 1), lambda rng: [(v,) for v in (0.2, 3.0, 0.4, 2.0, 1.5)]
    )
    answer = said(zeros, lambda x: math.cos(9 * x) + 2 if x > 1 else 0.0)
    assert answer.startswith("the result is wrong")


def test_one_right_case_does_not_say_where_an_answer_is_right():
    once = exercise_of(
        lambda x, k: x * (1 + k),
        lambda rng: [(rng.normal(size=3), k) for k in (0.0, 0.5, 2.0, 3.0)],
    )
    answer = said(once, lambda x, k: x * (1 + k) + np.cos(9 * x) * k**3)
    assert answer.startswith("the result is wrong")


def test_a_shape_is_said_before_what_the_cases_share():
    total = exercise_of(
        lambda x: float(np.abs(x).sum()),
        lambda rng: [(rng.normal(size=n),) for n in (3, 1, 2, 5)] + [(np.array([-4.0]),)],
    )
    assert said(total, np.abs).startswith("your function returns an array of shape (3,)")


def test_precision_is_said_before_what_the_cases_share():
    def loose(x, strength):
        return x / (1 + strength) + (1e-4 * np.cos(x) if strength else 0)

    zero = exercise_of(
        lambda x, strength: x / (1 + strength),
        lambda rng: [(rng.normal(size=3), s) for s in (0.0, 0.5, 2.0, 0.0, 1.5)],
    )
    assert said(zero, loose).startswith("Close, but not exact enough")
    # A large case does not hide that a small one is quite wrong.
    sizes = exercise_of(
        lambda x: x * 3, lambda rng: [(rng.normal(size=3) * s,) for s in (1e6, 1, 1e6)]
    )
    assert not said(sizes, lambda x: 3 * x + np.cos(x)).startswith("Close")


def test_the_search_is_short():
    def slow_to_explain(X, y, alpha, n_steps):
        return np.cos(X).T @ y

    judge(RATIO, slow_to_explain)
    start = time.thread_time()
    judge(RATIO, slow_to_explain)
    assert time.thread_time() - start < 1.0


def test_the_search_prints_nothing(capfd):
    def loud(args):
        os.write(2, b"an illegal value")  # as LAPACK does
        return args

    exercise = dataclasses.replace(RATIO, relations=(OfInput(loud, "You shout."),))

    def answer(X, y, alpha, n_steps):
        os.write(2, b"my own words")
        return np.cos(X[0])

    said(exercise, answer)
    printed = capfd.readouterr()
    assert "illegal" not in printed.err
    assert "my own words" in printed.err


def test_an_answer_that_replaces_functions_explains_nothing(monkeypatch):
    def vandal(X, y, alpha, n_steps):
        result = -ratio(X, y, alpha, n_steps)
        monkeypatch.setattr(np, "sqrt", lambda x: x * 0)
        return result

    assert "sign" not in judge(RATIO, vandal).message


# --- right answers in other forms ---

HALF = exercise_of(lambda n: n / 2, lambda rng: [(3,), (8,)])
COUNT = exercise_of(lambda n: 2 * n, lambda rng: [(3,), (8,)])
ROWS = exercise_of(lambda n: [np.arange(n), np.arange(n) + 1], lambda rng: [(3,), (5,)])


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (HALF, lambda n: Fraction(n, 2)),
        (HALF, lambda n: np.array([n / 2])),
        (HALF, lambda n: [n / 2]),
        (HALF, lambda n: np.float32(n / 2)),
        (COUNT, lambda n: 2.0 * n),
        (COUNT, lambda n: np.array(2 * n)),
        (COUNT, lambda n: np.int8(2 * n)),
        (ROWS, lambda n: (range(n), list(range(1, n + 1)))),
        (ROWS, lambda n: (np.arange(n) + k for k in (0, 1))),
        (ROWS, lambda n: map(np.array, (range(n), range(1, n + 1)))),
        (PAIR, lambda a, b, n: np.array(pair(a, b, n))),
        (PAIR, lambda a, b, n: list(pair(a, b, n))),
    ],
)
def test_right_in_another_form(exercise, answer):
    assert judge(exercise, answer).state == "passed"


def test_accept_gets_results_in_the_expected_form():
    seen = []

    def near(result, expected, args):
        seen.append((type(result), type(expected)))
        return None if abs(result - expected) < 0.1 else "far"

    exercise = exercise_of(lambda n: n, lambda rng: [(3,)], accept=near)
    for answer in (lambda n: np.array([3.0]), lambda n: [3], lambda n: Fraction(3, 1)):
        assert judge(exercise, answer).state == "passed"
    assert set(seen) == {(int, int)}


def test_single_precision_passes_and_is_told():
    verdict = judge(RATIO, lambda X, y, a, k: ratio(X.astype("f4"), y.astype("f4"), a, k))
    assert verdict.state == "passed"
    assert "single precision" in verdict.details
    assert judge(RATIO, ratio).details == ""
    off = judge(RATIO, lambda X, y, a, k: (1.01 * ratio(X, y, a, k)).astype("f4"))
    assert off.state == "not yet"


def test_rounded_values_are_asked_for_more_digits():
    value = exercise_of(lambda: 1.68593, None)
    for given in (1.7, 1.69, 1.686):
        assert judge(value, given).message == "close, but not exact enough: give more digits"
    assert judge(value, 2.0).message == "2.0 is too high"
    assert judge(value, "1.68593").message == "That is a text: give the number itself."


def test_no_negative_zero_is_shown():
    exercise = exercise_of(lambda x: -0.0 * x, lambda rng: [(1.0,), (2.0,)])
    assert "-0" not in judge(exercise, lambda x: x + 1.0).details


# --- changed inputs ---


def test_a_slice_is_a_view(run_cell):
    space = run_cell(
        """
        def descend(weights, updates):
            kept = weights[:]
            for update in updates:
                kept -= update
            return kept
        """
    )
    exercise = exercise_of(
        lambda weights, updates: weights - updates.sum(axis=0),
        lambda rng: [(rng.normal(size=3), rng.normal(size=(2, 3)))],
    )
    message = said(exercise, space["descend"])
    assert "`weights` in `kept -= update`" in message
    assert "`weights[:]` is a view" in message


def test_the_line_that_changes_an_input(run_cell):
    exercise = exercise_of(lambda x: np.sort(x), lambda rng: [(rng.normal(size=4),)])
    space = run_cell(
        """
        def in_place(x):
            other = x.copy()
            other[0] = 7
            x.sort()
            return x
        """
    )
    assert "in `x.sort()`, which works in place" in said(exercise, space["in_place"])

    def hidden(x):
        np.random.default_rng(0).shuffle(x)
        return x

    assert said(exercise, hidden).endswith("changes its input `x`: work on a copy")
