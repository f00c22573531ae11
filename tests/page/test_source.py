"""Source text as lessons show it."""

from __future__ import annotations

import pytest

from lessons_lib.measure import mean_confidence_interval, one_standard_error_rule
from lessons_lib.page.source import show_source, source_without_docstring


class Example:
    """A class."""

    def method(self, x: int) -> int:
        """Add one.

        More.
        """
        # A comment stays.
        return x + 1


def test_docstrings_go_and_comments_stay() -> None:
    assert source_without_docstring(Example.method) == (
        "def method(self, x: int) -> int:\n    # A comment stays.\n    return x + 1"
    )
    assert '"""' not in source_without_docstring(Example)


def test_what_is_shown_is_the_librarys_code() -> None:
    text = source_without_docstring(one_standard_error_rule)
    assert text.startswith("def one_standard_error_rule(")
    assert "References" not in text
    compile(text, "shown", "exec")


def test_text_and_html_hold_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show_source(Example.method, mean_confidence_interval)
    printed = capsys.readouterr().out
    assert "def method(" in printed
    assert "\n\n\ndef mean_confidence_interval(" in printed


def test_a_builtin_has_no_source() -> None:
    with pytest.raises(TypeError, match="function must be written in Python, got <built-in"):
        source_without_docstring(len)
