"""Clips out of one source: planned, cut by the recipe's mode, and looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from preprocessing.encoding.clips import encode_pictures
from preprocessing.packets.comparison import find_difference
from preprocessing.packets.smart_cut import NotCopyableError, cut_packets
from preprocessing.plan import ClipFiles, Cut, plan_cut
from preprocessing.sounds import write_sounds
from preprocessing.span import Span, measure_span
from s2s.errors import MediaError
from s2s.media import (
    input_args,
    probe,
    read_segments,
    run_ffmpeg,
    write_wav,
)
from s2s.reasons import Reason
from s2s.records import ClipRecord
from s2s.settings import Recipe

__all__ = ["CutClip", "cut_clips"]


@dataclass(frozen=True)
class CutClip:
    """A clip that was cut.

    Attributes:
        files: its files.
        note: why it was encoded though the recipe asks for copies; empty otherwise.
    """

    files: ClipFiles
    note: str = ""


def cut_clips(
    source: Path,
    clips: Sequence[ClipRecord],
    recipe: Recipe,
    folder: Path,
    offset_s: float = 0.0,
) -> list[CutClip | MediaError]:
    """Cut clips that lie close together out of a source, decoding that stretch once.

    Args:
        source: the file.
        clips: the clips.
        recipe: what they become.
        folder: where their files go.
        offset_s: where in the source the file starts, if it is only a section of it.

    Returns:
        for each clip, its files or why there are none.

    Raises:
        MediaError: `no_video` or `corrupt`, if nothing can be cut from the source.
    """
    span = measure_span(source)
    in_source = replace(
        span, end_s=span.end_s + offset_s, claimed_end_s=span.claimed_end_s + offset_s
    )
    results: dict[str, CutClip | MediaError] = {}
    to_encode: list[Cut] = []
    notes: dict[str, str] = {}
    for clip in clips:
        try:
            cut = plan_cut(source.name, in_source, clip, recipe, folder)
            cut = replace(cut, start_s=cut.start_s - offset_s)
            note = _copy(source, span, cut, recipe)
        except MediaError as error:
            results[clip.clip_id] = error
            continue
        if note is None:
            results[clip.clip_id] = CutClip(cut.files)
        else:
            notes[clip.clip_id] = note
            to_encode.append(cut)
    for cut, failure in zip(to_encode, _encode(source, span, to_encode, recipe), strict=True):
        clip_id = cut.files.clip_id
        results[clip_id] = failure or CutClip(cut.files, notes[clip_id])
    return [results[clip.clip_id] for clip in clips]


def _encode(
    source: Path, span: Span, cuts: Sequence[Cut], recipe: Recipe
) -> list[MediaError | None]:
    if not cuts:
        return []
    failures = dict(zip(cuts, write_sounds(source, span, cuts, recipe), strict=True))
    sounding = [cut for cut in cuts if failures[cut] is None]
    if sounding:
        failures |= zip(sounding, encode_pictures(source, span, sounding, recipe), strict=True)
    return [failures[cut] or _length_error(source, cut, recipe) for cut in cuts]


def _length_error(source: Path, cut: Cut, recipe: Recipe) -> MediaError | None:
    frame_s = 1 / recipe.spec.fps
    expected_s = cut.n_frames * frame_s
    try:
        length_s = probe(cut.files.video).duration_s
    except MediaError as error:
        return error
    if abs(length_s - expected_s) <= 1.01 * frame_s:
        return None
    return MediaError(
        Reason.CORRUPT,
        f"{cut.files.clip_id}: {expected_s:.2f} s were to be cut from {source.name}, but "
        f"{length_s:.2f} s of picture came out: its time stamps or its data are damaged",
    )


def _copy(source: Path, span: Span, cut: Cut, recipe: Recipe) -> str | None:
    """Cut without a whole encoding; if that is not asked for or not possible, say why."""
    mode, spec = recipe.preprocessing.video, recipe.spec
    if mode == "encode":
        return ""
    asked_s = (cut.start_s, cut.start_s + cut.n_frames / spec.fps)
    try:
        copied = cut_packets(source, cut.files.video, asked_s, spec.sample_rate_hz, mode)
    except NotCopyableError as error:
        return f"encoded, not copied: {error}"
    difference = find_difference(source, cut.files.video, copied)
    if difference:
        return f"encoded, not copied: {difference}"
    write_wav(cut.files.sound, copied.samples, spec.sample_rate_hz)
    for rate_hz in recipe.preprocessing.more_wav_hz:
        if span.has_sound:
            [samples] = read_segments(source, [copied.start_s], copied.duration_s, rate_hz)
        else:
            samples = np.zeros(round(copied.duration_s * rate_hz), np.float32)
        write_wav(cut.files.sound_at(rate_hz), samples, rate_hz)
    if recipe.preprocessing.poster:
        _write_poster(cut.files)
    return None


def _write_poster(files: ClipFiles) -> None:
    args = ["-map", "0:v:0", "-frames:v", "1", "-q:v", "3", "-update", "1", "-f", "image2"]
    path = f"file:{files.poster.absolute()}"
    run_ffmpeg([*input_args(files.video), *args, path], name=files.clip_id)
