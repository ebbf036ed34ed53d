"""An evaluation as tables for a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["print_evaluation"]

_SHOWN = {
    "onset_f1": "onset F1",
    "onset_precision": "precision",
    "onset_recall": "recall",
    "class_accuracy": "class",
    "class_kl": "KL",
    "frechet": "Fréchet",
    "stft": "STFT",
    "mel_l1": "mel",
    "loudness_lu": "LU",
    "diversity": "diversity",
}
_VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def print_evaluation(content: Mapping[str, Any], console: Console) -> None:
    """Print the figures of every group and system, and what targets came to."""
    for group, figures in content["groups"].items():
        title = f"{group}: {figures['n_clips']} clips of {figures['n_sources']} sources"
        table = Table("system", title=title)
        for name in _SHOWN.values():
            table.add_column(name, justify="right")
        for system, values in figures["systems"].items():
            table.add_row(system, *(_cell(values[name]) for name in _SHOWN))
        console.print(table)
        if wins := content["regression_wins"][group]:
            console.print(f"{group}: regression does better in {', '.join(wins)}")
    if content["targets"]:
        table = Table("target", "came to", "", title="targets")
        for row in content["targets"]:
            came_to = "–" if row["value"] is None else f"{row['value']:.3f}"
            if row["reference"] is not None:
                came_to += f" against {row['reference']:.3f}"
            table.add_row(row["target"], came_to, _VERDICTS[row["is_met"]])
        console.print(table)
    console.print(f"Networks of others: {content['external']['note']}", markup=False)


def _cell(value: Mapping[str, float | None] | None) -> str:
    return "–" if value is None else f"{value['value']:.3f}"
