"""Every error that this project raises on purpose.

S2SError
├── SettingsError          a recipe or an option is wrong
├── CatalogError           a catalog cannot be used at all
├── StorageError
│   ├── ObjectNotFoundError
│   ├── ObjectExistsError  a create-only write met an object that is already there
│   ├── ChecksumError      what was read is not what was written
│   └── BucketUnavailableError  the bucket does not answer, is full, or refuses us
├── MediaError             one clip's media cannot be used; carries a reason code
│   └── UnsupportedMediaError   a file is of no type that is read
├── StageError             a stage cannot go on
├── VersionError           a data set version cannot be made or read
└── ModelError             a model directory or its input does not fit

A message says what was wrong, with which file or value, and what to do.
"""

import difflib
from collections.abc import Collection
from importlib.util import find_spec

__all__ = [
    "BucketUnavailableError",
    "CatalogError",
    "ChecksumError",
    "MediaError",
    "ModelError",
    "ObjectExistsError",
    "ObjectNotFoundError",
    "S2SError",
    "SettingsError",
    "StageError",
    "StorageError",
    "UnsupportedMediaError",
    "VersionError",
    "is_in_image",
    "what_is_meant",
]


class S2SError(Exception):
    """The root: whatever is not one of these is a bug."""


class SettingsError(S2SError):
    """A recipe or an option is wrong."""


class CatalogError(S2SError):
    """A catalog cannot be used at all."""


class StorageError(S2SError):
    """A bucket could not do what it was asked."""


class ObjectNotFoundError(StorageError):
    """There is no object under this key."""


class ObjectExistsError(StorageError):
    """A create-only write met an object that is already there."""


class ChecksumError(StorageError):
    """What was read is not what was written."""


class BucketUnavailableError(StorageError):
    """The bucket does not answer, is full, or refuses us: no clip can go on."""


class MediaError(S2SError):
    """One clip's media cannot be used.

    Args:
        reason: reason code of the clip's outcome, one of `s2s.records.Reason`.
        message: what was wrong, with which file.
        cause: the words of a program that was run, which may name files of this machine.

    Attributes:
        reason: as given.
        message: what was wrong, with its cause: for the owner of this machine.
        plain_message: the same without the cause: for anybody.
        cause: as given.
    """

    def __init__(self, reason: str, message: str, cause: str = "") -> None:
        full = f"{message}: {cause}" if cause else message
        super().__init__(reason, full)
        self.reason = reason
        self.message = full
        self.plain_message = message
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class UnsupportedMediaError(MediaError):
    """A file is of no type that is read.

    Args:
        message: what it is, and what is read.
    """

    def __init__(self, message: str) -> None:
        super().__init__("refused", message)


class StageError(S2SError):
    """A stage cannot go on."""


class VersionError(S2SError):
    """A data set version cannot be made or read."""


class ModelError(S2SError):
    """A model directory, or its input, does not fit."""


def is_in_image() -> bool:
    """Whether this runs in a service's image, which has no launcher: remedies differ there."""
    return find_spec("launcher") is None


def what_is_meant(name: str, known: Collection[str]) -> str:
    """How an error goes on about a name that nothing has: the nearest one, or all that there are.

    Args:
        name: what was asked for.
        known: what there is.
    """
    nearest = difflib.get_close_matches(name.lower(), known, n=1)
    if nearest:
        return f"is {nearest[0]} meant?"
    return f"there are: {', '.join(known) or 'none'}"
