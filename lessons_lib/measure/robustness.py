r"""Verdicts that hold when a knob is turned, and a map of where they do not.

"Dropout before a batch normalization does harm" was measured somewhere: on so many rows, with so
many updates, at one learning rate. A `Verdict` names these **knobs**, runs its contrast again for
other values of each, and says where the sign of the effect holds, where it is lost (the interval
holds zero) and where it turns.

>>> def gain(setting, seed):
...     noise = np.random.default_rng(seed).normal(0, 0.1)
...     return 1 - setting["updates"] / 1000 + noise
>>> def nothing(setting, seed):
...     return 0.0
>>> verdict = Verdict(
...     name="example.gain", sentence="The treatment raises the score.",
...     treatment=gain, baseline=nothing, metric="score", claim=1, base={"updates": 100},
...     knobs=(Knob("updates", (100, 1000, 2000)),), n_seeds=5,
... )
>>> cells = [run_cell(verdict, turned) for turned in verdict.settings()]
>>> print(RobustnessMap(verdict, cells).conditions())
Holds in 1 of 3 cells. Updates: holds at 100; lost at 1000; turns at 2000.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, product
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from lessons_lib.measure.fingerprint import fingerprint
from lessons_lib.measure.intervals import ConfidenceInterval, Unit, paired_confidence_interval

__all__ = [
    "Cell",
    "Knob",
    "RobustnessMap",
    "State",
    "Value",
    "Verdict",
    "run_cell",
    "run_pair",
    "show_value",
]

Value = str | int | float | bool
"""A value of a knob: what a text file can hold."""

Setting = Mapping[str, Value]
Arm = Callable[[Setting, int], float]

State = Literal["holds", "lost", "turns"]
"""What became of a claim in a cell."""


@dataclass(frozen=True)
class Knob:
    """Something that can be set otherwise, and might change the verdict.

    Parameters
    ----------
    name : str
        Its key in the setting.
    values : tuple
        3 to 6 values, that of the base among them, in the order in which to show them; 2 if they
        are names, where there may be no third.
    label : str, default=""
        What the page calls it; without one, the name with spaces for underscores.

    Raises
    ------
    ValueError
        If there are too few or too many values, or two are equal.
    TypeError
        If a value is neither text nor number.
    """

    name: str
    values: tuple[Value, ...]
    label: str = ""

    def __post_init__(self) -> None:
        for value in self.values:
            if not isinstance(value, str | int | float):
                raise TypeError(f"values of {self.name!r} must be texts or numbers, got {value!r}.")
        few = 2 if all(isinstance(value, str | bool) for value in self.values) else 3
        if not few <= len(self.values) <= 6 or len(set(self.values)) < len(self.values):
            raise ValueError(
                f"values of {self.name!r} must be {few} to 6 different ones, got {self.values}."
            )
        if not self.label:
            object.__setattr__(self, "label", self.name.replace("_", " "))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A sentence about an effect, with the contrast that tests it and the knobs that may break it.

    The effect is ``treatment(setting, seed) - baseline(setting, seed)``, paired over the seeds.

    Parameters
    ----------
    name : str
        Like ``"dropout.before_batch_norm"``: the lesson, and a name within it.
    sentence : str
        What is claimed, for a reader.
    treatment, baseline : callable
        The two arms: plain functions of ``(setting, seed)`` that return one number. The setting is
        a mapping with the knobs' values; the seed decides data, split and start. They stand at the
        top level of a module, or are `functools.partial` of such with plain values.
    metric : str
        What the number is, with its unit: ``"test error in points"``.
    claim : {-1, 0, 1}
        The sign that the sentence gives to the effect. 0 claims that there is no effect as large as
        `margin`.
    base : mapping
        The setting at which the book measures, a value for each knob, and maybe more.
    knobs : tuple of Knob
        At least 3 for a verdict of the book.
    n_seeds : int
        Seeds are 0 to ``n_seeds - 1``; at least 2.
    over : {"seeds", "splits", "rows"}, default="seeds"
        What a seed repeats, see `lessons_lib.measure.intervals`.
    test_share : float, optional
        For splits: the rows of one test set over all rows.
    margin : float, optional
        For a claim of 0: the largest effect that does not matter.
    grids : tuple of pairs of str, default=()
        Names of knobs to be turned together, on the grid of their values.
    arms : pair of str, default=("treatment", "baseline")
        What the page calls the arms.
    spec : str, default=".2f"
        How to format effects.

    Raises
    ------
    ValueError
        If the parts do not fit together; the message says which.

    Examples
    --------
    See the module.
    """

    name: str
    sentence: str
    treatment: Arm = field(repr=False)
    baseline: Arm = field(repr=False)
    metric: str
    claim: Literal[-1, 0, 1]
    base: Setting
    knobs: tuple[Knob, ...]
    n_seeds: int
    over: Unit = "seeds"
    test_share: float | None = None
    margin: float | None = None
    grids: tuple[tuple[str, str], ...] = ()
    arms: tuple[str, str] = ("treatment", "baseline")
    spec: str = ".2f"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", dict(self.base))
        self._check_contrast()
        names = [knob.name for knob in self.knobs]
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"knobs of {self.name} must be different ones, got {names}.")
        for knob in self.knobs:
            if self.base.get(knob.name) not in knob.values:
                raise ValueError(
                    f"values of the knob {knob.name!r} of {self.name} must contain that of the "
                    f"base, {self.base.get(knob.name)!r}; got {knob.values}."
                )
        for pair in self.grids:
            if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(names):
                raise ValueError(f"grids of {self.name} must pair two of {names}, got {pair}.")

    def _check_contrast(self) -> None:
        if not re.fullmatch(r"[a-z]\w*\.[a-z]\w*", self.name):
            raise ValueError(f"name must be like 'lesson.verdict', got {self.name!r}.")
        if self.claim not in (-1, 0, 1):
            raise ValueError(f"claim of {self.name} must be -1, 0 or 1, got {self.claim!r}.")
        if (self.claim == 0) != (self.margin is not None):
            raise ValueError(
                f"margin of {self.name} must be given for a claim of 0, and only then; "
                f"got claim={self.claim}, margin={self.margin}."
            )
        if self.n_seeds < 2:
            raise ValueError(f"n_seeds of {self.name} must be at least 2, got {self.n_seeds}.")
        paired_confidence_interval([0, 0], [0, 0], over=self.over, test_share=self.test_share)

    @property
    def lesson(self) -> str:
        """The lesson to which it belongs."""
        return self.name.partition(".")[0]

    def knob(self, name: str) -> Knob:
        """Return the knob of that name.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        Knob

        Raises
        ------
        ValueError
            If there is none.
        """
        for knob in self.knobs:
            if knob.name == name:
                return knob
        names = ", ".join(knob.name for knob in self.knobs)
        raise ValueError(f"name must be that of a knob of {self.name} ({names}), got {name!r}.")

    def settings(self) -> list[dict[str, Value]]:
        """Return what is turned in each cell: nothing, one knob, or two of a grid.

        Returns
        -------
        list of dict
            Only the values that differ from the base; the base itself is the empty one.
        """
        turned: list[dict[str, Value]] = [{}]
        turned += [{knob.name: value} for knob in self.knobs for value in knob.values]
        for pair in self.grids:
            values = product(*(self.knob(name).values for name in pair))
            turned += [dict(zip(pair, both, strict=True)) for both in values]
        different = (self._without_base(setting) for setting in turned)
        return list({_key(setting): setting for setting in different}.values())

    def _without_base(self, setting: Setting) -> dict[str, Value]:
        return {name: value for name, value in setting.items() if value != self.base.get(name)}

    def fingerprint(self) -> str:
        """Return the fingerprint of the code and the base setting behind the numbers.

        The sentence, the labels and the values of knobs do not count: another value only adds a
        cell.
        """
        base = json.dumps(dict(self.base), sort_keys=True)
        return fingerprint(self.treatment, self.baseline, extra=base)


def _key(turned: Setting) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(turned.items()))


@dataclass(frozen=True)
class Cell:
    """What both arms measured at one setting.

    Parameters
    ----------
    turned : mapping
        The values that differ from the base.
    treatment, baseline : tuple of float
        One number for each seed.
    """

    turned: Setting
    treatment: tuple[float, ...]
    baseline: tuple[float, ...]

    @property
    def key(self) -> tuple[tuple[str, Value], ...]:
        """What is turned, so that it can be looked up."""
        return _key(self.turned)


def run_pair(verdict: Verdict, turned: Setting, seed: int) -> tuple[float, float]:
    """Run both arms of a verdict once.

    Parameters
    ----------
    verdict : Verdict
        What to run.
    turned : mapping
        The values that differ from the base.
    seed : int
        The seed of both.

    Returns
    -------
    treatment, baseline : float
        Rounded to six digits: what a file holds, and more than another computer repeats.

    Raises
    ------
    ValueError
        If an arm does not return a finite number.
    """
    setting = {**verdict.base, **turned}
    found = []
    # The matrices of an experiment are small: more threads than one only wait for each other.
    with threadpool_limits(1):
        for arm in (verdict.treatment, verdict.baseline):
            value = float(arm(setting, seed))
            if not np.isfinite(value):
                raise ValueError(f"{verdict.name} must be finite, got {value} at {turned}.")
            found.append(float(f"{value:.6g}"))
    return found[0], found[1]


def run_cell(verdict: Verdict, turned: Setting) -> Cell:
    """Run both arms of a verdict over all seeds at one setting.

    Parameters
    ----------
    verdict : Verdict
        What to run.
    turned : mapping
        The values that differ from the base.

    Returns
    -------
    Cell
    """
    pairs = [run_pair(verdict, turned, seed) for seed in range(verdict.n_seeds)]
    treatment, baseline = zip(*pairs, strict=True)
    return Cell(turned, treatment, baseline)


class RobustnessMap:
    """A verdict and what was measured of it: effects, states of the claim, and words about them.

    Parameters
    ----------
    verdict : Verdict
        The claim.
    cells : sequence of Cell
        All cells of `Verdict.settings`; others are left out.

    Raises
    ------
    ValueError
        If a cell is missing or has another number of seeds.
    """

    def __init__(self, verdict: Verdict, cells: Sequence[Cell]) -> None:
        by_key = {cell.key: cell for cell in cells}
        self.verdict = verdict
        self.cells: dict[tuple[tuple[str, Value], ...], Cell] = {}
        for turned in verdict.settings():
            cell = by_key.get(_key(turned))
            if cell is None or {len(cell.treatment), len(cell.baseline)} != {verdict.n_seeds}:
                raise ValueError(
                    f"cells of {verdict.name} must have {verdict.n_seeds} seeds at "
                    f"{turned or 'the base'}, got {cell and len(cell.treatment)}."
                )
            self.cells[cell.key] = cell

    def effect(self, turned: Setting | None = None) -> ConfidenceInterval:
        """Return the effect at a setting, by default at the base.

        Parameters
        ----------
        turned : mapping, optional
            Values of knobs; those of the base may be among them.

        Returns
        -------
        ConfidenceInterval

        Raises
        ------
        ValueError
            If no cell has that setting.
        """
        verdict = self.verdict
        cell = self.cells.get(_key(verdict._without_base(turned or {})))
        if cell is None:
            raise ValueError(
                f"turned must be the setting of a cell of {verdict.name}, got {turned}."
            )
        return paired_confidence_interval(
            cell.treatment, cell.baseline, over=verdict.over, test_share=verdict.test_share
        )

    def state(self, turned: Setting | None = None) -> State:
        """Return what became of the claim at a setting, by default at the base.

        A claimed sign holds if the whole interval has it, turns if the whole interval has the
        other one, and is lost in between. The claim of no effect holds if the interval lies within
        the margin, turns if it lies outside of it, and is lost in between.

        Parameters
        ----------
        turned : mapping, optional
            Values of knobs; those of the base may be among them.

        Returns
        -------
        {"holds", "lost", "turns"}
        """
        effect, margin = self.effect(turned), self.verdict.margin
        if margin is not None:
            outside = effect.low > margin or effect.high < -margin
            return "holds" if effect.within(margin) else "turns" if outside else "lost"
        states: dict[int, State] = {1: "holds", 0: "lost", -1: "turns"}
        return states[effect.sign * self.verdict.claim]

    @cached_property
    def states(self) -> dict[tuple[tuple[str, Value], ...], State]:
        """The state of each cell."""
        return {key: self.state(cell.turned) for key, cell in self.cells.items()}

    def count(self, state: State) -> int:
        """Return the number of cells in a state.

        Parameters
        ----------
        state : {"holds", "lost", "turns"}
            The state.

        Returns
        -------
        int
        """
        return sum(found == state for found in self.states.values())

    @property
    def reach(self) -> float:
        """The part of the cells in which the claim holds."""
        return self.count("holds") / len(self.cells)

    def along(self, knob: Knob) -> list[State]:
        """Return the states along a knob, all others at the base.

        Parameters
        ----------
        knob : Knob
            One of the verdict's.

        Returns
        -------
        list of str
        """
        return [self.state({knob.name: value}) for value in knob.values]

    def conditions(self) -> str:
        """Say in words where the claim holds, where it is lost and where it turns.

        Returns
        -------
        str
            Plain text: one sentence in all, and one for each knob and grid that matters.
        """
        total, verdict = len(self.cells), self.verdict
        if self.reach == 1:
            ranges = ", ".join(_range(knob) for knob in verdict.knobs)
            return f"Holds in all {total} cells: {ranges}."
        parts = [f"Holds in {self.count('holds')} of {total} cells."]
        firm = []
        for knob in verdict.knobs:
            states = self.along(knob)
            if set(states) == {"holds"}:
                firm.append(_range(knob))
            else:
                parts.append(f"{_capital(knob.label)}: {'; '.join(_pieces(knob, states))}.")
        if firm:
            parts.insert(1, f"Holds for {', '.join(firm)}.")
        parts += filter(None, (self._of_grid(pair) for pair in verdict.grids))
        return " ".join(parts)

    def _of_grid(self, pair: tuple[str, str]) -> str:
        """Say what a grid of two knobs adds; nothing, if the claim holds in all of it."""
        first, second = (self.verdict.knob(name) for name in pair)
        cells = [
            self.state({first.name: a, second.name: b})
            for a, b in product(first.values, second.values)
        ]
        counts = {state: cells.count(state) for state in ("holds", "lost", "turns")}
        if counts["holds"] == len(cells):
            return ""
        said = ", ".join(
            f"{word} {counts[state]}"
            for state, word in (("holds", "holds in"), ("lost", "lost in"), ("turns", "turns in"))
            if counts[state]
        )
        return f"{_capital(first.label)} with {second.label}: {said} of {len(cells)}."


def _pieces(knob: Knob, states: Sequence[State]) -> Iterator[str]:
    """Yield "holds at 60 and 120", "lost at 480": runs of values with the same state."""
    words = {"holds": "holds at", "lost": "lost at", "turns": "turns at"}
    for state, run in groupby(zip(states, knob.values, strict=True), key=lambda pair: pair[0]):
        values = [show_value(value) for _, value in run]
        if _is_numeric(knob) and len(values) > 2:
            said = f"{values[0]} to {values[-1]}"
        else:
            said = " and ".join(filter(None, [", ".join(values[:-1]), values[-1]]))
        yield f"{words[state]} {said}"


def _range(knob: Knob) -> str:
    """Return "updates 60 to 480", or all values if they are words."""
    values = [show_value(value) for value in knob.values]
    if _is_numeric(knob):
        return f"{knob.label} {values[0]} to {values[-1]}"
    return f"{knob.label} {', '.join(values[:-1])} and {values[-1]}"


def _is_numeric(knob: Knob) -> bool:
    """Tell whether "from first to last" makes sense of the values."""
    return not any(isinstance(value, str | bool) for value in knob.values)


def show_value(value: Value) -> str:
    """Return a value of a knob as it is shown.

    Parameters
    ----------
    value : str, int, float or bool
        The value.

    Returns
    -------
    str

    Examples
    --------
    >>> [show_value(value) for value in ("cosine", 480, 0.05, True)]
    ['cosine', '480', '0.05', 'on']
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}" if abs(value) < 1e5 else f"{value:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
