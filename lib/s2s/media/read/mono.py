"""Sound mixed to one channel: the mean of two, so that nothing is louder than it was."""

import numpy as np
from av import AudioFrame, AudioResampler
from av.audio.plane import AudioPlane

__all__ = ["MonoMixer"]

_S32_SCALE = np.float32(2**31)


class MonoMixer:
    """Mixes the frames of one stream.

    ffmpeg adds channels up where samples are floats, 3 dB too much for two that are alike; where
    they are integers it takes care that nothing is clipped. So whatever is not one or two planes
    of floats, as most decoders give them, is mixed as integers.

    Args:
        rate_hz: samples a second of the result; frames of another rate are resampled.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resamplers: dict[tuple[str, str, int], AudioResampler] = {}

    def mix(self, frame: AudioFrame) -> np.ndarray:
        """Mix a frame.

        Args:
            frame: the frame; its time stamp is taken off.

        Returns:
            float32 (N,), -1..1.
        """
        planes = frame.planes
        same_rate = frame.sample_rate == self._rate_hz
        if frame.format.name == "fltp" and same_rate and len(planes) <= 2:
            channels = [_values(plane, np.float32)[: frame.samples] for plane in planes]
            return channels[0].copy() if len(channels) == 1 else (channels[0] + channels[1]) / 2
        frame.pts = None
        mixed = self._resampler(frame).resample(frame)
        pieces = [_values(piece.planes[0], np.int32)[: piece.samples] for piece in mixed]
        return np.concatenate([np.zeros(0, np.int32), *pieces]).astype(np.float32) / _S32_SCALE

    def _resampler(self, frame: AudioFrame) -> AudioResampler:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind not in self._resamplers:
            self._resamplers[kind] = AudioResampler("s32", "mono", self._rate_hz)
        return self._resamplers[kind]


def _values(plane: AudioPlane, kind: type[np.generic]) -> np.ndarray:
    return np.frombuffer(memoryview(plane), kind)  # pyright: ignore[reportArgumentType]
