"""Connections before there is a request: how many, how fast, and how long its head may be."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.access.addresses import counted_address, is_within
from serving.access.framing import (
    blank_line_end,
    body_bytes,
    body_parser,
    framing_problem,
    last_answer,
    origin_form,
)
from serving.access.limits import ConnectionLimits
from serving.problems import Problem

__all__ = ["ConnectionLimits", "limited_protocol"]

_FEED_BYTES = 1 << 14
# So often, a blank line in a body in chunks is taken for what may be its end. Behind a body with
# more of them, a head may be longer by one piece that the parser is given.
_MOST_BLANK_LINES = 1000
# Many small chunks take long to read: so long, nobody else is served.
_AT_ONCE_S = 0.005


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
        self._unread = b""
        # Bytes that the parser keeps because nothing of them is complete: a line that never ends.
        self._kept_bytes = 0
        self._body_bytes = 0  # of the present request, as far as they are not there yet
        self._n_blank_lines = 0  # in the present body
        self._has_unread_body = False
        self._answering: RequestResponseCycle | None = None
        self._last_words: bytes | None = None  # wait for the answers before them
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
            self._refuse(Problem(503, "not-ready", detail))
        elif self._open_by_address[self._address] > limits.max_per_address and not is_within(
            host, limits.proxies
        ):
            detail = f"{limits.max_per_address} connections of yours are open already. Close some."
            self._refuse(Problem(429, "rate-limited", detail))
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
        is_reading, self._unread = bool(self._unread), self._unread + data
        if not is_reading:
            self._read()

    def _read(self, *, is_paused: bool = False) -> None:
        """Read what has come; after a while, others first."""
        data, at, until_s = self._unread, 0, time.monotonic() + _AT_ONCE_S
        while at < len(data):
            if self._is_over or self._last_words or self.transport.is_closing():
                self._unread = b""
                return
            if time.monotonic() > until_s:
                self._unread = data[at:]
                self.transport.pause_reading()
                self.loop.call_soon(partial(self._read, is_paused=True))
                return
            end = self._piece_end(data, at)
            self._feed(data[at:end])
            at = end
        self._unread = b""
        if is_paused and not (self.flow.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def _piece_end(self, data: bytes, at: int) -> int:
        """Up to where the parser is given data: never the end of a request and another's begin."""
        if self._body_bytes:
            return min(len(data), at + self._body_bytes)
        blank_end = blank_line_end(data, at)
        if self._is_in_head:
            return min(blank_end, at + self._limits.head_bytes - self._kept_bytes)
        end = min(len(data), at + _FEED_BYTES)  # of a body in chunks
        if blank_end < end and self._n_blank_lines < _MOST_BLANK_LINES:
            self._n_blank_lines += 1
            return blank_end
        return end

    def _feed(self, piece: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._is_in_head and self._timer is None:
            self._begin_head()
        self._kept_bytes += len(piece)
        self._body_bytes = max(0, self._body_bytes - len(piece))
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # A request that may be upgraded may be answered as it is, and has a body like others.
            self.parser = self._body_parser() if self._has_unread_body else self._head_parser()
        except httptools.HttpParserError as error:
            self._refuse(framing_problem(error, piece))
            return
        if self._kept_bytes >= self._limits.head_bytes:
            most = self._limits.head_bytes // 1024
            detail = f"At most {most} KiB of request line and headers are taken. Send fewer."
            self._refuse(Problem(431, "headers-too-large", detail))

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        parser: Any = self.parser
        version = parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            raise httptools.HttpParserError("another version")
        self.url = origin_form(parser.get_method(), self.url, self.headers)
        self._body_bytes = body_bytes(self.headers)
        is_chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._has_unread_body = parser.should_upgrade() and bool(self._body_bytes or is_chunked)
        self._is_in_head, self._kept_bytes = False, 0
        self._end_head()
        self.expect_100_continue &= version != "1.0"
        super().on_headers_complete()
        transport: Any = _AnswersTransport(self.transport, self._close)
        self.cycle.transport = transport
        self.headers = []  # fields behind a body are no headers of it

    def _head_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _body_parser(self) -> httptools.HttpRequestParser:
        """For a body that the parser of its head takes for another protocol."""
        self._has_unread_body = False

        def end() -> None:
            self.parser = self._head_parser()
            self.on_message_complete()

        return body_parser(self._body_bytes, self.on_body, end)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        if self._is_over:
            return
        super().on_response_complete()
        if self._last_words and not self._is_answering:
            self._say(self._last_words)
            return
        if self.cycle.response_complete and self.cycle.more_body and self._closing is None:
            # Answered before it was all there: the rest may come, but not at leisure.
            self._closing = self.loop.call_later(self._limits.rest_s, self.transport.close)

    def on_body(self, body: bytes) -> None:
        self._kept_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._has_unread_body:
            return
        self._is_in_head, self._kept_bytes, self._body_bytes = True, 0, 0
        self._n_blank_lines = 0
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

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _begin_head(self) -> None:
        self._timer = self.loop.call_later(self._limits.head_s, self._give_up)

    def _end_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_in_head and not self._is_answering and not self.transport.is_closing():
            most_s = f"{self._limits.head_s:.0f} s"
            detail = f"The headers did not come within {most_s}. Send them at once."
            self._refuse(Problem(408, "too-slow", detail))
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem, and close: behind the answers to the requests before."""
        self._end_head()
        words = last_answer(problem, self.server_state.default_headers)
        if self.pipeline and self.cycle.more_body:
            self.pipeline.popleft()  # the request that is wrong
        broken = self._answering if self._is_answering else None
        if broken is None:  # behind a head, the request has its answer already
            self._say(words if self._is_in_head else b"")
        elif not broken.more_body:
            self._last_words = words
        else:  # it is the one that is wrong
            broken.disconnected = True
            broken.message_event.set()
            self._say(b"" if broken.response_started else words)

    def _say(self, last_words: bytes) -> None:
        self._last_words = None
        self.transport.write(last_words)
        self._close()

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
