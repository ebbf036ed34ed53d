"""Streams that are not read, lengths that no header says, pictures that start late."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from marked_video import MarkedVideo, frame_numbers

from s2s.errors import MediaError
from s2s.media import (
    MediaLimits,
    add_sound,
    check_upload,
    drop_sound,
    input_args,
    probe,
    read_audio,
    read_frames,
    run_ffmpeg,
    sample_frames,
    write_jpegs,
    write_wav,
)

FPS, RATE_HZ = 25, 16_000


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, with B-frames and a keyframe every half a second."""
    folder = tmp_path_factory.mktemp("marked")
    raw = MarkedVideo(seconds=2, clicks_s=(0.5, 1.5)).write(folder / "raw.mp4")
    options = ["-c:v", "libx264", "-g", "12", "-bf", "2", "-threads", "1", "-c:a", "aac"]
    run_ffmpeg([*input_args(raw), *options, str(folder / "a.mp4")], "marked")
    return folder / "a.mp4"


def remuxed(source: Path, path: Path, *options: str, inputs: tuple[str, ...] = ()) -> Path:
    run_ffmpeg([*inputs, *input_args(source), "-c", "copy", *options, str(path)], path.name)
    return path


def assert_readable(path: Path) -> None:
    found = probe(path)
    assert found.has_video
    assert found.has_audio
    assert frame_numbers(read_frames(path, FPS)) == list(range(50))
    assert frame_numbers(sample_frames(path, 5).frames) == [5, 15, 25, 35, 45]
    assert write_jpegs(path, path.parent / f"{path.stem}-jpegs") == 50
    assert len(read_audio(path, RATE_HZ)) == pytest.approx(2 * RATE_HZ, abs=RATE_HZ // 10)
    assert check_upload(path, path.name, MediaLimits(), ("mp4", "mov", "mkv")) == "video"
    drop_sound(path, path.parent / "silent.mp4")
    assert frame_numbers(read_frames(path.parent / "silent.mp4", FPS)) == list(range(50))


@pytest.mark.parametrize("first", [False, True], ids=["behind", "in front"])
@pytest.mark.parametrize("kind", ["sound", "picture"])
def test_a_track_that_nothing_decodes_does_no_harm(
    marked: Path, tmp_path: Path, kind: str, first: bool
):
    which = "0:a" if kind == "sound" else "0:v"
    maps = [which, "0:v", "0:a"] if first else ["0:v", "0:a", which]
    args = [word for name in maps for word in ("-map", name)]
    path = remuxed(marked, tmp_path / "a.mov", *args)
    data = path.read_bytes()
    code = b"mp4a" if kind == "sound" else b"avc1"
    # In a table of sample entries: its name, version and flags, number of entries, an entry's size.
    entries = [at for at in range(len(data)) if data.startswith(code, at)]
    entries = [at for at in entries if data[at - 16 : at - 12] == b"stsd"]
    at = entries[0 if first else -1]
    path.write_bytes(data[:at] + b"zzzz" + data[at + 4 :])
    assert_readable(path)


def test_a_cover_in_front_of_the_picture_is_not_the_picture(marked: Path, tmp_path: Path):
    cover, path = tmp_path / "c.png", tmp_path / "a.mp4"
    picture = ["-f", "lavfi", "-i", "color=red:s=3000x2000", "-frames:v", "1", str(cover)]
    run_ffmpeg(picture, "cover")
    streams = ["-map", "0:v", "-map", "0:a", "-map", "1:v", "-c", "copy"]
    inputs = [*input_args(marked), "-i", str(cover)]
    run_ffmpeg([*inputs, *streams, "-disposition:v:1", "attached_pic", str(path)], "cover")
    data = path.read_bytes()
    at = data.rindex(b"moov") - 4
    boxes, place = [], at + 8
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        boxes.append(data[place : place + size])
        place += size
    boxes.sort(key=lambda box: [b"mvhd", b"udta", b"trak"].index(box[4:8]))
    path.write_bytes(data[: at + 8] + b"".join(boxes))
    with av.open(str(path)) as file:
        assert file.streams.video[0].disposition & Disposition.attached_pic
        assert file.streams[0].type == "video"
        assert len(file.streams.video) == 2
    assert_readable(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("live.webm", ["-c:v", "libvpx", "-c:a", "libopus", "-f", "webm", "-live", "1"]),
        ("live.mkv", ["-c", "copy", "-live", "1"]),
        ("unfinished.flv", ["-c", "copy", "-flvflags", "no_duration_filesize"]),
        ("frag.mp4", ["-c", "copy", "-movflags", "empty_moov+frag_keyframe+default_base_moof"]),
        ("a.ts", ["-c", "copy"]),
    ],
)
def test_what_no_header_says_is_measured(
    marked: Path, tmp_path: Path, name: str, options: list[str]
):
    run_ffmpeg([*input_args(marked), *options, str(tmp_path / name)], name)
    assert probe(tmp_path / name).duration_s == pytest.approx(2.0, abs=0.09)


def test_an_unfinished_recording_is_as_long_as_what_is_there(marked: Path, tmp_path: Path):
    whole = remuxed(marked, tmp_path / "whole.mkv", "-live", "1", "-cluster_time_limit", "200")
    data = whole.read_bytes()
    (tmp_path / "a.mkv").write_bytes(data[: len(data) // 2])
    assert 0.5 < probe(tmp_path / "a.mkv").duration_s < 1.5


@pytest.mark.parametrize("late_s", [0.04, 0.3, 1.0])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "fragmented.mp4", "a.ts", "a.flv"])
def test_new_sound_starts_and_ends_with_a_picture_that_is_late(
    marked: Path, tmp_path: Path, name: str, late_s: float
):
    late = tmp_path / name
    flags = ["-movflags", "frag_keyframe+empty_moov"] if name.startswith("frag") else []
    run_ffmpeg(
        [
            *[*input_args(marked), *input_args(marked, "-itsoffset", f"{late_s}")],
            *["-map", "1:v", "-map", "0:a", "-c", "copy", *flags, str(late)],
        ],
        "late",
    )
    assert_sound_is_with_picture(late, tmp_path)


def test_new_sound_starts_with_the_first_frame_that_can_be_shown(marked: Path, tmp_path: Path):
    whole = remuxed(marked, tmp_path / "whole.ts")
    data, packet = whole.read_bytes(), 188
    cut = tmp_path / "a.ts"
    cut.write_bytes(data[len(data) // packet // 6 * packet :])
    assert 0 < frame_numbers(read_frames(cut, FPS))[0] < 40
    assert_sound_is_with_picture(cut, tmp_path)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_an_avi_with_reordered_frames_gets_its_sound(marked: Path, tmp_path: Path, codec: str):
    avi = tmp_path / "a.avi"
    run_ffmpeg([*input_args(marked), "-c:v", codec, "-bf", "2", "-b:v", "1M", str(avi)], "avi")
    assert_sound_is_with_picture(avi, tmp_path)
    assert frame_numbers(read_frames(tmp_path / "out.mp4", FPS)) == list(range(50))


def assert_sound_is_with_picture(video: Path, folder: Path) -> None:
    shown = frame_numbers(read_frames(video, FPS))
    seconds = len(shown) / FPS
    wave = 0.5 * np.sin(np.arange(round(seconds * RATE_HZ)) * 0.3)
    write_wav(folder / "new.wav", wave, RATE_HZ)
    output = folder / "out.mp4"
    add_sound(video, folder / "new.wav", output)
    with av.open(str(output)) as file:
        times_s = [float(frame.time or 0) for frame in file.decode(video=0)]
    assert times_s[0] == pytest.approx(0, abs=0.002)
    assert times_s[-1] + 1 / FPS == pytest.approx(seconds, abs=1 / FPS)
    assert frame_numbers(read_frames(output, FPS)) == shown
    loud = np.flatnonzero(np.abs(read_audio(output, RATE_HZ)) > 0.2) / RATE_HZ
    assert loud[0] == pytest.approx(0, abs=0.02)
    assert loud[-1] == pytest.approx(seconds, abs=0.03)


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx-vp9"), ("a.mp4", "mpeg4")])
def test_a_picture_that_is_too_large_for_its_decoder_is_refused_as_such(
    make_video, name: str, codec: str
):
    path = make_video(name, codec=codec, seconds=0.4, size="320x240", fps=5)
    limits = MediaLimits(max_pixels=160 * 120)
    with pytest.raises(MediaError, match="more than 19200 pixels"):
        check_upload(path, path.name, limits, ("mp4", "webm"))
