"""The process that judges one answer, seen from the notebook's side: start, ask, stop."""

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from lessons_lib.exercises._diagnosis import timeout_verdict
from lessons_lib.exercises._model import Exercise, Verdict

_POLL = 0.05  # seconds between two looks at the process
_GRACE = 1.5  # seconds beyond the time limit, for the process to say where it hangs
_BASELINE = 2**28  # bytes for Python and the lesson's imports
_PRINTED_LINES = 6
_PRINTED_BYTES = 10_000


class WorkerProcess:
    """One process that judges one answer."""

    def __init__(self, module: str) -> None:
        self._owner = os.getpid()
        self._popen = subprocess.Popen(
            # -B writes no bytecode, -P keeps the current folder off the path, -u loses no output.
            [sys.executable, "-B", "-P", "-u", "-m", "lessons_lib.exercises._worker", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            # A session of its own, so that it can be killed with all the processes it starts, and
            # so that interrupting the notebook's kernel does not reach it. Windows has none.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
            | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def is_usable(self) -> bool:
        """Return whether the process waits; after a fork, the copy may not use its parent's."""
        return self._owner == os.getpid() and self._popen.poll() is None

    def ask(
        self, request: bytes, exercise: Exercise, startup_limit: float, memory_limit: int
    ) -> Verdict:
        """Send the request, wait for the verdict and stop the process."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        printed = bytearray()
        pipes = self._popen.stdin, self._popen.stdout, replies
        threads = [
            threading.Thread(target=_talk, args=(request, *pipes), daemon=True),
            threading.Thread(target=_listen, args=(self._popen.stderr, printed), daemon=True),
        ]
        try:
            for thread in threads:
                thread.start()
            verdict = self._wait(replies, exercise, startup_limit, memory_limit)
        finally:
            self._kill()
            for thread in threads:
                if thread.is_alive():
                    # Not for ever: a process that the answer started and that escaped may still
                    # hold the pipes.
                    thread.join(timeout=1)
            with contextlib.suppress(OSError):
                self._popen.stdin.close()  # not before: its end tells the process to end
        shown = _first_lines(printed)
        if verdict.reason == "startup" and shown:  # the process's own last words
            why = f"{verdict.message}: {shown.splitlines()[-1]}"
            return dataclasses.replace(verdict, message=why)
        return dataclasses.replace(verdict, printed=shown)

    def stop(self) -> None:
        """Stop a process that was not asked anything."""
        if self._owner == os.getpid():
            self._kill()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()

    def _wait(
        self,
        replies: "queue.SimpleQueue[bytes]",
        exercise: Exercise,
        startup_limit: float,
        memory_limit: int,
    ) -> Verdict:
        started: int | None = None  # the process's id (on Windows, not always that of self._popen)
        deadline = time.monotonic() + startup_limit
        while True:
            try:
                line = replies.get(timeout=_POLL)
            except queue.Empty:
                if time.monotonic() > deadline:
                    return timeout_verdict(exercise, "") if started else _TOO_SLOW
                if started and _memory_of(started) > memory_limit + _BASELINE:
                    return _memory_verdict()
                if self._popen.poll() is None:
                    continue
                line = _last(replies)
            if not line:
                return self._ended(started is not None)
            try:
                reply = json.loads(line)
                if "verdict" in reply:
                    return Verdict(**reply["verdict"])
                started = int(reply["started"])
            except (ValueError, KeyError, TypeError):
                return Verdict("not checked", "reply", "the answer has disturbed its own check")
            deadline = time.monotonic() + exercise.time_limit + _GRACE

    def _ended(self, started: bool) -> Verdict:
        """Say why the process has ended without a verdict."""
        try:
            code = self._popen.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:  # it lives, but has closed its output
            return Verdict("not checked", "reply", "the answer has disturbed its own check")
        if not started:
            return Verdict("not checked", "startup", "the process that checks answers has failed")
        if code < 0:
            if -code == getattr(signal, "SIGKILL", None):  # the system's answer to scarce memory
                return _memory_verdict()
            name = (signal.strsignal(-code) or f"signal {-code}").lower()
            return Verdict("not yet", "ended", f"your function crashes Python itself ({name})")
        if code >= 0xC0000000:  # how Windows reports crashes
            message = f"your function crashes Python itself (error {code:#x})"
            return Verdict("not yet", "ended", message)
        message = f"your function ends Python itself (exit code {code}): return the result instead"
        return Verdict("not yet", "ended", message)

    def _kill(self) -> None:
        """Kill the process and those that it has started."""
        if sys.platform == "win32":
            _kill_descendants(self._popen.pid)
        else:
            # On macOS a group whose processes have all ended already answers with PermissionError.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=10)


_TOO_SLOW = Verdict("not checked", "startup", "the process that checks answers does not start")


def _memory_verdict() -> Verdict:
    message = "your function asks for more memory than a check allows"
    return Verdict("not yet", "memory", message)


def _memory_of(pid: int) -> int:
    """Return the bytes of memory in use by a process, 0 if it has ended."""
    import psutil  # here, because the new process needs it never

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _kill_descendants(pid: int) -> None:
    """Kill all processes that a process has started, directly or not."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()


def _environment() -> dict[str, str]:
    """Return the environment of the process: the same imports, one thread, no window."""
    environment = dict(os.environ)
    for name in ("PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONBREAKPOINT"):
        environment.pop(name, None)  # they would talk, or wait for a terminal
    directory = current_folder()
    environment |= {
        "PYTHONPATH": os.pathsep.join(entry or directory for entry in sys.path),
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "MPLBACKEND": "agg",
    }
    # Cases are small: more threads would only slow the start and vary the last digits.
    for library in ("OMP", "OPENBLAS", "MKL", "VECLIB"):
        environment.setdefault(f"{library}_NUM_THREADS", "1")
    return environment


def current_folder() -> str:
    """Return the current folder, or the topmost one where it has been deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return os.sep


def _last(replies: "queue.SimpleQueue[bytes]") -> bytes:
    """Return what a process that has ended said last, empty if nothing."""
    try:
        return replies.get(timeout=_GRACE)
    except queue.Empty:  # a process that it started keeps the pipe open
        return b""


def _talk(
    request: bytes, requests: IO[bytes], output: IO[bytes], replies: "queue.SimpleQueue[bytes]"
) -> None:
    """Send the request and pass each line of the reply on; an empty one at the end."""
    with output:
        try:
            requests.write(request)
            requests.flush()
            for line in output:
                replies.put(line)
        except OSError:  # the process has ended before it has read everything
            pass
        finally:
            replies.put(b"")


def _listen(output: IO[bytes], printed: bytearray) -> None:
    """Keep the beginning of what is printed and let the rest pass, so that nothing blocks."""
    with output:
        while block := output.read1():  # type: ignore[attr-defined]
            printed += block[: max(0, _PRINTED_BYTES - len(printed))]


def _first_lines(printed: bytearray) -> str:
    lines = printed.decode("utf-8", "replace").splitlines()
    shown = [line if len(line) <= 100 else line[:99] + "…" for line in lines[:_PRINTED_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > _PRINTED_LINES else shown)
