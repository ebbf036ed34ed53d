"""One source, or a section of one, through yt-dlp: from a URL to a file in an empty directory."""

import errno
import logging
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.utils import YoutubeDLError

from collection.network.connection import check_cookies, proxy_of
from collection.network.failures import explain, is_disk_full, reason_of
from collection.network.gate import Gate, GateRules
from collection.programs import Programs
from s2s.errors import MediaError, StageError
from s2s.reasons import Reason
from s2s.settings import CollectionSettings, Settings

__all__ = ["DownloadOptions", "download", "lies_in_section"]

log = logging.getLogger(__name__)

_WHOLE = "bv*+ba/b"
# Only mp4 says where in its first group of pictures a section starts (by an edit list).
_SECTION = "bv*[ext=mp4]+ba[ext=m4a]/b[ext=mp4]"
# Of ffmpeg's protocols only these go through the gate; the rest of them are what they are made of.
_ONLY_HTTP = ("-protocol_whitelist", "http,https,httpproxy,tls,tcp,crypto,data")
# What is said of a section, of which the whole may be had: that there is no mp4, and that ffmpeg
# failed, which does not say why.
_OF_SECTIONS = ("Requested format is not available", "ffmpeg exited with")
_RETRIES = 3
_LIVE = {"is_live", "is_upcoming", "post_live"}
_thread = threading.local()


@dataclass(frozen=True)
class DownloadOptions:
    """How sources are downloaded.

    Attributes:
        state_dir: what yt-dlp keeps between runs, and the programs that it starts.
        site: the recipe's settings.
        cookies_file: cookies; None for none.
    """

    state_dir: Path
    site: CollectionSettings
    cookies_file: Path | None = None

    @classmethod
    def of_run(cls, settings: Settings) -> "DownloadOptions":
        """What a run's settings say.

        Raises:
            SettingsError: if the cookies file cannot be used, or the proxy is no URL of one.
        """
        site = settings.recipe.collection
        cookies = settings.recipe_path.parent / site.cookies_file if site.cookies_file else None
        if cookies is not None:
            check_cookies(cookies)
        proxy_of(site)
        state_dir = settings.work_dir.absolute() / "yt-dlp"
        return cls(state_dir, site, cookies)

    @property
    def programs(self) -> Programs:
        """What yt-dlp may start."""
        return Programs(self.state_dir / "programs")


def download(
    url: str, target: Path, options: DownloadOptions, section_s: tuple[float, float] | None = None
) -> Path:
    """Download a source, or a section of it.

    Args:
        url: where it is: a page that yt-dlp understands, or a video file.
        target: path of the file, without a suffix, in an empty directory.
        options: how.
        section_s: start and end of what is wanted, in seconds; None for the whole. A section is
            an mp4 that starts there exactly, for a reader that honours its edit list.

    Returns:
        the file, with the suffix of its format.

    Raises:
        MediaError: with the reason, if the source cannot be had.
        OSError: with ENOSPC if the disk is full.
        StageError: if the file of cookies is not on this machine.
    """
    client, gate = _client(options, in_sections=section_s is not None)
    client.params["paths"] = {"home": str(target.parent)}
    client.params["outtmpl"] = {"default": f"{target.name}.%(ext)s"}
    if section_s is not None:
        ranges = [{"start_time": section_s[0], "end_time": section_s[1]}]
        client.params["download_ranges"] = lambda *_: iter(ranges)  # type: ignore[typeddict-item]
    try:
        with _watched(gate, url, options.site.max_download_s):
            client.extract_info(url)
    except YoutubeDLError as error:
        if gate is not None and gate.problem is not None:
            raise MediaError(gate.problem.reason, f"{url}: {gate.problem.message}") from error
        if is_disk_full(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        raise MediaError(reason_of(error), f"{url}: {explain(error)}") from error
    found = [path for path in target.parent.iterdir() if path.stem == target.name]
    if not found:
        raise MediaError(Reason.NO_VIDEO, f"{url}: yt-dlp finds no video there")
    return found[0]


def lies_in_section(error: MediaError) -> bool:
    """Whether a section failed for a reason that need not hold for the whole source."""
    return error.reason == Reason.CORRUPT or any(text in error.message for text in _OF_SECTIONS)


def _watched(gate: Gate | None, url: str, limit_s: float) -> AbstractContextManager[None]:
    return nullcontext() if gate is None else gate.watch(url, limit_s)


def _client(options: DownloadOptions, *, in_sections: bool) -> tuple[YoutubeDL, Gate | None]:
    """This thread's yt-dlp: it takes 0.1 s to make one, and two threads cannot share one."""
    if getattr(_thread, "made_for", None) != (options, in_sections):
        proxy = proxy_of(options.site)
        # Only HTTP is passed on; a SOCKS proxy decides for itself where it leads.
        rules = _gate_rules(options.site, proxy)
        gate = Gate(rules) if proxy.startswith("http://") or not proxy else None
        params = _params(options, in_sections=in_sections)
        params["proxy"] = gate.url if gate else proxy
        _thread.client, _thread.gate = YoutubeDL(params), gate
        _thread.made_for = (options, in_sections)
    return _thread.client, _thread.gate


def _gate_rules(site: CollectionSettings, proxy: str) -> GateRules:
    url = urlsplit(site.source_url)
    own_port = url.port or (443 if url.scheme == "https" else 80)
    speed = site.max_bytes_per_s and site.max_bytes_per_s / site.workers / 2
    return GateRules(
        own_site=((url.hostname or "").casefold(), own_port),
        allows_private=site.private_addresses,
        timeout_s=site.timeout_s,
        min_bytes_per_s=min(site.min_bytes_per_s, speed or site.min_bytes_per_s),
        proxy=proxy,
    )


def _params(options: DownloadOptions, *, in_sections: bool) -> Any:  # yt-dlp's type has no name
    options.programs.write()
    programs = str(options.programs.folder)
    # Parts of yt-dlp look for ffmpeg on PATH only.
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    site = options.site
    speed = site.max_bytes_per_s and max(1, site.max_bytes_per_s // site.workers)
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": _QuietLogger(),
        "cachedir": str(options.state_dir / "cache"),
        "ffmpeg_location": programs,
        "js_runtimes": {"quickjs": {"path": str(options.programs.qjs)}},
        "format": _SECTION if in_sections else _WHOLE,
        "format_sort": _preferences(site),
        "merge_output_format": "mp4/mkv",
        "noplaylist": True,
        "playlist_items": "1",
        "match_filter": _refuse_live,
        "progress_hooks": [_SizeLimit(site.max_source_bytes)],
        "socket_timeout": site.timeout_s,
        # The same for ffmpeg, which downloads sections.
        "external_downloader_args": {
            "ffmpeg_i": ["-rw_timeout", f"{site.timeout_s * 1e6:.0f}", *_ONLY_HTTP]
        },
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "extractor_retries": _RETRIES,
        "ratelimit": speed,
        "sleep_interval": site.sleep_s,
        "max_sleep_interval": 2 * site.sleep_s,
        "cookiefile": _cookies(options.cookies_file),
    }


def _cookies(path: Path | None) -> str | None:
    """Where cookies are; yt-dlp would do without a file that is not there."""
    if path is not None and not path.is_file():
        raise StageError(
            f"collection.cookies_file: {path} is not there on {socket.gethostname()}: every node "
            "of a cluster is to have it under this name"
        )
    return None if path is None else str(path)


def _preferences(site: CollectionSettings) -> list[str]:
    codec = [] if site.codec == "any" else [f"vcodec:{site.codec}"]
    return [f"res:{site.max_height_px}", *codec, "acodec:aac", "ext:mp4:m4a"]


class _SizeLimit:
    """Refuses large files; max_filesize would leave them out without an error."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes

    def __call__(self, progress: Mapping[str, Any]) -> None:
        size = max(progress.get("total_bytes") or 0, progress.get("downloaded_bytes") or 0)
        if size > self.max_bytes:
            raise MediaError(
                Reason.REFUSED,
                f"the source has {size} bytes or more, at most {self.max_bytes} are taken "
                "(collection.max_source_bytes of the recipe)",
            )


def _refuse_live(info: Mapping[str, Any], *, incomplete: bool) -> None:  # noqa: ARG001
    if info.get("live_status") in _LIVE:
        raise MediaError(Reason.LIVE, f"{info.get('id')}: a live stream has no end to wait for")


class _QuietLogger:
    """All that yt-dlp says is for debugging; what matters is in its exceptions."""

    def debug(self, message: str) -> None:
        log.debug("%s", message)

    warning = error = debug
