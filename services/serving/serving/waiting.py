"""A server whose models are not there yet: it listens already, and answers what it waits for."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from s2s.errors import ModelError
from s2s.logs import console
from serving.access.connections import ConnectionLimits
from serving.access.origins import KnownOrigins
from serving.http.answers.headers import SecurityHeaders
from serving.http.answers.problems import answer_of
from serving.http.server import uvicorn_config
from serving.problems import being_loaded, not_loaded

__all__ = ["Waiting", "answering"]

_WAIT_S = 5.0


class Waiting:
    """Answers everything with 503 and the reason, but for /healthz: the server is alive.

    Attributes:
        problem: the reason.
    """

    def __init__(self) -> None:
        self.problem = being_loaded()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; of an upload, nothing is read."""
        if scope["path"] == "/healthz":
            answer = JSONResponse({"status": "ok"})
        else:
            answer = answer_of(self.problem)
        answer.headers["Connection"] = "close"  # the next request is for who comes after
        await answer(scope, receive, send)

    def until_found(self, find: Callable[[], object]) -> None:
        """Return once a model is found; what is waited for is said once, and answered."""
        said = ""
        while True:
            try:
                find()
                break
            except ModelError as error:
                self.problem = not_loaded(error)
                if str(error) != said:
                    said = str(error)
                    console.print(f"Waiting: {said}", markup=False, soft_wrap=True)
            time.sleep(_WAIT_S)
        self.problem = being_loaded()


@contextmanager
def answering(
    listener: socket.socket, names: Iterable[str] | None, connections: ConnectionLimits
) -> Iterator[Waiting]:
    """Answer in a thread at an address that another server takes over afterwards.

    Args:
        listener: listens already; it stays open.
        names: hosts that the server is called by; None for any.
        connections: what clients may ask for before there is a request.
    """
    waiting = Waiting()
    app: ASGIApp = SecurityHeaders(KnownOrigins(waiting, names))
    server = uvicorn.Server(uvicorn_config(app, connections))
    server.config.lifespan = "off"
    with listener.dup() as own:  # uvicorn closes what it is given
        thread = threading.Thread(target=server.run, args=([own],), name="waiting")
        thread.start()
        try:
            yield waiting
        finally:
            server.should_exit = True
            thread.join()
