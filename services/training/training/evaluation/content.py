"""The content of `metrics.json` and `evaluation.json`, from the scores of all systems."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from s2s.settings import EvaluationSettings
from s2s.settings.evaluation import ALL_CLIPS, Target
from s2s.tasks.contract import MODEL, Example, Figure, Judge
from training.evaluation.intervals import Bootstrap, Sampled, Value, difference
from training.evaluation.measured import Measured, Measurement
from training.evaluation.paired import compare_pairs

__all__ = [
    "choose_examples",
    "clip_rows",
    "described",
    "plain_figures",
    "plain_value",
    "with_intervals",
]

_DIGITS = 4
Systems = Mapping[str, Mapping[str, Sampled | None]]
Differences = Mapping[str, Mapping[str, Value | None]]


def described(measurement: Measurement, figures: Sequence[Figure]) -> dict[str, Any]:
    """Describe the measurement: its clips, figures and systems."""
    return {
        "split": measurement.split,
        "note": measurement.note,
        "n_listed": measurement.n_listed,
        "n_decoded": measurement.n_decoded,
        **_counts(measurement.rows),
        "figures": {
            figure.name: {
                "title": figure.title,
                "better": "more" if figure.more_is_better else "less",
            }
            for figure in figures
        },
        "titles": dict(measurement.titles),
        "costs": dict(measurement.costs),
        "classes": list(measurement.classes),
    }


def plain_figures(measurement: Measurement, figures: Sequence[Figure]) -> dict[str, Any]:
    """Compute figures of each system without intervals, for all clips and for each group."""

    def of(rows: Sequence[Measured]) -> dict[str, dict[str, float | None]]:
        return {
            name: {
                figure.name: _rounded(figure.of([r.scores[name] for r in rows]))
                for figure in figures
            }
            for name in (measurement.titles if rows else ())
        }

    return {
        "systems": of(measurement.rows),
        "groups": {
            group: {**_counts(rows), "systems": of(rows)}
            for group in measurement.groups
            if (rows := measurement.of_group(group))
        },
    }


def with_intervals(
    measurement: Measurement, figures: Sequence[Figure], settings: EvaluationSettings, seed: int
) -> dict[str, Any]:
    """Compute figures with intervals, differences from the model, and whether targets are met.

    `paired` has, by figure and other system, the clips that only one of the two gets right.
    """
    groups = {ALL_CLIPS: list(measurement.rows)}
    groups |= {name: measurement.of_group(name) for name in measurement.groups}
    values: dict[str, Systems] = {}
    for group, rows in groups.items():
        sources = [row.example.listed.source_id for row in rows]
        bootstrap = Bootstrap(sources, settings.intervals, seed)
        values[group] = {
            name: bootstrap.measure(figures, [row.scores[name] for row in rows])
            for name in measurement.titles
        }
    differences = {group: _differences(systems) for group, systems in values.items()}
    return {
        "groups": {
            group: {
                **_counts(groups[group]),
                "systems": {
                    name: {
                        key: found and plain_value(found.interval()) for key, found in of.items()
                    }
                    for name, of in systems.items()
                },
                "differences": {
                    name: {key: apart and plain_value(apart) for key, apart in of.items()}
                    for name, of in differences[group].items()
                },
                "ahead": _ahead(differences[group], figures, measurement.rivals(group)),
                "paired": {
                    figure.name: _paired(groups[group], figure)
                    for figure in figures
                    if figure.is_paired
                },
            }
            for group, systems in values.items()
        },
        "targets": [_reached(target, values, figures) for target in settings.targets],
    }


def clip_rows(measurement: Measurement, judge: Judge) -> list[dict[str, Any]]:
    """Give each clip a row with the scores of every system."""
    return [
        {
            "clip_id": row.example.listed.clip_id,
            "labels": list(row.example.listed.labels),
            "groups": list(row.groups),
            "systems": {name: dict(judge.row(score)) for name, score in row.scores.items()},
        }
        for row in measurement.rows
    ]


def choose_examples(
    rows: Sequence[Measured], figures: Sequence[Figure], settings: EvaluationSettings
) -> list[tuple[Example, str]]:
    """Choose clips, each with the reason why it is shown.

    Each figure with `finds_worst` gives its worst clip in turn, then its second worst, and so on.
    """
    chosen: dict[int, str] = {}
    queues = [_worst_first(rows, figure) for figure in figures if figure.finds_worst]
    for turn in range(len(rows)):
        for queue in queues:
            if turn < len(queue) and len(chosen) < settings.worst:
                chosen.setdefault(*queue[turn])
    others = [place for place in range(len(rows)) if place not in chosen]
    count = min(settings.examples, len(others))
    for n in range(count):
        chosen[others[n * len(others) // count]] = "chosen evenly"
    return [(rows[place].example, why) for place, why in chosen.items()]


def _worst_first(rows: Sequence[Measured], figure: Figure) -> list[tuple[int, str]]:
    """Indices of clips, the model's worst first; without clips that the figure has no value for."""
    told = [
        (value if figure.more_is_better else -value, place, value)
        for place, row in enumerate(rows)
        if (value := figure.of([row.scores[MODEL]])) is not None
    ]
    return [
        (place, f"among the worst: {figure.title} {value:.2f}") for _, place, value in sorted(told)
    ]


def _counts(rows: Sequence[Measured]) -> dict[str, int]:
    return {
        "n_clips": len(rows),
        "n_sources": len({row.example.listed.source_id for row in rows}),
    }


def _differences(systems: Systems) -> Differences:
    """The model's figures less those of each other system."""
    model = systems.get(MODEL, {})
    return {
        name: {key: difference(model.get(key), found) for key, found in of.items()}
        for name, of in systems.items()
        if name != MODEL
    }


def _ahead(
    differences: Differences, figures: Sequence[Figure], rivals: Container[str]
) -> dict[str, list[str]]:
    """Figures in which a baseline beats the model by the whole interval of their difference."""
    found = {
        name: [
            figure.name
            for figure in figures
            if (apart := of[figure.name]) is not None
            and apart.side == (-1 if figure.more_is_better else 1)
        ]
        for name, of in differences.items()
        if name in rivals
    }
    return {name: names for name, names in found.items() if names}


def _paired(rows: Sequence[Measured], figure: Figure) -> dict[str, dict[str, float]]:
    """The model against each other system, clip by clip."""
    sources = [row.example.listed.source_id for row in rows]
    right = {
        name: [figure.of([row.scores[name]]) or 0.0 for row in rows] for name in rows[0].scores
    }
    return {
        name: compare_pairs(sources, right[MODEL], found).plain()
        for name, found in right.items()
        if name != MODEL
    }


def _reached(
    target: Target, values: Mapping[str, Systems], figures: Sequence[Figure]
) -> dict[str, Any]:
    systems = values.get(target.group, {})
    found, reference = (
        systems.get(system, {}).get(target.figure)
        for system in (target.system, target.of or target.system)
    )
    is_met = None
    if found is not None and reference is not None:
        is_met = target.is_met(found.value, reference.value if target.of else 1.0)
    return {
        "target": target.sentence({figure.name: figure.title for figure in figures}),
        "value": _rounded(found and found.value),
        "reference": _rounded(reference and reference.value) if target.of else None,
        "is_met": is_met,
    }


def plain_value(value: Value) -> dict[str, float | None]:
    """A value with its interval, as JSON."""
    return {key: _rounded(number) for key, number in asdict(value).items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS) + 0.0  # no minus before a zero
