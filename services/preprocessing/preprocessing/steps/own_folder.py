"""Steps, and the folder between them: a bucket of this machine, in which the stage runs as ever."""

from dataclasses import dataclass

from preprocessing.stage import run
from preprocessing.steps.download import download_sources
from preprocessing.steps.upload import upload_clips
from s2s.errors import SettingsError
from s2s.layout import catalog_key
from s2s.settings import Settings
from s2s.stage import StageReport, preflight, shared_bucket

__all__ = ["Steps", "run_steps"]

_FOLDER = "preprocessing"


@dataclass(frozen=True)
class Steps:
    """Which steps are done, in this order; one at least.

    Attributes:
        download: sources come from the bucket to the work folder.
        cut: clips are cut out of those that are there.
        upload: clips that are cut are stored in the bucket.
    """

    download: bool
    cut: bool
    upload: bool

    @property
    def are_all(self) -> bool:
        """Whether it is the whole stage, as it is where none is named."""
        return self.download == self.cut == self.upload


def run_steps(settings: Settings, steps: Steps) -> tuple[Settings, StageReport]:
    """Do some of the steps; each goes on where an earlier run of it ended.

    Returns:
        settings of the bucket that the last step wrote to, and its report.

    Raises:
        SettingsError: if nothing is there to cut, or the work is another machine's.
        CatalogError: if collection has not run yet.
    """
    if settings.engine != "local":
        raise SettingsError(
            "-d, -c and -u alone are for this machine, whose folder a cluster does not see. "
            "Say all three, or none, with --engine ray"
        )
    own = settings.model_copy(
        update={"bucket_url": f"file://{settings.work_dir.absolute() / _FOLDER}"}
    )
    shared_bucket(own.bucket_url).prepare()
    preflight(settings if steps.download or steps.upload else own, "preprocessing")
    done = []
    if steps.download:
        done.append((own, download_sources(settings, own)))
    if steps.cut:
        _check_downloaded(own)
        done.append((own, run(own)))
    if steps.upload:
        done.append((settings, upload_clips(settings, own)))
    return done[-1]


def _check_downloaded(own: Settings) -> None:
    if not shared_bucket(own.bucket_url).exists(catalog_key(own.recipe)):
        raise SettingsError(
            f"{own.bucket_url}: nothing is there to cut for recipe {own.recipe.name}: "
            "get its sources with -d first"
        )
