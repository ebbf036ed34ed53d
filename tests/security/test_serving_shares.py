"""No client takes so much of the queue that others have nothing left."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tone import TonePredictor, tone_model

from s2s.errors import MediaError, SettingsError
from s2s.reasons import Reason
from serving.access.addresses import counted_address, is_here, is_within, read_networks
from serving.access.connections import ConnectionLimits
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:DB8:0:1:ffff::9", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_who_has_a_network_of_ipv6_is_one_client(host: str, counted: str):
    assert counted_address(host) == counted


def test_proxies_are_addresses_and_networks():
    networks = read_networks(["10.0.0.0/8", "2001:db8::1", "192.0.2.4"])
    for host in ("10.200.3.4", "::ffff:10.1.1.1", "2001:db8::1", "192.0.2.4"):
        assert is_within(host, networks)
    for host in ("11.0.0.1", "2001:db8::2", "192.0.2.5", "unknown", ""):
        assert not is_within(host, networks)
    assert is_here("127.3.3.3")
    assert is_here("::1")
    assert not is_here("10.0.0.1")


@pytest.mark.parametrize("text", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33", ""])
def test_what_is_no_proxy_is_told(text: str):
    with pytest.raises(SettingsError, match="--proxy"):
        read_networks([text])


@pytest.fixture
def queue(small_limits: Limits, tmp_path: Path) -> Iterator[str]:
    """A server behind a proxy, of which nothing is finished; four jobs may wait."""
    release = threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            release.wait()
            return super().predict(batch)

    app = create_app([tone_model("slow", Slow)], replace(small_limits, max_jobs=4), tmp_path)
    connections = ConnectionLimits(proxies=read_networks(["127.0.0.1"]))
    with Server(app, connections=connections).running() as url:
        yield url
        release.set()


def test_a_sandbox_that_fails_at_the_start_is_logged(
    small_limits: Limits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def fail(_folder: Path) -> list[str]:
        raise MediaError(Reason.TIMEOUT, "reading it took too long")

    monkeypatch.setattr("serving.http.app.missing_protections", fail)
    with Server(create_app([tone_model()], small_limits, tmp_path)).running() as url:
        assert httpx.get(f"{url}/healthz").is_success
    assert "cannot be told: timeout" in caplog.text


def test_one_address_leaves_room_for_others(queue: str, silent_video: Path):
    def send(forwarded: str, **more: str) -> tuple[int, str]:
        with silent_video.open("rb") as file:
            answer = httpx.post(
                f"{queue}/v1/generations",
                files={"video": ("clip.mp4", file)},
                headers={"X-Forwarded-For": forwarded} | more,
            )
        return answer.status_code, answer.json().get("detail", "")

    name = {"Idempotency-Key": "a name of one request"}

    mine = ["203.0.113.7", "198.51.100.1, 203.0.113.7", "::ffff:203.0.113.7"]
    assert send(mine[0], **name)[0] == 202
    assert [send(address)[0] for address in mine[1:]] == [202, 202]
    status, detail = send("1.1.1.1, 203.0.113.7")
    assert status == 429
    assert "3 jobs of yours" in detail
    assert send("203.0.113.8")[0] == 202
    assert "4 jobs wait" in send("203.0.113.9")[1]
    assert send("203.0.113.7", **name)[0] == 202  # its job waits already
