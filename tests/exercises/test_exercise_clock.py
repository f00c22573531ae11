"""The limit is on what the answer computes, not on what the machine or an import takes."""

import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sample_lessons.shrinkage import exercises as shrinkage

from lessons_lib.exercises import _clock, _process, _worker
from lessons_lib.exercises._clock import Clock, used_time, waiting_limit
from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._plan import Plan
from lessons_lib.exercises._registry import exercises_of, lesson_names
from lessons_lib.exercises._runner import Runner

STEP = shrinkage.STEP  # may compute for 0.3 seconds


@pytest.fixture
def judge_step(runner, run_cell):
    """Return a function that judges the ``f`` of a cell."""

    def judge_step(source):
        return runner.judge(STEP, run_cell(source)["f"])

    return judge_step


# --- the clock itself ---


def compute(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def watch(limit, work):
    """Return whether ``work`` passes the limit, and what was given back for imports."""
    passed, imports = threading.Event(), [0.0]
    clock = Clock(limit, passed.set, imports.append)
    clock.start()
    work()
    clock.stop()
    clock.join()
    return passed.is_set(), imports[-1]


def test_computing_counts():
    assert watch(0.2, lambda: compute(0.5)) == (True, 0.0)
    assert watch(5.0, lambda: compute(0.5)) == (False, 0.0)


def test_waiting_does_not_count():
    assert watch(0.2, lambda: time.sleep(0.6)) == (False, 0.0)


def test_imports_do_not_count(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nend = time.process_time() + 0.8\nwhile time.process_time() < end:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    is_late, imports = watch(0.3, lambda: __import__("slow_to_import"))
    assert not is_late
    assert 0.4 < imports < 1.0


def test_imports_are_not_given_back_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_clock, "_MOST_FOR_IMPORTS", 0.3)
    (tmp_path / "endless_import.py").write_text(
        "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert watch(0.3, lambda: __import__("endless_import"))[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the time of children")
def test_ended_child_processes_count():
    before = used_time()
    code = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert used_time() - before > 0.4


# --- in a check ---


def test_an_import_in_an_answer_takes_none_of_its_time(judge_step, tmp_path, monkeypatch):
    (tmp_path / "slow_library.py").write_text(
        "import time\nend = time.process_time() + 2.5\nwhile time.process_time() < end:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    verdict = judge_step("""
        def f(theta, grad, learning_rate):
            import slow_library
            return theta - learning_rate * grad
    """)
    assert (verdict.state, verdict.message) == ("passed", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals that stop a process")
def test_a_machine_that_is_busy_with_others_takes_none_of_its_time(runner, run_cell, tmp_path):
    """The process is held up for ten times what its answer may compute."""
    started = tmp_path / "started"
    f = run_cell(f"""
        import time
        from pathlib import Path

        def f(theta, grad, learning_rate):
            Path({str(started)!r}).touch()
            time.sleep(0.2)
            return theta - learning_rate * grad
    """)["f"]
    runner.warm_up("shrinkage")
    process = psutil.Process(runner._idle.pid)

    def hold_up():
        while not started.exists():
            time.sleep(0.005)
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        process.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=hold_up)
    thread.start()
    begin = time.monotonic()
    verdict = runner.judge(STEP, f)
    thread.join()
    assert time.monotonic() - begin > 3
    assert (verdict.state, verdict.message) == ("passed", "")


@pytest.mark.parametrize(
    "waiting", ["time.sleep(1000)", "threading.Event().wait()", "os.read(os.pipe()[0], 1)"]
)
def test_an_answer_that_waits_is_told_so(waiting, judge_step, monkeypatch):
    monkeypatch.setattr(_process, "waiting_limit", lambda time_limit: 1.0)
    verdict = judge_step(f"""
        import os
        import threading
        import time

        def f(theta, grad, learning_rate):
            {waiting}
    """)
    assert (verdict.state, verdict.reason) == ("not yet", "time")
    assert re.match(
        r"your answer waited: in \d+ seconds it computed for 0\.\d only\. ", verdict.message
    )
    assert "loop" not in verdict.message


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux counts it")
def test_being_held_up_is_not_waiting():
    """Of processes that compete for one processor, each is held up while another runs."""
    code = (
        "import os, time\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "while time.process_time() < 0.6: pass\n"
        "print(flush=True)\ninput()\n"
    )
    start = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    rivals = [subprocess.Popen(start, **pipes) for _ in range(3)]
    try:
        for rival in rivals:
            rival.stdout.readline()
        held_up = [_process._held_up_time(rival.pid) for rival in rivals]
        assert max(held_up) > 0.3
        before = held_up[0]
        time.sleep(1)  # they wait for input now
        assert _process._held_up_time(rivals[0].pid) - before < 0.5
    finally:
        for rival in rivals:
            rival.communicate(b"\n")
    assert _process._held_up_time(2**30) == 0.0


def test_it_may_wait_longer_than_compute():
    assert waiting_limit(10.0) == 40.0
    assert waiting_limit(0.3) > 10


def test_processes_of_an_answer_count(judge_step):
    verdict = judge_step("""
        import subprocess
        import sys

        def f(theta, grad, learning_rate):
            subprocess.run([sys.executable, "-c", "while True: pass"])
    """)
    assert verdict.reason == "time"
    assert "is there a loop that never ends?" in verdict.message


# --- what the reference does is computed once ---

SLOW_LESSON = """
import time
import numpy as np
from pathlib import Path
from lessons_lib.exercises import Exercise, Misconception

def reference(x):
    import scipy.special

    with open({log!r}, "a") as file:
        file.write("r")
    return x + 1

EXERCISES = (
    Exercise(name="slow.one", title="T", level=1, hints=("h",), reference=reference,
             cases=lambda rng: [(rng.normal(size=3),), (rng.normal(size=2),)],
             misconceptions=(Misconception(lambda x: x - 1, "You subtract."),)),
)
"""


@pytest.fixture
def slow_lesson(tmp_path, monkeypatch):
    """Return the lesson's exercises, and a function that counts the calls of the reference."""
    package = tmp_path / "slow_lessons"
    (package / "slow").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "slow" / "__init__.py").touch()
    log = tmp_path / "log"
    log.touch()
    path = package / "slow" / "exercises.py"
    path.write_text(SLOW_LESSON.format(log=str(log)))
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    module = importlib.import_module("slow_lessons.slow.exercises")
    yield module.EXERCISES[0], lambda: len(log.read_text()), path
    for name in ("slow_lessons", "slow_lessons.slow", "slow_lessons.slow.exercises"):
        sys.modules.pop(name)


def test_the_reference_runs_at_the_first_check_only(slow_lesson, run_cell):
    exercise, n_calls, path = slow_lesson
    runner = Runner("slow_lessons", keep_idle=False)
    right = run_cell("def f(x):\n    return x + 1")["f"]
    wrong = run_cell("def f(x):\n    return x - 1")["f"]
    try:
        assert runner.judge(exercise, right).state == "passed"
        assert n_calls() == 2  # two cases
        assert runner.judge(exercise, right).state == "passed"
        assert runner.judge(exercise, wrong).misconception == 0
        assert n_calls() == 2
        path.write_text(path.read_text() + "\n# a later edition\n")
        assert runner.judge(exercise, right).state == "passed"
        assert n_calls() == 4
    finally:
        runner.close()


def test_an_answer_cannot_change_what_later_checks_expect(slow_lesson, run_cell):
    exercise, _, _ = slow_lesson
    runner = Runner("slow_lessons", keep_idle=False)
    vandal = run_cell("""
        import gc

        def f(x):
            for thing in gc.get_objects():
                if type(thing).__name__ == "Plan":
                    for outcome in thing.expected:
                        outcome.value[:] = 0
            return 0 * x
    """)["f"]
    try:
        runner.judge(exercise, vandal)
        assert (
            runner.judge(exercise, run_cell("def f(x):\n    return 0 * x")["f"]).state == "not yet"
        )
    finally:
        runner.close()


def test_what_the_reference_imports_is_imported_in_advance(slow_lesson, run_cell):
    exercise, _, _ = slow_lesson
    runner = Runner("slow_lessons")
    f = run_cell("""
        import sys

        def f(x):
            print("scipy.special" in sys.modules)
            return x + 1
    """)["f"]
    try:
        assert runner.judge(exercise, f).state == "passed"
        process = psutil.Process(runner._idle.pid)
        used, before = sum(process.cpu_times()[:2]), -1.0
        while used > before:
            time.sleep(1)
            used, before = sum(process.cpu_times()[:2]), used
        # The reference itself does not run again.
        assert runner.judge(exercise, f).printed == "True\nTrue"
    finally:
        runner.close()


@pytest.mark.parametrize("lesson", lesson_names())
def test_what_was_kept_judges_as_what_is_computed_anew(lesson):
    """Also by identity of dtypes, memory layout and objects that references return."""
    n_kept = 0
    for exercise in exercises_of(lesson):
        new = Plan.of(exercise)
        data = _worker._pickled(new)
        if not data:
            continue
        n_kept += 1
        kept = pickle.loads(data)
        wrong = exercise.misconceptions[-1].wrong if exercise.misconceptions else abs
        for function in (exercise.reference, wrong):
            answer = function() if exercise.asks_for_value else function
            anew = replace(judge(exercise, answer, plan=new), traceback="")
            assert replace(judge(exercise, answer, plan=kept), traceback="") == anew
    assert n_kept >= 5


def test_what_cannot_be_kept_is_computed_again():
    assert _worker._pickled(threading.Lock()) == b""
    assert _worker._pickled(bytes(2**24)) == b""
    assert _worker._pickled([1, 2]) != b""
