"""Real clips, odd ones among them, through the real API with a real model that learned nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import httpx
import pytest

from s2s.settings import CollectionSettings
from s2s.tasks.generation.settings import GenerationRecipe
from serving.client import ApiError, generate, open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.stored import model_of_folder


@pytest.fixture(scope="module")
def api(untrained_model: Path, server_folder: Path) -> Iterator[httpx.Client]:
    limits = Limits(max_upload_bytes=10_000_000, max_duration_s=30.0)
    recipe = GenerationRecipe(name="test", collection=CollectionSettings(catalog="test.csv"))
    model = replace(model_of_folder(untrained_model, "untrained", recipe), media=limits.media)
    with (
        Server(create_app([model], limits, server_folder)).running() as url,
        open_client(url) as http,
    ):
        yield http


def give_sound(http: httpx.Client, clip: Path, output: Path) -> None:
    with clip.open("rb") as video:
        generate(http, video, clip.name, output, {"steps": 1})


def picture(path: Path) -> list[tuple[bytes, float]]:
    """Every packet, and when it is decoded after the first."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        packets = [packet for packet in file.demux(stream) if packet.size]
        times = [float((packet.pts or 0) * packet.time_base) for packet in packets]
        return [(bytes(p), round(t - times[0], 2)) for p, t in zip(packets, times, strict=True)]


@pytest.mark.parametrize(
    "name",
    [
        "vggsound/-Qowmc0P9ic_34000_44000.mp4",
        "kinetics/arm_wrestling_no_audio.mp4",
        "kinetics/flipping_pancake_opus.mkv",
        "odd/-starts-with-a-dash.mp4",
        "odd/decord_unordered.mov",
        "odd/decord_video_90.mov",
        "odd/h264_10bits.mp4",
        "odd/v_GGSY1Qvo990.mp4",
    ],
)
def test_the_picture_stays_and_the_sound_is_as_long(
    api: httpx.Client, real_data: Path, tmp_path: Path, name: str
):
    clip, output = real_data / "clips" / name, tmp_path / "answer.mp4"
    give_sound(api, clip, output)
    assert picture(output) == picture(clip)
    with av.open(str(output)) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        seconds = [float((s.duration or 0) * (s.time_base or 0)) for s in (video, sound)]
        assert video.average_rate is not None
        assert seconds[0] == pytest.approx(seconds[1], abs=float(1 / video.average_rate))
        assert [stream.type for stream in file.streams] == ["video", "audio"]


def test_avi_packets_stay_too(api: httpx.Client, real_data: Path, tmp_path: Path):
    clip, output = real_data / "clips" / "talk" / "two_people_002.avi", tmp_path / "answer.mp4"
    give_sound(api, clip, output)
    # An AVI gives its packets no presentation time.
    assert [packet for packet, _ in picture(output)] == [packet for packet, _ in picture(clip)]


def test_a_corrupt_clip_is_refused_with_its_reason(
    api: httpx.Client, real_data: Path, tmp_path: Path
):
    with pytest.raises(ApiError) as caught:
        give_sound(api, real_data / "clips" / "odd" / "decord_corrupted.mp4", tmp_path / "out.mp4")
    assert (caught.value.status, caught.value.reason) == (422, "corrupt")
