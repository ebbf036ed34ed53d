"""Still pictures as arrays: no video in between."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import MediaLimits, check_upload, write_picture


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


def test_an_empty_file_is_called_empty(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UnsupportedMediaError, match=r"'a\.jpg' is empty"):
        check_upload(tmp_path / "a.jpg", "a.jpg", MediaLimits(), ("jpg",))


def test_a_picture_without_its_data_is_told(tmp_path: Path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    with pytest.raises(MediaError, match=r"a\.png"):
        write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8))


@pytest.mark.parametrize("size", [(1, 1), (4000, 3), (3, 4000), (15, 15)])
def test_a_thin_picture_is_refused_with_its_size(tmp_path: Path, size: tuple[int, int]):
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(MediaError, match=rf"{size[0]}×{size[1]} pixels, too small or too thin"):
        write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8))


def test_an_animation_is_refused_as_such(tmp_path: Path):
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second], duration=100)
    with pytest.raises(MediaError, match="an animation; send a still picture"):
        write_picture(tmp_path / "a.webp", tmp_path / "raw", (8, 8))


def with_scans(path: Path, count: int) -> None:
    """Write a progressive JPEG that goes over its pixels so often: a few bytes each time."""

    def segment(kind: int, data: bytes) -> bytes:
        return bytes([0xFF, kind]) + struct.pack(">H", len(data) + 2) + data

    # The shortest code of each table: no difference; and nothing more in the next 2^14 blocks.
    codes = bytes([1, *[0] * 15])
    head = segment(0xDB, b"\0" + bytes([1] * 64))
    head += segment(0xC2, struct.pack(">BHHB", 8, 64, 64, 1) + b"\x01\x11\x00")
    head += segment(0xC4, b"\x00" + codes + b"\0") + segment(0xC4, b"\x10" + codes + b"\xe0")
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes(8)
    scan = segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + bytes(2)
    path.write_bytes(b"\xff\xd8" + head + first + scan * (count - 1) + b"\xff\xd9")


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded(tmp_path: Path):
    for count in (10, 100):
        with_scans(tmp_path / "a.jpg", count)
        write_picture(tmp_path / "a.jpg", tmp_path / "raw", (8, 8))
    with_scans(tmp_path / "a.jpg", 101)
    with pytest.raises(MediaError, match="a JPEG of more than 100 scans"):
        write_picture(tmp_path / "a.jpg", tmp_path / "raw", (8, 8))


def test_a_picture_may_be_larger_than_a_video(tmp_path: Path):
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    limits = MediaLimits(max_pixels=40 * 30)
    with pytest.raises(MediaError, match="more than 1200 pixels"):
        write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8), limits)
    larger = replace(limits, max_picture_pixels=80 * 60)
    write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8), larger)


def test_a_jpeg_may_be_larger_than_other_pictures(tmp_path: Path):
    limits = MediaLimits(max_pixels=40 * 30)
    Image.new("RGB", (80, 60)).save(tmp_path / "a.jpg")
    write_picture(tmp_path / "a.jpg", tmp_path / "raw", (8, 8), limits)
    Image.new("RGB", (81, 60)).save(tmp_path / "a.jpg")
    with pytest.raises(MediaError, match="more than 4800 pixels"):
        write_picture(tmp_path / "a.jpg", tmp_path / "raw", (8, 8), limits)
