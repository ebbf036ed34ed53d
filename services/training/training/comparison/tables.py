"""A comparison as tables for a terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from s2s.logs import counted
from s2s.settings.evaluation import ALL_CLIPS
from training.evaluation.digits import interval, number

__all__ = ["print_comparison"]

_SHOWN_FIGURES = 3
_MEGA = 1e6


def print_comparison(content: Mapping[str, Any], console: Console) -> None:
    """Print what every approach comes to and costs, and which differ surely."""
    console.print(content["note"], markup=False, highlight=False)
    console.print(_figures_table(content))
    console.print(_costs_table(content))
    if content["pairs"]:
        console.print(_pairs_table(content["pairs"]))
    for one in content["failed"]:
        text = f"not trained: {one['approach']}, seed {one['seed']}: {one['reason']}"
        console.print(text, markup=False, highlight=False)


def _figures_table(content: Mapping[str, Any]) -> Table:
    clips, sources = counted(content["n_clips"], "clip"), counted(content["n_sources"], "source")
    table = _table(f"{clips} of {sources}, mean of seeds")
    first, *others = content["figures"]
    parts = [part["groups"][ALL_CLIPS] for part in content["approaches"].values()]
    known = [name for name in others if any(part[name] for part in parts)]
    names = [first, *known][:_SHOWN_FIGURES]
    table.add_column("\napproach", overflow="fold")
    for name in names:
        table.add_column("\n".join(name.split("_", 1)), justify="right", vertical="bottom")
    table.add_column("each\nseed", justify="right", overflow="fold")
    for approach, part in content["approaches"].items():
        found = part["groups"][ALL_CLIPS]
        each = found[first]["by_seed"] if found[first] else []
        shown = " ".join(map(number, each))
        table.add_row(approach, *(_cell(found[name]) for name in names), shown)
    return table


def _costs_table(content: Mapping[str, Any]) -> Table:
    table = _table("cost of one training and of one view")
    table.add_column("\napproach", overflow="fold")
    for name in ("\nsteps", "\nseconds", "memory\n(MB)", "parameters\n(M)", "GFLOPs\na view"):
        table.add_column(name, justify="right", no_wrap=True)
    for approach, part in content["approaches"].items():
        cost = part["cost"]
        peak, gflops = cost["peak_bytes"], cost["gflops"]
        table.add_row(
            approach,
            str(cost["steps"]),
            f"{cost['seconds']:.0f}",
            "–" if peak is None else f"{peak / _MEGA:,.0f}",
            f"{cost['parameters'] / _MEGA:.2f}",
            "–" if gflops is None else f"{gflops:.3g}",
        )
    return table


def _pairs_table(pairs: list[Mapping[str, Any]]) -> Table:
    table = _table("clip by clip: McNemar's test by source, corrected for the number of pairs")
    table.add_column("\napproaches", overflow="fold")
    for name in ("only first\nis right", "only second\nis right", "\np"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in pairs:
        table.add_row(
            f"{pair['first']}, {pair['second']}",
            str(pair["first_only"]),
            str(pair["second_only"]),
            f"{pair['p_corrected']:.2g}",
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )


def _cell(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return number(None)
    lies = interval(found["low"], found["high"])
    return f"{number(found['value'])}\n{lies}".rstrip()
