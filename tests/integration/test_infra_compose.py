"""What docker-compose makes of the compose files; no engine needed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from s2s.settings import STAGES
from s2s.tasks.recipes import load_recipe

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ("deploy", "resources", "reservations", "devices")


def config(*files: str, **environment: str) -> dict[str, Any]:
    """The configuration that docker-compose derives."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    options = [option for file in files for option in ("--file", file)]
    answer = subprocess.run(
        [program, *options, "config"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        check=True,
    )
    return yaml.safe_load(answer.stdout)


def gpus(configuration: dict[str, Any]) -> Any:
    value = configuration["services"]["training"]
    for name in DEVICES:
        value = value.get(name) or {}
    return value


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return config()["services"]


def test_all_six_services_a_bucket_and_the_sample(services: dict[str, Any]):
    assert set(services) == {*STAGES, "bucket", "sample"}


def test_containers_can_do_no_more_than_they_need(services: dict[str, Any]):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("privileged") is None, name
        written = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
        assert all(volume.split(":")[0].isidentifier() for volume in written), name


def test_stages_share_the_bucket_and_nothing_else(services: dict[str, Any]):
    volumes = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service["volumes"]
        if not volume.endswith(":ro")
    ]
    assert len(volumes) == len(set(volumes))


def test_only_serving_is_seen_from_outside(services: dict[str, Any]):
    assert config()["networks"]["inside"]["internal"] is True
    for name, service in services.items():
        assert set(service["networks"]) == (
            {"inside", "outside"} if name == "serving" else {"inside"}
        )
        assert service.get("ports") == (
            ["127.0.0.1:8000:8000/tcp"] if name == "serving" else None
        ), name


def test_stages_follow_one_another(services: dict[str, Any]):
    for stage, before in zip(STAGES[1:], STAGES, strict=False):
        assert services[stage]["depends_on"] == {
            before: {"condition": "service_completed_successfully"}
        }


def test_training_reserves_a_gpu_unless_told_otherwise():
    assert gpus(config()) == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert not gpus(config("docker-compose.yml", "docker-compose.cpu.yml"))
    assert not gpus(config(S2S_ACCELERATOR="cpu"))


@pytest.mark.parametrize("recipe", ["silent_to_sound.sample", "silent_to_sound.smoke"])
def test_recipes_are_there(recipe: str):
    command = config(S2S_RECIPE=recipe)["services"]["training"]["command"]
    assert command == [f"/recipes/{recipe}.yaml"]
    assert load_recipe(ROOT / "recipes" / f"{recipe}.yaml").name == recipe
