"""Every kind of video that the stages read is taken as an upload, and what is not is told why."""

from pathlib import Path

import httpx
import pytest

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import (
    PICTURE_TYPES,
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
    assert "does not begin as a file of type mp4, but as mkv: name it so" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "codec", "options", "wrong"),
    [
        ("clip.mkv", "libx264", [], "a.mp4"),
        ("clip.webm", "libvpx", REALTIME, "a.mp4"),
        ("clip.mov", "libx264", [], "a.mkv"),
        ("clip.mp4", "libx264", [], "a.avi"),
        ("clip.avi", "mpeg4", [], "a.mp4"),
        ("clip.ts", "libx264", [], "a.mp4"),
        ("clip.png", "png", ["-frames:v", "1", "-pix_fmt", "rgb24"], "a.jpg"),
        ("clip.jpg", "mjpeg", ["-frames:v", "1", "-pix_fmt", "yuvj420p"], "a.png"),
    ],
)
def test_the_right_name_is_the_usual_one_of_its_type(make_video, name, codec, options, wrong):
    video = make_video(name, *options, codec=codec)
    with pytest.raises(UnsupportedMediaError) as caught:
        check_upload(video, wrong, MediaLimits(), (*VIDEO_TYPES, *PICTURE_TYPES))
    right = name.partition(".")[2].replace("jpg", "jpeg")
    assert f"but as {right}: name it so" in str(caught.value)


def test_an_mp4_that_ends_in_its_index_is_told_to_be_cut_off(make_video, tmp_path: Path):
    """The index is last: what it still says may have no codec, or no size."""
    data = make_video("clip.mp4", "-movflags", "-faststart").read_bytes()
    index = data.index(b"moov") - 4
    assert index > data.index(b"mdat")
    for size in range(index + 8, len(data), (len(data) - index) // 25):
        (tmp_path / "clip.mp4").write_bytes(data[:size])
        with pytest.raises(MediaError, match="cut off: its end is missing"):
            check_upload(tmp_path / "clip.mp4", "clip.mp4", MediaLimits(), VIDEO_TYPES)


def test_a_kind_without_an_end_is_told_to_be_one_or_the_other(make_video, tmp_path: Path):
    data = make_video("clip.ogv", codec="libtheora").read_bytes()
    (tmp_path / "clip.ogv").write_bytes(data[:200])
    with pytest.raises(MediaError, match=r"begins as ogv does, .*: it is damaged, or was cut off"):
        check_upload(tmp_path / "clip.ogv", "clip.ogv", MediaLimits(), VIDEO_TYPES)


@pytest.mark.parametrize("name", ["clip.ts", "clip.mpg"])
def test_half_a_stream_without_an_end_is_taken(make_video, tmp_path: Path, name: str):
    data = make_video(name, codec="mpeg2video").read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    assert check_upload(tmp_path / name, name, MediaLimits(), VIDEO_TYPES) == "video"


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3, 0.9])
def test_a_flash_video_that_was_cut_off_is_told_so(make_video, tmp_path: Path, share: float):
    """Before its first frame, nothing says how large that is."""
    data = make_video("clip.flv", "-ar", "44100", sound="sine").read_bytes()
    (tmp_path / "clip.flv").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError, match="cut off: its end is missing"):
        check_upload(tmp_path / "clip.flv", "clip.flv", MediaLimits(), VIDEO_TYPES)


def test_one_frame_is_enough(make_video, tmp_path: Path):
    """It is shorter than a step of a slower rate."""
    video = make_video("one.mp4", "-frames:v", "1")
    assert read_frames(video, 4).shape == (1, 120, 160, 3)
    run_ffmpeg(["-i", str(video), "-c", "copy", str(tmp_path / "one.mkv")], "one")
    assert len(read_frames(tmp_path / "one.mkv", 1)) == 1
