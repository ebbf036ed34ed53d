"""Every kind of video that the stages read is taken as an upload, and what is not is told why."""

from pathlib import Path

import httpx
import pytest

from s2s.errors import MediaError
from s2s.media import (
    VIDEO_TYPES,
    MediaLimits,
    check_upload,
    make_preview,
    probe,
    read_frames,
    run_ffmpeg,
)

X265 = ["-tag:v", "hvc1", "-x265-params", "log-level=error:pools=1"]
REALTIME = ["-deadline", "realtime", "-cpu-used", "8"]


def post(api: httpx.Client, name: str, data: bytes) -> httpx.Response:
    return api.post("/v1/generations?wait=60", files={"video": (name, data)})


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mpg", "mpeg2video", []),
        ("clip.wmv", "wmv2", []),
        ("clip.ogv", "libtheora", []),
        ("clip.m2ts", "mpeg2video", []),
        ("clip.mxf", "mpeg2video", []),
        ("clip.webm", "libvpx", REALTIME),
    ],
)
def test_a_codec_that_no_mp4_holds_becomes_h264(
    tone_api: httpx.Client, make_video, tmp_path: Path, name: str, codec: str, options: list[str]
):
    video = make_video(name, *options, codec=codec, seconds=1)
    answer = post(tone_api, name, video.read_bytes())
    assert answer.status_code == 200, answer.text
    (tmp_path / "answer.mp4").write_bytes(answer.content)
    found, sent = probe(tmp_path / "answer.mp4"), probe(video)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert (found.width, found.height) == (sent.width, sent.height)
    assert len(read_frames(tmp_path / "answer.mp4", 25)) == 25
    job = tone_api.get(answer.headers["location"]).json()
    assert [file["name"] for file in job["files"]] == ["video"]  # browsers play it as it is


@pytest.mark.parametrize(
    ("codec", "options"), [("libx265", X265), ("mpeg4", []), ("libx264", ["-pix_fmt", "yuv444p"])]
)
def test_what_browsers_do_not_play_comes_with_a_preview(
    tone_api: httpx.Client, make_video, tmp_path: Path, codec: str, options: list[str]
):
    video = make_video("clip.mp4", *options, codec=codec, seconds=1)
    answer = post(tone_api, "clip.mp4", video.read_bytes())
    assert answer.status_code == 200, answer.text
    (tmp_path / "answer.mp4").write_bytes(answer.content)
    assert probe(tmp_path / "answer.mp4").video_codec == probe(video).video_codec
    job = tone_api.get(answer.headers["location"]).json()
    assert [file["name"] for file in job["files"]] == ["video", "preview"]
    preview = tmp_path / "preview.mp4"
    preview.write_bytes(tone_api.get(job["files"][1]["url"]).content)
    found = probe(preview)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert len(read_frames(preview, 25)) == 25
    assert not make_preview(preview, tmp_path / "another.mp4")


def test_a_preview_keeps_the_times_of_frames_and_is_small(make_video, tmp_path: Path):
    """Of telephones' videos, frames do not come at one rate."""
    still = "setpts='if(lt(N,10),N,N+20)/25/TB'"
    video = make_video(
        "clip.mp4",
        *["-vf", still, "-fps_mode", "vfr", *X265],
        codec="libx265",
        seconds=1,
        size="1601x901",
    )
    assert make_preview(video, tmp_path / "preview.mp4")
    found = probe(tmp_path / "preview.mp4")
    assert (found.width, found.height) == (1280, 720)
    assert len(read_frames(tmp_path / "preview.mp4", 25, (64, 36))) == 45


@pytest.mark.parametrize(
    ("name", "codec", "options", "share"),
    [
        ("clip.mp4", "libx264", [], 0.7),
        ("clip.mov", "libx264", [], 0.02),
        ("clip.mp4", "libx264", ["-movflags", "+faststart"], 0.05),
        ("clip.mkv", "libx264", [], 0.02),
        ("clip.webm", "libvpx", REALTIME, 0.01),
        ("clip.avi", "mpeg4", [], 0.001),
        ("clip.wmv", "wmv2", [], 0.001),
    ],
)
def test_a_file_that_was_cut_off_is_told_so(
    tone_api: httpx.Client, make_video, name: str, codec: str, options: list[str], share: float
):
    data = make_video(name, *options, codec=codec).read_bytes()
    answer = post(tone_api, name, data[: max(100, int(len(data) * share))])
    assert answer.status_code == 422, answer.text
    assert "its end is missing" in answer.json()["detail"]
    assert answer.json()["reason"] == "corrupt"


def test_what_is_damaged_is_not_said_to_be_cut_off(make_video, tmp_path: Path):
    data = bytearray(make_video("clip.mp4").read_bytes())
    at = data.index(b"trak")
    data[at : at + 400] = bytes(400)
    (tmp_path / "clip.mp4").write_bytes(data)
    with pytest.raises(MediaError) as caught:
        check_upload(tmp_path / "clip.mp4", "clip.mp4", MediaLimits(), VIDEO_TYPES)
    assert "end is missing" not in str(caught.value)


def test_a_wrong_name_is_told_with_the_right_one(tone_api: httpx.Client, make_video):
    data = make_video("clip.mkv").read_bytes()
    answer = post(tone_api, "clip.mp4", data)
    assert answer.status_code == 415
    assert "does not begin as a file of type mp4, but as webm" in answer.json()["detail"]


def test_one_frame_is_enough(make_video, tmp_path: Path):
    """It is shorter than a step of a slower rate."""
    video = make_video("one.mp4", "-frames:v", "1")
    assert read_frames(video, 4).shape == (1, 120, 160, 3)
    run_ffmpeg(["-i", str(video), "-c", "copy", str(tmp_path / "one.mkv")], "one")
    assert len(read_frames(tmp_path / "one.mkv", 1)) == 1
