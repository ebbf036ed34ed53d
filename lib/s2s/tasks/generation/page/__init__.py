"""Generation's part of reports: clips with players, spectrograms and what was heard in them."""

from s2s.tasks.generation.page.answers import show_answers
from s2s.tasks.generation.page.examples import show_examples

__all__ = ["CAPTION", "show_answers", "show_examples"]

CAPTION = (
    "An onset counts as found within 50 ms of one of the original. The class is what a classifier "
    "hears that was trained on original sound. Distances and errors: less is better."
)
