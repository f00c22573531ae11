"""Judge answers, each in a process of its own that was started in advance.

A process is used only once, so that an answer finds the state of its own check only. Starting
Python and NumPy takes a few tenths of a second: the process for the next answer is therefore
started early and waits, idle, until it is needed; it ends by itself when this process ends. What
the reference does on the cases is computed at the first check of an exercise and kept.

This protects the notebook from mistakes: endless loops, crashes, much memory, processes and files
left behind, changed inputs. It does not protect from intent: an answer runs with the rights of the
notebook, and could for example send signals to it.
"""

import atexit
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import Any

from lessons_lib.exercises import _reaper
from lessons_lib.exercises._judge import look_at
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._packing import CannotHandOverError, cell_of, pack
from lessons_lib.exercises._process import Limits, WorkerProcess, current_folder, search_path
from lessons_lib.exercises._registry import module_name
from lessons_lib.exercises._replies import cleaned
from lessons_lib.exercises._values import plain


class Runner:
    """Judges answers, each in a process of its own.

    Parameters
    ----------
    package : str
        Where the lessons' exercises are.
    memory_limit : int
        Bytes that an answer may use.
    startup_limit : float
        Seconds for everything but the answer's own code.
    keep_idle : bool
        Whether to start the process for the next answer in advance.
    """

    def __init__(
        self,
        package: str,
        *,
        memory_limit: int = 2 * 2**30,
        startup_limit: float = 60.0,
        keep_idle: bool = True,
    ) -> None:
        self.package = package
        self._limits = Limits(memory_limit, startup_limit)
        self._keep_idle = keep_idle
        self._idle: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._plans: dict[tuple[str, object], bytes] = {}
        self._modules: dict[str, tuple[str, ...]] = {}

    def judge(self, exercise: Exercise, answer: object) -> Verdict:
        """Return the verdict on ``answer``; whatever goes wrong in it is part of the verdict."""
        if is_check():
            return Verdict("not checked", message="a check within a check does nothing")
        verdict = look_at(exercise, answer)
        if verdict is None:
            verdict = self._ask(exercise, answer)
        self.warm_up(exercise.lesson)
        return cleaned(verdict)

    def warm_up(self, lesson: str) -> None:
        """Start the process for the next answer, most likely of the same lesson."""
        if not self._keep_idle or is_check():
            return
        with self._lock:
            if self._idle is not None and self._idle.is_usable():
                return
            self._close()
            with contextlib.suppress(OSError, ValueError):  # the next check will say why
                self._idle = self._start(lesson)
                atexit.register(self.close)

    def close(self) -> None:
        """Stop the idle process."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        atexit.unregister(self.close)
        if self._idle is not None:
            self._idle.stop()
            self._idle = None

    def _start(self, lesson: str) -> WorkerProcess:
        return WorkerProcess((*self._modules.get(lesson, ()), module_name(lesson, self.package)))

    def _ask(self, exercise: Exercise, answer: object) -> Verdict:
        try:
            request = self._request(exercise, answer)
        except CannotHandOverError as error:
            return Verdict("not yet", "pickle", str(error))
        try:
            process = self._take_idle(exercise.lesson)
            verdict = process.ask(request, exercise, self._limits)
        except (OSError, RuntimeError, ValueError) as error:  # no memory, process or thread left
            return Verdict("not checked", message=f"no process can be started ({error})")
        if process.plan:
            self._plans[exercise.name, _edition(exercise)] = process.plan
        if process.modules:
            self._modules[exercise.lesson] = process.modules
        return verdict

    def _take_idle(self, lesson: str) -> WorkerProcess:
        self.warm_up(lesson)
        with self._lock:
            process, self._idle = self._idle, None
        return process or self._start(lesson)

    def _request(self, exercise: Exercise, answer: object) -> dict[str, Any]:
        path = search_path([self.package])
        return {
            "exercise": exercise.name,
            "package": self.package,
            "path": path,
            "directory": current_folder(),
            "answer": pack(plain(answer) if exercise.asks_for_value else answer, path),
            "cell": cell_of(answer),
            "memory_limit": self._limits.memory,
            "plan": self._plans.get((exercise.name, _edition(exercise)), b""),
        }


def is_check() -> bool:
    """Return whether this process judges an answer, or was started by one that does.

    There, a check does nothing: a module with ``check(…)`` at its end would otherwise check itself
    without end.
    """
    return _reaper.MARK in os.environ


def _edition(exercise: Exercise) -> object:
    """Return what tells one edition of the lesson's file from the next."""
    path = getattr(sys.modules.get(exercise.reference.__module__), "__file__", None)
    with contextlib.suppress(OSError, TypeError):
        status = Path(path).stat()  # type: ignore[arg-type]
        return status.st_mtime_ns, status.st_size
    return None
