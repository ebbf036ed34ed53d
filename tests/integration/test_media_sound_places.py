"""Sound is where its time stamps say, whatever is missing before it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from marked_video import click_times_s

from preprocessing.cut import CutClip, cut_clips
from s2s.errors import MediaError
from s2s.media import read_audio, read_segments
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

RATE_HZ, SECONDS = 16_000, 3.0
CLICKS_S = (0.3, 0.8, 1.55, 2.1, 2.6)
EXACT_S = 0.010
CODECS = {
    "a.mp4": ("aac", 48_000, 1024),
    "a.mkv": ("libopus", 48_000, 960),
    "b.mkv": ("pcm_s16le", 44_100, 441),
    "a.nut": ("flac", 48_000, 1152),
    "a.flv": ("aac", 44_100, 1024),
    "a.ts": ("mp2", 48_000, 1152),
}


def write(path: Path, moves: dict[int, int], drop: range = range(0)) -> Path:
    """A grey video whose sound has packets missing, or moved from some packet on.

    Args:
        path: the file.
        moves: by the number of a packet, how many samples later it and all after it are.
        drop: numbers of packets that are left out.
    """
    codec, rate, _ = CODECS[path.name]
    n = int(SECONDS * rate)
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg2video" if path.suffix == ".ts" else "libx264", rate=25)
        sound = file.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(picture, av.VideoStream)
        assert isinstance(sound, av.AudioStream)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        packets: list[av.Packet] = []
        for k in range(int(SECONDS * 25)):
            image = np.full((48, 64), 40 + 2 * k, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="gray").reformat(format="yuv420p")
            frame.pts = k
            packets += picture.encode(frame)
        packets += picture.encode(None)
        samples = np.zeros(n, np.float32)
        for at_s in CLICKS_S:
            first = round(at_s * rate)
            samples[first : first + rate // 250] = 0.9
        form = sound.codec_context.format.name
        sounds: list[av.Packet] = []
        frame_size = CODECS[path.name][2]
        for first in range(0, n, frame_size):
            block = samples[None, first : first + frame_size]
            if form.startswith("s16"):
                block = (block * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, format=form, layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), first
            sounds += sound.encode(frame)
        sounds += sound.encode(None)
        later = 0
        for number, packet in enumerate(sounds):
            later += moves.get(number, 0)
            ticks = round(later / rate / packet.time_base)
            packet.pts, packet.dts = (packet.pts or 0) + ticks, (packet.dts or 0) + ticks
        kept = [packet for number, packet in enumerate(sounds) if number not in drop]
        for packet in sorted([*packets, *kept], key=lambda one: (one.dts or 0) * one.time_base):
            file.mux(packet)
    return path


def assert_places(path: Path, expected_s: list[float], folder: Path) -> None:
    """Every reader, and a clip, has the clicks where they should be."""
    whole = read_audio(path, RATE_HZ)
    [segment] = read_segments(path, [0.1], SECONDS, RATE_HZ)
    recipe = GenerationRecipe.model_validate(
        {
            "name": "holes",
            "collection": {"catalog": "c.csv"},
            "preprocessing": {"short_side_px": 48, "preset": "ultrafast", "min_duration_s": 0.5},
        }
    )
    clip = ClipRecord(source_id="a", start_s=0.2, end_s=SECONDS)
    [result] = cut_clips(path, [clip], recipe, folder)
    assert isinstance(result, CutClip), result
    cut = read_audio(result.files.sound, RATE_HZ)
    in_mp4 = read_audio(result.files.video, RATE_HZ)
    for name, samples, from_s in (
        ("whole", whole, 0.0),
        ("segment", segment, 0.1),
        ("wav", cut, 0.2),
        ("mp4", in_mp4, 0.2),
    ):
        until_s = min(SECONDS, from_s + len(samples) / RATE_HZ) - 0.05
        found_s = [time_s + from_s for time_s in click_times_s(samples, RATE_HZ)]
        found_s = [time_s for time_s in found_s if time_s < until_s]
        wanted_s = [time_s for time_s in expected_s if time_s < until_s]
        assert found_s == pytest.approx(wanted_s, abs=EXACT_S), name


def delay_s(folder: Path, name: str) -> float:
    """How late a codec's sound is in a container that does not say so."""
    samples = read_audio(write(folder / name, {}), RATE_HZ)
    return click_times_s(samples, RATE_HZ)[0] - CLICKS_S[0]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("n_lost", [1, 2, 3, 5, 20])
def test_packets_that_are_lost_leave_a_hole(tmp_path: Path, name: str, n_lost: int):
    _, rate, size = CODECS[name]
    late_s = delay_s(tmp_path, name)
    first = round(1.0 * rate / size)
    write(tmp_path / name, {}, range(first, first + n_lost))
    hole_s = (first * size / rate - 0.03, (first + n_lost) * size / rate + 0.03)
    expected_s = [s + late_s for s in CLICKS_S if not hole_s[0] < s + late_s < hole_s[1]]
    assert_places(tmp_path / name, expected_s, tmp_path)


@pytest.mark.parametrize("hole_s", [0.001, 0.004, 0.009, 0.015, 0.03, 0.064, 0.1, 0.4])
@pytest.mark.parametrize("name", ["a.mp4", "b.mkv"])
def test_time_stamps_that_jump_move_what_follows(tmp_path: Path, name: str, hole_s: float):
    _, rate, size = CODECS[name]
    late_s, at = delay_s(tmp_path, name), round(1.0 * rate / size)
    write(tmp_path / name, {at: round(hole_s * rate)})
    moved_s = [s + late_s + (hole_s if s > 1.0 else 0.0) for s in CLICKS_S]
    assert_places(tmp_path / name, moved_s, tmp_path)


def test_small_holes_do_not_add_up(tmp_path: Path):
    name = "b.mkv"
    _, rate, size = CODECS[name]
    each = round(0.006 * rate)
    moves = dict.fromkeys(range(10, 200, 10), each)
    write(tmp_path / name, moves)
    expected_s = [s + 0.006 * min(19, s * rate / size // 10) for s in CLICKS_S]
    assert_places(tmp_path / name, expected_s, tmp_path)


@pytest.mark.parametrize("overlap_s", [0.02, 0.05, 0.2])
def test_where_sound_overlaps_what_follows_is_in_its_place(tmp_path: Path, overlap_s: float):
    name, n_packets = "b.mkv", round(overlap_s / 0.005)
    _, rate, size = CODECS[name]
    first = round(1.0 * rate / size)
    # Each begins in the middle of the one before it.
    write(tmp_path / name, dict.fromkeys(range(first, first + n_packets), -round(0.005 * rate)))
    expected_s = [s - (overlap_s if s > 1.0 else 0.0) for s in CLICKS_S]
    assert_places(tmp_path / name, expected_s, tmp_path)


def test_time_stamps_that_are_only_rough_move_nothing(tmp_path: Path):
    name = "b.mkv"
    _, rate, _ = CODECS[name]
    rough = np.random.default_rng(0).integers(-rate // 300, rate // 300, 300)
    write(tmp_path / name, {k: int(rough[k] - (rough[k - 1] if k else 0)) for k in range(300)})
    samples = read_audio(tmp_path / name, RATE_HZ)
    assert click_times_s(samples, RATE_HZ) == pytest.approx(CLICKS_S, abs=EXACT_S)
    assert np.count_nonzero(np.abs(samples) > 0.2) / RATE_HZ == pytest.approx(0.02, abs=0.004)


def test_a_time_stamp_that_is_far_off_takes_no_memory(tmp_path: Path):
    path = write(tmp_path / "b.mkv", {200: 10 * 3600 * 44_100})
    with pytest.raises(MediaError, match=r"its sound says|s long"):
        read_audio(path, RATE_HZ)
