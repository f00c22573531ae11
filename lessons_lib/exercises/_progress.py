"""Remember what a reader has tried and solved, in one small JSON file.

The file must never be the reason why work is lost or a notebook stops: it is written to a temporary
file first and then renamed, a damaged file is put aside rather than deleted, and where nothing can
be written the session goes on in memory. Several notebooks may be open at once: each change
re-reads the file under a lock. What the file holds beyond what this version knows is kept.
"""

import contextlib
import dataclasses
import errno
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
_TEMPORARY = ".tmp"


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
    def from_json(cls, entry: Any) -> tuple["Record", list[str]]:
        """Read one entry of the file; what is ill-typed counts as missing, and is named."""
        if not isinstance(entry, dict):
            return cls(), ["the whole entry"]
        given = {f.name: entry[f.name] for f in dataclasses.fields(cls) if f.name in entry}
        right = {name: value for name, value in given.items() if _is_of_type(name, value)}
        return cls(**right), [name for name in given if name not in right]


def _is_of_type(field: str, value: object) -> bool:
    if field in ("attempts", "hints"):
        return type(value) is int and value >= 0
    return isinstance(value, str | None)


@dataclasses.dataclass
class _Content:
    """The file as it is, and the records that can be read in it."""

    json: dict[str, Any]
    records: dict[str, Record]


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
        self._has_told_of_entries = False

    def read(self) -> dict[str, Record]:
        """Return the records by exercise name."""
        if self._path is not None and self._exists(self._path):
            return self._access(None)
        return dict(self._memory)

    def update(self, name: str, change: Callable[[Record], Record]) -> Record:
        """Replace the record of exercise ``name`` by ``change(record)`` and return the new one."""

        def apply(records: dict[str, Record]) -> Record:
            return change(records.get(name, Record()))

        return self._access((name, apply))[name]

    def _access(
        self, change: tuple[str, Callable[[dict[str, Record]], Record]] | None
    ) -> dict[str, Record]:
        """Return all records, after a change of one of them if there is one."""
        if self._path is not None:
            try:
                path = self._path.resolve()  # a link stays a link
                path.parent.mkdir(parents=True, exist_ok=True)
                with _locked(path) as is_alone:
                    content = self._load(path)
                    self._memory = content.records
                    if self._path is not None and change is not None:
                        self._write(path, content, *change, is_alone=is_alone)
                    if self._path is not None:
                        return dict(self._memory)
            except (OSError, RuntimeError) as error:  # resolve raises RuntimeError on link loops
                why = getattr(error, "strerror", None) or str(error)
                self._go_on_in_memory(f"the progress file {self._path} cannot be used ({why})")
        if change is not None:
            self._memory = {**self._memory, change[0]: change[1](self._memory)}
        return dict(self._memory)

    def _write(
        self,
        path: Path,
        content: _Content,
        name: str,
        apply: Callable[[dict[str, Record]], Record],
        *,
        is_alone: bool,
    ) -> None:
        if _is_read_only(path):
            self._go_on_in_memory(f"the progress file {path} is read-only and stays as it is")
            return
        record = apply(content.records)
        exercises = content.json.setdefault("exercises", {})
        entry = exercises.get(name)
        exercises[name] = (entry if isinstance(entry, dict) else {}) | dataclasses.asdict(record)
        _save(path, content.json, is_alone=is_alone)
        self._memory = {**content.records, name: record}

    def _exists(self, path: Path) -> bool:
        try:
            return path.exists()
        except OSError:
            return True  # the attempt to read it finds out what is wrong

    def _load(self, path: Path) -> _Content:
        empty: dict[str, Any] = {"schema": _SCHEMA, "exercises": {}}
        if path.exists() and not path.is_file():
            # Reading a device or a pipe could take for ever.
            raise OSError(errno.EINVAL, "it is no regular file")
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return _Content(empty, {})
        try:
            content = json.loads(text)
            if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
                self._go_on_in_memory(f"{path} is no progress file of this version; it stays as is")
                return _Content(empty, self._memory)
            read = {name: Record.from_json(e) for name, e in content["exercises"].items()}
        except (ValueError, KeyError, AttributeError, RecursionError):
            return self._start_anew(path, empty)
        self._tell_of_entries({name: faults for name, (_, faults) in read.items() if faults})
        return _Content(content, {name: record for name, (record, _) in read.items()})

    def _start_anew(self, path: Path, empty: dict[str, Any]) -> _Content:
        if _is_read_only(path):
            self._go_on_in_memory(f"the progress file {path} is damaged, and read-only")
            return _Content(empty, self._memory)
        aside = _put_aside(path)
        self._report(f"the progress file was damaged: it is now {aside}, and progress starts anew")
        return _Content(empty, {})

    def _tell_of_entries(self, faults: dict[str, list[str]]) -> None:
        if faults and not self._has_told_of_entries:
            self._has_told_of_entries = True
            what = "; ".join(f"{', '.join(fields)} of {name}" for name, fields in faults.items())
            self._report(f"the progress file {self._path} has entries that cannot be read: {what}")

    def _go_on_in_memory(self, why: str) -> None:
        self._path = None
        self._report(f"{why}; progress is kept until the kernel stops")


def open_store(report: Callable[[str], object]) -> ProgressStore:
    """Return the store that the environment asks for.

    ``LESSONS_LIB_PROGRESS`` names the file, from now on: a relative path does not follow later
    changes of the current folder. Set to nothing, or to the null device, nothing is written.
    Without it the file is ``.regularization-book/progress.json`` in the reader's home folder.
    """
    setting = os.environ.get(VARIABLE)
    if setting is not None and (not setting.strip() or _is_null(setting)):
        return ProgressStore(None, report)
    try:
        if setting is not None:
            return ProgressStore(Path(setting).expanduser().absolute(), report)
        return ProgressStore(Path.home() / ".regularization-book" / "progress.json", report)
    except RuntimeError:
        report("there is no home folder; progress is kept until the kernel stops")
        return ProgressStore(None, report)
    except OSError:  # the current folder has been deleted
        report("there is no current folder; progress is kept until the kernel stops")
        return ProgressStore(None, report)


def _is_null(setting: str) -> bool:
    if setting.strip().lower() in (os.devnull, "nul"):
        return True
    try:
        return os.path.samefile(setting, os.devnull)  # noqa: PTH121 - as text it may be no path
    except (OSError, ValueError):
        return False


def _is_read_only(path: Path) -> bool:
    """Return whether the file says that it must not be written, also to one who could (root)."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not mode & 0o222 or not os.access(path, os.W_OK)


def _save(path: Path, content: dict[str, Any], *, is_alone: bool) -> None:
    """Write everything; at every moment the file holds either the old or the new content."""
    if is_alone:
        _remove_temporary(path)
    content["exercises"] = {
        name: content["exercises"][name] for name in sorted(content["exercises"])
    }
    descriptor, name = tempfile.mkstemp(_TEMPORARY, path.name + ".", path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            temporary.chmod(path.stat().st_mode & 0o777)
        _replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _remove_temporary(path: Path) -> None:
    """Remove what kernels that were killed while writing have left."""
    prefix = path.name + "."
    for other in path.parent.iterdir():
        if other.name.startswith(prefix) and other.name.endswith(_TEMPORARY):
            with contextlib.suppress(OSError):
                other.unlink()


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
def _locked(path: Path) -> Iterator[bool]:
    """Keep other kernels from changing the file meanwhile, and say whether that has worked.

    The operating system's lock ends with the process that holds it, so that no kernel that dies can
    leave it behind. Where there are no locks (some network drives), or one is held for very long,
    it is better to lose a count than to stop a notebook: the change is then made without.
    """
    try:
        file = _lock_file(path)
    except OSError:  # a folder that cannot be written can perhaps be read
        yield False
        return
    with file:
        deadline = time.monotonic() + _LOCK_WAIT
        while (is_locked := _try_lock(file)) is False and time.monotonic() < deadline:
            time.sleep(0.01)
        yield is_locked is True  # closing the file gives the lock back


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool | None:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool | None:
        """Return whether the lock is held now, ``None`` where there are no locks."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return False if error.errno in (errno.EAGAIN, errno.EACCES) else None
        return True
