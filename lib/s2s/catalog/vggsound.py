"""VGGSound's catalog: `id,start in seconds,label[,split]`, without a header and without an end."""

import csv
import math
import re
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from s2s.records import ClipRecord

__all__ = ["read_rows"]

_COLUMNS = (3, 4)
_MAX_START_S = 24 * 3600.0
# "|" separates labels in split manifests.
_NOT_IN_LABELS = re.compile(r"[\x00-\x1f\x7f|]")


def read_rows(lines: Iterable[bytes], duration_s: float) -> Iterator[tuple[int, ClipRecord | str]]:
    """Read rows one by one; blank lines are left out.

    Args:
        lines: the file's lines, without their ends.
        duration_s: length of every clip, which the format does not give.

    Yields:
        a row's line number, from 1, and its clip, or what is wrong with it.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, _clip(line.decode("utf-8"), duration_s)
        except UnicodeDecodeError:
            yield number, "is not UTF-8 text"
        except ValidationError as error:
            first = error.errors()[0]
            yield number, f"{first['loc'][0]} {first['input']!r}: {first['msg']}"
        except (ValueError, csv.Error) as error:
            yield number, str(error)


def _clip(line: str, duration_s: float) -> ClipRecord:
    # Each line by itself, as no label has a line break: an open quote costs one row, not all.
    fields = [text.strip() for text in next(csv.reader([line], strict=True))]
    if len(fields) not in _COLUMNS:
        raise ValueError(
            f"has {len(fields)} columns, not id,start,label[,split]; "
            "a label with a comma needs quotes"
        )
    source_id, start, label, *split = fields
    start_s = _seconds(start)
    if _NOT_IN_LABELS.search(label):
        raise ValueError(f"label {label!r} holds '|' or a control character")
    return ClipRecord(
        source_id=source_id,
        start_s=start_s,
        end_s=start_s + duration_s,
        labels=(label,) if label else (),
        split=next(iter(split), None) or None,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"start {text!r} is not a number of seconds") from None
    if not (math.isfinite(seconds) and 0 <= seconds <= _MAX_START_S):
        raise ValueError(f"start {text!r} is not between 0 and {_MAX_START_S:.0f} seconds")
    return seconds
