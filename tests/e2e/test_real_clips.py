"""Five real VGGSound clips through all six stages, over both kinds of bucket, to an HTTP answer."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import av
import httpx
import numpy as np
import pytest
from conftest import Launch

from launcher.bucket_server import BucketServer
from s2s.media import drop_sound, probe, read_audio


@pytest.fixture(params=["file", "gs"])
def bucket_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/bucket"
    name = f"real-clips-{uuid4().hex[:8]}"
    port = int(request.getfixturevalue("bucket_server").rpartition(":")[2])
    BucketServer(tmp_path, port).make_bucket(name)
    return f"gs://{name}"


@contextmanager
def serving(recipe: Path, bucket_url: str) -> Iterator[str]:
    """`./s2s serve` as a process; its address."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    command = [sys.executable, "-m", "launcher", "serve", str(recipe), "--bucket", bucket_url]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=recipe.parent)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            try:
                if httpx.get(f"{url}/readyz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        assert process.wait(30) in {0, -15}


def video_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def test_from_catalog_to_sound(
    bucket_url: str,
    launch: Launch,
    real_site: str,
    real_recipe: Path,
    real_data: Path,
    tmp_path: Path,
):
    run = launch("run", str(real_recipe), "--bucket", bucket_url, S2S_SOURCE_URL=real_site)
    assert run.returncode == 0, run.stderr
    assert "failed" in run.stderr

    status = launch("status", str(real_recipe), "--bucket", bucket_url)
    assert status.returncode == 0, status.stderr
    assert "collection" in status.stderr + status.stdout

    again = launch(
        "run", str(real_recipe), "--bucket", bucket_url, "--strict", S2S_SOURCE_URL=real_site
    )
    assert again.returncode == 0, again.stderr
    assert "5 already_done" in again.stderr

    clip = next((real_data / "clips" / "vggsound").glob("-Qowm*.mp4"))
    silent, answer = tmp_path / "silent.mp4", tmp_path / "answer.mp4"
    drop_sound(clip, silent)
    with serving(real_recipe, bucket_url) as url:
        response = httpx.post(
            f"{url}/v1/generations?wait=100",
            files={"video": ("silent.mp4", silent.read_bytes(), "video/mp4")},
            timeout=120,
        )
    assert response.status_code == 200, response.text
    answer.write_bytes(response.content)
    assert video_packets(answer) == video_packets(silent)
    assert probe(answer).audio_codec == "aac"
    sound = read_audio(answer, 16_000)
    assert len(sound) / 16_000 == pytest.approx(probe(silent).duration_s, abs=1 / 25)
    assert np.abs(sound).max() > 1e-4
