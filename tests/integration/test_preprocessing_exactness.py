"""Clips are where they should be: read from burnt-in frame numbers and clicks in the sound."""

import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from marked_video import MarkedVideo, click_times_s, frame_numbers

from preprocessing.cut import cut_clips
from preprocessing.encoding.greys import is_same, small_grey
from s2s.errors import MediaError
from s2s.media import input_args, probe, read_audio, read_frames, run_ffmpeg
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, PreprocessingSettings
from s2s.tasks.generation.settings import GenerationRecipe

FPS, RATE_HZ = 25, 16_000
HALF_FRAME_S = 0.5 / FPS
SOUND_S = 0.010
RECIPE = GenerationRecipe(
    name="marked",
    collection=CollectionSettings(catalog="marked.csv"),
    preprocessing=PreprocessingSettings(short_side_px=64, preset="ultrafast"),
)
UNEVEN = np.cumsum([0.0, *np.random.default_rng(0).choice([0.02, 0.04, 0.11], 110)]).tolist()

SOURCES = {
    "25 fps": ("a.mp4", MarkedVideo()),
    "30 fps": ("a.mp4", MarkedVideo(fps=Fraction(30))),
    "59.94 fps": ("a.mp4", MarkedVideo(fps=Fraction(60_000, 1001))),
    "15.25 fps": ("a.mp4", MarkedVideo(fps=Fraction(61, 4))),
    "variable rate": ("a.mp4", MarkedVideo(frame_times_s=UNEVEN)),
    "late sound": ("a.mp4", MarkedVideo(sound_from_s=0.35)),
    "late picture": ("a.mp4", MarkedVideo(picture_from_s=0.4)),
    "time from 5 s": (
        "a.mkv",
        MarkedVideo(picture_from_s=5, sound_from_s=5, clicks_s=(5.5, 7.25, 8.1, 9.75)),
    ),
    "webm": ("a.webm", MarkedVideo(codecs=("libvpx", "libopus"), sound_rate_hz=48_000)),
    "avi": ("a.avi", MarkedVideo(codecs=("mpeg4", "pcm_s16le"))),
}


def cut(source: Path, start_s: float, duration_s: float) -> tuple[Path, Path]:
    """Cut a clip; its mp4 and its wav."""
    clip = ClipRecord(source_id="a", start_s=start_s, end_s=start_s + duration_s)
    [result] = cut_clips(source, [clip], RECIPE, source.parent)
    if isinstance(result, MediaError):
        raise result
    return result.files.video, result.files.sound


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def assert_clicks(samples: np.ndarray, expected_s: list[float]) -> None:
    found_s = click_times_s(samples, RATE_HZ)
    assert len(found_s) == len(expected_s), (found_s, expected_s)
    assert np.abs(np.subtract(found_s, expected_s)).max(initial=0) < SOUND_S


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("start_s", [0.0, 2.517])
def test_a_clip_is_exact(tmp_path: Path, kind: str, start_s: float):
    name, marked = SOURCES[kind]
    source = marked.write(tmp_path / name)
    video, sound = cut(source, start_s, 3.0)

    origin_s = min(marked.picture_from_s, marked.sound_from_s)
    begins_s = np.array(marked.times_s()) + marked.picture_from_s - origin_s
    ends_s = np.append(begins_s[1:], np.inf)
    shown = frame_numbers(read_frames(video, FPS))
    assert len(shown) == 75
    at_s = start_s + np.arange(75) / FPS
    begins_s[0] = 0  # a picture that starts late begins with its first frame
    # The frame that is on screen, give or take half a frame.
    assert (begins_s[shown] <= at_s + HALF_FRAME_S + 1e-3).all()
    assert (ends_s[shown] >= at_s - HALF_FRAME_S - 1e-3).all()

    clicks_s = [time_s - origin_s - start_s for time_s in marked.clicks_s]
    expected_s = [time_s for time_s in clicks_s if 0 <= time_s < 3]
    samples = read_wav(sound)
    assert len(samples) == 3 * RATE_HZ
    assert_clicks(samples, expected_s)
    assert_clicks(read_audio(video, RATE_HZ)[: 3 * RATE_HZ], expected_s)


def test_frames_on_the_grid_are_the_very_frames(tmp_path: Path):
    source = MarkedVideo().write(tmp_path / "a.mp4")
    video, _ = cut(source, 2.2, 3.0)
    assert frame_numbers(read_frames(video, FPS)) == list(range(55, 130))


def test_a_clip_ends_with_its_source(tmp_path: Path):
    source = MarkedVideo(sound_s=7.5).write(tmp_path / "a.mkv")
    video, sound = cut(source, 2.5, 10.0)
    numbers = frame_numbers(read_frames(video, FPS))
    assert numbers[0] in {62, 63}
    assert numbers[-1] == 149
    assert abs(len(numbers) - 3.5 * FPS) <= 1
    assert len(read_wav(sound)) == len(numbers) * RATE_HZ // FPS


def test_sound_that_ends_early_is_padded_with_silence(tmp_path: Path):
    source = MarkedVideo(sound_s=1.0, clicks_s=(0.5,)).write(tmp_path / "a.mp4")
    _, sound = cut(source, 0.0, 3.0)
    samples = read_wav(sound)
    assert len(samples) == 3 * RATE_HZ
    assert_clicks(samples, [0.5])
    _, sound = cut(source, 2.0, 3.0)
    assert not read_wav(sound).any()


def test_the_same_cut_gives_the_same_bytes(tmp_path: Path):
    source = MarkedVideo().write(tmp_path / "a.mp4")
    first = [path.read_bytes() for path in cut(source, 1.0, 2.0)]
    again = [path.read_bytes() for path in cut(source, 1.0, 2.0)]
    assert first == again


@pytest.mark.parametrize(
    ("start_s", "duration_s", "reason", "said"),
    [
        (6.0, 3.0, "start_past_end", "ends at 6.00 s"),
        (400.0, 3.0, "start_past_end", "starts at 400.00 s"),
        (5.5, 3.0, "too_short", "0.50 s are left of a.mp4"),
    ],
)
def test_what_is_not_there_is_not_cut(
    tmp_path: Path, start_s: float, duration_s: float, reason: str, said: str
):
    source = MarkedVideo().write(tmp_path / "a.mp4")
    with pytest.raises(MediaError) as failure:
        cut(source, start_s, duration_s)
    assert failure.value.reason == reason
    assert said in failure.value.message


def test_a_source_that_breaks_off_is_corrupt_only_from_there(tmp_path: Path):
    whole = MarkedVideo().write(tmp_path / "whole.mp4")
    data = whole.read_bytes()
    source = tmp_path / "a.mp4"
    source.write_bytes(front_loaded(whole, tmp_path)[: len(data) * 9 // 10])
    video, _ = cut(source, 0.0, 1.0)
    assert frame_numbers(read_frames(video, FPS)) == list(range(25))
    with pytest.raises(MediaError, match=r"a\.mp4: breaks off at .* its header says 6\.00 s"):
        cut(source, 0.0, 6.0)


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("a.mkv", ("libx264", "aac")),
        ("a.webm", ("libvpx", "libopus")),
        ("a.ts", ("libx264", "aac")),
        ("a.flv", ("libx264", "aac")),
        ("a.mp4", ("libx264", "aac")),
    ],
)
def test_a_picture_that_ends_before_its_sound_does_not_break_off(
    tmp_path: Path, name: str, codecs: tuple[str, str]
):
    """Many a header tells the length of the whole file alone."""
    rate_hz = 48_000 if "libopus" in codecs else 44_100
    video = MarkedVideo(seconds=4, sound_s=8, codecs=codecs, sound_rate_hz=rate_hz)
    source = video.write(tmp_path / name)
    frames = frame_numbers(read_frames(cut(source, 3.0, 2.0)[0], FPS))
    assert (len(frames), frames[-1]) == (pytest.approx(25, abs=1), 99)

    whole = MarkedVideo(seconds=8, codecs=codecs, sound_rate_hz=rate_hz).write(tmp_path / name)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    if name.endswith((".mkv", ".webm")):
        with pytest.raises(MediaError, match=r"breaks off at .* its header says [78]"):
            cut(whole, 3.5, 4.0)


def test_a_source_whose_data_is_damaged_is_corrupt(tmp_path: Path):
    data = bytearray(MarkedVideo().write(tmp_path / "a.mp4").read_bytes())
    middle = len(data) // 3
    data[middle : middle + len(data) // 4] = bytes(len(data) // 4)
    source = tmp_path / "b.mp4"
    source.write_bytes(data)
    with pytest.raises(MediaError) as failure:
        cut(source, 0.0, 6.0)
    assert failure.value.reason == "corrupt"


def front_loaded(source: Path, folder: Path) -> bytes:
    """The same video with its index at the front, as the web has them."""
    path = folder / "front.mp4"
    run_ffmpeg([*input_args(source), "-c", "copy", "-movflags", "+faststart", str(path)], "front")
    return path.read_bytes()


def test_the_picture_is_what_networks_are_told_it_is(tmp_path: Path):
    found = probe(cut(MarkedVideo(fps=Fraction(30)).write(tmp_path / "a.mp4"), 1.0, 2.0)[0])
    assert (found.width, found.height, found.fps) == (106, 64, 25)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert found.sample_rate_hz == RATE_HZ
    assert found.duration_s == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize(
    "picture",
    [
        "life=s=160x120:r=25:mold=10:ratio=0.3:seed=3",
        "cellauto=s=160x120:r=25",
        "nullsrc=s=160x120:r=25,geq=random(1)*255:128:128",
    ],
    ids=["life", "cells", "snow"],
)
def test_a_picture_of_single_pixels_is_known_again_and_told_from_its_next(
    tmp_path: Path, picture: str
):
    source = tmp_path / "a.mp4"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=2", "-t", "2"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg([*inputs, *codecs, str(source)], "source")
    cut(source, 0.0, 1.0)
    with av.open(str(source)) as file:
        greys = [small_grey(frame, VideoReformatter()) for frame in file.decode(video=0)]
    assert not any(is_same(one, other) for one, other in pairwise(greys))
