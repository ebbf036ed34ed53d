"""From what yt-dlp raises to a reason code: by type and HTTP status first, by message second."""

import errno
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    GeoRestrictedError,
    PostProcessingError,
    UnsupportedError,
    UserNotLive,
)

from s2s.reasons import Reason

__all__ = ["explain", "is_disk_full", "is_server_error", "reason_of", "wait_s_of"]

_STATUS = {
    401: Reason.LOGIN,
    403: Reason.FORBIDDEN,
    404: Reason.GONE,
    408: Reason.TIMEOUT,
    410: Reason.GONE,
    429: Reason.RATE_LIMITED,
    451: Reason.GEO,
    504: Reason.TIMEOUT,
}
_TYPES: tuple[tuple[type[Exception], Reason], ...] = (
    (GeoRestrictedError, Reason.GEO),
    (UserNotLive, Reason.LIVE),
    (UnsupportedError, Reason.NO_VIDEO),
    (ContentTooShortError, Reason.NETWORK),
    (PostProcessingError, Reason.CORRUPT),
)
# YouTube's own words, which yt-dlp passes on. The first that fits wins: "Video unavailable" comes
# in front of most of them, so it is asked for last.
_MESSAGES = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"not a bot|captcha challenge", Reason.BOT_CHECK),
        (
            r"rate-limited|too many requests|content isn.t available|try again later",
            Reason.RATE_LIMITED,
        ),
        (
            r"members.only|join this channel|channel.s members|premium members|requires payment",
            Reason.MEMBERS,
        ),
        (r"private video|video is private", Reason.PRIVATE),
        (r"confirm your age|age.restricted|inappropriate for some users", Reason.AGE),
        (r"in your country|from your location|geo.?restrict", Reason.GEO),
        (r"DRM protected", Reason.DRM),
        (r"live event|live stream|premieres? (in|will)|not currently live", Reason.LIVE),
        (r"registered users|login details|sign in|log ?in required", Reason.LOGIN),
        (
            r"video unavailable|(video|it) is (unavailable|not available)|no longer available"
            r"|has been (removed|terminated)|does not exist|on copyright grounds",
            Reason.GONE,
        ),
        (r"timed out", Reason.TIMEOUT),
        (
            r"giving up after|more expected|connection|did not get any data|ffmpeg exited with",
            Reason.NETWORK,
        ),
    )
)
_ADVICE = re.compile(r";? *please report this issue on .*", re.DOTALL)
_MAX_MESSAGE = 300
# No site means more than a day.
_MAX_WAIT_S = 24 * 3600.0


def reason_of(error: BaseException) -> Reason:
    """Say why a download failed."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, HTTPError):
            return _STATUS.get(
                cause.status, Reason.NETWORK if cause.status >= 500 else Reason.UNKNOWN
            )
        for kind, reason in _TYPES:
            if isinstance(cause, kind):
                return reason
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return Reason.TIMEOUT
    for pattern, reason in _MESSAGES:
        if pattern.search(str(error)):
            return reason
    if any(isinstance(cause, TransportError) for cause in causes):
        return Reason.NETWORK
    return Reason.UNKNOWN


def explain(error: BaseException) -> str:
    """What yt-dlp says, without its advice to report a bug."""
    text = _ADVICE.sub("", str(error).removeprefix("ERROR: "))
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


def is_disk_full(error: BaseException) -> bool:
    """Whether a full disk is behind an error, also where ffmpeg met it."""
    return os.strerror(errno.ENOSPC) in str(error) or any(
        isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}
        for cause in _causes(error)
    )


def wait_s_of(error: BaseException) -> float | None:
    """How long a site asks us to wait (its header Retry-After), in seconds; None if it does not."""
    for cause in _causes(error):
        if isinstance(cause, HTTPError):
            return _wait_s(cause.response.headers.get("Retry-After") or "")
    return None


def is_server_error(error: BaseException) -> bool:
    """Whether a server had a fault of its own (HTTP 5xx), which the next request may not meet."""
    return any(isinstance(cause, HTTPError) and cause.status >= 500 for cause in _causes(error))


def _wait_s(retry_after: str) -> float | None:
    """Read the header: seconds, or a date (RFC 9110, 10.2.3)."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), _MAX_WAIT_S)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, (date - datetime.now(UTC)).total_seconds()), _MAX_WAIT_S)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it, wherever yt-dlp and its HTTP libraries keep that."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        linked = (
            getattr(current, "cause", None),
            (getattr(current, "exc_info", None) or (None, None))[1],
            current.__cause__,
            current.__context__,
        )
        waiting += [cause for cause in linked if isinstance(cause, BaseException)]
