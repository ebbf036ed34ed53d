"""Time and size of the page of a data set version with many clips.

Usage: python benchmarks/dataset_report.py [--clips 10000] [--keep FOLDER]
Rows, outcomes of three stages and an older version are made up; all clips share one rendered video.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from launcher.pages.dataset import write_dataset_report
from s2s.dataset import SPLITS, DatasetClip, DatasetVersion, Split, write_version
from s2s.layout import manifest_key
from s2s.manifest import write_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.storage import DirectoryBucket, ObjectInfo
from s2s.tasks.generation.settings import GenerationRecipe
from validation.checks.clip_checks import check_key

RECIPE = GenerationRecipe.model_validate({"name": "many", "collection": {"catalog": "x.csv"}})
N_LABELS, MOST_S, MOST_BYTES = 300, 10.0, 5_000_000
LOST = {
    "collection": (Reason.GONE, Reason.PRIVATE, Reason.GEO),
    "preprocessing": (Reason.TOO_SHORT, Reason.NO_AUDIO),
    "validation": (Reason.SILENT, Reason.FROZEN, Reason.CLIPPED),
}


def store_video(bucket: DirectoryBucket, folder: Path) -> tuple[ObjectInfo, ObjectInfo]:
    """Render ten seconds at 256 pixels, with sound."""
    video, sound = folder / "clip.mp4", folder / "clip.wav"
    picture = ["-f", "lavfi", "-t", "10", "-i", "testsrc2=s=256x256:r=25"]
    noise = ["-f", "lavfi", "-t", "10", "-i", "anoisesrc=r=16000:a=0.2"]
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg([*picture, *noise, *coded, str(video), "-map", "1:a", str(sound)], "clip")
    return bucket.upload(video, "clip.mp4"), bucket.upload(sound, "clip.wav")


def make_row(number: int, rng: random.Random, files: tuple[ObjectInfo, ObjectInfo]) -> DatasetClip:
    """A row with figures of its own."""
    mp4, wav = files
    splits: tuple[Split, ...] = ("train", "val", "test")
    return DatasetClip(
        clip_id=f"s{number:07d}_00000000_00010000",
        source_id=f"s{number:07d}",
        start_s=0,
        end_s=10,
        labels=(f"label {rng.randrange(N_LABELS)}",),
        split=rng.choices(splits, (7, 2, 1))[0],
        key=mp4.key,
        size=mp4.size,
        crc32c=mp4.crc32c,
        sha256=f"{number:064x}",
        wav_key=wav.key,
        wav_size=wav.size,
        wav_crc32c=wav.crc32c,
        wav_sha256="0" * 64,
        duration_s=rng.uniform(4, 10),
        loudness_dbfs=rng.uniform(-30, 0),
        mean_dbfs=rng.uniform(-50, -10),
        fps=25,
        width=256,
        height=256,
        picture_hash=f"{rng.getrandbits(256):064x}",
        sound_hash=f"{rng.getrandbits(256):064x}",
        moment_hashes=" ".join(f"{rng.getrandbits(512):0128x}" for _ in range(3)),
    )


def make_copies(rows: list[DatasetClip], rng: random.Random) -> list[DatasetClip]:
    """The same rows, every tenth with hashes that are those of the row before but for some bits."""
    for place in range(9, len(rows), 10):
        like = rows[place - 1]
        rows[place] = replace(
            rows[place],
            picture_hash=f"{int(like.picture_hash, 16) ^ rng.getrandbits(16):064x}",
            sound_hash=f"{int(like.sound_hash, 16) ^ rng.getrandbits(16):064x}",
        )
    return rows


def store_checks(bucket: DirectoryBucket, rows: list[DatasetClip], rng: random.Random) -> None:
    """What validation found of each clip, as far as the page reads it."""
    for row in rows:
        check = {
            "key": row.key,
            "crc32c": row.crc32c,
            "picture": {"motion": rng.uniform(0, 255), "brightness": rng.uniform(20, 235)},
            "sound": {"clipped_share": rng.choice((0, 0, 0, 0.02))},
        }
        bucket.write(check_key(RECIPE, row.clip_id), json.dumps(check).encode())


def store_outcomes(bucket: DirectoryBucket, rows: list[DatasetClip], rng: random.Random) -> None:
    """Manifests of the stages, in which a tenth more clips are lost on the way."""
    lost = {f"lost{n:07d}": rng.choice(sorted(LOST)) for n in range(len(rows) // 10)}
    stages = list(LOST)
    for at, stage in enumerate(stages):
        outcomes = [Outcome(clip_id=row.clip_id, status=Status.OK) for row in rows]
        for name, where in lost.items():
            if stages.index(where) > at:
                outcomes.append(Outcome(clip_id=name, status=Status.OK))
                continue
            reason = rng.choice(LOST[stage]) if where == stage else Reason.UPSTREAM_FAILED
            outcomes.append(Outcome(clip_id=name, status=Status.FAILED, reason=reason))
        write_manifest(bucket, manifest_key(RECIPE, stage), outcomes)


def main() -> None:
    """Make up a version, write its page, compare with what is asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="Folder that gets a copy of the page.")
    args = parser.parse_args()
    n_clips, rng = args.clips, random.Random(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bucket = DirectoryBucket(folder / "bucket")
        files = store_video(bucket, folder)
        rows = make_copies([make_row(n, rng, files) for n in range(n_clips)], rng)
        store_checks(bucket, rows, rng)
        store_outcomes(bucket, rows, rng)
        for number, held in ((1, rows[: n_clips * 9 // 10]), (2, rows)):
            clips = {split: tuple(row for row in held if row.split == split) for split in SPLITS}
            version = DatasetVersion(f"dataset_v{number}", clips)
            write_version(bucket, RECIPE, version)
        started, cpu = time.perf_counter(), time.process_time()
        page = write_dataset_report(bucket, RECIPE, version, folder / "reports")
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        size = page.stat().st_size
        if args.keep:
            shutil.copy(page, args.keep)
    print(
        f"{n_clips} clips: {seconds:.1f} s, {cpu_s:.1f} CPU s (asked for: {MOST_S:.0f} s), ", end=""
    )
    print(f"{size / 1e6:.2f} MB (asked for: {MOST_BYTES / 1e6:.0f} MB)")
    sys.exit(size > MOST_BYTES)


if __name__ == "__main__":
    main()
