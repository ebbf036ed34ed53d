import json
import multiprocessing
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import librosa
import mir_eval
import numpy as np
import pytest

from s2s.media import probe, read_audio, read_frames
from sample.canvas import FPS, SIZE_PX
from sample.example import Excerpt
from sample.render import encode_film, render_catalog, render_source
from sample.silent_to_sound.catalog import build_source
from sample.silent_to_sound.picture import frames
from sample.silent_to_sound.world import build_scene, source_id

CLASSIFICATION = Path(__file__).parents[2] / "lib/s2s/tasks/classification/page"
EXAMPLE = Path(__file__).parents[2] / "services/serving/serving/http/static/example.mp4"
SEED = 6
SHORT = 1  # a source of 22 s, of metal


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source's video, in its folder."""
    return render_source(tmp_path_factory.mktemp("sample"), SEED, SHORT)


@pytest.fixture(scope="module")
def truth(rendered: Path) -> dict:
    return json.loads((rendered.parent / "truth" / f"{rendered.stem}.json").read_text())


def test_video_is_what_players_and_downloaders_expect(rendered: Path):
    seen = probe(rendered)

    assert (seen.width, seen.height, seen.fps) == (SIZE_PX, SIZE_PX, FPS)
    assert (seen.video_codec, seen.audio_codec, seen.sample_rate_hz) == ("h264", "aac", 48_000)
    assert seen.duration_s == build_scene(SEED, SHORT).duration_s
    head = rendered.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_encoded_frames_are_the_drawn_ones(rendered: Path):
    decoded_THWC = read_frames(rendered, FPS)
    drawn = list(frames(build_scene(SEED, SHORT)))

    assert len(decoded_THWC) == len(drawn)
    for n in range(0, len(drawn), 50):
        assert np.abs(decoded_THWC[n].astype(int) - drawn[n]).mean() < 4


def test_same_seed_gives_the_same_bytes(rendered: Path, tmp_path: Path):
    again = render_source(tmp_path, SEED, SHORT)

    assert again.read_bytes() == rendered.read_bytes()


def test_truth_says_what_happens(truth: dict):
    scene = build_scene(SEED, SHORT)

    assert truth["source_id"] == scene.source_id
    assert truth["material"] == "metal"
    assert [hit["time_s"] for hit in truth["impacts"]] == [hit.time_s for hit in scene.impacts]
    assert all(hit["speed_m_s"] > 0 for hit in truth["impacts"])


def test_sound_in_the_file_starts_at_the_true_instants(rendered: Path, truth: dict):
    rate_hz, window = 48_000, 96  # 2 ms
    samples = read_audio(rendered, rate_hz)
    energy = np.square(samples[: len(samples) // window * window]).reshape(-1, window).mean(axis=1)
    times_s = [hit["time_s"] for hit in truth["impacts"]]
    quiet_before_s = [0.3, *(b - a for a, b in pairwise(times_s))]
    checked = 0
    for time_s, quiet_s in zip(times_s, quiet_before_s, strict=True):
        if quiet_s < 0.3:
            continue  # still rings from the hit before
        near = int((time_s - 0.05) * rate_hz / window)
        rise = np.diff(np.log(energy[near : near + 50] + 1e-7))
        assert (near + 1 + rise.argmax()) * window / rate_hz == pytest.approx(time_s, abs=0.01)
        checked += 1
    assert checked >= 10


def test_onsets_in_the_file_are_the_true_ones(rendered: Path, truth: dict):
    samples = read_audio(rendered, 16_000)

    onsets_s = librosa.onset.onset_detect(y=samples, sr=16_000, hop_length=160, units="time")

    truth_s = np.array([hit["time_s"] for hit in truth["impacts"]])
    assert mir_eval.onset.f_measure(truth_s, onsets_s, window=0.05)[0] >= 0.95


def test_a_whole_video_is_not_rendered_again(tmp_path: Path):
    (tmp_path / f"{source_id(SEED, 0)}.mp4").write_bytes(b"whole")

    render_catalog(tmp_path, sources=1, seed=SEED)

    assert (tmp_path / f"{source_id(SEED, 0)}.mp4").read_bytes() == b"whole"
    assert (tmp_path / "catalog.csv").read_text().startswith(source_id(SEED, 0))


def test_a_catalog_is_rendered_in_processes(tmp_path: Path):
    for n in range(4):
        (tmp_path / f"{source_id(SEED, n)}.mp4").write_bytes(b"whole")

    render_catalog(tmp_path, sources=5, seed=SEED, workers=1)

    assert probe(tmp_path / f"{source_id(SEED, 4)}.mp4").has_audio
    assert len(list(tmp_path.glob("truth/*.json"))) == 1


def test_a_killed_run_leaves_no_half_video(tmp_path: Path):
    process = multiprocessing.get_context("spawn").Process(
        target=render_source, args=(tmp_path, SEED, 0)
    )
    process.start()
    while not list(tmp_path.glob(".*.mp4")) and process.is_alive():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert not list(tmp_path.glob("[!.]*.mp4"))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        render_catalog(tmp_path / "file" / "out", sources=1)


def test_a_texture_is_rendered_with_the_truth_about_its_strength(tmp_path: Path):
    scene = build_source(SEED, 6)

    video = render_source(tmp_path, SEED, 6)

    assert probe(video).duration_s == scene.duration_s
    truth = json.loads((tmp_path / "truth" / f"{scene.source_id}.json").read_text())
    assert truth["texture"] == "rain"
    assert len(truth["strengths"]) > 5


def test_the_example_of_the_servers_page_is_what_the_module_renders(tmp_path: Path):
    encode_film(Excerpt("generation"), tmp_path / "example.mp4")
    rendered, stored = (read_frames(path, 25) for path in (tmp_path / "example.mp4", EXAMPLE))
    assert rendered.shape == stored.shape == (95, 256, 256, 3)
    assert np.abs(rendered.astype(int) - stored).mean() < 1
    assert not probe(EXAMPLE).audio_codec


@pytest.mark.parametrize(
    ("name", "file_name", "seconds", "is_heard"),
    [
        ("actions", "example.mp4", 8, False),
        ("contest", "example.vggsound_contest.mp4", 9, True),
    ],
)
def test_examples_of_classification_are_what_the_module_renders(
    tmp_path: Path, name: str, file_name: str, seconds: int, is_heard: bool
):
    stored = CLASSIFICATION / file_name
    encode_film(Excerpt(name), tmp_path / "example.mp4")
    rendered, there = (read_frames(path, 5) for path in (tmp_path / "example.mp4", stored))
    assert rendered.shape == there.shape == (5 * seconds, 160, 160, 3)
    assert np.abs(rendered.astype(int) - there).mean() < 1
    assert bool(probe(stored).audio_codec) == is_heard
