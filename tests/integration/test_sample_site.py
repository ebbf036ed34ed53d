from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sample.site import running_site

CONTENT = bytes(range(256)) * 40
DASHED = "-Qowmc0P9ic.mp4"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("videos")
    (folder / DASHED).write_bytes(CONTENT)
    (folder / "catalog.csv").write_text("secret")
    (folder / ".abc.mp4").write_bytes(b"half")
    (folder.parent / "outside.mp4").write_bytes(b"outside")
    with running_site(folder) as url, httpx.Client(base_url=url) as client:
        yield client


def test_a_video_is_served_whole(site: httpx.Client):
    answer = site.get(f"/{DASHED}")

    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"


def test_head_gives_the_length_alone(site: httpx.Client):
    answer = site.head(f"/{DASHED}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-9", 0, 10), ("100-", 100, len(CONTENT)), ("-20", len(CONTENT) - 20, len(CONTENT))],
)
def test_a_range_is_served_alone(site: httpx.Client, asked: str, start: int, end: int):
    answer = site.get(f"/{DASHED}", headers={"Range": f"bytes={asked}"})

    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


def test_a_range_past_the_end_is_refused(site: httpx.Client):
    answer = site.get(f"/{DASHED}", headers={"Range": f"bytes={len(CONTENT)}-"})

    assert answer.status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.mp4",
        "/catalog.csv",
        "/.abc.mp4",
        "/",
        "/..%2Foutside.mp4",
        "/%2e%2e/outside.mp4",
        "/-Qowmc0P9ic",
    ],
)
def test_nothing_else_is_served(site: httpx.Client, path: str):
    assert site.get(path).status_code == 404


def test_the_site_is_gone_after_its_context(tmp_path: Path):
    with running_site(tmp_path) as url:
        assert httpx.get(f"{url}/x.mp4").status_code == 404

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/x.mp4")


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with (
        pytest.raises(NotADirectoryError, match="render the catalog first"),
        running_site(tmp_path / "none"),
    ):
        pass
