"""Scores of generated sound against real sound; the only part that imports metrics' libraries."""

from collections.abc import Sequence
from pathlib import Path

from s2s.features.stored import StoredClip
from s2s.logs import console
from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Material, Predictor
from s2s.tasks.generation.data import condition_of, frames_of, mel_of
from s2s.tasks.generation.metrics.answer_files import SoundFiles
from s2s.tasks.generation.metrics.classifier import SoundClassifier
from s2s.tasks.generation.metrics.figures import FIGURES
from s2s.tasks.generation.metrics.scores import SoundJudge
from s2s.tasks.generation.metrics.sync import SyncProbe
from s2s.tasks.generation.systems.recorded import RecordedSounds

__all__ = ["FIGURES", "fit_classifier", "make_files", "make_judge"]

_CLASSIFIED_CLIPS = 2000
_PROBED_CLIPS = 500


def make_judge(material: Material, _predictor: Predictor, *, thorough: bool) -> SoundJudge:
    """Make the judge: train its sound classifier and, if `thorough`, its synchrony probe."""
    recipe, trained = material.recipe, material.clips["train"]
    console.print("Training the sound classifier that scores are computed with")
    classifier = fit_classifier(trained, recipe.spec.mel_rate_hz, recipe.seed)
    probe = _fit_probe(trained[:_PROBED_CLIPS], recipe.seed) if thorough else None
    return SoundJudge(RecordedSounds(material), LogMel(recipe.spec), classifier, probe)


def make_files(material: Material, folder: Path) -> SoundFiles:
    """Make what keeps the sounds as files, for the page and for av-benchmark."""
    return SoundFiles(material, folder)


def fit_classifier(
    clips: Sequence[StoredClip], mel_rate_hz: int, seed: int = 0
) -> SoundClassifier | None:
    """Train a classifier of clips' first labels; None where there are less than two labels."""
    labelled = [clip for clip in clips if clip.listed.labels][:_CLASSIFIED_CLIPS]
    names = [clip.listed.labels[0] for clip in labelled]
    if len(set(names)) < 2:
        return None
    return SoundClassifier([mel_of(clip) for clip in labelled], names, mel_rate_hz, seed)


def _fit_probe(clips: Sequence[StoredClip], seed: int) -> SyncProbe | None:
    """Train a synchrony probe; None where all clips are too short for one."""
    if not any(SyncProbe.is_long_enough(frames_of(clip)) for clip in clips):
        return None
    return SyncProbe(
        [(condition_of(clip), mel_of(clip).reshape(frames_of(clip), -1)) for clip in clips], seed
    )
