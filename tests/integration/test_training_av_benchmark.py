"""av-benchmark is run as a program of its own; here another takes its place."""

from pathlib import Path

import pytest

from s2s.errors import StageError
from s2s.tasks.generation.metrics.av_benchmark import read_output, run_av_benchmark

EXTRACT = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("--gt_cache", "--video_path", "--audio_length"):
    parser.add_argument(name, required=True)
args = parser.parse_args()
assert list(pathlib.Path(args.video_path).glob("*.mp4"))
pathlib.Path(args.gt_cache).mkdir(parents=True)
"""
EVALUATE = """\
import argparse, pathlib, sys
parser = argparse.ArgumentParser()
for name in ("--gt_audio", "--gt_cache", "--pred_audio", "--pred_cache", "--audio_length"):
    parser.add_argument(name, required=True)
parser.add_argument("--skip_clap", action="store_true")
args = parser.parse_args()
assert pathlib.Path(args.gt_cache).is_dir()
folders = (args.gt_audio, args.pred_audio)
sounds = [sorted(path.name for path in pathlib.Path(name).glob("*.wav")) for name in folders]
assert sounds[0] == sounds[1] == ["a.wav"]
print("[INFO]: FD-PASST  : 12.5", file=sys.stderr)
print("IB-Score  : 0.3125000000")
print(f"DeSync: {len(sounds)}.5e-1")
print("unknown: 3")
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "av-benchmark"
    folder.mkdir()
    (folder / "extract_video.py").write_text(EXTRACT)
    (folder / "evaluate.py").write_text(EVALUATE)
    return folder


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    folder = tmp_path / "takes"
    for name in ("real/a.wav", "model/a.wav", "video/a.mp4"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    return folder


def test_what_it_prints_is_taken_in(program: Path, takes: Path):
    figures = run_av_benchmark(program, takes, ["model"], 8.0)

    assert figures == {"model": {"fd_passt": 12.5, "ib_score": 0.3125, "desync_s": 0.25}}


def test_a_failure_is_told_with_its_last_line(program: Path, takes: Path):
    (program / "evaluate.py").write_text("raise SystemExit('no weights')")

    with pytest.raises(StageError, match=r"evaluate\.py ended with 1: no weights"):
        run_av_benchmark(program, takes, ["model"], 8.0)


def test_a_folder_that_is_something_else_is_refused(tmp_path: Path, takes: Path):
    with pytest.raises(StageError, match=r"has no extract_video\.py"):
        run_av_benchmark(tmp_path, takes, ["model"], 8.0)


def test_lines_that_are_no_figures_are_passed_over():
    assert read_output("nothing\nFD-VGG : x\nKL-PASST-softmax : 1.25\n") == {"kl_passt": 1.25}
