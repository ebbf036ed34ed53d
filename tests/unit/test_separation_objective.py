"""A separator's objective: every model learns, and is exported as it is loaded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from compiled import compiled_share
from talker_clips import FPS, RATE_HZ, separation_recipe, store_talkers
from torch.utils.data import default_collate

from s2s.dataset import DatasetVersion
from s2s.errors import SettingsError
from s2s.storage import DirectoryBucket
from s2s.tasks.common.chance import Chance
from s2s.tasks.contract import Material
from s2s.tasks.separation.data import MixtureDataset, MixturePlan
from s2s.tasks.separation.network.directory import load_model
from s2s.tasks.separation.objective import objectives
from s2s.tasks.separation.objective.separation import SeparationObjective

MIXING = {"silent_face": 0.5, "noise": 0.5, "three_speakers": 0.5}


def objective_of(folder: Path, **training: object) -> SeparationObjective:
    recipe = separation_recipe(
        training={"batch_size": 2, "max_steps": 8, "mixing": MIXING, **training}
    )
    material = Material(
        recipe=recipe,
        recipe_folder=folder,
        bucket=DirectoryBucket(folder / "bucket"),
        version=DatasetVersion("dataset_v1"),
        clips={
            "train": store_talkers(folder / "train", ("ann", "ann", "bob", "cid")),
            "val": store_talkers(folder / "val", ("dot", "eve"), split="val"),
        },
        folder=folder / "model",
        fit=lambda objective: pytest.fail(f"is not asked for: {objective}"),
    )
    (objective,) = objectives(material)
    assert isinstance(objective, SeparationObjective)
    return objective


@pytest.mark.parametrize(
    ("model", "size"),
    [("audio_visual", "tiny"), ("audio_only", "tiny"), ("looking_to_listen", "tiny")],
)
def test_a_model_learns_and_is_loaded_as_it_was(tmp_path: Path, model: str, size: str):
    torch.manual_seed(0)
    objective = objective_of(tmp_path, model=model, size=size, learning_rate=1e-3)
    data = objective.datasets()
    batch = default_collate([data["train"][n] for n in range(2)])
    chance = Chance(0, range(2))
    optimizers, losses = objective.optimizers(), []
    for _ in range(8):
        loss = objective.loss(batch, chance)
        objective.network.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    trained = {id(part) for of in optimizers for g in of.param_groups for part in g["params"]}
    assert trained == {id(part) for part in objective.network.parameters()}

    objective.network.eval()
    objective.export(tmp_path / "model")
    loaded, config, description = load_model(tmp_path / "model")
    assert description.task == "separation"
    assert (config.window_s, config.network.fps) == (1.0, FPS)
    given = [batch[name] for name in ("mixture", "lips", "seen")]
    assert (loaded(*given) == objective.network(*given)).all()
    written = json.loads((tmp_path / "model" / "mixtures.val.json").read_text())
    assert [MixturePlan.model_validate(plan).faces for plan in written]
    assert len(written) == len(data["val"]) == 2  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("audio_visual", "medium"),
        ("audio_visual", "small"),
        ("audio_only", "medium"),
        ("audio_only", "small"),
        ("looking_to_listen", "paper"),
    ],
)
def test_every_other_size_takes_a_step(tmp_path: Path, model: str, size: str):
    torch.manual_seed(0)
    objective = objective_of(tmp_path, model=model, size=size, window_s=0.5, batch_size=1)
    batch = default_collate([objective.datasets()["train"][0]])
    before = [part.detach().clone() for part in objective.network.parameters()]
    optimizers = objective.optimizers()
    loss = objective.loss(batch, Chance(0, range(1)))
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    assert torch.isfinite(loss)
    changed = zip(before, objective.network.parameters(), strict=True)
    assert all(torch.isfinite(part).all() for part in objective.network.parameters())
    assert sum(not torch.equal(old, new) for old, new in changed) > 0.9 * len(before)


def test_lips_that_are_simulated_are_made_anew_for_training_alone(tmp_path: Path):
    def faces(split: str, **sections: dict) -> list[int | None]:
        recipe = separation_recipe(training={"batch_size": 2, "max_steps": 8}, **sections)
        material = replace(objective_of(tmp_path)._material, recipe=recipe)
        (objective,) = objectives(material)
        dataset = objective.datasets()[split]
        assert isinstance(dataset, MixtureDataset)
        return [face.lips for n in range(2) for face in dataset.plan(n).faces]

    simulated = {"feature_extraction": {"faces": "simulated"}}
    assert None not in faces("train", **simulated)
    assert set(faces("val", **simulated)) == {None}
    assert set(faces("train")) == {None}


def test_what_is_shown_to_trackers_is_heard(tmp_path: Path):
    objective = objective_of(tmp_path)
    paths = objective.show(tmp_path)
    assert {path.name for path in paths} >= {"1-mixture.wav", "1-face-1.wav", "2-mixture.wav"}
    assert all(path.stat().st_size == 44 + 2 * RATE_HZ for path in paths)


def test_the_summary_says_what_it_costs(tmp_path: Path):
    assert "M parameters" in objective_of(tmp_path).summary


def test_a_folder_without_noise_is_an_error_before_anything_is_trained(tmp_path: Path):
    with pytest.raises(SettingsError, match="noise_folder"):
        objective_of(tmp_path, mixing={"noise": 0.1, "noise_folder": "missing"})


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"model": "looking_to_listen", "size": "small"}, "comes in tiny, paper"),
        ({"model": "audio_only", "size": "paper"}, "comes in tiny, medium, small"),
        ({"mixing": {"sir_db": (3, -3)}}, "the least comes first"),
        ({"mixing": {"speed": (0.1, 1)}}, "within 0.5 and 2"),
        ({"mixing": {"max_speakers": 2, "three_speakers": 0.1}}, "set it to 3"),
        ({"window_s": 5}, "a clip has spec.duration_s 1"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(training: dict, message: str):
    with pytest.raises(ValueError, match=message):
        separation_recipe(training=training)


@pytest.mark.parametrize(
    ("model", "least"), [("audio_visual", 0.7), ("audio_only", 0.7), ("looking_to_listen", 0.2)]
)
def test_a_compiled_network_is_what_training_calls_and_has_the_same_loss(
    tmp_path: Path, model: str, least: float, monkeypatch: pytest.MonkeyPatch
):
    objective = objective_of(tmp_path, model=model, size="tiny")
    batch = default_collate([objective.datasets()["train"][n] for n in range(2)])
    objective.network.eval()
    wanted = objective.loss(batch, Chance(0, range(2)))
    found: list[torch.Tensor] = []
    share = compiled_share(
        objective.network,
        lambda: found.append(objective.loss(batch, Chance(0, range(2)))),
        monkeypatch,
    )
    assert share > least
    torch.testing.assert_close(found[0], wanted)
