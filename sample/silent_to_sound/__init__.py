"""Things of six materials fall, bounce and are struck; rain, fire, wind and crowds."""

from sample.film import World
from sample.silent_to_sound.film import film, list_clips

__all__ = ["WORLD"]

WORLD = World(catalog_key="sample.csv", n_sources=100, film=film, catalog_text=list_clips)
