"""What serving expects of a predictor, kept by the real one and by the one of the tests."""

import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from serving_fixtures import MakeVideo
from tone import TonePredictor

from s2s.errors import MediaError
from s2s.media import MediaLimits, read_audio, run_ffmpeg, write_frames
from s2s.tasks.contract import Made, Predictor, Upload
from s2s.tasks.generation.predictor.offer import GenerationOptions
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.loading import load_task
from serving.models.notes import JobNotes


@pytest.fixture(params=["tone", "generation"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    if request.param == "tone":
        return TonePredictor()
    folder = request.getfixturevalue("untrained_model")
    return load_task("generation").load(folder, MediaLimits())


class Work:
    """One job after another through the three steps."""

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        self.predictor, self.folder = predictor, folder
        self.progress: list[float] = []
        self.notes = JobNotes(on_progress=self.progress.append)

    def do(self, file: Path, kind: str = "video", **options: object) -> Made:
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        shutil.copy(file, folder / "upload")
        upload = Upload(folder / "upload", kind, folder)  # pyright: ignore[reportArgumentType]
        chosen = GenerationOptions.model_validate(options)
        self.notes.span = (0.0, 0.4)
        item = self.predictor.prepare(upload, chosen, self.notes)
        self.notes.span = (0.4, 0.7)
        (output,) = self.predictor.predict([item])
        self.notes.span = (0.7, 1.0)
        return self.predictor.finish(upload, chosen, output, self.notes)


@pytest.fixture
def work(predictor: Predictor, tmp_path: Path) -> Work:
    (tmp_path / "jobs").mkdir()
    return Work(predictor, tmp_path / "jobs")


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def sound_s(path: Path) -> float:
    with av.open(str(path)) as file:
        sound = file.streams.audio[0]
        return float((sound.duration or 0) * (sound.time_base or 0))


def test_the_picture_is_copied_and_the_sound_as_long(work: Work, silent_video: Path):
    (made,) = work.do(silent_video).files
    assert (made.media_type, made.suffix) == ("video/mp4", "_with_sound.mp4")
    assert packets(made.path) == packets(silent_video)
    assert sound_s(made.path) == pytest.approx(2.0, abs=1 / 25)


def test_every_step_is_named_and_timed(work: Work, silent_video: Path):
    work.do(silent_video)
    assert {"decode", "mux"} <= set(work.notes.seconds)
    assert all(step.isidentifier() and s >= 0 for step, s in work.notes.seconds.items())


def test_progress_is_told_and_never_goes_back(
    work: Work, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.models.notes._LEAST_TIME_S", 0.0)
    work.do(make_video("long.mp4", seconds=4, size="64x48"), steps=3)
    decoding = [share for share in work.progress if share < 0.4]
    assert decoding == pytest.approx([0.1, 0.2, 0.3], abs=0.002)
    drawing = [share for share in work.progress if 0.4 < share <= 0.7]
    if not isinstance(work.predictor, TonePredictor):
        assert drawing == pytest.approx([0.5, 0.6, 0.7], abs=0.002)
    assert work.progress == sorted(set(work.progress))


def test_a_seed_decides_the_sound(work: Work, silent_video: Path):
    made = [
        work.do(silent_video, seed=seed, steps=2, guidance=1.5, format="wav") for seed in (3, 3, 4)
    ]
    first, again, other = (read_audio(item.files[0].path, 16_000) for item in made)
    assert (first == again).all()
    assert (first != other).any()


def test_sound_alone_is_a_wav(work: Work, silent_video: Path):
    (made,) = work.do(silent_video, format="wav").files
    assert made.media_type == "audio/wav"
    assert made.path.read_bytes()[:4] == b"RIFF"
    assert len(read_audio(made.path, 16_000)) == 2 * 16_000


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_picture_is_shown_as_long_as_asked(
    work: Work, silent_video: Path, tmp_path: Path, kind: str
):
    picture = tmp_path / f"picture.{kind}"
    run_ffmpeg(["-i", str(silent_video), "-frames:v", "1", str(picture)], "picture")
    (made,) = work.do(picture, "picture", duration_s=1.2, steps=1).files
    assert len(packets(made.path)) == 30
    assert sound_s(made.path) == pytest.approx(1.2, abs=1 / 25)


def test_a_batch_gives_outputs_in_order(predictor: Predictor, silent_video: Path, tmp_path: Path):
    items = []
    for seed in range(3):
        folder = tmp_path / f"job{seed}"
        folder.mkdir()
        shutil.copy(silent_video, folder / "upload")
        upload = Upload(folder / "upload", "video", folder)
        items.append(predictor.prepare(upload, GenerationOptions(seed=seed, steps=1), JobNotes()))
    together = predictor.predict(items)
    for item, output in zip(items, together, strict=True):
        assert np.allclose(output, predictor.predict([item])[0], atol=1e-3)


def test_what_is_not_a_video_is_a_media_error(work: Work, tmp_path: Path):
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    with pytest.raises(MediaError):
        work.do(text)


def test_the_longest_video_fits_into_what_may_be_written(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    predictor = GenerationPredictor.load(untrained_model, MediaLimits(max_duration_s=2.0))
    frames, size = tmp_path / "frames", predictor.processor.frame_size
    shutil.copy(silent_video, tmp_path / "upload")
    upload = Upload(tmp_path / "upload", "video", tmp_path)
    work = (write_frames, upload.path, frames, predictor.config.spec.fps, size, predictor.limits)
    upload.run(*work, file_bytes=predictor.frame_bytes)
    one = size[0] * size[1] * 3
    assert frames.stat().st_size == 50 * one
    assert predictor.frame_bytes == 75 * one  # with the second of tolerance
    with pytest.raises(OSError, match="too large"):
        upload.run(*work, file_bytes=49 * one)


def test_what_waits_for_the_model_takes_no_room_on_the_disk(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    predictor = GenerationPredictor.load(untrained_model)
    shutil.copy(silent_video, tmp_path / "upload")
    upload = Upload(tmp_path / "upload", "video", tmp_path)
    predictor.prepare(upload, GenerationOptions(), JobNotes())
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]
