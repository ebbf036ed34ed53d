"""Two talkers in one film: what a served model is shown with."""

from pathlib import Path

from s2s.media import input_args, probe, run_ffmpeg

__all__ = ["compose_pair"]


def compose_pair(left: Path, right: Path, output: Path) -> None:
    """Write an mp4 of two clips side by side, with the sum of their sounds.

    It is as high as the lower of both, and as long as the shorter.

    Args:
        left: a clip with picture and sound.
        right: another one.
        output: the mp4.

    Raises:
        MediaError: if a clip cannot be read.
    """
    shapes = probe(left), probe(right)
    height = min(shape.height for shape in shapes) // 2 * 2
    fitted = f"scale=-2:{height},setsar=1,fps={shapes[0].fps:g}"
    graph = (
        f"[0:v]{fitted}[left];[1:v]{fitted}[right];[left][right]hstack=shortest=1[picture];"
        "[0:a][1:a]amix=inputs=2:duration=shortest:normalize=0[sound]"
    )
    run_ffmpeg(
        [
            *[*input_args(left), *input_args(right), "-filter_complex", graph],
            *["-map", "[picture]", "-map", "[sound]", "-shortest", "-threads", "1"],
            *["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"],
            *["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"],
            *["-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=left.name,
    )
