"""Uploads that want more than to be given sound: none reads, asks or keeps anything."""

import io
import os
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from s2s.errors import MediaError
from s2s.media import VIDEO_TYPES, MediaLimits, check_upload, run_ffmpeg

MEGABYTE = 1_000_000
MP4_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A port of this machine that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.fixture
def secret(make_video) -> Path:
    """A video of this machine that playlists try to reach."""
    return make_video("secret.ts", "-metadata", "title=secret")


def post(http: httpx.Client, data: bytes, name: str = "clip.mp4") -> httpx.Response:
    return http.post("/v1/generations?wait=60", files={"video": (name, data)})


def assert_refused(answer: httpx.Response, *statuses: int) -> str:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


def playlists(url: str, path: Path) -> dict[str, bytes]:
    """Files that make a careless reader open others; the last three have an mp4's or avi's head."""
    texts = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}/a.ts\n"
        f"#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{path}'\nfile '{url}/a.mp4'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static"><Period><AdaptationSet>'
        f"<Representation><BaseURL>{url}/a.mp4</BaseURL><BaseURL>{path}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }
    plain = {name: text.encode() for name, text in texts.items()}
    return plain | {
        "hls with avi": plain["hls"].replace(b"#EXT-X-TARGET", b"AVI \n#EXT-X-TARGET", 1),
        "dash with ftyp": MP4_HEAD + plain["dash"],
        "hls with ftyp": MP4_HEAD + plain["hls"],
    }


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
@pytest.mark.parametrize("kind", list(playlists("", Path())))
def test_playlists_are_refused_and_followed_nowhere(tone_api, trap, secret, kind, name):
    url = f"http://127.0.0.1:{trap.getsockname()[1]}"
    answer = post(tone_api, playlists(url, secret)[kind], name)
    assert_refused(answer, 415, 422)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("clip.mp4", b"PK\x03\x04" + b"\x00" * 100),
        ("clip.mp4", b"<!doctype html><script>alert(1)</script>"),
        ("clip.mp4", b"%PDF-1.7\n"),
        ("clip.mp4", b"#!/bin/sh\necho hello\n"),
        ("clip.mp4", b""),
        ("clip.mp4", b"RIFF\x00\x00\x00\x00AVI LIST"),
        ("clip.avi", b"RIFF\x00\x00\x00\x00WAVEfmt "),
        ("clip.mkv", MP4_HEAD),
        ("clip.m3u8", MP4_HEAD),
        ("clip.mp4.html", MP4_HEAD),
        ("clip", MP4_HEAD),
    ],
)
def test_name_and_content_must_agree(tone_api, name, data):
    detail = assert_refused(post(tone_api, data, name), 415)
    assert "videos such as mp4, mov, webm, mkv and pictures such as jpg, png, webp" in detail


def test_what_is_appended_to_a_video_does_not_come_back(tone_api, silent_video):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.html", "<script>alert(1)</script>")
    answer = post(tone_api, silent_video.read_bytes() + archive.getvalue())
    assert answer.status_code == 200, answer.text
    assert b"payload.html" not in answer.content
    assert b"<script>" not in answer.content
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../../escape.mp4", "escape"),
        ("/etc/escape.mp4", "escape"),
        ("..\\..\\escape.mp4", "escape"),
        ("....mp4", "video"),
        ('a";filename="b.mp4', "b"),
        ("a\r\nX-Injected: 1.mp4", "a_X-Injected_1"),
        ("звук.mp4", "звук"),
        ("n" * 3000 + ".mp4", "n" * 80),
    ],
)
def test_file_names_lead_nowhere(tone_api, silent_video, uploads, nothing_left, name, shown):
    boundary = b"cut"
    body = b"\r\n".join(
        [
            b"--" + boundary,
            b'Content-Disposition: form-data; name="video"; filename="'
            + name.replace("\r\n", " ").replace('"', '\\"').encode()
            + b'"',
            b"",
            silent_video.read_bytes(),
            b"--" + boundary + b"--",
            b"",
        ]
    )
    headers = {"content-type": "multipart/form-data; boundary=cut"}
    answer = tone_api.post("/v1/generations?wait=60", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    disposition = unquote(answer.headers["content-disposition"])
    assert f"{shown}_with_sound.mp4" in disposition.replace("utf-8''", "")
    assert "x-injected" not in answer.headers
    nothing_left()
    names = [name for _, folders, files in os.walk(uploads.parent) for name in folders + files]
    assert not [name for name in names if name.startswith("escape")]


def test_a_length_over_the_limit_is_refused_before_anything_is_sent(tone_url):
    host, port = tone_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(
            b"POST /v1/generations HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=cut\r\n"
            b"Content-Length: 2000001\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_upload_over_the_limit_is_cut_off(tone_api, nothing_left, is_chunked):
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield (
            b'--cut\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
            + MP4_HEAD
        )
        for _ in range(100):
            sent += MEGABYTE
            yield bytes(MEGABYTE)

    headers = {"content-type": "multipart/form-data; boundary=cut"}
    if not is_chunked:
        headers["content-length"] = str(100 * MEGABYTE + 200)
    answer = tone_api.post("/v1/generations", content=body(), headers=headers)
    assert "2 MB" in assert_refused(answer, 413)
    assert sent < 50 * MEGABYTE
    nothing_left()


def test_a_text_field_cannot_fill_memory(tone_api):
    files = {"seed": (None, b"1" * MEGABYTE), "video": ("a.mp4", MP4_HEAD)}
    assert "longer than" in assert_refused(tone_api.post("/v1/generations", files=files), 400)


def test_many_fields_cannot_fill_memory(tone_api):
    files = {f"field{k}": (None, b"1") for k in range(1000)}
    assert "too many" in assert_refused(tone_api.post("/v1/generations", files=files), 400)


def test_a_boundary_of_any_length_is_no_bug(tone_api):
    headers = {"content-type": f"multipart/form-data; boundary={'x' * 5000}"}
    assert_refused(tone_api.post("/v1/generations", content=b"", headers=headers), 400)


def test_many_headers_of_a_part_cannot_fill_memory(tone_api):
    body = (
        b"--cut\r\n" + b"".join(b"X-%d: 1\r\n" % k for k in range(1000)) + b"\r\nx\r\n--cut--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=cut"}
    assert_refused(tone_api.post("/v1/generations", content=body, headers=headers), 400)


@pytest.mark.parametrize(
    ("name", "seconds", "fps", "options"),
    [
        ("long.mp4", 7, 5, []),
        # 10 hours in 41 frames.
        ("bomb.mp4", 1.64, 25, ["-vf", "setpts=PTS*22500", "-fps_mode", "vfr"]),
        # What a browser records: the header says no duration.
        ("live.webm", 7, 5, ["-live", "1", "-c:v", "libvpx-vp9", "-cpu-used", "8"]),
        # More frames than a camera makes.
        ("frames.mkv", 2, 500, []),
    ],
)
def test_too_much_video_is_refused(tone_api, make_video, name, seconds, fps, options):
    video = make_video(name, *options, seconds=seconds, fps=fps, size="64x48")
    answer = post(tone_api, video.read_bytes(), name)
    assert_refused(answer, 422)
    assert answer.json()["reason"] == "refused"


def test_too_many_pixels_are_refused(tone_api, make_video):
    video = make_video("bomb.mp4", "-vf", "drawbox=t=fill", seconds=0.08, size="8192x8192")
    assert video.stat().st_size < 250_000
    answer = post(tone_api, video.read_bytes())
    assert "8192×8192" in assert_refused(answer, 422)
    assert answer.json()["reason"] == "refused"


def test_too_many_streams_are_refused(tone_api, make_video):
    options = [option for _ in range(9) for option in ("-map", "0:v")]
    video = make_video("streams.mkv", *options, seconds=0.2, size="64x48")
    assert "streams" in assert_refused(post(tone_api, video.read_bytes(), video.name), 422)


def test_a_codec_that_nobody_knows_is_told(tone_api, silent_video):
    answer = post(tone_api, silent_video.read_bytes().replace(b"avc1", b"zzzz"))
    assert "nothing here reads" in assert_refused(answer, 422)


def test_mutated_files_are_never_a_bug(make_video, tmp_path):
    """Refused or taken: no other exception, whatever a few changed bytes do to the headers."""
    videos = [
        make_video(name, codec=codec, seconds=0.4, size="64x48").read_bytes()
        for name, codec in (("clip.mp4", "libx264"), ("clip.mkv", "libx264"), ("clip.avi", "mpeg4"))
    ]
    dice, path, refused = random.Random(0), tmp_path / "upload", 0
    for _ in range(300):
        data = bytearray(dice.choice(videos))
        for _ in range(dice.randint(1, 12)):
            at = dice.choice([dice.randrange(1_000), -dice.randrange(1, 1_000)])
            data[at] = dice.randrange(256)
        path.write_bytes(data)
        name = "clip.avi" if data[:4] == b"RIFF" else "clip.mkv" if data[0] == 0x1A else "clip.mp4"
        try:
            check_upload(path, name, MediaLimits(640 * 480, 5.0, 8), VIDEO_TYPES)
        except MediaError:
            refused += 1
    assert 0 < refused < 300


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_truncated_files_are_told_apart_from_bugs(tone_api, make_video, nothing_left, name, share):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    data = make_video(name, codec=codec, size="64x48").read_bytes()
    answer = post(tone_api, data[: int(len(data) * share)], name)
    assert answer.status_code in {200, 415, 422}, answer.text
    nothing_left()


@pytest.fixture
def make_png():
    """A PNG of one colour: `make_png(8192, 8192)` is a small file."""

    def make(width: int, height: int) -> bytes:
        row = b"\x00" + bytes(3 * width)
        squeeze = zlib.compressobj(9)
        data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )

    return make


def test_a_picture_that_is_one_gets_sound(tone_api, make_png):
    answer = post(tone_api, make_png(64, 48), "picture.png")
    assert answer.status_code == 200, answer.text


def test_a_picture_of_too_many_pixels_is_refused(tone_api, make_png):
    bomb = make_png(8192, 8192)
    assert len(bomb) < 250_000
    answer = post(tone_api, bomb, "picture.png")
    assert_refused(answer, 422)


@pytest.mark.parametrize("name", ["picture.jpg", "picture.webp", "clip.mp4"])
def test_a_picture_under_another_type_is_refused(tone_api, make_png, name):
    assert_refused(post(tone_api, make_png(64, 48), name), 415)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\nPK\x03\x04" + bytes(100),
    ],
)
def test_a_head_alone_is_no_picture(tone_api, data):
    assert_refused(post(tone_api, data, "picture.png"), 422)


def test_a_name_with_a_pattern_names_no_other_file(tone_api, make_png, uploads):
    (uploads.parent / "picture7.png").write_bytes(make_png(64, 48))
    answer = post(tone_api, b"\x89PNG\r\n\x1a\n%PDF", "../picture%d.png")
    assert_refused(answer, 422)


def test_a_picture_that_grows_on_the_way_is_refused(tone_api, make_video, tmp_path):
    """Two H.264 streams in one: first within the limit, then far beyond it."""
    small, large = (
        make_video(name, seconds=0.4, size=size)
        for name, size in (("a.ts", "320x240"), ("b.ts", "1920x1080"))
    )
    joined, output = tmp_path / "joined.ts", tmp_path / "grows.mkv"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    run_ffmpeg(["-i", str(joined), "-c", "copy", str(output)], "grows")
    answer = post(tone_api, output.read_bytes(), "grows.mkv")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "corrupt"
