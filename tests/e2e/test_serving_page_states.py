"""What the page says before, between and after jobs: models that load, reloads, keys, one task."""

import threading
from pathlib import Path

import pytest
from page_steps import COLOURS, make_sound, violations_in_all_looks
from playwright.sync_api import Page, expect

from s2s.media import run_ffmpeg
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

pytestmark = pytest.mark.browser


def test_nothing_is_made_before_the_model_is_loaded(
    page: Page, gated_model, small_limits: Limits, silent_video: Path, tmp_path: Path
):
    model, gate = gated_model
    server = Server(create_app([model], small_limits, tmp_path))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        page.goto(server.url)
        page.get_by_label("Silent video or picture").set_input_files(silent_video)
        button = page.get_by_role("button", name="Make the sound")
        expect(button).to_be_disabled()
        expect(page.get_by_text("The model is being loaded")).to_be_visible()
        assert violations_in_all_looks(page) == []
        gate.set()
        expect(page.get_by_text("The model is being loaded")).to_be_hidden()
        button.click()
        expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    finally:
        gate.set()
        page.goto("about:blank")
        server.stop()
        thread.join()


def test_a_model_that_could_not_be_loaded_is_told(page: Page):
    def fail(route):
        answer = route.fetch().json()
        answer["models"][0] |= {"ready": False, "not_loaded": "config.json: is missing."}
        route.fulfill(json=answer)

    page.route("**/v1/models", fail)
    page.reload()
    expect(page.get_by_role("button", name="Make the sound")).to_be_disabled()
    expect(page.locator("#loading")).to_have_text(
        "This model could not be loaded: config.json: is missing."
    )
    assert violations_in_all_looks(page) == []


def test_a_page_of_one_task_is_called_by_it(page: Page):
    expect(page.get_by_role("heading", name="Sound for a silent video")).to_be_visible()
    expect(page).to_have_title("Sound for a silent video · Silent to Sound")


def test_another_seed_is_tried_after_a_reload(page: Page, silent_video: Path):
    page.locator("#more summary").click()
    page.get_by_label("Format").select_option("wav")
    make_sound(page, silent_video)
    expect(page.locator("#timing")).to_contain_text("Seed 0.")
    page.reload()
    page.get_by_role("button", name="Show clip.mp4, seed 0").click()
    expect(page.locator("#silent")).to_have_js_property("videoWidth", 160)  # what was sent
    page.get_by_role("button", name="Try another seed").click()
    expect(page.locator("#timing")).to_contain_text("Seed 1.")
    takes = page.get_by_role("group", name="Takes of this file").get_by_role("button")
    expect(takes).to_have_text(["Take 1 · seed 0", "Take 2 · seed 1"])
    for _ in range(2):
        page.get_by_role("button", name="Remove clip.mp4").first.click()
        expect(page.get_by_role("status")).to_have_text("Removed.")
    expect(page.locator("#history")).to_be_hidden()
    kept = """() => new Promise((done) => {
      const look = () => {
        indexedDB.open("files").onsuccess = ({ target: { result } }) => {
          const keys = result.transaction("files").objectStore("files").getAllKeys();
          keys.onsuccess = () => (keys.result.length === 0 ? done(0) : setTimeout(look, 20));
        };
      };
      look();
    })"""
    assert page.evaluate(kept) == 0, "a file stays no longer than its jobs"


def test_what_a_browser_cannot_show_has_the_picture_of_its_preview(
    page: Page, make_video, tmp_path: Path
):
    hevc = make_video("clip.mp4", "-x265-params", "log-level=error:pools=1", codec="libx265")
    avi = tmp_path / "old.avi"
    run_ffmpeg(["-i", str(hevc), "-c:v", "mpeg4", str(avi)], "old.avi")
    make_sound(page, hevc)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    picture = page.locator("#jobs canvas")
    expect(picture).to_have_js_property("width", 160)
    assert picture.evaluate(COLOURS) > 10
    page.locator("#more summary").click()
    page.get_by_label("Format").select_option("wav")
    make_sound(page, avi)
    expect(page.locator("#timing")).to_contain_text("Seed 0.")
    expect(page.get_by_role("button", name="Play old.avi, seed 0")).to_have_text("AVI")
    assert violations_in_all_looks(page) == []


def test_a_warning_is_told_and_is_not_called_done(page: Page, silent_video: Path):
    told = "Nothing was separated: no face's lips move."

    def warn(route):
        job = route.fetch().json()
        if job.get("document"):
            job["document"]["warning"] = told
        route.fulfill(json=job)

    page.route("**/v1/jobs/*", warn)
    make_sound(page, silent_video)
    expect(page.locator("#warning")).to_have_text(told)
    expect(page.get_by_role("status")).to_have_text("Done, with a warning.")
    assert violations_in_all_looks(page) == []


def test_one_can_log_out(page_and_key: tuple[Page, str], silent_video: Path):
    page, key = page_and_key
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    assert violations_in_all_looks(page) == []  # the form of the key
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Use the key").click()
    make_sound(page, silent_video)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    job = page.evaluate("JSON.parse(localStorage.jobs)[0].url")
    assert page.request.get(job).status == 200
    assert violations_in_all_looks(page) == []
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Key")).to_be_visible()
    expect(page.locator("#history")).to_be_hidden()  # the next at this browser sees no jobs
    assert page.request.get(job).status == 401
