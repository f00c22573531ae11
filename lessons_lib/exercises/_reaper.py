"""End the process of an answer with all that it has started, and remove what they leave behind.

What belongs to a check is recognized by any of: descent, its session, or the mark in its
environment. A process that has shed all three (a daemon with an emptied environment) is not found:
this is order, not a prison.
"""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARK = "LESSONS_LIB_CHECK"
"""The variable that marks the environment of a check: a name that no other check has."""

_TRACKER_TIME = 1.0  # seconds for a resource tracker to clean up
_SHARED = "/dev/shm/"


def members(pid: int, mark: str, since: float) -> "list[psutil.Process]":
    """Return the running processes of a check, without this one: ``pid`` and what it started."""
    import psutil

    family: dict[int, psutil.Process] = {}
    for other in psutil.pids():
        if other not in family and _belongs(other, pid, mark, since):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(other)
                family |= {p.pid: p for p in (process, *process.children(recursive=True))}
    return [process for process in family.values() if _is_running(process)]


def _is_running(process: "psutil.Process") -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return bool(process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _belongs(other: int, pid: int, mark: str, since: float) -> bool:
    import psutil

    # The environment can be read of one's own processes only.
    with contextlib.suppress(psutil.Error, OSError):
        if hasattr(os, "getsid") and os.getsid(other) == pid:
            return True
        if sys.platform == "linux":
            return f"{MARK}={mark}".encode() in Path(f"/proc/{other}/environ").read_bytes()
        # Elsewhere it takes long to read: first, whether the process is young enough.
        process = psutil.Process(other)
        is_candidate = other == pid or process.create_time() >= since - 1
        return is_candidate and bool(process.environ().get(MARK) == mark)
    return False


def end(pid: int, mark: str, since: float) -> None:
    """Kill process ``pid`` and what it has started, and remove the shared memory that they made.

    Processes that clean up after others (Python's and joblib's resource trackers) come last: they
    do their work as soon as all others have gone.

    Parameters
    ----------
    pid : int
        The process.
    mark : str
        The value of ``MARK`` in its environment.
    since : float
        When the answer's code began, in seconds since 1970: older shared memory is not its own.
    """
    shared: set[str] = set()
    deadline = time.monotonic() + _TRACKER_TIME
    # What cannot be ended, a process that the system itself holds up, is left in the end.
    while (found := members(pid, mark, since)) and time.monotonic() < deadline + 2:
        shared |= _kill(found, spare_trackers=time.monotonic() < deadline)
    _remove_shared(shared - _shared_files(os.getpid()), since)


def end_descendants(mark: str) -> None:
    """Kill what this process has started; resource trackers end by themselves, after it."""
    import psutil

    since = psutil.Process().create_time()
    for _ in range(3):
        _kill(members(os.getpid(), mark, since), spare_trackers=True)


def _kill(processes: "list[psutil.Process]", *, spare_trackers: bool) -> set[str]:
    """Kill processes and return the shared memory that they had mapped."""
    import psutil

    shared: set[str] = set()
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            if not (spare_trackers and _is_tracker(process)):
                shared |= _shared_files(process.pid)
                process.kill()
    time.sleep(0.002)  # they end at once, unless the system is busy: then they are found again
    return shared


def _is_tracker(process: "psutil.Process") -> bool:
    return any("resource_tracker import main" in part for part in process.cmdline())


def _shared_files(pid: int) -> set[str]:
    """Return the named semaphores and shared memory that a process has mapped (on Linux)."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
        return {line[line.index(_SHARED) :] for line in lines if _SHARED in line}
    return set()


def _remove_shared(names: set[str], since: float) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            if Path(name).stat().st_ctime >= since:
                Path(name).unlink()


def remove_folder(folder: str) -> None:
    """Remove a folder with all that is in it, as far as that goes."""
    if not folder:
        return
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            # What is in a read-only folder cannot be removed; a link leads elsewhere.
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
