"""What a classifier is given of a batch of clips.

Legend: B batch, T frames, C channels, H height, W width, M mel frames, K mel bands.
"""

from dataclasses import dataclass

import torch

__all__ = ["ClipInputs"]


@dataclass(frozen=True)
class ClipInputs:
    """Clips as networks take them.

    Attributes:
        frames_BTCHW: float32, normalised; zero where `has_frame_BT` is false. None without
            pictures.
        has_frame_BT: which frames there are; the others only fill a short clip up.
        mel_BMK: float32, normalised log-mel. None without sound.
        has_sound_B: which clips have sound.
    """

    frames_BTCHW: torch.Tensor | None = None
    has_frame_BT: torch.Tensor | None = None
    mel_BMK: torch.Tensor | None = None
    has_sound_B: torch.Tensor | None = None

    def frames(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames, and which there are.

        Raises:
            ValueError: without pictures.
        """
        if self.frames_BTCHW is None or self.has_frame_BT is None:
            raise ValueError("the network sees, but the batch has no frames")
        return self.frames_BTCHW, self.has_frame_BT

    def sound(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-mel, and which clips have sound.

        Raises:
            ValueError: without sound.
        """
        if self.mel_BMK is None or self.has_sound_B is None:
            raise ValueError("the network hears, but the batch has no sound")
        return self.mel_BMK, self.has_sound_B

    def senses(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Which clips have a picture, and which have sound: bool (B,) each.

        Raises:
            ValueError: without pictures, or without sound.
        """
        return self.frames()[1].any(dim=1), self.sound()[1]
