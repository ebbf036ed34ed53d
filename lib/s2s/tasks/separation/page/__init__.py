"""Separation's part of reports: what was heard at once, and what each face's voice came to."""

from s2s.tasks.separation.page.answers import show_answers
from s2s.tasks.separation.page.examples import show_examples

__all__ = ["CAPTION", "show_answers", "show_examples"]

CAPTION = (
    "SI-SDRi: how many dB nearer the voice is to the true one than the mixture was, whatever its "
    "loudness. Right speaker: share of faces whose output is nearer to their own voice than to any "
    "other. A face that says nothing should leave nothing: dB of the mixture, less is better."
)
