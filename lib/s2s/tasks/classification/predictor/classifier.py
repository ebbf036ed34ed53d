"""A trained classifier, from arrays of a clip to probabilities.

Legend: T frames, M mel frames, L classes, V views.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from s2s.tasks.classification.network import ClipInputs
from s2s.tasks.classification.network.directory import ModelConfig, load_model
from s2s.tasks.classification.network.shape import count_gflops
from s2s.tasks.classification.processor import ClipArrays, ClipProcessor, ProcessorConfig, View

__all__ = ["Classifier"]

_VIEWS_AT_A_TIME = 8
"""So that 10 × 3 views of a large network need no more memory than a batch of training."""


class Classifier:
    """Probabilities of classes.

    Args:
        network: the trained network; it runs on its device.
        config: what goes with it.
    """

    def __init__(self, network: torch.nn.Module, config: ModelConfig) -> None:
        self.config = config
        self.classes = config.classes
        self.processor = ClipProcessor(ProcessorConfig.model_validate(config.processor))
        self._network = network
        self._device = next(network.parameters()).device

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        network, config, _ = load_model(folder)
        return cls(network.to("cuda" if torch.cuda.is_available() else "cpu"), config)

    @torch.inference_mode()
    def scores(self, inputs: ClipInputs) -> torch.Tensor:
        """Scores of a batch, float32 (B, L)."""
        placed = ClipInputs(
            *(
                None if part is None else part.to(self._device)
                for part in (
                    inputs.frames_BTCHW,
                    inputs.has_frame_BT,
                    inputs.mel_BMK,
                    inputs.has_sound_B,
                )
            )
        )
        return self._network(placed).float().cpu()

    @property
    def gflops(self) -> float:
        """Operations of one view of a clip, see `count_gflops`."""
        spec = self.processor.config.spec
        return count_gflops(self._network, self.config.network, spec.mel_frames(spec.frames()))

    def probabilities(self, scores_BL: torch.Tensor) -> np.ndarray:
        """Of scores: they add up to one, or are each apart where a clip may have several."""
        said = scores_BL.sigmoid() if self.config.multi_label else scores_BL.softmax(dim=1)
        return said.double().numpy()

    def chances(self, arrays: ClipArrays, views: int = 1, crops: int = 1) -> np.ndarray:
        """Probabilities of a clip's classes, float64 (L,): the mean over its views.

        Args:
            arrays: the clip's frames and log-mel.
            views: places in time.
            crops: places from side to side, for each of them.
        """
        chosen, said = views_of(views, crops), []
        for start in range(0, len(chosen), _VIEWS_AT_A_TIME):
            some = chosen[start : start + _VIEWS_AT_A_TIME]
            inputs = self.processor.inputs([arrays] * len(some), some)
            said.append(self.probabilities(self.scores(inputs)))
        return np.concatenate(said).mean(axis=0)


def views_of(views: int, crops: int) -> Sequence[View]:
    """Evenly spaced places in time, and from side to side; the middle where there is one."""
    times = np.linspace(0, 1, views) if views > 1 else [0.5]
    places = np.linspace(0, 1, crops) if crops > 1 else [0.5]
    return [View(time=float(time), across=float(place)) for time in times for place in places]
