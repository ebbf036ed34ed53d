"""Tracking of trainings in MLflow or W&B: settings, losses, samples, figures.

Both work without a network: MLflow in `<work dir>/mlflow`, W&B in `<work dir>/wandb`.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger, MLFlowLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from s2s.settings import Settings
from s2s.tasks.contract import Objective
from s2s.workspace import scratch
from training.callbacks.averaging import Averaging
from training.callbacks.wandb_key import wandb_is_online

__all__ = ["Samples", "Tracking"]

_RESULTS = ("README.md", "metrics.json", "learning_curve.png")


class Tracking:
    """The record of a model's trainings in every tracker that the recipe names.

    Args:
        settings: which recipe, and where.
        name: of the model; each of its objectives is a run of its own.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._loggers: list[Logger] = []

    def start(self, objective: Objective) -> list[Logger]:
        """Begin a run, and end the one before."""
        self._end()
        makers = {"mlflow": _mlflow, "wandb": _wandb}
        name = f"{self._name}{objective.name}"
        for tracker in self._settings.recipe.tracking.trackers:
            self._loggers.append(makers[tracker](self._settings, name))
        return self._loggers

    def samples(self, objective: Objective, averaging: Averaging) -> list[Callback]:
        """Make the callback that logs the recipe and, at intervals, samples."""
        return [Samples(self._settings, objective, averaging)] if self._loggers else []

    def finish(self, metrics: Mapping[str, Any], folder: Path) -> None:
        """Log what the model is worth, and its card, into the last run."""
        figures = {
            f"{system}/{name}": value
            for system, values in metrics["systems"].items()
            for name, value in values.items()
            if value is not None
        }
        for logger in self._loggers:
            logger.log_metrics(figures)
            log_files(logger, [folder / name for name in _RESULTS], "results", 0)
        self._end()

    def _end(self) -> None:
        for logger in self._loggers:
            logger.finalize("success")
            if isinstance(logger, WandbLogger):
                logger.experiment.finish()
        self._loggers = []


class Samples(Callback):
    """Logs the recipe at the beginning, and what an objective has to show as it goes on.

    Args:
        settings: which recipe.
        objective: what is trained.
        averaging: its averaged weights, which are shown.
    """

    def __init__(self, settings: Settings, objective: Objective, averaging: Averaging) -> None:
        self._every = settings.recipe.tracking.sample_every
        self._recipe = settings.recipe.model_dump(mode="json")
        self._objective = objective
        self._averaging = averaging

    @rank_zero_only
    def on_fit_start(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Log the recipe."""
        for logger in trainer.loggers:
            logger.log_hyperparams(dict(self._recipe))

    @rank_zero_only
    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Log what there is to show when it is time."""
        if not self._every or trainer.global_step % self._every:
            return
        network = self._objective.network.eval()
        with scratch() as folder, self._averaging.applied():
            paths = self._objective.show(folder)
            for logger in trainer.loggers:
                log_files(logger, paths, "samples", trainer.global_step)
        network.train()


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
    version, _, objective = name.rpartition("/")
    return WandbLogger(
        name=f"{version.rpartition('/')[2]} {objective}",
        project=settings.recipe.name,
        save_dir=settings.work_dir,
        offline=not wandb_is_online(),
    )
