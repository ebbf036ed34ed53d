"""The infrastructure's definition, held against the services and the layout of the bucket."""

import inspect
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from s2s import layout
from s2s.settings import STAGES, CollectionSettings
from s2s.tasks.generation.settings import GenerationRecipe

FOLDER = Path(__file__).resolve().parents[2] / "infra" / "terraform"
RECIPE = GenerationRecipe(name="r", collection=CollectionSettings(catalog="r.csv"))


def plain(value: Any) -> Any:
    """What python-hcl2 reads, without the quotes that it leaves around strings."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.removeprefix('"').removesuffix('"') if isinstance(value, str) else value


def read(block: str) -> dict[str, Any]:
    """All blocks of a kind in all files, by their labels: `type.name` for resources."""
    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        for entry in plain(hcl2.loads(path.read_text()).get(block, [])):
            if block == "resource":
                ((kind, named),) = entry.items()
                found |= {f"{kind}.{name}": body for name, body in named.items()}
            else:
                found |= entry
    return found


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return read("resource")


@pytest.fixture(scope="module")
def rights() -> dict[str, dict[str, list[str]]]:
    return read("locals")["rights"]


def test_every_service_has_an_account_of_its_own(
    resources: dict[str, Any], rights: dict[str, dict[str, list[str]]]
):
    assert set(rights) == set(STAGES)
    assert resources["google_service_account.service"]["for_each"] == "${local.rights}"


def test_every_prefix_of_the_layout_is_there():
    arguments = {
        "recipe": RECIPE,
        "version": "dataset_v1",
        "stage": "training",
        "split": "train",
        "kind": "csv",
        "job_id": "job",
        "objective": "model",
        "checksum": "00000000",
        "name": "video",
    }
    builders = [
        getattr(layout, name)
        for name in layout.__all__
        if name.endswith(("_prefix", "_key")) and name != "failure_key"  # under another prefix
    ]
    keys = [
        build(*(arguments[name] for name in inspect.signature(build).parameters))
        for build in builders
    ]
    assert len(keys) > 10
    assert {key.partition("/")[0] for key in keys} <= set(read("locals")["prefixes"])


def test_rights_are_on_known_prefixes_only(rights: dict[str, dict[str, list[str]]]):
    known = {*read("locals")["prefixes"], "models/held_out", "*.csv", "processed_data/*.wav"}
    named = {prefix for kinds in rights.values() for names in kinds.values() for prefix in names}
    assert named <= known
    assert all(set(kinds) == {"read", "create", "replace"} for kinds in rights.values())


def test_no_two_services_write_under_one_prefix(rights: dict[str, dict[str, list[str]]]):
    written = [prefix for kinds in rights.values() for prefix in kinds["create"] + kinds["replace"]]
    assert len(written) == len(set(written))


def test_serving_cannot_write_a_model(rights: dict[str, dict[str, list[str]]]):
    assert rights["serving"]["create"] == []
    assert "models" not in rights["serving"]["replace"]


# Predefined roles, and what each is given on: one repository, one secret, one account. On the whole
# project are only the rights to start jobs, to write logs and to be a node.
PREDEFINED = {
    "roles/artifactregistry.reader": "artifact_registry_repository",
    "roles/artifactregistry.writer": "artifact_registry_repository",
    "roles/secretmanager.secretAccessor": "secret_manager_secret",
    "roles/iam.workloadIdentityUser": "service_account",
    "roles/iam.serviceAccountUser": "service_account",
    "roles/run.invoker": "cloud_run_v2_service",
    "roles/storage.objectCreator": "storage_bucket",  # Google's own group, for access logs
    "roles/storage.objectUser": "storage_bucket",  # the pipeline's, on a bucket of its own
    "roles/aiplatform.user": "project",
    "roles/logging.logWriter": "project",
    "roles/container.defaultNodeServiceAccount": "project",
}
ON_DATA = ("list", "read", "create", "replace", "submit_list", "submit_create")


def test_accounts_of_services_get_own_roles_on_the_data_only(resources: dict[str, Any]):
    on_data = {
        name.rpartition(".")[2]: body
        for name, body in resources.items()
        if "_iam_member" in name and body.get("bucket") == "${google_storage_bucket.data.name}"
    }
    assert set(on_data) == set(ON_DATA)
    for name, body in on_data.items():
        role = name.removeprefix("submit_").capitalize()
        assert body["role"] == f'${{google_project_iam_custom_role.storage["{role}"].name}}'
        assert ("condition" in body) == (role != "List"), f"{name} is not limited to prefixes"


def test_predefined_roles_are_on_one_thing(resources: dict[str, Any]):
    for name, body in resources.items():
        kind = name.partition(".")[0]
        if not kind.endswith("_iam_member") or body["role"].startswith("${google_project_iam"):
            continue
        if body["role"] == "${each.value.role}":  # people who may start jobs
            assert name == "google_project_iam_member.submit"
            continue
        on = kind.removeprefix("google_").removesuffix("_iam_member")
        assert PREDEFINED[body["role"]] == on, name
    assert not [
        name
        for name in resources
        if name.partition(".")[0].endswith(("_iam_binding", "_iam_policy"))
    ]


def test_every_service_is_a_kubernetes_account_and_nobody_else(resources: dict[str, Any]):
    member = resources["google_service_account_iam_member.workload"]["member"]
    assert member.endswith('[s2s/${replace(each.key, "_", "-")}]')


def test_no_value_of_a_secret_is_in_the_state(resources: dict[str, Any]):
    assert not [name for name in resources if "secret_version" in name]
    assert read("locals")["secrets"] == {"s2s-api-keys": "serving", "s2s-wandb": "training"}


def test_serving_is_one_instance_in_one_zone(resources: dict[str, Any]):
    template = resources["google_cloud_run_v2_service.serving"]["template"][0]
    assert template["gpu_zonal_redundancy_disabled"] == '${var.serving_gpu == "" ? null : true}'
    assert template["scaling"][0]["max_instance_count"] == 1
    assert template["containers"][0]["resources"][0]["cpu_idle"] is False


def test_roles_hold_what_their_names_say(resources: dict[str, Any]):
    roles = resources["google_project_iam_custom_role.storage"]["for_each"]
    assert roles["List"] == ["storage.buckets.get", "storage.objects.list"]
    assert roles["Read"] == ["storage.objects.get"]
    assert "storage.objects.delete" not in roles["Create"]  # replacing is deleting


def test_bucket_is_closed_versioned_and_kept(resources: dict[str, Any]):
    bucket = resources["google_storage_bucket.data"]
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["versioning"][0]["enabled"] is True
    assert bucket["force_destroy"] is False
    assert bucket["lifecycle"][0]["prevent_destroy"] is True
    log = resources["google_storage_bucket.access_log"]
    assert bucket["logging"][0]["log_bucket"] == "${google_storage_bucket.access_log.name}"
    for other in (log, resources["google_storage_bucket.pipeline"]):
        assert other["uniform_bucket_level_access"] is True
        assert other["public_access_prevention"] == "enforced"


def test_replaced_models_and_results_are_not_kept_long(resources: dict[str, Any]):
    rules = resources["google_storage_bucket.data"]["lifecycle_rule"]
    days = {
        rule["condition"][0].get("matches_prefix", [""])[0]: rule["condition"][0][
            "days_since_noncurrent_time"
        ]
        for rule in rules
        if "days_since_noncurrent_time" in rule["condition"][0]
    }
    assert days == {"": "${var.keep_replaced_days}", "models/": 1, "serving/": 1}


def test_nothing_deletes_a_live_object_but_results_of_users(resources: dict[str, Any]):
    rules = resources["google_storage_bucket.data"]["lifecycle_rule"]
    conditions = [rule["condition"][0] for rule in rules if rule["action"][0]["type"] == "Delete"]
    live = [condition for condition in conditions if condition.get("with_state") != "ARCHIVED"]
    assert [condition["matches_prefix"] for condition in live] == [["serving/results/"]]


def test_provider_and_terraform_are_pinned():
    terraform = read("terraform")
    assert re.fullmatch(r">= 1\.\d+, < 2\.0", terraform["required_version"])
    assert terraform["required_providers"][0]["google"]["version"].startswith("~> ")


def test_every_variable_and_output_is_explained():
    for block in ("variable", "output"):
        entries = read(block)
        assert entries
        assert all(body.get("description") for body in entries.values())
    assert all(body.get("type") for body in read("variable").values())


def test_the_readme_names_variables_that_are_there():
    named = re.findall(r"-var '?(\w+)=", (FOLDER / "README.md").read_text())
    (state,) = FOLDER.glob("state/*.tf")
    known = read("variable").keys() | plain(hcl2.loads(state.read_text()))["variable"][0].keys()
    assert "serving_is_public" in named
    assert [name for name in named if name not in known] == []


@pytest.mark.parametrize("page", ["infra/terraform/README.md", "docs/containers.md"])
def test_images_are_pushed_with_a_tag_of_their_own(page: str, resources: dict[str, Any]):
    """Such as a commit's name: a tag that is there already cannot be pushed again."""
    registry = resources["google_artifact_registry_repository.images"]
    assert registry["docker_config"][0]["immutable_tags"] is True
    pushes = re.findall(r"^ *\./s2s images push .*$", (FOLDER.parents[1] / page).read_text(), re.M)
    assert pushes
    assert [push for push in pushes if " --tag $" not in push] == []
