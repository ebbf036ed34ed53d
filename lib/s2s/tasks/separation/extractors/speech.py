"""Whether somebody speaks, by the network of Silero VAD (https://github.com/snakers4/silero-vad).

Its weights for 16 kHz come with its package as safetensors; the network is written here again.

Legend: C chunks of 512 samples, N samples.
"""

from functools import lru_cache

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from s2s.errors import ModelError
from s2s.media import SoundSpan, resample
from s2s.tasks.separation.extractors.package_files import packaged_file

__all__ = ["SPEECH_RATE_HZ", "speech_chances", "speech_share"]

SPEECH_RATE_HZ = 16_000
_CHUNK, _CONTEXT, _PAD = 512, 64, 64
_FREQUENCIES, _WIDTH = 129, 128
_SPEECH = 0.5


class _Detector(nn.Module):
    """Magnitudes of a short Fourier transform, four convolutions, an LSTM, one number."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _FREQUENCIES, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(_FREQUENCIES, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, _WIDTH, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(_WIDTH, _WIDTH)
        self.final_conv = nn.Conv1d(_WIDTH, 1, 1)

    @torch.inference_mode()
    def forward(self, chunks_CN: torch.Tensor) -> torch.Tensor:
        """Chances of speech, (C,), in chunks that follow each other, each with what is before."""
        padded = nn.functional.pad(chunks_CN, (0, _PAD), mode="reflect")
        spectrum = self.stft_conv(padded[:, None])
        features = (spectrum[:, :_FREQUENCIES] ** 2 + spectrum[:, _FREQUENCIES:] ** 2).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            features = layer(features).relu()
        state = (torch.zeros(1, _WIDTH), torch.zeros(1, _WIDTH))
        said = []
        for chunk in features[:, :, 0]:
            state = self.lstm_cell(chunk[None], state)
            said.append(state[0])
        return self.final_conv(torch.cat(said).relu()[..., None]).sigmoid()[:, 0, 0]


def speech_chances(samples_N: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """How likely somebody speaks in each 32 ms.

    Args:
        samples_N: float32 (N,), mono, -1..1.
        sample_rate_hz: its rate; the network hears 16 kHz.

    Returns:
        float32 (C,), 0..1; a last chunk that is not full is filled up with silence.

    Raises:
        ModelError: if the weights are not installed, or are others.
    """
    heard_N = resample(SoundSpan(samples_N.astype(np.float32), sample_rate_hz), SPEECH_RATE_HZ)
    count = max(1, -(-len(heard_N) // _CHUNK))
    padded = np.zeros(_CONTEXT + count * _CHUNK, np.float32)
    padded[_CONTEXT : _CONTEXT + len(heard_N)] = heard_N
    chunks = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + _CHUNK)[::_CHUNK]
    return _detector()(torch.from_numpy(chunks.copy())).numpy()


def speech_share(samples_N: np.ndarray, sample_rate_hz: int) -> float:
    """The share of the time in which somebody speaks, 0..1."""
    return float((speech_chances(samples_N, sample_rate_hz) > _SPEECH).mean())


@lru_cache(maxsize=1)
def _detector() -> _Detector:
    """A process loads it once.

    Raises:
        ModelError: see `speech_chances`.
    """
    path = packaged_file("silero-vad", "silero_vad", "data/silero_vad_16k.safetensors")
    network = _Detector()
    try:
        network.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ModelError(f"{path}: weights of another network ({error})") from error
    return network.eval()
