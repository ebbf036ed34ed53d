"""The sample catalog on this machine: rendered once, listed in the bucket, served while needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket
from sample.render import render_catalog
from sample.site import running_site

__all__ = ["CATALOG_KEY", "N_SOURCES", "sample_for"]

CATALOG_KEY = "sample.csv"
N_SOURCES = 100


@contextmanager
def sample_for(settings: Settings) -> Iterator[Settings]:
    """Have the sample catalog's videos served while a recipe that asks for them runs.

    Any other recipe is left alone, and so is one whose sources S2S_SOURCE_URL places elsewhere.

    Args:
        settings: what is about to run.

    Yields:
        the settings, with the place where the videos are served.
    """
    recipe = settings.recipe
    if recipe.collection.catalog != CATALOG_KEY or "S2S_SOURCE_URL" in os.environ:
        yield settings
        return
    folder = settings.work_dir / "sample"
    catalog = render_catalog(folder, N_SOURCES, recipe.seed)
    shared_bucket(settings.bucket_url).upload(catalog, CATALOG_KEY, overwrite=True)
    with running_site(folder) as url:
        console.print(f"The sample's videos are served at {url} from {folder}")
        collection = recipe.collection.model_copy(update={"source_url": url + "/{source_id}.mp4"})
        yield settings.model_copy(
            update={"recipe": recipe.model_copy(update={"collection": collection})}
        )
