"""A run's temporary directory: gone with the run, and with a run that was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from s2s.workspace import scratch, workspace

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


def test_scratch_of_a_run_that_was_killed_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    killed = (
        "import os, signal\nfrom s2s.workspace import scratch\n"
        "with scratch() as folder:\n    (folder / 'x').write_text('x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)
    [parent] = tmp_path.iterdir()
    assert len(list(parent.iterdir())) == 1
    with scratch() as folder:
        assert list(parent.iterdir()) == [folder]
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("part", ["lib", "services", "launcher"])
def test_no_temporary_folder_is_left_by_a_run_that_is_killed(part: str):
    """A folder that only its own run removes stays when the run is killed."""
    root = Path(__file__).resolve().parents[2]
    for path in (root / part).rglob("*.py"):
        text = path.read_text()
        assert "TemporaryDirectory()" not in text, path
        assert path.name == "workspace.py" or "mkdtemp(" not in text, path
