"""The demo's report in a browser: it opens from disk, without a network, and its videos sound."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from launcher.pages.demo import write_report
from s2s.dataset import DatasetClip, DatasetVersion, write_version
from s2s.layout import held_out_prefix, model_prefix, processed_prefix
from s2s.media import add_sound, read_audio, write_wav
from s2s.records import build_clip_id
from s2s.stage import StageReport
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe
from sample.render import encode_film
from sample.silent_to_sound.film import SceneFilm
from sample.silent_to_sound.world import build_scene

pytestmark = pytest.mark.browser

SECONDS = 2.0
EVIL = "<script>document.title='owned'</script>"
RECIPE = GenerationRecipe.model_validate(
    {
        "name": "report_test",
        "licence": f"CC & {EVIL}",
        "spec": {"duration_s": SECONDS},
        "collection": {"catalog": "x.csv"},
    }
)
FIGURES = {"onset_f1": 0.5, "onset_precision": 0.25, "onset_recall": 0.75}
METRICS = {
    "note": "Measured on the test split.",
    "n_clips": 2,
    "n_sources": 2,
    "onset_tolerance_s": 0.05,
    "systems": {
        "real": FIGURES | {"onset_f1": 1.0, "class_accuracy": 1.0, "mel_l1": 0.0},
        "model": FIGURES | {"onset_f1": 0.912, "class_accuracy": None, "mel_l1": 0.6},
        "silence": FIGURES | {"onset_f1": 0.0, "class_accuracy": 0.0, "mel_l1": 3.0},
    },
    "training": {
        "n_train": 9,
        "n_train_sources": 4,
        "steps": 20,
        "seconds": 3.5,
        "parameters": 1_200_000,
    },
}
PLAY = """video => new Promise((done, fail) => {
  video.onended = () => done(video.webkitAudioDecodedByteCount);
  video.onerror = () => fail(video.error.message);
  video.playbackRate = 4;
  video.play().catch(fail);
})"""


def store_clip(bucket: DirectoryBucket, folder: Path, index: int) -> DatasetClip:
    """A held-out clip, and another sound as the model's answer."""
    scene = build_scene(0, index).shortened(SECONDS)
    clip_id = build_clip_id(scene.source_id, 0, SECONDS)
    original, answer, wav = (folder / f"{clip_id}.{end}" for end in ("mp4", "a.mp4", "wav"))
    encode_film(SceneFilm(scene), original)
    write_wav(wav, np.roll(read_audio(original, 16_000), 4000), 16_000)
    add_sound(original, wav, answer)
    stored = bucket.upload(original, f"{processed_prefix(RECIPE)}{clip_id}.mp4")
    sound = bucket.upload(wav, f"{processed_prefix(RECIPE)}{clip_id}.wav")
    bucket.upload(answer, f"{held_out_prefix(RECIPE, 'dataset_v1')}{clip_id}.mp4")
    return DatasetClip(
        clip_id=clip_id,
        source_id=scene.source_id,
        start_s=0,
        end_s=SECONDS,
        labels=(scene.material.label if index else EVIL,),
        split="test",
        key=stored.key,
        size=stored.size,
        crc32c=stored.crc32c,
        sha256=hashlib.sha256(original.read_bytes()).hexdigest(),
        wav_key=sound.key,
        wav_size=sound.size,
        wav_crc32c=sound.crc32c,
        wav_sha256=hashlib.sha256(wav.read_bytes()).hexdigest(),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    bucket = DirectoryBucket(folder / "bucket")
    clips = tuple(store_clip(bucket, folder, index) for index in range(2))
    write_version(bucket, RECIPE, DatasetVersion("dataset_v1", {"test": clips}))
    heard = {"model": {"onset_f1": 0.875, "onsets": 3, "mel_l1": 0.5, "heard": EVIL}}
    rows = [{"clip_id": clips[1].clip_id, "labels": clips[1].labels, "systems": heard}]
    model = model_prefix(RECIPE, "dataset_v1")
    bucket.write(f"{model}metrics.json", json.dumps(METRICS | {"clips": rows}).encode())
    Image.new("RGB", (300, 200)).save(folder / "curve.png")
    bucket.upload(folder / "curve.png", f"{model}learning_curve.png")
    counts = {"ok": 2, "skipped:already_done": 3, "failed:no_audio": 1}
    reports = [
        StageReport(
            stage="collection", recipe=RECIPE.name, counts=counts, seconds=1.5, bytes_written=2**20
        )
    ]
    return write_report(bucket, RECIPE, reports, folder / "out")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    args = ["--no-sandbox", "--disable-dev-shm-usage"]
    args.append("--autoplay-policy=no-user-gesture-required")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, report: Path, tmp_path: Path) -> Iterator[Page]:
    """The page alone in another folder, on a narrow screen; no console message, no request."""
    alone = tmp_path / "mailed.html"
    alone.write_bytes(report.read_bytes())
    page = browser.new_page(viewport={"width": 390, "height": 800})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(alone.as_uri())
    yield page
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", alone.as_uri()))] == []


def test_generated_and_original_sound_and_silent_does_not(page: Page):
    videos = page.locator("article").first.locator("video")

    sound_bytes = [videos.nth(n).evaluate(PLAY) for n in range(4)]

    assert sound_bytes[0] == 0
    assert all(decoded > 0 for decoded in sound_bytes[1:])


def test_starting_one_video_stops_the_other(page: Page):
    videos = page.locator("video")
    videos.nth(1).evaluate("video => video.play()")
    videos.nth(2).evaluate("video => video.play()")

    assert videos.nth(1).evaluate("video => video.paused")


def test_clips_are_shown_three_ways_and_side_by_side(page: Page):
    article = page.locator("article").nth(1)

    assert page.locator("article").count() == 2
    assert article.locator(".panels figcaption strong").all_inner_texts() == [
        "Silent",
        "Generated",
        "Original",
    ]
    assert article.locator("video").count() == 4
    assert all(
        image.evaluate("image => image.complete && image.naturalWidth > 100")
        for image in article.locator("img").all()
    )


def test_stages_say_what_was_done_skipped_and_failed(page: Page):
    row = page.locator("#stages ~ div tbody tr").inner_text()

    assert "collection" in row
    assert "3 (3 already done)" in row
    assert "1 (1 no audio)" in row


def test_the_model_stands_beside_what_can_be_reached_and_what_chance_gives(page: Page):
    rows = page.locator("#metrics ~ div tbody tr").all_inner_texts()

    assert [row.split("\t")[0] for row in rows] == [
        "the original itself",
        "generated by the model",
        "silence",
    ]
    assert rows[1].split("\t")[1:] == ["0.912", "0.250", "0.750", "–", "0.600"]
    assert "2 clips of 2 sources" in page.locator("#metrics ~ div caption").inner_text()


def test_a_clip_that_was_measured_says_how_good_it_is(page: Page):
    verdicts = page.locator("article .verdict").all_inner_texts()

    assert verdicts == [f"Generated: onset F1 0.88, the classifier hears “{EVIL}”."]


def test_text_of_others_is_shown_not_run(page: Page):
    assert page.title() == "Silent to Sound: report_test"
    assert page.locator("article h3").first.inner_text() in {EVIL, "metal ball clanging"}
    assert EVIL in page.locator("main").inner_text()
    assert EVIL in page.locator("header").inner_text()


def test_everything_has_a_name(page: Page):
    for element in page.locator("img").all():
        assert element.get_attribute("alt")
    for element in page.locator("video").all():
        assert element.get_attribute("aria-label")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    assert page.locator("table caption").count() == page.locator("table").count()


def test_a_narrow_screen_needs_no_sideways_scrolling(page: Page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_dark_screen_gets_a_dark_page(page: Page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")

    assert light == "rgb(251, 250, 247)"
    assert page.evaluate(ground) == "rgb(21, 23, 26)"
