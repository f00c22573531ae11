r"""Transforms of sound.

A signal is an array of floats whose *last* axis is time: shape (n_samples,) for one signal,
(n_signals, n_samples) for a batch of equally long ones. No function needs the sample rate, because
a change of speed or of pitch is a ratio.

:func:`time_stretch`, :func:`pitch_shift` and :func:`add_noise` do what they are told. The classes
draw a parameter for each signal and keep the number of samples, so that a batch stays an array.

To listen: ``IPython.display.Audio(signal, rate=sample_rate)``. To store:
``scipy.io.wavfile.write(file, sample_rate, signal.astype("float32"))``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from lessons_lib._jitter import jitter
from lessons_lib._validation import check_integer, check_interval
from lessons_lib.augment._transform import (
    FloatArray,
    Range,
    Transform,
    as_range,
    check_floats,
    draw,
)

__all__ = [
    "BackgroundNoise",
    "RandomPitchShift",
    "RandomTimeStretch",
    "add_noise",
    "dominant_frequency",
    "melody",
    "pitch_shift",
    "signal_to_noise_ratio",
    "time_stretch",
]


def time_stretch(signal: FloatArray, rate: float, *, n_fft: int = 1024) -> FloatArray:
    r"""Play a signal faster or slower without changing its pitch: the phase vocoder.

    The short-time Fourier transform :math:`S_k(p)` cuts the signal into overlapping frames
    :math:`p`, a hop of :math:`h` samples apart, and gives for each frequency :math:`k` an amplitude
    and a phase. New frames are read from it at the times :math:`0, r, 2r, \dots` and put together a
    hop apart again. The amplitude is interpolated between frames. The phase cannot be: from one new
    frame to the next it must advance as it did from one old frame to the next,

    .. math::

        \phi_k \leftarrow \phi_k + \omega_k h +
        \operatorname{princarg}\bigl(\arg S_k(p+1) - \arg S_k(p) - \omega_k h\bigr),

    where :math:`\omega_k = 2\pi k / n_\text{fft}` and princarg adds the multiple of :math:`2\pi`
    that leads to :math:`[-\pi, \pi)`. The last term corrects the center frequency of the bin to the
    one that is really there. A tone fills several neighboring bins, whose phases must fit together:
    only the bin at each peak follows this rule, those around it keep the difference of phase that
    they had to it (identity phase locking).

    Parameters
    ----------
    signal : ndarray of shape (..., n_samples)
        The signal, at least `n_fft` samples long.
    rate : float
        The speed :math:`r > 0`: 2 is twice as fast and half as long.
    n_fft : int, default=1024
        Samples in a frame, a multiple of 4 and at least 8; the hop :math:`h` is a quarter of it.
        Longer frames separate tones better and smear beginnings more.

    Returns
    -------
    ndarray of shape (..., round(n_samples / rate))
        The signal at its new speed.

    Raises
    ------
    TypeError
        If `signal` are not floats.
    ValueError
        If the signal is too short, or a parameter is out of range.

    Notes
    -----
    Clicks and beginnings of notes are smeared over a frame, and the slower the speed, the more one
    hears it.

    References
    ----------
    J. L. Flanagan, R. M. Golden, "Phase Vocoder", Bell System Technical Journal 45(9), 1966.

    J. Laroche, M. Dolson, "Improved Phase Vocoder Time-Scale Modification of Audio", IEEE
    Transactions on Speech and Audio Processing 7(3), 1999, section III.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)  # one second
    >>> slow = time_stretch(tone, 0.5)
    >>> slow.shape, round(dominant_frequency(slow, 8000))
    ((16000,), 440)
    """
    signal = check_floats("signal", signal, finite=True)
    rate = check_interval("rate", rate, open_low=True)
    if check_integer("n_fft", n_fft, 8) % 4:
        raise ValueError(f"n_fft must be a multiple of 4, got {n_fft!r}.")
    n_samples = signal.shape[-1]
    if n_samples < n_fft:
        raise ValueError(f"signal must have at least n_fft = {n_fft} samples, got {n_samples}.")
    n_new = round(n_samples / rate)
    hop = n_fft // 4
    options = {"nperseg": n_fft, "noverlap": n_fft - hop}

    _, _, frames = scipy.signal.stft(signal, **options)  # (..., n_fft // 2 + 1, n_frames)
    times = rate * np.arange(-(-n_new // hop) + 1)
    before, fraction = times.astype(int), times % 1
    silence = max(before[-1] + 2 - frames.shape[-1], 0)
    frames = np.concatenate([frames, np.zeros((*frames.shape[:-1], silence))], axis=-1)

    amplitude = np.abs(frames)
    amplitude = (1 - fraction) * amplitude[..., before] + fraction * amplitude[..., before + 1]
    expected = 2 * np.pi * np.arange(n_fft // 2 + 1)[:, np.newaxis] * hop / n_fft
    advance = expected + _principal(np.diff(np.angle(frames)) - expected)
    phase = np.empty_like(amplitude)
    for i in np.ndindex(frames.shape[:-2]):
        phase[i] = _follow_peaks(amplitude[i], np.angle(frames[i]), advance[i], before)

    _, result = scipy.signal.istft(amplitude * np.exp(1j * phase), **options)
    return np.asarray(result[..., :n_new], dtype=signal.dtype)


def pitch_shift(signal: FloatArray, semitones: float, *, n_fft: int = 1024) -> FloatArray:
    r"""Raise or lower the pitch of a signal without changing its duration.

    Every frequency is multiplied by :math:`2^{s/12}`: the signal is stretched to
    :math:`2^{s/12}` times its length, then sampled anew at as many points as it had. Formants move
    along, so that a voice raised by much sounds like a cartoon's.

    Parameters
    ----------
    signal : ndarray of shape (..., n_samples)
        The signal, at least `n_fft` samples long.
    semitones : float
        The shift :math:`s`; 12 is an octave up.
    n_fft : int, default=1024
        Samples in a frame, see :func:`time_stretch`.

    Returns
    -------
    ndarray of the shape of `signal`
        The signal at its new pitch. Frequencies beyond half the sample rate are removed.

    Raises
    ------
    TypeError
        If `signal` are not floats.
    ValueError
        If the signal is too short, or a parameter is out of range.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> octave = pitch_shift(tone, 12)
    >>> octave.shape, round(dominant_frequency(octave, 8000))
    ((8000,), 880)
    """
    semitones = check_interval("semitones", semitones, -np.inf)
    stretched = time_stretch(signal, 2 ** (-semitones / 12), n_fft=n_fft)
    result = scipy.signal.resample(stretched, np.shape(signal)[-1], axis=-1)
    return np.asarray(result, dtype=stretched.dtype)


def signal_to_noise_ratio(signal: FloatArray, noise: FloatArray) -> NDArray[np.float64]:
    r"""Return how much louder a signal is than a noise, in decibels.

    .. math:: \mathrm{SNR} = 10 \log_{10} \frac{\overline{x^2}}{\overline{\nu^2}}

    Parameters
    ----------
    signal, noise : ndarray of shape (..., n_samples)
        The signal :math:`x` and the noise :math:`\nu`, each with its own number of samples.

    Returns
    -------
    ndarray of shape (...)
        The ratio for each signal, in dB; 0 means equally loud.

    Raises
    ------
    TypeError
        If one of them is not of floats.
    ValueError
        If one of them is silent, so that the ratio has no finite value, or not finite itself.

    Examples
    --------
    >>> float(signal_to_noise_ratio(np.array([10.0, -10.0]), np.array([1.0, -1.0])))
    20.0
    """
    powers = []
    for name, array in (("signal", signal), ("noise", noise)):
        values = check_floats(name, array, finite=True).astype(np.float64)
        largest = np.abs(values).max(axis=-1)
        if not np.all(largest > 0):
            raise ValueError(f"{name} must not be silent, got zeros only.")
        # The loudest sample is the unit: squares of what is far from 1 would overflow or vanish.
        mean_square = np.mean(np.square(values / largest[..., np.newaxis]), axis=-1)
        powers.append(10 * np.log10(mean_square) + 20 * np.log10(largest))
    return np.asarray(powers[0] - powers[1])


def add_noise(signal: FloatArray, noise: FloatArray, snr: ArrayLike) -> FloatArray:
    r"""Add a noise, as loud as a signal-to-noise ratio says.

    .. math:: x' = x + g\,\nu, \qquad g \text{ such that }
              10 \log_{10} \frac{\overline{x^2}}{g^2\, \overline{\nu^2}} = \mathrm{SNR}

    Parameters
    ----------
    signal : ndarray of shape (..., n_samples)
        The signal :math:`x`.
    noise : ndarray of shape (..., n_samples)
        The noise :math:`\nu`, of any loudness.
    snr : float or array_like of shape (...)
        The ratio in dB.

    Returns
    -------
    ndarray of shape (..., n_samples)
        The sum. It may exceed the range of the signal.

    Raises
    ------
    TypeError
        If one of them is not of floats.
    ValueError
        If one of them is silent, they differ in length, or `snr` is not finite.

    Examples
    --------
    >>> add_noise(np.array([1.0, -1.0]), np.array([5.0, 5.0]), snr=20)
    array([ 1.1, -0.9])
    """
    signal, noise = check_floats("signal", signal), check_floats("noise", noise)
    if signal.shape[-1] != noise.shape[-1]:
        raise ValueError(
            f"noise must have the signal's {signal.shape[-1]} samples, got {noise.shape[-1]}."
        )
    ratio = np.asarray(snr, dtype=np.float64)
    if not np.isfinite(ratio).all():
        raise ValueError(f"snr must be finite, got {snr!r}.")
    gain = 10 ** ((signal_to_noise_ratio(signal, noise) - ratio) / 20)
    return signal + (gain[..., np.newaxis] * noise).astype(signal.dtype)


def dominant_frequency(signal: FloatArray, sample_rate: float) -> float:
    """Return the frequency of the strongest component of one signal.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        The signal, at least 8 samples long.
    sample_rate : float
        Samples per second.

    Returns
    -------
    float
        The frequency in hertz where the spectrum, computed with a Hann window, has its peak.

    Raises
    ------
    TypeError
        If `signal` are not floats.
    ValueError
        If the signal has several axes, is too short or silent.

    Notes
    -----
    The spectrum is known only at multiples of the reciprocal duration. A parabola through the
    logarithms of the highest value and its neighbors places the peak between them, to within a few
    hundredths of that spacing for a pure tone.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440.3 * np.arange(8000) / 8000)
    >>> round(dominant_frequency(tone, 8000), 1)
    440.3
    """
    signal = check_floats("signal", signal, (1,), finite=True)
    sample_rate = check_interval("sample_rate", sample_rate, open_low=True)
    if len(signal) < 8:
        raise ValueError(f"signal must have at least 8 samples, got {len(signal)}.")
    if not np.any(signal):
        raise ValueError("signal must not be silent, got zeros only.")
    spectrum = np.abs(np.fft.rfft(signal * scipy.signal.windows.hann(len(signal))))
    peak = int(np.argmax(spectrum))
    offset = 0.0
    if 0 < peak < len(spectrum) - 1 and np.all(spectrum[peak - 1 : peak + 2] > 0):
        left, middle, right = np.log(spectrum[peak - 1 : peak + 2])
        offset = (left - right) / (2 * (left - 2 * middle + right))
    return float((peak + offset) * sample_rate / len(signal))


def melody(
    frequencies: Sequence[float],
    *,
    duration: float = 0.4,
    sample_rate: int = 8000,
    n_harmonics: int = 5,
) -> NDArray[np.float64]:
    r"""Make a sound to try things on: one plucked note after the other.

    A note of frequency :math:`f` is
    :math:`e^{-4t/T} \sum_{m=1}^{M} \tfrac1m \sin(2\pi m f t)` for :math:`0 \le t < T`, with its
    first and last 5 ms faded; harmonics from half the sample rate on are left out.

    Parameters
    ----------
    frequencies : sequence of float
        Frequency of each note in hertz; A is 440.
    duration : float, default=0.4
        Length :math:`T` of each note in seconds.
    sample_rate : int, default=8000
        Samples per second.
    n_harmonics : int, default=5
        Number :math:`M` of harmonics; 1 gives the pure tone.

    Returns
    -------
    ndarray of shape (n_samples,)
        The signal, scaled so that its largest absolute value is 0.9.

    Raises
    ------
    TypeError
        If a parameter is not a number.
    ValueError
        If a parameter is out of range, or there is no note.

    Examples
    --------
    >>> sound = melody([262, 330, 392, 523], duration=0.5, sample_rate=8000)
    >>> sound.shape
    (16000,)
    """
    duration = check_interval("duration", duration, 0.01)
    check_integer("sample_rate", sample_rate, 1)
    check_integer("n_harmonics", n_harmonics, 1)
    if len(frequencies) == 0:
        raise ValueError("frequencies must hold at least one note, got none.")
    time = np.arange(round(duration * sample_rate)) / sample_rate
    envelope = np.exp(-4 * time / duration)
    envelope *= np.clip(np.minimum(time, time[-1] - time) / 0.005, 0, 1)
    notes = []
    for frequency in frequencies:
        check_interval("frequencies", frequency, 0.0, sample_rate / 2, open_low=True)
        orders = np.arange(1, n_harmonics + 1)
        orders = orders[orders * frequency < sample_rate / 2][:, np.newaxis]
        notes.append(envelope * np.sum(np.sin(2 * np.pi * orders * frequency * time) / orders, 0))
    signal: NDArray[np.float64] = np.concatenate(notes)
    signal *= 0.9 / np.abs(signal).max()
    return jitter(signal)


class _AudioTransform(Transform[FloatArray]):
    def _check(self, data: FloatArray) -> FloatArray:
        return check_floats("signals", data, (2,))


@dataclass(frozen=True)
class RandomTimeStretch(_AudioTransform):
    """Play each signal of a batch at a random speed.

    Keeps the shape: what becomes longer is cut at the end, what becomes shorter is followed by
    silence.

    Parameters
    ----------
    rate : (float, float), default=(0.8, 1.25)
        The speed is drawn between the two, uniformly on a logarithmic scale, so that twice and half
        the speed are equally likely.
    n_fft : int, default=1024
        Samples in a frame, see :func:`time_stretch`.

    Examples
    --------
    >>> signals = np.stack([melody([440, 550]), melody([330, 660])])
    >>> RandomTimeStretch()(signals, random_state=0).shape == signals.shape
    True
    """

    rate: tuple[float, float] = (0.8, 1.25)
    n_fft: int = 1024

    def __post_init__(self) -> None:
        if self._rates()[0] == 0:
            raise ValueError(f"rate must be greater than 0, got {self.rate!r}.")

    def _rates(self) -> tuple[float, float]:
        return as_range("rate", tuple(self.rate), low=0.0)

    def _apply(self, signals: FloatArray, rng: np.random.Generator) -> FloatArray:
        slowest, fastest = np.log(self._rates())
        rates = np.exp(draw((slowest, fastest), len(signals), rng))
        return _for_each(lambda x, rate: time_stretch(x, rate, n_fft=self.n_fft), signals, rates)


@dataclass(frozen=True)
class RandomPitchShift(_AudioTransform):
    """Raise or lower the pitch of each signal of a batch at random.

    Parameters
    ----------
    semitones : float or (float, float), default=2.0
        The shift is uniform in ±semitones, or between the two.
    n_fft : int, default=1024
        Samples in a frame, see :func:`time_stretch`.

    Examples
    --------
    >>> signals = np.stack([melody([440, 550]), melody([330, 660])])
    >>> RandomPitchShift(2)(signals, random_state=0).shape == signals.shape
    True
    """

    semitones: Range = 2.0
    n_fft: int = 1024

    def __post_init__(self) -> None:
        as_range("semitones", self.semitones)

    def _apply(self, signals: FloatArray, rng: np.random.Generator) -> FloatArray:
        shifts = draw(as_range("semitones", self.semitones), len(signals), rng)
        return _for_each(lambda x, shift: pitch_shift(x, shift, n_fft=self.n_fft), signals, shifts)


@dataclass(frozen=True, eq=False)
class BackgroundNoise(_AudioTransform):
    """Add noise to each signal of a batch, at a random signal-to-noise ratio.

    Parameters
    ----------
    snr : (float, float), default=(10.0, 30.0)
        The ratio in dB is uniform between the two; the higher, the less noise.
    noise : ndarray of shape (n_noise_samples,) or None, default=None
        A recording, at least as long as the signals: each gets an excerpt from a random place.
        None: white Gaussian noise.

    Raises
    ------
    ValueError
        When called, if the recording is shorter than the signals, or something is silent.

    Examples
    --------
    >>> signals = np.stack([melody([440, 550]), melody([330, 660])])
    >>> noisy = BackgroundNoise((20, 20))(signals, random_state=0)
    >>> signal_to_noise_ratio(signals, noisy - signals).round(6)
    array([20., 20.])
    """

    snr: tuple[float, float] = (10.0, 30.0)
    noise: FloatArray | None = None

    def __post_init__(self) -> None:
        as_range("snr", tuple(self.snr))
        if self.noise is not None:
            check_floats("noise", self.noise, (1,), finite=True)

    def _apply(self, signals: FloatArray, rng: np.random.Generator) -> FloatArray:
        ratios = draw(as_range("snr", tuple(self.snr)), len(signals), rng)
        return add_noise(signals, self._draw_noise(signals.shape, rng), ratios)

    def _draw_noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
        if self.noise is None:
            return rng.standard_normal(shape)
        n_signals, n_samples = shape
        if len(self.noise) < n_samples:
            raise ValueError(
                f"noise must have at least the signals' {n_samples} samples, got {len(self.noise)}."
            )
        starts = rng.integers(len(self.noise) - n_samples + 1, size=n_signals)
        excerpts: FloatArray = self.noise[starts[:, np.newaxis] + np.arange(n_samples)]
        return excerpts


def _principal(phase: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Add the multiple of 2π that brings a phase to [-π, π)."""
    return (phase + np.pi) % (2 * np.pi) - np.pi


def _follow_peaks(
    amplitude: NDArray[np.floating[Any]],
    angle: NDArray[np.floating[Any]],
    advance: NDArray[np.floating[Any]],
    before: NDArray[np.intp],
) -> NDArray[np.floating[Any]]:
    """Return the phases of the new frames: peaks advance, the bins around them go along.

    `amplitude` has a column for each new frame, `angle` and `advance` one for each old frame;
    `before` is the old frame at or before each new one.
    """
    phase = np.empty_like(amplitude)
    phase[:, 0] = angle[:, 0]
    for new, old in enumerate(before[1:], start=1):
        advanced = phase[:, new - 1] + advance[:, before[new - 1]]
        peak = _nearest_peak(amplitude[:, new])
        phase[:, new] = advanced[peak] + angle[:, old] - angle[peak, old]
    return phase


def _nearest_peak(spectrum: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return for each bin the number of the nearest bin that is higher than its neighbors."""
    padded = np.pad(spectrum, 1, constant_values=-1)  # the ends can be peaks, too
    peaks = np.flatnonzero((spectrum >= padded[:-2]) & (spectrum > padded[2:]))
    borders = (peaks[:-1] + peaks[1:]) / 2
    return peaks[np.searchsorted(borders, np.arange(len(spectrum)))]


def _for_each(
    change: Callable[[FloatArray, float], FloatArray], signals: FloatArray, values: FloatArray
) -> FloatArray:
    """Change each signal by its own value; cut the results, or fill them up, to the old length."""
    result = np.zeros_like(signals)
    for row, signal, value in zip(result, signals, values, strict=True):
        changed = change(signal, float(value))[: len(row)]
        row[: len(changed)] = changed
    return result
