"""The section `training`: which network, what mixtures it learns from."""

from typing import Literal, Self

from pydantic import Field, model_validator

from s2s.settings import Section, TrainingSettings
from s2s.settings.section import Range

__all__ = ["MixingSettings", "SeparationTrainingSettings"]

_SIZES = {
    "audio_visual": ("tiny", "medium", "small"),
    "audio_only": ("tiny", "medium", "small"),
    "looking_to_listen": ("tiny", "paper"),
}


class MixingSettings(Section):
    """How clips are mixed. Every mixture of the training is a new one; item n is always the same.

    Attributes:
        max_speakers: voices in a mixture, at most: 2 or 3.
        three_speakers: share of mixtures with three of them.
        same_voice: share in which two of the clips are of one speaker, where any speaker has two.
            Speakers are told apart by the clips' first label, or else by their source.
        silent_face: share in which one of the faces says nothing: half of them are at rest, the
            others move their lips without being heard.
        noise: share with noise as well.
        alone: share with one face in view, whose voice is heard beside noise alone.
        noise_folder: folder of WAV files, beside the recipe, that noise is cut from; noise is
            generated where it is empty.
        sir_db: by how much the first voice is louder than each other one, least and most.
        snr_db: by how much all voices are louder than the noise, least and most.
        gain_db: of the whole mixture, least and most.
        reverb: share of mixtures in a simulated room, each voice in a place of its own; what is to
            be found is the voice with the first 50 ms of its room.
        speed: factor of a clip's speed, and with it of its pitch, least and most.
        disguise: share of voices that are made other speakers': formants and loudness over
            frequency are moved.
        pauses: share of voices that fall silent for a while, with their lips; where these are
            simulated.
    """

    max_speakers: int = Field(default=3, ge=2, le=3)
    three_speakers: float = Field(default=0.15, ge=0, le=1)
    same_voice: float = Field(default=0.2, ge=0, le=1)
    silent_face: float = Field(default=0.15, ge=0, le=1)
    noise: float = Field(default=0.25, ge=0, le=1)
    alone: float = Field(default=0.0, ge=0, le=1)
    noise_folder: str = ""
    sir_db: Range = (-5.0, 5.0)
    snr_db: Range = (0.0, 20.0)
    gain_db: Range = (-12.0, 3.0)
    reverb: float = Field(default=0.0, ge=0, le=1)
    speed: Range = (1.0, 1.0)
    disguise: float = Field(default=0.0, ge=0, le=1)
    pauses: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        for name in ("sir_db", "snr_db", "gain_db", "speed"):
            least, most = getattr(self, name)
            if least > most:
                raise ValueError(f"{name} {[least, most]}: the least comes first, then the most")
        if not 0.5 <= self.speed[0] <= self.speed[1] <= 2:
            raise ValueError(f"speed {list(self.speed)}: must lie within 0.5 and 2")
        if self.three_speakers and self.max_speakers < 3:
            raise ValueError(
                f"three_speakers {self.three_speakers}: max_speakers is {self.max_speakers}: set "
                "it to 3, or three_speakers to 0"
            )
        if self.alone and not self.noise:
            raise ValueError(f"alone {self.alone}: noise is 0: raise it, or set alone to 0")
        if self.three_speakers + self.alone > 1:
            raise ValueError(
                f"alone {self.alone}: with three_speakers {self.three_speakers} it is more than 1"
            )
        return self


class SeparationTrainingSettings(TrainingSettings):
    """Which network, and how it is trained.

    Attributes:
        model: `audio_visual` separates by sound, lets every face choose what fits its lips, and
            refines that; `audio_only` is its first part alone, whose voices come in any order;
            `looking_to_listen` is the network of Ephrat et al. 2018.
        size: of the network; `small` and `paper` want a GPU.
        window_s: seconds of a training mixture.
        refine: whether what a face has chosen is refined once more with all faces in view, or
            only masked; of `audio_visual`.
        mixing: what mixtures are made of.
    """

    model: Literal["audio_visual", "audio_only", "looking_to_listen"] = "audio_visual"
    size: Literal["tiny", "medium", "small", "paper"] = "tiny"
    window_s: float = Field(default=2.0, ge=0.5, le=20)
    refine: bool = True
    mixing: MixingSettings = MixingSettings()

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        sizes = _SIZES[self.model]
        if self.size not in sizes:
            raise ValueError(f"size {self.size}: {self.model} comes in {', '.join(sizes)}")
        return self
