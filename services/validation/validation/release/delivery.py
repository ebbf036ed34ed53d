"""Files of a version: fetched as a whole or in part, and hashed again."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion, manifest_to_csv
from s2s.errors import ChecksumError, ObjectNotFoundError, VersionError
from s2s.layout import dataset_manifest_key
from s2s.settings import Recipe
from s2s.storage import Bucket, VersionedBucket
from s2s.workspace import replacing, scratch
from validation.checksum import sha256_of_file
from validation.release.parquet import parquet_problem
from validation.release.remote import listed_md5, listing_problems, store_key
from validation.release.repository import DATA, DataRepository

__all__ = ["choose", "pull", "verify_folder", "verify_stored"]

_FILES_AT_A_TIME = 8


def choose(
    version: DatasetVersion, splits: Iterable[str] = (), labels: Iterable[str] = ()
) -> DatasetVersion:
    """A version's clips of some splits and some labels; of all where none is named.

    Raises:
        VersionError: if nothing is chosen.
    """
    splits_wanted, labels_wanted = set(splits) or set(SPLITS), set(labels)
    clips = {
        split: tuple(
            clip
            for clip in version.split(split)
            if split in splits_wanted and (not labels_wanted or labels_wanted & set(clip.labels))
        )
        for split in SPLITS
    }
    if not any(clips.values()):
        found = sorted(
            {name for split in SPLITS for c in version.split(split) for name in c.labels}
        )
        raise VersionError(
            f"{version.name} has no clip of splits {', '.join(sorted(splits_wanted))} and labels "
            f"{', '.join(sorted(labels_wanted)) or 'of any kind'}: splits are {', '.join(SPLITS)}, "
            f"labels are {', '.join(found[:20])}{' and more' if len(found) > 20 else ''}"
        )
    return DatasetVersion(version.name, clips, version.bundle)


def pull(bucket: Bucket, version: DatasetVersion, folder: Path) -> int:
    """Fetch a version's clips and manifests, laid out as DVC does it; what is right stays.

    Args:
        bucket: where they are.
        version: what to fetch; `choose` makes a part of one.
        folder: gets `s2s_dataset`.

    Returns:
        files that were fetched.

    Raises:
        VersionError: if an object is not what the version says.
        ObjectNotFoundError: if one is gone.
    """
    target = folder / DATA

    def fetch(item: tuple[str, str, str]) -> bool:
        name, key, sha256 = item
        path = target / name
        if path.is_file() and sha256_of_file(path) == sha256:
            return False
        with replacing(path) as staged:
            bucket.download(key, staged)
            if sha256_of_file(staged) != sha256:
                raise VersionError(
                    f"{bucket.url}/{key}: does not have the SHA-256 that {version.name} gives: it "
                    f"was changed. 'dvc pull' has the right one ({version.bundle})"
                )
        return True

    with ThreadPoolExecutor(_FILES_AT_A_TIME) as pool:
        fetched = sum(pool.map(fetch, _files(version)))
    for split in SPLITS:
        if version.split(split):
            (target / f"{split}.csv").write_bytes(manifest_to_csv(version.split(split)))
    return fetched


def verify_folder(version: DatasetVersion, folder: Path) -> list[str]:
    """Hash a pulled folder's clips again; a sentence for each that is missing or differs."""
    # Where a version-aware remote has the clips they are under their keys, in a clone too.
    has_keys = not (folder / DATA / "clips").exists()

    def look(item: tuple[str, str, str]) -> str:
        path = folder / (item[1] if has_keys else f"{DATA}/{item[0]}")
        if not path.is_file():
            return f"{path}: is missing"
        return "" if sha256_of_file(path) == item[2] else f"{path}: is not what {version.name} says"

    return _looked_at(look, _files(version))


def verify_stored(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> list[str]:
    """Hash a version's objects again: the clips, its manifests and what DVC's remote has of them.

    A manifest as Parquet is compared with the one as CSV, row by row and value by value.

    Returns:
        a sentence for each object that is missing or differs.

    Raises:
        VersionError: if the version's bundle cannot be read.
    """
    problems = _looked_at(
        lambda item: _problem(bucket, item[1], "sha256", item[2]), _files(version)
    )
    problems += _parquet_problems(bucket, recipe, version)
    tracked = _dvc_files(bucket, version)
    listing, problem = _listing(bucket, tracked.pop(f"{DATA}.dvc"))
    if problem:
        return [*problems, problem]

    def look(entry: dict[str, str]) -> str:
        key = store_key(entry["md5"])
        return _problem(bucket, key, "md5", entry["md5"], f" ({entry['relpath']})")

    problems += _looked_at(look, listing)
    if tracked and isinstance(bucket, VersionedBucket):
        ((name, text),) = tracked.items()
        keys = [key for _, key, _ in _files(version)]
        return problems + listing_problems(bucket, name.removesuffix(".dvc"), text, keys)
    stored = {entry["relpath"] for entry in listing}
    expected = {name for name, _, _ in _files(version)}
    return problems + [f"{DATA}/{name}: DVC does not have it" for name in sorted(expected - stored)]


def _parquet_problems(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> Iterator[str]:
    with scratch() as own:
        for split in SPLITS:
            key = dataset_manifest_key(recipe, version.name, split, "parquet")
            manifest, stored = own / f"{split}.csv", own / f"{split}.parquet"
            manifest.write_bytes(manifest_to_csv(version.split(split)))
            try:
                bucket.download(key, stored)
            except ObjectNotFoundError:
                yield f"{bucket.url}/{key}: is missing"
                continue
            except ChecksumError as error:
                yield f"{bucket.url}/{key}: {error}"
                continue
            if problem := parquet_problem(manifest, stored):
                yield f"{bucket.url}/{key}: {problem}"


def _looked_at(look: Callable, items: Iterable) -> list[str]:
    with ThreadPoolExecutor(_FILES_AT_A_TIME) as pool:
        return [problem for problem in pool.map(look, items) if problem]


def _dvc_files(bucket: Bucket, version: DatasetVersion) -> dict[str, str]:
    with scratch() as own:
        bundle = own / "version.bundle"
        bucket.download(version.bundle, bundle)
        repository = DataRepository(own / "repository")
        repository.restore(bundle)
        return repository.dvc_files(version.name)


def _listing(bucket: Bucket, tracked: str) -> tuple[list[dict[str, str]], str]:
    """What DVC's remote lists for a `.dvc` file of a folder; or what is wrong with that list."""
    md5 = listed_md5(tracked)
    key = store_key(md5)
    if problem := _problem(bucket, key, "md5", md5.removesuffix(".dir"), " (DVC's list)"):
        return [], problem
    return json.loads(bucket.read(key)), ""


def _problem(bucket: Bucket, key: str, algorithm: str, expected: str, name: str = "") -> str:
    try:
        data = bucket.read(key)
    except ObjectNotFoundError:
        return f"{bucket.url}/{key}{name}: is missing"
    except ChecksumError as error:
        return f"{bucket.url}/{key}{name}: {error}"
    found = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    return "" if found == expected else f"{bucket.url}/{key}{name}: has another {algorithm}"


def _files(version: DatasetVersion) -> Iterator[tuple[str, str, str]]:
    """Each clip's two files: path in the data set, key, SHA-256."""
    for split in SPLITS:
        for clip in version.split(split):
            yield from _files_of(clip)


def _files_of(clip: DatasetClip) -> Iterator[tuple[str, str, str]]:
    stem = f"clips/{clip.split}/{clip.clip_id}"
    yield f"{stem}.mp4", clip.key, clip.sha256
    yield f"{stem}.wav", clip.wav_key, clip.wav_sha256
