"""What the tests of the exercise engine share."""

import itertools
import linecache
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from lessons_lib.exercises._api import Session
from lessons_lib.exercises._runner import Runner

# The sample lessons must be importable here and, through sys.path, in the worker process.
sys.path.insert(0, str(Path(__file__).parent))

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _own_progress(tmp_path, monkeypatch):
    """Keep the tests away from the progress of whoever runs them."""
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("LESSONS_LIB_STATIC", raising=False)


@pytest.fixture(scope="session")
def runner():
    runner = Runner("sample_lessons")
    yield runner
    runner.close()


@pytest.fixture
def session(runner):
    return Session("sample_lessons", runner)


@pytest.fixture
def run_cell():
    """Return a function that runs text like a notebook's cell and gives what it defines."""
    notebook = {"__name__": "__main__", "np": np}

    def run(source):
        source = textwrap.dedent(source).strip() + "\n"
        filename = f"<cell {next(_numbers)}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), notebook)
        return notebook

    return run
