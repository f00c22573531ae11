"""Maps of effects that are known: where a sign holds, is lost and turns, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lessons_lib.measure import (
    Cell,
    Knob,
    RobustnessMap,
    Verdict,
    paired_confidence_interval,
    run_cell,
    run_pair,
    show_value,
)

from .sample_verdicts.ramp.verdicts import VERDICTS

UP, ALWAYS = VERDICTS


def measure(verdict: Verdict) -> RobustnessMap:
    return RobustnessMap(verdict, [run_cell(verdict, turned) for turned in verdict.settings()])


def test_each_cell_is_run_once() -> None:
    settings = UP.settings()
    assert settings[0] == {}
    # 3 other values of updates, 2 of the rate, 1 kind; the grid adds the 3 other corners.
    assert len(settings) == 1 + 3 + 2 + 1 + 3
    assert len({tuple(sorted(setting.items())) for setting in settings}) == len(settings)
    assert {"updates": 1000, "kind": "useless"} in settings


def test_states_follow_the_known_effect() -> None:
    measured = measure(UP)
    assert measured.along(UP.knob("updates")) == ["holds", "holds", "lost", "turns"]
    assert measured.along(UP.knob("learning_rate")) == ["holds"] * 3
    assert measured.along(UP.knob("kind")) == ["holds", "lost"]
    assert measured.state({"updates": 1000, "kind": "useless"}) == "lost"
    assert (measured.count("holds"), measured.count("lost"), measured.count("turns")) == (4, 5, 1)
    assert measured.reach == 0.4


def test_the_claim_of_the_other_sign_turns_it_around() -> None:
    measured = measure(replace(UP, claim=-1))
    assert measured.along(UP.knob("updates")) == ["turns", "turns", "lost", "holds"]


def test_no_effect_is_claimed_against_a_margin() -> None:
    measured = measure(replace(UP, claim=0, margin=0.1))
    assert measured.along(UP.knob("updates")) == ["turns", "turns", "holds", "turns"]
    too_narrow = measure(replace(UP, claim=0, margin=0.001))
    assert too_narrow.state({"updates": 500}) == "lost", "an interval around zero is no equality"


def test_the_words_say_where() -> None:
    assert measure(UP).conditions() == (
        "Holds in 4 of 10 cells. Holds for learning rate 0.05 to 0.2. "
        "Updates: holds at 50, 100; lost at 500; turns at 1000. "
        "Kind: holds at plain; lost at useless. "
        "Updates with kind: holds in 2, lost in 5, turns in 1 of 8."
    ).replace("50, 100", "50 and 100")
    assert measure(ALWAYS).conditions() == "Holds in all 3 cells: learning rate 0.05 to 0.2."


def test_runs_of_three_values_are_a_range() -> None:
    verdict = replace(UP, knobs=(Knob("updates", (1, 10, 100, 1000)), *UP.knobs[1:]), grids=())
    assert "Updates: holds at 1 to 100; turns at 1000." in measure(verdict).conditions()


def test_effects_are_paired_and_know_their_unit() -> None:
    verdict = replace(UP, over="splits", test_share=0.5)
    effect = measure(verdict).effect({"updates": 50})
    pairs = np.array([run_pair(verdict, {"updates": 50}, seed) for seed in range(6)]).T
    expected = paired_confidence_interval(*pairs, over="splits", test_share=0.5)
    assert (effect.mean, effect.low, effect.over) == (expected.mean, expected.low, "6 splits")
    assert effect.half_width > measure(UP).effect({"updates": 50}).half_width


def test_the_base_may_be_named() -> None:
    measured = measure(UP)
    assert measured.effect({"updates": 100, "kind": "plain"}).mean == measured.effect().mean


def test_a_setting_without_a_cell_and_a_knob_without_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"setting of a cell of ramp.up, got {'updates': 70}"):
        measure(UP).effect({"updates": 70})
    with pytest.raises(ValueError, match=r"of a knob of ramp.up \(updates, .*\), got 'width'"):
        UP.knob("width")


def test_values_are_shown_short() -> None:
    shown = [show_value(value) for value in ("cosine", 480, 0.05, True, 100_000)]
    assert shown == ["cosine", "480", "0.05", "on", "100,000"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "ramp"}, "name must be like 'lesson.verdict', got 'ramp'"),
        ({"claim": 2}, "claim of ramp.up must be -1, 0 or 1, got 2"),
        ({"claim": 0}, "margin of ramp.up must be given for a claim of 0.* margin=None"),
        ({"margin": 1.0}, "margin of ramp.up must be given .* only then"),
        ({"n_seeds": 1}, "n_seeds of ramp.up must be at least 2, got 1"),
        ({"over": "splits"}, "test_share must be"),
        ({"knobs": ()}, r"knobs of ramp.up must be different ones, got \[\]"),
        ({"base": {"updates": 3}}, "'updates' of ramp.up must contain that of the base, 3"),
        ({"grids": (("updates", "width"),)}, "grids of ramp.up must pair two of"),
    ],
)
def test_a_verdict_that_does_not_fit_together_is_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(UP, **change)


def test_a_knob_has_three_to_six_values() -> None:
    for values in ((1, 2), tuple(range(7)), (1, 1, 2), ("one",)):
        with pytest.raises(ValueError, match=r"values of 'x' must be [23] to 6 different ones"):
            Knob("x", values)
    with pytest.raises(TypeError, match=r"values of 'x' must be texts or numbers, got None"):
        Knob("x", (None, 1, 2))  # type: ignore[arg-type]


def test_a_map_needs_all_cells_with_all_seeds() -> None:
    cells = [run_cell(ALWAYS, turned) for turned in ALWAYS.settings()]
    with pytest.raises(ValueError, match=r"must have 4 seeds at {'learning_rate': 0.2}, got None"):
        RobustnessMap(ALWAYS, cells[:-1])
    short = Cell({}, (1.0, 2.0), (0.0, 1.0))
    with pytest.raises(ValueError, match=r"must have 4 seeds at the base, got 2"):
        RobustnessMap(ALWAYS, [short, *cells[1:]])


def infinite(setting: object, seed: int) -> float:
    return float("inf")


def test_an_arm_must_return_a_finite_number() -> None:
    with pytest.raises(ValueError, match=r"ramp.up must be finite, got inf at {'updates': 50}"):
        run_pair(replace(UP, treatment=infinite), {"updates": 50}, 0)
