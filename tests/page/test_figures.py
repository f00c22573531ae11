import base64
import io
import itertools
import json
import re
import warnings
from html import unescape
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lessons_lib.page import _output, figures

CSS = Path(__file__).parents[2] / "site" / "static" / "figures.css"
LIGHT, DARK = "#ffffff", "#121212"  # the page in both modes

# Machado, Oliveira and Fernandes (2009), A physiologically-based model for simulation of color
# vision deficiency, IEEE TVCG 15(6): matrices for linear RGB at severity 1.
DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
CURVES = ["train", "validation", "test", "truth", "data"]
PARTS = ["bias", "variance", "noise", "test"]
TECHNIQUES = [
    "none",
    "l1",
    "l2",
    "elastic_net",
    "dropout",
    "batch_norm",
    "early_stopping",
    "augmentation",
    "ensemble",
    "sgd",
]


def linear(color: str) -> np.ndarray:
    rgb = np.array(mpl.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted(linear(color) @ [0.2126, 0.7152, 0.0722] for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.clip(to_xyz @ rgb, 0, None) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# ------------------------------------------------------------------------------ colors and roles


@pytest.mark.parametrize("name", figures.COLORS)
def test_colors_have_enough_contrast(name):
    color = figures.COLORS[name]
    assert contrast(color.line, LIGHT) >= 3
    assert contrast(color.text, LIGHT) >= 4.5
    assert contrast(color.dark, DARK) >= 4.5


def test_the_named_roles_exist():
    assert {*CURVES, *PARTS, *TECHNIQUES} == set(figures.ROLES)


def test_no_two_roles_differ_by_color_alone():
    for one, other in itertools.combinations(figures.ROLES.values(), 2):
        assert (one.dashes, one.marker) != (other.dashes, other.marker)
    markers = [role.marker for role in figures.ROLES.values()]
    assert len(set(markers)) == len(markers)


@pytest.mark.parametrize("group", [CURVES[:4], PARTS])
def test_lines_of_a_group_differ_by_their_dashes_alone(group):
    dashes = [figures.ROLES[name].dashes for name in group]
    assert len(set(dashes)) == len(dashes)


@pytest.mark.parametrize("mode", ["line", "dark"])
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_train_validation_and_test_differ_in_color_for_color_blind_readers(deficiency, mode):
    seen = [
        lab(DEFICIENCIES[deficiency] @ linear(getattr(figures.COLORS[role.color], mode)))
        for role in map(figures.ROLES.get, ("train", "validation", "test"))
    ]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 12  # 2.3 is just noticeable


@pytest.mark.parametrize("name", figures.ROLES)
def test_a_role_draws_what_it_says(name):
    look = figures.ROLES[name]
    fig, (ax,) = figures.panels(1)
    (line,) = ax.plot(np.arange(200.0), np.arange(200.0), **figures.role(name))
    assert line.get_color() == figures.COLORS[look.color].line
    assert line.get_marker() == look.marker
    assert (line.get_linestyle() == "None") == (not look.line)
    (points,) = ax.plot([0, 1], [0, 1], **figures.role(name, line=False))
    assert points.get_linestyle() == "None"
    assert points.get_marker() == look.marker
    if look.line:
        (bare,) = ax.plot([0, 1], [0, 1], **figures.role(name, marker=False))
        assert bare.get_marker() in ("none", "None")
        assert bare.get_linestyle() != "None"
    fig.draw_without_rendering()


def test_few_markers_are_spread_over_a_long_line():
    with figures.style():
        fig, (ax,) = figures.panels(1)
        x = np.linspace(0, 1, 500)
        ax.plot(x, x, **figures.role("test"))
        (panel,) = figures.draw_svg(fig, prefix="p", themed=False)
    color = figures.COLORS["vermillion"].line
    uses = re.findall(rf"<use[^>]*{color}", panel.markup)
    assert 5 <= len(uses) <= 10


@pytest.mark.parametrize("points", [0, 1, 2])
def test_a_role_draws_short_lines(points):
    fig, (ax,) = figures.panels(1)
    ax.plot(np.arange(points), np.arange(points), **figures.role("train"))
    fig.draw_without_rendering()


def test_an_unknown_role_is_named():
    with pytest.raises(ValueError, match=r"name must be one of train, .*; got 'training'"):
        figures.role("training")


@pytest.mark.parametrize("name", ["train", "data"])
def test_a_role_without_line_and_marker_is_refused(name):
    with pytest.raises(ValueError, match="draws nothing"):
        figures.role(name, line=False, marker=False)


def test_the_observations_cannot_lose_their_markers():
    with pytest.raises(ValueError, match="draws nothing"):
        figures.role("data", marker=False)


def test_the_style_sheet_has_the_same_colors():
    light, dark = (
        dict(re.findall(r"--fig-([\w-]+): (#\w+);", block))
        for block in re.findall(r"^html[^{]*\{([^}]*)\}", CSS.read_text(), re.MULTILINE)
    )
    everything = {"paper": figures._PAPER, "grid": figures._GRID, **figures.COLORS}
    texts = {name: c for name, c in everything.items() if c.text != c.line}
    assert light == {name: c.line for name, c in everything.items()} | {
        f"{name}-text": c.text for name, c in texts.items()
    }
    assert dark == {name: c.dark for name, c in everything.items()} | {
        f"{name}-text": c.dark for name, c in texts.items()
    }


# ----------------------------------------------------------------------------------------- style


def test_style_is_in_force_within_the_block_only():
    before = mpl.rcParams["svg.fonttype"], mpl.rcParams["axes.grid"]
    with figures.style():
        assert mpl.rcParams["svg.fonttype"] == "none"
    assert (mpl.rcParams["svg.fonttype"], mpl.rcParams["axes.grid"]) == before


def test_use_style_stays_in_force():
    with mpl.rc_context():
        figures.use_style()
        assert mpl.rcParams["legend.frameon"] is False
        assert mpl.rcParams["figure.facecolor"] == "white"


# ---------------------------------------------------------------------------------------- panels


@pytest.mark.parametrize("n", [1, 2, 3])
def test_panels_divide_the_width_evenly(n):
    fig, axes = figures.panels(n, height=2)
    width, height = fig.get_size_inches()
    assert height == 2
    assert len(axes) == n
    for index, ax in enumerate(axes):
        box = ax.get_position()
        assert index / n < box.x0 < box.x1 < (index + 1) / n
        assert box.x0 - index / n == pytest.approx(0.68 / width)
        assert ax.get_gid() == f"panel-{index}"


def test_panels_are_not_known_to_pyplot():
    with warnings.catch_warnings():
        for _ in range(30):
            figures.panels(1)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_ink_of_an_ordinary_figure_stays_within_its_panels(n):
    with figures.style():
        fig, axes = figures.panels(n)
        for ax in axes:
            ax.plot([0, 1], [0.001, 1000])
            ax.set(yscale="log", xlabel="degree", ylabel="mean squared error", title="Error")
        assert len(figures.draw_svg(fig, prefix="p")) == n


@pytest.mark.parametrize(
    ("side", "spoil"),
    [
        ("left", lambda ax: ax.set_yticks([0], ["a very long tick label"])),
        ("right", lambda ax: ax.annotate("beyond the edge", (1, 0.5), annotation_clip=False)),
        ("top", lambda ax: ax.set_title("two\nlines\nof title")),
        ("bottom", lambda ax: ax.set_xlabel("two\nlines\nof label")),
    ],
)
def test_ink_beyond_a_panel_is_an_error_in_the_book(side, spoil):
    with figures.style():
        fig, (_, right) = figures.panels(2)
        spoil(right)
    with pytest.raises(ValueError, match=rf"panel 2 of the figure .* beyond its {side} edge"):
        figures.draw_svg(fig, prefix="p")
    assert len(figures.draw_svg(fig, prefix="p", check=False)) == 2


def test_shared_limits_are_shared():
    _, (left, right) = figures.panels(2, sharey=True)
    left.set_ylim(3, 4)
    assert right.get_ylim() == (3, 4)
    left.set_xlim(5, 6)
    assert right.get_xlim() != (5, 6)
    assert all(label.get_visible() for label in right.get_yticklabels())


@pytest.mark.parametrize("n", [0, 4, "2"])
def test_other_numbers_of_panels_are_refused(n):
    with pytest.raises(ValueError, match=f"n must be 1, 2 or 3; got {n!r}"):
        figures.panels(n)


@pytest.mark.parametrize("margins", [{"left": 3}, {"right": -1}, {"height": 1}])
def test_margins_without_room_are_refused(margins):
    with pytest.raises(ValueError, match="must leave at least half an inch"):
        figures.panels(2, **margins)


def test_label_line_has_the_color_of_its_role():
    _, (ax,) = figures.panels(1)
    label = figures.label_line(ax, 0.5, 0.5, "test error", "test", dx=3, dy=-4, ha="right")
    assert label.get_text() == "test error"
    assert label.get_color() == figures.COLORS["vermillion"].text
    assert label.xyann == (3, -4)
    with pytest.raises(ValueError, match="got 'tset'"):
        figures.label_line(ax, 0, 0, "x", "tset")


def test_labels_that_are_apart_stay_in_place():
    _, (ax,) = figures.panels(1)
    labels = [(1, 0.1, "a", "train"), (1, 0.9, "b", "test")]
    assert [label.xyann for label in figures.label_lines(ax, labels, dx=7)] == [(7, 0), (7, 0)]
    assert figures.label_lines(ax, []) == []


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_that_overlap_are_moved_apart_evenly_and_in_order(scale):
    fig, (ax,) = figures.panels(1)
    ax.set(ylim=(0.1, 1), yscale=scale)
    heights = [0.5, 0.5, 0.51, 0.95]
    labels = figures.label_lines(ax, [(1, y, str(y), "train") for y in heights], gap=12)
    points = ax.transData.transform([(1, y) for y in heights])[:, 1] * 72 / fig.dpi
    places = points + [label.xyann[1] for label in labels]
    np.testing.assert_allclose(np.diff(places)[:2], 12)
    assert np.mean(places[:3]) == pytest.approx(np.mean(points[:3]))
    assert labels[3].xyann[1] == pytest.approx(0)
    fig.draw_without_rendering()
    renderer = FigureCanvasAgg(fig).get_renderer()
    boxes = [label.get_window_extent(renderer) for label in labels]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def tick_labels(low: float, high: float) -> list[str]:
    with figures.style():
        fig, (ax,) = figures.panels(1)
        ax.set(xscale="log", xlim=(low, high))
        (panel,) = figures.draw_svg(fig, prefix="p")
    x_labels = re.findall(r'text-anchor:middle" x="[\d.]+" y="[\d.]+">([^<]+)<', panel.markup)
    assert "tspan" not in panel.markup
    return x_labels


def test_logarithmic_axes_are_labeled_in_plain_text():
    assert tick_labels(1e-3, 1e2) == ["0.001", "0.01", "0.1", "1", "10", "100"]
    assert tick_labels(1e-6, 1e2)[:2] == ["10⁻⁶", "10⁻⁴"]
    assert tick_labels(2e-5, 9e-5) == ["2·10⁻⁵", "3·10⁻⁵", "4·10⁻⁵", "6·10⁻⁵"]


def test_logarithmic_axes_keep_the_labels_of_their_author():
    with figures.style():
        fig, (ax,) = figures.panels(1)
        ax.set(xscale="log", xlim=(1, 100))
        ax.set_xticks([1, 100], ["one", "all"])
        (panel,) = figures.draw_svg(fig, prefix="p")
    assert ">one<" in panel.markup
    assert ">all<" in panel.markup


# ------------------------------------------------------------------------------------------ show


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed."""
    outputs = []
    monkeypatch.setattr(_output, "display", lambda output: outputs.append(output))
    return outputs


def a_figure() -> Figure:
    fig, (ax,) = figures.panels(1)
    ax.plot([0, 1], [0, 1], **figures.role("train"))
    return fig


TEXTS = {"caption": "The error  *falls*.\n", "alt": "A falling curve: a < b."}


def test_live_shows_an_image_and_then_the_caption(shown, monkeypatch):
    monkeypatch.delenv("LESSONS_LIB_STATIC", raising=False)
    figures.show(a_figure(), **TEXTS)
    image, caption = (output._repr_mimebundle_() for output in shown)
    assert set(image[0]) == {"image/png", "text/plain"}
    assert image[0]["text/plain"] == "Figure: A falling curve: a < b."
    picture = Image.open(io.BytesIO(base64.b64decode(image[0]["image/png"])))
    assert picture.size == (780, 520)
    assert image[1] == {"image/png": {"width": 468, "height": 312}}
    assert picture.getpixel((0, 0))[:3] == (255, 255, 255)
    assert caption[0] == {
        "text/markdown": "**Figure.** The error *falls*.",
        "text/plain": "The error *falls*.",
    }


def test_static_shows_one_block_for_the_extension(shown, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    figures.show(a_figure(), **TEXTS, name="fig-error")
    (output,) = shown
    html = output._repr_mimebundle_()[0]["text/html"]
    data = json.loads(unescape(re.search(r'data-figure="([^"]*)"', html)[1]))
    assert data == {"caption": "The error *falls*.", "name": "fig-error"}
    assert 'role="img" aria-label="A falling curve: a &lt; b."' in html
    assert "var(--fig-blue,#0072b2)" in html
    assert "var(--fig-grid,#d9d9d9)" in html
    assert "currentColor" in html
    assert 'id="fig-error-0-' in html


def test_static_output_is_the_same_every_time(shown, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    for _ in range(2):
        figures.show(a_figure(), **TEXTS)
    first, second = (output._repr_mimebundle_()[0]["text/html"] for output in shown)
    assert first == second


def test_ids_of_two_figures_differ(shown, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    figures.show(a_figure(), **TEXTS)
    figures.show(a_figure(), caption="Another.", alt="The same curve.")
    first, second = (
        set(re.findall(r' id="([^"]*)"', output._repr_mimebundle_()[0]["text/html"]))
        for output in shown
    )
    assert first
    assert second
    assert not first & second


def test_show_closes_figures_of_pyplot(shown):
    fig = plt.figure()
    figures.show(fig, **TEXTS)
    assert plt.get_fignums() == []


def test_without_jupyter_the_text_is_printed(capsys):
    figures.show(a_figure(), **TEXTS)
    assert capsys.readouterr().out == "Figure: A falling curve: a < b.\nThe error *falls*.\n"


@pytest.mark.parametrize("argument", ["caption", "alt"])
@pytest.mark.parametrize("text", ["", "  \n", None])
def test_empty_texts_are_refused(argument, text):
    with pytest.raises(ValueError, match=f"{argument} must be a text that is not empty"):
        figures.show(a_figure(), **(TEXTS | {argument: text}))


def test_alt_that_repeats_the_caption_is_refused():
    with pytest.raises(ValueError, match="alt must say what the figure shows"):
        figures.show(a_figure(), caption="The same.", alt="The  same. ")


@pytest.mark.parametrize("name", ["Fig-1", "fig degree", "fig--degree", "1fig", "fig_degree", ""])
def test_bad_names_are_refused(name):
    with pytest.raises(ValueError, match="name must be like 'fig-degree'"):
        figures.show(a_figure(), **TEXTS, name=name)


def test_something_else_than_a_figure_is_refused():
    with pytest.raises(TypeError, match="fig must be a matplotlib Figure; got list"):
        figures.show([], **TEXTS)
