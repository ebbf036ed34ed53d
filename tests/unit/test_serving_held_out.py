"""Which clips show a model, and which answers are wrong."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import MediaError
from s2s.media import add_sound, write_wav
from serving.held_out import check_answer, choose_clips


def clip(name: str, label: str, split: str = "test") -> DatasetClip:
    checks = {"size": 1, "crc32c": "AAAAAAAA", "sha256": "0" * 64}
    wav = {f"wav_{key}": value for key, value in checks.items()}
    values = {"clip_id": name, "source_id": name, "start_s": 0, "end_s": 1, "labels": (label,)}
    keys = {"split": split, "key": f"{name}.mp4", "wav_key": f"{name}.wav"}
    return TypeAdapter(DatasetClip).validate_python({**values, **keys, **checks, **wav})


def version(*clips: DatasetClip) -> DatasetVersion:
    splits = {split: tuple(c for c in clips if c.split == split) for split in ("val", "test")}
    return DatasetVersion("dataset_v1", splits)


def test_labels_take_turns():
    clips = [
        clip(f"{label}{k}", label) for label, n in (("a", 9), ("b", 2), ("c", 1)) for k in range(n)
    ]
    chosen = choose_clips(version(*clips), 6)
    assert Counter(c.labels[0] for c in chosen) == {"a": 3, "b": 2, "c": 1}
    assert [c.labels[0] for c in chosen[:3]] == ["a", "b", "c"]


def test_the_order_of_a_manifest_does_not_matter():
    clips = [clip(f"clip{k}", "a") for k in range(9)]
    assert choose_clips(version(*clips), 3) == choose_clips(version(*reversed(clips)), 3)


def test_training_and_validation_clips_are_not_shown_while_there_are_others():
    clips = [clip("seen", "a", "train"), clip("val", "a", "val"), clip("test", "a")]
    assert [c.clip_id for c in choose_clips(version(*clips), 6)] == ["test"]
    assert [c.clip_id for c in choose_clips(version(*clips[:2]), 6)] == ["val"]
    assert choose_clips(version(), 6) == []


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
