"""Real classifiers that have learned nothing, for tests that only need one to answer."""

from pathlib import Path
from typing import Any

import torch

from s2s.model_directory import ModelDescription, save_model
from s2s.settings import Settings
from s2s.spec import TimeSpec
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.directory import TASK, ModelConfig
from s2s.tasks.classification.processor import ProcessorConfig
from s2s.tasks.classification.settings import ClassificationRecipe

CLASSES = ("blinking", "clicking", "resting")
SPEC = TimeSpec(fps=25, sample_rate_hz=16_000, duration_s=2)


def save_classifier(folder: Path, kind: str = "cnn_lstm", **stored: Any) -> Path:
    """Write a model directory of a small classifier with random weights.

    Args:
        folder: the directory.
        kind: of network.
        stored: what its processor has other than usual.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ClassifierConfig.model_validate(
            {"kind": kind, "classes": len(CLASSES), "frames": 8, "crop_px": 32, "mel_bands": 80}
            | {"visual": "frame_average"}
        )
        made = make_classifier(network).eval()
    values = {"frame_rate_hz": 8, "height_px": 48, "width_px": 48, "n_frames": 8, "crop_px": 32}
    values |= {"sound": network.hears, "mel_mean": -6.0, "mel_std": 2.0}
    processor = ProcessorConfig.model_validate({"spec": SPEC, **values, **stored})
    config = ModelConfig(
        network=network, processor=processor.model_dump(mode="json"), classes=CLASSES
    )
    description = ModelDescription(
        task=TASK,
        recipe="test",
        version="dataset_v1",
        spec=SPEC,
        config=config.model_dump(mode="json"),
    )
    save_model(folder, made, description)
    return folder


def classification_settings(folder: Path, **sections: Any) -> Settings:
    """Settings of a small recipe on a bucket in a folder; sections add to what it has."""
    content: dict[str, Any] = {
        "name": "acts",
        "spec": {"duration_s": 2},
        "collection": {"catalog": "none.csv"},
        "feature_extraction": {"height_px": 48, "width_px": 48, "sound": False},
        "training": {"frames": 8, "crop_px": 32, "batch_size": 4, "max_steps": 3},
        "tracking": {"trackers": []},
    }
    for name, section in sections.items():
        content[name] = {**content.get(name, {}), **section}
    return Settings(
        recipe=ClassificationRecipe.model_validate(content),
        recipe_path=folder / "acts.yaml",
        bucket_url=f"file://{folder}/bucket",
        work_dir=folder / "work",
        workers=1,
    )
