"""What is read of requests as bytes: where a head may end, what is wrong with one (RFC 9112)."""

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import SimpleNamespace

import httptools

from serving.problems import Problem

__all__ = [
    "blank_line_end",
    "body_bytes",
    "body_parser",
    "framing_problem",
    "last_answer",
    "origin_form",
]

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: |$)")
_RETRY_AFTER_S = 5
_SCHEMES = {b"http", b"https"}
_TARGET = "The address cannot be read. Send a path, such as /v1/models."
_Headers = list[tuple[bytes, bytes]]


def blank_line_end(data: bytes, at: int) -> int:
    """Where data goes on behind the next blank line; its end, if there is none.

    Heads and chunked bodies end with such a line, so that what is read up to here is of one
    request only. A line that may have begun in earlier data counts, too.
    """
    for rest in (b"\n", b"\r\n"):
        if data.startswith(rest, at):
            return at + len(rest)
    end = data.find(b"\n\r\n", at)
    return len(data) if end < 0 else end + 3


def body_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """The length that a head tells of its body; 0 where it tells none.

    Raises:
        Problem: 501 for a transfer coding that is not known (RFC 9112, section 6.1).
    """
    found = 0
    for name, value in headers:
        if name == b"content-length":
            found = int(value)
        elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            detail = "Of transfer codings, only 'chunked' is known. Send the body as it is."
            raise Problem(501, "not-implemented", detail)
    return found


def body_parser(
    n_bytes: int, on_body: Callable[[bytes], None], on_end: Callable[[], None]
) -> httptools.HttpRequestParser:
    """A parser of a body alone.

    Args:
        n_bytes: of the body; 0 for a chunked one.
        on_body: is given its parts.
        on_end: is called behind the last.
    """
    parser = httptools.HttpRequestParser(
        SimpleNamespace(on_body=on_body, on_message_complete=on_end)
    )
    framing = b"Content-Length: %d" % n_bytes if n_bytes else b"Transfer-Encoding: chunked"
    parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n\r\n" % framing)
    return parser


def framing_problem(error: httptools.HttpParserError, data: bytes) -> Problem:
    """What is told of a request that cannot be read.

    Args:
        error: what the parser says; a problem that was raised in a callback is told as it is.
        data: what it was given last.
    """
    if isinstance(error.__context__, Problem):
        return error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError) and _METHOD.match(data):
        return Problem(501, "not-implemented", "There is no such method; they are in capitals.")
    detail = f"The request is not as RFC 9112 has those of HTTP/1.1: {error}."
    return Problem(400, "bad-request", detail)


def last_answer(problem: Problem, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A problem as the bytes of the last answer on a connection.

    Args:
        problem: what is told.
        headers: of every answer, such as the date.
    """
    status = problem.document.status
    body = json.dumps(problem.document.model_dump(exclude_none=True)).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *([f"Retry-After: {_RETRY_AFTER_S}"] if status in {429, 503} else []),
    ]
    told = [line.encode() for line in lines] + [b"%s: %s" % header for header in headers]
    return b"\r\n".join([*told, b"", body])


def origin_form(method: bytes, target: bytes, headers: _Headers) -> bytes:
    """A target as path and query; of one in absolute form its host counts, not the header's.

    RFC 9112, section 3.2.

    Args:
        method: of the request.
        target: of its line.
        headers: the host among them is changed.

    Raises:
        Problem: 400 for what is no target, 501 for one that a proxy is asked for.
    """
    if method == b"CONNECT":
        raise Problem(501, "not-implemented", "This server is no proxy.")
    if b"#" in target or (target[:1] == b"*" and (method, target) != (b"OPTIONS", b"*")):
        raise Problem(400, "bad-request", _TARGET)
    if target.startswith((b"/", b"*")):
        return target
    parsed = httptools.parse_url(target)
    if not parsed.host or parsed.userinfo is not None or parsed.schema.lower() not in _SCHEMES:
        raise Problem(400, "bad-request", _TARGET)
    port = b"" if parsed.port is None else b":%d" % parsed.port
    host = b"[%s]" % parsed.host if b":" in parsed.host else parsed.host
    if [name for name, _ in headers].count(b"host") < 2:  # two are refused later
        headers[:] = [header for header in headers if header[0] != b"host"]
        headers.append((b"host", host + port))
    query = b"" if parsed.query is None else b"?" + parsed.query
    return (parsed.path or b"/") + query
