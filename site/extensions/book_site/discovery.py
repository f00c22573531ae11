"""What search engines, previews and programs read: descriptions, addresses, plain text.

Each page says in one sentence what it is about. Where the book's address is known (``BOOK_URL``),
pages name their canonical address and a site map lists them. ``llms.txt`` lists all pages, each of
which also stands beside its HTML as one Markdown file with formulas and outputs.
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

LONGEST = 200  # characters of a description that a search engine shows, about


def configure(app: Sphinx, config: Config) -> None:
    url = os.environ.get("BOOK_URL", "").rstrip("/")
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
        raise ExtensionError(
            f"BOOK_URL is {url!r}; it must look like https://host or https://host/book."
        )
    config.html_baseurl = f"{url}/"


def promise(doctree: nodes.document) -> str:
    """Return a page's first paragraph, cut at the end of a sentence or a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.document):
            text = re.sub(r"\s+", " ", paragraph.astext()).strip()
            if len(text) <= LONGEST:
                return text
            sentences = text[:LONGEST].rpartition(". ")[0]
            return f"{sentences}." if sentences else text[:LONGEST].rpartition(" ")[0] + " …"
    return ""


def _promises(env: BuildEnvironment) -> dict[str, str]:
    if not hasattr(env, "book_promises"):
        env.book_promises = {}
    return env.book_promises  # type: ignore[no-any-return]


def remember(app: Sphinx, doctree: nodes.document) -> None:
    _promises(app.env)[app.env.docname] = promise(doctree)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _promises(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    _promises(env).update({name: _promises(other)[name] for name in docnames})


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Put the description, and what a preview shows, into the head of a page."""
    book, base = app.config.html_title, app.config.html_baseurl
    title = re.sub(r"<[^>]*>", "", str(context.get("title", ""))) or book
    text = _promises(app.env).get(pagename) or f"{title}: a page of the book {book}."
    tags = {"name=description": text, "property=og:title": title, "property=og:description": text}
    tags |= {"property=og:type": "article", "property=og:site_name": book}
    if base:
        tags["property=og:url"] = base + app.builder.get_target_uri(pagename)
    context["metatags"] = context.get("metatags", "") + "".join(
        '\n<meta {}="{}" content="{}">'.format(*key.split("=", 1), escape(value))
        for key, value in tags.items()
    )


def plain(path: Path) -> str:
    """Return a page as Markdown for programs: prose with formulas, code, and text outputs."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    parts = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            parts.append(cell.source)
            continue
        if cell.source.strip():
            parts.append(f"```python\n{cell.source}\n```")
        outputs = "".join(_text(output) for output in cell.outputs).rstrip()
        if outputs:
            parts.append(f"```text\n{outputs}\n```")
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _text(output: Any) -> str:
    data = output.get("data", {})
    text = output.get("text") or data.get("text/markdown") or data.get("text/plain") or ""
    return str(text).rstrip() + "\n" if text else ""


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write llms.txt, the Markdown files, and the site map where the address is known."""
    if exception or app.builder.format != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    lines = [f"# {app.config.html_title}", ""]
    pages = [page for page in _in_order(app) if page in app.env.all_docs]
    for page in pages:
        title = app.env.titles[page].astext()
        lines.append(f"- [{title}]({base}{page}.md): {_promises(app.env).get(page, '')}")
        target = out / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(plain(Path(app.env.doc2path(page))), encoding="utf-8")
    (out / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if base:
        urls = "".join(f"<url><loc>{base}{page}.html</loc></url>\n" for page in pages)
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
            encoding="utf-8",
        )


def _in_order(app: Sphinx) -> list[str]:
    """Return the pages as one reads them: depth first through the contents."""
    included = app.env.toctree_includes
    order: list[str] = []

    def visit(page: str) -> None:
        if page not in order:
            order.append(page)
            for child in included.get(page, []):
                visit(child)

    visit(app.config.root_doc)
    return order


def setup(app: Sphinx) -> None:
    app.connect("config-inited", configure)
    app.connect("doctree-read", remember)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write)
