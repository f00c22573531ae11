"""The separate process in which one answer is judged: ``python -m lessons_lib.exercises._worker``.

It waits for one request on its standard input, replies on its standard output (see
``lessons_lib.exercises._replies``) and then waits to be stopped. Whatever the answer prints goes to
standard error instead; the answer finds an empty standard input. When the notebook's kernel dies,
the input ends, and so does this process.
"""

import builtins
import contextlib
import dataclasses
import linecache
import os
import pickle
import queue
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from lessons_lib.exercises import _reaper
from lessons_lib.exercises._calls import line_in_answer
from lessons_lib.exercises._clock import Clock, used_time
from lessons_lib.exercises._diagnosis import timeout_verdict
from lessons_lib.exercises._judge import judge
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._plan import Plan
from lessons_lib.exercises._registry import find
from lessons_lib.exercises._replies import Message, Send, sender
from lessons_lib.exercises._source import code_of
from lessons_lib.exercises._values import type_name

# Of what the lessons import, this takes the most time.
_SLOW_PACKAGES = ("sklearn", "scipy", "lessons_lib")
_MOST_MODULES = 2000


def main() -> None:
    """Serve one request."""
    pipes = _Pipes()
    try:
        folder, modules = pickle.load(pipes.requests)
    except EOFError:
        return
    requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipes, folder, requests), daemon=True).start()
    # Imports take the most time: get them done while the reader is still thinking.
    _import(modules, until=requests)
    request = requests.get()
    if request is None:
        return
    send = sender(pipes.replies, request.pop("secret"))
    try:
        verdict = _serve(request, send, pipes)
    except BaseException:
        pipes.complain(traceback.format_exc())
        os._exit(1)
    send(Message("verdict", verdict=verdict))
    threading.Event().wait()  # until the kernel stops this process and all that it has started


class _Pipes:
    """The pipes to the kernel, taken away from where an answer would look for them."""

    def __init__(self) -> None:
        # dup gives descriptors that child processes do not inherit.
        self.requests: IO[bytes] = os.fdopen(os.dup(0), "rb")
        self.replies: IO[bytes] = os.fdopen(os.dup(1), "wb")
        self._printed = os.dup(2)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.close(nothing)

    def show_printed(self) -> None:
        """From now on, pass on what is printed, also from C code."""
        os.dup2(self._printed, 1)
        os.dup2(self._printed, 2)

    def complain(self, text: str) -> None:
        """Say why this process fails."""
        os.write(self._printed, text.encode(errors="replace"))


def _receive(pipes: _Pipes, folder: str, requests: "queue.SimpleQueue[Any]") -> None:
    """Pass the request on; when the kernel has gone, stop this process and what it has started."""
    try:
        requests.put(pickle.load(pipes.requests))
        pipes.requests.read()
    except (EOFError, pickle.UnpicklingError):
        pass
    except OSError:  # the answer has closed what it did not open
        return
    except BaseException:
        pipes.complain(traceback.format_exc())
        os._exit(1)
    with contextlib.suppress(BaseException):
        _reaper.end_descendants(os.environ.get(_reaper.MARK, ""))
    _reaper.remove_folder(folder)
    os._exit(0)


def _import(modules: Iterable[str], until: "queue.SimpleQueue[Any]") -> None:
    for module in modules:
        if not until.empty():
            return
        with contextlib.suppress(Exception):  # whoever needs it imports it again and says why
            import_module(module)


def _serve(request: dict[str, Any], send: Send, pipes: _Pipes) -> Verdict:
    try:
        # In place: other modules hold this very list.
        sys.path[:] = request["path"]
        os.chdir(request["directory"])
        exercise = find(request["exercise"], request["package"])
    except BaseException as error:
        return _not_checked(f"the exercise cannot be loaded ({_in_words(error)})")
    try:
        plan = _plan(exercise, request, send)
    except BaseException as error:
        return _not_checked(f"the exercise itself fails ({_in_words(error)})")
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
    run = _Run(exercise, answer, send, pipes, request["memory_limit"])
    try:
        return judge(exercise, answer, plan=plan, on_start=run.start, on_end=run.end)
    except BaseException as error:
        if run.has_started:
            message = f"your answer has disturbed its own check ({_in_words(error)})"
            return Verdict("not checked", "reply", message)
        return _not_checked(f"the exercise itself fails ({_in_words(error)})")


def _plan(exercise: Exercise, request: dict[str, Any], send: Send) -> Plan:
    """Return what the reference does: as an earlier check found, or computed."""
    if request["plan"]:
        with contextlib.suppress(Exception):  # what it refers to has changed meanwhile
            return pickle.loads(request["plan"])  # type: ignore[no-any-return]
        return Plan.of(exercise)
    plan = Plan.of(exercise)
    send(Message("plan", data=_pickled(plan), modules=_slow_modules()))
    return plan


def _pickled(plan: object) -> bytes:
    import cloudpickle

    try:
        data: bytes = cloudpickle.dumps(plan)
    except Exception:  # it holds what exists only here: every check computes it again
        return b""
    return data if len(data) < 2**23 else b""


def _slow_modules() -> tuple[str, ...]:
    names = [name for name in sys.modules if name.partition(".")[0] in _SLOW_PACKAGES]
    return tuple(names[:_MOST_MODULES])


def _not_checked(why: str) -> Verdict:
    return Verdict("not checked", message=f"{why}; this is no fault of your answer")


def _in_words(error: BaseException) -> str:
    try:
        return " ".join(f"{type_name(error)}: {error}".split())[:300]
    except BaseException:  # an exception class may define anything
        return type_name(error)


@dataclasses.dataclass
class _Run:
    """What is to do right before and right after the answer's code runs."""

    exercise: Exercise
    answer: Any
    send: Send
    pipes: _Pipes
    memory_limit: int
    clock: Clock | None = None

    @property
    def has_started(self) -> bool:
        return self.clock is not None

    def start(self) -> None:
        warnings.formatwarning = _short_warning
        # Notebooks know `display` everywhere; here, printing is all that it can do.
        builtins.display = print  # type: ignore[attr-defined]
        sys.breakpointhook = _no_debugger
        self.clock = Clock(
            self.exercise.time_limit,
            self._report_timeout,
            lambda seconds: self.send(Message("imports", number=seconds)),
        )
        self.send(Message("started", number=used_time(), process=os.getpid()))
        self.clock.start()
        _limit_memory(self.memory_limit)  # not before: the clock's thread needs a stack
        self.pipes.show_printed()

    def end(self) -> None:
        if self.clock is not None:
            self.clock.stop()
            self.send(Message("ended"))

    def _report_timeout(self) -> None:
        """Say in which line the answer is; the kernel then stops this process.

        Code that never gives up the interpreter lock keeps this from running: the kernel therefore
        waits a little longer than the limit, but not for ever.
        """
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        stack = list(traceback.walk_stack(frame))[::-1]
        place = line_in_answer(stack, code_of(self.answer))
        self.send(Message("verdict", verdict=timeout_verdict(self.exercise, place)))


def _no_debugger(*args: object, **keywords: object) -> NoReturn:
    raise RuntimeError("a check has no keyboard for a debugger: take `breakpoint()` out")


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
