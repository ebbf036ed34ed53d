"""Still pictures as arrays: no video in between."""

import io
import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import PICTURE_TYPES, MediaLimits, check_upload, write_picture


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


@pytest.mark.parametrize("name", ["a.webp", "a.png"])
def test_an_animation_is_refused_as_such(tmp_path: Path, name: str):
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first.save(tmp_path / name, save_all=True, append_images=[second], duration=100)
    with pytest.raises(MediaError, match="an animation; send a still picture") as caught:
        write_picture(tmp_path / name, tmp_path / "raw", (8, 8))
    assert caught.value.reason == "refused"


def test_a_single_picture_is_no_animation(tmp_path: Path):
    """A PNG that says that it has one: programs that make animations write such."""
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    moving = {"save_all": True, "default_image": True, "append_images": [second]}
    first.save(tmp_path / "a.png", **moving)
    assert b"acTL\0\0\0\x01" in (tmp_path / "a.png").read_bytes()
    write_picture(tmp_path / "a.png", tmp_path / "raw", (8, 8))
    np.testing.assert_array_equal(np.fromfile(tmp_path / "raw", np.uint8)[:3], (255, 0, 0))


def encoded(kind: str, **options: object) -> bytes:
    """A picture with detail everywhere, so that all of its file is needed."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


PICTURES = {
    "baseline.jpg": ("jpeg", {}),
    "progressive.jpg": ("jpeg", {"progressive": True}),
    "restarts.jpg": ("jpeg", {"restart_marker_blocks": 2}),
    "exif.jpg": ("jpeg", {"exif": b"Exif\0\0" + encoded("jpeg")}),  # a small one is in front
    "a.png": ("png", {}),
    "lossy.webp": ("webp", {}),
    "lossless.webp": ("webp", {"lossless": True}),
    "extended.webp": ("webp", {"exif": b"Exif\0\0"}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_whose_end_is_missing_is_refused_as_cut_off(tmp_path: Path, name: str):
    kind, options = PICTURES[name]
    data = encoded(kind, **options)
    for size in (40, 200, len(data) // 2, len(data) * 9 // 10, len(data) - 20, len(data) - 9):
        (tmp_path / name).write_bytes(data[:size])
        with pytest.raises(MediaError, match="cut off: its end is missing") as caught:
            check_upload(tmp_path / name, name, MediaLimits(), PICTURE_TYPES)
        assert caught.value.reason == "corrupt", size
        with pytest.raises(MediaError, match="cut off: its end is missing"):
            write_picture(tmp_path / name, tmp_path / "raw", (8, 8))


@pytest.mark.parametrize("behind", [b"\0" * 700, b"\n", b"\xff\xda" * 200, encoded("jpeg")[:900]])
@pytest.mark.parametrize("name", PICTURES)
def test_what_lies_behind_a_whole_picture_is_no_matter(tmp_path: Path, name: str, behind: bytes):
    """Telephones write a second picture or a short video there."""
    kind, options = PICTURES[name]
    (tmp_path / name).write_bytes(encoded(kind, **options) + behind)
    assert check_upload(tmp_path / name, name, MediaLimits(), PICTURE_TYPES) == "picture"
    write_picture(tmp_path / name, tmp_path / "raw", (8, 8))


def png_that_says(width: int, height: int) -> bytes:
    """A whole PNG of few bytes with another size in its header."""
    data = encoded("png")
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def test_too_large_damaged_and_cut_off_are_told_apart(tmp_path: Path):
    limits = MediaLimits(max_pixels=1 << 24)
    holes = bytearray(encoded("webp"))
    holes[20:400] = bytes(380)
    for name, data, reason, said in (
        ("a.png", png_that_says(100_000, 100_000), "refused", "100000×100000 pixels, more than 16"),
        ("a.png", png_that_says(0, 0), "corrupt", "begins as png does, .* it is damaged"),
        ("a.webp", holes, "corrupt", "begins as webp does, .* it is damaged"),
        ("a.png", encoded("png")[:900], "corrupt", "the file was cut off"),
        ("a.jpg", b"\xff\xd8\xff\xd9", "corrupt", "begins as jpeg does, .* it is damaged"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=said) as caught:
            check_upload(tmp_path / name, name, limits, PICTURE_TYPES)
        assert caught.value.reason == reason, name


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_is_too_large_is_refused_with_its_size(tmp_path: Path, name: str):
    kind, options = PICTURES[name]
    (tmp_path / name).write_bytes(encoded(kind, **options))
    limits = MediaLimits(max_pixels=1199)
    most = 4796 if kind == "jpeg" else 1199
    with pytest.raises(MediaError, match=f"80×60 pixels, more than {most} pixels") as caught:
        check_upload(tmp_path / name, name, limits, PICTURE_TYPES)
    assert caught.value.reason == "refused"


def test_a_limit_is_told_in_megapixels(tmp_path: Path):
    Image.new("L", (5000, 4000)).save(tmp_path / "a.png")
    with pytest.raises(MediaError, match=r"5000×4000 pixels, more than 16\.8 megapixels in all"):
        check_upload(tmp_path / "a.png", "a.png", MediaLimits(1 << 24), PICTURE_TYPES)


@pytest.mark.parametrize("name", PICTURES)
def test_changed_pictures_are_never_a_bug(tmp_path: Path, name: str):
    """Refused or taken: no other exception, whatever a few changed bytes do to the headers."""
    kind, options = PICTURES[name]
    whole, dice = encoded(kind, **options), random.Random(0)
    for _ in range(60):
        data = bytearray(whole[: dice.choice([len(whole), dice.randrange(len(whole))])])
        for _ in range(dice.randint(0, 8)):
            at = dice.randrange(max(1, min(len(data), 400)))
            data[at : at + 1] = bytes([dice.randrange(256)])
        (tmp_path / name).write_bytes(data)
        try:
            assert check_upload(tmp_path / name, name, MediaLimits(1 << 24), PICTURE_TYPES)
        except MediaError as error:
            assert name in str(error)


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
