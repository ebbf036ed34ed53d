"""Names of files: from a client's to one that means nothing in a path or a header."""

import re
from pathlib import PurePath

__all__ = ["plain_stem"]

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 80


def plain_stem(file_name: str) -> str:
    """The client's name for its file without its extension and without its paths."""
    stem = PurePath(file_name.replace("\\", "/")).stem
    return _NOT_IN_A_NAME.sub("_", stem)[:_LONGEST_NAME].strip("._") or "video"
