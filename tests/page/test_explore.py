import itertools
import json
import re
from html import unescape

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from lessons_lib.page import _output, explore, figures
from lessons_lib.page.explore import (
    Explorable,
    Grid,
    decode_frames,
    encode_frames,
    payload_size,
)

X = np.linspace(0, 1, 40)


def draw(degree=2, noise=0.1):
    fig, (left, right) = figures.panels(2)
    left.plot(X, X**degree + noise, **figures.role("train", marker=False))
    left.set(xlim=(0, 1), ylim=(0, 2), xlabel="x")
    right.plot([0, 1], [noise, 1], **figures.role("test"))
    right.set(xlim=(0, 1), ylim=(0, 2))
    return fig


TEXTS = {"caption": "Watch it bend.", "alt": "Degree {degree}, noise {noise}."}
GRIDS = {"degree": [1, 2, 3], "noise": Grid([0.1, 0.5], label="Noise σ", unit="V")}


def an_explorable(**changes) -> Explorable:
    return Explorable(**({"draw": draw, "grids": GRIDS, **TEXTS} | changes))


@pytest.fixture(autouse=True)
def _live(monkeypatch):
    monkeypatch.delenv("LESSONS_LIB_STATIC", raising=False)


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr(_output, "display", lambda output: outputs.append(output))
    return outputs


def payload_of(html: str) -> dict:
    text = re.search(r'class="explorable-frames">(.*?)</script>', html, re.DOTALL)[1]
    assert "<" not in text
    return json.loads(text)


# ------------------------------------------------------------------------------------------ grid


def test_a_grid_writes_its_values():
    assert Grid([0.001, 10]).texts == ("0.001", "10")
    assert Grid([0.5], format="{:.0%}").texts == ("50%",)
    assert Grid(["ridge", "lasso"], unit="px").texts == ("ridge\xa0px", "lasso\xa0px")
    assert Grid(np.array([0.1, 0.2])).texts == ("0.1", "0.2")


@pytest.mark.parametrize(
    ("values", "index"), [([1], 0), ([1, 2], 0), ([1, 2, 3], 1), (range(15), 7)]
)
def test_a_grid_starts_in_the_middle(values, index):
    assert Grid(values).start_index == index
    assert Grid(values, start=values[-1]).start_index == len(values) - 1


@pytest.mark.parametrize(
    ("grids", "error", "message"),
    [
        ({}, ValueError, "values of one to three parameters; got 0"),
        ({key: [1] for key in "abcd"}, ValueError, "values of one to three parameters; got 4"),
        ({"degree": []}, ValueError, "degree must have at least one value"),
        ({"degree": [1, 2, 1]}, ValueError, "degree must have values that are written differently"),
        ({"degree": Grid([1.01, 1.02], format="{:.1f}")}, ValueError, "written differently"),
        ({"degree": 3}, TypeError, "degree must be a sequence of values or a Grid; got 3"),
        ({"degree": "abc"}, TypeError, "degree must be a sequence of values or a Grid; got 'abc'"),
        ({"degree": [None]}, ValueError, "degree has a format that does not fit its values"),
        ({"degree": Grid([1], format="{:q}")}, ValueError, "degree has a format that does not fit"),
        ({"degree": Grid([1, 2], start=3)}, ValueError, r"degree must start at .*; got 3"),
        (
            {"degree": range(21), "noise": range(20)},
            ValueError,
            "at most 400 frames are possible; got 21 × 20 = 420",
        ),
    ],
)
def test_bad_grids_are_refused(grids, error, message):
    with pytest.raises(error, match=message):
        an_explorable(grids=grids, alt="Frame.")


# ---------------------------------------------------------------------------------------- frames


@given(
    st.lists(
        st.lists(st.lists(st.sampled_from(["a", "b", "<c/>", "é", ""])), min_size=1, max_size=2),
        max_size=6,
    )
)
def test_coding_is_undone_by_decoding(frames):
    payload = json.loads(json.dumps(encode_frames(frames)))
    assert decode_frames(payload) == frames
    assert len(set(payload["elements"])) == len(payload["elements"])


def test_the_payload_holds_every_frame(static):
    explorable = an_explorable()
    payload = payload_of(explorable.html())
    assert payload["shape"] == [3, 2]
    decoded = decode_frames(payload)
    for (degree, noise), frame, alt in zip(
        itertools.product([1, 2, 3], [0.1, 0.5]), decoded, payload["alts"], strict=True
    ):
        drawn = figures.draw_svg(draw(degree, noise), prefix=_output.digest("Watch it bend."))
        assert [tuple(elements) for elements in frame] == [panel.elements for panel in drawn]
        assert alt == f"Degree {degree}, noise {noise}."


def test_an_element_shared_by_frames_is_stored_once(static):
    payload = payload_of(an_explorable().html())
    stored = sum(map(len, payload["elements"]))
    drawn = sum(len(text) for frame in decode_frames(payload) for panel in frame for text in panel)
    assert stored < drawn / 3


def test_two_builds_are_identical_to_the_byte(static):
    assert an_explorable().html() == an_explorable().html()


def test_an_explorable_of_usual_size_is_far_within_the_budget(static):
    x = np.linspace(0, 1, 200)
    points = np.random.default_rng(0).uniform(0, 1, (30, 2))

    def usual(degree, noise):
        fig, (left, right) = figures.panels(2)
        left.plot(*points.T, **figures.role("data"))
        for k in range(3):
            left.plot(x, np.sin(degree * x + k) + noise * np.cos(40 * x), color="C0")
        right.plot(x, x**degree, **figures.role("test"))
        return fig

    grids = {"degree": range(1, 6), "noise": [0.1, 0.2, 0.3]}
    html = an_explorable(draw=usual, grids=grids).html()
    text = re.search(r'explorable-frames">(.*?)</script>', html, re.DOTALL)[1]
    per_frame = payload_size(text) / 15
    assert 75 * per_frame < explore.PAYLOAD_BUDGET


def test_too_heavy_an_explorable_is_refused_with_its_size(static, monkeypatch):
    monkeypatch.setattr(explore, "PAYLOAD_BUDGET", 1000)
    with pytest.raises(ValueError, match=r"fig-heavy takes \d+ kB .* budget is 1 kB: give fewer"):
        an_explorable(name="fig-heavy").html()


@pytest.mark.parametrize(
    ("alt", "error", "message"),
    [
        ("Degree {degre}.", ValueError, "alt may use the parameters degree, noise in braces"),
        (lambda degree, noise: "", ValueError, "alt must give a text that is not empty; got ''"),
        (lambda degree, noise: None, ValueError, "got None for {'degree': 2, 'noise': 0.1}"),
        (7, TypeError, "alt must be a text or a function; got int"),
        ("Watch it bend.", ValueError, "alt must say what the figure shows"),
    ],
)
def test_bad_alternative_texts_are_refused(alt, error, message):
    with pytest.raises(error, match=message):
        an_explorable(alt=alt)


def test_alternative_text_that_does_not_change_is_refused(static):
    with pytest.raises(ValueError, match=r"all frames have the same: use .* \{degree\}"):
        an_explorable(alt="A curve.").html()


def test_alternative_text_may_be_a_function(static):
    explorable = an_explorable(alt=lambda degree, noise: f"It is {degree * noise:.1f}.")
    assert payload_of(explorable.html())["alts"][-1] == "It is 1.5."


def test_what_draw_must_return(static):
    with pytest.raises(TypeError, match="draw must return a matplotlib Figure; got NoneType"):
        an_explorable(draw=lambda degree, noise: None).html()
    with pytest.raises(TypeError, match="draw must be a function; got int"):
        an_explorable(draw=3)


def test_frames_of_another_size_are_refused(static):
    def grow(degree, noise):
        return figures.panels(1, height=2 + degree)[0]

    with pytest.raises(ValueError, match=r"frame at degree 2, noise σ 0.1\sV has 1 of 3.9 × 4"):
        an_explorable(draw=grow).html()


def test_frames_with_other_panels_are_refused(static):
    with pytest.raises(ValueError, match="all frames must have the same panels"):
        an_explorable(draw=lambda degree, noise: figures.panels(int(degree))[0]).html()


def test_an_error_in_the_build_names_its_frame(static):
    def fail(degree, noise):
        raise ZeroDivisionError("oh") if degree == 3 else RuntimeError("no")

    with pytest.raises(RuntimeError, match="no") as raised:
        an_explorable(draw=fail).html()
    assert raised.value.__notes__ == ["while drawing the frame at degree 1, noise σ 0.1\xa0V"]


def test_labels_that_are_cut_off_fail_the_build(static):
    def wide(degree, noise):
        fig = draw(degree, noise)
        fig.axes[0].set_ylabel("label\n" * int(degree))
        return fig

    with pytest.raises(ValueError, match="beyond its left edge"):
        an_explorable(draw=wide).html()


def test_figures_of_pyplot_are_closed(static):
    def with_pyplot(degree, noise):
        fig, ax = plt.subplots(figsize=(3, 2))
        ax.plot(X, X**degree + noise)
        return fig

    an_explorable(draw=with_pyplot).html()
    assert plt.get_fignums() == []


# ------------------------------------------------------------------------------------------ page


def test_the_page_has_native_labeled_sliders(static):
    html = an_explorable(name="fig-degree").html()
    inputs = re.findall(r'<input type="range" id="([^"]*)"[^>]*>', html)
    assert inputs == ["x-fig-degree-degree", "x-fig-degree-noise"]
    labels = dict(re.findall(r'<label for="([^"]*)">([^<]*)</label>', html))
    assert labels == {"x-fig-degree-degree": "Degree", "x-fig-degree-noise": "Noise σ"}
    outputs = re.findall(r'<output for="([^"]*)"[^>]*>([^<]*)</output>', html)
    assert outputs == [("x-fig-degree-degree", "2"), ("x-fig-degree-noise", "0.1\xa0V")]
    assert re.findall(r'min="0" max="(\d)" step="1" value="(\d)"', html) == [("2", "1"), ("1", "0")]
    assert re.findall(r'aria-valuetext="([^"]*)"', html) == ["2", "0.1\xa0V"]
    texts = [json.loads(unescape(text)) for text in re.findall(r'data-texts="([^"]*)"', html)]
    assert texts == [["1", "2", "3"], ["0.1\xa0V", "0.5\xa0V"]]


def test_the_page_holds_the_start_frame_without_javascript(static):
    html = an_explorable().html()
    assert 'role="img" aria-label="Degree 2, noise 0.1."' in html
    start = figures.draw_svg(draw(2, 0.1), prefix=_output.digest("Watch it bend."))
    assert all(panel.markup in html for panel in start)
    assert (
        "<noscript><p>The sliders need JavaScript; this is the frame at degree 2, noise σ 0.1\xa0V."
        in html
    )


def test_static_displays_one_block(static, shown):
    explore.explore(draw, **TEXTS, **GRIDS, name="fig-degree")
    (output,) = shown
    data, _ = output._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/html"] == an_explorable(name="fig-degree").html()


# ------------------------------------------------------------------------------------------ live


def test_live_displays_a_widget_a_text_and_the_caption(shown):
    explore.explore(draw, **TEXTS, **GRIDS, name="fig-degree")
    widget, caption = (output._repr_mimebundle_()[0] for output in shown)
    assert set(widget) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert widget["text/plain"] == (
        "Explorable 'fig-degree': degree 1 … 3 × noise σ 0.1\xa0V … 0.5\xa0V "
        "(sliders appear in the book and with a running kernel)"
    )
    assert caption["text/markdown"] == "**Figure.** Watch it bend."


def test_moving_a_slider_changes_the_picture():
    box = an_explorable().widget()
    degree, noise, picture = box.children
    assert (degree.description, noise.description) == ("Degree", "Noise σ")
    assert [text for text, _ in noise.options] == ["0.1\xa0V", "0.5\xa0V"]
    start = picture.value
    assert 'aria-label="Degree 2, noise 0.1."' in start
    degree.value = 2
    assert 'aria-label="Degree 3, noise 0.1."' in picture.value
    noise.value = 1
    assert 'aria-label="Degree 3, noise 0.5."' in picture.value
    degree.value, noise.value = 1, 0
    assert picture.value == start
    assert "#0072b2" in start  # plain colors: JupyterLab has not the book's variables
    assert "var(" not in start


def test_a_frame_is_drawn_once():
    calls = []

    def counted(degree, noise):
        calls.append((degree, noise))
        return draw(degree, noise)

    degree, *_ = an_explorable(draw=counted).widget().children
    for place in (2, 1, 2, 1):
        degree.value = place
    assert calls == [(2, 0.1), (3, 0.1)]


def test_a_live_draw_that_raises_says_so_in_place():
    def fail(degree, noise):
        if degree == 3:
            raise ValueError("degree < 3 wanted")
        return draw(degree, noise)

    degree, _, picture = an_explorable(draw=fail).widget().children
    degree.value = 2
    assert picture.value == (
        '<p role="alert">The figure could not be drawn at degree 3, noise σ 0.1\xa0V: '
        "ValueError: degree &lt; 3 wanted</p>"
    )
    degree.value = 0
    assert "<svg" in picture.value


def test_a_live_draw_that_raises_at_once_raises(shown):
    def fail(degree, noise):
        raise ValueError("never works")

    with pytest.raises(ValueError, match="never works"):
        explore.explore(fail, **TEXTS, **GRIDS)
    assert shown == []


def test_draw_has_the_style_of_the_book():
    def plain(degree, noise):
        fig = Figure(figsize=(3, 2))
        fig.subplots().plot(X, X**degree + noise)
        return fig

    _, _, picture = an_explorable(draw=plain).widget().children
    assert figures.COLORS["blue"].line in picture.value


def test_without_jupyter_a_text_is_printed(capsys):
    explore.explore(draw, **TEXTS, **GRIDS)
    out = capsys.readouterr().out
    assert out.startswith("Explorable: degree 1 … 3")
    assert out.endswith("Watch it bend.\n")
