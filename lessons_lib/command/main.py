"""The command ``overfit``: parse what was typed, and hand it to a subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from lessons_lib.command import doctor, grade, lab, read
from lessons_lib.command._files import CommandError

__all__ = ["main"]

SUBCOMMANDS = {"read": read, "lab": lab, "doctor": doctor, "grade": grade}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``overfit``; that of the shell by default.

    Returns
    -------
    int
        The exit code.
    """
    given = _parser().parse_args(arguments)
    try:
        return int(SUBCOMMANDS[given.subcommand].run(given))
    except CommandError as error:
        print(f"overfit {given.subcommand}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells have it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="overfit",
        description="Why Models Overfit: read the book, run its notebooks, check the installation.",
    )
    parser.add_argument("--version", action="version", version=f"overfit {version('lessons-lib')}")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    for name, module in SUBCOMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0].partition(": ")[2]
        child = subparsers.add_parser(name, help=summary.rstrip("."), description=module.__doc__)
        module.add_arguments(child)
    return parser
