"""Clips as plain files: a folder for each label, and a manifest beside them.

`./s2s export RECIPE FOLDER [--jpegs]`, or `python -m preprocessing.export` in the service's image.
"""

import csv
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from s2s.catalog import stored_catalog
from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    RecipeArgument,
    check_output_folder,
    guarded,
    make_settings,
)
from s2s.dataset import SPLITS, read_version, version_names
from s2s.errors import SettingsError
from s2s.layout import folder_name, processed_prefix
from s2s.logs import console, counted, plural
from s2s.media import write_jpegs
from s2s.progress import Bars
from s2s.records import ClipRecord
from s2s.settings import Recipe
from s2s.stage import shared_bucket
from s2s.storage import Bucket

__all__ = ["app", "export", "export_clips", "label_folder"]

_COLUMNS = (
    "clip_id",
    "source_id",
    "start_s",
    "end_s",
    "labels",
    "split",
    "video",
    "sound",
    "source_path",
)
_NO_LABEL = "unlabelled"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    recipe: RecipeArgument,
    folder: Annotated[Path, typer.Argument(help="Where the files go; it may exist.")],
    *,
    bucket: BucketOption = DEFAULT_BUCKET,
    jpegs: Annotated[bool, typer.Option(help="Frames as image_%05d.jpg too.")] = False,
) -> None:
    """Copy the clips that are cut to FOLDER/<label>/, with manifest.csv and manifest.parquet."""

    def work() -> int:
        settings = make_settings(recipe, bucket)
        check_output_folder(folder)
        stored = shared_bucket(settings.bucket_url)
        count = export_clips(stored, settings.recipe, folder, jpegs=jpegs)
        console.print(f"{counted(count, 'clip')} in {folder}")
        return 0

    sys.exit(guarded(work))


def export_clips(bucket: Bucket, recipe: Recipe, folder: Path, *, jpegs: bool = False) -> int:
    """Write clips that are cut as files; what else is there is left alone.

    Beside its mp4 and wav a clip has what else the recipe asks for: further rates, a poster.

    Args:
        bucket: where the clips are.
        recipe: which clips.
        folder: gets a folder for each label (a clip's first), `manifest.csv` and
            `manifest.parquet`.
        jpegs: write each clip's frames too, 256 pixels high, to a folder named after the clip.

    Returns:
        the number of clips.

    Raises:
        CatalogError: if collection has not run yet.
        SettingsError: if DuckDB is not installed.
    """
    try:
        import duckdb  # noqa: PLC0415 - only this needs it
    except ModuleNotFoundError as error:
        raise SettingsError(
            "manifest.parquet needs DuckDB, which the image of preprocessing is without: export "
            "with './s2s export' outside of it, or install duckdb"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(_export(bucket, recipe, folder, jpegs=jpegs))
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    with duckdb.connect(config={"threads": 1}) as database:
        types = {name: "DOUBLE" if name in ("start_s", "end_s") else "VARCHAR" for name in _COLUMNS}
        table = database.read_csv(str(manifest), header=True, dtype=types)
        table.write_parquet(str(folder / "manifest.parquet"))
    return len(rows)


def label_folder(label: str) -> str:
    """A folder's name for a label, from which the label can be read; one for clips without.

    Raises:
        ValueError: if the label is longer than a name may be.
    """
    return folder_name(label) if label else _NO_LABEL


def _export(
    bucket: Bucket, recipe: Recipe, folder: Path, *, jpegs: bool
) -> Iterator[tuple[object, ...]]:
    from preprocessing.plan import ClipFiles  # noqa: PLC0415 - numpy is slow to import

    prefix = processed_prefix(recipe)
    cut = {key.removeprefix(prefix) for key in bucket.keys(prefix)}
    split_of = _splits(bucket, recipe)
    clips = stored_catalog(bucket, recipe).clips
    chosen = [clip for clip in clips if f"{clip.clip_id}.mp4" in cut]
    for clip in _shown(chosen):
        place = folder / label_folder(clip.labels[0] if clip.labels else "")
        place.mkdir(exist_ok=True)
        files = ClipFiles(place, clip.clip_id)
        for path in (files.sound, files.video, *files.extras(recipe)):
            bucket.fetch(prefix + path.name, path)
        if jpegs:
            _write_frames(files.video, place / clip.clip_id)
        split = split_of.get(clip.clip_id) or clip.split or ""
        yield _row(clip, split, files.video.relative_to(folder), files.sound.relative_to(folder))


def _shown(clips: Sequence[ClipRecord]) -> Iterator[ClipRecord]:
    """The clips, and how many of them are written."""
    with Bars() as bars:
        unit = plural(len(clips), "clip")
        bar = bars.add_task("export", total=len(clips), unit=unit)
        for clip in clips:
            yield clip
            bars.advance(bar)


def _write_frames(video: Path, folder: Path) -> None:
    """All frames of a video, or none: of some, nobody could tell which time each is of.

    Files of other names that are in the folder stay.
    """
    staged = folder.with_name(f".{folder.name}")
    shutil.rmtree(staged, ignore_errors=True)  # of an export that was ended
    write_jpegs(video, staged)
    if folder.is_dir():
        for path in folder.iterdir():
            if not path.match("image_*.jpg"):
                path.replace(staged / path.name)
        shutil.rmtree(folder)
    staged.replace(folder)


def _splits(bucket: Bucket, recipe: Recipe) -> dict[str, str]:
    """The split of each clip of the newest version; none where there is no version yet."""
    names = version_names(bucket, recipe)
    if not names:
        return {}
    version = read_version(bucket, recipe, names[-1])
    return {clip.clip_id: split for split in SPLITS for clip in version.split(split)}


def _row(clip: ClipRecord, split: str, video: Path, sound: Path) -> tuple[object, ...]:
    labels = "|".join(clip.labels)
    times_s = (clip.start_s, clip.end_s)
    paths = (video.as_posix(), sound.as_posix(), clip.source_path or "")
    return (clip.clip_id, clip.source_id, *times_s, labels, split, *paths)


if __name__ == "__main__":
    app()
