"""The bibliography as data: complete entries in one style, each of them cited."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from pybtex.database import Entry, parse_file

BOOK = Path(__file__).parents[2] / "book"
ENTRIES = parse_file(BOOK / "references.bib").entries
REQUIRED = {
    "article": {"title", "journal", "volume", "pages", "year"},
    "book": {"title", "publisher", "year"},
    "incollection": {"title", "booktitle", "publisher", "pages", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "misc": {"title", "eprint", "archiveprefix", "year"},
}
GROUPS = {"OpenAI Dota Team"}

MARKDOWN = MarkdownIt().enable("table").use(myst_role_plugin).use(colon_fence_plugin)

each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))


def citations(text: str) -> Iterator[str]:
    """Yield the keys that a Markdown text cites, inside of directives too."""
    for token in MARKDOWN.parse(text):
        if token.type in ("fence", "colon_fence") and token.info.startswith("{"):
            yield from citations(token.content)
        for child in token.children or ():
            if child.type == "myst_role" and child.meta["name"].startswith("cite"):
                yield from (key.strip() for key in child.content.split(","))


def texts() -> Iterator[str]:
    for path in BOOK.glob("*.md"):
        yield path.read_text(encoding="utf-8")
    for path in BOOK.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        yield from (cell.source for cell in cells if cell.cell_type == "markdown")


def test_citations_are_found_wherever_they_stand() -> None:
    table = "| x |\n|---|\n| {cite:p}`b,c` |"
    text = f"{{cite:t}}`a`\n\n{table}\n\n:::{{note}}\n{{cite:p}}`d`\n:::\n\n`{{cite:p}}`"
    assert list(citations(text)) == ["a", "b", "c", "d"]


def test_what_is_cited_is_listed_and_what_is_listed_is_cited() -> None:
    cited = {key for text in texts() for key in citations(text)}
    assert cited == set(ENTRIES)


@each_entry
def test_an_entry_has_what_its_type_needs(entry: Entry) -> None:
    assert REQUIRED[entry.type] <= {name.lower() for name in entry.fields}
    assert entry.persons["author"]


@each_entry
def test_names_are_complete(entry: Entry) -> None:
    for person in (person for people in entry.persons.values() for person in people):
        assert person.last_names, person
        assert person.first_names or " ".join(person.last_names).strip("{}") in GROUPS, person


def test_names_stand_last_name_first() -> None:
    source = (BOOK / "references.bib").read_text(encoding="utf-8")
    names = Counter(
        str(person)
        for entry in ENTRIES.values()
        for people in entry.persons.values()
        for person in people
        if person.first_names
    )
    for name, count in names.items():
        assert source.count(name) >= count, name


@each_entry
def test_pages_are_a_range_with_an_en_dash(entry: Entry) -> None:
    first, dash, last = entry.fields.get("pages", "1").partition("--")
    assert "-" not in first + last
    assert not dash or int(first) < int(last)


def test_dois_are_well_formed_and_unique() -> None:
    dois = [entry.fields["doi"] for entry in ENTRIES.values() if "doi" in entry.fields]
    for doi in dois:
        prefix, _, suffix = doi.partition("/")
        assert prefix.startswith("10."), doi
        assert prefix.removeprefix("10.").isdigit(), doi
        assert suffix, doi
        assert not any(character.isspace() for character in doi), doi
    assert [doi for doi, count in Counter(dois).items() if count > 1] == []


def test_keys_are_sorted() -> None:
    assert list(ENTRIES) == sorted(ENTRIES)
