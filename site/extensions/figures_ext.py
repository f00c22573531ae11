"""Turn the figures and explorables of notebooks into numbered figures of the book.

``lessons_lib.page.figures.show`` and ``lessons_lib.page.explore.explore`` leave one block of HTML
in a notebook's output when the book is built. This extension reads the block back and
puts a docutils ``figure`` in its place, so that it is numbered, its caption is parsed
like the prose of the lesson, and ``{numref}`` can refer to it. The frames of an
explorable are moved out of the page, into a script of their own in
``_static/explorables/`` that the page loads when a reader comes near.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.transforms import SphinxTransform

__all__ = ["FigureTransform", "parse_output", "payload_script", "setup", "take_payload"]

_OPENING = '<figure class="lessons-figure"'
_OUTPUT = re.compile(
    rf'\s*{_OPENING} data-figure="([^"]*)">\n(.*)\n'
    r"<figcaption>.*</figcaption>\n</figure>\s*",
    re.DOTALL,
)
_PAYLOAD = re.compile(
    r'\n<script type="application/json" class="explorable-frames">(.*?)</script>',
    re.DOTALL,
)
_DIGEST = re.compile(r'data-explorable="([0-9a-f]+)"')


def parse_output(text: str) -> tuple[str, str, str | None] | None:
    """Return body, caption and name of a figure in a notebook's output.

    Parameters
    ----------
    text : str
        The HTML of an output.

    Returns
    -------
    tuple or None
        None if the output is not one of our figures.

    Raises
    ------
    ValueError
        If it begins like one but is not complete.
    """
    if not text.lstrip().startswith(_OPENING):
        return None
    match = _OUTPUT.fullmatch(text)
    if match is None:
        raise ValueError("a figure is damaged: it has no data or no caption")
    data = json.loads(html.unescape(match[1]))
    return match[2], data["caption"], data["name"]


def take_payload(body: str) -> tuple[str, str, str] | None:
    """Take the frames out of the body of an explorable.

    Parameters
    ----------
    body : str
        The body of a figure.

    Returns
    -------
    tuple or None
        The body without frames, the digest that names them, and the frames as JSON;
        None if the figure is not an explorable.
    """
    payload, digest = _PAYLOAD.search(body), _DIGEST.search(body)
    if payload is None or digest is None:
        return None
    return body[: payload.start()] + body[payload.end() :], digest[1], payload[1]


def payload_script(digest: str, payload: str) -> str:
    """Return the script that hands frames to ``explorable.js``.

    A script, unlike data, also loads when the page was opened as a file.
    """
    return f'(window.explorables??={{}})["{digest}"]={payload};\n'


class FigureTransform(SphinxTransform):
    """Replace the outputs that hold figures by docutils figures."""

    default_priority = 200  # before labels are collected and figures numbered

    def apply(self, **kwargs: Any) -> None:
        """Transform one document."""
        for raw in list(self.document.findall(nodes.raw)):
            if raw.get("format") != "html":
                continue
            try:
                parsed = parse_output(raw.astext())
                if parsed is not None:
                    _outermost(raw).replace_self(self.figure(raw, *parsed))
            except ValueError as error:
                place = raw.source or self.env.docname
                raise SphinxError(f"{place}: {error}") from error

    def figure(self, raw: nodes.raw, body: str, caption: str, name: str | None) -> nodes.figure:
        """Return the figure, and store the frames of an explorable."""
        taken = take_payload(body)
        if taken is not None:
            body, digest, payload = taken
            file = _store(self.app) / f"{digest}.js"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(payload_script(digest, payload), encoding="utf-8")
            _explorables(self.env).setdefault(self.env.docname, set()).add(digest)
        kind = "lesson-explorable" if taken else "lesson-figure"
        figure = nodes.figure(classes=[kind])
        figure.source, figure.line = raw.source, raw.line
        figure += nodes.raw("", body, format="html")
        figure += nodes.caption(caption, "", *self.inline(caption))
        if name is not None:
            figure["names"].append(name)
            self.document.note_explicit_target(figure, figure)
        return figure

    def inline(self, markdown: str) -> list[nodes.Node]:
        """Parse a caption as MyST parses the prose around it."""
        config = self.env.myst_config.copy()
        config.enable_extensions = {*config.enable_extensions, "dollarmath"}
        parser = create_md_parser(config, SphinxRenderer)
        holder = nodes.container()
        parser.options["document"] = self.document
        parser.options["current_node"] = holder
        renderer = cast(SphinxRenderer, parser.renderer)
        renderer.setup_render(parser.options, {})
        renderer.nested_render_text(markdown, 0, inline=True)
        return list(holder.children)


def _outermost(raw: nodes.raw) -> nodes.Element:
    """Return what MyST-NB made of the output; it holds the other formats too."""
    node: nodes.Element = raw
    while "mime_type" in node.parent or node.parent.get("nb_element") == "mime_bundle":
        node = node.parent
    return node


# ------------------------------------------------------------------------------------
# Frames are stored beside the doctrees when a page is read, and copied to the output
# when a build ends.


def _store(app: Sphinx) -> Path:
    return Path(app.doctreedir) / "explorables"


def _explorables(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the digests of the explorables of each page."""
    if not hasattr(env, "explorables"):
        env.explorables = {}  # type: ignore[attr-defined]
    return env.explorables  # type: ignore[attr-defined,no-any-return]


def _find_outdated(
    app: Sphinx,
    env: BuildEnvironment,
    added: set[str],
    changed: set[str],
    removed: set[str],
) -> list[str]:
    """Read a page again if its stored frames are gone."""
    return [
        page
        for page, digests in _explorables(env).items()
        if page not in removed
        and any(not (_store(app) / f"{digest}.js").is_file() for digest in digests)
    ]


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _explorables(env).pop(docname, None)


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    pages = _explorables(other)
    _explorables(env).update({name: pages[name] for name in docnames if name in pages})


def _add_script(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the script on pages that have explorables."""
    if pagename in _explorables(app.env):
        app.add_js_file("explorable.js", loading_method="defer")


def _copy_frames(app: Sphinx, exception: Exception | None) -> None:
    """Make the output hold the frames of the current pages: no more, no fewer."""
    if exception is not None or app.builder.format != "html":
        return
    wanted = {f"{d}.js" for used in _explorables(app.env).values() for d in used}
    target = Path(app.outdir) / "_static" / "explorables"
    target.mkdir(parents=True, exist_ok=True)
    for folder in (target, _store(app)):
        for file in folder.glob("*.js"):
            if file.name not in wanted:
                file.unlink()
    for name in sorted(wanted):
        if not (target / name).is_file():
            shutil.copyfile(_store(app) / name, target / name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(FigureTransform)
    app.add_css_file("figures.css")
    app.connect("env-get-outdated", _find_outdated)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _copy_frames)
    safe = {"parallel_read_safe": True, "parallel_write_safe": True}
    return {"version": "1", "env_version": 1, **safe}
