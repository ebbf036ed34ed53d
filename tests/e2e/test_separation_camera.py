"""The camera and the microphone of separation's page: two talkers before them are given voices."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from separators import FPS, RATE_HZ, babble, beside, draw_talker
from talkers_app import talkers_app

from s2s.media import read_audio, write_wav
from serving.http.server import Server

pytestmark = pytest.mark.browser
WAIT_MS = 90_000
RECORDED_S = 2.0


def write_y4m(path: Path, pictures: Sequence[np.ndarray]) -> Path:
    """Pictures as YUV4MPEG2, which Chromium takes for what a camera sees."""
    height, width, _ = pictures[0].shape
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            planes = Image.fromarray(picture).convert("YCbCr").split()
            halves = (plane.resize((width // 2, height // 2)) for plane in planes[1:])
            file.write(b"FRAME\n" + b"".join(part.tobytes() for part in (planes[0], *halves)))
    return path


@pytest.fixture
def page(chromium: str, tmp_path: Path) -> Iterator[Page]:
    """The page on a small telephone, with two talkers who babble before its camera."""
    camera = write_y4m(tmp_path / "seen.y4m", beside(draw_talker(1, 75), draw_talker(2, 75)))
    write_wav(tmp_path / "heard.wav", babble(3), RATE_HZ)
    args = ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-ui-for-media-stream"]
    args += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    args.append(f"--use-file-for-fake-audio-capture={tmp_path / 'heard.wav'}")
    with Server(talkers_app(tmp_path)).running() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        page = browser.new_page(viewport={"width": 360, "height": 740}, base_url=url)
        page.set_default_timeout(WAIT_MS)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        yield page
        browser.close()
    assert errors == []


def test_talkers_before_the_camera_are_heard_apart(page: Page, tmp_path: Path):
    page.get_by_role("button", name="Record from the camera").click()
    stop = page.get_by_role("button", name="Stop recording")
    expect(stop).to_be_visible()
    page.wait_for_function(
        "least => document.querySelector('#camera-preview').currentTime > least", arg=RECORDED_S
    )
    stop.click()
    page.get_by_role("button", name="Separate the voices").click()
    page.locator("#play[data-ready=yes]").wait_for()

    buttons = page.locator("#faces button")
    expect(buttons).to_have_count(4)
    expect(buttons.nth(1)).to_contain_text("Face 1")
    expect(buttons.nth(2)).to_contain_text("Face 2")
    page.locator("#files summary").click()
    with page.expect_download() as found:
        page.get_by_role("link", name="Download mixture sound").click()
    found.value.save_as(tmp_path / "mixture.wav")
    heard_N = read_audio(tmp_path / "mixture.wav", RATE_HZ)
    assert len(heard_N) > RATE_HZ
    assert np.abs(heard_N).max() > 0.02, "what the microphone heard"
