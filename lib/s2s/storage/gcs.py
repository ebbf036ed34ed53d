"""`gs://`: Google Cloud Storage, or whatever STORAGE_EMULATOR_HOST points to."""

import base64
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")

import requests
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

from s2s.errors import (
    BucketUnavailableError,
    ChecksumError,
    ObjectExistsError,
    ObjectNotFoundError,
)
from s2s.storage.bucket import (
    Bucket,
    ObjectInfo,
    ObjectVersion,
    check_key,
    check_prefix,
    crc32c_of,
    crc32c_of_file,
)
from s2s.storage.google_credentials import credentials_remedy, google_credentials

__all__ = ["GoogleBucket"]

_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 60
_CREATE_ONLY = 0
_CONNECTIONS = 64
"""Kept open to one host; more than any stage has threads."""


class GoogleBucket(Bucket):
    """Objects in a bucket of Google Cloud Storage.

    The client retries what can be retried for S2S_GCS_RETRY_S seconds (60 unless told); after
    that the bucket counts as unavailable.

    Args:
        name: the bucket's name, without `gs://`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # The client takes a pair, though its annotations say int.
        self._timeout: Any = (_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S)
        self._retry = DEFAULT_RETRY.with_timeout(float(os.environ.get("S2S_GCS_RETRY_S", "60")))
        with self._translated():
            self._client = _client()
        self._bucket = self._client.bucket(name)

    @property
    def url(self) -> str:
        """`gs://NAME`."""
        return f"gs://{self.name}"

    def check(self) -> None:
        """List at most one object: needs no more rights than the stages have."""
        with self._translated():
            pages = self._client.list_blobs(
                self._bucket,
                max_results=1,
                timeout=self._timeout,
                retry=DEFAULT_RETRY.with_timeout(5.0),
            )
            next(iter(pages), None)

    def prepare(self) -> None:
        """See `Bucket.prepare`; whether this account may write shows at its first write."""
        self.check()

    def read(self, key: str) -> bytes:
        """See `Bucket.read`."""
        with self._translated(key):
            return self._blob(key).download_as_bytes(
                checksum="crc32c", timeout=self._timeout, retry=self._retry
            )

    def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.write`."""
        return self._put(key, io.BytesIO(data), crc32c_of(data), len(data), overwrite=overwrite)

    def download(self, key: str, path: Path) -> ObjectInfo:
        """See `Bucket.download`."""
        blob = self._blob(key)
        with self._translated(key):
            blob.download_to_filename(
                str(path), checksum="crc32c", timeout=self._timeout, retry=self._retry
            )
        return ObjectInfo(key, path.stat().st_size, crc32c_of_file(path))

    def upload(self, path: Path, key: str, *, overwrite: bool = False) -> ObjectInfo:
        """See `Bucket.upload`."""
        with path.open("rb") as file:
            size = path.stat().st_size
            return self._put(key, file, crc32c_of_file(path), size, overwrite=overwrite)

    def open_range(self, key: str, start: int, length: int) -> BinaryIO:
        """See `Bucket.open_range`."""
        blob = self._blob(key)
        with self._translated(key):
            try:
                data = blob.download_as_bytes(
                    start=start,
                    end=start + length - 1,
                    timeout=self._timeout,
                    retry=self._retry,
                )
            except google_errors.RequestRangeNotSatisfiable:
                data = b""
        return io.BytesIO(data)

    def exists(self, key: str) -> bool:
        """See `Bucket.exists`."""
        with self._translated(key):
            return self._blob(key).exists(timeout=self._timeout, retry=self._retry)

    def stat(self, key: str) -> ObjectInfo:
        """See `Bucket.stat`."""
        blob = self._blob(key)
        with self._translated(key):
            blob.reload(timeout=self._timeout, retry=self._retry)
        return ObjectInfo(key, blob.size or 0, blob.crc32c or "")

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `Bucket.keys`."""
        check_prefix(prefix)
        with self._translated():
            blobs = self._client.list_blobs(
                self._bucket, prefix=prefix, timeout=self._timeout, retry=self._retry
            )
            for blob in blobs:
                yield blob.name

    def keeps_versions(self) -> bool:
        """See `VersionedBucket.keeps_versions`."""
        with self._translated():
            bucket = self._client.get_bucket(self._bucket, timeout=self._timeout, retry=self._retry)
        return bool(bucket.versioning_enabled)

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """See `VersionedBucket.versions`."""
        with self._translated():
            blobs = self._client.list_blobs(
                self._bucket, prefix=prefix, timeout=self._timeout, retry=self._retry
            )
            yield from map(_version, blobs)

    def version(self, key: str, number: int) -> ObjectVersion:
        """See `VersionedBucket.version`."""
        blob = self._bucket.blob(check_key(key), generation=number)
        with self._translated(key):
            blob.reload(timeout=self._timeout, retry=self._retry)
        return _version(blob)

    def delete(self, key: str) -> None:
        """See `Bucket.delete`."""
        try:
            with self._translated(key):
                self._blob(key).delete(timeout=self._timeout, retry=self._retry)
        except ObjectNotFoundError:
            return  # gone already, or a retried delete whose first answer was lost

    def _blob(self, key: str) -> storage.Blob:
        return self._bucket.blob(check_key(key))

    def _put(
        self, key: str, file: BinaryIO, crc32c: str, size: int, *, overwrite: bool
    ) -> ObjectInfo:
        blob = self._blob(key)
        with self._translated(key):
            try:
                blob.upload_from_file(
                    file,
                    size=size,
                    if_generation_match=None if overwrite else _CREATE_ONLY,
                    checksum="crc32c",
                    timeout=self._timeout,
                    retry=self._retry,
                )
            except google_errors.PreconditionFailed:
                # Another worker was first, or the answer to our own first try was lost.
                if self.stat(key).crc32c != crc32c:
                    raise ObjectExistsError(
                        f"{self.url}: other content is already under {key!r}; "
                        "nothing was overwritten"
                    ) from None
        return ObjectInfo(key, size, crc32c)

    @contextmanager
    def _translated(self, key: str = "") -> Iterator[None]:
        try:
            yield
        except google_errors.NotFound as error:
            if not key:
                raise BucketUnavailableError(
                    f"{self.url}: there is no such bucket. Create it, or check its name"
                ) from error
            raise ObjectNotFoundError(f"{self.url}: no object {key!r}") from error
        except DataCorruption as error:
            raise ChecksumError(f"{self.url}: {key!r} arrived damaged: {error}") from error
        except (google_errors.Forbidden, google_errors.Unauthorized) as error:
            raise BucketUnavailableError(
                f"{self.url}: access refused ({error.message}). Give this account the right "
                "to the bucket"
            ) from error
        except auth_errors.GoogleAuthError as error:
            raise BucketUnavailableError(
                f"{self.url}: no credentials ({error}). {credentials_remedy()}"
            ) from error
        except (
            google_errors.GoogleAPIError,
            requests.RequestException,
            ConnectionError,
        ) as error:
            what = f"{key!r}: " if key else ""
            raise BucketUnavailableError(f"{self.url}: {what}{self._silence(error)}") from error

    @staticmethod
    def _silence(error: Exception) -> str:
        host = os.environ.get("STORAGE_EMULATOR_HOST")
        if host:
            return (
                f"the bucket server at {host} does not answer as it should "
                f"({type(error).__name__}). Start it with './s2s bucket start', or in compose with "
                "'docker-compose up bucket', and run again; nothing stored was lost"
            )
        return f"the bucket does not answer ({error}). Run again later; nothing stored was lost"


def _client() -> storage.Client:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        client = storage.Client(project="local", credentials=AnonymousCredentials())
    else:
        # Nothing here needs a project: credentials of gcloud's name none, and that is no fault.
        project = os.environ.get("GOOGLE_CLOUD_PROJECT") or None
        credentials, _ = google_credentials(*storage.Client.SCOPE or ())
        client = storage.Client(project=project, credentials=credentials)
    # By default it keeps 10 connections: with more threads it would make new ones again and again.
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, adapter)
    return client


def _version(blob: storage.Blob) -> ObjectVersion:
    md5 = base64.b64decode(blob.md5_hash or "").hex()
    number, size = int(blob.generation or 0), int(blob.size or 0)
    return ObjectVersion(str(blob.name), number, size, blob.crc32c or "", md5)
