"""git and DVC as programs, in an environment of their own."""

import os
import subprocess
import sys
from pathlib import Path

from s2s.errors import VersionError

__all__ = ["dvc", "git"]

# What users have set up for their own repositories must not change this one.
_GIT_SETTINGS = {
    "user.name": "Silent to Sound",
    "user.email": "silent-to-sound@localhost",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.autocrlf": "false",
    "gc.auto": "0",
}
# How to reach a remote; other GIT_ variables could point to another repository.
_GIT_ACCESS = {"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL"}
_LAST_LINES = 4


def git(folder: Path, *args: str) -> str:
    """Run git in a folder; what it prints, without the end of the last line.

    Raises:
        VersionError: if git fails or is not installed.
    """
    settings = [part for item in _GIT_SETTINGS.items() for part in ("-c", "=".join(item))]
    return _run(["git", *settings], args, folder)


def dvc(folder: Path, *args: str) -> str:
    """Run DVC in a folder; it waits for a DVC that a killed run has left working there.

    Raises:
        VersionError: if DVC fails.
    """
    return _run([sys.executable, "-m", "dvc", "--wait-for-lock"], args, folder)


def _run(program: list[str], args: tuple[str, ...], folder: Path) -> str:
    try:
        done = subprocess.run(
            [*program, *args],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise VersionError(
            f"{error.filename} was not found: data set versions need git and DVC. "
            "Install git (Debian: apt-get install git) and run again"
        ) from error
    if done.returncode:
        name = "git" if program[0] == "git" else "dvc"
        raise VersionError(
            f"'{name} {args[0]}' in {folder} failed: {_reason(done.stderr)}. Nothing stored was "
            "lost: put that right and run again"
        )
    return done.stdout.rstrip("\n")


def _environment(folder: Path) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _GIT_ACCESS or not name.startswith(("GIT_", "DVC_"))
    }
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "DVC_NO_ANALYTICS": "true",
        "DVC_SITE_CACHE_DIR": str(folder.absolute() / ".dvc" / "tmp" / "site"),
        "LC_ALL": "C.UTF-8",
    }
    if "STORAGE_EMULATOR_HOST" in environment:
        # Else gcsfs first tries TLS on a port that speaks none: half a minute an operation.
        environment["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"
    return environment


def _reason(text: str) -> str:
    """The lines that say what went wrong, without the traceback around them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "error:", "fatal:"))]
    return " / ".join((errors or lines)[-_LAST_LINES:]) or "no reason was given"
