"""Stored measurements: read back as written, completed where interrupted, refused when stale."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import verdicts as tool
from distributed import Client, LocalCluster

from lessons_lib.measure import Knob, Record, compute, find_verdict, read_map, verdicts_of
from lessons_lib.measure import records as module

from .sample_verdicts.ramp.verdicts import VERDICTS

PACKAGE = f"{__package__}.sample_verdicts"
UP, ALWAYS = VERDICTS


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(UP, tmp_path / "verdicts" / "up.toml")


def complete(record: Record) -> list[tuple[str, int]]:
    return list(compute([record]))


def test_what_is_stored_is_read_back(record: Record) -> None:
    assert complete(record) == [("ramp.up", seed) for _ in range(10) for seed in range(6)]
    assert record.missing() == []
    assert [cell.turned for cell in record.cells()] == UP.settings()
    cells = record.cells()
    text = record.path.read_text(encoding="utf-8")
    record.write(reversed(cells))
    assert record.path.read_text(encoding="utf-8") == text, "in the order of the verdict"
    assert record.cells() == cells
    assert max(len(line) for line in text.splitlines()) < 120


def test_an_interrupted_run_goes_on(record: Record) -> None:
    runs = compute([record])
    for _ in range(6 * 3 + 2):  # three cells, and a bit of the fourth
        next(runs)
    assert len(record.cells()) == 3
    assert len(record.missing()) == 7
    assert len(complete(record)) == 7 * 6
    assert record.missing() == []


def test_another_value_only_adds_a_cell(record: Record) -> None:
    complete(record)
    more = replace(UP, knobs=(*UP.knobs[:1], Knob("learning_rate", (0.1, 0.2, 0.4)), UP.knobs[2]))
    assert Record(more, record.path).missing() == [{"learning_rate": 0.4}]
    assert Record(replace(UP, n_seeds=7), record.path).missing() == UP.settings()


def test_changed_code_or_base_makes_it_stale(record: Record) -> None:
    complete(record)
    assert not record.is_stale()
    other = Record(replace(UP, treatment=UP.baseline), record.path)
    assert other.is_stale()
    assert other.missing() == UP.settings()
    assert tool.problems([other]) == ["ramp.up: the code behind it has changed"]
    complete(other)
    assert not other.is_stale()
    assert Record(replace(UP, base={**UP.base, "kind": "useless"}), record.path).is_stale()


def test_a_stale_record_is_kept_only_if_its_numbers_come_out_the_same(record: Record) -> None:
    complete(record)
    text = record.path.read_text(encoding="utf-8")
    stale = text.replace(UP.fingerprint(), "0" * 12)
    record.path.write_text(stale, encoding="utf-8")
    assert Record(replace(UP, treatment=UP.baseline), record.path).renew() is False
    assert record.path.read_text(encoding="utf-8") == stale
    assert record.renew() is True
    assert record.path.read_text(encoding="utf-8") == text
    assert Record(UP, record.path.with_name("none.toml")).renew() is False


def test_parallel_jobs_change_nothing(record: Record, tmp_path: Path) -> None:
    complete(record)
    other = Record(UP, tmp_path / "parallel.toml")
    list(compute([other], n_jobs=2))
    assert other.cells() == record.cells()


def test_a_dask_cluster_changes_nothing(record: Record, tmp_path: Path) -> None:
    complete(record)
    other = Record(UP, tmp_path / "cluster.toml")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    with LocalCluster(**options, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            before = client.run_on_scheduler(
                lambda dask_scheduler: dask_scheduler.transition_counter
            )
        tool.run([other], scheduler=cluster.scheduler_address)
        with Client(cluster) as client:
            after = client.run_on_scheduler(
                lambda dask_scheduler: dask_scheduler.transition_counter
            )
    assert other.cells() == record.cells()
    assert after > before, "the cluster did the work"


def test_the_command_says_what_is_missing_and_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Record, "of", lambda v, package: Record(v, tmp_path / f"{v.name}.toml"))
    assert tool.main(["--check"], PACKAGE) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ramp.up: 10 of 10 cells are missing",
        "ramp.always: 3 of 3 cells are missing",
        "run `make verdicts`",
    ]
    assert tool.main(["ramp.always", "--jobs", "1"], PACKAGE) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "12/12" in said.err
    assert tool.main(["--check"], PACKAGE) == 1
    assert "ramp.always" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no verdict is called slope"):
        tool.main(["slope"], PACKAGE)


def test_verdicts_are_found_by_name() -> None:
    assert verdicts_of(PACKAGE) == VERDICTS
    assert find_verdict("ramp.always", PACKAGE) is ALWAYS
    with pytest.raises(ValueError, match=r"of a verdict \(ramp.up, ramp.always\), got 'ramp.down'"):
        find_verdict("ramp.down", PACKAGE)
    with pytest.raises(ValueError, match=r"of a verdict \(ramp\), got 'slope.up'"):
        find_verdict("slope.up", PACKAGE)
    folder = Path(str(sys.modules[f"{PACKAGE}.ramp"].__file__)).parent
    assert Record.of(UP, PACKAGE).path == folder / "verdicts" / "up.toml"


def test_a_map_that_is_not_computed_names_the_command() -> None:
    with pytest.raises(ValueError, match=r"10 of 10 cells of ramp.up are missing: .*make verdicts"):
        read_map("ramp.up", PACKAGE)


@pytest.mark.parametrize("declared", [None, [UP], (UP, UP), (replace(UP, name="slope.up"),)])
def test_declarations_of_something_else_are_refused(
    declared: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[f"{PACKAGE}.ramp.verdicts"], "VERDICTS", declared)
    with pytest.raises(ValueError, match=r"ramp.verdicts must"):
        module.verdicts_of(PACKAGE)
