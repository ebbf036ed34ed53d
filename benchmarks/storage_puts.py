"""Objects a second that a `file://` bucket takes, each on the disk when its write returns.

Usage: python benchmarks/storage_puts.py [--folder .] [--objects 600]
Writes objects of 20 KB with so many writers at once; beside it the same without waiting for the
disk, which is what a power cut can turn into empty objects.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

from s2s.storage import DirectoryBucket, directory

WRITERS = (1, 4, 8, 16)
DATA = bytes(range(250)) * 80


def puts_per_s(bucket: DirectoryBucket, writers: int, number: int) -> float:
    """Write objects; how many a second."""
    started = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(lambda n: bucket.write(f"{writers}/{n % 7}/{n}", DATA), range(number)))
    return number / (time.perf_counter() - started)


def main() -> None:
    """Measure with and without, in turn."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--objects", type=int, default=600)
    options = parser.parse_args()
    print("writers  synced a second  not synced  ratio")
    for writers in WRITERS:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            synced = puts_per_s(DirectoryBucket(Path(folder, "a")), writers, options.objects)
            with patch.object(directory, "_sync"):
                free = puts_per_s(DirectoryBucket(Path(folder, "b")), writers, options.objects)
        print(f"{writers:7} {synced:16.0f} {free:11.0f} {free / synced:6.1f}", flush=True)


if __name__ == "__main__":
    main()
