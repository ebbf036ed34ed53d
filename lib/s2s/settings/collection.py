"""A recipe's section `collection`: which clips, and how their sources are come by."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from s2s.settings.section import Section

__all__ = ["DEFAULT_SOURCE_URL", "CollectionSettings", "ColumnNames"]

DEFAULT_SOURCE_URL = "https://www.youtube.com/watch?v={source_id}"


class ColumnNames(Section):
    """Columns of a table of one's own; those with a default name may be missing.

    Attributes:
        source_id: the source; there must be one.
        start_s: where the clip starts, in seconds; 0 without it.
        end_s: where it ends; without it, `duration_s` after the start.
        duration_s: how long it is, in seconds; without it, the recipe's `spec.duration_s`.
        labels: its labels.
        split: its split.
        face_x: a face's position, as a fraction of the picture's width.
        face_y: the same of its height.
    """

    source_id: str = "source_id"
    start_s: str = "start_s"
    end_s: str = "end_s"
    duration_s: str = "duration_s"
    labels: str = "labels"
    split: str = "split"
    face_x: str = "face_x"
    face_y: str = "face_y"


class CollectionSettings(Section):
    """Where clips come from.

    Attributes:
        catalog: a key in the bucket or a file beside the recipe; the file is used when both
            exist. For the format `folder`, a folder beside the recipe or `gs://NAME/PREFIX`.
        format: the catalog's format; `auto` finds it from the content.
        columns: names of the columns, for a table of one's own.
        label_separator: stands between several labels in one cell of such a table.
        time_unit: `s` says that times are seconds; `auto` is an error where all of them are so
            large that they seem to be milliseconds.
        label_table: AudioSet's table of label names, a file beside the recipe or a key.
        labels: patterns such as `*dancing*`; a clip needs a label that fits one. All if empty.
        splits: the catalog's splits that are taken, as it spells them in any case; `train`, `val`
            and `test` take every known spelling. All if empty.
        split_names: ours (`train`, `val` or `test`) by the catalog's own names of splits, where
            these are not known.
        sample_per_label: at most so many clips of a label, chosen by the recipe's seed.
        limit: at most so many clips of those, from the catalog's top; None for all.
        source_url: where a source lives; `{source_id}` is replaced.
        fetch: `whole` sources, only the `section` that a clip needs, or `auto`: a section where a
            source has one clip in the recipe.
        section_margin_s: a section starts so much before its clip, and ends so much after it.
        max_height_px: pictures above it are only taken where there is nothing else.
        codec: video codec that is preferred where a site offers several.
        sessions: processes that download, each with `workers` threads.
        workers: downloads at a time in one session.
        timeout_s: seconds without an answer after which a download fails.
        max_download_s: seconds after which a download is given up, however it goes on.
        min_bytes_per_s: an answer that comes more slowly for `timeout_s` is given up; 0 for no
            least rate.
        private_addresses: the site may lead to addresses of this machine and of private networks;
            the host of `source_url` may be one anyway.
        max_source_bytes: a larger source is refused.
        max_bytes_per_s: speed of one session; None for no limit. Sections are not slowed down.
        sleep_s: every download waits for this time, up to twice as long, at random.
        cookies_file: cookies in Netscape's format, a file beside the recipe.
        proxy: its URL; the environment's when empty.
        stop_after_blocks: a session stops after so many bot checks or refused requests in a row.
    """

    catalog: str
    format: Literal[
        "auto",
        "vggsound",
        "vggsounder",
        "kinetics",
        "activitynet",
        "avspeech",
        "audioset",
        "ave",
        "vas",
        "csv",
        "json",
        "jsonl",
        "parquet",
        "folder",
    ] = "auto"
    columns: ColumnNames = ColumnNames()
    label_separator: str = Field(default="|", min_length=1)
    time_unit: Literal["auto", "s"] = "auto"
    label_table: str = ""
    labels: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    split_names: Mapping[str, Literal["train", "val", "test"]] = Field(default_factory=dict)
    sample_per_label: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1)
    source_url: str = DEFAULT_SOURCE_URL
    fetch: Literal["auto", "whole", "section"] = "auto"
    section_margin_s: float = Field(default=2.0, ge=0, le=60)
    max_height_px: int = Field(default=480, ge=16, le=4320)
    codec: Literal["h264", "vp9", "av01", "any"] = "h264"
    sessions: int = Field(default=1, ge=1, le=64)
    workers: int = Field(default=4, ge=1, le=64)
    timeout_s: float = Field(default=20.0, gt=0)
    max_download_s: float = Field(default=7200.0, gt=0)
    min_bytes_per_s: int = Field(default=2000, ge=0)
    private_addresses: bool = False
    max_source_bytes: int = Field(default=4_000_000_000, ge=1)
    max_bytes_per_s: int | None = Field(default=None, ge=1)
    sleep_s: float = Field(default=0.0, ge=0)
    cookies_file: str = ""
    proxy: str = ""
    stop_after_blocks: int = Field(default=5, ge=1)

    @field_validator("source_url")
    @classmethod
    def _names_the_source(cls, value: str) -> str:
        if "{source_id}" not in value:
            raise ValueError("must contain {source_id}, which is replaced by each source's id")
        return value
