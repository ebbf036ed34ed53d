"""From yt-dlp's errors to reason codes: what it raises, and what YouTube says through it."""

import errno
import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, ProxyError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    PostProcessingError,
    UnavailableVideoError,
    UnsupportedError,
    UserNotLive,
    YoutubeDLError,
)

from collection.network.failures import explain, is_disk_full, reason_of
from s2s.reasons import Reason


def raised(cause: Exception, message: str = "ERROR: it failed") -> DownloadError:
    """As yt-dlp's extraction raises it: the cause is in `exc_info` only."""
    try:
        raise cause
    except type(cause) as error:
        assert error.__traceback__ is not None
        found = (type(error), error, error.__traceback__)
    return DownloadError(message, found)


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://127.0.0.1/x.mp4", {}, status=status))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.LOGIN),
        (403, Reason.FORBIDDEN),
        (404, Reason.GONE),
        (410, Reason.GONE),
        (418, Reason.UNKNOWN),
        (429, Reason.RATE_LIMITED),
        (451, Reason.GEO),
        (500, Reason.NETWORK),
        (503, Reason.NETWORK),
        (504, Reason.TIMEOUT),
    ],
)
def test_http_status(status: int, reason: Reason):
    assert reason_of(raised(http_error(status))) is reason
    extraction = ExtractorError("Unable to download webpage", cause=http_error(status))
    assert reason_of(raised(extraction)) is reason


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (GeoRestrictedError("not for you"), Reason.GEO),
        (UserNotLive(), Reason.LIVE),
        (UnsupportedError("http://127.0.0.1/page"), Reason.NO_VIDEO),
        (ContentTooShortError(10, 100), Reason.NETWORK),
        (PostProcessingError("Conversion failed!"), Reason.CORRUPT),
        (TransportError(cause=TimeoutError()), Reason.TIMEOUT),
        (TransportError("Read timed out. (read timeout=20.0)"), Reason.NETWORK),
        (TransportError(cause=ConnectionRefusedError()), Reason.NETWORK),
        (ProxyError("no way"), Reason.NETWORK),
        (ValueError("a bug"), Reason.UNKNOWN),
    ],
)
def test_exception_type(cause: Exception, reason: Reason):
    assert reason_of(raised(cause)) is reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Sign in to confirm you’re not a bot. This helps protect our community", "bot_check"),
        ("Video unavailable. YouTube is requiring a captcha challenge before play", "bot_check"),
        (
            "This content isn't available, try again later. The current session has been "
            "rate-limited by YouTube for up to an hour",
            "rate_limited",
        ),
        ("Video unavailable. This content isn’t available.", "rate_limited"),
        (
            "Join this channel to get access to members-only content like this video, and other "
            "exclusive perks.",
            "members",
        ),
        (
            "This video is available to this channel's members on level: Supporter (or any "
            "higher level).",
            "members",
        ),
        ("This video requires payment to watch", "members"),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("This video is private. If the owner has granted you access, sign in", "private"),
        (
            "Sign in to confirm your age. This video may be inappropriate for some users.",
            "age",
        ),
        (
            "Video unavailable. The uploader has not made this video available in your country",
            "geo",
        ),
        (
            "Video unavailable. This video contains content from SME, who has blocked it in your "
            "country on copyright grounds",
            "geo",
        ),
        ("This video is DRM protected", "drm"),
        ("This live event will begin in 46 minutes.", "live"),
        ("Premieres in 3 hours", "live"),
        ("This live stream recording is not available.", "live"),
        ("Please sign in. Use --cookies-from-browser or --cookies", "login"),
        ("Video unavailable", "gone"),
        ("Video unavailable. This video has been removed by the uploader", "gone"),
        (
            "Video unavailable. This video is no longer available because the YouTube account "
            "associated with this video has been terminated.",
            "gone",
        ),
        (
            "Video unavailable. This video contains content from UMG, who has blocked it on "
            "copyright grounds",
            "gone",
        ),
        (
            "This video has been removed for violating YouTube's policy on hate speech.",
            "gone",
        ),
        (
            "Got error: 161921 bytes read, 161921 more expected. Giving up after 3 retries",
            "network",
        ),
        ("Did not get any data blocks", "network"),
        ("HTTPConnectionPool(host='127.0.0.1', port=1): Read timed out.", "timeout"),
        ("Requested format is not available. Use --list-formats", "unknown"),
        ("Failed to extract any player response", "unknown"),
    ],
)
def test_message(message: str, reason: str):
    error = DownloadError(f"ERROR: [youtube] -aBcDeFgHiJ: {message}")
    assert reason_of(error) == reason


def test_a_status_outweighs_what_the_message_says():
    error = raised(http_error(404), "ERROR: [youtube] x: Sign in to confirm you're not a bot")
    assert reason_of(error) is Reason.GONE


def test_a_full_disk_is_found_behind_any_error():
    full = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(raised(full))
    wrapped = UnavailableVideoError(str(full))
    wrapped.__cause__ = full
    assert is_disk_full(wrapped)
    assert is_disk_full(
        PostProcessingError("av_interleaved_write_frame(): No space left on device")
    )
    assert not is_disk_full(raised(OSError(errno.EACCES, "Permission denied")))


def test_errors_that_point_at_each_other_end():
    first, second = YoutubeDLError("a"), YoutubeDLError("b")
    first.__cause__, second.__cause__ = second, first
    assert reason_of(first) is Reason.UNKNOWN


def test_the_explanation_is_short_and_free_of_advice():
    error = ExtractorError("Unable to extract uploader id", video_id="abc")
    assert "report this issue" in str(error)
    assert explain(raised(error, f"ERROR: {error}")) == ("abc: Unable to extract uploader id")
    assert len(explain(DownloadError("ERROR: " + "x" * 5000))) == 300
