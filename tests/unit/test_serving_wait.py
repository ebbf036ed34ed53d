"""A server that is started before its model is trained."""

import socket
from pathlib import Path

import httpx
import pytest

import s2s.stage.models
import serving.waiting
from s2s.errors import ModelError
from s2s.stage import no_model
from s2s.storage import DirectoryBucket
from s2s.tasks.recipes import load_recipe
from serving.access.connections import ConnectionLimits
from serving.http.server import listen
from serving.waiting import Waiting, answering

WHY = "/srv/bucket: no model of recipe a yet: run './s2s run RECIPE'"


def test_it_waits_until_there_is_a_model_and_says_once_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serving.waiting, "_WAIT_S", 0)
    answers = iter([ModelError("no model yet"), ModelError("no model yet"), None])

    def find() -> None:
        if answer := next(answers):
            raise answer

    Waiting().until_found(find)
    assert list(answers) == []
    assert capsys.readouterr().err.count("no model yet") == 1


def test_what_it_waits_for_is_one_line_of_the_log_and_every_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serving.waiting, "_WAIT_S", 0)
    given: list[httpx.Response] = []

    looks = iter(range(3))

    def find() -> None:
        if (look := next(looks)) == 2:
            return
        if look == 1:
            given.extend([http.get("/healthz"), http.get("/readyz"), http.get("/")])
            given.append(http.post("/v1/generations", files={"video": bytes(3_000_000)}))
            given.append(http.get("/readyz", headers={"Host": "evil.example"}))
        raise ModelError(WHY)

    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        httpx.Client(base_url=url) as http,
        answering(listener, [], ConnectionLimits()) as waiting,
    ):
        loading = http.get("/readyz").json()["detail"]
        waiting.until_found(find)
        assert http.get("/readyz").json()["detail"] == loading
    assert "being loaded" in loading
    assert [answer.status_code for answer in given] == [200, 503, 503, 503, 421]
    for answer in given[1:4]:
        assert answer.json()["detail"] == WHY.removeprefix("/srv/") + "."
        assert answer.json()["type"].endswith(":not-loaded")
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert f"Waiting: {WHY}\n" in capsys.readouterr().err


def test_another_server_takes_the_address_over():
    listener = listen("127.0.0.1", 0)
    for _ in range(2):
        with answering(listener, [], ConnectionLimits()):
            port = listener.getsockname()[1]
            assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    with socket.create_connection(listener.getsockname()):
        listener.accept()[0].close()
    listener.close()


@pytest.mark.parametrize("is_in_image", [False, True])
def test_what_makes_a_model_is_told_as_it_is_run_there(
    is_in_image: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(s2s.stage.models, "is_in_image", lambda: is_in_image)
    recipe = load_recipe(Path("recipes", "silent_to_sound.smoke.yaml"))
    told = str(no_model(DirectoryBucket(tmp_path), recipe))
    assert ("docker-compose up" in told, "./s2s run" in told) == (is_in_image, not is_in_image)
