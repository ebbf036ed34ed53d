"""Scripts that put a program into .s2s say where it is."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.parametrize(
    ("script", "program"),
    [("get-kubectl", ".s2s/kubectl/kubectl"), ("get-compose", ".s2s/compose/docker-compose")],
)
def test_a_program_that_is_there_is_named(script: str, program: str, tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPTS / script, tmp_path / "scripts")
    (tmp_path / program).parent.mkdir(parents=True)
    (tmp_path / program).touch(0o755)

    def said(*args: str) -> str:
        command = [tmp_path / "scripts" / script, *args]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    assert said() == f"{program}\n"
    assert said("--help").startswith("Put ")
    assert said("--help").endswith("Prints where it is.\n")
