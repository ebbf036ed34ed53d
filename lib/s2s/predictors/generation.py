"""Sound for silent videos: a trained generation model, from video file to video file."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from s2s.errors import ModelError
from s2s.features.motion import FRAME_SIZE, Motion
from s2s.media import add_sound, read_frames, write_wav
from s2s.models.bundle import ModelConfig, load_bundle
from s2s.models.flow import sample_flow
from s2s.models.network import MelTransformer
from s2s.models.vocoder import GriffinLim

__all__ = ["Generation", "GenerationPredictor"]


@dataclass(frozen=True)
class Generation:
    """What was done.

    Attributes:
        duration_s: length of the video and its sound, in seconds.
        seconds_by_step: time that each step took.
    """

    duration_s: float
    seconds_by_step: dict[str, float]


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
        if motion_TC.ndim != 2 or motion_TC.shape[1] != self._motion.dim or not len(motion_TC):
            raise ModelError(
                f"features of shape {motion_TC.shape} where (T, {self._motion.dim}) is needed: "
                "extract them with the feature settings of the model's config"
            )
        tokens_TD = sample_flow(
            self._network,
            torch.from_numpy(motion_TC).float(),
            self.config.window_frames,
            seed=seed,
            steps=steps or self.config.sampling_steps,
            guidance=self.config.guidance if guidance is None else guidance,
        )
        mel_MB = tokens_TD.reshape(-1, self.config.spec.n_mels)
        return mel_MB * self.config.mel_std + self.config.mel_mean

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
        motion_TC = self._motion.of_frames(frames_THWC)
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
        with _timed(seconds, "decode"):
            frames_THWC = read_frames(video, spec.fps, FRAME_SIZE)
        with _timed(seconds, "features"):
            motion_TC = self._motion.of_frames(frames_THWC)
        with _timed(seconds, "generate"):
            mel_MB = self.mel(motion_TC, seed=seed, steps=steps, guidance=guidance)
        with _timed(seconds, "vocode"):
            samples_N = self.vocode(mel_MB)
        with _timed(seconds, "mux"), tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "sound.wav"
            write_wav(wav, samples_N, spec.sample_rate_hz)
            add_sound(video, wav, output)
        return Generation(len(frames_THWC) / spec.fps, seconds)

    def vocode(self, mel_MB: torch.Tensor) -> np.ndarray:
        """Sound of a log-mel spectrogram (M, B): float32 (N,) in -1..1, N = M * hop."""
        return self._vocoder(mel_MB).clamp(-1, 1).numpy()


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started
