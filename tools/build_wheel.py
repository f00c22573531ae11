"""Build the wheel that holds the library, the notebooks and the built book.

Used by ``make wheel``. A checkout has the notebooks in ``book/`` and the pages in ``_build/html``;
the package finds them in ``lessons_lib/shipped``, which exists in a staged copy only.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", ".ipynb_checkpoints", "*.part", "_modules", "*.pickle", "objects.inv"
)


def build(target: Path, root: Path = ROOT) -> Path:
    """Build the wheel into a folder and return its path."""
    html = root / "_build" / "html"
    if not (html / "index.html").is_file():
        raise SystemExit("the book is not built: run `make book`")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(root / name, staged)
        shutil.copytree(root / "lessons_lib", staged / "lessons_lib", ignore=LEFT_OUT)
        shipped = staged / "lessons_lib" / "shipped"
        shutil.copytree(root / "book", shipped / "book", ignore=LEFT_OUT)
        shutil.copytree(html, shipped / "html", ignore=LEFT_OUT)
        command = [sys.executable, "-m", "uv", "build", "--wheel", "--quiet"]
        subprocess.run([*command, "--out-dir", str(target), str(staged)], check=True)
    return max(target.glob("*.whl"), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    wheel = build(ROOT / "_build" / "dist")
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.1f} MB")
