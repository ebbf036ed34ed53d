"""Classification's part of reports: what was said of clips, and what is taken for what."""

from s2s.tasks.classification.page.answers import show_answers
from s2s.tasks.classification.page.comparison import show_comparison
from s2s.tasks.classification.page.confusion import show_examples

__all__ = ["CAPTION", "show_answers", "show_comparison", "show_examples"]

CAPTION = (
    "Top-1: share of clips of which a class is the most probable; top-5, of ten classes or more: "
    "among the five most probable. Intervals are over sources. Likelihood and calibration error: "
    "less is better."
)
