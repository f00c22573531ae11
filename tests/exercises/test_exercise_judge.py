import dataclasses
import inspect

import hostile
import numpy as np
import pytest
from sample_lessons.folds import exercises as folds
from sample_lessons.shrinkage import exercises as shrinkage

from lessons_lib.exercises import Exercise, Misconception
from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._plan import make_cases

PENALTY, STEP = shrinkage.PENALTY, shrinkage.STEP
SHUFFLE = folds.EXERCISES[0]

# --- passed ---


@pytest.mark.parametrize(
    "answer",
    [
        lambda theta, weight_decay: 0.5 * weight_decay * np.dot(theta, theta),
        lambda t, w: np.array(w / 2 * sum(t**2)),  # other names, an array without axes
        lambda *args: args[1] / 2 * (args[0] ** 2).sum(),
        lambda theta, weight_decay, extra=None: shrinkage.penalty(theta, weight_decay),
    ],
)
def test_right_answers_pass(answer):
    verdict = judge(PENALTY, answer)
    assert (verdict.state, verdict.reason, verdict.message) == ("passed", "", "")


def test_other_right_answers_pass_where_several_are_right():
    assert judge(SHUFFLE, lambda n, rng: list(range(n))[::-1]).state == "passed"


def test_expected_exceptions():
    def refuse(alpha):
        class OwnError(ValueError):
            pass

        if alpha < 0:
            raise OwnError
        return alpha

    assert judge(shrinkage.REFUSE, refuse).state == "passed"
    verdict = judge(shrinkage.REFUSE, abs)
    assert verdict.message == "You repair the input silently."
    verdict = judge(shrinkage.REFUSE, lambda alpha: alpha)
    assert verdict.message == "your function returns the number -1.0 where ValueError is wanted"

    def another(alpha):
        return alpha if alpha >= 0 else {}["key"]

    assert "raises KeyError: 'key'" in judge(shrinkage.REFUSE, another).message
    assert judge(shrinkage.REFUSE, another).message.endswith("; ValueError is wanted")


# --- not attempted ---


def unfinished_result(theta, weight_decay):
    squares = theta**2
    result = ...
    assert squares.size
    return result


def unfinished_operand(theta, weight_decay):
    half = ...
    return half * weight_decay * np.sum(theta**2)


@pytest.mark.parametrize(
    "answer",
    [..., lambda theta, weight_decay: ..., unfinished_result, unfinished_operand],
)
def test_unfinished_functions_are_not_attempted(answer):
    verdict = judge(PENALTY, answer)
    assert verdict.state == "not attempted"
    assert "`...`" in verdict.message


def test_partly_unfinished_results_are_not_attempted():
    def summary(x):
        return x.size, {"mean": ..., "positive": ...}, "more"

    assert judge(shrinkage.SUMMARY, summary).state == "not attempted"
    assert judge(SHUFFLE, lambda n, rng: [*range(n - 1), ...]).state == "not attempted"


@pytest.mark.parametrize("answer", [..., (..., ...), ("ridge", ...), ["ridge", [1.0, ...]]])
def test_unfinished_values_are_not_attempted(answer):
    assert judge(shrinkage.WORD, answer).state == "not attempted"


# --- misconceptions ---


@pytest.mark.parametrize("which", range(len(PENALTY.misconceptions)))
def test_misconceptions_are_named(which):
    verdict = judge(PENALTY, PENALTY.misconceptions[which].wrong)
    assert (verdict.state, verdict.reason) == ("not yet", "misconception")
    assert verdict.misconception == which
    assert verdict.message == PENALTY.misconceptions[which].because


def test_a_misconception_must_fit_every_case():
    def half_of_the_time(theta, weight_decay):
        factor = 1 if theta.size < 4 else 2
        return factor * weight_decay * np.sum(theta**2)

    verdict = judge(PENALTY, half_of_the_time)
    assert (verdict.reason, verdict.misconception) == ("value", None)


def test_a_misconception_may_be_right_on_some_cases():
    absolute = Misconception(lambda x: abs(x), "You drop the sign.")
    exercise = Exercise(
        name="sample.same",
        title="Return the argument",
        level=1,
        hints=("Do nothing.",),
        reference=lambda x: x,
        cases=lambda rng: [(1.0,), (-1.0,)],
        misconceptions=(absolute,),
    )
    assert judge(exercise, lambda x: abs(x)).misconception == 0
    assert judge(exercise, lambda x: 1.0).misconception == 0
    assert judge(exercise, lambda x: -abs(x)).misconception is None


def test_misconceptions_about_values():
    assert judge(shrinkage.FACTOR, 4 / 4.1).state == "passed"
    assert judge(shrinkage.FACTOR, 2 / 2.1).message == "The singular value enters squared."
    assert judge(shrinkage.FACTOR, None).message == "None is no number."
    assert judge(shrinkage.WORD, ["Ridge ", [1, 2]]).state == "passed"
    assert judge(shrinkage.WORD, ("lasso", [1, 2])).message == "It is not lasso."


def test_a_misconception_that_changes_its_input():
    exercise = dataclasses.replace(
        STEP, misconceptions=(Misconception(shrinkage.step_in_place, "You overwrite."),)
    )
    assert judge(exercise, shrinkage.step_in_place).message == "You overwrite."
    assert judge(exercise, lambda theta, grad, learning_rate: theta).misconception is None


# --- other faults ---


def recurse(theta, weight_decay):
    return recurse(theta, weight_decay)


def read_input(theta, weight_decay):
    raise EOFError("EOF when reading a line")


def leave(theta, weight_decay):
    raise SystemExit


def interrupt(theta, weight_decay):
    raise KeyboardInterrupt


def exhaust(theta, weight_decay):
    raise MemoryError


def divide(theta, weight_decay):
    nothing = 0
    return 1 / nothing


def raise_hostile(theta, weight_decay):
    class HostileError(Exception):
        def __str__(self):
            raise SystemExit

        __repr__ = __str__

    raise HostileError


def own_base_exception(theta, weight_decay):
    class Odd(BaseException):
        pass

    raise Odd("one\ntwo " + "x" * 500)


def generate(theta, weight_decay):
    yield 1


async def wait(theta, weight_decay):
    return 1


LINE = inspect.getsourcelines(divide)[1] + 2


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (
            lambda theta: 1,
            "signature",
            "with (theta, weight_decay), but its parameters are (theta)",
        ),
        (lambda theta, *, weight_decay: 1, "signature", "`weight_decay` can only be given by name"),
        (lambda a, b, c, *d, e=1, **f: 1, "signature", "parameters are (a, b, c, *d, e, **f)"),
        (divide, "raised", "raises ZeroDivisionError: division by zero, "),
        (divide, "raised", f"in line {LINE}: `return 1 / nothing`"),
        (recurse, "raised", "calls itself without end (RecursionError)"),
        (read_input, "raised", "reads from the keyboard"),
        (leave, "raised", "tries to end Python, in line"),
        (interrupt, "raised", "raises KeyboardInterrupt"),
        (exhaust, "raised", "asks for more memory than a check allows"),
        (raise_hostile, "raised", "raises HostileError, in line"),
        (own_base_exception, "raised", "raises Odd: one two xxx"),
        (lambda theta, weight_decay: print(end=""), "none", "returns None: is the `return`"),
        (lambda theta, weight_decay: np.nan, "nan", "returns NaN (not a number)"),
        (lambda theta, weight_decay: np.inf, "nan", "returns an infinite number"),
        (lambda theta, weight_decay: [1.0, 2.0], "type", "a list of 2 elements; a number"),
        (lambda theta, weight_decay: theta, "shape", "an array of shape (3,); a number is wanted"),
        (lambda theta, weight_decay: 7, "relation", "returns the same in every case"),
        (lambda theta, weight_decay: "7", "type", "the text '7'; a number is wanted"),
        (lambda theta, weight_decay: True, "type", "the truth value True; a number is wanted"),
        (lambda theta, weight_decay: hostile.Hostile(), "type", "of type Hostile that cannot"),
        (lambda theta, weight_decay: hostile.HostileFloat(7), "relation", "the same in every case"),
        (lambda theta, weight_decay: np.cos(theta[0]), "value", "the result is wrong"),
        (generate, "type", "a generator (does it say `yield` where `return` is meant?)"),
        (lambda theta, weight_decay: recurse, "type", "a function (is a call"),
        (int, "type", "a function is wanted, but you gave the class int"),
        (3.0, "type", "a function is wanted, but you gave the number 3.0: give its name"),
        (None, "type", "you gave None"),
        ((), "type", "you gave a tuple of 0 elements"),
    ],
)
def test_faults_of_functions(answer, reason, message):
    verdict = judge(PENALTY, answer)
    assert verdict.state == "not yet"
    assert verdict.reason == reason
    assert message in verdict.message
    assert "Traceback" not in verdict.message + verdict.details
    assert "\n" not in verdict.message


def test_coroutines():
    with pytest.warns(RuntimeWarning, match="never awaited"):
        verdict = judge(PENALTY, wait)
    assert verdict.message.startswith("your function returns a coroutine (remove `async`)")


def test_hostile_answers():
    class HostileCallable:
        def __call__(self, *args):
            return 1.0

        def __getattribute__(self, name):
            raise SystemExit(name)

    assert judge(PENALTY, HostileCallable()).state == "not yet"
    verdict = judge(PENALTY, hostile.Hostile())
    assert verdict.message.startswith(
        "a function is wanted, but you gave an object of type Hostile"
    )
    assert judge(shrinkage.FACTOR, hostile.Hostile()).reason == "type"


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (divide, "type", "a value is wanted, but you gave a function"),
        (float, "type", "a value is wanted, but you gave a function"),
        (np.nan, "nan", "your answer is NaN (not a number)"),
        (np.ones(2), "shape", "your answer is an array of shape (2,); a number is wanted"),
        ("a", "type", "your answer is the text 'a'; a number is wanted"),
        (0.97, "value", "close, but not exact enough: give more digits"),
        (0.5, "value", "0.5 is too low"),
        (1.5, "value", "1.5 is too high"),
        (0.98, "value", "close, but not exact enough: give more digits"),
    ],
)
def test_faults_of_values(answer, reason, message):
    verdict = judge(shrinkage.FACTOR, answer)
    assert (verdict.state, verdict.reason, verdict.details) == ("not yet", reason, "")
    assert verdict.message.startswith(message)
    assert "0.9756" not in verdict.message  # the value asked for


def test_changed_inputs_are_named():
    verdict = judge(STEP, shrinkage.step_in_place)
    assert verdict.message == (
        "your function changes its input `theta` in `theta -= learning_rate * grad`, which works "
        "in place: work on a copy"
    )
    assert verdict.details.startswith("for         theta = [[")

    def sort_both(theta, grad, learning_rate):
        theta[:] = 0
        grad.shape = (-1,)
        return None

    assert "its input `theta` and `grad`" in judge(STEP, sort_both).message


def test_inputs_are_copies():
    """An answer that spoils its inputs spoils neither the next case nor what is shown."""
    seen = []

    def spoil(theta, weight_decay):
        seen.append(theta.copy())
        theta[:] = np.nan
        return 0.0

    judge(PENALTY, spoil)
    for (theta, _), given in zip(make_cases(PENALTY), seen, strict=False):
        np.testing.assert_array_equal(theta, given)


def test_results_are_taken_at_once():
    buffer = np.empty(4)

    def reuse(theta, grad, learning_rate):
        out = np.resize(buffer, theta.shape)
        out[:] = theta - learning_rate * grad
        return out

    assert judge(STEP, reuse).state == "passed"
    shared = []

    def same_list(theta, grad, learning_rate):
        shared[:] = (theta - learning_rate * grad).tolist()
        return shared

    assert judge(STEP, same_list).state == "passed"


def test_first_differing_case_is_shown():
    def wrong_when_long(theta, grad, learning_rate):
        result = theta - learning_rate * grad
        if len(theta) > 2:
            result[3, 1] = 5
        return result

    verdict = judge(STEP, wrong_when_long)
    assert verdict.message == "the result is wrong, first at index [3, 1] (1 of 2 cases are right)"
    lines = verdict.details.splitlines()
    assert [line[:12].strip() for line in lines] == ["for", "expected", "got", "that is"]
    assert "(shape 10×2)" in lines[0]
    assert "learning_rate = 0.1" in lines[0]
    assert lines[3][12:].startswith("5.0 at index [3, 1] where ")


def test_nested_results():
    def summary(x):
        return x.size, {"mean": x.mean(), "positive": x >= x.max()}, "more" * int(x.mean() > 0)

    assert judge(shrinkage.SUMMARY, summary).message == (
        "Your first and third results are right. The second is wrong."
    )

    def without_key(x):
        return x.size, {"mean": x.mean()}, ""

    assert "a dictionary with the keys 'mean' in element 1" in (
        judge(shrinkage.SUMMARY, without_key).message
    )


def test_dtype_is_checked_on_demand():
    verdict = judge(shrinkage.COUNTS, lambda x: np.bincount(x).astype(float))
    assert verdict.reason == "dtype"
    assert verdict.message == "your function returns numbers of dtype float64; int64 is wanted"


def test_accept_sees_any_result():
    verdict = judge(SHUFFLE, lambda n, rng: [0] * n)
    assert verdict.message == "every index must occur exactly once"
    assert "for example" in verdict.details
    verdict = judge(SHUFFLE, lambda n, rng: n)
    assert verdict.message == (
        "your function returns the number 5; something like an array of shape (5,) is wanted"
    )
    assert judge(SHUFFLE, lambda n, rng: print(end="")).reason == "none"


def test_traceback_is_kept_for_those_who_ask():
    trace = judge(PENALTY, divide).traceback
    assert trace.startswith("Traceback")
    assert "return 1 / nothing" in trace
    assert "_calls.py" not in trace


def test_cases_are_seeded_by_name():
    again = dataclasses.replace(PENALTY)
    other = dataclasses.replace(PENALTY, name="shrinkage.other")
    np.testing.assert_array_equal(make_cases(PENALTY)[2][0], make_cases(again)[2][0])
    assert not np.array_equal(make_cases(PENALTY)[2][0], make_cases(other)[2][0])
    # The same on every machine and in every run, unlike Python's own hash of a text.
    assert make_cases(PENALTY)[0][1] == pytest.approx(0.26516150317911297)


def test_on_start_comes_right_before_the_answer():
    events = []

    def answer(theta, weight_decay):
        events.append("answer")
        return 0.0

    judge(PENALTY, answer, on_start=lambda: events.append("start"))
    assert events[:4] == ["start", "answer", "answer", "answer"]
    assert "start" not in events[4:]
    judge(PENALTY, lambda theta: 0.0, on_start=lambda: events.append("never"))
    assert "never" not in events


def test_answers_cannot_spoil_the_comparison(monkeypatch):
    """An answer that replaces NumPy's functions is still judged."""

    def vandal(theta, weight_decay):
        for name in ("isclose", "isnan", "isinf", "isfinite", "asarray", "argwhere", "allclose"):
            monkeypatch.setattr(np, name, None)
        np.seterr(all="raise")
        return 7.0

    with np.errstate():
        assert judge(PENALTY, vandal).state == "not yet"
