"""Time that a reader waits for ``check`` to pass a right answer, lesson by lesson.

Run it from the top folder, on a quiet machine: ``python benchmarks/exercises.py``, or with the
names of some lessons. For each lesson a new Python process stands for a notebook. *cold* is its
first check: the slowest of the lesson's exercises, each in a process of its own, from the call to
the verdict; the notebook has imported nothing but ``check``, so that the time holds the imports of
the lesson, in both processes, and all that the reference computes. *warm* is a check again, when
the process for the next answer waits: the median over all exercises of the lesson, and the slowest.

*processor* is the time that both processes computed during the slowest cold check: it tells a slow
check from a busy machine. *import* is what it takes to import the lesson in a new process, without
any check. What is longer than a reader should wait, 2.5 s cold or 0.3 s warm, is marked.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import psutil

from lessons_lib.exercises import Verdict, judge_answer
from lessons_lib.exercises._api import _session
from lessons_lib.exercises._registry import exercises_of, find, lesson_names, module_name

COLD_LIMIT, WARM_LIMIT = 2.5, 0.3
WARM_ROUNDS = 2


def right_answer(name: str) -> object:
    exercise = find(name)
    return exercise.reference() if exercise.asks_for_value else exercise.reference


def timed_check(name: str, answer: object) -> float:
    begin = time.perf_counter()
    verdict = judge_answer(name, answer)
    seconds = time.perf_counter() - begin
    if verdict != Verdict("passed", printed=verdict.printed):
        raise RuntimeError(f"{name}: {verdict.message}")
    return seconds


def wait_until_idle() -> None:
    """Wait until the process for the next answer has imported all that it will."""
    process = psutil.Process(_session()._runner._idle.pid)
    used, last = sum(process.cpu_times()[:2]), -1.0
    while used > last:
        time.sleep(0.5)
        used, last = sum(process.cpu_times()[:2]), used


def warm_times(name: str) -> list[float]:
    answer = right_answer(name)
    timed_check(name, answer)
    times = []
    for _ in range(WARM_ROUNDS):
        wait_until_idle()
        times.append(timed_check(name, answer))
    return times


def cold_time(name: str) -> tuple[float, float]:
    """Return seconds of the first check in a new process, on the clock and on the processor.

    The value that is checked is computed by the reference before the clock runs.
    """
    program = (
        "import os, time\n"
        "from lessons_lib.exercises import check, judge_answer\n"
        "from lessons_lib.exercises._api import _session\n"
        f"name = {name!r}\n"
        "begin, used = time.perf_counter(), time.process_time()\n"
        "_session()._start_early(name)\n"  # as `check` does
        "exercise = _session()._find(name)\n"
        "imported, used_by_imports = time.perf_counter(), time.process_time()\n"
        "answer = exercise.reference\n"
        "if exercise.asks_for_value:\n"
        "    answer = answer()\n"
        "computed = time.perf_counter() - imported\n"
        "used += time.process_time() - used_by_imports\n"
        "verdict = judge_answer(name, answer)\n"
        "seconds, used = time.perf_counter() - begin - computed, time.process_time() - used\n"
        "ended = os.times()\n"
        "print(verdict.state, seconds, used + ended.children_user + ended.children_system)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    state, seconds, used = done.stdout.split()
    if state != "passed":
        raise RuntimeError(f"{name}: {state}")
    return float(seconds), float(used)


def import_time(lesson: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module_name(lesson)}"], check=True)
    return time.perf_counter() - begin


def main() -> None:
    columns = ("import", "cold", "processor", "warm", "slowest")
    print(f"{'lesson':16}" + "".join(f"{column:>11}" for column in columns))
    for lesson in sys.argv[1:] or lesson_names():
        names = [exercise.name for exercise in exercises_of(lesson)]
        alone = statistics.median(import_time(lesson) for _ in range(3))
        cold, used = max(cold_time(name) for name in names)
        warm = [seconds for name in names for seconds in warm_times(name)]
        seconds = (alone, cold, used, statistics.median(warm), max(warm))
        too_slow = "  over the limit" if cold > COLD_LIMIT or max(warm) > WARM_LIMIT else ""
        print(f"{lesson:16}" + "".join(f"{s:9.3f} s" for s in seconds) + too_slow, flush=True)


if __name__ == "__main__":
    main()
