"""How the site is reached: cookies and the proxy, looked at before the first request."""

import ipaddress
from http.cookiejar import LoadError
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from yt_dlp.cookies import YoutubeDLCookieJar
from yt_dlp.utils import YoutubeDLError

from s2s.errors import SettingsError
from s2s.settings import CollectionSettings

__all__ = ["check_cookies", "proxy_of"]

_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_cookies(path: Path) -> None:
    """Make sure that a file holds cookies in Netscape's format, as yt-dlp reads them.

    Raises:
        SettingsError: if it does not.
    """
    remedy = "Export it from a browser in Netscape's format, or leave the setting out"
    if not path.is_file():
        raise SettingsError(f"collection.cookies_file: {path} is not there. {remedy}")
    try:
        if path.read_bytes().startswith(_BYTE_ORDER_MARK):
            raise SettingsError(
                f"collection.cookies_file: {path} begins with a byte order mark, which is not "
                "read. Save it as UTF-8 without one"
            )
        jar = YoutubeDLCookieJar(str(path))
        jar.load()
    except (LoadError, YoutubeDLError, UnicodeDecodeError, ValueError) as error:
        raise SettingsError(
            f"collection.cookies_file: {path} is not in Netscape's format ({error}). {remedy}"
        ) from error
    except OSError as error:
        raise SettingsError(
            f"collection.cookies_file: {path} cannot be read ({error.strerror})"
        ) from error
    if not len(jar):
        raise SettingsError(f"collection.cookies_file: {path} holds no cookie. {remedy}")


def proxy_of(site: CollectionSettings) -> str:
    """The proxy that a site is reached through: the recipe's, or the environment's; empty for none.

    Raises:
        SettingsError: if it is no URL of a proxy.
    """
    host = urlsplit(site.source_url).hostname or ""
    if _is_this_machine(host):
        return ""
    found = getproxies()
    of_environment = "" if proxy_bypass(host) else found.get("https") or found.get("http") or ""
    name = "collection.proxy" if site.proxy else "the proxy of the environment"
    proxy = site.proxy or of_environment or ("" if proxy_bypass(host) else found.get("all", ""))
    if not proxy:
        return ""
    if not site.proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        url = urlsplit(proxy)
        is_usable = url.scheme in _PROXY_SCHEMES and bool(url.hostname) and url.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SettingsError(
            f"{name}: {proxy!r} is no URL of a proxy. Write it as http://HOST:PORT or "
            "socks5://HOST:PORT"
        )
    return proxy


def _is_this_machine(host: str) -> bool:
    """Whether a host is this machine, which no proxy can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
