"""Weights of a hub that does not answer: told at once, with its name and the remedy."""

import socket
import ssl
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from s2s.errors import ModelError
from s2s.tasks.common import hub
from s2s.tasks.common.hub import of_hub

SETTING = "training.weights"


def never() -> None:
    raise AssertionError("the library would ask for minutes")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A hub at a port of this machine that nobody listens on, and empty caches."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return url


def test_a_hub_that_does_not_answer_is_asked_once(nowhere: str):
    with pytest.raises(ModelError) as caught:
        of_hub(SETTING, "timm/resnet18", never)
    said = str(caught.value)
    assert said.startswith(f"{SETTING}: hub: those of resnet18 cannot be fetched (127.0.0.1 cannot")
    for remedy in ("file:NAME", "bucket:KEY", "package:NAME"):
        assert remedy in said
    assert "\n" not in said


def test_the_host_of_torchvisions_is_named(nowhere: str, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise URLError(socket.gaierror(-3, "Temporary failure in name resolution"))

    monkeypatch.setattr(hub, "urlopen", refuse)
    for name in ("torchvision/r3d_18", "raft_small"):
        with pytest.raises(ModelError, match=r"\(download\.pytorch\.org cannot be reached: .*name"):
            of_hub(SETTING, name, never)


def test_what_is_kept_needs_no_hub(nowhere: str, tmp_path: Path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "r3d_18-b3b3357e.pth").touch()
    assert of_hub(SETTING, "torchvision/r3d_18", lambda: "kept") == "kept"
    kept = tmp_path / "models--timm--resnet18.a1_in1k"
    (kept / "snapshots" / ("0" * 40)).mkdir(parents=True)
    (kept / "snapshots" / ("0" * 40) / "model.safetensors").touch()
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)
    assert of_hub(SETTING, "timm/resnet18", lambda: "kept") == "kept"


def test_a_host_that_answers_in_another_way_is_left_to_the_library(
    nowhere: str, monkeypatch: pytest.MonkeyPatch
):
    def distrust(*_: object, **__: object) -> None:
        raise URLError(ssl.SSLError("a certificate of one's own"))

    monkeypatch.setattr(hub, "urlopen", distrust)
    waits: list[float | None] = []
    assert (
        of_hub(SETTING, "timm/resnet18", lambda: waits.append(socket.getdefaulttimeout())) is None
    )
    assert waits == [60.0]
    assert socket.getdefaulttimeout() is None
