"""The command ./s2s itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Launch

from s2s.tasks import TASKS

COMMANDS = [
    [],
    ["demo"],
    ["evaluate"],
    ["run"],
    ["status"],
    ["serve"],
    ["sample"],
    ["bucket"],
    ["bucket", "start"],
    ["collection"],
    ["preprocessing"],
    ["validation"],
    ["feature_extraction"],
    ["training"],
    ["serving"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "s2s")
def test_help_says_what_it_is_for(command: list[str], launch: Launch):
    shown = launch(*command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "Usage: s2s" in shown.stdout
    assert len(shown.stdout) > 200


@pytest.mark.parametrize(
    ("module", "slow"),
    [
        ("launcher.__main__", {"duckdb", "httpx", "numpy", "ray", "torch", "uvicorn", "yt_dlp"}),
        ("training.stage", {"lightning"}),  # of a model that is there already
    ],
)
def test_what_is_slow_to_import_waits_until_it_is_needed(module: str, slow: set[str]):
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert not slow.intersection(done.stdout.decode().split())


def test_help_names_every_task(launch: Launch):
    said = " ".join(launch("--help").stdout.split()).partition(" Options ")[0]
    assert [task for task in TASKS if f"({task})" not in said] == []


def test_a_demo_of_a_recipe_that_is_not_there_names_those_that_are(launch: Launch):
    shown = launch("demo", "nothing")
    assert shown.returncode == 1
    assert "no sample recipe 'nothing': use" in shown.stderr
    assert "silent_to_sound" in shown.stderr


def test_the_bucket_server_starts_stops_and_keeps_its_data(launch: Launch, tmp_path: Path):
    started = launch("bucket", "start", "--port", "0", "--name", "my-bucket")
    assert started.returncode == 0, started.stderr
    exported = dict(word.split("=", 1) for word in started.stdout.split()[1:])
    assert exported["S2S_BUCKET"] == "gs://my-bucket"
    try:
        (tmp_path / "r.yaml").write_text("{name: r, collection: {catalog: c.csv}}")
        (tmp_path / "c.csv").write_text("abc,0,thing,train\n")
        site = {"S2S_SOURCE_URL": "http://127.0.0.1:9/{source_id}"}
        collected = launch("collection", "r.yaml", **exported, **site)
        assert collected.returncode == 1, collected.stderr
        assert "none of 1 clip came through: 1 network" in collected.stderr
        assert collected.stderr.count("codecs: all there") == 1, collected.stderr
    finally:
        stopped = launch("bucket", "stop")
    assert "stopped" in stopped.stderr
    assert (tmp_path / ".s2s" / "gcs" / "buckets" / "my-bucket" / "catalogs" / "r.jsonl").exists()


def test_the_script_runs_from_anywhere_once_it_is_set_up(tmp_path: Path):
    if not (ROOT / ".venv" / ".s2s-stamp").exists():
        pytest.skip("this environment was not set up by ./s2s")
    done = subprocess.run(
        [str(ROOT / "s2s"), "status", "nothing.yaml"],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "nothing.yaml: cannot be read" in done.stderr
