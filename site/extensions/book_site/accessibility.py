"""Mend the few places where the theme's and Sphinx's own markup fails an accessibility check."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

REPLACEMENTS = {
    # The book theme puts its logo outside of any landmark.
    '<div id="pst-primary-sidebar" class=': (
        '<div id="pst-primary-sidebar" role="navigation" aria-label="Book" class='
    ),
    # It opens the chapters below an entry of the sidebar, and has no name.
    '<summary><span class="toctree-toggle"': (
        '<summary aria-label="Pages below"><span class="toctree-toggle"'
    ),
    # Its script reports an error when no mode was chosen before.
    'localStorage.getItem("mode") || ""': 'localStorage.getItem("mode") || "auto"',
    # docutils uses a role that is deprecated, and not allowed in its own list of citations.
    ' role="doc-biblioentry"': ' role="listitem"',
}


def mend(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = mended = path.read_text(encoding="utf-8")
        for old, new in REPLACEMENTS.items():
            mended = mended.replace(old, new)
        if mended != text:
            path.write_text(mended, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", mend)
