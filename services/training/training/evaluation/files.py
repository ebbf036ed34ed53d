"""Folders that are in the bucket and on this machine."""

from pathlib import Path

from s2s.storage import Bucket
from s2s.tasks.generation.network.directory import CONFIG_FILE

__all__ = ["fetch_folder", "store_folder"]


def fetch_folder(bucket: Bucket, prefix: str, folder: Path) -> Path:
    """Download what lies directly under a prefix; checkpoints are left."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in bucket.keys(prefix):
        name = key.removeprefix(prefix)
        if "/" not in name:
            bucket.fetch(key, folder / name)
    return folder


def store_folder(bucket: Bucket, folder: Path, prefix: str) -> None:
    """Upload all files of a folder; the config last, since it says that all is there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: path.name == CONFIG_FILE):
        bucket.upload(path, prefix + path.relative_to(folder).as_posix(), overwrite=True)
