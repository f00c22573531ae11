import io

import numpy as np
import pytest
from scipy.io import wavfile

from lessons_lib.augment import audio as au

RATE = 8000  # samples per second
SECOND = np.arange(RATE) / RATE


def tone(frequency, n_samples=RATE, phase=0.0):
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE + phase)


def amplitude_and_residual(signal, frequency):
    """Fit a sinusoid of known frequency; return its amplitude and the share of the rest."""
    angle = 2 * np.pi * frequency * np.arange(len(signal)) / RATE
    basis = np.column_stack([np.sin(angle), np.cos(angle)])
    coef, *_ = np.linalg.lstsq(basis, signal, rcond=None)
    return np.hypot(*coef), np.std(signal - basis @ coef) / np.std(signal)


def inside(signal):
    """Leave out the ends, where frames are half empty."""
    return signal[1024:-1024]


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("frequency", [220.0, 446.1, 1000.0])
def test_a_stretched_tone_is_a_tone_of_the_same_frequency(rate, frequency):
    result = au.time_stretch(tone(frequency), rate)
    assert result.shape == (round(RATE / rate),)
    assert au.dominant_frequency(inside(result), RATE) == pytest.approx(frequency, abs=0.5)
    amplitude, residual = amplitude_and_residual(inside(result), frequency)
    assert amplitude == pytest.approx(1, abs=0.02)
    assert residual < 0.02


@pytest.mark.parametrize("semitones", [-12, -5, 0.5, 4, 7, 12])
def test_pitch_shift_multiplies_the_frequency_and_keeps_the_duration(semitones):
    result = au.pitch_shift(tone(440), semitones)
    assert result.shape == (RATE,)
    frequency = 440 * 2 ** (semitones / 12)
    assert au.dominant_frequency(inside(result), RATE) == pytest.approx(frequency, rel=2e-3)
    amplitude, _ = amplitude_and_residual(
        inside(result), au.dominant_frequency(inside(result), RATE)
    )
    assert amplitude == pytest.approx(1, abs=0.05)


def test_both_tones_of_a_chord_are_kept_or_shifted():
    chord = tone(400) + 0.5 * tone(1100)
    for result, factor in [(au.time_stretch(chord, 0.7), 1.0), (au.pitch_shift(chord, 12), 2.0)]:
        spectrum = np.abs(np.fft.rfft(inside(result) * np.hanning(len(inside(result)))))
        frequencies = np.fft.rfftfreq(len(inside(result)), 1 / RATE)
        energy = spectrum**2
        near = [abs(frequencies - factor * f) < 12 for f in (400, 1100)]
        assert energy[near[0] | near[1]].sum() / energy.sum() > 0.97
        assert np.sqrt(energy[near[1]].sum() / energy[near[0]].sum()) == pytest.approx(
            0.5, abs=0.05
        )


def test_speed_one_changes_nothing():
    sound = au.melody([262, 330, 392], sample_rate=RATE)
    np.testing.assert_allclose(au.time_stretch(sound, 1.0), sound, atol=1e-10)
    np.testing.assert_allclose(au.pitch_shift(sound, 0), sound, atol=1e-10)


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.6])
def test_events_happen_at_their_new_time(rate):
    late = np.where(SECOND < 0.5, 0, tone(500))
    result = au.time_stretch(late, rate)
    level = np.convolve(result**2, np.ones(80) / 80, mode="same")
    onset = np.argmax(level > 0.25) / RATE  # half of the power of the tone
    assert onset == pytest.approx(0.5 / rate, abs=0.04)


def test_batches_are_treated_signal_by_signal():
    batch = np.stack([tone(300), tone(700, phase=1.0)])
    stretched, shifted = au.time_stretch(batch, 0.8), au.pitch_shift(batch, 3)
    for i, signal in enumerate(batch):
        np.testing.assert_allclose(stretched[i], au.time_stretch(signal, 0.8), atol=1e-12)
        np.testing.assert_allclose(shifted[i], au.pitch_shift(signal, 3), atol=1e-12)
    assert au.time_stretch(batch[np.newaxis], 2).shape == (1, 2, 4000)


@pytest.mark.parametrize("n_samples", [1024, 1025, 2000, 4097])
@pytest.mark.parametrize("rate", [0.3, 0.99, 1.7, 3.1])
def test_every_length_and_speed_gives_the_promised_length(n_samples, rate):
    result = au.time_stretch(tone(440, n_samples).astype(np.float32), rate)
    assert result.shape == (round(n_samples / rate),)
    assert result.dtype == np.float32
    assert au.pitch_shift(tone(440, n_samples).astype(np.float32), 2).dtype == np.float32


@pytest.mark.parametrize("snr", [-10.0, 0.0, 20.0])
def test_noise_is_as_loud_as_asked(snr):
    rng = np.random.default_rng(0)
    signal, noise = tone(440), 7 * rng.standard_normal(RATE)
    added = au.add_noise(signal, noise, snr) - signal
    assert 10 * np.log10(np.mean(signal**2) / np.mean(added**2)) == pytest.approx(snr, abs=1e-9)
    assert np.corrcoef(added, noise)[0, 1] == pytest.approx(1)
    assert au.signal_to_noise_ratio(signal, added) == pytest.approx(snr, abs=1e-9)


def test_background_noise_draws_ratio_and_excerpt():
    signals = np.stack([tone(200 + 100 * i, 2000) for i in range(40)])
    recording = np.random.default_rng(1).standard_normal(2500)
    added = au.BackgroundNoise((5, 15), recording)(signals, 0) - signals
    ratios = au.signal_to_noise_ratio(signals, added)
    assert 5 <= ratios.min() < 6.5
    assert 13.5 < ratios.max() <= 15
    starts = set()
    for one in added:
        match = np.correlate(recording, one / np.linalg.norm(one), mode="valid")
        windows = np.lib.stride_tricks.sliding_window_view(recording, 2000)
        cosine = match / np.linalg.norm(windows, axis=1)
        assert cosine.max() == pytest.approx(1)
        starts.add(int(cosine.argmax()))
    assert len(starts) > 30
    white = au.BackgroundNoise((10, 10))(signals, 0) - signals
    np.testing.assert_allclose(au.signal_to_noise_ratio(signals, white), 10)
    assert abs(np.corrcoef(white[:, :-1].ravel(), white[:, 1:].ravel())[0, 1]) < 0.02


BATCH = np.stack([au.melody([262, 330]), au.melody([392, 523])])


@pytest.mark.parametrize(
    "transform",
    [au.RandomTimeStretch(), au.RandomPitchShift(2), au.BackgroundNoise()],
    ids=lambda t: type(t).__name__,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_of_every_transform(transform, dtype):
    signals = BATCH.astype(dtype)
    before = signals.copy()
    result = transform(signals, 0)
    np.testing.assert_array_equal(signals, before)
    assert result.shape == signals.shape
    assert result.dtype == dtype
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(transform(signals, rng), result)
    assert np.any(transform(signals, rng) != result)
    twice = transform(np.repeat(signals[:1], 2, axis=0), 0)
    assert np.any(twice[0] != twice[1])  # each signal gets its own draw


def test_random_stretch_cuts_or_fills_up():
    batch = np.stack([tone(440)] * 2)
    fast = au.RandomTimeStretch((2.0, 2.0))(batch, 0)
    np.testing.assert_allclose(fast[0, :4000], au.time_stretch(tone(440), 2.0), atol=1e-9)
    assert np.all(fast[:, 4000:] == 0)
    slow = au.RandomTimeStretch((0.5, 0.5))(batch, 0)
    np.testing.assert_allclose(slow[0], au.time_stretch(tone(440), 0.5)[:RATE], atol=1e-9)


def test_random_transforms_draw_within_their_ranges():
    batch = np.stack([tone(440, 2048)] * 60)
    pitches = [au.dominant_frequency(x, RATE) for x in au.RandomPitchShift(6)(batch, 0)]
    semitones = 12 * np.log2(np.array(pitches) / 440)
    assert -6.2 < semitones.min() < -4.5
    assert 4.5 < semitones.max() < 6.2
    lengths = [np.flatnonzero(x)[-1] for x in au.RandomTimeStretch((1.0, 4.0))(batch, 0)]
    rates = 2048 / (np.array(lengths) + 1)
    assert 1 <= rates.min() < 1.2
    assert 3.3 < rates.max() < 4.05
    assert 0.3 < np.mean(rates < 2) < 0.7  # the middle of a logarithmic scale


@pytest.mark.parametrize("frequency", [100.0, 440.3, 1234.56, 3900.0])
@pytest.mark.parametrize("n_samples", [2000, 8001])
def test_dominant_frequency(frequency, n_samples):
    rng = np.random.default_rng(0)
    signal = tone(frequency, n_samples, 0.7) + 0.5 * tone(700, n_samples)
    signal += 0.05 * rng.standard_normal(n_samples)
    measured = au.dominant_frequency(signal, RATE)
    assert measured == pytest.approx(frequency, abs=0.05 * RATE / n_samples)


def test_melody():
    sound = au.melody([440, 660], duration=0.5, sample_rate=RATE, n_harmonics=1)
    assert sound.shape == (RATE,)
    assert np.abs(sound).max() == pytest.approx(0.9)
    assert au.dominant_frequency(sound[:4000], RATE) == pytest.approx(440, abs=1)
    assert au.dominant_frequency(sound[4000:], RATE) == pytest.approx(660, abs=1)
    spectrum = np.abs(np.fft.rfft(au.melody([1500], duration=1, n_harmonics=5)))
    peaks = np.flatnonzero(spectrum > 0.2 * spectrum.max())
    assert {round(peak / 100) * 100 for peak in peaks} == {1500, 3000}  # 4500 > 4000 is left out


def test_a_sound_can_be_stored_as_the_docstring_says():
    sound = au.melody([440])
    file = io.BytesIO()
    wavfile.write(file, RATE, sound.astype("float32"))
    rate, stored = wavfile.read(file)
    assert rate == RATE
    np.testing.assert_allclose(stored, sound, atol=1e-7)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: au.time_stretch(tone(440), 0.0), ValueError, r"rate must lie in \(0, inf\)"),
        (lambda: au.time_stretch(tone(440)[:1000], 1.0), ValueError, "at least n_fft = 1024"),
        (lambda: au.time_stretch(tone(440), 1.0, n_fft=1023), ValueError, "n_fft must be a mult"),
        (lambda: au.time_stretch(np.arange(2000), 1.0), TypeError, "signal must be an array of fl"),
        (lambda: au.pitch_shift(tone(440), np.nan), ValueError, "semitones must lie in"),
        (lambda: au.add_noise(tone(440), tone(3)[:9], 0), ValueError, "noise must have the signal"),
        (lambda: au.add_noise(tone(440), tone(3), np.nan), ValueError, "snr must be finite"),
        (lambda: au.add_noise(0 * tone(440), tone(3), 0), ValueError, "signal must not be silent"),
        (lambda: au.add_noise(tone(440), 0 * tone(3), 0), ValueError, "noise must not be silent"),
        (lambda: au.dominant_frequency(BATCH, 8), ValueError, "signal must have 1 dimensions"),
        (lambda: au.dominant_frequency(np.zeros(9), 8), ValueError, "signal must not be silent"),
        (lambda: au.dominant_frequency(np.ones(7), 8), ValueError, "at least 8 samples, got 7"),
        (lambda: au.melody([]), ValueError, "frequencies must hold at least one note"),
        (lambda: au.melody([5000]), ValueError, "frequencies must lie in"),
        (lambda: au.RandomTimeStretch((0, 1)), ValueError, "rate must be greater than 0"),
        (lambda: au.RandomTimeStretch((2, 1)), ValueError, "rate must be a pair"),
        (lambda: au.RandomPitchShift(-1), ValueError, "semitones must lie in"),
        (lambda: au.RandomPitchShift()(tone(440)), ValueError, "signals must have 2 dimensions"),
        (lambda: au.BackgroundNoise((1,)), ValueError, "snr must be a number or a pair"),
        (lambda: au.BackgroundNoise(noise=BATCH), ValueError, "noise must have 1 dimensions"),
        (lambda: au.BackgroundNoise(noise=tone(1, 9))(BATCH), ValueError, "noise must have at le"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_sound_is_finite(bad):
    signal = au.melody([440, 550])
    spoiled = signal.copy()
    spoiled[100] = bad
    for change in (
        lambda: au.time_stretch(spoiled, 1.1),
        lambda: au.pitch_shift(spoiled, 1),
        lambda: au.add_noise(spoiled, signal, 10),
        lambda: au.dominant_frequency(spoiled, 8000),
        lambda: au.RandomTimeStretch()(spoiled[None], 0),
        lambda: au.BackgroundNoise(noise=spoiled),
    ):
        with pytest.raises(ValueError, match="must be finite, got NaN or infinity"):
            change()


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
def test_the_unit_of_sound_does_not_matter(scale):
    rng = np.random.default_rng(0)
    signal, noise = rng.standard_normal((2, 3, 100))
    expected = au.signal_to_noise_ratio(signal, noise)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(au.signal_to_noise_ratio(scale * signal, scale * noise), expected)
    np.testing.assert_allclose(
        au.add_noise(signal, scale * noise, 3), au.add_noise(signal, noise, 3)
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_sound_keeps_its_precision(dtype):
    signals = np.stack([au.melody([440, 550]), au.melody([330, 660])]).astype(dtype)
    for transform in (au.RandomTimeStretch(), au.RandomPitchShift(), au.BackgroundNoise()):
        assert transform(signals, 0).dtype == dtype
