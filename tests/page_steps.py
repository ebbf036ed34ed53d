"""What tests of the server's page do in a browser, and what they ask of it there."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

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
FOCUSED = "document.activeElement.id"
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color_scheme": "dark", "forced_colors": "none"},
    {"color_scheme": "light", "forced_colors": "active"},
    {"color_scheme": "light", "forced_colors": "none"},
)
_AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"


def make_sound(page: Page, video: Path) -> None:
    page.get_by_label("Silent video or picture").set_input_files(video)
    page.get_by_role("button", name="Make the sound").click()


def violations_in_all_looks(page: Page) -> list[str]:
    """What axe finds on a telephone and a desk, in light, dark and forced colours."""
    before = page.viewport_size
    found = []
    for width, height in ((1280, 900), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for look in _LOOKS:
            page.emulate_media(**look, reduced_motion="reduce")
            found += [f"{width} {look}: {item}" for item in violations(page)]
    if before:
        page.set_viewport_size(before)
    return found


def violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text())  # past the policy, which lets no such script in
    found = page.evaluate("axe.run()")["violations"]
    return [f"{item['id']}: {node['html']}" for item in found for node in item["nodes"]]
