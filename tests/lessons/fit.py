"""What every drawing of a lesson must be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from lessons_lib.page import figures


def assert_fits_the_page(
    draw: Callable[[], Figure], n_panels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draw it as the page needs it: panels labeled, and nothing outside of its panel."""
    figure = draw()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == n_panels
    assert all(ax.get_xlabel() for ax in figure.axes)
    first = figure.axes[0]
    named = isinstance(first.yaxis.get_major_locator(), FixedLocator)  # rows with names, or none
    assert first.get_ylabel() or named
    # The static form refuses labels that leave their panel.
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    figures.show(figure, caption="A caption.", alt="A drawing.")
