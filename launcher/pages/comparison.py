"""The page of a comparison: figures with intervals, paired tests, curves, costs, answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from launcher.pages.curve import Chart, Line, losses_chart
from launcher.pages.figures import Cell, Pair, Table, TableRow, figure_cell, pair_of
from launcher.pages.page import write_framed
from s2s.dataset import read_version
from s2s.logs import counted
from s2s.settings import Recipe
from s2s.settings.evaluation import ALL_CLIPS
from s2s.storage import Bucket
from s2s.tasks.loading import load_task
from training.evaluation.digits import number

__all__ = ["write_comparison_report"]

PAGE = "comparison.html"
_MEGA = 1e6


def write_comparison_report(
    bucket: Bucket, recipe: Recipe, content: Mapping[str, Any], output_dir: Path
) -> Path:
    """Write the page of a comparison.

    Args:
        bucket: where clips are.
        recipe: whose approaches were compared.
        content: what `comparison.json` says.
        output_dir: gets the page; made when missing.

    Returns:
        the page: one file with all pictures and videos in it.

    Raises:
        VersionError: if the data set version is not there.
        BucketUnavailableError: if the bucket does not answer.
    """
    part, approaches = load_task(recipe.task).report, content["approaches"]
    version = read_version(bucket, recipe, content["version"])
    # A task may have nothing to add.
    show = getattr(part, "show_comparison", None)
    answers = "" if show is None else show(bucket, version, content)
    seeds = sorted({seed for one in approaches.values() for seed in one["seeds"]})
    return write_framed(
        output_dir / PAGE,
        "comparison.html.jinja",
        recipe=recipe,
        content=content,
        facts=[
            ("data set", content["version"]),
            ("measured on", _measured_on(content)),
            ("approaches", len(approaches)),
            ("seeds", ", ".join(map(str, seeds))),
        ],
        capped=_capped(approaches),
        caption=part.CAPTION,
        groups=[
            (_titled(group), _figures_table(content, group))
            for group in next(iter(approaches.values()))["groups"]
        ],
        troubles=_troubles_tables(content),
        costs=_costs_table(approaches),
        curves=_curves(approaches),
        pairs=_pairs(content),
        answers=Markup(answers),  # noqa: S704 - a template's
    )


def _measured_on(content: Mapping[str, Any]) -> str:
    return f"{counted(content['n_clips'], 'clip')} of {counted(content['n_sources'], 'source')}"


def _capped(approaches: Mapping[str, Any]) -> str:
    names = [name for name, one in approaches.items() if "max_minutes" in one["cost"]["stopped_by"]]
    if not names:
        return ""
    return (
        f"Time ended trainings of {', '.join(names)} before their steps were done: what they come "
        "to depends on how busy the machine was. Raise training.max_minutes."
    )


def _titled(group: str) -> str:
    return "All clips" if group == ALL_CLIPS else group.capitalize()


def _figures_table(content: Mapping[str, Any], group: str) -> Table:
    parts = [one["groups"].get(group, {}) for one in content["approaches"].values()]
    titles = {
        name: figure["title"]
        for name, figure in content["figures"].items()
        if any(part.get(name) for part in parts)
    }
    rows = []
    for name, one in content["approaches"].items():
        found = one["groups"].get(group, {})
        cells = [figure_cell(title, found.get(key)) for key, title in titles.items()]
        if group == ALL_CLIPS:
            first = found.get(next(iter(titles)))
            each = first["by_seed"] if first else []
            cells.append(Cell(title="each seed", value=" ".join(map(number, each))))
        rows.append(TableRow(name=name, cells=cells, is_ours=False))
    return Table(title="", rows=rows)


def _troubles_tables(content: Mapping[str, Any]) -> list[Table]:
    """For each system beside the models, what the first figure comes to, by approach."""
    figure, titles = next(iter(content["figures"])), content["titles"]
    names = dict.fromkeys(
        name for one in content["approaches"].values() for name in one["troubles"]
    )
    rows = [
        TableRow(
            name=approach,
            cells=[
                Cell(title=titles[name], value=number(one["troubles"].get(name, {}).get(figure)))
                for name in names
            ],
            is_ours=False,
        )
        for approach, one in content["approaches"].items()
    ]
    return [Table(title=content["figures"][figure]["title"], rows=rows)] if names else []


def _costs_table(approaches: Mapping[str, Any]) -> Table:
    def row(name: str, cost: Mapping[str, Any]) -> TableRow:
        peak, gflops = cost["peak_bytes"], cost["gflops"]
        values = {
            "steps": f"{cost['steps']:,}",
            "seconds": f"{cost['seconds']:,.0f}",
            "memory (MB)": "–" if peak is None else f"{peak / _MEGA:,.0f}",
            "parameters (M)": f"{cost['parameters'] / _MEGA:.2f}",
            "GFLOPs a view": "–" if gflops is None else f"{gflops:.3g}",
        }
        cells = [Cell(title=title, value=value) for title, value in values.items()]
        return TableRow(name=name, cells=cells, is_ours=False)

    return Table(title="", rows=[row(name, one["cost"]) for name, one in approaches.items()])


def _pairs(content: Mapping[str, Any]) -> list[Pair]:
    return [
        pair_of(f"{pair['first']}, {pair['second']}", {**pair, "p": pair["p_corrected"]})
        for pair in content["pairs"]
    ]


def _curves(approaches: Mapping[str, Any]) -> Chart | None:
    lines = [
        Line(name, curve, colour)
        for colour, (name, one) in enumerate(approaches.items())
        for curve in one["curves"]
    ]
    return losses_chart(lines)
