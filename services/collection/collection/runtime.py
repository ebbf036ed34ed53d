"""What this machine needs to have before a site is asked for anything."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from yt_dlp.globals import supported_js_runtimes
from yt_dlp.version import __version__

from s2s.errors import StageError

__all__ = ["check_runtime"]

_NEED_JAVASCRIPT = ("youtube.com", "youtu.be", "youtube-nocookie.com")


def check_runtime(source_url: str) -> None:
    """Make sure that a JavaScript runtime is here, if the site is one whose player needs it.

    Args:
        source_url: where sources live.

    Raises:
        StageError: if it is not.
    """
    host = urlsplit(source_url).hostname or ""
    if not any(host == name or host.endswith(f".{name}") for name in _NEED_JAVASCRIPT):
        return
    remedy = (
        "Install what services/collection/requirements.txt names (pip install deno yt-dlp-ejs), "
        "or use the service's image"
    )
    runtime = supported_js_runtimes.value["deno"]().info
    if runtime is None:
        raise StageError(
            f"{host}: its player runs JavaScript, and there is no runtime for it here: 'deno' is "
            f"neither beside Python nor on PATH, or does not start. {remedy}"
        )
    if not runtime.supported:
        raise StageError(
            f"{host}: its player needs a newer JavaScript runtime: {runtime.path} is deno "
            f"{runtime.version}, too old for yt-dlp {__version__}. {remedy}"
        )
    if find_spec("yt_dlp_ejs") is None:
        raise StageError(f"{host}: yt-dlp lacks its scripts for the site's player. {remedy}")
