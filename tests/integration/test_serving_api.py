"""The API over HTTP, by a real server: answers, problems, and what is left on disk."""

import asyncio
import errno
import threading
import time
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from tone import TonePredictor, tone_model

from s2s.media import PICTURE_TYPES, VIDEO_TYPES, probe, read_audio
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server

PROBLEM = "application/problem+json"
TONE_HZ = 220


def post(http: httpx.Client, video: Path, name: str | None = None, **fields) -> httpx.Response:
    with video.open("rb") as file:
        files = {"video": (name or video.name, file)}
        return http.post("/v1/generations?wait=60", files=files, data=fields)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def problem(answer: httpx.Response, status: int, kind: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    document = answer.json()
    assert document["type"] == f"urn:problem-type:s2s:{kind}"
    assert document["status"] == status
    return document


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mp4", "libx264", []),
        ("clip.mov", "libx264", []),
        ("clip.mp4", "libx265", ["-tag:v", "hvc1", "-x265-params", "log-level=error:pools=1"]),
        ("clip.webm", "libvpx-vp9", ["-deadline", "realtime", "-cpu-used", "8"]),
        ("clip.mkv", "libx264", []),
        ("clip.avi", "mpeg4", []),
    ],
)
def test_every_accepted_type_comes_back_with_sound(
    tone_api, make_video, tmp_path, name, codec, options
):
    video = make_video(name, *options, codec=codec)
    answer = post(tone_api, video)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    output = tmp_path / "answer.mp4"
    output.write_bytes(answer.content)
    assert len(packets(output)) == len(packets(video))
    if codec != "libx264" or video.suffix in {".mp4", ".mov"}:
        assert packets(output) == packets(video)
    with av.open(str(output)) as file:
        sound = file.streams.audio[0]
        assert sound.duration is not None
        assert sound.time_base is not None
        assert abs(sound.duration * sound.time_base - 2.0) <= 1 / 25
    samples = read_audio(output, 16_000)
    assert len(samples) >= 2 * 16_000
    assert abs(samples).max() > 0.1


def test_sound_that_a_video_has_is_replaced(tone_api, make_video, tmp_path):
    video = make_video("noisy.mp4", sound="anoisesrc")
    assert probe(video).has_audio
    output = tmp_path / "answer.mp4"
    output.write_bytes(post(tone_api, video).content)
    with av.open(str(output)) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]
    one_second = read_audio(output, 16_000)[4_000:20_000]
    assert abs(np.abs(np.fft.rfft(one_second)).argmax() - TONE_HZ) <= 1


def test_the_answer_tells_seed_timing_and_a_file_name(tone_api, silent_video):
    answer = post(tone_api, silent_video, name="my clip.mp4", seed="7")
    assert answer.headers["x-s2s-seed"] == "7"
    steps = [part.split(";")[0] for part in answer.headers["server-timing"].split(", ")]
    assert steps == ["upload", "check", "wait", "decode", "model", "mux", "store"]
    assert answer.headers["content-disposition"] == (
        'attachment; filename="my_clip_with_sound.mp4"'
    )
    assert answer.headers["cache-control"] == "private, no-cache"


def test_a_seed_gives_the_same_sound_again_and_another_another(tone_api, silent_video):
    first, again, other = (post(tone_api, silent_video, seed=seed) for seed in ("3", "3", "4"))
    assert first.content == again.content != other.content


def test_empty_optional_fields_are_as_good_as_none(tone_api, silent_video):
    answer = post(tone_api, silent_video, seed="", steps="", guidance="")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-s2s-seed"] == "0"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", "-1"),
        ("seed", "4294967296"),
        ("seed", "many"),
        ("steps", "0"),
        ("steps", "101"),
        ("guidance", "0.5"),
        ("guidance", "nan"),
        ("guidance", "inf"),
        ("sede", "1"),
    ],
)
def test_a_wrong_field_is_named(tone_api, silent_video, field, value):
    document = problem(post(tone_api, silent_video, **{field: value}), 422, "invalid-fields")
    assert [error["field"] for error in document["errors"]] == [field]
    assert field in document["detail"]


def test_a_form_without_a_video_says_so(tone_api):
    answer = tone_api.post("/v1/generations", files={"seed": (None, "1")})
    document = problem(answer, 422, "invalid-fields")
    assert "video" in document["detail"]
    assert [error["field"] for error in document["errors"]] == ["video", "picture"]


def test_json_is_not_accepted(tone_api):
    document = problem(tone_api.post("/v1/generations", json={}), 415, "unsupported-type")
    assert "multipart/form-data" in document["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"not a form at all",
        b'--cut\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nhalf',
        b'--cut\r\nContent-Disposition: form-data; name="seed"\r\n\r\n' + b"1" * 300 + b"\r\n--cut",
        b'--cut\r\nContent-Disposition: form-data; name="video"\r\n\r\nx\r\n--cut--\r\n',
        b'--cut\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nx\r\n--cut--\r\n',
        b"",
    ],
)
def test_a_broken_form_is_a_bad_request(tone_api, body):
    headers = {"content-type": "multipart/form-data; boundary=cut"}
    problem(tone_api.post("/v1/generations", content=body, headers=headers), 400, "bad-request")


def test_a_form_without_a_boundary_is_a_bad_request(tone_api):
    headers = {"content-type": "multipart/form-data"}
    problem(tone_api.post("/v1/generations", content=b"", headers=headers), 400, "bad-request")


def test_sound_alone_has_no_picture(tone_api, make_video):
    audio = make_video("sound.mp4", "-map", "1:a", sound="sine")
    assert problem(post(tone_api, audio), 422, "unusable-video")["reason"] == "no_video"


def test_nothing_is_left_on_disk(tone_api, silent_video, nothing_left, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(silent_video.read_bytes()[:600])
    assert post(tone_api, silent_video).status_code == 200
    assert post(tone_api, broken).status_code == 422
    nothing_left()


def test_a_client_that_goes_away_while_sending_leaves_nothing(tone_url, silent_video, uploads):
    async def leave() -> None:
        host, port = tone_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = (
            b"POST /v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=cut\r\n\r\n--cut\r\nContent-Disposition:"
            b' form-data; name="video"; filename="a.mp4"\r\n\r\n'
        )
        writer.write(head + b"x" * 50_000)
        await writer.drain()
        while not list(uploads.glob("*/upload")):
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        while list(uploads.iterdir()):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(leave(), 30))


def test_while_the_model_is_loaded_the_api_says_so(
    gated_model, small_limits, tmp_path, silent_video
):
    model, gate = gated_model
    server = Server(create_app([model], small_limits, tmp_path))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with open_client(server.url) as http:
            answer = post(http, silent_video)
            problem(answer, 503, "not-ready")
            assert int(answer.headers["retry-after"]) > 0
            problem(http.get("/readyz"), 503, "not-ready")
            assert http.get("/healthz").json() == {"status": "ok"}
            assert http.get("/v1/models").json()["models"][0]["ready"] is False
            gate.set()
            while http.get("/readyz").status_code != 200:
                pass
            assert post(http, silent_video).status_code == 200
    finally:
        gate.set()
        server.stop()
        thread.join()


def test_the_model_works_in_one_thread_and_the_server_answers_meanwhile(
    small_limits, silent_video, tmp_path
):
    threads = []
    release, begun = threading.Event(), threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            threads.append(threading.get_ident())
            begun.set()
            release.wait()
            return super().predict(batch)

    app = create_app([tone_model("slow", Slow)], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http:
        answers = []
        senders = [
            threading.Thread(target=lambda: answers.append(post(http, silent_video)))
            for _ in range(3)
        ]
        for sender in senders:
            sender.start()
        begun.wait()
        assert http.get("/readyz").status_code == 200
        release.set()
        for sender in senders:
            sender.join()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(set(threads)) == 1


def test_a_bug_in_the_model_is_told_without_its_text(small_limits, silent_video, tmp_path):
    class Broken(TonePredictor):
        def predict(self, batch):  # noqa: ARG002
            raise RuntimeError("secret of this machine")

    app = create_app([tone_model("broken", Broken)], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http:
        answer = post(http, silent_video)
        problem(answer, 500, "internal")
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        while list((tmp_path / "uploads").iterdir()):
            time.sleep(0.01)
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_full_disk_is_told(small_limits, silent_video, tmp_path):
    class Full(TonePredictor):
        def finish(self, upload, options, output, notes):  # noqa: ARG002
            raise OSError(errno.ENOSPC, "No space left on device")

    app = create_app([tone_model("full", Full)], small_limits, tmp_path)
    with Server(app).running() as url, open_client(url) as http:
        problem(post(http, silent_video), 507, "disk-full")


def test_models_tells_what_is_accepted(tone_api):
    (model,) = tone_api.get("/v1/models").json()["models"]
    assert set(model.pop("options")) == {"seed", "steps", "guidance", "duration_s", "format"}
    assert model == {
        "id": "tone",
        "task": "generation",
        "ready": True,
        "not_loaded": None,
        "url": "/v1/generations",
        "title": "Sound for a silent video",
        "lead": "Give a silent video or a picture a sound that fits. The picture stays as it is.",
        "note": "",
        "file_label": "Silent video or picture",
        "action": "Make the sound",
        "has_page": True,
        "example": "/static/example.mp4",
        "own": {},
        "types": [*VIDEO_TYPES, *PICTURE_TYPES],
        "accept": ".mp4,.mov,.m4v,.3gp,.webm,.mkv,.avi,.ts,.flv,.mpg,.wmv,.ogv,.mxf,.dv,.rm,.nut,"
        ".ivf,.gxf,.wtv,.y4m,.3g2,.mts,.m2ts,.mpeg,.vob,.m2v,.asf,.jpeg,.jpg,.png,.webp,"
        "video/*,image/jpeg,image/png,image/webp",
        "needs_sound": False,
        "result": "mp4",
        "max_upload_bytes": 2_000_000,
        "max_duration_s": 5.0,
        "max_pixels": 640 * 480,
        "max_picture_pixels": 640 * 480,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/no", 404), ("GET", "/v1/generations", 405)]
)
def test_unknown_paths_and_methods_are_problems_too(tone_api, method, path, status):
    answer = tone_api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/healthz", "/no", "/openapi.json"])
def test_every_answer_has_the_security_headers(tone_api, path):
    headers = tone_api.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_openapi_describes_the_form_and_the_problems(tone_api):
    operation = tone_api.get("/openapi.json").json()["paths"]["/v1/generations"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    options = {"seed", "steps", "guidance", "duration_s", "format"}
    assert set(form["properties"]) == {"video", "picture"} | options
    assert {"200", "202", "400", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    assert PROBLEM in operation["responses"]["415"]["content"]
    assert "video/mp4" in operation["responses"]["200"]["content"]
