"""Connections before there is a request: how many, how fast, and how long its head may be."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.access.addresses import Network, counted_address, is_within
from serving.problems import Problem

__all__ = ["ConnectionLimits", "limited_protocol"]

_FEED_BYTES = 1 << 14


@dataclass(frozen=True)
class ConnectionLimits:
    """What clients may ask for before the API sees a request.

    Attributes:
        max_connections: open at a time; more get 503.
        max_per_address: of one address, or of one /64 of IPv6; more get 429. Named proxies have no
            such limit.
        head_s: seconds in which a request's line and headers must come; else 408.
        head_bytes: of these; more get 431.
        rest_s: seconds in which the rest of a body must come once its request is answered. A
            connection that is reset at once takes the answer with it.
        rest_bytes: of this rest; more is not waited for.
        stall_s: seconds for which a client may take nothing of its answer.
        proxies: addresses and networks of proxies.
    """

    max_connections: int = 512
    max_per_address: int = 128
    head_s: float = 15.0
    head_bytes: int = 1 << 16
    rest_s: float = 15.0
    rest_bytes: int = 1 << 23
    stall_s: float = 120.0
    proxies: frozenset[Network] = frozenset()


def limited_protocol(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    """A protocol for uvicorn that keeps the limits; its counts are of one server."""
    open_by_address: Counter[str] = Counter()

    class Limited(_LimitedProtocol):
        _limits = limits
        _open_by_address = open_by_address

    return Limited


class _AnswersTransport:
    """What an answer is written to: how it is closed is for the protocol to say."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class _LimitedProtocol(HttpToolsProtocol):
    """uvicorn's, which keeps a head of any size, for any time, on any number of connections."""

    _limits: ConnectionLimits
    _open_by_address: Counter[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._address = ""
        self._is_in_head = True
        # Bytes that the parser keeps because nothing of them is complete: a line that never ends.
        self._kept_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False  # the last answer is written: what still comes is not looked at
        self._closing: asyncio.TimerHandle | None = None
        self._rest_bytes = 0
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._address = counted_address(host)
        self._open_by_address[self._address] += 1
        limits = self._limits
        if len(self.connections) > limits.max_connections:
            detail = f"{limits.max_connections} connections are open already. Try again later."
            self._refuse(503, "not-ready", detail)
        elif self._open_by_address[self._address] > limits.max_per_address and not is_within(
            host, limits.proxies
        ):
            detail = f"{limits.max_per_address} connections of yours are open already. Close some."
            self._refuse(429, "rate-limited", detail)
        else:
            self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self.resume_writing()
        if self._closing is not None:
            self._closing.cancel()
        self._open_by_address[self._address] -= 1
        if self._open_by_address[self._address] <= 0:
            del self._open_by_address[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._closing is not None:
            self._rest_bytes += len(data)
            if self._rest_bytes > self._limits.rest_bytes:
                self.transport.close()
        for at in range(0, len(data), _FEED_BYTES):
            if self._is_over or self.transport.is_closing():
                return
            piece = data[at : at + _FEED_BYTES]
            if self._is_in_head and self._timer is None:
                self._begin_head()
            self._kept_bytes += len(piece)
            super().data_received(piece)
            if self._kept_bytes > self._limits.head_bytes:
                most = self._limits.head_bytes // 1024
                detail = f"At most {most} KiB of request line and headers are taken. Send fewer."
                self._refuse(431, "headers-too-large", detail)
                return

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._kept_bytes = False, 0
        self._end_head()
        parser: Any = self.parser
        if parser.get_http_version() not in {"1.0", "1.1"}:
            raise httptools.HttpParserError("another version")
        if not self.url.startswith((b"/", b"*")):
            self._take_host_from_target()
        super().on_headers_complete()
        transport: Any = _AnswersTransport(self.transport, self._close)
        self.cycle.transport = transport

    def on_response_complete(self) -> None:
        if self._is_over:
            return
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and self._closing is None:
            # Answered before it was all there: the rest may come, but not at leisure.
            self._closing = self.loop.call_later(self._limits.rest_s, self.transport.close)

    def on_body(self, body: bytes) -> None:
        self._kept_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_head, self._kept_bytes = True, 0
        if self._closing is not None:
            self._closing.cancel()
            self._closing, self._rest_bytes = None, 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self._limits.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP; uvicorn would say so in plain text."""
        self._refuse(400, "bad-request", f"{msg.removesuffix('.')}: it is not HTTP/1.1.")

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: a request that may be upgraded may be answered as it is, and is no news."""

    def _begin_head(self) -> None:
        self._timer = self.loop.call_later(self._limits.head_s, self._give_up)

    def _end_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not self._is_in_head or is_answering or self.transport.is_closing():
            return
        detail = f"The headers did not come within {self._limits.head_s:.0f} s. Send them at once."
        self._refuse(408, "too-slow", detail)

    def _refuse(self, status: int, kind: str, detail: str) -> None:
        """Answer with a problem, and close; whatever is being answered is given up."""
        self._end_head()
        document = Problem(status, kind, detail).document.model_dump(exclude_none=True)
        body = json.dumps(document).encode()
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "Content-Type: application/problem+json",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *(["Retry-After: 5"] if status in {429, 503} else []),
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        if status in {400, 431}:
            self._close()
        else:
            self.transport.close()

    def _close(self) -> None:
        """Close, once the rest of what is sent has come: a reset would take the answer with it."""
        is_all_there = self._is_in_head and not self._kept_bytes
        if is_all_there or self._is_over or not self.transport.can_write_eof():
            self.transport.close()
            return
        self._is_over = True
        self.transport.write_eof()
        self.flow.resume_reading()
        self._closing = self.loop.call_later(self._limits.rest_s, self.transport.close)

    def _take_host_from_target(self) -> None:
        """Of a target in absolute form, the host counts, not the header (RFC 9112, 3.2.2)."""
        target = httptools.parse_url(self.url)
        names = [name for name, _ in self.headers]
        if target.host is None or names.count(b"host") > 1:
            return
        port = b"" if target.port is None else b":%d" % target.port
        host = b"[%s]" % target.host if b":" in target.host else target.host
        self.headers[:] = [header for header in self.headers if header[0] != b"host"]
        self.headers.append((b"host", host + port))
        query = b"" if target.query is None else b"?" + target.query
        self.url = (target.path or b"/") + query
