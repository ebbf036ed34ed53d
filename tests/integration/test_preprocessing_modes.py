"""Every mode is exact, falls back with its reason, and has an outcome for whatever comes."""

import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from marked_video import MarkedVideo, click_times_s, frame_numbers

from preprocessing.cut import CutClip, cut_clips
from preprocessing.packets.comparison import find_difference
from preprocessing.packets.smart_cut import cut_packets
from preprocessing.stage import most_together, number_passes
from s2s.errors import MediaError
from s2s.media import input_args, read_audio, read_frames, run_ffmpeg
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, PreprocessingSettings
from s2s.tasks.generation.settings import GenerationRecipe

FPS, RATE_HZ = 25, 16_000
CLICKS_S = (0.5, 2.25, 3.1, 4.75, 6.3, 8.1)
MODES = ("encode", "copy", "smart")


def recipe(**settings: object) -> GenerationRecipe:
    return GenerationRecipe(
        name="modes",
        collection=CollectionSettings(catalog="modes.csv"),
        preprocessing=PreprocessingSettings.model_validate(
            {"short_side_px": 64, "preset": "ultrafast", "min_duration_s": 0.5, **settings}
        ),
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds with B-frames and a keyframe every 48 frames."""
    folder = tmp_path_factory.mktemp("source")
    raw = MarkedVideo(seconds=10, clicks_s=CLICKS_S).write(folder / "raw.mp4")
    return encoded(raw, folder / "a.mp4", "-g", "48", "-sc_threshold", "0", "-c:a", "copy")


def encoded(source: Path, target: Path, *options: str) -> Path:
    args = [*input_args(source), "-c:v", "libx264", "-threads", "1", *options, str(target)]
    run_ffmpeg(args, source.name)
    return target


def cut(
    source: Path, start_s: float, end_s: float, recipe: GenerationRecipe, folder: Path
) -> CutClip:
    clip = ClipRecord(source_id="a", start_s=start_s, end_s=end_s)
    [result] = cut_clips(source, [clip], recipe, folder)
    if isinstance(result, MediaError):
        raise result
    return result


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768, file.getframerate()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "span_s", [(0.0, 3.0), (1.92, 4.92), (2.517, 5.517), (3.305, 4.1), (7.01, 10.0)]
)
def test_every_mode_is_exact(source: Path, tmp_path: Path, mode: str, span_s: tuple[float, float]):
    start_s, end_s = span_s
    clip = cut(source, start_s, end_s, recipe(video=mode), tmp_path)
    assert clip.note == ""
    numbers = frame_numbers(read_frames(clip.files.video, FPS))
    assert abs(numbers[0] / FPS - start_s) <= 0.5 / FPS + 1e-6
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert abs(len(numbers) / FPS - (end_s - start_s)) <= 1 / FPS
    # Sound belongs to the picture it is with: measured from the frame that is really first.
    first_s = start_s if mode == "encode" else numbers[0] / FPS
    last_s = first_s + len(numbers) / FPS
    expected_s = [time_s - first_s for time_s in CLICKS_S if first_s <= time_s < last_s]
    for samples in (read_wav(clip.files.sound)[0], read_audio(clip.files.video, RATE_HZ)):
        found_s = click_times_s(samples[: round((last_s - first_s) * RATE_HZ)], RATE_HZ)
        assert len(found_s) == len(expected_s), (found_s, expected_s)
        assert np.abs(np.subtract(found_s, expected_s)).max(initial=0) < 0.010
    assert len(read_wav(clip.files.sound)[0]) == round(len(numbers) / FPS * RATE_HZ)


@pytest.mark.parametrize("mode", ["copy", "smart"])
def test_copies_are_what_another_reader_shows_too(source: Path, tmp_path: Path, mode: str):
    clip = cut(source, 2.52, 5.52, recipe(video=mode), tmp_path)
    raw = tmp_path / "raw.mkv"
    run_ffmpeg([*input_args(clip.files.video), "-c:v", "ffv1", "-an", str(raw)], "raw")
    assert frame_numbers(read_frames(raw, FPS)) == list(range(63, 138))


def test_smart_keeps_packets_and_hides_nothing(source: Path, tmp_path: Path):
    clip = cut(source, 2.52, 7.0, recipe(video="smart"), tmp_path)
    with av.open(str(source)) as file:
        originals = {bytes(packet) for packet in file.demux(video=0) if packet.size}
    with av.open(str(clip.files.video)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    kept = [bytes(packet) in originals for packet in packets]
    # Frames 63 to 95 come before the next keyframe.
    assert kept == [False] * 33 + [True] * (len(kept) - 33)
    assert not any(packet.is_discard for packet in packets[:33])


@pytest.mark.parametrize(
    ("name", "marked", "mode", "said"),
    [
        ("a.avi", MarkedVideo(codecs=("mpeg4", "pcm_s16le")), "smart", "only H.264"),
        ("a.webm", MarkedVideo(codecs=("libvpx", "libopus"), sound_rate_hz=48_000), "copy", "vp8"),
        (
            "a.mp4",
            MarkedVideo(frame_times_s=[0.0, 0.04, 0.08, 1.5, 1.54, 2.5, 2.54, 4.0]),
            "copy",
            "within half a frame of its start",
        ),
    ],
)
def test_what_cannot_be_copied_is_encoded_and_says_why(
    tmp_path: Path, name: str, marked: MarkedVideo, mode: str, said: str
):
    clip = cut(marked.write(tmp_path / name), 1.0, 3.0, recipe(video=mode), tmp_path)
    assert clip.note.startswith("encoded, not copied: ")
    assert said in clip.note
    assert len(read_frames(clip.files.video, FPS)) == 50


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.mp4", ["libx265", "-x265-params", "log-level=none:keyint=48"], ""),
        ("a.webm", ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"], ""),
        ("a.mkv", ["libsvtav1", "-preset", "12", "-svtav1-params", "keyint=48"], ""),
        ("b.mkv", ["libx265", "-x265-params", "log-level=none:keyint=48"], "no time stamps"),
        ("c.mkv", ["libx264"], "no time stamps"),
    ],
    ids=["hevc", "vp9", "av1", "hevc-mkv", "h264-mkv"],
)
@pytest.mark.parametrize("start_s", [0.0, 2.52])
def test_other_codecs_are_copied_exactly_or_encoded(
    source: Path,
    tmp_path: Path,
    start_s: float,
    name: str,
    options: list[str],
    said: str,
):
    other = tmp_path / name
    sound = ["-c:a", "libopus"] if name.endswith("webm") else ["-c:a", "copy"]
    args = [*input_args(source, "-t", "6"), "-c:v", *options, "-g", "48", *sound, str(other)]
    run_ffmpeg(args, name)
    clip = cut(other, start_s, start_s + 3, recipe(video="copy"), tmp_path)
    assert bool(clip.note) == bool(said)
    assert said in clip.note
    first = round(start_s * FPS)
    expected = list(range(first, first + 75))
    assert frame_numbers(read_frames(clip.files.video, FPS)) == expected
    clicks_s = click_times_s(read_wav(clip.files.sound)[0], RATE_HZ)
    expected_s = [time_s - start_s for time_s in CLICKS_S if start_s <= time_s < start_s + 3]
    assert clicks_s == pytest.approx(expected_s, abs=0.010)


@pytest.mark.parametrize("mode", ["copy", "smart"])
def test_a_copy_that_shows_something_else_is_no_copy(source: Path, tmp_path: Path, mode: str):
    """From what is marked as a keyframe here, pictures are whole only a second later."""
    options = ["-g", "48", "-x264-params", "intra-refresh=1"]
    refreshed = encoded(source, tmp_path / "b.mp4", *options, "-c:a", "copy")
    clip = cut(refreshed, 2.52, 5.52, recipe(video=mode), tmp_path)
    assert clip.note.startswith("encoded, not copied: ")
    assert frame_numbers(read_frames(clip.files.video, FPS)) == list(range(63, 138))


@pytest.mark.parametrize("mode", ["copy", "smart"])
def test_how_a_copy_differs_is_told(source: Path, tmp_path: Path, mode: Literal["copy", "smart"]):
    video = tmp_path / "a.mp4"
    copied = cut_packets(source, video, (2.52, 6.52), RATE_HZ, mode)
    assert find_difference(source, video, copied) == ""
    late = replace(copied, start_s=copied.start_s + 1 / FPS)
    assert find_difference(source, video, late) == "frame 0 does not show what its source does"
    longer = replace(copied, duration_s=copied.duration_s + 0.2)
    assert find_difference(source, video, longer).startswith("105 frames of its source are shown")
    other = encoded(source, tmp_path / "b.mp4", "-vf", "hflip", "-t", "9", "-c:a", "copy")
    assert "does not show" in find_difference(other, video, copied)


def test_overlapping_clips_come_out_of_one_pass_with_all_their_files(source: Path, tmp_path: Path):
    starts_s = [0.4, 2.0, 2.6, 6.0]
    clips = [ClipRecord(source_id="a", start_s=s, end_s=s + 3) for s in starts_s]
    asked = recipe(more_wav_hz=[8000, 44_100], poster=True)
    results = cut_clips(source, clips, asked, tmp_path)
    for start_s, result in zip(starts_s, results, strict=True):
        assert isinstance(result, CutClip)
        first = round(start_s * FPS)
        assert frame_numbers(read_frames(result.files.video, FPS)) == list(range(first, first + 75))
        paths = [result.files.sound, *result.files.extras(asked)[:2]]
        for path, rate_hz in zip(paths, (16_000, 8000, 44_100), strict=True):
            samples, found_hz = read_wav(path)
            assert (len(samples), found_hz) == (3 * rate_hz, rate_hz)
            expected_s = [
                time_s - start_s for time_s in CLICKS_S if start_s <= time_s < start_s + 3
            ]
            assert click_times_s(samples, rate_hz) == pytest.approx(expected_s, abs=0.010)
        with av.open(str(result.files.poster)) as file:
            poster = next(file.decode(video=0)).to_ndarray(format="rgb24")
        assert frame_numbers(poster[None]) == [first]
    assert len(list(tmp_path.iterdir())) == 4 * 5


@pytest.mark.parametrize("layout", ["stereo", "5.1"])
def test_channels_become_their_mean_in_every_mode_and_at_every_rate(tmp_path: Path, layout: str):
    loud = tmp_path / "loud.mkv"
    tones = "|".join(["0.9*sin(2760*t)"] * (2 if layout == "stereo" else 6))
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3"],
            *["-f", "lavfi", "-i", f"aevalsrc={tones}:s=44100:d=3:channel_layout={layout}"],
            *["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", str(loud)],
        ],
        "loud",
    )
    for mode in MODES:
        files = cut(loud, 1.0, 2.0, recipe(video=mode, more_wav_hz=[8000]), tmp_path).files
        for samples in (read_wav(files.sound)[0], read_wav(files.sound_at(8000))[0]):
            assert np.abs(samples[200:-200]).max() == pytest.approx(0.9, abs=0.02), mode
    assert np.abs(read_audio(loud, RATE_HZ)[200:-200]).max() == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("mode", ["copy", "smart"])
def test_copies_have_all_their_files_too(source: Path, tmp_path: Path, mode: str):
    asked = recipe(video=mode, more_wav_hz=[8000], poster=True)
    files = cut(source, 2.0, 4.0, asked, tmp_path).files
    samples, _ = read_wav(files.sound_at(8000))
    assert click_times_s(samples, 8000) == pytest.approx([0.25, 1.1], abs=0.010)
    with av.open(str(files.poster)) as file:
        poster = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert frame_numbers(poster[None]) == [50]


def test_clips_that_almost_touch_are_cut_together():
    def clip(source_id: str, start_s: float) -> ClipRecord:
        return ClipRecord(source_id=source_id, start_s=start_s, end_s=start_s + 3)

    near = [clip("a", 0), clip("a", 2), clip("a", 6.5)]
    assert len(set(number_passes([*near, clip("a", 100), clip("b", 100)], 8).values())) == 3
    assert len({number_passes(near, 8)[one.clip_id] for one in near}) == 1
    many = [clip("a", 3 * k) for k in range(40)]
    assert sorted(number_passes(many, 8).values()) == [k // 8 + 1 for k in range(40)]


@pytest.mark.parametrize(("short_side_px", "most"), [(128, 12), (256, 8), (720, 2), (1080, 1)])
def test_large_pictures_are_cut_by_fewer_at_a_time(short_side_px: int, most: int):
    assert most_together(recipe(short_side_px=short_side_px)) == most


@pytest.mark.parametrize("mode", MODES)
def test_without_sound_a_clip_gets_a_silent_wav_where_the_recipe_says_so(
    source: Path, tmp_path: Path, mode: str
):
    mute = tmp_path / "mute.mp4"
    run_ffmpeg([*input_args(source), "-c", "copy", "-an", str(mute)], "mute")
    asked = recipe(video=mode, no_audio="silent", more_wav_hz=[8000])
    files = cut(mute, 2.0, 4.0, asked, tmp_path).files
    for path, rate_hz in ((files.sound, RATE_HZ), (files.sound_at(8000), 8000)):
        samples, _ = read_wav(path)
        assert len(samples) == 2 * rate_hz
        assert not samples.any()
    with pytest.raises(MediaError, match="has no sound"):
        cut(mute, 2.0, 4.0, recipe(video=mode), tmp_path)


@pytest.fixture
def bright(source: Path, tmp_path: Path) -> Path:
    """The source as HDR10 says it: ten bits, PQ, wide gamut."""
    colours = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    options = ["-t", "3", "-vf", colours, "-pix_fmt", "yuv420p10le"]
    return encoded(source, tmp_path / "hdr.mp4", *options)


@pytest.mark.parametrize("mode", MODES)
def test_high_dynamic_range_is_mapped_to_standard(bright: Path, tmp_path: Path, mode: str):
    clip = cut(bright, 0.0, 2.0, recipe(video=mode), tmp_path)
    assert ("dynamic range" in clip.note) == (mode != "encode")
    with av.open(str(clip.files.video)) as file:
        context = file.streams.video[0].codec_context
        assert (context.pix_fmt, context.color_trc) == ("yuv420p", 1)  # BT.709
    shown = read_frames(clip.files.video, FPS)
    assert len(shown) == 50
    assert shown.max() > 60, "not black"


def test_high_dynamic_range_fails_where_the_recipe_says_so(bright: Path, tmp_path: Path):
    with pytest.raises(MediaError, match="high dynamic range") as failure:
        cut(bright, 0.0, 2.0, recipe(hdr="fail"), tmp_path)
    assert failure.value.reason == "refused"


def test_one_damaged_clip_does_not_cost_its_neighbours(source: Path, tmp_path: Path):
    data = bytearray(source.read_bytes())
    index = data.index(b"moov")
    data[index * 5 // 8 : index * 7 // 8] = bytes(index * 7 // 8 - index * 5 // 8)
    damaged = tmp_path / "b.mp4"
    damaged.write_bytes(data)
    clips = [ClipRecord(source_id="b", start_s=s, end_s=s + 1) for s in (0, 1, 6, 7)]
    results = cut_clips(damaged, clips, recipe(), tmp_path)
    assert isinstance(results[0], CutClip)
    assert any(isinstance(result, MediaError) for result in results)


def test_frames_that_cannot_be_decoded_are_not_made_up(tmp_path: Path, source: Path):
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as file:
        [_, key, *_] = [packet for packet in file.demux(video=0) if packet.is_keyframe]
    data[(key.pos or 0) + 8 : (key.pos or 0) + key.size] = bytes(key.size - 8)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    # The second group of pictures, from 1.92 to 3.84 s, has lost its keyframe.
    clips = [ClipRecord(source_id="d", start_s=s, end_s=s + 1.5) for s in (0, 2, 6)]
    before, inside, after = cut_clips(damaged, clips, recipe(), tmp_path)
    assert isinstance(before, CutClip)
    assert isinstance(inside, MediaError)
    assert "of its frames in damaged.mp4 are damaged" in inside.message
    assert isinstance(after, CutClip)


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(60_000, 1001)], ids=str)
def test_copies_keep_the_sources_rate(tmp_path: Path, fps: Fraction):
    raw = MarkedVideo(fps=fps).write(tmp_path / "raw.mp4")
    source = encoded(raw, tmp_path / "a.mp4", "-g", "30", "-c:a", "copy")
    files = cut(source, 2.517, 4.517, recipe(video="smart"), tmp_path).files
    with av.open(str(files.video)) as file:
        assert float(file.streams.video[0].average_rate or 0) == pytest.approx(float(fps), rel=0.01)
        times_s = [frame.time or 0.0 for frame in file.decode(video=0)]
    assert times_s[0] == pytest.approx(0, abs=1e-3)
    assert abs(times_s[-1] + 1 / float(fps) - 2) <= 1 / float(fps)
