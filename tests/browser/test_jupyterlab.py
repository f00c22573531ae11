"""The first lesson in JupyterLab, as a reader meets it: run it, do an exercise, move a slider.

The tests share one JupyterLab, on copies of the notebooks, and one open page. At the end the home
page is opened there, too: by then an exercise is passed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from lessons_lib.lessons.overfitting import exercises as overfitting

ROOT = Path(__file__).resolve().parents[2]
LESSON = "01-overfitting.ipynb"
HOME = "index.ipynb"
EXERCISE = overfitting.BEST_EPOCH

# JupyterLab asks other hosts for news and for newer versions unless told not to, and by default
# takes cells out of the page while they are not in sight.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
RUN_SECONDS = 180  # a lesson runs in under 30 on an idle machine

pytestmark = pytest.mark.timeout(RUN_SECONDS + 60)


@dataclass
class Server:
    """A running JupyterLab, the notebook that it shows, and its kernels' record of exercises."""

    url: str
    token: str
    notebook: Path
    progress: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("jupyterlab")
    (folder / "book").mkdir()
    notebook = Path(shutil.copy(ROOT / "book" / LESSON, folder / "book"))
    shutil.copy(ROOT / "book" / HOME, folder / "book")
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    progress = folder / "progress.json"
    # Take nothing of the user's own settings and kernels, and leave nothing there.
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "LESSONS_LIB_PROGRESS": str(progress),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    options = [
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--notebook-dir={folder / 'book'}",
    ]
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command + options, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        info = _wait_for_info(process, folder / "runtime", log)
        yield Server(info["url"], info["token"], notebook, progress)
    finally:
        process.terminate()  # it then ends its kernels
        process.wait(30)


def _wait_for_info(process: subprocess.Popen[bytes], folder: Path, log: Path) -> dict[str, Any]:
    """Return what the server writes down about itself once it listens."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        for path in folder.glob("jpserver-*.json"):
            try:
                return dict(json.loads(path.read_text(encoding="utf-8")))
            except json.JSONDecodeError:  # not yet written to its end
                pass
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not start:\n{log.read_text(encoding='utf-8')}")


@dataclass
class Lab:
    """A notebook, opened and run in JupyterLab."""

    page: Page
    requests: list[str]
    problems: list[str]

    def cell(self, text: str) -> Locator:
        """Return the code cell whose source contains a text."""
        editor = self.page.locator(".jp-InputArea-editor", has_text=text)
        return self.page.locator(".jp-CodeCell", has=editor)


@pytest.fixture(scope="module")
def lab(browser: Browser, server: Server) -> Iterator[Lab]:
    with _open(browser, server, LESSON) as lab:
        yield lab


@contextmanager
def _open(browser: Browser, server: Server, name: str) -> Iterator[Lab]:
    """Open a notebook in a page of its own, and run it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    lab = Lab(page, requests=[], problems=[])

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            lab.problems.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: lab.problems.append(str(error)))
    page.on("request", lambda request: lab.requests.append(request.url))
    page.goto(f"{server.url}lab/workspaces/{Path(name).stem}/tree/{name}?token={server.token}")
    # Asked to run earlier, JupyterLab asks back which kernel to use.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    waiting = page.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")
    expect(waiting).not_to_have_count(0)
    expect(waiting).to_have_count(0, timeout=RUN_SECONDS * 1000)
    yield lab
    context.close()


def test_all_cells_run_without_error(lab: Lab, server: Server) -> None:
    failures = lab.page.locator(
        '.jp-OutputArea-output:is([data-mime-type$="stderr"], [data-mime-type$="error"])'
    )
    assert failures.all_inner_texts() == []
    notebook = json.loads(server.notebook.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    hidden = [cell["metadata"].get("jupyter", {}).get("source_hidden", False) for cell in cells]
    prompts = lab.page.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
    # A cell whose source is hidden shows no number.
    expected = ["" if hide else f"[{i}]:" for i, hide in enumerate(hidden, start=1)]
    assert [prompt.strip() for prompt in prompts] == expected


def test_prose_is_rendered(lab: Lab) -> None:
    """With jupyterlab_myst directives, roles and formulas are no raw text."""
    prose = lab.page.locator(".jp-MarkdownCell .jp-MarkdownOutput:visible")
    text = "\n".join(prose.all_inner_texts())
    assert not re.search(r":::|\{(eq|cite|doc|numref)|\$\$", text)
    assert lab.page.locator(".jp-MarkdownCell .katex").count() > 10
    assert lab.page.locator(".jp-MarkdownCell .katex-error").count() == 0


def test_a_wrong_answer_is_explained_and_the_right_one_passes(lab: Lab, server: Server) -> None:
    cell = lab.cell(f'check("{EXERCISE.name}"')
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("not attempted")

    type_answer(cell, "...", "epoch = int(np.argmin(train_loss))\n")
    lab.page.keyboard.type("return epoch, validation_loss[epoch] - train_loss[epoch]")
    lab.page.keyboard.press("Shift+Enter")
    explanation = next(
        misconception.because
        for misconception in EXERCISE.misconceptions
        if misconception.wrong.__name__ == "_best_on_training"
    )
    expect(output).to_contain_text(explanation, timeout=20_000)

    type_answer(cell, "epoch = ", "epoch = int(np.argmin(validation_loss))")
    lab.page.keyboard.press("Shift+Enter")
    expect(output).to_contain_text("passed", timeout=20_000)
    expect(output).not_to_contain_text(explanation)
    record = json.loads(server.progress.read_text(encoding="utf-8"))
    assert "argmin(validation_loss)" in json.dumps(record)


def type_answer(cell: Locator, line: str, answer: str) -> None:
    """Replace a line of a cell's source by typing, as a learner does."""
    keyboard = cell.page.keyboard
    cell.locator(".cm-line", has_text=line).first.click()
    keyboard.press("End")
    keyboard.press("Shift+Home")
    keyboard.type(answer)  # after a line break the editor indents by itself


def test_a_live_slider_moves_the_picture(lab: Lab) -> None:
    widget = lab.page.locator(".jupyter-widgets.widget-vbox").first
    widget.scroll_into_view_if_needed()
    picture = widget.get_by_role("img")
    before, shown = picture.get_attribute("aria-label"), picture.inner_html()
    assert before
    widget.get_by_role("slider").first.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("aria-label", before, timeout=20_000)
    assert picture.inner_html() != shown


def test_the_page_asks_no_other_host_and_has_no_error(lab: Lab, server: Server) -> None:
    own = urlsplit(server.url).netloc
    others = {url for url in lab.requests if not url.startswith(("data:", "blob:"))}
    assert {urlsplit(url).netloc for url in others} == {own}
    assert lab.problems == []


def test_the_home_page_tells_what_is_passed_and_leads_to_the_notebooks(
    browser: Browser, lab: Lab, server: Server
) -> None:
    with _open(browser, server, HOME) as home:
        prose = home.page.locator(".jp-MarkdownCell .jp-MarkdownOutput:visible")
        assert not re.search(r":::|\{doc\}", "\n".join(prose.all_inner_texts()))
        overview = home.page.get_by_role("region", name="Exercises")
        expect(overview.get_by_role("row", name="1 Overfitting")).to_contain_text("1 of")
        for place in home.page.locator(".map-sheet > a").all():
            assert place.evaluate("node => node.scrollHeight <= node.clientHeight")
        link = home.page.get_by_role("navigation", name="Map of the book").get_by_role(
            "link", name="1 Overfitting"
        )
        link.click()
        tab = home.page.locator(".lm-DockPanel-tabBar .lm-mod-current")
        expect(tab).to_contain_text(LESSON, timeout=20_000)
        assert home.problems == []
