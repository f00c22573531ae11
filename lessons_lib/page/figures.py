"""How every figure of the book looks, and the one way to show it.

A figure is made by :func:`panels`, drawn with the colors, dashes and markers of :func:`role`,
labeled by :func:`label_line` or :func:`label_lines`, and shown by :func:`show`.

>>> import numpy as np
>>> x = np.linspace(0, 1, 50)
>>> fig, (ax,) = panels(1)
>>> lines = ax.plot(x, 1 - x, **role("train"))
>>> lines += ax.plot(x, 1 - x + x**2, **role("test"))
>>> label = label_line(ax, 1, 1, "test", "test")
"""

from __future__ import annotations

import base64
import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import LogFormatter, LogFormatterSciNotation, NullLocator
from scipy.optimize import isotonic_regression

from lessons_lib.page._output import (
    check_texts,
    digest,
    display_caption,
    display_output,
    figure_html,
    is_static,
    picture_html,
)
from lessons_lib.page._svg import PanelSvg, assign_panels, panel_svgs

__all__ = [
    "COLORS",
    "ROLES",
    "Color",
    "Role",
    "label_line",
    "label_lines",
    "panels",
    "role",
    "show",
    "style",
    "use_style",
]

# --------------------------------------------------------------------------------------------
# Colors and roles


@dataclass(frozen=True)
class Color:
    """A color of the book, for lines, for text and for dark mode.

    Attributes
    ----------
    line : str
        For lines, markers and areas on white: contrast at least 3:1.
    text : str
        For text on white: the same hue, contrast at least 4.5:1.
    dark : str
        For all of these in dark mode: contrast at least 4.5:1 on the page.
    """

    line: str
    text: str
    dark: str


#: The palette of Okabe and Ito (2008), *Color Universal Design*, darkened on white where a color
#: would otherwise have a contrast below 3:1, and lightened in dark mode. ``olive`` is its yellow.
COLORS: Mapping[str, Color] = MappingProxyType(
    {
        "blue": Color("#0072b2", "#0072b2", "#5b9bd5"),
        "vermillion": Color("#d55e00", "#b84f00", "#f0793a"),
        "green": Color("#009e73", "#007d5b", "#2fbf93"),
        "purple": Color("#c2669a", "#a3527f", "#e0a0c4"),
        "orange": Color("#c38600", "#8f6200", "#f0b030"),
        "sky": Color("#3f94c4", "#2a76a2", "#9bdcff"),
        "olive": Color("#8a8200", "#736c00", "#f0e442"),
        "gray": Color("#6b6b6b", "#6b6b6b", "#a0a7b0"),
        "ink": Color("#000000", "#000000", "#ced6dd"),
    }
)

_GRID = Color("#d9d9d9", "#d9d9d9", "#3d3d3d")
_PAPER = Color("#ffffff", "#ffffff", "#121212")


@dataclass(frozen=True)
class Role:
    """How one thing looks throughout the book.

    Attributes
    ----------
    color : str
        A key of :data:`COLORS`.
    dashes : tuple of float
        Lengths of dashes and gaps, in line widths; empty for a solid line.
    marker : str
        A marker of Matplotlib.
    line : bool
        Whether the role has a line at all; observations are points only.
    """

    color: str
    dashes: tuple[float, ...]
    marker: str
    line: bool = True


_SOLID = ()
_DASHED = (4.5, 1.8)
_DOTTED = (1.0, 1.4)
_DASH_DOT = (6.0, 1.6, 1.0, 1.6)
_LONG = (9.0, 2.2)
_DASH_DOT_DOT = (5.0, 1.4, 1.0, 1.4, 1.0, 1.4)

#: What each thing looks like. No two roles share dashes and marker, so that color is never all
#: that tells them apart; training, validation and test differ in their dashes alone already.
ROLES: Mapping[str, Role] = MappingProxyType(
    {
        # Errors and curves.
        "train": Role("blue", _SOLID, "o"),
        "validation": Role("green", _DASHED, "s"),
        "test": Role("vermillion", _DASH_DOT, "^"),
        "truth": Role("ink", _DOTTED, "."),
        "data": Role("gray", _SOLID, "x", line=False),
        # The parts of the expected error.
        "bias": Role("purple", _LONG, "d"),
        "variance": Role("sky", _DASH_DOT_DOT, "p"),
        "noise": Role("gray", _DOTTED, "1"),
        # Techniques.
        "none": Role("gray", _LONG, "+"),
        "l1": Role("vermillion", _SOLID, "D"),
        "l2": Role("blue", _DASHED, "v"),
        "elastic_net": Role("purple", _DASH_DOT, "h"),
        "dropout": Role("green", _SOLID, "X"),
        "batch_norm": Role("sky", _DASHED, "P"),
        "early_stopping": Role("orange", _DASH_DOT, "<"),
        "augmentation": Role("olive", _DASH_DOT_DOT, "*"),
        "ensemble": Role("ink", _SOLID, ">"),
        "sgd": Role("ink", _DASHED, "8"),
    }
)


def role(name: str, *, line: bool = True, marker: bool = True) -> dict[str, Any]:
    """Return the keyword arguments with which ``ax.plot`` draws a role.

    With a line and markers, about eight markers are spread over the line, however many points
    it has.

    Parameters
    ----------
    name : str
        A key of :data:`ROLES`.
    line : bool, default=True
        ``False`` draws a marker at every point and no line.
    marker : bool, default=True
        ``False`` draws the line alone.

    Returns
    -------
    dict
        Keyword arguments of :class:`matplotlib.lines.Line2D`.

    Raises
    ------
    ValueError
        If there is no such role, or neither line nor markers are left.

    Examples
    --------
    >>> role("train", marker=False)
    {'color': '#0072b2', 'linestyle': 'solid', 'linewidth': 1.8, 'marker': 'none'}
    """
    look = _role(name)
    line = line and look.line
    if not (line or marker):
        raise ValueError(f"role {name!r} without line and without markers draws nothing")
    linestyle: Any = "none"
    if line:
        linestyle = (0.0, look.dashes) if look.dashes else "solid"
    keywords: dict[str, Any] = {
        "color": COLORS[look.color].line,
        "linestyle": linestyle,
        "linewidth": 1.8,
        "marker": look.marker if marker else "none",
    }
    if marker:
        keywords |= {"markersize": 4.5, "markeredgewidth": 1.2}
    if line and marker:
        keywords["markevery"] = 0.12  # of the diagonal of the axes
    return keywords


def _role(name: str) -> Role:
    if name not in ROLES:
        raise ValueError(f"name must be one of {', '.join(ROLES)}; got {name!r}")
    return ROLES[name]


# --------------------------------------------------------------------------------------------
# Style

# Sizes are in points; a page shows a point as about 1.4 CSS pixels, so 8.5 becomes 12 pixels.
_SETTINGS: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLORS["gray"].line,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(
        color=[COLORS[c].line for c in ("blue", "vermillion", "green", "purple", "orange", "gray")],
        linestyle=["-", "--", "-.", (0, _LONG), (0, _DASH_DOT_DOT), ":"],
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titley": 1.0,  # fixed: looking for room above the ticks takes a quarter of the time
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],  # comes with Matplotlib, so the layout is the same everywhere
    "font.size": 9,
    "grid.color": _GRID.line,
    "grid.linewidth": 0.6,
    "legend.borderaxespad": 0.2,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "path.simplify": True,
    "path.simplify_threshold": 0.12,  # in points
    "savefig.bbox": "standard",
    "svg.fonttype": "none",
    "svg.hashsalt": "lessons_lib",
    "xtick.color": COLORS["gray"].line,
    "xtick.labelcolor": "black",
    "xtick.labelsize": 8.5,
    "ytick.color": COLORS["gray"].line,
    "ytick.labelcolor": "black",
    "ytick.labelsize": 8.5,
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Apply the book's style within a ``with`` block or, as ``@style()``, within a function."""
    with mpl.rc_context(_SETTINGS):
        yield


def use_style() -> None:
    """Apply the book's style from here on; a notebook does so in its first cell."""
    mpl.rcParams.update(_SETTINGS)


# --------------------------------------------------------------------------------------------
# Panels and labels

# Width of one panel in inches, by the number of panels. On a desktop the page scales the whole
# figure to its column, on a phone each panel: these widths keep text legible in both.
_PANEL_WIDTH = {1: 3.9, 2: 3.4, 3: 2.4}
_TOP, _BOTTOM = 0.3, 0.5


@style()
def panels(
    n: int = 1,
    *,
    height: float = 2.6,
    left: float = 0.68,
    right: float = 0.14,
    sharex: bool = False,
    sharey: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` panels side by side, which a phone shows below each other.

    Each panel has an equal part of the width, and its labels lie within that part. All panels
    of one size have their axes at the same place, so that the frames of an explorable do not
    jump.

    Parameters
    ----------
    n : {1, 2, 3}, default=1
        Number of panels.
    height : float, default=2.6
        Height of the figure in inches. A panel is 3.9, 3.4 or 2.4 inches wide for 1, 2 or 3 panels.
    left, right : float, default=0.68 and 0.14
        Room left and right of the axes of each panel, in inches. Wide tick labels need more of the
        first, labels at the ends of lines need more of the second.
    sharex, sharey : bool, default=False
        Give all panels the same limits. Each keeps its tick labels, since it may stand alone.

    Returns
    -------
    fig : Figure
        Not known to pyplot, so it needs no closing.
    axes : list of Axes
        One for each panel.

    Raises
    ------
    ValueError
        If ``n`` is not 1, 2 or 3, or the margins leave no room.
    """
    if n not in _PANEL_WIDTH:
        raise ValueError(f"n must be 1, 2 or 3; got {n!r}")
    panel_width = _PANEL_WIDTH[n]
    if min(left, right) < 0 or left + right > panel_width - 0.5 or height < _TOP + _BOTTOM + 0.5:
        raise ValueError(
            f"height, left and right must leave at least half an inch for the axes of a panel "
            f"{panel_width} inches wide; got height={height}, left={left}, right={right}"
        )
    width = n * panel_width
    fig = Figure(figsize=(width, height))
    axes: list[Axes] = []
    for index in range(n):
        box = (
            (index * panel_width + left) / width,
            _BOTTOM / height,
            (panel_width - left - right) / width,
            (height - _TOP - _BOTTOM) / height,
        )
        first = axes[0] if axes else None
        sharing: dict[str, Any] = {"sharex": first if sharex else None}
        sharing["sharey"] = first if sharey else None
        axes.append(fig.add_axes(box, **sharing))
        axes[-1].set_gid(f"panel-{index}")
    return fig, axes


def label_line(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    name: str,
    *,
    dx: float = 5,
    dy: float = 0,
    ha: str = "left",
) -> Annotation:
    """Write a label in the color of a role beside a point of its line.

    Parameters
    ----------
    ax : Axes
        The axes to label.
    x, y : float
        The point, in data coordinates.
    text : str
        The label.
    name : str
        A key of :data:`ROLES`.
    dx, dy : float, default=5 and 0
        How far right and up of the point the label stands, in points.
    ha : {"left", "center", "right"}, default="left"
        Which end of the label stands there.

    Returns
    -------
    Annotation
        The label.
    """
    return ax.annotate(
        text,
        (x, y),
        xytext=(dx, dy),
        textcoords="offset points",
        color=COLORS[_role(name).color].text,
        fontsize=9,
        ha=ha,
        va="center",
        annotation_clip=False,
        gid="fig-label",  # the page gives it a halo, so that lines behind do not cross it
    )


def label_lines(
    ax: Axes, labels: Sequence[tuple[float, float, str, str]], *, dx: float = 5, gap: float = 11
) -> list[Annotation]:
    r"""Label several lines, moving labels up and down as little as keeps them apart.

    With sorted places :math:`y_i` and a gap :math:`g` it solves

    .. math:: \min_z \sum_i (z_i - y_i)^2 \quad\text{with}\quad z_{i+1} - z_i \ge g,

    which is an isotonic regression of :math:`y_i - i g`.

    Parameters
    ----------
    ax : Axes
        The axes to label; set their limits and scales first.
    labels : sequence of tuple
        For each label ``x, y, text, name`` as for :func:`label_line`.
    dx : float, default=5
        How far right of their points the labels stand, in points.
    gap : float, default=11
        The least distance between the middles of two labels, in points.

    Returns
    -------
    list of Annotation
        The labels, in the given order.

    Examples
    --------
    >>> fig, (ax,) = panels(1)
    >>> labels = label_lines(ax, [(1, 0.50, "train", "train"), (1, 0.51, "test", "test")])
    >>> [round(label.xyann[1]) for label in labels]
    [-5, 5]
    """
    if not labels:
        return []
    points = ax.transData.transform([(x, y) for x, y, _, _ in labels])
    heights = points[:, 1] * 72 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(labels))
    apart = isotonic_regression(heights[order] - steps).x + steps
    shifts = np.empty(len(labels))
    shifts[order] = apart - heights[order]
    return [
        label_line(ax, x, y, text, name, dx=dx, dy=float(dy))
        for (x, y, text, name), dy in zip(labels, shifts, strict=True)
    ]


# --------------------------------------------------------------------------------------------
# Showing


def show(fig: Figure, *, caption: str, alt: str, name: str | None = None) -> None:
    """Show a figure with its caption.

    In Jupyter it appears as an image with the caption below it. In the built book it becomes a
    numbered figure, in SVG that follows light and dark mode, to which ``{numref}`` can refer.

    Parameters
    ----------
    fig : Figure
        Is closed.
    caption : str
        What to see in it: one paragraph of Markdown, mathematics between dollar signs.
        Numbers in it must be rounded, since the stored notebook is compared with a new run.
    alt : str
        What it shows, for readers who do not see it: plain text, not the caption again.
    name : str, optional
        For references to it, e.g. ``fig-degree``: lower-case letters, digits and hyphens.

    Raises
    ------
    TypeError
        If ``fig`` is not a figure.
    ValueError
        If caption or alt is empty, the two are equal, or the name has other characters; in the
        book's build also if a label reaches beyond its panel.
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"fig must be a matplotlib Figure; got {type(fig).__name__}")
    caption, alt = check_texts(caption, alt, name)
    plt.close(fig)
    if not is_static():
        width, height = (round(120 * float(inches)) for inches in fig.get_size_inches())
        display_output(
            {"image/png": _png(fig), "text/plain": f"Figure: {alt}"},
            {"image/png": {"width": width, "height": height}},  # in CSS pixels
        )
        display_caption(caption)
        return
    drawn = draw_svg(fig, prefix=name or digest(caption, alt))
    body = picture_html(drawn, alt)
    display_output({"text/html": figure_html(body, caption, name), "text/plain": f"Figure: {alt}"})


@style()
def _png(fig: Figure) -> str:
    """Draw a figure for Jupyter, at twice the pixels at which it is shown."""
    _plain_log_ticks(fig)
    stream = io.BytesIO()
    fig.savefig(stream, format="png", dpi=200, facecolor="white")
    return base64.b64encode(stream.getvalue()).decode()


@style()
def draw_svg(
    fig: Figure, *, prefix: str, check: bool = True, themed: bool = True
) -> list[PanelSvg]:
    """Draw a figure as SVG, one piece for each panel."""
    _plain_log_ticks(fig)
    if check:
        _check_ink(fig)
    return panel_svgs(fig, prefix=prefix, colors=_theme() if themed else {})


class _PowerFormatter(LogFormatter):
    """Labels of a logarithmic axis as plain text: 0.01, 0.1, 1 or 10⁻⁶, 10⁻⁵.

    Text takes the page's font, and is drawn ten times faster than Matplotlib's mathematics.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):
            return ""  # a minor tick that has no label
        low, high = sorted(self.axis.get_view_interval()) if self.axis else (x, x)
        if low >= 0.999e-3 and high <= 1.001e4:
            return f"{x:g}"
        exponent = math.floor(math.log10(x) + 1e-9)
        factor = round(x / 10.0**exponent)
        power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return power if factor == 1 else f"{factor}·{power}"


def _plain_log_ticks(fig: Figure) -> None:
    """Replace Matplotlib's default ticks of logarithmic axes; keep what an author has set.

    Minor ticks stay on axes too short to have several labels. Elsewhere they say little, and
    drawing them takes longer than all the rest.
    """
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() != "log":
                continue
            if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
                axis.set_major_formatter(_PowerFormatter())
            if isinstance(axis.get_minor_formatter(), LogFormatterSciNotation):
                axis.set_minor_formatter(_PowerFormatter(minor_thresholds=(1, 0.4)))
                low, high = sorted(axis.get_view_interval())
                if high / low > 30:
                    axis.set_minor_locator(NullLocator())


def _theme() -> dict[str, str]:
    """Map each color of the book to the CSS variable that holds it in light and dark mode."""
    theme = {}
    for name, color in {"paper": _PAPER, "grid": _GRID, **COLORS}.items():
        theme[color.text] = f"var(--fig-{name}-text,{color.text})"
        theme[color.line] = f"var(--fig-{name},{color.line})"  # the same where the two are equal
    return theme | {COLORS["ink"].line: "currentColor"}


def _check_ink(fig: Figure) -> None:
    """Raise a ValueError if a label of a panel would be cut off, or lie in the next panel."""
    members = assign_panels(fig)
    renderer = FigureCanvasAgg(fig).get_renderer()  # type: ignore[no-untyped-call]
    width = fig.bbox.width / len(members)
    slack = fig.dpi / 72  # one point
    for index, axes in enumerate(members):
        limits = {
            "left": index * width,
            "bottom": 0.0,
            "right": (index + 1) * width,
            "top": fig.bbox.height,
        }
        for ax in axes:
            box = ax.get_tightbbox(renderer)
            if box is None:
                continue
            beyond = {
                "left": limits["left"] - box.x0,
                "bottom": limits["bottom"] - box.y0,
                "right": box.x1 - limits["right"],
                "top": box.y1 - limits["top"],
            }
            for side, excess in beyond.items():
                if excess > slack:
                    raise ValueError(
                        f"panel {index + 1} of the figure reaches {excess / fig.dpi:.2f} inches "
                        f"beyond its {side} edge: give panels() more room there "
                        "(left=, right=, height=) or shorten the label"
                    )
