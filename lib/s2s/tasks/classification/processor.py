"""From media to what classifiers see and hear: the same in feature extraction and serving.

Legend: B batch, T frames, C channels, H height, W width, M mel frames, K mel bands, N samples.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from s2s.features.arrays import ClipMedia
from s2s.media import Cover
from s2s.spec import TimeSpec
from s2s.tasks.classification.extractors import JpegFrames, RawFrames
from s2s.tasks.classification.extractors.frames import read_jpegs
from s2s.tasks.classification.network import ClipInputs
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Extractor

__all__ = ["ClipArrays", "ClipProcessor", "ProcessorConfig", "View", "make_processor"]

ClipArrays = tuple[np.ndarray, np.ndarray | None]
"""Frames (T, H, W, C) uint8 and log-mel (M, K) of a clip; no mel where it has no sound."""
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in 0..1; what most weights of timm and torchvision were trained with."""


class ProcessorConfig(BaseModel):
    """How media become a network's input; saved with the model.

    Attributes:
        spec: the time grid; its mel is what is heard.
        frames: how frames are stored.
        frame_rate_hz: frames a second that are read.
        height_px: height of a frame.
        width_px: its width.
        jpeg_quality: of frames that are stored as JPEG.
        sound: whether sound is read.
        n_frames: frames that the network looks at.
        sampling: `even` over the clip, or `consecutive`.
        crop_px: width and height of what it sees of a frame.
        mean: of each colour, in 0..1, taken off.
        std: of each colour, divided by.
        mel_mean: of the log-mel of the training clips, taken off.
        mel_std: divided by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: TimeSpec
    frames: Literal["raw", "jpeg"] = "raw"
    frame_rate_hz: int = Field(ge=1)
    height_px: int = Field(ge=16)
    width_px: int = Field(ge=16)
    jpeg_quality: int = 90
    sound: bool = True
    n_frames: int = Field(ge=1)
    sampling: Literal["even", "consecutive"] = "even"
    crop_px: int = Field(ge=16)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    mel_mean: float = 0.0
    mel_std: float = Field(default=1.0, gt=0)

    @classmethod
    def of(cls, recipe: ClassificationRecipe) -> Self:
        """What a recipe asks for; the mel's scale is measured later."""
        stored, training = recipe.feature_extraction, recipe.training
        return cls(
            spec=recipe.spec,
            frames=stored.frames,
            frame_rate_hz=stored.frame_rate_hz,
            height_px=stored.height_px,
            width_px=stored.width_px,
            jpeg_quality=stored.jpeg_quality,
            sound=stored.sound,
            n_frames=training.frames,
            sampling=training.sampling,
            crop_px=training.crop_px,
        )


class View(BaseModel):
    """One look at a clip.

    Attributes:
        time: where frames are taken when they are consecutive, and by how much they are moved when
            they are even: 0 at the beginning, 1 at the end.
        across: where the crop lies from left to right, 0..1.
        down: where it lies from top to bottom, 0..1.
        scale: width of the crop as a share of the largest square.
        is_flipped: whether it is mirrored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: float = Field(default=0.5, ge=0, le=1)
    across: float = Field(default=0.5, ge=0, le=1)
    down: float = Field(default=0.5, ge=0, le=1)
    scale: float = Field(default=1.0, gt=0, le=1)
    is_flipped: bool = False


class ClipProcessor:
    """From a clip's frames and sound to a network's input.

    Args:
        config: how.
    """

    def __init__(self, config: ProcessorConfig) -> None:
        self.config = config
        self.fps = config.frame_rate_hz
        self.frame_size = Cover(config.width_px, config.height_px)
        self.sample_rate_hz = config.spec.sample_rate_hz if config.sound else None
        self.log_mel = LogMel(config.spec, self.fps)

    @property
    def extractors(self) -> Sequence[Extractor]:
        """What makes the arrays of a shard."""
        config = self.config
        frames: Extractor = RawFrames(self.fps, self.frame_size)
        if config.frames == "jpeg":
            frames = JpegFrames(self.fps, config.jpeg_quality)
        return (frames, self.log_mel) if config.sound else (frames,)

    def stored_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Frames as a shard has them, uint8 (T, H, W, C): JPEG changes them a little."""
        config = self.config
        if config.frames == "raw" or not len(frames_THWC):
            return frames_THWC
        return read_jpegs(JpegFrames(self.fps, config.jpeg_quality).files_of(frames_THWC))

    def stored_mel(self, clip: ClipMedia) -> np.ndarray:
        """Log-mel of a clip as a shard has it, (M, K) in its dtype: what was trained on."""
        spec = self.log_mel.arrays[0]
        return spec.pack(self.log_mel(clip)[spec.name])[spec.name]

    def chosen(self, length: int, view: View) -> np.ndarray:
        """Indices of the frames that are looked at, (n,) with n at most `n_frames`.

        Args:
            length: frames of the clip.
            view: where.
        """
        count = self.config.n_frames
        if length <= count:
            return np.arange(length)
        if self.config.sampling == "consecutive":
            return round(view.time * (length - count)) + np.arange(count)
        # The middle of each of `count` equal stretches, moved within its stretch.
        middles = (np.arange(count) + 0.5 + 0.98 * (view.time - 0.5)) * length / count
        return np.clip(middles.astype(int), 0, length - 1)

    def frames(self, frames_THWC: np.ndarray, view: View) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network sees of a clip; a short one is filled up with zeros.

        Args:
            frames_THWC: the frames that were `chosen`, uint8.
            view: which part of the pictures is used.

        Returns:
            uint8 (n_frames, C, crop_px, crop_px), and which frames there are.
        """
        side, count = self.config.crop_px, self.config.n_frames
        # Colour by colour beside each other, as they are stored: nothing is moved until a network
        # wants another order, and convolutions are fast in this one.
        seen = torch.zeros(count, side, side, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
        has_frame_T = torch.arange(count) < len(frames_THWC)
        if not len(frames_THWC):
            return seen, has_frame_T
        pictures_TCHW = torch.from_numpy(_cropped(frames_THWC, view)).permute(0, 3, 1, 2)
        if pictures_TCHW.shape[2:] != (side, side):
            pictures_TCHW = torch.nn.functional.interpolate(
                pictures_TCHW, (side, side), mode="bilinear", antialias=True
            )
        seen[: len(pictures_TCHW)] = pictures_TCHW.flip(-1) if view.is_flipped else pictures_TCHW
        return seen, has_frame_T

    def normalised(self, frames_BTCHW: torch.Tensor, has_frame_BT: torch.Tensor) -> torch.Tensor:
        """Frames as networks take them, on the device that they are on.

        They stay bytes until here: a loader moves a quarter of what float32 would be.

        Args:
            frames_BTCHW: 0..255, of any dtype.
            has_frame_BT: which there are.

        Returns:
            float32, colours less their mean, divided by their deviation; zero where there is none.
        """
        mean, std = (
            torch.tensor(values, device=frames_BTCHW.device)[:, None, None]
            for values in (self.config.mean, self.config.std)
        )
        normal_BTCHW = (frames_BTCHW / (255 * std)).sub_(mean / std)
        if has_frame_BT.is_cuda or not has_frame_BT.all():  # a GPU multiplies sooner than it tells
            normal_BTCHW *= has_frame_BT[..., None, None, None]
        return normal_BTCHW

    def mel(self, mel_MK: np.ndarray | None) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network hears of a clip; a short one is filled up with zeros.

        Returns:
            float32 (M, K), normalised, of the recipe's duration; and whether there is sound.
        """
        config = self.config
        length = config.spec.mel_frames(config.spec.frames())
        heard = torch.zeros(length, config.spec.n_mels)
        if mel_MK is None:
            return heard, torch.tensor(False)
        given = torch.from_numpy(mel_MK[:length].astype(np.float32))
        heard[: len(given)] = (given - config.mel_mean) / config.mel_std
        return heard, torch.tensor(True)

    def inputs(self, clips: Sequence[ClipArrays], views: Sequence[View]) -> ClipInputs:
        """A batch: every clip in the view beside it.

        Args:
            clips: all frames, and the log-mel, of each clip.
            views: one for each.
        """
        seen = [
            self.frames(frames[self.chosen(len(frames), view)], view)
            for (frames, _), view in zip(clips, views, strict=True)
        ]
        heard = [self.mel(mel) for _, mel in clips]
        frames_BTCHW, has_frame_BT = (torch.stack(part) for part in zip(*seen, strict=True))
        mel_BMK, has_sound_B = (torch.stack(part) for part in zip(*heard, strict=True))
        seen_BTCHW = self.normalised(frames_BTCHW, has_frame_BT)
        return ClipInputs(seen_BTCHW, has_frame_BT, mel_BMK, has_sound_B)


def make_processor(recipe: ClassificationRecipe, weights: Path | None) -> ClipProcessor:  # noqa: ARG001
    """The processor that a recipe asks for; its extractors have no weights."""
    return ClipProcessor(ProcessorConfig.of(recipe))


def _cropped(frames_THWC: np.ndarray, view: View) -> np.ndarray:
    """A square part of every frame."""
    height, width = frames_THWC.shape[1:3]
    side = max(1, round(view.scale * min(height, width)))
    top, left = round(view.down * (height - side)), round(view.across * (width - side))
    return frames_THWC[:, top : top + side, left : left + side]
