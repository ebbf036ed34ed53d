"""One source through yt-dlp: from a URL to a file in an empty directory."""

import errno
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.utils import YoutubeDLError

from collection.failures import explain, is_disk_full, reason_of
from s2s.errors import MediaError
from s2s.media import ffmpeg_folder
from s2s.records import Reason

__all__ = ["DownloadOptions", "download"]

log = logging.getLogger(__name__)

# A clip's short side is 256 pixels in most recipes; what is above 480 costs time and money only.
_PREFERRED = ["res:480", "vcodec:h264", "acodec:aac", "ext:mp4:m4a"]
_RETRIES = 3
_LIVE = {"is_live", "is_upcoming", "post_live"}
_thread = threading.local()


@dataclass(frozen=True)
class DownloadOptions:
    """How sources are downloaded.

    Attributes:
        state_dir: what yt-dlp keeps between runs, and the ffmpeg that it merges with.
        timeout_s: seconds without an answer after which a download fails.
        max_bytes: a larger source is refused.
        direct: use no proxy, whatever the environment says.
    """

    state_dir: Path
    timeout_s: float
    max_bytes: int
    direct: bool = False


def download(url: str, target: Path, options: DownloadOptions) -> Path:
    """Download a source.

    Args:
        url: where it is: a page that yt-dlp understands, or a video file.
        target: path of the file, without a suffix, in an empty directory.
        options: how.

    Returns:
        the file, with the suffix of its format.

    Raises:
        MediaError: with the reason, if the source cannot be had.
        OSError: with ENOSPC if the disk is full.
    """
    client = _client(options)
    client.params["paths"] = {"home": str(target.parent)}
    client.params["outtmpl"] = {"default": f"{target.name}.%(ext)s"}
    try:
        client.extract_info(url)
    except YoutubeDLError as error:
        if is_disk_full(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        raise MediaError(reason_of(error), f"{url}: {explain(error)}") from error
    found = [path for path in target.parent.iterdir() if path.stem == target.name]
    if not found:
        raise MediaError(Reason.NO_VIDEO, f"{url}: yt-dlp finds no video there")
    return found[0]


def _client(options: DownloadOptions) -> YoutubeDL:
    """This thread's yt-dlp: it takes 0.1 s to make one, and two threads cannot share one."""
    if getattr(_thread, "options", None) != options:
        _thread.client = YoutubeDL(_params(options))
        _thread.options = options
    return _thread.client


def _params(options: DownloadOptions) -> Any:  # yt-dlp has no public name for their type
    programs = str(ffmpeg_folder(options.state_dir))
    # Parts of yt-dlp look for ffmpeg on PATH only.
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]

    def check_size(progress: Mapping[str, Any]) -> None:
        # max_filesize would leave a source out without an error, and trusts what the site says.
        size = max(progress.get("total_bytes") or 0, progress.get("downloaded_bytes") or 0)
        if size > options.max_bytes:
            raise MediaError(
                Reason.REFUSED,
                f"the source has {size} bytes or more, at most {options.max_bytes} are taken "
                "(collection.max_source_bytes of the recipe)",
            )

    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": _QuietLogger(),
        "cachedir": str(options.state_dir / "cache"),
        "ffmpeg_location": programs,
        "format": "bv*+ba/b",
        "format_sort": _PREFERRED,
        "merge_output_format": "mp4/mkv",
        "noplaylist": True,
        "playlist_items": "1",
        "match_filter": _refuse_live,
        "progress_hooks": [check_size],
        "socket_timeout": options.timeout_s,
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "extractor_retries": _RETRIES,
        "proxy": "" if options.direct else None,
    }


def _refuse_live(info: Mapping[str, Any], *, incomplete: bool) -> None:  # noqa: ARG001
    if info.get("live_status") in _LIVE:
        raise MediaError(Reason.LIVE, f"{info.get('id')}: a live stream has no end to wait for")


class _QuietLogger:
    """All that yt-dlp says is for debugging; what matters is in its exceptions."""

    def debug(self, message: str) -> None:
        log.debug("%s", message)

    warning = error = debug
