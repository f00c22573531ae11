"""Make a learner's text safe to print: what an answer says may hold commands to the terminal."""

import re
import unicodedata

# Sequences that move the cursor, clear the screen, set colors, titles or links.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: cursor, screen, colors
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"  # OSC, DCS and their like
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# They join letters and emoji; all other invisible characters may turn or hide what is beside them.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Return ``text`` without what a terminal or a browser would obey rather than show.

    Line ends and tabs stay. Sequences for the terminal vanish whole, and so do control characters
    and those that turn the direction of writing; half characters, which cannot be printed, become
    question marks.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _TERMINAL.sub("", text.replace("\r\n", "\n"))
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """Return ``text`` as :func:`printable` does, on one line: a line end could begin a verdict."""
    return printable(" ".join(text.splitlines()))


def _shown(character: str) -> str:
    if character in "\n\t" or character in _JOINERS or character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "?"
    if category in ("Zl", "Zp") or character in "\r\x0b\x0c\x85":
        return "\n"
    # Spaces of other widths are not "printable", but harmless; so is what a font may know.
    return character if category in ("Zs", "Co", "Cn") else ""
