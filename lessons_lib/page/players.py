"""Sounds that a reader can play, in the notebook and in the built page."""

from __future__ import annotations

from html import escape

import numpy as np
from IPython.display import Audio
from numpy.typing import NDArray

from lessons_lib._validation import check_integer
from lessons_lib.page._output import display_output

__all__ = ["play"]


def play(signal: NDArray[np.floating], sample_rate: int, label: str) -> None:
    """Show a player for a sound, with a label beside it.

    The sound is stored in the page itself, as 16-bit WAV: 21 kB for a second at 8 kHz. So keep it
    short. Its loudness is kept, so that sounds can be compared.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        The sound, within [-1, 1].
    sample_rate : int
        Samples per second.
    label : str
        What one hears, in plain text: also for those who do not hear it.

    Raises
    ------
    ValueError
        If the signal has another shape or range, or the label is empty.

    Examples
    --------
    >>> play(np.sin(2 * np.pi * 440 * np.arange(4000) / 8000), 8000, "the note A")
    Sound: the note A, 0.50 s
    """
    samples = np.asarray(signal, dtype=np.float64)
    check_integer("sample_rate", sample_rate, 1)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"signal must have shape (n_samples,), not empty, got {samples.shape}.")
    if not np.abs(samples).max() <= 1:
        raise ValueError(f"signal must be within [-1, 1], got up to {np.abs(samples).max():.3g}.")
    if not label.strip():
        raise ValueError(f"label must be a text that is not empty, got {label!r}.")
    audio = Audio(samples, rate=sample_rate, normalize=False)  # type: ignore[no-untyped-call]
    source = audio.src_attr()  # type: ignore[no-untyped-call]
    text = f"{label}, {len(samples) / sample_rate:.2f} s"
    look = "display:flex;flex-wrap:wrap;align-items:center;gap:0.2rem 1rem;margin:0.4rem 0"
    display_output(
        {
            "text/html": (
                f'<div class="sound" style="{look}"><audio controls preload="metadata"'
                f' aria-label="{escape(text)}" src="{source}"></audio>'
                f"<span>{escape(text)}</span></div>"
            ),
            "text/plain": f"Sound: {text}",
        }
    )
