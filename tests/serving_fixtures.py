"""What tests of serving share: small videos, and an API with a tone instead of a model."""
# ruff: noqa: PLC0415 - FastAPI takes a second to import, which tests of other parts need not pay

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s2s.media import run_ffmpeg

if TYPE_CHECKING:
    import httpx

    from serving.http.service import Limits
    from serving.models.served import ServedModel

MakeVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def make_video(tmp_path_factory: pytest.TempPathFactory) -> MakeVideo:
    """Encodes a moving test picture: `make_video("clip.mp4", seconds=2, codec="libx264")`."""

    def make(
        name: str,
        *options: str,
        seconds: float = 2.0,
        fps: int = 25,
        size: str = "160x120",
        codec: str = "libx264",
        sound: str = "",
    ) -> Path:
        path = tmp_path_factory.mktemp("video") / name
        source = f"testsrc2=size={size}:rate={fps}:duration={seconds}"
        inputs = ["-f", "lavfi", "-i", source]
        inputs += ["-f", "lavfi", "-i", f"{sound}=d={seconds}"] if sound else []
        encoding = ["-c:v", codec, "-pix_fmt", "yuv420p", "-threads", "1"]
        run_ffmpeg([*inputs, *encoding, *options, str(path)], name)
        return path

    return make


@pytest.fixture(scope="session")
def silent_video(make_video: MakeVideo) -> Path:
    """Two seconds of H.264 in an mp4, without sound."""
    return make_video("clip.mp4")


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a real model that has learned nothing."""
    return save_untrained_model(tmp_path_factory.mktemp("untrained"))


def save_untrained_model(folder: Path, seed: int = 0) -> Path:
    """Write a model directory; another seed, another model."""
    import torch

    from s2s.spec import TimeSpec
    from s2s.tasks.generation.network.directory import ModelConfig, save_bundle
    from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
    from s2s.tasks.generation.processor import open_processor
    from s2s.tasks.generation.settings import GenerationFeatureSettings

    spec, features = TimeSpec(), GenerationFeatureSettings()
    streams = open_processor(spec, features).dims
    network = NetworkConfig(token_dim=spec.token_dim, streams=streams, width=32, depth=1, heads=2)
    config = ModelConfig(
        recipe="test",
        version="dataset_v1",
        spec=spec,
        features=features,
        network=network,
        mel_mean=-5.0,
        mel_std=2.0,
        window_frames=80,
    )
    transformer = MelTransformer(network)
    generator = torch.Generator().manual_seed(seed)
    for parameter in transformer.parameters():  # its output layer starts at zero
        torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    save_bundle(folder, transformer, config)
    return folder


@pytest.fixture(scope="session")
def tone_model(small_limits: "Limits") -> "ServedModel":
    """A model that needs no training."""
    import tone

    return tone.tone_model("tone", partial(tone.TonePredictor, small_limits.media))


@pytest.fixture(scope="session")
def small_limits() -> "Limits":
    """Limits that tests can go beyond quickly: 2 MB, 5 s, 640 by 480 pixels."""
    from serving.http.service import Limits

    return Limits(max_upload_bytes=2_000_000, max_duration_s=5.0, max_pixels=640 * 480)


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the API keeps its jobs."""
    return tmp_path_factory.mktemp("serving")


@pytest.fixture(scope="module")
def uploads(server_folder: Path) -> Path:
    """Where the API keeps uploads while it works on them."""
    return server_folder / "uploads"


@pytest.fixture
def nothing_left(uploads: Path) -> Callable[[], None]:
    """Waits until no upload is kept any more: a folder is removed after its answer is sent."""

    def wait() -> None:
        while list(uploads.iterdir()):
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="module")
def tone_url(
    tone_model: "ServedModel", small_limits: "Limits", server_folder: Path
) -> Iterator[str]:
    """A real server's address."""
    from serving.http.app import create_app
    from serving.http.server import Server

    with Server(create_app([tone_model], small_limits, server_folder)).running() as url:
        yield url


@pytest.fixture
def tone_api(tone_url: str) -> Iterator["httpx.Client"]:
    """A client of that server."""
    from serving.client import open_client

    with open_client(tone_url) as http:
        yield http


@pytest.fixture
def gated_model() -> Iterator[tuple["ServedModel", threading.Event]]:
    """A model that is loaded only when the event is set."""
    import tone

    gate = threading.Event()

    def load() -> tone.TonePredictor:
        gate.wait()
        return tone.TonePredictor()

    yield tone.tone_model("gated", load), gate
    gate.set()
