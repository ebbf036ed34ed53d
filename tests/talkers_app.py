"""A server's app with a separator that has learned nothing."""

from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from separators import save_separator

from s2s.settings import Recipe
from s2s.tasks.separation.settings import SeparationRecipe
from serving.http.app import create_app
from serving.http.service import Limits
from serving.models.stored import model_of_folder

__all__ = ["talkers_app"]


def talkers_app(folder: Path) -> FastAPI:
    """The app; model and jobs are kept in the folder."""
    recipe: Recipe = SeparationRecipe.model_validate(
        {"name": "talkers", "task": "separation", "collection": {"catalog": "none.csv"}}
    )
    limits = Limits(max_upload_bytes=5_000_000, max_duration_s=30.0)
    model = model_of_folder(save_separator(folder / "model"), "talkers", recipe)
    return create_app([replace(model, media=limits.media)], limits, folder / "jobs")
