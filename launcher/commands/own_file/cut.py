"""A part of a video, kept as `<NAME>_cut.mp4`."""

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from s2s.errors import SettingsError
from s2s.logs import console
from s2s.media import input_args, probe, run_ffmpeg
from s2s.workspace import free_names, replacing

__all__ = ["DurationOption", "EndOption", "StartOption", "cut_span", "cut_video", "seconds_of"]

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)", re.ASCII)


def seconds_of(text: str | float) -> float:
    """A time as seconds: `90` or `1:30`, or `0:01:30`, with decimals or without.

    Raises:
        typer.BadParameter: if it is neither.
    """
    found = _TIME.fullmatch(str(text))
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no time: give seconds, such as 90 or 7.5, or minutes and seconds, such "
            "as 1:30"
        )
    hours, minutes, seconds = found.groups(default="0")
    is_clock = found[2] is not None
    if (is_clock and float(seconds) >= 60) or (found[1] is not None and int(minutes) >= 60):
        raise typer.BadParameter(
            f"{text!r} is no time: behind a colon there are less than 60 minutes or seconds"
        )
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _time_option(told: str) -> Any:
    return typer.Option(parser=seconds_of, metavar="TIME", help=told)


StartOption = Annotated[
    float | None,
    _time_option(
        "Take the file from here on, in seconds or as 1:30; needs an --end-time or a --duration."
    ),
]
EndOption = Annotated[float | None, _time_option("To here, or to the file's end.")]
DurationOption = Annotated[float | None, _time_option("So long, instead of an --end-time.")]
"""Options that say which part, for `cut_span`."""

_AAC_BITS = "256k"
# So much less than was asked for is told.
_MISSING_S = 0.1


def cut_span(
    start_s: float | None, end_s: float | None, duration_s: float | None
) -> tuple[float, float] | None:
    """Start and length of a cut in seconds; None if nothing is to be cut.

    Raises:
        SettingsError: if the times do not say which part it is.
    """
    for option, value in (("start-time", start_s), ("end-time", end_s), ("duration", duration_s)):
        if value is not None and not math.isfinite(value):
            raise SettingsError(f"--{option} {value:g}: give a number of seconds")
    if end_s is not None and duration_s is not None:
        raise SettingsError("--end-time and --duration: give one of the two")
    if end_s is None and duration_s is None:
        if start_s is not None:
            raise SettingsError("--start-time needs an --end-time or a --duration")
        return None
    start_s = start_s or 0.0
    length_s = duration_s if duration_s is not None else (end_s or 0.0) - start_s
    if length_s <= 0:
        if duration_s is not None:
            raise SettingsError(f"--duration {duration_s:g}: give more than 0 seconds")
        raise SettingsError(
            f"nothing lies between --start-time (second {start_s:g}) and --end-time (second "
            f"{end_s:g}): give a later --end-time"
        )
    return start_s, length_s


def cut_video(file: Path, span: tuple[float, float], folder: Path, *, with_sound: bool) -> Path:
    """Cut a part of a video and keep it; nothing that is there is overwritten.

    Where the video ends before the part does, there is less of it, and that is told.

    Args:
        file: the video.
        span: start and length in seconds.
        folder: gets the part.
        with_sound: whether the part has sound, where the video has.

    Returns:
        the new file, `<NAME>_cut.mp4`, or with a number where that is there.

    Raises:
        SettingsError: if the video ends before the part begins.
        MediaError: if it cannot be read.
    """
    start_s, length_s = span
    found = probe(file)
    if start_s >= found.duration_s:
        raise SettingsError(f"{file.name} ends after {found.duration_s:.2f} s, before --start-time")
    (cut,) = free_names([folder / f"{file.stem}_cut.mp4"])
    sound = ["-c:a", "aac", "-b:a", _AAC_BITS] if with_sound and found.has_audio else ["-an"]
    encoding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", *sound]
    scale = ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
    arguments = [*input_args(file, "-ss", str(start_s)), "-t", str(length_s), *scale, *encoding]
    with replacing(cut) as staged:
        run_ffmpeg([*arguments, "-f", "mp4", f"file:{staged.absolute()}"], file.name)
    told = f"{cut}: {probe(cut).duration_s:.2f} s"
    if start_s + length_s > found.duration_s + _MISSING_S:
        told += f", less than asked for: {file.name} ends after {found.duration_s:.2f} s"
    console.print(told, markup=False, soft_wrap=True)
    return cut
