"""A run that is killed at any point loses nothing, and the next one repeats nothing."""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_site import FaultySite

from collection.stage import run
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe

N_KILLS = 20
SOURCES = [f"source-{number:03d}" for number in range(120)]
# Processes that have imported everything already: what is killed is the work, not the start.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["collection.stage"])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FaultySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    for number, name in enumerate(SOURCES):
        # All differ, and none takes long: each has a colour of its own in a single frame.
        picture = f"color=c=0x{number * 2:02x}4080:s=16x16:d=0.04:r=25"
        if number == 0:
            run_ffmpeg(["-f", "lavfi", "-i", picture, str(folder / "one.mp4")], name)
        padding = (b"free" + bytes([number])) * 4000
        box = (len(padding) + 8).to_bytes(4, "big") + b"free" + padding
        (folder / f"{name}.mp4").write_bytes((folder / "one.mp4").read_bytes() + box)
    with FaultySite(folder).running() as site:
        yield site


@pytest.fixture
def settings(tmp_path: Path, site: FaultySite) -> Settings:
    (tmp_path / "c.csv").write_text("".join(f"{name},0,tone\n" for name in SOURCES))
    collection = {"catalog": "c.csv", "source_url": site.url, "workers": 3, "fetch": "whole"}
    return Settings(
        recipe=GenerationRecipe.model_validate({"name": "killed", "collection": collection}),
        recipe_path=tmp_path / "killed.yaml",
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
    )


def stored(settings: Settings) -> set[str]:
    bucket = DirectoryBucket(Path(settings.bucket_url.removeprefix("file://")))
    return {key.removeprefix("raw_data/") for key in bucket.keys("raw_data/")}


def run_and_kill(settings: Settings, site: FaultySite, chance: random.Random) -> None:
    """Start a run, and kill it after some requests and some milliseconds."""
    after = site.requests.total() + chance.randrange(12)
    process = CONTEXT.Process(target=run, args=(settings,))
    process.start()
    deadline_s = time.monotonic() + 60
    while process.is_alive() and site.requests.total() < after and time.monotonic() < deadline_s:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.03))
    assert process.is_alive(), "there is more to do than one run gets done"
    process.kill()
    process.join()


def test_killed_at_twenty_random_points(settings: Settings, site: FaultySite):
    chance = random.Random(7)
    for _ in range(N_KILLS):
        there, asked = stored(settings), Counter(site.requests)
        run_and_kill(settings, site, chance)
        for name in there:
            assert site.requests[name] == asked[name], f"{name} was stored, and asked for again"
        assert there <= stored(settings), "nothing that was stored is lost"
    there, asked = stored(settings), Counter(site.requests)
    assert 10 < len(there) < len(SOURCES)

    report = run(settings)
    assert report.counts == {"ok": len(SOURCES) - len(there), "skipped:already_done": len(there)}
    for name in there:
        assert site.requests[name] == asked[name]
    bucket = DirectoryBucket(Path(settings.bucket_url.removeprefix("file://")))
    for name in SOURCES:
        assert bucket.read(f"raw_data/{name}.mp4") == (site.directory / f"{name}.mp4").read_bytes()
    assert stored(settings) == {f"{name}.mp4" for name in SOURCES}
    rows = read_manifest(bucket, "manifests/killed/collection.jsonl")
    assert {(row.status, row.reason) for row in rows} == {
        (Status.OK, None),
        (Status.SKIPPED, Reason.ALREADY_DONE),
    }
    assert list((settings.work_dir / "tmp" / "collection").iterdir()) == []
