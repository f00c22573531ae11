"""How long an answer may compute: its own time on the processor, not the wall clock's.

A busy machine, the start of a process and the import of a library are no fault of an answer.
Time on the processor leaves the first two out. The third is left out by looking: while the answer
runs, a thread looks now and then whether Python's import system is on the stack, and gives that
time back. A limit on waiting remains, for an answer that sleeps or waits for what never comes;
where the system counts how long others held a process up, that is no waiting.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

TIME_LIMIT = 10.0  # seconds for all cases of an answer, if its exercise says nothing else
_TICK = 0.05  # seconds between two looks
_MOST_FOR_IMPORTS = 60.0  # seconds given back at most
_REPORTED_STEP = 0.2  # seconds of imports between two reports of them
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


def used_time() -> float:
    """Return the seconds that this process and its ended children were on the processor."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def waiting_limit(time_limit: float) -> float:
    """Return how many seconds an answer that may compute ``time_limit`` seconds may wait."""
    return 3 * time_limit + 10


class Clock(threading.Thread):
    """Watches how long the main thread's answer computes.

    Parameters
    ----------
    limit : float
        Seconds on the processor, without imports.
    on_limit : callable
        Called once, in this thread, when the limit is passed.
    on_imports : callable
        Gets the seconds given back so far, whenever these have grown: whoever measures from outside
        cannot see imports.
    """

    def __init__(
        self,
        limit: float,
        on_limit: Callable[[], object],
        on_imports: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        super().__init__(daemon=True)
        self._limit = limit
        self._on_limit = on_limit
        self._on_imports = on_imports
        self._stopped = threading.Event()
        self._begin = used_time()

    def stop(self) -> None:
        """End the watch; the answer has come to its end."""
        self._stopped.set()

    def run(self) -> None:
        """Look at the main thread until the limit is passed or the watch is stopped."""
        imports = reported = 0.0
        last = self._begin
        main = threading.main_thread().ident or 0
        while not self._stopped.wait(min(_TICK, self._limit / 5)):
            now = used_time()
            if imports < _MOST_FOR_IMPORTS and _is_importing(sys._current_frames().get(main)):
                imports += now - last
            last = now
            if imports > reported + _REPORTED_STEP:
                reported = imports
                self._on_imports(imports)
            if now - self._begin - imports > self._limit and not self._stopped.is_set():
                self._on_limit()
                return


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False
