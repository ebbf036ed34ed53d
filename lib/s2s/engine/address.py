"""Which cluster is joined, and whether one answers there: known before Ray is asked, which waits.

Ray itself tries an address that does not answer for more than a minute, again and again; and on a
busy machine it takes half a minute to import, so that this comes before that, too.
"""

import os
import socket
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from s2s.errors import SettingsError

__all__ = ["REMEDY_OF_REFUSAL", "ClusterAddress", "find_cluster"]

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
_UNAUTHENTICATED = b"grpc-status\x0216"
REMEDY_OF_REFUSAL = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to its own or RAY_AUTH_TOKEN_PATH to a file that "
    "has it: 'ray get-auth-token' on its head prints it"
)


class _Answer(Enum):
    CLUSTER = "what could be a cluster that knows the method"
    REFUSAL = "a cluster that wants another token, or one at all"
    OTHER = "something else"


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
        SettingsError: if nothing that could be a cluster answers there within 10 s, or what does
            wants a token that is not known here.
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
    scheme, host, port = _place(address)
    try:
        answer, token = _let_in(partial(_answer_of, host, port, _METHODS[scheme]))
    except OSError as error:
        raise SettingsError(f"{told}: {error}. {end}") from error
    if answer is _Answer.REFUSAL:
        wants = f"another token than that of {token.origin}" if token else "a token"
        raise SettingsError(
            f"the Ray cluster at {address.url} ({address.origin}) wants {wants}. "
            f"{REMEDY_OF_REFUSAL}"
        )
    if answer is _Answer.OTHER:
        clients = "; its port for other machines is 10001, named as ray://HOST:10001"
        raise SettingsError(
            f"{told}: something else does. A cluster's own port is 6379, named as HOST:6379"
            f"{clients if _has_client() else ''}. {end}"
        )
    if scheme == "gcs" and not _has_raylet():
        from_elsewhere = "name it as ray://HOST:10001, " if _has_client() else ""
        raise SettingsError(
            f"{address.origin} is {address.url}, and this machine, or this container, is no node "
            f"of that cluster. Run the stage on a node, {from_elsewhere}or run here first what "
            f"joins it: ray start --address={address.url}"
        )
    return address


def _place(address: ClusterAddress) -> tuple[str, str, int]:
    """Kind, host and port of an address; the kind is one of `_METHODS`."""
    parts = urlsplit(address.url if "://" in address.url else f"gcs://{address.url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in _METHODS or not host or not port:
        raise SettingsError(
            f"{address.origin} is {address.url!r}: use HOST:PORT on a node of the cluster"
            + ", or ray://HOST:PORT from another machine" * _has_client()
        )
    if parts.scheme == "ray" and not _has_client():
        raise SettingsError(
            f"{address.origin} is {address.url}, and what ray:// needs, grpcio, is not here: no "
            "image of ours has it. Run the stage on a node of the cluster, and name it there as "
            f"{host}:6379"
        )
    return parts.scheme, host, port


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    origin: str


def _let_in(ask: Callable[[_Token | None], _Answer]) -> tuple[_Answer, _Token | None]:
    """What a cluster says to the token that Ray would send; and that token.

    Ray sends one where RAY_AUTH_MODE is `token`. Where that is left open it is set, if it is what
    lets us in: before Ray is imported, which reads it then.
    """
    mode = os.environ.get("RAY_AUTH_MODE", "").lower()
    token = _known_token() if mode == "token" else None
    answer = ask(token)
    if answer is _Answer.REFUSAL and not mode and (token := _known_token()):
        answer = ask(token)
        if answer is _Answer.CLUSTER:
            os.environ["RAY_AUTH_MODE"] = "token"
    return answer, token


def _known_token() -> _Token | None:
    """The token that Ray finds on this machine, from where it looks.

    Raises:
        SettingsError: if RAY_AUTH_TOKEN_PATH names a file that cannot be read.
    """
    if value := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return _Token(value, "RAY_AUTH_TOKEN")
    named = os.environ.get("RAY_AUTH_TOKEN_PATH", "")
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    if not named and not path.is_file():
        return None
    try:
        return _Token(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Ray's token {path} cannot be read: {error}. {REMEDY_OF_REFUSAL}"
        ) from error


def _answer_of(host: str, port: int, method: bytes, token: _Token | None) -> _Answer:
    """What answers there.

    Raises:
        OSError: if nothing answers, or not in time.
    """
    found: Future[_Answer] = Future()

    def ask() -> None:
        try:
            found.set_result(_ask(host, port, _call(method, token)))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            found.set_exception(error)

    # Nothing else ends a search for a name.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return found.result(_LONGEST_S)
    except TimeoutError:
        raise TimeoutError("no answer in time") from None


def _ask(host: str, port: int, call: bytes) -> _Answer:
    with (
        socket.create_connection((host, port), timeout=_ANSWER_S) as connection,
        connection.makefile("rb") as answer,
    ):
        if os.environ.get("RAY_USE_TLS") == "1":
            return _Answer.CLUSTER  # Ray has the certificates, and says what is wrong with them
        connection.sendall(_HELLO + call)
        head = answer.read(9)
        if len(head) < 9 or head[3] != _SETTINGS_FRAME:
            return _Answer.OTHER
        with suppress(TimeoutError):  # a cluster that is busy
            while len(head) == 9 and head[3] != _HEADERS_FRAME:
                answer.read(int.from_bytes(head[:3]))
                head = answer.read(9)
            headers = answer.read(int.from_bytes(head[:3]))
            if _OK not in headers[:4] or _UNKNOWN_METHOD in headers:
                return _Answer.OTHER
            # A token of Kubernetes is another one for each who asks: Ray has it.
            has_own = os.environ.get("RAY_ENABLE_K8S_TOKEN_AUTH")
            if _UNAUTHENTICATED in headers and not has_own:
                return _Answer.REFUSAL
        return _Answer.CLUSTER


def _call(method: bytes, token: _Token | None) -> bytes:
    """A call with an empty message. RFC 7541, section 6.2.2: headers as they are, in no table."""
    headers = bytes([0x83, 0x86])  # POST, http
    named = [
        (bytes([4]), method),
        (bytes([1]), b"ray"),
        (b"\0\x0ccontent-type", b"application/grpc"),
        (b"\0\x02te", b"trailers"),
    ]
    if token is not None:  # authorization, not to be kept in a table
        named.append((bytes([0x1F, 8]), f"Bearer {token.value}".encode()))
    for name, value in named:
        headers += name + _length(value) + value
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


def _length(value: bytes) -> bytes:
    """A text's length. RFC 7541, section 5.1, with a prefix of seven bits."""
    left = len(value) - 127
    if left < 0:
        return bytes([len(value)])
    coded = [127]
    while left >= 128:
        coded.append(left % 128 + 128)
        left //= 128
    return bytes([*coded, left])


def _has_client() -> bool:
    """Whether a cluster can be joined from a machine that is no node of it."""
    return find_spec("grpc") is not None


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
