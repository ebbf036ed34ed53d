"""What is nearly right is told, not guessed at: numbers, names of requests, kinds of files."""

import asyncio
import logging
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest
from tone import tone_model

from s2s.errors import MediaError
from s2s.media import (
    PICTURE_TYPES,
    VIDEO_TYPES,
    MediaLimits,
    check_upload,
)
from serving.access.keys import KeyRing, add_key
from serving.access.sessions import COOKIE
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.jobs.attempts import Attempts

REALTIME = ["-deadline", "realtime", "-cpu-used", "8"]


def post(http: httpx.Client, video: Path, query: str = "", **fields: str) -> httpx.Response:
    with video.open("rb") as file:
        files = {"video": (video.name, file)}
        return http.post(f"/v1/generations{query}", files=files, data=fields)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("seed", text) for text in ("1_000", "+7", " 7", "7 ", "７", "٣", "0x7", "7.0", "1e3")],
        *[("seed", text) for text in ("--7", "7\n", "\xa07", "²", "seven", "NaN")],
        *[("duration_s", text) for text in ("1_0", "+1", " 1", "１", "nan", "inf", "1e", ".")],
    ],
)
def test_numbers_that_only_python_reads_are_refused(
    tone_api: httpx.Client, silent_video: Path, name: str, text: str
):
    answer = post(tone_api, silent_video, **{name: text})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == name
    assert error["detail"].startswith("write a ")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "0", 0),
        ("seed", "007", 7),
        ("seed", "4294967295", 4294967295),
        ("duration_s", "1", 1.0),
        ("duration_s", "1.5", 1.5),
        ("duration_s", ".5", 0.5),
        ("duration_s", "1e0", 1.0),
    ],
)
def test_numbers_in_plain_digits_are_taken(
    tone_api: httpx.Client, silent_video: Path, name: str, text: str, value: float
):
    answer = post(tone_api, silent_video, **{name: text})
    assert answer.status_code == 202, answer.text
    assert answer.json()["options"][name] == value


@pytest.mark.parametrize("text", ["1_0", "+5", " 5", "５", "nan", "inf", "five"])
def test_the_time_to_wait_is_a_number_too(tone_api: httpx.Client, silent_video: Path, text: str):
    with silent_video.open("rb") as video:
        files = {"video": ("a.mp4", video)}
        answer = tone_api.post("/v1/generations", files=files, params={"wait": text})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "query.wait"
    assert post(tone_api, silent_video, "?wait=0.5").status_code in {200, 202}


@pytest.mark.parametrize(("key", "least"), [("short", "at least 16"), ("a" * 129, "at most 128")])
def test_names_of_requests_have_characters(tone_api: httpx.Client, key: str, least: str):
    answer = tone_api.post("/v1/generations", headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert f"{least} characters" in answer.json()["detail"]
    assert "item" not in answer.json()["detail"]
    (error,) = answer.json()["errors"]
    assert error["field"] == "header.Idempotency-Key"


def test_a_job_is_not_removed_on_a_condition_that_cannot_hold(
    tone_api: httpx.Client, silent_video: Path
):
    job = post(tone_api, silent_video).json()
    address = f"/v1/jobs/{job['id']}"
    refused = tone_api.delete(address, headers={"If-Match": '"x"'})
    assert refused.status_code == 412
    assert tone_api.get(address).status_code == 200
    assert tone_api.delete(address, headers={"If-Match": "*"}).status_code == 204


def test_a_request_that_does_not_wait_gets_the_job_also_when_it_is_done(
    tone_api: httpx.Client, silent_video: Path
):
    name = {"Idempotency-Key": "a random name of this request"}

    def send(query: str = "") -> httpx.Response:
        with silent_video.open("rb") as file:
            files = {"video": ("clip.mp4", file)}
            return tone_api.post(f"/v1/generations{query}", files=files, headers=name)

    first = send().json()
    assert send("?wait=60").headers["content-type"] == "video/mp4"
    again = send()
    assert again.status_code == 202
    assert again.json()["id"] == first["id"]
    assert again.json()["state"] == "done"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"Content-Length: 1\r\nContent-Length: 1", "Duplicate Content-Length"),
        (b"Content-Length: +1", "Content-Length"),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked", "Transfer-Encoding"),
        (b"A : b", "header"),
        (b"A: b\r\n c: d", "whitespace"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(tone_api: httpx.Client, lines: bytes, said: str):
    url = tone_api.base_url
    told = f"Host: {url.host}:{url.port}".encode()
    sent = b"POST /v1/session HTTP/1.1\r\n" + told + b"\r\n" + lines + b"\r\n\r\nx"
    with socket.create_connection((url.host, url.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert said.encode() in answer


@pytest.mark.parametrize("types", [(*VIDEO_TYPES, *PICTURE_TYPES), VIDEO_TYPES, ("mkv", "ts")])
def test_a_refusal_names_a_few_types_of_those_that_are_taken(tmp_path: Path, types):
    (tmp_path / "a").write_bytes(b"text")
    with pytest.raises(MediaError) as caught:
        check_upload(tmp_path / "a", "a.txt", MediaLimits(), types)
    said = str(caught.value).partition("Accepted are ")[2]
    assert said.startswith("videos such as ")
    assert ("pictures such as jpg, png, webp" in said) == ("png" in types)
    assert ("mp4" in said) == ("mp4" in types)
    assert len(said) < 130


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mp4", "libx264", ["-movflags", "+faststart"]),
        ("clip.mp4", "libx264", ["-movflags", "+frag_keyframe+empty_moov", "-g", "5"]),
        ("clip.mkv", "libx264", []),
        ("clip.webm", "libvpx", REALTIME),
        ("clip.avi", "mpeg4", []),
        ("clip.wmv", "wmv2", []),
        ("clip.flv", "libx264", ["-ar", "44100"]),
    ],
)
def test_half_a_video_that_opens_is_refused_as_half_a_video(
    make_video, tmp_path: Path, name, codec, options
):
    data = make_video(name, *options, codec=codec, sound="sine").read_bytes()
    (tmp_path / "whole").write_bytes(data)
    assert check_upload(tmp_path / "whole", name, MediaLimits(), VIDEO_TYPES) == "video"
    for share in (0.2, 0.5, 0.8):
        (tmp_path / "part").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(MediaError, match="its end is missing"):
            check_upload(tmp_path / "part", name, MediaLimits(), VIDEO_TYPES)


def test_a_video_whose_index_alone_is_missing_is_taken(make_video, tmp_path: Path):
    """Matroska has it at the end; all frames are there."""
    data = make_video("clip.mkv").read_bytes()
    (tmp_path / "a").write_bytes(data[:-20])
    assert check_upload(tmp_path / "a", "a.mkv", MediaLimits(), VIDEO_TYPES) == "video"


@pytest.mark.parametrize("behind", [b"abc", b"\0" * 7, b"Insta360 and what it writes" * 99])
def test_what_lies_behind_an_mp4_does_not_make_it_half_a_one(make_video, tmp_path, behind):
    (tmp_path / "a").write_bytes(make_video("clip.mp4").read_bytes() + behind)
    assert check_upload(tmp_path / "a", "a.mp4", MediaLimits(), VIDEO_TYPES) == "video"


@pytest.fixture
def guarded(small_limits: Limits, tmp_path: Path):
    path = tmp_path / "keys.txt"
    key = add_key(path, "anna")
    app = create_app([tone_model()], small_limits, tmp_path / "api", keys=KeyRing.load(path))
    with Server(app).running() as url, open_client(url) as http:
        yield http, key


def test_a_session_can_be_ended(guarded: tuple[httpx.Client, str]):
    http, key = guarded
    http.post("/v1/session", json={"key": key})
    copied = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
    http.post("/v1/session", json={"key": key})
    other_browsers = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
    http.cookies.clear()
    assert http.get("/v1/jobs/none", headers=copied).status_code == 404
    ended = http.delete("/v1/session", headers=copied)
    assert (ended.status_code, ended.content) == (204, b"")
    assert f'{COOKIE}=""' in ended.headers["set-cookie"]
    assert "Max-Age=0" in ended.headers["set-cookie"]
    http.cookies.clear()
    assert http.get("/v1/jobs/none").status_code == 401
    assert http.get("/v1/jobs/none", headers=copied).status_code == 401
    assert http.get("/v1/jobs/none", headers=other_browsers).status_code == 404
    assert http.delete("/v1/session").status_code == 204
    other = http.delete("/v1/session", headers={"Origin": "http://evil.example"})
    assert other.status_code == 403
    assert http.put("/v1/session").headers["allow"] == "DELETE, POST"


def test_counts_are_not_for_everybody_where_keys_are(
    guarded: tuple[httpx.Client, str], tone_api: httpx.Client
):
    http, key = guarded
    assert http.get("/metrics").status_code == 401
    assert http.head("/metrics").status_code == 401
    told = http.get("/metrics", headers={"Authorization": f"Bearer {key}"})
    assert "s2s_queue_depth" in told.text
    for path in ("/healthz", "/readyz", "/v1/models", "/"):
        assert http.get(path).status_code == 200
    assert tone_api.get("/metrics").status_code == 200


async def attempt(attempts: Attempts, errors: list[Exception]) -> bool:
    async def work() -> None:
        if errors:
            raise errors.pop()

    return await attempts.has_done("a job", work, 0)


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [
        (sqlite3.OperationalError("database or disk is full"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("a mistake"), True),
    ],
)
def test_a_full_disk_is_one_line_and_its_end_another(
    caplog: pytest.LogCaptureFixture, error: Exception, has_traceback: bool
):
    attempts, errors = Attempts(), [error] * 5

    async def run() -> list[bool]:
        return [await attempt(attempts, errors) for _ in range(7)]

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(run()) == [False] * 5 + [True] * 2
    told, over = caplog.records
    assert str(error) in told.getMessage()
    assert bool(told.exc_info) == has_traceback
    assert over.getMessage() == "a job: done again"
    assert not attempts.are_failing
