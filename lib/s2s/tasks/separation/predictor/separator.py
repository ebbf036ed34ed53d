"""A trained separator on sound of any length: windows that overlap, one voice for one face.

Legend: B windows, N samples, T pictures, S faces, D lip values, K voices.
"""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from s2s.tasks.separation.extractors import LIPS
from s2s.tasks.separation.network.directory import ModelConfig, load_model
from s2s.tasks.separation.predictor.matching import assign_voices, fit_of

__all__ = ["Separator"]

_WINDOWS_AT_A_TIME = 8
_LEAST_FADE = 1e-3


class Separator:
    """Finds the voices of faces.

    Args:
        network: the trained network; it runs on its device.
        config: what goes with it.

    Attributes:
        network: the same, in evaluation mode.
        sample_rate_hz: of mixtures and voices.
        fps: lip streams' instants a second.
    """

    def __init__(self, network: torch.nn.Module, config: ModelConfig) -> None:
        self.config = config
        self.sample_rate_hz = config.network.sample_rate_hz
        self.fps = config.network.fps
        self.network: Any = network
        self._device = next(network.parameters()).device

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        network, config, _ = load_model(folder)
        return cls(network.to("cuda" if torch.cuda.is_available() else "cpu"), config)

    @property
    def is_on_cpu(self) -> bool:
        """Whether the network runs on a CPU."""
        return self._device.type == "cpu"

    @property
    def samples_per_picture(self) -> int:
        """Samples of sound for one picture."""
        return self.sample_rate_hz // self.fps

    def separate(
        self, mixture_N: np.ndarray, lips_STD: np.ndarray, seen_ST: np.ndarray
    ) -> np.ndarray:
        """Every face's voice, float32 (S, N).

        Windows overlap by half and are faded into each other. A network that is shown faces gives
        a face its own voice in every window. Voices by sound alone come in any order: those of a
        window are put in the order in which they go on best from the window before, and in the end
        given to the faces whose lips move along with them.

        Args:
            mixture_N: float32, as long as the pictures.
            lips_STD: lip streams.
            seen_ST: where each face was seen.
        """
        if self.config.network.kind != "audio_only":
            return self._joined(mixture_N, lips_STD, seen_ST)
        faces = len(lips_STD)
        none_STD = np.zeros((1, lips_STD.shape[1], LIPS), np.float16)
        voices_KN = self._joined(mixture_N, none_STD, seen_ST[:1])
        fits = [
            [fit_of(lips_STD[n], seen_ST[n], voice_N) for voice_N in voices_KN]
            for n in range(faces)
        ]
        found_SN = np.zeros((faces, len(mixture_N)), np.float32)
        for n, voice in enumerate(assign_voices(np.array(fits))):
            if voice is not None:
                found_SN[n] = voices_KN[voice]
        return found_SN

    def _joined(
        self, mixture_N: np.ndarray, lips_STD: np.ndarray, seen_ST: np.ndarray
    ) -> np.ndarray:
        """Rows of all windows, faded into each other."""
        whole = seen_ST.shape[1]
        length = min(whole, max(1, round(self.config.window_s * self.fps)))
        starts = [*range(0, whole - length, max(1, length // 2)), whole - length]
        per_picture = self.samples_per_picture
        size = length * per_picture
        sum_SN, weight_N = np.zeros((0, 0), np.float32), np.zeros(whole * per_picture, np.float32)
        fade_N = np.maximum(np.hanning(size + 2)[1:-1], _LEAST_FADE).astype(np.float32)
        end = 0
        for start, found_SN in self._windows(mixture_N, lips_STD, seen_ST, starts, length):
            begin = start * per_picture
            if not len(sum_SN):
                sum_SN = np.zeros((len(found_SN), len(weight_N)), np.float32)
            order = list(range(len(found_SN)))
            if self.config.network.kind == "audio_only" and end > begin:
                known_SN = sum_SN[:, begin:end] / weight_N[begin:end]
                order = _order(known_SN, found_SN[:, : end - begin])
            sum_SN[:, begin : begin + size] += fade_N * found_SN[order]
            weight_N[begin : begin + size] += fade_N
            end = begin + size
        return sum_SN / weight_N

    @torch.inference_mode()
    def _windows(
        self,
        mixture_N: np.ndarray,
        lips_STD: np.ndarray,
        seen_ST: np.ndarray,
        starts: list[int],
        length: int,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Start of every window in pictures, and what the network finds in it, (S, N)."""
        per_picture = self.samples_per_picture
        for first in range(0, len(starts), _WINDOWS_AT_A_TIME):
            some = starts[first : first + _WINDOWS_AT_A_TIME]
            mixture_BN = np.stack(
                [mixture_N[at * per_picture : (at + length) * per_picture] for at in some]
            )
            heard_BN = torch.from_numpy(mixture_BN).to(self._device)
            if self.config.network.kind == "audio_only":
                found_BSN = self.network.voices(heard_BN)
            else:
                parts = (
                    np.stack([whole[:, at : at + length] for at in some])
                    for whole in (lips_STD.astype(np.float32), seen_ST)
                )
                lips_BSTD, seen_BST = (torch.from_numpy(x).to(self._device) for x in parts)
                found_BSN = self.network(heard_BN, lips_BSTD, seen_BST)
            yield from zip(some, found_BSN.float().cpu().numpy(), strict=True)


def _order(known_SN: np.ndarray, found_SN: np.ndarray) -> list[int]:
    """Which of the rows that were found goes on from each that is known."""
    alike = known_SN @ found_SN.T
    rows = range(len(known_SN))
    return list(max(permutations(rows), key=lambda chosen: sum(alike[n, chosen[n]] for n in rows)))
