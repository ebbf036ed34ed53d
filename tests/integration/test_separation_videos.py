"""From a video to the voice of every face: what comes out, and what becomes of odd videos."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from separators import (
    EMPTY,
    FPS,
    SPEC,
    babble,
    beside,
    draw_talker,
    save_separator,
    separator_config,
    write_film,
)

from s2s.errors import MediaError
from s2s.media import MediaLimits, input_args, probe, read_audio, read_frames, run_ffmpeg
from s2s.reasons import Reason
from s2s.tasks.contract import Made, Upload
from s2s.tasks.separation.extractors import LIPS
from s2s.tasks.separation.predictor import PROOF, load
from s2s.tasks.separation.predictor.offer import SeparationOptions
from s2s.tasks.separation.predictor.pair import compose_pair
from s2s.tasks.separation.predictor.predictor import SeparationPredictor
from s2s.tasks.separation.predictor.separator import Separator
from s2s.tasks.separation.settings import SeparationRecipe
from serving.models.notes import JobNotes

RATE_HZ = SPEC.sample_rate_hz


@pytest.fixture(scope="module")
def talkers() -> list[list[np.ndarray]]:
    return [draw_talker(seed, 60) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> SeparationPredictor:
    loaded = load(save_separator(tmp_path_factory.mktemp("model")), MediaLimits())
    assert isinstance(loaded, SeparationPredictor)
    return loaded


def separate(
    predictor: SeparationPredictor,
    video: Path,
    folder: Path,
    *,
    is_own: bool = True,
    faces: int = 4,
) -> tuple[Made, JobNotes]:
    upload = Upload(video, "video", folder, is_own=is_own)
    options, notes = SeparationOptions(max_faces=faces), JobNotes()
    item = predictor.prepare(upload, options, notes)
    (output,) = predictor.predict([item])
    return predictor.finish(upload, options, output, notes), notes


def sounds_of(made: Made) -> dict[str, np.ndarray]:
    return {
        file.name.removesuffix("-sound"): read_audio(file.path, RATE_HZ)
        for file in made.files
        if file.name.endswith("-sound")
    }


def faces_of(made: Made) -> list[dict[str, Any]]:
    return list(made.document["faces"])


@pytest.mark.parametrize("is_own", [True, False], ids=["own", "of a client"])
def test_every_face_gets_its_files(predictor, talkers, tmp_path: Path, is_own: bool):
    video = write_film(tmp_path / "film.mp4", beside(*talkers[:2]))
    made, notes = separate(predictor, video, tmp_path, is_own=is_own)
    names = [
        *(f"face-{n}-{kind}" for n in (1, 2) for kind in ("video", "sound", "picture")),
        "mixture-sound",
        "rest-sound",
    ]
    assert [file.name for file in made.files] == names
    assert set(notes.seconds) == {"sound", "faces", "files"}
    left, right = faces_of(made)
    assert left["seen"] == right["seen"] == [[0, 2.4]]
    assert left["box"][0] < 0.5 < right["box"][0]
    assert left["lips"] == right["lips"] == "moving"
    sounds = sounds_of(made)
    assert {len(sound) for sound in sounds.values()} == {round(2.4 * RATE_HZ)}
    whole = sounds["face-1"] + sounds["face-2"] + sounds["rest"]
    np.testing.assert_allclose(whole, sounds["mixture"], atol=2e-4)
    film = next(file for file in made.files if file.name == "face-2-video")
    np.testing.assert_array_equal(read_frames(film.path, FPS), read_frames(video, FPS))
    assert abs(probe(film.path).duration_s - 2.4) < 1 / FPS
    length = 2 * RATE_HZ
    heard_N, voice_N = read_audio(film.path, RATE_HZ)[:length], sounds["face-2"][:length]
    assert np.corrcoef(heard_N, voice_N)[0, 1] > 0.98


@pytest.mark.parametrize("fps", [10, 30, 50])
def test_any_frame_rate(predictor, talkers, tmp_path: Path, fps: int):
    video = write_film(tmp_path / "film.mp4", talkers[0], fps)
    made, _ = separate(predictor, video, tmp_path)
    (face,) = faces_of(made)
    assert face["seen"] == [[0, pytest.approx(60 / fps, abs=0.05)]]
    assert len(sounds_of(made)["face-1"]) == pytest.approx(60 / fps * RATE_HZ, abs=RATE_HZ / FPS)


def test_a_moment(predictor, talkers, tmp_path: Path):
    video = write_film(tmp_path / "film.mp4", talkers[0][:3])
    made, _ = separate(predictor, video, tmp_path)
    assert faces_of(made)[0]["lips"] == "moving"  # nobody can tell
    assert len(sounds_of(made)["face-1"]) == 3 * RATE_HZ // FPS


@pytest.mark.parametrize(
    ("what", "reason", "words"),
    [
        ("no face", Reason.NO_FACE, "no face was found in the picture"),
        ("no sound", Reason.NO_AUDIO, "the video has no sound"),
        ("silence", Reason.SILENT, "the video's sound is silent"),
    ],
)
def test_what_cannot_be_used_is_refused(
    predictor, talkers, tmp_path: Path, what: str, reason: Reason, words: str
):
    pictures = [EMPTY] * 30 if what == "no face" else talkers[0][:30]
    sounds = {"no sound": np.zeros(0, np.float32), "silence": np.zeros(20_000, np.float32)}
    video = write_film(tmp_path / "film.mp4", pictures, sound=sounds.get(what))
    with pytest.raises(MediaError, match=words) as caught:
        separate(predictor, video, tmp_path, is_own=False)
    assert caught.value.reason == reason


def test_where_nobody_is_heard_the_document_says_so(predictor, talkers, tmp_path: Path):
    (tmp_path / "photo").mkdir()
    photo = write_film(tmp_path / "photo.mp4", draw_talker(2, 60, moves=False))
    made, _ = separate(predictor, photo, tmp_path / "photo")
    assert made.document["warning"].startswith("No face was heard")
    made, _ = separate(predictor, write_film(tmp_path / "film.mp4", talkers[0]), tmp_path)
    assert "warning" not in made.document


def test_lips_that_hardly_move_get_silence_and_are_told_of(predictor, talkers, tmp_path: Path):
    video = write_film(tmp_path / "film.mp4", beside(*talkers[:2]))
    upload = Upload(video, "video", tmp_path, is_own=True)
    options, notes = SeparationOptions(), JobNotes()
    item = replace(predictor.prepare(upload, options, notes), lips=["moving", "hardly moving"])
    (output,) = predictor.predict([item])
    made = predictor.finish(upload, options, output, notes)
    assert [face["lips"] for face in faces_of(made)] == ["moving", "hardly moving"]
    assert not sounds_of(made)["face-2"].any()
    assert "Lips that hardly move are given silence: face 2." in made.document["warning"]


def test_a_photograph_gets_silence(predictor, talkers, tmp_path: Path):
    photo = draw_talker(2, 60, moves=False)
    video = write_film(tmp_path / "film.mp4", beside(talkers[0], photo))
    made, _ = separate(predictor, video, tmp_path)
    assert [face["lips"] for face in faces_of(made)] == ["moving", "still"]
    assert faces_of(made)[1]["level_db"] == -120
    sounds = sounds_of(made)
    assert not sounds["face-2"].any()
    assert sounds["face-1"].any()


def test_a_face_that_leaves_says_nothing_while_it_is_away(predictor, talkers, tmp_path: Path):
    away = [*talkers[1][:20], *[EMPTY] * 20, *talkers[1][40:]]
    video = write_film(tmp_path / "film.mp4", beside(talkers[0], away))
    made, _ = separate(predictor, video, tmp_path)
    stays, leaves = faces_of(made)
    assert stays["seen"] == [[0, 2.4]]
    first, second = leaves["seen"]
    assert first == [0, pytest.approx(0.8, abs=0.05)]
    assert second == [pytest.approx(1.6, abs=0.2), 2.4]
    voice_N = sounds_of(made)["face-2"]
    assert not voice_N[round(0.9 * RATE_HZ) : round(1.5 * RATE_HZ)].any()
    assert voice_N[: round(0.7 * RATE_HZ)].any()


def test_more_faces_than_may_be(predictor, talkers, tmp_path: Path):
    video = write_film(tmp_path / "film.mp4", beside(*talkers))
    made, _ = separate(predictor, video, tmp_path, faces=2)
    assert len(faces_of(made)) == 2
    assert made.document["faces_left_out"] == 1


def test_more_faces_than_voices(talkers, tmp_path: Path):
    """Of three faces and two voices by sound alone, one face gets nothing."""
    by_sound = load(save_separator(tmp_path / "model", "audio_only"), MediaLimits())
    video = write_film(tmp_path / "film.mp4", beside(*talkers))
    made, _ = separate(by_sound, video, tmp_path)  # pyright: ignore[reportArgumentType]
    sounds = sounds_of(made)
    silent = [not sounds[f"face-{n}"].any() for n in (1, 2, 3)]
    assert sorted(silent) == [False, False, True]


def test_a_picture_that_starts_late_has_its_own_sound(predictor, talkers, tmp_path: Path):
    """What is heard before the first picture is left out, and nothing is shifted."""
    video = write_film(tmp_path / "film.mp4", talkers[0])
    late = tmp_path / "late.mp4"
    shifted = [*input_args(video, "-itsoffset", "0.4"), *input_args(video)]
    run_ffmpeg([*shifted, "-map", "0:v", "-map", "1:a", "-c", "copy", str(late)], "late")
    made, _ = separate(predictor, late, tmp_path)
    original = read_audio(video, RATE_HZ)
    mixture = sounds_of(made)["mixture"]
    length = round(1.5 * RATE_HZ)
    begin = round(0.4 * RATE_HZ)
    assert np.corrcoef(mixture[:length], original[begin : begin + length])[0, 1] > 0.98


def test_two_real_people(predictor, real_data: Path, tmp_path: Path):
    """An AVI of MPEG-4 and AC-3: both are followed to the cut, and what browsers play comes out."""
    made, _ = separate(predictor, real_data / "clips/talk/two_people_002.avi", tmp_path)
    assert [face["lips"] for face in faces_of(made)] == ["moving", "moving"]
    assert all(face["seen"][0][0] == 0 and face["seen"][-1][1] > 5.7 for face in faces_of(made))
    one, other = (sounds_of(made)[f"face-{n}"] for n in (1, 2))
    assert len(one) == pytest.approx(6.04 * RATE_HZ, abs=RATE_HZ / FPS)
    assert np.abs(one - other).max() > 1e-3
    assert not one[round(5.95 * RATE_HZ) :].any()  # nobody is in view after the cut
    assert probe(made.files[0].path).video_codec == "h264"


def test_two_real_talkers_in_one_film(predictor, real_data: Path, tmp_path: Path):
    grid = real_data / "clips" / "grid"
    compose_pair(grid / "bbaf2n.mpg", grid / "pwij3p.mpg", tmp_path / "pair.mp4")
    made, _ = separate(predictor, tmp_path / "pair.mp4", tmp_path)
    left, right = faces_of(made)
    assert left["box"][2] < 0.5 < right["box"][0]
    assert left["seen"] == right["seen"] == [[0, pytest.approx(2.96, abs=0.09)]]
    recipe = SeparationRecipe.model_validate({"name": "x", "collection": {"catalog": "none.csv"}})
    assert PROOF.check is not None
    PROOF.check(recipe, tmp_path / "pair.mp4", made.files[0].path)


class Copies(torch.nn.Module):
    """Gives every face the mixture."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, mixture_BN, lips_BSTD, seen_BST):
        del seen_BST
        return mixture_BN[:, None].expand(-1, lips_BSTD.shape[1], -1)


class Halves(Copies):
    """Two voices, low and high, in an order that changes from window to window."""

    def voices(self, mixture_BN):
        spectrum = torch.fft.rfft(mixture_BN)
        low = spectrum.clone()
        low[:, low.shape[1] // 2 :] = 0
        both = torch.stack([low, spectrum - low], dim=1)
        found = torch.fft.irfft(both, mixture_BN.shape[-1])
        return torch.stack([v.flip(0) if n % 2 else v for n, v in enumerate(found)])


@pytest.mark.parametrize("pictures", [1, 7, 49, 50, 51, 99, 333])
def test_windows_of_any_length_join_without_a_seam(pictures: int):
    separator = Separator(Copies(), separator_config())
    mixture_N = babble(4)[: pictures * 320]
    mixture_N = np.resize(mixture_N, pictures * 320).astype(np.float32)
    lips_STD, seen_ST = np.zeros((3, pictures, LIPS), np.float16), np.ones((3, pictures), bool)
    voices_SN = separator.separate(mixture_N, lips_STD, seen_ST)
    for voice_N in voices_SN:
        np.testing.assert_allclose(voice_N, mixture_N, atol=1e-5)


def test_voices_by_sound_alone_stay_with_their_speaker():
    separator = Separator(Halves(), separator_config("audio_only"))
    times_s = np.arange(10 * RATE_HZ) / RATE_HZ
    low_N = np.sin(2 * np.pi * 300 * times_s) * (0.5 - 0.5 * np.cos(2 * np.pi * 2.0 * times_s))
    high_N = np.sin(2 * np.pi * 2900 * times_s) * (0.5 - 0.5 * np.cos(2 * np.pi * 2.7 * times_s))
    at_s = np.arange(250) / FPS
    lips_STD = np.zeros((2, 250, LIPS), np.float16)
    lips_STD[0, :, 0] = 0.5 - 0.5 * np.cos(2 * np.pi * 2.7 * at_s)  # goes with the high one
    lips_STD[1, :, 0] = 0.5 - 0.5 * np.cos(2 * np.pi * 2.0 * at_s)
    mixture_N = (low_N + high_N).astype(np.float32)
    found_SN = separator.separate(mixture_N, lips_STD, np.ones((2, 250), bool))
    for found_N, true_N in zip(found_SN, (high_N, low_N), strict=True):
        for start, stop in pairwise(range(0, len(true_N), RATE_HZ)):
            assert np.corrcoef(found_N[start:stop], true_N[start:stop])[0, 1] > 0.95
