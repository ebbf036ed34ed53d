"""What a cell says: times, numbers, labels, ids of sources. Foreign text is read strictly."""

import math
import re
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from s2s.layout import folder_name

__all__ = [
    "MAX_S",
    "as_number",
    "check_label",
    "face_position",
    "fixed",
    "label_texts",
    "number",
    "seconds",
    "source_id_of",
    "without_gaps",
]

MAX_S = 24 * 3600.0
"""No source is longer than a day: a larger time is in other units."""

# float() would take "1_0" and digits of other scripts, too.
_NUMBER = re.compile(
    r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?|nan|inf(inity)?)", re.IGNORECASE
)
_COMMA = re.compile(r"[0-9]+,[0-9]+")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,2}):([0-9]{1,2})([.,][0-9]+)?")
# "|" separates labels in split manifests.
_NOT_IN_LABELS = re.compile(r"[\x00-\x1f\x7f|]")
_YOUTUBE = re.compile(
    r"(?:https?:)?(?://)?(?:www\.|m\.|music\.)?"
    r"(?:(?:youtube(?:-nocookie)?\.com)(?P<rest>[/?].*)|youtu\.be/(?P<short>[^/?#&]+).*)",
    re.IGNORECASE | re.DOTALL,
)
_IN_PATH = re.compile(r"/(?:embed|shorts|v|e|live|vi|watch)/(?P<id>[^/?#&]+)", re.IGNORECASE)


def as_number(value: object) -> float:
    """Read a number as ASCII digits have it.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, (int, float)):
        return float(value)
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def seconds(value: object, name: str) -> float:
    """Read a time: seconds, `mm:ss` or `hh:mm:ss`, these with a fraction or without.

    Raises:
        ValueError: if it is none, or more than a day.
    """
    try:
        clock = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
        time_s = as_number(value) if clock is None else _clock_s(clock)
    except (ValueError, OverflowError):
        text = str(value).strip()
        thousands = f" or {text.replace(',', '')}" * (text[-4:-3] == ",")
        comma = f": write {text.replace(',', '.')}{thousands}" * bool(_COMMA.fullmatch(text))
        raise ValueError(f"{name} {value!r} is not a number of seconds{comma}") from None
    if not (math.isfinite(time_s) and 0 <= time_s <= MAX_S):
        raise ValueError(
            f"{name} {value!r} is not between 0 and {MAX_S:.0f} seconds"
            f"{': is it in milliseconds?' * (clock is None and MAX_S < time_s < math.inf)}"
        )
    return time_s


def _clock_s(match: re.Match[str]) -> float:
    hours, minutes, whole, fraction = match.groups()
    if int(minutes) > 59 or int(whole) > 59:
        raise ValueError("a minute has 60 seconds")
    return (
        int(hours or 0) * 3600
        + int(minutes) * 60
        + float(whole + (fraction or "").replace(",", "."))
    )


def face_position(x: object, y: object) -> tuple[float, float]:
    """Read a face's position.

    Raises:
        ValueError: if it is not inside the picture.
    """
    try:
        position = (as_number(x), as_number(y))
    except (ValueError, OverflowError):
        raise ValueError(f"face position {x!r}, {y!r} is not two numbers") from None
    if not all(0 <= value <= 1 for value in position):
        raise ValueError(f"face position {x!r}, {y!r} is not two fractions of the picture")
    return position


def source_id_of(value: object) -> str:
    """The id in a cell: as it is, or out of a URL of YouTube, of any form.

    Raises:
        ValueError: if it is a URL of something else, or neither text nor a whole number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"source_id {value!r} is no text")
    text = str(value).strip()
    if match := _YOUTUBE.fullmatch(text):
        if found := match["short"] or _id_in(match["rest"]):
            return found
        raise ValueError(f"source_id {text!r}: is a URL of YouTube's without a video's id")
    if "://" in text:
        raise ValueError(
            f"source_id {text!r}: only URLs of YouTube's are read. Put the ids into the catalog, "
            "and what is around them into collection.source_url"
        )
    return text


def _id_in(rest: str) -> str | None:
    url = urlsplit(rest)
    query = parse_qs(url.query)
    in_path = _IN_PATH.match(url.path)
    found = query.get("v") or query.get("vi") or ([in_path["id"]] if in_path else [])
    return found[0].strip() if found else None


def without_gaps(value: object) -> object:
    """A cell's value, None where it says that there is none: empty text, or NaN as pandas has."""
    if value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def label_texts(values: Iterable[object]) -> list[str]:
    """Read labels; gaps are left out.

    Raises:
        ValueError: if one is neither text nor a number.
    """
    labels = []
    for value in map(without_gaps, values):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"label {value!r} is no text")
        labels.append(number(value) if isinstance(value, float) else str(value).strip())
    return labels


def check_label(label: str) -> str:
    """Refuse a label that split manifests or folders could not hold.

    Raises:
        ValueError: if it has a control character or a "|", or is too long to name a folder.
    """
    if _NOT_IN_LABELS.search(label):
        raise ValueError(f"label {label!r} holds '|' or a control character")
    folder_name(label)
    return label


def fixed(value: float, digits: int) -> str:
    """Write a number with so many digits behind its point, or with more where it needs them."""
    text = f"{value:.{digits}f}"
    return text if float(text) == value else number(value)


def number(value: float) -> str:
    """Write a number so that reading gives the same one; without a fraction where it has none."""
    return repr(float(value)).removesuffix(".0")
