"""Packets and a sound as an mp4."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, Packet
from av.video.stream import VideoStream

__all__ = ["write_movie"]

_MOVIE_OPTIONS = {"movflags": "+faststart", "movie_timescale": "90000", "fflags": "+bitexact"}


def write_movie(
    output: Path,
    template: VideoStream,
    extradata: bytes | None,
    packets: list[Packet],
    sound: tuple[np.ndarray, int],
) -> None:
    """Write an mp4 of packets and a sound, which is encoded as mono AAC.

    Args:
        output: the mp4.
        template: the stream that the packets are of.
        extradata: parameter sets of the packets, where those are others than the stream's.
        packets: the picture, in decoding order.
        sound: float32 (N,) and its rate.
    """
    samples, rate_hz = sound
    time_base = template.time_base or Fraction(1, av.time_base)
    with av.open(f"file:{output.absolute()}", "w", format="mp4", options=_MOVIE_OPTIONS) as file:
        # Opaque: of what is only copied no encoder is looked for; AV1's decoder has none.
        picture = file.add_stream_from_template(template, opaque=extradata is None)
        picture.time_base = time_base
        if extradata is not None:
            picture.codec_context.extradata = extradata
        audio = file.add_stream("aac", rate=rate_hz, layout="mono")
        audio.codec_context.options = {"aac_coder": "fast"}
        for packet in packets:
            packet.stream = picture
            file.mux(packet)
        for first in range(0, len(samples), 1024):
            block = samples[None, first : first + 1024]
            frame = AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
            frame.pts = first
            file.mux(audio.encode(frame))
        file.mux(audio.encode(None))
