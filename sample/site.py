"""A local video site: `<source_id>.mp4` out of a directory, with Range requests."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

__all__ = ["build_app", "running_site"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}\.(mp4|mkv|webm)")
_START_TIMEOUT_S = 20.0


def build_app(directory: Path) -> Starlette:
    """A site that shows the videos of a directory, and nothing else of it."""

    async def video(request: Request) -> FileResponse:
        name = request.path_params["name"]
        path = directory / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, f"there is no video {name}")
        return FileResponse(path)

    return Starlette(routes=[Route("/{name}", video)])


@contextmanager
def running_site(directory: Path) -> Iterator[str]:
    """Serve a directory on a free port of 127.0.0.1 for as long as the context lasts.

    Yields:
        The site's address, such as `http://127.0.0.1:43210`, without a slash at its end.

    Raises:
        NotADirectoryError: if there is no such directory.
        TimeoutError: if the server does not start.
    """
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is no directory: render the catalog first")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(build_app(directory), log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline_s:
            raise TimeoutError("the local video site did not start")
        time.sleep(0.01)
