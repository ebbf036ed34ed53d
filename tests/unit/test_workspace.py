"""A run's temporary directory: gone with the run, and with a run that was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from s2s.workspace import workspace

HOLD = """
import sys
from pathlib import Path
from s2s.workspace import workspace
with workspace(Path(sys.argv[1])) as folder:
    (folder / "half.part").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_it_is_removed_with_what_is_in_it(tmp_path: Path):
    with workspace(tmp_path / "runs") as folder:
        (folder / "clip.mp4").write_bytes(b"x")
    assert list((tmp_path / "runs").iterdir()) == []


def test_it_is_removed_when_the_run_fails(tmp_path: Path):
    with pytest.raises(RuntimeError), workspace(tmp_path / "runs") as folder:
        (folder / "clip.mp4").write_bytes(b"x")
        raise RuntimeError
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_living_run_keeps_its_directory_and_a_killed_one_does_not(tmp_path: Path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    theirs = Path(other.stdout.readline().strip())
    with workspace(tmp_path):
        assert (theirs / "half.part").exists()
    other.kill()
    other.communicate()
    assert theirs.exists()
    with workspace(tmp_path) as ours:
        assert list(tmp_path.iterdir()) == [ours]
