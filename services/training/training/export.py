"""What a training leaves behind: the files of a model directory, beside weights and config."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib.figure import Figure

from s2s.spec import TimeSpec
from s2s.tasks.generation.network.directory import ModelConfig
from s2s.tasks.generation.settings import GenerationRecipe
from training.callbacks import LearningCurve

__all__ = ["METRICS_FILE", "draw_mels", "write_card", "write_curve", "write_metrics"]

METRICS_FILE = "metrics.json"
_CARD = """\
# Model card: {recipe}, {version}

Sound for silent videos. A flow-matching transformer draws a log-mel spectrogram that follows the
motion and colours of a video; {vocoder} makes sound of it.

| | |
| --- | --- |
| data set version | {version} |
| trained on | {n_train} clips of {n_train_sources} sources, {steps} steps, {seconds:.0f} s |
| seed | {seed} |
| parameters | {parameters} |
| time grid | {fps} frames a second, {sample_rate_hz} Hz, {n_mels} mel bands |

## Figures

{note} {n_clips} clips of {n_sources} sources.
An onset counts as found within 50 ms.

{table}

`real` is the clips' own sound, `real_mel` the same through the vocoder: the most that the model can
reach. `random_clip` is the sound of some training clip. The class is what a classifier hears that
was trained on the real sound of the training clips. `metrics.json` has every clip.

## Use

`s2s.tasks.generation.predictor.predictor.GenerationPredictor.load(directory)`; it needs
`model.safetensors` and `config.json` only. It knows what it was trained on and nothing else: other
things, other places and other cameras give it no reason to be right.

## Licence of the data

{licence}
"""


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write `metrics.json`."""
    path.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def write_curve(path: Path, curve: LearningCurve) -> None:
    """Draw the losses over the steps."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss", yscale="log")
    for name in ("train_loss", "val_loss"):
        points = [(row["step"], row[name]) for row in curve.rows if row.get(name) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=name.replace("_", " "))
    if curve.rows:
        axes.legend()
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=120)


def draw_mels(path: Path, mels: Mapping[str, np.ndarray], spec: TimeSpec) -> None:
    """Draw log-mel spectrograms, (M, B) each, one above the other."""
    figure = Figure(figsize=(7, 2.2 * len(mels)), layout="constrained")
    for axes, (name, mel_MB) in zip(
        figure.subplots(len(mels), sharex=True, squeeze=False)[:, 0], mels.items(), strict=True
    ):
        seconds = len(mel_MB) / spec.mel_rate_hz
        axes.imshow(
            mel_MB.T, origin="lower", aspect="auto", extent=(0, seconds, 0, spec.n_mels), vmin=-11.5
        )
        axes.set(title=name, ylabel="mel band")
    figure.supxlabel("seconds")
    figure.savefig(path, dpi=80)


def write_card(
    path: Path, recipe: GenerationRecipe, config: ModelConfig, metrics: dict[str, Any]
) -> None:
    """Write the model card."""
    training = metrics["training"]
    text = _CARD.format(
        recipe=config.recipe,
        version=config.version,
        vocoder="Griffin-Lim" if config.vocoder is None else "a network after Vocos",
        seed=recipe.seed,
        fps=config.spec.fps,
        sample_rate_hz=config.spec.sample_rate_hz,
        n_mels=config.spec.n_mels,
        note=metrics["note"],
        n_clips=metrics["n_clips"],
        n_sources=metrics["n_sources"],
        table=_tables(metrics),
        licence=recipe.licence or "The recipe names none.",
        **training,
    )
    path.write_text(text, encoding="utf-8")


def _tables(metrics: dict[str, Any]) -> str:
    """A table of each group of clips, or one of all where there are no groups."""
    tables = [
        f"{group.capitalize()}, {part['n_clips']} clips:\n\n{_table(part['systems'])}"
        for group, part in metrics["groups"].items()
    ]
    return "\n\n".join(tables) or _table(metrics["systems"])


def _table(systems: dict[str, dict[str, float | None]]) -> str:
    if not systems:
        return "No figures."
    names = list(next(iter(systems.values())))
    lines = [["system", *(name.replace("_", " ") for name in names)], ["---"] * (len(names) + 1)]
    for system, values in systems.items():
        cells = ["–" if values[name] is None else f"{values[name]:.3f}" for name in names]
        lines.append([system, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
