"""The book's chapters in their order, and the links that lead to them."""

from __future__ import annotations

from dataclasses import dataclass

from lessons_lib.page._output import is_static

__all__ = ["CHAPTERS", "Chapter", "chapter_link"]


@dataclass(frozen=True)
class Chapter:
    """A page of the book to which the home page leads.

    Attributes
    ----------
    file : str
        Its file in ``book/``.
    title : str
        Its short title.
    """

    file: str
    title: str

    @property
    def page(self) -> str:
        """The name of the page, as in ``_toc.yml``."""
        return self.file.rpartition(".")[0]

    @property
    def number(self) -> str:
        """The number of a lesson; empty for other pages."""
        number = self.page.partition("-")[0]
        return number.lstrip("0") if number.isdigit() else ""

    @property
    def heading(self) -> str:
        """The title after the number."""
        return f"{self.number} {self.title}".strip()

    @property
    def lesson(self) -> str:
        """The name under which its exercises are known: ``04-elastic-net`` is ``elastic_net``."""
        name = self.page.partition("-")[2] if self.number else self.page
        return name.replace("-", "_")


#: In the order of the book. A lesson that is added to ``_toc.yml`` is added here, and to the map
#: in `book_map` if it is about a technique.
CHAPTERS = (
    Chapter("01-overfitting.ipynb", "Overfitting"),
    Chapter("02-l2.ipynb", "L2"),
    Chapter("03-l1.ipynb", "L1"),
    Chapter("04-elastic-net.ipynb", "Elastic Net"),
    Chapter("05-dropout.ipynb", "Dropout"),
    Chapter("06-batch-norm.ipynb", "Batch norm"),
    Chapter("07-early-stopping.ipynb", "Early stopping"),
    Chapter("08-augmentation.ipynb", "Augmentation"),
    Chapter("09-ensembles.ipynb", "Ensembles"),
    Chapter("10-sgd-noise.ipynb", "SGD noise"),
    Chapter("11-fraud.ipynb", "Fraud detection"),
    Chapter("12-boosting.ipynb", "Boosting"),
    Chapter("13-transformers.ipynb", "Transformers"),
    Chapter("guide.md", "Which regularizer when"),
    Chapter("verdicts.ipynb", "How far verdicts hold"),
    Chapter("quick-reference.md", "Quick reference"),
    Chapter("conventions.ipynb", "Conventions"),
    Chapter("glossary.md", "Glossary"),
    Chapter("api/index.md", "API reference"),
)


BY_PAGE = {chapter.page: chapter for chapter in CHAPTERS}


def chapter_link(page: str, section: str = "") -> str:
    """Return the address of a page: of its HTML in the built book, of its file in Jupyter.

    Parameters
    ----------
    page : str
        A page of :data:`CHAPTERS`, for example ``"02-l2"``.
    section : str, optional
        The id of a section in the built page. JupyterLab has other ids, so there the link leads to
        the beginning.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such page.

    Examples
    --------
    >>> chapter_link("02-l2", "noise-on-the-inputs")
    '02-l2.ipynb'
    """
    if page not in BY_PAGE:
        raise ValueError(f"page must be one of {', '.join(BY_PAGE)}; got {page!r}")
    if not is_static():
        return BY_PAGE[page].file
    return f"{page}.html#{section}" if section else f"{page}.html"
