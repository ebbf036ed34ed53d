"""How one face's voice came out, beside what it truly is.

Legend: S faces, N samples, K faces that are heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from s2s.tasks.separation.data import Mixture
from s2s.tasks.separation.metrics.hearing import Ears
from s2s.tasks.separation.objective.losses import si_sdr_db

__all__ = ["FaceScore", "score_faces"]

_WORST_DB = -30.0
"""What is worse is as bad: a voice that was not found at all has no ratio."""
ALONE_DB = 50.0
"""A voice with such a ratio in the mixture is all that is heard: there is nothing to improve."""
_NOTHING = 1e-7
"""Share of the mixture's energy below which nothing was found."""
_DIGITS = 3


@dataclass(frozen=True)
class FaceScore:
    """One face of one mixture.

    Attributes:
        clip_id: whose face it is.
        before_db: SI-SDR of the mixture; None of a face that says nothing, as for what follows.
        after_db: SI-SDR of what was found.
        is_right: whether what was found is nearer to its voice than to any other that is heard;
            None where there is no other.
        left_db: energy of what was found in dB of the mixture's, of a face that says nothing.
        alike: correlation of what was found with what was found for another face, the largest;
            None where there is one face.
        sdr_before_db: SDR of the mixture; None where nobody listens closely.
        sdr_after_db: of what was found.
        estoi: how intelligible it is, 0..1.
        dnsmos: how good it sounds, 1..5.
        real_time_factor: seconds of one core for a second of the mixture.
    """

    clip_id: str
    before_db: float | None = None
    after_db: float | None = None
    is_right: bool | None = None
    left_db: float | None = None
    alike: float | None = None
    sdr_before_db: float | None = None
    sdr_after_db: float | None = None
    estoi: float | None = None
    dnsmos: float | None = None
    real_time_factor: float | None = None

    @property
    def improvement_db(self) -> float | None:
        """How much nearer the voice is than the mixture was; None where nothing else is heard."""
        if self.before_db is None or self.after_db is None or self.before_db > ALONE_DB:
            return None
        return self.after_db - self.before_db

    @property
    def dealt(self) -> "FaceScore":
        """What can be said where the voice is a true one: whose it is, or that there is none."""
        return replace(self, before_db=None, after_db=None, alike=None)

    def row(self) -> Mapping[str, Any]:
        """What is kept of it."""
        names = ("before_db", "after_db", "is_right", "left_db", "alike")
        row: dict[str, Any] = {"clip_id": self.clip_id}
        for name in names:
            value = getattr(self, name)
            row[name] = round(value, _DIGITS) if isinstance(value, float) else value
        return row


def score_faces(
    mixed: Mixture,
    clip_ids: list[str],
    found_SN: np.ndarray,
    seconds: float | None,
    ears: Ears | None,
) -> list[FaceScore]:
    """How each face of a mixture did.

    Args:
        mixed: the mixture.
        clip_ids: whose faces they are.
        found_SN: what was found.
        seconds: time that it took; None where that says nothing.
        ears: what listens closely; None where nothing does.
    """
    found, true, heard = (
        torch.from_numpy(np.asarray(x, np.float64))
        for x in (found_SN, mixed.voices_SN, mixed.mixture_N)
    )
    whole = float(heard.square().sum()) + 1e-12
    is_silent_S = found.square().sum(dim=1) < _NOTHING * whole
    ratios_SS = si_sdr_db(found[:, None], true[None]).clamp_min(_WORST_DB)
    ratios_SS[is_silent_S] = _WORST_DB
    before_S = si_sdr_db(heard[None], true)
    length_s = len(mixed.mixture_N) / ears.sample_rate_hz if ears else None
    scores = []
    for n, clip_id in enumerate(clip_ids):
        factor = seconds / length_s if seconds is not None and length_s else None
        common: dict[str, Any] = {"alike": _alike(found_SN, n), "real_time_factor": factor}
        if not mixed.is_heard_S[n]:
            left_db = 10 * float(np.log10(float(found[n].square().sum()) / whole + 1e-9))
            scores.append(FaceScore(clip_id, left_db=left_db, **common))
            continue
        rivals = [m for m in range(len(clip_ids)) if m != n and mixed.is_heard_S[m]]
        own = float(ratios_SS[n, n])
        is_right = all(own > float(ratios_SS[n, m]) for m in rivals) if rivals else None
        closely = ears.listen(found_SN[n], mixed.voices_SN[n], mixed.mixture_N) if ears else {}
        scores.append(FaceScore(clip_id, float(before_S[n]), own, is_right, **common, **closely))
    return scores


def _alike(found_SN: np.ndarray, place: int) -> float | None:
    """The largest correlation of one voice with another, 0..1."""
    others = [voice_N for n, voice_N in enumerate(found_SN) if n != place]
    if not others:
        return None
    one = found_SN[place] - found_SN[place].mean()
    found = []
    for voice_N in others:
        other = voice_N - voice_N.mean()
        length = float(np.linalg.norm(one) * np.linalg.norm(other))
        found.append(abs(float(one @ other)) / length if length > 1e-9 else 0.0)
    return max(found)
