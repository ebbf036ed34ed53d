"""What one client without a key can take, and what pages of other sites can do."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from raw_requests import answer_to, problem_of, read_answer
from tone import tone_model

from s2s.errors import SettingsError
from serving.access.addresses import read_networks
from serving.access.connections import ConnectionLimits
from serving.access.keys import KeyRing, add_key
from serving.access.sessions import COOKIE, Sessions, SessionTable
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.jobs.sqlite import SQLiteDatabase

LIMITS = ConnectionLimits(
    max_connections=8, max_per_address=6, head_s=0.5, head_bytes=1 << 15, rest_s=0.5
)


@pytest.fixture(scope="module")
def address(small_limits: Limits, tmp_path_factory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("access")
    app = create_app([tone_model()], small_limits, folder)
    server = Server(app, connections=LIMITS)
    with server.running() as url:
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET /" + b"a" * 40_000],
        [GET + b"X: " + b"a" * 40_000],
        [GET, *(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(40))],
        [b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a" * 40_000],
        [
            b"POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\n{\r\n0\r\nX: ",
            *([b"a" * 8_000] * 9),
        ],
    ],
)
def test_a_head_that_does_not_end_is_too_large(address, parts: list[bytes]):
    assert problem_of(answer_to(address, *parts)) == (431, "headers-too-large")


@pytest.mark.parametrize(
    "sent",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # TLS
        "GET /é HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
        GET + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem_too(address, sent: bytes):
    assert problem_of(answer_to(address, sent)) == (400, "bad-request")


def test_a_file_that_is_sent_to_a_wrong_address_is_not_found(address):
    head = b"POST /v1/generation HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    status, document = answer_to(address, head, b"a" * 100_000)
    assert (status, document["title"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n", 415),
        (b"POST /v1/generations HTTP/1.1\r\nHost: localhost\r\nOrigin: http://other\r\n", 403),
        (b"POST /v1/session HTTP/1.1\r\nHost: localhost\r\n", 413),
    ],
)
def test_whoever_goes_on_sending_what_is_refused_is_cut_off(address, head: bytes, status: int):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(head + b"Content-Length: 1000000000\r\n\r\n")
        assert read_answer(client)[0] == status
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while True:
                client.sendall(b"a" * 1000)


def test_a_large_body_that_is_refused_gets_its_answer(address):
    """The connection is not reset while the client still sends: that would take the answer away."""
    url = "http://{}:{}".format(*address)
    for _ in range(5):
        answer = httpx.post(f"{url}/v1/session", content=b"a" * 3_000_000, timeout=60)
        assert answer.status_code == 413
        wrong = httpx.post(f"{url}/v1/none", content=b"a" * 3_000_000, timeout=60)
        assert wrong.status_code == 404


def test_whoever_takes_nothing_of_an_answer_is_cut_off(small_limits: Limits, tmp_path: Path):
    app = create_app([tone_model()], small_limits, tmp_path)
    with Server(app, connections=ConnectionLimits(stall_s=0.5)).running() as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as client:
            client.settimeout(60)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, int(port)))
            get = b"GET /static/example.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                while True:
                    client.sendall(get)
                    time.sleep(0.01)


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"http://localhost/healthz", b"localhost", 200),
        (b"http://localhost:80/healthz?a=b", b"evil.example", 200),
        (b"http://[::1]:80/healthz", b"localhost", 200),
        (b"http://evil.example/healthz", b"localhost", 421),
    ],
)
def test_of_a_target_in_absolute_form_the_host_counts(address, target, host, status):
    sent = b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    assert answer_to(address, sent)[0] == status


def test_a_target_without_a_path_is_the_page(address):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"HEAD http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in client.recv(1 << 16)


def test_a_long_head_below_the_limit_is_taken(address):
    head = GET + b"X: " + b"a" * 30_000 + b"\r\n\r\n"
    assert answer_to(address, head) == (200, {"status": "ok"})


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", GET + b"X: "])
def test_a_head_that_takes_too_long_is_given_up(address, sent: bytes):
    assert problem_of(answer_to(address, sent)) == (408, "too-slow")


def test_a_slow_second_request_of_a_connection_is_given_up_too(address):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(GET + b"\r\n")
        assert read_answer(client)[0] == 200
        client.sendall(b"GET /health")
        assert problem_of(read_answer(client)) == (408, "too-slow")


def test_an_answer_that_takes_longer_than_a_head_may_is_waited_for(address, silent_video: Path):
    with open_client("http://{}:{}".format(*address)) as http, silent_video.open("rb") as video:
        answer = http.post("/v1/generations?wait=60", files={"video": ("a.mp4", video)})
        time.sleep(0.6)
        assert answer.status_code == 200
        assert http.get("/healthz").is_success


@pytest.mark.parametrize("length", [b"Content-Length: 600000000", b"Transfer-Encoding: chunked"])
def test_a_large_body_of_json_is_refused(address, length: bytes):
    head = b"POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    body = [chunk] * 8 if b"chunked" in length else []
    answer = answer_to(address, head + length + b"\r\n\r\n", *body)
    assert problem_of(answer) == (413, "too-large")


def test_connections_of_one_address_are_counted(address):
    with ExitStack() as stack:
        for _ in range(LIMITS.max_per_address):
            stack.enter_context(socket.create_connection(address))
        assert problem_of(answer_to(address)) == (429, "rate-limited")
    while answer_to(address, GET + b"\r\n")[0] != 200:
        pass


def test_all_connections_are_counted(small_limits: Limits, tmp_path: Path):
    limits = ConnectionLimits(
        max_connections=3, proxies=read_networks(["127.0.0.0/8"]), max_per_address=1
    )
    server = Server(create_app([tone_model()], small_limits, tmp_path), connections=limits)
    with server.running() as url, ExitStack() as stack:
        host, port = url.removeprefix("http://").split(":")
        for _ in range(3):
            stack.enter_context(socket.create_connection((host, int(port))))
        assert problem_of(answer_to((host, int(port)))) == (503, "not-ready")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("a.localhost", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("10.1.2.3:99", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("localhost.", 200),
        ("localhost:80:80", 421),
        ("name@localhost", 421),
        ("localhost/", 421),
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("[", 421),
        ("a b", 421),
    ],
)
def test_names_that_lead_here_from_elsewhere_are_refused(
    tone_api: httpx.Client, host: str, status: int
):
    for path in ("/healthz", "/", "/static/app.js", "/v1/models"):
        assert tone_api.get(path, headers={"Host": host}).status_code == status


def test_names_can_be_added(small_limits: Limits, tmp_path: Path):
    app = create_app([tone_model()], small_limits, tmp_path, names=["Sound.example"])
    with Server(app).running() as url:
        assert httpx.get(f"{url}/healthz", headers={"Host": "sound.example:80"}).is_success
        assert httpx.get(f"{url}/healthz", headers={"Host": "other.example"}).status_code == 421


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Origin": "SELF"}, True),
        ({"Origin": "SELF", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "odd"}, False),
        ({"Origin": "http://["}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost:1"}, False),
    ],
)
def test_pages_of_other_sites_change_nothing(
    tone_api: httpx.Client, tone_url: str, headers: dict[str, str], is_ours: bool
):
    sent = {name: value.replace("SELF", tone_url) for name, value in headers.items()}
    for method, path in (
        ("POST", "/v1/generations"),
        ("POST", "/v1/session"),
        ("DELETE", "/v1/session"),
        ("DELETE", "/v1/jobs/none"),
    ):
        answer = tone_api.request(method, path, headers=sent)
        assert (answer.status_code != 403) == is_ours, path
    assert tone_api.get("/v1/models", headers=sent).is_success


def test_a_cookie_is_not_the_key_and_ends_with_it(small_limits: Limits, tmp_path: Path):
    path = tmp_path / "keys.txt"
    key, other = add_key(path, "anna"), add_key(path, "ben")
    cookie = ""
    for lines, status in ((2, 404), (1, 401)):  # the second time, without anna's key
        path.write_text("\n".join(path.read_text().splitlines()[-lines:]) + "\n")
        app = create_app([tone_model()], small_limits, tmp_path / "api", keys=KeyRing.load(path))
        with Server(app).running() as url, open_client(url) as http:
            if lines == 2:
                opened = http.post("/v1/session", json={"key": key})
                cookie = opened.cookies[COOKIE]
                assert "Secure" not in opened.headers["set-cookie"]
            http.cookies.clear()
            for value, expected in (
                (cookie, status),
                (key, 401),
                (cookie[:-1] + ("0" if cookie[-1] != "0" else "1"), 401),
                ("." + cookie, 401),
                ("é.9999999999.x", 401),
            ):
                sent = [(b"Cookie", f"{COOKIE}={value}".encode())]
                assert http.get("/v1/jobs/none", headers=sent).status_code == expected, value
            bearer = {"Authorization": f"Bearer {other}"}
            assert http.get("/v1/jobs/none", headers=bearer).status_code == 404
    assert key not in cookie
    assert (tmp_path / "api" / "session.secret").stat().st_mode & 0o77 == 0


def test_the_file_of_keys_is_read_again_when_it_changes(
    small_limits: Limits, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "keys.txt"
    anna, ben = add_key(path, "anna"), add_key(path, "ben")
    app = create_app([tone_model()], small_limits, tmp_path / "api", keys=KeyRing.load(path))
    with Server(app).running() as url, open_client(url) as http:
        cookie = http.post("/v1/session", json={"key": anna}).cookies[COOKIE]
        http.cookies.clear()

        def statuses(*keys: str) -> list[int]:
            sent = [{"Authorization": f"Bearer {key}"} for key in keys]
            sent.append({"Cookie": f"{COOKIE}={cookie}"})
            return [http.get("/v1/jobs/none", headers=one).status_code for one in sent]

        assert statuses(anna, ben) == [404, 404, 404]
        path.write_text(path.read_text().splitlines()[1] + "\n")
        assert statuses(anna, ben) == [401, 404, 401]
        cleo = add_key(path, "cleo")
        assert statuses(ben, cleo) == [404, 404, 401]
        assert caplog.messages[-1].endswith("was read again: keys of ben, cleo")
        path.write_text("ben\n")
        assert statuses(ben, cleo) == [404, 404, 401]
        path.unlink()
        assert statuses(ben, cleo) == [404, 404, 401]
    kept = [told for told in caplog.messages if told.startswith("the keys stay as they were: ")]
    assert ["keys.txt:1: not a line" in kept[0], "cannot be read" in kept[1]] == [True, True]
    assert len(kept) == 2


def test_a_session_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    database = SQLiteDatabase(tmp_path / "jobs.sqlite3")
    sessions = Sessions(b"secret", SessionTable(database))
    token = sessions.token("ab" * 32)
    assert sessions.key_hash(token) == "ab" * 8
    monkeypatch.setattr(time, "time", lambda: float(token.split(".")[1]))
    assert sessions.key_hash(token) == ""
    database.close()


@pytest.mark.parametrize("proxies", [[], ["127.0.0.1"]])
def test_only_proxies_that_are_named_say_who_asks_and_how(
    small_limits: Limits, tmp_path: Path, proxies: list[str]
):
    path = tmp_path / "keys.txt"
    key = add_key(path, "anna")
    app = create_app([tone_model()], small_limits, tmp_path / "api", keys=KeyRing.load(path))
    server = Server(app, connections=ConnectionLimits(proxies=read_networks(proxies)))
    with server.running() as url:
        told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        opened = httpx.post(f"{url}/v1/session", json={"key": key}, headers=told)
    assert ("Secure" in opened.headers["set-cookie"]) == bool(proxies)


def test_half_a_character_in_a_key_is_a_wrong_key(small_limits: Limits, tmp_path: Path):
    path = tmp_path / "keys.txt"
    add_key(path, "anna")
    app = create_app([tone_model()], small_limits, tmp_path / "api", keys=KeyRing.load(path))
    with Server(app).running() as url:
        body = b'{"key": "\\ud800"}'
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(f"{url}/v1/session", content=body, headers=headers)
        assert answer.status_code in {401, 422}


@pytest.mark.parametrize("digest", ["é" * 64, "g" * 64, "a" * 63, "a" * 65])
def test_what_is_no_hash_in_a_file_of_keys_is_told(tmp_path: Path, digest: str):
    path = tmp_path / "keys.txt"
    path.write_text(f"# keys\nanna {digest}\n")
    with pytest.raises(SettingsError, match=r"keys.txt:2: not a line"):
        KeyRing.load(path)
