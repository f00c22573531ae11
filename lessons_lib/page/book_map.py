"""The map of regularization that leads to the chapters.

:func:`show_map` shows one block of HTML: links that are placed on a sheet, and the lines between
them. The sheet has two arrangements, of which a style rule picks the one that the width asks for,
so it needs no script, and a keyboard or a screen reader meets each link once, in a sensible order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from lessons_lib.page._output import display_output
from lessons_lib.page.chapters import BY_PAGE, chapter_link

__all__ = ["show_map"]


@dataclass(frozen=True)
class _Place:
    """A technique, and what the book measures about it and the one it is related to."""

    page: str
    details: str
    group: str = ""  # opens a group of this name
    name: str = ""  # if it is not the chapter's
    section: str = ""
    relation: str = ""
    relation_page: str = ""
    relation_section: str = ""
    exact: bool = True
    to: str = "L2"

    @property
    def title(self) -> str:
        return self.name or BY_PAGE[self.page].heading


_HUB = _Place("02-l2", "ridge, weight decay")


_EXPLICIT = (
    _Place(
        "03-l1", "lasso, exact zeros", "penalty",
        relation="Elastic Net is a lasso on extra rows", to="Elastic Net",
        relation_page="04-elastic-net", relation_section="a-lasso-in-disguise",
    ),
    _Place(
        "04-elastic-net", "L1 and L2 at once",
        relation="mixes it with L1",
        relation_page="04-elastic-net", relation_section="between-circle-and-diamond",
    ),
    _Place(
        "08-augmentation", "noise, mixup, soft targets", "data",
        relation="input noise is L2: λ\u00a0=\u00a0σ²",
        relation_page="02-l2", relation_section="noise-on-the-inputs",
    ),
    _Place(
        "06-batch-norm", "and norm constraints", "architecture",
        relation="weight decay turns into a rate schedule",
        relation_page="06-batch-norm", relation_section="decay-batch-norm",
    ),
    _Place(
        "05-dropout", "random masks",
        relation="in linear regression L2: λ\u00a0=\u00a0p/(1−p)",
        relation_page="05-dropout", relation_section="dropout-and-l2",
    ),
    _Place(
        "09-ensembles", "bagging, forests, deep ensembles", "number of models",
        relation="dropout averages 2ᴺ networks", to="Dropout",
        relation_page="05-dropout", relation_section="what-is-averaged", exact=False,
    ),
)  # fmt: skip


_IMPLICIT = (
    _Place(
        "10-sgd-noise", "batch size, temperature", "noise",
        relation="from zero it ends at ridge, λ\u00a0→\u00a00",
        relation_page="10-sgd-noise", relation_section="least-squares-the-smallest-norm",
    ),
    _Place(
        "10-sgd-noise", "warm-up, decay of the rate", "schedule",
        name="Schedules", section="schedules-sgd",
    ),
    _Place(
        "07-early-stopping", "patience, best weights", "time",
        relation="nearly ridge: λ\u00a0≈\u00a01/(ηt)", exact=False,
        relation_page="07-early-stopping", relation_section="the-penalty-that-a-stop-is-worth",
    ),
)  # fmt: skip


_ENTRANCE = _Place("01-overfitting", "what all of this is against")


_EXITS = (
    _Place("11-fraud", "every technique on one problem"),
    _Place("12-boosting", "a sum of trees that can overfit"),
    _Place("13-transformers", "when the model is far too large"),
    _Place("guide", "the decision, with the measurements behind it"),
    _Place("conventions", "one penalty in every library"),
    _Place("quick-reference", "one sheet of formulas"),
    _Place("glossary", "one meaning for each word"),
    _Place("api/index", "every object and its source"),
)


_HEADINGS = ("Explicit: what is optimized", "Implicit: how it is optimized")


def show_map() -> None:
    """Show the map of regularization: what leads where, and what is the same as what.

    In the built book its links lead to pages, in Jupyter to notebooks. As text it is a list.
    """
    display_output({"text/html": _map_html(), "text/plain": _map_text()})


def _map_text() -> str:
    lines = [f"{_ENTRANCE.title}: {_ENTRANCE.details}"]
    for heading, places in zip(_HEADINGS, ((_HUB, *_EXPLICIT), _IMPLICIT), strict=True):
        lines.append(heading)
        for place in places:
            lines.append(f"  {place.title}: {place.details}")
            if place.relation:
                lines.append(f"    – {place.to}: {place.relation}")
    lines += [f"{place.title}: {place.details}" for place in _EXITS]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Box:
    """A rectangle in the units of its sheet."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class _Sheet:
    """One arrangement: a box for each thing on it, and the paths of the lines.

    Explicit techniques are stacked left of L2, a tall box, and so are the implicit ones on a narrow
    sheet; on a wide sheet these are stacked on its right. A relation to L2 is a line across.
    """

    def __init__(self, *, wide: bool) -> None:
        self.wide = wide
        self.boxes: dict[object, _Box] = {}
        self.lines: list[tuple[str, bool]] = []  # path, whether it holds exactly
        self.panels: list[_Box] = []
        width, box, hub, head = (720, 168, 80, 40) if wide else (358, 144, 62, 34)
        self.width, self._box, self._row, self._pad = width, box, 54 if wide else 58, 10
        self._lift = 22  # height of a group's name
        hub_x = (width - hub) / 2 if wide else width - hub - self._pad
        self._hub = _Box(hub_x, 0, hub, 0)
        self.boxes[_ENTRANCE] = _Box((width - 300) / 2, 0, 300, 46)
        top = 70.0
        first, second = _HEADINGS
        self.boxes[first] = _Box(self._pad, top, width / 2 if wide else width - 20, head)
        start = top + head
        end = self._stack(_EXPLICIT, self._pad, start)
        if wide:
            split = self._hub.right + self._pad
            self.boxes[second] = _Box(split + 22, top, width - split - 32, head)
            gap = (end - start - self._height(_IMPLICIT)) / (len(_IMPLICIT) - 1)
            self._stack(_IMPLICIT, width - self._pad - box, start, gap)
            bottom = end
            self.panels = [
                _Box(0, top, split, end + self._pad - top),
                _Box(split + 12, top, width - split - 12, end + self._pad - top),
            ]
        else:
            self.boxes[second] = _Box(self._pad, end + 22, width - 82 - self._pad, head)
            bottom = self._stack(_IMPLICIT, self._pad, end + 22 + head)
            self.panels = [
                _Box(0, top, width, end + self._pad - top),
                _Box(0, end + 22, width, bottom + self._pad - end - 22),
            ]
        self.boxes[_HUB] = _Box(hub_x, start + self._lift, hub, bottom - start - self._lift)
        self._connect()
        self.height = self._leave(bottom + self._pad + 24)
        for panel in self.panels if wide else self.panels[:1]:
            x = min(max(panel.x + panel.width / 2, 225), 495) if wide else width / 2
            self.lines.append((f"M{x:g} 46V{panel.y:g}", True))

    def _height(self, places: tuple[_Place, ...]) -> float:
        rows = (self._row + self._pad + (self._lift if place.group else 0) for place in places)
        return sum(rows) - self._pad

    def _stack(self, places: tuple[_Place, ...], x: float, y: float, gap: float = 0) -> float:
        """Place boxes below each other; return where they end."""
        for place in places:
            if place.group:
                self.boxes[place.group] = _Box(x, y, self._box, self._lift)
                y += self._lift
            self.boxes[place] = _Box(x, y, self._box, self._row)
            y += self._row + self._pad + gap
        return y - self._pad - gap

    def _connect(self) -> None:
        """Draw each relation as a line to L2, or as a bracket to the neighbor it is about."""
        hub = self.boxes[_HUB]
        places = (*_EXPLICIT, *_IMPLICIT)
        titles = {BY_PAGE[place.page].title: place for place in places}
        for place in places:
            if not place.relation:
                continue
            box = self.boxes[place]
            on_the_right = box.x > hub.x
            near, far = (hub.right, box.x) if on_the_right else (box.right, hub.x)
            inset = 14 if self.wide else 8
            left = near + inset + (20 if on_the_right else 0)  # the panels are apart
            if place.to == "L2":
                self.lines.append((f"M{near:g} {box.middle:g}H{far:g}", place.exact))
            else:
                other = self.boxes[titles[place.to]]
                upper, lower = min(box.bottom, other.bottom), max(box.y, other.y)
                path = f"M{near - 14:g} {upper:g}V{lower:g}M{near:g} {box.middle:g}H{left:g}"
                self.lines.append((path, place.exact))
            self.boxes[place, "relation"] = _Box(left, box.y, far - inset - left, box.height)

    def _leave(self, y: float) -> float:
        """Place the exits in rows; return where they end."""
        columns = 1 if not self.wide else 3 if len(_EXITS) % 3 == 0 else 2
        gap, height = 12, 56 if self.wide else 48
        width = (self.width - (columns - 1) * gap) / columns
        for i, place in enumerate(_EXITS):
            row, column = divmod(i, columns)
            top = y + row * (height + gap)
            self.boxes[place] = _Box(column * (width + gap), top, width, height)
        return top + height

    def svg(self) -> str:
        """Return panels and lines; the links stand on top of them."""
        name = "wide" if self.wide else "narrow"
        panels = "".join(
            f'<rect x="{p.x:g}" y="{p.y:g}" width="{p.width:g}" height="{p.height:g}" rx="8"/>'
            for p in self.panels
        )
        dashes = ' stroke-dasharray="5 4"'
        paths = "".join(
            f'<path d="{path}"{"" if exact else dashes}/>' for path, exact in self.lines
        )
        return (
            f'<svg class="map-{name}" viewBox="0 0 {self.width} {self.height:g}"'
            f' aria-hidden="true" fill="none">{panels}{paths}</svg>'
        )


_STYLE = """
.book-map{--map-ink:var(--fig-ink,var(--jp-content-font-color1,#000));
--map-paper:var(--fig-paper,var(--jp-layout-color0,#fff));
--map-blue:var(--fig-blue,#0072b2);
--map-panel:color-mix(in srgb,var(--map-ink) 6%,var(--map-paper));
container-type:inline-size;max-width:46rem;margin:1rem auto;color:var(--map-ink)}
.map-sheet{position:relative;--u:calc(100cqw/WIDE);height:calc(WIDE_HEIGHT*var(--u))}
.map-sheet svg{position:absolute;inset:0;width:100%;height:100%}
.map-sheet rect{fill:var(--map-panel)}
.map-sheet path{stroke:var(--map-ink);stroke-width:1.5}
.map-sheet>a,.map-sheet>span{position:absolute;box-sizing:border-box;display:flex;
flex-direction:column;justify-content:center;line-height:1.2;font-size:calc(12.5*var(--u));
left:calc(var(--x)*var(--u));top:calc(var(--y)*var(--u));
width:calc(var(--w)*var(--u));height:calc(var(--h)*var(--u))}
.map-sheet>a:focus-visible{outline:3px solid var(--map-blue);outline-offset:1px}
.map-sheet>.map-place{background:var(--map-paper);border:1.5px solid var(--map-ink);
border-radius:6px;padding:0 calc(6*var(--u));color:var(--map-ink);text-decoration:none}
.map-sheet>.map-place:hover{border-color:var(--map-blue);box-shadow:0 0 0 1.5px var(--map-blue)}
.map-place b{font-size:calc(14.5*var(--u));text-decoration:underline;text-underline-offset:2px}
.map-sheet>.map-hub{border-width:3px;border-color:var(--map-blue);text-align:center}
.map-sheet>.map-door{text-align:center}
.map-sheet>.map-heading{font-weight:700;font-size:calc(15*var(--u))}
.map-sheet>.map-group{font-style:italic}
.map-sheet>.map-relation{color:var(--map-ink);align-items:center;text-align:center;
text-decoration:underline;text-underline-offset:2px}
.map-relation span{background:var(--map-panel);padding:0 3px}
.map-sheet>.map-relation:hover{color:var(--map-blue)}
.map-sheet .map-narrow{display:none}
@container (max-width:34rem){
.map-sheet{--u:calc(100cqw/NARROW);height:calc(NARROW_HEIGHT*var(--u))}
.map-sheet>a,.map-sheet>span{left:calc(var(--nx)*var(--u));top:calc(var(--ny)*var(--u));
width:calc(var(--nw)*var(--u));height:calc(var(--nh)*var(--u))}
.map-place b{font-size:calc(14*var(--u))}
.map-sheet .map-wide{display:none}.map-sheet .map-narrow{display:block}}
"""


def _map_html() -> str:
    wide, narrow = _Sheet(wide=True), _Sheet(wide=False)

    def at(key: object) -> str:
        pairs = [
            f"--{prefix}{name}:{value:g}"
            for prefix, box in (("", wide.boxes[key]), ("n", narrow.boxes[key]))
            for name, value in zip("xywh", (box.x, box.y, box.width, box.height), strict=True)
        ]
        return f' style="{";".join(pairs)}"'

    def place(item: _Place, look: str = "") -> str:
        return (
            f'<a class="map-place{look}" href="{chapter_link(item.page, item.section)}"{at(item)}>'
            f"<b>{escape(item.title)}</b> <span>{escape(item.details)}</span></a>"
        )

    def stack(heading: str, places: tuple[_Place, ...]) -> Iterator[str]:
        yield f'<span class="map-heading"{at(heading)}>{escape(heading)}</span>'
        if places is _EXPLICIT:
            yield place(_HUB, " map-hub")
        for item in places:
            if item.group:
                yield f'<span class="map-group"{at(item.group)}>{escape(item.group)}</span>'
            yield place(item)
            if item.relation:
                href = chapter_link(item.relation_page, item.relation_section)
                label = f"{item.title} and {item.to}: {item.relation}"
                yield (
                    f'<a class="map-relation" href="{href}" aria-label="{escape(label)}"'
                    f"{at((item, 'relation'))}><span>{escape(item.relation)}</span></a>"
                )

    style = _STYLE.replace("WIDE_HEIGHT", f"{wide.height:g}").replace("WIDE", f"{wide.width}")
    style = style.replace("NARROW_HEIGHT", f"{narrow.height:g}")
    style = style.replace("NARROW", f"{narrow.width}")
    explicit, implicit = _HEADINGS
    parts = [
        place(_ENTRANCE, " map-door"),
        *stack(explicit, _EXPLICIT),
        *stack(implicit, _IMPLICIT),
        *(place(item, " map-door") for item in _EXITS),
    ]
    return (
        f"<style>{style.strip()}</style>\n"
        '<nav class="book-map" aria-label="Map of the book"><div class="map-sheet">\n'
        + "\n".join([wide.svg(), narrow.svg(), *parts])
        + "\n</div></nav>"
    )
