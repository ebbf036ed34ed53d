"""Setting up with ./s2s: which Python it takes, and what it says where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

TOOLS = ("bash", "cat", "dirname", "env", "flock", "git", "mkdir", "sleep")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The script and what it reads, with nothing set up."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("s2s", "pyproject.toml", "requirements-dev.txt", "scripts/requirements-uv.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs without any Python, to be the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not on this machine")
        (folder / name).symlink_to(found)
    return folder


def add_python(programs: Path, name: str, version: tuple[int, int]) -> None:
    """A stand-in that answers the question for its version, and makes no environment."""
    text = f"""#!{shutil.which("bash")}
if [ "$1" = -c ]; then
    exec {sys.executable} -c "import sys; sys.version_info = {version!r}; $2"
fi
echo "{name} was taken" >&2
exit 3
"""
    (programs / name).write_text(text)
    (programs / name).chmod(0o755)


def set_up(checkout: Path, programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "S2S_PYTHON"}
    return subprocess.run(
        [str(checkout / "s2s"), "--help"],
        env=kept | {"PATH": str(programs)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_each_python_that_is_supported_is_found(checkout: Path, programs: Path, minor: int):
    add_python(programs, "python3", (3, 9))
    add_python(programs, f"python3.{minor}", (3, minor))
    done = set_up(checkout, programs)
    assert f"python3.{minor} was taken" in done.stderr
    assert done.returncode != 0  # what failed is not taken for set up
    assert not (checkout / ".venv" / ".s2s-stamp").exists()


def test_the_oldest_is_taken_where_there_are_several(checkout: Path, programs: Path):
    for minor in (13, 12, 11):
        add_python(programs, f"python3.{minor}", (3, minor))
    assert "python3.11 was taken" in set_up(checkout, programs).stderr


@pytest.mark.parametrize("version", [None, (3, 10), (3, 14)])
def test_without_one_it_says_how_to_get_it(
    checkout: Path, programs: Path, version: tuple[int, int] | None
):
    if version:
        add_python(programs, "python3", version)
    done = set_up(checkout, programs)
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr
    assert "apt-get install" in done.stderr
    assert "S2S_PYTHON=" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80


def test_one_that_was_named_is_not_passed_over(checkout: Path, programs: Path):
    add_python(programs, "python3.11", (3, 11))
    add_python(programs, "old", (3, 8))
    done = set_up(checkout, programs, S2S_PYTHON="old")
    assert done.returncode == 1
    assert "S2S_PYTHON=old is no Python 3.11, 3.12 or 3.13" in done.stderr
    add_python(programs, "mine", (3, 12))
    assert "mine was taken" in set_up(checkout, programs, S2S_PYTHON="mine").stderr
