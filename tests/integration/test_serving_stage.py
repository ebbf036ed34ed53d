"""The stage on a real, untrained model: held-out clips go through the real API into the bucket."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from tone import TonePredictor

from s2s.cli import make_settings
from s2s.dataset import DatasetClip, DatasetVersion, write_version
from s2s.errors import ModelError
from s2s.layout import held_out_prefix, model_prefix
from s2s.media import probe
from s2s.settings import Settings
from s2s.stage import check_came_through
from s2s.storage import Bucket
from s2s.tasks.generation import predictor
from serving import stage
from serving.models.stored import fetch_model, find_model

RECIPE = """\
name: test
spec: {duration_s: 1}
collection: {catalog: test.csv}
serving: {show_clips: 3}
"""
AddClip = Callable[..., DatasetClip]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return make_settings(path, f"file://{tmp_path}/bucket", tmp_path / "work", engine="ray")


@pytest.fixture
def add_clip(directory_bucket: Bucket, make_video: Callable[..., Path]) -> AddClip:
    """Stores a clip with sound, and gives its row of the manifest."""

    def add(name: str, label: str, split: str = "test", video: Path | None = None) -> DatasetClip:
        path = video or make_video(f"{name}.mp4", seconds=1, sound="sine")
        info = directory_bucket.upload(path, f"processed_data/test/{name}.mp4")
        checks = {"size": info.size, "crc32c": info.crc32c, "sha256": "0" * 64}
        wav = {f"wav_{key}": value for key, value in checks.items()}
        return TypeAdapter(DatasetClip).validate_python(
            {
                "clip_id": name,
                "source_id": name,
                "start_s": 0,
                "end_s": 1,
                "labels": (label,),
                "split": split,
                "key": info.key,
                "wav_key": "w",
                **checks,
                **wav,
            }
        )

    return add


def release(settings: Settings, bucket: Bucket, clips: list[DatasetClip], number: int = 1) -> str:
    splits = {
        split: tuple(clip for clip in clips if clip.split == split) for split in ("val", "test")
    }
    write_version(bucket, settings.recipe, DatasetVersion(f"dataset_v{number}", splits))
    return f"dataset_v{number}"


def train(settings: Settings, bucket: Bucket, folder: Path, version: str) -> str:
    prefix = model_prefix(settings.recipe, version)
    for path in folder.iterdir():
        bucket.upload(path, prefix + path.name)
    return prefix


def test_held_out_clips_come_back_with_sound(
    settings: Settings,
    directory_bucket: Bucket,
    add_clip: AddClip,
    untrained_model: Path,
    tmp_path: Path,
):
    clips = [add_clip(f"clip{k}", "bell" if k < 4 else "drum") for k in range(5)]
    version = release(settings, directory_bucket, clips)
    prefix = train(settings, directory_bucket, untrained_model, version)

    report = stage.run(settings)
    assert report.counts == {"ok": 3}
    assert report.outputs["model"] == prefix
    assert report.outputs["version"] == version
    assert report.outputs["median_seconds"] > 0
    answers = sorted(directory_bucket.keys(held_out_prefix(settings.recipe, version)))
    assert len(answers) == 3
    assert any(clip.clip_id in key for clip in clips[4:] for key in answers)
    directory_bucket.download(answers[0], tmp_path / "answer.mp4")
    assert probe(tmp_path / "answer.mp4").has_audio
    assert report.bytes_written == sum(directory_bucket.stat(key).size for key in answers)

    again = stage.run(settings)
    assert again.counts == {"skipped:already_done": 3}
    assert not list((tmp_path / "work").glob("show-*"))
    assert not list((tmp_path / "work").glob("serving-*"))


def test_clips_without_faces_are_not_sent_to_a_model_of_faces(
    tmp_path: Path, directory_bucket: Bucket, add_clip: AddClip, untrained_model: Path
):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: test\ntask: separation\nspec: {duration_s: 1, fps: 25, sample_rate_hz: 8000}\n"
        "collection: {catalog: test.csv}\nfeature_extraction: {faces: simulated}\n"
        "training: {window_s: 1}\n"
    )
    settings = make_settings(path, f"file://{tmp_path}/bucket", tmp_path / "work")
    clips = [add_clip(f"clip{k}", f"speaker{k}") for k in range(2)]
    version = release(settings, directory_bucket, clips)
    train(settings, directory_bucket, untrained_model, version)

    report = stage.run(settings)

    assert report.counts == {"skipped:left_out": 2}
    check_came_through(settings, report)  # there was nothing to be done


def test_validation_clips_stand_in_for_an_empty_test_split(
    settings: Settings, directory_bucket: Bucket, add_clip: AddClip, untrained_model: Path
):
    version = release(settings, directory_bucket, [add_clip("only", "bell", "val")])
    train(settings, directory_bucket, untrained_model, version)
    assert stage.run(settings).counts == {"ok": 1}


def test_a_clip_that_the_api_refuses_fails_alone(
    settings: Settings,
    directory_bucket: Bucket,
    add_clip: AddClip,
    make_video: Callable[..., Path],
    untrained_model: Path,
):
    many_frames = make_video("fast.mp4", seconds=0.5, fps=500)
    recipe = settings.recipe.model_copy(
        update={"serving": settings.recipe.serving.model_copy(update={"max_duration_s": 1.5})}
    )
    settings = settings.model_copy(update={"recipe": recipe})
    clips = [add_clip("good", "bell"), add_clip("fast", "drum", video=many_frames)]
    version = release(settings, directory_bucket, clips)
    train(settings, directory_bucket, untrained_model, version)
    assert stage.run(settings).counts == {"ok": 1, "failed:refused": 1}


def test_an_answer_with_another_picture_fails(
    settings: Settings,
    directory_bucket: Bucket,
    add_clip: AddClip,
    make_video: Callable[..., Path],
    untrained_model: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    other = make_video("other.mp4", seconds=1, size="64x48")

    class Wrong(TonePredictor):
        def finish(self, upload, options, output, notes):
            shutil.copy(other, upload.path)
            return super().finish(upload, options, output, notes)

    monkeypatch.setattr(predictor, "load", lambda *_: Wrong())
    version = release(settings, directory_bucket, [add_clip("clip", "bell")])
    train(settings, directory_bucket, untrained_model, version)
    assert stage.run(settings).counts == {"failed:corrupt": 1}


def test_without_a_model_the_message_says_to_train(
    settings: Settings, directory_bucket: Bucket, add_clip: AddClip
):
    with pytest.raises(ModelError, match=r"no model of .* yet: run './s2s run RECIPE'"):
        stage.run(settings)
    release(settings, directory_bucket, [add_clip("clip", "bell")])
    with pytest.raises(ModelError, match=r"no model of .* yet: run './s2s run RECIPE'"):
        stage.run(settings)


def test_a_damaged_model_is_told(
    settings: Settings, directory_bucket: Bucket, add_clip: AddClip, untrained_model: Path
):
    version = release(settings, directory_bucket, [add_clip("clip", "bell")])
    prefix = train(settings, directory_bucket, untrained_model, version)
    directory_bucket.write(prefix + "model.safetensors", b"damaged", overwrite=True)
    with pytest.raises(ModelError, match="safetensors"):
        stage.run(settings)


def test_the_newest_version_with_a_model_is_served(
    settings: Settings,
    directory_bucket: Bucket,
    add_clip: AddClip,
    untrained_model: Path,
    tmp_path: Path,
):
    clip = add_clip("clip", "bell")
    for number in (1, 2, 10, 11):
        version = release(settings, directory_bucket, [clip], number)
        if number < 11:
            train(settings, directory_bucket, untrained_model, version)
    model = find_model(directory_bucket, settings.recipe)
    assert model.version == "dataset_v10"
    assert model.name.startswith("test/dataset_v10-")

    folder = fetch_model(directory_bucket, model, tmp_path / "work")
    (folder / "model.safetensors").write_bytes(b"cut off")
    again = fetch_model(directory_bucket, model, tmp_path / "work")
    assert (again / "model.safetensors").read_bytes() == (
        untrained_model / "model.safetensors"
    ).read_bytes()
