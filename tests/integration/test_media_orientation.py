"""All eight ways to hold a camera, in every reader and writer."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from preprocessing.cut import CutClip, cut_clips
from s2s.media import (
    add_sound,
    input_args,
    make_still_video,
    read_frames,
    run_ffmpeg,
    sample_frames,
    write_frames,
    write_jpegs,
    write_picture,
    write_wav,
)
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

ONE = 1 << 16
# Display matrices a, b, c, d of EXIF's orientations 1 to 8, with what they do to an array.
MATRICES = {
    1: (ONE, 0, 0, ONE),
    2: (-ONE, 0, 0, ONE),
    3: (-ONE, 0, 0, -ONE),
    4: (ONE, 0, 0, -ONE),
    5: (0, ONE, ONE, 0),
    6: (0, ONE, -ONE, 0),
    7: (0, -ONE, -ONE, 0),
    8: (0, -ONE, ONE, 0),
}
WIDTH, HEIGHT = 64, 48


def picture() -> np.ndarray:
    """No turn or mirror of it is like another: a bright corner, a grey one beside it."""
    image = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = 220
    image[HEIGHT // 2 :, : WIDTH // 2] = 120
    return image


def shown(orientation: int) -> np.ndarray:
    """The picture as it is to be shown, by Pillow."""
    image = Image.fromarray(picture())
    image.getexif()[0x112] = orientation
    return np.asarray(ImageOps.exif_transpose(image)).astype(int)


def assert_shown(image: np.ndarray, orientation: int) -> None:
    expected = shown(orientation)
    assert (image.shape[0] > image.shape[1]) == (expected.shape[0] > expected.shape[1])
    small = Image.fromarray(image).resize((4, 4), Image.Resampling.BOX)
    wanted = Image.fromarray(expected.astype(np.uint8)).resize((4, 4), Image.Resampling.BOX)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(wanted)).max() < 30


@pytest.fixture(scope="module")
def upright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One and a half seconds of the picture, with sound."""
    folder = tmp_path_factory.mktemp("upright")
    Image.fromarray(picture()).save(folder / "a.png")
    still = ["-loop", "1", "-framerate", "25", "-t", "1.5", "-i", str(folder / "a.png")]
    tone = ["-f", "lavfi", "-i", "sine=d=1.5"]
    coding = ["-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg([*still, *tone, *coding, str(folder / "a.mp4")], "upright")
    return folder / "a.mp4"


@pytest.fixture(scope="module", params=MATRICES)
def turned(request: pytest.FixtureRequest, upright: Path) -> tuple[int, Path]:
    """The orientation, and a video whose header says it."""
    path = upright.with_name(f"{request.param}.mp4")
    a, b, c, d = MATRICES[request.param]
    data = upright.read_bytes()
    plain = struct.pack(">9i", ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    track = data.index(b"tkhd")
    at = data.index(plain, track)
    path.write_bytes(data[:at] + turned + data[at + len(plain) :])
    return request.param, path


def test_readers_and_writers_show_it(turned: tuple[int, Path], tmp_path: Path):
    orientation, path = turned
    assert_shown(read_frames(path, 25)[0], orientation)
    assert_shown(sample_frames(path, 2).frames[0], orientation)
    height, width = shown(orientation).shape[:2]
    write_frames(path, tmp_path / "raw", 25, (width, height))
    assert_shown(
        np.fromfile(tmp_path / "raw", np.uint8).reshape(-1, height, width, 3)[0], orientation
    )
    write_jpegs(path, tmp_path / "jpegs", fps=5, height=height)
    assert_shown(np.asarray(Image.open(tmp_path / "jpegs" / "image_00001.jpg")), orientation)


def test_sound_is_added_to_it_as_it_is(turned: tuple[int, Path], tmp_path: Path):
    orientation, path = turned
    write_wav(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    add_sound(path, tmp_path / "a.wav", tmp_path / "out.mp4")
    assert_shown(read_frames(tmp_path / "out.mp4", 25)[0], orientation)


@pytest.mark.parametrize("mode", ["encode", "copy", "smart"])
def test_clips_show_it(turned: tuple[int, Path], tmp_path: Path, mode: str):
    orientation, path = turned
    recipe = GenerationRecipe.model_validate(
        {
            "name": "turned",
            "collection": {"catalog": "c.csv"},
            "preprocessing": {
                "video": mode,
                "short_side_px": 48,
                "preset": "ultrafast",
                "min_duration_s": 0.5,
                "poster": True,
            },
        }
    )
    clip = ClipRecord(source_id="a", start_s=0.2, end_s=1.2)
    [result] = cut_clips(path, [clip], recipe, tmp_path)
    assert isinstance(result, CutClip), result
    assert result.note == ""
    frames = read_frames(result.files.video, 25)
    assert_shown(frames[0], orientation)
    assert_shown(frames[-1], orientation)
    assert_shown(np.asarray(Image.open(result.files.poster)), orientation)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("orientation", MATRICES)
def test_pictures_are_shown_as_their_exif_data_says(tmp_path: Path, name: str, orientation: int):
    image = Image.fromarray(picture())
    exif = image.getexif()
    exif[0x112] = orientation
    image.save(tmp_path / name, exif=exif)
    height, width = shown(orientation).shape[:2]
    write_picture(tmp_path / name, tmp_path / "raw", (width, height))
    pixels = np.fromfile(tmp_path / "raw", np.uint8).reshape(height, width, 3)
    assert_shown(pixels, orientation)
    make_still_video(tmp_path / name, tmp_path / "still.mp4", 25, 0.2)
    assert_shown(read_frames(tmp_path / "still.mp4", 25)[0], orientation)


def test_a_matrix_that_turns_by_a_little_is_read_as_the_nearest_quarter(upright: Path):
    path = upright.with_name("tilted.mp4")
    run_ffmpeg(["-display_rotation", "80", *input_args(upright), "-c", "copy", str(path)], "tilt")
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).rotation == 80
    assert_shown(read_frames(path, 25)[0], 8)
