"""A site that has had enough: a run stops politely, and failures are tried again by reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from faulty_site import Answer, FaultySite, answer_with, status
from typer.testing import CliRunner, Result

from collection.cli import app as collection_app
from launcher.commands.retry import retry
from s2s.layout import raw_prefix
from s2s.manifest import read_failures, read_manifest
from s2s.media import ffmpeg_path, run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe

N_SOURCES = 12
SOURCES = [f"source{number:02d}" for number in range(N_SOURCES)]
retry_app = typer.Typer()
retry_app.command()(retry)


def too_many(wait_s: int) -> Answer:
    """Answer 429 and say how long to wait."""

    def answer(handler: object) -> None:
        handler.send_response(429)  # type: ignore[attr-defined]
        handler.send_header("Retry-After", str(wait_s))  # type: ignore[attr-defined]
        handler.send_header("Content-Length", "0")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]

    return answer


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    assert ffmpeg_path().is_file()
    inputs = ["-f", "lavfi", "-i", "testsrc=d=2:s=64x48", "-f", "lavfi", "-i", "sine=d=2"]
    run_ffmpeg([*inputs, "-pix_fmt", "yuv420p", str(path)], "v")
    return path.read_bytes()


@pytest.fixture
def site(tmp_path: Path, video: bytes) -> Iterator[FaultySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    for name in SOURCES:
        (folder / f"{name}.mp4").write_bytes(video)
    with FaultySite(folder).running() as site:
        yield site


class Bench:
    """A recipe on the site's sources, and what is in its bucket."""

    def __init__(self, folder: Path, site: FaultySite) -> None:
        self.folder = folder
        self.bucket = DirectoryBucket(folder / "bucket")
        (folder / "c.csv").write_text("".join(f"{name},0,tone,train\n" for name in SOURCES))
        recipe = {
            "name": "blocked",
            "spec": {"duration_s": 2},
            "collection": {
                "catalog": "c.csv",
                "source_url": site.url,
                "workers": 1,
                "fetch": "whole",
                "stop_after_blocks": 3,
            },
            "preprocessing": {"short_side_px": 32, "preset": "ultrafast"},
        }
        (folder / "r.yaml").write_text(GenerationRecipe.model_validate(recipe).model_dump_json())

    def run(self, app: typer.Typer, *args: str) -> Result:
        options = ["--bucket", self.bucket.url, "--work-dir", str(self.folder / "work")]
        return CliRunner().invoke(app, [str(self.folder / "r.yaml"), *options, *args])

    def outcomes(self, stage: str = "collection") -> dict[str, Outcome]:
        rows = read_manifest(self.bucket, f"manifests/blocked/{stage}.jsonl")
        return {row.clip_id.partition("_")[0]: row for row in rows}

    def reasons(self) -> dict[str, Reason | None]:
        failures = read_failures(self.bucket, raw_prefix())
        return {name: failure.reason for name, failure in failures.items()}


@pytest.fixture
def bench(tmp_path: Path, site: FaultySite) -> Bench:
    return Bench(tmp_path, site)


def block(site: FaultySite, names: list[str], answer: Answer) -> None:
    site.answers.update({f"{name}.mp4": answer for name in names})


def test_a_run_stops_when_the_site_refuses_again_and_again(bench: Bench, site: FaultySite):
    block(site, SOURCES[4:], too_many(1500))
    result = bench.run(collection_app)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "5 clips stay pending: the site refused 3 requests in a row (rate_limited)" in said
    assert "Wait about 25 minutes" in said
    found = [(row.status, row.reason) for row in bench.outcomes().values()]
    assert found == (
        [(Status.OK, None)] * 4
        + [(Status.FAILED, Reason.RATE_LIMITED)] * 3
        + [(Status.SKIPPED, Reason.RATE_LIMITED)] * 5
    ), "every row has an outcome"
    assert [site.requests[f"{name}.mp4"] for name in SOURCES[7:]] == [0] * 5

    site.answers.clear()
    assert bench.run(collection_app).exit_code == 0
    assert [row.status for row in bench.outcomes().values()][4:] == [Status.OK] * 8
    assert bench.reasons() == {}


def test_strict_makes_a_run_that_stopped_fail(bench: Bench, site: FaultySite):
    block(site, SOURCES, status(429))
    assert bench.run(collection_app, "--strict").exit_code == 1


def test_some_refusals_do_not_stop_a_run(bench: Bench, site: FaultySite):
    block(site, [SOURCES[1], SOURCES[2], SOURCES[4], SOURCES[5]], status(429))
    bench.run(collection_app)
    statuses = [row.status for row in bench.outcomes().values()]
    assert statuses.count(Status.FAILED) == 4
    assert statuses.count(Status.OK) == 8


def test_failures_of_a_reason_are_tried_again_and_nothing_else(bench: Bench, site: FaultySite):
    block(site, SOURCES[:2], status(404))
    block(site, SOURCES[2:3], status(403))
    block(site, SOURCES[3:4], answer_with(b"no video" * 900))
    bench.run(collection_app)
    bench.bucket.delete(f"raw_data/{SOURCES[9]}.mp4")  # as if it had never been tried
    failed = dict.fromkeys(SOURCES[:2], Reason.GONE)
    failed |= {SOURCES[2]: Reason.FORBIDDEN, SOURCES[3]: Reason.CORRUPT}
    assert bench.reasons() == failed

    site.answers.clear()
    site.requests.clear()
    result = bench.run(retry_app, "--reason", "gone", "--reason", "geo")
    assert result.exit_code == 0, result.output
    assert sorted(site.requests) == [f"{name}.mp4" for name in SOURCES[:2]]
    assert bench.reasons() == {SOURCES[2]: Reason.FORBIDDEN, SOURCES[3]: Reason.CORRUPT}
    assert bench.outcomes()[SOURCES[9]].reason is Reason.LEFT_OUT
    assert "./s2s run" in result.output

    assert bench.run(retry_app).exit_code == 0
    assert bench.reasons() == {}
    assert bench.outcomes()[SOURCES[9]].reason is Reason.LEFT_OUT


def test_failed_cuts_are_tried_again_too(bench: Bench, site: FaultySite, video: bytes):
    (bench.folder / "c.csv").write_text(f"{SOURCES[0]},0,tone\n{SOURCES[1]},1,tone\n")
    bench.bucket.write(f"raw_data/{SOURCES[0]}.mp4", b"no video")
    bench.bucket.write(f"raw_data/{SOURCES[1]}.mp4", video)
    bench.run(collection_app)
    bench.run(retry_app)
    assert {row.reason for row in bench.outcomes("preprocessing").values()} == {Reason.LEFT_OUT}
    from preprocessing.cli import app as preprocessing_app  # noqa: PLC0415

    bench.run(preprocessing_app)
    assert bench.outcomes("preprocessing")[SOURCES[0]].reason is Reason.CORRUPT
    bench.bucket.write(f"raw_data/{SOURCES[0]}.mp4", video, overwrite=True)
    bench.run(retry_app, "--reason", "gone")
    assert bench.outcomes("preprocessing")[SOURCES[0]].reason is Reason.CORRUPT
    bench.run(retry_app, "--reason", "corrupt")
    assert bench.outcomes("preprocessing")[SOURCES[0]].status is Status.OK


def test_a_reason_that_there_is_not_is_refused(bench: Bench):
    result = bench.run(retry_app, "--reason", "bad_luck")
    assert result.exit_code == 2
    assert "rate_limited" in result.output
