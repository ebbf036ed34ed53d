"""Which of a training's nodes a machine is: what starts it tells so by variables."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from s2s.errors import SettingsError
from s2s.layout import model_prefix
from s2s.settings import TrainingSettings
from s2s.stage.node import Node, find_node, is_other_node
from s2s.tasks.generation.settings import GenerationRecipe, GenerationTrainingSettings

MEETING = {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}


def cluster_spec(pool: str, index: int, others: int = 2) -> str:
    """As Vertex AI writes it on each machine of a job."""
    hosts = [f"cmle-training-workerpool1-ab-{n}:2222" for n in range(others)]
    cluster = {"workerpool0": ["cmle-training-workerpool0-ab-0:2222"], "workerpool1": hosts}
    task = {"type": pool, "index": index}
    return json.dumps({"cluster": cluster, "environment": "cloud", "task": task, "job": "{}"})


TORCHRUN = {
    "LOCAL_RANK": "0",
    "RANK": "2",
    "GROUP_RANK": "2",
    "WORLD_SIZE": "3",
    "LOCAL_WORLD_SIZE": "1",
}


@pytest.mark.parametrize(
    "told",
    [
        {"NODE_RANK": "2"},
        {"NODE_RANK": "2", "RANK": "0", "JOB_COMPLETION_INDEX": "1", "WORLD_SIZE": "24"},
        TORCHRUN,
        {"RANK": "2", "WORLD_SIZE": "3"},
        {"RANK": "2", "WORLD_SIZE": "3", "CLUSTER_SPEC": cluster_spec("workerpool1", 1)},
        {"JOB_COMPLETION_INDEX": "2"},
    ],
    ids=["by hand", "by hand, first", "torchrun", "rank", "Vertex AI", "Kubernetes"],
)
def test_a_machine_finds_its_place(told: dict[str, str]):
    assert find_node(3, MEETING | told) == Node(2, 3, "10.0.0.1", 29_500)
    assert is_other_node(MEETING | told)


def test_torchrun_has_opened_the_port_already():
    told = MEETING | TORCHRUN | {"TORCHELASTIC_USE_AGENT_STORE": "True"}
    for rank, started in ((0, told | {"GROUP_RANK": "0"}), (2, told)):
        node = find_node(3, started)
        assert (node.rank, node.is_open, node.host) == (rank, True, "10.0.0.1")
    by_hand = find_node(3, MEETING | {"NODE_RANK": "0"})
    assert (by_hand.is_open, by_hand.host) == (False, "localhost")


def test_a_cluster_of_vertex_ai_says_where_its_first_machine_is():
    first = "cmle-training-workerpool0-ab-0"
    told = {"CLUSTER_SPEC": cluster_spec("workerpool0", 0)}
    assert find_node(3, told) == Node(0, 3, first, 2222)
    assert not is_other_node(told)
    told["MASTER_PORT"] = "3333"
    assert find_node(3, told).port == 3333


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"NODE_RANK": None}, r"no NODE_RANK\. Start the same command on every node, with MASTER"),
        ({"MASTER_ADDR": None}, r"no MASTER_ADDR\. Start the same command"),
        ({"MASTER_PORT": ""}, r"no MASTER_PORT\. Start the same command"),
        ({"NODE_RANK": "2"}, r"node 2, but training.nodes is 2\. Number the nodes from 0 to 1"),
        ({"NODE_RANK": "-1"}, r"NODE_RANK is '-1', which is no number"),
        ({"NODE_RANK": "first"}, r"NODE_RANK is 'first', which is no number"),
        ({"MASTER_PORT": "http"}, r"MASTER_PORT is 'http', which is no number"),
        ({"MASTER_PORT": "70000"}, r"MASTER_PORT is 70000\. Choose one from 1 to 65535"),
        ({"MASTER_PORT": "0"}, r"MASTER_PORT is 0\. Choose one"),
        ({"NODE_RANK": None, "RANK": "1", "WORLD_SIZE": "4"}, r"one of 4 machines, but .* is 2"),
        ({"NODE_RANK": None, "CLUSTER_SPEC": cluster_spec("workerpool1", 1)}, "one of 3 machines"),
        ({"NODE_RANK": None, "CLUSTER_SPEC": "{}"}, r"CLUSTER_SPEC is not as Vertex AI writes it"),
        ({"NODE_RANK": None, "CLUSTER_SPEC": cluster_spec("chief", 0)}, "not as Vertex AI"),
        ({"LOCAL_WORLD_SIZE": "8"}, r"torchrun --nproc-per-node 1, and set training.devices"),
    ],
)
def test_what_lacks_or_is_wrong_is_told_with_the_remedy(change: dict[str, Any], told: str):
    environment = MEETING | {"NODE_RANK": "1"} | change
    given = {name: value for name, value in environment.items() if value is not None}
    with pytest.raises(SettingsError, match=told):
        find_node(2, given)


def test_a_machine_alone_needs_no_variables():
    others = ({"JOB_COMPLETION_INDEX": "3"}, {"CLUSTER_SPEC": "{}"}, {"RANK": "none"})
    for told in ({}, {"NODE_RANK": "0"}, {"RANK": "0"}, *others):
        assert find_node(1, told) == Node()


@pytest.mark.parametrize(
    "told",
    [{"NODE_RANK": "1"}, TORCHRUN, {"RANK": "1"}, {"CLUSTER_SPEC": cluster_spec("workerpool1", 0)}],
)
def test_a_machine_of_several_needs_a_recipe_of_several(told: dict[str, str]):
    with pytest.raises(
        SettingsError, match=r"training\.nodes is 1\. Set it to the number of nodes"
    ):
        find_node(1, told)


def test_a_batch_is_shared_by_all_devices_of_all_nodes():
    settings = TrainingSettings(batch_size=12, devices=2, nodes=3)
    assert settings.n_processes == 6
    with pytest.raises(ValidationError, match=r"batch_size 8 .* devices 2 of each of nodes 3"):
        TrainingSettings(batch_size=8, devices=2, nodes=3)
    with pytest.raises(ValidationError, match=r"batch_size 12 .* accumulate 4"):
        TrainingSettings(batch_size=12, devices=2, nodes=3, accumulate=4)
    with pytest.raises(ValidationError, match=r"vocoder.batch_size 16 .* devices 1 of .* nodes 3"):
        GenerationTrainingSettings.model_validate(
            {"batch_size": 6, "nodes": 3, "vocoder": {"batch_size": 16}}
        )


def test_nodes_rename_no_model():
    content = {"name": "r", "collection": {"catalog": "c.csv"}}
    one = GenerationRecipe.model_validate(content)
    two = GenerationRecipe.model_validate(content | {"training": {"nodes": 2}})
    assert model_prefix(one, "dataset_v1") == model_prefix(two, "dataset_v1")
