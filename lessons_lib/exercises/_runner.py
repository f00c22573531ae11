"""Judge answers, each in a process of its own that was started in advance.

Nothing that an answer does outlives its check, because its process is used only once. Starting
Python and NumPy takes a few tenths of a second: the process for the next answer is therefore
started early and waits, idle, until it is needed; it ends by itself when this process ends.
"""

import atexit
import contextlib
import pickle
import sys

from lessons_lib.exercises._judge import look_at
from lessons_lib.exercises._model import Exercise, Verdict
from lessons_lib.exercises._packing import CannotHandOverError, cell_of, pack
from lessons_lib.exercises._process import WorkerProcess, current_folder
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
        self._memory_limit = memory_limit
        self._startup_limit = startup_limit
        self._keep_idle = keep_idle
        self._idle: WorkerProcess | None = None

    def judge(self, exercise: Exercise, answer: object) -> Verdict:
        """Return the verdict on ``answer``; whatever the answer does, this process goes on."""
        verdict = look_at(exercise, answer)
        if verdict is not None:
            self.warm_up(exercise)
            return verdict
        try:
            request = self._request(exercise, answer)
        except CannotHandOverError as error:
            return Verdict("not yet", "pickle", str(error))
        try:
            process = self._take_idle(exercise)
            verdict = process.ask(request, exercise, self._startup_limit, self._memory_limit)
        except (OSError, RuntimeError) as error:  # no memory, no further process or thread
            return Verdict("not checked", message=f"no process can be started ({error})")
        self.warm_up(exercise)
        return verdict

    def warm_up(self, exercise: Exercise) -> None:
        """Start the process for the next answer, most likely of the same lesson."""
        if not self._keep_idle or (self._idle is not None and self._idle.is_usable()):
            return
        self.close()
        with contextlib.suppress(OSError):  # the next check will try again and say why
            self._idle = WorkerProcess(f"{self.package}.{exercise.lesson}")
            atexit.register(self.close)

    def close(self) -> None:
        """Stop the idle process."""
        atexit.unregister(self.close)
        if self._idle is not None:
            self._idle.stop()
            self._idle = None

    def _take_idle(self, exercise: Exercise) -> "WorkerProcess":
        self.warm_up(exercise)
        process, self._idle = self._idle, None
        return process or WorkerProcess(f"{self.package}.{exercise.lesson}")

    def _request(self, exercise: Exercise, answer: object) -> bytes:
        directory = current_folder()
        return pickle.dumps(
            {
                "exercise": exercise.name,
                "package": self.package,
                "path": [entry or directory for entry in sys.path],
                "directory": directory,
                "answer": pack(plain(answer) if exercise.asks_for_value else answer),
                "cell": cell_of(answer),
                "memory_limit": self._memory_limit,
            }
        )
