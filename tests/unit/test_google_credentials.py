"""Files of credentials: those of gcloud do, and any other is told in one line with its name."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from launcher.cloud.vertex import Vertex
from s2s.errors import BucketUnavailableError, S2SError, SettingsError
from s2s.storage.gcs import GoogleBucket
from s2s.storage.google_secret import read_google_secret

OF_GCLOUD = {
    "type": "authorized_user",
    "client_id": "c.apps.googleusercontent.com",
    "client_secret": "s",
    "refresh_token": "r",
}
NOBODY = 65534


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "key.json"
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no gcloud to be asked for a project
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.mark.parametrize(
    "more", [{}, {"quota_project_id": "q", "account": "", "universe_domain": "googleapis.com"}]
)
@pytest.mark.parametrize("project", [None, "", "my-project"])
def test_credentials_of_gcloud_need_no_project(
    key_file: Path, more: dict[str, str], project: str | None, monkeypatch: pytest.MonkeyPatch
):
    key_file.write_text(json.dumps(OF_GCLOUD | more))
    if project is not None:
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    client = GoogleBucket("a-bucket")._client
    assert client.project == (project or None)
    assert getattr(client._credentials, "refresh_token", None) == "r"


BAD_FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda _: None, "was not found"),
    "folder": (Path.mkdir, "Is a directory"),
    "empty": (Path.touch, "not a valid json file"),
    "text": (lambda path: path.write_text("my key"), "not a valid json file"),
    "binary": (lambda path: path.write_bytes(b"\xff\x00"), "not a valid json file"),
    "object": (lambda path: path.write_text("{}"), "valid type"),
    "list": (lambda path: path.write_text("[1]"), "holds no credentials"),
    "string": (lambda path: path.write_text('"key"'), "holds no credentials"),
    "null": (lambda path: path.write_text("null"), "holds no credentials"),
    "unknown type": (lambda path: path.write_text('{"type": "cake"}'), "Type is cake"),
    "half": (lambda path: path.write_text('{"type": "authorized_user"}'), "missing fields"),
    "half of a key": (lambda path: path.write_text('{"type": "service_account"}'), "missing"),
    "of nobody": (
        lambda path: path.write_text('{"type": "impersonated_service_account"}'),
        "holds no credentials",
    ),
}


@pytest.mark.parametrize(("make", "told"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_told_in_one_line(key_file: Path, make: Callable[[Path], Any], told: str):
    make(key_file)
    for use, kind in (
        (lambda: GoogleBucket("a-bucket"), BucketUnavailableError),
        (lambda: read_google_secret("projects/p/secrets/s"), SettingsError),
        (lambda: Vertex("p"), SettingsError),
    ):
        with pytest.raises(kind) as caught:
            use()
        check_message(caught.value, key_file, told)


def test_a_file_of_somebody_else_says_who_must_read_it(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "key.json")
        path.write_text(json.dumps(OF_GCLOUD))
        path.chmod(0)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        with whom_rights_bind(), pytest.raises(BucketUnavailableError) as caught:
            GoogleBucket("a-bucket")
    check_message(caught.value, path, "Permission denied")
    assert "able to read it" in str(caught.value)
    assert "10001" in str(caught.value)


@pytest.mark.parametrize("is_in_image", [False, True])
def test_missing_credentials_are_told_with_what_helps_there(
    is_in_image: bool, key_file: Path, monkeypatch: pytest.MonkeyPatch
):
    assert not key_file.exists()
    monkeypatch.setattr("s2s.storage.google_credentials.is_in_image", lambda: is_in_image)
    first = "Set GOOGLE_APPLICATION_CREDENTIALS to a file" if is_in_image else "Run 'gcloud auth"
    with pytest.raises(BucketUnavailableError, match=rf"no credentials \(.*\)\. {first}"):
        GoogleBucket("a-bucket")


def check_message(error: S2SError, path: Path, told: str) -> None:
    text = str(error)
    assert told in text
    assert text.count(str(path)) == 1
    assert "'gcloud auth application-default login'" in text
    assert "\n" not in text
    assert "Error(" not in text


@contextmanager
def whom_rights_bind() -> Iterator[None]:
    """Be somebody whom the rights of files bind: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
