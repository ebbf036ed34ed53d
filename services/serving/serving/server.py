"""uvicorn around the API: in the foreground for users, in a thread for the stage."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from s2s.errors import StageError
from s2s.settings import Settings
from serving.app import create_app
from serving.model import load_predictor
from serving.service import Limits, ServedModel, Service

__all__ = ["Server", "make_server"]

_DRAIN_S = 60


class Server:
    """An API at an address.

    Args:
        app: made by `serving.app.create_app`.
        host: address to listen on.
        port: port to listen on; 0 for a free one.

    Raises:
        StageError: if the address cannot be listened on.
    """

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> None:
        self._service: Service = app.state.service
        self._socket = _listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_S,
            )
        )
        self._service.worker.loaded.add_done_callback(lambda _: self._stop_if_not_loaded())

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C; requests that are worked on are finished first.

        Raises:
            ModelError: if the model could not be loaded.
        """
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._service.worker.close()
        self._service.worker.loaded.result()

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve from a thread.

        Yields:
            the address, once the model is loaded.

        Raises:
            ModelError: if the model could not be loaded.
        """
        thread = threading.Thread(target=self._uvicorn.run, args=([self._socket],), name="server")
        thread.start()
        try:
            self._service.worker.loaded.result()
            yield self.url
        finally:
            self._uvicorn.should_exit = True
            thread.join()
            self._service.worker.close()

    def _stop_if_not_loaded(self) -> None:
        if not self._service.worker.is_ready:
            self._uvicorn.should_exit = True


def make_server(
    settings: Settings, folder: Path, name: str, host: str = "127.0.0.1", port: int = 0
) -> Server:
    """A server of a model.

    Args:
        settings: the recipe sets the limits; uploads are kept under the work directory.
        folder: the model directory.
        name: the model's name for clients.
        host: address to listen on.
        port: port to listen on; 0 for a free one.

    Raises:
        StageError: if the address cannot be listened on.
    """
    recipe = settings.recipe
    model = ServedModel(name, recipe.task, partial(load_predictor, folder))
    uploads = settings.work_dir / "uploads"
    return Server(create_app(model, Limits.of(recipe.serving), uploads), host, port)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise StageError(
            f"{host}:{port} cannot be listened on ({error}): choose another --host or --port"
        ) from error
