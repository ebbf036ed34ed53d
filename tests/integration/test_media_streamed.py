"""Frames one after the other, when a picture starts, and copies that browsers play."""

from pathlib import Path

import numpy as np
import pytest
from serving_fixtures import MakeVideo

from s2s.errors import MediaError
from s2s.media import (
    drop_sound,
    input_args,
    picture_start_s,
    probe,
    read_frames,
    run_ffmpeg,
    stream_frames,
)
from s2s.reasons import Reason


def test_streamed_frames_are_those_that_are_read(make_video: MakeVideo):
    video = make_video("clip.mp4")
    streamed = np.stack(list(stream_frames(video, 10, 640)))
    np.testing.assert_array_equal(streamed, read_frames(video, 10))
    assert next(iter(stream_frames(video, 10, 80))).shape == (60, 80, 3)


def test_the_longer_side_counts_after_turning(real_data: Path):
    video = real_data / "clips/odd/decord_video_90.mov"
    whole = read_frames(video, 25)[0].shape
    small = next(iter(stream_frames(video, 25, 100))).shape
    assert max(small) == 100
    assert small[0] / small[1] == pytest.approx(whole[0] / whole[1], rel=0.02)


def test_progress_is_told(make_video: MakeVideo):
    told: list[float] = []
    for _ in stream_frames(make_video("clip.mp4"), 25, 64, on_progress=told.append):
        pass
    assert told == [pytest.approx(0.5, abs=0.1)]


def test_no_picture_is_an_error(make_video: MakeVideo, tmp_path: Path):
    sound = tmp_path / "sound.mp4"
    video = make_video("clip.mp4", sound="sine")
    run_ffmpeg([*input_args(video), "-vn", "-c", "copy", str(sound)], "sound")
    for read in (lambda: list(stream_frames(sound, 25, 64)), lambda: picture_start_s(sound)):
        with pytest.raises(MediaError) as caught:
            read()
        assert caught.value.reason == Reason.NO_VIDEO


def test_a_picture_may_start_after_its_sound(make_video: MakeVideo, tmp_path: Path):
    video, late = make_video("clip.mp4", sound="sine"), tmp_path / "late.mp4"
    both = [*input_args(video, "-itsoffset", "0.4"), *input_args(video)]
    run_ffmpeg([*both, "-map", "0:v", "-map", "1:a", "-c", "copy", str(late)], "late")
    assert picture_start_s(video) == pytest.approx(0, abs=0.03)
    assert picture_start_s(late) == pytest.approx(0.4, abs=0.03)


def test_frames_that_are_numbered_late_are_not_late(make_video: MakeVideo):
    """AVI numbers frames as they are stored, later than they are shown where some are reordered."""
    assert picture_start_s(make_video("clip.avi", "-bf", "2", codec="mpeg4", sound="sine")) == 0


@pytest.mark.parametrize(("codec", "stays"), [("libx264", True), ("mpeg4", False)])
def test_what_browsers_do_not_play_is_encoded(
    make_video: MakeVideo, tmp_path: Path, codec: str, stays: bool
):
    video = make_video("clip.mp4", codec=codec)
    drop_sound(video, tmp_path / "plain.mp4")
    drop_sound(video, tmp_path / "played.mp4", for_browsers=True)
    assert probe(tmp_path / "plain.mp4").video_codec == probe(video).video_codec
    assert probe(tmp_path / "played.mp4").video_codec == "h264"
    same = np.array_equal(read_frames(tmp_path / "played.mp4", 25), read_frames(video, 25))
    assert same == stays
