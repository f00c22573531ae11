"""The verdicts of the book: declared widely enough, computed, not stale, and repeatable."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
import verdicts as tool

from lessons_lib.measure import Record, RobustnessMap, Verdict, run_cell, verdicts_of

VERDICTS = verdicts_of()
NETWORKS = {"dropout", "batch_norm", "early_stopping", "augmentation", "sgd_noise"}

each_verdict = pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.name)


@each_verdict
def test_it_turns_what_could_break_it(verdict: Verdict) -> None:
    assert len(verdict.knobs) >= 3
    if verdict.lesson in NETWORKS:
        names = {knob.name for knob in verdict.knobs}
        assert "learning_rate" in names
        assert names & {"updates", "epochs"}, "the budget"
        assert verdict.base["learning_rate"] == "tuned", "each arm has its own"
    assert verdict.sentence.endswith(".")


@each_verdict
def test_its_map_is_complete_and_not_stale(verdict: Verdict) -> None:
    assert tool.problems([Record.of(verdict)]) == [], "run `make verdicts`"


@each_verdict
def test_it_holds_where_the_book_measures(verdict: Verdict) -> None:
    """A sentence that does not hold at its own base is to be withdrawn."""
    assert RobustnessMap(verdict, Record.of(verdict).cells()).state() == "holds"


def test_no_file_is_left_behind() -> None:
    known = {Record.of(verdict).path for verdict in VERDICTS}
    folders = {path.parent for path in known}
    assert {path for folder in folders for path in folder.iterdir()} == known


def test_a_random_part_of_the_cells_is_computed_again() -> None:
    """One percent each day, other ones tomorrow.

    Another computer rounds differently, which a long training magnifies in single runs: there the
    mean must agree within a fraction of its interval.
    """
    today = datetime.now(UTC).date().toordinal()
    cells = [(v, cell) for v in VERDICTS for cell in Record.of(v).cells()]
    chosen = np.random.default_rng(today).permutation(len(cells))[: math.ceil(len(cells) / 100)]
    for verdict, stored in (cells[i] for i in chosen):
        again = run_cell(verdict, stored.turned)
        if again == stored:
            continue
        effect = RobustnessMap(verdict, Record.of(verdict).cells()).effect(stored.turned)
        mean = np.subtract(again.treatment, again.baseline).mean()
        assert abs(mean - effect.mean) <= effect.half_width / 2, (
            verdict.name,
            stored.turned,
            today,
        )
