"""Kubernetes' objects, held against the schemas of Kubernetes, and against what the stages are.

What other projects define (KubeRay, Kueue, GKE) has no schema in a package: the fields of KubeRay's
types are listed here, and pods inside them are held against Kubernetes' own schema.
"""

import copy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from s2s.settings import STAGES
from s2s.stage.node import find_node

K8S = Path(__file__).resolve().parents[2] / "infra" / "k8s"
FILES = sorted(path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml")
FOREIGN = {"ClusterQueue", "ComputeClass", "LocalQueue", "RayJob", "ResourceFlavor"}
# KubeRay, ray-operator/apis/ray/v1: rayjob_types.go and raycluster_types.go.
RAY_JOB = {
    "activeDeadlineSeconds", "backoffLimit", "clusterSelector", "deletionStrategy", "entrypoint",
    "entrypointNumCpus", "entrypointNumGpus", "entrypointResources", "jobId", "managedBy",
    "metadata", "rayClusterSpec", "runtimeEnvYAML", "shutdownAfterJobFinishes", "submissionMode",
    "submitterConfig", "submitterPodTemplate", "suspend", "ttlSecondsAfterFinished",
}  # fmt: skip
RAY_CLUSTER = {
    "autoscalerOptions", "enableInTreeAutoscaling", "gcsFaultToleranceOptions", "headGroupSpec",
    "headServiceAnnotations", "managedBy", "rayVersion", "suspend", "workerGroupSpecs",
}  # fmt: skip
RAY_HEAD = {"enableIngress", "headService", "rayStartParams", "serviceType", "template"}
RAY_WORKERS = {
    "groupName", "idleTimeoutSeconds", "maxReplicas", "minReplicas", "numOfHosts",
    "rayStartParams", "replicas", "scaleStrategy", "suspend", "template",
}  # fmt: skip


def objects(*paths: Path) -> list[dict[str, Any]]:
    return [one for path in paths for one in yaml.safe_load_all(path.read_text())]


def pods(value: Any) -> Iterator[dict[str, Any]]:
    """Every template of a pod inside an object."""
    if isinstance(value, dict):
        if "containers" in value.get("spec", {}):
            yield value
        for item in value.values():
            yield from pods(item)
    if isinstance(value, list):
        for item in value:
            yield from pods(item)


def validate(body: dict[str, Any]) -> None:
    """Hold one object against the schema of its kind; unknown fields are refused."""
    validator = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed: run ./s2s once"
    )
    if body["kind"] not in FOREIGN:
        validator.validate(body, validator.latest_version(), strict=True)
        return
    for template in pods(body):
        pod = {"apiVersion": "v1", "kind": "Pod"} | copy.deepcopy(template)
        validator.validate(pod, validator.latest_version(), strict=True)


def by_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects(*FILES) if one["kind"] == kind}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_kubernetes_takes_every_field(path: Path):
    for body in objects(path):
        validate(body)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [("Deployment", "strategy", "stratgy"), ("RayJob", "serviceAccountName", "serviceAcount")],
)
def test_typo_is_found(kind: str, right: str, wrong: str):
    body = next(iter(by_kind(kind).values()))
    text = yaml.safe_dump(body)
    assert right in text
    with pytest.raises(Exception, match=wrong):
        validate(yaml.safe_load(text.replace(f"{right}:", f"{wrong}:")))


def test_rays_fields_are_kuberays():
    for body in by_kind("RayJob").values():
        spec = body["spec"]
        assert set(spec) <= RAY_JOB
        cluster = spec["rayClusterSpec"]
        assert set(cluster) <= RAY_CLUSTER
        assert set(cluster["headGroupSpec"]) <= RAY_HEAD
        assert all(set(group) <= RAY_WORKERS for group in cluster["workerGroupSpecs"])


def test_jobs_end_and_are_removed_and_wait_in_the_queue():
    queues = by_kind("LocalQueue")
    for body in (*by_kind("RayJob").values(), *by_kind("Job").values()):
        assert body["spec"]["activeDeadlineSeconds"] > 0
        assert body["spec"]["ttlSecondsAfterFinished"] > 0
        assert body["spec"]["suspend"] is True
        assert body["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] in queues
    assert all(body["spec"]["shutdownAfterJobFinishes"] for body in by_kind("RayJob").values())


def test_ray_job_fits_into_its_queue():
    (job,) = by_kind("RayJob").values()
    (queue,) = by_kind("ClusterQueue").values()
    groups = [job["spec"]["rayClusterSpec"]["headGroupSpec"] | {"replicas": 1}]
    groups += job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    cpus = sum(
        group["replicas"]
        * float(group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"])
        for group in groups
    )
    spot = queue["spec"]["resourceGroups"][0]["flavors"][0]
    quota = {one["name"]: one["nominalQuota"] for one in spot["resources"]}
    assert cpus <= float(quota["cpu"])


def test_rays_version_is_the_locked_one():
    lock = (K8S.parents[1] / "requirements-dev.txt").read_text()
    (job,) = by_kind("RayJob").values()
    assert f"\nray=={job['spec']['rayClusterSpec']['rayVersion']} " in lock


def test_parts_of_an_indexed_job_are_its_pods():
    job = by_kind("Job")["collection"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    part = next(one["value"] for one in container["env"] if one["name"] == "S2S_PART")
    assert part == f"$(JOB_COMPLETION_INDEX)/{job['spec']['completions']}"
    ignored = job["spec"]["podFailurePolicy"]["rules"][0]
    assert ignored["action"] == "Ignore"  # a node that was taken away is no failure


def test_nodes_of_a_training_find_the_first_one():
    job = by_kind("Job")["training"]
    spec = job["spec"]["template"]["spec"]
    assert job["spec"]["completions"] == job["spec"]["parallelism"]
    labels = job["spec"]["template"]["metadata"]["labels"]
    service = by_kind("Service")[spec["subdomain"]]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"].items() <= labels.items()
    variables = {one["name"]: one.get("value", "") for one in spec["containers"][0]["env"]}
    assert variables["MASTER_ADDR"] == f"{job['metadata']['name']}-0.{spec['subdomain']}"
    node = find_node(job["spec"]["completions"], variables | {"NODE_RANK": "1"})
    assert (node.rank, node.port) == (1, 29_500)
    policy = by_kind("NetworkPolicy")["training"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    (queue,) = by_kind("ClusterQueue").values()
    gpus = queue["spec"]["resourceGroups"][0]["flavors"][1]["resources"][2]
    assert job["spec"]["completions"] <= float(gpus["nominalQuota"])


def test_every_stage_has_an_account_and_every_pod_uses_one():
    accounts = by_kind("ServiceAccount")
    assert set(accounts) == {stage.replace("_", "-") for stage in STAGES}
    for template in pods(objects(*FILES)):
        assert template["spec"]["serviceAccountName"] in accounts
        assert template["spec"]["automountServiceAccountToken"] is False


def test_pods_can_do_no_more_than_they_need():
    for template in pods(objects(*FILES)):
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in template["spec"]["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_nodes_are_of_a_class_that_is_there():
    classes = set(by_kind("ComputeClass"))
    for template in pods(objects(*FILES)):
        chosen = template["spec"]["nodeSelector"]["cloud.google.com/compute-class"]
        assert chosen in classes
    flavors = by_kind("ResourceFlavor")
    assert {
        one["spec"]["nodeLabels"]["cloud.google.com/compute-class"] for one in flavors.values()
    } <= classes


def test_everything_is_closed_and_serving_reaches_no_stranger():
    policies = by_kind("NetworkPolicy")
    assert policies["deny-all"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    open_to_all = {
        name
        for name, body in policies.items()
        for rule in body["spec"].get("egress", [])
        for to in rule["to"]
        if to.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    }
    assert open_to_all == {"collection"}


def test_serving_is_one_replica_until_jobs_are_shared():
    assert by_kind("HorizontalPodAutoscaler")["serving"]["spec"]["maxReplicas"] == 1
    assert by_kind("Deployment")["serving"]["spec"]["strategy"] == {"type": "Recreate"}
    assert by_kind("PodDisruptionBudget")["serving"]["spec"]["maxUnavailable"] == 1


def test_replicas_share_their_jobs():
    component = yaml.safe_load((K8S / "replicas" / "kustomization.yaml").read_text())
    changed = {
        (patch["target"]["kind"], change["path"]): change["value"]
        for patch in component["patches"]
        for change in yaml.safe_load(patch["patch"])
    }
    deployment = copy.deepcopy(by_kind("Deployment")["serving"])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert "env" not in container  # it is added, not replaced
    container["env"] = changed["Deployment", "/spec/template/spec/containers/0/env"]
    deployment["spec"]["strategy"] = changed["Deployment", "/spec/strategy"]
    validate(deployment)
    assert container["env"][0]["name"] == "S2S_JOBS"
    scaler = copy.deepcopy(by_kind("HorizontalPodAutoscaler")["serving"])
    for name in ("minReplicas", "maxReplicas"):
        scaler["spec"][name] = changed["HorizontalPodAutoscaler", f"/spec/{name}"]
    validate(scaler)
    (port,) = by_kind("NetworkPolicy")["serving-jobs"]["spec"]["egress"][0]["ports"]
    assert port == {"protocol": "TCP", "port": 5432}


def test_kustomize_builds_the_overlays():
    fetched = K8S.parents[1] / ".s2s" / "kubectl" / "kubectl"
    program = shutil.which("kubectl") or (str(fetched) if fetched.exists() else None)
    if program is None:
        pytest.skip("kubectl is not installed: run scripts/get-kubectl")
    built = []
    for overlay in ("example", "example-replicas", "example-jobs", "example-training"):
        answer = subprocess.run(
            [program, "kustomize", str(K8S / "overlays" / overlay)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        built += list(yaml.safe_load_all(answer.stdout))
    for body in built:
        validate(body)
    text = yaml.safe_dump_all(built)
    assert "@DOMAIN" not in text
    for template in pods(built):
        for container in template["spec"]["containers"]:
            assert container["image"].startswith("us-central1-docker.pkg.dev/")
