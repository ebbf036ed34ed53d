"""The page in a browser: from a chosen file to sound that plays, and what it says on the way."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from brightness import brightness_model
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tone import TonePredictor, tone_model

from s2s.media import run_ffmpeg
from serving.access.keys import KeyRing, add_key
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

pytestmark = pytest.mark.browser
# A job takes as long as a busy machine needs.
expect.set_options(timeout=60_000)

DECODED_SOUND = "video => video.webkitAudioDecodedByteCount"
PLAY_TO_THE_END = """video => new Promise((done) => {
  video.addEventListener("ended", () => done());
  video.play();
})"""
WAIT_FOR_SOUND = """video => new Promise((done) => {
  const look = () => (video.webkitAudioDecodedByteCount > 0 ? done() : setTimeout(look, 10));
  look();
})"""
COLOURS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""
AXE = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
FOCUSED = "document.activeElement.id"
# Contrast of an element's text as WCAG 2.2 defines it, from its colour and its background's.
CONTRAST = """element => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
    behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map(light).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    args = ["--no-sandbox", "--disable-dev-shm-usage"]
    args.append("--autoplay-policy=no-user-gesture-required")
    args += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, tone_url: str) -> Iterator[Page]:
    """The page on a small telephone; it must ask no other host, and no script may fail."""
    page = browser.new_page(viewport={"width": 360, "height": 740}, base_url=tone_url)
    errors: list[str] = []
    said: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    yield page
    page.close()
    assert errors == []
    assert [text for text in said if "Content Security Policy" in text] == []
    assert [url for url in asked if "://127.0.0.1:" not in url] == []


def make_sound(page: Page, video: Path) -> None:
    page.get_by_label("Silent video or picture").set_input_files(video)
    page.get_by_role("button", name="Make the sound").click()


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
    expect(problem).to_contain_text("mp4, mov, webm, mkv, avi")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.locator("#more").evaluate("details => { details.open = true; }")
    backdrop = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert backdrop == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[scheme]
    page.locator("#problem").evaluate("problem => { problem.textContent = 'wrong'; }")
    for element in page.locator("h1, label, p, a, .hint, summary, button, input").all():
        assert element.evaluate(CONTRAST) >= 4.5, element.evaluate("e => e.outerHTML")


def test_every_control_has_a_name(page: Page):
    page.locator("#more").evaluate("details => { details.open = true; }")
    for name in ("Silent video", "Seed", "Steps", "Guidance", "Duration", "Format"):
        expect(page.get_by_label(name, exact=False).first).to_be_visible()
    for element in page.locator("input, select, button, a, video, audio").all():
        assert element.evaluate(
            "e => e.hidden || e.type === 'hidden' || e.labels?.length || e.textContent.trim()"
            " || e.getAttribute('aria-labelledby') || e.getAttribute('aria-label')"
        )


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())  # past the policy, which lets no such script in
    found = page.evaluate("axe.run()")["violations"]
    return [f"{item['id']}: {node['html']}" for item in found for node in item["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page: Page, silent_video: Path, tmp_path: Path, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.locator("#more").evaluate("details => { details.open = true; }")
    assert violations(page) == []
    make_sound(page, silent_video)
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    assert violations(page) == []
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    make_sound(page, text)
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert violations(page) == []


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
    browser: Browser, small_limits: Limits, silent_video: Path, tmp_path: Path
):
    key = add_key(tmp_path / "keys.txt", "anna")
    ring = KeyRing.load(tmp_path / "keys.txt")
    model = tone_model("tone", TonePredictor)
    with Server(create_app([model], small_limits, tmp_path, keys=ring)).running() as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        make_sound(page, silent_video)
        expect(page.get_by_role("alert")).to_contain_text("A key is needed")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Use the key").click()
        expect(page.get_by_role("status")).to_have_text("The key is known.")
        make_sound(page, silent_video)
        expect(page.get_by_role("status")).to_have_text("Done: your video has sound.")
        page.locator("#sounding").evaluate(PLAY_TO_THE_END)
        assert page.evaluate("document.cookie") == ""
        page.close()


def test_another_predictor_has_a_tab_of_its_own(
    browser: Browser, small_limits: Limits, silent_video: Path, tmp_path: Path
):
    models = [tone_model("tone", TonePredictor), brightness_model()]
    with Server(create_app(models, small_limits, tmp_path)).running() as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_text(["Sound for a silent video", "How bright it is"])
        tabs.first.focus()
        page.keyboard.press("ArrowRight")
        expect(tabs.last).to_have_attribute("aria-selected", "true")
        assert violations(page) == []
        page.locator("#more summary").click()
        page.get_by_label("Top").fill("2")
        page.get_by_label("Video", exact=True).set_input_files(silent_video)
        page.get_by_role("button", name="Say how bright it is").click()
        expect(page.locator("#made pre")).to_contain_text('"label": "bright"')
        page.close()


@pytest.fixture
def slow_url(small_limits: Limits, tmp_path: Path) -> Iterator[tuple[str, threading.Event]]:
    """A server whose model waits for the event."""
    release = threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            release.wait()
            return super().predict(batch)

    with Server(create_app([tone_model("slow", Slow)], small_limits, tmp_path)).running() as url:
        yield url, release
        release.set()


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


def test_a_wrong_option_is_told_at_its_field(page: Page, silent_video: Path):
    page.locator("#more summary").click()
    page.get_by_label("Steps").fill("101")
    page.locator("#form").evaluate("form => { form.noValidate = true; }")
    make_sound(page, silent_video)
    expect(page.locator("p:has(#steps) [role=alert]")).to_contain_text("less than or equal to 100")
    expect(page.get_by_label("Steps")).to_be_focused()
    assert violations(page) == []


def test_the_example_is_given_sound_and_sought_in(page: Page):
    page.get_by_role("button", name="Try an example").click()
    expect(page.locator("#chosen-about")).to_contain_text("3.8 s, 22 kB")
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


def test_the_api_has_a_page(page: Page):
    page.get_by_role("link", name="The API").click()
    expect(page.get_by_role("heading", name="POST /v1/generations")).to_be_visible()
    expect(page.get_by_role("row", name="guidance")).to_contain_text("number, 1 to 20")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_buttons_can_be_seen_in_forced_colours(page: Page):
    page.emulate_media(forced_colors="active")
    for button in page.locator("button:visible, .button:visible").all():
        style = "e => [getComputedStyle(e).borderStyle, getComputedStyle(e).borderColor]"
        kind, colour = button.evaluate(style)
        assert kind == "solid"
        assert colour != "rgba(0, 0, 0, 0)"
    assert violations(page) == []


def test_portrait_pictures_fit_the_screen(page: Page, make_video, tmp_path: Path):
    tall = make_video("tall.mp4", size="160x320")
    make_sound(page, tall)
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    assert page.locator("#sounding").evaluate("video => video.clientHeight") <= 0.6 * 740
