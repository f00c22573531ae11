"""The engine under a real Jupyter kernel, as a reader meets it."""

import json
import textwrap
from pathlib import Path

import nbclient
import nbformat
import psutil

SETUP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import numpy as np
import ipywidgets
from lessons_lib.exercises._api import Session
session = Session("sample_lessons")
check = session.check
"""

CELLS = [
    SETUP,
    """
    check("shrinkage.penalty", ...)
    """,
    """
    def squares(theta):
        return np.square(theta)
    """,
    """
    def penalty(theta, weight_decay):
        print("size", theta.size)
        return weight_decay / 2 * squares(theta).sum()

    check("shrinkage.penalty", penalty)
    """,
    """
    def step(theta, grad, learning_rate):
        steps = 0
        while steps < 1:
            pass

    check("shrinkage.step", step)
    """,
    """
    def penalty(theta, weight_decay):
        return missing * theta

    check("shrinkage.penalty", penalty, traceback=True)
    """,
    """
    slider = ipywidgets.FloatSlider(value=0.5)

    def penalty(theta, weight_decay):
        return slider.value * weight_decay * squares(theta).sum()

    check("shrinkage.penalty", penalty)
    """,
    """
    def penalty(theta, weight_decay):
        return get_ipython()

    check("shrinkage.penalty", penalty)
    """,
    """
    print(6 * 7, session._runner._idle._popen.pid)
    """,
]


def run(cells, folder):
    """Run cells in a new kernel and return the text that each has printed."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in cells]
    )
    client = nbclient.NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return ["".join(o.get("text", str(o)) for o in cell.outputs) for cell in notebook.cells]


ODD_CELLS = [
    SETUP,
    """
    %%time
    def step(theta, grad, learning_rate):
        return theta + learning_rate * grad

    check("shrinkage.step", step)
    """,
    """
    session.last_attempt("shrinkage.step")
    """,
    """
    exec("def penalty(theta, weight_decay):\\n    return 3.0")
    check("shrinkage.penalty", penalty)
    """,
    """
    session.last_attempt("shrinkage.penalty")
    """,
    """
    def listed(theta, weight_decay):
        !ls
        %timeit theta

    check("shrinkage.penalty", listed)
    """,
    """
    class Penalty:
        def __call__(self, theta, weight_decay):
            breakpoint()

    check("shrinkage.penalty", Penalty())
    session.last_attempt("shrinkage.penalty")
    """,
]


def test_odd_ways_to_write_an_answer(tmp_path):
    outputs = run(ODD_CELLS, tmp_path)
    assert outputs[2] == textwrap.dedent(ODD_CELLS[1]).lstrip()
    assert outputs[3].startswith("not yet: Your function returns the same in every case")
    assert outputs[4] == textwrap.dedent(ODD_CELLS[3]).lstrip()
    assert outputs[5] == (
        "not yet: your function uses a command of the notebook (`!…`, `%…` or `get_ipython`), "
        "which a check does not have: write it in Python, or run the command in a cell of its own\n"
    )
    assert outputs[6].startswith(
        "not yet: your function raises RuntimeError: a check has no keyboard for a debugger: take "
        "`breakpoint()` out"
    )
    assert outputs[6].endswith(
        "class Penalty:\n    def __call__(self, theta, weight_decay):\n        breakpoint()\n"
    )


def test_in_a_notebook(tmp_path):
    outputs = run(CELLS, tmp_path)
    assert outputs[:4] == [
        "",
        "not attempted yet: replace the `...` with your answer\n"
        '(a first hint: hint("shrinkage.penalty"))\n',
        "",
        "✓ passed — shrinkage.penalty\n"
        "your function printed:\n    size 1\n    size 3\n    size 4\n",
    ]
    assert outputs[4].startswith(
        "not yet: your function is still running after 0.3 seconds of computing, in line "
    )
    lines = outputs[5].splitlines()
    assert lines[0] == (
        "not yet: your function raises NameError: name 'missing' is not defined, "
        "in line 2: `return missing * theta`"
    )
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[-1] == "NameError: name 'missing' is not defined"
    assert outputs[6] == (
        "not yet: your function uses `slider` (of type FloatSlider), which cannot be handed to the "
        "process that checks answers: use only its arguments\n"
    )
    assert outputs[7].startswith(
        "not yet: your function uses a command of the notebook (`!…`, `%…` "
    )
    answer, idle = outputs[8].split()
    assert answer == "42"
    # The kernel has stopped; the process that waited for the next answer has stopped with it.
    psutil.wait_procs([p for p in psutil.process_iter() if p.pid == int(idle)], timeout=20)
    assert not psutil.pid_exists(int(idle)) or psutil.Process(int(idle)).status() == "zombie"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".py"] == []
    progress = json.loads((tmp_path / "progress.json").read_text())["exercises"]
    assert progress["shrinkage.penalty"]["passed"] is not None
    assert progress["shrinkage.penalty"]["attempts"] == 4
    assert progress["shrinkage.penalty"]["last_attempt"].endswith("return get_ipython()")
