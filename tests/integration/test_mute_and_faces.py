"""From catalog to shard: clips without sound, and several faces of one segment."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from dataset_fixtures import RATE_HZ, clicking_clip, encode

import collection.stage
import feature_extraction.stage
import preprocessing.stage
import validation.stage
from s2s.dataset import DatasetVersion, read_version
from s2s.features.stored import StoredClip, fetch_clips
from s2s.layout import dataset_manifest_key
from s2s.media import add_sound, write_wav
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.data import mel_of
from s2s.tasks.generation.settings import GenerationRecipe
from sample.site import running_site

CLIP_S = 2
SILENCE = np.log(1e-5)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`sounding001` has sound, `wholemute0*` have none, that of `quiettrack1` cannot be heard."""
    folder = tmp_path_factory.mktemp("site")
    for seed, name in enumerate(("sounding001", "wholemute01", "wholemute02", "quiettrack1")):
        frames, samples = clicking_clip(seed, CLIP_S)
        path = encode(folder / f"{name}.mp4", np.roll(frames, 16 * seed, axis=2))
        if "mute" not in name:
            write_wav(folder / "sound.wav", samples * (1e-4 if seed else 1), RATE_HZ)
            add_sound(path.rename(folder / "silent.mp4"), folder / "sound.wav", path)
    with running_site(folder) as url:
        yield url + "/{source_id}.mp4"


def settings_in(folder: Path, catalog: str, url: str, **sections: object) -> Settings:
    (folder / "list.csv").write_text(catalog)
    content = {
        "name": "listed",
        "spec": {"duration_s": CLIP_S},
        "collection": {"catalog": "list.csv", "source_url": url, "fetch": "whole"},
        "preprocessing": {"short_side_px": 64, "preset": "ultrafast", "no_audio": "silent"},
    }
    return Settings(
        recipe=GenerationRecipe.model_validate(content | sections),
        recipe_path=folder / "listed.yaml",
        bucket_url=f"file://{folder / 'bucket'}",
        work_dir=folder / "work",
        workers=1,
    )


def run_stages(settings: Settings) -> tuple[list[dict[str, int]], DatasetVersion]:
    """Counts of every stage up to features, and the version that was made."""
    stages = (collection.stage, preprocessing.stage, validation.stage, feature_extraction.stage)
    counts = [stage.run(settings).counts for stage in stages]
    return counts, read_version(open_bucket(settings.bucket_url), settings.recipe, "dataset_v1")


def stored_clips(settings: Settings, version: DatasetVersion) -> dict[str, StoredClip]:
    bucket = open_bucket(settings.bucket_url)
    by_split = fetch_clips(bucket, settings.recipe, version, settings.work_dir)
    return {clip.clip_id: clip for clips in by_split.values() for clip in clips}


KINETICS = """label,youtube_id,time_start,time_end,split
clapping,sounding001,0,2,train
clapping,wholemute01,0,2,train
waving,wholemute02,0,2,train
waving,quiettrack1,0,2,train
"""


def test_mute_clips_of_a_kinetics_list_reach_a_shard(tmp_path: Path, site: str):
    settings = settings_in(tmp_path, KINETICS, site)
    counts, version = run_stages(settings)
    assert counts == [
        {"ok": 4},
        {"ok": 4},
        {"failed:silent": 1, "ok": 3},  # a sound that is there, and cannot be heard
        {"ok": 3},
    ]
    stored = stored_clips(settings, version)
    assert {clip_id.split("_")[0] for clip_id in stored} == {
        *("sounding001", "wholemute01", "wholemute02")
    }
    for clip_id, clip in stored.items():
        is_silent = bool(np.allclose(mel_of(clip), SILENCE, atol=0.01))
        assert is_silent == clip_id.startswith("wholemute")
        assert clip.read("motion").any()


AVSPEECH = """sounding001,0.0,2.0,0.250000,0.400000
sounding001,0.0,2.0,0.750000,0.410000
quiettrack1,0.0,2.0,0.500000,0.500000
"""


def test_two_faces_of_one_segment_reach_a_shard(tmp_path: Path, site: str):
    loud = {"min_loudness_dbfs": -200.0, "fix": "drop"}
    settings = settings_in(tmp_path, AVSPEECH, site, validation=loud)
    counts, version = run_stages(settings)
    assert counts == [{"ok": 3}] * 4
    stored = stored_clips(settings, version)
    faces = {clip_id: clip.listed.face_xy for clip_id, clip in stored.items()}
    assert faces == {
        "sounding001_00000000_00002000_x250_y400": (0.25, 0.4),
        "sounding001_00000000_00002000_x750_y410": (0.75, 0.41),
        "quiettrack1_00000000_00002000_x500_y500": (0.5, 0.5),
    }
    one, other = (clip.listed for name, clip in stored.items() if name.startswith("sounding"))
    assert one.split == other.split, "a source is in one split"
    assert one.sha256 == other.sha256

    bucket = open_bucket(settings.bucket_url)
    table = tmp_path / "clips.parquet"
    key = dataset_manifest_key(settings.recipe, "dataset_v1", one.split, "parquet")
    bucket.download(key, table)
    with duckdb.connect() as database:
        rows = database.execute("SELECT face_x, face_y FROM read_parquet(?)", [str(table)])
        assert set(rows.fetchall()) >= {(0.25, 0.4), (0.75, 0.41)}
    again = validation.stage.run(settings)
    assert again.outputs["reused"] is True
