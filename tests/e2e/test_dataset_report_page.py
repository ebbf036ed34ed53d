"""The page of a data set version in a browser: opened from disk, it says what is in the bucket."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from cut_clips import make_clip, make_recipe, write_recipe
from nbclient import NotebookClient
from playwright.sync_api import Browser, Page, expect, sync_playwright
from typer.testing import CliRunner

from launcher.__main__ import app
from launcher.pages.dataset import PageLimits, dataset_metrics, write_dataset_report
from launcher.pages.dataset.examples import show_examples
from s2s.dataset import DatasetClip, DatasetVersion, Split, read_version, write_version
from s2s.layout import (
    checks_prefix,
    dataset_bundle_key,
    manifest_key,
    processed_prefix,
)
from s2s.manifest import write_manifest
from s2s.reasons import Reason, Status
from s2s.records import Outcome, build_clip_id
from s2s.storage import DirectoryBucket
from validation.release.programs import git

EVIL = "</script><script>document.title='owned'</script>"
RECIPE = make_recipe("shown").model_copy(update={"licence": f"CC & {EVIL}"})
SPLIT_OF: dict[str, Split] = {"bell0": "train", "bell1": "train", "drum0": "val", "drum1": "test"}
ROOT = Path(__file__).parents[2]
AXE = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
MUTE = build_clip_id("mute", 0, 2)


def store(bucket: DirectoryBucket, folder: Path, source: str, split: Split) -> DatasetClip:
    clip_id = build_clip_id(source, 0, 2)
    number = len(list(folder.iterdir()))
    video, sound = make_clip(folder, clip_id, hue=number * 30)
    prefix = processed_prefix(RECIPE)
    mp4 = bucket.upload(video, f"{prefix}{clip_id}.mp4")
    wav = bucket.upload(sound, f"{prefix}{clip_id}.wav")
    check = {
        "key": mp4.key,
        "crc32c": mp4.crc32c,
        "picture": {"motion": 3 if source == "drum0" else 200, "brightness": 120},
        "sound": {"clipped_share": 0},
    }
    bucket.write(f"{checks_prefix(RECIPE)}{clip_id}.json", json.dumps(check).encode())
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
        sha256=f"{number:064x}",
        wav_key=wav.key,
        wav_size=wav.size,
        wav_crc32c=wav.crc32c,
        wav_sha256="0" * 64,
        duration_s=1.52 if split == "val" else 2,
        loudness_dbfs=-24,
        mean_dbfs=-30 - number,
        picture_hash=hashlib.sha256(b"seen" + source.encode()).hexdigest(),
        sound_hash=hashlib.sha256(b"heard" + source.encode()).hexdigest(),
    )


def bundle(bucket: DirectoryBucket, folder: Path, version: str) -> str:
    """A git bundle with one version, as validation makes them."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "recipe.yaml").write_text("name: shown\nseed: 4711\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=shown")
    git(folder, "tag", "--annotate", "--message=shown", version)
    git(folder, "bundle", "create", "--quiet", "it.bundle", "HEAD", "--branches", "--tags")
    return bucket.upload(folder / "it.bundle", dataset_bundle_key(RECIPE, version)).key


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> DirectoryBucket:
    folder = tmp_path_factory.mktemp("shown")
    bucket = DirectoryBucket(folder / "bucket")
    (folder / "cut").mkdir()
    clips = [store(bucket, folder / "cut", name, split) for name, split in SPLIT_OF.items()]
    # Another encoding of the first, as their hashes tell.
    sound = f"{int(clips[0].sound_hash, 16) ^ 7:064x}"
    clips[1] = replace(clips[1], picture_hash=clips[0].picture_hash, sound_hash=sound)
    clips[0] = replace(clips[0], source_path="bells/Große Glocke, (1).mp4")
    for number, held in ((1, clips[:3]), (2, clips)):
        splits = {
            split: tuple(clip for clip in held if clip.split == split)
            for split in ("train", "val", "test")
        }
        name = f"dataset_v{number}"
        made = bundle(bucket, folder / "history", name) if number == 2 else ""
        write_version(bucket, RECIPE, DatasetVersion(name, splits, made))
    video, _ = make_clip(folder / "cut", MUTE, hue=200)
    bucket.upload(video, f"{processed_prefix(RECIPE)}{MUTE}.mp4")
    names = [clip.clip_id for clip in clips] + ["gone", MUTE]
    lost = {
        "collection": {"gone": (Status.FAILED, Reason.GONE)},
        "preprocessing": {"gone": (Status.SKIPPED, Reason.UPSTREAM_FAILED)},
        "validation": {
            "gone": (Status.SKIPPED, Reason.UPSTREAM_FAILED),
            MUTE: (Status.FAILED, Reason.SILENT),
        },
    }
    for stage, failed in lost.items():
        rows = [
            Outcome(
                clip_id=name,
                status=failed[name][0],
                reason=failed[name][1],
                message=f"{name}: why it was lost",
            )
            if name in failed
            else Outcome(clip_id=name, status=Status.OK)
            for name in names
        ]
        write_manifest(bucket, manifest_key(RECIPE, stage), rows)
    return bucket


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mailed(bucket: DirectoryBucket) -> Path:
    """The page of the second version, alone in another folder."""
    folder = bucket.directory.parent
    recipe = write_recipe(folder / "shown.yaml", RECIPE)
    line = ["report", str(recipe), "--version", "v2", "--bucket", bucket.url]
    done = CliRunner().invoke(app, [*line, "--output", str(folder / "reports")])
    assert done.exit_code == 0, done.output
    alone = folder / "mailed.html"
    return (folder / "reports" / "shown" / "dataset.html").rename(alone)


@pytest.fixture
def page(browser: Browser, mailed: Path) -> Iterator[Page]:
    """The page on a phone; it says nothing, and asks for nothing."""
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 360, "height": 760})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(mailed.as_uri())
    yield page
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", mailed.as_uri()))] == []


def cells(page: Page, section: str) -> list[list[str]]:
    rows = page.locator(f"#{section} ~ div tbody tr").all()
    return [[cell.strip() for cell in row.inner_text().split("\t")] for row in rows]


def cards(page: Page, place: str = "#cards") -> list[str]:
    return [text.split("\n")[-2] for text in page.locator(f"{place} .card").all_inner_texts()]


def play(page: Page, video: str) -> int:
    """Play a video to its end; bytes of sound that were decoded."""
    return page.locator(video).first.evaluate(
        """video => new Promise((done, fail) => {
          video.onended = () => done(video.webkitAudioDecodedByteCount);
          video.onerror = () => fail(video.error.message);
          video.playbackRate = 4;
          video.play().catch(fail);
        })"""
    )


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
def test_splits_labels_changes_and_history_are_told(page: Page):
    assert [row[:4] for row in cells(page, "splits")] == [
        ["train", "2", "2", "1"],
        ["val", "1", "1", "1"],
        ["test", "1", "1", "1"],
    ]
    assert ["bell no val, no test", "2", "0", "0"] in cells(page, "labels")
    assert (
        "3 of 3 lack a split" in page.locator("section", has=page.locator("#labels")).inner_text()
    )
    assert cells(page, "changes")[0] == ["added", "0", "0", "1"]
    assert page.locator("#changes ~ div caption").inner_text() == "Clips since dataset_v1."
    newest, oldest = cells(page, "history")
    assert re.fullmatch(r"dataset_v2 \(this one\)\n\d{4}-\d\d-\d\d \d\d:\d\d UTC", newest[0])
    assert newest[1:] == ["2", "1", "1", "4"]
    assert oldest[0] == "dataset_v1\ndate not known"
    assert "made 2" in page.locator("header").inner_text()
    assert "git checkout dataset_v2\ndvc pull" in page.locator("#commands").inner_text()
    page.get_by_text("Settings that made it").click()
    assert "seed: 4711" in page.locator("details pre").first.inner_text()


@pytest.mark.browser
def test_clips_are_searched_filtered_sorted_and_the_choice_is_an_address(page: Page, mailed: Path):
    assert page.locator("#found").inner_text() == "6 of 6 clips"
    page.fill("#find-text", "BELL train")
    expect(page.locator("#found")).to_have_text("0 of 6 clips")
    page.fill("#find-text", "bell")
    expect(page.locator("#found")).to_have_text("2 of 6 clips")
    page.click("#reset")
    page.select_option("#find-status", "ok")
    page.select_option("#find-sort", "mean up")
    expect(page.locator("#found")).to_have_text("4 of 6 clips")
    assert cards(page) == [EVIL, "drum", "bell", "bell"]
    page.select_option("#find-figure", "length")
    page.fill("#find-high", "1.6")
    expect(page.locator("#found")).to_have_text("1 of 6 clips")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert address.startswith(mailed.as_uri() + "#clips?")
    assert cards(page) == ["drum"]
    page.fill("#find-high", "")
    page.select_option("#find-kind", "still")
    expect(page.locator("#found")).to_have_text("1 of 6 clips")
    with page.expect_download() as saved:
        page.click("#save")
    lines = saved.value.path().read_text().splitlines()
    assert lines[0].startswith("id,split,labels,reason,length,")
    assert lines[1].startswith("drum0_00000000_00002000,val,drum,,1.52,")
    page.locator("[data-label='bell']").click()
    assert page.locator("#found").inner_text() == "2 of 6 clips"


@pytest.mark.browser
def test_a_clip_is_found_by_the_name_of_its_file(page: Page):
    page.fill("#find-text", "große glocke")
    expect(page.locator("#found")).to_have_text("1 of 6 clips")
    page.locator("#cards .card").click()
    assert "bells/Große Glocke, (1).mp4" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.click("#save")
    assert '"bells/Große Glocke, (1).mp4"' in saved.value.path().read_text()


@pytest.mark.browser
def test_near_duplicates_are_side_by_side_with_how_close_they_are(page: Page):
    pair = page.locator("#pairs > li")
    assert pair.count() == 1
    assert "picture 0, sound 3 of 256 bits differ" in pair.inner_text()
    assert (
        "None is in two splits" in page.locator("section", has=page.locator("#alike")).inner_text()
    )
    left, right = (card.bounding_box() for card in pair.locator(".card").all())
    assert left and right
    assert left["y"] == right["y"]
    assert pair.locator("img").count() == 2
    pair.locator(".card").first.click()
    assert "bell0" in page.locator("dialog").inner_text()
    assert page.locator("dialog .cards .card").count() == 1


@pytest.mark.browser
def test_clips_that_were_lost_have_their_reason_and_a_player(page: Page):
    page.select_option("#lost-reason", "silent")
    page.locator("#lost-cards .card").click()
    assert f"{MUTE}: why it was lost" in page.locator("dialog").inner_text()
    assert play(page, "dialog video") > 0
    page.keyboard.press("Escape")
    page.select_option("#lost-reason", "gone")
    page.locator("#lost-cards .card").click()
    assert "There is no file of this clip" in page.locator("dialog").inner_text()


@pytest.mark.browser
def test_histograms_have_axes_true_ranges_and_follow_the_label(page: Page):
    length = page.locator("#charts svg").first
    assert length.get_attribute("aria-label") == "length: 4 clips, 1.52 to 2.00, median 2.00 s"
    assert {"0", "1.6", "2"} <= set(length.locator("text").all_text_contents())
    assert "length, s" in length.locator("text").all_text_contents()
    page.select_option("#spread-label", "bell")
    told = page.locator("#charts svg").first.get_attribute("aria-label")
    assert told == "length: 2 clips, 2.00 to 2.00, median 2.00 s"
    page.locator("#charts svg").first.locator(".hit").first.click()
    assert page.locator("#found").inner_text() == "2 of 6 clips"


@pytest.mark.browser
def test_outliers_are_named(page: Page):
    still = page.locator("#extremes h3", has_text="Least motion")
    still.get_by_role("button", name="1 stands out").click()
    assert page.locator("#found").inner_text() == "1 of 6 clips"
    assert page.locator("#find-kind").input_value() == "still"


@pytest.mark.browser
def test_the_keyboard_is_enough(page: Page):
    page.keyboard.press("/")
    page.keyboard.type("bell")
    expect(page.locator("#found")).to_have_text("2 of 6 clips")
    first = page.locator("#cards .card").first
    first.focus()
    page.keyboard.press("Enter")
    title = page.locator("dialog p.soft").first
    assert "bell0" in title.inner_text()
    page.keyboard.press("ArrowRight")
    assert "bell1" in title.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "bell0" in title.inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert first.evaluate("card => card === document.activeElement")


@pytest.mark.browser
def test_examples_of_every_split_are_seen_and_heard(page: Page):
    article = page.locator("article").first
    assert page.locator("article").count() == 4
    assert {"train", "val", "test"} <= set(page.locator("article .chip").all_inner_texts())
    for image in article.locator("img").all():
        assert image.evaluate("image => image.naturalWidth") > 100
    assert play(page, "article video") > 0


@pytest.mark.browser
def test_text_of_others_is_shown_not_run_and_no_table_is_cut_on_a_phone(page: Page):
    assert page.title() == "shown: dataset_v2"
    assert EVIL in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    cut = """[...document.querySelectorAll("table, table *")]
        .filter(part => part.getBoundingClientRect().right > innerWidth).length"""
    assert page.locator("table").count() == 5
    assert page.evaluate(cut) == 0
    assert all(image.get_attribute("alt") is not None for image in page.locator("img").all())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page: Page, mailed: Path, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run()")["violations"] == []
    page.locator("#cards .card").first.click()
    assert page.evaluate("axe.run()")["violations"] == []


@pytest.mark.browser
def test_clips_without_a_player_are_played_from_the_folder_that_is_the_bucket(
    browser: Browser, bucket: DirectoryBucket
):
    version = read_version(bucket, RECIPE, "dataset_v2")
    folder = bucket.directory.parent / "here it is"
    limits = PageLimits(thumbnails=0, page_bytes=0)
    written = write_dataset_report(bucket, RECIPE, version, folder, limits)
    page = browser.new_page()
    asked: list[str] = []
    page.goto(written.as_uri())
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#cards img, #cards video").count() == 0
    page.check("#from-bucket")
    expect(page.locator("#cards video")).to_have_count(5)
    video = page.locator("#cards video").first
    loaded = """video => new Promise((done, fail) => {
      if (video.videoWidth) done(video.videoWidth);
      video.onloadedmetadata = () => done(video.videoWidth);
      video.onerror = () => fail(video.error.message);
    })"""
    assert video.evaluate(loaded) > 0
    page.locator("#cards .card").first.click()
    assert play(page, "dialog video") > 0
    assert all(url.startswith(bucket.directory.as_uri()) for url in asked)
    page.close()


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


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_the_notebook_runs(bucket: DirectoryBucket, folder: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_RECIPE", str(write_recipe(bucket.directory.parent / "r.yaml", RECIPE)))
    # As the one that it has by default: relative to the project's folder.
    monkeypatch.setenv("S2S_BUCKET", f"file://{os.path.relpath(bucket.directory, ROOT)}")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(ROOT / "notebooks" / "explore_dataset.ipynb", as_version=4)
    resources = {"metadata": {"path": ROOT / folder}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
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
