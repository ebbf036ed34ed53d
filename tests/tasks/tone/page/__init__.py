"""The task's part of reports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import escape

from s2s.dataset import DatasetVersion
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["CAPTION", "show_answers", "show_examples"]

CAPTION = "Errors are in decibels: less is better."


def show_answers(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    rows: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> str:
    """A list of clips with their errors."""
    lines = [f"<li>{escape(clip)}: {row['error_db']} dB</li>" for clip, row in rows.items()]
    return f"<ul class='tones'>{''.join(lines)}</ul>"


def show_examples(bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
    """Nothing beside the tables."""
    return ""
