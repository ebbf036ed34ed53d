"""A bucket of Google's read from many threads at once: each keeps its connection."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from s2s.storage import open_bucket

THREADS = 32


def test_many_threads_do_not_throw_their_connections_away(
    bucket_server: str, caplog: pytest.LogCaptureFixture
):
    bucket = open_bucket("gs://test-bucket")
    bucket.write("threads/object", bytes(100_000), overwrite=True)
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(THREADS) as pool:
        read = list(pool.map(bucket.read, ["threads/object"] * 10 * THREADS))
    assert {len(content) for content in read} == {100_000}
    assert "pool is full" not in caplog.text
