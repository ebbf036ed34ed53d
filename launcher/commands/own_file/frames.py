"""Frames of a video beside an answer, for people who want to see what the model saw."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from s2s.errors import SettingsError
from s2s.logs import console
from s2s.media import write_jpegs

__all__ = ["check_frames_options", "kept_frames"]

_PATTERN = "image_*.jpg"


def check_frames_options(folder: Path | None, *, remove: bool) -> None:
    """Make sure that what is to be removed is saved.

    Raises:
        SettingsError: if it is not.
    """
    if remove and folder is None:
        raise SettingsError("--rm-frames removes what --save-frames-path saves: name that too")


@contextmanager
def kept_frames(folder: Path | None, *, remove: bool) -> Iterator[Callable[[Path, float], int]]:
    """A function that writes a video's frames, at a rate, to a folder as `image_00001.jpg`, ...

    Args:
        folder: None to write none; it may exist.
        remove: whether what was written is removed again in the end, and nothing else is.

    Raises:
        SettingsError: if the folder has such pictures already, or cannot be made.
    """
    if folder is None:
        yield lambda _path, _fps: 0
        return
    existed = folder.exists()
    if existed and not folder.is_dir():
        raise SettingsError(f"{folder}: not a folder: choose another --save-frames-path")
    if existed and any(folder.glob(_PATTERN)):
        raise SettingsError(
            f"{folder}: has pictures named {_PATTERN} already, which stay: choose another "
            "--save-frames-path, or remove them"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{folder}: cannot be made ({error.strerror}): choose another --save-frames-path"
        ) from error
    try:
        yield lambda path, fps: write_jpegs(path, folder, fps=fps)
        if not remove:
            told = f"{folder}: {sum(1 for _ in folder.glob(_PATTERN))} frames"
            console.print(told, markup=False, soft_wrap=True)
    finally:
        if remove:
            for path in folder.glob(_PATTERN):
                path.unlink()
        if not existed and not any(folder.iterdir()):
            folder.rmdir()
