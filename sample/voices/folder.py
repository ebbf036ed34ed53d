"""A folder of sound files: who speaks in each, and what it is for."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from multiprocessing import parent_process
from pathlib import Path

from s2s.catalog.splits import known_split
from s2s.errors import MediaError
from s2s.logs import console
from s2s.media import probe
from s2s.reasons import Reason

__all__ = ["SoundFile", "list_voices"]

_ENDINGS = frozenset((".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".aac"))
_BROKEN = "is damaged, or not a sound file as its name says; copy it again, or remove it"
_NO_ID = re.compile(r"[^A-Za-z0-9_-]+")
_SHARES = {"test": 0.1, "val": 0.1}
"""Of the speakers, where no folder is named for a split."""


@dataclass(frozen=True)
class SoundFile:
    """One file, in which one person speaks.

    Attributes:
        path: the file.
        source_id: its name as a source: from its place in the folder and its size.
        speaker: who speaks.
        split: what the speaker is for: `train`, `val` or `test`.
        duration_s: how long it is.
    """

    path: Path
    source_id: str
    speaker: str
    split: str
    duration_s: float


def list_voices(folder: Path) -> tuple[SoundFile, ...]:
    """The sound files below a folder, in order; those that cannot be read are told and left out.

    A speaker is the folder that a file is in. Where that is the folder itself, or one named for a
    split (`train`, `dev`, `test-clean`), it is the file's name up to its first `-` or `_`, as in
    LibriSpeech and VCTK. A speaker is for what a folder above says; where none does, a tenth of
    the speakers are for testing and a tenth for validation, by their names.

    Args:
        folder: any depth of folders in it.
    """
    if not folder.is_dir():
        return ()
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()
    )
    found = [_look_at(folder, path, path.stat().st_size) for path in paths]
    return tuple(voice for voice in found if voice is not None)


@cache
def _look_at(folder: Path, path: Path, size: int) -> SoundFile | None:
    place = path.relative_to(folder)
    try:
        looked = probe(path)
    except MediaError as error:
        is_broken = error.reason == Reason.CORRUPT
        _tell(place, f"{_BROKEN}: {error.cause}" if is_broken else error.message)
        return None
    if not looked.has_audio:
        _tell(place, "has no sound")
        return None
    speaker, split = _speaker_of(place)
    digest = hashlib.sha256(f"{place.as_posix()}/{size}".encode()).hexdigest()
    return SoundFile(
        path=path,
        source_id=f"{_NO_ID.sub('_', path.stem)[:100]}-{digest[:8]}",
        speaker=speaker,
        split=split,
        duration_s=looked.duration_s,
    )


def _tell(place: Path, why: str) -> None:
    """Say what is left out: once, and not by every process that renders."""
    if parent_process() is None:
        told = f"voices: {place} is left out: {why}"
        console.print(told, markup=False, soft_wrap=True)


def _speaker_of(place: Path) -> tuple[str, str]:
    """Who speaks in a file, and what for."""
    folders = place.parts[:-1]
    told = [split for name in folders if (split := _split_named(name))]
    is_speakers = bool(folders) and _split_named(folders[-1]) is None
    # LibriSpeech: split, speaker, chapter; its files name the speaker as well.
    named = re.match(r"[^-_]+", place.stem)
    speaker = named.group() if named else place.stem
    if is_speakers and speaker not in folders:
        speaker = folders[-1]
    return speaker, told[-1] if told else _split_of(speaker)


def _split_named(folder: str) -> str | None:
    """`train-clean-100` is `train`."""
    return known_split(folder) or known_split(re.split(r"[-_ ]", folder)[0])


def _split_of(speaker: str) -> str:
    chance = int(hashlib.sha256(speaker.encode()).hexdigest()[:8], 16) / 16**8
    if chance < _SHARES["test"]:
        return "test"
    return "val" if chance < _SHARES["test"] + _SHARES["val"] else "train"
