"""Still pictures as arrays: no video in between."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import write_picture


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_comes_as_it_is(tmp_path: Path, name: str):
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:30, :40] = (200, 40, 90)
    Image.fromarray(pixels).save(tmp_path / name)
    write_picture(tmp_path / name, tmp_path / "raw", (40, 30))
    scaled = np.fromfile(tmp_path / "raw", np.uint8).reshape(30, 40, 3)
    np.testing.assert_allclose(scaled[5:10, 5:15].mean((0, 1)), (200, 40, 90), atol=8)
    np.testing.assert_allclose(scaled[20:, 25:], 0, atol=8)


def test_what_is_no_picture_is_refused(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"#EXTM3U\nsomewhere.ts\n")
    with pytest.raises(UnsupportedMediaError, match=r"a\.jpg: not a picture"):
        write_picture(tmp_path / "a.jpg", tmp_path / "raw", (8, 8))


def test_a_picture_without_its_data_is_told(tmp_path: Path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    with pytest.raises(MediaError, match=r"a\.png"):
        write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8))
