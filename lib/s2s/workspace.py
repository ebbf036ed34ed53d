"""Temporary files and directories that are gone afterwards, however a run ends."""

import errno
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

from s2s.errors import SettingsError, StageError

__all__ = [
    "checked_folder",
    "checked_output",
    "folder_in",
    "free_names",
    "replacing",
    "scratch",
    "workspace",
]

_FULL = {errno.ENOSPC, errno.EDQUOT}


def checked_folder(folder: Path, remedy: str = "choose another --out") -> Path:
    """The same folder, if files can be written to it: known before any work is done.

    Args:
        folder: the folder.
        remedy: what to do where it is of no use.

    Raises:
        SettingsError: if it is not there, is none, or cannot be written to.
        OSError: if the disk is full.
    """
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder}: is a file, and no folder: {remedy}")
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder: make it, or {remedy}")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in _FULL:
            raise
        why = f"cannot be written to ({error.strerror})"
        raise SettingsError(f"{folder}: {why}: {remedy}") from error
    return folder


def checked_output(output: Path, source: Path) -> Path:
    """The same path, if it is not the file that the work begins with, by whatever name.

    Raises:
        SettingsError: if it is: there would be no way back; or if it is a folder.
    """
    if output.is_dir():
        raise SettingsError(f"{output}: is a folder: name a file in it with --out")
    if output.exists() and output.samefile(source):
        raise SettingsError(
            f"{output}: is the file itself, which would be lost: choose another --out"
        )
    return output


def free_names(paths: Sequence[Path]) -> list[Path]:
    """The paths; or all of them with a number behind their names, where one of them is taken.

    Files that belong together get the same number: the first with which none is taken.
    """
    numbered = ([path.with_stem(f"{path.stem}_{n}") for path in paths] for n in count(2))
    sets = chain([list(paths)], numbered)
    return next(names for names in sets if not any(os.path.lexists(name) for name in names))


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """Make a directory for this run's temporary files, and remove those of runs that died.

    A run holds a lock on its directory, which the system lets go of even after SIGKILL. So
    directories of other runs that are still alive are left alone.

    Args:
        parent: where such directories live; nothing else does.

    Yields:
        the directory; it is removed at the end.
    """
    parent.mkdir(parents=True, exist_ok=True)
    # One run at a time looks around, so that none takes a directory that is not locked yet.
    lock = _locked(parent)
    try:
        for folder in parent.iterdir():
            _remove_if_stale(folder)
        own = Path(tempfile.mkdtemp(dir=parent.absolute()))
        own_lock = _locked(own)
    finally:
        os.close(lock)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(own_lock)


@contextmanager
def folder_in(run: Path) -> Iterator[Path]:
    """Make a directory for the temporary files of one piece of work, wherever that is done.

    Args:
        run: the run's directory; made where it is missing, as on every machine of a cluster but
            the one that the run was started on.

    Yields:
        the directory; it is removed at the end.

    Raises:
        StageError: if the run's directory cannot be made on this machine.
        OSError: if the disk is full.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise StageError(
            f"{run} cannot be made on {socket.gethostname()} ({error.strerror}): choose a "
            "--work-dir that can be written to on every node of the cluster"
        ) from error
    with tempfile.TemporaryDirectory(dir=run) as folder:
        yield Path(folder)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory for temporary files where no work directory is at hand.

    It is in the system's temporary directory. One of a run that was killed is removed by the next
    that makes one.

    Raises:
        SettingsError: if the directory that they are made in is another user's.
    """
    parent = Path(tempfile.gettempdir()) / f"s2s-{os.getuid()}"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if parent.is_symlink() or parent.stat().st_uid != os.getuid():
        raise SettingsError(f"{parent} belongs to another user: set TMPDIR to a directory of yours")
    with workspace(parent) as folder:
        yield folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write that takes the place of another when it is whole, and not before.

    Its name is its own: of processes that write the same file at once the last one wins.

    Args:
        path: the file that is replaced; its folder is made where it is missing.

    Yields:
        where to write; what is there after an error is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    staged = Path(name)
    try:
        yield staged
        staged.chmod(0o644)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _locked(folder: Path, *, wait: bool = True) -> int:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _remove_if_stale(folder: Path) -> None:
    try:
        handle = _locked(folder, wait=False)
    except (BlockingIOError, FileNotFoundError):
        return  # another run is using it, or has just removed it
    shutil.rmtree(folder, ignore_errors=True)
    os.close(handle)
