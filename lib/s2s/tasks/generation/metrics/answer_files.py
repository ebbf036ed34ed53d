"""Sounds that an evaluation measured, as files: to listen to, and for av-benchmark.

real/<clip_id>.wav      the clips' own sound
video/<clip_id>.mp4     their pictures
<system>/<clip_id>.wav  a system's sound
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s2s.dataset import DatasetClip
from s2s.media import add_sound, write_wav
from s2s.tasks.contract import MODEL, AnswerFiles, Example, Material
from s2s.tasks.generation.data import frames_of
from s2s.tasks.generation.metrics.av_benchmark import EXTERNAL_FIGURES, run_av_benchmark
from s2s.tasks.generation.systems.answer import SoundAnswer

__all__ = ["SHOWN_SYSTEMS", "SoundFiles"]

SHOWN_SYSTEMS = ("real", "real_mel", MODEL, "regression")
_BENCHMARKED = ("real_mel", MODEL, "regression", "nearest", "random_clip")


class SoundFiles(AnswerFiles):
    """Writes the sounds of an evaluation, and copies the examples that its page shows.

    Args:
        material: says where the clips' videos are.
        folder: where to.
    """

    def __init__(self, material: Material, folder: Path) -> None:
        self._bucket = material.bucket
        self._spec = material.recipe.spec
        self._folder = folder
        self._examples: dict[str, Example] = {}

    def write(self, example: Example, system: str, answer: SoundAnswer) -> None:
        """Write a system's sound of a clip, if it is shown or measured by others."""
        if system not in {*SHOWN_SYSTEMS, *_BENCHMARKED}:
            return
        self._examples[example.listed.clip_id] = example
        path = self._sound(system, example.listed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, answer.samples_N, self._spec.sample_rate_hz)

    def show(self, example: Example, folder: Path) -> None:
        """Put a clip's video with the model's sound, and the sounds to compare, into a folder."""
        clip = example.listed
        for system in SHOWN_SYSTEMS:
            name = f"{clip.clip_id}.{system}.wav"
            (folder / name).write_bytes(self._sound(system, clip).read_bytes())
        add_sound(self._video(clip), self._sound(MODEL, clip), folder / f"{clip.clip_id}.mp4")

    def measure(self, program: Path | None) -> Mapping[str, Any]:
        """Figures of av-benchmark, by networks that others have trained.

        Args:
            program: a checkout of it.

        Raises:
            StageError: if it is none, or fails.
        """
        titles = {figure.name: figure.title for figure in EXTERNAL_FIGURES}
        if program is None:
            return {
                "note": "not computed: no av-benchmark was named",
                "titles": titles,
                "systems": {},
            }
        for example in self._examples.values():
            self._video(example.listed)
        frames = [frames_of(example.stored) for example in self._examples.values()]
        duration_s = float(np.median(frames)) / self._spec.fps
        figures = run_av_benchmark(program, self._folder, list(_BENCHMARKED), duration_s)
        note = f"computed by av-benchmark on {len(frames)} clips"
        return {"note": note, "titles": titles, "systems": figures}

    def _sound(self, system: str, clip: DatasetClip) -> Path:
        return self._folder / system / f"{clip.clip_id}.wav"

    def _video(self, clip: DatasetClip) -> Path:
        """A clip's pictures, downloaded when they are asked for."""
        path = self._folder / "video" / f"{clip.clip_id}.mp4"
        self._bucket.fetch(clip.key, path, clip.crc32c)
        return path
