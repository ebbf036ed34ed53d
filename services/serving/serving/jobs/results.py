"""Results in the bucket: stored file by file, and deleted, sooner or later."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from s2s.errors import BucketUnavailableError, StorageError
from s2s.layout import result_key
from s2s.storage import Bucket, ObjectInfo
from s2s.tasks.contract import Made, MadeFile
from serving.jobs.job import Job, Result, StoredFile
from serving.jobs.names import plain_stem
from serving.jobs.store import JobStore

__all__ = ["Results"]

log = logging.getLogger(__name__)

RETRY_S = 2.0
WATCH_S = 5.0


class Results:
    """What jobs made, in a bucket that may be away for a while.

    Args:
        bucket: where the files are.
        store: remembers which objects are to be deleted.
        in_thread: runs a function in a thread.

    Attributes:
        is_away: whether the bucket did not answer when it was last looked at.
    """

    def __init__(
        self, bucket: Bucket, store: JobStore, in_thread: Callable[..., Awaitable[Any]]
    ) -> None:
        self._bucket = bucket
        self._store = store
        self._in_thread = in_thread
        self.is_away = False

    async def watch(self) -> None:
        """Look again and again whether the bucket answers; at first a directory is made."""
        look = self._bucket.prepare
        while True:
            try:
                await asyncio.to_thread(look)
            except StorageError as error:
                if not self.is_away:
                    log.error("results cannot be reached: %s", error)
                self.is_away = True
            else:
                self.is_away, look = False, self._bucket.check
            await asyncio.sleep(WATCH_S)

    async def put(self, job: Job, made: Made) -> Result:
        """Store what was made; while the bucket does not answer, the job waits."""
        files = [await self._put_file(job, file) for file in made.files]
        return Result(tuple(files), dict(made.document))

    async def _put_file(self, job: Job, file: MadeFile) -> StoredFile:
        key = result_key(job.id, file.name)
        upload, said = partial(self._upload, file.path, key), False
        while True:
            try:
                info = await self._in_thread(upload)
                break
            except BucketUnavailableError as error:
                if not said:
                    log.error("a result cannot be stored, and is tried again: %s", error)
                said = True
                await asyncio.sleep(RETRY_S)
        file_name = f"{plain_stem(job.file_name)}{file.suffix}"
        return StoredFile(file.name, key, info.size, info.crc32c, file.media_type, file_name)

    def _upload(self, path: Path, key: str) -> ObjectInfo:
        self._bucket.check()  # a directory that was taken away must not be made anew
        return self._bucket.upload(path, key, overwrite=True)

    async def delete_discarded(self) -> None:
        """Delete discarded objects; an object that cannot be deleted is tried again later."""
        for key in self._store.deletions():
            try:
                await self._in_thread(self._bucket.delete, key)
            except BucketUnavailableError as error:
                log.error("results cannot be deleted, and will be later: %s", error)
                return
            self._store.deleted(key)
