"""What is measured: the model in one view and in many, under trouble, and chance.

Legend: L classes.
"""

from collections.abc import Callable, Mapping

import numpy as np

from s2s.tasks.classification.data import arrays_of, targets_of
from s2s.tasks.classification.predictor.classifier import Classifier
from s2s.tasks.classification.processor import ClipArrays
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.contract import MODEL, Example, Material, Predictor, System

__all__ = ["make_systems"]

_NOISE = 25.0
_SOUND_NOISE = 1.5

Change = Callable[[ClipArrays, np.random.Generator], ClipArrays]


def make_systems(
    material: Material, predictor: Predictor, *, thorough: bool
) -> Mapping[str, System]:
    """The systems of a recipe's model by name.

    Args:
        material: what it was trained on.
        predictor: the model.
        thorough: with more views, and with trouble.
    """
    recipe = material.recipe
    assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
    classifier: Classifier = predictor.classifier  # pyright: ignore[reportAttributeAccessIssue]
    settings, gflops = recipe.evaluation, classifier.gflops
    systems = {
        MODEL: System("the model, one view", _asker(classifier), gflops=gflops, is_kept=True),
        "prior": System("how frequent classes are in training", _prior(material, classifier)),
    }
    if not thorough:
        return systems
    if (views := settings.views * settings.crops) > 1:
        title = f"the model, {settings.views} × {settings.crops} views"
        answer = _asker(classifier, settings.views, settings.crops)
        systems["full_view"] = System(title, answer, gflops=gflops, views=views, is_kept=True)
    if settings.robustness:
        for name, title, change in _troubles(classifier):
            asked = _asker(classifier, change=change)
            systems[name] = System(title, asked, is_control=True, is_kept=True)
    return systems


def _asker(
    classifier: Classifier, views: int = 1, crops: int = 1, change: Change | None = None
) -> Callable[[Example], np.ndarray]:
    def answer(example: Example) -> np.ndarray:
        arrays = arrays_of(example.stored)
        if change is not None:
            # By its name: its place among others changes where clips are added.
            chance = np.random.default_rng(list(example.listed.clip_id.encode()))
            arrays = change(arrays, chance)
        return classifier.chances(arrays, views, crops)

    return answer


def _prior(material: Material, classifier: Classifier) -> Callable[[Example], np.ndarray]:
    """How frequent each class is: among classes, or among clips where one may have several."""
    clips = material.clips["train"]
    counts_L = np.sum([targets_of(clip, classifier.classes).numpy() for clip in clips], axis=0)
    chances_L = counts_L / (len(clips) if classifier.config.multi_label else counts_L.sum())
    return lambda _example: chances_L


def _troubles(classifier: Classifier) -> list[tuple[str, str, Change]]:
    """What can be wrong with a clip that the model can notice."""
    troubles: list[tuple[str, str, Change]] = []
    if classifier.config.network.sees:
        troubles += [
            ("half_rate", "at half the frame rate", lambda clip, _: (_halved(clip[0]), clip[1])),
            ("noise", "with noise in picture and sound", _noisy),
        ]
    if classifier.config.network.kind == "audio_visual":
        troubles += [
            ("no_sound", "without sound", lambda clip, _: (clip[0], None)),
            ("no_picture", "without picture", lambda clip, _: (clip[0][:0], clip[1])),
        ]
    return troubles


def _halved(frames_THWC: np.ndarray) -> np.ndarray:
    """Every second frame, shown twice."""
    return frames_THWC[::2].repeat(2, axis=0)[: len(frames_THWC)]


def _noisy(clip: ClipArrays, rng: np.random.Generator) -> ClipArrays:
    frames_THWC, mel_MK = clip
    noisy = frames_THWC + rng.normal(0, _NOISE, frames_THWC.shape)
    if mel_MK is not None:
        mel_MK = mel_MK + rng.normal(0, _SOUND_NOISE, mel_MK.shape).astype(np.float32)
    return np.clip(noisy, 0, 255).astype(np.uint8), mel_MK
