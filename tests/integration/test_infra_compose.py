"""What docker-compose, versions 1 and 2, makes of the compose files; no engine needed."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from s2s.settings import STAGES
from s2s.tasks.recipes import load_recipe

ROOT = Path(__file__).resolve().parents[2]
Config = Callable[..., dict[str, Any]]
DEVICES = ("deploy", "resources", "reservations", "devices")


@pytest.fixture(scope="module", params=["1", "2"])
def config(request: pytest.FixtureRequest) -> Config:
    """The configuration that docker-compose, of either version, derives; volumes are short."""
    program = program_of(request.param)

    def derive(*options: str, **environment: str) -> dict[str, Any]:
        answer = subprocess.run(
            [program, *options, "config"],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stderr == ""
        return short(yaml.safe_load(answer.stdout))

    return derive


def program_of(version: str) -> str:
    """A docker-compose of that version; skips where there is none."""
    fetched = ROOT / ".s2s" / "compose" / "docker-compose"
    for program in (shutil.which("docker-compose"), str(fetched) if fetched.exists() else None):
        if program is not None:
            said = subprocess.run(
                [program, "version", "--short"], capture_output=True, text=True, check=True
            )
            if said.stdout.removeprefix("v").startswith(f"{version}."):
                return program
    pytest.skip(f"no docker-compose {version}: 2 comes with scripts/get-compose")


def short(configuration: dict[str, Any]) -> dict[str, Any]:
    """Version 2 writes out what version 1 keeps short; the short form of both."""
    for service in configuration["services"].values():
        service["volumes"] = [
            one
            if isinstance(one, str)
            else "{source}:{target}:{mode}".format(
                mode="ro" if one.get("read_only") else "rw", **one
            )
            for one in service.get("volumes", [])
        ]
        service["ports"] = [
            one
            if isinstance(one, str)
            else "{host_ip}:{published}:{target}/{protocol}".format(**one)
            for one in service.get("ports", [])
        ]
        for dependency in service.get("depends_on", {}).values():
            assert dependency.pop("required", True) is True
    return configuration


def gpus(configuration: dict[str, Any], stage: str) -> Any:
    value = configuration["services"][stage]
    for name in DEVICES:
        value = value.get(name) or {}
    return value


@pytest.fixture(scope="module")
def services(config: Config) -> dict[str, Any]:
    return config()["services"]


def test_all_six_services_a_bucket_the_sample_and_the_way_in(services: dict[str, Any]):
    assert set(services) == {*STAGES, "bucket", "sample", "gateway"}


def test_containers_can_do_no_more_than_they_need(services: dict[str, Any]):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("privileged") is None, name
        assert service["mem_limit"], name
        assert 0 < service["cpus"] <= 2, name
        assert 0 < service["pids_limit"] <= 1024, name
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


def test_only_collection_has_a_way_out_and_only_the_gateway_a_way_in(
    config: Config, services: dict[str, Any]
):
    assert config()["networks"]["inside"]["internal"] is True
    for name, service in services.items():
        is_at_the_border = name in {"collection", "gateway"}
        assert set(service["networks"]) == (
            {"inside", "outside"} if is_at_the_border else {"inside"}
        ), name
        assert service["ports"] == (["127.0.0.1:8000:8000/tcp"] if name == "gateway" else []), name


def test_stages_follow_one_another(services: dict[str, Any]):
    chain = [stage for stage in STAGES if stage != "serving"]
    for stage, before in zip(chain[1:], chain, strict=False):
        assert services[stage]["depends_on"] == {
            before: {"condition": "service_completed_successfully"}
        }


def test_serving_comes_with_the_bucket_alone_and_waits_for_a_model(services: dict[str, Any]):
    assert set(services["serving"]["depends_on"]) == {"bucket", "gateway"}
    assert "--wait" in services["serving"]["command"]
    assert "depends_on" not in services["gateway"]
    assert services["serving"]["stop_grace_period"] in {"70s", "1m10s"}


def test_what_stays_is_started_again_and_stages_are_not(services: dict[str, Any]):
    stays = {name for name, one in services.items() if one["restart"] == "unless-stopped"}
    assert stays == {"bucket", "serving", "gateway"}
    assert {services[stage]["restart"] for stage in STAGES if stage != "serving"} == {"no"}


@pytest.mark.parametrize("stage", ["feature_extraction", "training"])
def test_a_gpu_is_reserved_where_it_is_asked_for(config: Config, stage: str):
    files = ["--file", "docker-compose.yml", "--file", "docker-compose.gpu.yml"]
    assert gpus(config(*files), stage) == [
        {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    ]
    assert not gpus(config(), stage)


def test_the_same_file_works_on_a_bucket_of_googles(config: Config, tmp_path: Path):
    made = config(
        *("--env-file", "infra/compose/use-google.env"),
        S2S_GOOGLE_BUCKET="gs://my_bucket",
        GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json"),
    )
    assert made["secrets"]["google"]["file"] == str(tmp_path / "key.json")
    assert not made["networks"]["inside"].get("internal")
    for stage in STAGES:
        environment = made["services"][stage]["environment"]
        assert environment["S2S_BUCKET"] == "gs://my_bucket"
        assert not {"STORAGE_EMULATOR_HOST", "S2S_SOURCE_URL"} & environment.keys()
        assert environment["GOOGLE_APPLICATION_CREDENTIALS"] == "/run/secrets/google"
        secrets = [one["source"] for one in made["services"][stage]["secrets"]]
        assert secrets == (["google", "wandb"] if stage == "training" else ["google"])
    assert made["services"]["sample"]["environment"]["S2S_BUCKET"] == "gs://s2s_data"
    local = config()["services"]["collection"]["environment"]
    assert local["STORAGE_EMULATOR_HOST"] == "http://bucket:4443"
    assert local["S2S_SOURCE_URL"] == "http://sample:8080/{source_id}.mp4"


@pytest.mark.parametrize("recipe", ["silent_to_sound.sample", "silent_to_sound.smoke"])
def test_recipes_are_there(config: Config, recipe: str):
    environment = config(S2S_RECIPE=recipe)["services"]["training"]["environment"]
    assert environment["S2S_RECIPE"] == recipe
    assert load_recipe(ROOT / "recipes" / f"{recipe}.yaml").name == recipe
