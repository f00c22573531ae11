"""Execute the book's notebooks and store their text outputs, so that nbval can compare them.

Used by ``make refresh``. What a notebook stores is normalized: text only (pictures, HTML and widget
views are made anew wherever the notebook runs), cells counted from one, no times, no version of
anyone's Python. Executing an unchanged notebook therefore changes no byte of its file.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import kernels
import nbformat
from joblib import Parallel, delayed
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

STORED_MIME_TYPES = ("text/plain", "text/markdown", "text/latex")
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]{6,}")


class RefreshError(Exception):
    """A notebook that cannot be stored; the message names the notebook and the cell."""


def normalize(notebook: NotebookNode) -> NotebookNode:
    """Keep of an executed notebook what is the same on every run and machine."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = {
        **{
            key: notebook.metadata[key]
            for key in sorted(notebook.metadata)
            if key not in ("widgets", "language_info")
        },
        "kernelspec": KERNELSPEC,
        "language_info": {"name": "python"},
    }
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)
        if cell.cell_type != "code":
            continue
        if cell.source.strip():
            count += 1
        cell.execution_count = count if cell.source.strip() else None
        cell.outputs = _merge_streams([_normalize_output(output, count) for output in cell.outputs])
    return notebook


def _normalize_output(output: NotebookNode, count: int) -> NotebookNode:
    if "execution_count" in output:
        output.execution_count = count
    if "data" in output:
        output.data = {key: output.data[key] for key in STORED_MIME_TYPES if key in output.data}
        output.metadata = {}
    return output


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighboring pieces of one stream: how a stream is cut depends on timing."""
    merged: list[NotebookNode] = []
    for output in outputs:
        if merged and output.output_type == "stream" and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        elif output.output_type == "stream" or output.get("data") != {}:
            merged.append(output)
    return merged


def faults(notebook: NotebookNode) -> list[str]:
    """Return what keeps a notebook's outputs from being compared, one sentence for each."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.execution_count is None:
            found.append(f"cell {number} was never executed")
        for output in cell.outputs:
            text = output.get("text", "") + "".join(output.get("data", {}).get("text/plain", ""))
            if output.get("name") == "stderr":
                found.append(f"cell {number} writes to stderr: {text.strip()[:200]!r}")
            if output.output_type == "error":
                found.append(f"cell {number} raises {output.ename}: {output.evalue}")
            if ADDRESS.search(text):
                found.append(f"cell {number} prints a memory address: {text.strip()[:200]!r}")
            extra = set(output.get("data", {})) - set(STORED_MIME_TYPES)
            if extra:
                found.append(f"cell {number} stores {', '.join(sorted(extra))}")
    return found


def execute(path: Path, timeout: int = 120) -> NotebookNode:
    """Execute a notebook in a fresh kernel and return it normalized."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        config=kernels.private_channel(),
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        number = next(
            (i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and _raised(c)), None
        )
        raise RefreshError(f"{path}, cell {number}: {error}") from None
    executed = normalize(notebook)
    problems = faults(executed)
    if problems:
        raise RefreshError("\n".join(f"{path}: {problem}" for problem in problems))
    return executed


def _raised(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def dumps(notebook: NotebookNode) -> str:
    """Write a notebook as the text that is stored in its file."""
    nbformat.validate(notebook)
    return (
        nbformat.writes(notebook, version=4, indent=1, ensure_ascii=False, sort_keys=True).rstrip(
            "\n"
        )
        + "\n"
    )


def refresh(path: Path) -> str:
    """Execute one notebook and store it if that changed anything; return a line to print."""
    text = dumps(execute(path))
    if path.read_text(encoding="utf-8") == text:
        return f"{path}: unchanged"
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    shutil.copymode(path, file.name)  # a temporary file is for its owner only
    Path(file.name).replace(path)
    return f"{path}: stored"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2, help="notebooks executed at once")
    parser.add_argument("notebooks", nargs="+", type=Path)
    arguments = parser.parse_args()
    os.environ.update(kernels.ENVIRONMENT)
    try:
        for line in Parallel(n_jobs=arguments.jobs, return_as="generator", prefer="threads")(
            delayed(refresh)(path) for path in arguments.notebooks
        ):
            print(line, flush=True)
    except RefreshError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
