"""Explorables in a browser, on a page of their own: mouse, keyboard, phone, dark, no JavaScript.

The page is opened as a file, so it also shows that explorables need no server.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lessons_lib.page import figures
from lessons_lib.page.explore import Explorable, Grid, decode_frames

from .conftest import Visit

SITE = Path(__file__).parents[2] / "site"
sys.path.insert(0, str(SITE / "extensions"))

import figures_ext  # noqa: E402

DEGREES, NOISES = [1, 2, 3, 4, 5], [0.1, 0.2, 0.3]
SIZES = {"phone": 390, "desktop": 1280}


def draw(degree, noise):
    fig, (left, right) = figures.panels(2)
    x = np.linspace(0, 1, 50)
    left.plot(x, x**degree, **figures.role("train"))
    for k in range(degree % 3):  # so that frames differ in their number of elements
        left.axhline(k / 3, zorder=k)
    left.set(xlim=(0, 1), ylim=(0, 1), xlabel="x", ylabel="y", title="Fit")
    right.plot([0, 1], [noise, 0.5], **figures.role("test"))
    right.set(xlim=(0, 1), ylim=(0, 1), xlabel="degree", ylabel="error", title="Error")
    figures.label_line(right, 0.5, 0.5, "test", "test")
    return fig


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Write the page as the book's build does; return its folder and the frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESSONS_LIB_STATIC", "1")
        html = Explorable(
            draw,
            caption="It bends.",
            alt="Degree {degree}, noise {noise}.",
            name="fig-degree",
            grids={
                "degree": Grid(DEGREES, label="Degree"),
                "noise": Grid(NOISES, label="Noise σ", unit="V"),
            },
        ).html()
    body, caption, name = figures_ext.parse_output(html)
    body, digest, payload = figures_ext.take_payload(body)
    folder = tmp_path_factory.mktemp("site")
    frames = folder / "_static" / "explorables"
    frames.mkdir(parents=True)
    for file in ("figures.css", "explorable.js"):
        (folder / "_static" / file).write_text((SITE / "static" / file).read_text())
    (frames / f"{digest}.js").write_text(figures_ext.payload_script(digest, payload))

    def write(file: str, above: str = "", element: str = body) -> None:
        (folder / file).write_text(f"""<!DOCTYPE html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Explorable</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="_static/figures.css">
<style>html {{ background: var(--fig-paper); color: var(--fig-ink) }}
main {{ margin: 0 auto; max-width: 42rem }}</style>
<script defer src="_static/explorable.js"></script></head>
<body><main class="bd-article"><h1>Page</h1>{above}
<figure class="lesson-explorable" id="{name}">{element}
<figcaption><p><span class="caption-text">{caption}</span></p></figcaption></figure>
</main></body></html>""")

    write("near.html")
    write("far.html", above='<a href="#x">link</a><div style="height: 4000px"></div>')
    write("lost.html", element=body.replace(digest, "0" * 16))
    return folder, payload


@pytest.fixture
def visit(browser, demo):
    visits = []

    def open_page(file: str = "near.html", **options) -> Visit:
        visits.append(Visit(browser, (demo[0] / file).as_uri(), until="load", **options))
        return visits[-1]

    yield open_page
    for each in visits:
        each.context.close()


def frames_requested(visit: Visit) -> int:
    return sum("explorables/" in url for url in visit.requests)


def pictures(page: Page) -> list[list[str]]:
    """The elements shown in each panel, as the browser writes them."""
    return page.locator(".book-figure svg").evaluate_all(
        "all => all.map(svg => [...svg.children].map(e => e.outerHTML))"
    )


def as_browser_writes(page: Page, frame: list[list[str]]) -> list[list[str]]:
    script = """panels => panels.map(elements => {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        svg.innerHTML = elements.join("");
        return [...svg.children].map(e => e.outerHTML);
    })"""
    return page.evaluate(script, frame)


def set_slider(page: Page, label: str, value: int) -> None:
    page.get_by_role("slider", name=label).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value
    )


def rgb(color: str) -> str:
    """Write a color as the browser does."""
    return f"rgb{tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))}"


def loaded(visit: Visit) -> Page:
    """Return the page once its frames are there."""
    visit.page.wait_for_function("Object.keys(window.explorables).length === 1")
    return visit.page


def test_every_place_of_the_sliders_shows_its_frame(visit, demo):
    page = loaded(visit())
    payload = json.loads(demo[1])
    frames = decode_frames(payload)
    seen = set()
    for number, (i, j) in enumerate(itertools.product(range(5), range(3))):
        set_slider(page, "Degree", i)
        set_slider(page, "Noise σ", j)
        assert pictures(page) == as_browser_writes(page, frames[number])
        expect(page.get_by_role("img")).to_have_accessible_name(payload["alts"][number])
        seen.add(json.dumps(pictures(page)))
    assert len(seen) == 15


def test_a_move_there_and_back_shows_the_same(visit):
    page = loaded(visit())
    before = pictures(page)
    set_slider(page, "Degree", 0)
    assert pictures(page) != before
    set_slider(page, "Degree", 2)
    assert pictures(page) == before


def test_a_frame_changes_within_the_input_event(visit):
    page = loaded(visit())
    changed = page.evaluate("""() => {
        const input = document.querySelector("input");
        const svg = document.querySelector(".book-figure svg");
        const before = svg.innerHTML;
        input.value = 4;
        input.dispatchEvent(new Event("input", {bubbles: true}));
        return svg.innerHTML !== before;  // so the browser's next frame shows it
    }""")
    assert changed


def test_the_mouse_moves_a_slider(visit):
    page = loaded(visit())
    slider = page.get_by_role("slider", name="Degree")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, y, steps=4)
    page.mouse.up()
    expect(slider).to_have_value("4")
    expect(page.locator("output").first).to_have_text("5")
    expect(page.get_by_role("img")).to_have_accessible_name("Degree 5, noise 0.2.")


def test_the_keyboard_moves_a_slider(visit):
    page = loaded(visit())
    page.keyboard.press("Tab")
    slider = page.get_by_role("slider", name="Noise σ")
    page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    for key, text in [
        ("ArrowRight", "0.3\xa0V"),
        ("Home", "0.1\xa0V"),
        ("ArrowUp", "0.2\xa0V"),
        ("End", "0.3\xa0V"),
        ("ArrowLeft", "0.2\xa0V"),
    ]:
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", text)
        expect(page.locator("output").nth(1)).to_have_text(text)
        expect(page.get_by_role("img")).to_have_accessible_name(
            f"Degree 3, noise {text.split()[0]}."
        )


def test_focus_is_visible(visit):
    page = visit().page
    page.keyboard.press("Tab")
    style = page.get_by_role("slider", name="Degree").evaluate(
        "e => getComputedStyle(e).outlineStyle"
    )
    assert style == "solid"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps(visit, size):
    page = loaded(visit(width=SIZES[size]))
    page.evaluate("""() => {
        window.shifts = [];
        const note = e => ({value: e.value, moved: e.sources.map(s => s.node?.outerHTML)});
        new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(note)))
            .observe({type: "layout-shift"});
    }""")
    boxes = "() => [...document.querySelectorAll('figure *:not(svg *)')].map(e => {" + (
        "const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })"
    )
    before = page.evaluate(boxes)
    for i, j in [(0, 0), (4, 2), (1, 1)]:
        set_slider(page, "Degree", i)
        set_slider(page, "Noise σ", j)
        page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
        after = page.evaluate(boxes)
        assert len(after) == len(before)
        np.testing.assert_allclose(after, before, atol=0.01)
    page.wait_for_timeout(100)  # entries are reported later
    assert page.evaluate("window.shifts") == []


def test_panels_stand_side_by_side_on_a_desktop_and_stack_on_a_phone(visit):
    for size, width in SIZES.items():
        page = visit(width=width).page
        first, second = (panel.bounding_box() for panel in page.locator("svg").all())
        if size == "desktop":
            assert first["y"] == second["y"]
            assert first["x"] + first["width"] <= second["x"] + 1
        else:
            assert first["y"] + first["height"] <= second["y"] + 1
            assert first["width"] > 0.9 * 374
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", SIZES)
def test_text_is_legible(visit, size):
    page = visit(width=SIZES[size]).page
    heights = page.locator("svg text").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().d)"
    )
    heights = [height for height in heights if height > 0]  # rotated labels have d = 0
    assert 10.5 < min(heights) < max(heights) < 17


def test_a_finger_finds_the_slider(visit):
    page = visit(width=390, has_touch=True).page
    for slider in page.get_by_role("slider").all():
        box = slider.bounding_box()
        assert box["height"] >= 44
        assert box["width"] > 340
    box = page.get_by_role("slider", name="Degree").bounding_box()
    page.touchscreen.tap(box["x"] + 4, box["y"] + 4)  # not on the thin track itself
    expect(page.get_by_role("img")).to_have_accessible_name("Degree 1, noise 0.2.")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_and_colors_follow_the_mode(visit, demo, size, mode):
    seen = visit(width=SIZES[size])
    page = loaded(seen)
    page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
    blue, red = figures.COLORS["blue"], figures.COLORS["vermillion"]
    stroke, text = (blue.line, red.text) if mode == "light" else (blue.dark, red.dark)
    curve = page.locator("svg path[style*='--fig-blue'][clip-path]").first
    assert curve.evaluate("e => getComputedStyle(e).stroke") == rgb(stroke)
    label = page.locator("svg text", has_text="test")
    assert label.evaluate("e => getComputedStyle(e).fill") == rgb(text)
    ink = page.locator("svg text", has_text="Fit")
    assert ink.evaluate("e => getComputedStyle(e).fill") == page.locator(".book-figure").evaluate(
        "e => getComputedStyle(e).color"
    )
    assert seen.problems == []
    assert {Path(url).name for url in seen.requests} == {
        "near.html",
        "figures.css",
        "explorable.js",
        next((demo[0] / "_static" / "explorables").iterdir()).name,
    }
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()


def test_without_javascript_the_start_frame_and_a_sentence_are_there(visit):
    page = visit(java_script_enabled=False).page
    expect(page.get_by_role("img")).to_have_accessible_name("Degree 3, noise 0.2.")
    sentence = page.locator("noscript p")
    expect(sentence).to_be_visible()
    assert sentence.text_content() == (
        "The sliders need JavaScript; this is the frame at degree 3, noise σ 0.2\xa0V."
    )
    expect(page.locator(".explorable-controls")).to_be_hidden()
    expect(page.locator("svg").first).to_be_visible()


def test_with_javascript_the_sentence_is_not_there(visit):
    page = visit().page
    expect(page.locator("noscript p")).to_have_count(0)
    expect(page.get_by_role("slider", name="Degree")).to_be_enabled()


def test_frames_are_loaded_when_the_reader_comes_near(visit):
    seen = visit("far.html")
    seen.page.wait_for_timeout(300)
    assert frames_requested(seen) == 0
    seen.page.mouse.wheel(0, 2900)
    loaded(seen)
    assert frames_requested(seen) == 1


def test_frames_are_loaded_when_a_slider_has_the_focus(visit):
    seen = visit("far.html")
    seen.page.get_by_role("slider", name="Degree").evaluate("e => e.focus({preventScroll: true})")
    loaded(seen)
    assert frames_requested(seen) == 1


def test_a_move_before_the_frames_are_there_is_not_lost(visit):
    seen = visit("far.html")
    set_slider(seen.page, "Degree", 4)
    expect(seen.page.locator("output").first).to_have_text("5")
    expect(seen.page.get_by_role("img")).to_have_accessible_name("Degree 5, noise 0.2.")


def test_frames_that_cannot_be_loaded_are_reported_in_a_sentence(visit):
    page = visit("lost.html").page
    expect(page.get_by_role("status").filter(has_text="could not be loaded")).to_be_visible()
    set_slider(page, "Degree", 4)
    expect(page.locator("output").first).to_have_text("5")
    expect(page.get_by_role("img")).to_have_accessible_name("Degree 3, noise 0.2.")
