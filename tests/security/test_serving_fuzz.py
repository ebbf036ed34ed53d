"""A few hundred of the mutated clips that benchmarks/serving_fuzz.py makes by the thousands."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_mutated_clips_are_taken_or_refused_and_nothing_else(real_data: Path, tmp_path: Path):
    for name in ("odd/decord_video_90.mov", "odd/decord_corrupted.mp4", "vas/dog_video_02677.mp4"):
        shutil.copy(real_data / "clips" / name, tmp_path)
    command = [sys.executable, str(ROOT / "benchmarks" / "serving_fuzz.py"), str(tmp_path)]
    done = subprocess.run([*command, "--count", "200"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    known = {"taken", "unsupported", "corrupt", "refused", "no_video", "died"}
    assert set(report["outcomes"]) <= known  # none hangs
    assert report["outcomes"]["taken"] > 0
    assert report["outcomes"]["corrupt"] > 0
    assert len(report["by_type"]) == 11
    assert report["grown_bytes"] < 32_000_000
    assert not report["neighbour_read"]
