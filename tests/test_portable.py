"""Stored outputs on other processors: the tool that looks, and two notebooks under one jitter."""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import notebooks
import portable
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .contents import PAGES, ROOT

# `make portable` runs them all; these take 5 to 25 s each.
QUICK = (
    "01-overfitting",
    "02-l2",
    "03-l1",
    "04-elastic-net",
    "05-dropout",
    "06-batch-norm",
    "07-early-stopping",
    "conventions",
    "index",
)

SOURCES = [
    "from lessons_lib.network import Linear\nweights = Linear(3, 2, random_state=0).weight.data",
    "print('stable', f'{weights[0, 0]:.6f}')\nprint('fragile', f'{weights[0, 0]:.16f}')",
    "print(weights.round(3))",
    "assert f'{weights[0, 0]:.16f}'.endswith('{end}'), 'too exact'",
]


def drawn_from() -> str:
    """Return the commit, or the date where there is none: the next run tries other notebooks."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return date.today().isoformat()
    return run.stdout.strip() if run.returncode == 0 else date.today().isoformat()


def test_two_notebooks_hold_under_a_jitter(capsys: pytest.CaptureFixture[str]) -> None:
    source = drawn_from()
    dice = random.Random(source)
    names, seed = dice.sample(QUICK, 2), dice.randrange(1, 1000)
    with capsys.disabled():
        print(f"\n{' and '.join(names)} with LESSONS_LIB_JITTER={seed}, drawn from {source}")
    start = time.perf_counter()
    for name in names:
        if time.perf_counter() - start > 40:
            with capsys.disabled():
                print(f"{name} has to wait for another commit: the machine is slow or busy")
            break
        environment = {portable.VARIABLE: str(seed)}
        assert portable.moved_cells(ROOT / "book" / f"{name}.ipynb", environment) == {}, (
            f"book/{name}.ipynb moves with LESSONS_LIB_JITTER={seed}: see CONTRIBUTING.md"
        )


def test_the_quick_notebooks_exist() -> None:
    assert set(QUICK) <= set(PAGES)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with two stable cells, one that prints and one that asserts too much."""
    path = tmp_path_factory.mktemp("portable") / "small.ipynb"
    cells = [new_markdown_cell("# Small"), *(new_code_cell(text) for text in SOURCES[:-1])]
    nbformat.write(new_notebook(cells=cells), path)
    notebooks.refresh(path)
    notebook = nbformat.read(path, as_version=4)
    end = notebook.cells[2].outputs[0].text.split()[-1][-3:]
    cell = new_code_cell(SOURCES[-1].replace("{end}", end), execution_count=4)
    notebook.cells.append(cell)
    nbformat.write(notebook, path)
    return path


def test_without_a_change_no_cell_moves(stored: Path) -> None:
    before = stored.read_bytes()
    assert portable.moved_cells(stored, {}) == {}
    assert stored.read_bytes() == before


def test_what_is_too_exact_moves(stored: Path) -> None:
    moved = portable.moved_cells(stored, {portable.VARIABLE: "1"})
    assert moved.keys() == {2, 4}
    assert moved[2].startswith("'fragile 0.")
    assert " became 'fragile 0." in moved[2]
    assert moved[4] == "AssertionError: too exact"


def test_it_ends_with_a_table(stored: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "portable.py"), "--no-tests"]
    run = subprocess.run(
        [*command, "--jitters", "2", "--only", "jitter", str(stored)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 1
    assert run.stdout.splitlines()[-3:] == [
        "1 notebooks in 2 settings. Cells that moved:",
        "  small                cell   2   jitter 1; jitter 2",
        "  small                cell   4   jitter 1; jitter 2",
    ]


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="elsewhere there are no older processors to imitate",
)
def test_settings_switch_to_what_they_say() -> None:
    code = (
        "import numpy, scipy.linalg, threadpoolctl\n"
        "from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__\n"
        "print(*[name for name in __cpu_dispatch__ if __cpu_features__[name]])\n"
        "print(*[(i['architecture'], i['num_threads']) for i in threadpoolctl.threadpool_info()"
        " if i['internal_api'] == 'openblas'])"
    )
    assert len(portable.settings(5)) == 5 + 6
    for name, environment in portable.settings(0).items():
        kernel, number = name.split(",")[0], int(name.split()[1])
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        features, blas = run.stdout.splitlines()
        disabled = environment.get("NPY_DISABLE_CPU_FEATURES", "")
        assert set(features.split()).isdisjoint(disabled.split())
        assert blas.count(f", {min(number, os.cpu_count() or 1)})") == 2
        if kernel == "Nehalem":  # every processor can be that one
            assert not features
            assert blas.count("Nehalem") == 2
