"""What answers tell of files that cannot be used: what is wrong, and nothing of this machine."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tone import TonePredictor, tone_model

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import input_args, run_ffmpeg
from s2s.reasons import Reason
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.problems import problem_of

# Paths, addresses in memory, the upload's name here, a program, an exception.
_OF_THIS_MACHINE = re.compile(r"/\w|0x[0-9a-f]|upload|ffmpeg|\w(Error|Exception)\b|\[|file:", re.I)


def assert_plain(detail: str) -> None:
    assert not _OF_THIS_MACHINE.search(detail), detail
    assert not detail[0].islower(), detail
    assert detail.endswith("."), detail


def picture(size: tuple[int, int], kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (90, 40, 200)).save(file, kind, **options)
    return file.getvalue()


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 48), (60 * k, 0, 0)) for k in range(4)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def post(http: httpx.Client, data: bytes, name: str) -> httpx.Response:
    return http.post("/v1/generations?wait=60", files={"video": (name, data)})


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("dot.png", picture((1, 1), "png"), "1×1 pixels, too small or too thin"),
        ("dot.jpg", picture((1, 1), "jpeg"), "1×1 pixels, too small or too thin"),
        ("line.png", picture((4000, 3), "png"), "4000×3 pixels, too small or too thin"),
        ("line.webp", picture((3, 4000), "webp"), "3×4000 pixels, too small or too thin"),
        ("line.jpg", picture((1700, 16), "jpeg"), "1700×16 pixels, too small or too thin"),
        ("moving.webp", animation("webp"), "An animation; send a still picture"),
        ("moving.png", animation("png"), "An animation; send a still picture"),
        ("large.png", picture((900, 900), "png"), "900×900 pixels, more than"),
    ],
)
def test_pictures_of_which_nothing_can_be_made_are_told_apart(tone_api, name, data, said):
    answer = post(tone_api, data, name)
    assert (answer.status_code, answer.json()["reason"]) == (422, "refused")
    assert answer.json()["detail"].startswith(said)
    assert_plain(answer.json()["detail"])


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_half_a_picture_is_refused_as_half_a_picture(tone_api, kind):
    data = picture((640, 480), kind)
    answer = post(tone_api, data[: len(data) // 2], f"half.{kind}")
    assert (answer.status_code, answer.json()["reason"]) == (422, "corrupt")
    said = "The file was cut off: its end is missing; copy or download it again."
    assert answer.json()["detail"] == said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("small.png", picture((16, 16), "png")),
        ("long.png", picture((1600, 16), "png")),
        ("still.webp", picture((31, 33), "webp", lossless=True, exif=b"Exif\0\0")),
    ],
)
def test_pictures_at_the_limits_get_sound(tone_api, name, data):
    answer = post(tone_api, data, name)
    assert answer.status_code == 200, answer.text


def damaged(make_video: Callable[..., Path]) -> dict[str, bytes]:
    """Files that fail in as many places as there are."""
    video = make_video("clip.mp4").read_bytes()
    matroska = make_video("clip.mkv").read_bytes()
    tiny = make_video("tiny.webm", size="2x2", codec="libvpx-vp9", seconds=0.4).read_bytes()
    noise = bytes(range(256)) * 40
    return {
        "empty.mp4": b"",
        "noise.mp4": b"\0\0\0\x18ftypisom" + noise,
        "half.mp4": video[: len(video) // 2],
        "holes.mp4": video[:400] + noise + video[400 + len(noise) :],
        "half.mkv": matroska[: len(matroska) // 2],
        "holes.mkv": matroska[:2000] + noise + matroska[2000 + len(noise) :],
        "head.mkv": matroska[:300],
        "list.mp4": b"\0\0\0\x18ftyp#EXTM3U\nfile:///etc/passwd\n",
        "tiny.webm": tiny,
        "large.png": picture((900, 900), "png"),
        "head.jpg": picture((64, 48), "jpeg")[:200],
        "half.webp": picture((64, 48), "webp")[:60],
        "other.webp": picture((64, 48), "png"),
        "name.txt": b"text",
    }


def test_no_damaged_file_is_told_in_words_of_this_machine(tone_api, make_video):
    refused = 0
    for name, data in damaged(make_video).items():
        answer = post(tone_api, data, name)
        if answer.status_code != 200:
            assert answer.status_code in {415, 422}, answer.text
            assert_plain(answer.json()["detail"].replace(repr(name), "The file"))
            refused += 1
    assert refused >= 10


class Broken(TonePredictor):
    """Has a program fail on the upload, in the sandbox, as the real ones do."""

    def prepare(self, upload, options, notes):
        output = upload.folder / "none" / "out.mp4"
        upload.run(run_ffmpeg, [*input_args(upload.path), str(output)], upload.path.name)
        return super().prepare(upload, options, notes)


def test_what_a_program_says_is_logged_and_not_told(
    small_limits: Limits, silent_video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    served = create_app([tone_model("broken", Broken)], small_limits, tmp_path)
    with Server(served).running() as url, open_client(url) as http:
        answer = post(http, silent_video.read_bytes(), "clip.mp4")
    assert answer.json()["detail"] == "Damaged, or of a kind that cannot be converted."
    assert "none/out.mp4" in caplog.text
    assert " @ 0x" not in caplog.text


@given(
    name=st.sampled_from(["upload", "still.mp4", ".still.mp4.part", "a-b_c.webm"]),
    what=st.sampled_from(["has no picture", "40 streams, at most 32 are read", "it is: odd."]),
    cause=st.text(max_size=60).map(lambda text: f"/srv/{text} @ 0x7f"),
    reason=st.sampled_from([Reason.CORRUPT, Reason.REFUSED, Reason.NO_VIDEO]),
)
def test_neither_names_nor_causes_are_told(name: str, what: str, cause: str, reason: Reason):
    error = MediaError(reason, f"{name}: {what}", cause)
    assert error.message == f"{name}: {what}: {cause}"
    for problem in (problem_of(error), problem_of(UnsupportedMediaError(f"{name}: {what}"))):
        detail = problem.document.detail
        assert_plain(detail)
        assert detail.lower().rstrip(".") == what.rstrip(".")
