"""The model beside its baselines, its ceilings, and faces that are shown otherwise.

Legend: S faces, K voices, N samples.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch

from s2s.tasks.contract import MODEL, Example, Material, Predictor, System
from s2s.tasks.separation.data import HeldOutMixtures, Mixture
from s2s.tasks.separation.network.audio_only import AudioOnly
from s2s.tasks.separation.network.audio_visual import AudioVisual
from s2s.tasks.separation.predictor.separator import Separator
from s2s.tasks.separation.systems.answer import SeparationAnswer
from s2s.tasks.separation.systems.known import best_order, matched, oracle_mask
from s2s.tasks.separation.systems.shown import ShownFaces

__all__ = ["make_systems"]


def make_systems(
    material: Material, predictor: Predictor, *, thorough: bool
) -> Mapping[str, System]:
    """What finds the voices of held-out mixtures.

    Args:
        material: what the model was trained on.
        predictor: the model.
        thorough: all of them; else what takes no more than a moment.
    """
    separator: Separator = predictor.separator  # pyright: ignore[reportAttributeAccessIssue]
    mixtures = HeldOutMixtures(material)
    rate_hz = material.recipe.spec.sample_rate_hz
    shown = ShownFaces(separator, mixtures, is_heard_closely=thorough)

    of = partial(_answers, mixtures, is_heard_closely=thorough)
    systems = {
        MODEL: System("the model", shown.as_they_are),
        "mixture": System(
            "the mixture as it is heard", of(_mixture), perfect_in=("silent_face", "muted_face")
        ),
        "oracle_mask": System(
            "the ideal ratio mask of the true voices: what masks could reach",
            of(lambda mixed: oracle_mask(mixed, rate_hz)),
            is_ceiling=True,
        ),
    }
    if not thorough:
        return systems
    if (listening := _listening(separator)) is not None:
        systems["audio_only"] = System(
            listening[0],
            of(lambda mixed: best_order(_heard(listening[1], mixed), mixed)),
            is_ceiling=True,
        )
    if not isinstance(separator.network, AudioOnly):
        systems |= _controls(shown)
    systems["matcher"] = System(
        "the true voices, each to the face whose mouth opens as it gets louder: no training",
        _answers(mixtures, matched, is_only_dealt=True),
        is_ceiling=True,
    )
    return systems


def _answers(
    mixtures: HeldOutMixtures, find: Callable[[Mixture], np.ndarray], **said: bool
) -> Callable[[Example], SeparationAnswer]:
    """What is found in every mixture of a clip, and what an answer says of that."""
    return lambda example: SeparationAnswer(
        tuple(find(mixed) for mixed in mixtures.of(example)), **said
    )


def _controls(shown: ShownFaces) -> Mapping[str, System]:
    """The model with faces that are shown otherwise: what they are to it comes out."""
    return {
        "swapped": System(
            "the model, faces in each other's place; compared with the face that was shown",
            shown.swapped,
            is_control=True,
        ),
        "frozen": System("the model, faces that stand still", shown.frozen, is_control=True),
        "late": System("the model, faces half a second late", shown.late, is_control=True),
    }


def _mixture(mixed: Mixture) -> np.ndarray:
    return np.repeat(mixed.mixture_N[None], len(mixed.voices_SN), axis=0)


def _listening(separator: Separator) -> tuple[str, AudioOnly] | None:
    """What separates by sound alone, the model or a part of it."""
    if isinstance(separator.network, AudioVisual):
        title = "the model's first part, by sound alone, in the best order, which nobody knows"
        return title, separator.network.sound
    if isinstance(separator.network, AudioOnly):
        return "the model, its voices in the best order, which nobody knows", separator.network
    return None


@torch.inference_mode()
def _heard(network: AudioOnly, mixed: Mixture) -> np.ndarray:
    """What sound alone finds, (K, N)."""
    mixture_BN = torch.from_numpy(mixed.mixture_N)[None].to(next(network.parameters()).device)
    return network.voices(mixture_BN)[0].float().cpu().numpy()
