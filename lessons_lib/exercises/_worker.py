"""The separate process in which one answer is judged: ``python -m lessons_lib.exercises._worker``.

It waits for one request on its standard input, replies on its standard output and then waits to be
stopped. Replies are lines of JSON: ``{"started": pid}`` right before the answer's code runs, then
``{"verdict": {…}}``. Whatever the answer prints goes to standard error instead; the answer finds an
empty standard input. When the notebook's kernel dies, the input ends, and so does this process.
"""

import builtins
import contextlib
import dataclasses
import json
import linecache
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from lessons_lib.exercises._calls import line_in_answer
from lessons_lib.exercises._diagnosis import timeout_verdict
from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._registry import find
from lessons_lib.exercises._source import code_of
from lessons_lib.exercises._values import type_name


def main() -> None:
    """Serve one request."""
    channel = _Channel()
    # Imports take the most time: get them done while the reader is still thinking.
    for module in sys.argv[1:]:
        try:
            import_module(module)
        except Exception:
            break  # the request imports it again and reports why that fails
    request = channel.receive()
    if request is None:
        return
    threading.Thread(target=channel.exit_with_kernel, daemon=True).start()
    channel.send(verdict=dataclasses.asdict(_serve(request, channel)))
    threading.Event().wait()  # until the kernel stops this process and all that it has started


class _Channel:
    """The pipes to the kernel, taken out of the reach of the answer's code."""

    def __init__(self) -> None:
        # dup gives descriptors that child processes do not inherit.
        self._requests = os.fdopen(os.dup(0), "rb")
        self._replies = os.fdopen(os.dup(1), "wb")
        self._printed = os.dup(2)
        self._pid = os.getpid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.close(nothing)

    def receive(self) -> dict[str, Any] | None:
        """Wait for the request; ``None`` when the kernel has gone."""
        try:
            request: dict[str, Any] = pickle.load(self._requests)
        except EOFError:
            return None
        return request

    def send(self, **reply: Any) -> None:
        """Write one line."""
        if os.getpid() != self._pid:
            os._exit(0)  # the answer has called os.fork, and this is the copy
        self._replies.write(json.dumps(reply).encode() + b"\n")
        self._replies.flush()

    def show_printed(self) -> None:
        """From now on, pass on what is printed, also from C code."""
        os.dup2(self._printed, 1)
        os.dup2(self._printed, 2)

    def exit_with_kernel(self) -> None:
        """Wait until the kernel has gone, then stop this process and what it has started."""
        try:
            self._requests.read()
        except OSError:  # the answer has closed what it did not open
            return
        if sys.platform != "win32" and os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(0)


def _serve(request: dict[str, Any], channel: _Channel) -> Verdict:
    try:
        # In place: other modules hold this very list.
        sys.path[:] = request["path"]
        os.chdir(request["directory"])
        exercise = find(request["exercise"], request["package"])
    except BaseException as error:
        return _not_checked(f"the exercise cannot be loaded ({_in_words(error)})")
    try:
        answer = pickle.loads(request["answer"])
    except BaseException as error:
        message = (
            f"your function cannot be handed to the process that checks it ({_in_words(error)})"
        )
        return Verdict("not yet", "pickle", message)
    filename, lines = request["cell"]
    if lines:
        # With the text of the notebook's cell, line numbers can be shown with their line.
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
    try:
        return judge(exercise, answer, on_start=_Start(request, exercise, answer, channel))
    except BaseException as error:
        return _not_checked(f"the exercise itself fails ({_in_words(error)})")


def _not_checked(why: str) -> Verdict:
    return Verdict("not checked", message=f"{why}; this is no fault of your answer")


def _in_words(error: BaseException) -> str:
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    except BaseException:  # an exception class may define anything
        return type_name(error)


@dataclasses.dataclass(frozen=True)
class _Start:
    """What is to do right before the answer's code runs."""

    request: dict[str, Any]
    exercise: Exercise
    answer: Any
    channel: _Channel

    def __call__(self) -> None:
        warnings.formatwarning = _short_warning
        # Notebooks know `display` everywhere; here, printing is all that it can do.
        builtins.display = print  # type: ignore[attr-defined]
        watch = threading.Timer(self.exercise.time_limit, self._report_timeout)
        watch.daemon = True
        watch.start()
        _limit_memory(self.request["memory_limit"])
        self.channel.send(started=os.getpid())
        self.channel.show_printed()

    def _report_timeout(self) -> None:
        """Say in which line the answer is; the kernel then stops this process.

        Code that never gives up the interpreter lock keeps this from running: the kernel therefore
        waits a little longer than the limit, but not for ever.
        """
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        stack = list(traceback.walk_stack(frame))[::-1]
        self.channel.send(
            verdict=dataclasses.asdict(
                timeout_verdict(self.exercise, line_in_answer(stack, code_of(self.answer)))
            )
        )


def _short_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Format a warning without the path of the notebook's temporary file."""
    return f"{category.__name__}: {message} (line {lineno})\n"


def _limit_memory(limit: int) -> None:
    """Let the answer allocate ``limit`` bytes more than are in use; the rest is the kernel's task.

    Only Linux enforces such limits. There, should memory become scarce all the same, the system
    shall end this process rather than the notebook's kernel.
    """
    if sys.platform != "linux":
        return
    import resource

    # Some sandboxes forbid even this; the kernel then still watches the memory from outside.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = pages * resource.getpagesize() + limit
        if hard == resource.RLIM_INFINITY or wanted < hard:
            resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
