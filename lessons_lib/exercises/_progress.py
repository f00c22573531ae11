"""Remember what a reader has tried and solved, in one small JSON file.

The file must never be the reason why work is lost or a notebook stops: it is written to a temporary
file first and then renamed, a damaged file is put aside rather than deleted, and where nothing can
be written the session goes on in memory. Several notebooks may be open at once: each change
re-reads the file under a lock.
"""

import contextlib
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

VARIABLE = "LESSONS_LIB_PROGRESS"
_SCHEMA = 1
_LOCK_WAIT = 5.0  # seconds


@dataclasses.dataclass(frozen=True)
class Record:
    """What is known about one exercise.

    Parameters
    ----------
    attempts : int
        How many different answers were checked.
    hints : int
        How many hints were given.
    passed : str or None
        The day of the first right answer, as ``YYYY-MM-DD``.
    last_attempt : str or None
        The source of the last answer.
    """

    attempts: int = 0
    hints: int = 0
    passed: str | None = None
    last_attempt: str | None = None

    @classmethod
    def from_json(cls, entry: Any) -> "Record":
        """Read one entry of the file; raise ``ValueError`` if it is ill-formed."""
        if not isinstance(entry, dict):
            raise ValueError("an entry must be an object")
        record = cls(**{f.name: entry.get(f.name, f.default) for f in dataclasses.fields(cls)})
        for number in (record.attempts, record.hints):
            if type(number) is not int or number < 0:
                raise ValueError("attempts and hints must be counts")
        for text in (record.passed, record.last_attempt):
            if not isinstance(text, str | None):
                raise ValueError("passed and last_attempt must be texts")
        return record


class ProgressStore:
    """The records of all exercises, in a file or only in memory.

    Parameters
    ----------
    path : Path or None
        The file; ``None`` keeps everything in memory.
    report : callable
        Gets one sentence about each problem with the file.
    """

    def __init__(self, path: Path | None, report: Callable[[str], object]) -> None:
        self._path = path
        self._report = report
        self._memory: dict[str, Record] = {}

    def read(self) -> dict[str, Record]:
        """Return the records by exercise name."""
        if self._path is not None and self._exists(self._path):
            return self._access(lambda records: records, write=False)
        return dict(self._memory)

    def update(self, name: str, change: Callable[[Record], Record]) -> Record:
        """Replace the record of exercise ``name`` by ``change(record)`` and return the new one."""

        def apply(records: dict[str, Record]) -> dict[str, Record]:
            return {**records, name: change(records.get(name, Record()))}

        return self._access(apply, write=True)[name]

    def _access(
        self, change: Callable[[dict[str, Record]], dict[str, Record]], *, write: bool
    ) -> dict[str, Record]:
        if self._path is not None:
            try:
                path = self._path.resolve()  # a link stays a link
                path.parent.mkdir(parents=True, exist_ok=True)
                with _locked(path):
                    self._memory = self._load(path)
                    if self._path is not None:
                        changed = change(self._memory)
                        if write:
                            _save(path, changed)
                        self._memory = changed
                        return dict(changed)
            except (OSError, RuntimeError) as error:  # resolve raises RuntimeError on link loops
                why = getattr(error, "strerror", None) or str(error)
                self._go_on_in_memory(f"the progress file {self._path} cannot be used ({why})")
        self._memory = change(self._memory)
        return dict(self._memory)

    def _exists(self, path: Path) -> bool:
        try:
            return path.exists()
        except OSError:
            return True  # the attempt to read it finds out what is wrong

    def _load(self, path: Path) -> dict[str, Record]:
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            content = json.loads(text)
            if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
                self._go_on_in_memory(f"{path} is no progress file of this version; it stays as is")
                return self._memory
            return {name: Record.from_json(e) for name, e in content["exercises"].items()}
        except (ValueError, KeyError, AttributeError, RecursionError):
            aside = _put_aside(path)
            self._report(
                f"the progress file was damaged: it is now {aside}, and progress starts anew"
            )
            return {}

    def _go_on_in_memory(self, why: str) -> None:
        self._path = None
        self._report(f"{why}; progress is kept until the kernel stops")


def open_store(report: Callable[[str], object]) -> ProgressStore:
    """Return the store that the environment asks for.

    ``LESSONS_LIB_PROGRESS`` names the file; set to the empty string, nothing is written.
    Without it the file is ``.regularization-book/progress.json`` in the reader's home folder.
    """
    setting = os.environ.get(VARIABLE)
    if setting == "":
        return ProgressStore(None, report)
    try:
        if setting is not None:
            return ProgressStore(Path(setting).expanduser(), report)
        return ProgressStore(Path.home() / ".regularization-book" / "progress.json", report)
    except RuntimeError:
        report("there is no home folder; progress is kept until the kernel stops")
        return ProgressStore(None, report)


def _save(path: Path, records: dict[str, Record]) -> None:
    """Write all records; at every moment the file holds either the old or the new ones."""
    content = {
        "schema": _SCHEMA,
        "exercises": {name: dataclasses.asdict(records[name]) for name in sorted(records)},
    }
    descriptor, name = tempfile.mkstemp(".tmp", path.name + ".", path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _replace(temporary: Path, path: Path) -> None:
    # Windows refuses to replace a file while another program, a virus scanner say, reads it.
    for _ in range(10):
        with contextlib.suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(0.02)
    temporary.replace(path)


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def _lock_file(path: Path) -> IO[bytes]:
    return path.with_name(path.name + ".lock").open("a+b")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other kernels from changing the file meanwhile.

    The operating system's lock ends with the process that holds it, so that no kernel that dies can
    leave it behind. Where there are no locks (some network drives), or one is held for very long,
    it is better to lose a count than to stop a notebook: the change is then made without.
    """
    try:
        file = _lock_file(path)
    except OSError:  # a folder that cannot be written can perhaps be read
        yield
        return
    with file:
        deadline = time.monotonic() + _LOCK_WAIT
        while not _try_lock(file) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield  # closing the file gives the lock back


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import errno
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)  # others: no locks here
        return True
