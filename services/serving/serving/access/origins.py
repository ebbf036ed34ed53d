"""Where requests come from: pages of other sites may not use a server through its users' browsers.

A site can send forms to any address, and its name can be made to lead to this machine (DNS
rebinding). Browsers tell both: in Origin and Sec-Fetch-Site, and in Host.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.answers.problems import answer_of
from serving.problems import Problem

__all__ = ["KnownOrigins"]

_HOST = re.compile(r"(?:\[([^\]]+)\]|([^:@/\[\]]+))(?::\d*)?", re.ASCII)
# Of two, one program would believe the first and another the last (RFC 9110, section 5.3).
_ONCE = (
    b"host",
    b"origin",
    b"sec-fetch-site",
    b"authorization",
    b"content-type",
    b"idempotency-key",
    b"last-event-id",
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HERE = frozenset({"same-origin", "none"})
_ELSEWHERE = frozenset({"cross-site", "same-site"})


class KnownOrigins:
    """Middleware that refuses unknown hosts, and changes that pages of other sites ask for.

    Args:
        app: what answers.
        names: hosts that this server is called by, besides addresses, localhost and the machine's
            own name; None for any, where keys are needed.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] | None) -> None:
        self.app = app
        self._names = None if names is None else {name.lower() for name in names}
        self._is_known = lru_cache(maxsize=1024)(self._find)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403 or 421."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
        else:
            await answer_of(problem)(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        names = [name for name, _ in scope["headers"]]
        twice = [name.decode() for name in _ONCE if names.count(name) > 1]
        if twice or (b"host" not in names and scope["http_version"] == "1.1"):
            detail = f"Send one header {(twice or ['host'])[0].title()}."
            return Problem(400, "bad-request", detail)
        host = headers.get("host", "").strip().lower()
        if self._names is not None and host and not self._is_known(host):
            detail = (
                "This server does not answer to that name. Use its address, or start it with "
                "--name to add the name."
            )
            return Problem(421, "unknown-host", detail)
        if scope["method"] not in _READING and _is_of_another_site(headers, host):
            return Problem(403, "other-site", "Pages of other sites may not use this server.")
        return None

    def _find(self, host: str) -> bool:
        """Whether the server answers to a host, which may have a port."""
        assert self._names is not None  # noqa: S101 - see the caller
        name = _name_of(host)
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        if name == socket.gethostname().lower():
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # a name that leads here is never sent as an address


def _is_of_another_site(headers: Headers, host: str) -> bool:
    # Said by the browser itself, but only at addresses that it trusts: https and this machine.
    if (site := headers.get("sec-fetch-site", "").lower()) in _ELSEWHERE | _HERE:
        return site in _ELSEWHERE
    origin = headers.get("origin")
    if origin is None:
        return False  # no browser: those that are send it with every change
    try:
        return urlsplit(origin.lower()).netloc != host
    except ValueError:
        return True


def _name_of(host: str) -> str:
    """A host without port, brackets, last dot; of what cannot be parsed, a name of no host."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).removesuffix(".") if match else ""
