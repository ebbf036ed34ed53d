"""Talkers: drawn faces whose lips follow what a synthesiser says, one voice a film."""

from sample.cocktail_party.film import TalkerFilm
from sample.cocktail_party.talkers import list_clips, make_talker
from sample.film import World

__all__ = ["WORLD"]

WORLD = World(
    catalog_key="cocktail_party.csv",
    n_sources=120,
    film=lambda seed, index: TalkerFilm(make_talker(seed, index)),
    catalog_text=lambda films: list_clips(film.talker for film in films),
)
