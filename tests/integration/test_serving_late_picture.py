"""Uploads whose picture starts later than their sound: the new sound starts and ends with it."""

from collections.abc import Callable
from pathlib import Path

import av
import httpx
import pytest

from s2s.media import run_ffmpeg


def late(source: Path, output: Path, *options: str) -> Path:
    """A video whose picture comes 0.8 s after the sound that it has."""
    inputs = ["-f", "lavfi", "-i", "sine=d=3", "-itsoffset", "0.8", "-i", str(source)]
    copied = ["-map", "0:a", "-map", "1:v", "-c:v", "copy", *options]
    run_ffmpeg([*inputs, *copied, str(output)], output.name)
    return output


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("late.mkv", []),
        ("late.mp4", []),
        ("late.mp4", ["-movflags", "frag_keyframe+delay_moov"]),
        ("late.m4v", ["-f", "mp4"]),
        ("late.3gp", ["-c:a", "aac"]),
        ("late.ts", ["-c:a", "aac"]),
        ("late.flv", ["-c:a", "aac"]),
    ],
)
def test_the_sound_starts_and_ends_with_the_picture(
    tone_api: httpx.Client,
    make_video: Callable[..., Path],
    tmp_path: Path,
    name: str,
    options: list[str],
):
    sent = late(make_video("clip.mp4", "-bf", "2"), tmp_path / name, *options)
    with sent.open("rb") as video:
        answer = tone_api.post("/v1/generations?wait=100", files={"video": (name, video)})
    assert answer.status_code == 200, answer.text
    output = tmp_path / "answer.mp4"
    output.write_bytes(answer.content)
    with av.open(str(output)) as file:
        spans = []
        for stream in (file.streams.video[0], file.streams.audio[0]):
            tick_s = float(stream.time_base or 0)
            start_s = (stream.start_time or 0) * tick_s
            spans.append((start_s, start_s + (stream.duration or 0) * tick_s))
    assert spans[0][0] == pytest.approx(0, abs=1 / 25)
    assert spans[0][1] == pytest.approx(2, abs=1 / 25)
    assert spans[1] == pytest.approx(spans[0], abs=1 / 25)
