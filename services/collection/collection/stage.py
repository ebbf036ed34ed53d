"""Collection: every source that the catalog names, downloaded once."""

import ipaddress
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from collection.download import DownloadOptions, download
from collection.origin import read_origin
from s2s.catalog import Catalog, read_catalog, stored_sources
from s2s.errors import MediaError, ObjectExistsError
from s2s.layout import catalog_key, raw_prefix
from s2s.media import probe
from s2s.records import Outcome, Reason, Status
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.workspace import workspace

__all__ = ["run"]

STAGE = "collection"


def run(settings: Settings) -> StageReport:
    """Store the recipe's catalog, and download every clip's source to `raw_data/`.

    Raises:
        CatalogError: if the catalog is not there, or no row of it can be used.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full.
    """
    started = time.monotonic()
    bucket = shared_bucket(settings.bucket_url)
    bucket.check()
    recipe = settings.recipe
    name, data = read_origin(settings, bucket)
    catalog = read_catalog(data, name, recipe.spec.duration_s, recipe.collection.limit)
    bucket.write(catalog_key(recipe), data, overwrite=True)
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        work = Work(
            stage=STAGE,
            prefix=raw_prefix(),
            items={clip.source_id: clip.source_id for clip in catalog.clips},
            done=set(stored_sources(bucket).key_of),
            task=SourceTask(settings, folder, _download_options(settings)),
            threads=True,
            workers=settings.workers or recipe.collection.workers,
        )
        by_source = fan_out(settings, work)
    return finish(settings, STAGE, _by_clip(catalog, by_source), started)


@dataclass(frozen=True)
class SourceTask:
    """Downloads one source, looks at it, and stores it.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
        options: how to download.
    """

    settings: Settings
    folder: Path
    options: DownloadOptions

    def __call__(self, source_id: str) -> Outcome:
        """Work on one source.

        Raises:
            MediaError: if it cannot be had, or is no video.
        """
        template = self.settings.recipe.collection.source_url
        url = template.replace("{source_id}", quote(source_id, safe=""))
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = download(url, Path(folder) / source_id, self.options)
            if not probe(path).has_video:
                raise MediaError(Reason.NO_VIDEO, f"{url}: has no picture, only sound")
            return self._store(path, source_id)

    def _store(self, path: Path, source_id: str) -> Outcome:
        bucket = shared_bucket(self.settings.bucket_url)
        try:
            info = bucket.upload(path, f"{raw_prefix()}{source_id}{path.suffix}")
        except ObjectExistsError:
            # Another run was faster, and was given a different file: the first one stays.
            return Outcome(clip_id=source_id, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)
        return Outcome(
            clip_id=source_id, status=Status.OK, key=info.key, crc32c=info.crc32c, size=info.size
        )


def _by_clip(catalog: Catalog, by_source: dict[str, Outcome]) -> list[Outcome]:
    """A source's outcome for each of its clips, and a failed one for each row that is no clip."""
    clips = [
        by_source[clip.source_id].model_copy(update={"clip_id": clip.clip_id})
        for clip in catalog.clips
    ]
    rows = [
        Outcome(
            clip_id=problem.name,
            status=Status.FAILED,
            reason=Reason.BAD_ROW,
            message=f"line {problem.line} of the catalog: {problem.message}",
        )
        for problem in catalog.problems
    ]
    return clips + rows


def _download_options(settings: Settings) -> DownloadOptions:
    collection = settings.recipe.collection
    return DownloadOptions(
        state_dir=settings.work_dir.absolute() / "yt-dlp",
        timeout_s=collection.timeout_s,
        max_bytes=collection.max_source_bytes,
        direct=_is_loopback(collection.source_url),
    )


def _is_loopback(url: str) -> bool:
    """Whether a URL is on this machine, which no proxy can reach."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
