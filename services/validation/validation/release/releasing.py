"""Releasing a data set version: only a change makes one, and it appears whole or not at all.

DVC's files come first, then the git bundle, the manifests, and the index last. All are create-only:
of runs that race one wins, and what a run that died has left behind is taken over or passed by.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from s2s.dataset import (
    SPLITS,
    DatasetClip,
    DatasetVersion,
    read_version,
    version_names,
    write_version,
)
from s2s.errors import ObjectExistsError, StageError, VersionError
from s2s.layout import catalog_key, dataset_bundle_key, dataset_manifest_key
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket
from validation.release.datasheet import describe
from validation.release.remote import RemoteMode
from validation.release.repository import DATA, DataRepository

__all__ = ["Releases"]

_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Releases:
    """Versions of a recipe's data set, and how to make one.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
    """

    settings: Settings
    folder: Path

    @contextmanager
    def one_run_at_a_time(self) -> Iterator[None]:
        """Wait until no other run on this machine works in the same data set repository."""
        path = self.settings.work_dir / f"dataset-{self.settings.recipe.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                console.print(f"Another run makes a version ({path}); this one waits for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def newest(self) -> DatasetVersion | None:
        """The newest version; None if there is none yet.

        Raises:
            VersionError: if it is damaged.
        """
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        names = version_names(bucket, recipe)
        return read_version(bucket, recipe, names[-1]) if names else None

    def past(self, newest: DatasetVersion | None) -> list[DatasetClip]:
        """Clips of all versions, each as the last version that has it says; the newest's last.

        Raises:
            VersionError: if an older version is damaged.
        """
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        if newest is None:
            return []
        found = {clip.clip_id: clip for split in SPLITS for clip in newest.split(split)}
        of_newest = list(found.values())
        # One version at a time: memory for what they have together, not for all of them.
        for name in reversed(version_names(bucket, recipe)):
            if name != newest.name:
                older = read_version(bucket, recipe, name).clips.values()
                for clip in (clip for clips in older for clip in clips):
                    found.setdefault(clip.clip_id, clip)
        return [*list(found.values())[len(of_newest) :][::-1], *of_newest]

    def make(
        self,
        clips: Mapping[str, tuple[DatasetClip, ...]],
        newest: DatasetVersion | None,
        mode: RemoteMode = RemoteMode.CONTENT_ADDRESSED,
    ) -> DatasetVersion:
        """Make a version after the newest.

        Args:
            clips: what it holds, by split.
            newest: the version whose splits these clips keep.
            mode: how DVC's remote has the clips.

        Raises:
            VersionError: if git or DVC fails, or another run has made a version meanwhile.
            BucketUnavailableError: if the bucket does not answer or is full.
            StageError: if this machine's disk is full.
        """
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        sizes = ", ".join(f"{split} {len(clips[split])}" for split in SPLITS)
        with self._translated(), console.status("git and DVC make a version"):
            repository = self._restored(newest)
            repository.configure(bucket, mode)
            repository.fill(bucket, clips, mode)
            catalog = bucket.stat(catalog_key(recipe))
            repository.describe(describe(recipe, clips, (catalog.key, catalog.crc32c), mode))
            repository.track(bucket)
            repository.commit(f"{recipe.name}: {sizes}")
            name = self._publish(repository, newest)
            for split in SPLITS:
                key = dataset_manifest_key(recipe, name, split, "parquet")
                bucket.upload(repository.folder / DATA / f"{split}.parquet", key)
        self._ensure_last(newest, name)
        version = DatasetVersion(name, clips, dataset_bundle_key(recipe, name))
        write_version(bucket, recipe, version)
        return version

    def bring_back(self, version: DatasetVersion, mode: RemoteMode) -> None:
        """Have the data set repository where this machine has none; `dvc pull` there gets files.

        Raises:
            VersionError: if git fails.
            BucketUnavailableError: if the bucket does not answer.
        """
        if not self._repository().is_there():
            self._restored(version).configure(shared_bucket(self.settings.bucket_url), mode)

    def push(self, version: DatasetVersion) -> None:
        """Push a version to the git repository that the recipe names, if it names one.

        Raises:
            VersionError: if that repository refuses.
        """
        if url := self.settings.recipe.validation.git_remote:
            self._restored(version).push(url, version.name)

    def _restored(self, version: DatasetVersion | None) -> DataRepository:
        """The data set repository, its history that of a version."""
        repository = self._repository()
        if version is None:
            repository.restore(None)
        else:
            bundle = self.folder / f"{version.name}.bundle"
            shared_bucket(self.settings.bucket_url).download(version.bundle, bundle)
            repository.restore(bundle)
        return repository

    def _repository(self) -> DataRepository:
        return DataRepository(self.settings.work_dir / f"dataset-{self.settings.recipe.name}")

    def _publish(self, repository: DataRepository, newest: DatasetVersion | None) -> str:
        """Store the bundle of the last commit under the first version's name that is free."""
        bucket, recipe = shared_bucket(self.settings.bucket_url), self.settings.recipe
        number = _number(newest.name) + 1 if newest is not None else 1
        while True:
            name = f"dataset_v{number}"
            key, bundle = dataset_bundle_key(recipe, name), self.folder / f"{name}.bundle"
            repository.bundle(name, bundle)
            try:
                bucket.upload(bundle, key)
                return name
            except ObjectExistsError:
                bucket.download(key, bundle)
            # A run that died made it, or one that races with this one.
            if repository.holds_same(bundle, name):
                return name
            repository.drop_tag(name)
            self._ensure_last(newest)
            number += 1

    def _ensure_last(self, newest: DatasetVersion | None, own: str = "") -> None:
        """Make sure that no other run has made a version that this one should have built on."""
        names = version_names(shared_bucket(self.settings.bucket_url), self.settings.recipe)
        if names and names[-1] not in {own, newest.name if newest is not None else ""}:
            raise VersionError(
                f"another run has made {names[-1]} while this one worked. Nothing is wrong with "
                "it: run validation again, to go on from there"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                what = f"this machine's disk is full ({self.settings.work_dir})"
                raise StageError(_full(what)) from error
            raise
        except VersionError as error:
            # A bucket that is gone says so better than DVC does.
            shared_bucket(self.settings.bucket_url).check()
            if os.strerror(errno.ENOSPC) in str(error):
                # DVC does not say whose.
                what = f"the disk of {self.settings.work_dir} or of the bucket is full"
                raise StageError(_full(what)) from error
            raise


def _number(version: str) -> int:
    return int(version.removeprefix("dataset_v"))


def _full(what: str) -> str:
    return (
        f"{what}. Nothing stored was lost: free some space, or choose another --work-dir "
        "(S2S_HOME), and run again"
    )
