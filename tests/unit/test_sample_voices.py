"""Voices of a folder: who speaks, what each is for, and what is cut of them."""

import csv
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from launcher.sample_site import sample_for
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.media import write_wav
from s2s.settings import Settings
from s2s.tasks.recipes import load_recipe
from sample.film import World, load_world
from sample.voices.folder import list_voices

_RATE_HZ = 16_000
ROOT = Path(__file__).parents[2]


def write_voice(path: Path, seconds: float, pitch_hz: float = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    write_wav(path, (0.3 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32), _RATE_HZ)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("train/19-198-0001", "train/26-495-0002", "test/1688-1-0", "test/1688-1-1"):
        write_voice(tmp_path / f"{name}.wav", 7.0)
    (tmp_path / "train" / "notes.txt").write_text("no sound")
    monkeypatch.setenv("S2S_VOICES", str(tmp_path))
    return load_world("voices")


def rows_of(world: World) -> list[dict[str, str]]:
    films = [world.film(0, index) for index in range(world.n_sources)]
    return list(csv.DictReader(world.catalog_text(films).splitlines()))


def test_a_speaker_is_for_what_the_folder_says(world: World):
    rows = rows_of(world)

    assert {(row["labels"], row["split"]) for row in rows} == {
        ("1688", "test"),
        ("19", "train"),
        ("26", "train"),
    }
    assert len({row["source_id"] for row in rows}) == world.n_sources == 4
    assert world.most_sources == 4
    assert not world.missing


def test_clips_of_a_file_do_not_overlap_and_lie_in_its_middle(world: World):
    spans = [(float(row["start_s"]), float(row["end_s"])) for row in rows_of(world)[:2]]

    assert spans == [(0.5, 3.5), (3.5, 6.5)]


def test_the_film_sounds_as_the_file(world: World):
    film = world.film(0, 0)
    pictures = list(film.frames())
    samples = film.samples()

    assert samples is not None
    assert len(samples) == pytest.approx(7 * _RATE_HZ, abs=1)
    assert len(pictures) == 7 * film.fps
    assert pictures[0].shape == (64, 64, 3)
    assert not np.array_equal(pictures[0], pictures[8])


def test_only_the_same_sound_has_the_same_ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, pitch_hz in [("a/one", 200), ("b/copy", 200), ("c/other", 210)]:
        write_voice(tmp_path / f"{name}.wav", 3.0, pitch_hz)
    monkeypatch.setenv("S2S_VOICES", str(tmp_path))
    world = load_world("voices")
    one, copy, other = (next(world.film(0, n).frames()).astype(float) for n in range(3))

    assert np.array_equal(one, copy)
    assert np.abs(one - other).mean() > 20


@pytest.mark.parametrize(
    ("place", "speaker", "split"),
    [
        ("train-clean-100/19/198/19-198-0000.wav", "19", "train"),
        ("dev-clean/84/121123/84-121123-0000.wav", "84", "val"),
        ("p234_001.wav", "p234", None),
        ("anna/first.wav", "anna", None),
        ("test/bob/take-2.wav", "bob", "test"),
    ],
)
def test_who_speaks(tmp_path: Path, place: str, speaker: str, split: str | None):
    write_voice(tmp_path / place, 0.1)

    [voice] = list_voices(tmp_path)

    assert voice.speaker == speaker
    assert voice.split == split if split else voice.split in {"train", "val", "test"}


def test_all_files_of_a_speaker_are_for_the_same(tmp_path: Path):
    for speaker in range(40):
        for take in range(2):
            write_voice(tmp_path / f"s{speaker}_{take}.wav", 0.1)

    voices = list_voices(tmp_path)

    assert len({(voice.speaker, voice.split) for voice in voices}) == 40
    assert {voice.split for voice in voices} == {"train", "val", "test"}


def test_a_broken_file_is_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_voice(tmp_path / "a_1.wav", 0.1)
    (tmp_path / "b_1.flac").write_bytes(b"fLaC" + bytes(50))
    (tmp_path / "c_1.wav").write_bytes(b"no sound")

    assert [voice.path.name for voice in list_voices(tmp_path)] == ["a_1.wav"]
    lines = capsys.readouterr().err.splitlines()
    assert [line[:34] for line in lines] == [
        "voices: b_1.flac is left out: is d",
        "voices: c_1.wav is left out: is da",
    ]
    assert "mp4" not in "".join(lines)


def test_processes_that_render_tell_of_no_broken_file_again(tmp_path: Path):
    (tmp_path / "b_1.flac").write_bytes(b"fLaC" + bytes(50))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        assert workers.submit(_told_of, tmp_path).result() == ""


def _told_of(folder: Path) -> str:
    with console.capture() as told:
        assert list_voices(folder) == ()
    return told.get()


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_without_a_folder_it_says_what_to_set(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("S2S_VOICES", str(tmp_path / folder) if folder else "")

    world = load_world("voices")

    assert world.n_sources == 0
    assert "S2S_VOICES" in world.missing
    assert "set it to a folder of speech" in world.missing


def test_a_run_without_a_folder_stops_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("S2S_VOICES", raising=False)
    monkeypatch.delenv("S2S_SOURCE_URL", raising=False)
    path = ROOT / "recipes" / "cocktail_party.voices.yaml"
    settings = Settings(
        recipe=load_recipe(path),
        recipe_path=path,
        bucket_url=f"file://{tmp_path}/bucket",
        work_dir=tmp_path,
    )

    with (
        pytest.raises(SettingsError, match=r"cocktail_party\.voices: S2S_VOICES is not set"),
        sample_for(settings),
    ):
        pass

    assert not list(tmp_path.iterdir())
