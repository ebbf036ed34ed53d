"""How the page looks and whom it serves: colours, names, axe, phones, tabs."""

import threading
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


def test_axe_finds_no_violation(
    page: Page, slow_url: tuple[str, threading.Event], silent_video: Path, tmp_path: Path
):
    url, release = slow_url
    page.goto(url)
    for name in ("more", "program"):
        page.locator(f"#{name}").evaluate("details => { details.open = true; }")
    assert violations_in_all_looks(page) == []
    make_sound(page, silent_video)
    expect(page.get_by_text("being made")).to_be_visible()
    assert violations_in_all_looks(page) == []  # the work, and the job in the history
    release.set()
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    page.get_by_role("button", name="Try another seed").click()
    expect(page.get_by_role("group", name="Takes of this file")).to_be_visible()
    expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
    assert violations_in_all_looks(page) == []
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    make_sound(page, text)
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert violations_in_all_looks(page) == []


def test_the_api_has_a_page(page: Page):
    page.get_by_role("link", name="The API").click()
    expect(page.get_by_role("heading", name="POST /v1/generations")).to_be_visible()
    expect(page.get_by_role("row", name="guidance")).to_contain_text("number, 1 to 20")
    expect(page.get_by_role("row", name="picture file")).to_contain_text("jpeg, jpg, png, webp")
    expect(page.get_by_role("row", name="picture file")).not_to_contain_text("mp4")
    expect(page.get_by_role("row", name="video file")).not_to_contain_text("jpeg")
    assert violations_in_all_looks(page) == []
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
        tabs.first.click()
        expect(page.locator("#result")).to_be_hidden()
        page.get_by_role("button", name="Make the sound").click()
        expect(page.locator("#pictures")).to_have_attribute("data-drawn", "yes")
        expect(page.locator("#takes")).to_be_hidden()  # the other is no take of this sound
        tabs.last.click()
        expect(page.locator("#made pre")).to_be_visible()  # each tab keeps its own result
        expect(page.locator("#pictures")).to_have_count(0)
        page.get_by_role("button", name="Try an example").click()
        expect(page.locator("#chosen-name")).to_have_text("example.mp4")
        page.close()
