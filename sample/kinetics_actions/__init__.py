"""Actions that no single frame tells apart: turning, rising, growing, waving, each two ways."""

from sample.film import World
from sample.kinetics_actions.actions import build_scene, list_clips
from sample.kinetics_actions.film import ActionFilm

__all__ = ["WORLD"]

WORLD = World(
    catalog_key="kinetics_actions.csv",
    n_sources=400,
    film=lambda seed, index: ActionFilm(build_scene(seed, index)),
    catalog_text=lambda films: list_clips(film.scene for film in films),
)
