"""One tiny trained model, which every test that only looks at one shares."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dataset_fixtures import settings_in, store_version

from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.stage import StageReport
from s2s.storage import open_bucket

TINY: dict[str, Any] = {
    "width": 16,
    "depth": 1,
    "heads": 1,
    "window_s": 0.8,
    "batch_size": 2,
    "max_steps": 3,
    "sampling_steps": 2,
    "held_out_clips": 2,
    "accelerator": "cpu",
}
"""A model that is trained in a moment, and has learned nothing."""
TINY_VOCODER: dict[str, Any] = {
    "kind": "istft",
    "width": 16,
    "depth": 1,
    "crop_s": 0.2,
    "batch_size": 2,
    "max_steps": 4,
}


@dataclass(frozen=True)
class TinyModel:
    """A model with a vocoder of its own, in a bucket that is not to be changed.

    Attributes:
        settings: of the run that made it.
        report: of that run.
    """

    settings: Settings
    report: StageReport

    @property
    def prefix(self) -> str:
        """Of its keys."""
        return model_prefix(self.settings.recipe, "dataset_v1")

    @property
    def folder(self) -> Path:
        """The model directory on this machine."""
        return self.settings.work_dir / "training" / self.prefix

    def read(self, name: str) -> bytes:
        """One of its files in the bucket."""
        return open_bucket(self.settings.bucket_url).read(self.prefix + name)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """A model of clips that blink and click."""
    from feature_extraction.stage import run as extract_features  # noqa: PLC0415 - torch
    from training.stage import run  # noqa: PLC0415 - Lightning

    folder = tmp_path_factory.mktemp("tiny_model")
    settings = settings_in(folder, training=TINY | {"vocoder": TINY_VOCODER})
    lengths = {"train": (2.0, 0.6, 2.0), "val": (1.0,), "test": (2.0, 1.0)}
    store_version(folder, settings, lengths)  # pyright: ignore[reportArgumentType] - splits
    extract_features(settings)
    return TinyModel(settings, run(settings))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums of one thread: those of more differ in their last digits."""
    import torch  # noqa: PLC0415 - tests without it need not wait for it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
