"""One source: have it as a file, look at it, store it."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from collection.download import DownloadOptions, download, lies_in_section
from collection.fetch import Fetch
from collection.network.breaker import session_breaker
from collection.network.failures import is_server_error, wait_s_of
from collection.video_files import VideoFiles, printable
from s2s.errors import MediaError, ObjectExistsError
from s2s.layout import raw_prefix
from s2s.media import open_guarded, picture_stream, probe
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.workspace import folder_in

__all__ = ["DownloadSource", "TakeOverFile", "VideoFile"]

# A section may end with the frame, or the packet of sound, that its end falls into.
_TOLERANCE_S = 1.0
# A picture that ends with its source lacks a frame or two of the clip's length.
_MISSING_S = 0.1
# Of a section past the end yt-dlp makes an mp4 without streams, and says that all is well.
_EMPTY_BYTES = 1024
# Before a source that the site forbids (HTTP 403), or failed to give (HTTP 5xx), is asked for a
# second and a third time.
_PAUSES_S = (0.5, 1.5)


@dataclass(frozen=True)
class DownloadSource:
    """Downloads one source, or a section of it, looks at it, and stores it.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
        options: how to download.
    """

    settings: Settings
    folder: Path
    options: DownloadOptions

    def __call__(self, fetch: Fetch) -> Outcome:
        """Work on one source; skip it if the site has refused too many.

        Raises:
            MediaError: if it cannot be had, or is no video.
        """
        limit = self.settings.recipe.collection.stop_after_blocks
        breaker = session_breaker(self.folder, limit)
        if breaker.reason is not None:
            return Outcome(
                clip_id=fetch.name,
                status=Status.SKIPPED,
                reason=breaker.reason,
                message=breaker.message,
            )
        try:
            outcome = self._collect(fetch)
        except MediaError as error:
            breaker.report(Reason(error.reason), wait_s_of(error))
            raise
        breaker.report(None)
        return outcome

    def _collect(self, fetch: Fetch) -> Outcome:
        """Fetch, look at it, store it; the whole source where its section cannot be had.

        Of a server without byte ranges ffmpeg may make an empty section, or none, and an answer
        that breaks off makes a short one: only the whole tells how long the source is.
        """
        site = self.settings.recipe.collection
        url = site.source_url.replace("{source_id}", quote(fetch.source_id, safe=""))
        with folder_in(self.folder) as folder:
            try:
                path = self._download(url, folder / fetch.name, fetch)
                if _is_what_was_asked_for(path, fetch, url, site.section_margin_s):
                    return _store(self.settings, path, fetch.name)
            except MediaError as error:
                if fetch.section_s is None or not lies_in_section(error):
                    raise
        return self._collect(replace(fetch, section_s=None))

    def _download(self, url: str, target: Path, fetch: Fetch) -> Path:
        """Download; what is forbidden is asked for anew: YouTube often lets the next one through.

        https://github.com/yt-dlp/yt-dlp/issues/10397, 14680. So is what a server failed to give.
        """
        for pause_s in _PAUSES_S:
            try:
                return download(url, target, self.options, fetch.section_s)
            except MediaError as error:
                if error.reason != Reason.FORBIDDEN and not is_server_error(error):
                    raise
            for part in target.parent.iterdir():
                part.unlink()
            time.sleep(pause_s)
        return download(url, target, self.options, fetch.section_s)


@dataclass(frozen=True)
class VideoFile:
    """A video that one already has.

    Attributes:
        path: below its folder.
        name: what it is called in the bucket, without a suffix.
        needed_from_s: a file that ends before is of no use: there its first clip starts.
        stored_key: what the bucket has under that name; empty for nothing.
    """

    path: str
    name: str
    needed_from_s: float = 0.0
    stored_key: str = ""


@dataclass(frozen=True)
class TakeOverFile:
    """Takes over a video that one already has; of one that is stored, sees that it is the same.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
        files: where the video is.
    """

    settings: Settings
    folder: Path
    files: VideoFiles

    def __call__(self, file: VideoFile) -> Outcome:
        """Work on one file.

        Raises:
            MediaError: if it is no video; `id_taken` if the bucket has another one of its name.
        """
        if file.stored_key:
            return self._compare(file, file.stored_key)
        with folder_in(self.folder) as folder:
            path = folder / f"{file.name}{Path(file.path).suffix.lower()}"
            self.files.copy(file.path, path)
            try:
                _check_video(path, file)
            except MediaError as error:
                # A person has the file under its own name.
                told = error.message.replace(path.name, printable(file.path))
                raise MediaError(error.reason, told) from error
            outcome = _store(self.settings, path, file.name)
        # Another run was faster.
        return self._compare(file, outcome.key) if outcome.status is Status.SKIPPED else outcome

    def _compare(self, file: VideoFile, key: str) -> Outcome:
        bucket = shared_bucket(self.settings.bucket_url)
        if not self.files.has_content(file.path, bucket.stat(key)):
            raise MediaError(
                Reason.ID_TAKEN,
                f"{printable(file.path)}: another video has its id, {file.name}, already: "
                f"{bucket.url}/{key}, which stays, and which its clips would be cut from. All "
                "recipes of a bucket share sources by id: give this one an id of its own, in the "
                "catalog and as its file's name, or another bucket (--bucket, S2S_BUCKET). If the "
                "stored one is meant, move the file away",
            )
        return Outcome(clip_id=file.name, status=Status.SKIPPED, reason=Reason.ALREADY_DONE)


def _check_video(path: Path, file: VideoFile) -> None:
    """Make sure that a file is a video, and long enough.

    Raises:
        MediaError: if it is not.
    """
    found = probe(path)
    if not found.has_video:
        raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture, only sound")
    # What was written as a stream has no duration in its header.
    length_s = found.duration_s or _shown_s(path)
    if length_s <= file.needed_from_s:
        raise MediaError(
            Reason.START_PAST_END,
            f"{path.name}: ends after {length_s:.2f} s, its clip starts at "
            f"{file.needed_from_s:.2f} s. If it is the clip itself, cut before, say --trimmed",
        )


def _is_what_was_asked_for(path: Path, fetch: Fetch, url: str, margin_s: float) -> bool:
    """Make sure that a download is a video; of a section, whether its clip is in it.

    Raises:
        MediaError: `no_video` if the whole has no picture, `start_past_end` if it ends before the
            clip, `corrupt` if it cannot be opened.
    """
    if fetch.section_s is not None:
        start_s, end_s = fetch.section_s
        length_s = 0.0 if path.stat().st_size < _EMPTY_BYTES else _shown_s(path)
        # Of what is longer it is not known where it starts.
        longest_s = end_s - start_s + _TOLERANCE_S
        return end_s - margin_s - _MISSING_S <= start_s + length_s <= start_s + longest_s
    found = probe(path)
    if not found.has_video:
        raise MediaError(Reason.NO_VIDEO, f"{url}: has no picture, only sound")
    from_s = fetch.needed_from_s
    if 0 < from_s >= (found.duration_s or 0.0) and from_s >= (length_s := _shown_s(path)):
        raise MediaError(
            Reason.START_PAST_END,
            f"{url}: ends after {length_s:.2f} s, before the clip starts at {from_s:.2f} s",
        )
    return True


def _shown_s(path: Path) -> float:
    """How long the picture is, in seconds.

    The header cannot be asked: of a section past the end ffmpeg may copy the last pictures before
    it, give them times, and have an edit list that leaves all of them out.
    """
    with open_guarded(path) as file:
        picture = picture_stream(file)
        if picture is None:
            return 0.0
        ends_s = [
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in file.demux(picture)
            if packet.pts is not None and not packet.is_discard
        ]
    return max(ends_s, default=0.0)


def _store(settings: Settings, path: Path, name: str) -> Outcome:
    bucket, key = shared_bucket(settings.bucket_url), f"{raw_prefix()}{name}{path.suffix}"
    try:
        info = bucket.upload(path, key)
    except ObjectExistsError:
        # Another run was faster, and was given a different file: the first one stays.
        status, reason = Status.SKIPPED, Reason.ALREADY_DONE
        return Outcome(clip_id=name, status=status, reason=reason, key=key)
    return Outcome(clip_id=name, status=Status.OK, key=info.key, crc32c=info.crc32c, size=info.size)
