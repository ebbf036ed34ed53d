"""Odd real clips are trained on and measured like any other: a short one, one of 15.25 frames a
second, a portrait, one without sound."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from dataset_fixtures import MakeSettings

from feature_extraction.stage import run as extract_features
from s2s.dataset import DatasetClip, DatasetVersion, Split, write_version
from s2s.media import input_args, probe, read_audio, run_ffmpeg, write_wav
from s2s.records import build_clip_id
from s2s.storage import Bucket, open_bucket
from training.evaluation.thorough import evaluate_model
from training.stage import run as train

CLIPS: tuple[tuple[str, Split], ...] = (
    ("vas/drum_video_02542.mp4", "train"),
    ("vas/fireworks_video_02997.mp4", "train"),
    ("vas/dog_video_02677.mp4", "test"),  # 6 s
    ("vas/cough_video_00331.mp4", "test"),  # 15.25 frames a second
    ("kinetics/arm_wrestling_no_audio.mp4", "test"),
    ("portrait.mp4", "test"),
)
SETTINGS = {
    "training": {
        "width": 16,
        "depth": 1,
        "heads": 1,
        "batch_size": 2,
        "max_steps": 3,
        "sampling_steps": 2,
        "held_out_clips": 1,
        "accelerator": "cpu",
    },
    "evaluation": {"seeds_per_clip": 1, "intervals": 5, "worst": 1, "examples": 0},
    "spec": {"duration_s": 10},
}


def store(bucket: Bucket, folder: Path, video: Path, number: int, split: Split) -> DatasetClip:
    """Upload a clip as it is, with a wav of its sound, or of silence where it has none."""
    seen, wav = probe(video), folder / "sound.wav"
    silence = np.zeros(round(seen.duration_s * 16_000), np.float32)
    write_wav(wav, read_audio(video, 16_000) if seen.has_audio else silence, 16_000)
    mp4 = bucket.upload(video, f"clips/{number}.mp4")
    sound = bucket.upload(wav, f"clips/{number}.wav")
    return DatasetClip(
        clip_id=build_clip_id(f"odd-source{number}", 0, 10),
        source_id=f"odd-source{number}",
        start_s=0,
        end_s=10,
        labels=(f"thing {number % 2}",),
        split=split,
        key=mp4.key,
        size=mp4.size,
        crc32c=mp4.crc32c,
        sha256=hashlib.sha256(video.read_bytes()).hexdigest(),
        wav_key=sound.key,
        wav_size=sound.size,
        wav_crc32c=sound.crc32c,
        wav_sha256=hashlib.sha256(wav.read_bytes()).hexdigest(),
    )


@pytest.fixture
def portrait(real_data: Path, tmp_path: Path) -> Path:
    path, lying = tmp_path / "portrait.mp4", real_data / "clips" / "vas" / "drum_video_02542.mp4"
    turned = ["-t", "4", "-vf", "transpose=1", "-preset", "ultrafast", f"file:{path}"]
    run_ffmpeg([*input_args(lying), *turned], lying.name)
    return path


def test_odd_clips_are_measured_like_any_other(
    make_settings_of: MakeSettings, real_data: Path, portrait: Path, tmp_path: Path
):
    settings = make_settings_of(**SETTINGS)
    bucket = open_bucket(settings.bucket_url)
    clips: dict[Split, list[DatasetClip]] = {"train": [], "val": [], "test": []}
    for number, (name, split) in enumerate(CLIPS):
        video = portrait if name == portrait.name else real_data / "clips" / name
        clips[split].append(store(bucket, tmp_path, video, number, split))
    version = DatasetVersion("dataset_v1", {split: tuple(rows) for split, rows in clips.items()})
    write_version(bucket, settings.recipe, version)
    assert extract_features(settings).counts == {"ok": len(CLIPS)}
    train(settings)

    content = evaluate_model(settings)

    figures = content["groups"]["all"]
    assert figures["n_clips"] == 4
    for system, values in figures["systems"].items():
        for name in ("onset_f1", "stft", "mel_l1", "loudness_lu", "class_accuracy", "frechet"):
            assert np.isfinite(values[name]["value"]), (system, name)
    assert len(content["examples"]) == 1
