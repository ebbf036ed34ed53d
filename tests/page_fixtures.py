"""What tests of the server's page share: a browser, the page in it, and a server that waits."""
# ruff: noqa: PLC0415 - playwright and FastAPI take long to import, which other tests need not pay

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from serving.http.service import Limits


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["Browser"]:
    """Chromium, which plays sound and has a camera."""
    from playwright.sync_api import sync_playwright

    args = ["--no-sandbox", "--disable-dev-shm-usage"]
    args.append("--autoplay-policy=no-user-gesture-required")
    args += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser", tone_url: str) -> Iterator["Page"]:
    """The page on a small telephone; it must ask no other host, and no script may fail."""
    page = browser.new_page(viewport={"width": 360, "height": 740}, base_url=tone_url)
    page.set_default_timeout(60_000)  # the machine may be busy
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


@pytest.fixture
def page_and_key(
    browser: "Browser", small_limits: "Limits", tmp_path: Path
) -> Iterator[tuple["Page", str]]:
    """The page of a server that asks for a key, and a key that it knows."""
    from tone import TonePredictor, tone_model

    from serving.access.keys import KeyRing, add_key
    from serving.http.app import create_app
    from serving.http.server import Server

    key = add_key(tmp_path / "keys.txt", "anna")
    ring = KeyRing.load(tmp_path / "keys.txt")
    model = tone_model("tone", TonePredictor)
    with Server(create_app([model], small_limits, tmp_path, keys=ring)).running() as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        yield page, key
        page.close()


@pytest.fixture
def slow_url(small_limits: "Limits", tmp_path: Path) -> Iterator[tuple[str, threading.Event]]:
    """A server whose model waits for the event."""
    from tone import TonePredictor, tone_model

    from serving.http.app import create_app
    from serving.http.server import Server

    release = threading.Event()

    class Slow(TonePredictor):
        def predict(self, batch):
            release.wait()
            return super().predict(batch)

    with Server(create_app([tone_model("slow", Slow)], small_limits, tmp_path)).running() as url:
        yield url, release
        release.set()
