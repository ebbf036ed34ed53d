"""Where a training finds its key of Weights & Biases, before it begins."""

import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from s2s.errors import StageError
from s2s.settings import Settings
from s2s.tasks.generation.settings import GenerationRecipe
from training.callbacks.wandb_key import find_wandb_key

SECRET = "projects/p/secrets/s2s-wandb"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("", "_FILE", "_SECRET"):
        monkeypatch.setenv(f"WANDB_API_KEY{name}", "")
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(tmp_path))  # where 'wandb login' leaves a key
    content = {
        "name": "tiny",
        "collection": {"catalog": "c.csv"},
        "tracking": {"trackers": ["wandb"]},
    }
    return Settings(
        recipe=GenerationRecipe.model_validate(content),
        recipe_path=tmp_path / "tiny.yaml",
        bucket_url=f"file://{tmp_path}",
    )


@pytest.fixture
def secret_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answers for one secret as Google's Secret Manager does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_there = self.path == f"/v1/{SECRET}/versions/latest:access"
            self.send_response(200 if is_there else 404)
            self.end_headers()
            if is_there:
                data = b64encode(b"of-the-secret\n").decode()
                self.wfile.write(json.dumps({"payload": {"data": data}}).encode())

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", url)
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def found(settings: Settings) -> str:
    find_wandb_key(settings)
    return os.environ["WANDB_API_KEY"]


def test_key_of_a_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "key").write_text("of-the-file\n")
    monkeypatch.setenv("WANDB_API_KEY_FILE", str(tmp_path / "key"))
    assert found(settings) == "of-the-file"
    monkeypatch.setenv("WANDB_API_KEY", "of-the-variable")
    assert found(settings) == "of-the-variable"


@pytest.mark.usefixtures("secret_manager")
def test_key_of_a_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WANDB_API_KEY_SECRET", SECRET)
    assert found(settings) == "of-the-secret"


def test_key_of_a_login(settings: Settings, tmp_path: Path):
    login = tmp_path / ".netrc"
    login.write_text("machine api.wandb.ai login user password key\n")
    login.chmod(0o600)
    find_wandb_key(settings)


@pytest.mark.usefixtures("secret_manager")
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WANDB_API_KEY", "", "there is no key"),
        ("WANDB_API_KEY_FILE", "/nowhere/key", "/nowhere/key, which cannot be read"),
        ("WANDB_API_KEY_SECRET", "s2s-wandb", "write projects/PROJECT/secrets/NAME"),
        (
            "WANDB_API_KEY_SECRET",
            "projects/p/secrets/other",
            "other/versions/latest cannot be read",
        ),
    ],
)
def test_no_key_is_told_before_a_training_begins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(StageError, match=told) as caught:
        find_wandb_key(settings)
    assert "leave WANDB_MODE away" in str(caught.value)


def test_nothing_is_asked_for_runs_that_stay_here(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WANDB_API_KEY_FILE", "/nowhere/key")
    monkeypatch.setenv("WANDB_MODE", "offline")
    find_wandb_key(settings)
    monkeypatch.setenv("WANDB_MODE", "online")
    other = settings.recipe.model_copy(
        update={
            "tracking": GenerationRecipe.model_validate(
                {"name": "tiny", "collection": {"catalog": "c.csv"}}
            ).tracking
        }
    )
    find_wandb_key(settings.model_copy(update={"recipe": other}))
