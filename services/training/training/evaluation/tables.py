"""An evaluation as tables for a terminal, however narrow."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from s2s.logs import counted
from s2s.settings.evaluation import ALL_CLIPS
from training.evaluation.digits import number

__all__ = ["print_evaluation"]

_VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}
_GAP = 1
_HEADING_WIDTH = 9
_ANY_WIDTH = 10_000


def print_evaluation(content: Mapping[str, Any], console: Console) -> None:
    """Print the figures of every group and system, and which targets are met.

    Figures that have no room beside each other go into a further table.
    """
    console.print(content["note"], markup=False, highlight=False)
    console.print(_systems_table(content["titles"]))
    titles = {name: figure["title"] for name, figure in content["figures"].items()}
    for group, part in content["groups"].items():
        clips, sources = counted(part["n_clips"], "clip"), counted(part["n_sources"], "source")
        _print_heading(f"{group}: {clips} of {sources}", console)
        known = _known(titles, part["systems"])
        for shown in _fitting(known, part["systems"], console):
            console.print(_figures_table(shown, part["systems"]))
        console.print(_better_baselines(part["ahead"], titles), markup=False)
    _print_pairs(content["groups"].get(ALL_CLIPS, {}).get("paired", {}), titles, console)
    if content["costs"]:
        _print_heading("operations of an answer", console)
        console.print(_costs_table(content["costs"]))
    if content["targets"]:
        _print_heading("targets", console)
        console.print(_targets_table(content["targets"]))
    if content["by_others"]:
        console.print(f"By a program of others: {content['by_others']['note']}.", markup=False)


def _known(titles: Mapping[str, str], systems: Mapping[str, Any]) -> dict[str, str]:
    """Figures that some system has."""
    return {
        name: title
        for name, title in titles.items()
        if any(of[name] is not None for of in systems.values())
    }


def _print_heading(text: str, console: Console) -> None:
    console.print(f"\n{text}", style="bold", markup=False, highlight=False)


def _systems_table(titles: Mapping[str, str]) -> Table:
    """A table that explains the systems' names, which the other tables use."""
    table = _plain_table()
    table.add_column("system", no_wrap=True)
    table.add_column("is", overflow="fold")
    for name, title in titles.items():
        table.add_row(name, title)
    return table


def _fitting(
    titles: Mapping[str, str], systems: Mapping[str, Any], console: Console
) -> list[dict[str, str]]:
    """Spread figures over as few tables as their columns fit into."""
    tables: list[dict[str, str]] = [{}]
    wide = console.options.update(max_width=_ANY_WIDTH)
    for name, title in titles.items():
        table = _figures_table(tables[-1] | {name: title}, systems)
        if tables[-1] and console.measure(table, options=wide).maximum > console.width:
            tables.append({})
        tables[-1][name] = title
    return tables


def _figures_table(titles: Mapping[str, str], systems: Mapping[str, Any]) -> Table:
    table = _plain_table()
    table.add_column("system", no_wrap=True, vertical="bottom")
    for title in titles.values():
        heading = "\n".join(textwrap.wrap(title, _HEADING_WIDTH, break_long_words=False))
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for system, values in systems.items():
        table.add_row(system, *(_cell(values[name]) for name in titles))
    return table


def _better_baselines(ahead: Mapping[str, Sequence[str]], titles: Mapping[str, str]) -> str:
    """Name the figures in which a baseline is better by the whole interval."""
    if not ahead:
        return "No baseline is better than the model for certain in any figure."
    named = {system: "; ".join(titles[name] for name in names) for system, names in ahead.items()}
    return "\n".join(
        f"Better than the model for certain: {system} in {figures}"
        for system, figures in named.items()
    )


def _print_pairs(paired: Mapping[str, Any], titles: Mapping[str, str], console: Console) -> None:
    """The model against every other system, clip by clip."""
    for figure, others in paired.items():
        _print_heading(f"{titles[figure]}, clip by clip: McNemar's test by source", console)
        table = _plain_table()
        table.add_column("against", no_wrap=True, vertical="bottom")
        for name in ("only model\nis right", "only other\nis right", "p"):
            table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
        for system, found in others.items():
            counts = found["first_only"], found["second_only"]
            table.add_row(system, *map(str, counts), f"{found['p']:.2g}")
        console.print(table)


def _costs_table(costs: Mapping[str, Mapping[str, float]]) -> Table:
    table = _plain_table()
    table.add_column("system", no_wrap=True)
    table.add_column("GFLOPs × views", justify="right", no_wrap=True)
    for system, cost in costs.items():
        table.add_row(system, f"{cost['gflops']:.3g} × {cost['views']:.0f}")
    return table


def _targets_table(targets: Sequence[Mapping[str, Any]]) -> Table:
    table = _plain_table()
    table.add_column("target", overflow="fold")
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in targets:
        figure = number(row["value"])
        if row["reference"] is not None:
            figure += f" / {number(row['reference'])}"
        table.add_row(row["target"], figure, _VERDICTS[row["is_met"]])
    return table


def _plain_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, _GAP, 0, 0), pad_edge=False)


def _cell(value: Mapping[str, float | None] | None) -> str:
    return number(None if value is None else value["value"])
