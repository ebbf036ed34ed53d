"""The command `evaluate` on small data set versions: every system is measured, and can be heard."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from dataset_fixtures import MakeSettings, MakeVersion

from feature_extraction.stage import run as extract_features
from launcher.evaluation_report import write_evaluation_report
from s2s.errors import StageError
from s2s.layout import evaluation_prefix
from s2s.media import probe, read_audio
from s2s.predictors.generation import GenerationPredictor
from s2s.settings import Settings
from s2s.storage import open_bucket
from training.evaluation.full import evaluate_model
from training.evaluation.regression import fetch_regression
from training.stage import run as train

TINY: dict[str, Any] = {
    "width": 16,
    "depth": 1,
    "heads": 1,
    "window_s": 0.8,
    "batch_size": 2,
    "max_steps": 3,
    "sampling_steps": 2,
    "held_out_clips": 1,
    "accelerator": "cpu",
}
EVALUATION: dict[str, Any] = {
    "takes": 2,
    "intervals": 20,
    "worst": 1,
    "examples": 1,
    "groups": {"highs": ["high"], "lows": ["lo*"]},
    "targets": [
        {"figure": "onset_f1", "system": "real", "must_be": "at_least", "bound": 1},
        {
            "figure": "stft",
            "system": "silence",
            "group": "lows",
            "must_be": "below",
            "bound": 1,
            "of": "real_mel",
        },
    ],
}
SYSTEMS = {
    "real",
    "real_mel",
    "model",
    "regression",
    "nearest",
    "random_clip",
    "random_alike",
    "silence",
    "delayed",
    "picture",
}
LENGTHS = {"train": (4.0, 3.6), "val": (1.0,), "test": (4.0, 1.0, 0.5, 4.0)}


@pytest.fixture
def trained(make_settings_of: MakeSettings, make_version: MakeVersion) -> Settings:
    settings = make_settings_of(training=TINY, evaluation=EVALUATION, spec={"duration_s": 4})
    make_version(settings, LENGTHS)
    extract_features(settings)
    train(settings)
    return settings


def test_every_system_is_measured_and_examples_can_be_heard(trained: Settings, tmp_path: Path):
    content = evaluate_model(trained)

    assert set(content["groups"]) == {"all", "highs", "lows"}
    everything = content["groups"]["all"]
    assert (everything["n_clips"], everything["n_sources"]) == (4, 4)
    assert set(everything["systems"]) == SYSTEMS
    real, model = (everything["systems"][name] for name in ("real", "model"))
    assert real["onset_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert real["frechet"]["value"] == pytest.approx(0, abs=1e-6)
    assert model["diversity"]["value"] > 0
    assert real["diversity"] is None
    assert model["stft"]["low"] <= model["stft"]["value"] <= model["stft"]["high"]
    assert [row["is_met"] for row in content["targets"]] == [True, False]
    assert content["external"]["note"].startswith("not computed")

    bucket = open_bucket(trained.bucket_url)
    prefix = evaluation_prefix(trained.recipe, "dataset_v1")
    assert json.loads(bucket.read(f"{prefix}evaluation.json")) == content
    for example in content["examples"]:
        stem = f"{prefix}examples/{example['clip_id']}"
        bucket.download(f"{stem}.mp4", tmp_path / "example.mp4")
        bucket.download(f"{stem}.regression.wav", tmp_path / "example.wav")
        assert probe(tmp_path / "example.mp4").audio_codec == "aac"
        assert len(read_audio(tmp_path / "example.wav", 16_000)) > 0

    page = write_evaluation_report(bucket, trained.recipe, content, tmp_path).read_text()
    assert page.count("data:video/mp4") == 2 * len(content["examples"])
    assert page.count("data:audio/wav") == 4 * len(content["examples"])
    assert "not computed" in page
    assert "missed" in page
    assert "(1.00–1.00)" in page, "intervals"
    assert "https://" not in page

    # Another evaluation finds the regression: without clips it could not train one.
    model = GenerationPredictor.load(trained.work_dir / "evaluation" / content["model"])
    network, config = fetch_regression(trained, model.config, {}, tmp_path)
    assert (config.sampling_steps, config.guidance) == (1, 1.0)
    tokens = torch.randn(2, 1, 20, config.network.token_dim)
    seen = torch.randn(1, 20, sum(config.network.streams.values()))
    shown = torch.zeros(1, 2, dtype=torch.bool)
    said = [network(noise, torch.rand(1), seen, shown) for noise in tokens]
    assert torch.equal(*said), "it draws nothing"


def test_without_a_model_there_is_nothing_to_evaluate(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY)
    make_version(settings, {"train": (1.0,), "test": (1.0,)})
    extract_features(settings)
    with pytest.raises(StageError, match="training RECIPE"):
        evaluate_model(settings)
