"""The confusion matrix of an evaluation, as a table in shades."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.html import render

__all__ = ["show_examples"]

_TEMPLATE = Path(__file__).with_name("confusion.html.jinja")
_MOST_CLASSES = 40
_PAIRS = 20


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


def show_examples(bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
    """HTML of what is taken for what: a matrix of few classes, the most frequent pairs of many.

    Args:
        bucket: not used.
        recipe: not used.
        content: what `evaluation.json` says.
    """
    del bucket, recipe
    told = [
        (row["labels"][0], next(iter(row["systems"]["model"]["said"])), row["systems"]["model"])
        for row in content.get("clips", [])
        if row["labels"]
    ]
    counts = Counter((said if kept["is_right"] else true, said) for true, said, kept in told)
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
    return render(_TEMPLATE, labels=labels, rows=rows, pairs=pairs[:_PAIRS], totals=totals)
