"""What a comparison comes to, as `comparison.json` says it.

Legend: R bootstrap samples.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from s2s.layout import model_prefix
from s2s.settings import Recipe
from s2s.settings.evaluation import ALL_CLIPS
from s2s.tasks.contract import MODEL, Figure
from training.comparison.measured import Answered, Failed
from training.evaluation.content import described, plain_value
from training.evaluation.intervals import Bootstrap, Sampled
from training.evaluation.paired import compare_pairs

__all__ = ["compared"]

Of = Mapping[str, Sequence[Answered]]


def compared(
    recipe: Recipe,
    version: str,
    figures: Sequence[Figure],
    answered: Sequence[Answered],
    failed: Sequence[Failed],
) -> dict[str, Any]:
    """Figures over seeds with intervals, paired tests, costs, and answers clip by clip.

    Args:
        recipe: whose approaches were compared.
        version: the data set version's name.
        figures: what is said.
        answered: one for each training.
        failed: trainings that could not be done.
    """
    of: dict[str, list[Answered]] = defaultdict(list)
    for one in answered:
        of[one.run.approach].append(one)
    first = answered[0].measurement
    facts = described(first, figures)
    return {
        "recipe": recipe.name,
        "version": version,
        **{name: facts[name] for name in ("split", "note", "n_listed", "n_decoded")},
        **{name: facts[name] for name in ("n_clips", "n_sources", "figures", "classes")},
        "titles": {
            name: title for one in answered for name, title in one.measurement.titles.items()
        },
        "approaches": {
            name: {
                "seeds": [one.run.seed for one in of_one],
                "models": [model_prefix(one.run.recipe, version) for one in of_one],
                "groups": _figures_of(of_one, figures, recipe.evaluation.intervals),
                "troubles": _troubles_of(of_one, figures),
                "cost": _cost_of(of_one),
                "curves": [one.curve for one in of_one],
            }
            for name, of_one in of.items()
        },
        "pairs": _pairs_of(of, figures),
        "clips": _clips_of(of),
        "failed": [
            {"approach": one.run.approach, "seed": one.run.seed, "reason": one.reason}
            for one in failed
        ],
    }


def _figures_of(
    runs: Sequence[Answered], figures: Sequence[Figure], count: int
) -> dict[str, dict[str, Any]]:
    """By group and figure: the mean over seeds, its interval over sources, and each seed's."""
    measurement = runs[0].measurement
    places = {ALL_CLIPS: list(range(len(measurement.rows)))}
    for group in measurement.groups:
        places[group] = [n for n, row in enumerate(measurement.rows) if group in row.groups]
    found: dict[str, dict[str, Any]] = {}
    for group, chosen in places.items():
        sources = [measurement.rows[n].example.listed.source_id for n in chosen]
        # The same samples for every seed, so that their mean is over those.
        bootstrap = Bootstrap(sources, count, runs[0].run.seed)
        of_seeds = [
            bootstrap.measure(figures, [run.measurement.rows[n].scores[MODEL] for n in chosen])
            for run in runs
        ]
        found[group] = {
            figure.name: _over_seeds([of[figure.name] for of in of_seeds]) for figure in figures
        }
    return found


def _over_seeds(found: Sequence[Sampled | None]) -> dict[str, Any] | None:
    told = [one for one in found if one is not None]
    if not told:
        return None
    mean = Sampled(
        float(np.mean([one.value for one in told])),
        np.mean([one.samples_R for one in told], axis=0),
    )
    return {**plain_value(mean.interval()), "by_seed": [round(one.value, 4) for one in told]}


def _troubles_of(
    runs: Sequence[Answered], figures: Sequence[Figure]
) -> dict[str, dict[str, float | None]]:
    """By system beside the model and figure, the mean over seeds."""
    found: dict[str, dict[str, float | None]] = {}
    for name in runs[0].measurement.titles:
        if name == MODEL:
            continue
        found[name] = {}
        for figure in figures:
            values = [figure.of([row.scores[name] for row in run.measurement.rows]) for run in runs]
            told = [value for value in values if value is not None]
            found[name][figure.name] = round(float(np.mean(told)), 4) if told else None
    return found


def _cost_of(runs: Sequence[Answered]) -> dict[str, Any]:
    """Of one training: means over seeds; the most memory of any."""
    peaks = [run.training.get("peak_bytes") for run in runs]
    told = [peak for peak in peaks if peak is not None]
    cost = runs[0].measurement.costs.get(MODEL, {})
    return {
        "seconds": round(float(np.mean([run.training["seconds"] for run in runs])), 1),
        "steps": round(float(np.mean([run.training["steps"] for run in runs]))),
        "stopped_by": sorted({run.training["stopped_by"] for run in runs}),
        "parameters": runs[0].training["parameters"],
        "peak_bytes": max(told) if told else None,
        "gflops": cost.get("gflops"),
    }


def _pairs_of(of: Of, figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Every two approaches, seed by seed and clip by clip.

    `p_corrected` is corrected for the number of pairs: Holm 1979, "A Simple Sequentially Rejective
    Multiple Test Procedure".
    """
    found: list[dict[str, Any]] = []
    for figure in figures:
        if not figure.is_paired:
            continue
        rows = [
            {
                "figure": figure.name,
                "first": one,
                "second": other,
                **_test(of[one], of[other], figure),
            }
            for one, other in combinations(of, 2)
        ]
        order = sorted(range(len(rows)), key=lambda n: rows[n]["p"])
        highest = 0.0
        for rank, n in enumerate(order):
            highest = max(highest, min(1.0, rows[n]["p"] * (len(rows) - rank)))
            rows[n]["p_corrected"] = float(f"{highest:.3g}")
        found += rows
    return found


def _test(
    one: Sequence[Answered], other: Sequence[Answered], figure: Figure
) -> Mapping[str, float]:
    """Answers of the seeds that both have; those to clips of one source count together."""
    sources: list[str] = []
    right: tuple[list[float], list[float]] = ([], [])
    by_seed = {run.run.seed: run for run in other}
    for run in one:
        if run.run.seed not in by_seed:
            continue
        sources += [row.example.listed.source_id for row in run.measurement.rows]
        for answers, of in zip(right, (run, by_seed[run.run.seed]), strict=True):
            answers += [figure.of([row.scores[MODEL]]) or 0.0 for row in of.measurement.rows]
    return compare_pairs(sources, *right).plain()


def _clips_of(of: Of) -> list[dict[str, Any]]:
    """A row for each clip, with what every approach's models said."""
    rows = next(iter(of.values()))[0].rows
    return [
        {
            "clip_id": row["clip_id"],
            "labels": row["labels"],
            "groups": row["groups"],
            "approaches": {
                name: [run.rows[n]["systems"][MODEL] for run in runs] for name, runs in of.items()
            },
        }
        for n, row in enumerate(rows)
    ]
