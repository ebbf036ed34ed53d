from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from s2s.tasks.common.spectrogram import draw_spectrogram, spectrogram_image

RATE_HZ = 16_000


def tone(pitch_hz: float, seconds: float = 1.0) -> np.ndarray:
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.5 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [1000, 4000, 7000])
def test_a_tone_is_a_line_at_its_pitch(pitch_hz: float):
    brightness = np.asarray(spectrogram_image(tone(pitch_hz), RATE_HZ)).sum(axis=2).mean(axis=1)

    share_from_top = brightness.argmax() / len(brightness)
    assert share_from_top == pytest.approx(1 - pitch_hz / 8000, abs=0.02)


def test_time_runs_to_the_right():
    late = np.concatenate([np.zeros(RATE_HZ, np.float32), tone(2000)])

    brightness = np.asarray(spectrogram_image(late, RATE_HZ)).sum(axis=(0, 2))

    half = len(brightness) // 2
    assert brightness[half + 5 :].mean() > 3 * brightness[: half - 5].mean()


@pytest.mark.parametrize("length", [0, 10, RATE_HZ])
def test_silence_is_dark_however_short(length: int):
    image = np.asarray(spectrogram_image(np.zeros(length, np.float32), RATE_HZ))

    assert image.size
    assert image.max() < 10


def test_the_drawing_has_axes_on_a_clear_ground():
    drawing = Image.open(BytesIO(draw_spectrogram(tone(2000), RATE_HZ)))

    assert drawing.format == "PNG"
    assert drawing.mode == "RGBA"
    assert np.asarray(drawing)[0, 0, 3] == 0
