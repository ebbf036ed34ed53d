"""Labels and their ids, which never change once given."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from s2s.errors import ObjectExistsError
from s2s.layout import labels_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["LabelIds", "read_label_ids", "update_label_ids"]


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
