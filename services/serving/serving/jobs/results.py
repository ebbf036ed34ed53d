"""Results in the bucket: stored file by file, and deleted, sooner or later."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from s2s.errors import BucketUnavailableError
from s2s.layout import result_key
from s2s.storage import Bucket
from s2s.tasks.contract import Made, MadeFile
from serving.jobs.job import Job, Result, StoredFile
from serving.jobs.names import plain_stem
from serving.jobs.store import JobStore

__all__ = ["Results"]

log = logging.getLogger(__name__)

RETRY_S = 2.0


class Results:
    """What jobs made, in a bucket that may be away for a while.

    Args:
        bucket: where the files are.
        store: remembers which objects are to be deleted.
        in_thread: runs a function in a thread.
    """

    def __init__(
        self, bucket: Bucket, store: JobStore, in_thread: Callable[..., Awaitable[Any]]
    ) -> None:
        self._bucket = bucket
        self._store = store
        self._in_thread = in_thread

    async def put(self, job: Job, made: Made) -> Result:
        """Store what was made; while the bucket does not answer, the job waits."""
        files = [await self._put_file(job, file) for file in made.files]
        return Result(tuple(files), dict(made.document))

    async def _put_file(self, job: Job, file: MadeFile) -> StoredFile:
        key = result_key(job.id, file.name)
        upload = partial(self._bucket.upload, file.path, key, overwrite=True)
        while True:
            try:
                info = await self._in_thread(upload)
                break
            except BucketUnavailableError as error:
                log.error("a result cannot be stored: %s", error)
                await asyncio.sleep(RETRY_S)
        file_name = f"{plain_stem(job.file_name)}{file.suffix}"
        return StoredFile(file.name, key, info.size, info.crc32c, file.media_type, file_name)

    async def delete_discarded(self) -> None:
        """Delete discarded objects; an object that cannot be deleted is tried again later."""
        for key in self._store.deletions():
            try:
                await self._in_thread(self._bucket.delete, key)
            except BucketUnavailableError as error:
                log.error("results cannot be deleted, and will be later: %s", error)
                return
            self._store.deleted(key)
