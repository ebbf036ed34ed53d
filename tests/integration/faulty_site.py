"""A video site that misbehaves on request: real HTTP, for the real yt-dlp."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

__all__ = ["Answer", "FaultySite", "answer_with", "cut_off", "hang", "status"]

Answer = Callable[["_Handler"], None]


class FaultySite(ThreadingHTTPServer):
    """Shows the files of a directory; `answers` says where it does something else.

    Args:
        directory: the videos.
    """

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.directory = directory
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[str] = Counter()
        self.is_waiting = threading.Event()
        self.may_go_on = threading.Event()

    @property
    def url(self) -> str:
        """The template of its videos' addresses."""
        return f"http://127.0.0.1:{self.server_port}/{{source_id}}.mp4"

    @contextmanager
    def running(self) -> Iterator["FaultySite"]:
        """Serve for as long as the context lasts."""
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.may_go_on.set()
            self.shutdown()
            thread.join()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    @property
    def site(self) -> FaultySite:
        return cast(FaultySite, self.server)

    def do_GET(self) -> None:
        name = self.path.strip("/")
        self.site.requests[name] += 1
        path = self.site.directory / name
        if answer := self.site.answers.get(name):
            answer(self)
        elif path.is_file():
            self.send(path.read_bytes())
        else:
            self.send_error(404)

    def send(self, body: bytes, kind: str = "video/mp4", length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Keep quiet."""


def status(code: int) -> Answer:
    """Answer with an HTTP status."""
    return lambda handler: handler.send_error(code)


def answer_with(body: bytes, kind: str = "video/mp4") -> Answer:
    """Answer with some content."""
    return lambda handler: handler.send(body, kind)


def cut_off(body: bytes, sent: int) -> Answer:
    """Promise the whole, send a part of it, hang up."""
    return lambda handler: handler.send(body[:sent], length=len(body))


def hang(body: bytes = b"") -> Answer:
    """Send the first bytes only; then wait until `may_go_on`, and hang up."""

    def answer(handler: _Handler) -> None:
        if body:
            handler.send(body[: len(body) // 2], length=len(body))
            handler.wfile.flush()
        handler.site.is_waiting.set()
        handler.site.may_go_on.wait()

    return answer
