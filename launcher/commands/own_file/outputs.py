"""Where a command on a file writes what it made."""

import errno
import tempfile
from pathlib import Path

from s2s.errors import SettingsError

__all__ = ["checked_folder"]

_FULL = {errno.ENOSPC, errno.EDQUOT}


def checked_folder(folder: Path) -> Path:
    """The same folder, if files can be written to it: known before any work is done.

    Raises:
        SettingsError: if it is not there, or cannot be written to.
        OSError: if the disk is full.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder: make it, or choose another --out")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise SettingsError(
            f"{folder}: cannot be written to ({error.strerror}): choose another --out"
        ) from error
    return folder
