"""What a separation is worth. The libraries that measure it are known here alone."""

from pathlib import Path

from s2s.tasks.contract import Material, Predictor
from s2s.tasks.separation.metrics.answer_files import VoiceFiles
from s2s.tasks.separation.metrics.figures import FIGURES
from s2s.tasks.separation.metrics.judge import SeparationJudge

__all__ = ["FIGURES", "make_files", "make_judge"]


def make_judge(material: Material, _predictor: Predictor, *, thorough: bool) -> SeparationJudge:
    """Who knows the true voices."""
    return SeparationJudge(material, thorough=thorough)


def make_files(material: Material, _folder: Path) -> VoiceFiles:
    """Keeps voices, to be listened to."""
    return VoiceFiles(material)
