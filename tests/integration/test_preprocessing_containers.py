"""Clips are exact whatever file they come from: containers, codecs, orders of frames, offsets."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from marked_video import MarkedVideo, click_times_s, frame_numbers

from preprocessing.cut import CutClip, cut_clips
from s2s.errors import MediaError
from s2s.media import input_args, read_frames, run_ffmpeg, sample_frames
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

FPS, RATE_HZ, CLIP_S = 25, 16_000, 1.6
CLICKS_S = (0.5, 1.3, 2.1, 2.9, 3.7)
RECIPE = GenerationRecipe.model_validate(
    {
        "name": "containers",
        "collection": {"catalog": "c.csv"},
        "preprocessing": {"short_side_px": 64, "preset": "ultrafast", "min_duration_s": 0.5},
    }
)
B_FRAMES = ["-g", "25", "-bf", "2"]
H264 = ["-c:v", "libx264", "-threads", "1", *B_FRAMES]
DV = ["-c:v", "dvvideo", "-pix_fmt", "yuv420p"]
HEVC = ["-c:v", "libx265", "-x265-params", "log-level=none:keyint=25:bframes=3"]
INTERLACED = ["-vf", "setfield=tff", "-flags", "+ilme+ildct"]
FILES = {
    "h264.avi": [*H264, "-c:a", "libmp3lame"],
    "h264-pyramid.avi": [*H264, "-bf", "5", "-b-pyramid", "normal", "-c:a", "pcm_s16le"],
    "h264-open.avi": [*H264, "-x264-params", "open-gop=1", "-c:a", "ac3"],
    "mpeg4.avi": ["-c:v", "mpeg4", *B_FRAMES, "-c:a", "libmp3lame"],
    "mpeg4-no-b.avi": ["-c:v", "mpeg4", "-g", "25", "-c:a", "libmp3lame"],
    "mpeg1.mpg": ["-c:v", "mpeg1video", *B_FRAMES, "-c:a", "mp2"],
    "mpeg2.mpg": ["-c:v", "mpeg2video", *B_FRAMES, "-c:a", "mp2", "-f", "vob"],
    "h264.ts": [*H264, "-c:a", "aac"],
    "late-clock.ts": [*H264, "-c:a", "aac", "-output_ts_offset", "40000"],
    "hevc.ts": [*HEVC, "-c:a", "aac"],
    "mpeg2.ts": ["-c:v", "mpeg2video", *B_FRAMES, "-c:a", "mp2"],
    "h264.flv": [*H264, "-c:a", "aac"],
    "sorenson.flv": ["-c:v", "flv1", "-g", "25", "-c:a", "libmp3lame"],
    "wmv2.wmv": ["-c:v", "wmv2", "-g", "25", "-c:a", "wmav2"],
    "theora.ogv": ["-c:v", "libtheora", "-g", "25", "-c:a", "libvorbis"],
    "open.mkv": [*H264, "-x264-params", "open-gop=1", "-c:a", "aac"],
    "hevc.mp4": [*HEVC, "-c:a", "aac"],
    "fragmented.mp4": [*H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
    "no-edits.mp4": [*H264, "-c:a", "aac", "-use_editlist", "0"],
    "intra.nut": ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "flac"],
    "av1.mp4": ["-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "keyint=25", "-c:a", "aac"],
    # Its keyframes are stored before 23 frames that are shown before them.
    "vvc.mp4": ["-c:v", "libvvenc", "-preset", "faster", "-g", "25", "-c:a", "aac"],
    # No keyframe behind the first: each picture renews a strip of it.
    "refreshed.mp4": [*H264, "-x264-params", "intra-refresh=1", "-c:a", "aac"],
    "refreshed.ts": [*H264, "-x264-params", "intra-refresh=1", "-c:a", "aac"],
    "real.rm": ["-c:v", "rv20", "-g", "25", "-c:a", "ac3"],
    # Both fields of a frame are of one time, as those of a film on television.
    "interlaced.mp4": [*H264, *INTERLACED, "-c:a", "aac"],
    "interlaced-bottom.mkv": [*H264, *INTERLACED, "-vf", "setfield=bff", "-c:a", "aac"],
    "interlaced.ts": ["-c:v", "mpeg2video", *B_FRAMES, *INTERLACED, "-c:a", "mp2"],
    "ten-bit.mkv": [*H264, "-pix_fmt", "yuv420p10le", "-c:a", "libopus"],
}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of numbered frames and clicks."""
    path = tmp_path_factory.mktemp("marked") / "a.mkv"
    return MarkedVideo(
        seconds=4, clicks_s=CLICKS_S, codecs=("libx264", "pcm_s16le"), sound_rate_hz=48_000
    ).write(path)


def encoded(marked: Path, path: Path, *options: str, inputs: tuple[str, ...] = ()) -> Path:
    pixels = [] if "-pix_fmt" in options else ["-pix_fmt", "yuv420p"]
    run_ffmpeg([*input_args(marked, *inputs), "-b:v", "1M", *pixels, *options, str(path)], "x")
    return path


def cut(source: Path, start_s: float, folder: Path, duration_s: float = CLIP_S) -> CutClip:
    clip = ClipRecord(source_id="a", start_s=start_s, end_s=start_s + duration_s)
    [result] = cut_clips(source, [clip], RECIPE, folder)
    if isinstance(result, MediaError):
        raise result
    return result


def picture_late_s(source: Path) -> float:
    """When the picture begins; AVI counts from where its packets begin, and has no other clock."""
    with av.open(str(source)) as file:
        if file.format.name == "avi":
            return 0.0
        first = next(file.decode(video=0))
        return float(first.time or 0) - (file.start_time or 0) / av.time_base


def clicks_s(sound: Path) -> list[float]:
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    return click_times_s(samples / max(1e-6, np.abs(samples).max()), RATE_HZ)


@pytest.mark.parametrize("start_s", [0.0, 1.32, 2.4])
@pytest.mark.parametrize("name", FILES)
def test_a_clip_is_exact(marked: Path, tmp_path: Path, name: str, start_s: float):
    check_exact(encoded(marked, tmp_path / name, *FILES[name]), start_s, tmp_path)


@pytest.mark.parametrize("start_s", [0.92, 0.96])
@pytest.mark.parametrize("name", ["h264-open.avi", "open.mkv", "hevc.mp4", "vvc.mp4"])
def test_a_clip_begins_with_frames_that_are_stored_behind_their_keyframe(
    marked: Path, tmp_path: Path, name: str, start_s: float
):
    source = encoded(marked, tmp_path / name, *FILES[name])
    check_exact(source, start_s, tmp_path)
    assert frame_numbers(sample_frames(source, fps=FPS).frames) == list(range(100))


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
@pytest.mark.parametrize(("options", "first"), [("open-gop=0:radl=3", 22), ("open-gop=1", 25)])
def test_what_leads_a_files_first_keyframe_counts_where_it_is_whole(
    marked: Path, tmp_path: Path, suffix: str, options: str, first: int
):
    """Where a recording was cut at a keyframe, frames that look behind it are lost."""
    gop = f"log-level=none:keyint=25:min-keyint=25:scenecut=0:bframes=4:b-adapt=0:{options}"
    codecs = ["-c:v", "libx265", "-x265-params", gop, "-c:a", "aac"]
    whole = encoded(marked, tmp_path / "whole.mp4", *codecs)
    source = tmp_path / f"cut.{suffix}"
    run_ffmpeg([*input_args(whole, "-ss", "1.1"), "-c", "copy", str(source)], "x")
    known = frame_numbers(sample_frames(source, fps=FPS).frames)
    assert known[:12] == list(range(first, first + 12))
    shown = frame_numbers(read_frames(cut(source, 0.0, tmp_path).files.video, FPS))
    assert shown[0] == first
    late = round(picture_late_s(source) * FPS)
    assert shown[late : late + 12] == list(range(first, first + 12))


def check_exact(source: Path, start_s: float, tmp_path: Path) -> None:
    clip = cut(source, start_s, tmp_path)
    late_s = picture_late_s(source)
    begins_s = late_s + np.arange(100) / FPS
    ends_s = begins_s + 1 / FPS
    begins_s[0] = 0  # a picture that starts late begins with its first frame
    numbers = frame_numbers(read_frames(clip.files.video, FPS))
    assert len(numbers) == 40
    at_s = start_s + np.arange(40) / FPS
    assert (begins_s[numbers] <= at_s + 0.5 / FPS + 2e-3).all(), numbers
    assert (ends_s[numbers] >= at_s - 0.5 / FPS - 2e-3).all(), numbers
    # Codecs delay sound, and most of these containers do not say by how much.
    found_s = np.array(clicks_s(clip.files.sound)) + start_s - late_s
    nearest_s = np.abs(found_s[:, None] - np.array(CLICKS_S)).min(axis=1)
    assert len(found_s) == 2
    assert nearest_s.max() < 0.04


@pytest.mark.parametrize(
    "name",
    ["h264.avi", "h264-pyramid.avi", "mpeg4.avi", "h264.ts", "av1.mp4", "refreshed.mp4", "real.rm"],
)
def test_every_reader_shows_frames_in_their_order(marked: Path, tmp_path: Path, name: str):
    source = encoded(marked, tmp_path / name, *FILES[name])
    assert frame_numbers(read_frames(source, FPS)) == list(range(100))
    assert frame_numbers(sample_frames(source, 20).frames) == list(range(2, 100, 5))


@pytest.mark.parametrize("field", ["tff", "bff"])
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", H264), (".ts", ["-c:v", "mpeg2video"]), (".avi", DV)]
)
def test_what_moves_between_two_fields_has_no_combs(
    tmp_path: Path, suffix: str, codec: list[str], field: str
):
    """A bar that moves by 16 pixels from field to field, as cameras on stands record it."""
    source = tmp_path / f"a{suffix}"
    order = 4 if field == "tff" else 5
    moving = f"overlay=x='mod(16*n,640)',format=yuv420p,tinterlace={order},setfield={field}"
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", "color=black:s=720x576:r=50:d=1"],
            *["-f", "lavfi", "-i", "color=white:s=40x576:r=50:d=1"],
            *["-f", "lavfi", "-i", "sine=r=48000:d=1", "-filter_complex", f"[0:v][1:v]{moving}"],
            *["-flags", "+ilme+ildct", *codec, "-b:v", "25M", "-ac", "2", str(source)],
        ],
        "x",
    )
    for video in (source, cut(source, 0.0, tmp_path, 0.8).files.video):
        for picture in read_frames(video, FPS)[1:20, :, :, 0].astype(int):
            wide = (picture > 128).sum(1)
            assert np.ptp(np.argmax(picture > 128, axis=1)) <= picture.shape[1] // 240, video
            assert np.all(wide > 0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv"])
@pytest.mark.parametrize("start_s", [1.2, 2.51, 3.6])
def test_a_frame_stays_until_the_next_one(tmp_path: Path, suffix: str, start_s: float):
    slides_s = [0.0, 0.04, 0.08, 0.2, 3.4, 3.44, 6.0, 6.04]
    clips = (0.5, 1.3, 2.1, 2.9, 3.7, 4.5)
    source = MarkedVideo(seconds=6, frame_times_s=slides_s, clicks_s=clips).write(
        tmp_path / f"a{suffix}"
    )
    numbers = frame_numbers(read_frames(cut(source, start_s, tmp_path).files.video, FPS))
    at_s = start_s + (np.arange(40) + 0.5) / FPS - picture_late_s(source)
    expected = np.searchsorted(slides_s, at_s, side="right") - 1
    # At a change half a frame may be rounded either way.
    assert np.count_nonzero(expected != numbers) <= 1, numbers


@pytest.mark.parametrize("mode", ["encode", "copy"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_frame_may_stay_for_minutes(tmp_path: Path, suffix: str, mode: str):
    """Matroska stores the frame after the long one first, and no time of decoding."""
    video = MarkedVideo(
        seconds=150, frame_times_s=[0.0, 0.04, 140.0, 140.04, 148.0], clicks_s=(71,)
    )
    preprocessing = RECIPE.preprocessing.model_copy(update={"video": mode})
    recipe = RECIPE.model_copy(update={"preprocessing": preprocessing})
    asked = ClipRecord(source_id="a", start_s=70, end_s=70 + CLIP_S)
    [clip] = cut_clips(video.write(tmp_path / f"a{suffix}"), [asked], recipe, tmp_path)
    assert isinstance(clip, CutClip)
    assert frame_numbers(read_frames(clip.files.video, FPS)) == [1] * 40
    assert clicks_s(clip.files.sound) == pytest.approx([1], abs=0.03)


def test_a_recording_that_begins_between_keyframes_begins_with_its_first_whole_frame(
    marked: Path, tmp_path: Path
):
    whole = encoded(marked, tmp_path / "whole.ts", *H264, "-c:a", "aac")
    packets = 188
    data = whole.read_bytes()
    source = tmp_path / "a.ts"
    # Tables are repeated every tenth of a second, so that this can be read.
    source.write_bytes(data[len(data) // packets // 8 * packets :])
    with av.open(str(source)) as file:
        first_key = next(packet for packet in file.demux(video=0) if packet.is_keyframe)
        origin_s = (file.start_time or 0) / av.time_base
        from_s = float((first_key.pts or 0) * first_key.time_base) - origin_s
    assert from_s > 0.2
    numbers = frame_numbers(read_frames(cut(source, 0.0, tmp_path).files.video, FPS))
    held, first = round(from_s * FPS), numbers[0]
    assert first > 2
    assert set(numbers[:held]) == {first}
    assert numbers[held + 1 :] == list(range(numbers[held + 1], numbers[held + 1] + 39 - held))


def test_pictures_that_say_no_time_are_not_guessed(marked: Path, tmp_path: Path):
    """In a programme stream only some of H.264's packets say when their frames are shown."""
    source = encoded(marked, tmp_path / "a.mpg", *H264, "-c:a", "mp2", "-f", "vob")
    with pytest.raises(MediaError, match="do not say when their frames are shown; convert it"):
        cut(source, 1.2, tmp_path)
