"""Remove from the built site what no page uses, above all the theme's two thousand icons."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx

UNUSED = (
    "_static/**/*.map",
    "_static/**/*.LICENSE.txt",
    "_static/scripts/fontawesome.js",
    "_static/locales",
    "_static/sbt-webpack-macros.html",
    "_static/webpack-macros.html",
    "_static/images/logo_colab.png",
    "_static/images/logo_deepnote.svg",
    "_static/images/logo_jupyterhub.svg",
    "_static/images/logo_jupyterlite.svg",
    "_static/vendor/fontawesome/webfonts/*.ttf",
)
STYLE = "_static/styles/pydata-sphinx-theme.css"
FONTS = "_static/vendor/fontawesome/webfonts"
# `.fa-sun:before{content:"\f185"}`, perhaps with several names before the brace.
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"([^"]+)"\}')
# The theme loads Sphinx's search on every page; the book has its own, on one page.
SEARCH = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")


def trim(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    source = _theme_static(app)
    _trim_icons(out, source)
    _trim_search(out)
    for pattern in UNUSED:
        for path in out.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _trim_search(out: Path) -> None:
    """Load nothing of Sphinx's search."""
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if SEARCH.search(text):
            page.write_text(SEARCH.sub("", text), encoding="utf-8")


def _theme_static(app: Sphinx) -> Path:
    """Return the static folder of the theme that ships the icons."""
    import pydata_sphinx_theme

    return Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"


def _names_in_use(out: Path) -> set[str]:
    files = [*out.rglob("*.html"), *(out / "_static" / "scripts").glob("*-theme.js")]
    return {name for file in files for name in ICON_NAME.findall(file.read_text(encoding="utf-8"))}


def _trim_icons(out: Path, source: Path) -> None:
    """Keep the style rules of the icons in use and cut the icon fonts to their glyphs."""
    names = _names_in_use(out)
    style = (source / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")

    def keep(match: re.Match[str]) -> str:
        return match.group() if names & set(ICON_NAME.findall(match.group(1))) else ""

    style = ICON_RULE.sub(keep, style)
    (out / STYLE).write_text(style, encoding="utf-8")
    for font in (out / FONTS).glob("*.woff2"):
        _subset(source / "vendor/fontawesome/webfonts" / font.name, font, _code_points(style))


def _code_points(style: str) -> set[int]:
    r"""Return the code points in ``"\f185"`` and ``""`` strings of a style sheet."""
    escaped = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{2,5})"', style)}
    literal = {ord(character) for character in style if ord(character) > 127}
    return escaped | literal


def _subset(source: Path, target: Path, code_points: Iterable[int]) -> None:
    options = subset.Options(flavor="woff2", desubroutinize=True, notdef_outline=True)
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=code_points)
    subsetter.subset(font)
    subset.save_font(font, str(target), options)


def setup(app: Sphinx) -> None:
    # It tells about every table of a font, at a level that Sphinx shows.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    app.connect("build-finished", trim, priority=900)
