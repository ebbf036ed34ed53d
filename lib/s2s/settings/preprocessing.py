"""A recipe's section `preprocessing`: how clips are cut, and what is written beside them."""

from typing import Literal

from pydantic import Field

from s2s.settings.section import Section

__all__ = ["PreprocessingSettings"]


class PreprocessingSettings(Section):
    """How a clip is cut.

    Attributes:
        video: `encode` scales the picture and gives it the recipe's frame rate; `copy` keeps the
            source's packets from the keyframe before, and an edit list says where the clip
            starts; `smart` encodes up to the next keyframe and copies from there. What cannot be
            copied is encoded, and its outcome's message says why.
        no_audio: a source without sound makes its clips fail, or gives them a silent wav, which
            is of use then.
        hdr: pictures in high dynamic range are mapped to standard range, or fail.
        more_wav_hz: further rates that the sound is written at, as `<clip_id>.<rate>.wav`.
        poster: the picture's first frame is written too, as `<clip_id>.jpg`.
        short_side_px: the shorter side of the picture is scaled down to this; never up.
        crf: x264's quality, lower is better.
        preset: x264's preset; `lean` is its `veryfast` with the motion search of `superfast`: a
            third less CPU for files a tenth larger that look the same.
        min_duration_s: shorter clips fail as too short.
    """

    video: Literal["encode", "copy", "smart"] = "encode"
    no_audio: Literal["fail", "silent"] = "fail"
    hdr: Literal["tone_map", "fail"] = "tone_map"
    more_wav_hz: tuple[int, ...] = ()
    poster: bool = False
    short_side_px: int = Field(default=256, ge=16, le=2160, multiple_of=2)
    crf: int = Field(default=20, ge=0, le=51)
    preset: Literal["lean", "ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = (
        "lean"
    )
    min_duration_s: float = Field(default=1.0, gt=0)
