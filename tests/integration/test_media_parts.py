"""Parts of videos: the same frames and sound as in the whole, without decoding the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import MakeVideo

from s2s.errors import MediaError
from s2s.media import (
    MediaLimits,
    Part,
    map_frames,
    picture_start_s,
    read_audio,
    read_frames,
    run_ffmpeg,
    write_part,
    write_samples,
)
from s2s.media.read.frames import PartRead
from s2s.media.read.frames.grid import FrameGrid
from s2s.reasons import Reason

FPS, SIZE, RATE_HZ = 8, (32, 24), 16_000
LONG = ("-g", "25", "-bf", "2")
FILES: dict[str, dict[str, Any]] = {
    "closed.mp4": {"options": LONG},
    "open.mp4": {"options": (*LONG, "-x264-params", "open-gop=1")},
    "one_keyframe.mkv": {"options": ("-g", "999", "-bf", "3")},
    "no_keyframe.mp4": {"options": ("-g", "25", "-x264-params", "intra-refresh=1")},
    "vp9.webm": {"options": ("-g", "30", "-deadline", "realtime"), "codec": "libvpx-vp9"},
    "plain.ts": {"options": LONG},
    "plain.flv": {"options": LONG},
    "mpeg4.avi": {"options": ("-g", "25"), "codec": "mpeg4"},
    "b_frames.avi": {"options": LONG, "codec": "mpeg4"},
    "mpeg2.mpg": {"options": LONG, "codec": "mpeg2video"},
    "uneven.mp4": {"options": (*LONG, "-vf", "select='lt(mod(n,50),20)'", "-fps_mode", "vfr")},
}
SOUGHT = ("closed.mp4", "open.mp4", "vp9.webm", "plain.ts", "plain.flv", "mpeg4.avi")
SPANS = [(0.0, 1.0), (1.3, 3.3), (3.97, 5.2), (7.9, 8.6), (8.05, 9.0), (8.7, 99.0), (5.0, None)]


@pytest.fixture(scope="module", params=FILES)
def video(request: pytest.FixtureRequest, make_video: MakeVideo) -> Path:
    wanted = dict(FILES[request.param])
    options = ("-ar", "48000", *wanted.pop("options"))
    return make_video(request.param, *options, seconds=10, sound="sine", **wanted)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Time stamps of frames that were decoded."""
    seen: list[int] = []
    pictures = FrameGrid.pictures

    def noted(grid: FrameGrid, frames: Any) -> Iterator[np.ndarray]:
        return pictures(grid, ((seen.append(pts), (pts, frame))[1] for pts, frame in frames))

    monkeypatch.setattr(FrameGrid, "pictures", noted)
    return seen


def part(path: Path, folder: Path, *span_s: float | None) -> tuple[PartRead, np.ndarray]:
    start_s, end_s = span_s
    read = write_part(path, folder / "part", Part(start_s or 0.0, end_s, FPS), SIZE)
    return read, np.array(map_frames(folder / "part", SIZE)) if read["count"] else np.zeros(0)


def test_a_part_has_the_frames_of_the_whole(video: Path, tmp_path: Path):
    whole, everything = part(video, tmp_path, 0, None)
    assert (whole["first"], whole["count"]) == (0, len(everything))
    for start_s, end_s in SPANS:
        read, frames = part(video, tmp_path, start_s, end_s)
        last_s = min(whole["end_s"], end_s or whole["end_s"])
        first, stop = read["first"], read["first"] + read["count"]
        assert first <= start_s * FPS
        assert stop >= min(last_s * FPS, len(everything))
        assert read["end_s"] >= last_s - 1e-6
        np.testing.assert_array_equal(frames, everything[first:stop])


@pytest.mark.parametrize("name", SOUGHT)
def test_only_what_is_near_is_decoded(
    make_video: MakeVideo, tmp_path: Path, decoded: list[int], name: str
):
    wanted = dict(FILES[name])
    video = make_video(name, *wanted.pop("options"), seconds=20, **wanted)
    part(video, tmp_path, 12.1, 13.1)
    assert 25 < len(decoded) < 120  # a second of 20, and what is before it in one of the files
    decoded.clear()
    part(video, tmp_path, None, 1.0)
    assert 25 < len(decoded) < 50


@pytest.mark.parametrize("start_s", [20.0, 1e300])
def test_a_part_behind_the_end_is_empty(video: Path, tmp_path: Path, start_s: float):
    read, _ = part(video, tmp_path, start_s, start_s + 1)
    assert read["count"] == 0
    assert read["end_s"] == part(video, tmp_path, 0, None)[0]["end_s"]


def test_what_plays_too_long_is_refused(make_video: MakeVideo, tmp_path: Path):
    video = make_video("long.ivf", seconds=6, codec="libvpx-vp9", fps=8)
    limits = MediaLimits(max_duration_s=3)
    with pytest.raises(MediaError) as caught:
        write_part(video, tmp_path / "part", Part(0.0, None, FPS), SIZE, limits)
    assert caught.value.reason == Reason.REFUSED


@pytest.mark.parametrize("name", ["closed.mp4", "vp9.webm", "b_frames.avi", "uneven.mp4"])
def test_what_starts_with_the_file_has_the_frames_that_it_always_had(
    make_video: MakeVideo, tmp_path: Path, name: str
):
    wanted = dict(FILES[name])
    video = make_video(name, *wanted.pop("options"), **wanted)
    _, frames = part(video, tmp_path, 0, None)
    np.testing.assert_array_equal(frames, read_frames(video, FPS, SIZE))


def late(make_video: MakeVideo, path: Path) -> Path:
    """A video whose picture begins 0.5 s after its sound."""
    video = make_video(f"in_{path.stem}.mp4", *LONG, seconds=4)
    inputs = ["-f", "lavfi", "-i", "sine=d=5", "-itsoffset", "0.5", "-i", str(video)]
    run_ffmpeg([*inputs, "-map", "0:a", "-map", "1:v", "-c:v", "copy", str(path)], path.name)
    return path


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts"])
def test_a_late_picture_is_shown_from_the_start_of_the_file(
    make_video: MakeVideo, tmp_path: Path, name: str
):
    video = late(make_video, tmp_path / name)
    own, start_s = read_frames(video, 25, SIZE), picture_start_s(video)
    assert start_s == pytest.approx(0.5, abs=0.05)
    read, frames = part(video, tmp_path, 0, None)
    shown = ((np.arange(len(frames)) + 0.5) / FPS - start_s) * 25
    np.testing.assert_array_equal(frames, own[np.maximum(shown, 0).astype(int)])
    assert read["end_s"] == pytest.approx(4.5, abs=0.05)
    read, some = part(video, tmp_path, 2.5, 3.5)
    np.testing.assert_array_equal(some, frames[read["first"] :][: read["count"]])


@pytest.mark.parametrize("name", ["closed.mp4", "plain.ts", "mpeg4.avi"])
def test_a_parts_sound_is_that_of_the_whole(make_video: MakeVideo, tmp_path: Path, name: str):
    wanted = dict(FILES[name])
    options = (*wanted.pop("options"), "-ar", "44100")
    video = make_video(name, *options, seconds=10, sound="sine", **wanted)
    whole_N = read_audio(video, RATE_HZ)
    write_samples(video, tmp_path / "samples", RATE_HZ, span_s=(3, 7))
    part_N = np.fromfile(tmp_path / "samples", np.float32)
    assert len(part_N) == 4 * RATE_HZ
    near_N = slice(RATE_HZ // 2, -RATE_HZ // 2)
    np.testing.assert_allclose(
        part_N[near_N], whole_N[3 * RATE_HZ : 7 * RATE_HZ][near_N], atol=1e-4
    )
