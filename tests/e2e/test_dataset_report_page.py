"""The page of a data set version in a browser: opened from disk, it says what is in the bucket."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from cut_clips import make_clip, make_recipe, write_recipe
from nbclient import NotebookClient
from playwright.sync_api import Page, sync_playwright
from typer.testing import CliRunner

from launcher.__main__ import app
from launcher.pages.dataset import dataset_metrics
from launcher.pages.dataset_examples import show_examples
from s2s.dataset import DatasetClip, DatasetVersion, Split, read_version, write_version
from s2s.layout import manifest_key, processed_prefix
from s2s.manifest import write_manifest
from s2s.reasons import Reason, Status
from s2s.records import Outcome, build_clip_id
from s2s.storage import DirectoryBucket

EVIL = "<script>document.title='owned'</script>"
RECIPE = make_recipe("shown").model_copy(update={"licence": f"CC & {EVIL}"})
SPLIT_OF: dict[str, Split] = {"bell0": "train", "bell1": "train", "drum0": "val", "drum1": "test"}


def store(bucket: DirectoryBucket, folder: Path, source: str, split: Split) -> DatasetClip:
    clip_id = build_clip_id(source, 0, 2)
    video, sound = make_clip(folder, clip_id, hue=len(list(folder.iterdir())) * 30)
    prefix = processed_prefix(RECIPE)
    mp4 = bucket.upload(video, f"{prefix}{clip_id}.mp4")
    wav = bucket.upload(sound, f"{prefix}{clip_id}.wav")
    return DatasetClip(
        clip_id=clip_id,
        source_id=source,
        start_s=0,
        end_s=2,
        labels=(EVIL,) if source == "drum1" else (source[:4],),
        split=split,
        key=mp4.key,
        size=mp4.size,
        crc32c=mp4.crc32c,
        sha256="0" * 64,
        wav_key=wav.key,
        wav_size=wav.size,
        wav_crc32c=wav.crc32c,
        wav_sha256="0" * 64,
        duration_s=2,
        loudness_dbfs=-24,
        mean_dbfs=-30,
    )


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> DirectoryBucket:
    folder = tmp_path_factory.mktemp("shown")
    bucket = DirectoryBucket(folder / "bucket")
    (folder / "cut").mkdir()
    clips = [store(bucket, folder / "cut", name, split) for name, split in SPLIT_OF.items()]
    for number, held in ((1, clips[:3]), (2, clips)):
        splits = {
            split: tuple(clip for clip in held if clip.split == split)
            for split in ("train", "val", "test")
        }
        write_version(bucket, RECIPE, DatasetVersion(f"dataset_v{number}", splits))
    names = [clip.clip_id for clip in clips] + ["gone", "mute"]
    lost = {
        "collection": {"gone": (Status.FAILED, Reason.GONE)},
        "preprocessing": {"gone": (Status.SKIPPED, Reason.UPSTREAM_FAILED)},
        "validation": {
            "gone": (Status.SKIPPED, Reason.UPSTREAM_FAILED),
            "mute": (Status.FAILED, Reason.SILENT),
        },
    }
    for stage, failed in lost.items():
        rows = [
            Outcome(clip_id=name, status=failed[name][0], reason=failed[name][1])
            if name in failed
            else Outcome(clip_id=name, status=Status.OK)
            for name in names
        ]
        write_manifest(bucket, manifest_key(RECIPE, stage), rows)
    return bucket


@pytest.fixture(scope="module")
def page(bucket: DirectoryBucket, chromium: str) -> Iterator[Page]:
    """The page of the second version, alone in another folder; nothing said, nothing asked for."""
    folder = bucket.directory.parent
    recipe = write_recipe(folder / "shown.yaml", RECIPE)
    line = ["report", str(recipe), "--version", "v2", "--bucket", bucket.url]
    done = CliRunner().invoke(app, [*line, "--output", str(folder / "reports")])
    assert done.exit_code == 0, done.output
    alone = folder / "mailed.html"
    (folder / "reports" / "shown" / "dataset.html").rename(alone)
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(alone.as_uri())
        yield page
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", alone.as_uri()))] == []


def cells(page: Page, section: str) -> list[list[str]]:
    rows = page.locator(f"#{section} ~ div tbody tr").all()
    return [[cell.strip() for cell in row.inner_text().split("\t")] for row in rows]


@pytest.mark.browser
def test_the_funnel_tells_where_clips_were_lost(page: Page):
    told = [(row[0], row[1], row[-1]) for row in cells(page, "funnel")]
    assert told == [
        ("catalog", "6", "–"),
        ("collection", "5", "1 gone"),
        ("preprocessing", "5", "–"),
        ("validation", "4", "1 silent"),
        ("dataset v2", "4", "–"),
    ]


@pytest.mark.browser
def test_splits_labels_and_changes_are_counted(page: Page):
    assert [row[:4] for row in cells(page, "splits")] == [
        ["train", "2", "2", "1"],
        ["val", "1", "1", "1"],
        ["test", "1", "1", "1"],
    ]
    assert ["bell", "2", "0", "0"] in cells(page, "labels")
    assert cells(page, "changes")[0] == ["added", "0", "0", "1"]
    assert page.locator("#changes ~ div caption").inner_text() == "Clips since dataset_v1."
    assert page.locator("svg[role=img]").count() == 4


@pytest.mark.browser
def test_examples_are_seen_and_heard(page: Page):
    article = page.locator("article").first
    assert page.locator("article").count() == 4
    for image in article.locator("img").all():
        assert image.evaluate("image => image.naturalWidth") > 100
    sound_bytes = article.locator("video").evaluate(
        """video => new Promise((done, fail) => {
          video.onended = () => done(video.webkitAudioDecodedByteCount);
          video.onerror = () => fail(video.error.message);
          video.playbackRate = 4;
          video.play().catch(fail);
        })"""
    )
    assert sound_bytes > 0


@pytest.mark.browser
def test_text_of_others_is_shown_not_run_and_a_narrow_screen_is_enough(page: Page):
    assert page.title() == "shown: dataset_v2"
    assert EVIL in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(image.get_attribute("alt") for image in page.locator("img").all())


def test_a_notebook_gets_figures_and_examples(bucket: DirectoryBucket):
    version = read_version(bucket, RECIPE, "dataset_v2")
    metrics = dataset_metrics(version)
    assert metrics["train"]["labels"] == {"bell": 2}
    assert metrics["test"]["duration_s"]["sum"] == 2
    found = show_examples(bucket, RECIPE, version, per_label=1)
    assert {example.clip.labels[0] for example in found.examples} == {"bell", "drum", EVIL}
    shown = found._repr_html_()
    assert len(re.findall("<video controls", shown)) == 3
    assert "<script>" not in shown


def test_the_notebook_runs(bucket: DirectoryBucket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_RECIPE", str(write_recipe(bucket.directory.parent / "r.yaml", RECIPE)))
    monkeypatch.setenv("S2S_BUCKET", bucket.url)
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    path = Path(__file__).parents[2] / "notebooks" / "explore_dataset.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "execute_result"
    ]
    assert len(shown) == 3
    assert "'train': (2, 2, " in shown[0]["text/plain"]
    assert "median" in shown[1]["text/plain"]
    assert shown[2]["text/html"].count("<figure>") == 3
