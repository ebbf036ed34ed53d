"""DVC's experiments on the real stages, in a fresh clone: the smoke recipe, hardly trained."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from s2s.settings import STAGES
from sample.render import render_catalog
from sample.site import running_site

RECIPE = "silent_to_sound.smoke"
SHORT = {"training.max_steps": 2, "training.held_out_clips": 1, "spec.duration_s": 2}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that has no results, but this checkout's environment."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / ".git" / "info" / "exclude").write_text("/.venv\n")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A bucket of the test's own, and six videos in place of a hundred."""
    catalog = render_catalog(tmp_path / "films", 6)
    (tmp_path / "bucket").mkdir()
    shutil.copy(catalog, tmp_path / "bucket" / "sample.csv")
    # Coverage would slow down DVC and all that it runs, and other tests cover the stages.
    ours = {key: os.environ[key] for key in os.environ if not key.startswith("COVERAGE_")}
    with running_site(tmp_path / "films") as url:
        yield ours | {
            "S2S_BUCKET": f"file://{tmp_path / 'bucket'}",
            "S2S_SOURCE_URL": url + "/{source_id}.mp4",
            "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
        }


def dvc(clone: Path, environment: dict[str, str], *args: str) -> str:
    done = subprocess.run(
        [str(clone / ".venv" / "bin" / "python"), "-m", "dvc", *args],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(said: str) -> list[str]:
    """The stages that DVC has run, rather than found unchanged."""
    lines = [line for line in said.splitlines() if line.startswith("> ./s2s ")]
    return [line.split()[2] for line in lines]


@pytest.mark.timeout(1800)
def test_an_experiment_runs_the_real_stages(clone: Path, environment: dict[str, str]):
    if not (ROOT / ".venv" / ".s2s-stamp").exists():
        pytest.skip("this environment was not set up by ./s2s")
    options = [w for name in SHORT for w in ("-S", f"recipes/{RECIPE}.yaml:{name}={SHORT[name]}")]
    said = dvc(clone, environment, "exp", "run", *options, f"training@{RECIPE}")
    assert ran(said) == [stage for stage in STAGES if stage != "serving"]

    shown = json.loads(dvc(clone, environment, "exp", "show", "--json"))
    (experiment,) = (one["revs"][0]["data"] for one in shown[1]["experiments"])
    recipe = experiment["params"][f"recipes/{RECIPE}.yaml"]["data"]
    assert recipe["training"]["max_steps"] == SHORT["training.max_steps"]
    metrics = experiment["metrics"][f"reports/{RECIPE}/training.results.json"]["data"]["outputs"]
    assert metrics["training"]["steps"] == SHORT["training.max_steps"]
    assert metrics["systems"].keys() >= {"real", "model", "silence"}

    report = json.loads((clone / "reports" / RECIPE / "validation.json").read_text())
    dvc(clone, environment, "plots", "show", "--out", "plots")
    assert report["outputs"]["by_label"][0]["label"] in (clone / "plots/index.html").read_text()
