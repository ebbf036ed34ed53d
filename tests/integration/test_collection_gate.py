"""Where a site leads: not into private networks, and not for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_site import Answer, FaultySite, answer_with, status

from collection.stage import run
from s2s.manifest import read_manifest
from s2s.media import ffmpeg_path, run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe

SOURCE = "-Qowmc0P9ic"
NAME = f"{SOURCE}.mp4"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    assert ffmpeg_path().is_file()
    inputs = ["-f", "lavfi", "-i", "testsrc=d=3:s=64x48", "-f", "lavfi", "-i", "sine=d=3"]
    run_ffmpeg([*inputs, "-pix_fmt", "yuv420p", "-movflags", "faststart", str(path)], "v")
    return path.read_bytes()


@pytest.fixture
def site(tmp_path: Path, video: bytes) -> Iterator[FaultySite]:
    yield from serve(tmp_path / "site", video)


@pytest.fixture
def other(tmp_path: Path, video: bytes) -> Iterator[FaultySite]:
    """A server of a private network, that the recipe does not name."""
    yield from serve(tmp_path / "other", video)


def serve(folder: Path, video: bytes) -> Iterator[FaultySite]:
    folder.mkdir()
    (folder / NAME).write_bytes(video)
    with FaultySite(folder).running() as site:
        yield site


def collect(tmp_path: Path, url: str, **changes: object) -> Outcome:
    (tmp_path / "catalog.csv").write_text(f"{SOURCE},0.5,bell,test\n")
    content = {"catalog": "catalog.csv", "source_url": url, "timeout_s": 5.0, "fetch": "whole"}
    recipe = {"name": "bells", "collection": content | changes, "spec": {"duration_s": 1}}
    settings = Settings(
        recipe=GenerationRecipe.model_validate(recipe),
        recipe_path=tmp_path / "recipe.yaml",
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
        retry_failed=True,
    )
    run(settings)
    [outcome] = read_manifest(
        DirectoryBucket(tmp_path / "bucket"), "manifests/bells/collection.jsonl"
    )
    return outcome


def redirect(url: str) -> Answer:
    def answer(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def trickle(handler: Any) -> None:
    """A few bytes at a time, without an end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "video/mp4")
    handler.send_header("Content-Length", "100000000")
    handler.end_headers()
    while not handler.site.may_go_on.wait(0.05):
        handler.wfile.write(b"\0" * 20)
        handler.wfile.flush()


HOSTS = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("fetch", ["whole", "section"])
def test_a_redirect_into_a_private_network_is_refused(
    tmp_path: Path, site: FaultySite, other: FaultySite, host: str, fetch: str
):
    site.answers[NAME] = redirect(f"http://{host}:{other.server_port}/{NAME}")
    outcome = collect(tmp_path, site.url, fetch=fetch)
    assert outcome.reason is Reason.REFUSED, outcome.message
    assert "collection.private_addresses" in outcome.message
    assert not other.requests


@pytest.mark.parametrize("fetch", ["whole", "section"])
def test_a_recipe_may_allow_it(tmp_path: Path, site: FaultySite, other: FaultySite, fetch: str):
    site.answers[NAME] = redirect(other.url.format(source_id=SOURCE))
    outcome = collect(tmp_path, site.url, private_addresses=True, fetch=fetch)
    assert outcome.status is Status.OK, outcome.message
    assert other.requests[NAME]


def test_a_redirect_within_the_site_that_the_recipe_names_is_none_of_these(
    tmp_path: Path, site: FaultySite, video: bytes
):
    (site.directory / "there.mp4").write_bytes(video)
    site.answers[NAME] = redirect("/there.mp4")
    assert collect(tmp_path, site.url).status is Status.OK


@pytest.mark.parametrize("fetch", ["whole", "section"])
def test_segments_and_keys_of_a_playlist_are_no_way_around(
    tmp_path: Path, site: FaultySite, other: FaultySite, fetch: str
):
    inside = f"http://127.0.0.1:{other.server_port}"
    playlist = (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        f'#EXT-X-KEY:METHOD=AES-128,URI="{inside}/key"\n'
        f"#EXTINF:3,\n{inside}/{NAME}\n#EXT-X-ENDLIST\n"
    )
    site.answers[NAME] = answer_with(playlist.encode(), "application/vnd.apple.mpegurl")
    outcome = collect(tmp_path, site.url, fetch=fetch)
    assert outcome.status is Status.FAILED
    assert not other.requests


def test_the_environment_does_not_open_the_gate(
    tmp_path: Path, site: FaultySite, other: FaultySite, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")
    site.answers[NAME] = redirect(other.url.format(source_id=SOURCE))
    for fetch in ("whole", "section"):
        assert collect(tmp_path, site.url, fetch=fetch).reason is Reason.REFUSED
    assert not other.requests


@pytest.mark.parametrize("fetch", ["whole", "section"])
def test_what_trickles_is_given_up(tmp_path: Path, site: FaultySite, fetch: str):
    site.answers[NAME] = trickle
    outcome = collect(tmp_path, site.url, timeout_s=1.0, fetch=fetch)
    assert outcome.reason is Reason.TIMEOUT
    assert "collection.min_bytes_per_s" in outcome.message


@pytest.mark.parametrize("fetch", ["whole", "section"])
def test_a_download_has_an_end_however_it_goes_on(tmp_path: Path, site: FaultySite, fetch: str):
    site.answers[NAME] = trickle
    outcome = collect(tmp_path, site.url, min_bytes_per_s=0, max_download_s=2, fetch=fetch)
    assert outcome.reason is Reason.TIMEOUT
    assert "collection.max_download_s" in outcome.message


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_one_fault_of_the_server_does_not_cost_the_clip(
    tmp_path: Path, site: FaultySite, video: bytes, code: int
):
    answers = iter([status(code), *[answer_with(video)] * 9])

    def answer(handler: Any) -> None:
        next(answers)(handler)

    site.answers[NAME] = answer
    assert collect(tmp_path, site.url).status is Status.OK


def test_a_proxy_of_ones_own_is_used_behind_the_gate(
    tmp_path: Path, site: FaultySite, monkeypatch: pytest.MonkeyPatch, video: bytes
):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    name = f"http://videos.invalid/{NAME}"
    site.answers[name.strip("/")] = answer_with(video)
    proxy = f"http://me:pass%20word@127.0.0.1:{site.server_port}"
    outcome = collect(tmp_path, "http://videos.invalid/{source_id}.mp4", proxy=proxy)
    assert outcome.status is Status.OK, outcome.message
    assert site.requests[name]
