"""Run notebooks and oracle tests as other processors would, and say which cells came out otherwise.

Used by ``make portable``. A setting is a set of environment variables for the kernel: a jitter of
all starting numbers (see ``lessons_lib._jitter``), another BLAS kernel, NumPy without its faster
instructions, another number of threads. Each notebook runs in each setting; every cell whose
output then differs from the stored one is listed.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import kernels
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from notebooks import normalize
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from lessons_lib._jitter import VARIABLE

Environment = Mapping[str, str]

ROOT = Path(__file__).resolve().parent.parent

# All tests are tests of right values but those of the book, of what shows it, and of the tools.
NO_ORACLES = {"book", "browser", "command", "exercises", "lessons", "page"}


def oracle_tests() -> list[str]:
    folders = sorted(path.parent.name for path in (ROOT / "tests").glob("*/__init__.py"))
    return [f"tests/{name}" for name in folders if name not in NO_ORACLES] + [
        "tests/test_penalties.py"
    ]


def without(*features: str) -> Environment:
    """Return the variable that keeps NumPy from using these and all later instructions."""
    available = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    first = [available.index(name) for name in features if name in available]
    disabled = available[min(first) :] if first else []
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(disabled)} if disabled else {}


def threads(number: int) -> Environment:
    return {"OMP_NUM_THREADS": str(number), "OPENBLAS_NUM_THREADS": str(number)}


def settings(n_jitters: int) -> dict[str, Environment]:
    """Return the settings by name; OpenBLAS ignores a kernel that this processor cannot run."""
    processors: dict[str, Environment] = {"this processor": {}}
    if platform.machine().lower() in ("x86_64", "amd64"):
        processors = {
            "Nehalem": {
                "OPENBLAS_CORETYPE": "Nehalem",
                **without("X86_V3", "AVX2"),
                "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
                "ATEN_CPU_CAPABILITY": "default",
            },
            "Haswell": {
                "OPENBLAS_CORETYPE": "Haswell",
                **without("X86_V4", "AVX512F"),
                "ATEN_CPU_CAPABILITY": "avx2",
            },
            "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
        }
    jitters: dict[str, Environment] = {
        f"jitter {seed}": {VARIABLE: str(seed)} for seed in range(1, n_jitters + 1)
    }
    return jitters | {
        f"{name}, {n} thread{'s' * (n > 1)}": {**processors[name], **threads(n)}
        for name, n in product(processors, (1, 2))
    }


def moved_cells(path: Path, environment: Environment, timeout: int = 300) -> dict[int, str]:
    """Execute a notebook in a kernel with these variables; return what changed, by cell."""
    stored = nbformat.read(path, as_version=4)
    client = NotebookClient(
        nbformat.from_dict(stored),
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        config=kernels.private_channel(),
        resources={"metadata": {"path": str(path.parent)}},
    )
    executed = client.execute(env={**os.environ, **kernels.ENVIRONMENT, **environment})
    cells = zip(stored.cells, normalize(executed).cells, strict=True)
    return {
        number: _difference(before, after)
        for number, (before, after) in enumerate(cells)
        if before.cell_type == "code" and before.outputs != after.outputs
    }


def _difference(before: NotebookNode, after: NotebookNode) -> str:
    """Return the first line of the outputs that changed, or the error."""
    for output in after.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}".strip()
    pairs = zip(_lines(before), _lines(after), strict=False)
    old, new = next(((a, b) for a, b in pairs if a != b), ("", "another number of lines"))
    return f"{old!r} became {new!r}"


def _lines(cell: NotebookNode) -> list[str]:
    texts = [output.get("text", "") or str(output.get("data", "")) for output in cell.outputs]
    return [line for text in texts for line in text.splitlines()]


def run_notebooks(
    paths: Sequence[Path], chosen: Mapping[str, Environment]
) -> dict[tuple[str, int], set[str]]:
    """Run all notebooks in all settings; return the settings in which a cell moved, by cell."""
    moved: dict[tuple[str, int], set[str]] = {}
    for name, path in product(chosen, paths):
        start = time.perf_counter()
        changes = moved_cells(path, chosen[name])
        seconds = time.perf_counter() - start
        print(f"{name:20s} {path.stem:20s} {len(changes):2d} moved {seconds:5.0f} s", flush=True)
        for number, change in changes.items():
            print(f"    cell {number}: {change}", flush=True)
            moved.setdefault((path.stem, number), set()).add(name)
    return moved


def run_tests(chosen: Mapping[str, Environment]) -> dict[str, str]:
    """Run the oracle tests on each processor; return pytest's last line, by setting."""
    summary = {}
    for name, environment in chosen.items():
        # A jitter changes what the tests know exactly: it is for notebooks.
        if VARIABLE in environment:
            continue
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *oracle_tests()]
        run = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
        )
        lines = run.stdout.splitlines()
        print(name, *(line for line in lines if line.startswith("FAILED")), sep="\n    ")
        summary[name] = lines[-1] + ("" if run.returncode == 0 else "  <- failed")
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jitters", type=int, default=5, help="number of jitters")
    parser.add_argument("--only", default="", help="settings whose name contains this text")
    parser.add_argument("--no-tests", action="store_true", help="run the notebooks only")
    parser.add_argument("notebooks", nargs="*", type=Path)
    arguments = parser.parse_args()
    everything = settings(arguments.jitters)
    chosen = {name: value for name, value in everything.items() if arguments.only in name}
    moved = run_notebooks(arguments.notebooks, chosen)
    summary = {} if arguments.no_tests else run_tests(chosen)

    print(f"\n{len(arguments.notebooks)} notebooks in {len(chosen)} settings.", end=" ")
    print("Cells that moved:" if moved else "No cell moved.")
    for (notebook, number), names in sorted(moved.items()):
        print(f"  {notebook:20s} cell {number:3d}   {'; '.join(sorted(names))}")
    for name, line in summary.items():
        print(f"  oracle tests, {name:20s} {line}")
    return int(bool(moved) or any("failed" in line for line in summary.values()))


if __name__ == "__main__":
    sys.exit(main())
