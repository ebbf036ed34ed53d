"""What collection left in the bucket: the clips that a recipe selects, and the sources."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from s2s.catalog.catalog import Catalog, RowProblem
from s2s.errors import CatalogError, ObjectNotFoundError
from s2s.layout import FAILED, catalog_key, raw_prefix, source_paths_key
from s2s.records import ClipRecord
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.workspace import scratch

__all__ = [
    "StoredFile",
    "StoredFiles",
    "StoredSources",
    "catalog_lines",
    "section_name",
    "store_catalog",
    "store_source_paths",
    "stored_catalog",
    "stored_sources",
]

_CLIP = TypeAdapter(ClipRecord)
_SECTION = re.compile(r"(?P<source>[A-Za-z0-9_-]+)_(?P<start>[0-9]{8,})_(?P<end>[0-9]{8,})")


@dataclass(frozen=True)
class StoredFile:
    """A source, or a section of one, under `raw_data/`.

    Attributes:
        name: the source's id, or the section's name.
        key: where it is.
        start_s: where in the source the file starts.
    """

    name: str
    key: str
    start_s: float = 0.0


class StoredFiles:
    """Sources and sections of them, by name.

    Args:
        key_of: key of each, by its name: a source's id, or a section's name.
    """

    def __init__(self, key_of: Mapping[str, str]) -> None:
        self.key_of = key_of
        self._sections: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for match in filter(None, map(_SECTION.fullmatch, key_of)):
            span = (int(match["start"]), int(match["end"]), match[0])
            self._sections[match["source"]].append(span)

    def find(self, clip: ClipRecord) -> StoredFile | None:
        """The file that a clip is in: the whole source, else a section around it."""
        if key := self.key_of.get(clip.source_id):
            return StoredFile(clip.source_id, key)
        start_ms, end_ms = round(clip.start_s * 1000), round(clip.end_s * 1000)
        for first_ms, last_ms, name in self._sections.get(clip.source_id, ()):
            if first_ms <= start_ms and end_ms <= last_ms:
                return StoredFile(name, self.key_of[name], first_ms / 1000)
        return None


@dataclass(frozen=True)
class StoredSources:
    """What is under `raw_data/`.

    Attributes:
        files: what is there.
        failed: what could not be had; keys of the failures.
    """

    files: StoredFiles
    failed: StoredFiles


def stored_catalog(bucket: Bucket, recipe: Recipe) -> Catalog:
    """The clips that the recipe selects from its catalog, up to the recipe's limit.

    Raises:
        CatalogError: if collection has not run yet, or what it stored is damaged.
    """
    key = catalog_key(recipe)
    limit = recipe.collection.limit
    catalog = Catalog()
    with scratch() as folder:
        path = folder / "catalog.jsonl"
        try:
            bucket.download(key, path)
        except ObjectNotFoundError as error:
            raise CatalogError(
                f"{bucket.url}: recipe {recipe.name} has no catalog ({key}) yet: "
                "run its collection stage first"
            ) from error
        paths = _source_paths(bucket, recipe)
        # Row by row, as only a few may be wanted of millions.
        for row in _stored_rows(path, f"{bucket.url}/{key}"):
            if isinstance(row, RowProblem):
                catalog.problems.append(row)
            elif limit is None or len(catalog.clips) < limit:
                path = paths.get(row.clip_id)
                catalog.clips.append(row if path is None else replace(row, source_path=path))
    if not catalog.clips:
        raise CatalogError(f"{bucket.url}/{key} is empty: run the recipe's collection stage first")
    return catalog


def store_source_paths(bucket: Bucket, recipe: Recipe, paths: Mapping[str, str]) -> None:
    """Keep how files were called that clips were imported from, beside those of imports before.

    Args:
        bucket: where to.
        recipe: whose clips.
        paths: of each clip id, below the folder that was imported.
    """
    if paths:
        text = json.dumps(_source_paths(bucket, recipe) | dict(paths), indent=0, sort_keys=True)
        bucket.write(source_paths_key(recipe), text.encode(), overwrite=True)


def _source_paths(bucket: Bucket, recipe: Recipe) -> dict[str, str]:
    try:
        return json.loads(bucket.read(source_paths_key(recipe)))
    except ObjectNotFoundError:
        return {}


def _stored_rows(path: Path, name: str) -> Iterator[ClipRecord | RowProblem]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                if "problem" in row:
                    yield RowProblem(row["line"], row["problem"])
                else:
                    yield _CLIP.validate_python(row)
            except (ValueError, TypeError, KeyError) as error:
                raise CatalogError(
                    f"{name}: line {number} is damaged: run the recipe's collection stage again, "
                    "which writes it anew"
                ) from error


def catalog_lines(rows: Iterable[ClipRecord | RowProblem]) -> Iterator[str]:
    """What is stored of a catalog, line by line: JSON, which also is a catalog of its own."""
    for row in rows:
        if isinstance(row, RowProblem):
            yield json.dumps({"line": row.line, "problem": row.message}) + "\n"
        else:
            yield _CLIP.dump_json(row, exclude_defaults=True).decode() + "\n"


def store_catalog(
    bucket: Bucket, recipe: Recipe, rows: Iterable[ClipRecord | RowProblem], staged: Path
) -> None:
    """Store a recipe's clips for the stages to come, in place of what was stored before.

    Args:
        bucket: where to.
        recipe: whose.
        rows: clips, and rows that are none; they are taken one by one.
        staged: a file to write to first.
    """
    with staged.open("w", encoding="utf-8") as file:
        file.writelines(catalog_lines(rows))
    bucket.upload(staged, catalog_key(recipe), overwrite=True)


def stored_sources(bucket: Bucket) -> StoredSources:
    """List the sources and sections, those of all recipes."""
    files: dict[str, str] = {}
    failed: dict[str, str] = {}
    for key in bucket.keys(raw_prefix()):
        name = key.removeprefix(raw_prefix())
        found = failed if name.startswith(FAILED) else files
        found[name.removeprefix(FAILED).partition(".")[0]] = key
    return StoredSources(StoredFiles(files), StoredFiles(failed))


def section_name(source_id: str, start_s: float, end_s: float) -> str:
    """Name a section of a source: as a clip of that span is named."""
    return f"{source_id}_{round(start_s * 1000):08d}_{round(end_s * 1000):08d}"
