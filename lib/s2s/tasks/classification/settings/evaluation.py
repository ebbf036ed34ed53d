"""The section `evaluation`: what `evaluate` measures."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from s2s.settings import EvaluationSettings

__all__ = ["MODALITIES", "NOT_PRETRAINED", "PRETRAINED", "ClassificationEvaluationSettings"]

MODALITIES: Mapping[str, str] = {"A": "only heard", "V": "only seen", "AV": "seen and heard"}
"""Groups of clips by what VGGSounder's annotators know their label from."""
PRETRAINED, NOT_PRETRAINED = "weights trained on", "weights not trained on"
"""Groups of clips by whether their source is in the list of those that weights were trained on."""

_TROUBLES = ("half_rate", "noise", "no_sound", "no_picture")


class ClassificationEvaluationSettings(EvaluationSettings):
    """What is measured of a classifier.

    Attributes:
        views: places in time that a clip is looked at; probabilities are averaged.
        crops: places in the picture, for each of them: 1, or 3 from side to side.
        robustness: whether it is also measured at half the frame rate, with noise, and without
            sound or picture.
        modality_table: VGGSounder's table of which labels are seen and heard, a file beside the
            recipe; none when empty.
        pretraining_list: ids of the sources that the weights were trained on, a file beside the
            recipe: a line each, or a CSV file as data sets publish them. Held-out clips that are
            among them are named, and figures are given without them too.
    """

    CONDITIONS: ClassVar[tuple[str, ...]] = (*MODALITIES.values(), PRETRAINED, NOT_PRETRAINED)
    FIGURES: ClassVar[tuple[str, ...]] = (
        *("top1", "top5", "within_group", "class_mean", "map", "nll", "ece"),
    )
    SYSTEMS: ClassVar[tuple[str, ...]] = ("model", "prior", "full_view", *_TROUBLES)

    views: int = Field(default=1, ge=1, le=30)
    crops: int = Field(default=1, ge=1, le=3)
    robustness: bool = True
    modality_table: str = ""
    pretraining_list: str = ""

    @property
    def left_out(self) -> Mapping[str, str]:
        """Views, trouble and lists that are not asked for; of groups, those by these lists."""
        left_out: dict[str, str] = {}
        if self.views * self.crops == 1:
            left_out["full_view"] = "set evaluation.views or evaluation.crops above 1"
        if not self.robustness:
            left_out |= dict.fromkeys(_TROUBLES, "set evaluation.robustness to true")
        if not self.modality_table:
            left_out |= dict.fromkeys(MODALITIES.values(), "name evaluation.modality_table")
        if not self.pretraining_list:
            groups = (PRETRAINED, NOT_PRETRAINED)
            left_out |= dict.fromkeys(groups, "name evaluation.pretraining_list")
        return left_out
