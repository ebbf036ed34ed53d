"""Separation from a catalog to figures, a page and served voices, on a few drawn talkers."""

import json
import shutil
from pathlib import Path

import numpy as np
from conftest import Launch

from s2s.dataset import latest_version, read_version
from s2s.features.stored import fetch_clips
from s2s.media import MediaLimits, read_audio, write_wav
from s2s.storage import DirectoryBucket
from s2s.tasks.contract import Example
from s2s.tasks.loading import load_task
from s2s.tasks.recipes import load_recipe
from sample.render import render_catalog
from sample.site import running_site

RECIPE = """\
name: party
task: separation
spec: {fps: 25, sample_rate_hz: 8000, duration_s: 3}
collection: {catalog: films.csv, fetch: whole}
preprocessing: {short_side_px: 144, preset: ultrafast}
validation: {keep_catalog_split: true, train: 0.8, val: 0.2}
training:
  {window_s: 1, batch_size: 2, max_steps: 6, held_out_clips: 3,
   mixing: {silent_face: 0.3, noise: 0.5, reverb: 0.3, speed: [0.9, 1.1]}}
tracking: {trackers: []}
evaluation: {clips: 3, examples: 1, worst: 1, conditions: [different_voices, silent_face]}
serving: {show_clips: 1}
"""
SYSTEMS = {
    *("model", "mixture", "oracle_mask", "audio_only", "swapped", "frozen", "late", "matcher"),
}


def test_a_recipe_goes_from_films_to_voices(launch: Launch, tmp_path: Path):
    catalog = render_catalog(tmp_path / "films", 7, world="cocktail_party")
    shutil.copy(catalog, tmp_path / "films.csv")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    bucket = tmp_path / "bucket"
    with running_site(tmp_path / "films") as url:
        place = {"S2S_BUCKET": f"file://{bucket}", "S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        for command in ("run", "evaluate"):
            done = launch(command, "recipe.yaml", **place)
            assert done.returncode == 0, done.stderr + done.stdout
    (config,) = bucket.glob("models/*/*/config.json")
    (found,) = config.parent.glob("evaluation-*/evaluation.json")
    _evaluated(json.loads(found.read_text()), found.parent / "examples")
    assert json.loads((config.parent / "mixtures.val.json").read_text())
    (page,) = tmp_path.glob("reports/*/evaluation.html")
    assert "found for this face" in page.read_text().lower()
    (answer,) = bucket.glob("models/*/*/held_out/*.mp4")
    assert np.isfinite(read_audio(answer, 8000)).all()
    _listened_to(path, config.parent)


def _evaluated(content: dict, examples: Path) -> None:
    """Every system answered, what is known to be so is so, and mixtures are written out."""
    assert content["titles"].keys() == SYSTEMS
    assert set(content["groups"]) == {"all", "different_voices", "silent_face"}
    of = content["groups"]["different_voices"]["systems"]
    assert of["oracle_mask"]["si_sdri"]["value"] > 5
    assert of["mixture"]["si_sdri"]["value"] == 0
    assert of["matcher"]["right_speaker"]["value"] >= 0.5
    # The network treats faces alike: each voice goes with the face that is shown.
    shown, swapped = (of[name]["si_sdri"]["value"] for name in ("model", "swapped"))
    assert abs(shown - swapped) < 0.3
    assert content["groups"]["silent_face"]["systems"]["model"]["silence_db"] is not None
    mixtures = json.loads((examples / "mixtures.json").read_text())
    assert mixtures.keys() == {clip["clip_id"] for clip in content["clips"]}
    for example in content["examples"]:
        assert (examples / f"{example['clip_id']}.0.model.wav").is_file()


def _listened_to(path: Path, model: Path) -> None:
    """The model that was stored gives what the evaluation measured."""
    recipe, bucket = load_recipe(path), DirectoryBucket(path.parent / "bucket")
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    clips = fetch_clips(bucket, recipe, version, path.parent / "shards")
    stored = clips["test"][0]
    predictor = load_task("separation").load(model, MediaLimits())
    separator = predictor.separator  # pyright: ignore[reportAttributeAccessIssue]
    example = Example(0, stored)
    mixture_N = stored.read("voice").astype(np.float32) / 32768
    lips_STD, seen_ST = (example.stored.read(name)[None] for name in ("lips", "seen"))
    voices_SN = separator.separate(mixture_N, lips_STD, seen_ST)
    assert voices_SN.shape == (1, len(mixture_N))
    assert np.isfinite(voices_SN).all()
    write_wav(path.parent / "voice.wav", voices_SN[0], recipe.spec.sample_rate_hz)
