"""Preprocessing as a whole: real clips, odd files, runs that race and runs that died."""

import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import av
import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from preprocessing.cli import app
from preprocessing.stage import run
from s2s.catalog import catalog_lines
from s2s.catalog.formats.published.vggsound import VGGSound
from s2s.errors import BucketUnavailableError, CatalogError
from s2s.layout import catalog_key, failure_key, processed_prefix, raw_prefix
from s2s.manifest import read_manifest
from s2s.media import input_args, probe, read_frames, run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import CollectionSettings, PreprocessingSettings, Settings
from s2s.storage import Bucket, open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe(
    name="real",
    collection=CollectionSettings(catalog="vggsound.csv"),
    preprocessing=PreprocessingSettings(short_side_px=64, preset="ultrafast", min_duration_s=0.05),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        recipe=RECIPE,
        recipe_path=tmp_path / "real.yaml",
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
        workers=2,
    )


def bucket_of(settings: Settings) -> Bucket:
    return open_bucket(settings.bucket_url)


def put_catalog(settings: Settings, *rows: str) -> None:
    clips = [VGGSound(10.0).clip(row.encode()) for row in rows]
    data = "".join(catalog_lines(clips)).encode()
    bucket_of(settings).write(catalog_key(settings.recipe), data, overwrite=True)


def put_source(settings: Settings, source_id: str, path: Path) -> None:
    bucket_of(settings).upload(path, f"{raw_prefix()}{source_id}{path.suffix}")


def outcomes(settings: Settings) -> dict[str, Outcome]:
    rows = read_manifest(bucket_of(settings), "manifests/real/preprocessing.jsonl")
    return {row.clip_id: row for row in rows}


def processed(settings: Settings) -> Path:
    return Path(settings.bucket_url.removeprefix("file://")) / processed_prefix(settings.recipe)


def temporary_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.work_dir / "tmp").rglob("*") if path.is_file()]


def process_one(settings: Settings, source: Path) -> Outcome:
    """Preprocess ten seconds of one source."""
    put_source(settings, "odd", source)
    put_catalog(settings, "odd,0,thing")
    run(settings)
    [outcome] = outcomes(settings).values()
    return outcome


def test_real_clips_are_cut_with_their_sound(settings: Settings, real_data: Path):
    rows = []
    for path in sorted((real_data / "clips" / "vggsound").iterdir()):
        source_id = path.name[:11]
        put_source(settings, source_id, path)
        rows.append(f"{source_id},0,thing")
    put_catalog(settings, *rows, "-Qowmc0P9ic,6,thing")
    report = run(settings)
    assert report.counts == {"ok": 6}
    folder = processed(settings)
    names = {f"{clip_id}.{kind}" for clip_id in outcomes(settings) for kind in ("mp4", "wav")}
    assert {path.name for path in folder.iterdir()} == names
    assert report.bytes_written == sum(path.stat().st_size for path in folder.iterdir())
    for clip_id, outcome in outcomes(settings).items():
        expected_s = 4.0 if clip_id == "-Qowmc0P9ic_00006000_00016000" else 10.0
        found = probe(folder / f"{clip_id}.mp4")
        assert found.duration_s == pytest.approx(expected_s, abs=0.04)
        assert (min(found.width, found.height), found.fps) == (64, 25)
        with wave.open(str(folder / f"{clip_id}.wav")) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert len(samples) == round(found.duration_s * 25) * 640
        assert np.abs(samples).max() > 300, "it is not silent"
        assert outcome.key == f"{processed_prefix(RECIPE)}{clip_id}.mp4"
        assert outcome.crc32c == bucket_of(settings).stat(outcome.key).crc32c
    assert temporary_files(settings) == []

    again = run(settings)
    assert (again.counts, again.bytes_written) == ({"skipped:already_done": 6}, 0)


def test_a_clip_without_its_source_is_skipped_with_why(settings: Settings):
    put_catalog(settings, "gone,0,thing", "later,0,thing")
    failure = Outcome(clip_id="gone", status=Status.FAILED, reason=Reason.GONE)
    bucket_of(settings).write(failure_key(raw_prefix(), "gone"), failure.model_dump_json().encode())
    assert run(settings).counts == {"skipped:no_source": 1, "skipped:upstream_failed": 1}
    assert outcomes(settings)["gone_00000000_00010000"].reason is Reason.UPSTREAM_FAILED


def test_collection_comes_first(settings: Settings):
    with pytest.raises(BucketUnavailableError, match="run its collection stage first"):
        run(settings)
    bucket_of(settings).prepare()
    with pytest.raises(CatalogError, match="run its collection stage first"):
        run(settings)


def with_sound(source: Path, target: Path) -> Path:
    """The same picture, packet by packet, with a tone."""
    tone = ["-f", "lavfi", "-i", "sine=440"]
    args = [*input_args(source), *tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy"]
    run_ffmpeg([*args, "-shortest", str(target)], source.name)
    return target


@pytest.mark.parametrize(
    ("name", "seconds", "size"),
    [
        ("odd/decord_video_90.mov", 0.1, (64, 114)),
        ("odd/h264_10bits.mp4", 1.0, (64, 64)),
        ("odd/decord_unordered.mov", 0.125, (50, 50)),
        ("odd/-starts-with-a-dash.mp4", 5.0, (2, 2)),
    ],
)
def test_odd_pictures_come_out_plain(
    settings: Settings,
    tmp_path: Path,
    real_data: Path,
    name: str,
    seconds: float,
    size: tuple[int, int],
):
    source = real_data / "clips" / name
    outcome = process_one(settings, with_sound(source, tmp_path / f"s{source.suffix}"))
    assert outcome.status is Status.OK, outcome.message
    path = processed(settings) / "odd_00000000_00010000.mp4"
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.codec_context.width, stream.codec_context.height) == size
    assert len(read_frames(path, 25)) == pytest.approx(seconds * 25, abs=1)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("odd/moviepy_video_with_failing_audio.mp4", 10.0),
        ("odd/v_GGSY1Qvo990.mp4", 10.0),
        ("vas/dog_video_02677.mp4", 6.0),
        ("talk/two_people_002.avi", 6.04),
        ("kinetics/flipping_pancake_opus.mkv", 10.0),
    ],
)
def test_odd_sources_are_cut_like_any_other(
    settings: Settings, real_data: Path, name: str, seconds: float
):
    outcome = process_one(settings, real_data / "clips" / name)
    assert outcome.status is Status.OK, outcome.message
    clip = processed(settings) / "odd_00000000_00010000.mp4"
    assert probe(clip).duration_s == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("kinetics/arm_wrestling_no_audio.mp4", Reason.NO_AUDIO),
        ("odd/-starts-with-a-dash.mp4", Reason.NO_AUDIO),
        ("odd/decord_corrupted.mp4", Reason.NO_AUDIO),
    ],
)
def test_a_source_without_sound_fails(
    settings: Settings, real_data: Path, name: str, reason: Reason
):
    outcome = process_one(settings, real_data / "clips" / name)
    assert (outcome.status, outcome.reason) == (Status.FAILED, reason)
    assert temporary_files(settings) == []


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100], ids=["empty", "garbage"])
def test_a_source_that_is_no_video_is_corrupt(settings: Settings, tmp_path: Path, content: bytes):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    outcome = process_one(settings, path)
    assert outcome.reason is Reason.CORRUPT
    assert "odd.mp4" in outcome.message


def test_the_wav_of_a_run_that_died_does_not_stand_in_the_way(settings: Settings, real_data: Path):
    key = f"{processed_prefix(RECIPE)}odd_00000000_00010000"
    bucket_of(settings).write(f"{key}.wav", b"from another ffmpeg")
    outcome = process_one(settings, real_data / "clips" / "vas" / "dog_video_02677.mp4")
    assert outcome.status is Status.OK
    assert probe(processed(settings) / "odd_00000000_00010000.wav").duration_s == 6.0


@pytest.mark.parametrize("kind", ["file", "gs"])
def test_two_runs_at_the_same_time(
    settings: Settings, real_data: Path, kind: str, request: pytest.FixtureRequest
):
    if kind == "gs":
        server = request.getfixturevalue("bucket_server")
        name = f"preprocessing-{uuid4().hex[:8]}"
        httpx.post(f"{server}/storage/v1/b", json={"name": name}, trust_env=False)
        settings = settings.model_copy(update={"bucket_url": f"gs://{name}"})
    put_source(settings, "a", real_data / "clips" / "vas" / "dog_video_02677.mp4")
    put_catalog(settings, "a,0,thing", "a,1,thing", "a,2,thing")
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, [settings, settings]))
    for report in reports:
        assert sum(report.counts.values()) == 3
        assert report.n_failed == 0, report.counts
    keys = list(bucket_of(settings).keys(processed_prefix(RECIPE)))
    assert len(keys) == 6, keys
    assert temporary_files(settings) == []


def test_the_command_says_what_to_do_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text("{name: real, collection: {catalog: c.csv}}")
    result = CliRunner().invoke(app, ["r.yaml", "--bucket", f"file://{tmp_path}/b"])
    assert result.exit_code == 1
    assert "run its collection stage first" in " ".join(result.output.split())
