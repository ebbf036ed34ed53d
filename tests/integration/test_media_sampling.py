"""Sampled frames are the very frames that decoding everything would give."""

from pathlib import Path

import numpy as np
import pytest
from marked_video import MarkedVideo, frame_numbers

from s2s.errors import MediaError
from s2s.media import input_args, read_frames, run_ffmpeg, sample_frames, write_jpegs
from s2s.media.read import sampling

UNEVEN_S = np.cumsum([0.0, *np.random.default_rng(0).choice([0.02, 0.04, 0.11], 99)]).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds: with B-frames and many keyframes, also open ones; with one keyframe; uneven."""
    folder = tmp_path_factory.mktemp("videos")
    MarkedVideo().write(folder / "one.mp4")
    MarkedVideo(frame_times_s=UNEVEN_S).write(folder / "uneven.mp4")
    MarkedVideo(codecs=("mpeg4", "pcm_s16le")).write(folder / "old.avi")
    MarkedVideo(codecs=("libvpx", "libopus"), sound_rate_hz=48_000).write(folder / "a.webm")
    source = [*input_args(folder / "one.mp4"), "-c:v", "libx264", "-threads", "1", "-bf", "3"]
    run_ffmpeg([*source, "-g", "25", str(folder / "closed.mp4")], "closed")
    run_ffmpeg([*source, "-g", "25", "-x264-params", "open-gop=1", str(folder / "open.mkv")], "o")
    return folder


VIDEOS = ["one.mp4", "closed.mp4", "open.mkv", "a.webm", "old.avi"]


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("n", [1, 3, 16, 150])
def test_evenly_spaced_frames_are_the_very_frames(folder: Path, name: str, n: int):
    sampled = sample_frames(folder / name, n, size=(160, 96))
    assert sampled.frames.shape == (n, 96, 160, 3)
    assert sampled.mask.all()
    expected = [int((k + 0.5) * 150 / n) for k in range(n)]
    assert frame_numbers(sampled.frames) == expected
    everything = read_frames(folder / name, 25, size=(160, 96))
    assert np.array_equal(sampled.frames, everything[expected])


@pytest.mark.parametrize("name", VIDEOS)
def test_large_files_are_read_twice_with_the_same_result(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    kept = sample_frames(folder / name, 7)
    monkeypatch.setattr(sampling, "_KEPT_BYTES", 0)
    assert np.array_equal(sample_frames(folder / name, 7).frames, kept.frames)


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("fps", [2, 5, 25])
def test_frames_at_a_rate_are_those_on_screen(folder: Path, name: str, fps: int):
    sampled = sample_frames(folder / name, fps=fps)
    step = 25 / fps
    expected = [int((k + 0.5) * step) for k in range(6 * fps)]
    assert frame_numbers(sampled.frames) == expected


def test_an_uneven_rate_is_sampled_by_time(folder: Path):
    sampled = sample_frames(folder / "uneven.mp4", 10)
    end_s = 2 * UNEVEN_S[-1] - UNEVEN_S[-2]
    instants_s = (np.arange(10) + 0.5) * end_s / 10
    expected = np.searchsorted(UNEVEN_S, instants_s, side="right") - 1
    assert np.abs(np.subtract(frame_numbers(sampled.frames), expected)).max() <= 1


def test_what_is_short_is_padded_and_masked(folder: Path):
    sampled = sample_frames(folder / "closed.mp4", 160)
    assert sampled.frames.shape[0] == 160
    assert sampled.mask.tolist() == [True] * 150 + [False] * 10
    assert frame_numbers(sampled.frames[:150]) == list(range(150))
    assert not sampled.frames[150:].any()
    at_rate = sample_frames(folder / "closed.mp4", 40, fps=5)
    assert at_rate.mask.tolist() == [True] * 30 + [False] * 10


@pytest.mark.parametrize(
    "name",
    [
        "odd/decord_video_90.mov",
        "odd/h264_10bits.mp4",
        "odd/decord_unordered.mov",
        "odd/-starts-with-a-dash.mp4",
        "odd/moviepy_video_with_failing_audio.mp4",
        "odd/v_GGSY1Qvo990.mp4",
        "talk/two_people_002.avi",
        "kinetics/flipping_pancake_opus.mkv",
    ],
)
def test_real_clips_are_sampled(real_data: Path, name: str):
    sampled = sample_frames(real_data / "clips" / name, 4, size=(64, 64))
    assert sampled.frames.shape == (4, 64, 64, 3)
    assert sampled.mask.any()


def test_a_picture_that_cannot_be_decoded_is_corrupt(real_data: Path):
    with pytest.raises(MediaError) as failure:
        sample_frames(real_data / "clips" / "odd" / "decord_corrupted.mp4", 4)
    assert failure.value.reason == "corrupt"


def test_neither_a_number_nor_a_rate_is_refused(folder: Path):
    with pytest.raises(ValueError, match="how many"):
        sample_frames(folder / "one.mp4")


def test_sound_alone_has_no_frames(tmp_path: Path):
    run_ffmpeg(["-f", "lavfi", "-i", "sine=d=1", str(tmp_path / "a.wav")], "sine")
    with pytest.raises(MediaError) as failure:
        sample_frames(tmp_path / "a.wav", 4)
    assert failure.value.reason == "no_video"


def test_frames_are_written_as_jpegs(folder: Path, tmp_path: Path):
    target = tmp_path / "100% -odd ünïcode"
    assert write_jpegs(folder / "closed.mp4", target, fps=5, height=48) == 30
    assert sorted(path.name for path in target.iterdir())[0] == "image_00001.jpg"
    assert write_jpegs(folder / "closed.mp4", tmp_path / "all") == 150


@pytest.mark.parametrize("fps", [0.5, 4, 10, 25])
def test_a_video_of_one_frame_gives_one_jpeg(tmp_path: Path, fps: float):
    video = tmp_path / "one.mp4"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=0.04", str(video)], "one frame")
    assert write_jpegs(video, tmp_path / "jpegs", fps=fps) == 1
