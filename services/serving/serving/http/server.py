"""uvicorn around the API: in the foreground for users, in a thread for the stage."""

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from s2s.errors import StageError
from s2s.media import end_sandboxed
from serving.access.connections import ConnectionLimits, limited_protocol
from serving.http.service import Service

__all__ = ["Server", "listen", "uvicorn_config"]

log = logging.getLogger(__name__)

_DRAIN_S = 60.0
_LAST_ANSWERS_S = 10
_STOPPED = b"Stopped: what was not finished goes on at the next start\n"
_WHY_NOT = {
    errno.EADDRINUSE: "another program listens there: stop it, or choose another --port",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose another --host",
    errno.EACCES: "this user may not: choose a --port over 1023",
}


class _DrainingServer(uvicorn.Server):
    """uvicorn that, when it is told to stop, first finishes what it has accepted.

    Meanwhile it goes on answering: new work with 503, questions about jobs as ever. Told a second
    time, it stops at once; jobs that are not finished stay in the store for the next server.
    """

    def __init__(
        self, config: uvicorn.Config, service: Service, on_finishing: Callable[[int, float], None]
    ) -> None:
        super().__init__(config)
        self._service = service
        self._on_finishing = on_finishing
        self._until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """A signal came."""
        if self._until is None:
            self._until = time.monotonic() + _DRAIN_S
        else:
            # Nothing that threads are at is waited for. Every change in the store is a transaction.
            end_sandboxed()
            os.write(2, _STOPPED)
            os._exit(128 + sig)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        service = self._service
        if self._until is not None:
            left = service.runner.unfinished | service.arriving
            if left and not service.is_draining:
                self._on_finishing(len(left), _DRAIN_S)
            service.is_draining = True
            self.should_exit |= not left or time.monotonic() > self._until
        return await super().on_tick(counter)


class Server:
    """An API at an address.

    Args:
        app: made by `serving.http.app.create_app`.
        host: address to listen on.
        port: port to listen on; 0 for a free one. Or a socket that listens already.
        connections: what clients may ask for before there is a request.
        on_loaded: called with the address and the names of the models that are served, once it is
            known of all whether they are; not where none is.
        on_finishing: called when the server is told to stop and has jobs, with how many it finishes
            first, and for how many seconds at most.

    Raises:
        StageError: if the address cannot be listened on.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str = "127.0.0.1",
        port: int | socket.socket = 0,
        connections: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - it is frozen
        on_loaded: Callable[[str, Sequence[str]], None] = lambda _url, _names: None,
        on_finishing: Callable[[int, float], None] = lambda _n_jobs, _most_s: None,
    ) -> None:
        self._service: Service = app.state.service
        self._socket = listen(host, port) if isinstance(port, int) else port
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}"
        config = uvicorn_config(app, connections)
        self._uvicorn = _DrainingServer(config, self._service, on_finishing)
        self._on_loaded = on_loaded
        self._loading = set(self._service.batchers)
        self._lock = threading.Lock()
        for name, batcher in self._service.batchers.items():
            batcher.loaded.add_done_callback(partial(self._note_loaded, name))

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C; jobs that were accepted are finished first.

        A second of these ends the process at once, with status 128 and the signal's number.

        Raises:
            ModelError: if no model could be loaded.
        """
        self._uvicorn.run(sockets=[self._socket])
        self._check_loaded()

    def stop(self) -> None:
        """Serve no more; may be called in any thread."""
        self._uvicorn.should_exit = True

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve from a thread.

        Yields:
            the address, once it is known of every model whether it can be loaded.

        Raises:
            ModelError: if no model could be loaded.
        """
        thread = threading.Thread(target=self._uvicorn.run, args=([self._socket],), name="server")
        thread.start()
        try:
            self._check_loaded()
            yield self.url
        finally:
            self.stop()
            thread.join()

    def _check_loaded(self) -> None:
        errors = [batcher.loaded.exception() for batcher in self._service.batchers.values()]
        if errors and errors[0] is not None and all(errors):
            raise errors[0]

    def _note_loaded(self, name: str, loaded: "Future[Any]") -> None:
        """One of the models is there, or will never be; called in its thread."""
        if loaded.exception() is not None and len(self._service.batchers) > 1:
            log.error("%s cannot be loaded, and is not served: %s", name, loaded.exception())
        with self._lock:
            self._loading.discard(name)
            if self._loading:
                return
        batchers = self._service.batchers
        served = [name for name, batcher in batchers.items() if batcher.is_ready]
        if served:
            self._on_loaded(self.url, served)
        else:
            self.stop()


def uvicorn_config(app: ASGIApp, connections: ConnectionLimits) -> uvicorn.Config:
    """How uvicorn is run, whatever answers."""
    return uvicorn.Config(
        app,
        http=limited_protocol(connections),
        log_config=None,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
        # Who is not named as a proxy cannot say whom it asks for.
        proxy_headers=bool(connections.proxies),
        forwarded_allow_ips=sorted(map(str, connections.proxies)),
    )


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address: before models are loaded, which nothing can break off in peace.

    Raises:
        StageError: if the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        shown = f"[{host}]" if ":" in host else host
        raise StageError(f"{shown}:{port} cannot be listened on: {_why_not(error)}") from error


def _why_not(error: OSError | OverflowError) -> str:
    """Why there is no listening, and what to do."""
    if isinstance(error, OverflowError):
        return "ports are numbers from 0 to 65535: choose another --port"
    if isinstance(error, socket.gaierror):
        return "no address is known of this name: choose another --host"
    # Its own words name the address a second time.
    plain = f"{os.strerror(error.errno or 0)}: choose another --host or --port"
    return _WHY_NOT.get(error.errno or 0, plain)
