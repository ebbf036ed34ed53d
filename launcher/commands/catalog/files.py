"""Where `./s2s catalog` finds a file: as named, beside the recipe, or in the bucket."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from s2s.errors import BucketUnavailableError, CatalogError, StorageError
from s2s.storage import Bucket, open_bucket
from s2s.workspace import workspace

__all__ = ["CatalogFiles"]


class CatalogFiles:
    """Finds files; what is in the bucket is downloaded, and removed at the end.

    Args:
        bucket_url: where files may be.
        base: the recipe's folder; None without one.
        work_dir: a directory for what is downloaded; it is made only then.
    """

    def __init__(self, bucket_url: str, base: Path | None, work_dir: Path) -> None:
        self._bucket_url, self._base, self._work_dir = bucket_url, base, work_dir
        self._stack = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def path(self, name: Path) -> Path:
        """Find a file.

        Raises:
            CatalogError: if it is nowhere.
            BucketUnavailableError: if it is no file here, and the bucket does not answer.
        """
        places = [name] if self._base is None else [name, self._base / name]
        for path in places:
            if path.is_file():
                return path
        bucket = open_bucket(self._bucket_url)
        if not _is_there(bucket, name.as_posix()):
            raise CatalogError(
                f"catalog {name}: there is no such file, and no object of that key in {bucket.url}"
            )
        target = self._scratch() / name.name
        bucket.download(name.as_posix(), target)
        return target

    def _scratch(self) -> Path:
        if self._folder is None:
            parent = self._work_dir / "tmp" / "catalog"
            self._folder = self._stack.enter_context(workspace(parent))
        return self._folder


def _is_there(bucket: Bucket, key: str) -> bool:
    try:
        return bucket.exists(key)
    except BucketUnavailableError:
        raise
    except StorageError:  # a path that can be no key
        return False
