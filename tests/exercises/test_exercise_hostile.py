"""Hostile, odd and unlucky answers: no crash, no hang, nothing left behind, and a sentence."""

import importlib.util
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import cloudpickle
import hostile
import numpy as np
import psutil
import pytest
from sample_lessons.shrinkage import exercises as shrinkage

import lessons_lib.exercises as public
from lessons_lib.exercises import _process
from lessons_lib.exercises._api import Session
from lessons_lib.exercises._packing import is_importable
from lessons_lib.exercises._runner import Runner

PENALTY, FACTOR = shrinkage.PENALTY, shrinkage.FACTOR
RIGHT = "0.5 * weight_decay * np.sum(theta**2)"


@pytest.fixture
def judge(runner, run_cell):
    """Return a function that judges the ``f`` of a cell, as an answer to the penalty exercise."""

    def judge(source):
        return runner.judge(PENALTY, run_cell(source)["f"])

    return judge


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# --- a check within a check ---

CHECKS_ITSELF = """
import sys
import numpy as np
from lessons_lib.exercises import judge_answer
from lessons_lib.exercises._api import Session

with open({log!r}, "a") as file:
    file.write("imported\\n")

def f(theta, weight_decay):
    return 0.5 * weight_decay * np.sum(theta**2)

session = Session("sample_lessons")
session.check("shrinkage.penalty", f)
session.hint("shrinkage.penalty")
session.solution("shrinkage.penalty")
session.progress()
session.last_attempt("shrinkage.penalty")
"""


def test_a_module_that_checks_itself_is_checked_once(tmp_path, monkeypatch, capsys):
    """Each process would import it, and so start the next one."""
    log = tmp_path / "log"
    (tmp_path / "checks_itself.py").write_text(CHECKS_ITSELF.format(log=str(log)))
    monkeypatch.syspath_prepend(tmp_path)
    import checks_itself

    try:
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "✓ passed — shrinkage.penalty"
        assert not any("your function printed" in line for line in lines)
        assert log.read_text() == "imported\n" * 2  # here, and in the process
        record = checks_itself.session._records().read()["shrinkage.penalty"]
        assert (record.attempts, record.hints) == (1, 1)
    finally:
        checks_itself.session.close()


def test_processes_of_an_answer_check_nothing_either(judge):
    verdict = judge(f"""
        import subprocess
        import sys

        PROGRAM = '''
        from lessons_lib.exercises import check, judge_answer
        check("l2.stuck_weight", 1.0)
        print(judge_answer("l2.stuck_weight", 1.0).message)
        '''

        def f(theta, weight_decay):
            program = "\\n".join(line.strip() for line in PROGRAM.splitlines())
            python = [sys.executable, "-c", program]
            done = subprocess.run(python, text=True, capture_output=True)
            print(repr(done.stdout + done.stderr))
            return {RIGHT}
    """)
    assert verdict.state == "passed"
    assert verdict.printed.splitlines() == [r"'a check within a check does nothing\n'"] * 3


# --- answers that the other process cannot import ---

MODULE = """
import functools
import numpy as np

HALF = 0.5

class Squares:
    def of(self, theta):
        return np.sum(theta**2)

@functools.cache
def half():
    return HALF

def f(theta, weight_decay):
    return half() * weight_decay * Squares().of(theta)
"""


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("way", ["from a file", "in a package that is none", "path removed"])
def test_a_module_that_cannot_be_imported_by_name(way, runner, tmp_path, monkeypatch):
    name = "own.package.answer" if "package" in way else "own_answer"
    (tmp_path / "own_answer.py").write_text(MODULE)
    if way == "path removed":
        monkeypatch.syspath_prepend(tmp_path)
        module = importlib.import_module(name)
        sys.path.remove(str(tmp_path))
    else:
        module = load(tmp_path / "own_answer.py", name)
    registry = cloudpickle.list_registry_pickle_by_value()
    try:
        verdict = runner.judge(PENALTY, module.f)
    finally:
        del sys.modules[name]
    assert (verdict.state, verdict.message) == ("passed", "")
    assert cloudpickle.list_registry_pickle_by_value() == registry


def test_another_module_of_the_same_name_is_not_taken(runner, tmp_path, monkeypatch):
    """The learner's own file, where the path would find one that is wrong."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "taken_name.py").write_text(MODULE)
    (tmp_path / "taken_name.py").write_text("def f(theta, weight_decay):\n    return 0.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = load(tmp_path / "here" / "taken_name.py", "taken_name")
    try:
        assert runner.judge(PENALTY, module.f).state == "passed"
    finally:
        del sys.modules["taken_name"]


def test_a_notebook_that_uses_such_a_module(runner, run_cell, tmp_path):
    (tmp_path / "helpers.py").write_text(MODULE)
    module = load(tmp_path / "helpers.py", "unfindable_helpers")
    notebook = run_cell("def f(theta, w):\n    return helpers.f(theta, w)")
    notebook["helpers"] = module
    try:
        assert runner.judge(PENALTY, notebook["f"]).state == "passed"
    finally:
        del sys.modules["unfindable_helpers"]


def test_what_can_be_imported_goes_by_name():
    import json.decoder
    import xml.dom

    path = _process.search_path()
    for module in (np.linalg, json.decoder, xml.dom, sys, itertools, public, _process, shrinkage):
        assert is_importable(module, path), module


# --- odd entries in sys.path ---


@pytest.mark.parametrize(
    "entry", [Path(), 3, None, b"bytes", "null\0byte", "half\ud800"], ids=itertools.count()
)
def test_odd_entries_in_the_search_path(entry, run_cell, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, entry])
    runner = Runner("sample_lessons", keep_idle=False)
    f = run_cell(f"def f(theta, weight_decay):\n    return {RIGHT}")["f"]
    assert runner.judge(PENALTY, f).state == "passed"


def test_the_lessons_are_found_when_their_folder_has_left_the_path(run_cell, monkeypatch):
    root = str(Path(public.__file__).parents[2])
    kept = [p for p in sys.path if Path(p).resolve() != Path(root) and "exercises" not in p]
    monkeypatch.setattr(sys, "path", kept)
    runner = Runner("sample_lessons", keep_idle=False)
    f = run_cell(f"def f(theta, weight_decay):\n    return {RIGHT}")["f"]
    assert runner.judge(PENALTY, f).state == "passed"


def test_progress_of_what_is_no_name(session, capsys):
    for lesson in (5, ["folds"], b"folds", hostile.Hostile()):
        session.progress(lesson)
    lines = capsys.readouterr().out.splitlines()
    start = 'progress takes the name of a lesson, a text such as "folds", or nothing, but got '
    assert lines == [
        start + "the number 5",
        start + "a list of 1 element",
        start + "an object of type bytes",
        start + "an object of type Hostile that cannot be read",
    ]


# --- starts that fail ---


@pytest.mark.skipif(sys.platform == "win32", reason="a script for a POSIX shell")
@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("echo one; echo no such library", "no such library"),
        ("for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; echo the reason", "the reason"),
        (
            "for i in 1 2 3 4 5 6 7 8 9; do echo '  File'; done; "
            "echo 'ImportError: no module a'; echo; echo 'see the manual'",
            "ImportError: no module a",
        ),
        ("yes | head -n 100000; echo 'numpy.Error: bad'", "numpy.Error: bad"),
    ],
)
def test_the_line_that_matters_is_shown(written, reason, monkeypatch, run_cell, tmp_path):
    runner = Runner("sample_lessons", keep_idle=False)
    answer = run_cell("def f(theta, weight_decay):\n    return 0")["f"]
    broken_python = tmp_path / "python"
    broken_python.write_text(f"#!/bin/sh\n({written}) >&2\nexit 1\n")
    broken_python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken_python))
    verdict = runner.judge(PENALTY, answer)
    assert verdict.message == f"the process that checks answers has failed: {reason}"


def test_a_file_of_the_reader_that_hides_a_library(run_cell, tmp_path, monkeypatch):
    (tmp_path / "queue.py").write_text("raise LookupError('my own queue')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    runner = Runner("sample_lessons", keep_idle=False)
    verdict = runner.judge(PENALTY, run_cell("def f(theta, weight_decay):\n    return 0")["f"])
    assert (verdict.state, verdict.reason) == ("not checked", "startup")
    assert verdict.message.endswith("has failed: LookupError: my own queue")


# --- processes and files that an answer leaves ---

ESCAPES = {
    "own session": "subprocess.Popen([*sleep], start_new_session=True)",
    "orphan": "subprocess.run(['sh', '-c', 'setsid sleep 60 & echo $!'], stdout=file)",
    "daemon": "daemon()",
}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
@pytest.mark.parametrize("way", ESCAPES)
def test_processes_that_leave_the_session_are_ended(way, judge, tmp_path):
    verdict = judge(f"""
        import os
        import subprocess
        import time

        sleep = ["sleep", "60"]

        def daemon():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    file.write(f"{{os.getpid()}}\\n")
                    file.flush()
                    time.sleep(60)
                os._exit(0)
            os.wait()

        def f(theta, weight_decay):
            global file
            with open({str(tmp_path / "pids")!r}, "a") as file:
                made = {ESCAPES[way]}
                if hasattr(made, "pid"):
                    print(made.pid, file=file)
            return {RIGHT}
    """)
    assert (verdict.state, verdict.message) == ("passed", "")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 3
    assert [pid for pid in pids if is_running(pid)] == []


def test_no_temporary_files_remain(run_cell, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner = Runner("sample_lessons", keep_idle=False)
    f = run_cell(f"""
        import os
        import tempfile

        def f(theta, weight_decay):
            folder = tempfile.mkdtemp()
            open(os.path.join(folder, "left"), "w").close()
            print(os.path.dirname(folder))
            os.chmod(folder, 0o500)
            return {RIGHT}
    """)["f"]
    verdict = runner.judge(PENALTY, f)
    assert verdict.state == "passed"
    assert verdict.printed.startswith(str(tmp_path / "lessons-check-"))
    assert list(tmp_path.iterdir()) == []


def test_an_idle_process_leaves_no_folder_either(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner = Runner("sample_lessons")
    runner.warm_up("shrinkage")
    assert len(list(tmp_path.iterdir())) == 1
    runner.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="shared memory as files")
@pytest.mark.parametrize("ending", ["return", "kill"])
def test_no_semaphores_and_shared_memory_remain(ending, judge, tmp_path):
    """Whether the answer comes to its end or is killed in the midst of it."""
    kill = "os.kill(os.getpid(), 9)" if ending == "kill" else "pass"
    verdict = judge(f"""
        import os
        from multiprocessing import get_context
        from multiprocessing.shared_memory import SharedMemory

        from joblib import Parallel, delayed

        def f(theta, weight_decay):
            global kept
            memory = SharedMemory(create=True, size=1000)
            semaphore = get_context("spawn").Semaphore(3)
            Parallel(n_jobs=2)(delayed(np.sum)(np.ones(200_000)) for _ in range(3))
            print(memory.name, "sem." + semaphore._semlock.name[1:], f"-{{os.getpid()}}-")
            print(*os.listdir("/dev/shm"), file=open({str(tmp_path / "then")!r}, "w"))
            kept = memory, semaphore
            {kill}
            return {RIGHT}
    """)
    assert verdict.state == ("passed" if ending == "return" else "not yet"), verdict
    made = verdict.printed.split()
    assert len(made) % 3 == 0  # and no complaint of those that clean up
    then = (tmp_path / "then").read_text()
    now = [path.name for path in Path("/dev/shm").iterdir()]
    assert all(name in then for name in made[-3:-1])
    assert [name for name in now if any(part in name for part in made)] == []


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="shared memory as files")
def test_the_notebooks_own_shared_memory_stays(judge):
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(create=True, size=1000)
    try:
        verdict = judge(f"""
            from multiprocessing import resource_tracker
            from multiprocessing.shared_memory import SharedMemory

            def f(theta, weight_decay):
                global kept
                kept = SharedMemory(name={memory.name!r})
                resource_tracker.unregister(kept._name, "shared_memory")
                kept.buf[0] = 1
                return {RIGHT}
        """)
        assert verdict.state == "passed"
        assert (Path("/dev/shm") / memory.name).exists()
    finally:
        memory.close()
        memory.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupted_check_leaves_nothing(run_cell, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    runner = Runner("sample_lessons", keep_idle=False)
    f = run_cell(f"""
        import os

        def f(theta, weight_decay):
            with open({str(tmp_path / "pid")!r}, "w") as file:
                file.write(f"{{os.getpid()}} ")
            while True:
                pass
    """)["f"]

    def interrupt():
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        runner.judge(PENALTY, f)
    thread.join()
    assert not is_running(int((tmp_path / "pid").read_text()))
    assert list((tmp_path / "temporary").iterdir()) == []
    right = run_cell(f"def f(theta, weight_decay):\n    return {RIGHT}")["f"]
    assert runner.judge(PENALTY, right).state == "passed"


# --- memory and signals ---


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_answer_that_kills_itself_is_not_told_of_memory(judge):
    verdict = judge("""
        import os

        def f(theta, weight_decay):
            os.kill(os.getpid(), 9)
    """)
    assert verdict.reason == "ended"
    assert verdict.message.startswith("the process of your function was killed (SIGKILL): ")


def test_a_process_that_the_system_kills_for_memory_is_told_so(judge, monkeypatch):
    kills = itertools.count()
    monkeypatch.setattr(_process, "_n_killed_for_memory", lambda: next(kills))
    verdict = judge("import os\n\ndef f(theta, weight_decay):\n    os.kill(os.getpid(), 9)")
    assert verdict.reason == "memory"


@pytest.mark.parametrize("shape", [(10**8,), (10**5, 10**5)])
def test_one_row_that_stands_for_millions_is_refused_at_no_cost(shape, runner):
    value = np.broadcast_to(0.0, shape)
    for answer in (value, [value] * 3, {"a": value}, [np.zeros(2_000_000)] * 100):
        begin = time.process_time()
        verdict = runner.judge(FACTOR, answer)
        assert time.process_time() - begin < 2
        assert verdict.state == "not yet"
        assert "arrays of more than 20,000,000 numbers" in verdict.message


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
def test_memory_of_an_answers_processes_counts(run_cell):
    runner = Runner("sample_lessons", keep_idle=False, memory_limit=2**20)
    f = run_cell("""
        import subprocess
        import sys

        CODE = '''
        import resource
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        x = bytearray(2**29)
        x[::4096] = bytes(2**17 * [1])
        input()
        '''

        def f(theta, weight_decay):
            code = "\\n".join(line.strip() for line in CODE.splitlines())
            subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE).wait()
    """)["f"]
    assert runner.judge(PENALTY, f).reason == "memory"


# --- texts and exceptions that deceive ---


def test_texts_of_an_answer_cannot_forge_a_verdict(session, run_cell, capsys):
    forged = "\\x1b[2J\\x1b[1;1H✓ passed — shrinkage.penalty"
    notebook = run_cell(f"""
        def prints(theta, weight_decay):
            print("{forged}")
            return 1.0

        def raises(theta, weight_decay):
            raise ValueError("{forged}\\n✓ passed")

        Named = type("A\\n✓ passed — x\\x1b[2J", (), {{}})

        def returns(theta, weight_decay):
            return Named()
    """)
    for name in ("prints", "raises", "returns"):
        session.check("shrinkage.penalty", notebook[name], traceback=True)
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "✓ passed" in out
        lines = [line for line in out.splitlines() if line.startswith("✓")]
        # A traceback is wanted as Python writes it, below the verdict.
        assert out.startswith("not yet: ")
        assert lines == [] or name == "raises"
    session.check("shrinkage.factor", type("B\n✓ passed", (), {})())
    assert capsys.readouterr().out.startswith(
        "not yet: your answer is an object of type B ✓ passed"
    )


@pytest.mark.parametrize(
    "attack",
    [
        'os.write(d, b\'{"verdict": {"state": "passed"}}\\n\')',
        "os.write(d, b'{\"started\": 1}\\n' * 100)",
        "os.write(d, b'x' * 60_000)",
        "os.write(d, b'\\xff' * 10)",
        "os.write(d, b'\\n')",
    ],
)
def test_forged_replies_are_not_believed(attack, judge):
    verdict = judge(f"""
        import contextlib
        import os

        def f(theta, weight_decay):
            for d in range(3, 20):
                with contextlib.suppress(OSError):
                    {attack}
            return 0.0
    """)
    assert (verdict.state, verdict.message) == (
        "not checked",
        "the answer has disturbed its own check",
    )


def test_a_reply_without_end_does_not_fill_the_notebook(judge):
    before = psutil.Process().memory_info().rss
    verdict = judge("""
        import os

        def f(theta, weight_decay):
            junk = b"x" * 2**20
            while True:
                for d in range(3, 20):
                    try:
                        os.write(d, junk)
                    except OSError:
                        pass
    """)
    assert verdict.state == "not checked"
    assert psutil.Process().memory_info().rss - before < 2**28


def test_an_exception_that_resists_being_looked_at(judge):
    verdict = judge("""
        def f(theta, weight_decay):
            class Meta(type):
                def __getattribute__(cls, name):
                    raise SystemExit(name)

            class Hostile(Exception, metaclass=Meta):
                def __getattribute__(self, name):
                    raise SystemExit(name)

                def __str__(self):
                    raise SystemExit

            raise Hostile
    """)
    assert (verdict.state, verdict.reason) == ("not yet", "raised")
    assert verdict.message.startswith("your function raises Hostile")


def test_a_check_that_the_answer_breaks_off_is_its_own_fault(judge):
    verdict = judge("""
        import lessons_lib.exercises._judge as module

        def f(theta, weight_decay):
            module.call = None
            return 0.0
    """)
    assert verdict.state == "not checked"
    assert verdict.message.startswith("your answer has disturbed its own check (TypeError: ")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("breakpoint()", "a check has no keyboard for a debugger: take `breakpoint()` out"),
        (
            "import pdb; pdb.set_trace(); return 1",
            "starts the debugger: a check has no keyboard for it",
        ),
        ("input()", "reads from the keyboard"),
        ("get_ipython().system('ls')", "uses a command of the notebook (`!…`, `%…` or"),
    ],
)
def test_what_works_in_a_notebook_only_gets_a_helpful_word(source, sentence, run_cell, runner):
    notebook = run_cell(f"def f(theta, weight_decay):\n    {source}")
    notebook["get_ipython"] = threading.Lock()  # as little to be copied
    try:
        verdict = runner.judge(PENALTY, notebook["f"])
    finally:
        del notebook["get_ipython"]
    assert sentence in verdict.message


# --- for programs that grade ---


def test_a_verdict_as_an_object(run_cell, capsys, monkeypatch):
    session = Session("sample_lessons")
    monkeypatch.setattr("lessons_lib.exercises._api._session", lambda: session)
    notebook = run_cell(f"""
        def right(theta, weight_decay):
            return {RIGHT}

        def wrong(theta, weight_decay):
            return 2 * {RIGHT}
    """)
    try:
        assert public.judge_answer("shrinkage.penalty", notebook["right"]).state == "passed"
        verdict = public.judge_answer("shrinkage.penalty", notebook["wrong"])
        assert (verdict.state, verdict.misconception) == ("not yet", 0)
        assert public.judge_answer("shrinkage.penalty", ...).state == "not attempted"
        with pytest.raises(LookupError, match="did you mean"):
            public.judge_answer("shrinkage.penalti", ...)
        session.last_attempt("shrinkage.penalty")
    finally:
        session.close()
    assert capsys.readouterr().out == "no attempt at shrinkage.penalty is kept\n"


def test_verdicts_from_several_threads(runner, run_cell):
    from concurrent.futures import ThreadPoolExecutor

    notebook = run_cell(f"def f(theta, weight_decay):\n    return {RIGHT}")
    with ThreadPoolExecutor(3) as pool:
        verdicts = pool.map(lambda _: runner.judge(PENALTY, notebook["f"]), range(6))
    assert [v.state for v in verdicts] == ["passed"] * 6
