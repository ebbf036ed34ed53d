"""A GPU that a recipe asks for is looked for before any work, unless there is a model already."""

from pathlib import Path

import pytest
import torch

from launcher.pipeline import check_accelerator
from s2s.cli import make_settings
from s2s.dataset import DatasetVersion, write_version
from s2s.errors import SettingsError, StageError
from s2s.layout import model_config_key
from s2s.settings import Settings
from s2s.storage import open_bucket

SAMPLE = Path(__file__).parents[2] / "recipes" / "silent_to_sound.sample.yaml"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a recipe that asks for a GPU, on a machine without one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe = tmp_path / "recipe.yaml"
    text = SAMPLE.read_text(encoding="utf-8")
    recipe.write_text(text.replace("training:\n", "training:\n  accelerator: gpu\n"))
    return make_settings(recipe, f"file://{tmp_path / 'bucket'}", tmp_path / "work")


def test_a_missing_gpu_is_told_with_what_to_do(settings: Settings):
    with pytest.raises(StageError, match="set it to auto or cpu"):
        check_accelerator(settings)


def test_a_model_that_is_there_needs_none(settings: Settings):
    bucket = open_bucket(settings.bucket_url)
    write_version(bucket, settings.recipe, DatasetVersion("dataset_v1"))
    with pytest.raises(StageError):
        check_accelerator(settings)
    bucket.write(model_config_key(settings.recipe, "dataset_v1"), b"{}")
    check_accelerator(settings)


def test_several_nodes_are_to_be_told_before_the_stages_that_take_hours(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    training = settings.recipe.training.model_copy(update={"accelerator": "cpu", "nodes": 2})
    recipe = settings.recipe.model_copy(update={"training": training})
    several = settings.model_copy(update={"recipe": recipe})
    with pytest.raises(SettingsError, match="no NODE_RANK"):
        check_accelerator(several)
    for name, value in (("NODE_RANK", "0"), ("MASTER_ADDR", "a"), ("MASTER_PORT", "29500")):
        monkeypatch.setenv(name, value)
    check_accelerator(several)
