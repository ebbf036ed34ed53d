"""What a classification is worth."""

from s2s.tasks.classification.metrics.figures import FIGURES
from s2s.tasks.classification.metrics.judge import make_judge

__all__ = ["FIGURES", "make_judge"]
