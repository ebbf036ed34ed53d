"""The confusion matrix of an evaluation, as a table in shades."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.classification.settings.evaluation import PRETRAINED
from s2s.tasks.common.html import render

__all__ = ["Matrix", "matrix_of", "show_examples"]

_TEMPLATE = Path(__file__).with_name("confusion.html.jinja")
_MOST_CLASSES = 40
_PAIRS = 20


Answer = tuple[Sequence[str], Mapping[str, Any]]
"""Labels of a clip, and what the judge kept of an answer to it."""


@dataclass(frozen=True)
class _Row:
    """Clips of one class.

    Attributes:
        label: the class.
        total: clips.
        counts: clips by what was said of them, in the order of the columns.
    """

    label: str
    total: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Matrix:
    """What is taken for what.

    Attributes:
        labels: classes, the columns.
        rows: one for each class; none where there are too many.
        pairs: class, what was said instead, clips: the most frequent ones.
        totals: clips of each class.
    """

    labels: Sequence[str]
    rows: Sequence[_Row]
    pairs: Sequence[tuple[str, str, int]]
    totals: Mapping[str, int]


@dataclass(frozen=True)
class _Lost:
    """Clips of a group that the model gets wrong because it sees or hears more.

    Attributes:
        group: of clips.
        total: how many there are.
        counts: those that are right without a modality only, by what is left out.
    """

    group: str
    total: int
    counts: Mapping[str, int]


def matrix_of(answers: Sequence[Answer], classes: Sequence[str]) -> Matrix:
    """Count answers as `metrics.figures.confusion_matrix` does: not those to clips of no class.

    Args:
        answers: to clips.
        classes: the model's, sorted. Where a table would be too large, those of the answers.
    """
    counts = Counter[tuple[str, str]]()
    for labels, kept in answers:
        if known := sorted(set(labels) & set(classes)):
            said = next(iter(kept["said"]))
            counts[said if kept["is_right"] else known[0], said] += 1
    labels = list(classes)
    if len(labels) > _MOST_CLASSES:
        labels = sorted({label for pair in counts for label in pair})
    totals = Counter[str]()
    for (true, _), number in counts.items():
        totals[true] += number
    pairs = [(*pair, number) for pair, number in counts.most_common() if pair[0] != pair[1]]
    rows = []
    if len(labels) <= _MOST_CLASSES:
        rows = [
            _Row(true, totals[true], tuple(counts[true, said] for said in labels))
            for true in labels
        ]
    return Matrix(labels, rows, pairs[:_PAIRS], totals)


def show_examples(bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
    """HTML of what is taken for what: a matrix of few classes, the most frequent pairs of many.

    Args:
        bucket: not used.
        recipe: not used.
        content: what `evaluation.json` says.
    """
    del bucket, recipe
    clips = content["clips"]
    told = [(row["labels"], row["systems"]["model"]) for row in clips]
    return render(
        _TEMPLATE,
        matrix=matrix_of(told, content["classes"]),
        pretrained=[row["clip_id"] for row in clips if PRETRAINED in row["groups"]],
        lost=_lost_by_more(content),
    )


def _lost_by_more(content: Mapping[str, Any]) -> list[_Lost]:
    """How often a clip is right without a modality, and wrong with it; none where that is not told.

    The modality confusion of Zverev et al. 2025, "VGGSounder", section 5.
    """
    found = []
    for group, part in content["groups"].items():
        tests = part["paired"].get("top1", {})
        counts = {
            content["titles"][name]: int(tests[name]["second_only"])
            for name in ("no_sound", "no_picture")
            if name in tests
        }
        if counts:
            found.append(_Lost(group, part["n_clips"], counts))
    return found
