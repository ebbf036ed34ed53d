"""Separation's part of the page: faces with their pictures, a player that mixes voices in sync."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_steps import violations_in_all_looks
from playwright.sync_api import Page, expect, sync_playwright
from separators import beside, draw_talker, write_film
from talkers_app import talkers_app

from serving.http.server import Server

pytestmark = pytest.mark.browser
WAIT_MS = 90_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    talkers = draw_talker(1, 75), draw_talker(2, 75)
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", beside(*talkers))


@pytest.fixture(scope="module")
def page(chromium: str, film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page on a small telephone, with a job that is done."""
    folder = tmp_path_factory.mktemp("serving")
    args = ["--no-sandbox", "--disable-dev-shm-usage"]
    args.append("--autoplay-policy=no-user-gesture-required")
    with Server(talkers_app(folder)).running() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        page = browser.new_page(viewport={"width": 360, "height": 740}, base_url=url)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if "Security Policy" in said.text else None,
        )
        page.goto("/")
        page.get_by_label("Video of people who talk").set_input_files(film)
        page.get_by_role("button", name="Separate the voices").click()
        page.locator("#play[data-ready=yes]").wait_for(timeout=WAIT_MS)
        yield page
        browser.close()
    assert errors == []


def test_every_face_has_a_picture_and_its_files(page: Page):
    buttons = page.locator("#faces button")
    expect(buttons).to_have_count(4)
    expect(buttons.nth(1)).to_contain_text("Face 1")
    expect(buttons.nth(1)).to_contain_text("seen 0.0–3.0 s")
    assert page.evaluate(
        "() => [...document.querySelectorAll('#faces img')].every(i => i.naturalWidth > 50)"
    )
    expect(page.get_by_role("link", name="Voice of face 2")).to_have_attribute(
        "download", "film_face_2.wav"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_all_files_are_listed_by_what_they_are_of(page: Page):
    expect(page.get_by_role("link", name="Download face 1 video")).to_be_visible()
    page.locator("#files summary", has_text="All 8 files").click()
    lines = page.locator("#downloads li")
    expect(lines).to_have_text(
        ["face 1videosoundpicture", "face 2videosoundpicture", "mixturesound", "restsound"]
    )
    expect(page.get_by_role("link", name="Download face 2 picture")).to_have_attribute(
        "download", "film_face_2.jpg"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    page.locator("#files summary").click()


def test_one_the_other_or_both_are_heard(page: Page):
    recorded, one, other = (page.locator("#faces button").nth(n) for n in range(3))
    heard = page.locator("#heard")
    expect(heard).to_have_text("Heard: As recorded")
    one.click()
    expect(heard).to_have_text("Heard: Face 1")
    expect(recorded).to_have_attribute("aria-pressed", "false")
    assert violations_in_all_looks(page) == []
    other.click()
    expect(heard).to_have_text("Heard: Face 1 + Face 2")
    one.click()
    expect(heard).to_have_text("Heard: Face 2")
    recorded.click()
    expect(heard).to_have_text("Heard: As recorded")


def test_sound_and_picture_play_together(page: Page):
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_text("Pause")
    page.wait_for_function("() => document.querySelector('#film').currentTime > 0.3")
    apart = page.evaluate(
        "() => Math.abs(document.querySelector('#film').currentTime"
        " - Number(document.querySelector('#seek').value))"
    )
    assert apart < 0.5
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_text("Play")
    page.locator("#seek").fill("2")
    page.wait_for_function("() => Math.abs(document.querySelector('#film').currentTime - 2) < 0.1")
    expect(page.locator("#clock")).to_have_text("0:02 / 0:03")


def test_the_example_has_talkers(page: Page):
    page.set_viewport_size({"width": 900, "height": 740})  # where a chosen file leaves room for it
    page.get_by_role("button", name="Try an example").click()
    expect(page.locator("#chosen-name")).to_have_text("example.mp4")
    source = page.locator("#example video").get_attribute("src")
    assert source == "/static/tasks/separation/example.mp4#t=1.5"
