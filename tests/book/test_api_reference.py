"""The API reference: complete, with source, and linked with the lessons in both directions."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup, SoupStrainer, Tag

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "site" / "extensions"))

from api_reference import inventory, reference  # noqa: E402
from api_reference.usage import used_names  # noqa: E402

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


@cache
def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def described() -> dict[str, tuple[str, Tag]]:
    """Return page and signature of everything in the reference."""
    found: dict[str, tuple[str, Tag]] = {}
    for path in sorted((HTML / "api").glob("*.html")):
        for signature in read(path).select("dl.py > dt.sig[id]"):
            assert signature["id"] not in found
            found[str(signature["id"])] = (f"api/{path.name}", signature)
    return found


# ------------------------------------------------------------------------------------ inventory


def test_what_is_public_is_found_once_under_its_shortest_name() -> None:
    names = [entry.name for entry in inventory.entries()]
    assert len(names) == len(set(names))
    by_name = {entry.name: entry for entry in inventory.entries()}
    lasso = by_name["lessons_lib.linear.Lasso"]
    assert (lasso.home, lasso.aliases) == (
        "lessons_lib.linear.lasso",
        ("lessons_lib.linear.lasso.Lasso",),
    )
    assert by_name["lessons_lib.exercises.check"].directive == "autofunction"
    assert by_name["lessons_lib.network.DivergenceError"].directive == "autoexception"
    assert by_name["lessons_lib.page.figures.COLORS"].directive == "data"
    # Two classes of one name are two entries.
    assert {"lessons_lib.penalties.ElasticNet", "lessons_lib.linear.ElasticNet"} <= set(names)


@pytest.mark.parametrize(
    ("module", "covered"),
    [
        ("lessons_lib.linear.lasso", True),
        ("lessons_lib.linear._base", False),
        ("lessons_lib.lessons", False),
        ("lessons_lib.command.read", False),
        ("lessons_lib.lessons.l1.plots", False),
        ("lessons_lib.exercises", True),
        ("lessons_lib.lessons.l1.exercises", False),
    ],
)
def test_drawings_solutions_and_private_modules_are_left_out(module: str, covered: bool) -> None:
    assert inventory.is_covered(module) == covered


def test_a_constant_is_found_where_it_is_assigned() -> None:
    assert reference.origin("lessons_lib.augment.text", "SYNONYMS") == "lessons_lib.augment._tables"
    assert reference.origin("lessons_lib.page.explore", "MAX_FRAMES") == "lessons_lib.page.explore"
    code, tags = reference.find_source(None, "lessons_lib.page.explore")
    kind, start, end = tags["MAX_FRAMES"]
    assert kind == "data"
    assert "MAX_FRAMES" in "".join(code.splitlines()[start - 1 : end])


# ------------------------------------------------------------------------------------- the pages


def test_every_public_object_is_described() -> None:
    missing = set()
    for path in sorted((ROOT / "lessons_lib").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not inventory.is_covered(module) or "__all__" not in path.read_text(encoding="utf-8"):
            continue
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            value = getattr(loaded, name)
            # Under this name, or under that of a package around the module.
            parts = module.split(".")
            names = {".".join([*parts[:i], name]) for i in range(2, len(parts) + 1)}
            if not inspect.ismodule(value) and not names & described().keys():
                missing.add(f"{module}.{name}")
    assert missing == set()


@pytest.mark.parametrize("entry", inventory.entries(), ids=lambda entry: entry.name)
def test_an_object_has_a_description_and_its_source(entry: inventory.Entry) -> None:
    page, signature = described()[entry.name]
    content = signature.find_next_sibling("dd")
    assert isinstance(content, Tag)
    texts = [tag.get_text() for tag in content.find_all("p", recursive=False)]
    assert [text for text in texts if not text.startswith(("Bases:", "Used in"))]
    link = signature.select_one("a[href*='_modules']")
    assert link is not None
    path, _, name = unquote(str(link["href"])).partition("#")
    source = read((HTML / page).parent / path).find(id=name)
    assert source is not None
    short = entry.name.rpartition(".")[2]
    assert re.search(rf"\b(class|def) {short}\b|^{short}\b", source.get_text(), re.MULTILINE)


def test_mathematics_in_docstrings_is_rendered() -> None:
    page, signature = described()["lessons_lib.linear.ElasticNet"]
    content = signature.find_next_sibling("dd")
    assert isinstance(content, Tag)
    assert len(content.select(".katex")) > 3
    assert "\\rho" not in "".join(t for t in content.find_all(string=True, recursive=False))
    assert "[Parameters" not in read(HTML / page).get_text()


def test_a_base_class_is_linked_and_its_methods_are_not_repeated() -> None:
    _, signature = described()["lessons_lib.network.Linear"]
    content = signature.find_next_sibling("dd")
    assert isinstance(content, Tag)
    assert content.select_one("a[href='#lessons_lib.network.Module']") is not None
    assert "lessons_lib.network.Linear.forward" in described()
    assert "lessons_lib.network.Linear.state_dict" not in described()
    assert "lessons_lib.linear.Ridge.predict" in described()  # its base has no entry
    assert not any(name.endswith("set_score_request") for name in described())


# ------------------------------------------------------------------------------------- the usage


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["from lessons_lib.linear import Ridge, Lasso\nRidge()"], ["lessons_lib.linear.Ridge"]),
        (
            ["from lessons_lib.linear import Ridge as R", "%pip x\nR()"],
            ["lessons_lib.linear.Ridge"],
        ),
        (
            ["from lessons_lib.page import figures", "figures.show(1)"],
            ["lessons_lib.page.figures.show"],
        ),
        (["import lessons_lib.linear as m", "m.Ridge().fit(1)"], ["lessons_lib.linear.Ridge"]),
        (["import lessons_lib.linear", "lessons_lib.linear.Ridge"], ["lessons_lib.linear.Ridge"]),
        (["from lessons_lib.linear import Ridge", "%%time\nRidge()"], []),
        (["from lessons_lib.linear import Ridge", "def f(Ridge): return Ridge"], []),
        (["from lessons_lib.linear import Ridge", "[Ridge for Ridge in [1]]"], []),
        (["from lessons_lib.linear import Ridge", "Ridge = 1", "Ridge"], []),
        (["from lessons_lib.linear import Ridge", "def Ridge(): ...", "Ridge"], []),
        (
            ["from lessons_lib.linear import Ridge", "Ridge = Ridge()"],
            ["lessons_lib.linear.Ridge"],
        ),
        (
            ["from lessons_lib.linear import Ridge", "def f(x):\n    return Ridge(x)"],
            ["lessons_lib.linear.Ridge"],
        ),
        (["from sklearn.linear_model import Ridge", "Ridge()"], []),
        (["# lessons_lib.linear.Ridge", "'Ridge'"], []),
    ],
)
def test_used_names(cells: list[str], expected: list[str]) -> None:
    assert used_names(cells) == expected


def called_imports(notebook: Path) -> set[str]:
    """Return the names that a notebook imports from a public module and calls."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    nodes = list(ast.walk(ast.parse(re.sub(r"^[%!].*", "", code, flags=re.MULTILINE))))
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    called -= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}  # its own of that name
    return {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lessons_lib.")
        for alias in node.names
        if alias.name in called
    }


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_and_the_objects_that_it_uses_link_to_each_other(notebook: Path) -> None:
    by_alias = {
        alias: entry.name for entry in inventory.entries() for alias in (entry.name, *entry.aliases)
    }
    text = (HTML / f"{notebook.stem}.html").read_text(encoding="utf-8")
    strainer = SoupStrainer(id="from-the-library")
    lists = BeautifulSoup(text, "html.parser", parse_only=strainer)
    listed = lists.select("ul a[href*='#']")
    linked = {unquote(str(link["href"])).partition("#")[2] for link in listed}
    for link in listed:
        assert link.get_text() == str(link["href"]).rpartition(".")[2]
    used = {by_alias[name] for name in called_imports(notebook) if name in by_alias}
    assert len(used) > 5
    assert used <= linked
    for name in (name for name in linked if not name.startswith("module-")):
        _, signature = described()[name]
        users = signature.find_next_sibling("dd").select(".used-in a")  # type: ignore[union-attr]
        assert f"../{notebook.stem}.html" in {str(user["href"]) for user in users}


def test_what_no_lesson_uses_names_none() -> None:
    _, signature = described()["lessons_lib.exercises.verify_exercise"]
    assert signature.find_next_sibling("dd").select(".used-in") == []  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------- the index


@pytest.mark.parametrize(
    ("term", "target"),
    [
        ("dropout", "glossary.html#term-dropout"),
        ("duality gap", "glossary.html#term-duality-gap"),
        ("Lasso (class in lessons_lib.linear)", "api/linear.html#lessons_lib.linear.Lasso"),
        (
            "check() (in module lessons_lib.exercises)",
            "api/exercises.html#lessons_lib.exercises.check",
        ),
    ],
)
def test_the_index_leads_to(term: str, target: str) -> None:
    links = [link for link in read(HTML / "genindex.html").select("article a")]
    assert target in {str(link["href"]) for link in links if link.get_text(strip=True) == term}
