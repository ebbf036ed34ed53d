"""Which cluster is joined, and whether one answers there: known before Ray is asked, which waits.

Ray itself tries an address that does not answer for more than a minute, again and again; and on a
busy machine it takes half a minute to import, so that this comes before that, too.
"""

import os
import socket
import tempfile
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from s2s.errors import SettingsError

__all__ = ["ClusterAddress", "find_cluster"]

_ANSWER_S = 5.0
_LONGEST_S = 8.0
"""For all of it: a name that is asked of several servers, a host of several addresses."""
# RFC 9113, section 3.4: what a client of HTTP/2 (which gRPC is) says first, with empty settings.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_DATA_FRAME, _HEADERS_FRAME, _SETTINGS_FRAME = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4
_METHODS = {
    "gcs": b"/ray.rpc.NodeInfoGcsService/GetClusterId",
    "ray": b"/ray.rpc.RayletDriver/ClusterInfo",
}
"""What is asked of a cluster's own port, and of its port for clients: each knows only its own."""
# RFC 7541, appendix A: the status 200, which gRPC has whatever it says; a change of the table's
# size may come before it.
_OK = 0x88
_UNKNOWN_METHOD = b"grpc-status\x0212"


@dataclass(frozen=True)
class ClusterAddress:
    """A cluster that answers.

    Attributes:
        url: as `ray.init` takes it.
        origin: who named it, for messages.
    """

    url: str
    origin: str


def find_cluster() -> ClusterAddress | None:
    """The cluster to join: that of RAY_ADDRESS, or the one that was started on this machine.

    Returns:
        None where a cluster is to be started on this machine for the run alone: none is named,
        or RAY_ADDRESS is `local`.

    Raises:
        SettingsError: if nothing that could be a cluster answers there within 10 s.
    """
    named = os.environ.get("RAY_ADDRESS", "").strip()
    if named == "local":
        return None
    if named and named != "auto":
        return _answering(ClusterAddress(named, "RAY_ADDRESS"), "Set RAY_ADDRESS to HOST:PORT")
    left = _temporary_folder() / "ray_current_cluster"
    if not left.is_file():
        if named:
            raise SettingsError(
                f"RAY_ADDRESS=auto: {left} names no cluster, so none was started on this machine. "
                "Run 'ray start --head', or set RAY_ADDRESS to HOST:PORT of one"
            )
        return None
    found = ClusterAddress(left.read_text(encoding="utf-8").strip(), str(left))
    return _answering(found, f"A cluster that is gone has left {left}: delete it")


def _temporary_folder() -> Path:
    return Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir())) / "ray"


def _answering(address: ClusterAddress, remedy: str) -> ClusterAddress:
    told = f"no Ray cluster answers at {address.url} ({address.origin})"
    end = f"{remedy}, or set RAY_ADDRESS=local to work on this machine alone"
    parts = urlsplit(address.url if "://" in address.url else f"gcs://{address.url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in {"gcs", "ray"} or not host or not port:
        raise SettingsError(
            f"{address.origin} is {address.url!r}: use HOST:PORT on a node of the cluster, or "
            "ray://HOST:PORT from another machine"
        )
    try:
        is_ray = _is_ray(host, port, _METHODS[parts.scheme])
    except OSError as error:
        raise SettingsError(f"{told}: {error}. {end}") from error
    if not is_ray:
        raise SettingsError(
            f"{told}: something else does. A cluster's own port is 6379, named as HOST:6379; its "
            f"port for other machines is 10001, named as ray://HOST:10001. {end}"
        )
    if parts.scheme == "gcs" and not _has_raylet():
        raise SettingsError(
            f"{address.origin} is {address.url}, and this machine is no node of that cluster. "
            "Name it as ray://HOST:10001, or run here what joins it: "
            f"ray start --address={address.url}"
        )
    return address


def _is_ray(host: str, port: int, method: bytes) -> bool:
    """Whether what answers there could be a cluster that knows a method.

    Raises:
        OSError: if nothing answers, or not in time.
    """
    found: Future[bool] = Future()

    def ask() -> None:
        try:
            found.set_result(_ask(host, port, method))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            found.set_exception(error)

    # Nothing else ends a search for a name.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return found.result(_LONGEST_S)
    except TimeoutError:
        raise TimeoutError("no answer in time") from None


def _ask(host: str, port: int, method: bytes) -> bool:
    with (
        socket.create_connection((host, port), timeout=_ANSWER_S) as connection,
        connection.makefile("rb") as answer,
    ):
        if os.environ.get("RAY_USE_TLS") == "1":
            return True  # Ray has the certificates, and says what is wrong with them
        connection.sendall(_HELLO + _call(method))
        head = answer.read(9)
        if len(head) < 9 or head[3] != _SETTINGS_FRAME:
            return False
        with suppress(TimeoutError):  # a cluster that is busy
            while len(head) == 9 and head[3] != _HEADERS_FRAME:
                answer.read(int.from_bytes(head[:3]))
                head = answer.read(9)
            headers = answer.read(int.from_bytes(head[:3]))
            return _OK in headers[:4] and _UNKNOWN_METHOD not in headers
        return True


def _call(method: bytes) -> bytes:
    """A call with an empty message. RFC 7541, section 6.2.2: headers as they are, in no table."""
    headers = bytes([0x83, 0x86])  # POST, http
    for name, value in (
        (bytes([4]), method),
        (bytes([1]), b"ray"),
        (b"\0\x0ccontent-type", b"application/grpc"),
        (b"\0\x02te", b"trailers"),
    ):
        headers += name + bytes([len(value)]) + value
    stream = bytes([0, 0, 0, 1])
    message = bytes(5)
    return (
        len(headers).to_bytes(3)
        + bytes([_HEADERS_FRAME, _END_HEADERS])
        + stream
        + headers
        + len(message).to_bytes(3)
        + bytes([_DATA_FRAME, _END_STREAM])
        + stream
        + message
    )


def _has_raylet() -> bool:
    """Whether a Ray node runs on this machine, as far as its processes can be listed."""
    if not Path("/proc/self/cmdline").is_file():
        return True
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program = (folder / "cmdline").read_bytes().split(b"\0", 1)[0]
        except OSError:  # it has ended in the meantime
            continue
        if program.endswith(b"/raylet"):
            return True
    return False
