"""What a classification is worth."""

from pathlib import Path

from s2s.tasks.classification.metrics.answer_files import ClassFiles
from s2s.tasks.classification.metrics.figures import FIGURES
from s2s.tasks.classification.metrics.judge import make_judge
from s2s.tasks.contract import Material

__all__ = ["FIGURES", "make_files", "make_judge"]


def make_files(material: Material, folder: Path) -> ClassFiles:  # noqa: ARG001 - nothing before the end
    """Keeps answers, for people and their programs."""
    return ClassFiles(material)
