"""Show verdicts: a map of where each holds, and the scorecard of all of them.

A map has a row for each knob and a cell for each of its values, with the effect, its interval and
a word: *holds*, *lost* or *turns*. It can be read without color and fits a phone, where a row
wraps. All is made from the stored measurements, so that no number is typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from lessons_lib.measure import (
    ConfidenceInterval,
    Knob,
    RobustnessMap,
    Verdict,
    read_map,
    show_value,
    verdicts_of,
)
from lessons_lib.measure.records import DEFAULT_PACKAGE
from lessons_lib.page._output import display_output
from lessons_lib.page.chapters import CHAPTERS, chapter_link

__all__ = ["effect_text", "show_scorecard", "show_verdict"]

_STYLE = """
.verdict{border-left:3px solid #0072b2;padding:.1rem 0 .1rem 1rem;margin:1rem 0}
.verdict p{margin:.35rem 0}
.verdict-grid,.scorecard-box{overflow-x:auto}
.verdict table,.scorecard{border-collapse:separate;border-spacing:3px;
font-size:.85rem;margin:.35rem 0}
.verdict :is(td,th),.scorecard :is(td,th){padding:.2rem .45rem;text-align:left!important;
vertical-align:top;font-variant-numeric:tabular-nums}
.verdict td{white-space:nowrap;border:1px solid transparent}
.verdict td b{display:block}
.verdict td.verdict-base{border-width:2px;border-color:currentcolor!important}
.verdict td.verdict-holds{background:rgba(0,114,178,.17)}
.verdict td.verdict-lost{border:1px dashed currentcolor}
.verdict td.verdict-turns{background:rgba(213,94,0,.25);border:1px solid #d55e00}
.scorecard th button{all:unset;cursor:pointer;font-weight:inherit;text-decoration:underline dotted}
.scorecard th button:focus-visible{outline:2px solid currentcolor}
@media(max-width:600px){.verdict-map tr{display:flex;flex-wrap:wrap;gap:3px}
.verdict-map th{flex:0 0 100%;padding-left:0!important}}
"""


def show_verdict(name: str, *, package: str = DEFAULT_PACKAGE) -> None:
    """Show the map of a verdict, and in words where it holds.

    Parameters
    ----------
    name : str
        For example ``"batch_norm.dropout_before"``.
    package : str, default="lessons_lib.lessons"
        The package that holds the lessons' folders.

    Raises
    ------
    ValueError
        If there is no such verdict, or it is not computed.
    """
    measured = read_map(name, package)
    display_output({"text/html": verdict_html(measured), "text/plain": verdict_text(measured)})


def show_scorecard(*, package: str = DEFAULT_PACKAGE) -> None:
    """Show a table of all verdicts, those first that hold farthest.

    In the built page a click on a head sorts by its column. Verdicts lead to their maps, which
    `show_verdict` shows on the same page.

    Parameters
    ----------
    package : str, default="lessons_lib.lessons"
        The package that holds the lessons' folders.

    Raises
    ------
    ValueError
        If there is no verdict, or one is not computed.
    """
    maps = [read_map(verdict.name, package) for verdict in verdicts_of(package)]
    if not maps:
        raise ValueError(f"package must declare verdicts, got {package!r}, which has none.")
    maps.sort(key=lambda measured: (-measured.reach, measured.count("turns")))
    display_output({"text/html": scorecard_html(maps), "text/plain": scorecard_text(maps)})


# --------------------------------------------------------------------------------------------
# One verdict


def verdict_text(measured: RobustnessMap) -> str:
    """Return the map as text: one line for each knob, the base marked by a star.

    Parameters
    ----------
    measured : RobustnessMap
        What was measured.

    Returns
    -------
    str
    """
    verdict = measured.verdict
    lines = [verdict.sentence, _what(verdict)]
    for knob in verdict.knobs:
        cells = (_cell_text(measured, knob, value) for value in knob.values)
        lines.append(f"  {knob.label}: {' | '.join(cells)}")
    for first, second in _grids(verdict):
        lines.append(f"  {first.label} × {second.label} {_values(second)}")
        for a in first.values:
            turned = [{first.name: a, second.name: b} for b in second.values]
            cells = (f"{show_effect(measured, t)} {measured.state(t)}" for t in turned)
            lines.append(f"    {show_value(a)}: {' | '.join(cells)}")
    return "\n".join([*lines, measured.conditions()])


def _cell_text(measured: RobustnessMap, knob: Knob, value: str | float) -> str:
    star = "*" if value == measured.verdict.base[knob.name] else ""
    turned = {knob.name: value}
    return f"{show_value(value)}{star} {show_effect(measured, turned)} {measured.state(turned)}"


def _what(verdict: Verdict) -> str:
    """Say what the numbers are."""
    seeds = f"{verdict.n_seeds} {verdict.over}"
    margin = f"; as good as equal within ±{verdict.margin:g}" if verdict.margin else ""
    return (
        f"{_capital(verdict.metric)}, {verdict.arms[0]} less {verdict.arms[1]}: "
        f"mean ± half of the 95 % interval over {seeds}{margin}."
    )


def show_effect(measured: RobustnessMap, turned: dict[str, str | float]) -> str:
    """Return the effect at a setting with its sign and half the width of its interval.

    Parameters
    ----------
    measured : RobustnessMap
        What was measured.
    turned : dict
        Values of knobs.

    Returns
    -------
    str
    """
    return _signed(measured.effect(turned), measured.verdict.spec)


def effect_text(measured: RobustnessMap) -> str:
    """Return the effect at the base with its interval, its unit and what was repeated.

    Parameters
    ----------
    measured : RobustnessMap
        What was measured.

    Returns
    -------
    str

    Examples
    --------
    >>> effect_text(read_map("l1.sparse_truth"))
    '−24.1 ± 3.3 test error in % over 20 seeds'
    """
    effect = measured.effect()
    what = _signed(effect, measured.verdict.spec)
    return f"{what} {measured.verdict.metric} over {effect.over}"


def _signed(effect: ConfidenceInterval, spec: str) -> str:
    return f"{effect.mean:+{spec}} ± {effect.half_width:{spec}}".replace("-", "−")


def _grids(verdict: Verdict) -> Iterator[tuple[Knob, Knob]]:
    for first, second in verdict.grids:
        yield verdict.knob(first), verdict.knob(second)


def _values(knob: Knob) -> str:
    return ", ".join(show_value(value) for value in knob.values)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def verdict_html(measured: RobustnessMap) -> str:
    """Return the map as a table that wraps on a phone.

    Parameters
    ----------
    measured : RobustnessMap
        What was measured.

    Returns
    -------
    str
    """
    verdict = measured.verdict
    rows = "\n".join(_row_html(measured, knob) for knob in verdict.knobs)
    grids = "\n".join(_grid_html(measured, *pair) for pair in _grids(verdict))
    return (
        f"<style>{_STYLE.strip()}</style>\n"
        f'<div class="verdict" id="{anchor(verdict)}">\n'
        f"<p><strong>{escape(verdict.sentence)}</strong></p>\n"
        f"<p>{escape(_what(verdict))} The framed cells are the base.</p>\n"
        f'<table class="verdict-map" role="table" aria-label="{escape(_alt(measured))}">'
        f'<tbody role="rowgroup">\n{rows}\n</tbody></table>\n{grids}\n'
        f"<p>{escape(measured.conditions())}</p>\n</div>"
    )


def anchor(verdict: Verdict) -> str:
    """Return the id that its map has on a page.

    Parameters
    ----------
    verdict : Verdict
        The verdict.

    Returns
    -------
    str
    """
    return "verdict-" + verdict.name.replace(".", "-").replace("_", "-")


def _alt(measured: RobustnessMap) -> str:
    return f"Where the verdict holds when one knob is turned. {measured.conditions()}"


def _row_html(measured: RobustnessMap, knob: Knob) -> str:
    # Roles are named, since a row that wraps is laid out as no table any more.
    cells = "".join(
        _cell_html(measured, {knob.name: value}, show_value(value)) for value in knob.values
    )
    head = f'<th scope="row" role="rowheader">{escape(_capital(knob.label))}</th>'
    return f'<tr role="row">{head}{cells}</tr>'


def _cell_html(measured: RobustnessMap, turned: dict[str, str | float], label: str) -> str:
    state = measured.state(turned)
    base = all(measured.verdict.base[name] == value for name, value in turned.items())
    head = f"<b>{escape(label)}</b>" if label else ""
    return (
        f'<td role="cell" class="verdict-{state}{" verdict-base" * base}">{head}'
        f"{show_effect(measured, turned)}<br>{state}</td>"
    )


def _grid_html(measured: RobustnessMap, first: Knob, second: Knob) -> str:
    heads = "".join(f'<th scope="col">{escape(show_value(v))}</th>' for v in second.values)
    lines = []
    for a in first.values:
        turned = ({first.name: a, second.name: b} for b in second.values)
        cells = "".join(_cell_html(measured, pair, "") for pair in turned)
        lines.append(f'<tr><th scope="row">{escape(show_value(a))}</th>{cells}</tr>')
    title = f"{_capital(first.label)} (rows) with {second.label} (columns)"
    corner = f"<td>{escape(first.label)}</td>"
    return (
        f'<div class="verdict-grid" role="region" tabindex="0" aria-label="{escape(title)}">'
        f"<p>{escape(title)}</p><table><thead><tr>{corner}{heads}</tr></thead>"
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


# --------------------------------------------------------------------------------------------
# All verdicts


def scorecard_text(maps: Sequence[RobustnessMap]) -> str:
    """Return one line for each verdict, and one for all of them.

    Parameters
    ----------
    maps : sequence of RobustnessMap
        What was measured, in the order in which to show it.

    Returns
    -------
    str
    """
    lines = []
    for measured in maps:
        said = f"holds in {measured.count('holds')} of {len(measured.cells)}"
        turns = f", turns in {measured.count('turns')}" if measured.count("turns") else ""
        lines.append(f"{measured.verdict.name}: {said}{turns}")
    return "\n".join([*lines, _total(maps)])


def _total(maps: Sequence[RobustnessMap]) -> str:
    everywhere = sum(measured.reach == 1 for measured in maps)
    turned = sum(measured.count("turns") > 0 for measured in maps)
    cells = sum(len(measured.cells) for measured in maps)
    return (
        f"{len(maps)} verdicts in {cells} cells: {everywhere} hold everywhere, "
        f"{turned} turn somewhere."
    )


def scorecard_html(maps: Sequence[RobustnessMap]) -> str:
    """Return the same as a table, with links to the lessons and to the maps.

    Parameters
    ----------
    maps : sequence of RobustnessMap
        What was measured, in the order in which to show it.

    Returns
    -------
    str
    """
    heads = ("Verdict", "Lesson", "Holds in", "Turns in", "At the base")
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = "\n".join(f"<tr>{''.join(_card(measured))}</tr>" for measured in maps)
    return (
        f"<style>{_STYLE.strip()}</style>\n"
        '<div class="scorecard-box" role="region" aria-label="Scorecard of all verdicts"'
        f' tabindex="0"><table class="scorecard"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table><p>{_total(maps)}</p></div>"
    )


def _card(measured: RobustnessMap) -> Iterator[str]:
    """Yield the cells of one row; what a script sorts by is in ``data-sort``."""
    verdict, total = measured.verdict, len(measured.cells)
    order = {chapter.lesson: i for i, chapter in enumerate(CHAPTERS)}
    lesson = escape(verdict.lesson)
    if verdict.lesson in order:
        chapter = CHAPTERS[order[verdict.lesson]]
        lesson = f'<a href="{chapter_link(chapter.page)}">{escape(chapter.heading)}</a>'
    sentence = f'<a href="#{anchor(verdict)}">{escape(verdict.sentence)}</a>'
    yield f'<td data-sort="{escape(verdict.name)}">{sentence}</td>'
    yield f'<td data-sort="{order.get(verdict.lesson, len(order)):03d}">{lesson}</td>'
    yield f'<td data-sort="{measured.reach:.4f}">{measured.count("holds")} of {total}</td>'
    turned = measured.count("turns")
    yield f'<td data-sort="{turned / total:.4f}">{turned}</td>'
    effect = _signed(measured.effect(), verdict.spec)
    what = f"{effect} {escape(verdict.metric)}, {measured.state()}"
    yield f'<td data-sort="{measured.state()}">{what}</td>'
