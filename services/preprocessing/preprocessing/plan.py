"""What to cut: where a clip lies in its source, and which files it becomes."""

from dataclasses import dataclass
from pathlib import Path

from preprocessing.encoding.stretch import Stretch
from preprocessing.span import Span
from s2s.errors import MediaError
from s2s.reasons import Reason
from s2s.records import ClipRecord
from s2s.settings import Recipe

__all__ = ["ClipFiles", "Cut", "Footage", "plan_cut"]

# Where a header claims so much more than is there, the source was cut off.
_TRUNCATED_S = 0.5


@dataclass(frozen=True)
class ClipFiles:
    """The files of one clip.

    Attributes:
        folder: where they are.
        clip_id: the clip.
    """

    folder: Path
    clip_id: str

    @property
    def video(self) -> Path:
        """Picture and sound."""
        return self.folder / f"{self.clip_id}.mp4"

    @property
    def sound(self) -> Path:
        """The sound alone, at the recipe's rate."""
        return self.folder / f"{self.clip_id}.wav"

    def sound_at(self, rate_hz: int) -> Path:
        """The sound at a further rate."""
        return self.folder / f"{self.clip_id}.{rate_hz}.wav"

    @property
    def poster(self) -> Path:
        """The first frame."""
        return self.folder / f"{self.clip_id}.jpg"

    @property
    def seams(self) -> Path:
        """Small grey pictures of frames that are compared; not kept."""
        return self.folder / f"{self.clip_id}.grey"

    def extras(self, recipe: Recipe) -> list[Path]:
        """What the recipe asks for beside the mp4 and its wav."""
        settings = recipe.preprocessing
        posters = [self.poster] if settings.poster else []
        return [*map(self.sound_at, settings.more_wav_hz), *posters]


@dataclass(frozen=True)
class Cut:
    """What to cut.

    Attributes:
        files: where to.
        start_s: where the clip starts in the source.
        n_frames: frames of its picture, at the recipe's rate.
        seams: numbers of the frames that are compared with the source's.
    """

    files: ClipFiles
    start_s: float
    n_frames: int
    seams: tuple[int, ...] = ()


@dataclass(frozen=True)
class Footage:
    """What clips that lie close together are cut from.

    Attributes:
        path: the source's file.
        span: what there is of it.
        stretch: when its frames are shown, from before the first clip to after the last.
        recipe: what the clips become.
    """

    path: Path
    span: Span
    stretch: Stretch
    recipe: Recipe


def plan_cut(source: str, span: Span, clip: ClipRecord, recipe: Recipe, folder: Path) -> Cut:
    """Find what there is of a clip: the asked length, or up to the end of its source.

    Args:
        source: the source's file name, for messages.
        span: what there is of it.
        clip: the clip.
        recipe: rates, and what may be missing.
        folder: where the clip's files go.

    Raises:
        MediaError: `no_audio`, `start_past_end`, `too_short`, `refused` for a high dynamic range
            where the recipe says so, or `corrupt` if the source breaks off before it should.
    """
    if not span.has_sound and recipe.preprocessing.no_audio == "fail":
        raise MediaError(
            Reason.NO_AUDIO,
            f"{source}: has no sound (preprocessing.no_audio: silent would give it a silent wav)",
        )
    if span.is_hdr and recipe.preprocessing.hdr == "fail":
        raise MediaError(
            Reason.REFUSED,
            f"{source}: has a high dynamic range (preprocessing.hdr: tone_map would accept it)",
        )
    frame_s = 1 / recipe.spec.fps
    if span.end_s < clip.end_s - frame_s and span.claimed_end_s > span.end_s + _TRUNCATED_S:
        raise MediaError(
            Reason.CORRUPT,
            f"{source}: breaks off at {span.end_s:.2f} s, its header says "
            f"{span.claimed_end_s:.2f} s. Delete it from raw_data/, collect it again, and run "
            "with --retry-failed",
        )
    if clip.start_s > span.end_s - frame_s:
        raise MediaError(
            Reason.START_PAST_END,
            f"{clip.clip_id}: starts at {clip.start_s:.2f} s, {source} ends at {span.end_s:.2f} s",
        )
    duration_s = min(clip.end_s, span.end_s) - clip.start_s
    shortest_s = recipe.preprocessing.min_duration_s
    if duration_s < shortest_s - frame_s / 2:
        raise MediaError(
            Reason.TOO_SHORT,
            f"{clip.clip_id}: {duration_s:.2f} s are left of {source}, at least "
            f"{shortest_s:.2f} s are asked for (preprocessing.min_duration_s of the recipe)",
        )
    files = ClipFiles(folder, clip.clip_id)
    return Cut(files, clip.start_s, recipe.spec.frames(duration_s))
