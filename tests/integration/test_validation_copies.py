"""Copies under another id: found whatever their encoding or start, and kept in one split."""

import hashlib
from pathlib import Path

import pytest
from cut_clips import make_recipe, put_clips, store_clip, write_catalog

from s2s.dataset import SPLITS, DatasetClip, read_version
from s2s.layout import manifest_key
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe
from validation.alike.duplicates import alike_pairs
from validation.checks.picture import measure_picture
from validation.checks.sound import measure_sound
from validation.stage import run

EIGHT = {f"bell{n}": [0] for n in range(8)}


def settings_of(bucket: DirectoryBucket, recipe: GenerationRecipe) -> Settings:
    return Settings(
        recipe=recipe,
        recipe_path=bucket.directory.parent / "tiny.yaml",
        bucket_url=bucket.url,
        work_dir=bucket.directory.parent / "work",
        workers=1,
    )


def upload_again(stem: Path, folder: Path) -> tuple[Path, Path]:
    """The same clip as another site would have it: smaller, softer, compressed twice."""
    files = folder / "again.mp4", folder / "again.wav"
    run_ffmpeg(
        [
            *["-i", f"{stem}.mp4", "-i", f"{stem}.wav", "-map", "0:v", "-map", "1:a"],
            *["-vf", "scale=48:36", "-crf", "34", "-af", "volume=0.6", "-c:a", "aac"],
            *["-f", "mp4", str(files[0])],
        ],
        "again",
    )
    run_ffmpeg(["-i", str(files[0]), "-vn", "-ar", "16000", "-ac", "1", str(files[1])], "again")
    return files


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    """A first version of eight clips; then the catalog gets a copy of one that is for testing."""
    bucket, recipe = DirectoryBucket(tmp_path / "bucket"), make_recipe()
    (tmp_path / "cut").mkdir()
    put_clips(bucket, recipe, tmp_path / "cut", write_catalog(bucket, recipe, EIGHT))
    run(settings_of(bucket, recipe))
    held_out = read_version(bucket, recipe, "dataset_v1").split("test")[0].clip_id
    stem = tmp_path / "cut" / held_out
    names = write_catalog(bucket, recipe, EIGHT | {"copy0": [0]})
    store_clip(bucket, recipe, names[-1], *upload_again(stem, tmp_path))
    bucket.write("raw_data/copy0.mp4", b"a source")
    return bucket


def test_a_copy_of_a_test_clip_is_no_training_clip(bucket: DirectoryBucket):
    report = run(settings_of(bucket, make_recipe()))
    assert report.outputs["alike"] == {"near_duplicate": 1}
    version = read_version(bucket, make_recipe(), "dataset_v2")
    of_source = {clip.source_id: split for split in SPLITS for clip in version.split(split)}
    assert of_source["copy0"] == "test"
    assert len(of_source) == 9


def test_dropping_a_copy_removes_its_cut_files_and_nothing_else(bucket: DirectoryBucket):
    recipe = make_recipe(validation={"fix": "drop"})
    before = set(bucket.keys())
    report = run(settings_of(bucket, recipe))
    assert report.outputs["fixed"] == 1
    assert report.outputs["reused"], "without the copy there is nothing new"
    rows = {row.clip_id: row for row in read_manifest(bucket, manifest_key(recipe, "validation"))}
    (copy,) = (name for name in rows if name.startswith("copy0"))
    assert rows[copy].reason is Reason.NEAR_DUPLICATE
    gone = before - set(bucket.keys())
    assert {key.rpartition("/")[2] for key in gone} == {f"{copy}.mp4", f"{copy}.wav"}
    assert all(key.startswith("processed_data/") for key in gone)
    assert bucket.read("raw_data/copy0.mp4") == b"a source"


def cut(source: Path, output: Path, start_s: float, quality: list[str]) -> DatasetClip:
    """Six seconds of a video as a row of a manifest, of a source of its own."""
    span = ["-ss", str(start_s), "-i", str(source), "-t", "6", "-c:v", "libx264"]
    run_ffmpeg([*span, "-preset", "ultrafast", *quality, "-f", "mp4", str(output)], output.name)
    sound = measure_sound(output, 16_000)
    picture = measure_picture(output, [moment.at_s for moment in sound.moments])
    hashes = zip(picture.moment_hashes, sound.moments, strict=True)
    return DatasetClip(
        clip_id=output.stem,
        source_id=output.stem,
        start_s=0,
        end_s=6,
        split="train",
        key="m",
        size=1,
        crc32c="AAAAAA==",
        sha256=hashlib.sha256(output.read_bytes()).hexdigest(),
        wav_key="w",
        wav_size=1,
        wav_crc32c="AAAAAA==",
        wav_sha256="0" * 64,
        picture_hash=picture.hash,
        sound_hash=sound.hash,
        moment_hashes=" ".join(seen + heard.hash for seen, heard in hashes),
    )


@pytest.mark.parametrize(
    "change",
    ["hflip", "pad=iw:ih*4/3:0:(oh-ih)/2", "crop=iw*.8:ih*.8", "crop=iw*.9:ih*.9,hflip"],
    ids=["mirrored", "bars", "cropped", "mirrored and cropped"],
)
def test_copies_that_look_different_are_found_by_their_sound(
    real_data: Path, tmp_path: Path, change: str
):
    even, clips = "scale=trunc(iw/4)*2:trunc(ih/4)*2", []
    for n, video in enumerate(sorted((real_data / "clips" / "vggsound").glob("*.mp4"))[:2]):
        clips.append(cut(video, tmp_path / f"{n}.mp4", 0, ["-vf", even]))
        clips.append(cut(video, tmp_path / f"{n}-copy.mp4", 0, ["-vf", f"{change},{even}"]))
    found = [(pair.first, pair.second) for pair in alike_pairs(clips)]
    assert found == [("0", "0-copy"), ("1", "1-copy")]


def test_copies_that_start_later_are_found(real_data: Path, tmp_path: Path):
    good, poor = ["-vf", "scale=-2:160"], ["-vf", "scale=-2:128", "-crf", "30", "-b:a", "64k"]
    clips = []
    for n, video in enumerate(sorted((real_data / "clips" / "vggsound").glob("*.mp4"))[:3]):
        clips.append(cut(video, tmp_path / f"{n}.mp4", 0, good))
        clips.append(cut(video, tmp_path / f"{n}-later.mp4", 1.6, poor))
    found = [(pair.first, pair.second) for pair in alike_pairs(clips)]
    assert found == [("0", "0-later"), ("1", "1-later"), ("2", "2-later")]


@pytest.mark.parametrize("tone", ["sine=f=440", "aevalsrc=0.3*sin(314*t)+0.2*sin(942*t)"])
def test_a_steady_tone_is_the_same_in_every_container(real_data: Path, tmp_path: Path, tone: str):
    kinds = {"mp4": ["-c:a", "aac"], "mkv": ["-c:a", "libopus"], "avi": ["-c:a", "libmp3lame"]}
    clips = []
    for n, video in enumerate(sorted((real_data / "clips" / "vggsound").glob("*.mp4"))[:2]):
        for kind, sound in kinds.items():
            source = tmp_path / f"{n}-source.{kind}"
            inputs = ["-i", str(video), "-f", "lavfi", "-i", tone, "-map", "0:v", "-map", "1:a"]
            coded = ["-vf", "scale=-2:128", "-c:v", "libx264", "-preset", "ultrafast", *sound]
            run_ffmpeg([*inputs, "-t", "6", "-bf", "0", *coded, str(source)], kind)
            clips.append(cut(source, tmp_path / f"{n}-{kind}.mp4", 0, []))
    found = {(pair.first, pair.second) for pair in alike_pairs(clips)}
    alike = [("avi", "mkv"), ("avi", "mp4"), ("mkv", "mp4")]
    assert found == {(f"{n}-{one}", f"{n}-{other}") for n in range(2) for one, other in alike}
