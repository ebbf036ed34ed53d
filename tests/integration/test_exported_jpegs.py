"""Folders of JPEG files, as `./s2s export --jpegs` writes them, train the same model as clips."""

from pathlib import Path

import numpy as np
import pytest
from classifiers import classification_settings
from dataset_fixtures import store_version
from PIL import Image

import feature_extraction.stage
import training.stage
from preprocessing.export import export_clips, label_folder
from s2s.catalog import catalog_lines
from s2s.dataset import DatasetVersion
from s2s.errors import MediaError, SettingsError
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import catalog_key, features_prefix, model_prefix, processed_prefix
from s2s.media import Cover, read_frames, read_jpegs
from s2s.records import ClipRecord
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.classification.data import arrays_of
from s2s.tasks.classification.predictor.classifier import Classifier

TRAINING = {
    "model": "frame_average",
    "max_steps": 60,
    "batch_size": 6,
    "learning_rate": 0.003,
    "dropout": 0.0,
    "augmentation": {"flip": 0, "crop_scale": 1},
}
Clips = dict[str, list[StoredClip]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, DatasetVersion]:
    """A data set version whose clips are exported to the folder `files`."""
    folder = tmp_path_factory.mktemp("exported")
    settings = classification_settings(folder, training=TRAINING)
    splits = {"train": (2.0,) * 6, "val": (2.0,), "test": (2.0, 2.0)}
    version = store_version(folder, settings, splits, ("a/b", "low"))  # pyright: ignore[reportArgumentType]
    bucket, recipe = open_bucket(settings.bucket_url), settings.recipe
    clips = [clip for split in version.clips.values() for clip in split]
    for clip in clips:
        for key, suffix in ((clip.key, "mp4"), (clip.wav_key, "wav")):
            bucket.write(f"{processed_prefix(recipe)}{clip.clip_id}.{suffix}", bucket.read(key))
    rows = [
        ClipRecord(source_id=clip.source_id, start_s=0, end_s=clip.end_s, labels=clip.labels)
        for clip in clips
    ]
    bucket.write(catalog_key(recipe), "".join(catalog_lines(rows)).encode())
    assert export_clips(bucket, recipe, folder / "files", jpegs=True) == len(clips)
    return folder, settings, version


def train(settings: Settings, version: DatasetVersion) -> tuple[Classifier, Clips]:
    """The model that a recipe comes to, and the clips that it was made of."""
    feature_extraction.stage.run(settings)
    training.stage.run(settings)
    bucket, recipe = open_bucket(settings.bucket_url), settings.recipe
    clips = fetch_clips(bucket, recipe, version, settings.work_dir / "look")
    folder = settings.work_dir / "training" / model_prefix(recipe, version.name)
    return Classifier.load(folder), clips


def test_they_train_the_same_model(made: tuple[Path, Settings, DatasetVersion]):
    folder, settings, version = made
    by_jpegs = classification_settings(
        folder, training=TRAINING, feature_extraction={"jpegs": "files"}
    )
    (one, clips), (other, exported) = train(settings, version), train(by_jpegs, version)
    for split in ("train", "test"):
        for video, pictures in zip(clips[split], exported[split], strict=True):
            seen, shown = arrays_of(video)[0], arrays_of(pictures)[0]
            assert seen.shape == shown.shape == (16, 48, 48, 3)
            assert 0 < np.abs(seen.astype(int) - shown).mean() < 3
    assert one.config == other.config
    for classifier, own in ((one, clips), (other, exported)):
        for clip in own["train"]:
            label = one.classes.index(clip.listed.labels[0])
            assert classifier.chances(arrays_of(clip))[label] > 0.8
    for clip in clips["test"]:
        said = [classifier.chances(arrays_of(clip)) for classifier in (one, other)]
        assert np.abs(said[0] - said[1]).max() < 0.1


def test_a_folder_that_is_not_there_is_told(made: tuple[Path, Settings, DatasetVersion]):
    folder, _, _ = made
    settings = classification_settings(folder, feature_extraction={"jpegs": "nowhere"})
    with pytest.raises(SettingsError, match=r"no folder .*nowhere: write it with './s2s export"):
        feature_extraction.stage.run(settings)


@pytest.mark.parametrize("content", [(), ("clip_00001.png", "low/other/image_00001.jpg")])
def test_a_folder_without_pictures_of_any_clip_is_one_error(
    made: tuple[Path, Settings, DatasetVersion], content: tuple[str, ...]
):
    folder, _, version = made
    name = f"of_others_{len(content)}"
    (folder / name).mkdir()
    for file in content:
        (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_bytes(b"a picture")
    settings = classification_settings(folder, feature_extraction={"jpegs": name})
    said = rf"no clip of {version.name} has pictures in .*{name}, such as .*image_00001\.jpg: write"
    with pytest.raises(SettingsError, match=said):
        feature_extraction.stage.run(settings)
    bucket = open_bucket(settings.bucket_url)
    prefix = features_prefix(settings.recipe, version.name)
    assert not list(bucket.keys(prefix)), "no clip has failed for it"


def test_pictures_are_those_of_the_video_at_the_same_instants(
    made: tuple[Path, Settings, DatasetVersion], tmp_path: Path
):
    folder, settings, version = made
    clip = version.clips["train"][0]
    bucket = open_bucket(settings.bucket_url)
    bucket.download(clip.key, tmp_path / "clip.mp4")
    pictures = folder / "files" / label_folder(clip.labels[0]) / clip.clip_id
    for fps in (8, 25, 30):
        video = read_frames(tmp_path / "clip.mp4", fps, Cover(48, 48))
        found = read_jpegs(pictures, fps, Cover(48, 48), 2.0)
        assert found.shape == video.shape
        # What is drawn jumps: a frame too early or too late would differ by far more.
        assert np.abs(found.astype(int) - video).mean(axis=(1, 2, 3)).max() < 3


@pytest.mark.parametrize(
    ("names", "content", "reason"),
    [
        ((), b"", "no_video"),
        (("image_00001.jpg", "image_00003.jpg"), None, "corrupt"),
        (("image_00002.jpg", "image_00003.jpg"), None, "corrupt"),
        (("image_00001.jpg", "image_99999999999.jpg"), None, "corrupt"),
        (("frame_00001.jpg", "image_00001.JPG"), None, "no_video"),
        (("image_00001.jpg",), b"no picture", "corrupt"),
    ],
)
def test_missing_or_damaged_pictures_have_a_reason(
    tmp_path: Path, names: tuple[str, ...], content: bytes | None, reason: str
):
    for name in names:
        if content is None:
            Image.new("RGB", (64, 64)).save(tmp_path / name)
        else:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_jpegs(tmp_path, 8, Cover(48, 48), 2.0)
    assert caught.value.reason == reason


def test_pictures_of_different_sizes_are_told(tmp_path: Path):
    for number, width in ((1, 64), (2, 64), (3, 80)):
        Image.new("RGB", (width, 48)).save(tmp_path / f"image_{number:05d}.jpg")
    with pytest.raises(MediaError, match=r"image_00003\.jpg: has 80x48 .* before 64x48: export it"):
        read_jpegs(tmp_path, 3, Cover(32, 32), 1.0)


def test_frames_are_exported_whole_or_not_at_all(made: tuple[Path, Settings, DatasetVersion]):
    folder, settings, version = made
    clip = version.clips["train"][0]
    pictures = folder / "files" / label_folder(clip.labels[0]) / clip.clip_id
    count = len(list(pictures.iterdir()))
    (pictures / "image_99999.jpg").write_bytes(b"of a longer clip")
    (pictures / "notes.txt").write_text("my own")
    left = pictures.with_name(f".{pictures.name}")
    left.mkdir()
    (left / "image_00001.jpg").write_bytes(b"of an export that was ended")
    export_clips(open_bucket(settings.bucket_url), settings.recipe, folder / "files", jpegs=True)
    assert len(list(pictures.glob("image_*.jpg"))) == count
    assert (pictures / "notes.txt").read_text() == "my own"
    assert not left.exists()


def test_a_size_is_covered_without_stretching(tmp_path: Path):
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = 255
    Image.fromarray(wide).save(tmp_path / "image_00001.jpg", quality=100)
    covered = read_jpegs(tmp_path, 1, Cover(50, 50), 1.0)[0]
    assert covered.shape == (50, 50, 3)
    assert covered[:, 3:-3].min() > 240
    stretched = read_jpegs(tmp_path, 1, (50, 50), 1.0)[0]
    assert stretched[:, :14].max() < 15
