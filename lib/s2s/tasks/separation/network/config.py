"""The shape of a separator: all that its weights need to be loaded."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BlockShape", "Kind", "PaperShape", "SeparatorConfig", "shape_of"]

Kind = Literal["audio_visual", "audio_only", "looking_to_listen"]


class BlockShape(BaseModel):
    """Shape of a network of dilated convolutions.

    Attributes:
        width: channels between blocks.
        hidden: channels within a block.
        sound_blocks: blocks that hear the mixture.
        face_blocks: blocks that refine a face's voice, once for every face.
        lip_width: channels of what is seen.
        hop_s: seconds from one frame of the spectrogram to the next: the longer, the less is to be
            computed.
        compared_s: lips and voices are compared over so many seconds around each moment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(ge=8)
    hidden: int = Field(ge=8)
    sound_blocks: int = Field(ge=1)
    face_blocks: int = Field(ge=0)
    lip_width: int = Field(ge=8)
    hop_s: float = Field(default=0.01, gt=0, le=0.016)
    compared_s: float = Field(default=0.61, gt=0)


class PaperShape(BaseModel):
    """Shape of the network of Ephrat et al. 2018, "Looking to Listen at the Cocktail Party".

    Attributes:
        sound_filters: of each dilated convolution over the spectrogram (Table 1: 96).
        sound_outputs: of the last of them (Table 1: 8).
        lip_filters: of each dilated convolution over what is seen (Table 2: 256).
        lstm_units: of the bidirectional LSTM, both directions together (Figure 3: 400). The paper
            does not say whether each direction has as many: other readings give each 400 and add
            the two.
        dense_units: of each of the three fully connected layers (Figure 3: 600).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sound_filters: int = Field(ge=1)
    sound_outputs: int = Field(ge=1)
    lip_filters: int = Field(ge=1)
    lstm_units: int = Field(ge=2, multiple_of=2)
    dense_units: int = Field(ge=1)


class SeparatorConfig(BaseModel):
    """What a separator is.

    Attributes:
        kind: which network.
        sample_rate_hz: of the sound.
        fps: lip streams' instants a second.
        lips: values of a lip stream at an instant.
        speakers: voices that it finds in a mixture, at most.
        refine: whether a chosen voice is refined with all faces in view; of `audio_visual`.
        shape: sizes of its layers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    sample_rate_hz: int = Field(ge=8000)
    fps: int = Field(ge=1)
    lips: int = Field(ge=1)
    speakers: int = Field(ge=2, le=3)
    refine: bool = True
    shape: BlockShape | PaperShape


_SHAPES: dict[tuple[Kind, str], BlockShape | PaperShape] = {
    ("audio_visual", "tiny"): BlockShape(
        width=128, hidden=288, sound_blocks=8, face_blocks=4, lip_width=64
    ),
    # Half a window from frame to frame, and as many blocks after the lips come in as before: it
    # learns more of real voices in a minute.
    ("audio_visual", "medium"): BlockShape(
        width=128,
        hidden=320,
        sound_blocks=6,
        face_blocks=6,
        lip_width=64,
        hop_s=0.016,
        compared_s=1.2,
    ),
    ("audio_visual", "small"): BlockShape(
        width=256, hidden=768, sound_blocks=16, face_blocks=8, lip_width=128
    ),
    ("audio_only", "tiny"): BlockShape(
        width=128, hidden=288, sound_blocks=12, face_blocks=0, lip_width=64
    ),
    ("audio_only", "medium"): BlockShape(
        width=128, hidden=320, sound_blocks=12, face_blocks=0, lip_width=64, hop_s=0.016
    ),
    ("audio_only", "small"): BlockShape(
        width=256, hidden=768, sound_blocks=24, face_blocks=0, lip_width=128
    ),
    ("looking_to_listen", "tiny"): PaperShape(
        sound_filters=8, sound_outputs=2, lip_filters=64, lstm_units=128, dense_units=160
    ),
    ("looking_to_listen", "paper"): PaperShape(
        sound_filters=96, sound_outputs=8, lip_filters=256, lstm_units=400, dense_units=600
    ),
}


def shape_of(kind: Kind, size: str) -> BlockShape | PaperShape:
    """Sizes of a network's layers by the name of its size."""
    return _SHAPES[kind, size]
