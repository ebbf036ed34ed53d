"""The data set repository: git holds the versions, DVC the files."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from s2s.dataset import SPLITS, DatasetClip, manifest_to_csv
from s2s.errors import ChecksumError, VersionError
from s2s.storage import Bucket, VersionedBucket
from s2s.workspace import replacing
from validation.release.dvc_config import dvc_config
from validation.release.parquet import write_parquet
from validation.release.programs import dvc, git
from validation.release.remote import RemoteMode, clip_listing, listed_md5, store_key

__all__ = ["DATA", "DataRepository"]

DATA = "s2s_dataset"
_TRACKED = f"{DATA}.dvc"
_BRANCH = "main"
_DOWNLOADS_AT_A_TIME = 8
_FILES = {
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    # Clips are linked, not copied, between this folder and DVC's cache. Only here: in a clone a
    # linked file could not be edited without care.
    ".dvc/config.local": '[cache]\n    type = "hardlink,copy"\n',
    "README.md": (
        "# A data set of Silent to Sound\n\n"
        "Every version is a tag, `git tag` lists them. To have the files of one:\n\n"
        "```sh\ngit checkout dataset_v1\ndvc pull\n```\n"
    ),
}


class DataRepository:
    """A git repository whose folder `s2s_dataset` DVC tracks.

    The bucket's git bundles are what counts: the folder can be lost at any time. What is kept in
    it (clips, DVC's cache) only saves fetching it again.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def is_there(self) -> bool:
        """Whether this machine has the repository."""
        return (self.folder / ".git").is_dir() and (self.folder / ".dvc" / "config").is_file()

    def restore(self, bundle: Path | None) -> None:
        """Take history from a bundle, in place of the one here; None starts a new one.

        Raises:
            VersionError: if git fails, or DVC cannot work in such a folder.
        """
        if "{" in str(self.folder) or "}" in str(self.folder):
            raise VersionError(
                f"{self.folder}: DVC cannot work in a folder with a brace in its path: choose "
                "another --work-dir (S2S_HOME)"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / ".git", ignore_errors=True)
        git(self.folder, "init", "--quiet", f"--initial-branch={_BRANCH}")
        if bundle is not None:
            refs = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]
            source = str(bundle.absolute())
            git(self.folder, "fetch", "--quiet", "--update-head-ok", source, *refs)
            git(self.folder, "reset", "--quiet", "--hard", _BRANCH)

    def configure(self, bucket: Bucket, mode: RemoteMode) -> None:
        """Write DVC's settings, with the remote in the bucket.

        Raises:
            VersionError: if the bucket's path cannot be written in them.
        """
        for name, text in (_FILES | {".dvc/config": dvc_config(bucket, mode)}).items():
            _replace(self.folder / name, text.encode())

    def fill(
        self, bucket: Bucket, clips: Mapping[str, Iterable[DatasetClip]], mode: RemoteMode
    ) -> None:
        """Have exactly these clips, their manifests and labels.json.

        Clips of a remote that is version aware are listed, where they are, but not fetched.

        Raises:
            VersionError: if a clip in the bucket is not what was checked.
        """
        files = dict(_files(clips))
        for listing in self.folder.glob("*/*.dvc"):
            listing.unlink()
        if mode is RemoteMode.VERSION_AWARE and isinstance(bucket, VersionedBucket):
            place, text = clip_listing(bucket, dict(files.values()))
            _replace(self.folder / f"{place}.dvc", text.encode())
            _replace(self.folder / place.rpartition("/")[0] / ".gitignore", b"/*/\n")
            files = {}
        folder = self.folder / DATA
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            if path.relative_to(folder).as_posix() not in files:
                path.unlink()

        def have(item: tuple[str, tuple[str, str]]) -> None:
            name, (key, crc32c) = item
            _have(bucket, folder / name, key, crc32c)

        with ThreadPoolExecutor(_DOWNLOADS_AT_A_TIME) as pool:
            list(pool.map(have, files.items()))
        for split in SPLITS:
            _replace(folder / f"{split}.csv", manifest_to_csv(clips[split]))
            with replacing(folder / f"{split}.parquet") as staged:
                write_parquet(folder / f"{split}.csv", staged)
        _replace(folder / "labels.json", _labels_json(clips).encode())

    def describe(self, files: Mapping[str, str]) -> None:
        """Write files that are in git, not among what DVC tracks."""
        for name, text in files.items():
            _replace(self.folder / name, text.encode())

    def track(self, bucket: Bucket) -> None:
        """Let DVC take the folder's state, and store what the bucket lacks of it.

        Raises:
            VersionError: if DVC fails, or has stored it somewhere else.
        """
        dvc(self.folder, "add", DATA)
        dvc(self.folder, "push", DATA)
        listing = store_key(listed_md5((self.folder / _TRACKED).read_text()))
        if not bucket.exists(listing):
            raise VersionError(
                f"{bucket.url}/{listing}: is not there, though DVC says that it has stored it: it "
                "understands the bucket's path in another way. Use a bucket with plain letters"
            )

    def commit(self, message: str) -> None:
        """Commit the state that DVC has taken."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", f"--message={message}")

    def bundle(self, version: str, path: Path) -> None:
        """Tag the last commit with a version, and write the whole history to a git bundle."""
        message = git(self.folder, "log", "-1", "--format=%s")
        git(self.folder, "tag", "--annotate", "--force", f"--message={message}", version)
        refs = ["HEAD", "--branches", "--tags"]
        git(self.folder, "bundle", "create", "--quiet", str(path.absolute()), *refs)

    def drop_tag(self, version: str) -> None:
        """Remove a version's tag."""
        git(self.folder, "tag", "--delete", version)

    def holds_same(self, bundle: Path, version: str) -> bool:
        """Whether a version in a bundle has the files, and the past, of the last commit here."""
        git(self.folder, "fetch", "--quiet", str(bundle.absolute()), f"refs/tags/{version}")
        theirs, ours = (
            git(self.folder, "rev-parse", f"{commit}:{_TRACKED}", f"{commit}^@")
            for commit in ("FETCH_HEAD", "HEAD")
        )
        return theirs == ours

    def dvc_files(self, version: str) -> dict[str, str]:
        """Texts of a version's `.dvc` files, by name."""
        names = git(self.folder, "ls-tree", "-r", "--name-only", version).splitlines()
        return {
            name: git(self.folder, "show", f"{version}:{name}")
            for name in names
            if name.endswith(".dvc")
        }

    def push(self, url: str, version: str) -> None:
        """Push the branch and a version's tag to another git repository: both or none.

        Raises:
            VersionError: if it refuses.
        """
        git(self.folder, "push", "--quiet", "--atomic", "--", url, _BRANCH, f"refs/tags/{version}")


def _files(
    clips: Mapping[str, Iterable[DatasetClip]],
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each clip's two files: path in the data set, then key and CRC-32C in the bucket."""
    for split in SPLITS:
        for clip in clips[split]:
            name = f"clips/{split}/{clip.clip_id}"
            yield f"{name}.mp4", (clip.key, clip.crc32c)
            yield f"{name}.wav", (clip.wav_key, clip.wav_crc32c)


def _have(bucket: Bucket, path: Path, key: str, crc32c: str) -> None:
    """Have an object as a file; one that is there already is only read."""
    try:
        bucket.fetch(key, path, crc32c)
    except ChecksumError as error:
        raise VersionError(
            f"{bucket.url}/{key}: is not what was checked, it was changed since. Delete the "
            "clip's check under datasets/ in the bucket and run validation again"
        ) from error


def _labels_json(clips: Mapping[str, Iterable[DatasetClip]]) -> str:
    """Clips of each label by split, in the order of labels."""
    counts = Counter(
        (label, split) for split in SPLITS for clip in clips[split] for label in clip.labels
    )
    table = {
        label: {split: counts[label, split] for split in SPLITS}
        for label in sorted({label for label, _ in counts})
    }
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def _replace(path: Path, data: bytes) -> None:
    """Write a file anew: DVC may have linked the one there to its cache."""
    with replacing(path) as staged:
        staged.write_bytes(data)
