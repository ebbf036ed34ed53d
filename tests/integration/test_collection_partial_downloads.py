"""Only the section that a clip needs is downloaded, and the clip that is cut of it is exact."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faulty_site import FaultySite, answer_with, cut_off
from marked_video import MarkedVideo, click_times_s, frame_numbers

import collection.stage
import preprocessing.stage
from s2s.layout import processed_prefix
from s2s.manifest import read_manifest
from s2s.media import ffmpeg_path, probe, read_audio, read_frames
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe
from sample.site import running_site

FPS, RATE_HZ = 25, 16_000
CLICKS_S = (1.0, 12.25, 13.5, 21.0)
MARKED = MarkedVideo(seconds=24.0, clicks_s=CLICKS_S)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One video of 24 s as mp4, one as webm; both with a single keyframe at their start."""
    folder = tmp_path_factory.mktemp("videos")
    MARKED.write(folder / "marked.mp4")
    webm = MarkedVideo(seconds=24.0, codecs=("libvpx", "libopus"), sound_rate_hz=48_000)
    webm.write(folder / "other.webm")
    (folder / "large.mp4").write_bytes(with_far_index((folder / "marked.mp4").read_bytes()))
    return folder


def with_far_index(video: bytes) -> bytes:
    """An mp4 with its index at its end, so far away that no reader has both in its buffer."""
    index = video.rindex(b"moov") - 4
    assert index > video.index(b"mdat")
    gap = 4 << 20
    return video[:index] + gap.to_bytes(4, "big") + b"free" + bytes(gap - 8) + video[index:]


@pytest.fixture
def url(videos: Path) -> Iterator[str]:
    with running_site(videos) as url:
        yield url + "/{source_id}.mp4"


class Bench:
    """A recipe on a catalog of one's own, and what becomes of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.bucket = DirectoryBucket(folder / "bucket")

    def settings(self, *rows: str, **changes: object) -> Settings:
        lines = ["source_id,start_s,end_s", *rows]
        (self.folder / "mine.csv").write_text("\n".join(lines) + "\n")
        content = {"catalog": "mine.csv", "source_url": self.url, "fetch": "auto"}
        recipe = {
            "name": "sections",
            "spec": {"fps": FPS, "sample_rate_hz": RATE_HZ, "duration_s": 3},
            "collection": content | changes,
            "preprocessing": {"short_side_px": 64, "preset": "ultrafast"},
        }
        return Settings(
            recipe=GenerationRecipe.model_validate(recipe),
            recipe_path=self.folder / "recipe.yaml",
            bucket_url=self.bucket.url,
            work_dir=self.folder / "work",
        )

    def collect(self, *rows: str, **changes: object) -> dict[str, Outcome]:
        collection.stage.run(self.settings(*rows, **changes))
        outcomes = read_manifest(self.bucket, "manifests/sections/collection.jsonl")
        return {outcome.clip_id: outcome for outcome in outcomes}

    def raw(self) -> list[str]:
        return [key.removeprefix("raw_data/") for key in self.bucket.keys("raw_data/")]


@pytest.fixture
def plain_site(videos: Path) -> Iterator[FaultySite]:
    """A site that knows no byte ranges, such as Python's own `http.server`."""
    with FaultySite(videos).running() as site:
        yield site


@pytest.fixture
def bench(tmp_path: Path, url: str) -> Bench:
    return Bench(tmp_path, url)


@pytest.mark.parametrize("start_s", [0.5, 11.517, 20.0])
def test_a_clip_cut_of_a_section_is_exact(bench: Bench, start_s: float):
    row = f"marked,{start_s},{start_s + 3}"
    [outcome] = bench.collect(row).values()
    assert outcome.status is Status.OK, outcome.message
    first_ms, last_ms = round(max(0, start_s - 2) * 1000), round(start_s * 1000) + 5000
    assert bench.raw() == [f"marked_{first_ms:08d}_{last_ms:08d}.mp4"]
    assert probe(bench.folder / "bucket" / outcome.key).duration_s < 8

    settings = bench.settings(row)
    assert preprocessing.stage.run(settings).counts == {"ok": 1}
    clip = bench.folder / "bucket" / processed_prefix(settings.recipe) / outcome.clip_id
    shown = frame_numbers(read_frames(clip.with_name(clip.name + ".mp4"), FPS))
    assert len(shown) == 75
    at_s = start_s + np.arange(75) / FPS
    assert np.abs(np.array(shown) / FPS - at_s).max() <= 0.5 / FPS + 1e-3
    samples = read_audio(clip.with_name(clip.name + ".wav"), RATE_HZ)
    expected_s = [time_s - start_s for time_s in CLICKS_S if start_s <= time_s < start_s + 3]
    assert expected_s
    assert np.abs(np.subtract(click_times_s(samples, RATE_HZ), expected_s)).max() < 0.010


def test_a_source_that_ends_inside_a_section_is_kept_to_its_end(bench: Bench):
    row = "marked,22,25"
    [outcome] = bench.collect(row).values()
    assert outcome.status is Status.OK, outcome.message
    settings = bench.settings(row)
    assert preprocessing.stage.run(settings).counts == {"ok": 1}
    clip = bench.folder / "bucket" / processed_prefix(settings.recipe) / f"{outcome.clip_id}.mp4"
    assert frame_numbers(read_frames(clip, FPS)) == list(range(550, 600))


@pytest.mark.parametrize("start_s", [24.5, 100])
def test_a_section_past_the_end_is_no_success(bench: Bench, start_s: float):
    [outcome] = bench.collect(f"marked,{start_s},{start_s + 3}").values()
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.START_PAST_END)
    assert f"{start_s:.2f} s" in outcome.message
    assert bench.raw() == [f"_failed/{name}" for name in sections_of("marked", start_s)]


def sections_of(source_id: str, start_s: float) -> list[str]:
    return [f"{source_id}_{round((start_s - 2) * 1000):08d}_{round((start_s + 5) * 1000):08d}.json"]


def test_clips_that_share_a_source_share_one_download(bench: Bench):
    outcomes = bench.collect("marked,1,4", "marked,11,14")
    assert [outcome.status for outcome in outcomes.values()] == [Status.OK, Status.OK]
    assert bench.raw() == ["marked.mp4"]


def test_sections_may_be_asked_for_whatever_the_clips_share(bench: Bench):
    bench.collect("marked,1,4", "marked,11,14", fetch="section", section_margin_s=1)
    assert bench.raw() == ["marked_00000000_00005000.mp4", "marked_00010000_00015000.mp4"]


def test_what_is_there_is_not_downloaded_again_in_pieces(bench: Bench):
    bench.collect("marked,1,4", fetch="whole")
    [outcome] = bench.collect("marked,11,14", fetch="section").values()
    assert outcome.reason is Reason.ALREADY_DONE
    bench.bucket.delete("raw_data/marked.mp4")
    bench.collect("marked,11,14", fetch="section")
    [inside] = bench.collect("marked,11.5,13", fetch="section", section_margin_s=0).values()
    assert inside.reason is Reason.ALREADY_DONE
    [outside] = bench.collect("marked,1,4", fetch="section").values()
    assert outside.status is Status.OK


def test_a_source_without_mp4_is_downloaded_whole(bench: Bench):
    bench.url = bench.url.replace(".mp4", ".webm")
    [outcome] = bench.collect("other,11,14").values()
    assert (outcome.status, outcome.key) == (Status.OK, "raw_data/other.webm")
    [again] = bench.collect("other,11,14").values()
    assert again.reason is Reason.ALREADY_DONE


@pytest.mark.parametrize("fetch", ["auto", "section"])
@pytest.mark.parametrize("start_s", [0.0, 0.5, 20.0])
def test_a_server_without_byte_ranges_gives_the_whole(
    bench: Bench, plain_site: FaultySite, start_s: float, fetch: str
):
    bench.url = plain_site.url
    [outcome] = bench.collect(f"large,{start_s},{start_s + 3}", fetch=fetch).values()
    assert (outcome.status, outcome.key) == (Status.OK, "raw_data/large.mp4"), outcome.message


def test_of_the_whole_it_is_known_where_it_ends(bench: Bench, plain_site: FaultySite):
    bench.url = plain_site.url
    [outcome] = bench.collect("large,24.5,27.5").values()
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.START_PAST_END)
    assert "ends after 24.00 s" in outcome.message
    assert bench.raw() == [f"_failed/{name}" for name in sections_of("large", 24.5)]


def test_what_ffmpeg_cannot_cut_is_no_fault_of_the_network(
    bench: Bench, plain_site: FaultySite, videos: Path
):
    bench.url = plain_site.url
    plain_site.answers["other.mp4"] = answer_with((videos / "other.webm").read_bytes())
    [outcome] = bench.collect("other,11,14").values()
    assert (outcome.status, outcome.key) == (Status.OK, "raw_data/other.mp4"), outcome.message
    plain_site.answers["rubbish.mp4"] = answer_with(b"\x00\x01 no video at all" * 500)
    assert bench.collect("rubbish,11,14").popitem()[1].reason is Reason.CORRUPT


def test_a_section_that_breaks_off_is_no_success(
    bench: Bench, plain_site: FaultySite, videos: Path, tmp_path: Path
):
    front = tmp_path / "front.mp4"
    command = [str(ffmpeg_path()), "-loglevel", "error", "-i", str(videos / "marked.mp4")]
    subprocess.run([*command, "-c", "copy", "-movflags", "faststart", str(front)], check=True)
    content = front.read_bytes()
    bench.url = plain_site.url
    plain_site.answers["front.mp4"] = cut_off(content, len(content) // 2)
    assert bench.collect("front,11,14").popitem()[1].reason is Reason.NETWORK
    plain_site.answers["front.mp4"] = answer_with(content)
    [outcome] = bench.collect("front,11,14").values()
    assert outcome.status is Status.OK, outcome.message
