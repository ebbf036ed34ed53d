"""The model card: a model's kind, its training and its figures."""

from pathlib import Path
from typing import Any

from s2s.dataset import DatasetVersion
from s2s.logs import counted
from s2s.settings import Recipe
from training.evaluation.digits import number

__all__ = ["METRICS_FILE", "write_card"]

METRICS_FILE = "metrics.json"

_CARD = """\
# Model card: {recipe}, {version}

{summary}

| | |
| --- | --- |
| task | {task} |
| data set version | {version} |
| trained on | {trained_on}, {steps_told}, {seconds:.0f} s |
| stopped by | {stopped_by} |
| seed | {seed} |
| parameters | {parameters} |
| time grid | {fps} frames a second, {sample_rate_hz} Hz{mel} |

## Figures

{note} {measured_on}.

{tables}

`metrics.json` has every clip.

## Use

`s2s.tasks.loading.load_task("{task}").load(directory, limits)`; it needs the safetensors and
`config.json` only. It knows what it was trained on and nothing else: other things, other places and
other cameras give it no reason to be right.

## Licence of the data

{licence}
"""
_STOPPED_BY = {
    "max_steps": "its budget of steps",
    "patience": "its patience: the validation loss no longer fell",
    "max_minutes": "a cap of time, max_minutes: on another machine it comes to something else",
}


def write_card(
    path: Path, recipe: Recipe, version: DatasetVersion, metrics: dict[str, Any], summary: str
) -> None:
    """Write the model card.

    Args:
        path: the file.
        recipe: what the model was trained by.
        version: what it was trained on.
        metrics: what `metrics.json` says.
        summary: the task's own words of what the model is.
    """
    training = metrics["training"]
    text = _CARD.format(
        recipe=recipe.name,
        task=recipe.task,
        version=version.name,
        summary=summary.strip(),
        seed=recipe.seed,
        fps=recipe.spec.fps,
        sample_rate_hz=recipe.spec.sample_rate_hz,
        mel=f", {recipe.spec.n_mels} mel bands" if "n_mels" in recipe.feature_rates else "",
        note=metrics["note"],
        measured_on=_counts(metrics["n_clips"], metrics["n_sources"]),
        trained_on=_counts(training["n_train"], training["n_train_sources"]),
        steps_told=counted(training["steps"], "step"),
        tables=_tables(metrics),
        licence=recipe.licence or "The recipe names none.",
        **{**training, "stopped_by": _STOPPED_BY[training["stopped_by"]]},
    )
    path.write_text(text, encoding="utf-8")


def _counts(n_clips: int, n_sources: int) -> str:
    return f"{counted(n_clips, 'clip')} of {counted(n_sources, 'source')}"


def _tables(metrics: dict[str, Any]) -> str:
    """A table of each group of clips, or one of all where there are no groups."""
    tables = [
        f"{group.capitalize()}, {counted(part['n_clips'], 'clip')}:\n\n{_table(part['systems'])}"
        for group, part in metrics["groups"].items()
    ]
    return "\n\n".join(tables) or _table(metrics["systems"])


def _table(systems: dict[str, dict[str, float | None]]) -> str:
    if not systems:
        return "No figures."
    names = list(next(iter(systems.values())))
    lines = [["system", *(name.replace("_", " ") for name in names)], ["---"] * (len(names) + 1)]
    for system, values in systems.items():
        cells = [number(values[name]) for name in names]
        lines.append([system, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
