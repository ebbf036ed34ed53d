"""Separators that have learned nothing, and films of drawn talkers, for tests that need some."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from s2s.model_directory import ModelDescription, save_model
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors import LIPS
from s2s.tasks.separation.network import SeparatorConfig, make_separator, shape_of
from s2s.tasks.separation.network.directory import TASK, ModelConfig
from s2s.tasks.separation.processor import ProcessorConfig
from sample.cocktail_party.face import Pose
from sample.cocktail_party.mouth import Lips
from sample.cocktail_party.picture import SIZE_PX, Painter
from sample.render import encode_film

FPS, RATE_HZ = 25, 16_000
SPEC = TimeSpec(fps=FPS, sample_rate_hz=8000, duration_s=2)
EMPTY = np.full((SIZE_PX, SIZE_PX, 3), 90, np.uint8)


def separator_config(kind: str = "audio_visual") -> ModelConfig:
    """Of the smallest network of a kind."""
    network = SeparatorConfig.model_validate(
        {"kind": kind, "sample_rate_hz": SPEC.sample_rate_hz, "fps": FPS, "lips": LIPS}
        | {"speakers": 2, "shape": shape_of(kind, "tiny")}  # pyright: ignore[reportArgumentType]
    )
    processor = ProcessorConfig(spec=SPEC, faces="mesh", max_gap_s=0.5)
    return ModelConfig(
        network=network, processor=processor.model_dump(mode="json"), window_s=SPEC.duration_s
    )


def save_separator(folder: Path, kind: str = "audio_visual") -> Path:
    """Write a model directory with random weights."""
    config = separator_config(kind)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = make_separator(config.network)
    folder.mkdir(parents=True, exist_ok=True)
    description = ModelDescription(
        task=TASK,
        recipe="test",
        version="dataset_v1",
        spec=SPEC,
        config=config.model_dump(mode="json"),
    )
    save_model(folder, network, description)
    return folder


def draw_talker(seed: int, length: int = 30, *, moves: bool = True) -> list[np.ndarray]:
    """Pictures of a drawn face that talks, or does nothing."""
    painter, pictures = Painter(np.random.default_rng(seed)), []
    for n in range(length):
        opening = 0.45 * (1 - np.cos(2 * np.pi * 3 * n / FPS)) if moves else 0.0
        pose = Pose(0.5, 0.45, 40, 0.1, 0.05, 0.02, 1.0)
        pictures.append(painter.picture(n if moves else 0, pose, Lips(opening, 0)))
    return pictures


def beside(*films: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Films side by side."""
    return [np.concatenate(pictures, axis=1) for pictures in zip(*films, strict=True)]


class Pictures:
    """A film of given pictures, with noise in syllables, a given sound, or none."""

    source_id = "pictures"
    sample_rate_hz = RATE_HZ

    def __init__(
        self, pictures: Sequence[np.ndarray], fps: int = FPS, sound: np.ndarray | None = None
    ) -> None:
        self._pictures, self.fps, self._sound = pictures, fps, sound
        self.duration_s = len(pictures) / fps

    def frames(self) -> Iterator[np.ndarray]:
        yield from self._pictures

    def samples(self) -> np.ndarray | None:
        if self._sound is None:
            return None
        return self._sound if len(self._sound) else None

    def truth(self) -> dict[str, object]:
        return {}


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that is loud and quiet a few times a second."""
    rng = np.random.default_rng(seed)
    length = round(seconds * RATE_HZ)
    loud_N = 0.5 - 0.5 * np.cos(2 * np.pi * 3 * np.arange(length) / RATE_HZ)
    return (0.2 * loud_N * rng.normal(size=length)).astype(np.float32)


def write_film(
    path: Path, pictures: Sequence[np.ndarray], fps: int = FPS, sound: np.ndarray | None = None
) -> Path:
    """Encode pictures; with babble, unless a sound is given; one of no samples is no sound."""
    sound = babble(len(pictures) / fps) if sound is None else sound
    encode_film(Pictures(pictures, fps, sound), path)
    return path
