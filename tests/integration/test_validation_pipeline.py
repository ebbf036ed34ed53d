"""dvc.yaml, with DVC itself; in place of ./s2s a script that writes reports and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from s2s.settings import STAGES

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = f"""#!{sys.executable}
import json, pathlib, sys
stage, recipe = sys.argv[1:]
path = pathlib.Path("reports", pathlib.Path(recipe).stem, stage + ".json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps({{"stage": stage, "outputs": {{"onset_f1": 0.5}}}}))
with open("runs.txt", "a") as runs:
    runs.write(stage + chr(10))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what dvc.yaml names."""
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "recipes/silent_to_sound.sample.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / ".dvc", tmp_path / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache"))
    for stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values():
        for folder in [name for name in stage["deps"] if not name.startswith("$")]:
            assert (ROOT / folder).is_dir(), folder
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "code.py").touch()
    (tmp_path / "s2s").write_text(STAND_IN)
    (tmp_path / "s2s").chmod(0o755)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def dvc(project: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *args],
        cwd=project,
        env=os.environ | {"DVC_SITE_CACHE_DIR": str(project / ".dvc" / "tmp" / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_stages_run_in_order_and_only_when_something_has_changed(project: Path):
    runs = project / "runs.txt"
    dvc(project, "repro")
    assert runs.read_text().split() == list(STAGES)
    dvc(project, "repro")
    assert runs.read_text().split() == list(STAGES), "nothing has changed"

    recipe = project / "recipes" / "silent_to_sound.sample.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["training"]["max_steps"] += 1
    recipe.write_text(yaml.safe_dump(content))
    dvc(project, "repro")
    assert runs.read_text().split()[6:] == ["training", "serving"]

    metrics = json.loads(dvc(project, "metrics", "show", "--json"))
    assert "0.5" in json.dumps(metrics)
    dag = dvc(project, "dag", "--md")
    assert all(f'["{stage}"]' in dag for stage in STAGES)
