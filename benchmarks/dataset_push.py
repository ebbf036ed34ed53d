"""Making a data set version, adding 1 %, and pulling it, beside plain DVC on the same files.

Usage: python benchmarks/dataset_push.py [--clips 2000] [--kilobytes 100]
"""

import argparse
import hashlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion, Split, read_version
from s2s.layout import catalog_key
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe
from validation.release.delivery import pull
from validation.release.releasing import Releases

RECIPE = GenerationRecipe.model_validate({"name": "pushed", "collection": {"catalog": "x.csv"}})
SHARE_OF_MP4 = 0.6
ENVIRONMENT = os.environ | {"DVC_NO_ANALYTICS": "true"}


def make_clip(bucket: DirectoryBucket, number: int, n_bytes: int) -> DatasetClip:
    """Store a clip of random bytes, with random hashes: nothing here decodes it."""
    rng = random.Random(number)
    sizes = round(n_bytes * SHARE_OF_MP4), round(n_bytes * (1 - SHARE_OF_MP4))
    name = f"s{number:06d}_00000000_00010000"
    stored = []
    for suffix, size in zip(("mp4", "wav"), sizes, strict=True):
        data = rng.randbytes(size)
        info = bucket.write(f"processed_data/pushed/{name}.{suffix}", data)
        stored.append((info, hashlib.sha256(data).hexdigest()))
    (mp4, mp4_hash), (wav, wav_hash) = stored
    splits: tuple[Split, ...] = ("train", "val", "test")
    return DatasetClip(
        clip_id=name,
        source_id=f"s{number:06d}",
        start_s=0,
        end_s=10,
        split=splits[number % 3],
        key=mp4.key,
        size=mp4.size,
        crc32c=mp4.crc32c,
        sha256=mp4_hash,
        wav_key=wav.key,
        wav_size=wav.size,
        wav_crc32c=wav.crc32c,
        wav_sha256=wav_hash,
        picture_hash=f"{rng.getrandbits(256):064x}",
        sound_hash=f"{rng.getrandbits(256):064x}",
        moment_hashes=" ".join(f"{rng.getrandbits(512):0128x}" for _ in range(3)),
    )


def timed(name: str, work: Callable[[], object]) -> tuple[float, float]:
    """Print what something takes: seconds, and seconds of CPU."""
    started, cpu = time.perf_counter(), cpu_s()
    work()
    seconds, used_s = time.perf_counter() - started, cpu_s() - cpu
    print(f"{name}: {seconds:.1f} s, {used_s:.1f} CPU s", flush=True)
    return seconds, used_s


def tell_ratio(what: str, ours: tuple[float, float], plain: tuple[float, float]) -> None:
    """Print what we take of what plain DVC takes."""
    print(
        f"{what}: {ours[0] / plain[0]:.2f} of plain DVC's time, {ours[1] / plain[1]:.2f} of its CPU"
    )


def cpu_s() -> float:
    """CPU time of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


def stored_bytes(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def plain(folder: Path, files: Path) -> None:
    """What a user does by hand: a repository, `dvc add`, `dvc push`."""
    folder.mkdir()
    dvc = [sys.executable, "-m", "dvc"]
    for command in (
        ["git", "init", "-q"],
        [*dvc, "init", "-q"],
        [*dvc, "remote", "add", "-q", "-d", "store", str(folder / "store")],
        ["cp", "-r", str(files), "s2s_dataset"],
        [*dvc, "add", "-q", "s2s_dataset"],
        [*dvc, "push", "-q"],
    ):
        subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True)


def clone_and_pull(folder: Path, bundle: Path) -> None:
    """What a user does who has nothing but git, DVC and the bucket."""
    clone = ["git", "clone", "-q", "-b", "dataset_v1", str(bundle), str(folder)]
    subprocess.run(clone, check=True, capture_output=True)
    subprocess.run(
        [sys.executable, "-m", "dvc", "pull", "-q"], cwd=folder, env=ENVIRONMENT, check=True
    )


def main() -> None:
    """Both in the same run, on the same files."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--kilobytes", type=int, default=100, help="of a clip's two files")
    options = parser.parse_args()
    n_clips, n_bytes = options.clips, options.kilobytes * 1000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bucket = DirectoryBucket(folder / "bucket")
        bucket.write(catalog_key(RECIPE), b"{}\n")
        clips = [make_clip(bucket, n, n_bytes) for n in range(n_clips + max(1, n_clips // 100))]
        settings = Settings(
            recipe=RECIPE, recipe_path=folder, bucket_url=bucket.url, work_dir=folder / "work"
        )

        def version_of(number: int, newest: DatasetVersion | None) -> DatasetVersion:
            rows = {s: tuple(c for c in clips[:number] if c.split == s) for s in SPLITS}
            return Releases(settings, folder).make(rows, newest)

        ours = timed(f"./s2s version create, {n_clips} clips", lambda: version_of(n_clips, None))
        first = read_version(bucket, RECIPE, "dataset_v1")
        files = folder / "work" / "dataset-pushed" / "s2s_dataset"
        tell_ratio("create", ours, timed("plain", lambda: plain(folder / "plain", files)))
        before = stored_bytes(bucket.directory)
        timed("version create, 1 % more", lambda: version_of(len(clips), first))
        added = stored_bytes(bucket.directory) - before
        of_clips = n_bytes * (len(clips) - n_clips)
        print(f"uploaded for it: {added / (n_bytes * n_clips):.2%} of all clips' bytes, ", end="")
        print(f"{of_clips / (n_bytes * n_clips):.2%} of them clips, the rest manifests")
        ours = timed("./s2s version pull", lambda: pull(bucket, first, folder / "pulled"))
        bundle = bucket.directory / first.bundle
        tell_ratio("pull", ours, timed("plain", lambda: clone_and_pull(folder / "clone", bundle)))


if __name__ == "__main__":
    main()
