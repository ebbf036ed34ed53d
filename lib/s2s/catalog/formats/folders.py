"""Folders in the paths of a list: which of them is the split, which names the label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from s2s.catalog.splits import known_split

__all__ = ["SplitFolders"]

# A split stands in front of the label's folder, or in front of the file.
_PLACES = (2, 1)


@dataclass(frozen=True)
class SplitFolders:
    """Which folder of a path is a split.

    Attributes:
        names: `collection.split_names` of the recipe.
        places: where other paths of the list have a split that is known, counted from the file. A
            folder that stands there is a split, too: whoever reads the clips refuses one that is
            not known (`check_splits`).
    """

    names: Mapping[str, str] = field(default_factory=dict)
    places: frozenset[int] = frozenset()

    @classmethod
    def of_paths(cls, paths: Iterable[Sequence[str]], names: Mapping[str, str]) -> "SplitFolders":
        """What a list's own paths say, each as its folders."""
        known = cls(names)
        places = (known.place(folders) for folders in paths)
        return cls(names, frozenset(place for place in places if place is not None))

    def place(self, folders: Sequence[str]) -> int | None:
        """Where a path has its split, counted from the file; None without one."""
        there = [place for place in _PLACES if len(folders) >= place]
        known = (place for place in there if self.knows(folders[-place]))
        return next(known, next((place for place in there if place in self.places), None))

    def split_and_label(self, folders: Sequence[str]) -> tuple[str | None, str]:
        """A path's split, and the folder that names its label; empty without one."""
        place = self.place(folders)
        label = folders[-1] if folders and place != 1 else ""
        return None if place is None else folders[-place], label

    def knows(self, folder: str) -> bool:
        """Whether a folder has a split's name."""
        return known_split(folder, self.names) is not None
