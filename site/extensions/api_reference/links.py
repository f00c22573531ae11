"""Links both ways: "Used in" at an object, "From the library" at the end of a lesson.

What a lesson uses is read with the lesson. The links are made when pages are written, so that a
changed lesson changes the objects' entries without reading the docstrings again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from .inventory import PACKAGE, is_covered
from .usage import used_names

TITLE = "From the library"
TOP_LEVEL = {"class", "data", "exception", "function", "module"}

logger = logging.getLogger(__name__)


class library_list(nodes.General, nodes.Element):
    """The place of the list in a lesson, until the page is written."""


# ------------------------------------------------------------------------------------- reading


class FromTheLibrary(SphinxTransform):
    """End a notebook that uses the library with a section for the links to it."""

    default_priority = 800

    def apply(self, **kwargs: Any) -> None:
        """Read the notebook's code, and make room for the links."""
        env = self.env
        path = Path(env.doc2path(env.docname))
        sections = [n for n in self.document.children if isinstance(n, nodes.section)]
        if path.suffix != ".ipynb" or not sections:
            return
        notebook = json.loads(path.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        names = [name for name in used_names("".join(c["source"]) for c in code) if _counts(name)]
        _uses(env)[env.docname] = names
        if names:
            section = nodes.section("", nodes.title("", TITLE), ids=["from-the-library"])
            section["names"] = []
            section += nodes.paragraph("", "What this page uses, and where it is described:")
            section += library_list()
            sections[-1] += section


def _counts(name: str) -> bool:
    module = name.rpartition(".")[0]
    return name != PACKAGE and is_covered(module)


def _uses(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return what each page uses, a part of the pickled environment."""
    if not hasattr(env, "library_uses"):
        env.library_uses = {}  # type: ignore[attr-defined]
    return env.library_uses  # type: ignore[attr-defined, no-any-return]


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _uses(env).pop(docname, None)


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    theirs = _uses(other)
    _uses(env).update({name: theirs[name] for name in docnames if name in theirs})


# ------------------------------------------------------------------------------------- relating


def find_entry(env: BuildEnvironment, name: str) -> ObjectEntry | None:
    """Return the entry of a name; for a method that of its class, for what is private its module's.

    None if there is no such thing in the reference.
    """
    objects = env.domains["py"].objects  # type: ignore[attr-defined]
    parts = name.split(".")
    for end in range(len(parts), 1, -1):
        entry = objects.get(".".join(parts[:end]))
        if entry is not None and entry.objtype in TOP_LEVEL:
            beyond = parts[end:]
            if entry.objtype == "module" and beyond and not beyond[0].startswith("_"):
                return None
            return entry  # type: ignore[no-any-return]
    return None


def entries_of(env: BuildEnvironment, docname: str) -> list[ObjectEntry]:
    """Return the entries of what a page uses, each once."""
    found = {}
    for name in _uses(env).get(docname, []):
        entry = find_entry(env, name)
        if entry is not None:
            found.setdefault(entry.node_id, entry)
    return list(found.values())


def users_of(env: BuildEnvironment, node_id: str) -> list[str]:
    """Return the pages that use an object, in the order of the book."""
    using = {
        page
        for page in _uses(env)
        if any(entry.node_id == node_id for entry in entries_of(env, page))
    }
    return [page for page in _in_order(env) if page in using]


def _in_order(env: BuildEnvironment) -> list[str]:
    order: list[str] = []

    def walk(page: str) -> None:
        order.append(page)
        for child in env.toctree_includes.get(page, []):
            if child not in order:
                walk(child)

    walk(env.config.root_doc)
    return order


def _find_changed(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages whose links have changed, to be written again."""
    links: dict[str, set[tuple[str, str]]] = {}
    for page in _uses(env):
        title = env.titles[page].astext()
        for entry in entries_of(env, page):
            links.setdefault(page, set()).add((entry.docname, entry.node_id))
            links.setdefault(entry.docname, set()).add((title, f"{page}: {entry.node_id}"))
    before = getattr(env, "library_links", {})
    env.library_links = links  # type: ignore[attr-defined]
    return sorted(
        page for page in {*links, *before} & env.found_docs if links.get(page) != before.get(page)
    )


# ------------------------------------------------------------------------------------- writing


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    env = app.env
    for name in _uses(env).get(docname, []):
        if find_entry(env, name) is None:
            logger.warning("%s is not in the API reference", name, location=docname)
    for place in list(doctree.findall(library_list)):
        place.replace_self(_list(app, docname))
    for description in list(doctree.findall(addnodes.desc)):
        if description["domain"] == "py" and description["objtype"] in TOP_LEVEL:
            _add_users(app, docname, description)
    for literal in list(doctree.findall(nodes.literal)):
        _link_literal(app, docname, literal)


def _list(app: Sphinx, docname: str) -> nodes.bullet_list:
    """Return the entries of what a page uses, one item for each page of the reference."""
    pages: dict[str, list[ObjectEntry]] = {}
    for entry in entries_of(app.env, docname):
        pages.setdefault(entry.docname, []).append(entry)
    result = nodes.bullet_list(classes=["from-the-library"])
    for page in (page for page in _in_order(app.env) if page in pages):
        line = nodes.paragraph(
            "", "", _link(app, docname, page, "", _title(app.env, page)), _text(": ")
        )
        found = sorted(pages[page], key=lambda entry: _short(entry).lower())
        for i, entry in enumerate(found):
            label = nodes.literal("", _short(entry))
            line += [_text(", ")] * (i > 0)
            line += _link(app, docname, page, entry.node_id, label)
        result += nodes.list_item("", line)
    return result


def _add_users(app: Sphinx, docname: str, description: addnodes.desc) -> None:
    signature, content = description[0], description[-1]
    if not isinstance(content, addnodes.desc_content) or not signature["ids"]:
        return
    users = users_of(app.env, signature["ids"][0])
    if not users:
        return
    line = nodes.paragraph("", "Used in ", classes=["used-in"])
    for i, page in enumerate(users):
        line += [_text(", ")] * (i > 0)
        line += _link(app, docname, page, "", _title(app.env, page))
    members = (i for i, n in enumerate(content) if isinstance(n, (addnodes.desc, addnodes.index)))
    content.insert(next(members, len(content)), line)


def _link_literal(app: Sphinx, docname: str, literal: nodes.literal) -> None:
    """Make a link of a full name, such as ``lessons_lib.linear.Ridge``."""
    name = literal.astext().removesuffix("()")
    if not name.startswith(f"{PACKAGE}.") or isinstance(literal.parent, nodes.reference):
        return
    entry = app.env.domains["py"].objects.get(name)  # type: ignore[attr-defined]
    if entry is not None:
        link = _link(app, docname, entry.docname, entry.node_id, literal.deepcopy())
        literal.replace_self(link)


def _title(env: BuildEnvironment, page: str) -> str:
    number = env.toc_secnumbers.get(page, {}).get("", ())
    title = env.titles[page].astext()
    return f"{'.'.join(map(str, number))}. {title}" if number else title


def _short(entry: ObjectEntry) -> str:
    return entry.node_id.removeprefix("module-").rpartition(".")[2]


def _text(text: str) -> nodes.Text:
    return nodes.Text(text)


def _link(
    app: Sphinx, docname: str, page: str, node_id: str, label: str | nodes.Node
) -> nodes.reference:
    address = app.builder.get_relative_uri(docname, page)
    content = nodes.Text(label) if isinstance(label, str) else label
    target = f"{address}#{node_id}" if node_id else address
    return nodes.reference("", "", content, internal=True, refuri=target)


def setup(app: Sphinx) -> None:
    app.add_node(library_list)
    app.add_transform(FromTheLibrary)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _find_changed)
    app.connect("doctree-resolved", resolve)
