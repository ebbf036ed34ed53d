"""What an evaluation comes to: figures by group and system, targets, clips to listen to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from s2s.settings.evaluation import ALL_CLIPS
from s2s.tasks.generation.metrics.figures import FIGURES, Row, Value, measure
from s2s.tasks.generation.metrics.onsets import TOLERANCE_S
from s2s.tasks.generation.metrics.scores import ClipScore
from s2s.tasks.generation.settings import GenerationEvaluationSettings
from s2s.tasks.generation.systems.compared import Shown

__all__ = ["Measured", "choose_examples", "summarize"]

_DIGITS = 4
Values = dict[str, Value | None]


@dataclass(frozen=True)
class Measured:
    """A clip, its group and how every system did on it."""

    shown: Shown
    group: str
    scores: Mapping[str, ClipScore]


def summarize(
    rows: Sequence[Measured], settings: GenerationEvaluationSettings, seed: int
) -> dict[str, Any]:
    """Figures of every group and system, with intervals, and whether targets are met."""
    groups = {ALL_CLIPS: list(rows)} | {
        name: [row for row in rows if row.group == name] for name in settings.groups
    }
    values = {
        group: {
            system: measure(
                [Row(row.shown.listed.source_id, row.scores[system]) for row in chosen],
                settings.intervals,
                seed,
            )
            for system in rows[0].scores
        }
        for group, chosen in groups.items()
        if chosen
    }
    return {
        "onset_tolerance_s": TOLERANCE_S,
        "better": {name: "more" if f.is_more_better else "less" for name, f in FIGURES.items()},
        "groups": {
            group: {
                "n_clips": len(groups[group]),
                "n_sources": len({row.shown.listed.source_id for row in groups[group]}),
                "systems": {system: _plain(found) for system, found in systems.items()},
            }
            for group, systems in values.items()
        },
        "regression_wins": _regression_wins(values),
        "targets": [_reached(target, values) for target in settings.targets],
        "clips": [_clip_row(row) for row in rows],
    }


def choose_examples(
    rows: Sequence[Measured], settings: GenerationEvaluationSettings
) -> list[dict[str, str]]:
    """Clips for the page, each with the reason why it is shown: the worst first.

    Half of the worst are those whose onsets agree least, half those whose spectrum is furthest.
    """
    model = {row.shown.listed.clip_id: row.scores["model"] for row in rows}
    heard = [name for name, score in model.items() if score.onsets.reference]
    by_onsets = sorted(heard, key=lambda name: model[name].onsets.f1)[: settings.worst // 2]
    chosen = {name: f"worst onsets: F1 {model[name].onsets.f1:.2f}" for name in by_onsets}
    for name in sorted(model, key=lambda name: -model[name].mel_l1):
        if len(chosen) < settings.worst:
            chosen.setdefault(name, f"furthest spectrum: mel distance {model[name].mel_l1:.2f}")
    others = [name for name in model if name not in chosen]
    count = min(settings.examples, len(others))
    for n in range(count):
        chosen[others[n * len(others) // count]] = "chosen evenly"
    return [{"clip_id": name, "why": why} for name, why in chosen.items()]


def _plain(found: Values) -> dict[str, dict[str, float | None] | None]:
    return {
        name: None
        if value is None
        else {k: None if v is None else round(v, _DIGITS) for k, v in asdict(value).items()}
        for name, value in found.items()
    }


def _regression_wins(values: Mapping[str, Mapping[str, Values]]) -> dict[str, list[str]]:
    """Figures, by group, in which regression does better than the model."""
    wins: dict[str, list[str]] = {}
    for group, systems in values.items():
        wins[group] = []
        for name, figure in FIGURES.items():
            model, other = systems["model"][name], systems["regression"][name]
            if model is not None and other is not None:
                ahead = other.value - model.value
                is_ahead = ahead > 0 if figure.is_more_better else ahead < 0
                wins[group] += [name] if is_ahead else []
    return wins


def _reached(target: Any, values: Mapping[str, Mapping[str, Values]]) -> dict[str, Any]:
    systems = values.get(target.group, {})
    found = [
        systems.get(system, {}).get(target.figure)
        for system in (target.system, target.of or target.system)
    ]
    is_met = None
    if found[0] is not None and found[1] is not None:
        is_met = target.is_met(found[0].value, found[1].value if target.of else 1.0)
    return {
        "target": str(target),
        "value": None if found[0] is None else round(found[0].value, _DIGITS),
        "reference": round(found[1].value, _DIGITS) if target.of and found[1] else None,
        "is_met": is_met,
    }


def _clip_row(row: Measured) -> dict[str, Any]:
    systems = {
        name: {
            "onset_f1": round(score.onsets.f1, _DIGITS),
            "onsets": score.onsets.estimated,
            "mel_l1": round(score.mel_l1, _DIGITS),
            "heard": score.hearing.label if score.hearing else None,
            "late_s": score.late_s,
        }
        for name, score in row.scores.items()
    }
    listed = row.shown.listed
    return {
        "clip_id": listed.clip_id,
        "labels": list(listed.labels),
        "group": row.group,
        "systems": systems,
    }
