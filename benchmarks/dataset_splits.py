"""Time and memory to arrange data set versions of many clips: alike ones found, splits, folds.

Usage: python benchmarks/dataset_splits.py [--clips 650000]
Splits a catalog that is new, then arranges the version after that, with all rows of both in memory.
"""

import argparse
import random
import resource
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from s2s.dataset import SPLITS, DatasetClip
from s2s.layout import processed_prefix
from s2s.records import ClipRecord
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe
from validation.alike.duplicates import alike_pairs
from validation.alike.hashes import VIEWS
from validation.release.contents import arrange, deal_folds, split_sources

RECIPE = GenerationRecipe.model_validate(
    {"name": "many", "collection": {"catalog": "x.csv"}, "validation": {"folds": 5}}
)
N_LABELS, CLIPS_PER_SOURCE, SHARE_OF_COPIES = 700, 1.3, 0.01


def make_catalog(n_clips: int) -> tuple[list[ClipRecord], list[DatasetClip]]:
    """Clips of random labels and looks; one in a hundred is a copy of another source's."""
    rng = random.Random(0)
    records, rows = [], []
    n_sources = int(n_clips / CLIPS_PER_SOURCE)
    for n in range(n_clips):
        source = f"s{n % n_sources:07d}"
        record = ClipRecord(
            source_id=source,
            start_s=10 * (n // n_sources),
            end_s=10 * (n // n_sources) + 10,
            labels=(f"label{rng.randrange(N_LABELS)}",),
        )
        is_copy = n and rng.random() < SHARE_OF_COPIES
        look = rows[rng.randrange(n)] if is_copy else None
        records.append(record)
        rows.append(row_of(record, rng, look))
    return records, rows


def row_of(record: ClipRecord, rng: random.Random, look: DatasetClip | None) -> DatasetClip:
    """A clip's row, with the hashes of another where it is a copy."""
    digits = [f"{rng.getrandbits(256):064x}" for _ in range(2)]
    views = f"{rng.getrandbits(256 * VIEWS):0{64 * VIEWS}x}"
    moments = " ".join(f"{rng.getrandbits(512):0128x}" for _ in range(3))
    prefix = processed_prefix(RECIPE)
    return DatasetClip(
        clip_id=record.clip_id,
        source_id=record.source_id,
        start_s=record.start_s,
        end_s=record.end_s,
        labels=record.labels,
        split="train",
        key=f"{prefix}{record.clip_id}.mp4",
        size=500_000,
        crc32c="AAAAAA==",
        sha256=digits[0],
        wav_key=f"{prefix}{record.clip_id}.wav",
        wav_size=320_000,
        wav_crc32c="AAAAAA==",
        wav_sha256=digits[0],
        fold=None,
        duration_s=10.0,
        fps=25.0,
        width=256,
        height=256,
        loudness_dbfs=-6.0,
        mean_dbfs=-20.0,
        picture_hash=look.picture_hash if look else views,
        sound_hash=look.sound_hash if look else digits[1],
        moment_hashes=look.moment_hashes if look else moments,
    )


def main() -> None:
    """Split a new catalog, then the same one again as the catalog of the next version."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clips", type=int, default=650_000)
    n_clips = parser.parse_args().clips
    records, rows = make_catalog(n_clips)
    print(f"{n_clips} clips in memory: {peak_mb():.0f} MB")
    started, cpu = time.perf_counter(), time.process_time()
    pairs = alike_pairs(rows)
    tell("alike clips found", started, cpu)
    started, cpu = time.perf_counter(), time.process_time()
    splits, links = split_sources(RECIPE, records, [], pairs)
    folds = deal_folds(RECIPE, records, [], splits, links)
    tell("splits and folds of a new catalog", started, cpu)
    sizes = dict(Counter(splits.values()))
    print(f"pairs alike {len(pairs)}, sources {sizes}, in folds {len(folds)}")
    started, cpu = time.perf_counter(), time.process_time()
    clips = {
        split: tuple(replace(row, split=split) for row in rows if splits[row.source_id] == split)
        for split in SPLITS
    }
    del rows, pairs, splits, links, folds
    nothing = DirectoryBucket(Path(tempfile.gettempdir(), "not-there"))  # no check is read
    contents = arrange(
        nothing, RECIPE, records, [clip for split in SPLITS for clip in clips[split]], []
    )
    tell("the version after it, all of that", started, cpu)
    print(f"clips { ({split: len(found) for split, found in contents.clips.items()}) }")


def tell(what: str, started: float, cpu: float) -> None:
    """Print what something took, and the peak of memory so far."""
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(f"{what}: {seconds:.1f} s, {cpu_s:.1f} CPU s, peak {peak_mb():.0f} MB")


def peak_mb() -> float:
    """Most memory that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
