"""Manifests: the outcomes of one stage as JSON Lines; only a view of the bucket."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from s2s.layout import FAILED
from s2s.records import Outcome
from s2s.storage import Bucket

__all__ = ["read_failures", "read_manifest", "write_manifest"]

_READS_AT_A_TIME = 16


def write_manifest(bucket: Bucket, key: str, outcomes: Iterable[Outcome]) -> None:
    """Write a manifest in the order of clip ids, in place of the one before."""
    rows = sorted(outcomes, key=lambda outcome: outcome.clip_id)
    text = "".join(row.model_dump_json() + "\n" for row in rows)
    bucket.write(key, text.encode(), overwrite=True)


def read_manifest(bucket: Bucket, key: str) -> list[Outcome]:
    """Read a manifest.

    Raises:
        ObjectNotFoundError: if the stage has not written one.
    """
    lines = bucket.read(key).decode().splitlines()
    return [Outcome.model_validate_json(line) for line in lines]


def read_failures(bucket: Bucket, prefix: str) -> dict[str, Outcome]:
    """The failures stored under a stage's prefix, by name."""
    keys = [key for key in bucket.keys(prefix + FAILED) if key.endswith(".json")]
    with ThreadPoolExecutor(_READS_AT_A_TIME) as pool:
        failures = [Outcome.model_validate_json(data) for data in pool.map(bucket.read, keys)]
    return {failure.clip_id: failure for failure in failures}
