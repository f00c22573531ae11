"""The process that judges one answer, seen from the notebook's side: start, ask, stop."""

import contextlib
import dataclasses
import os
import pickle
import queue
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from lessons_lib.exercises import _reaper
from lessons_lib.exercises._clock import waiting_limit
from lessons_lib.exercises._diagnosis import timeout_verdict
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._replies import DisturbedError, Message, Reader

_POLL = 0.05  # seconds between two looks at the process
_MEASURE = 0.25  # seconds between two measurements of its time and memory
_GRACE = 1.5  # seconds beyond the time limit, for the process to say where it hangs
_BASELINE = 2**28  # bytes for Python and the lesson's imports
_PRINTED_LINES = 6
_PRINTED_BYTES = 10_000

_Reply = Message | DisturbedError | None


@dataclasses.dataclass(frozen=True)
class Limits:
    """What an answer may use.

    Parameters
    ----------
    memory : int
        Bytes, for the answer's process and those that it starts.
    startup : float
        Seconds for everything but the answer's own code.
    """

    memory: int = 2 * 2**30
    startup: float = 60.0


class WorkerProcess:
    """One process that judges one answer.

    Parameters
    ----------
    modules : sequence of str
        What to import while no answer has come yet.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        self._owner = os.getpid()
        self._mark = secrets.token_hex(8)
        self._folder = _new_folder()
        self.plan = b""
        """What the reference does, as the process has sent it."""
        self.modules: tuple[str, ...] = ()
        """What the lesson has imported in the process."""
        try:
            self._popen = subprocess.Popen(
                # -B writes no bytecode, -P keeps the current folder off the path, -u loses no
                # output.
                [
                    sys.executable or "python",
                    "-B",
                    "-P",
                    "-u",
                    "-m",
                    "lessons_lib.exercises._worker",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(self._mark, self._folder),
                # A session of its own, by which the processes it starts are found, and so that
                # interrupting the notebook's kernel does not reach it. Windows has none.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
                | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            assert self._popen.stdin is not None
            with contextlib.suppress(OSError):  # it has failed already: asking it will tell why
                self._popen.stdin.write(pickle.dumps((self._folder, tuple(modules))))
                self._popen.stdin.flush()
        except BaseException:
            _reaper.remove_folder(self._folder)
            raise

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    def is_usable(self) -> bool:
        """Return whether the process waits; after a fork, the copy may not use its parent's."""
        return self._owner == os.getpid() and self._popen.poll() is None

    def ask(self, request: Mapping[str, Any], exercise: Exercise, limits: Limits) -> Verdict:
        """Send the request, wait for the verdict and end the process with all that it started."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        secret = secrets.token_hex(16)
        reader = Reader(self._popen.stdout, secret, wants_plan=not request["plan"])
        text = pickle.dumps({**request, "secret": secret})
        replies: queue.SimpleQueue[_Reply] = queue.SimpleQueue()
        printed = _Printed()
        threads = [
            threading.Thread(target=_send, args=(text, self._popen.stdin), daemon=True),
            threading.Thread(
                target=_receive, args=(self._popen.stdout, reader, replies), daemon=True
            ),
            threading.Thread(target=printed.listen, args=(self._popen.stderr,), daemon=True),
        ]
        begin = time.time()
        try:
            for thread in threads:
                thread.start()
            verdict = _Conversation(self, replies, exercise, limits).verdict()
        finally:
            self._end(begin)
            for thread in threads:
                # Not for ever: a process that the answer started and that escaped may still hold
                # the pipes.
                if thread.is_alive():
                    thread.join(timeout=1)
            with contextlib.suppress(OSError):
                self._popen.stdin.close()  # not before: its end tells the process to end
        if verdict.reason == "startup" and printed.last_words():
            why = f"{verdict.message}: {printed.last_words()}"
            return dataclasses.replace(verdict, message=why)
        return dataclasses.replace(verdict, printed=printed.first_lines())

    def stop(self) -> None:
        """Stop a process that was not asked anything."""
        if self._owner == os.getpid():
            self._end(time.time())
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def ended(self, *, is_ended: bool) -> int | None:
        """Return the exit code, ``None`` if the process runs on.

        Parameters
        ----------
        is_ended : bool
            Whether it is about to end, so that waiting a moment is worth while.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._popen.wait(timeout=_GRACE if is_ended else 0)
        return None

    def _end(self, since: float) -> None:
        _reaper.end(self._popen.pid, self._mark, since)
        self._popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=10)
        _reaper.remove_folder(self._folder)


class _Conversation:
    """Waits for the verdict of a process, and decides when to wait no longer."""

    def __init__(
        self,
        process: WorkerProcess,
        replies: "queue.SimpleQueue[_Reply]",
        exercise: Exercise,
        limits: Limits,
    ) -> None:
        self._process = process
        self._replies = replies
        self._exercise = exercise
        self._limits = limits
        self._started: Message | None = None
        self._has_ended = False
        self._imports = 0.0
        self._held_up_before = 0.0
        self._most_memory = 0
        self._n_killed_before = _n_killed_for_memory()
        self._begin = time.monotonic()  # of the part that is under way
        self._next_measurement = 0.0

    def verdict(self) -> Verdict:
        while True:
            try:
                message = self._replies.get(timeout=_POLL)
            except queue.Empty:
                verdict = self._look()
                if verdict is not None:
                    return verdict
                continue
            if isinstance(message, DisturbedError):
                return _DISTURBED
            if message is None:
                return self._verdict_at_end()
            if message.verdict is not None:
                return message.verdict
            self._note(message)

    def _note(self, message: Message) -> None:
        if message.kind == "plan":
            self._process.plan = message.data
            self._process.modules = message.modules
        elif message.kind == "started":
            self._started = message
            self._held_up_before = _held_up_time(message.process)
            self._begin = time.monotonic()
        elif message.kind == "imports":
            self._imports = min(message.number, _MOST_FOR_IMPORTS)
        else:
            self._has_ended = True
            self._begin = time.monotonic()

    def _look(self) -> Verdict | None:
        """Look from outside whether the process has ended, or uses too much."""
        now = time.monotonic()
        waited = now - self._begin
        if self._process.ended(is_ended=False) is not None:
            return self._last_verdict()
        if self._started is None or self._has_ended:
            return _TOO_SLOW if waited > self._limits.startup else None
        if now < self._next_measurement:
            return None
        self._next_measurement = now + _MEASURE
        seconds, memory = _usage(self._started.process)
        self._most_memory = max(self._most_memory, memory)
        if memory > self._limits.memory + _BASELINE:
            return _TOO_MUCH_MEMORY
        used = seconds - self._started.number
        if used - self._imports > self._exercise.time_limit + _GRACE:
            return timeout_verdict(self._exercise, "")
        held_up = _held_up_time(self._started.process) - self._held_up_before
        if waited - used - held_up > waiting_limit(self._exercise.time_limit):
            return _waited_verdict(waited, used)
        return None

    def _last_verdict(self) -> Verdict | None:
        """Return the verdict of a process that has ended: perhaps it has said it before."""
        try:
            message = self._replies.get(timeout=_GRACE)
        except queue.Empty:  # a process that it started keeps the pipe open
            return self._verdict_at_end()
        if isinstance(message, Message) and message.verdict is None:
            self._note(message)
            return None
        if isinstance(message, DisturbedError):
            return _DISTURBED
        return self._verdict_at_end() if message is None else message.verdict

    def _verdict_at_end(self) -> Verdict:
        """Say why the process has ended without a verdict."""
        code = self._process.ended(is_ended=True)
        if code is None:  # it lives, but has closed its output
            return _DISTURBED
        if self._started is None:
            return Verdict("not checked", "startup", "the process that checks answers has failed")
        if code < 0 and -code == getattr(signal, "SIGKILL", None):
            return _TOO_MUCH_MEMORY if self._was_memory_scarce() else _KILLED
        if code < 0:
            name = (signal.strsignal(-code) or f"signal {-code}").lower()
            return Verdict("not yet", "ended", f"your function crashes Python itself ({name})")
        if code >= 0xC0000000:  # how Windows reports crashes
            message = f"your function crashes Python itself (error {code:#x})"
            return Verdict("not yet", "ended", message)
        message = f"your function ends Python itself (exit code {code}): return the result instead"
        return Verdict("not yet", "ended", message)

    def _was_memory_scarce(self) -> bool:
        """Return whether the system has reason to kill a process for its memory."""
        import psutil

        return (
            _n_killed_for_memory() > self._n_killed_before
            or self._most_memory > self._limits.memory / 4
            or psutil.virtual_memory().available < self._limits.memory
        )


_MOST_FOR_IMPORTS = 60.0  # seconds, whatever the process says
_TOO_SLOW = Verdict("not checked", "startup", "the process that checks answers does not start")
_DISTURBED = Verdict("not checked", "reply", "the answer has disturbed its own check")
_TOO_MUCH_MEMORY = Verdict(
    "not yet", "memory", "your function asks for more memory than a check allows"
)
_KILLED = Verdict(
    "not yet",
    "ended",
    "the process of your function was killed (SIGKILL): does your code end processes? "
    "If not, the computer was perhaps short of memory",
)


def _waited_verdict(waited: float, used: float) -> Verdict:
    message = (
        f"your answer waited: in {waited:.0f} seconds it computed for {max(used, 0.0):.1f} only. "
        "Does it sleep, or wait for a file, a lock or the network? If not, the computer is very "
        "busy: check again later"
    )
    return Verdict("not yet", "time", message)


def _usage(pid: int) -> tuple[float, int]:
    """Return seconds on the processor and bytes in use, of a process and what it has started."""
    import psutil  # here, because a notebook that checks nothing needs it never

    seconds, memory = 0.0, 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system + times.children_user + times.children_system
                memory += process.memory_info().rss
    return seconds, int(memory)


def _held_up_time(pid: int) -> float:
    """Return the seconds that a process could have run but others did; 0 where nobody counts them.

    Linux counts them for the main thread, since the process has begun.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _n_killed_for_memory() -> int:
    """Return how many processes Linux has killed in this container for want of memory."""
    try:
        lines = Path("/sys/fs/cgroup/memory.events").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, ValueError, IndexError):  # no such account is kept here
        return 0


def _new_folder() -> str:
    """Return a new folder for the process's temporary files; empty if none can be made."""
    try:
        return tempfile.mkdtemp(prefix="lessons-check-")
    except OSError:
        return ""


def _environment(mark: str, folder: str) -> dict[str, str]:
    """Return the environment of the process: the same imports, one thread, no window."""
    environment = dict(os.environ)
    for name in ("PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONBREAKPOINT"):
        environment.pop(name, None)  # they would talk, or wait for a terminal
    environment |= {
        _reaper.MARK: mark,
        # Resource trackers clean up after a process that was killed, and would complain about it.
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
        "PYTHONPATH": os.pathsep.join(search_path()),
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "MPLBACKEND": "agg",
    }
    if folder:  # joblib would take /dev/shm, and Matplotlib the home folder or this one
        names = ("TMPDIR", "TEMP", "TMP", "JOBLIB_TEMP_FOLDER")
        environment |= dict.fromkeys(names, folder)
    # Cases are small: more threads would only slow the start and vary the last digits.
    for library in ("OMP", "OPENBLAS", "MKL", "VECLIB"):
        environment.setdefault(f"{library}_NUM_THREADS", "1")
    return environment


def search_path(packages: Iterable[str] = ()) -> list[str]:
    """Return the folders that Python imports from, in a form that another process understands.

    Python itself passes over entries that are no text. At the end stand the folders of this package
    and of ``packages``, which may have been imported from a folder that is no longer listed.
    """
    directory = current_folder()
    entries = [entry or directory for entry in sys.path if isinstance(entry, str)]
    for name in ("lessons_lib", *packages):
        module = sys.modules.get(name.partition(".")[0])
        entries += [
            str(Path(folder).resolve().parent) for folder in getattr(module, "__path__", ())
        ]
    return [entry for entry in dict.fromkeys(entries) if _is_usable(entry)]


def _is_usable(entry: str) -> bool:
    try:
        return b"\0" not in os.fsencode(entry)
    except UnicodeEncodeError:
        return False


def current_folder() -> str:
    """Return the current folder, or the topmost one where it has been deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return os.sep


def _send(request: bytes, requests: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # the process has ended before it has read everything
        requests.write(request)
        requests.flush()


def _receive(output: IO[bytes], reader: Reader, replies: "queue.SimpleQueue[_Reply]") -> None:
    """Pass each message on; ``None`` at the end. After a disturbance nothing more is read."""
    with output:
        try:
            while (message := reader.read()) is not None:
                replies.put(message)
        except DisturbedError as error:
            replies.put(error)
        finally:
            replies.put(None)


class _Printed:
    """The beginning and the end of what is printed; the rest passes, so that nothing blocks."""

    def __init__(self) -> None:
        self._beginning = bytearray()
        self._end = b""

    def listen(self, output: IO[bytes]) -> None:
        with output:
            while block := output.read1():  # type: ignore[attr-defined]
                self._beginning += block[: max(0, _PRINTED_BYTES - len(self._beginning))]
                self._end = (self._end + block)[-_PRINTED_BYTES:]

    def first_lines(self) -> str:
        lines = self._beginning.decode("utf-8", "replace").splitlines()
        shown = [line if len(line) <= 100 else line[:99] + "…" for line in lines[:_PRINTED_LINES]]
        return "\n".join([*shown, "…"] if len(lines) > _PRINTED_LINES else shown)

    def last_words(self) -> str:
        """Return the line that says why the process has failed."""
        text = self._end.decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)]
        line = (errors or lines or [""])[-1]
        return line if len(line) <= 300 else line[:299] + "…"
