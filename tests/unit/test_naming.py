"""The names of objects: each setting changes exactly those whose bytes depend on it."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from s2s import layout
from s2s.settings import (
    CLIPS,
    FEATURES,
    SHARED,
    Names,
    PreprocessingSettings,
    Recipe,
    TrainingSettings,
    names,
    setting_paths,
)
from s2s.settings.naming import Kind
from s2s.tasks import TASKS
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.recipes import load_recipe, recipe_class

RECIPES = Path(__file__).parents[1] / "naming"
FACTORIES: dict[Kind, Callable[[Recipe], str]] = {
    "clips": layout.processed_prefix,
    "checks": layout.checks_prefix,
    "extractors": layout.extractors_key,
    "features": lambda recipe: layout.features_prefix(recipe, "dataset_v1"),
    "model": lambda recipe: layout.model_prefix(recipe, "dataset_v1"),
    "evaluation": lambda recipe: layout.evaluation_prefix(recipe, "dataset_v1"),
}
PINNED = {
    "silent_to_sound": {
        **{"clips": "b3e61f0c", "checks": "e4072cd1", "extractors": "99b5c7ff"},
        **{"features": "7016589b", "model": "0b0cb747", "evaluation": "c8c5e1ed"},
    },
    "silent_to_sound.sample": {
        **{"clips": "dcc7e09b", "checks": "f83bb3ff", "extractors": "338dc948"},
        **{"features": "488bef88", "model": "a46055f6", "evaluation": "5d8f90a3"},
    },
    "silent_to_sound.smoke": {
        **{"clips": "baf0c9e9", "checks": "ded9c383", "extractors": "338dc948"},
        **{"features": "a52df3f8", "model": "cadbc679", "evaluation": "c8c5e1ed"},
    },
    "cocktail_party": {
        **{"clips": "cd218200", "checks": "688ce354", "extractors": "44136fa3"},
        **{"features": "44c2e1af", "model": "e2be9981", "evaluation": "7fe75789"},
    },
    "cocktail_party.sample": {
        **{"clips": "c03f9038", "checks": "46d93b2d", "extractors": "44136fa3"},
        **{"features": "c0802187", "model": "2dec8cfe", "evaluation": "8ec42eb3"},
    },
    "kinetics_actions": {
        **{"clips": "452c78c4", "checks": "7d51f24a", "extractors": "44136fa3"},
        **{"features": "ed82f66c", "model": "e0abc442", "evaluation": "cede6cc6"},
    },
    "kinetics_actions.sample": {
        **{"clips": "d662a3a3", "checks": "50f300e1", "extractors": "44136fa3"},
        **{"features": "46f543ad", "model": "ebec23c4", "evaluation": "a1210d2b"},
    },
    "vggsound_contest": {
        **{"clips": "e837e479", "checks": "17f6a74a", "extractors": "44136fa3"},
        **{"features": "5f01f694", "model": "5b6d0bc7", "evaluation": "dfc7b536"},
    },
    "vggsound_contest.sample": {
        **{"clips": "aa1e0c50", "checks": "a52ef2f4", "extractors": "44136fa3"},
        **{"features": "7ab2fb61", "model": "89e315c7", "evaluation": "327fbdca"},
    },
}
CUTTING = {
    "spec.fps",
    "spec.sample_rate_hz",
    "spec.duration_s",
    *(f"preprocessing.{name}" for name in PreprocessingSettings.model_fields),
}
CHECKING = {
    "validation.min_loudness_dbfs",
    *(
        f"validation.checks.{name}"
        for name in (
            *("max_clipped_share", "min_fps", "min_side_px"),
            *("min_brightness", "min_motion", "max_av_offset_s"),
        )
    ),
}
EXTRACTING = {
    "feature_extraction.jpegs",
    *("spec.fps", "spec.sample_rate_hz", "spec.mel_per_frame", "spec.n_mels"),
    *("feature_extraction.motion", "feature_extraction.motion_grid", "feature_extraction.semantic"),
}
LEARNING = {
    *("seed", "spec.duration_s"),
    *(
        f"training.{name}"
        for name in (
            *("batch_size", "max_steps", "max_minutes", "learning_rate", "width", "depth", "heads"),
            *("keep", "patience", "precision"),
            *("window_s", "null_probability", "still_probability"),
            *("guidance", "sampler", "sampling_steps", "vocoder.kind"),
        )
    ),
}
VOCODER_TRAINING = {
    f"training.vocoder.{name}"
    for name in (
        *("width", "depth", "discriminators", "crop_s", "batch_size"),
        *("max_steps", "max_minutes", "learning_rate", "max_clips"),
    )
}
MEASURING = {
    f"evaluation.{name}"
    for name in ("clips", "intervals", "examples", "worst", "groups", "targets", "seeds_per_clip")
}
WITH_NETWORKS = {
    "feature_extraction": {"motion": "raft_small", "semantic": "timm/resnet18"},
    "training": {"vocoder": {"kind": "istft"}},
}
NETWORKS = {
    f"feature_extraction.{name}"
    for name in ("motion", "motion_weights", "semantic", "semantic_weights")
}


def make(sections: Mapping[str, Any]) -> GenerationRecipe:
    required = {"name": "x", "collection": {"catalog": "a.csv"}}
    return GenerationRecipe.model_validate(required | dict(sections))


def keys(recipe: Recipe) -> dict[str, str]:
    return {kind: key_of(recipe) for kind, key_of in FACTORIES.items()}


def value_of(recipe: BaseModel, path: str) -> Any:
    value: Any = recipe
    for name in path.split("."):
        value = getattr(value, name)
    return value


def changed(recipe: Recipe, path: str) -> Recipe:
    """The recipe with another value of one setting, whichever is allowed."""
    for value in candidates(recipe, path):
        content = recipe.model_dump()
        *sections, name = path.split(".")
        section = content
        for part in sections:
            section = section[part]
        section[name] = value
        try:
            other = type(recipe).model_validate(content)
        except ValidationError:
            continue
        if value_of(other, path) != value_of(recipe, path):
            return other
    raise AssertionError(f"{path}: no other value is tried that it can have: add one")


def candidates(recipe: Recipe, path: str) -> Iterator[Any]:
    owner, _, name = path.rpartition(".")
    section = type(value_of(recipe, owner) if owner else recipe)
    annotation = section.model_fields[name].annotation
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    value = value_of(recipe, path)
    if isinstance(value, bool) or value is None:
        yield from (not value, 3, 0.2, 0.1)
    elif isinstance(value, int | float):
        yield from (
            value * 2,
            value / 2,
            value + 1,
            value + 8,
            value - 0.05,
            value + 0.1,
            value - 1,
        )
    yield from ("other", "file:other", "timm/other", "https://other/{source_id}", "path")
    yield from (["*x*"], ["mlflow", "wandb"], [8000], [], {"group": ["*x*"]}, {"other": "val"})
    yield {"slow": {"learning_rate": 0.1}}
    figures = getattr(section, "FIGURES", ())
    yield [{"figure": (*figures, "other")[0], "must_be": "below", "bound": 1}]
    yield from (["noise"], [-1.0, 1.0], [0.9, 1.1], "torchvision/other")


def depends(networks: bool) -> dict[str, set[str]]:
    """Settings that each kind of object depends on, written down once more."""
    extracting = EXTRACTING | (
        NETWORKS | {"feature_extraction.semantic_every"}
        if networks
        else {"feature_extraction.colour_grid"}
    )
    return {
        "clips": CUTTING,
        "checks": CUTTING | CHECKING,
        "extractors": NETWORKS
        if networks
        else {"feature_extraction.motion", "feature_extraction.semantic"},
        "features": extracting,
        "model": extracting | LEARNING | (VOCODER_TRAINING if networks else set()),
        # Under the model's name.
        "evaluation": extracting | LEARNING | MEASURING | (VOCODER_TRAINING if networks else set()),
    }


ELSEWHERE = {"name", "task", "training.vocoder.path"}


@pytest.mark.parametrize("networks", [False, True], ids=["without_networks", "with_networks"])
@pytest.mark.parametrize("path", sorted(set(setting_paths(GenerationRecipe)) - ELSEWHERE))
def test_each_setting_changes_exactly_what_depends_on_it(path: str, networks: bool):
    recipe = make(WITH_NETWORKS if networks else {})
    before, after = keys(recipe), keys(changed(recipe, path))
    wanted = {kind for kind, settings in depends(networks).items() if path in settings}
    assert {kind for kind in before if before[kind] != after[kind]} == wanted


OF_FEATURES = {"features", "model", "evaluation"}
OF_MODEL = {"model", "evaluation"}
OF_EVALUATION = {"evaluation"}
# Settings of the two other tasks, written down once more, and the recipes that they matter in.
STORED_FRAMES = {"frames", "frame_rate_hz", "height_px", "width_px", "sound"}
LEARNED_CLASSES = {
    *("model", "backbone", "weights", "frames", "sampling", "crop_px", "multi_label"),
    *("class_weights", "label_smoothing", "dropout"),
    *(f"augmentation.{name}" for name in ("crop_scale", "flip", "operations", "mixup", "mask")),
}
OF_BOTH_SENSES = {"visual", "fusion", "modality_dropout"}
MEASURED_CLASSES = {"views", "crops", "robustness", "modality_table", "pretraining_list"}
LEARNED_VOICES = {
    *("model", "size", "window_s"),
    *(
        f"mixing.{name}"
        for name in (
            *("max_speakers", "three_speakers", "same_voice", "silent_face", "noise"),
            *("sir_db", "gain_db", "reverb", "speed", "alone", "disguise"),
        )
    ),
}
OF_NOISE = {"mixing.noise_folder", "mixing.snr_db"}


def rows(section: str, settings: set[str], kinds: set[str]) -> dict[str, set[str]]:
    return {f"{section}.{name}": kinds for name in settings}


OWN_SETTINGS = {
    "classification": (
        {"training": {"model": "frame_average"}},
        rows("feature_extraction", STORED_FRAMES, OF_FEATURES)
        | rows("feature_extraction", {"jpeg_quality"}, set())
        | rows("training", LEARNED_CLASSES, OF_MODEL)
        | rows("training", OF_BOTH_SENSES | {"augmentation.magnitude"}, set())
        | rows("evaluation", MEASURED_CLASSES, OF_EVALUATION),
    ),
    "classification, seen and heard": (
        {
            "task": "classification",
            "feature_extraction": {"frames": "jpeg"},
            "training": {"model": "audio_visual", "augmentation": {"operations": 2}},
        },
        rows("feature_extraction", {"frames", "jpeg_quality"}, OF_FEATURES)
        | rows("training", LEARNED_CLASSES | OF_BOTH_SENSES, OF_MODEL)
        | rows("training", {"augmentation.magnitude"}, OF_MODEL),
    ),
    "classification without sound": (
        {
            "task": "classification",
            "feature_extraction": {"sound": False},
            "training": {"model": "frame_average"},
        },
        rows("feature_extraction", STORED_FRAMES, OF_FEATURES),
    ),
    "separation": (
        {"training": {"mixing": {"three_speakers": 0.0}}},
        rows("feature_extraction", {"faces", "max_gap_s", "pictures", "speech_check"}, OF_FEATURES)
        | rows("training", LEARNED_VOICES | OF_NOISE | {"refine"}, OF_MODEL)
        | rows("training", {"mixing.pauses"}, set())
        | rows("evaluation", {"conditions", "mixtures"}, OF_EVALUATION),
    ),
    "separation without faces and noise": (
        {
            "task": "separation",
            "feature_extraction": {"faces": "simulated"},
            "training": {"model": "audio_only", "mixing": {"noise": 0.0}},
        },
        rows("feature_extraction", {"max_gap_s"}, set())
        | rows("training", LEARNED_VOICES - {"mixing.max_speakers", "mixing.alone"}, OF_MODEL)
        | rows("training", {"mixing.pauses"}, OF_MODEL)
        | rows("training", OF_NOISE | {"refine"}, set()),
    ),
}


def recipe_of(name: str) -> Recipe:
    task, required = re.split(r"\W", name)[0], {"name": "x", "collection": {"catalog": "a.csv"}}
    return recipe_class(task).model_validate(required | OWN_SETTINGS[name][0])


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name, (_, kinds) in OWN_SETTINGS.items() for path in sorted(kinds)],
)
def test_settings_of_other_tasks_change_exactly_what_depends_on_them(name: str, path: str):
    recipe = recipe_of(name)
    before, after = keys(recipe), keys(changed(recipe, path))
    assert {kind for kind in before if before[kind] != after[kind]} == OWN_SETTINGS[name][1][path]


@pytest.mark.parametrize("task", ["classification", "separation"])
def test_every_setting_of_another_task_is_tried(task: str):
    own = {path for path in setting_paths(recipe_class(task)) if path not in SHARED}
    assert own == OWN_SETTINGS[task][1].keys()


OF_THE_MEL = {"spec.mel_per_frame", "spec.n_mels"}
# Of what all tasks share, features of some recipes do not depend on all that others' do.
UNUSED = {
    "separation": OF_THE_MEL,
    "separation without faces and noise": OF_THE_MEL,
    "classification without sound": OF_THE_MEL | {"spec.fps", "spec.sample_rate_hz"},
}


@pytest.mark.parametrize("name", OWN_SETTINGS)
@pytest.mark.parametrize("path", sorted(SHARED.keys() - {"name", "task"}))
def test_settings_that_all_tasks_share_name_what_they_change_in_each(name: str, path: str):
    recipe = recipe_of(name)
    before, after = keys(recipe), keys(changed(recipe, path))
    wanted = {kind for kind, settings in depends(networks=False).items() if path in settings}
    wanted -= OF_FEATURES if path in UNUSED.get(name, ()) else set()
    assert {kind for kind in before if before[kind] != after[kind]} - {"extractors"} == wanted


def test_a_given_vocoder_is_known_by_its_path():
    one, other = (
        make({"training": {"vocoder": {"kind": "file", "path": path}}}) for path in ("a", "b")
    )
    wider = changed(one, "training.vocoder.width")
    assert keys(one)["model"] not in {keys(other)["model"], keys(make({}))["model"]}
    assert keys(one) == keys(wider)


def test_the_name_is_part_of_every_key():
    one, other = make({}), make({"name": "y"})
    assert all(keys(one)[kind] != keys(other)[kind] for kind in FACTORIES)
    assert {kind: one.fingerprint(kind) for kind in FACTORIES} == {
        kind: other.fingerprint(kind) for kind in FACTORIES
    }


@pytest.mark.parametrize("task", TASKS)
def test_every_setting_has_a_row_and_every_row_a_setting(task: str):
    model = recipe_class(task)
    assert set(model.naming) == set(setting_paths(model))


def test_the_shared_table_is_whole():
    assert set(SHARED) == set(setting_paths(Recipe))


def test_a_setting_of_which_nothing_is_said_is_an_error():
    class Training(TrainingSettings):
        warmth: float = 1.0

    with pytest.raises(TypeError, match=r"Warm\.naming has no row for training\.warmth"):

        class Warm(Recipe, frozen=True):
            training: Training = Training()


def test_a_later_setting_leaves_no_trace_where_it_changes_nothing():
    class Preprocessing(PreprocessingSettings):
        sharpen: int = 0
        smooth: int = 0

    class Later(Recipe, frozen=True):
        naming: ClassVar[Mapping[str, Names]] = {
            **SHARED,
            "preprocessing.sharpen": names(CLIPS, without=0),
            "preprocessing.smooth": names(CLIPS),
        }
        preprocessing: Preprocessing = Preprocessing()

    class Before(Recipe, frozen=True):
        pass

    def later(**settings: int) -> Recipe:
        content = {"name": "x", "task": "t", "collection": {"catalog": "a"}}
        return Later.model_validate(content | {"preprocessing": settings})

    before = Before.model_validate({"name": "x", "task": "t", "collection": {"catalog": "a"}})
    settings = later().named_settings(CLIPS)
    assert settings == before.named_settings(CLIPS) | {"preprocessing.smooth": 0}
    assert later().fingerprint(FEATURES) == before.fingerprint(FEATURES)
    assert later(sharpen=1).fingerprint(CLIPS) != later().fingerprint(CLIPS)
    assert later(sharpen=1).fingerprint(FEATURES) == later().fingerprint(FEATURES)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda p: p.stem)
def test_names_of_recipes_as_they_were_stay_what_they_are(path: Path):
    """Where this fails, users would compute again what they have: give a new setting `without`."""
    recipe = load_recipe(path)
    assert {kind: recipe.fingerprint(kind) for kind in FACTORIES} == PINNED[path.stem]
    assert keys(recipe) == {
        "clips": f"processed_data/{path.stem}-{PINNED[path.stem]['clips']}/",
        "checks": f"datasets/{path.stem}/checks-{PINNED[path.stem]['checks']}-3/",
        "extractors": (
            f"features/{path.stem}/extractors-{PINNED[path.stem]['extractors']}.safetensors"
        ),
        "features": f"features/{path.stem}/dataset_v1-{PINNED[path.stem]['features']}/",
        "model": f"models/{path.stem}/dataset_v1-{PINNED[path.stem]['model']}/",
        "evaluation": (
            f"models/{path.stem}/dataset_v1-{PINNED[path.stem]['model']}/"
            f"evaluation-{PINNED[path.stem]['evaluation']}/"
        ),
    }
