"""Work in the notebooks: copy them into a folder of yours, and start JupyterLab there.

A file that you changed is never overwritten: a newer one is put beside it, and you are told.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lessons_lib.command._files import CommandError, notebook_folder

__all__ = ["add_arguments", "copy_notebooks", "run"]

RECORD = ".overfit.json"  # what was copied: the digest of each file as it came


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the subcommand takes."""
    parser.add_argument(
        "folder", nargs="?", default="overfit", type=Path, help="where to work (./overfit)"
    )
    parser.add_argument("--copy-only", action="store_true", help="do not start JupyterLab")


def run(arguments: argparse.Namespace) -> int:
    """Copy the notebooks, and start JupyterLab unless asked not to."""
    for line in copy_notebooks(notebook_folder(), arguments.folder):
        print(line)
    if arguments.copy_only:
        return 0
    if importlib.util.find_spec("jupyterlab") is None:
        raise CommandError('JupyterLab is missing: pip install "lessons-lib[lessons]"')
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={arguments.folder}"]
    return subprocess.run([*command, "--LabApp.default_url=/lab/tree/index.ipynb"]).returncode


def copy_notebooks(source: Path, target: Path) -> Iterator[str]:
    """Copy the book's sources, and yield a line for all that a person should know.

    Parameters
    ----------
    source : Path
        The folder of the notebooks.
    target : Path
        The person's folder; made if it does not exist.

    Yields
    ------
    str
        What was copied, kept or put beside.

    Raises
    ------
    CommandError
        If the folder cannot be written, or is a file.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"folder {str(target)!r} cannot be made ({error.strerror})") from None
    came_as = _read_record(target / RECORD)
    n_copied = 0
    for file in sorted(path for path in source.rglob("*") if _belongs(path, source)):
        name = file.relative_to(source).as_posix()
        ours, place = _digest(file), target / name
        theirs = _digest(place) if place.is_file() else None
        if theirs in (None, came_as.get(name)):
            if theirs != ours:
                _copy(file, place)
                n_copied += 1
        elif theirs != ours and came_as.get(name) != ours:
            beside = place.with_name(f"{place.stem}.new{place.suffix}")
            _copy(file, beside)
            yield f"{name}: you changed it, so it is kept; the newer one is {beside.name}"
        came_as[name] = ours
    (target / RECORD).write_text(json.dumps(came_as, indent=1, sort_keys=True), encoding="utf-8")
    yield f"{n_copied} files copied to {target}" if n_copied else f"{target} is up to date"


def _belongs(path: Path, source: Path) -> bool:
    parts = path.relative_to(source).parts
    return path.is_file() and not any(part.startswith((".", "_")) for part in parts)


def _copy(file: Path, place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        shutil.copyfile(file, part)
        part.replace(place)  # never half a notebook
    except OSError as error:
        raise CommandError(f"{str(place)!r} cannot be written ({error.strerror})") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_record(path: Path) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
