"""Requests as bytes, whichever way they come: heads, bodies, and several on one connection."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from raw_requests import answer_to, problem_of
from tone import tone_model

from serving.access.connections import ConnectionLimits
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

HEAD_BYTES = 1 << 16  # as docs/api.md says
HOST = b"Host: localhost\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
POST = b"POST /v1/session HTTP/1.1\r\n" + HOST + JSON
KEY = b'{"key": "none"}'
SIZED = b"Content-Length: 15\r\n\r\n" + KEY
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + KEY[:5] + b"\r\na;x=y\r\n" + KEY[5:]
CHUNKED += b"\r\n0\r\nOrigin: http://evil.example\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"


@pytest.fixture(scope="module")
def address(small_limits: Limits, tmp_path_factory) -> Iterator[tuple[str, int]]:
    app = create_app([tone_model()], small_limits, tmp_path_factory.mktemp("framing"))
    with Server(app, connections=ConnectionLimits(rest_s=0.5)).running() as url:
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


def statuses(address: tuple[str, int], *parts: bytes) -> list[int]:
    """Of all answers until the server closes the connection."""
    with socket.create_connection(address, timeout=60) as client:
        for part in parts:
            client.sendall(part)
        data = b""
        while piece := client.recv(1 << 16):
            data += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def padded(n_bytes: int, way: str) -> bytes:
    """A head of so many bytes: its line and headers, with the empty line behind them."""
    if way == "line":
        rest = b" HTTP/1.1\r\n" + HOST + b"\r\n"
        return b"GET /healthz?" + b"a" * (n_bytes - len(rest) - 13) + rest
    lines = [b"A: " + b"a" * 995 + b"\r\n"] * (50 if way == "many lines" else 0)
    start = GET + b"".join(lines) + b"B: "
    return start + b"b" * (n_bytes - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("way", ["line", "one header", "many lines"])
@pytest.mark.parametrize("before", [b"", GET + b"\r\n", POST + SIZED, POST + CHUNKED])
@pytest.mark.parametrize("piece_bytes", [1 << 20, 1021])
def test_heads_have_exactly_the_size_that_docs_name(address, way, before, piece_bytes):
    for more, status in ((0, 200), (1, 431)):
        sent = before + padded(HEAD_BYTES + more, way)
        sent += b"" if more else GET + b"Connection: close\r\n\r\n"
        pieces = [sent[at : at + piece_bytes] for at in range(0, len(sent), piece_bytes)]
        found = statuses(address, *pieces)
        assert found[-1 if more else -2] == status
        assert len(found) == bool(before) + 2 - more


@pytest.mark.parametrize("n_bytes", [66_000, 100_000, 131_000, 1_000_000])
@pytest.mark.parametrize("way", ["line", "one header"])
def test_longer_heads_are_too_large(address, way: str, n_bytes: int):
    answer = answer_to(address, padded(n_bytes, way))
    assert problem_of(answer) == (431, "headers-too-large")


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (GET + b"X: a\r\n b\r\n\r\n", 400, "bad-request"),
        (GET + b"X: a\0b\r\n\r\n", 400, "bad-request"),
        (GET + b"X : a\r\n\r\n", 400, "bad-request"),
        (GET + b"X: a\rb\r\n\r\n", 400, "bad-request"),
        (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, "bad-request"),
        (b"GET /healthz\r\n\r\n", 400, "bad-request"),
        (b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
        (b"GET /healthz#a HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
        (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
        (b"GET ftp://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
        (b"GET http://a@localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
        (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501, "not-implemented"),
        (b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 501, "not-implemented"),
        (b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 501, "not-implemented"),
        (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "bad-request"),
        (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400, "bad-request"),
        (POST + b"Content-Length: +2\r\n\r\n{}", 400, "bad-request"),
        (POST + b"Content-Length:\r\n\r\n{}", 400, "bad-request"),
        (POST + b"Content-Length: 15\r\n" + CHUNKED, 400, "bad-request"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "not-implemented"),
        (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400, "bad-request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "bad-request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400, "bad-request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n", 400, "bad-request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", 400, "bad-request"),
        (POST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "bad-request"),
    ],
)
def test_what_cannot_be_read_is_told_and_ends_the_connection(address, sent, status, kind):
    assert problem_of(answer_to(address, sent)) == (status, kind)
    assert statuses(address, sent) == [status]


@pytest.mark.parametrize("body", [SIZED, CHUNKED])
@pytest.mark.parametrize("upgrade", [b"", UPGRADE])
@pytest.mark.parametrize("piece_bytes", [1 << 20, 1])
def test_requests_that_come_at_once_are_answered_one_by_one(address, body, upgrade, piece_bytes):
    """A body is read where the client would rather speak HTTP/2; fields behind it change nothing"""
    sent = (
        (POST + upgrade + body + GET + upgrade + b"\r\n") * 2 + GET + b"Connection: close\r\n\r\n"
    )
    pieces = [sent[at : at + piece_bytes] for at in range(0, len(sent), piece_bytes)]
    assert statuses(address, *pieces) == [204, 200, 204, 200, 200]


def test_an_upload_in_chunks_of_a_byte_arrives_whole(address, silent_video: Path):
    """They take long to read: others are served in between, and nothing is lost."""
    part = b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    form = part + silent_video.read_bytes() + b"\r\n--x--\r\n" + b"\r\n" * 3000
    head = b"POST /v1/generations?wait=60 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in form)
    assert statuses(address, head, chunks, b"0\r\n\r\n") == [200]


@pytest.mark.parametrize(
    "rest", [b"\x01\x02\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n"]
)
def test_what_cannot_be_read_breaks_no_answer_before_it(address, rest: bytes):
    file = "/static/example.mp4"
    whole = httpx.get("http://{}:{}{}".format(*address, file)).content
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(f"GET {file} HTTP/1.1\r\n".encode() + HOST + b"\r\n" + rest)
        data = b""
        while piece := client.recv(1 << 16):
            data += piece
    _, _, behind = data.partition(b"\r\n\r\n")
    assert behind.startswith(whole)
    assert behind[len(whole) :].startswith(b"HTTP/1.1 400 ")


def test_a_body_is_asked_for_only_where_it_is_wanted(address):
    head = POST + b"Expect: 100-continue\r\nConnection: close\r\n"
    assert statuses(address, head + SIZED) == [100, 204]
    assert statuses(address, head + b"Content-Length: 20000\r\n\r\n") == [413]
    assert statuses(address, head.replace(b"/1.1", b"/1.0") + SIZED) == [204]


def test_options_of_the_whole_server_name_every_method(address):
    answer = httpx.Client(base_url="http://{}:{}".format(*address)).send(
        httpx.Request("OPTIONS", "http://{}:{}".format(*address), extensions={"target": b"*"})
    )
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, POST")


@pytest.mark.parametrize(
    "name",
    [b"Host", b"Origin", b"Idempotency-Key", b"Content-Type", b"Authorization", b"Last-Event-ID"],
)
@pytest.mark.parametrize("path", [b"/v1/generations", b"/v1/jobs/none", b"/healthz"])
def test_a_header_that_is_one_is_not_sent_twice(address, name: bytes, path: bytes):
    values = [b"localhost", b"http://localhost-and-another"]
    lines = b"".join(name + b": " + value + b"\r\n" for value in values)
    host = b"" if name == b"Host" else HOST
    sent = b"POST " + path + b" HTTP/1.1\r\n" + host + lines + b"Content-Length: 0\r\n\r\n"
    status, document = answer_to(address, sent)
    assert (status, document["detail"].lower()) == (
        400,
        f"send one header {name.decode().lower()}.",
    )


def test_the_answer_to_one_connection_too_many_says_when_to_come_again(
    small_limits: Limits, tmp_path
):
    app = create_app([tone_model()], small_limits, tmp_path)
    limits = ConnectionLimits(max_connections=2, max_per_address=1)
    with Server(app, connections=limits).running() as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as one:
            one.sendall(GET + b"\r\n")
            assert one.recv(9) == b"HTTP/1.1 "
            for _ in range(3):
                answer = httpx.get(f"{url}/healthz")
                assert answer.status_code == 429
                assert int(answer.headers["retry-after"]) > 0
                assert "date" in answer.headers
