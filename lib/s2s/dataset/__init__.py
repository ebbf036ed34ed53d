"""Data set versions: which clips are in which split, with the checksums of their files."""

from s2s.dataset.clip import SPLITS, DatasetClip, Split, manifest_from_csv, manifest_to_csv
from s2s.dataset.versions import (
    DatasetIndex,
    DatasetVersion,
    latest_version,
    read_version,
    version_names,
    write_version,
)

__all__ = [
    "SPLITS",
    "DatasetClip",
    "DatasetIndex",
    "DatasetVersion",
    "Split",
    "latest_version",
    "manifest_from_csv",
    "manifest_to_csv",
    "read_version",
    "version_names",
    "write_version",
]
