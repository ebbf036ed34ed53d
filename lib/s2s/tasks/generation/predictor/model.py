"""A trained generation model: features to mel, mel to sound."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from s2s.errors import ModelError
from s2s.tasks.generation.network.directory import ModelConfig, load_bundle
from s2s.tasks.generation.network.flow import Sampling, Scene, sample_flows
from s2s.tasks.generation.network.transformer import MelTransformer
from s2s.tasks.generation.network.vocoder import GriffinLim, Vocoder, load_vocoder
from s2s.tasks.generation.processor import VideoProcessor, open_processor
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE

__all__ = ["Draw", "SoundModel"]


@dataclass(frozen=True)
class Draw:
    """A spectrogram to be drawn.

    Attributes:
        condition_TC: visual features, float32 (T, C), see `s2s.tasks.generation.processor`.
        seed: the same seed gives the same result on a CPU.
        steps: of the sampler; None for the model's own number.
        guidance: guidance scale; None for the model's own.
        is_still: it is a picture, all rows are the same: the network is shown no motion instead of
            a video in which nothing moves, which would be silent.
    """

    condition_TC: np.ndarray
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    is_still: bool = False


class SoundModel:
    """Makes sound for videos and pictures.

    Args:
        network: the trained network; sounds are drawn on its device.
        config: what goes with it.
        processor: computes visual features; needed only where pictures are given, and made here
            if its extractors have no weights.
        vocoder: makes sound of mel; None for Griffin-Lim.
    """

    def __init__(
        self,
        network: MelTransformer,
        config: ModelConfig,
        processor: VideoProcessor | None = None,
        vocoder: Vocoder | None = None,
    ) -> None:
        self.config = config
        self._network = network
        self._device = next(network.parameters()).device
        if processor is None and not config.features.needs_weights:
            processor = open_processor(config.spec, config.features)
        if processor is not None and processor.dims != config.network.streams:
            raise ModelError(
                f"the network sees {config.network.streams} features of a picture, but the "
                f"feature settings give {processor.dims}: fetch the model again, or train it again"
            )
        self._processor = processor
        self._vocoder = GriffinLim(config.spec) if vocoder is None else vocoder

    @classmethod
    def load(cls, model_dir: Path) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        network, config = load_bundle(model_dir)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        processor = open_processor(config.spec, config.features, model_dir / EXTRACTOR_WEIGHTS_FILE)
        vocoder = None
        if config.vocoder is not None:
            vocoder = load_vocoder(model_dir, config.vocoder).to(device)
        return cls(network.to(device), config, processor, vocoder)

    @property
    def processor(self) -> VideoProcessor:
        """Computes the visual features.

        Raises:
            ModelError: if its extractors have weights and were not given.
        """
        if self._processor is None:
            raise ModelError(
                "the weights of the model's extractors are not at hand: load the model directory"
            )
        return self._processor

    def mel(
        self,
        condition_TC: np.ndarray,
        *,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> torch.Tensor:
        """Draw a log-mel spectrogram for visual features; arguments as of `Draw`.

        Returns:
            (M, B) with M = T * `mel_per_frame`.

        Raises:
            ModelError: if the features are not those that the model was trained on.
        """
        return self.mels([Draw(condition_TC, seed, steps, guidance)])[0]

    def mels(
        self, draws: Sequence[Draw], on_progress: Callable[[float], None] = lambda _: None
    ) -> list[torch.Tensor]:
        """Draw several, each as `mel`; those with the same steps and guidance share network calls.

        Args:
            draws: what to draw.
            on_progress: told how much of it is done, 0..1.

        Raises:
            ModelError: if features are not those that the model was trained on.
        """
        groups: dict[Sampling, list[int]] = defaultdict(list)
        for index, draw in enumerate(draws):
            self._check(draw.condition_TC)
            groups[self._sampling(draw)].append(index)
        mels: dict[int, torch.Tensor] = {}
        for n_done, (sampling, indices) in enumerate(groups.items()):
            scenes = [self._scene(draws[index]) for index in indices]

            def on_step(share: float, n_done: int = n_done) -> None:
                on_progress((n_done + share) / len(groups))

            tokens = sample_flows(
                self._network, scenes, self.config.window_frames, sampling, on_step
            )
            for index, tokens_TD in zip(indices, tokens, strict=True):
                mel_MB = tokens_TD.cpu().reshape(-1, self.config.spec.n_mels)
                mels[index] = mel_MB * self.config.mel_std + self.config.mel_mean
        return [mels[index] for index in range(len(draws))]

    def see(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Compute the visual features of a video of any length: float32 (T, C).

        Args:
            frames_THWC: uint8 (T, H, W, 3), RGB, one each 1/fps seconds; may be mapped from disk.
        """
        return self.processor.of_frames(frames_THWC)

    def see_picture(self, frame_HWC: np.ndarray, duration_s: float) -> np.ndarray:
        """Compute the visual features of a still picture: float32 (T, C), all rows alike.

        Args:
            frame_HWC: uint8 (H, W, 3), RGB.
            duration_s: how long it is shown, in seconds.
        """
        return self.processor.of_picture(frame_HWC, self.config.spec.frames(duration_s))

    def picture(
        self,
        frame_HWC: np.ndarray,
        duration_s: float,
        *,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> np.ndarray:
        """Generate a sound that fits a still picture.

        Args:
            frame_HWC: uint8 (H, W, 3), RGB, of any size.
            duration_s: length of the sound, in seconds.
            seed: another seed, another variation.
            steps: see `Draw`.
            guidance: see `Draw`.

        Returns:
            float32 (N,) in -1..1.
        """
        condition_TC = self.see_picture(frame_HWC, duration_s)
        draw = Draw(condition_TC, seed, steps, guidance, is_still=True)
        return self.vocode(self.mels([draw])[0])

    def _sampling(self, draw: Draw) -> Sampling:
        config = self.config
        guidance = config.guidance if draw.guidance is None else draw.guidance
        return Sampling(draw.steps or config.sampling_steps, guidance, config.sampler)

    def _scene(self, draw: Draw) -> Scene:
        condition_TC = torch.from_numpy(draw.condition_TC).float().to(self._device)
        return Scene(condition_TC, draw.seed, draw.is_still)

    def _check(self, condition_TC: np.ndarray) -> None:
        dim = self.config.network.condition_dim
        if condition_TC.ndim != 2 or condition_TC.shape[1] != dim or not len(condition_TC):
            raise ModelError(
                f"features of shape {condition_TC.shape} where (T, {dim}) is needed, T at least 1: "
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
            steps: see `Draw`.
            guidance: see `Draw`.

        Returns:
            float32 (N,) in -1..1, N = `spec.samples(T)`.
        """
        mel_MB = self.mel(self.see(frames_THWC), seed=seed, steps=steps, guidance=guidance)
        return self.vocode(mel_MB)

    def vocode(self, mel_MB: torch.Tensor) -> np.ndarray:
        """Sound of a log-mel spectrogram (M, B): float32 (N,) in -1..1, N = M * hop."""
        return self.unbounded(mel_MB).clip(-1, 1)

    def unbounded(self, mel_MB: torch.Tensor) -> np.ndarray:
        """The same before it is clipped: what the model draws may be louder than sound can be."""
        return self._vocoder(mel_MB).numpy()
