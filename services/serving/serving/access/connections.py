"""Connections before there is a request: how many, how fast, and how long its head may be."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

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
        proxies: addresses and networks of proxies.
    """

    max_connections: int = 512
    max_per_address: int = 128
    head_s: float = 15.0
    head_bytes: int = 1 << 16
    proxies: frozenset[Network] = frozenset()


def limited_protocol(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    """A protocol for uvicorn that keeps the limits; its counts are of one server."""
    open_by_address: Counter[str] = Counter()

    class Limited(_LimitedProtocol):
        _limits = limits
        _open_by_address = open_by_address

    return Limited


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
        self._open_by_address[self._address] -= 1
        if self._open_by_address[self._address] <= 0:
            del self._open_by_address[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), _FEED_BYTES):
            if self.transport.is_closing():
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
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._kept_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_head, self._kept_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP; uvicorn would say so in plain text."""
        self._refuse(400, "bad-request", f"{msg.removesuffix('.')}: it is not HTTP/1.1.")

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
        self.transport.close()
