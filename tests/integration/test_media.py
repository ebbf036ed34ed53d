"""Reading and writing media with the real ffmpeg and PyAV."""

import errno
from pathlib import Path

import av
import numpy as np
import pytest

from s2s.errors import MediaError
from s2s.media import (
    MediaLimits,
    add_sound,
    drop_sound,
    input_args,
    probe,
    read_audio,
    read_frames,
    run_ffmpeg,
    write_wav,
)
from s2s.reasons import Reason

RATE_HZ = 16_000


@pytest.fixture
def grey_clip(tmp_path: Path) -> Path:
    """2 s at 25 fps whose frame n is a grey of 4 n, with a tone."""
    path = tmp_path / "grey.mp4"
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", "color=black:s=64x48:r=25:d=2,format=gray,geq=lum=4*N"],
            *["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={RATE_HZ}:duration=2"],
            *["-pix_fmt", "yuv420p", "-color_range", "tv", "-crf", "1", str(path)],
        ],
        "grey",
    )
    return path


def greys(frames: np.ndarray) -> np.ndarray:
    return frames.mean(axis=(1, 2, 3))


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as file:
        stream = next(stream for stream in file.streams if stream.type == kind)
        return [bytes(packet) for packet in file.demux(stream) if packet.size]


def test_probe(grey_clip: Path):
    found = probe(grey_clip)
    assert (found.width, found.height, found.fps) == (64, 48, 25)
    assert (found.video_codec, found.audio_codec, found.sample_rate_hz) == ("h264", "aac", RATE_HZ)
    assert found.duration_s == pytest.approx(2)
    assert found.has_video
    assert found.has_audio


def test_frames_come_in_order_one_a_step(grey_clip: Path):
    frames = read_frames(grey_clip, 25)
    assert frames.shape == (50, 48, 64, 3)
    assert frames.dtype == np.uint8
    steps = np.diff(greys(frames))
    assert np.all(steps > 2)


@pytest.mark.parametrize(("fps", "every"), [(5, 5), (1, 25)])
def test_a_lower_rate_takes_what_is_on_screen_in_the_middle_of_each_step(
    grey_clip: Path, fps: int, every: int
):
    all_greys, some = greys(read_frames(grey_clip, 25)), greys(read_frames(grey_clip, fps))
    assert np.allclose(some, all_greys[every // 2 :: every], atol=0.01)


def test_a_higher_rate_repeats_frames(grey_clip: Path):
    doubled = greys(read_frames(grey_clip, 50))
    assert np.allclose(doubled.reshape(50, 2).std(axis=1), 0)


def test_frames_are_scaled(grey_clip: Path):
    assert read_frames(grey_clip, 25, (16, 8)).shape == (50, 8, 16, 3)


def test_rotation_is_applied(real_data: Path):
    path = real_data / "clips" / "odd" / "decord_video_90.mov"
    stored = probe(path)
    assert read_frames(path, 30).shape[1:3] == (stored.width, stored.height)
    assert read_frames(path, 30, (20, 40)).shape[1:3] == (40, 20)


def test_sound_survives_a_wav(tmp_path: Path):
    wave = np.sin(np.arange(RATE_HZ) * 0.1).astype(np.float32) * 0.5
    write_wav(tmp_path / "a.wav", wave, RATE_HZ)
    assert np.allclose(read_audio(tmp_path / "a.wav", RATE_HZ), wave, atol=1e-4)


def test_loud_sound_is_clipped_not_wrapped(tmp_path: Path):
    write_wav(tmp_path / "a.wav", np.array([2.0, -2.0]), RATE_HZ)
    assert np.allclose(read_audio(tmp_path / "a.wav", RATE_HZ), [1, -1], atol=1e-3)


def test_sound_is_resampled(grey_clip: Path):
    sound = read_audio(grey_clip, 8_000)
    spectrum = np.abs(np.fft.rfft(sound[:8_000]))
    assert len(sound) == pytest.approx(16_000, abs=500)
    assert int(spectrum.argmax()) == 440


def test_sound_that_starts_late_stays_in_its_place(grey_clip: Path, tmp_path: Path):
    late = tmp_path / "late.mkv"
    run_ffmpeg(
        [
            *input_args(grey_clip),
            *input_args(grey_clip, "-itsoffset", "0.5"),
            *["-map", "0:v", "-map", "1:a", "-c", "copy", str(late)],
        ],
        "late",
    )
    sound = read_audio(late, RATE_HZ)
    loud = np.flatnonzero(np.abs(sound) > 0.02)[0] / RATE_HZ
    assert loud == pytest.approx(0.5, abs=0.07)


def test_a_clip_without_sound_or_picture(grey_clip: Path, tmp_path: Path):
    drop_sound(grey_clip, tmp_path / "silent.mp4")
    with pytest.raises(MediaError) as caught:
        read_audio(tmp_path / "silent.mp4", RATE_HZ)
    assert caught.value.reason == Reason.NO_AUDIO
    write_wav(tmp_path / "a.wav", np.zeros(100), RATE_HZ)
    with pytest.raises(MediaError) as caught:
        read_frames(tmp_path / "a.wav", 25)
    assert caught.value.reason == Reason.NO_VIDEO


def test_adding_sound_leaves_the_picture_alone(grey_clip: Path, tmp_path: Path):
    wave = np.sin(np.arange(2 * RATE_HZ) * 2 * np.pi * 1000 / RATE_HZ).astype(np.float32)
    write_wav(tmp_path / "new.wav", wave, RATE_HZ)
    output = tmp_path / "-dash ünicode.mp4"
    add_sound(grey_clip, tmp_path / "new.wav", output)
    assert packets(output, "video") == packets(grey_clip, "video")
    spectrum = np.abs(np.fft.rfft(read_audio(output, RATE_HZ)[:RATE_HZ]))
    assert int(spectrum.argmax()) == 1000
    assert probe(output).duration_s == pytest.approx(2)


@pytest.mark.parametrize("content", [b"", b"not a video", b"\x00" * 5000])
def test_garbage_is_corrupt(tmp_path: Path, content: bytes):
    path = tmp_path / "garbage.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"garbage\.mp4") as caught:
        probe(path)
    assert caught.value.reason == Reason.CORRUPT


def test_a_missing_file_is_not_called_corrupt(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4"):
        probe(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    "limits",
    [MediaLimits(max_pixels=100), MediaLimits(max_duration_s=1), MediaLimits(max_streams=1)],
)
def test_files_beyond_the_limits_are_refused(grey_clip: Path, limits: MediaLimits):
    with pytest.raises(MediaError) as caught:
        probe(grey_clip, limits)
    assert caught.value.reason == Reason.REFUSED


def test_sound_may_end_with_a_whole_block_behind_the_longest_length(grey_clip: Path):
    limits = MediaLimits(max_duration_s=1.75)  # the clip has 2 s
    assert probe(grey_clip, limits).has_audio
    with pytest.raises(MediaError, match=r"2\.0 s long, at most 1 s are"):
        probe(grey_clip, MediaLimits(max_duration_s=1.25))


def test_ffmpeg_errors_name_the_clip(tmp_path: Path):
    with pytest.raises(MediaError, match=r"the clip: damaged, .* cannot be converted: ffmpeg: "):
        run_ffmpeg([*input_args(tmp_path / "nothing"), str(tmp_path / "out.mp4")], "the clip")


def test_ffmpeg_that_takes_too_long_is_stopped(tmp_path: Path):
    endless = ["-re", "-f", "lavfi", "-i", "color=black:s=16x16:r=25", str(tmp_path / "x.mp4")]
    with pytest.raises(MediaError) as caught:
        run_ffmpeg(endless, "endless", timeout_s=0.5)
    assert caught.value.reason == Reason.TIMEOUT


def test_a_full_disk_is_no_fault_of_the_clip(grey_clip: Path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        run_ffmpeg([*input_args(grey_clip), "-f", "matroska", "/dev/full"], "clip")
    assert caught.value.errno == errno.ENOSPC


def test_every_real_clip_is_read_or_refused_with_a_reason(real_data: Path):
    outcomes = {}
    for path in sorted((real_data / "clips").rglob("*.*")):
        try:
            frames = read_frames(path, 25, (32, 32))
            # Matroska gives the length of the file, whose sound may be longer than its picture.
            outcomes[path.name] = abs(len(frames) / 25 - probe(path).duration_s) < 0.07
        except MediaError as error:
            outcomes[path.name] = error.reason
    assert outcomes.pop("decord_corrupted.mp4") == Reason.CORRUPT
    assert set(outcomes.values()) == {True}, outcomes
