"""Memory of a worker that cuts 10 s clips out of 300 s of 1080p: itself and its ffmpeg.

python benchmarks/media_memory.py
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import long_video

from preprocessing.cut import cut_clips
from s2s.records import ClipRecord
from s2s.settings import Recipe


def main() -> None:
    """Print the peak of each mode, or be the worker of one."""
    if len(sys.argv) == 5:
        mode, n_clips, source, folder = sys.argv[1:]
        work(mode, int(n_clips), Path(source), Path(folder))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = long_video(Path(folder), 1080)
        for mode, n_clips in (("encode", 1), ("encode", 8), ("smart", 1), ("copy", 1)):
            command = [sys.executable, __file__, mode, str(n_clips), str(source), folder]
            subprocess.run(command, check=True)


def work(mode: str, n_clips: int, source: Path, folder: Path) -> None:
    """Cut clips that overlap, and print the peaks."""
    recipe = Recipe.model_validate(
        {
            "name": "benchmark",
            "collection": {"catalog": "none.csv"},
            "preprocessing": {"video": mode},
        }
    )
    clips = [ClipRecord(source_id="a", start_s=152.5 + k, end_s=162.5 + k) for k in range(n_clips)]
    for result in cut_clips(source, clips, recipe, folder):
        if isinstance(result, Exception):
            raise result
    own, child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    name = f"{mode}, {n_clips} clips in one pass"
    print(f"{name:30} {own:6.0f} MiB, its ffmpeg {child:6.0f} MiB, together {own + child:6.0f} MiB")


if __name__ == "__main__":
    main()
