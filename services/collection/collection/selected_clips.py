"""The clips that a recipe selects of its catalog, stored for the stages to come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collection.named_files import find_named_file
from collection.video_folder import (
    VideoFolder,
    open_video_folder,
    say_passed_over,
    say_splits_below_others,
)
from s2s.catalog import (
    FormatOptions,
    RowProblem,
    choose_format,
    nothing_selected,
    read_label_table,
    read_rows,
    select_clips,
    store_catalog,
    update_label_ids,
)
from s2s.errors import CatalogError
from s2s.logs import console, counted
from s2s.records import ClipRecord
from s2s.settings import Recipe, Settings
from s2s.storage import Bucket

__all__ = ["SelectedClips", "catalog_options", "select_from_catalog"]


@dataclass
class SelectedClips:
    """What a recipe takes of its catalog; filled as rows are read.

    Attributes:
        name: the catalog's path or key.
        layout: name of its format.
        clips: clips that are selected, up to the recipe's limit.
        problems: rows that are no clip.
        n_clips: clips of the catalog, those that are not selected too.
        labels: labels of the selected clips, those beyond the limit too.
        passed_over: of a folder, other files than videos, by the end of their names.
    """

    name: str
    layout: str
    clips: list[ClipRecord] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    n_clips: int = 0
    labels: set[str] = field(default_factory=set)
    passed_over: dict[str, int] = field(default_factory=dict)

    @property
    def n_left_out(self) -> int:
        """Clips that the recipe's filters or its limit leave out."""
        return self.n_clips - len(self.clips)

    @property
    def outputs(self) -> dict[str, Any]:
        """For the stage's report."""
        return {
            "catalog": self.name,
            "format": self.layout,
            "rows": self.n_clips + len(self.problems),
            **({"passed_over": self.passed_over} if self.passed_over else {}),
        }

    def select(
        self, rows: Iterable[ClipRecord | RowProblem], recipe: Recipe
    ) -> Iterator[ClipRecord | RowProblem]:
        """Let those rows through that the recipe asks for, then the problems.

        Raises:
            CatalogError: at the end, if there was no clip, or a split that is to be kept is not
                known.
        """
        limit = recipe.collection.limit
        n_selected = 0
        for clip in select_clips(self._only_clips(rows), recipe, self.name):
            n_selected += 1
            self.labels.update(clip.labels)
            if limit is None or len(self.clips) < limit:
                self.clips.append(clip)
            yield clip
        if not n_selected:
            counts = (self.n_clips, len(self.problems))
            raise nothing_selected(self.name, self.layout, recipe, counts, self.problems)
        yield from self.problems

    def _only_clips(self, rows: Iterable[ClipRecord | RowProblem]) -> Iterator[ClipRecord]:
        for row in rows:
            if isinstance(row, RowProblem):
                self.problems.append(row)
            else:
                self.n_clips += 1
                yield row


def select_from_catalog(settings: Settings, bucket: Bucket, folder: Path) -> SelectedClips:
    """Read the recipe's catalog row by row; store the selected clips and their labels' ids.

    Args:
        settings: the run's settings.
        bucket: where to store, and where the catalog may be.
        folder: for temporary files.

    Raises:
        CatalogError: if the catalog is not there, or lists no clip that the recipe asks for.
    """
    recipe = settings.recipe
    if recipe.collection.format == "folder":
        videos = open_video_folder(recipe.collection.catalog, settings.recipe_path.parent)
        _check_has_videos(videos)
        selected = SelectedClips(videos.url, "folder")
        rows = iter(videos.clips(recipe))
        selected.passed_over = videos.passed_over()
        say_splits_below_others(videos.splits_below_others(recipe))
    else:
        file = find_named_file(settings, bucket, "catalog", folder)
        layout = choose_format(file.path, file.name, catalog_options(settings, bucket, folder))
        selected = SelectedClips(file.name, layout.name)
        rows = read_rows(file.path, layout, file.name)
    store_catalog(bucket, recipe, selected.select(rows, recipe), folder / "catalog.jsonl")
    update_label_ids(bucket, recipe, selected.labels)
    console.print(
        f"Catalog {selected.name} ({selected.layout}): {counted(selected.n_clips, 'clip')}, "
        f"{len(selected.clips)} selected, {counted(len(selected.problems), 'row')} with a problem",
        highlight=False,
        markup=False,
    )
    say_passed_over(selected.passed_over)
    return selected


def _check_has_videos(videos: VideoFolder) -> None:
    """Make sure that a folder is not empty; what else is in it is told.

    Raises:
        CatalogError: if there is no video in it.
    """
    if not videos.paths():
        say_passed_over(videos.passed_over())
        raise CatalogError(
            f"{videos.url} has no video: name a folder that has some, such as files that end in "
            ".mp4, there or in folders below"
        )


def catalog_options(settings: Settings, bucket: Bucket, folder: Path) -> FormatOptions:
    """What a recipe says of its catalog's format; its label table is read.

    Raises:
        CatalogError: if the label table is not there, or is none.
    """
    recipe = settings.recipe
    names = {}
    if recipe.collection.label_table:
        table = find_named_file(settings, bucket, "label_table", folder)
        names = read_label_table(table.path)
    return FormatOptions.of_settings(
        recipe.collection,
        recipe.spec.duration_s,
        names,
        keep_splits=recipe.validation.keep_catalog_split,
    )
