"""What was measured of verdicts: small text files, found by the verdict's name and filled in parts.

A package of lessons has one folder a lesson. Its module ``verdicts`` declares ``VERDICTS``, a tuple
of `Verdict`, and its folder ``verdicts/`` holds one file a verdict. A file is written anew
after each cell, so that a run which was interrupted goes on where it was.
"""

from __future__ import annotations

import json
import pkgutil
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from lessons_lib.measure.robustness import (
    Cell,
    RobustnessMap,
    Setting,
    Verdict,
    run_cell,
    run_pair,
)

__all__ = [
    "Record",
    "compute",
    "find_verdict",
    "read_map",
    "verdicts_of",
]

DEFAULT_PACKAGE = "lessons_lib.lessons"
COMMAND = "make verdicts"
_HEAD = "# Made by `make verdicts`; the declaration is in verdicts.py of the folder above.\n"


def verdicts_of(package: str = DEFAULT_PACKAGE) -> tuple[Verdict, ...]:
    """Return the verdicts of all lessons of a package, lesson by lesson.

    Parameters
    ----------
    package : str, default="lessons_lib.lessons"
        The package that holds the lessons' folders.

    Returns
    -------
    tuple of Verdict

    Raises
    ------
    ValueError
        If a lesson declares something else than verdicts of its own, or one name twice.
    """
    return tuple(verdict for lesson in _lessons(package) for verdict in _declared(lesson, package))


def _lessons(package: str) -> list[str]:
    """Return the names of the folders that declare verdicts, without importing them."""
    paths = [Path(path) for path in import_module(package).__path__]
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(path) for path in paths])
        if any((path / module.name / "verdicts.py").is_file() for path in paths)
    )


def _declared(lesson: str, package: str) -> tuple[Verdict, ...]:
    module = f"{package}.{lesson}.verdicts"
    declared = getattr(import_module(module), "VERDICTS", None)
    if not isinstance(declared, tuple) or not all(isinstance(v, Verdict) for v in declared):
        raise ValueError(f"{module} must define VERDICTS, a tuple of Verdict, got {declared!r}.")
    names = [verdict.name for verdict in declared]
    if len(set(names)) < len(names) or any(verdict.lesson != lesson for verdict in declared):
        raise ValueError(f"{module} must name its own verdicts, each once, got {names}.")
    return declared


def find_verdict(name: str, package: str = DEFAULT_PACKAGE) -> Verdict:
    """Return the verdict of that name; only its own lesson is imported.

    Parameters
    ----------
    name : str
        For example ``"batch_norm.dropout_before"``.
    package : str, default="lessons_lib.lessons"
        The package that holds the lessons' folders.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is none.
    """
    lesson = name.partition(".")[0]
    known = _declared(lesson, package) if lesson in _lessons(package) else ()
    for verdict in known:
        if verdict.name == name:
            return verdict
    names = ", ".join(verdict.name for verdict in known) or ", ".join(_lessons(package))
    raise ValueError(f"name must be that of a verdict ({names}), got {name!r}.")


@dataclass(frozen=True)
class Record:
    """The file of a verdict.

    Parameters
    ----------
    verdict : Verdict
        The verdict.
    path : Path
        Its file, which need not exist.
    """

    verdict: Verdict
    path: Path

    @classmethod
    def of(cls, verdict: Verdict, package: str = DEFAULT_PACKAGE) -> Record:
        """Return the record beside the lesson that declares a verdict.

        Parameters
        ----------
        verdict : Verdict
            The verdict.
        package : str, default="lessons_lib.lessons"
            The package that holds the lessons' folders.

        Returns
        -------
        Record
        """
        folder = Path(str(import_module(f"{package}.{verdict.lesson}").__file__)).parent
        return cls(verdict, folder / "verdicts" / f"{verdict.name.partition('.')[2]}.toml")

    def _read(self) -> dict[str, Any]:
        if not self.path.is_file():
            return {}
        return tomllib.loads(self.path.read_text(encoding="utf-8"))

    def is_stale(self) -> bool:
        """Tell whether the code or the base has changed since the file was made."""
        stored = self._read()
        return bool(stored) and stored["fingerprint"] != self.verdict.fingerprint()

    def cells(self) -> list[Cell]:
        """Return the stored cells that the verdict still asks for, in its order.

        Returns
        -------
        list of Cell
            Not those with another number of seeds.
        """
        stored = {}
        for entry in self._read().get("cells", ()):
            cell = Cell(entry["turned"], tuple(entry["treatment"]), tuple(entry["baseline"]))
            if len(cell.treatment) == self.verdict.n_seeds:
                stored[cell.key] = cell
        wanted = (Cell(turned, (), ()).key for turned in self.verdict.settings())
        return [stored[key] for key in wanted if key in stored]

    def missing(self) -> list[dict[str, Any]]:
        """Return what is turned in the cells that are still to be computed.

        Returns
        -------
        list of dict
            All cells, if the file is stale.
        """
        known = set() if self.is_stale() else {cell.key for cell in self.cells()}
        return [t for t in self.verdict.settings() if Cell(t, (), ()).key not in known]

    def write(self, cells: Iterable[Cell]) -> None:
        """Store cells, and nothing else, with the fingerprint of today's code.

        Parameters
        ----------
        cells : iterable of Cell
            The cells.
        """
        by_key = {cell.key: cell for cell in cells}
        ordered = (by_key.get(Cell(t, (), ()).key) for t in self.verdict.settings())
        text = _HEAD + f"fingerprint = {json.dumps(self.verdict.fingerprint())}\n"
        text += "".join(_cell_text(cell) for cell in ordered if cell is not None)
        self.path.parent.mkdir(exist_ok=True)
        new = self.path.with_suffix(".tmp")
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)  # whole or not at all

    def renew(self, n_cells: int = 3, *, random_state: int = 0) -> bool:
        """Keep a stale record, if some of its cells come out the same with today's code.

        For code that was only put in other words: then a full run would compute the same again.

        Parameters
        ----------
        n_cells : int, default=3
            How many cells to compute again: the base, and others at random.
        random_state : int, default=0
            Which others.

        Returns
        -------
        bool
            Whether all of them are equal, digit by digit. Only then the file is written.
        """
        cells = self.cells()
        others = np.random.default_rng(random_state).permutation(np.arange(1, len(cells)))
        chosen = [cells[i] for i in (0, *others[: n_cells - 1])] if cells else []
        same = bool(chosen) and all(run_cell(self.verdict, c.turned) == c for c in chosen)
        if same:
            self.write(cells)
        return same


def _cell_text(cell: Cell) -> str:
    # What JSON writes of numbers, texts and lists of numbers is TOML as well.
    turned = ", ".join(f"{name} = {json.dumps(value)}" for name, value in cell.turned.items())
    return (
        f"\n[[cells]]\nturned = {{{turned}}}\n"
        f"treatment = {json.dumps(cell.treatment)}\nbaseline = {json.dumps(cell.baseline)}\n"
    )


def read_map(name: str, package: str = DEFAULT_PACKAGE) -> RobustnessMap:
    """Return what was measured of a verdict.

    Parameters
    ----------
    name : str
        For example ``"batch_norm.dropout_before"``.
    package : str, default="lessons_lib.lessons"
        The package that holds the lessons' folders.

    Returns
    -------
    RobustnessMap

    Raises
    ------
    ValueError
        If there is no such verdict, or cells are missing; the message names the command that
        computes them. (That the code has not changed since is for a test to say: it reads much
        source.)

    Examples
    --------
    >>> read_map("l1.sparse_truth").effect().sign
    -1
    """
    record = Record.of(find_verdict(name, package), package)
    cells, wanted = record.cells(), len(record.verdict.settings())
    if len(cells) < wanted:
        raise ValueError(
            f"{wanted - len(cells)} of {wanted} cells of {name} are missing: run `{COMMAND}`."
        )
    return RobustnessMap(record.verdict, cells)


def compute(records: Sequence[Record], *, n_jobs: int | None = None) -> Iterator[tuple[str, int]]:
    """Compute what is missing in records, and store each cell as soon as it is complete.

    Parameters
    ----------
    records : sequence of Record
        What to complete.
    n_jobs : int or None, default=None
        Number of parallel jobs. None means one, unless a ``joblib.parallel_config`` says otherwise:
        with it the same call runs on all cores or on a cluster. The results do not depend on it.

    Yields
    ------
    name : str
        Of the verdict that was at work.
    seed : int
        The seed that is done: one such pair for each run of both arms.
    """
    tasks: list[tuple[Record, Setting, int]] = []
    kept: dict[str, list[Cell]] = {}
    for record in records:
        kept[record.verdict.name] = [] if record.is_stale() else record.cells()
        seeds = range(record.verdict.n_seeds)
        tasks += [(record, turned, seed) for turned in record.missing() for seed in seeds]
    runs = iter(
        Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(run_pair)(record.verdict, turned, seed) for record, turned, seed in tasks
        )
    )
    pairs: list[tuple[float, float]] = []
    for (record, turned, seed), pair in zip(tasks, runs, strict=True):
        pairs.append(pair)
        verdict = record.verdict
        if len(pairs) == verdict.n_seeds:
            treatment, baseline = zip(*pairs, strict=True)
            kept[verdict.name].append(Cell(turned, treatment, baseline))
            record.write(kept[verdict.name])
            pairs = []
        yield verdict.name, seed
