"""Whether this machine can read and write what the stages do."""

import os
from collections.abc import Iterable
from typing import Literal

from s2s.media.ffmpeg import ffmpeg_path, small_ffmpeg_path

__all__ = ["DECODERS", "ENCODERS", "ffmpeg_problem", "missing_codecs"]

DECODERS = ("h264", "aac", "pcm_s16le")
ENCODERS = ("libx264", "aac", "pcm_s16le")
"""Codecs that the stages read and write themselves; sources may be in any other."""


def missing_codecs(decoders: Iterable[str] = (), encoders: Iterable[str] = ()) -> list[str]:
    """Codecs that PyAV has not here, as `decoder h264`."""
    # What asks for none need not wait for it.
    from av.codec import Codec  # noqa: PLC0415

    def is_missing(name: str, mode: Literal["r", "w"]) -> bool:
        try:
            Codec(name, mode)
        except ValueError:  # PyAV's UnknownCodecError is one
            return True
        return False

    missing = [f"decoder {name}" for name in decoders if is_missing(name, "r")]
    return missing + [f"encoder {name}" for name in encoders if is_missing(name, "w")]


def ffmpeg_problem(*, small: bool = False) -> str:
    """A sentence about what is wrong with the ffmpeg program; empty if it works.

    Args:
        small: the one that copies is meant.
    """
    try:
        path = small_ffmpeg_path() if small else ffmpeg_path()
    except (ImportError, RuntimeError) as error:
        return f"there is no ffmpeg ({error})"
    return "" if os.access(path, os.X_OK) else f"{path} cannot be started"
