"""Classification from a catalog to figures, a page and served classes, on a few rendered films."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Launch

from s2s.dataset import latest_version, read_version
from s2s.features.stored import fetch_clips
from s2s.media import MediaLimits
from s2s.storage import DirectoryBucket
from s2s.tasks.classification.data import arrays_of
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.classification.predictor.predictor import ClassificationPredictor
from s2s.tasks.contract import Upload
from s2s.tasks.recipes import load_recipe
from sample.render import render_catalog
from sample.site import running_site
from serving.models.notes import JobNotes

ACTIONS = """\
name: actions
task: classification
spec: {fps: 12, sample_rate_hz: 12000, duration_s: 2}
collection: {catalog: films.csv, fetch: whole}
preprocessing: {short_side_px: 80, preset: ultrafast, no_audio: silent}
validation: {keep_catalog_split: true, train: 0.9, val: 0.1}
feature_extraction:
  {frames: jpeg, jpeg_quality: 30, frame_rate_hz: 8, height_px: 48, width_px: 64, sound: false}
training:
  {model: cnn_lstm, frames: 8, crop_px: 32, batch_size: 8, max_steps: 12, held_out_clips: 8,
   augmentation: {flip: 0, operations: 1, mixup: 0.2}}
evaluation: {views: 2, crops: 3}
serving: {show_clips: 1}
"""
CONTEST = """\
name: contest
task: classification
spec: {fps: 10, sample_rate_hz: 16000, mel_per_frame: 10, n_mels: 32, duration_s: 3}
collection: {catalog: films.csv, fetch: whole}
preprocessing: {short_side_px: 80, preset: ultrafast}
validation: {keep_catalog_split: true, train: 0.9, val: 0.1}
feature_extraction: {frame_rate_hz: 4, height_px: 48, width_px: 48}
training:
  {model: audio_visual, visual: frame_average, frames: 4, crop_px: 32, batch_size: 8, max_steps: 12,
   held_out_clips: 8, modality_dropout: 0.2}
serving: {show_clips: 1}
"""


@pytest.mark.parametrize(
    ("world", "text", "systems", "tolerance"),
    [
        ("kinetics_actions", ACTIONS, {"full_view", "half_rate", "noise"}, 2e-5),
        # The sound of an uploaded mp4 has been through AAC once more than the stored wav.
        ("vggsound_contest", CONTEST, {"half_rate", "noise", "no_sound", "no_picture"}, 2e-3),
    ],
)
def test_a_recipe_goes_from_films_to_classes(
    launch: Launch, tmp_path: Path, world: str, text: str, systems: set[str], tolerance: float
):
    catalog = render_catalog(tmp_path / "films", 16, world=world)
    shutil.copy(catalog, tmp_path / "films.csv")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    bucket = tmp_path / "bucket"
    with running_site(tmp_path / "films") as url:
        place = {"S2S_BUCKET": f"file://{bucket}", "S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        done = launch("run", "recipe.yaml", "--strict", **place)
        assert done.returncode == 0, done.stderr
        done = launch("evaluate", "recipe.yaml", **place)
        assert done.returncode == 0, done.stderr
    (config,) = bucket.glob("models/*/*/config.json")
    (found,) = config.parent.glob("evaluation-*/evaluation.json")
    content = json.loads(found.read_text())
    assert {"model", "prior", *systems} <= content["titles"].keys()
    figures = content["groups"]["all"]["systems"]["model"]
    assert 0 <= figures["top1"]["value"] <= 1
    assert figures["top5"] is None, "of so few classes"
    (page,) = tmp_path.glob("reports/*/evaluation.html")
    assert "What is taken for what" in page.read_text()
    assert "top-5</th>" not in page.read_text()
    assert "top-5" not in done.stderr
    _served_as_measured(recipe, config.parent, tolerance)


def _served_as_measured(path: Path, model: Path, tolerance: float) -> None:
    """A stored clip that is uploaded gets the same probabilities as its features in a shard."""
    folder = path.parent
    predictor = ClassificationPredictor.load(model, MediaLimits())
    recipe, bucket = load_recipe(path), DirectoryBucket(folder / "bucket")
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    stored = fetch_clips(bucket, recipe, version, folder / "shards")["test"][0]
    measured_L = predictor.classifier.chances(arrays_of(stored))
    (folder / "job").mkdir()
    bucket.download(stored.listed.key, folder / "job" / "clip.mp4")
    upload = Upload(folder / "job" / "clip.mp4", "video", folder / "job", is_own=True)
    options = ClassificationOptions(top_k=8)
    (output,) = predictor.predict([predictor.prepare(upload, options, JobNotes())])
    document = predictor.finish(upload, options, output, JobNotes()).document
    said = {row["label"]: row["probability"] for row in document["classes"]}
    served_L = [said[name] for name in predictor.classes]
    assert np.allclose(served_L, measured_L, atol=tolerance)
    assert list(said.values()) == sorted(said.values(), reverse=True)
    assert len(document["over_time"]) == 1
