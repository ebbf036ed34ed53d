"""One run of a stage: a recipe, and where and how to run it."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from s2s.reasons import Reason
from s2s.settings.recipe import Recipe

__all__ = ["Settings"]


class Settings(BaseModel):
    """One run of a stage.

    Attributes:
        recipe: what to do; of the task's own class.
        recipe_path: the file that it was read from.
        bucket_url: `gs://NAME` or `file://DIR`.
        work_dir: directory for temporary files and local state.
        engine: what maps work over clips.
        workers: processes at a time; None for one a core.
        strict: a failed clip makes the run fail.
        retry_failed: clips with a permanent failure are tried again too.
        more: collection has so many clips beside those that are collected; None for all.
        retry_reasons: only clips that failed for one of these are worked on; None for all clips.
        report_dir: reports are also written to `<report_dir>/<recipe>/<stage>.json`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    recipe_path: Path
    bucket_url: str
    work_dir: Path = Path(".s2s")
    engine: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    strict: bool = False
    retry_failed: bool = False
    more: int | None = Field(default=None, ge=1)
    retry_reasons: frozenset[Reason] | None = None
    report_dir: Path | None = None

    @property
    def n_workers(self) -> int:
        """Processes at a time."""
        return self.workers or os.cpu_count() or 1
