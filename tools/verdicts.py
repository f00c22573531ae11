"""Compute what is missing of the verdicts' maps, or say what is stale.

Used by ``make verdicts``. Each complete cell is stored at once in a text file beside its lesson, so
that a run may be interrupted and goes on where it was. On a Dask cluster, which needs the package
`distributed` and this repository on its workers::

    python tools/verdicts.py --scheduler tcp://127.0.0.1:8786
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence

import joblib
from tqdm import tqdm

from lessons_lib.measure import Record, compute, verdicts_of
from lessons_lib.measure.records import DEFAULT_PACKAGE


def records_of(package: str, names: Sequence[str] = ()) -> list[Record]:
    """Return the records of the verdicts whose names begin as asked; of all, if nothing is."""
    verdicts = [v for v in verdicts_of(package) if not names or v.name.startswith(tuple(names))]
    if not verdicts:
        raise SystemExit(f"no verdict is called {' or '.join(names)}")
    return [Record.of(verdict, package) for verdict in verdicts]


def problems(records: Sequence[Record]) -> list[str]:
    """Return a line for each record that does not say what today's code would."""
    found = []
    for record in records:
        name, missing = record.verdict.name, len(record.missing())
        if record.is_stale():
            found.append(f"{name}: the code behind it has changed")
        elif missing:
            found.append(f"{name}: {missing} of {len(record.verdict.settings())} cells are missing")
    return found


@contextlib.contextmanager
def workers(scheduler: str | None, jobs: int) -> Iterator[None]:
    """Let joblib use a Dask cluster, or so many processes."""
    if scheduler is None:
        with joblib.parallel_config(n_jobs=jobs):
            yield
        return
    from distributed import Client

    with Client(scheduler), joblib.parallel_config(backend="dask"):
        yield


def run(records: Sequence[Record], *, scheduler: str | None = None, jobs: int = 2) -> None:
    """Compute what is missing, with a bar that estimates the time left."""
    n_runs = sum(len(record.missing()) * record.verdict.n_seeds for record in records)
    with (
        workers(scheduler, jobs),
        tqdm(total=n_runs, unit="run", smoothing=0, disable=not n_runs) as bar,
    ):
        for name, _ in compute(records):
            bar.set_description(name, refresh=False)
            bar.update()


def main(arguments: Sequence[str] | None = None, package: str = DEFAULT_PACKAGE) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="lessons or verdicts; all without one")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--scheduler", help="address of a Dask scheduler, instead of processes")
    parser.add_argument(
        "--renew",
        action="store_true",
        help="keep stale maps of which three cells come out the same, digit by digit",
    )
    parser.add_argument("--check", action="store_true", help="compute nothing, say what is stale")
    options = parser.parse_args(arguments)
    records = records_of(package, options.names)
    for record in records:
        if options.renew and record.is_stale():
            print(f"{record.verdict.name}: {'kept' if record.renew() else 'has changed'}")
    if not options.check:
        run(records, scheduler=options.scheduler, jobs=options.jobs)
    found = problems(records)
    if found:
        print(*found, "run `make verdicts`", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
