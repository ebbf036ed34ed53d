"""The section `evaluation`: what `evaluate` measures."""

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

from pydantic import Field

from s2s.settings import EvaluationSettings

__all__ = ["CONDITIONS", "Condition", "SeparationEvaluationSettings"]

Condition = Literal[
    "different_voices", "same_voice", "three_voices", "noise", "silent_face", "muted_face"
]
"""What a held-out mixture is: two speakers; one speaker's voice twice; three speakers; one speaker
with noise; one speaker beside a face at rest, or beside one whose lips move without a sound."""
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


class SeparationEvaluationSettings(EvaluationSettings):
    """What is measured of a separation.

    Attributes:
        conditions: of the mixtures; they take turns over the held-out clips.
        mixtures: mixtures of each held-out clip, with others each time: as many as there are
            other speakers make all pairs.
    """

    CONDITIONS: ClassVar[tuple[str, ...]] = CONDITIONS
    FIGURES: ClassVar[tuple[str, ...]] = (
        *("si_sdri", "right_speaker", "silence_db", "alike", "sdri", "estoi", "dnsmos"),
        "real_time_factor",
    )
    SYSTEMS: ClassVar[tuple[str, ...]] = (
        *("model", "mixture", "oracle_mask", "audio_only", "swapped", "frozen", "late"),
        "matcher",
    )

    conditions: tuple[Condition, ...] = Field(default=CONDITIONS, min_length=1)
    mixtures: int = Field(default=1, ge=1, le=100)

    @property
    def left_out(self) -> Mapping[str, str]:
        """Conditions that no mixture is made in."""
        unused = [name for name in CONDITIONS if name not in self.conditions]
        return dict.fromkeys(unused, "name it in evaluation.conditions too")
