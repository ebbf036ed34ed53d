"""Forms arrive in pieces of any size; the file goes to disk as it was."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.requests import Request

from serving.http.form import FILE_FIELDS, Form, Pace, receive_form
from serving.problems import Problem, invalid_fields

PACE = Pace(idle_s=5.0, min_rate_hz=1)
TYPE = "multipart/form-data; boundary=cut"


def encode(data: bytes, fields: dict[str, str]) -> bytes:
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = b'--cut\r\ncontent-disposition: form-data; name="video"; filename="a.mp4"\r\n'
    file = head + b"Content-Type: video/mp4\r\n\r\n" + data + b"\r\n--cut--\r\n"
    return b"".join([*parts, file])


def receive(
    body: bytes,
    size: int,
    file: Path,
    max_bytes: int = 10_000,
    content_type: str = TYPE,
    files: Sequence[str] = FILE_FIELDS,
) -> Form:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def next_message() -> dict:
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(b"content-type", content_type.encode())],
    }
    return asyncio.run(receive_form(Request(scope, next_message), file, max_bytes, PACE, files))


@settings(deadline=None)
@given(
    data=st.binary(max_size=300) | st.just(b"\r\n--cut\r\n--cu"),
    seed=st.integers(0, 99),
    size=st.integers(1, 200),
)
def test_pieces_of_any_size_give_the_same_form(data, seed, size):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        body = encode(data.replace(b"--cut", b"--c-t"), {"seed": str(seed), "steps": ""})
        form = receive(body, size, file)
        assert form == Form("a.mp4", {"seed": str(seed)})
        assert file.read_bytes() == data.replace(b"--cut", b"--c-t")


def test_no_more_than_the_limit_is_written(tmp_path):
    with pytest.raises(Problem) as caught:
        receive(encode(bytes(5_000), {}), 100, tmp_path / "upload", max_bytes=1_000)
    assert caught.value.document.status == 413
    assert (tmp_path / "upload").stat().st_size < 1_000


def test_a_form_of_exactly_the_limit_is_received(tmp_path):
    body = encode(bytes(500), {})
    assert receive(body, 64, tmp_path / "upload", max_bytes=len(body)).file_name == "a.mp4"


def test_every_cut_off_form_is_a_bad_request(tmp_path):
    body = encode(b"data", {"seed": "1"})
    for length in range(len(body) - len(b"--\r\n")):
        file = tmp_path / f"upload{length}"
        with pytest.raises(Problem) as caught:
            receive(body[:length], 50, file)
        assert caught.value.document.status == 400


def test_two_videos_are_one_too_many(tmp_path):
    one = encode(b"x", {})
    with pytest.raises(Problem, match="twice"):
        receive(one.removesuffix(b"--cut--\r\n") + one, 50, tmp_path / "upload")


def test_a_form_of_another_type_is_not_accepted(tmp_path):
    with pytest.raises(Problem) as caught:
        receive(
            b"seed=1", 50, tmp_path / "upload", content_type="application/x-www-form-urlencoded"
        )
    assert caught.value.document.status == 415


@pytest.mark.parametrize(("pause_s", "rate_hz"), [(60.0, 1), (0.01, 1_000_000)])
def test_a_sender_who_takes_too_long_is_told_so(tmp_path, pause_s, rate_hz):
    body = encode(bytes(2_000), {})

    async def next_message() -> dict:
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": body[:100], "more_body": True}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", TYPE.encode())]}
    request, pace = Request(scope, next_message), Pace(idle_s=0.05, min_rate_hz=rate_hz)
    with pytest.raises(Problem) as caught:
        asyncio.run(receive_form(request, tmp_path / "upload", 10_000, pace))
    assert caught.value.document.status == 408


def test_parts_that_are_left_empty_are_counted_too(tmp_path: Path):
    empty = b'--cut\r\nContent-Disposition: form-data; name="picture"; filename=""\r\n\r\n\r\n'
    form = receive(50 * empty + encode(b"data", {}), 100, tmp_path / "upload")
    assert form.file_name == "a.mp4"
    with pytest.raises(Problem, match="too many parts"):
        receive(100 * empty + encode(b"data", {}), 100, tmp_path / "other")


@pytest.mark.parametrize(
    "head",
    ["", "Content-Disposition: form-data\r\n", 'Content-Disposition: form-data; name=""\r\n'],
)
def test_a_part_without_a_name_is_told(tmp_path: Path, head: str):
    part = f"--cut\r\n{head}\r\nx\r\n".encode()
    with pytest.raises(Problem, match="has no name"):
        receive(part + encode(b"data", {}), 100, tmp_path / "upload")


@pytest.mark.parametrize("files", [("video",), ("video", "picture")])
def test_only_fields_that_a_task_has_are_named(files: tuple[str, ...], tmp_path: Path):
    bodies = [
        b'--cut\r\nContent-Disposition: form-data; name="seed"\r\n\r\n7\r\n--cut--\r\n',
        b'--cut\r\nContent-Disposition: form-data; name="video"\r\n\r\n7\r\n--cut--\r\n',
    ]
    for n, body in enumerate(bodies):
        with pytest.raises(Problem) as caught:
            receive(body, 1000, tmp_path / str(n), files=files)
        assert "video" in caught.value.document.detail
        assert ("picture" in caught.value.document.detail) == ("picture" in files)


class Fields(BaseModel):
    """One field of each kind that forms have."""

    count: int = Field(default=1, ge=1, le=8)
    share: float = Field(default=0.5, gt=0, lt=1, allow_inf_nan=False)
    form: Literal["mp4", "wav"] = "mp4"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", "9", "must be 8 or less"),
        ("count", "0", "must be 1 or more"),
        ("count", "two", "must be a whole number, such as 7"),
        ("count", "2.5", "must be a whole number, such as 7"),
        ("share", "0", "must be more than 0.0"),
        ("share", "1", "must be less than 1.0"),
        ("share", "much", "must be a number, such as 7 or 2.5"),
        ("share", "nan", "must be a number, such as 7 or 2.5"),
        ("form", "mp3", "must be 'mp4' or 'wav'"),
    ],
)
def test_fields_are_told_in_plain_words(name: str, value: str, said: str):
    with pytest.raises(ValidationError) as caught:
        Fields.model_validate({name: value})
    document = invalid_fields(caught.value.errors()).document
    assert document.errors == [{"field": name, "detail": said}]
    assert document.detail == f"{name}: {said}"


class Part(BaseModel):
    """Fields that go together."""

    start_s: float = 0.0
    end_s: float = 1.0
    format: str = "mp4"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.format != "mp4":
            raise ValueError("that cannot be had")
        if self.end_s <= self.start_s:
            raise ValueError("end_s must be after start_s")
        return self


@pytest.mark.parametrize(
    ("values", "said", "fields"),
    [
        ({"start_s": 2}, "end_s must be after start_s", ["end_s", "start_s"]),
        ({"format": "wav"}, "that cannot be had", ["start_s", "end_s", "format"]),
    ],
)
def test_what_is_wrong_with_fields_together_is_told_of_each(
    values: dict[str, object], said: str, fields: list[str]
):
    with pytest.raises(ValidationError) as caught:
        Part.model_validate(values)
    document = invalid_fields(caught.value.errors(), Part.model_fields).document
    assert document.errors == [{"field": name, "detail": said} for name in fields]
    assert document.detail == said
