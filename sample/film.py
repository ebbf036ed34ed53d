"""What a rendered world is: films made up from a seed, and the catalog that lists their clips.

Legend: H height and W width in pixels, C red-green-blue, N samples.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SOURCE_URL", "WORLDS", "Film", "World", "load_world"]

SOURCE_URL = "http://127.0.0.1:8010/{source_id}.mp4"
"""Where recipes of a world say that its films are; by it they ask to have them served."""

WORLDS = ("silent_to_sound", "kinetics_actions", "vggsound_contest", "cocktail_party", "voices")
"""Folders of worlds; each is named as the recipe that learns from it. `voices` is not rendered:
sound files of the user's, for the recipe `cocktail_party.voices`."""


class Film(Protocol):
    """One source: picture and sound, both made from the same instants.

    Attributes:
        source_id: its name.
        duration_s: its length in seconds.
        fps: pictures a second.
        sample_rate_hz: samples a second.
    """

    source_id: str
    duration_s: float
    fps: int
    sample_rate_hz: int

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures, uint8 (H, W, C) each, of even height and width."""
        ...

    def samples(self) -> NDArray[np.float32] | None:
        """Its sound, float32 (N,) in -1..1; None for a film without a sound track."""
        ...

    def truth(self) -> dict[str, Any]:
        """What happens when, as JSON; for tests, no stage reads it."""
        ...


@dataclass(frozen=True)
class World:
    """A kind of films.

    Attributes:
        catalog_key: where recipes look for its catalog, in the bucket.
        n_sources: films of the sample.
        film: makes up a film from a seed and an index; the same arguments give the same film.
        catalog_text: the catalog of some films.
        most_sources: how many there can be; None for any number.
        missing: what it lacks, and the remedy, where it has no sources.
    """

    catalog_key: str
    n_sources: int
    film: Callable[[int, int], Film]
    catalog_text: Callable[[Sequence[Any]], str]
    most_sources: int | None = None
    missing: str = ""


def load_world(name: str) -> World:
    """A world by its folder's name.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in WORLDS:
        raise ValueError(f"world {name!r}: there is none, use {', '.join(WORLDS)}")
    return import_module(f"sample.{name}").WORLD
