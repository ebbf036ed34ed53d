"""What is downloaded for a recipe's clips: whole sources, or sections of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from s2s.catalog import section_name
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings

__all__ = ["Fetch", "plan_fetches"]


@dataclass(frozen=True)
class Fetch:
    """One download.

    Attributes:
        source_id: the source.
        section_s: start and end of the section that is asked for; None for the whole.
        needed_from_s: what ends before is of no use: there the clip starts.
    """

    source_id: str
    section_s: tuple[float, float] | None = None
    needed_from_s: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in the bucket, without a suffix."""
        if self.section_s is None:
            return self.source_id
        return section_name(self.source_id, *self.section_s)


def plan_fetches(clips: Iterable[ClipRecord], settings: CollectionSettings) -> dict[str, Fetch]:
    """Say for each clip, by its id, which download it needs; clips may share one.

    Args:
        clips: the recipe's clips.
        settings: `fetch` and `section_margin_s` say what to download.
    """
    of_recipe = list(clips)
    n_clips = Counter(clip.source_id for clip in of_recipe)

    def fetch(clip: ClipRecord) -> Fetch:
        is_alone = n_clips[clip.source_id] == 1
        if settings.fetch == "whole" or (settings.fetch == "auto" and not is_alone):
            return Fetch(clip.source_id)
        start_s = max(0.0, clip.start_s - settings.section_margin_s)
        span_s = (round(start_s, 3), round(clip.end_s + settings.section_margin_s, 3))
        return Fetch(clip.source_id, span_s, clip.start_s)

    return {clip.clip_id: fetch(clip) for clip in of_recipe}
