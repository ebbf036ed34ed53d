"""A few hundred of the mutated clips that benchmarks/serving_fuzz.py makes by the thousands."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from s2s.media import run_ffmpeg

ROOT = Path(__file__).resolve().parents[2]


def fuzz(clips: Path, count: int) -> dict:
    command = [sys.executable, str(ROOT / "benchmarks" / "serving_fuzz.py"), str(clips)]
    done = subprocess.run(
        [*command, "--count", str(count)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_mutated_clips_are_taken_or_refused_and_nothing_else(
    make_video, real_data: Path, tmp_path: Path
):
    shutil.copytree(real_data / "clips" / "odd", tmp_path / "odd")
    for name, codec in (("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9")):
        shutil.copy(make_video(name, codec=codec, seconds=0.4), tmp_path / name)
    report = fuzz(tmp_path, 200)
    known = {"taken", "unsupported", "corrupt", "refused", "no_video", "timeout", "died"}
    assert set(report["outcomes"]) <= known
    assert report["outcomes"]["taken"] > 0
    assert report["outcomes"]["corrupt"] > 0
    assert report["outcomes"].get("timeout", 0) == 0
    assert report["grown_bytes"] < 32_000_000


def test_a_small_file_that_would_fill_memory_is_contained(tmp_path: Path):
    """8192 by 8192 pixels in 200 KB."""
    source = "color=size=8192x8192:rate=25:duration=0.1"
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1"]
    run_ffmpeg(["-f", "lavfi", "-i", source, *encoding, str(tmp_path / "bomb.mp4")], "bomb")
    assert (tmp_path / "bomb.mp4").stat().st_size < 400_000
    report = fuzz(tmp_path, 10)
    assert "taken" not in report["outcomes"]
    assert report["grown_bytes"] < 32_000_000
