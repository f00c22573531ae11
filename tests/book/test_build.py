"""`make book` on small books: what must stop it, and what the address of a repository changes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import bs4
import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.errors import ExtensionError

from lessons_lib.measure import read_map
from lessons_lib.page.verdicts import anchor, effect_text

ROOT = Path(__file__).resolve().parents[2]


def build(
    folder: Path,
    cells: list[nbformat.NotebookNode],
    *,
    more: dict[str, list[nbformat.NotebookNode]] | None = None,
    **environment: str,
) -> tuple[int, str]:
    """Build a book of one notebook, or of some more, with the settings of the real one."""
    source = folder / "book"
    source.mkdir(parents=True)
    (folder / "site").symlink_to(ROOT / "site")
    (source / "references.bib").write_text("")
    for name, own in {"small": cells, **(more or {})}.items():
        notebook = new_notebook(cells=[new_markdown_cell(f"# {name.title()}"), *own])
        nbformat.write(notebook, source / f"{name}.ipynb")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for name, path in config["sphinx"]["local_extensions"].items():
        config["sphinx"]["local_extensions"][name] = str(ROOT / path)
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    toc: dict[str, object] = {"format": "jb-book", "root": "small"}
    if more:
        toc["chapters"] = [{"file": name} for name in more]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "book"]
    command += ["--config", "_config.yml"]
    command += ["--toc", str(folder / "_toc.yml"), "--path-output", ".", "-W", "--keep-going"]
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return result.returncode, result.stdout


def test_a_raising_cell_stops_the_build(tmp_path: Path) -> None:
    code, output = build(tmp_path, [new_code_cell("value = 1\nvalue / 0")])
    assert code != 0, output
    for part in ("small.ipynb", "value / 0", "ZeroDivisionError"):
        assert part in output


def test_notebooks_are_executed_together_and_each_failure_is_told(tmp_path: Path) -> None:
    def meet(me: str, other: str) -> list[nbformat.NotebookNode]:
        """Wait for the other notebook, which waits for this one, and then fail."""
        wait = f"open('{me}.here', 'w').close()\nwhile not os.path.exists('{other}.here'):\n"
        wait = f"import os, time\n{wait}    time.sleep(0.1)"
        return [new_code_cell(wait), new_code_cell(f"'{me} has met {other}' / 0")]

    code, output = build(tmp_path, meet("small", "other"), more={"other": meet("other", "small")})
    assert code != 0, output
    for part in ("small.ipynb", "'small has met other' / 0", "other.ipynb", "TypeError"):
        assert part in output


def test_every_warning_is_told_and_stops_the_build(tmp_path: Path) -> None:
    cells = [
        new_markdown_cell("See {ref}`nowhere` and {doc}`nobody`."),
        new_markdown_cell("$$\n\\frac{1}{\n$$"),
        new_markdown_cell("{cite:p}`nobody1900`"),
        new_code_cell("import warnings; warnings.warn('beware')"),
    ]
    code, output = build(tmp_path, cells)
    assert code != 0, output
    for part in (
        "undefined label: 'nowhere'",
        "unknown document: 'nobody'",
        "KaTeX cannot render",
        'could not find bibtex key "nobody1900"',
        "stderr",
    ):
        assert part in output, output
    assert output.count("small.ipynb") >= 5


def test_a_clean_book_builds_and_has_launch_buttons_where_its_address_is_known(
    tmp_path: Path,
) -> None:
    code, output = build(
        tmp_path,
        [new_code_cell("print(6 * 7)"), new_markdown_cell("$$ x^2 $$")],
        BOOK_REPOSITORY_URL="https://github.com/somebody/some-book",
        BOOK_REPOSITORY_BRANCH="trunk",
        BOOK_URL="https://somebody.example/some-book",
    )
    assert code == 0, output
    page = (tmp_path / "_build" / "html" / "small.html").read_text(encoding="utf-8")
    assert "42" in page
    assert 'class="katex' in page
    start = "https://mybinder.org/v2/gh/somebody/some-book/trunk?urlpath=lab/tree/book/small.ipynb"
    assert start in page
    assert '<link rel="canonical" href="https://somebody.example/some-book/small.html"' in page
    site_map = (tmp_path / "_build" / "html" / "sitemap.xml").read_text(encoding="utf-8")
    assert "<loc>https://somebody.example/some-book/small.html</loc>" in site_map


@pytest.mark.parametrize("address", ["github.com/somebody", "https://github.com/somebody"])
def test_an_odd_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.syspath_prepend(ROOT / "site" / "extensions")
    repository = importlib.import_module("book_site.repository")
    monkeypatch.setenv("BOOK_REPOSITORY_URL", address)
    with pytest.raises(ExtensionError, match=f"BOOK_REPOSITORY_URL is '{address}'; it must look"):
        repository.configure(None, None)


def test_a_page_takes_numbers_from_verdicts_and_leads_to_their_maps(tmp_path: Path) -> None:
    measured = read_map("l1.sparse_truth")
    cells = [new_markdown_cell("It is {effect}`l1.sparse_truth`. {conditions}`l1.sparse_truth`")]
    code, output = build(tmp_path, cells, more={"verdicts": [new_code_cell("print(1)")]})
    assert code == 0, output
    soup = bs4.BeautifulSoup((tmp_path / "_build/html/small.html").read_text(), "html.parser")
    link = soup.find("a", href=f"verdicts.html#{anchor(measured.verdict)}")
    assert link is not None
    assert link.get_text() == effect_text(measured)
    assert measured.conditions() in soup.get_text()


def test_an_unknown_verdict_stops_the_build(tmp_path: Path) -> None:
    code, output = build(tmp_path, [new_markdown_cell("It is {effect}`l1.sparse_truht`.")])
    assert code != 0
    assert "name must be that of a verdict" in output
