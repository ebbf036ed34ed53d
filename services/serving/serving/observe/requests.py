"""Request ids, a log line as JSON, a count and a span for every request."""

import contextvars
import json
import logging
import re
import secrets
import sys
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.observe.metrics import Metrics
from serving.observe.traces import Tracer

__all__ = ["Observer", "log_as_json"]

log = logging.getLogger("serving.access")

REQUEST_ID = "X-Request-ID"
_PLAIN = re.compile(r"[\w.-]{1,64}", re.ASCII)
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


class Observer:
    """Middleware that notes every request.

    Args:
        app: what answers.
        metrics: counts.
        tracer: notes how long it takes.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer) -> None:
        self.app = app
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; the client's request id is kept where it is a plain one."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = asked if _PLAIN.fullmatch(asked) else secrets.token_hex(8)
        _request_id.set(request_id)
        started, status = time.monotonic(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        method, path = scope["method"], scope["path"]
        try:
            attributes = {"http.request.method": method, "url.path": path}
            with self._tracer.span(f"{method} request", attributes):
                await self.app(scope, receive, send_noted)
        finally:
            seconds = time.monotonic() - started
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.answered(method, route, status, seconds)
            client = (scope.get("client") or ("",))[0]  # as a named proxy has said
            fields = {"method": method, "path": path, "status": status, "client": client}
            log.info("request", extra={"fields": fields | {"seconds": round(seconds, 4)}})


class _JsonFormatter(logging.Formatter):
    """A record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := _request_id.get():
            line["request_id"] = request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """Log to stderr as lines of JSON; every request is one."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    logging.getLogger().handlers[:] = [handler]
    log.setLevel(logging.INFO)
