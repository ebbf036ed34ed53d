"""What the model answered, as files: for spreadsheets, slides, and programs of others.

predictions.csv   a clip a row: its classes, what was said, and the probability of every class
confusion.csv     clips by class (rows) and by what was said (columns)
confusion.png     the same as a picture, in shares of each class

Legend: L classes.
"""

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from s2s.tasks.classification.data import classes_of
from s2s.tasks.classification.metrics.figures import confusion_matrix
from s2s.tasks.classification.metrics.judge import ClassScore
from s2s.tasks.contract import MODEL, AnswerFiles, Example, Material

__all__ = ["ClassFiles", "draw_confusion"]

_NUMBERED = 25
"""Classes of which a picture still has room for names and numbers."""
_SEPARATOR = "|"


class ClassFiles(AnswerFiles):
    """Keeps the model's probabilities.

    Args:
        material: what the model was trained on.
    """

    def __init__(self, material: Material) -> None:
        self._classes = classes_of(material.clips["train"])
        self._answers: list[tuple[Example, np.ndarray]] = []

    def write(self, example: Example, system: str, answer: np.ndarray) -> None:
        """Keep an answer of the model, float (L,)."""
        if system == MODEL:
            self._answers.append((example, np.asarray(answer)))

    def keep(self, folder: Path) -> None:
        """Write the files."""
        with (folder / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("clip_id", "source_id", "labels", "said", *self._classes))
            writer.writerows(self._row(*answer) for answer in self._answers)
        counts_LL = confusion_matrix([self._score(*answer) for answer in self._answers])
        with (folder / "confusion.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("class", *self._classes))
            for name, counts_L in zip(self._classes, counts_LL.tolist(), strict=True):
                writer.writerow((name, *counts_L))
        draw_confusion(counts_LL, self._classes, folder / "confusion.png")

    def _row(self, example: Example, chances_L: np.ndarray) -> tuple[str, ...]:
        listed = example.listed
        said = self._classes[int(chances_L.argmax())]
        chances = [f"{chance:.6f}" for chance in chances_L]
        return (listed.clip_id, listed.source_id, _SEPARATOR.join(listed.labels), said, *chances)

    def _score(self, example: Example, chances_L: np.ndarray) -> ClassScore:
        labels = example.listed.labels
        return ClassScore(chances_L, np.array([name in labels for name in self._classes], bool))


def draw_confusion(counts_LL: np.ndarray, classes: tuple[str, ...], path: Path) -> None:
    """Draw a confusion matrix as a PNG: shares of each class, and counts where there is room.

    Args:
        counts_LL: clips by class (rows) and by what was said (columns).
        classes: their names.
        path: the picture.
    """
    size = len(classes)
    shares_LL = counts_LL / counts_LL.sum(axis=1, keepdims=True).clip(min=1)
    side = min(14.0, 3.0 + 0.45 * size)
    drawing = Drawing(figsize=(side + 1, side), layout="constrained")
    axes = drawing.add_subplot(xlabel="said", ylabel="class")
    image = axes.imshow(shares_LL, cmap="Blues", vmin=0, vmax=1)
    drawing.colorbar(image, label="share of the class", shrink=0.8)
    if size <= _NUMBERED:
        axes.set_xticks(range(size), classes, rotation=45, ha="right")
        axes.set_yticks(range(size), classes)
        for (row, column), count in np.ndenumerate(counts_LL):
            colour = "white" if shares_LL[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    drawing.savefig(path, dpi=120)
