"""Whatever an answer does in its own process, this one goes on and the reader gets a sentence."""

import os
import re
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import hostile
import numpy as np
import psutil
import pytest
from sample_lessons.shrinkage import exercises as shrinkage

from lessons_lib.exercises import _reaper
from lessons_lib.exercises._runner import Runner

PENALTY, STEP = shrinkage.PENALTY, shrinkage.STEP


@pytest.fixture
def judge(runner, run_cell):
    """Return a function that judges the ``f`` of a cell, as an answer to the penalty exercise."""

    def judge(source, exercise=PENALTY):
        return runner.judge(exercise, run_cell(source)["f"])

    return judge


def test_function_that_uses_the_notebook_passes(runner, run_cell):
    run_cell("""
        import functools
        import math as renamed

        HALF = 0.5

        class Model:
            def __init__(self, theta):
                self.theta = theta

        @functools.cache
        def half(depth):
            return HALF if depth == 0 else half(depth - 1)

        def squares(model):
            return np.square(model.theta)
    """)
    notebook = run_cell("""
        def f(theta, weight_decay):
            display("shown")
            return renamed.fsum(half(2) * weight_decay * v for v in squares(Model(theta)))
    """)
    verdict = runner.judge(PENALTY, notebook["f"])
    assert (verdict.state, verdict.message) == ("passed", "")
    assert verdict.printed == "shown\nshown\nshown"


def test_function_of_an_importable_module_passes(runner):
    assert runner.judge(PENALTY, shrinkage.penalty).state == "passed"


def test_values(runner):
    assert runner.judge(shrinkage.FACTOR, np.float64(2 / 2.1)).misconception == 0
    verdict = runner.judge(shrinkage.FACTOR, hostile.Hostile())
    assert verdict.message.startswith(
        "your answer is an object of type Hostile that cannot be read"
    )


def test_exception_with_its_line_and_what_was_printed(judge):
    verdict = judge("""
        # a comment
        def f(theta, weight_decay):
            print("theta has", theta.size)
            return helper(theta) / 0

        def helper(theta):
            return theta.missing
    """)
    assert verdict.message == (
        "your function raises AttributeError: 'numpy.ndarray' object has no attribute 'missing', "
        "in line 7: `return theta.missing`"
    )
    assert verdict.printed == "theta has 1\ntheta has 3\ntheta has 4"
    assert "return helper(theta) / 0" in verdict.traceback


def test_endless_loop_is_stopped(judge):
    started = time.monotonic()
    verdict = judge(
        """
        def f(theta, grad, learning_rate):
            while True:
                pass
        """,
        STEP,
    )
    assert verdict.reason == "time"
    assert re.fullmatch(
        r"your function is still running after 0.3 seconds of computing, in line [23]: "
        r"`(while True:|pass)`: "
        r"is there a loop that never ends\?",
        verdict.message,
    )
    assert time.monotonic() - started < 30


def test_a_loop_that_keeps_the_interpreter_is_stopped_too(judge):
    """The process cannot say where it hangs, and is killed from outside."""
    verdict = judge(
        """
        import re

        def f(theta, grad, learning_rate):
            re.match("(a*)*b", "a" * 40)
        """,
        STEP,
    )
    assert verdict.reason == "time"
    assert verdict.message == (
        "your function is still running after 0.3 seconds of computing: "
        "is there a loop that never ends?"
    )


@pytest.mark.parametrize(
    ("source", "reason", "message"),
    [
        ("import os; os._exit(3)", "ended", "ends Python itself (exit code 3): return the result"),
        ("exit()", "raised", "your function tries to end Python, in line 2"),
        ("input('number: ')", "raised", "reads from the keyboard or an empty file (EOFError)"),
        ("import os; os.closerange(0, 50)", "ended", "ends Python itself (exit code 1)"),
        ("import ctypes; ctypes.string_at(0)", "ended", "crashes Python itself"),
        ("f(theta, weight_decay)", "raised", "calls itself without end (RecursionError)"),
        ("return np.ones(2**29)", "memory", "asks for more memory than a check allows"),
    ],
)
def test_violence(source, reason, message, judge):
    verdict = judge(f"def f(theta, weight_decay):\n    {source}")
    assert verdict.reason == reason or (reason == "memory" and verdict.reason == "raised")
    assert message in verdict.message
    assert verdict.state == "not yet"


def test_a_disturbed_reply_is_not_believed(judge):
    verdict = judge("""
        import contextlib
        import os

        def f(theta, weight_decay):
            for descriptor in range(3, 20):
                with contextlib.suppress(OSError):
                    os.write(descriptor, b"junk")
            return 0
    """)
    assert (verdict.state, verdict.message) == (
        "not checked",
        "the answer has disturbed its own check",
    )


def test_memory_is_watched_from_outside(run_cell):
    """Where the system sets no limit, or the answer lifts it."""
    runner = Runner("sample_lessons", keep_idle=False, memory_limit=2**20)
    f = run_cell("""
        import resource
        import time

        def f(theta, weight_decay):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
            kept = bytearray(3 * 2**27)
            kept[::4096] = bytes(3 * 2**15 * [1])
            time.sleep(20)
    """)["f"]
    try:
        verdict = runner.judge(PENALTY, f)
    finally:
        runner.close()
    assert verdict.message == "your function asks for more memory than a check allows"
    assert verdict.reason == "memory"


def test_much_output_is_cut(judge):
    verdict = judge("""
        import os
        import sys
        import warnings

        def f(theta, weight_decay):
            print("first", "x" * 200)
            print("second", file=sys.stderr)
            warnings.warn("careful", stacklevel=1)
            os.write(1, b"\\xff raw\\n")
            for i in range(20_000):
                print("line", i)
            return 0.5 * weight_decay * np.sum(theta**2)
    """)
    assert verdict.state == "passed"
    lines = verdict.printed.splitlines()
    assert lines[0] == "first " + "x" * 93 + "…"
    assert lines[1:4] == ["second", "UserWarning: careful (line 8)", "\ufffd raw"]
    assert lines[4:] == ["line 0", "line 1", "…"]


def test_nothing_an_answer_does_outlives_its_check(judge):
    vandal = """
        import os
        import sys
        import lessons_lib.exercises._judge as judge_module

        counter = [0]

        def f(theta, weight_decay):
            counter[0] += 1
            np.sum = np.square = np.array = None
            os.environ["VANDAL"] = "1"
            sys.path.clear()
            os.chdir("/")
            judge_module.judge = None
            return 0.0
    """
    directory = Path.cwd()
    assert judge(vandal).reason == "value"
    assert judge("f = lambda theta, w: w / 2 * np.sum(np.square(theta))").state == "passed"
    assert "VANDAL" not in os.environ
    assert (Path.cwd(), callable(np.sum)) == (directory, True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
def test_processes_and_threads_that_an_answer_starts_are_killed(judge, tmp_path):
    verdict = judge(f"""
        import os
        import subprocess
        import sys
        import threading
        import time

        def f(theta, weight_decay):
            threading.Thread(target=time.sleep, args=(60,)).start()
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            if os.fork() == 0:
                time.sleep(0.1)
                return 3.0  # the copy must not reply as well
            with open({str(tmp_path / "pids")!r}, "a") as file:
                print(os.getpid(), child.pid, file=file)
            return 0.5 * weight_decay * np.sum(theta**2)
    """)
    assert (verdict.state, verdict.message) == ("passed", "")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) >= 6  # the copies may get as far as the next case
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if is_running(pid)] == []


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_descendants_are_found_without_sessions(monkeypatch):
    """As on Windows: by descent, and by the mark in the environment."""
    monkeypatch.delattr(os, "getsid")
    monkeypatch.setattr(sys, "platform", "win32")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    marked = {**os.environ, _reaper.MARK: "some check"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, env=marked
    ) as parent:
        children = []
        while not children:
            children = psutil.Process(parent.pid).children()
            time.sleep(0.01)
        _reaper.end(parent.pid, "some check", psutil.Process(parent.pid).create_time())
        assert not is_running(children[0].pid)
        assert not is_running(parent.pid)
        parent.wait(timeout=10)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import threading; lock = threading.Lock()\ndef f(theta, w):\n    return lock",
            "uses `lock` (of type lock), which cannot be handed to the process that checks "
            "answers: use only its arguments",
        ),
        (
            "import threading; lock = threading.Lock()\n"
            "helper = lambda: [lock for _ in 'a']\nf = lambda a, b: helper()",
            "uses `lock` (of type lock), which",
        ),
        (
            "def outer():\n    numbers = (i for i in 'a')\n    def f(theta, w):\n"
            "        return next(numbers)\n    return f\nf = outer()",
            "uses `numbers` (of type generator), which",
        ),
        (
            "class Stubborn:\n    def __reduce__(self):\n        raise SystemExit\n"
            "    def __call__(self, theta, w):\n        pass\nf = Stubborn()",
            "cannot be handed (SystemExit) to the process",
        ),
        (
            "class Odd:\n    def __reduce__(self):\n        return (int, ('x',))\n"
            "odd = Odd()\ndef f(theta, w):\n    return odd",
            "cannot be handed to the process that checks it (ValueError: invalid literal",
        ),
    ],
)
def test_what_cannot_be_handed_over_is_named(source, message, runner, run_cell):
    verdict = runner.judge(PENALTY, run_cell(source)["f"])
    assert verdict.reason == "pickle"
    assert verdict.message.startswith("your function " + message)


def test_stub_needs_no_process(run_cell, monkeypatch):
    runner = Runner("sample_lessons", keep_idle=False)
    monkeypatch.setattr(runner, "warm_up", lambda lesson: None)
    monkeypatch.setattr("subprocess.Popen", None)
    verdict = runner.judge(PENALTY, run_cell("def f(theta, weight_decay):\n    ...")["f"])
    assert verdict.state == "not attempted"


# --- when the check itself fails ---


def test_exercise_that_fails_is_no_fault_of_the_answer(tmp_path, monkeypatch, run_cell):
    lesson = tmp_path / "faulty_lessons" / "lesson"
    lesson.mkdir(parents=True)
    (lesson / "__init__.py").touch()
    (lesson / "exercises.py").write_text(
        textwrap.dedent("""
            import os
            from lessons_lib.exercises import Exercise

            def cases(rng):
                raise OSError("no data")

            EXERCISES = (
                Exercise(name="lesson.one", title="T", level=1, hints=("h",),
                         reference=abs, cases=cases),
            )
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    from faulty_lessons.lesson.exercises import EXERCISES

    runner = Runner("faulty_lessons", keep_idle=False)
    answer = run_cell("def f(x):\n    return x")["f"]
    try:
        verdict = runner.judge(EXERCISES[0], answer)
        assert (verdict.state, verdict.message) == (
            "not checked",
            "the exercise itself fails (OSError: no data); this is no fault of your answer",
        )
        unknown = replace(EXERCISES[0], name="lesson.two")
        verdict = runner.judge(unknown, answer)
        assert verdict.state == "not checked"
        assert verdict.message.startswith("the exercise cannot be loaded (UnknownExerciseError")
    finally:
        runner.close()


def test_process_that_cannot_start(monkeypatch, run_cell):
    runner = Runner("sample_lessons", keep_idle=False)
    answer = run_cell("def f(theta, weight_decay):\n    return 0")["f"]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    verdict = runner.judge(PENALTY, answer)
    assert verdict.state == "not checked"
    assert verdict.message.startswith("no process can be started (")


@pytest.mark.skipif(sys.platform == "win32", reason="a script for a POSIX shell")
def test_process_that_fails_at_once(monkeypatch, run_cell, tmp_path):
    runner = Runner("sample_lessons", keep_idle=False)
    answer = run_cell("def f(theta, weight_decay):\n    return 0")["f"]
    broken_python = tmp_path / "python"
    broken_python.write_text("#!/bin/sh\necho one >&2\necho no such library >&2\nexit 1\n")
    broken_python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken_python))
    try:
        verdict = runner.judge(PENALTY, answer)
    finally:
        runner.close()
    assert verdict.state == "not checked"
    assert verdict.message == "the process that checks answers has failed: no such library"


def test_process_that_never_gets_ready(monkeypatch, run_cell):
    runner = Runner("sample_lessons", keep_idle=False, startup_limit=0.1)
    answer = run_cell("""
        class Slow:
            def __reduce__(self):
                return (__import__("time").sleep, (30,))

        slow = Slow()

        def f(theta, weight_decay):
            return slow
    """)["f"]
    try:
        verdict = runner.judge(PENALTY, answer)
    finally:
        runner.close()
    assert (verdict.state, verdict.reason) == ("not checked", "startup")


# --- the idle process ---


def test_idle_process_is_replaced_when_it_has_died(runner, run_cell):
    answer = run_cell("def f(theta, w):\n    return w / 2 * np.sum(theta**2)")["f"]
    runner.warm_up("shrinkage")
    idle = runner._idle._popen
    idle.kill()
    idle.wait()
    assert runner.judge(PENALTY, answer).state == "passed"


def test_interrupting_the_notebook_stops_the_check(runner, run_cell, monkeypatch):
    answer = run_cell("def f(theta, w):\n    return 0")["f"]
    processes = []

    def interrupt(conversation):
        processes.append(conversation._process._popen)
        raise KeyboardInterrupt

    monkeypatch.setattr("lessons_lib.exercises._process._Conversation.verdict", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner.judge(PENALTY, answer)
    assert processes[0].poll() is not None


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_processes_end_with_the_kernel(end, tmp_path):
    """The idle one, which waits for an answer, and one that is busy with an endless loop."""
    program = textwrap.dedent(f"""
        import os, sys, threading
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        from lessons_lib.exercises._runner import Runner
        from sample_lessons.shrinkage import exercises as shrinkage

        def f(theta, weight_decay):
            Path({str(tmp_path / "started")!r}).touch()
            while True:
                pass

        runner = Runner("sample_lessons")
        runner.warm_up("shrinkage")
        busy = runner._take_idle("shrinkage")
        request = runner._request(shrinkage.PENALTY, f)
        asking = threading.Thread(
            target=busy.ask, args=(request, shrinkage.PENALTY, runner._limits), daemon=True
        )
        asking.start()
        runner.warm_up("shrinkage")
        print(busy._popen.pid, runner._idle._popen.pid, flush=True)
        input()
    """)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as kernel:
        workers = [psutil.Process(int(pid)) for pid in kernel.stdout.readline().split()]
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert all(is_running(worker.pid) for worker in workers)
        if end == "kill":
            kernel.kill()
        _, errors = kernel.communicate("\n" if end == "exit" else None, timeout=30)
        assert errors == ""
    psutil.wait_procs(workers, timeout=20)
    assert [worker for worker in workers if is_running(worker.pid)] == []


def test_nothing_is_written_by_the_worker(run_cell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_module.py").write_text("def f(theta, w):\n    return w / 2 * sum(theta**2)\n")
    monkeypatch.syspath_prepend("")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import own_module

    runner = Runner("sample_lessons", keep_idle=False)
    try:
        assert runner.judge(PENALTY, own_module.f).state == "passed"
    finally:
        runner.close()
    assert [path.name for path in tmp_path.iterdir()] == ["own_module.py"]
