"""Figures that a reader moves, with a kernel and without one.

:func:`explore` takes a function that draws a figure for given values, and the values of each of its
parameters. In Jupyter it shows sliders and draws on demand. In the built book it draws every
frame once, at build time, and the page shows the frame for the place of its native sliders.

Frames of one explorable share most of their markup: axes, ticks, labels, data. So each element of
SVG is stored once, and a frame is a list of elements (:func:`encode_frames`). The page replaces
only the elements in which two frames differ.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lessons_lib.page import figures
from lessons_lib.page._output import (
    check_texts,
    display_caption,
    display_output,
    figure_html,
    is_static,
    picture_html,
)
from lessons_lib.page._output import digest as make_digest
from lessons_lib.page._svg import PanelSvg

__all__ = [
    "MAX_FRAMES",
    "PAYLOAD_BUDGET",
    "Explorable",
    "Grid",
    "decode_frames",
    "encode_frames",
    "explore",
    "payload_size",
]

#: The most frames of one explorable.
MAX_FRAMES = 400
#: The most bytes that the frames of one explorable may take, compressed by gzip.
PAYLOAD_BUDGET = 150_000

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Grid:
    """The values of one parameter, and how they are written.

    Parameters
    ----------
    values : sequence
        Numbers or texts, all different, in the order of the slider.
    label : str, default=""
        The slider's label; if empty, the parameter's name with a capital.
    unit : str, default=""
        Written after the value.
    format : str, default="{:g}"
        How a number is written, for :meth:`str.format`.
    start : object, optional
        The value shown first; if None, the middle one.

    Examples
    --------
    >>> Grid([0.5, 1.0, 2.0]).texts
    ('0.5', '1', '2')
    """

    values: Sequence[Any]
    label: str = ""
    unit: str = ""
    format: str = "{:g}"
    start: Any = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Each value with its unit, as the reader sees it."""
        suffix = f"\N{NO-BREAK SPACE}{self.unit}" if self.unit else ""
        return tuple(
            (value if isinstance(value, str) else self.format.format(value)) + suffix
            for value in self.values
        )

    @property
    def start_index(self) -> int:
        """The place of the value shown first."""
        values = list(self.values)
        return (len(values) - 1) // 2 if self.start is None else values.index(self.start)


@dataclass(frozen=True)
class _Frame:
    """One drawn frame: its panels and its alternative text."""

    panels: tuple[PanelSvg, ...]
    alt: str

    @property
    def size(self) -> str:
        """The number of panels and their size, in words."""
        panel = self.panels[0]
        return f"{len(self.panels)} of {panel.width / 72:g} × {panel.height / 72:g} inches"


class Explorable:
    """A figure with sliders; :func:`explore` makes and shows one.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a figure.
    caption, alt, name
        As for :func:`explore`.
    grids : dict
        The values of each parameter of ``draw``.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        *,
        caption: str,
        alt: str | Callable[..., str],
        name: str | None = None,
        grids: dict[str, Sequence[Any] | Grid],
    ) -> None:
        if not callable(draw):
            raise TypeError(f"draw must be a function; got {type(draw).__name__}")
        if not (callable(alt) or isinstance(alt, str)):
            raise TypeError(f"alt must be a text or a function; got {type(alt).__name__}")
        self.draw = draw
        self.alt = alt
        self.grids = _check_grids(grids)
        self.shape = tuple(len(grid.values) for grid in self.grids.values())
        self.start = tuple(grid.start_index for grid in self.grids.values())
        self.caption, _ = check_texts(caption, self.alt_at(self.start), name)
        self.name = name
        self._frames: dict[tuple[int, ...], _Frame] = {}

    def __repr__(self) -> str:
        spans = " × ".join(
            f"{_lower_first(grid.label)} {grid.texts[0]} … {grid.texts[-1]}"
            for grid in self.grids.values()
        )
        title = f" {self.name!r}" if self.name else ""
        return f"Explorable{title}: {spans} (sliders appear in the book and with a running kernel)"

    # ---------------------------------------------------------------------------------- frames

    def values_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return the value of each parameter at a place of the sliders."""
        return {
            parameter: grid.values[i]
            for (parameter, grid), i in zip(self.grids.items(), index, strict=True)
        }

    def alt_at(self, index: tuple[int, ...]) -> str:
        """Return the alternative text of a frame."""
        values = self.values_at(index)
        try:
            text = self.alt(**values) if callable(self.alt) else self.alt.format(**values)
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"alt may use the parameters {', '.join(values)} in braces; got {self.alt!r}"
            ) from error
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"alt must give a text that is not empty; got {text!r} for {values}")
        return " ".join(text.split())

    def place_at(self, index: tuple[int, ...]) -> str:
        """Return a place of the sliders in words, e.g. ``degree 7, noise 0.2``."""
        return ", ".join(
            f"{_lower_first(grid.label)} {grid.texts[i]}"
            for grid, i in zip(self.grids.values(), index, strict=True)
        )

    def frame(self, index: tuple[int, ...]) -> _Frame:
        """Return a frame, drawn when it is asked for the first time."""
        if index not in self._frames:
            self._frames[index] = self._draw(index, themed=is_static())
        return self._frames[index]

    def _draw(self, index: tuple[int, ...], *, themed: bool) -> _Frame:
        with figures.style():
            fig = self.draw(**self.values_at(index))
        if not isinstance(fig, Figure):
            raise TypeError(
                f"draw must return a matplotlib Figure; got {type(fig).__name__}: "
                "does it end with 'return fig'?"
            )
        # Looking for labels that are cut off takes as long as drawing: do so where all sliders
        # stand at an end, since labels are then as wide as they get.
        ends = all(i in (0, n - 1) for i, n in zip(index, self.shape, strict=True))
        prefix = self.name or make_digest(self.caption)
        panels = figures.draw_svg(fig, prefix=prefix, check=themed and ends, themed=themed)
        plt.close(fig)
        return _Frame(tuple(panels), self.alt_at(index))

    def all_frames(self) -> list[_Frame]:
        """Draw all frames, in the order of :func:`itertools.product`.

        Returns
        -------
        list
            One frame for each combination of values; the last parameter changes fastest.

        Raises
        ------
        ValueError
            If frames differ in size or number of panels, or all have the same alternative text.
        """
        frames = []
        for index in itertools.product(*map(range, self.shape)):
            try:
                frames.append(self.frame(index))
            except Exception as error:
                error.add_note(f"while drawing the frame at {self.place_at(index)}")
                raise
            first, last = frames[0].size, frames[-1].size
            if first != last:
                raise ValueError(
                    "all frames must have the same panels of the same size; the frame at "
                    f"{self.place_at(index)} has {last}, the first has {first}"
                )
        if len(frames) > 1 and len({frame.alt for frame in frames}) == 1:
            raise ValueError(
                "alt must say what each frame shows, but all frames have the same: "
                f"use the values in it, e.g. '… at {{{next(iter(self.grids))}}}'"
            )
        return frames

    # ------------------------------------------------------------------------------------ page

    def html(self) -> str:
        """Return the explorable for the built book: sliders, the start frame and all frames."""
        frames = self.all_frames()
        payload = {
            "shape": self.shape,
            "alts": [frame.alt for frame in frames],
            **encode_frames([[panel.elements for panel in frame.panels] for frame in frames]),
        }
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        _check_size(text, self.name)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        start = self.frame(self.start)
        controls = "\n".join(
            _control(f"x-{self.name or digest}-{parameter}", grid)
            for parameter, grid in self.grids.items()
        )
        slider = "slider needs" if len(self.grids) == 1 else "sliders need"
        escaped = text.replace("<", "\\u003c")  # no "</script>" within the script element
        body = (
            f'<div class="explorable" data-explorable="{digest}">\n'
            f'<div class="explorable-controls">\n{controls}\n</div>\n'
            f"<noscript><p>The {slider} JavaScript; this is the frame at "
            f"{escape(self.place_at(self.start))}.</p></noscript>\n"
            f"{picture_html(start.panels, start.alt)}\n"
            '<p class="explorable-problem" role="status"></p>\n'
            f"</div>\n"
            f'<script type="application/json" class="explorable-frames">{escaped}</script>'
        )
        return figure_html(body, self.caption, self.name)

    # ------------------------------------------------------------------------------------ live

    def widget(self) -> ipywidgets.VBox:
        """Return live sliders above the figure; moving one draws the frame, or shows why not."""
        sliders = [
            ipywidgets.SelectionSlider(
                options=[(text, i) for i, text in enumerate(grid.texts)],
                value=grid.start_index,
                description=grid.label,
                continuous_update=True,
                style={"description_width": "initial"},
                layout={"width": "100%", "max_width": "36rem"},
            )
            for grid in self.grids.values()
        ]
        picture = ipywidgets.HTML()

        def update(_: object = None) -> None:
            picture.value = self._live_html(tuple(slider.value for slider in sliders))

        for slider in sliders:
            slider.observe(update, names="value")
        update()
        return ipywidgets.VBox([*sliders, picture])

    def _live_html(self, index: tuple[int, ...]) -> str:
        try:
            frame = self.frame(index)
        except Exception as error:
            reason = escape(f"{type(error).__name__}: {error}")
            place = escape(self.place_at(index))
            return f'<p role="alert">The figure could not be drawn at {place}: {reason}</p>'
        svgs = "\n".join(
            panel.svg().replace(
                "<svg ",
                f'<svg style="flex:1 1 {panel.width:.0f}px;max-width:{1.5 * panel.width:.0f}px;'
                'height:auto" ',
                1,
            )
            for panel in frame.panels
        )
        look = "display:flex;flex-wrap:wrap;background:white;color:black;line-height:1"
        return f'<div role="img" aria-label="{escape(frame.alt)}" style="{look}">\n{svgs}\n</div>'


def explore(
    draw: Callable[..., Figure],
    *,
    caption: str,
    alt: str | Callable[..., str],
    name: str | None = None,
    **grids: Sequence[Any] | Grid,
) -> None:
    """Show a figure with a slider for each parameter.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a figure made by :func:`lessons_lib.page.figures.panels`, of one
        size for all values, and with fixed limits of the axes, so that the reader sees what
        changes. It must not depend on anything random that it does not seed.
    caption : str
        What to see in it, as for :func:`lessons_lib.page.figures.show`.
    alt : str or callable
        What each frame shows: a template such as ``"… of degree {degree}"``, or a function that
        takes the same values as ``draw``.
    name : str, optional
        For references to it, e.g. ``fig-degree``.
    **grids : sequence or Grid
        The values of each parameter of ``draw``: one to three, at most 400 combinations.

    Raises
    ------
    TypeError
        If draw is no function or returns no figure, or a grid is no sequence.
    ValueError
        If a grid is empty or has a value twice, there are too many frames, they differ in size, or
        their markup takes more than 150 kB compressed.

    Examples
    --------
    >>> from lessons_lib.page.figures import panels, role
    >>> def draw(slope):
    ...     fig, (ax,) = panels(1)
    ...     ax.plot([0, 1], [0, slope], **role("truth"))
    ...     ax.set_ylim(0, 3)
    ...     return fig
    >>> explore(draw, slope=[1, 2, 3], caption="The line turns.", alt="A line of slope {slope}.")
    Explorable: slope 1 … 3 (sliders appear in the book and with a running kernel)
    The line turns.
    """
    explorable = Explorable(draw, caption=caption, alt=alt, name=name, grids=grids)
    if is_static():
        display_output({"text/html": explorable.html(), "text/plain": repr(explorable)})
        return
    explorable.frame(explorable.start)  # what is wrong with draw is raised here, not in the widget
    view = explorable.widget()._repr_mimebundle_()[_WIDGET_VIEW]
    display_output({_WIDGET_VIEW: view, "text/plain": repr(explorable)})
    display_caption(explorable.caption)


def _check_grids(grids: dict[str, Sequence[Any] | Grid]) -> dict[str, Grid]:
    """Return every grid as a Grid with a label, or say what is wrong with one."""
    if not 1 <= len(grids) <= 3:
        raise ValueError(f"explore needs the values of one to three parameters; got {len(grids)}")
    checked = {name: _check_grid(name, grid) for name, grid in grids.items()}
    sizes = [len(grid.values) for grid in checked.values()]
    if math.prod(sizes) > MAX_FRAMES:
        raise ValueError(
            f"at most {MAX_FRAMES} frames are possible; got {' × '.join(map(str, sizes))} = "
            f"{math.prod(sizes)}: give fewer values"
        )
    return checked


def _check_grid(name: str, grid: Sequence[Any] | Grid) -> Grid:
    if not isinstance(grid, Grid):
        grid = Grid(grid)
    if isinstance(grid.values, str) or not isinstance(grid.values, Iterable):
        raise TypeError(f"{name} must be a sequence of values or a Grid; got {grid.values!r}")
    values = list(grid.values)
    if not values:
        raise ValueError(f"{name} must have at least one value; got none")
    label = grid.label or name.replace("_", " ").capitalize()
    grid = dataclasses.replace(grid, values=values, label=label)
    try:
        texts = grid.texts
    except (TypeError, ValueError, LookupError) as error:
        raise ValueError(
            f"{name} has a format that does not fit its values; got {grid.format!r} and {values}"
        ) from error
    if len(set(texts)) < len(values):
        raise ValueError(f"{name} must have values that are written differently; got {texts}")
    if grid.start is not None and grid.start not in values:
        raise ValueError(f"{name} must start at one of its values {values}; got {grid.start!r}")
    return grid


def _lower_first(label: str) -> str:
    """Begin a label in lower case, unless it is a symbol or an abbreviation."""
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def _control(identifier: str, grid: Grid) -> str:
    """Return the native slider of one parameter; the page's script enables it."""
    start = grid.start_index
    texts = escape(json.dumps(grid.texts, ensure_ascii=False))
    width = max(map(len, grid.texts))
    return (
        '<div class="explorable-control">\n'
        f'<label for="{identifier}">{escape(grid.label)}</label>\n'
        f'<input type="range" id="{identifier}" min="0" max="{len(grid.values) - 1}" step="1"'
        f' value="{start}" aria-valuetext="{escape(grid.texts[start])}" data-texts="{texts}"'
        ' autocomplete="off" disabled>\n'
        f'<output for="{identifier}" aria-live="off" style="min-width:{width}ch">'
        f"{escape(grid.texts[start])}</output>\n"
        "</div>"
    )


def _check_size(text: str, name: str | None) -> None:
    size = payload_size(text)
    if size > PAYLOAD_BUDGET:
        raise ValueError(
            f"explorable {name or ''} takes {size / 1000:.0f} kB compressed, its budget is "
            f"{PAYLOAD_BUDGET / 1000:.0f} kB: give fewer values, draw curves with fewer points, "
            "or draw what does not change the same way in every frame"
        )


# --------------------------------------------------------------------------------------------
# Coding of frames


def encode_frames(frames: Sequence[Sequence[Sequence[str]]]) -> dict[str, Any]:
    """Store elements shared by frames once.

    Parameters
    ----------
    frames : sequence
        ``frames[f][p]`` are the elements of panel ``p`` of frame ``f``.

    Returns
    -------
    dict
        ``elements``, each once, and ``frames``: for each panel of each frame the runs
        ``[first, count, first, count, …]`` of elements that make it up.

    Examples
    --------
    >>> encode_frames([[["a", "b", "c"]], [["a", "b", "d"]]])
    {'elements': ['a', 'b', 'c', 'd'], 'frames': [[[0, 3]], [[0, 2, 3, 1]]]}
    """
    number: dict[str, int] = {}
    coded: list[list[list[int]]] = []
    for frame in frames:
        coded.append([])
        for panel in frame:
            runs: list[int] = []
            for element in panel:
                place = number.setdefault(element, len(number))
                if runs and place == runs[-2] + runs[-1]:
                    runs[-1] += 1
                else:
                    runs += [place, 1]
            coded[-1].append(runs)
    return {"elements": list(number), "frames": coded}


def decode_frames(payload: dict[str, Any]) -> list[list[list[str]]]:
    """Undo :func:`encode_frames`, as the page does.

    Parameters
    ----------
    payload : dict
        As returned by :func:`encode_frames`.

    Returns
    -------
    list
        ``frames[f][p]``, the elements of panel ``p`` of frame ``f``.
    """
    elements = payload["elements"]
    return [
        [
            [
                element
                for first, count in zip(runs[::2], runs[1::2], strict=True)
                for element in elements[first : first + count]
            ]
            for runs in frame
        ]
        for frame in payload["frames"]
    ]


def payload_size(text: str) -> int:
    """Return the size of a text in bytes, compressed as a web server does."""
    return len(gzip.compress(text.encode(), 6, mtime=0))
