"""Sound on a video, and off it, without touching the picture."""

from pathlib import Path

from s2s.media.ffmpeg import input_args, run_ffmpeg

__all__ = ["add_sound", "drop_sound"]

_FASTSTART = ["-movflags", "+faststart"]
# AAC comes in frames of 1024 samples: the higher the rate, the less is left over at the end.
_SOUND_RATE_HZ = "48000"


def add_sound(video: Path, sound: Path, output: Path) -> None:
    """Write an mp4 of a video's picture, copied packet by packet, and a sound as AAC.

    Args:
        video: where the picture is from; sound that it has is left out.
        sound: a wav file that starts with the picture.
        output: the mp4.

    Raises:
        MediaError: if ffmpeg cannot do it, for instance for a codec that mp4 does not hold.
    """
    run_ffmpeg(
        [
            *input_args(video),
            *input_args(sound),
            *["-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy"],
            *["-c:a", "aac", "-b:a", "128k", "-ar", _SOUND_RATE_HZ],
            *_FASTSTART,
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
    )


def drop_sound(video: Path, output: Path) -> None:
    """Write an mp4 of a video's picture alone, copied packet by packet.

    Raises:
        MediaError: if ffmpeg cannot do it.
    """
    run_ffmpeg(
        [
            *input_args(video),
            *["-map", "0:v:0", "-c:v", "copy", *_FASTSTART],
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=video.name,
    )
