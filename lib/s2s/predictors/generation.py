"""Sound for silent videos: a trained generation model, from video file to video file."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from s2s.errors import ModelError
from s2s.features.motion import FRAME_SIZE, Motion
from s2s.media import add_sound, write_frames, write_wav
from s2s.models.bundle import ModelConfig, load_bundle
from s2s.models.flow import sample_flows
from s2s.models.network import MelTransformer
from s2s.models.vocoder import GriffinLim

__all__ = ["Draw", "Generation", "GenerationPredictor", "map_frames", "timed"]

_PIECE_FRAMES = 256


@dataclass(frozen=True)
class Generation:
    """What was done.

    Attributes:
        duration_s: length of the video and its sound, in seconds.
        seconds_by_step: time that each step took.
    """

    duration_s: float
    seconds_by_step: dict[str, float]


@dataclass(frozen=True)
class Draw:
    """A spectrogram to be drawn.

    Attributes:
        motion_TC: motion features, float32 (T, C), see `s2s.features.motion`.
        seed: the same seed gives the same result on a CPU.
        steps: Euler steps; None for the model's own number.
        guidance: guidance scale; None for the model's own.
    """

    motion_TC: np.ndarray
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None


class GenerationPredictor:
    """Gives silent videos a sound.

    Args:
        network: the trained network.
        config: what goes with it.
    """

    def __init__(self, network: MelTransformer, config: ModelConfig) -> None:
        self.config = config
        self._network = network
        self._motion = Motion(config.spec, config.features)
        self._vocoder = GriffinLim(config.spec)

    @classmethod
    def load(cls, model_dir: Path) -> Self:
        """Load a model directory.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        return cls(*load_bundle(model_dir))

    def mel(
        self,
        motion_TC: np.ndarray,
        *,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> torch.Tensor:
        """Draw a log-mel spectrogram for a video's motion features.

        Args:
            motion_TC: float32 (T, C), see `s2s.features.motion`.
            seed: the same seed gives the same result on a CPU.
            steps: Euler steps; None for the model's own number.
            guidance: guidance scale; None for the model's own.

        Returns:
            (M, B) with M = T * `mel_per_frame`.

        Raises:
            ModelError: if the features are not those that the model was trained on.
        """
        return self.mels([Draw(motion_TC, seed, steps, guidance)])[0]

    def mels(self, draws: Sequence[Draw]) -> list[torch.Tensor]:
        """Draw several spectrograms; those with the same steps and guidance share network calls.

        Returns:
            as `mel`, for each.

        Raises:
            ModelError: if features are not those that the model was trained on.
        """
        groups: dict[tuple[int, float], list[int]] = defaultdict(list)
        for index, draw in enumerate(draws):
            self._check(draw.motion_TC)
            guidance = self.config.guidance if draw.guidance is None else draw.guidance
            groups[draw.steps or self.config.sampling_steps, guidance].append(index)
        mels: dict[int, torch.Tensor] = {}
        for (steps, guidance), indices in groups.items():
            tokens = sample_flows(
                self._network,
                [torch.from_numpy(draws[index].motion_TC).float() for index in indices],
                self.config.window_frames,
                seeds=[draws[index].seed for index in indices],
                steps=steps,
                guidance=guidance,
            )
            for index, tokens_TD in zip(indices, tokens, strict=True):
                mel_MB = tokens_TD.reshape(-1, self.config.spec.n_mels)
                mels[index] = mel_MB * self.config.mel_std + self.config.mel_mean
        return [mels[index] for index in range(len(draws))]

    def motion(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Motion features of a video of any length, a piece at a time: float32 (T, C).

        Args:
            frames_THWC: uint8 (T, H, W, 3), RGB, one each 1/fps seconds; may be mapped from disk.
        """
        pieces = []
        for start in range(0, len(frames_THWC), _PIECE_FRAMES):
            # With the picture before: what changes is seen by comparison with it.
            piece = frames_THWC[max(0, start - 1) : start + _PIECE_FRAMES]
            pieces.append(self._motion.of_frames(piece)[min(start, 1) :])
        return np.concatenate(pieces)

    def _check(self, motion_TC: np.ndarray) -> None:
        if motion_TC.ndim != 2 or motion_TC.shape[1] != self._motion.dim or not len(motion_TC):
            raise ModelError(
                f"features of shape {motion_TC.shape} where (T, {self._motion.dim}) is needed: "
                "extract them with the feature settings of the model's config"
            )

    def sound(
        self,
        frames_THWC: np.ndarray,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> np.ndarray:
        """Generate the sound of pictures.

        Args:
            frames_THWC: uint8 (T, H, W, 3), RGB, one each 1/fps seconds.
            seed: another seed, another variation.
            steps: see `mel`.
            guidance: see `mel`.

        Returns:
            float32 (N,) in -1..1, N = `spec.samples(T)`.
        """
        motion_TC = self.motion(frames_THWC)
        mel_MB = self.mel(motion_TC, seed=seed, steps=steps, guidance=guidance)
        return self.vocode(mel_MB)

    def generate(
        self,
        video: Path,
        output: Path,
        *,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> Generation:
        """Write a video with generated sound; its picture is copied packet by packet.

        Args:
            video: any video that can be read; sound that it has is ignored.
            output: the mp4 to write.
            seed: another seed, another variation.
            steps: see `mel`.
            guidance: see `mel`.

        Raises:
            MediaError: if the video cannot be read, or its codec does not fit into an mp4.
        """
        seconds: dict[str, float] = {}
        spec = self.config.spec
        with tempfile.TemporaryDirectory() as folder:
            frames, wav = Path(folder) / "frames", Path(folder) / "sound.wav"
            with timed(seconds, "decode"):
                write_frames(video, frames, spec.fps, FRAME_SIZE)
            with timed(seconds, "features"):
                motion_TC = self.motion(map_frames(frames))
            with timed(seconds, "generate"):
                mel_MB = self.mel(motion_TC, seed=seed, steps=steps, guidance=guidance)
            with timed(seconds, "vocode"):
                write_wav(wav, self.vocode(mel_MB), spec.sample_rate_hz)
            with timed(seconds, "mux"):
                add_sound(video, wav, output)
        return Generation(len(motion_TC) / spec.fps, seconds)

    def vocode(self, mel_MB: torch.Tensor) -> np.ndarray:
        """Sound of a log-mel spectrogram (M, B): float32 (N,) in -1..1, N = M * hop."""
        return self._vocoder(mel_MB).clamp(-1, 1).numpy()


def map_frames(path: Path) -> np.ndarray:
    """What `s2s.media.write_frames` wrote in `FRAME_SIZE`, mapped: uint8 (T, H, W, 3)."""
    width, height = FRAME_SIZE
    return np.memmap(path, np.uint8, mode="r").reshape(-1, height, width, 3)


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note how long a step takes."""
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started
