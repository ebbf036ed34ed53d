"""One run of a stage: a recipe, and where and how to run it."""

import os
import re
from pathlib import Path
from typing import Literal
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from s2s.reasons import Reason
from s2s.settings.recipe import Recipe

__all__ = ["Part", "Settings"]


class Part(BaseModel):
    """One part of what several machines share out among themselves, each by its own number.

    Attributes:
        index: this part, from 0.
        count: how many parts there are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(ge=0)
    count: int = Field(ge=1)

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", value)
        if match is None or int(match[1]) >= int(match[2]):
            raise ValueError("must be INDEX/COUNT such as 0/16, the first of sixteen parts")
        return {"index": int(match[1]), "count": int(match[2])}

    def has(self, name: object) -> bool:
        """Whether something is in this part, by the checksum of its name's text."""
        return crc32(str(name).encode()) % self.count == self.index


class Settings(BaseModel):
    """One run of a stage.

    Attributes:
        recipe: what to do; of the task's own class.
        recipe_path: the file that it was read from.
        bucket_url: `gs://NAME` or `file://DIR`.
        work_dir: directory for temporary files and local state.
        engine: what maps work over clips.
        workers: processes at a time; None for one a core.
        gpus: share of a GPU that a worker of Ray has, where a stage uses one; None for a whole one
            where the cluster has any.
        strict: a failed clip makes the run fail.
        retry_failed: clips with a permanent failure are tried again too.
        more: collection has so many sources beside those that are there; None for all.
        retry_reasons: only clips that failed for one of these are worked on; None for all clips.
        report_dir: reports are also written to `<report_dir>/<recipe>/<stage>.json`.
        part: of collection and preprocessing, only this part is worked on, as `0/16`, the first of
            sixteen; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    recipe_path: Path
    bucket_url: str
    work_dir: Path = Path(".s2s")
    engine: Literal["local", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    gpus: float | None = Field(default=None, ge=0)
    strict: bool = False
    retry_failed: bool = False
    more: int | None = Field(default=None, ge=1)
    retry_reasons: frozenset[Reason] | None = None
    report_dir: Path | None = None
    part: Part | None = None

    @field_validator("gpus")
    @classmethod
    def _share_or_whole_ones(cls, gpus: float | None) -> float | None:
        if gpus is not None and gpus > 1 and gpus % 1:
            raise ValueError("must be a share of one GPU, such as 0.25, or a whole number of them")
        return gpus

    @property
    def n_workers(self) -> int:
        """Processes at a time."""
        return self.workers or os.cpu_count() or 1
