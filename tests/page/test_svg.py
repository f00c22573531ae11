"""Matplotlib's SVG and ours show the same: geometry is compared with Matplotlib's own numbers."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.path import Path

from lessons_lib.page import figures
from lessons_lib.page._svg import assign_panels, compact_path, panel_svgs

COORDINATE = st.floats(-500, 500, allow_nan=False)
POINT = st.tuples(COORDINATE, COORDINATE)


def walk(data: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Read relative path data the plain way, independent of how they were written."""
    tokens = re.findall(r"[a-z]|-?\d*\.?\d+", data)
    count = {"m": 1, "l": 1, "q": 2, "c": 3, "z": 0}
    commands = []
    here = start = np.zeros(2)
    letter = ""
    while tokens:
        if tokens[0].isalpha():
            letter = tokens.pop(0)
        numbers = [float(tokens.pop(0)) for _ in range(2 * count[letter])]
        points = [here + step for step in np.reshape(numbers, (-1, 2))]
        commands.append((letter, [tuple(point) for point in points]))
        here = points[-1] if points else start
        start = here if letter == "m" else start
    return commands


@given(st.lists(st.tuples(st.sampled_from("LQC"), st.tuples(POINT, POINT, POINT)), max_size=20))
def test_compact_path_keeps_every_point(segments):
    size = {"L": 1, "Q": 2, "C": 3}
    expected = [("m", [(1.0, 2.0)])]
    expected += [(letter.lower(), list(points[: size[letter]])) for letter, points in segments]
    expected += [("z", [])]
    data = "\n".join(
        " ".join([letter.upper(), *(f"{v:f}" for point in points for v in point)])
        for letter, points in expected
    )
    found = walk(compact_path(data))
    assert [letter for letter, _ in found] == [letter for letter, _ in expected]
    for (_, points), (_, wanted) in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            np.reshape(points, (-1, 2)), np.reshape(wanted, (-1, 2)), atol=0.0501
        )


def test_rounding_errors_do_not_add_up():
    x = np.arange(5000) * 0.04  # each step alone rounds to zero
    data = "M" + "L".join(f"{v:.2f} 0 " for v in x)
    _, points = walk(compact_path(data))[-1]
    assert points[-1][0] == pytest.approx(x[-1], abs=0.05)


def test_subpaths_start_where_the_last_one_was_closed():
    found = walk(compact_path("M 1 1 L 2 1 L 2 2 z M 5 5 L 6 5 z"))
    assert found[4] == ("m", [(5.0, 5.0)])
    assert found[5] == ("l", [(6.0, 5.0)])


@figures.style()
def two_panels() -> Figure:
    fig, (left, right) = figures.panels(2)
    x = np.linspace(0, 1, 30)
    left.plot(x, x**2, **figures.role("train"))
    right.scatter(x, x, c="k")
    right.plot(x, x, **figures.role("test"))
    figures.label_line(right, 0.5, 0.5, "a < b & c", "test")
    for ax in (left, right):
        ax.set(xlabel="x", ylabel="y", title="Title")
    return fig


def parse(panel) -> ET.Element:
    return ET.fromstring(panel.svg().replace("<svg ", '<svg xmlns="urn:svg" ', 1))


def every_panel():
    with figures.style():
        return panel_svgs(two_panels(), prefix="p", colors={})


def test_each_panel_is_well_formed_and_refers_only_to_what_it_holds():
    for index, panel in enumerate(every_panel()):
        root = parse(panel)
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        references = set(re.findall(r"(?:href=\"|url\()#([\w-]+)", panel.markup))
        assert references
        assert references == set(ids)
        assert len(ids) == len(set(ids))
        assert all(name.startswith(f"p-{index}-") for name in ids)


def test_the_panels_divide_the_figure():
    fig = two_panels()
    width, height = 72 * fig.get_size_inches()
    first, second = every_panel()
    assert (first.left, second.left) == (0, width / 2)
    assert first.width == second.width == width / 2
    assert first.height == second.height == height


def test_a_line_is_where_matplotlib_puts_it():
    fig = two_panels()
    fig.draw_without_rendering()  # sets the limits of the axes
    line = fig.axes[0].lines[0]
    path = line.get_transform().transform_path(line.get_path())
    height = 72 * fig.get_size_inches()[1]
    expected = path.vertices * 72 / fig.dpi * [1, -1] + [0, height]
    stroke = figures.role("train")["color"]
    root = parse(every_panel()[0])
    drawn = [e for e in root.iter("{urn:svg}path") if stroke in e.get("style", "")]
    points = [p for e in drawn if "clip-path" in e.attrib for _, ps in walk(e.get("d")) for p in ps]
    curve = Path(points)
    for point in expected:  # simplification may drop points, but not move the curve
        assert np.min(np.hypot(*(curve.interpolated(40).vertices - point).T)) < 0.15


def test_text_is_text_and_is_escaped():
    root = parse(every_panel()[1])
    texts = [element.text for element in root.iter("{urn:svg}text")]
    assert "a < b & c" in texts
    assert "Title" in texts
    assert "font-family" not in every_panel()[1].markup


def test_the_authors_gid_becomes_a_class():
    assert 'class="fig-label"' in every_panel()[1].markup


def test_two_drawings_are_identical_to_the_byte():
    assert every_panel() == every_panel()


def test_colors_are_replaced_in_lines_and_text():
    with figures.style():
        fig, (ax,) = figures.panels(1)
        ax.plot([0, 1], [0, 1], color="#123456")
        ax.text(0.5, 0.5, "word", color="#123456")
        (panel,) = panel_svgs(fig, prefix="p", colors={"#123456": "var(--x)"})
    assert panel.markup.count("var(--x)") == 2
    assert "#123456" not in panel.markup


def test_the_style_of_matplotlibs_svg_does_not_reach_the_page():
    markup = "".join(panel.svg() for panel in every_panel())
    assert "<style" not in markup
    assert "<metadata" not in markup
    assert "xlink" not in markup


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (r"$10^{-3}$", ["10", "−3"]),
        (r"$x^2 y$", ["x", "2", "y"]),
        (r"$\frac{1}{2}$", ["1", "2"]),
    ],
)
def test_mathematics_is_text_in_runs(text, spans):
    with figures.style():
        fig, (ax,) = figures.panels(1)
        ax.set_title(text)
        (panel,) = panel_svgs(fig, prefix="p", colors={})
    found = [e.text.strip() for e in parse(panel).iter("{urn:svg}tspan")]
    assert [word for word in found if word] == spans
    assert ("<rect" in panel.markup.partition("</defs>")[2]) == ("frac" in text)


def test_images_and_hatches_survive():
    with figures.style():
        fig, (ax,) = figures.panels(1)
        ax.imshow(np.eye(3))
        ax.bar([1], [1], hatch="//")
        (panel,) = panel_svgs(fig, prefix="p", colors={})
    root = parse(panel)
    (image,) = root.iter("{urn:svg}image")
    assert image.get("href").startswith("data:image/png;base64,")
    assert len(list(root.iter("{urn:svg}pattern"))) == 1


def test_ours_is_much_smaller_than_matplotlibs():
    fig = two_panels()
    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        fig.savefig(stream, format="svg")
    ours = sum(len(panel.svg()) for panel in every_panel())
    assert ours < 0.6 * len(stream.getvalue())


def test_untagged_axes_belong_to_the_panel_at_their_center():
    fig, (left, right) = figures.panels(2)
    twin = right.twinx()
    members = assign_panels(fig)
    assert members == [[left], [right, twin]]


def test_a_figure_without_panels_is_one_panel():
    fig = Figure()
    fig.subplots(1, 3)
    fig.suptitle("allowed, since nothing is cut")
    assert len(assign_panels(fig)) == 1
    with figures.style():
        (panel,) = panel_svgs(fig, prefix="p", colors={})
    assert "allowed" in panel.markup


def test_text_as_outlines_keeps_its_glyphs_apart():
    fig, (ax,) = figures.panels(1)
    ax.set_title("ab")
    (panel,) = panel_svgs(fig, prefix="p", colors={})  # Matplotlib's own setting: outlines
    glyphs = {e.get("id") for e in parse(panel).iter("{urn:svg}path") if e.get("id")}
    assert len(glyphs) > len("ab0.2468")


def test_text_of_the_figure_itself_is_refused_in_several_panels():
    fig, _ = figures.panels(2)
    fig.suptitle("whose?")
    with pytest.raises(ValueError, match=r"use ax\.set_title"):
        assign_panels(fig)
