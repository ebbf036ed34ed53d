"""Real clips of every kind become features, a model, and sound: with a network that has weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dataset_fixtures import MakeSettings, list_clip

from feature_extraction.stage import run as extract_features
from s2s.dataset import DatasetVersion, write_version
from s2s.layout import extractors_key, model_prefix
from s2s.media import MediaLimits, probe, read_audio, write_wav
from s2s.storage import open_bucket
from s2s.tasks.contract import Upload
from s2s.tasks.generation.predictor.offer import GenerationOptions
from s2s.tasks.loading import load_task
from serving.models.notes import JobNotes
from serving.models.stored import fetch_model, find_model
from training.stage import run as train

CLIPS = {
    "cough_15_fps": "vas/cough_video_00331.mp4",
    "dog_6_s": "vas/dog_video_02677.mp4",
    "portrait": "odd/decord_video_90.mov",
    "no_sound": "kinetics/arm_wrestling_no_audio.mp4",
}
RATE_HZ = 16_000


@pytest.fixture
def clips(real_data: Path) -> dict[str, Path]:
    return {name: real_data / "clips" / path for name, path in CLIPS.items()}


def test_odd_clips_need_no_special_case(
    make_settings_of: MakeSettings, clips: dict[str, Path], tmp_path: Path
):
    settings = make_settings_of(
        spec={"duration_s": 10},
        feature_extraction={
            "semantic": "timm/test_vit",
            "semantic_weights": "random",
            "semantic_every": 10,
        },
        training={
            **{"width": 16, "depth": 1, "heads": 1, "window_s": 0.8, "batch_size": 2},
            **{"max_steps": 3, "sampling_steps": 2, "held_out_clips": 1, "accelerator": "cpu"},
        },
    )
    bucket, listed = open_bucket(settings.bucket_url), []
    for name, path in clips.items():
        wav, found = tmp_path / f"{name}.wav", probe(path)
        silence = np.zeros(RATE_HZ, np.float32)
        write_wav(wav, read_audio(path, RATE_HZ) if found.has_audio else silence, RATE_HZ)
        seconds = min(10.0, round(found.duration_s, 2))
        split = "test" if name == "portrait" else "train"
        listed.append(list_clip(bucket, (path, wav), name, split, seconds, name))
    version = {
        split: tuple(clip for clip in listed if clip.split == split) for split in ("train", "test")
    }
    write_version(bucket, settings.recipe, DatasetVersion("dataset_v1", version))

    assert extract_features(settings).counts == {"ok": 4}
    assert train(settings).counts == {"ok": 1}
    weights = bucket.read(f"{model_prefix(settings.recipe, 'dataset_v1')}extractors.safetensors")
    assert weights == bucket.read(extractors_key(settings.recipe))

    folder = fetch_model(bucket, find_model(bucket, settings.recipe), tmp_path / "serving")
    predictor = load_task("generation").load(folder, MediaLimits())
    for name, path in clips.items():
        job = tmp_path / name
        job.mkdir()
        upload = Upload(Path(shutil.copy(path, job / "upload")), "video", job)
        chosen, notes = GenerationOptions(steps=1), JobNotes()
        outputs = predictor.predict([predictor.prepare(upload, chosen, notes)])
        made = predictor.finish(upload, chosen, outputs[0], notes)
        sound = read_audio(made.files[0].path, RATE_HZ)
        assert len(sound) / RATE_HZ == pytest.approx(probe(path).duration_s, abs=0.2)
        assert np.abs(sound).max() > 1e-4
