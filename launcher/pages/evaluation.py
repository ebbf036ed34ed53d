"""The page of an evaluation: targets, tables with intervals, the learning curve, examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from launcher.pages.curve import read_losses
from launcher.pages.figures import (
    Cell,
    Pair,
    Table,
    TableRow,
    figure_cell,
    pair_of,
)
from launcher.pages.page import capped_notice, write_framed
from s2s.logs import counted
from s2s.settings import Recipe
from s2s.settings.evaluation import ALL_CLIPS
from s2s.storage import Bucket
from s2s.tasks.contract import MODEL
from s2s.tasks.loading import load_task
from training.evaluation.digits import number

__all__ = ["write_evaluation_report"]

PAGE = "evaluation.html"


@dataclass(frozen=True)
class _Rival:
    """A system that is better than the model, and in what."""

    name: str
    said: str


@dataclass(frozen=True)
class _GroupPart:
    """What is shown of a group of clips."""

    title: str
    counts: str
    table: Table
    rivals: tuple[_Rival, ...]
    pairs: tuple[Pair, ...]


def write_evaluation_report(
    bucket: Bucket, recipe: Recipe, content: Mapping[str, Any], output_dir: Path
) -> Path:
    """Write the page of an evaluation.

    Args:
        bucket: where its answers are.
        recipe: whose model was evaluated.
        content: what `evaluation.json` says.
        output_dir: gets the page; made when missing.

    Returns:
        the page: one file with all pictures, videos and sounds in it.

    Raises:
        VersionError: if the data set version is not there.
        MediaError: if an example cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    part = load_task(recipe.task).report
    training = content["training"]
    facts = [(name, content[name]) for name in ("model", "version", "seed")]
    if training:
        steps = f"{counted(training['steps'], 'step')} in {training['seconds']:,.0f} s"
        facts.append(("trained for", steps))
    return write_framed(
        output_dir / PAGE,
        "evaluation.html.jinja",
        recipe=recipe,
        content=content,
        facts=facts,
        capped=capped_notice(recipe, training),
        caption=part.CAPTION,
        number=number,
        groups=[_group_part(content, group) for group in content["groups"]],
        others=_others_table(content),
        costs=[(content["titles"][name], cost) for name, cost in content["costs"].items()],
        curve=read_losses(bucket, content["model"]),
        examples=Markup(part.show_examples(bucket, recipe, content)),  # noqa: S704 - a template's
    )


def _group_part(content: Mapping[str, Any], group: str) -> _GroupPart:
    part, figures = content["groups"][group], content["figures"]
    titles = {name: figure["title"] for name, figure in figures.items()}
    known = [name for name in titles if any(of[name] for of in part["systems"].values())]
    rows = [
        TableRow(
            name=title,
            cells=[figure_cell(titles[name], part["systems"][system][name]) for name in known],
            is_ours=system == MODEL,
        )
        for system, title in content["titles"].items()
    ]
    return _GroupPart(
        title="All clips" if group == ALL_CLIPS else group.replace("_", " ").capitalize(),
        counts=f"{counted(part['n_clips'], 'clip')} of {counted(part['n_sources'], 'source')}.",
        table=Table(title="", rows=rows),
        rivals=tuple(
            _Rival(content["titles"][system], "; ".join(titles[name] for name in names))
            for system, names in part["ahead"].items()
        ),
        pairs=tuple(
            pair_of(f"{titles[figure]}: the model against “{content['titles'][system]}”", test)
            for figure, others in part["paired"].items()
            for system, test in others.items()
        ),
    )


def _others_table(content: Mapping[str, Any]) -> Table | None:
    """Figures by a program of others; that none were computed is said for the model."""
    found = content["by_others"]
    if not found:
        return None
    rows = [
        TableRow(
            name=content["titles"][system],
            cells=[
                Cell(title=title, value=number(values[name]) if name in values else "not computed")
                for name, title in found["titles"].items()
            ],
            is_ours=system == MODEL,
        )
        for system, values in (found["systems"] or {MODEL: {}}).items()
    ]
    return Table(title="", rows=rows)
