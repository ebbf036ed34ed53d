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
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAND_IN = f"""#!{sys.executable}
import json, pathlib, sys
stage, recipe = sys.argv[1:]
path = pathlib.Path("reports", pathlib.Path(recipe).stem, stage + ".json")
path.parent.mkdir(parents=True, exist_ok=True)
rows = [{{"label": name, "split": "train", "clips": n}} for name, n in (("bell", 3), ("drum", 4))]
steps = [line for line in open(recipe) if "max_steps" in line]
outputs = {{"onset_f1": 0.5, "steps": int(steps[0].split()[-1]), "by_label": rows}}
path.write_text(json.dumps({{"stage": stage, "outputs": outputs}}))
with open("runs.txt", "a") as runs:
    runs.write(stage + chr(10))
"""
SAMPLE = "silent_to_sound.sample"


def test_every_recipe_is_in_the_matrix():
    names = PIPELINE["vars"][0]["names"]
    assert set(names) == {path.stem for path in (ROOT / "recipes").glob("*.yaml")}
    assert PIPELINE["stages"].keys() == set(STAGES)
    assert all(stage["matrix"] == {"recipe": "${names}"} for stage in PIPELINE["stages"].values())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what dvc.yaml names."""
    recipes = [f"recipes/{name}.yaml" for name in PIPELINE["vars"][0]["names"]]
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", *recipes):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / ".dvc", tmp_path / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache"))
    for stage in PIPELINE["stages"].values():
        for folder in [name for name in stage["deps"] if "${" not in name]:
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
    last = f"serving@{SAMPLE}"
    dvc(project, "repro", last)
    assert runs.read_text().split() == list(STAGES)
    dvc(project, "repro", last)
    assert runs.read_text().split() == list(STAGES), "nothing has changed"
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run(["git", *identity, "commit", "-qm", "before"], cwd=project, check=True)

    recipe = project / "recipes" / f"{SAMPLE}.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["training"]["max_steps"] += 1
    recipe.write_text(yaml.safe_dump(content))
    dvc(project, "repro", last)
    assert runs.read_text().split()[6:] == ["training", "serving"]

    metrics = json.loads(dvc(project, "metrics", "show", "--json"))
    assert "0.5" in json.dumps(metrics)
    differ = json.loads(dvc(project, "metrics", "diff", "--json"))
    steps = differ[f"reports/{SAMPLE}/training.json"]["outputs.steps"]
    assert steps["diff"] == 1
    parameters = json.loads(dvc(project, "params", "diff", "--json"))
    changed = parameters[f"recipes/{SAMPLE}.yaml"]["training.max_steps"]
    assert changed["new"] == changed["old"] + 1
    dag = dvc(project, "dag", "--md")
    names = PIPELINE["vars"][0]["names"]
    assert all(f'["{stage}@{name}"]' in dag for stage in STAGES for name in names)


def test_plots_and_experiments(project: Path):
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run(["git", *identity, "commit", "-qm", "before"], cwd=project, check=True)
    setting = f"recipes/{SAMPLE}.yaml:training.max_steps=7"
    dvc(project, "exp", "run", "-S", setting, f"training@{SAMPLE}")
    shown = json.loads(dvc(project, "metrics", "show", "--json"))[""]["data"]
    steps = shown[f"reports/{SAMPLE}/training.json".replace("/", os.sep)]["data"]["outputs"][
        "steps"
    ]
    assert steps == 7
    dvc(project, "plots", "show", "--out", "plots")
    page = (project / "plots" / "index.html").read_text()
    assert "drum" in page
