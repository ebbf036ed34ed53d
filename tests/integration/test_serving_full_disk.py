"""A work directory on a disk that is really full: a small file system in memory."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

DISK_BYTES, MOST_BYTES = 24 << 20, 1_000_000
RECIPE = f"""\
name: test
collection: {{catalog: test.csv}}
serving: {{max_upload_bytes: {MOST_BYTES}, max_duration_s: 300}}
"""
# A mount of its own, which ends with the process; what is in it is reached through /proc.
MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]


class SmallDisk:
    """A server whose work directory has little room."""

    def __init__(self, folder: Path, model: Path) -> None:
        disk, recipe, log = folder / "disk", folder / "recipe.yaml", folder / "log.txt"
        disk.mkdir()
        recipe.write_text(RECIPE)
        command = [sys.executable, "-m", "serving", "serve", str(recipe), "--model", str(model)]
        command += ["--port", "0", "--bucket", f"file://{folder}/bucket", "--work-dir", str(disk)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*UNSHARE, str(DISK_BYTES), str(disk), *command],
                stderr=output,
                env=os.environ | {"COLUMNS": "300"},
            )
        while not (match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.02)
        self.url = match[0]
        self._disk = Path(f"/proc/{self.process.pid}/root{disk.resolve()}")
        self._ballast = self._disk / "ballast"
        while not self.is_ready():
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """What /readyz says."""
        return httpx.get(f"{self.url}/readyz", timeout=None).is_success

    def leave(self, n_bytes: int) -> None:
        """Fill the disk but for so much."""
        self.empty()
        filling = shutil.disk_usage(self._disk).free - n_bytes
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, filling)

    def empty(self) -> None:
        """Take away what it was filled with."""
        self._ballast.unlink(missing_ok=True)

    def post(self, video: Path) -> httpx.Response:
        """Send a video."""
        with video.open("rb") as file:
            return httpx.post(
                f"{self.url}/v1/generations?wait=60",
                files={"video": ("clip.mp4", file)},
                data={"steps": "1"},
                timeout=120,
            )


@pytest.fixture(scope="module")
def disk(untrained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    folder = tmp_path_factory.mktemp("full")
    (folder / "probe").mkdir()
    can = subprocess.run(
        [*UNSHARE, "65536", str(folder / "probe"), "true"], check=False, capture_output=True
    )
    if can.returncode:
        pytest.skip(f"no file system can be mounted here: {can.stderr.decode().strip()}")
    server = SmallDisk(folder, untrained_model)
    yield server
    server.process.kill()
    server.process.wait()


def assert_full(answer: httpx.Response) -> None:
    assert answer.status_code == 507, answer.text
    assert answer.json()["type"].endswith(":disk-full")


def test_what_the_job_itself_finds_full_is_no_fault_of_the_file(disk: SmallDisk, make_video):
    done = disk.post(make_video("clip.mp4", seconds=1))
    assert done.status_code == 200, done.text
    video = make_video("clip.mp4", seconds=20, size="64x48", fps=5)
    disk.leave(MOST_BYTES + (1 << 18))
    assert disk.is_ready()
    assert_full(disk.post(video))


def test_a_disk_without_a_byte_takes_nothing_and_goes_on_afterwards(disk: SmallDisk, make_video):
    video = make_video("clip.mp4", seconds=1)
    disk.leave(0)
    assert not disk.is_ready()
    assert httpx.get(f"{disk.url}/healthz").is_success
    assert_full(disk.post(video))
    disk.empty()
    while not disk.is_ready():
        time.sleep(0.05)
    again = disk.post(video)
    assert again.status_code == 200, again.text
    assert httpx.get(disk.url + again.headers["location"]).json()["state"] == "done"
