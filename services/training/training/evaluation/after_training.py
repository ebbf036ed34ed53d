"""What a training says of its model: a few figures, in seconds.

The command `evaluate` says more, see `training.evaluation.thorough`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.data import condition_of
from s2s.tasks.generation.metrics.classifier import SoundClassifier
from s2s.tasks.generation.metrics.figures import measured
from s2s.tasks.generation.metrics.onsets import TOLERANCE_S
from s2s.tasks.generation.metrics.scores import ClipScore, Judge
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.generation.systems.compared import Library, Shown, quick_systems
from training.evaluation.held_out import HeldOut

__all__ = ["QUICK_FIGURES", "evaluate"]

QUICK_FIGURES = ("onset_precision", "onset_recall", "onset_f1", "class_accuracy", "mel_l1")


def evaluate(
    predictor: GenerationPredictor,
    recipe: GenerationRecipe,
    library: Library,
    held_out: HeldOut,
    classifier: SoundClassifier | None,
) -> dict[str, Any]:
    """Measure the model and what it is compared with on the held-out clips.

    Args:
        predictor: the trained model.
        recipe: its recipe.
        library: what it was trained on.
        held_out: the clips.
        classifier: of real sound.

    Returns:
        what `metrics.json` says: systems, of each group too, and a row for each clip.
    """
    judge = Judge(LogMel(recipe.spec), classifier)
    systems = quick_systems(predictor, library, recipe.seed)
    rows: list[tuple[Shown, dict[str, ClipScore]]] = []

    def group_of(shown: Shown) -> str:
        return recipe.evaluation.group_of(shown.listed.labels)

    for index, (listed, stored) in enumerate(held_out.clips):
        shown = Shown.of(index, listed, stored, library.sound(listed))
        real = judge.listen(shown.real_N)
        scores = {
            name: judge.score(real, system(shown), listed.labels, condition_of(stored))
            for name, system in systems.items()
        }
        rows.append((shown, scores))
    return {
        "split": held_out.split,
        "note": held_out.note,
        "n_clips": len(rows),
        "n_sources": len({shown.listed.source_id for shown, _ in rows}),
        "onset_tolerance_s": TOLERANCE_S,
        "systems": _summary([scores for _, scores in rows]),
        "groups": {
            group: {"n_clips": len(chosen), "systems": _summary(chosen)}
            for group in recipe.evaluation.groups
            if (chosen := [scores for shown, scores in rows if group_of(shown) == group])
        },
        "clips": [_clip_row(shown, scores) for shown, scores in rows],
    }


def _summary(rows: Sequence[Mapping[str, ClipScore]]) -> dict[str, dict[str, float | None]]:
    """Figures of each system; none without clips."""
    names = rows[0] if rows else ()
    return {name: measured([scores[name] for scores in rows], QUICK_FIGURES) for name in names}


def _clip_row(shown: Shown, scores: Mapping[str, ClipScore]) -> dict[str, Any]:
    systems = {
        name: {
            "onset_f1": round(score.onsets.f1, 4),
            "onsets": score.onsets.estimated,
            "mel_l1": round(score.mel_l1, 4),
            "heard": score.hearing.label if score.hearing else None,
        }
        for name, score in scores.items()
    }
    listed = shown.listed
    return {"clip_id": listed.clip_id, "labels": list(listed.labels), "systems": systems}
