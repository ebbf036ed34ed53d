"""Trainings, followed in MLflow or W&B: settings, losses, sounds and spectrograms, figures.

Both work without a network: MLflow in `<work dir>/mlflow`, W&B in `<work dir>/wandb`.
"""

import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger, MLFlowLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from s2s.features.stored import StoredClip
from s2s.media import write_wav
from s2s.settings import Settings, TrackingSettings
from s2s.tasks.generation.data import condition_of, mel_of
from s2s.tasks.generation.network.directory import ModelConfig
from s2s.tasks.generation.predictor.predictor import Draw, GenerationPredictor
from training.export import draw_mels

__all__ = ["SampleWatcher", "Tracking"]

_RESULTS = ("README.md", "metrics.json", "learning_curve.png")


class Tracking:
    """One training's record in every tracker that the recipe names.

    Args:
        settings: which recipe, and where.
        name: of the run.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        makers = {"mlflow": _mlflow, "wandb": _wandb}
        names = settings.recipe.tracking.trackers
        self.loggers: list[Logger] = [makers[tracker](settings, name) for tracker in names]

    def watchers(self, config: ModelConfig, clips: Sequence[StoredClip]) -> list[Callback]:
        """What logs the recipe, and every so many steps sounds of some clips."""
        if not self.loggers:
            return []
        tracking = self._settings.recipe.tracking
        recipe = self._settings.recipe.model_dump(mode="json")
        return [SampleWatcher(tracking, config, clips[: tracking.sample_clips], recipe)]

    def finish(self, metrics: Mapping[str, Any], folder: Path) -> None:
        """Log what the model is worth, and its card."""
        figures = {
            f"{system}/{name}": value
            for system, values in metrics["systems"].items()
            for name, value in values.items()
            if value is not None
        }
        for logger in self.loggers:
            logger.log_metrics(figures)
            log_files(logger, [folder / name for name in _RESULTS], "results", 0)
            logger.finalize("success")
            if isinstance(logger, WandbLogger):
                logger.experiment.finish()


class SampleWatcher(Callback):
    """Logs the recipe at the beginning, and what the model has learned as it goes on.

    Args:
        settings: the recipe's section.
        config: the model's.
        clips: what sounds are drawn for.
        recipe: all its settings.
    """

    def __init__(
        self,
        settings: TrackingSettings,
        config: ModelConfig,
        clips: Sequence[StoredClip],
        recipe: Mapping[str, Any],
    ) -> None:
        self._settings = settings
        self._config = config
        self._clips = clips
        self._recipe = recipe

    @rank_zero_only
    def on_fit_start(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Log the recipe."""
        for logger in trainer.loggers:
            logger.log_hyperparams(dict(self._recipe))

    @rank_zero_only
    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, *_args: Any, **_kwargs: Any
    ) -> None:
        """Log sounds when it is time."""
        every = self._settings.sample_every
        if every and trainer.global_step % every == 0:
            network = pl_module.network.eval()
            with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
                paths = self._draw(GenerationPredictor(network, self._config), Path(folder))
                for logger in trainer.loggers:
                    log_files(logger, paths, "samples", trainer.global_step)
            network.train()

    def _draw(self, predictor: GenerationPredictor, folder: Path) -> list[Path]:
        """A sound and a pair of spectrograms for each clip."""
        spec, paths = self._config.spec, []
        for clip in self._clips:
            condition_TC = condition_of(clip)[: spec.frames(self._settings.sample_s)]
            mel_MB = predictor.mels([Draw(condition_TC)])[0]
            wav, picture = folder / f"{clip.clip_id}.wav", folder / f"{clip.clip_id}.png"
            write_wav(wav, predictor.vocode(mel_MB), spec.sample_rate_hz)
            real_MB = mel_of(clip)[: len(mel_MB)]
            draw_mels(picture, {"real": real_MB, "generated": mel_MB.cpu().numpy()}, spec)
            paths += [wav, picture]
        return paths


def log_files(logger: Logger, paths: Sequence[Path], group: str, step: int) -> None:
    """Keep files in a tracker, under a group and a step."""
    if isinstance(logger, MLFlowLogger):
        for path in paths:
            logger.experiment.log_artifact(logger.run_id, str(path), f"{group}/{step:08d}")
    if isinstance(logger, WandbLogger):
        for path in paths:
            if path.suffix == ".wav":
                logger.log_audio(f"{group}/{path.stem}", [str(path)])
            if path.suffix == ".png":
                logger.log_image(f"{group}/{path.stem}", [str(path)])


def _mlflow(settings: Settings, name: str) -> Logger:
    # Neither a telephone call home nor a search for git when it is imported.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    # That a table or an experiment is new is no news.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)
    folder = (settings.work_dir / "mlflow").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    server = os.environ.get("MLFLOW_TRACKING_URI")
    return MLFlowLogger(
        experiment_name=settings.recipe.name,
        run_name=name,
        tracking_uri=server or f"sqlite:///{folder / 'mlflow.db'}",
        artifact_location=None if server else str(folder / "files"),
    )


def _wandb(settings: Settings, name: str) -> Logger:
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    return WandbLogger(
        name=name.strip("/").rpartition("/")[2],
        project=settings.recipe.name,
        save_dir=settings.work_dir,
        offline=os.environ.get("WANDB_MODE", "offline") == "offline",
    )
