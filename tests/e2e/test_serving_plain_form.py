"""The page's form without its script, at a plain http address that is not this machine's own.

There, browsers send no Sec-Fetch-Site: what tells the form from another site's is its Origin alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tone import tone_model

from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits

pytestmark = pytest.mark.browser

OURS, ANOTHER = "sounds.example", "another.example"
FORM = """<form method="post" enctype="multipart/form-data" action="{url}/v1/generations?wait=60">
<input type="file" name="video"><button>Send</button></form>"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    rules = ", ".join(f"MAP {name} 127.0.0.1" for name in (OURS, ANOTHER))
    args = ["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules={rules}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(small_limits: Limits, server_folder: Path) -> Iterator[str]:
    app = create_app([tone_model()], small_limits, server_folder, names=[OURS])
    with Server(app).running() as url:
        yield url.replace("127.0.0.1", OURS)


def test_the_form_gives_a_download(browser: Browser, url: str, silent_video: Path):
    page = browser.new_page(java_script_enabled=False)
    page.goto(url)
    page.set_input_files("input[type=file]", silent_video)
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the sound").click()
    assert download.value.suggested_filename == "clip_with_sound.mp4"
    page.close()


def test_a_form_of_another_site_is_refused(browser: Browser, url: str, silent_video: Path):
    page = browser.new_page(java_script_enabled=False)
    there = f"http://{ANOTHER}/"
    page.route(
        f"{there}**",
        lambda route: route.fulfill(body=FORM.format(url=url), content_type="text/html"),
    )
    page.goto(there)
    page.set_input_files("input[type=file]", silent_video)
    with page.expect_response("**/v1/generations*") as answer:
        page.get_by_role("button", name="Send").click()
    assert answer.value.status == 403
    assert answer.value.request.header_value("sec-fetch-site") is None
    page.close()
