"""The extension on a small book of its own, with outputs as lessons leave them."""

import io
import json
import sys
import warnings
from html import escape
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace, patch_docutils

EXTENSIONS = Path(__file__).parents[2] / "site" / "extensions"
sys.path.insert(0, str(EXTENSIONS))

import figures_ext  # noqa: E402

DIGEST = "0123456789abcdef"
FRAMES = '{"alts":["a \\u003c b"],"lines":[]}'


def block(body: str, caption: str, name: str | None) -> str:
    data = escape(json.dumps({"caption": caption, "name": name}))
    return (
        f'<figure class="lessons-figure" data-figure="{data}">\n{body}\n'
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )


def explorable(digest: str = DIGEST) -> str:
    return (
        f'<div class="explorable" data-explorable="{digest}">\n<svg id="s"></svg>\n</div>\n'
        f'<script type="application/json" class="explorable-frames">{FRAMES}</script>'
    )


# ----------------------------------------------------------------------------------- small parts


def test_other_outputs_are_left_alone():
    assert figures_ext.parse_output("<table><figure></figure></table>") is None
    assert figures_ext.parse_output("") is None


def test_a_block_is_read_back():
    text = block("<svg>\n</svg>", 'a "quoted" < $x$', "fig-a")
    assert figures_ext.parse_output(text) == ("<svg>\n</svg>", 'a "quoted" < $x$', "fig-a")


def test_a_damaged_block_is_an_error():
    with pytest.raises(ValueError, match="damaged"):
        figures_ext.parse_output('<figure class="lessons-figure">\n<svg/>\n</figure>')


def test_frames_are_taken_out():
    body, digest, payload = figures_ext.take_payload(explorable())
    assert (
        body == f'<div class="explorable" data-explorable="{DIGEST}">\n<svg id="s"></svg>\n</div>'
    )
    assert digest == DIGEST
    assert json.loads(payload)["alts"] == ["a < b"]
    assert figures_ext.take_payload("<svg></svg>") is None


def test_frames_of_removed_pages_are_forgotten_and_of_parallel_readers_kept():
    env, other = SimpleNamespace(), SimpleNamespace(explorables={"b": {"2"}, "c": {"3"}})
    figures_ext._explorables(env)["a"] = {"1"}
    figures_ext._merge(None, env, ["b", "z"], other)
    assert env.explorables == {"a": {"1"}, "b": {"2"}}
    figures_ext._purge(None, env, "a")
    assert env.explorables == {"b": {"2"}}


# -------------------------------------------------------------------------------------- a book


def notebook(*blocks: str, text: str = "") -> str:
    cells = [nbformat.v4.new_markdown_cell(f"# Page\n\n{text}")]
    for html in blocks:
        output = nbformat.v4.new_output(
            "display_data", data={"text/html": html, "text/plain": "Figure: plain text"}
        )
        cells.append(nbformat.v4.new_code_cell("show()", outputs=[output], execution_count=1))
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata))


class Book:
    """A book in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "source"
        self.folder.mkdir()
        self.output = folder / "out"
        self.frames = self.output / "_static" / "explorables"
        self.write(
            "conf.py",
            f"import sys; sys.path.insert(0, {str(EXTENSIONS)!r})\n"
            "extensions = ['myst_nb', 'figures_ext']\n"
            "numfig = True\nnb_execution_mode = 'off'\nhtml_theme = 'basic'\n"
            "suppress_warnings = ['config.cache']\n"
            f"html_static_path = [{str(EXTENSIONS.parent / 'static')!r}]\n",
        )
        self.write("index.md", "# Home\n\nSee {numref}`fig-b`.\n\n```{toctree}\none\ntwo\n```\n")
        self.write(
            "one.ipynb",
            notebook(
                block('<svg id="a"></svg>', "Plain.", None),
                block(
                    "<svg></svg>",
                    "1. *Bold* `code`, $\\lambda < 1$ and {numref}`fig-b`.",
                    "fig-a",
                ),
                text="Look at {numref}`fig-a`.",
            ),
        )
        self.write("two.ipynb", notebook(block(explorable(), "Move it.", "fig-b")))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def build(self) -> None:
        log = io.StringIO()
        with warnings.catch_warnings(), docutils_namespace(), patch_docutils():
            warnings.simplefilter("ignore")  # those of Sphinx and MyST are not ours to mend
            doctrees = self.output / ".doctrees"
            app = Sphinx(
                self.folder, self.folder, self.output, doctrees, "html", status=None, warning=log
            )
            app.build()
        assert log.getvalue() == ""

    def page(self, name: str) -> BeautifulSoup:
        return BeautifulSoup((self.output / f"{name}.html").read_text(), "html.parser")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("book"))
    book.build()
    return book


def test_figures_are_numbered_in_order_and_referred_to(book):
    one, two, home = (book.page(name) for name in ("one", "two", "index"))
    numbers = [span.text.strip() for span in one.select("figcaption .caption-number")]
    assert numbers == ["Fig. 1", "Fig. 2"]
    assert two.select_one("figcaption .caption-number").text.strip() == "Fig. 3"
    assert one.select_one("p a[href='#fig-a']").text == "Fig. 2"
    assert home.select_one("a[href='two.html#fig-b']").text == "Fig. 3"
    assert two.select_one("figure#fig-b .explorable") is not None


def test_the_svg_reaches_the_page_once_and_the_plain_text_does_not(book):
    one = book.page("one")
    assert len(one.select("figure > svg#a")) == 1
    assert "plain text" not in one.text
    assert one.select(".lessons-figure, .cell_output pre") == []


def test_the_caption_is_parsed_like_prose(book):
    caption = book.page("one").select("figcaption")[1]
    assert caption.select_one(".caption-text").text.startswith("1. Bold")  # and no list
    assert caption.em.text == "Bold"
    assert caption.code.text == "code"
    assert caption.select_one(".math").text == "\\(\\lambda < 1\\)"
    assert caption.select_one("a[href='two.html#fig-b']").text == "Fig. 3"


def test_only_pages_with_explorables_load_the_script(book):
    def scripts(name):
        return [script["src"] for script in book.page(name).select("script[src*=explorable]")]

    assert scripts("one") == []
    (source,) = scripts("two")
    assert source.startswith("_static/explorable.js")
    assert book.page("two").select_one("script[src*=explorable]").has_attr("defer")
    assert book.page("one").select_one("link[href*='figures.css']") is not None


def test_frames_are_in_a_script_of_their_own(book):
    assert "explorable-frames" not in (book.output / "two.html").read_text()
    script = (book.frames / f"{DIGEST}.js").read_text()
    assert script == f'(window.explorables??={{}})["{DIGEST}"]={FRAMES};\n'


def test_frames_follow_the_pages_in_later_builds(tmp_path):
    book = Book(tmp_path)
    book.build()

    def names():
        return sorted(file.name for file in book.frames.iterdir())

    # Frames that were lost come back, though no page has changed, even when both copies are gone.
    (book.frames / f"{DIGEST}.js").unlink()
    book.build()
    assert names() == [f"{DIGEST}.js"]
    for folder in (book.frames, book.output / ".doctrees" / "explorables"):
        (folder / f"{DIGEST}.js").unlink()
    book.build()
    assert names() == [f"{DIGEST}.js"]

    # A change of another page keeps them; a change of the figure replaces them.
    book.write("index.md", (book.folder / "index.md").read_text() + "\nMore.\n")
    book.build()
    assert names() == [f"{DIGEST}.js"]
    book.write("two.ipynb", notebook(block(explorable("f" * 16), "Move it.", "fig-b")))
    book.build()
    assert names() == ["f" * 16 + ".js"]


def test_a_damaged_figure_fails_the_build_and_names_the_page(tmp_path):
    book = Book(tmp_path)
    book.write("one.ipynb", notebook('<figure class="lessons-figure"><svg></svg></figure>'))
    with pytest.raises(SphinxError, match=r"one\.ipynb: a figure is damaged"):
        book.build()
