"""The sounds of the book: what a page gets to play."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from scipy.io import wavfile

from lessons_lib.page import players
from lessons_lib.page.players import play

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(players, "display_output", outputs.append)
    return outputs


def test_the_page_gets_the_sound_as_it_is(shown: list[dict[str, Any]]) -> None:
    play(TONE, 8000, "a note")
    audio = BeautifulSoup(shown[0]["text/html"], "html.parser").audio
    assert audio is not None
    assert audio.has_attr("controls")
    head, data = str(audio["src"]).split(",")
    assert head == "data:audio/wav;base64"
    rate, samples = wavfile.read(io.BytesIO(base64.b64decode(data)))
    assert rate == 8000
    assert np.abs(samples / 32767 - TONE).max() < 1e-4  # as loud as it was


def test_the_label_is_text_for_everyone(shown: list[dict[str, Any]]) -> None:
    play(TONE, 8000, "low & slow")
    assert shown[0]["text/plain"] == "Sound: low & slow, 0.25 s"
    page = BeautifulSoup(shown[0]["text/html"], "html.parser")
    assert page.span is not None
    assert page.audio is not None
    assert page.span.text == page.audio["aria-label"] == "low & slow, 0.25 s"


@pytest.mark.parametrize(
    ("signal", "rate", "label", "match"),
    [
        (np.zeros((2, 5)), 8000, "a", r"signal must have shape \(n_samples,\)"),
        (np.zeros(0), 8000, "a", "not empty"),
        (np.array([0.0, 2.0]), 8000, "a", r"within \[-1, 1\], got up to 2"),
        (np.array([0.0, np.nan]), 8000, "a", "within"),
        (TONE, 0, "a", "sample_rate"),
        (TONE, 8000, " ", "label must be a text"),
    ],
)
def test_bad_input_is_refused(signal: Any, rate: int, label: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        play(signal, rate, label)
