"""What is looked at before the first request: cookies, proxies; addresses that are not public."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yt_dlp.networking.exceptions import HTTPError

from collection.network.addresses import is_private
from collection.network.connection import check_cookies, proxy_of
from collection.network.failures import wait_s_of
from s2s.errors import SettingsError
from s2s.settings import CollectionSettings

LINE = ".example.org\tTRUE\t/\tFALSE\t4102444800\tname\tvalue\n"
NETSCAPE = "# Netscape HTTP Cookie File\n" + LINE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'[{"domain": ".example.org", "name": "a", "value": "b"}]',
        b"<!doctype html><title>Sign in</title>",
        b"\xef\xbb\xbf" + NETSCAPE.encode(),
        NETSCAPE.encode("utf-16"),
        NETSCAPE.replace("\t", " ").encode(),
        b"# Netscape HTTP Cookie File\n",
        b"name=value; other=value\n",
        LINE.encode(),
        b"\xff\xfe\x00\x01" * 20,
        b"SQLite format 3\x00" + bytes(100),
    ],
)
def test_a_cookies_file_of_another_format_is_one_error(tmp_path: Path, content: bytes):
    path = tmp_path / "cookies.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"collection\.cookies_file: .*cookies\.txt"):
        check_cookies(path)


@pytest.mark.parametrize("content", [NETSCAPE, NETSCAPE.replace("\n", "\r\n")])
def test_a_cookies_file_that_is_right(tmp_path: Path, content: str):
    path = tmp_path / "cookies.txt"
    path.write_bytes(content.encode())
    check_cookies(path)
    assert path.read_bytes() == content.encode(), "looking writes nothing"


def site(proxy: str) -> CollectionSettings:
    url = "https://videos.example/{source_id}"
    return CollectionSettings(catalog="x", proxy=proxy, source_url=url)


@pytest.mark.parametrize(
    "proxy", ["localhost:8080", "htp://a:1", "http://", "http://a:99999", "socks://a:1", "none"]
)
def test_a_proxy_that_is_none_is_one_error(proxy: str):
    with pytest.raises(SettingsError, match=r"collection\.proxy: .*http://HOST:PORT"):
        proxy_of(site(proxy))


@pytest.mark.parametrize("proxy", ["http://a:1", "socks5h://u:p@a:1", "https://[::1]:8"])
def test_a_proxy(proxy: str):
    assert proxy_of(site(proxy)) == proxy


def test_no_proxy_reaches_this_machine():
    local = site("http://p:1").model_copy(update={"source_url": "http://127.0.0.1:8/{source_id}"})
    assert proxy_of(local) == ""


def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_of(site("")) == ""
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert proxy_of(site("")) == "http://proxy.example:3128"
    monkeypatch.setenv("no_proxy", "videos.example")
    assert proxy_of(site("")) == ""


PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::127.0.0.1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2001:0:53aa:64c:0:0:80ff:fffe"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str):
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "142.250.1.1", "2a00:1450::1", "64:ff9b::808:808"])
def test_addresses_that_are(address: str):
    assert not is_private(address)


def waiting(value: str) -> float | None:
    answer: Any = SimpleNamespace(status=429, reason="", headers={"Retry-After": value})
    return wait_s_of(HTTPError(answer))


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "1_0", "1e3", "٣", "Wed, 99 Foo 2026", "nan", "1.5"]
)
def test_a_wait_that_cannot_be_read_is_none(text: str):
    assert waiting(text) is None


@given(st.integers(-7200, 7200))
def test_a_wait_may_be_a_date(offset_s: int):
    date = datetime.now(UTC) + timedelta(seconds=offset_s)
    expected = max(0, offset_s)
    for text in (format_datetime(date, usegmt=True), format_datetime(date.astimezone())):
        found = waiting(text)
        assert found is not None
        assert expected - 5 <= found <= expected + 1


def test_a_wait_is_a_day_at_most():
    assert waiting("120") == 120
    assert waiting("999999999") == 24 * 3600
    assert waiting("Fri, 31 Dec 9999 23:59:59 GMT") == 24 * 3600
    assert waiting("9" * 400) is None
    assert waiting("Sun, 29 Nov 99999999999 08:49:37 GMT") is None
