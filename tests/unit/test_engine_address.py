"""Which cluster is joined; one that is not there is an error at once, not a wait of minutes."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from s2s.engine import make_engine
from s2s.errors import SettingsError

pytest.importorskip("ray", reason="Ray is not installed")
addresses = pytest.importorskip("s2s.engine.address")
find_cluster = addresses.find_cluster
SETTINGS_FRAME = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def headers_frame(headers: bytes) -> bytes:
    return bytes([0, 0, len(headers), 1, 5, 0, 0, 0, 1]) + headers


NOT_KNOWN = headers_frame(b"\x88\x40\x0bgrpc-status\x0212")
KNOWN = headers_frame(b"\x3f\x61\x88")
UNAUTHENTICATED = headers_frame(b"\x88\x00\x0bgrpc-status\x0216")
NOT_FOUND = headers_frame(b"\x8d")  # the status 404 of a web server that speaks HTTP/2


@pytest.fixture(autouse=True)
def ray_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ray's temporary folder, where a cluster leaves its address."""
    for name in ("ADDRESS", "AUTH_MODE", "AUTH_TOKEN", "AUTH_TOKEN_PATH"):
        monkeypatch.delenv(f"RAY_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray"


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[int]:
    """A server that takes one connection and answers what the test wants, or nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(request.param)
                with suppress(ConnectionResetError):
                    while connection.recv(1000):
                        pass

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


def test_nobody_names_a_cluster():
    assert find_cluster() is None


def test_local_leaves_other_clusters_alone(ray_folder: Path, monkeypatch: pytest.MonkeyPatch):
    (ray_folder / "ray_current_cluster").write_text("127.0.0.1:1")
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert find_cluster() is None


@pytest.mark.parametrize("kind", ["", "ray://"])
def test_nobody_answers(kind: str, closed_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", f"{kind}127.0.0.1:{closed_port}")
    with pytest.raises(SettingsError, match=rf"answers at {kind}127.0.0.1:{closed_port} \(RAY_ADD"):
        find_cluster()


def test_the_engine_does_not_wait_either(closed_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port}")
    with pytest.raises(SettingsError, match="RAY_ADDRESS=local"):
        make_engine("ray")


@pytest.mark.parametrize("named", [None, "auto"])
def test_a_killed_cluster_has_left_its_address(
    named: str | None, closed_port: int, ray_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    if named:
        monkeypatch.setenv("RAY_ADDRESS", named)
    left = ray_folder / "ray_current_cluster"
    left.write_text(f"127.0.0.1:{closed_port}")
    with pytest.raises(SettingsError, match=f"has left {left}: delete it"):
        find_cluster()


def test_auto_without_a_cluster(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(SettingsError, match="ray start --head"):
        find_cluster()


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:8265", "10.0.0.1", "10.0.0.1:ray", "10.0.0.1:99999", "ray://h", "::"]
)
def test_what_is_no_address(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", name)
    with pytest.raises(SettingsError, match="use HOST:PORT"):
        find_cluster()


def test_a_host_that_is_unknown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", "no-such-host.invalid:6379")
    with pytest.raises(SettingsError, match="answers at no-such-host"):
        find_cluster()


@pytest.mark.parametrize("server", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220\r\n", b""], indirect=True)
def test_something_else_answers_or_nothing_ever(server: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(addresses, "_ANSWER_S", 0.3)
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server}")
    with pytest.raises(SettingsError, match="no Ray cluster answers"):
        find_cluster()


def test_a_web_server_is_no_cluster(monkeypatch: pytest.MonkeyPatch):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        threading.Thread(target=http.handle_request, daemon=True).start()
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{http.server_port}")
        with pytest.raises(SettingsError, match="something else does"):
            find_cluster()


@pytest.mark.parametrize(
    "server", [SETTINGS_FRAME + NOT_KNOWN, SETTINGS_FRAME + NOT_FOUND], indirect=True
)
@pytest.mark.parametrize("kind", ["", "ray://"])
def test_the_port_is_another_one_of_the_clusters(
    server: int, kind: str, monkeypatch: pytest.MonkeyPatch
):
    """Such as that for clients, named as if it were the cluster's own, or the other way round."""
    monkeypatch.setenv("RAY_ADDRESS", f"{kind}127.0.0.1:{server}")
    with pytest.raises(SettingsError, match=r"something else does.*HOST:6379.*ray://HOST:10001"):
        find_cluster()


def test_a_name_that_takes_too_long(monkeypatch: pytest.MonkeyPatch):
    asked = threading.Event()

    def never(*_: object, **__: object) -> None:
        asked.wait()

    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr(addresses, "_LONGEST_S", 0.1)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(SettingsError, match="no answer in time"):
        find_cluster()
    asked.set()


def test_ray_need_not_be_imported_for_that(closed_port: int):
    program = (
        "import sys\n"
        "from s2s.engine import make_engine\n"
        "from s2s.errors import SettingsError\n"
        "try:\n"
        "    make_engine('ray')\n"
        "except SettingsError as error:\n"
        "    print(error, 'ray' in sys.modules)\n"
    )
    environment = os.environ | {"RAY_ADDRESS": f"127.0.0.1:{closed_port}"}
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "no Ray cluster answers" in said
    assert said.endswith(" False\n")


def test_a_cluster_with_tls_is_left_to_ray(closed_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{closed_port}")
    with pytest.raises(SettingsError, match="no Ray cluster answers"):
        find_cluster()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ray://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", url)
        assert getattr(find_cluster(), "url", None) == url


@pytest.mark.parametrize("has_client", [True, False])
@pytest.mark.parametrize("server", [SETTINGS_FRAME], indirect=True)
def test_a_cluster_that_this_machine_is_no_node_of(
    server: int, has_client: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(addresses, "_ANSWER_S", 0.3)
    monkeypatch.setattr(addresses, "_has_raylet", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server}")
    monkeypatch.setattr(addresses, "_has_client", lambda: has_client)
    with pytest.raises(SettingsError, match=f"ray start --address=127.0.0.1:{server}") as refused:
        find_cluster()
    assert ("ray://" in str(refused.value)) == has_client


def test_ray_from_another_machine_needs_grpcio(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(addresses, "_has_client", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "ray://10.0.0.1:10001")
    with pytest.raises(SettingsError, match=r"grpcio, is not here.* as 10\.0\.0\.1:6379"):
        find_cluster()


@pytest.mark.parametrize("server", [SETTINGS_FRAME, SETTINGS_FRAME + KNOWN], indirect=True)
def test_a_cluster_from_another_machine(server: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(addresses, "_ANSWER_S", 0.3)
    monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{server}")
    found = find_cluster()
    assert found is not None
    assert (found.url, found.origin) == (f"ray://127.0.0.1:{server}", "RAY_ADDRESS")


@pytest.fixture
def guarded_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The port of a cluster that lets those in who have its token, which is a long one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # the test is over
                    return
                with connection:
                    connection.sendall(SETTINGS_FRAME)
                    said = b""
                    while not said.endswith(bytes([0, 0, 5, 0, 1, 0, 0, 0, 1]) + bytes(5)):
                        said += connection.recv(1000)
                    has_token = b"\x1f\x08\x7f\xb0\x01Bearer " + TOKEN.encode() in said
                    connection.sendall(KNOWN if has_token else UNAUTHENTICATED)

        threading.Thread(target=answer, daemon=True).start()
        monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{listening.getsockname()[1]}")
        yield
        listening.shutdown(socket.SHUT_RDWR)


TOKEN = "t" * 296


@pytest.mark.usefixtures("guarded_cluster")
@pytest.mark.parametrize("mode", ["", "token", "disabled"])
def test_a_cluster_that_wants_a_token(mode: str, monkeypatch: pytest.MonkeyPatch):
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    with pytest.raises(SettingsError, match=r"\(RAY_ADDRESS\) wants a token\. Set RAY_AUTH_MODE="):
        find_cluster()
    assert os.environ.get("RAY_AUTH_MODE", "") == mode


@pytest.mark.usefixtures("guarded_cluster")
@pytest.mark.parametrize("mode", ["", "token"])
def test_a_cluster_that_wants_another_token(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    path = tmp_path / "token"
    path.write_text("another\n")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    with pytest.raises(SettingsError, match=rf"another token than that of {path}\. Set RAY_AUTH_M"):
        find_cluster()
    assert os.environ.get("RAY_AUTH_MODE", "") == mode
    path.unlink()
    with pytest.raises(SettingsError, match=f"Ray's token {path} cannot be read: "):
        find_cluster()


@pytest.mark.usefixtures("guarded_cluster")
@pytest.mark.parametrize("place", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "home"])
def test_a_token_that_lets_us_in_is_one_that_ray_sends(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ray sends none to a cluster that is named, unless its mode is set."""
    monkeypatch.setenv("RAY_AUTH_MODE", "")  # so that it is put back afterwards
    path = tmp_path / ".ray" / "auth_token"
    path.parent.mkdir()
    path.write_text(f"{TOKEN}\n")
    if place != "home":
        monkeypatch.setenv(place, str(path) if place.endswith("PATH") else TOKEN)
    assert find_cluster() is not None
    assert os.environ["RAY_AUTH_MODE"] == "token"
