"""The table of the appendix: who minimizes what, in formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lessons_lib.conventions.libraries import CONVENTIONS
from lessons_lib.conventions.objects import DATA_FACTOR, Convention, Loss

__all__ = ["Row", "notes_to_markdown", "table", "to_markdown"]


@dataclass(frozen=True)
class Row:
    """One line of the table of conventions; formulas are LaTeX without dollar signs.

    Parameters
    ----------
    convention : Convention
        Whom the line is about.
    objective : str
        What is minimized, or the update rule where that is not a penalized loss.
    l1, l2 : str
        The house strengths by the convention's parameters; ``"0"`` if there is no such term, and
        empty if there is no equivalent.
    needs : tuple of str
        Quantities that a translation needs.
    """

    convention: Convention
    objective: str
    l1: str
    l2: str
    needs: tuple[str, ...]


def table(loss: Loss = "squared") -> list[Row]:
    r"""List all conventions that offer a loss, with the formulas that `translate` uses.

    Parameters
    ----------
    loss : {"squared", "logistic"}, default="squared"
        The data loss.

    Returns
    -------
    list of Row
        In the order of `CONVENTIONS`.

    Raises
    ------
    ValueError
        If `loss` is unknown.

    Examples
    --------
    >>> row = table("squared")[1]
    >>> row.convention.name, row.l1, row.l2
    ('sklearn.Ridge', '0', '\\frac{\\texttt{alpha}}{n}')
    """
    if loss not in DATA_FACTOR:
        raise ValueError(f"loss is {loss!r}; wanted 'squared' or 'logistic'")
    return [
        Row(
            convention=entry,
            objective=entry.objective(loss, latex=True),
            l1=entry.house_strength("l1", loss, latex=True),
            l2=entry.house_strength("l2", loss, latex=True),
            needs=entry.needs(loss),
        )
        for entry in CONVENTIONS.values()
        if loss in entry.losses()
    ]


def to_markdown(rows: Iterable[Row]) -> str:
    r"""Write rows as a Markdown table: convention, objective, both house strengths.

    Parameters
    ----------
    rows : iterable of Row
        For example ``table("squared")``.

    Returns
    -------
    str
        A pipe table with mathematics between dollar signs. Nothing in it needs escaping, because
        the formulas write norms with ``\lVert`` and ``\rVert`` instead of bars.
    """
    lines = [
        r"| Convention | Minimizes | L1: $\lambda\rho$ | L2: $\lambda(1-\rho)$ |",
        "|---|---|---|---|",
    ]
    for row in rows:
        l1, l2 = (f"${formula}$" if formula else "none" for formula in (row.l1, row.l2))
        lines.append(f"| `{row.convention.name}` | ${row.objective}$ | {l1} | {l2} |")
    return "\n".join(lines)


def notes_to_markdown(entries: Iterable[Convention]) -> str:
    """Write what the table of `to_markdown` has no room for as a Markdown list.

    Parameters
    ----------
    entries : iterable of Convention
        For example ``CONVENTIONS.values()``.

    Returns
    -------
    str
        For each convention what happens to the intercept, how the tests prove the record, its note,
        and where it is documented.
    """
    return "\n".join(f"- {_note(entry)}" for entry in entries)


def _note(entry: Convention) -> str:
    fitted = f"by fitting {entry.version}" if entry.version else "by a fit"
    proof = fitted if entry.verified == "fit" else "by algebra"
    parts = [f"`{entry.name}`: intercept {entry.intercept}; proved {proof}."]
    refusal = entry.refusal[:1].upper() + entry.refusal[1:]
    parts += [text.rstrip(".") + "." for text in (entry.note, refusal) if text]
    # A place is a text, or an address with or without a remark behind it.
    places = [
        re.sub(r"^(https://\S+)", r"[documentation](\1)", p) for p in entry.source.split("; ")
    ]
    return " ".join([*parts, "Source: " + ", ".join(places) + "."])
