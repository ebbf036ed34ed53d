"""Clips encoded, and compared with their source: what differs is cut again in another way."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from preprocessing.encoding.damage import MAX_DAMAGE, damaged_share
from preprocessing.encoding.passes import run_pass
from preprocessing.encoding.picked import encode_picked
from preprocessing.encoding.seams import choose_seams, seam_error
from preprocessing.encoding.stretch import list_stretch
from preprocessing.plan import Cut, Footage
from preprocessing.span import Span
from s2s.errors import MediaError
from s2s.reasons import Reason
from s2s.settings import Recipe

__all__ = ["encode_pictures"]


def encode_pictures(
    source: Path, span: Span, cuts: Sequence[Cut], recipe: Recipe
) -> list[MediaError | None]:
    """Write the mp4s and posters of clips whose wavs are there.

    Args:
        source: the file.
        span: what there is of it.
        cuts: the clips, which lie close together.
        recipe: rate, size and quality.

    Returns:
        for each clip, why it could not be cut.
    """
    fps = recipe.spec.fps
    start_s = min(cut.start_s for cut in cuts)
    end_s = max(cut.start_s + cut.n_frames / fps for cut in cuts)
    try:
        stretch = list_stretch(source, start_s, end_s + 1 / fps)
    except MediaError as error:
        return [error] * len(cuts)
    footage = Footage(source, span, stretch, recipe)
    cuts = [replace(cut, seams=choose_seams(cut, fps, stretch)) for cut in cuts]
    # ffmpeg seeks, and goes by time stamps: where that cannot be relied on, nor can its choice.
    if not stretch.is_regular:
        return [_cut_picked(footage, cut) for cut in cuts]
    try:
        is_whole = run_pass(footage, cuts)
    except MediaError as error:
        if error.reason == Reason.TIMEOUT:
            return [error] * len(cuts)
        if len(cuts) > 1:
            # What is damaged may concern one of them only.
            return [one for cut in cuts for one in encode_pictures(source, span, [cut], recipe)]
        return [_cut_picked(footage, cuts[0])]
    return [_compared(footage, cut, is_whole=is_whole) for cut in cuts]


def _compared(footage: Footage, cut: Cut, *, is_whole: bool) -> MediaError | None:
    failure = seam_error(footage, cut, spare_damage=not is_whole, is_rough=True)
    failure = failure and seam_error(footage, cut, spare_damage=not is_whole)
    cut.files.seams.unlink(missing_ok=True)
    if failure is not None:
        return _cut_picked(footage, cut)
    return None if is_whole else _damage_error(footage, cut)


def _cut_picked(footage: Footage, cut: Cut) -> MediaError | None:
    try:
        encode_picked(footage, cut)
        return seam_error(footage, cut, spare_damage=True) or _damage_error(footage, cut)
    except MediaError as error:
        return _damage_error(footage, cut) or error
    finally:
        cut.files.seams.unlink(missing_ok=True)


def _damage_error(footage: Footage, cut: Cut) -> MediaError | None:
    """Say what was lost: another frame is shown in place of what cannot be decoded."""
    end_s = cut.start_s + cut.n_frames / footage.recipe.spec.fps
    share = damaged_share(footage.path, footage.stretch, cut.start_s, end_s)
    if share <= MAX_DAMAGE:
        return None
    message = f"{cut.files.clip_id}: {share:.0%} of its frames in {footage.path.name} are damaged"
    return MediaError(Reason.CORRUPT, message)
