"""The real yt-dlp against a site that misbehaves: every failure has its reason, and no rest."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_site import Answer, FaultySite, answer_with, cut_off, hang, status

from collection.stage import run
from s2s.layout import raw_prefix
from s2s.manifest import read_manifest
from s2s.media import ffmpeg_path, probe
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import CollectionSettings, Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe

SOURCE = "-Qowmc0P9ic"
NAME = f"{SOURCE}.mp4"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of picture and sound."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    make(path, "-f", "lavfi", "-i", "testsrc=d=1:s=64x48", "-f", "lavfi", "-i", "sine=d=1")
    return path.read_bytes()


@pytest.fixture
def site(tmp_path: Path, video: bytes) -> Iterator[FaultySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / NAME).write_bytes(video)
    with FaultySite(folder).running() as site:
        yield site


def make(path: Path, *inputs: str) -> None:
    subprocess.run([ffmpeg_path(), "-loglevel", "error", *inputs, str(path)], check=True)


def collect(tmp_path: Path, url: str, **changes: object) -> Outcome:
    """Collect the one source; nothing but its outcome may be left."""
    (tmp_path / "catalog.csv").write_text(f"{SOURCE},0,bell,test\n")
    content: dict[str, object] = {"catalog": "catalog.csv", "source_url": url, "timeout_s": 5.0}
    content["fetch"] = "whole"
    settings = Settings(
        recipe=GenerationRecipe(
            name="bells", collection=CollectionSettings.model_validate(content | changes)
        ),
        recipe_path=tmp_path / "recipe.yaml",
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
    )
    run(settings)
    assert list((tmp_path / "work" / "tmp" / "collection").iterdir()) == []
    bucket = DirectoryBucket(tmp_path / "bucket")
    [outcome] = read_manifest(bucket, "manifests/bells/collection.jsonl")
    stored = list(bucket.keys(raw_prefix()))
    if outcome.status is Status.OK:
        assert stored == [f"raw_data/{NAME}"]
    else:
        assert stored == [f"raw_data/_failed/{SOURCE}.json"]
    return outcome


def test_a_source_arrives_as_it_is(tmp_path: Path, site: FaultySite, video: bytes):
    outcome = collect(tmp_path, site.url)
    assert (outcome.status, outcome.size) == (Status.OK, len(video))
    assert DirectoryBucket(tmp_path / "bucket").read(f"raw_data/{NAME}") == video


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(404), Reason.GONE),
        (status(410), Reason.GONE),
        (status(403), Reason.FORBIDDEN),
        (status(429), Reason.RATE_LIMITED),
        (status(500), Reason.NETWORK),
        (answer_with(b"<html><p>Nothing to see</p></html>", "text/html"), Reason.NO_VIDEO),
        (answer_with(b"\x00\x01 no video at all" * 500), Reason.CORRUPT),
        (answer_with(b""), Reason.NETWORK),
    ],
    ids=["404", "410", "403", "429", "500", "page", "garbage", "empty"],
)
def test_what_a_site_answers_becomes_a_reason(
    tmp_path: Path, site: FaultySite, answer: Answer, reason: Reason
):
    site.answers[NAME] = answer
    outcome = collect(tmp_path, site.url)
    assert (outcome.status, outcome.reason) == (Status.FAILED, reason)
    assert SOURCE in outcome.message


def test_what_is_forbidden_is_asked_for_three_times(tmp_path: Path, site: FaultySite, video: bytes):
    answers = iter([status(403), status(403), *[answer_with(video)] * 9])

    def answer(handler: Any) -> None:
        next(answers)(handler)

    site.answers[NAME] = answer
    assert collect(tmp_path, site.url).status is Status.OK
    assert site.requests[NAME] >= 3


def test_what_stays_forbidden_fails_and_the_next_run_tries_again(tmp_path: Path, site: FaultySite):
    site.answers[NAME] = status(403)
    assert collect(tmp_path, site.url).reason is Reason.FORBIDDEN
    assert site.requests[NAME] == 3
    site.answers.clear()
    assert collect(tmp_path, site.url).status is Status.OK


def test_a_download_that_breaks_off_is_tried_again_and_then_fails(
    tmp_path: Path, site: FaultySite, video: bytes
):
    site.answers[NAME] = cut_off(video, len(video) // 2)
    assert collect(tmp_path, site.url).reason is Reason.NETWORK
    assert site.requests[NAME] > 3


def test_a_site_that_never_answers_is_given_up(tmp_path: Path, site: FaultySite):
    site.answers[NAME] = hang()
    assert collect(tmp_path, site.url, timeout_s=0.5).reason is Reason.TIMEOUT


def test_a_site_that_is_not_there(tmp_path: Path):
    outcome = collect(tmp_path, "http://127.0.0.1:9/{source_id}.mp4")
    assert outcome.reason is Reason.NETWORK


def test_sound_alone_is_no_video(tmp_path: Path, site: FaultySite):
    make(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=d=1")
    site.answers[NAME] = answer_with((tmp_path / "sound.mp4").read_bytes())
    assert collect(tmp_path, site.url).reason is Reason.NO_VIDEO


def test_a_source_that_is_too_large_is_refused(tmp_path: Path, site: FaultySite, video: bytes):
    outcome = collect(tmp_path, site.url, max_source_bytes=len(video) - 1)
    assert outcome.reason is Reason.REFUSED
    assert "collection.max_source_bytes" in outcome.message
    assert collect(tmp_path, site.url, max_source_bytes=len(video)).reason is Reason.REFUSED, (
        "a permanent failure is not tried again"
    )


def test_a_live_stream_is_not_recorded(tmp_path: Path, site: FaultySite):
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n"
    site.answers[NAME] = answer_with(playlist, "application/vnd.apple.mpegurl")
    assert collect(tmp_path, site.url).reason is Reason.LIVE


def test_picture_and_sound_that_come_apart_are_joined(tmp_path: Path, site: FaultySite):
    # As large sites offer them: here as an HLS playlist with a stream of its own for the sound.
    (site.directory / "v.mp4").write_bytes((site.directory / NAME).read_bytes())
    streams = [
        "-map",
        "0:v",
        "-map",
        "0:a",
        "-c",
        "copy",
        "-var_stream_map",
        "v:0,agroup:s a:0,agroup:s",
    ]
    playlists = ["-f", "hls", "-hls_playlist_type", "vod", "-master_pl_name", f"{SOURCE}.m3u8"]
    make(site.directory / "part-%v.m3u8", "-i", str(site.directory / "v.mp4"), *streams, *playlists)
    outcome = collect(tmp_path, site.url.replace(".mp4", ".m3u8"))
    assert outcome.status is Status.OK, outcome.message
    found = probe(tmp_path / "bucket" / "raw_data" / NAME)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert found.duration_s == pytest.approx(1.0, abs=0.1)


def test_no_proxy_stands_between_us_and_this_machine(
    tmp_path: Path, site: FaultySite, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert collect(tmp_path, site.url).status is Status.OK


def test_a_transient_failure_is_tried_again_by_the_next_run(tmp_path: Path, site: FaultySite):
    site.answers[NAME] = status(429)
    assert collect(tmp_path, site.url).reason is Reason.RATE_LIMITED
    site.answers.clear()
    assert collect(tmp_path, site.url).status is Status.OK
