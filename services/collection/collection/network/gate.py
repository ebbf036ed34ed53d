"""The gate that downloads go through: what it does not let pass, no redirect can reach.

A proxy on this machine. yt-dlp and the ffmpeg that it starts send every request to it: pages,
redirects, playlists, their segments. It looks a host's address up, refuses those of this machine
and of private networks, and connects to the address that it has looked at, so that a name cannot
mean another one a moment later. It also ends what trickles.
"""

import base64
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from select import select
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass

from collection.network.addresses import is_private
from s2s.errors import MediaError
from s2s.reasons import Reason

__all__ = ["Gate", "GateRules"]

_CHUNK_BYTES = 1 << 16
_MAX_HEAD_BYTES = 1 << 17
_NOT_PASSED_ON = ("connection:", "keep-alive:", "proxy-")


@dataclass(frozen=True)
class GateRules:
    """What a gate lets pass.

    Attributes:
        own_site: host and port of the site that the recipe names, which may be private.
        allows_private: whether all private addresses are let through.
        timeout_s: a connection that is not made within it fails; a slower rate than the least is
            borne for so long.
        min_bytes_per_s: least rate; 0 for none.
        proxy: `http://[USER:PASSWORD@]HOST:PORT` that requests are passed on to; empty for none.
    """

    own_site: tuple[str, int]
    allows_private: bool = False
    timeout_s: float = 20.0
    min_bytes_per_s: float = 0.0
    proxy: str = ""


@dataclass
class _State:
    """What the threads of a gate share; they hold no reference to the gate itself."""

    rules: GateRules
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: set[socket.socket] = field(default_factory=set)
    problem: MediaError | None = None

    def give_up(self, problem: MediaError) -> None:
        """End all connections, and let none through until the next download."""
        with self.lock:
            self.problem = self.problem or problem
            for each in self.open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def registered(self, each: socket.socket) -> Iterator[socket.socket]:
        with self.lock:
            self.open.add(each)
        try:
            with closing(each):
                yield each
        finally:
            with self.lock:
                self.open.discard(each)


class Gate:
    """A gate for one thread's downloads; it closes when nothing refers to it.

    Args:
        rules: what it lets pass.
    """

    def __init__(self, rules: GateRules) -> None:
        self._state = _State(rules)
        server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        self.close = weakref.finalize(self, _close, server)
        threading.Thread(target=_accept, args=(server, self._state), daemon=True).start()

    @property
    def problem(self) -> MediaError | None:
        """Why the download was ended; None where it was not."""
        return self._state.problem

    @contextmanager
    def watch(self, name: str, limit_s: float) -> Iterator[None]:
        """Watch one download.

        Args:
            name: what is downloaded, for messages.
            limit_s: it is ended after so many seconds.
        """
        self._state.problem = None
        too_long = MediaError(
            Reason.TIMEOUT,
            f"{name}: was not there after {limit_s:.0f} s (collection.max_download_s)",
        )
        timer = threading.Timer(limit_s, self._state.give_up, (too_long,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _close(server: socket.socket) -> None:
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)
    server.close()


def _accept(server: socket.socket, state: _State) -> None:
    with suppress(OSError):  # the gate was closed
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(client, state), daemon=True).start()


def _serve(client: socket.socket, state: _State) -> None:
    """Answer one request, or carry one tunnel."""
    with suppress(OSError), state.registered(client):
        client.settimeout(state.rules.timeout_s)
        head, body = _read_head(client)
        method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        try:
            host, port = _host_of(method, target)
            upstream = _connect(host, port, state)
        except MediaError as problem:
            state.give_up(problem)
            _refuse(client, 403, problem.message)
        except (OSError, ValueError, UnicodeError) as error:
            _refuse(client, 502, f"cannot reach {target[:200]} ({error})")
        else:
            with state.registered(upstream):
                _pass_on(client, upstream, (method, target, head), body, state)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(_CHUNK_BYTES)
        if not more or len(data) > _MAX_HEAD_BYTES:
            raise OSError("no request")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


def _host_of(method: str, target: str) -> tuple[str, int]:
    url = urlsplit(f"//{target}" if method == "CONNECT" else target)
    if method != "CONNECT" and url.scheme != "http":
        raise ValueError(f"{url.scheme or 'no'} protocol")
    if not url.hostname:
        raise ValueError("no host")
    return url.hostname, url.port or (443 if method == "CONNECT" else 80)


def _connect(host: str, port: int, state: _State) -> socket.socket:
    """Connect to a host, or to the proxy in front of it.

    Raises:
        MediaError: `refused` if its address is private, or the reason why the download was ended.
        OSError: if it cannot be reached.
    """
    rules = state.rules
    if state.problem is not None:
        raise state.problem
    passes = rules.allows_private or (host.casefold(), port) == rules.own_site
    proxy = urlsplit(rules.proxy) if rules.proxy and not proxy_bypass(host) else None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        if proxy is None:
            raise
        found = []  # the proxy may know the name
    addresses = [str(each[4][0]) for each in found]
    if not passes and (private := next(filter(is_private, addresses), None)):
        raise MediaError(
            Reason.REFUSED,
            f"{host}:{port} ({private}) is an address of a private network, and the site leads "
            "there. If that is meant, say collection.private_addresses: true",
        )
    if proxy is not None:
        wanted = (proxy.hostname or "", proxy.port or 80)
        return socket.create_connection(wanted, rules.timeout_s)
    error = OSError(f"{host} has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), rules.timeout_s)
        except OSError as failed:
            error = failed
    raise error


def _refuse(client: socket.socket, status: int, why: str) -> None:
    line = "".join(letter if " " <= letter <= "~" else "?" for letter in why)
    answer = f"HTTP/1.1 {status} {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    client.sendall(answer.encode("ascii"))


def _pass_on(
    client: socket.socket,
    upstream: socket.socket,
    request: tuple[str, str, bytes],
    body: bytes,
    state: _State,
) -> None:
    method, target, head = request
    if state.rules.proxy and not proxy_bypass(_host_of(method, target)[0]):
        upstream.sendall(_for_proxy(head, state.rules.proxy) + body)
    elif method == "CONNECT":
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        upstream.sendall(body)
    else:
        upstream.sendall(_for_host(head, target) + body)
    _relay(client, upstream, state, target)


def _for_host(head: bytes, target: str) -> bytes:
    """A request as the host itself wants it, and for one answer only."""
    first, *fields = head.decode("latin-1").split("\r\n")
    method, _, version = first.split(" ")
    url = urlsplit(target)
    path = f"{url.path or '/'}{'?' * bool(url.query)}{url.query}"
    kept = [line for line in fields if not line.casefold().startswith(_NOT_PASSED_ON)]
    lines = [f"{method} {path} {version}", *kept, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _for_proxy(head: bytes, proxy: str) -> bytes:
    url = urlsplit(proxy)
    if url.username is None:
        return head + b"\r\n\r\n"
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
    return head + b"\r\nProxy-Authorization: Basic " + base64.b64encode(pair) + b"\r\n\r\n"


def _relay(client: socket.socket, upstream: socket.socket, state: _State, name: str) -> None:
    """Carry bytes both ways until one side ends, or the answer trickles."""
    rules = state.rules
    client.settimeout(None)
    upstream.settimeout(None)
    since_s, last_s, n_bytes = time.monotonic(), 0.0, 0
    while True:
        for source in select([client, upstream], [], [])[0]:
            data = source.recv(_CHUNK_BYTES)
            if not data:
                return
            (upstream if source is client else client).sendall(data)
            now_s = time.monotonic()
            # An answer to something new, or what comes after a silence, is a new beginning: only
            # what keeps coming, too slowly, is a trickle.
            if source is client or now_s - last_s > rules.timeout_s / 2:
                since_s, n_bytes = now_s, 0
            else:
                n_bytes += len(data)
            last_s = now_s
            waited_s = now_s - since_s
            if waited_s > rules.timeout_s and n_bytes < rules.min_bytes_per_s * waited_s:
                state.give_up(
                    MediaError(
                        Reason.TIMEOUT,
                        f"{name[:200]}: only {n_bytes} bytes came in {waited_s:.0f} s, at least "
                        f"{rules.min_bytes_per_s:.0f} a second are waited for "
                        "(collection.min_bytes_per_s)",
                    )
                )
                return
