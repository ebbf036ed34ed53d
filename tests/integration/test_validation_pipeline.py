"""dvc.yaml, with DVC itself; in place of ./s2s a script that writes reports and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest
import yaml

from s2s.settings import STAGES
from s2s.tasks import TASKS
from s2s.tasks.recipes import load_recipe

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAND_IN = f"""#!{sys.executable}
import json, pathlib, sys, time, yaml
stage, recipe = sys.argv[1:]
path = pathlib.Path("reports", pathlib.Path(recipe).stem, stage + ".json")
path.parent.mkdir(parents=True, exist_ok=True)
rows = [{{"label": name, "split": "train", "clips": n}} for name, n in (("bell", 3), ("drum", 4))]
steps = yaml.safe_load(open(recipe))["training"]["max_steps"]
made = {{"version": "dataset_v1", "prefix": "features/x/", "model": f"models/{{steps}}"}}
outputs = {{"onset_f1": 0.5, "steps": steps, "by_label": rows}} | made
path.write_text(json.dumps({{"stage": stage, "seconds": time.monotonic(), "outputs": outputs}}))
numbers = {{"onset_f1": outputs["onset_f1"], "steps": outputs["steps"]}}
path.with_suffix(".results.json").write_text(json.dumps({{"outputs": numbers}}))
with open("runs.txt", "a") as runs:
    runs.write(stage + chr(10))
"""
SAMPLE = "silent_to_sound.sample"


RECIPES = PIPELINE["vars"][0]["recipes"]


def steps_of(stage: str, name: str = SAMPLE) -> dict[str, list[str]]:
    """A stage's dependencies and so on, for one recipe."""
    text = json.dumps(PIPELINE["stages"][stage]["do"])
    for key, value in {"key": name, **{f"item.{k}": v for k, v in RECIPES[name].items()}}.items():
        text = text.replace(f"${{{key}}}", value)
    return json.loads(text)


def test_every_recipe_has_every_stage():
    found = {path.stem: load_recipe(path).task for path in (ROOT / "recipes").glob("*.yaml")}
    assert {name: item["task"] for name, item in RECIPES.items()} == found
    assert PIPELINE["stages"].keys() == set(STAGES)
    assert all(stage["foreach"] == "${recipes}" for stage in PIPELINE["stages"].values())
    plotted = [path for plot in PIPELINE["plots"] for path in plot]
    assert plotted == [f"reports/{name}/validation.json" for name in RECIPES]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("s2s", "sample", *STAGES, exclude_type_checking_imports=True)


def reached(graph: grimp.ImportGraph, package: str) -> set[str]:
    inside = {package} | graph.find_descendants(package)
    return inside.union(*(graph.find_upstream_modules(module) for module in inside))


def path_of(module: str) -> str:
    base = "lib/" + module.replace(".", "/") if module.startswith("s2s") else module
    base = base.replace(".", "/") if module.startswith("sample") else base
    return f"{base}/__init__.py" if (ROOT / base).is_dir() else f"{base}.py"


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_what_it_imports_and_on_its_own_task(
    graph: grimp.ImportGraph, stage: str, name: str
):
    task = f"s2s.tasks.{RECIPES[name]['task']}"
    modules = reached(graph, stage)
    if "lib/s2s/tasks/common" in (deps := steps_of(stage, name)["deps"]):
        # Parts of a task are imported by name, when they are asked for.
        modules |= reached(graph, task) | reached(graph, "s2s.tasks.loading")
        modules |= reached(graph, "s2s.tasks.common")
    paths = {path_of(module) for module in modules if module.startswith("s2s.")}
    library = [dep for dep in deps if dep.startswith("lib/")]
    uncovered = {path for path in paths if not any(_is_in(path, dep) for dep in library)}
    assert not uncovered, "add them to the stage's deps in dvc.yaml"
    idle = [dep for dep in library if not any(_is_in(path, dep) for path in paths)]
    assert not idle, "the stage does not use them: remove them from its deps in dvc.yaml"
    others = {f"lib/s2s/tasks/{other}" for other in TASKS} - {f"lib/{task.replace('.', '/')}"}
    assert not others & set(library)


def _is_in(path: str, dep: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


def test_collection_depends_on_its_own_world(graph: grimp.ImportGraph):
    deps = steps_of("collection")["deps"]
    world = RECIPES[SAMPLE]["world"]
    paths = {path_of(m) for m in reached(graph, world.replace("/", ".")) if m.startswith("sample.")}
    assert not {path for path in paths if not any(_is_in(path, dep) for dep in deps)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what dvc.yaml names."""
    recipes = [f"recipes/{name}.yaml" for name in RECIPES]
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", *recipes):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / ".dvc", tmp_path / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache"))
    code = {dep for stage in STAGES for name in RECIPES for dep in steps_of(stage, name)["deps"]}
    for name in sorted(dep for dep in code if not dep.startswith(("reports/", "recipes/"))):
        assert (ROOT / name).exists(), name
        path = tmp_path / name / "code.py" if (ROOT / name).is_dir() else tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "s2s").write_text(STAND_IN)
    (tmp_path / "s2s").chmod(0o755)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def dvc(project: Path, *args: str) -> str:
    # None of our code runs in it, and coverage would slow it down.
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *args],
        cwd=project,
        env=environment | {"DVC_SITE_CACHE_DIR": str(project / ".dvc" / "tmp" / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(project: Path) -> None:
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run(["git", *identity, "commit", "-qm", "before"], cwd=project, check=True)


@pytest.mark.parametrize("task", TASKS)
def test_every_stage_of_every_recipe_runs_in_a_fresh_clone(project: Path, task: str):
    names = [name for name in RECIPES if RECIPES[name]["task"] == task]
    dvc(project, "repro", *(f"serving@{name}" for name in names))
    ran = Counter((project / "runs.txt").read_text().split())
    assert ran == dict.fromkeys(STAGES, len(names))
    for name in names:
        reports = [project / "reports" / name / f"{stage}.json" for stage in STAGES]
        ended_s = [json.loads(report.read_text())["seconds"] for report in reports]
        assert ended_s == sorted(ended_s)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_no_need_of_another(name: str):
    for stage in STAGES:
        step = json.dumps(steps_of(stage, name))
        assert set(re.findall(r"reports/([^/\s]+)/", step)) == {name}
        assert set(re.findall(r"recipes/(\S+)\.yaml", step)) == {name}


def test_stages_run_in_order_and_only_when_something_has_changed(project: Path):
    runs = project / "runs.txt"
    last = f"serving@{SAMPLE}"
    dvc(project, "repro", last)
    assert runs.read_text().split() == list(STAGES)
    dvc(project, "repro", last)
    assert runs.read_text().split() == list(STAGES), "nothing has changed"
    commit(project)

    recipe = project / "recipes" / f"{SAMPLE}.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["training"]["max_steps"] += 1
    recipe.write_text(yaml.safe_dump(content))
    dvc(project, "repro", last)
    assert runs.read_text().split()[6:] == ["training", "serving"]

    metrics = json.loads(dvc(project, "metrics", "show", "--json"))
    assert "0.5" in json.dumps(metrics)
    assert not {"seconds", "bytes_written"} & set(json.dumps(metrics).split('"'))
    differ = json.loads(dvc(project, "metrics", "diff", "--json"))
    steps = differ[f"reports/{SAMPLE}/training.results.json"]["outputs.steps"]
    assert steps["diff"] == 1
    parameters = json.loads(dvc(project, "params", "diff", "--json"))
    changed = parameters[f"recipes/{SAMPLE}.yaml"]["training.max_steps"]
    assert changed["new"] == changed["old"] + 1
    dag = dvc(project, "dag", "--md")
    assert all(f'["{stage}@{name}"]' in dag for stage in STAGES for name in RECIPES)


def test_a_line_elsewhere_runs_nothing_again(project: Path):
    runs, last = project / "runs.txt", f"serving@{SAMPLE}"
    dvc(project, "repro", last)
    for name in ("lib/s2s/tasks/other/network.py", "sample/other/world.py", "services/x/x/y.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("changed = 1")
    assert "up to date" in dvc(project, "status", "--with-deps", last)
    dvc(project, "repro", last)
    assert runs.read_text().split() == list(STAGES)

    (project / "lib/s2s/catalog/code.py").write_text("changed = 1")
    dvc(project, "repro", last)
    again = runs.read_text().split()[6:]
    assert again == ["collection", "preprocessing", "validation"], "the version is the same"
    (project / "lib/s2s/tasks/generation/code.py").write_text("changed = 1")
    dvc(project, "repro", last)
    assert runs.read_text().split()[9:] == ["feature_extraction", "training", "serving"]


def test_a_line_in_one_task_runs_no_other_task_again(project: Path):
    names = ["silent_to_sound.sample", "kinetics_actions.sample", "cocktail_party.sample"]
    dvc(project, "repro", *(f"serving@{name}" for name in names))
    stages = [f"{stage}@{name}" for name in names for stage in STAGES]
    assert json.loads(dvc(project, "status", "--json", *stages)) == {}
    (project / "lib/s2s/tasks/separation/code.py").write_text("changed = 1")
    changed = json.loads(dvc(project, "status", "--json", *stages))
    its_own = ("feature_extraction", "training", "serving")
    assert changed.keys() == {f"{stage}@cocktail_party.sample" for stage in its_own}


def test_plots_and_experiments(project: Path):
    commit(project)
    setting = f"recipes/{SAMPLE}.yaml:training.max_steps=7"
    dvc(project, "exp", "run", "-S", setting, f"training@{SAMPLE}")
    shown = json.loads(dvc(project, "metrics", "show", "--json"))[""]["data"]
    report = f"reports/{SAMPLE}/training.results.json".replace("/", os.sep)
    assert shown[report]["data"]["outputs"]["steps"] == 7
    dvc(project, "plots", "show", "--out", "plots")
    page = (project / "plots" / "index.html").read_text()
    assert "drum" in page


def test_what_came_out_of_one_recipe_is_told_as_the_docs_say(project: Path):
    commit(project)
    dvc(project, "repro", f"training@{SAMPLE}")
    docs = (ROOT / "docs" / "datasets.md").read_text()
    metrics, plots = re.findall(r"^dvc ((?:metrics|plots) .*reports/.*)$", docs, re.MULTILINE)
    table = dvc(project, *metrics.split())
    steps = yaml.safe_load((project / "recipes" / f"{SAMPLE}.yaml").read_text())["training"]
    assert ["outputs.steps", "-", str(steps["max_steps"]), "-"] in map(
        str.split, table.splitlines()
    )
    assert max(map(len, table.splitlines())) <= 80
    dvc(project, *plots.split(), "--out", "plots")
    assert "drum" in (project / "plots" / "index.html").read_text()


def test_plots_are_drawn_without_a_network(project: Path, browser: "Browser"):
    dvc(project, "repro", f"validation@{SAMPLE}")
    dvc(project, "plots", "show", "--out", "plots")
    asked: list[str] = []
    errors: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((project / "plots" / "index.html").as_uri())
    page.locator(".vega-embed canvas, .vega-embed svg.marks").first.wait_for()
    assert page.locator(".vega-embed:visible").count() == 1, "of the one recipe that has run"
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
