"""Clips that a report shows: the worst first, and others chosen evenly."""

from collections.abc import Sequence

from s2s.settings import EvaluationSettings
from s2s.tasks.contract import MODEL, Example, Figure
from training.evaluation.measured import Measured

__all__ = ["choose_examples"]


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
