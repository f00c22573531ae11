"""Where the book's files are: in an installed package, or in a checkout of the repository."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CommandError", "html_folder", "notebook_folder"]

PACKAGE = Path(__file__).resolve().parents[1]
# A wheel carries both beside the code; a checkout has them where they are made.
SHIPPED = PACKAGE / "shipped"


class CommandError(Exception):
    """What a person can mend; the message says how."""


def html_folder() -> Path:
    """Return the folder of the built book.

    Raises
    ------
    CommandError
        If it was not built.
    """
    for folder in (SHIPPED / "html", PACKAGE.parent / "_build" / "html"):
        if (folder / "index.html").is_file():
            return folder
    raise CommandError(
        "the built book is not here: in a checkout of the repository, run `make book`"
    )


def notebook_folder() -> Path:
    """Return the folder of the notebooks and pages.

    Raises
    ------
    CommandError
        If there is none.
    """
    for folder in (SHIPPED / "book", PACKAGE.parent / "book"):
        if (folder / "index.ipynb").is_file():
            return folder
    raise CommandError("the notebooks are not here: install the package again")
