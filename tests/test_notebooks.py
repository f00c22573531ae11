"""The notebooks as files: stored as `make refresh` stores them, and really compared by nbval."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import notebooks
import pytest

from .contents import PAGES, ROOT

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_it_is_stored_normalized(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    assert notebooks.dumps(notebooks.normalize(notebook)) == text, "run `make refresh`"


def test_every_code_cell_is_compared(path: Path) -> None:
    assert notebooks.faults(nbformat.read(path, as_version=4)) == []


def test_it_opts_no_cell_out_of_comparison(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        assert not re.search(r"NBVAL_|nbval-", cell.source)
        assert not any("nbval" in tag.lower() for tag in cell.metadata.get("tags", []))


def test_it_is_in_the_table_of_contents(path: Path) -> None:
    assert path.stem in PAGES


def test_cells_are_short(path: Path) -> None:
    """Longer code belongs in lessons_lib, where it has a name, a test and a second user."""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 25, f"cell {number}"


def test_links_lead_somewhere_in_jupyterlab(path: Path) -> None:
    """JupyterLab knows the labels of this notebook's own prose; all others it reports as missing.

    A link to a file is fine: ``[text](05-dropout.ipynb#label)``.
    """
    prose = "\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    own = set(re.findall(r"^\(([\w-]+)\)=$|^\$\$ \(([\w-]+)\)$", prose, re.MULTILINE))
    roles = re.findall(r"\{(?:ref|numref|eq)\}`(?:[^`<]*<)?([^`<>]+)>?`", prose)
    labels = {label for text in roles for label in text.split(",")}
    labels |= set(re.findall(r"\]\(#([\w-]+)\)", prose))
    assert labels - {label for pair in own for label in pair} == set()
