"""Turn a Matplotlib figure into small, themable SVG, one piece for each panel.

Matplotlib's own SVG is a single picture in fixed colors. A page wants more: panels that stack on
a phone, colors that follow light and dark mode, text in the page's font, ids that cannot clash
with another figure's, and few bytes. :func:`panel_svgs` gives that.
"""

from __future__ import annotations

import hashlib
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["PanelSvg", "assign_panels", "compact_path", "panel_svgs"]

_PANEL_GID = re.compile(r"panel-(\d+)")
_REFERENCE = re.compile(r"#([\w.-]+)")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_PATH_TOKEN = re.compile(rf"[A-Za-z]|{_NUMBER.pattern}")
_POINTS_OF = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
# Matplotlib places mathematics glyph by glyph for DejaVu Sans; Verdana has the same widths.
_MATH_FONT = "'DejaVu Sans',Verdana,sans-serif"


@dataclass(frozen=True)
class PanelSvg:
    """One panel of a figure as SVG.

    Attributes
    ----------
    left, width, height : float
        Where the panel lies in the figure, in points (1/72 inch).
    elements : tuple of str
        The markup of each element, so that frames can share elements.
    """

    left: float
    width: float
    height: float
    elements: tuple[str, ...]

    @property
    def view_box(self) -> str:
        """The value of the ``viewBox`` attribute."""
        return " ".join(_number(v, 1) for v in (self.left, 0, self.width, self.height))

    @property
    def markup(self) -> str:
        """What stands between ``<svg>`` and ``</svg>``."""
        return "\n".join(self.elements)

    def svg(self) -> str:
        """Return the whole ``<svg>`` element; black is the color of the text around it."""
        return (
            f'<svg class="fig-panel" viewBox="{self.view_box}" aria-hidden="true"'
            f' width="{_number(self.width, 1)}" height="{_number(self.height, 1)}"'
            ' fill="currentColor" stroke-linejoin="round">\n'
            f"{self.markup}\n</svg>"
        )


def assign_panels(fig: Figure) -> list[list[Axes]]:
    """Sort the axes of a figure by the panel in which they lie.

    Axes made by :func:`lessons_lib.page.figures.panels` carry the tag ``panel-0``, ``panel-1``, …
    Others (a color bar, a twin axis) belong to the panel at their center.
    A figure without tags is one panel.

    Parameters
    ----------
    fig : Figure
        Axes without a tag get one.

    Returns
    -------
    list of list of Axes
        One list for each panel, from left to right.

    Raises
    ------
    ValueError
        If a figure of several panels has text or a legend of its own, which belongs to no panel.
    """
    tags = [_PANEL_GID.fullmatch(ax.get_gid() or "") for ax in fig.axes]
    n_panels = 1 + max((int(tag[1]) for tag in tags if tag), default=0)
    if n_panels > 1 and (fig.texts or fig.legends):
        raise ValueError(
            "a figure of several panels cannot have text or a legend of its own, because a phone "
            "shows the panels below each other: use ax.set_title, ax.text or ax.legend"
        )
    members: list[list[Axes]] = [[] for _ in range(n_panels)]
    for ax, tag in zip(fig.axes, tags, strict=True):
        box = ax.get_position()
        center = int((box.x0 + box.x1) / 2 * n_panels)
        index = int(tag[1]) if tag else min(max(center, 0), n_panels - 1)
        ax.set_gid(f"panel-{index}")
        members[index].append(ax)
    return members


def panel_svgs(fig: Figure, *, prefix: str, colors: Mapping[str, str]) -> list[PanelSvg]:
    """Draw a figure as SVG, cut into its panels.

    Parameters
    ----------
    fig : Figure
        Drawn with the settings now in force (see :func:`lessons_lib.page.figures.style`).
    prefix : str
        Begins every id, so that two figures on a page never share one.
    colors : mapping of str to str
        What to write instead of a color, e.g. ``{"#ffffff": "var(--fig-paper,#ffffff)"}``.

    Returns
    -------
    list of PanelSvg
        From left to right.
    """
    n_panels = len(assign_panels(fig))
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    fig.savefig(stream, format="svg", facecolor="none", edgecolor="none", metadata=nothing)
    root = ET.fromstring(stream.getvalue())

    definitions = {
        child.attrib["id"]: child
        for defs in _find_all(root, "defs")
        for child in defs
        if "id" in child.attrib
    }
    groups: list[list[ET.Element]] = [[] for _ in range(n_panels)]
    for child in next(_find_all(root, "g")):
        tag = _PANEL_GID.fullmatch(child.get("id", ""))
        if tag or n_panels == 1:
            groups[int(tag[1]) if tag else 0].append(child)

    width, height = (72 * float(inches) for inches in fig.get_size_inches())
    panel_width = width / n_panels
    panels = []
    for index, group in enumerate(groups):
        writer = _Writer(f"{prefix}-{index}-", definitions, colors)
        elements = tuple(writer.write(group))
        panels.append(PanelSvg(index * panel_width, panel_width, height, elements))
    return panels


def compact_path(data: str, digits: int = 1) -> str:
    """Rewrite SVG path data with relative, rounded coordinates.

    Every point is rounded to the grid first and steps are taken between rounded points,
    so that errors do not add up along the path.

    Parameters
    ----------
    data : str
        Absolute commands ``M``, ``L``, ``Q``, ``C`` and ``z``, as Matplotlib writes them.
    digits : int, default=1
        Digits after the decimal point.

    Returns
    -------
    str
        The same path with commands ``m``, ``l``, ``q``, ``c``, ``z``.

    Examples
    --------
    >>> compact_path("M 10 20 L 10.52 19.48 L 11 19 z")
    'm10 20l.5-.5 .5-.5z'
    """
    tokens = _PATH_TOKEN.findall(data)
    scale = 10**digits
    pieces: list[str] = []
    here = start = (0, 0)
    previous = ""
    position = 0
    while position < len(tokens):
        command = tokens[position].upper()
        n_points = _POINTS_OF[command]
        values = [round(float(v) * scale) for v in tokens[position + 1 :][: 2 * n_points]]
        position += 1 + 2 * n_points
        points = list(zip(values[::2], values[1::2], strict=True))
        steps = [step for x, y in points for step in (x - here[0], y - here[1])]
        # A repeated letter may be left out, except that "m" would then mean "l".
        letter = command.lower()
        pieces.append(_join_steps(steps, scale, "" if letter == previous != "m" else letter))
        previous = letter
        here = points[-1] if points else start
        start = here if command == "M" else start
    return "".join(pieces)


def _join_steps(steps: Iterable[int], scale: int, letter: str) -> str:
    """Write numbers with no more separators than SVG asks for."""
    text = letter
    for index, step in enumerate(steps):
        number = _number(step / scale, 6)
        needs_space = not number.startswith("-") and (index > 0 or not letter)
        text += f" {number}" if needs_space else number
    return text


def _number(value: float, digits: int) -> str:
    """Write a number as short as SVG allows: ``-0.50`` becomes ``-.5``."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = re.sub(r"^(-?)0\.", r"\1.", text)
    return "0" if text in ("-0", "-", "") else text


def _round_numbers(text: str, digits: int) -> str:
    return _NUMBER.sub(lambda match: _number(float(match[0]), digits), text)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _find_all(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element.iter() if _name(child) == name)


def _parse_style(text: str) -> dict[str, str]:
    pairs = (item.partition(":") for item in text.split(";") if item.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


class _Writer:
    """Writes the elements of one panel, and the definitions that they refer to."""

    def __init__(
        self, prefix: str, definitions: Mapping[str, ET.Element], colors: Mapping[str, str]
    ) -> None:
        self.prefix = prefix
        self.definitions = definitions
        self.colors = colors
        self.used: dict[str, None] = {}  # an ordered set of ids

    def write(self, elements: Iterable[ET.Element]) -> list[str]:
        """Return the markup of each element, definitions first."""
        body = [text for element in elements for text in self.markup(element)]
        head: list[str] = []
        written = 0
        while written < len(self.used):  # a definition may refer to a further one
            element = self.definitions[list(self.used)[written]]
            head += self.markup(element, digits=2)
            written += 1
        return ["<defs>" + "".join(head) + "</defs>", *body] if head else body

    def markup(self, element: ET.Element, digits: int = 1) -> list[str]:
        """Return the markup of one element; of those in it if it is a group without meaning."""
        name = _name(element)
        if name in ("defs", "metadata"):
            return []
        math = next(_find_all(element, "tspan"), None) if name == "g" else None
        if math is not None and not self._has_groups(element):
            return self._math(element)
        attributes = self.attributes(element, digits)
        inner = [text for child in element for text in self.markup(child, digits)]
        if name == "g" and (not attributes or not inner):
            return inner
        # An opaque nothing, such as the invisible background of axes.
        if name == "path" and "fill:none" in attributes and "stroke" not in attributes:
            return []
        if inner:
            return [f"<{name}{attributes}>" + "".join(inner) + f"</{name}>"]
        text = escape(element.text or "", quote=False)
        return [
            f"<{name}{attributes}>{text}</{name}>" if text.strip() else f"<{name}{attributes}/>"
        ]

    def attributes(self, element: ET.Element, digits: int) -> str:
        """Return the attributes that the page needs, with a space before each."""
        kept: dict[str, str] = {}
        for key, value in element.attrib.items():
            if key == "id":
                if value.startswith("fig-"):  # a gid set by the figure's author
                    kept["class"] = value.rstrip("-0123456789")
                elif value in self.definitions:
                    kept["id"] = self.rename(value)
            elif key == "style":
                kept["style"] = self.style(value)
            elif key == "d":
                kept["d"] = compact_path(value, digits)
            elif key == _XLINK_HREF:
                kept["href"] = self.refer(value)
            elif key == "transform":
                kept["transform"] = self.transform(value)
            elif key in ("x", "y", "width", "height"):
                kept[key] = _round_numbers(value, digits)
            else:
                kept[key] = self.refer(value)
        return "".join(f' {key}="{escape(value)}"' for key, value in kept.items() if value)

    def rename(self, identifier: str) -> str:
        """Return a short id; it is the same in every frame, since Matplotlib's is."""
        return self.prefix + hashlib.blake2s(identifier.encode(), digest_size=4).hexdigest()

    def refer(self, value: str) -> str:
        """Note which definitions a value refers to, and use their prefixed ids."""

        def replace(match: re.Match[str]) -> str:
            if match[1] not in self.definitions:
                return match[0]
            self.used[match[1]] = None
            return "#" + self.rename(match[1])

        return value if value.startswith("data:") else _REFERENCE.sub(replace, value)

    def style(self, text: str) -> str:
        """Return a style with themed colors, rounded numbers and without the defaults."""
        style = _parse_style(text)
        style.pop("font-family", None)
        if style.get("text-anchor") == "start":
            del style["text-anchor"]
        if "stroke-dasharray" in style:
            style["stroke-dasharray"] = _round_numbers(style["stroke-dasharray"], 1)
            if float(style.get("stroke-dashoffset", 1)) == 0:
                del style["stroke-dashoffset"]
        return ";".join(
            f"{key}:{self.colors.get(value) or self.refer(value)}" for key, value in style.items()
        )

    def transform(self, text: str) -> str:
        """Return a transform, or nothing if it is a rotation by zero."""
        if re.match(r"rotate\(-?0[ ,)]", text):
            return ""
        return _round_numbers(text, 2 if "matrix" in text else 1)

    def _has_groups(self, element: ET.Element) -> bool:
        return sum(1 for _ in _find_all(element, "g")) > 1

    def _math(self, group: ET.Element) -> list[str]:
        """Write mathematics with one ``tspan`` a run of glyphs instead of one a glyph.

        The browser then spaces the glyphs for the font that it has; the whole is centered where
        Matplotlib centered it. Fractions and roots, which have lines at fixed places, keep
        Matplotlib's place for every glyph.
        """
        glyphs = sorted(_find_all(group, "tspan"), key=lambda glyph: float(glyph.attrib["x"]))
        bars = "".join("".join(self.markup(bar)) for bar in _find_all(group, "rect"))
        runs: list[_Run] = []
        for glyph in glyphs:
            style, text = self.style(glyph.attrib["style"]), glyph.text or ""
            x, y = float(glyph.attrib["x"]), float(glyph.attrib["y"])
            if runs and not bars and (runs[-1].style, runs[-1].y) == (style, y):
                runs[-1].text += text
            else:
                runs.append(_Run(style, x, y, text))
        attributes = self.attributes(group, 1)
        if bars:
            text = "".join(run.fixed() for run in runs)
            glyph_font = f'font-family="{_MATH_FONT}"'
            return [f"<g{attributes}><text {glyph_font}>{text}</text>{bars}</g>"]
        last = glyphs[-1]
        size = float(_parse_style(last.attrib["style"])["font-size"].removesuffix("px"))
        middle = _number((float(last.attrib["x"]) + 0.6 * size) / 2, 1)
        baselines = [0.0, *(run.y for run in runs)]
        text = "".join(run.flowing(base) for run, base in zip(runs, baselines, strict=False))
        return [f'<g{attributes}><text x="{middle}" text-anchor="middle">{text}</text></g>']


@dataclass
class _Run:
    """Glyphs of one style on one baseline."""

    style: str
    x: float
    y: float
    text: str

    def fixed(self) -> str:
        """Return a ``tspan`` at Matplotlib's place."""
        return self._tspan(f'x="{_number(self.x, 1)}" y="{_number(self.y, 1)}"')

    def flowing(self, baseline: float) -> str:
        """Return a ``tspan`` that follows the one before it, which stands on ``baseline``."""
        return self._tspan(f'dy="{_number(self.y - baseline, 1)}"')

    def _tspan(self, place: str) -> str:
        return f'<tspan {place} style="{self.style}">{escape(self.text, quote=False)}</tspan>'
