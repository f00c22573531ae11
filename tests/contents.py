"""What the book consists of, read from its table of contents: the home of this for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
_CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def _files(entry: dict[str, Any]) -> Iterator[str]:
    if "file" in entry:
        yield entry["file"]
    for part in ("parts", "chapters", "sections"):
        for child in entry.get(part, ()):
            yield from _files(child)


HOME: str = _CONTENTS["root"]
PAGES = [HOME, *_files(_CONTENTS)]
NOTEBOOKS = [page for page in PAGES if (ROOT / "book" / f"{page}.ipynb").is_file()]
# A lesson is a notebook with the parts that CONTRIBUTING.md prescribes: all but these.
LESSONS = [page for page in NOTEBOOKS if page not in (HOME, "verdicts")]
