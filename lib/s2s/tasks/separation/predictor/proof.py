"""What must be true of the answer that a served model gives to two talkers in one film."""

from pathlib import Path

import numpy as np

from s2s.errors import MediaError
from s2s.media import probe, read_audio
from s2s.reasons import Reason
from s2s.settings import Recipe
from s2s.tasks.separation.predictor.pair import compose_pair
from s2s.tasks.values import Proof

__all__ = ["PROOF"]

_QUIET_DB, _ALIKE = -40.0, 0.999


def _check(recipe: Recipe, sent: Path, answer: Path) -> str:
    """Make sure that an answer is a film as long as what was sent, with another sound.

    Args:
        recipe: whose model answered.
        sent: two talkers, side by side.
        answer: the film with the voice of the left one.

    Returns:
        what is odd about the voice.

    Raises:
        MediaError: `corrupt` if the lengths differ by more than a frame.
    """
    lengths = [probe(path).duration_s for path in (sent, answer)]
    if abs(lengths[0] - lengths[1]) > 1 / recipe.spec.fps:
        raise MediaError(
            Reason.CORRUPT,
            f"{answer.name}: {lengths[1]:.3f} s long, but {lengths[0]:.3f} s were sent",
        )
    heard, voice = (read_audio(path, recipe.spec.sample_rate_hz) for path in (sent, answer))
    length = min(len(heard), len(voice))
    power, whole = float(voice @ voice), float(heard @ heard)
    if 10 * np.log10((power + 1e-12) / (whole + 1e-12)) < _QUIET_DB:
        return "the voice of the left face is silent"
    same = abs(float(heard[:length] @ voice[:length])) / max(np.sqrt(power * whole), 1e-12)
    return "the voice of the left face is the mixture" if same > _ALIKE else ""


PROOF = Proof(make_pair=compose_pair, check=_check)
