"""Separation of videos as people have them: turned, upright, uneven, with any sound."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from separators import FPS, RATE_HZ, babble, beside, draw_talker, save_separator, write_film

from s2s.errors import MediaError
from s2s.media import MediaLimits, input_args, read_audio, read_frames, run_ffmpeg, write_wav
from s2s.reasons import Reason
from s2s.tasks.contract import Made, Upload
from s2s.tasks.separation.predictor import load
from s2s.tasks.separation.predictor.offer import SeparationOptions
from s2s.tasks.separation.predictor.predictor import SeparationPredictor
from serving.models.notes import JobNotes

PICTURES = 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_separator(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def talkers() -> list[list[np.ndarray]]:
    return [draw_talker(seed, PICTURES) for seed in (1, 2)]


def separate(model: Path, video: Path, folder: Path, limits: MediaLimits | None = None) -> Made:
    predictor = load(model, limits or MediaLimits())
    assert isinstance(predictor, SeparationPredictor)
    upload = Upload(video, "video", folder, is_own=True)
    options, notes = SeparationOptions(), JobNotes()
    item = predictor.prepare(upload, options, notes)
    (output,) = predictor.predict([item])
    return predictor.finish(upload, options, output, notes)


def sound_of(made: Made, name: str) -> np.ndarray:
    (file,) = (file for file in made.files if file.name == f"{name}-sound")
    return read_audio(file.path, 8000)


def remade(video: Path, output: Path, *args: str, before: tuple[str, ...] = ()) -> Path:
    run_ffmpeg([*before, *input_args(video), *args, str(output)], video.name)
    return output


def test_a_telephone_held_upright(model: Path, talkers, tmp_path: Path):
    """The picture lies in the file, and is turned by what the file says of it."""
    lying = [np.rot90(picture).copy() for picture in beside(*talkers)]
    film = write_film(tmp_path / "lying.mp4", lying)
    turned = tmp_path / "turned.mp4"
    remade(film, turned, "-c", "copy", before=("-display_rotation", "90"))
    made = separate(model, turned, tmp_path)
    one, other = made.document["faces"]
    assert one["box"][0] < 0.5 < other["box"][0]
    height, width = read_frames(made.files[0].path, FPS).shape[1:3]
    assert width == 2 * height


def test_faces_above_each_other(model: Path, talkers, tmp_path: Path):
    stacked = [np.concatenate(pictures) for pictures in zip(*talkers, strict=True)]
    made = separate(model, write_film(tmp_path / "film.mp4", stacked), tmp_path)
    assert len(made.document["faces"]) == 2


def test_pictures_at_uneven_times(model: Path, talkers, tmp_path: Path):
    film = write_film(tmp_path / "even.mp4", talkers[0])
    uneven = remade(
        film,
        tmp_path / "uneven.mp4",
        *("-vf", "select='not(between(mod(n,7),1,3))'", "-fps_mode", "vfr", "-c:a", "copy"),
    )
    (face,) = separate(model, uneven, tmp_path).document["faces"]
    ((start, end),) = face["seen"]
    assert start == 0
    assert end == pytest.approx(PICTURES / FPS, abs=0.2)


@pytest.mark.parametrize("channels", ["1", "2", "6"])
def test_any_number_of_channels(model: Path, talkers, tmp_path: Path, channels: str):
    film = write_film(tmp_path / "film.mp4", talkers[0])
    other = remade(film, tmp_path / "other.mp4", "-c:v", "copy", "-ac", channels)
    mixture_N = sound_of(separate(model, other, tmp_path), "mixture")
    assert np.corrcoef(mixture_N, read_audio(film, 8000)[: len(mixture_N)])[0, 1] > 0.98


@pytest.mark.parametrize("loudness", [1e-3, 30.0], ids=["quiet", "clipped"])
def test_any_loudness(model: Path, talkers, tmp_path: Path, loudness: float):
    sound = np.clip(loudness * babble(PICTURES / FPS), -1, 1)
    film = write_film(tmp_path / "film.mp4", beside(*talkers), sound=sound)
    made = separate(model, film, tmp_path)
    sounds = [sound_of(made, name) for name in ("face-1", "face-2", "mixture")]
    assert all(np.isfinite(sound_N).all() for sound_N in sounds)
    assert all(np.abs(sound_N).max() <= 1 for sound_N in sounds)
    # Faces' levels are told against the mixture's, so that they do not depend on its own.
    assert all(-60 < face["level_db"] < 20 for face in made.document["faces"])


def test_a_face_that_is_too_small_is_none(model: Path, talkers, tmp_path: Path):
    far = []
    for picture in talkers[0]:
        small = Image.fromarray(picture).resize((24, 24))
        canvas = Image.new("RGB", (320, 240), (90, 90, 90))
        canvas.paste(small, (150, 100))
        far.append(np.asarray(canvas))
    with pytest.raises(MediaError, match="no face was found") as caught:
        separate(model, write_film(tmp_path / "film.mp4", far), tmp_path)
    assert caught.value.reason == Reason.NO_FACE


def test_a_longer_video_than_may_be(model: Path, talkers, tmp_path: Path):
    film = write_film(tmp_path / "film.mp4", 2 * talkers[0])  # a little more is let pass
    with pytest.raises(MediaError) as caught:
        separate(model, film, tmp_path, MediaLimits(max_duration_s=1))
    assert caught.value.reason == Reason.REFUSED


def test_more_voices_than_faces(model: Path, talkers, tmp_path: Path):
    """What the one face does not say is in what is left."""
    both = babble(PICTURES / FPS, 1) + babble(PICTURES / FPS, 2)
    assert len(both) == PICTURES * RATE_HZ // FPS
    made = separate(model, write_film(tmp_path / "film.mp4", talkers[0], sound=both), tmp_path)
    assert len(made.document["faces"]) == 1
    voice_N, rest_N, mixture_N = (sound_of(made, name) for name in ("face-1", "rest", "mixture"))
    np.testing.assert_allclose(voice_N + rest_N, mixture_N, atol=2e-4)


def test_sound_that_no_picture_goes_with_is_told_of(model: Path, talkers, tmp_path: Path):
    shown_s, film, wav = PICTURES / FPS, tmp_path / "film.mp4", tmp_path / "sound.wav"
    write_film(film, talkers[0])
    write_wav(wav, babble(shown_s + 3), RATE_HZ)
    put = ("-map", "0:a", "-map", "1:v", "-c:v", "copy")
    long = remade(wav, tmp_path / "long.mp4", "-i", str(film), *put)
    made = separate(model, long, tmp_path)
    assert made.document["duration_s"] == pytest.approx(shown_s)
    assert "The picture ends at 1.2 s: 3.0 s of sound are left out." in made.document["warning"]
    late = remade(wav, tmp_path / "late.mkv", "-itsoffset", "2", "-i", str(film), *put)
    told = separate(model, late, tmp_path).document["warning"]
    assert "The picture begins at 2.0 s: the sound before it is left out." in told
    assert "The picture ends at 3.2 s: 1.0 s of sound are left out." in told
    write_wav(wav, babble(shown_s + 0.3), RATE_HZ)
    little = remade(wav, tmp_path / "little.mp4", "-i", str(film), *put)
    assert "sound are left out" not in separate(model, little, tmp_path).document.get("warning", "")
