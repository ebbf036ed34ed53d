"""Labels: their ids, which never change once given, and folders that are named for them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from s2s.errors import ObjectExistsError
from s2s.layout import labels_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["LabelIds", "folder_name", "label_of_folder", "read_label_ids", "update_label_ids"]

_NOT_IN_FOLDERS = re.compile(r"[/\\%\x00-\x1f\x7f]|^[.-]")
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_MAX_FOLDER_BYTES = 200
_SHOWN = 40


@dataclass(frozen=True)
class LabelIds:
    """Labels with their ids.

    Attributes:
        version: counts the changes, from 1; 0 before there is one.
        names: each label at the position that is its id.
    """

    version: int = 0
    names: tuple[str, ...] = ()

    @property
    def id_of(self) -> dict[str, int]:
        """Ids by label."""
        return {name: number for number, name in enumerate(self.names)}


def read_label_ids(bucket: Bucket, recipe: Recipe) -> LabelIds:
    """The newest label ids of a recipe."""
    prefix = labels_prefix(recipe)
    versions = [int(key.removeprefix(prefix).removesuffix(".json")) for key in bucket.keys(prefix)]
    if not versions:
        return LabelIds()
    content = json.loads(bucket.read(f"{prefix}{max(versions)}.json"))
    return LabelIds(max(versions), tuple(sorted(content, key=content.__getitem__)))


def update_label_ids(bucket: Bucket, recipe: Recipe, labels: Iterable[str]) -> LabelIds:
    """Give ids to labels that have none, behind all that are given; known ones keep theirs.

    Any number of runs may do so at a time: a version is written once.
    """
    wanted = set(labels)
    while True:
        known = read_label_ids(bucket, recipe)
        new = sorted(wanted.difference(known.names))
        if not new:
            return known
        longer = LabelIds(known.version + 1, (*known.names, *new))
        text = json.dumps(longer.id_of, ensure_ascii=False, indent=1) + "\n"
        try:
            bucket.write(f"{labels_prefix(recipe)}{longer.version}.json", text.encode())
        except ObjectExistsError:
            continue  # another run was faster: go on from what it wrote
        return longer


def folder_name(label: str) -> str:
    """Name a folder for a label: as it is, but for what could leave the folder above.

    Args:
        label: any text, such as `playing guitar/banjo`, which becomes `playing guitar%2Fbanjo`.

    Raises:
        ValueError: if the label is empty, or too long for a name.
    """
    name = _NOT_IN_FOLDERS.sub(lambda match: f"%{ord(match[0]):02X}", label)
    size = len(name.encode())
    if not size:
        raise ValueError("an empty label cannot name a folder")
    if size > _MAX_FOLDER_BYTES:
        shown = label if len(label) <= _SHOWN else f"{label[:_SHOWN]}…"
        raise ValueError(
            f"label {shown!r} takes {size} bytes as a folder's name, at most {_MAX_FOLDER_BYTES} "
            "fit: shorten it"
        )
    return name


def label_of_folder(name: str) -> str:
    """The label that a folder is named for."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
