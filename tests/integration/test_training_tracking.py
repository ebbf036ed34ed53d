"""A training can be followed in MLflow and in W&B, without a network."""

import math
from pathlib import Path

import pytest
from dataset_fixtures import MakeSettings, MakeVersion
from mlflow import MlflowClient
from training_fixtures import TINY

from feature_extraction.stage import run as extract_features
from s2s.media import read_audio
from training.stage import run


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)


def test_settings_losses_samples_and_figures_are_tracked(
    make_settings_of: MakeSettings, make_version: MakeVersion, offline: None
):
    tracking = {"trackers": ["mlflow", "wandb"], "sample_every": 25, "sample_clips": 1}
    settings = make_settings_of(training={**TINY, "max_steps": 51}, tracking=tracking)
    make_version(settings, {"train": (2.0,), "val": (1.0,), "test": (1.0,)})
    extract_features(settings)
    run(settings)

    folder = settings.work_dir / "mlflow"
    client = MlflowClient(f"sqlite:///{folder.absolute() / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(settings.recipe.name)
    assert experiment is not None
    (followed,) = client.search_runs([experiment.experiment_id])
    assert followed.info.status == "FINISHED"
    assert followed.data.params["training/max_steps"] == "51"
    assert followed.data.params["spec/sample_rate_hz"] == "16000"
    assert followed.data.metrics["real/onset_f1"] == 1.0
    assert math.isfinite(followed.data.metrics["train_loss"])
    steps = sorted(item.path for item in client.list_artifacts(followed.info.run_id, "samples"))
    assert steps == ["samples/00000025", "samples/00000050"]
    wav, png = client.list_artifacts(followed.info.run_id, steps[0])
    wav, png = sorted([wav, png], key=lambda item: item.path, reverse=True)
    sound = Path(client.download_artifacts(followed.info.run_id, wav.path))
    assert len(read_audio(sound, 16_000)) == 16_000
    assert png.path.endswith(".png")

    (offline_run,) = (settings.work_dir / "wandb").glob("offline-run-*")
    media = sorted(path.suffix for path in offline_run.rglob("media/**/*.*"))
    assert {".wav", ".png"} <= set(media)
