"""Clips whose class is told by the sound alone, or by the picture alone."""

from sample.film import World
from sample.vggsound_contest.film import ContestFilm
from sample.vggsound_contest.scenes import build_scene, list_clips

__all__ = ["WORLD"]

WORLD = World(
    catalog_key="vggsound_contest.csv",
    n_sources=240,
    film=lambda seed, index: ContestFilm(build_scene(seed, index)),
    catalog_text=lambda films: list_clips(film.scene for film in films),
)
