"""The page and its jobs: takes, the history, what goes on after a reload, what is cancelled."""

import threading
from pathlib import Path
from typing import Any

import pytest
from page_steps import COLOURS, PLAY_TO_THE_END, WAIT_FOR_SOUND, make_sound
from playwright.sync_api import Page, expect

from s2s.media import run_sandboxed

pytestmark = pytest.mark.browser


def test_sound_alone_is_played_and_another_seed_tried(
    page: Page, silent_video: Path, tmp_path: Path
):
    page.locator("#more summary").click()
    page.get_by_label("Format").select_option("wav")
    make_sound(page, silent_video)
    expect(page.locator("#sound")).to_be_visible()
    expect(page.locator("#sounding")).to_be_hidden()
    expect(page.locator("#timing")).to_contain_text("Seed 0.")
    expect(page.locator("#silent")).to_be_visible()  # what was sent, beside the sound
    # Whatever is in the form by now, it is the same file with the same options.
    other = tmp_path / "other.mp4"
    other.write_text("no video")
    page.get_by_label("Silent video or picture").set_input_files(other)
    page.get_by_label("Format").select_option("mp4")
    page.get_by_role("button", name="Try another seed").click()
    expect(page.locator("#timing")).to_contain_text("Seed 1.")
    expect(page.locator("#sound")).to_be_visible()
    takes = page.get_by_role("group", name="Takes of this file").get_by_role("button")
    expect(takes).to_have_text(["Take 1 · seed 0", "Take 2 · seed 1"])
    takes.first.click()
    expect(page.locator("#timing")).to_contain_text("Seed 0.")
    expect(takes.first).to_have_attribute("aria-pressed", "true")


def test_jobs_are_remembered_shown_again_and_removed(page: Page, silent_video: Path):
    make_sound(page, silent_video)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    page.reload()
    page.get_by_role("button", name="Show clip.mp4, seed 0").click()
    expect(page.get_by_role("heading", name="Result")).to_be_focused()
    page.locator("#sounding").evaluate(PLAY_TO_THE_END)
    page.get_by_role("button", name="Remove clip.mp4, seed 0").click()
    expect(page.locator("#history")).to_be_hidden()
    page.reload()
    expect(page.locator("#history")).to_be_hidden()


def test_a_reload_goes_on_with_the_work(page: Page, silent_video: Path, slow_url):
    url, release = slow_url
    page.goto(url)
    make_sound(page, silent_video)
    expect(page.get_by_text("being made")).to_be_visible()
    page.reload()
    expect(page.get_by_role("progressbar")).to_be_in_viewport()
    release.set()
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    page.locator("#sounding").evaluate(PLAY_TO_THE_END)


@pytest.mark.parametrize("name", ["Cancel", "Cancel clip.mp4, seed 0"])
def test_work_can_be_cancelled(page: Page, silent_video: Path, slow_url, name: str):
    url, _ = slow_url
    page.goto(url)
    make_sound(page, silent_video)
    expect(page.get_by_text("being made")).to_be_visible()
    job = page.evaluate("JSON.parse(localStorage.jobs)[0].url")
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Cancelled.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.locator("#history")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.get_by_role("button", name="Make the sound")).to_be_enabled()
    assert page.request.get(url + job).status == 404


def test_what_was_sent_is_looked_at_and_that_can_be_cancelled(
    page: Page, silent_video: Path, monkeypatch: pytest.MonkeyPatch
):
    release = threading.Event()

    def look(*args: Any, **limits: Any) -> Any:
        release.wait(60)
        return run_sandboxed(*args, **limits)

    monkeypatch.setattr("serving.http.submissions.run_sandboxed", look)
    make_sound(page, silent_video)
    expect(page.locator("#step")).to_have_text("Looking at the file")
    expect(page.get_by_role("progressbar")).to_have_js_property("position", -1)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Cancelled.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    release.set()


def test_a_place_in_the_queue_is_told(page: Page, silent_video: Path, tone_url: str):
    waiting = {"state": "queued", "progress": 0, "queue_position": 3}
    job = {"id": "a", "model": "tone", "options": {}, "created_at": "2026-01-01T00:00:00Z"}
    job |= {"links": {"self": "/v1/jobs/a", "events": "/v1/jobs/a/events"}} | waiting
    page.route("**/v1/generations", lambda route: route.fulfill(status=202, json=job))
    page.route("**/v1/jobs/a", lambda route: route.fulfill(json=job))
    events = 'event: progress\ndata: {"state": "queued", "progress": 0.0}\n\n'
    page.route(
        "**/v1/jobs/a/events",
        lambda route: route.fulfill(body=events, content_type="text/event-stream"),
    )
    make_sound(page, silent_video)
    expect(page.locator("#step")).to_have_text("Waiting: 3 jobs come before")


def test_an_earlier_job_is_played_from_its_picture(page: Page, silent_video: Path):
    make_sound(page, silent_video)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    page.reload()
    expect(page.locator("#jobs")).to_contain_text("done · ")
    expect(page.locator("#jobs")).to_contain_text("kept until")
    picture = page.locator("#jobs canvas")
    expect(picture).to_have_js_property("width", 160)
    assert picture.evaluate(COLOURS) > 10
    page.get_by_role("button", name="Play clip.mp4, seed 0").click()
    page.locator("#sounding").evaluate(WAIT_FOR_SOUND)
