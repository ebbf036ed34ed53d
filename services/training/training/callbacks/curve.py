"""Losses over the steps of a training: noted, written, drawn."""

import csv
import json
from pathlib import Path
from typing import Any

import lightning
import matplotlib
from lightning.pytorch.callbacks import Callback

matplotlib.use("Agg")
from matplotlib.figure import Figure

from training.callbacks.progress import Budget
from training.memory import forget_peak, peak_bytes

__all__ = ["LearningCurve"]

_EVERY_STEPS = 10
_COLUMNS: list[str] = ["step", "seconds", "train_loss", "val_loss", "learning_rate"]


class LearningCurve(Callback):
    """Notes losses as training goes on; they travel with checkpoints.

    Args:
        budget: tells the time.
        path: where it is left at the end of a training, which may be another process's.

    Attributes:
        rows: step, seconds, and what was measured then of the other columns.
        steps: optimizer steps of the whole training.
        seconds: time of the whole training.
        stopped_by: what ended it.
        peak_bytes: the most memory that it held; None where the system does not say it.
    """

    def __init__(self, budget: Budget, path: Path) -> None:
        self.rows: list[dict[str, float]] = []
        self.steps = 0
        self.seconds = 0.0
        self.stopped_by: Any = "max_steps"
        self.peak_bytes: int | None = None
        self._budget = budget
        self._path = path

    @property
    def best_step(self) -> int | None:
        """Step of the lowest validation loss, the first of several; None without any."""
        told = [(row["val_loss"], row["step"]) for row in self.rows if "val_loss" in row]
        return int(min(told)[1]) if told else None

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Memory is measured from here on."""
        forget_peak(pl_module.device)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note every so many steps."""
        if trainer.global_step % _EVERY_STEPS == 0 or trainer.global_step == 1:
            self._note(trainer, ("train_loss", "learning_rate"))

    def on_validation_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note the loss on clips that are not trained on."""
        self._note(trainer, ("val_loss",))

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Leave it where `read` finds it."""
        if trainer.local_rank:
            return  # each node has one
        steps = trainer.global_step
        found = {
            "rows": self.rows,
            "steps": steps,
            "seconds": self._budget.time_elapsed(),
            "stopped_by": self._budget.stopped_by(steps),
            "peak_bytes": peak_bytes(pl_module.device),
        }
        self._path.write_text(json.dumps(found), encoding="utf-8")

    def read(self) -> None:
        """Take over what the training has left, in whichever process it ran."""
        found = json.loads(self._path.read_text(encoding="utf-8"))
        self.rows, self.steps, self.seconds = found["rows"], found["steps"], found["seconds"]
        self.stopped_by, self.peak_bytes = found["stopped_by"], found["peak_bytes"]

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore from a checkpoint."""
        self.rows = list(state_dict["rows"])

    def write(self, path: Path) -> None:
        """Write a csv file, one line for each row."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def draw(self, path: Path) -> None:
        """Draw the losses over the steps, as a PNG."""
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="step", ylabel="loss", yscale="log")
        for name in ("train_loss", "val_loss"):
            points = [(row["step"], row[name]) for row in self.rows if row.get(name) is not None]
            if points:
                marker = "o" if len(points) == 1 else None
                axes.plot(*zip(*points, strict=True), marker=marker, label=name.replace("_", " "))
        if self.rows:
            axes.legend()
        axes.grid(visible=True, alpha=0.3)
        figure.savefig(path, dpi=120)

    def _note(self, trainer: lightning.Trainer, names: tuple[str, ...]) -> None:
        measured = trainer.callback_metrics
        values = {name: measured[name].item() for name in names if name in measured}
        seconds = round(self._budget.time_elapsed(), 2)
        self.rows.append({"step": trainer.global_step, "seconds": seconds, **values})
