"""The sample catalog on this machine: rendered once, listed in the bucket, served while needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from s2s.catalog import stored_sources
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import shared_bucket

__all__ = ["sample_for"]


@contextmanager
def sample_for(settings: Settings) -> Iterator[Settings]:
    """Have the sample catalog's videos served while a recipe that asks for them runs.

    Films that are rendered already, for whichever recipe, are not rendered again, and neither are
    those that the bucket has.
    Any other recipe is left alone: one with a catalog or a `source_url` of its own, whatever the
    catalog is called, and one whose sources S2S_SOURCE_URL places elsewhere.

    Args:
        settings: what is about to run.

    Yields:
        the settings, with the place where the videos are served.

    Raises:
        SettingsError: if the catalog is of files that are not there.
    """
    from sample.film import load_world  # noqa: PLC0415 - numpy and others are slow to import
    from sample.render import render_catalog  # noqa: PLC0415
    from sample.site import running_site  # noqa: PLC0415

    recipe = settings.recipe
    world = _world_of(settings)
    if world is None:
        yield settings
        return
    folder, chosen = settings.work_dir / "sample" / world, load_world(world)
    if not chosen.n_sources:
        raise SettingsError(f"recipe {recipe.name}: {chosen.missing}")
    bucket = shared_bucket(settings.bucket_url)
    collected = stored_sources(bucket).files.key_of
    catalog = render_catalog(
        folder, chosen.n_sources, recipe.seed, world=world, elsewhere=collected
    )
    bucket.upload(catalog, chosen.catalog_key, overwrite=True)
    with running_site(folder) as url:
        console.print(f"The sample's videos are served at {url} from {folder}")
        collection = recipe.collection.model_copy(update={"source_url": url + "/{source_id}.mp4"})
        yield settings.model_copy(
            update={"recipe": recipe.model_copy(update={"collection": collection})}
        )


def _world_of(settings: Settings) -> str | None:
    """The world whose catalog and videos a recipe asks for."""
    from sample.film import SOURCE_URL, WORLDS, load_world  # noqa: PLC0415 - numpy is slow to import

    catalog = settings.recipe.collection.catalog
    is_elsewhere = "S2S_SOURCE_URL" in os.environ
    if is_elsewhere or settings.recipe.collection.source_url != SOURCE_URL:
        return None
    if (settings.recipe_path.parent / catalog).exists():  # it goes before a key of the bucket
        return None
    return next((name for name in WORLDS if load_world(name).catalog_key == catalog), None)
