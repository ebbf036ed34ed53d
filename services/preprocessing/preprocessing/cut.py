"""One clip out of a source: where it lies on the grid of frames, and the ffmpeg pass that cuts it.

Both files are exact: frame k is the one on screen k / fps after the asked start, and sample 0 of
the sound is the asked start. The sound is as long as the picture.
"""

from dataclasses import dataclass
from pathlib import Path

from preprocessing.span import measure_span
from s2s.errors import MediaError
from s2s.media import input_args, probe, run_ffmpeg
from s2s.records import ClipRecord, Reason
from s2s.settings import Recipe

__all__ = ["Cut", "cut_clip", "plan_cut"]

# Decoding starts so long before the clip: the frame on screen at its start began earlier.
_RUN_UP_S = 1.0
# Where a header claims so much more than is there, the source was cut off.
_TRUNCATED_S = 0.5
# More frames than this share that cannot be decoded, and the clip is corrupt.
_MAX_DAMAGE = "0.1"
# Reproducible bytes: two runs that race write the same object.
_BITEXACT = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]


@dataclass(frozen=True)
class Cut:
    """What to cut.

    Attributes:
        source: the file.
        name: the clip's id, for messages.
        start_s: where the clip starts in the source.
        n_frames: frames of its picture, at the recipe's rate.
    """

    source: Path
    name: str
    start_s: float
    n_frames: int


def plan_cut(source: Path, clip: ClipRecord, recipe: Recipe) -> Cut:
    """Find what there is of a clip: the asked length, or up to the end of its source.

    Raises:
        MediaError: `no_video`, `no_audio`, `start_past_end`, `too_short`, or `corrupt` if the
            source breaks off before it should.
    """
    if not probe(source).has_audio:
        raise MediaError(Reason.NO_AUDIO, f"{source.name}: has no sound")
    span = measure_span(source)
    frame_s = 1 / recipe.spec.fps
    if span.end_s < clip.end_s - frame_s and span.claimed_end_s > span.end_s + _TRUNCATED_S:
        raise MediaError(
            Reason.CORRUPT,
            f"{source.name}: breaks off at {span.end_s:.2f} s, its header says "
            f"{span.claimed_end_s:.2f} s. Delete it from raw_data/, collect it again, and run "
            "with --retry-failed",
        )
    if clip.start_s > span.end_s - frame_s:
        raise MediaError(
            Reason.START_PAST_END,
            f"{clip.clip_id}: starts at {clip.start_s:.2f} s, {source.name} ends at "
            f"{span.end_s:.2f} s",
        )
    duration_s = min(clip.end_s, span.end_s) - clip.start_s
    shortest_s = recipe.preprocessing.min_duration_s
    if duration_s < shortest_s - frame_s / 2:
        raise MediaError(
            Reason.TOO_SHORT,
            f"{clip.clip_id}: {duration_s:.2f} s are left of {source.name}, at least "
            f"{shortest_s:.2f} s are asked for (preprocessing.min_duration_s of the recipe)",
        )
    return Cut(source, clip.clip_id, clip.start_s, recipe.spec.frames(duration_s))


def cut_clip(cut: Cut, recipe: Recipe, video: Path, sound: Path) -> None:
    """Write a clip as mp4, picture and sound, and its sound alone as wav, in one pass.

    Args:
        cut: what to cut.
        recipe: rates, size and quality.
        video: the mp4: H.264 at a constant rate, square pixels, 4:2:0 with 8 bits; AAC, mono, at
            the rate of the wav, so that both files hold the same sound.
        sound: the wav: mono, 16 bits.

    Raises:
        MediaError: `corrupt` if ffmpeg fails, or writes another length than it should.
    """
    run_ffmpeg(_arguments(cut, recipe, video, sound), name=cut.name)
    frame_s = 1 / recipe.spec.fps
    expected_s = cut.n_frames * frame_s
    lengths_s = [probe(path).duration_s for path in (video, sound)]
    if any(abs(length_s - expected_s) > 1.01 * frame_s for length_s in lengths_s):
        raise MediaError(
            Reason.CORRUPT,
            f"{cut.name}: {expected_s:.2f} s were to be cut from {cut.source.name}, but "
            f"{lengths_s[0]:.2f} s of picture and {lengths_s[1]:.2f} s of sound came out: "
            "its time stamps or its data are damaged",
        )


def _arguments(cut: Cut, recipe: Recipe, video: Path, sound: Path) -> list[str]:
    run_up_s = min(cut.start_s, _RUN_UP_S)
    length_s = run_up_s + cut.n_frames / recipe.spec.fps + 1
    seek = ["-ss", f"{cut.start_s - run_up_s:.6f}", "-t", f"{length_s:.6f}"]
    quality = recipe.preprocessing
    # One thread each: clips are what is worked on in parallel.
    return [
        *["-max_error_rate", _MAX_DAMAGE, "-filter_threads", "1", "-filter_complex_threads", "1"],
        *input_args(cut.source, "-threads", "1", *seek),
        *["-filter_complex", _filters(cut, recipe, run_up_s)],
        *["-map", "[picture]", "-c:v", "libx264", "-preset", quality.preset],
        *["-crf", str(quality.crf), "-threads:v", "1", "-flags:v", "+bitexact"],
        *["-map", "[sound]", "-c:a", "aac", "-b:a", "96k", "-flags:a", "+bitexact"],
        *[*_BITEXACT, "-movflags", "+faststart", "-f", "mp4", f"file:{video.absolute()}"],
        *["-map", "[wav]", "-c:a", "pcm_s16le", "-flags:a", "+bitexact"],
        *[*_BITEXACT, "-f", "wav", f"file:{sound.absolute()}"],
    ]


def _filters(cut: Cut, recipe: Recipe, run_up_s: float) -> str:
    spec = recipe.spec
    n_samples = spec.samples(cut.n_frames)
    shrink = f"min(1,{recipe.preprocessing.short_side_px}/min(iw*sar,ih))"
    picture = [
        f"fps={spec.fps}:start_time={run_up_s:.6f}",
        "setpts=PTS-STARTPTS",
        f"trim=end_frame={cut.n_frames}",
        f"scale=w='max(2,2*round(iw*sar*{shrink}/2))':h='max(2,2*round(ih*{shrink}/2))'"
        ":out_range=tv",
        "setsar=1",
        "format=yuv420p",
    ]
    sound = [
        # Silence where the sound starts late or has a hole, so that it stays in its place.
        f"aresample={spec.sample_rate_hz}:async=1:first_pts=0",
        "aformat=channel_layouts=mono",
        f"atrim=start={run_up_s:.6f}",
        "asetpts=PTS-STARTPTS",
        f"apad=whole_len={n_samples}",
        f"atrim=end_sample={n_samples}",
    ]
    return f"[0:v:0]{','.join(picture)}[picture];[0:a:0]{','.join(sound)},asplit[sound][wav]"
