"""`./s2s cloud train` against a server that speaks Vertex AI's REST and checks its messages."""

import ast
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.json_format import ParseError
from vertex_server import Course, VertexServer, custom_job

from launcher.cloud.following import Follower, train_somewhere
from launcher.cloud.job import JobState, TrainingJob
from launcher.cloud.place import DEFAULT_PLACES, Place
from launcher.cloud.vertex import CloudError, MachineShortageError, Vertex
from s2s.cli import find_recipe
from s2s.errors import SettingsError
from s2s.tasks.recipes import load_recipe

ROOT = Path(__file__).resolve().parents[2]
JOB = TrainingJob(
    name="s2s training r",
    run="a1",
    image="us-central1-docker.pkg.dev/p/s2s/training:1",
    args=("gs://b/recipes/r.yaml",),
    service_account="s2s-training@p.iam.gserviceaccount.com",
    timeout_s=3600,
    environment={"S2S_BUCKET": "gs://b"},
)
PLACES = [Place.parse(f"{region}:g2-standard-8") for region in ("us-central1", "us-east4")]
STOCKOUT = {"code": 8, "message": "Resources are insufficient in region: us-central1."}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexServer]:
    with VertexServer(images={"/v2/p/s2s/training/manifests/1"}) as running:
        for service in ("AIPLATFORM", "LOGGING", "ARTIFACTREGISTRY"):
            monkeypatch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}", running.url)
        monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
        yield running


def train(lines: list[str], places: list[Place] | None = None, **follower: Any) -> JobState:
    follows = Follower(Vertex("p"), lines.append, poll_s=0.01, **follower)
    return train_somewhere(JOB, places or PLACES, follows, lambda _: True)


@pytest.mark.parametrize("place", [*DEFAULT_PLACES, "us-west1:n1-standard-8:NVIDIA_TESLA_T4:2"])
@pytest.mark.parametrize("is_spot", [True, False])
def test_job_is_a_message_of_googles(place: str, is_spot: bool):
    job = replace(JOB, is_spot=is_spot)
    message = custom_job(job.message(Place.parse(place)))
    (pool,) = message.job_spec.worker_pool_specs
    assert pool.container_spec.image_uri == JOB.image
    assert list(pool.container_spec.args) == list(JOB.args)
    assert pool.machine_spec.machine_type == place.split(":")[1]
    assert pool.machine_spec.accelerator_count == (2 if "T4" in place else 1)
    assert pool.machine_spec.accelerator_type > 0
    assert message.job_spec.scheduling.timeout.seconds == 3600
    strategies = message.job_spec.scheduling.DESCRIPTOR.enum_types_by_name["Strategy"]
    strategy = strategies.values_by_number[message.job_spec.scheduling.strategy].name
    assert strategy == ("SPOT" if is_spot else "STANDARD")
    assert message.job_spec.service_account == JOB.service_account


@pytest.mark.parametrize("nodes", [2, 5])
def test_several_nodes_are_two_pools_of_the_same_machines(nodes: int):
    message = custom_job(replace(JOB, nodes=nodes, is_spot=False).message(PLACES[0]))
    first, others = message.job_spec.worker_pool_specs
    assert (first.replica_count, others.replica_count) == (1, nodes - 1)
    assert first.machine_spec == others.machine_spec
    assert first.container_spec == others.container_spec
    assert message.job_spec.scheduling.restart_job_on_worker_restart
    alone = custom_job(replace(JOB, is_spot=False).message(PLACES[0]))
    assert len(alone.job_spec.worker_pool_specs) == 1
    assert not alone.job_spec.scheduling.restart_job_on_worker_restart


@pytest.mark.parametrize(("right", "wrong"), [("machineType", "machine_typ"), ("SPOT", "SPOTS")])
def test_typo_in_a_message_is_found(right: str, wrong: str):
    text = repr(JOB.message(PLACES[0])).replace(right, wrong)
    with pytest.raises(ParseError):
        custom_job(ast.literal_eval(text))


def test_job_is_followed_to_its_end_and_each_line_shown_once(server: VertexServer):
    lines: list[str] = []
    state = train(lines)
    assert (state.state, state.region) == ("SUCCEEDED", "us-central1")
    assert [line for line in lines if line.startswith("step")] == ["step 1", "step 2"]
    assert "-- running" in lines
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    "course",
    [
        Course(refusal=(429, "The following quota metrics exceed quota limits: nvidia_l4_gpus")),
        Course(states=("PENDING", "FAILED"), error=STOCKOUT),
    ],
    ids=["quota", "stockout"],
)
def test_next_place_is_tried_without_quota_or_machines(server: VertexServer, course: Course):
    server.courses["us-central1"] = course
    lines: list[str] = []
    state = train(lines)
    assert (state.state, state.region) == ("SUCCEEDED", "us-east4")
    assert any("quota" in line or "insufficient" in line for line in lines)


def test_a_place_without_a_machine_in_time_is_left_and_its_job_cancelled(server: VertexServer):
    server.courses["us-central1"] = Course(states=("PENDING",))
    state = train([], wait_s=0.05)
    assert state.region == "us-east4"
    assert [job.is_cancelled for job in server.jobs] == [True, False]


def test_all_places_without_machines_are_named(server: VertexServer):
    server.courses["us-central1"] = Course(refusal=(429, "quota of us-central1"))
    server.courses["us-east4"] = Course(
        states=("FAILED",), error=STOCKOUT | {"message": "Stockout"}
    )
    with pytest.raises(MachineShortageError, match=r"quota of us-central1.*Stockout.*--place"):
        train([])


def test_a_training_that_fails_is_not_tried_elsewhere(server: VertexServer):
    error = {"code": 3, "message": "The replica workerpool0-0 exited with a non-zero status of 1."}
    server.courses["us-central1"] = Course(states=("RUNNING", "FAILED"), error=error)
    state = train([])
    assert (state.state, len(server.jobs)) == ("FAILED", 1)
    assert "non-zero status" in state.message


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_job_is_not_tried_elsewhere(server: VertexServer, status: int):
    server.courses["us-central1"] = Course(refusal=(status, "Permission denied on it."))
    with pytest.raises(CloudError, match="Permission denied on it"):
        train([])
    assert server.jobs == []


def test_a_job_is_started_once_when_the_answer_is_lost(server: VertexServer):
    server.courses["us-central1"] = Course(drop=1)
    assert train([]).state == "SUCCEEDED"
    assert len(server.jobs) == 1


def test_silence_is_waited_out(server: VertexServer):
    server.courses["us-central1"] = Course(silence=3)
    assert train([]).state == "SUCCEEDED"


@pytest.fixture
def command(server: VertexServer, bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket_server)
    monkeypatch.setenv("COLUMNS", "400")
    options = [
        "--bucket",
        "gs://test-bucket",
        "--project",
        "p",
        "--image",
        JOB.image,
        "--poll",
        "0.05",
    ]
    recipe = str(ROOT / "recipes" / "silent_to_sound.smoke.yaml")
    return [sys.executable, "-m", "launcher", "cloud", "train", recipe, *options]


def test_command_asks_for_the_nodes_of_the_recipe(
    server: VertexServer, command: list[str], tmp_path: Path
):
    recipe = tmp_path / "nodes.yaml"
    content = yaml.safe_load(Path(command[5]).read_text(encoding="utf-8"))
    content["training"]["nodes"] = 2
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    answer = run([*command[:5], str(recipe), *command[6:]])
    assert answer.returncode == 0, answer.stdout + answer.stderr
    pools = custom_job(server.jobs[0].message).job_spec.worker_pool_specs
    assert [pool.replica_count for pool in pools] == [1, 1]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_command_hands_the_recipe_over_and_returns_the_state(
    server: VertexServer, command: list[str]
):
    answer = run(command)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines()[-1] == "-- succeeded"
    spec = custom_job(server.jobs[0].message).job_spec.worker_pool_specs[0]
    (url,) = spec.container_spec.args
    assert load_recipe(find_recipe(url)).name == "silent_to_sound.smoke"
    assert [(one.name, one.value) for one in spec.container_spec.env] == [
        ("S2S_BUCKET", "gs://test-bucket")
    ]
    assert run([*command, "--wandb-secret", "s2s-wandb"]).returncode == 0
    spec = custom_job(server.jobs[1].message).job_spec.worker_pool_specs[0]
    assert {one.name: one.value for one in spec.container_spec.env} == {
        "S2S_BUCKET": "gs://test-bucket",
        "WANDB_MODE": "online",
        "WANDB_API_KEY_SECRET": "projects/p/secrets/s2s-wandb",
    }
    server.courses["us-central1"] = Course(states=("FAILED",), error={"code": 3, "message": "no"})
    answer = run(command)
    assert (answer.returncode, answer.stdout.splitlines()[-1]) == (1, "-- failed: no")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--bucket", "gs://nowhere", "there is no such bucket"),
        ("--bucket", "file:///tmp/b", "gs://NAME"),
        ("--image", "us-central1-docker.pkg.dev/p/s2s/training:2", "there is none of this name"),
        ("--place", "us-central1:g9", "g9"),
        ("--place", "us-central1:g2-standard-8:NVIDIA_TESLA_T4", "comes with 1 × NVIDIA_L4"),
    ],
)
def test_command_says_what_is_missing_before_any_work(
    server: VertexServer, command: list[str], option: str, value: str, told: str
):
    answer = run([*command, option, value])
    assert answer.returncode == 1
    errors = [line for line in (answer.stdout + answer.stderr).splitlines() if "error:" in line]
    assert len(errors) == 1, answer.stdout + answer.stderr
    assert told in answer.stdout + answer.stderr
    assert server.jobs == []


def test_interrupted_following_leaves_the_job_and_says_how_to_go_on(
    server: VertexServer, command: list[str]
):
    server.courses["us-central1"] = Course(states=("RUNNING",))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    name = process.stdout.readline().removeprefix("-- ").strip()
    process.stdout.readline()  # it is running
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait() == 130
    assert f"./s2s cloud follow {name}" in rest
    assert not server.jobs[0].is_cancelled
    assert run([*command[:4], "cancel", name]).returncode == 0
    assert server.jobs[0].is_cancelled
    answer = run([*command[:4], "follow", name, "--poll", "0.05"])
    assert (answer.returncode, answer.stdout.splitlines()[-1]) == (1, "-- cancelled")


def test_image_that_is_not_there_is_named(server: VertexServer):
    Vertex("p").check_image(JOB.image)
    with pytest.raises(SettingsError, match=r"training:2: there is none.*--image"):
        Vertex("p").check_image(JOB.image.replace(":1", ":2"))


def test_credentials_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no.json"))
    with pytest.raises(SettingsError, match="gcloud auth application-default login"):
        Vertex("p")


def test_project_that_is_missing_is_asked_for(
    server: VertexServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(SettingsError, match="--project"):
        Vertex()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("g2-standard-8", "REGION:MACHINE"),
        ("us-central1", "REGION:MACHINE"),
        ("us-central1:g2-standard-8:NVIDIA_TESLA_T4", "comes with 1 × NVIDIA_L4"),
        ("us-central1:g2-standard-24:NVIDIA_L4:1", "comes with 2 × NVIDIA_L4"),
        ("us-central1:n1-standard-8:NVIDIA_L4", "NVIDIA_TESLA_T4"),
        ("us-central1:e2-standard-8:NVIDIA_TESLA_T4", "takes no NVIDIA_TESLA_T4"),
        ("us-central1:n1-standard-8:NVIDIA_TESLA_T4:x", "no number"),
        ("us-central1:g2-standard-9", "no machine g2-standard-9"),
        ("us-central1:a4-highgpu-8g", "name the accelerators"),
    ],
)
def test_a_place_that_there_is_not_is_explained(text: str, told: str):
    with pytest.raises(SettingsError, match=told):
        Place.parse(text)


def test_accelerators_of_a_machine_need_not_be_named():
    assert Place.parse("us-central1:a2-highgpu-4g").count == 4
    assert str(Place.parse("us-central1:g2-standard-48")) == (
        "us-central1, g2-standard-48, 4 × NVIDIA_L4"
    )
    assert Place.parse("us-central1:e2-standard-8").accelerator == ""
