"""The page's tabs: each has a job, a result and a last word of its own."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from brightness import brightness_model
from page_steps import make_sound, violations, violations_in_all_looks
from playwright.sync_api import Browser, Page, expect
from tone import TonePredictor, tone_model

from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

pytestmark = pytest.mark.browser


@pytest.fixture
def two_tabs(
    browser: Browser, small_limits: Limits, tmp_path: Path
) -> Iterator[tuple[Page, threading.Event]]:
    """The page of two tasks; the first's model waits for the event."""
    release = threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            release.wait()
            return super().predict(batch)

    models = [tone_model("slow", Slow), brightness_model()]
    errors: list[str] = []
    with Server(create_app(models, small_limits, tmp_path)).running() as url:
        page = browser.new_page(base_url=url, viewport={"width": 360, "height": 740})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        yield page, release
        release.set()
        page.close()
    assert errors == []


def say_how_bright(page: Page, video: Path) -> None:
    page.get_by_label("Video", exact=True).set_input_files(video)
    page.get_by_role("button", name="Say how bright it is").click()
    expect(page.locator("#made pre")).to_contain_text('"label": ')


def test_a_tab_works_while_another_does(two_tabs: tuple[Page, threading.Event], silent_video: Path):
    page, release = two_tabs
    sound, bright = page.get_by_role("tab").all()
    make_sound(page, silent_video)
    expect(page.get_by_text("being made")).to_be_visible()
    bright.click()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(sound).to_contain_text("at work")
    say_how_bright(page, silent_video)
    assert violations_in_all_looks(page) == []
    sound.click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button", name="Make the sound")).to_be_disabled()
    expect(page.locator("#result")).to_be_hidden()
    bright.click()
    expect(page.locator("#made pre")).to_be_visible()  # as it was left
    release.set()
    expect(sound).to_contain_text("done")
    expect(page.get_by_role("status")).to_have_text("Sound for a silent video: done.")
    expect(page.locator("#made pre")).to_be_visible()
    sound.click()
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    expect(sound).to_have_text("Sound for a silent video")
    # There and back, the player is where it was.
    page.locator("#sounding").evaluate("video => { video.currentTime = 1; }")
    bright.click()
    sound.click()
    assert page.locator("#sounding").evaluate("video => video.currentTime") == 1


def test_a_job_of_another_task_is_shown_in_its_tab(
    two_tabs: tuple[Page, threading.Event], silent_video: Path
):
    page, release = two_tabs
    release.set()
    sound, bright = page.get_by_role("tab").all()
    make_sound(page, silent_video)
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    bright.click()
    expect(page.locator("#jobs")).to_contain_text("Sound for a silent video")
    page.get_by_role("button", name="Show clip.mp4, seed 0").click()
    expect(sound).to_have_attribute("aria-selected", "true")
    expect(page.locator("#sounding")).to_be_visible()
    expect(page.get_by_role("button", name="Make the sound")).to_be_visible()


def test_a_failure_in_another_tab_is_told_when_one_looks(
    two_tabs: tuple[Page, threading.Event], silent_video: Path
):
    page, _ = two_tabs
    sound, bright = page.get_by_role("tab").all()
    make_sound(page, silent_video)
    expect(page.get_by_text("being made")).to_be_visible()
    problem = {"type": "urn:problem-type:s2s:unusable-video", "title": "It cannot be used"}
    problem |= {"status": 422, "detail": "No frame can be decoded.", "reason": "corrupt"}
    job = page.evaluate("JSON.parse(localStorage.jobs)[0].url")
    answer = page.request.get(job).json() | {"state": "failed", "problem": problem}
    page.route(f"**{job}", lambda route: route.fulfill(json=answer))
    bright.click()
    page.request.delete(job)  # ends its events
    expect(sound).to_contain_text("failed")
    expect(page.get_by_role("alert")).to_be_empty()
    sound.click()
    expect(page.get_by_role("alert")).to_contain_text("No frame can be decoded.")
    expect(page.get_by_role("progressbar")).to_be_hidden()


def test_a_reload_comes_back_to_its_tab(two_tabs: tuple[Page, threading.Event]):
    page, _ = two_tabs
    bright = page.get_by_role("tab").last
    bright.click()
    page.reload()
    expect(bright).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Say how bright it is")).to_be_visible()


def test_options_stay_over_a_visit_to_another_tab(two_tabs: tuple[Page, threading.Event]):
    page, _ = two_tabs
    sound, bright = page.get_by_role("tab").all()
    page.locator("#more").evaluate("details => { details.open = true; }")
    page.get_by_label("Seed").fill("7")
    bright.click()
    page.get_by_label("Top").fill("2")
    sound.click()
    expect(page.get_by_label("Seed")).to_have_value("7")


def test_what_a_browser_cannot_show_is_said(page: Page, make_video, tmp_path: Path):
    """Chromium knows no H.265: it plays the sound of such a file, and a black picture."""
    hevc = make_video(
        *("clip.mp4", "-tag:v", "hvc1", "-x265-params", "log-level=error:pools=1"),
        codec="libx265",
        sound="sine",
    )
    make_sound(page, hevc)
    expect(page.locator("#chosen-about")).to_contain_text("This browser cannot show it")
    expect(page.locator("#chosen-picture")).to_be_hidden()
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    assert page.locator("#sounding").evaluate("video => video.videoWidth") == 160
    expect(page.get_by_text("this is a copy that they do")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download video", exact=True).first.click()
    assert download.value.suggested_filename == "clip_with_sound.mp4"
    assert violations(page) == []


def test_an_empty_file_is_called_so_and_not_sent(page: Page, tmp_path: Path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    page.route("**/v1/generations", lambda route: route.abort())
    make_sound(page, tmp_path / "empty.mp4")
    expect(page.locator("#chosen-about")).to_contain_text("empty")
    expect(page.get_by_role("alert")).to_contain_text("The file is empty")
