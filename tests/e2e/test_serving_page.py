"""The page in a browser: from a chosen file to sound that plays, and what it says on the way."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from page_steps import (
    COLOURS,
    DECODED_SOUND,
    FOCUSED,
    PLAY_TO_THE_END,
    WAIT_FOR_SOUND,
    make_sound,
    violations,
)
from playwright.sync_api import Browser, Page, expect
from tone import TonePredictor, tone_model

from s2s.media import run_ffmpeg
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

pytestmark = pytest.mark.browser


def test_upload_progress_and_a_result_that_sounds(
    page: Page, silent_video: Path, small_limits: Limits, tmp_path: Path
):
    release = threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            release.wait()
            return super().predict(batch)

    app = create_app([tone_model("slow", Slow)], small_limits, tmp_path / "serving")
    server = Server(app)
    with server.running() as url:
        page.goto(url)
        make_sound(page, silent_video)
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("Making the sound: 25 %")
        expect(page.get_by_role("button", name="Make the sound")).to_be_disabled()
        release.set()
        expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
        expect(page.get_by_role("progressbar")).to_be_hidden()
        expect(page.locator("#timing")).to_contain_text("Seed 0. upload ")
        expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
        for name in ("waveform", "spectrogram"):
            assert page.locator(f"#{name}").evaluate(COLOURS) > 1

        sounding = page.locator("#sounding")
        sounding.evaluate(PLAY_TO_THE_END)
        assert sounding.evaluate(DECODED_SOUND) > 0
        expect(page.locator("#made video:visible")).to_have_count(1)
        assert sounding.evaluate("video => video.videoWidth") == 160
        assert abs(sounding.evaluate("video => video.duration") - 2) <= 1 / 25
        assert page.evaluate("document.documentElement.scrollWidth") <= 360

        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "clip_with_sound.mp4"
        download.value.save_as(tmp_path / "saved.mp4")
        assert (tmp_path / "saved.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_keyboard_is_enough(page: Page, silent_video: Path):
    page.on("filechooser", lambda chooser: chooser.set_files(silent_video))
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "video"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Silent video or picture")).to_have_value(re.compile("clip.mp4"))
    for key in ("Tab", "Tab", "Enter", "Tab"):  # past the camera, to the options, to the seed
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) == "seed"
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.locator("#timing")).to_contain_text("Seed 5.")
    assert page.evaluate(FOCUSED) == "result-title"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == "sounding":
            break
    page.keyboard.press("Space")
    page.locator("#sounding").evaluate(WAIT_FOR_SOUND)


def test_a_dropped_file_is_taken(page: Page):
    transfer = page.evaluate_handle(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["x"], "dropped.mp4"));
          return transfer;
        }"""
    )
    # Beside the box, where browsers would open the file in place of the page.
    page.dispatch_event("footer", "drop", {"dataTransfer": transfer})
    assert (
        page.get_by_label("Silent video or picture").evaluate("input => input.files[0].name")
        == "dropped.mp4"
    )
    assert page.evaluate(FOCUSED) == "submit"


def test_a_refused_file_shows_why(page: Page, silent_video: Path, tmp_path: Path):
    text = tmp_path / "notes.mp4"
    text.write_text("<b>not a video</b>")
    make_sound(page, text)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("This kind of file is not accepted: 'notes.mp4'")
    expect(problem).to_contain_text("Accepted are videos such as ")
    expect(problem).to_contain_text("pictures such as jpg, png, webp.")
    expect(problem).not_to_contain_text("API")  # which programs are told to ask
    expect(page.locator("#result")).to_be_hidden()

    make_sound(page, silent_video)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    expect(problem).to_be_empty()


def test_a_file_too_large_is_not_even_sent(page: Page, tmp_path: Path):
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(2_000_001))
    expect(page.locator("#accepted")).to_contain_text("up to 2\u00a0MB and 5\u00a0s")
    page.route("**/v1/generations", lambda route: route.abort())
    make_sound(page, large)
    expect(page.get_by_role("alert")).to_contain_text("at most 2 MB are accepted")


def test_a_server_that_is_gone_is_told(page: Page, silent_video: Path):
    page.route("**/v1/generations", lambda route: route.abort())
    make_sound(page, silent_video)
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.get_by_role("button", name="Make the sound")).to_be_enabled()


def test_without_its_script_the_page_gives_a_download(
    browser: Browser, tone_url: str, silent_video: Path
):
    page = browser.new_page(java_script_enabled=False)
    page.goto(tone_url)
    with page.expect_download() as download:
        make_sound(page, silent_video)
    assert download.value.suggested_filename == "clip_with_sound.mp4"
    page.locator("#more summary").click()
    page.get_by_label("Format").select_option("wav")
    page.get_by_label("Seed").fill("3")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the sound").click()
    assert download.value.suggested_filename == "clip_sound.wav"
    page.close()


def test_a_picture_is_given_sound(page: Page, silent_video: Path, tmp_path: Path):
    picture = tmp_path / "picture.png"
    run_ffmpeg(["-i", str(silent_video), "-frames:v", "1", str(picture)], "picture")
    page.locator("#more summary").click()
    page.get_by_label("Duration").fill("1")
    make_sound(page, picture)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    sounding = page.locator("#sounding")
    sounding.evaluate(PLAY_TO_THE_END)
    assert sounding.evaluate(DECODED_SOUND) > 0
    assert abs(sounding.evaluate("video => video.duration") - 1) <= 1 / 25


def test_the_result_can_be_sought_in(page: Page, silent_video: Path):
    make_sound(page, silent_video)
    sounding = page.locator("#sounding")
    expect(sounding).to_be_visible()
    sounding.evaluate("""video => new Promise((done) => {
      video.addEventListener("seeked", () => done());
      video.currentTime = 1.5;
    })""")
    assert abs(sounding.evaluate("video => video.currentTime") - 1.5) < 0.01
    assert sounding.evaluate("video => video.seekable.length") == 1


def test_the_camera_records_a_video_that_gets_sound(page: Page):
    button = page.get_by_role("button", name="Record from the camera")
    button.click()
    stop = page.get_by_role("button", name="Stop recording")
    expect(stop).to_be_visible()
    while page.locator("#camera-preview").evaluate("video => video.currentTime") < 0.5:
        page.wait_for_timeout(50)
    stop.click()
    expect(page.get_by_label("Silent video or picture")).to_have_value(re.compile("camera"))
    page.get_by_role("button", name="Make the sound").click()
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.", timeout=20_000)


def test_a_key_is_asked_for_and_kept_as_a_cookie(
    page_and_key: tuple[Page, str], silent_video: Path
):
    page, key = page_and_key
    make_sound(page, silent_video)
    expect(page.get_by_role("alert")).to_contain_text("A key is needed")
    assert violations(page) == []
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Use the key").click()
    expect(page.get_by_role("status")).to_have_text("The key is known.")
    make_sound(page, silent_video)
    expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
    page.locator("#sounding").evaluate(PLAY_TO_THE_END)
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_option_is_told_at_its_field(page: Page, silent_video: Path):
    page.locator("#more summary").click()
    page.get_by_label("Steps").fill("101")
    page.locator("#form").evaluate("form => { form.noValidate = true; }")
    make_sound(page, silent_video)
    expect(page.locator("p:has(#steps) [role=alert]")).to_contain_text("must be 100 or less")
    expect(page.get_by_label("Steps")).to_be_focused()
    assert violations(page) == []


def test_the_example_is_given_sound_and_sought_in(page: Page):
    page.get_by_role("button", name="Try an example").click()
    expect(page.locator("#chosen-about")).to_contain_text("3.8 s, 29 kB")
    expect(page.get_by_label("Duration")).to_be_hidden()  # it is for pictures
    page.get_by_role("button", name="Make the sound").click()
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    seek, sounding = page.get_by_label("Place in the sound"), page.locator("#sounding")
    box = seek.bounding_box()
    assert box is not None
    seek.click(position={"x": box["width"] / 2, "y": 40})
    assert abs(sounding.evaluate("video => video.currentTime") - 1.9) < 0.1
    seek.press("ArrowLeft")
    assert abs(sounding.evaluate("video => video.currentTime") - 1.8) < 0.1


def test_the_lines_for_programs_work(page: Page, tone_url: str, silent_video: Path, tmp_path: Path):
    page.get_by_label("Silent video or picture").set_input_files(silent_video)
    page.locator("#more summary").click()
    page.get_by_label("Seed").fill("4")
    page.get_by_text("The same from a program").click()
    folder = tmp_path / "client"
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(silent_video.read_bytes())
    page.get_by_role("button", name="Copy for a shell").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    programs = {"curl": ["sh", "-c"], "python": [sys.executable, "-c"]}
    for name, program in programs.items():
        lines = page.locator(f"#{name}").inner_text()
        assert "seed" in lines
        subprocess.run([*program, lines], cwd=folder, check=True)
        result = folder / "result.mp4"
        assert result.read_bytes()[4:8] == b"ftyp"
        result.unlink()
