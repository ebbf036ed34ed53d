"""git and DVC are left alone by what surrounds them, and say why they fail."""

from pathlib import Path

import pytest

from s2s.errors import VersionError
from validation.release.programs import dvc, git


def test_git_works_in_its_folder_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[commit]\n\tgpgSign = true\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody")
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=first")
    assert git(folder, "log", "--format=%an %s") == "Silent to Sound first"
    assert not (tmp_path / "elsewhere").exists()


def test_a_failure_of_git_is_told_with_its_folder(tmp_path: Path):
    with pytest.raises(VersionError, match=r"'git log' in .* failed: fatal: not a git repository"):
        git(tmp_path, "log")


def test_a_failure_of_dvc_is_told_without_its_traceback(tmp_path: Path):
    with pytest.raises(VersionError) as failure:
        dvc(tmp_path, "push")
    assert "'dvc push'" in str(failure.value)
    assert "not inside of a DVC repository" in str(failure.value)
    assert "Traceback" not in str(failure.value)


def test_a_missing_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VersionError, match=r"git was not found.*Install git"):
        git(tmp_path, "status")
