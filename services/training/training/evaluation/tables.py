"""An evaluation as tables for a terminal, however narrow."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["print_evaluation"]

_VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}
_GAP = 1
_ANY_WIDTH = 10_000


def print_evaluation(content: Mapping[str, Any], console: Console) -> None:
    """Print the figures of every group and system, and which targets are met.

    Figures that have no room beside each other go into a further table.
    """
    for group, part in content["groups"].items():
        title = f"{group}: {part['n_clips']} clips of {part['n_sources']} sources"
        for names in _fitting(list(content["figures"]), part["systems"], console):
            console.print(_figures_table(title, names, part["systems"]))
            title = ""
        console.print(_said_of_rivals(group, part["ahead"]))
    if content["targets"]:
        console.print(_targets_table(content["targets"]))
    if content["by_others"]:
        console.print(f"By a program of others: {content['by_others']['note']}.", markup=False)


def _fitting(names: Sequence[str], systems: Mapping[str, Any], console: Console) -> list[list[str]]:
    """Spread figures over as few tables as their columns fit into."""
    tables: list[list[str]] = [[]]
    wide = console.options.update(max_width=_ANY_WIDTH)
    for name in names:
        table = _figures_table("", [*tables[-1], name], systems)
        if tables[-1] and console.measure(table, options=wide).maximum > console.width:
            tables.append([])
        tables[-1].append(name)
    return tables


def _figures_table(title: str, names: Sequence[str], systems: Mapping[str, Any]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, _GAP, 0, 0),
        pad_edge=False,
    )
    table.add_column("\nsystem", no_wrap=True)
    for name in names:
        table.add_column(
            "\n".join(name.split("_")), justify="right", vertical="bottom", no_wrap=True
        )
    for system, values in systems.items():
        table.add_row(system, *(_cell(values[name]) for name in names))
    return table


def _said_of_rivals(group: str, ahead: Mapping[str, Sequence[str]]) -> str:
    """Name the figures in which a baseline is better by the whole interval."""
    said = [
        f"{group}: {system} is better for certain in {', '.join(names)}"
        for system, names in ahead.items()
    ]
    return "\n".join([*(said or [f"{group}: no baseline is better for certain in any figure"]), ""])


def _targets_table(targets: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        title="targets",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, _GAP, 0, 0),
        pad_edge=False,
    )
    table.add_column("target", overflow="fold")
    table.add_column("came to", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in targets:
        came_to = "–" if row["value"] is None else f"{row['value']:.3f}"
        if row["reference"] is not None:
            came_to += f" / {row['reference']:.3f}"
        table.add_row(row["target"], came_to, _VERDICTS[row["is_met"]])
    return table


def _cell(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["value"] is None:
        return "–"
    number = value["value"]
    return f"{number:.3f}" if abs(number) < 10 else f"{number:.1f}"
