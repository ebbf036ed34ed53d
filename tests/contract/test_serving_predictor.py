"""What serving expects of a predictor, kept by the real one and by the one of the tests."""

import inspect
from pathlib import Path

import av
import pytest

from s2s.errors import MediaError
from s2s.media import read_audio
from s2s.predictors.generation import GenerationPredictor
from serving.model import load_predictor
from serving.tone import TonePredictor
from serving.worker import Predictor


@pytest.fixture(params=["tone", "generation"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    if request.param == "tone":
        return TonePredictor()
    return load_predictor(request.getfixturevalue("untrained_model"))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def test_the_picture_is_copied_and_the_sound_as_long(
    predictor: Predictor, silent_video: Path, tmp_path: Path
):
    done = predictor.generate(silent_video, tmp_path / "out.mp4")
    assert packets(tmp_path / "out.mp4") == packets(silent_video)
    assert done.duration_s == pytest.approx(2.0, abs=1 / 25)
    with av.open(str(tmp_path / "out.mp4")) as file:
        sound = file.streams.audio[0]
        assert sound.duration is not None
        assert sound.time_base is not None
        assert float(sound.duration * sound.time_base) == pytest.approx(2.0, abs=1 / 25)


def test_every_step_is_named_and_timed(predictor: Predictor, silent_video: Path, tmp_path: Path):
    done = predictor.generate(silent_video, tmp_path / "out.mp4")
    assert done.seconds_by_step
    assert all(step.isidentifier() and s >= 0 for step, s in done.seconds_by_step.items())


def test_a_seed_decides_the_sound(predictor: Predictor, silent_video: Path, tmp_path: Path):
    names = {"a.mp4": 3, "b.mp4": 3, "c.mp4": 4}
    for name, seed in names.items():
        predictor.generate(silent_video, tmp_path / name, seed=seed, steps=2, guidance=1.5)
    first, again, other = (read_audio(tmp_path / name, 16_000) for name in names)
    assert (first == again).all()
    assert (first != other).any()


def test_what_is_not_a_video_is_a_media_error(predictor: Predictor, tmp_path: Path):
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    with pytest.raises(MediaError):
        predictor.generate(text, tmp_path / "out.mp4")


@pytest.mark.parametrize("kind", [TonePredictor, GenerationPredictor])
def test_options_have_the_same_names_and_defaults(kind: type):
    expected = inspect.signature(Predictor.generate).parameters
    actual = inspect.signature(kind.generate).parameters
    assert {name: p.default for name, p in actual.items()} == {
        name: p.default for name, p in expected.items()
    }
