"""A wav and an mp4 are of one run, at whatever point another run of the same clip comes in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from memory_bucket import MemoryBucket

from preprocessing.sound_pair import store_sound
from s2s.errors import ObjectExistsError

WAV, MP4 = "p/a.wav", "p/a.mp4"
Step = Callable[[], None]


def run_of(bucket: MemoryBucket, folder: Path, name: str, other: list[Step], at: int) -> str:
    """One run's steps as preprocessing takes them; another run's are taken before step `at`."""
    wav = folder / f"{name}.wav"
    wav.write_bytes(name.encode())

    def turn(step: int) -> None:
        if step == at:
            other.pop()()

    turn(0)
    sound = store_sound(bucket, wav, WAV, MP4)
    if sound is None:
        return "done already"
    turn(1)
    try:
        bucket.write(MP4, name.encode())
    except ObjectExistsError:
        turn(2)
        sound.give_back()
        return "lost"
    turn(2)
    sound.keep()
    return "won"


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("left", [None, b"of a run that died"])
def test_two_runs_of_one_clip(tmp_path: Path, at: int, left: bytes | None):
    bucket = MemoryBucket()
    if left is not None:
        bucket.write(WAV, left)
    told = []
    second = [lambda: told.append(run_of(bucket, tmp_path, "second", [], 9))]
    told.append(run_of(bucket, tmp_path, "first", second, at))
    assert bucket.read(WAV) == bucket.read(MP4)
    assert told.count("won") == 1


@pytest.mark.parametrize("name", ["same", "other"])
def test_what_is_whole_never_changes(tmp_path: Path, name: str):
    bucket = MemoryBucket()
    assert run_of(bucket, tmp_path, "same", [], 9) == "won"
    run_of(bucket, tmp_path, name, [], 9)
    assert bucket.read(WAV) == bucket.read(MP4) == b"same"
