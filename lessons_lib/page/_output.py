"""How figures and explorables reach a notebook, and the page that is built from it.

In Jupyter an output is displayed in the formats that JupyterLab knows. In the book's build it is
one block of HTML, which the book's Sphinx extension turns into a numbered figure.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from IPython.display import display

from lessons_lib.page._svg import PanelSvg

__all__ = [
    "check_texts",
    "digest",
    "display_caption",
    "display_output",
    "figure_html",
    "is_static",
    "picture_html",
]


class _Output:
    """Something to display, given by MIME type."""

    def __init__(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.data = data
        self.metadata = metadata

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.data, self.metadata

    def __repr__(self) -> str:
        return str(self.data["text/plain"])


def display_output(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    """Display an output; without Jupyter, print its ``text/plain``."""
    display(_Output(data, metadata or {}))  # type: ignore[no-untyped-call]


def display_caption(caption: str) -> None:
    """Display a caption, which is Markdown, below what was displayed before."""
    display_output({"text/markdown": f"**Figure.** {caption}", "text/plain": caption})


def is_static() -> bool:
    """Tell whether the book is being built; its build sets this variable."""
    return os.environ.get("LESSONS_LIB_STATIC") == "1"


def digest(*texts: str) -> str:
    """Return a short name for texts, which can begin an id."""
    return "f" + hashlib.sha256("\0".join(texts).encode()).hexdigest()[:10]


def check_texts(caption: str, alt: str, name: str | None) -> tuple[str, str]:
    """Return caption and alt without needless white space, or say what is wrong with them."""
    for argument, text in (("caption", caption), ("alt", alt)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{argument} must be a text that is not empty; got {text!r}")
    if name is not None and not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"name must be like 'fig-degree', or None; got {name!r}")
    caption, alt = " ".join(caption.split()), " ".join(alt.split())
    if caption == alt:
        raise ValueError(
            "alt must say what the figure shows, caption what to see in it; they are equal"
        )
    return caption, alt


def picture_html(drawn: Sequence[PanelSvg], alt: str) -> str:
    """Return the panels of a figure, which the page's style sheet arranges."""
    svgs = "\n".join(panel.svg() for panel in drawn)
    return (
        f'<div class="book-figure book-figure-{len(drawn)}" role="img"'
        f' aria-label="{escape(alt)}">\n{svgs}\n</div>'
    )


def figure_html(body: str, caption: str, name: str | None) -> str:
    """Return the form that the book's Sphinx extension turns into a numbered figure."""
    data = escape(json.dumps({"caption": caption, "name": name}, sort_keys=True))
    return (
        f'<figure class="lessons-figure" data-figure="{data}">\n{body}\n'
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )
