"""Figures by networks that others have trained: PaSST, VGGish, ImageBind, Synchformer.

They are computed by av-benchmark (github.com/hkchengrex/av-benchmark), where somebody has
installed it and its weights: sounds and videos are written in the layout that it reads, it is run
as a program of its own, and what it prints is taken in.

real/<clip_id>.wav      the clips' own sound
video/<clip_id>.mp4     their pictures
<system>/<clip_id>.wav  a system's sound
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from s2s.errors import StageError

__all__ = ["EXTERNAL_FIGURES", "read_output", "run_av_benchmark"]


@dataclass(frozen=True)
class ExternalFigure:
    """A figure of av-benchmark.

    Attributes:
        theirs: what it calls the figure.
        name: what it is called here.
        title: of its column.
    """

    theirs: str
    name: str
    title: str


EXTERNAL_FIGURES = (
    ExternalFigure("FD-PASST", "fd_passt", "FD PaSST"),
    ExternalFigure("FD-VGG", "fd_vggish", "FD VGGish"),
    ExternalFigure("ISC-PASST-mean", "is_passt", "IS"),
    ExternalFigure("KL-PASST-softmax", "kl_passt", "KL PaSST"),
    ExternalFigure("IB-Score", "ib_score", "IB-score"),
    ExternalFigure("DeSync", "desync_s", "DeSync, s"),
)
_LINE = re.compile(r"([A-Za-z][\w-]*)\s*:\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*$", re.MULTILINE)


def run_av_benchmark(
    program: Path, folder: Path, systems: list[str], duration_s: float
) -> dict[str, dict[str, float]]:
    """Have the systems' sounds measured.

    Args:
        program: a checkout of av-benchmark; with an environment `.venv` in it, or installed in
            this one.
        folder: sounds and videos in its layout; it keeps its features there too.
        systems: names of the sub-folders to be measured.
        duration_s: of every clip.

    Returns:
        figures of each system by our names.

    Raises:
        StageError: if the program is not there or fails.
    """
    length, cache = f"--audio_length={duration_s:g}", str(folder / "cache" / "real")
    video = str(folder / "video")
    _run(program, "extract_video.py", ["--gt_cache", cache, "--video_path", video, length])
    figures = {}
    for system in systems:
        paths = ["--gt_audio", str(folder / "real"), "--gt_cache", cache]
        paths += ["--pred_audio", str(folder / system)]
        paths += ["--pred_cache", str(folder / "cache" / system)]
        figures[system] = read_output(_run(program, "evaluate.py", [*paths, length, "--skip_clap"]))
    return figures


def read_output(text: str) -> dict[str, float]:
    """Figures in what the program printed, by our names."""
    found = {name: float(value) for name, value in _LINE.findall(text)}
    return {one.name: found[one.theirs] for one in EXTERNAL_FIGURES if one.theirs in found}


def _run(program: Path, script: str, arguments: list[str]) -> str:
    own = program / ".venv" / "bin" / "python"
    command = [str(own) if own.exists() else sys.executable, script, *arguments]
    if not (program / script).is_file():
        raise StageError(
            f"{program}: has no {script}: --av-benchmark must name a checkout of av-benchmark"
        )
    done = subprocess.run(
        command,
        cwd=program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-1:] or ["no output"]
        raise StageError(f"av-benchmark's {script} ended with {done.returncode}: {last[0]}")
    return done.stdout
