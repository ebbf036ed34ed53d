"""Both sides of a comparison as whole processes, in turn, in the same run."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "Cost", "Side", "compare", "long_video", "real_clips"]

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / ".s2s" / "benchmark-packages"
_SLOW_S = 10.0


@dataclass(frozen=True)
class Side:
    """One way of doing the same thing.

    Attributes:
        command: what is run.
        idle: the same process without the work, such as one that only imports; None for none.
        repeats: how often the process does the work; costs are those of once.
    """

    command: Sequence[str]
    idle: Sequence[str] | None = None
    repeats: int = 1


@dataclass(frozen=True)
class Cost:
    """Medians of what a whole process took, with its children, for doing the work once.

    Attributes:
        cpu_s: user and system time.
        work_s: the same without what the idle process took.
        wall_s: time on the clock.
        runs: how many processes there were.
        repeats: how often each of them did the work.
    """

    cpu_s: float
    work_s: float
    wall_s: float
    runs: int
    repeats: int


def compare(sides: Mapping[str, Side], runs: int = 5) -> dict[str, Cost]:
    """Run every side in turn, and print what they took and what each is of the first.

    Args:
        sides: by name; the first is what the others are compared with.
        runs: of each; 3 of those that take more than 10 s.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            if len(taken[name]) < 3 or max(cpu for cpu, _ in taken[name]) < _SLOW_S:
                taken[name].append(_run(side.command))
    costs = {}
    for name, side in sides.items():
        cpu_s = statistics.median(cpu for cpu, _ in taken[name])
        idle_s = statistics.median(_run(side.idle)[0] for _ in range(3)) if side.idle else 0.0
        wall_s = statistics.median(wall for _, wall in taken[name])
        n = side.repeats
        work_s = max(cpu_s - idle_s, 1e-3)
        costs[name] = Cost(cpu_s / n, work_s / n, wall_s / n, len(taken[name]), n)
    _print(costs)
    return costs


def real_clips() -> list[Path]:
    """Real clips of 10 s, from the folder that the tests use (S2S_TEST_DATA)."""
    data = Path(os.environ.get("S2S_TEST_DATA", ROOT.parent / "shared" / "data"))
    clips = sorted((data / "clips" / "vggsound").glob("*.mp4"))
    if not clips:
        sys.exit(f"no real clips in {data}: set S2S_TEST_DATA to a folder that has them")
    return clips


def long_video(folder: Path, height: int = 720) -> Path:
    """A real clip at some height, over and over for 300 s: H.264, a keyframe every 5 s."""
    from s2s.media import run_ffmpeg  # noqa: PLC0415 - not part of what others are measured with

    path = folder / f"long-{height}.mp4"
    if not path.exists():
        short = folder / f"short-{height}.mp4"
        scale = ["-vf", f"scale=-2:{height}", "-r", "30", "-preset", "veryfast", "-g", "150"]
        scale += ["-sc_threshold", "0", "-c:a", "aac"]
        run_ffmpeg(["-i", str(real_clips()[0]), *scale, "-t", "10", str(short)], "short")
        loop = ["-stream_loop", "29", "-i", str(short), "-c", "copy", str(path)]
        run_ffmpeg(loop, "long")
    return path


def _run(command: Sequence[str]) -> tuple[float, float]:
    """CPU and wall-clock seconds of one process and its children."""
    path = os.pathsep.join([str(PACKAGES), os.environ.get("PYTHONPATH", "")])
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{shutil.which(command[0])} {' '.join(command[1:])}: status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started


def _print(costs: Mapping[str, Cost]) -> None:
    first = next(iter(costs.values()))
    print(
        f"{'':34} {'CPU s':>8} {'less':>6} {'without start-up':>17} {'less':>6} {'wall s':>8} runs"
    )
    for name, cost in costs.items():
        print(
            f"{name:34} {cost.cpu_s:8.3f} {first.cpu_s / cost.cpu_s:6.1f}× {cost.work_s:17.3f} "
            f"{first.work_s / cost.work_s:6.1f}× {cost.wall_s:8.2f} {cost.runs} × {cost.repeats}"
        )
