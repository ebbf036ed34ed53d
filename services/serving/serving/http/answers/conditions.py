"""Conditional and range requests, as RFC 9110 has them (sections 13 and 14)."""

import re

from starlette.datastructures import Headers

__all__ = ["byte_range", "failed_condition"]

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
# Of a list; one that is empty counts for nothing (section 5.6.1.2).
_ELEMENT = re.compile(rf"\s*(?:({_TAG.pattern})\s*)?(?:,|$)")
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)-(\d*)\s*", re.IGNORECASE | re.ASCII)
# More digits than any size has, and than int() may be given.
_MOST_DIGITS = 18
_BEYOND = 10**_MOST_DIGITS


def failed_condition(headers: Headers, etag: str) -> int | None:
    """The status that a condition ends a GET or HEAD with: 412, 304, or None to go on.

    Args:
        headers: of the request. If-Match is compared strongly, If-None-Match weakly; both know
            lists and `*`. What is no list of tags is no condition.
        etag: of what is there; a strong one.
    """
    asked = _value(headers, "if-match")
    if asked is not None and not (asked.strip() == "*" or etag in _tags(asked)):
        return 412
    asked = _value(headers, "if-none-match")
    if asked is None:
        return None
    is_known = etag in [tag.removeprefix("W/") for tag in _tags(asked)]
    return 304 if asked.strip() == "*" or is_known else None


def byte_range(headers: Headers, etag: str, size: int) -> tuple[int, int, int]:
    """What a range asks for: the status of the answer, the first byte, and the one after the last.

    Several ranges, another unit, what is no range at all, and a range of another version
    (If-Range) ask for the whole.

    Args:
        headers: of a GET; other methods have no ranges.
        etag: of what is there; a strong one.
        size: its bytes.

    Returns:
        206 where a range is asked for, be it the whole: players take that for a file to seek in.
        200 without one, 416 if there is no such part.
    """
    whole, nothing = (200, 0, size), (416, 0, 0)
    match = _RANGE.fullmatch(_value(headers, "range") or "")
    is_other = headers.get("if-range", etag).strip() != etag
    if match is None or match.groups() == ("", "") or is_other:
        return whole
    first, last = match.groups()
    if not first:
        return (206, max(0, size - _number(last)), size) if _number(last) and size else nothing
    start, end = _number(first), _number(last) if last else _BEYOND
    if end < start:
        return whole  # not a range at all
    return (206, start, min(end + 1, size)) if start < size else nothing


def _value(headers: Headers, name: str) -> str | None:
    """All lines of a header as one; None without any."""
    lines = headers.getlist(name)
    return ", ".join(lines) if lines else None


def _tags(asked: str) -> list[str]:
    tags, at = [], 0
    while at < len(asked):
        element = _ELEMENT.match(asked, at)
        if element is None:
            return []
        tags += [element[1]] if element[1] else []
        at = element.end()
    return tags


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return _BEYOND if len(digits) > _MOST_DIGITS else int(digits or "0")
