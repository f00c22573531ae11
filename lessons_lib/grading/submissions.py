"""Find who handed in which notebook, in the layouts that lecturers have on their disks."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["Submission", "find_submissions"]

# Canvas: `name_12345_678_lesson.ipynb`, with `_LATE_` perhaps. Moodle: `Full Name_12345_assign…/`.
CANVAS = re.compile(r"(?P<student>[^_/]+)(?:_LATE)?_\d+_\d+_.+\.ipynb", re.IGNORECASE)
MOODLE = re.compile(r"(?P<student>[^/]+?)_\d+_assignsubmission_.*")
LARGEST = 20 * 2**20  # bytes of a notebook that are read


@dataclass(frozen=True)
class Submission:
    """A notebook, and whose it is.

    Parameters
    ----------
    student : str
        The student's name or id, as the layout tells it.
    notebook : str
        The file's name.
    content : bytes
        What is in it.
    """

    student: str
    notebook: str
    content: bytes


def find_submissions(place: str | Path) -> list[Submission]:
    """Find all notebooks in a folder or a zip file, and whose each is.

    ==========================================  =============================================
    layout                                      student
    ==========================================  =============================================
    ``submitted/anna/l2/02-l2.ipynb``           the folder below the top: nbgrader's tree
    ``anna/02-l2.ipynb``                        the folder
    ``anna.ipynb``                              the file's name
    ``anna_123_456_02-l2.ipynb``                what is before the numbers: Canvas
    ``Anna B_123_assignsubmission_file/x``      what is before the number: Moodle
    ==========================================  =============================================

    Parameters
    ----------
    place : str or Path
        A folder, a zip file, or a single notebook.

    Returns
    -------
    list of Submission
        In the order of students and notebooks. Of a student's copies with one name the last counts.

    Raises
    ------
    ValueError
        If there is no such place, it cannot be read, or it holds no notebook.
    """
    path = Path(place)
    if path.is_dir():
        files = _in_folder(path)
    elif zipfile.is_zipfile(path):
        files = _in_zip(path)
    elif path.is_file() and path.suffix == ".ipynb":
        files = iter([(PurePosixPath(path.name), path.read_bytes())])
    else:
        raise ValueError(f"place must be a folder, a zip file or a notebook, got {str(place)!r}.")
    found = {}
    for name, content in files:
        submission = Submission(_student(name), name.name, content)
        found[submission.student, submission.notebook] = submission
    if not found:
        raise ValueError(f"place must hold a notebook (.ipynb), {str(place)!r} holds none.")
    return [found[key] for key in sorted(found)]


def _in_folder(folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        # A link may lead out of the folder, to what was not handed in.
        if path.is_symlink() or not path.is_file():
            continue
        if path.suffix == ".zip" and zipfile.is_zipfile(path):
            for inner, content in _in_zip(path):
                yield name.with_suffix("") / inner, content
        elif _is_wanted(name) and path.stat().st_size <= LARGEST:
            yield name, path.read_bytes()


def _in_zip(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
            name = PurePosixPath(entry.filename)
            if not entry.is_dir() and _is_wanted(name) and entry.file_size <= LARGEST:
                yield name, archive.read(entry)


def _is_wanted(name: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return name.suffix == ".ipynb" and not hidden


def _student(name: PurePosixPath) -> str:
    parts = [part for part in name.parts if part != "submitted"]
    for part in parts[:-1]:
        match = MOODLE.fullmatch(part)
        if match:
            return match["student"]
    match = CANVAS.fullmatch(parts[-1])
    if match:
        return match["student"]
    return parts[0] if len(parts) > 1 else name.stem
