"""Show hints and solutions, as text in a notebook or as HTML in the built page."""

import html
import re

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from lessons_lib.exercises._model import Exercise
from lessons_lib.exercises._source import source_of


def solution_source(exercise: Exercise) -> str:
    """Return the source of the reference, after that of the helper functions it shows."""
    functions = [*exercise.shows, exercise.reference]
    return "\n\n\n".join(source_of(function) or "(no source)" for function in functions)


def help_page(exercise: Exercise) -> str:
    """Return what a reader of the built page, who cannot run anything, unfolds below an exercise.

    Everything is in native ``<details>`` elements, so that it needs no script.
    """
    n_hints = len(exercise.hints)
    folds = [
        _fold(f"Hint {i} of {n_hints}", f"<p>{_inline(hint)}</p>")
        for i, hint in enumerate(exercise.hints, start=1)
    ]
    folds.append(_fold("Solution", _code(solution_source(exercise))))
    if exercise.misconceptions:
        items = (
            f"<li><p>{_inline(m.because)}</p>{_code(source_of(m.wrong) or '')}</li>"
            for m in exercise.misconceptions
        )
        folds.append(_fold("Likely wrong answers", "<ul>" + "".join(items) + "</ul>"))
    name = html.escape(exercise.name)
    # Several exercises share a page: the label tells their "Solution"s apart for screen readers.
    return (
        f'<div class="exercise-help" data-exercise="{name}" role="group" '
        f'aria-label="Help for exercise {name}">' + "".join(folds) + "</div>"
    )


def _fold(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>{content}</details>"


def _inline(sentence: str) -> str:
    """Escape a sentence; what is in backticks becomes code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(sentence, quote=False))


def _code(source: str) -> str:
    lines = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    # A long line makes the block scroll: tabindex lets the keyboard reach it.
    return (
        '<div class="highlight"><pre tabindex="0"><code class="language-python">'
        f"{lines}</code></pre></div>"
    )
