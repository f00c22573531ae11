"""The search: one record a section for MiniSearch, which finds in the browser what it is about.

Sphinx's own search knows whole words and pages. MiniSearch, from npm, knows beginnings of words and
slips of the finger; ``search.js`` adds British spelling, and puts lessons before the reference.
Records are a script, so that the search works in a book that is opened from a folder.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import docname_join

LIBRARY = Path(__file__).resolve().parents[3] / "node_modules/minisearch/dist/umd/index.js"
LEFT_OUT = {"genindex", "bibliography", "LICENSE"}
# Code and formulas are looked for by the words around them.
NOT_READ = (nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.title)
SPHINXS_OWN = ("searchindex.js", "_static/searchtools.js", "_static/language_data.js")


def records(app: Sphinx) -> Iterator[dict[str, Any]]:
    """Yield what the search knows of each section of each page."""
    for page in sorted(app.env.found_docs - LEFT_OUT):
        doctree = app.env.get_doctree(page)
        title = app.env.titles[page].astext()
        address = app.builder.get_target_uri(page)
        for section in doctree.findall(_is_place):
            name, anchor = _name_and_anchor(section)
            is_page = section.parent is doctree
            yield {
                "title": name,
                "page": title,
                "link": address if is_page else f"{address}#{anchor}",
                "text": " ".join(_words(app, section))[: _length(page)],
                "rank": _rank(page, is_page),
            }


def _is_place(node: nodes.Node) -> bool:
    if isinstance(node, addnodes.desc):
        return bool(node.findall(addnodes.desc_signature)) and bool(node[0].get("ids"))
    return isinstance(node, nodes.section)


def _name_and_anchor(place: nodes.Element) -> tuple[str, str]:
    if isinstance(place, addnodes.desc):
        name = next(iter(place.findall(addnodes.desc_name))).astext()
        return name, place[0]["ids"][0]
    return place.next_node(nodes.title).astext(), place["ids"][0]


def _rank(page: str, is_page: bool) -> float:
    """Weigh lessons above other pages, and these above the reference."""
    rank = 0.2 if page.startswith("api/") else 2.0 if page[:1].isdigit() else 1.2
    return rank * (1.3 if is_page else 1.0)


def _length(page: str) -> int | None:
    """Limit the reference, whose entries say at their beginning what they are about."""
    return 600 if page.startswith("api/") else None


def _words(app: Sphinx, place: nodes.Element) -> Iterator[str]:
    """Yield the text of a place without that of the places within it."""
    for child in place.children:
        if isinstance(child, nodes.Text):
            yield re.sub(r"\s+", " ", str(child)).strip()
        elif isinstance(child, addnodes.pending_xref) and _names_a_page(child):
            page = docname_join(child["refdoc"], child["reftarget"])
            yield app.env.titles[page].astext() if page in app.env.titles else ""
        elif isinstance(child, nodes.Element) and not _is_elsewhere(child):
            yield from _words(app, child)


def _names_a_page(link: addnodes.pending_xref) -> bool:
    """Return whether a link shows the title of its page, which is not in it yet."""
    return link.get("reftype") == "doc" and not link.get("refexplicit")


def _is_elsewhere(node: nodes.Element) -> bool:
    return isinstance(node, NOT_READ) or _is_place(node) or "cell_input" in node.get("classes", [])


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    shutil.copyfile(LIBRARY, out / "_static" / "minisearch.js")
    data = json.dumps(list(records(app)), ensure_ascii=False, separators=(",", ":"))
    (out / "_static" / "search-records.js").write_text(
        f"window.bookRecords={data};\n", encoding="utf-8"
    )
    for name in SPHINXS_OWN:
        (out / name).unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", write)
