"""Check the installation: say what is missing, and how to mend it.

Ends with exit code 1 if something needs mending.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from lessons_lib.command._files import CommandError, html_folder, notebook_folder

__all__ = ["add_arguments", "findings", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the subcommand takes: nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line a finding."""
    print(f"Python {platform.python_version()} on {platform.system()}, {sys.executable}")
    well = True
    for good, text in findings():
        print(("ok    " if good else "mend  ") + text)
        well = well and good
    print("All is well." if well else 'Lines that begin with "mend" say what to do.')
    return 0 if well else 1


def findings() -> Iterator[tuple[bool, str]]:
    """Yield whether each thing is as it should be, and a line about it.

    Yields
    ------
    tuple of bool and str
        Good or not, and what it is or what to do.
    """
    for text in requires("lessons-lib") or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": "lessons"}):
            yield _installed(requirement)
    for what, folder in (("notebooks", notebook_folder), ("built book", html_folder)):
        try:
            yield True, f"{what} in {folder()}"
        except CommandError as error:
            yield False, str(error)
    yield _record()


def _installed(requirement: Requirement) -> tuple[bool, str]:
    """Tell whether a package is there, in a version that fits."""
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        wanted = f"{requirement.name}{requirement.specifier}"
        return False, f'{requirement.name} is missing: pip install "{wanted}"'
    if requirement.specifier.contains(found, prereleases=True):
        return True, f"{requirement.name} {found}"
    return False, (
        f"{requirement.name} {found} must be {requirement.specifier}: "
        f"pip install --upgrade {requirement.name}"
    )


def _record() -> tuple[bool, str]:
    """Tell whether the record of exercises can be written."""
    setting = os.environ.get("LESSONS_LIB_PROGRESS")
    if setting == "":
        return True, "the record of exercises is switched off (LESSONS_LIB_PROGRESS is empty)"
    try:
        path = Path(setting) if setting else Path.home() / ".regularization-book" / "progress.json"
    except RuntimeError:
        return False, "there is no home folder: set LESSONS_LIB_PROGRESS to a file of yours"
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    if os.access(place, os.W_OK):
        return True, f"the record of exercises is {path}"
    return False, f"{place} cannot be written: set LESSONS_LIB_PROGRESS to a file of yours"
