"""Classification's tab in a browser: classes, and a chart that follows the player."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from classifiers import classification_settings, save_classifier
from page_steps import violations_in_all_looks
from playwright.sync_api import Page, expect, sync_playwright
from serving_fixtures import MakeVideo

from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.stored import model_of_folder

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)
SEEK = """(video, seconds) => new Promise((done) => {
  video.addEventListener("seeked", () => done(), { once: true });
  video.currentTime = seconds;
})"""


@pytest.fixture(scope="module", params=[360, 1100])
def page(
    request: pytest.FixtureRequest, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The page on a telephone, and on a desk; no script may fail, no other host is asked."""
    folder = tmp_path_factory.mktemp("tab")
    recipe = classification_settings(folder).recipe
    model = model_of_folder(save_classifier(folder / "model"), "acts", recipe)
    errors: list[str] = []
    app = create_app([model], Limits(10_000_000, 60.0), folder / "serving")
    with Server(app).running() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": request.param, "height": 800}, base_url=url)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto("/")
        yield page
        browser.close()
    assert errors == []


def send(page: Page, video: Path, **options: str) -> None:
    page.get_by_label("Video", exact=True).set_input_files(video)
    page.locator("#more").evaluate("details => { details.open = true; }")
    for label in ("Classes", "From", "To", "Length"):
        page.get_by_label(label, exact=True).fill(options.get(label, ""))
    page.get_by_role("button", name="Classify it").click()


def test_the_chart_follows_the_player(page: Page, make_video: MakeVideo):
    send(page, make_video("clip.mp4", seconds=6))
    expect(page.locator("#classes tbody tr")).to_have_count(3)
    expect(page.locator("#classes tbody svg")).to_have_count(3)
    expect(page.locator("#curves polyline")).to_have_count(3)
    for lines in ("#curl", "#python"):
        expect(page.locator(lines)).to_contain_text("result.json")
    expect(page.locator("#timeline")).to_contain_text("judged by the 2 s around it")
    player, now = page.locator("#shown"), page.locator("#now")
    places = []
    for seconds in (1, 4):
        player.evaluate(SEEK, seconds)
        expect(now).to_contain_text(f"{seconds}.0 s: ")
        places.append(float(page.locator("line.playhead").get_attribute("x1") or 0))
    box = page.locator("#curves").bounding_box()
    assert box is not None
    assert places[1] - places[0] == pytest.approx(3 / 6 * (box["width"] - 48), abs=1)
    page.locator("#curves").click(position={"x": (48 + box["width"]) / 2, "y": 20})
    expect(now).to_contain_text("3.0 s: ")
    sizes = page.locator("#curves .label").evaluate_all(
        "labels => labels.map((label) => label.getBoundingClientRect().height)"
    )
    assert all(12 <= size <= 18 for size in sizes), "as large at any width"
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 360:
        assert violations_in_all_looks(page) == []


def test_a_part_and_fewer_classes(page: Page, make_video: MakeVideo):
    video = make_video("clip.mp4", seconds=6)
    send(page, video, Classes="1", From="2", Length="3")
    expect(page.locator("#classes tbody tr")).to_have_count(1)
    expect(page.locator("#curves .label").last).to_have_text("5 s")
    expect(page.locator("#curves .label").nth(3)).to_have_text("2 s")
    send(page, video, From="2", Length="1")
    expect(page.locator("#timeline")).to_be_hidden()
    send(page, video, From="2")
    expect(page.get_by_role("alert")).to_contain_text("“From” needs “To” or “Length”")
