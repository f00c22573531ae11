"""Who minimizes what: the records of ``libraries.toml``, as objects."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lessons_lib.conventions.objects import Convention

__all__ = ["CONVENTIONS"]


def _read() -> dict[str, Convention]:
    text = files(__package__).joinpath("libraries.toml").read_text(encoding="utf-8")
    records = tomllib.loads(text)
    return {
        name: _convention(name, entry, records) for name, entry in records["conventions"].items()
    }


def _convention(name: str, entry: Mapping[str, Any], records: Mapping[str, Any]) -> Convention:
    """Make the object of one entry, with what it leaves to its library's defaults."""
    fields = {**records["defaults"][name.partition(".")[0]], **entry}
    for field in ("source", "note", "refusal"):
        for key, text in records["texts"].items():
            if field in fields:
                fields[field] = fields[field].replace(f"{{{key}}}", text)
    objective = {"squared": None, "logistic": None, **fields.pop("objective")}
    objective["parameters"] = tuple(objective["parameters"])
    if "rule" in fields:
        fields["rule"] = tuple(fields["rule"])
    return Convention(name=name, **objective, **fields)


#: Every convention by its name, in the order of the table.
CONVENTIONS: Mapping[str, Convention] = MappingProxyType(_read())
