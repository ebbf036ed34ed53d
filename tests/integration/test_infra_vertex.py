"""The pipeline of Vertex AI: all stages, in order, each as its own account."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from vertex_server import custom_job

from s2s.settings import STAGES

SCRIPT = Path(__file__).resolve().parents[2] / "infra" / "vertex" / "pipeline.py"


def test_pipeline_compiles_to_all_stages_in_order(tmp_path: Path):
    for name in ("kfp", "google_cloud_pipeline_components"):
        pytest.importorskip(name, reason=f"{name}: see infra/vertex/requirements.in")
    out = tmp_path / "pipeline.yaml"
    options = ["--project", "p", "--bucket", "gs://b", "--registry", "r", "--tag", "1"]
    options += ["--recipe", "x", "--wandb-secret", "s2s-wandb", "--out", str(out)]
    command = [sys.executable, str(SCRIPT), *options]
    subprocess.run(command, check=True)
    pipeline = next(iter(yaml.safe_load_all(out.read_text())))
    tasks = pipeline["root"]["dag"]["tasks"]
    order: list[str] = []
    while len(order) < len(tasks):
        after = [order[-1]] if order else []
        (name,) = (one for one, task in tasks.items() if task.get("dependentTasks", []) == after)
        order.append(name)
    assert [tasks[name]["taskInfo"]["name"] for name in order] == list(STAGES)
    for name, stage in zip(order, STAGES, strict=True):
        given = {
            key: value["runtimeValue"]["constant"]
            for key, value in tasks[name]["inputs"]["parameters"].items()
            if "runtimeValue" in value
        }
        pools = given["worker_pool_specs"]
        pools = json.loads(pools) if isinstance(pools, str) else pools
        spec = {"workerPoolSpecs": pools, "serviceAccount": given["service_account"]}
        job = custom_job({"displayName": stage, "jobSpec": spec}).job_spec
        assert job.service_account == f"s2s-{stage.replace('_', '-')}@p.iam.gserviceaccount.com"
        assert job.worker_pool_specs[0].container_spec.image_uri == f"r/{stage}:1"
        told = {one.name: one.value for one in job.worker_pool_specs[0].container_spec.env}
        of_wandb = {
            "WANDB_MODE": "online",
            "WANDB_API_KEY_SECRET": "projects/p/secrets/s2s-wandb",
        }
        assert told == {"S2S_BUCKET": "gs://b"} | (of_wandb if stage == "training" else {})
