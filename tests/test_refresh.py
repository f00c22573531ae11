"""`make refresh` and nbval on small notebooks: what they keep, and that they can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import notebooks
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]

SOURCES = [
    "import sys\nprint('one', end='')\nsys.stdout.flush()\nprint(' line')",
    "1 + 1",
    "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    "import ipywidgets\nipywidgets.IntSlider()",
    "",
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("refresh") / "small.ipynb"
    cells = [new_markdown_cell("# Small"), *(new_code_cell(source) for source in SOURCES)]
    nbformat.write(new_notebook(cells=cells), path)
    assert notebooks.refresh(path) == f"{path}: stored"
    return path


def run_nbval(path: Path) -> subprocess.CompletedProcess[str]:
    """Run nbval as `make test` does: with the settings of the project's conftest.py."""
    plugins = ["-p", "conftest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", *plugins, path.name],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def edited(path: Path, name: str, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    target = path.with_name(name)
    target.write_text(text.replace(old, new), encoding="utf-8")
    return target


def test_refreshing_again_changes_no_byte(stored: Path) -> None:
    before = stored.read_bytes()
    assert notebooks.refresh(stored) == f"{stored}: unchanged"
    assert stored.read_bytes() == before


def test_only_text_is_stored(stored: Path) -> None:
    notebook = nbformat.read(stored, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, None]
    assert [output.text for output in code[0].outputs] == ["one line\n"]
    assert code[1].outputs[0].data == {"text/plain": "2"}
    assert set(code[2].outputs[0].data) == {"text/plain"}
    assert set(code[3].outputs[0].data) == {"text/plain"}
    assert "widgets" not in notebook.metadata
    assert "execution" not in code[0].metadata


def test_nbval_passes_what_was_stored(stored: Path) -> None:
    result = run_nbval(stored)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 passed" in result.stdout


def test_nbval_fails_when_a_stored_output_differs(stored: Path) -> None:
    result = run_nbval(edited(stored, "altered.ipynb", '"one line\\n"', '"another line\\n"'))
    assert result.returncode == 1
    assert "1 failed, 4 passed" in result.stdout, result.stdout


def test_a_cell_that_was_never_executed_is_a_fault(stored: Path) -> None:
    path = edited(
        stored,
        "unexecuted.ipynb",
        '"execution_count": 2,\n   "id"',
        '"execution_count": null,\n   "id"',
    )
    assert notebooks.faults(nbformat.read(path, as_version=4)) == ["cell 2 was never executed"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys; print('x', file=sys.stderr)", "cell 0 writes to stderr"),
        ("object()", "cell 0 prints a memory address"),
        ("1 / 0", "cell 0: .*ZeroDivisionError"),
    ],
)
def test_refresh_refuses_what_cannot_be_compared(tmp_path: Path, source: str, message: str) -> None:
    path = tmp_path / "bad.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), path)
    before = path.read_bytes()
    with pytest.raises(notebooks.RefreshError, match=f"(?s)bad.ipynb.*{message}"):
        notebooks.refresh(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sockets that are files")
def test_kernels_warn_of_nothing(stored: Path) -> None:
    """Over TCP each kernel would warn that everybody can listen, three lines for each notebook."""
    command = [sys.executable, str(ROOT / "tools" / "notebooks.py"), str(stored)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert result.stderr == ""
    nbval = run_nbval(stored)
    assert "WARNING" not in nbval.stdout + nbval.stderr
