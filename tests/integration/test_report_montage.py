from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s.media import add_sound, drop_sound, probe, read_audio, read_frames, write_wav
from s2s.tasks.generation.page.montage import PANEL_PX, STRIP_PX, MontagePanel, compose_montage
from sample.render import encode_film
from sample.silent_to_sound.film import SceneFilm
from sample.silent_to_sound.world import build_scene

RATE_HZ = 16_000
SECONDS = 2.0


def tone_of(pitch_hz: float) -> np.ndarray:
    times_s = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32)


@pytest.fixture(scope="module")
def montage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a silent clip, one with 500 Hz and one with 3 kHz; its name starts with a dash."""
    folder = tmp_path_factory.mktemp("montage")
    scene = folder / "scene.mp4"
    encode_film(SceneFilm(build_scene(0, 0).shortened(SECONDS)), scene)
    drop_sound(scene, folder / "silent.mp4")
    for name, pitch_hz in (("low", 500), ("high", 3000)):
        write_wav(folder / f"{name}.wav", tone_of(pitch_hz), RATE_HZ)
        add_sound(scene, folder / f"{name}.wav", folder / f"{name}.mp4")
    strip = Image.new("RGB", (50, 40), (0, 90, 0))
    panels = [
        MontagePanel(name, folder / f"{name}.mp4", strip, is_heard=name != "silent")
        for name in ("silent", "low", "high")
    ]
    output = folder / "-montage.mp4"
    compose_montage(panels, output, fps=25)
    return output


def test_everything_plays_once_for_every_sound(montage: Path):
    seen = probe(montage)

    assert seen.duration_s == pytest.approx(2 * SECONDS, abs=0.05)
    assert (seen.video_codec, seen.audio_codec) == ("h264", "aac")
    assert seen.width >= 3 * PANEL_PX
    assert [path.name for path in montage.parent.glob("*part*")] == []


def test_first_the_one_sound_then_the_other(montage: Path):
    samples = read_audio(montage, RATE_HZ)

    for turn, pitch_hz in enumerate((500, 3000)):
        start = int((turn * SECONDS + 0.5) * RATE_HZ)
        spectrum = np.abs(np.fft.rfft(samples[start : start + RATE_HZ]))
        assert spectrum.argmax() == pytest.approx(pitch_hz, abs=3)


def test_panels_show_the_same_picture_and_a_moving_playhead(montage: Path):
    frames = read_frames(montage, 25).astype(int)
    height, width = frames.shape[1:3]
    panel = (width - 12) // 3
    left, middle = frames[30, 45 : 45 + PANEL_PX, 12:204], frames[30, 45 : 45 + PANEL_PX, 216:408]

    assert np.abs(left - middle).mean() < 6
    strip = frames[:, height - STRIP_PX : height - 20, 12:204].min(axis=(1, 3))
    playhead = strip.argmax(axis=1)
    assert panel == 204
    assert playhead[10] < playhead[25] < playhead[45]
    assert playhead[60] == pytest.approx(playhead[10], abs=2), "starts again for the second sound"


def test_the_panel_that_is_heard_stands_out(montage: Path):
    frames = read_frames(montage, 25).astype(int)
    frame_row = 45 + PANEL_PX // 2
    yellow = frames[..., 0] - frames[..., 2]

    def edge(frame: int, panel: int) -> int:
        left = 12 + panel * 204
        return yellow[frame, frame_row, left - 4 : left].max()

    assert edge(20, 1) > 50 > edge(20, 2)
    assert edge(80, 2) > 50 > edge(80, 1)


def test_a_wide_video_keeps_its_shape(tmp_path: Path, real_data: Path):
    clip = next((real_data / "clips" / "vggsound").glob("0nib*.mp4"))
    shape = probe(clip)
    panel = MontagePanel("wide", clip, Image.new("RGB", (9, 9)), is_heard=True)

    compose_montage([panel], tmp_path / "montage.mp4", fps=5)

    frame = read_frames(tmp_path / "montage.mp4", 5)[20].astype(int)
    ground = np.abs(frame - (24, 26, 30)).sum(axis=2) < 25
    rows = np.flatnonzero(~ground[42 : 42 + PANEL_PX, 14:200].all(axis=1))
    shown = (rows.max() - rows.min() + 1) / PANEL_PX
    assert shown == pytest.approx(shape.height / shape.width, abs=0.08)
