"""Bodies of requests that are not uploads: short, and soon there."""

import asyncio
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.answers.problems import answer_of, not_found
from serving.problems import Problem

__all__ = ["ShortBodies"]

_MAX_BYTES = 1 << 14
_TIME_S = 15.0


class ShortBodies:
    """Middleware that reads a body before the routes see it, and bounds it.

    Args:
        app: what answers.
        uploads: paths of routes that bound their own.
        is_known: whether there is a route of a path.
    """

    def __init__(
        self, app: ASGIApp, uploads: Iterable[str], is_known: Callable[[str], bool]
    ) -> None:
        self.app = app
        self._uploads = frozenset(uploads)
        self._is_known = is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or answer 413 or 408; 404 where no route is."""
        is_upload = scope["type"] == "http" and scope["path"] in self._uploads
        if scope["type"] != "http" or (is_upload and scope["method"] == "POST"):
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_TIME_S):
                messages = await _read(scope, receive)
        except TimeoutError:
            detail = f"The body did not come within {_TIME_S:.0f} s. Send it at once."
            problem = Problem(408, "too-slow", detail, headers={"Connection": "close"})
            await answer_of(problem)(scope, receive, send)
            return
        except Problem as problem:
            # Whoever sends a file to a wrong address is to learn that, not how large it may be.
            answer = answer_of(problem) if self._is_known(scope["path"]) else not_found()
            await answer(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)


async def _read(scope: Scope, receive: Receive) -> list[Message]:
    length = Headers(scope=scope).get("content-length", "0")
    if len(length) > 18 or int(length) > _MAX_BYTES:
        raise _too_large()
    messages: list[Message] = []
    size, has_more = 0, True
    while has_more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > _MAX_BYTES:
            raise _too_large()
        has_more = message["type"] == "http.request" and message.get("more_body", False)
    return messages


def _too_large() -> Problem:
    detail = f"A body of at most {_MAX_BYTES} bytes is accepted here."
    return Problem(413, "too-large", detail, headers={"Connection": "close"})
