"""Frames as a folder of JPEG files, for programs that want files."""

from pathlib import Path

from s2s.media.ffmpeg import input_args, run_ffmpeg
from s2s.media.read.probe import picture_index, probe

__all__ = ["write_jpegs"]


def write_jpegs(path: Path, folder: Path, fps: float | None = None, height: int = 256) -> int:
    """Write a video's frames as `image_00001.jpg`, `image_00002.jpg`, ...

    Args:
        path: the video.
        folder: where they go; made if it is not there.
        fps: frames a second, and one in all at least; None for every frame of the video.
        height: of the pictures in pixels; the width follows.

    Returns:
        the number of files.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if it cannot be decoded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rate = ["-fps_mode", "passthrough"] if fps is None else []
    scale = f"scale=w='max(2,2*round(iw*sar*{height}/ih/2))':h={height},setsar=1"
    filters = scale
    if fps is not None:
        # What is shorter than half a step would be rounded to nothing.
        is_short = probe(path).duration_s * fps < 1
        filters = f"fps={fps}{':eof_action=pass' * is_short},{scale}"
    # A percent sign in the folder's name is not part of the pattern.
    pattern = f"{str(folder.absolute()).replace('%', '%%')}/image_%05d.jpg"
    args = [
        *input_args(path, "-threads", "1"),
        "-map",
        f"0:{picture_index(path)}",
        "-vf",
        filters,
        *rate,
    ]
    run_ffmpeg([*args, "-q:v", "2", "-f", "image2", f"file:{pattern}"], name=path.name)
    return sum(1 for _ in folder.glob("image_*.jpg"))
