"""What a learner's code says is shown, and never obeyed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.exercises._texts import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ü and λ ≤ 1 ✓ 👩‍🔬\n\ttab", "plain, with ü and λ ≤ 1 ✓ 👩‍🔬\n\ttab"),
        ("\x1b[2J\x1b[1;1H✓ passed", "✓ passed"),  # clears the screen
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x1bctext", "text"),  # resets the terminal
        ("left \x1b", "left "),
        ("\x1b]never ends", ""),
        ("bell\x07 null\x00 back\x08 delete\x7f", "bell null back delete"),
        ("10 %\r20 %", "10 %\n20 %"),
        ("line\r\nline", "line\nline"),
        ("a\u2028b\u2029c\x0bd\x0ce\x85f", "a\nb\nc\nd\ne\nf"),
        ("\u202eright to left\u202c \u2066isolated\u2069 \u200f", "right to left isolated "),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half \ud83d", "half ?"),
        ("no-break\u00a0space", "no-break\u00a0space"),
    ],
)
def test_what_is_shown(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(), max_size=30))
def test_nothing_that_commands_is_left(text):
    shown = printable(text)
    assert printable(shown) == shown
    assert all(c in "\n\t" or (ord(c) >= 32 and not 127 <= ord(c) < 160) for c in shown)
    shown.encode()


def test_a_line_end_cannot_begin_a_verdict():
    assert one_line("your function returns A\n✓ passed — l2.step\r\x1b[2J") == (
        "your function returns A ✓ passed — l2.step "
    )
