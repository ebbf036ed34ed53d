"""The sounds of clips that lie close together: decoded once, each at all its rates."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from preprocessing.plan import Cut
from preprocessing.span import Span
from s2s.errors import MediaError
from s2s.media import SoundSpan, read_span, resample, write_wav
from s2s.settings import Recipe

__all__ = ["write_sounds"]

# More is not held in memory at a time.
_MOST_TOGETHER_S = 120.0


def write_sounds(
    source: Path, span: Span, cuts: Sequence[Cut], recipe: Recipe
) -> list[MediaError | None]:
    """Write the wavs of clips: sample 0 is their start, and they are as long as their picture.

    Args:
        source: the file.
        span: what there is of it.
        cuts: the clips, in the order of their starts.
        recipe: the rates.

    Returns:
        for each clip, why it has none.
    """
    fps = recipe.spec.fps
    first_s = min(cut.start_s for cut in cuts)
    together_s = max(cut.start_s + cut.n_frames / fps for cut in cuts) - first_s
    if not span.has_sound:
        sound = SoundSpan(np.zeros(0, np.float32), recipe.spec.sample_rate_hz)
    elif together_s > _MOST_TOGETHER_S and len(cuts) > 1:
        return _one_by_one(source, span, cuts, recipe)
    else:
        try:
            sound = read_span(source, first_s, together_s)
        except MediaError as error:
            return [error] if len(cuts) == 1 else _one_by_one(source, span, cuts, recipe)
    for cut in cuts:
        _write(sound, cut, cut.start_s - first_s, recipe)
    return [None] * len(cuts)


def _one_by_one(
    source: Path, span: Span, cuts: Sequence[Cut], recipe: Recipe
) -> list[MediaError | None]:
    return [error for cut in cuts for error in write_sounds(source, span, [cut], recipe)]


def _write(sound: SoundSpan, cut: Cut, from_s: float, recipe: Recipe) -> None:
    duration_s = cut.n_frames / recipe.spec.fps
    first, end = (round(at_s * sound.rate_hz) for at_s in (from_s, from_s + duration_s))
    own = SoundSpan(sound.samples[first:end], sound.rate_hz)
    spec_hz = recipe.spec.sample_rate_hz
    paths = {spec_hz: cut.files.sound} | {
        rate_hz: cut.files.sound_at(rate_hz) for rate_hz in recipe.preprocessing.more_wav_hz
    }
    for rate_hz, path in paths.items():
        n_samples = round(duration_s * rate_hz)
        samples = resample(own, rate_hz)[:n_samples]
        write_wav(path, np.pad(samples, (0, n_samples - len(samples))), rate_hz)
