"""Which answers are wrong."""

from pathlib import Path

import numpy as np
import pytest

from s2s.errors import MediaError
from s2s.media import add_sound, write_wav
from s2s.tasks.generation.predictor.proof import check_answer


@pytest.fixture
def answer(silent_video: Path, tmp_path: Path):
    def make(seconds: float, loudness: float, video: Path = silent_video) -> Path:
        samples = [loudness, -loudness] * round(seconds * 8_000)
        write_wav(tmp_path / "sound.wav", np.array(samples), 16_000)
        add_sound(video, tmp_path / "sound.wav", tmp_path / "answer.mp4")
        return tmp_path / "answer.mp4"

    return make


def test_a_right_answer_has_its_loudness_measured(answer, silent_video):
    assert check_answer(silent_video, answer(2.0, 0.0), 16_000) < -100


@pytest.mark.parametrize("seconds", [1.9, 2.1])
def test_sound_of_another_length_is_wrong(answer, silent_video, seconds):
    with pytest.raises(MediaError, match=f"{seconds:.3f} s of sound"):
        check_answer(silent_video, answer(seconds, 0.5), 16_000)


def test_another_picture_is_wrong(answer, silent_video, make_video):
    other = make_video("other.mp4", size="64x48")
    with pytest.raises(MediaError, match="not the one that was sent"):
        check_answer(silent_video, answer(2.0, 0.5, other), 16_000)


def test_an_answer_without_sound_is_wrong(silent_video):
    with pytest.raises(MediaError) as caught:
        check_answer(silent_video, silent_video, 16_000)
    assert caught.value.reason == "no_audio"
