"""Sounds that an evaluation measured, as files: to listen to, and what every mixture was made of.

<clip_id>.mixture.wav    the first mixture that is made for a clip
<clip_id>.<n>.truth.wav  the true voice of its face n, where it is heard
<clip_id>.<n>.model.wav  what the model found for it
<clip_id>.json           whose faces they are, and how each did
mixtures.json            what all mixtures are made of, by the clip that they are made for
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from s2s.media import write_wav
from s2s.tasks.contract import MODEL, AnswerFiles, Example, Material
from s2s.tasks.separation.data import HeldOutMixtures
from s2s.tasks.separation.metrics.hearing import Ears
from s2s.tasks.separation.metrics.scores import score_faces
from s2s.tasks.separation.systems.answer import SeparationAnswer

__all__ = ["MIXTURES_FILE", "VoiceFiles"]

MIXTURES_FILE = "mixtures.json"
_PEAK = 0.9
_GAIN = 4.0
"""Voices are mixed at -26 dBFS, which is quiet to listen to."""


class VoiceFiles(AnswerFiles):
    """Keeps what the model found, and picks examples out of it.

    Args:
        material: where the clips are.
    """

    def __init__(self, material: Material) -> None:
        self._mixtures = HeldOutMixtures(material)
        self._rate_hz = material.recipe.spec.sample_rate_hz
        self._found: dict[str, np.ndarray] = {}
        self._plans: dict[str, list[dict[str, Any]]] = {}

    def write(self, example: Example, system: str, answer: SeparationAnswer) -> None:
        """Keep the model's answer."""
        if system != MODEL:
            return
        clip_id = example.listed.clip_id
        self._found[clip_id] = answer.voices[0].astype(np.float16)
        plans = self._mixtures.plans(example)
        self._plans[clip_id] = [plan.model_dump(mode="json") for plan in plans]

    def show(self, example: Example, folder: Path) -> None:
        """Put a clip's first mixture, its true voices and the model's into a folder."""
        clip_id = example.listed.clip_id
        plan, mixed = self._mixtures.plans(example)[0], self._mixtures.of(example)[0]
        found_SN = self._found[clip_id].astype(np.float32)
        clip_ids = [face.clip_id for face in plan.faces]
        sounds = {"mixture": mixed.mixture_N}
        sounds |= {f"{n}.model": voice_N for n, voice_N in enumerate(found_SN)}
        sounds |= {
            f"{n}.truth": voice_N
            for n, voice_N in enumerate(mixed.voices_SN)
            if mixed.is_heard_S[n]
        }
        loudest = max(float(np.abs(samples_N).max()) for samples_N in sounds.values())
        gain = min(_GAIN, _PEAK / max(loudest, 1e-6))
        for name, samples_N in sounds.items():
            write_wav(folder / f"{clip_id}.{name}.wav", gain * samples_N, self._rate_hz)
        ears = Ears(self._rate_hz, closely=False)
        faces = [
            {**score.row(), "is_heard": bool(is_heard)}
            for score, is_heard in zip(
                score_faces(mixed, clip_ids, found_SN, None, ears), mixed.is_heard_S, strict=True
            )
        ]
        content = {"condition": plan.condition, "faces": faces}
        _write(folder / f"{clip_id}.json", content)
        _write(folder / MIXTURES_FILE, self._plans)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
