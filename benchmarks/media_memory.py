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
from preprocessing.stage import most_together
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

# Mode, and shorter side of the picture; in a pass as many clips as preprocessing puts there.
CASES = [
    *(("encode", size) for size in (128, 256, 480, 720, 1080)),
    *((mode, 1080) for mode in ("smart", "copy")),
]


def main() -> None:
    """Print the peak of each mode, or be the worker of one."""
    if len(sys.argv) == 6:
        mode, short_side_px, n_clips, source, folder = sys.argv[1:]
        work(mode, int(short_side_px), int(n_clips), (Path(source), Path(folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = long_video(Path(folder), 1080)
        for mode, short_side_px in CASES:
            n_clips = str(1 if mode != "encode" else most_together(recipe(mode, short_side_px)))
            case = [mode, str(short_side_px), n_clips, str(source), folder]
            command = [sys.executable, __file__, *case]
            subprocess.run(command, check=True)


def recipe(mode: str, short_side_px: int) -> GenerationRecipe:
    """A recipe that cuts so."""
    preprocessing = {"video": mode, "short_side_px": short_side_px}
    content = {"collection": {"catalog": "none.csv"}, "preprocessing": preprocessing}
    return GenerationRecipe.model_validate({"name": "benchmark", **content})


def work(mode: str, short_side_px: int, n_clips: int, paths: tuple[Path, Path]) -> None:
    """Cut clips that overlap out of a file to a folder, and print the peaks."""
    clips = [ClipRecord(source_id="a", start_s=152.5 + k, end_s=162.5 + k) for k in range(n_clips)]
    for result in cut_clips(paths[0], clips, recipe(mode, short_side_px), paths[1]):
        if isinstance(result, Exception):
            raise result
    own, child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    name = f"{mode}, {short_side_px} px, {n_clips} in a pass"
    print(f"{name:30} {own:6.0f} MiB, its ffmpeg {child:6.0f} MiB, together {own + child:6.0f} MiB")


if __name__ == "__main__":
    main()
