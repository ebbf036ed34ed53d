"""Separation's part of reports."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pydantic import TypeAdapter

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.layout import evaluation_prefix, held_out_prefix
from s2s.media import add_sound, write_wav
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.separation.page import examples, show_answers, show_examples
from s2s.tasks.separation.settings import SeparationRecipe

_RATE_HZ = 8_000


@pytest.fixture
def recipe() -> Recipe:
    collection = {"catalog": "none.csv"}
    spec = {"fps": 25, "sample_rate_hz": _RATE_HZ, "mel_per_frame": 4, "duration_s": 2}
    values: dict[str, Any] = {"name": "page", "collection": collection, "spec": spec}
    return SeparationRecipe.model_validate(values)


def listed(name: str) -> DatasetClip:
    checks = {"size": 1, "crc32c": "AAAAAAAA", "sha256": "0" * 64}
    values = {
        **{"clip_id": name, "source_id": name, "labels": (f"talker <{name}>",)},
        **{"start_s": 0, "end_s": 2, "split": "test", "key": f"{name}.mp4"},
        **{"wav_key": f"{name}.wav", **checks},
        **{f"wav_{key}": value for key, value in checks.items()},
    }
    return TypeAdapter(DatasetClip).validate_python(values)


@pytest.fixture
def version() -> DatasetVersion:
    return DatasetVersion("dataset_v1", {"test": (listed("one"), listed("two"))})


class _Folder:
    """A bucket of files: what the page reads of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    def download(self, key: str, path: Path) -> None:
        path.write_bytes(self.read(key))

    def keys(self, prefix: str) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        names = (path.relative_to(self.folder).as_posix() for path in found)
        return [name for name in names if name.startswith(prefix)]


def write_tone(path: Path, pitch_hz: float) -> None:
    times_s = np.arange(2 * _RATE_HZ) / _RATE_HZ
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, (0.2 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32), _RATE_HZ)


@pytest.fixture
def bucket(tmp_path: Path, make_video) -> Bucket:
    folder = tmp_path / "bucket"
    for number, name in enumerate(("one", "two")):
        write_tone(folder / f"{name}.wav", 300 + 200 * number)
        add_sound(make_video(f"{name}.mp4"), folder / f"{name}.wav", folder / f"{name}.mp4")
    return cast(Bucket, _Folder(folder))


def test_each_answered_pair_is_shown_three_ways(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, tmp_path: Path
):
    folder = cast(_Folder, bucket).folder
    answer = folder / f"{held_out_prefix(recipe, version.name)}one.mp4"
    answer.parent.mkdir(parents=True)
    answer.write_bytes((folder / "one.mp4").read_bytes())

    page = show_answers(bucket, recipe, version, {}, tmp_path / "out")

    assert page.count("<video") == 3
    assert page.count("<article") == 1
    assert "Talker &lt;one&gt; beside talker &lt;two&gt;" in page
    assert "<two>" not in page


def test_where_nothing_was_answered_nothing_is_shown(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, tmp_path: Path
):
    assert not show_answers(bucket, recipe, version, {}, tmp_path / "out")


@pytest.fixture
def evaluated(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
):
    """What an evaluation chose of two clips."""
    monkeypatch.setattr(examples, "read_version", lambda *_: version)
    folder = cast(_Folder, bucket).folder / evaluation_prefix(recipe, version.name) / "examples"
    heard = {"clip_id": "one", "is_heard": True, "before_db": -0.4, "after_db": 7.1}
    silent = {"clip_id": "two", "is_heard": False, "left_db": -24.2}
    document = {"condition": "silent_face", "faces": [heard, silent]}
    for clip in ("one", "two"):
        for name in ("mixture", "0.model", "0.truth", "1.model"):
            write_tone(folder / f"{clip}.{name}.wav", 500)
        (folder / f"{clip}.json").write_text(json.dumps(document))
    rows = [{"clip_id": "one", "why": "the worst"}, {"clip_id": "two", "why": "the best"}]
    return {"version": version.name, "examples": rows}


def test_a_mixture_is_shown_with_each_face(bucket: Bucket, recipe: Recipe, evaluated: dict):
    evaluated["examples"].pop()
    page = show_examples(bucket, recipe, evaluated)

    assert page.count("<audio") == 4
    assert page.count("in the first frame.") == 2
    assert "Nobody was filmed" not in page
    assert "from −0.4 to 7.1 dB SI-SDR: 7.5 dB better" in page
    assert "says nothing: −24.2 dB of the mixture are left" in page
    assert "A speaker beside a face at rest" in page


@pytest.mark.parametrize(
    ("mixtures", "told"), [(1, "faces of its mixture;"), (2, "its 2 mixtures, of which the first")]
)
def test_a_clip_s_figure_is_told_from_that_of_the_mixture_that_is_shown(
    bucket: Bucket, recipe: Recipe, evaluated: dict, mixtures: int, told: str
):
    evaluation = recipe.evaluation.model_copy(update={"mixtures": mixtures})
    several = recipe.model_copy(update={"evaluation": evaluation})
    folder = cast(_Folder, bucket).folder
    stored = folder / evaluation_prefix(recipe, evaluated["version"])
    stored.rename(_made(folder / evaluation_prefix(several, evaluated["version"])))
    assert told in show_examples(bucket, several, evaluated)


def test_all_mixtures_but_the_first_are_folded(bucket: Bucket, recipe: Recipe, evaluated: dict):
    page = show_examples(bucket, recipe, evaluated)

    assert page.count("<details") == page.count("</details>") == 2
    assert page.count("<details open>") == 1
    assert page.index("<details open>") < page.index("the worst") < page.index("the best")


def test_where_nobody_was_filmed_no_meter_passes_for_a_face(
    bucket: Bucket, recipe: Recipe, evaluated: dict
):
    values = recipe.model_dump(exclude_defaults=True) | {
        "feature_extraction": {"faces": "simulated"}
    }
    # Names hold where lips are from: what the evaluation stored is under the other name.
    simulated = SeparationRecipe.model_validate(values)
    folder = cast(_Folder, bucket).folder
    stored = folder / evaluation_prefix(recipe, evaluated["version"])
    stored.rename(_made(folder / evaluation_prefix(simulated, evaluated["version"])))

    page = show_examples(bucket, simulated, evaluated)

    assert "first frame" not in page
    assert page.count("<audio") == 8
    assert "Nobody was filmed: lips were simulated" in page


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_figures_of_others_are_marked_as_other_data(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(examples, "read_version", lambda *_: version)

    page = show_examples(bucket, recipe, {"version": version.name, "examples": []})

    assert "on other data" in page
    assert "Not to be compared" in page
    for system, value in (("Looking to Listen", "10.3"), ("Dolphin", "16.8")):
        assert system in page
        assert value in page
