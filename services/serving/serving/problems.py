"""Errors as RFC 9457 problem documents: what was wrong, and what to do."""

import errno
import logging
import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from s2s.errors import (
    BucketUnavailableError,
    MediaError,
    ModelError,
    S2SError,
    UnsupportedMediaError,
    what_is_meant,
)
from serving.jobs.database import DatabaseUnavailableError

__all__ = [
    "TITLES",
    "Problem",
    "ProblemDocument",
    "being_loaded",
    "bucket_away",
    "disk_full",
    "invalid_fields",
    "not_loaded",
    "plain_words",
    "problem_of",
    "unknown_name",
]

log = logging.getLogger(__name__)

_TYPE_PREFIX = "urn:problem-type:s2s:"
_RETRY_AFTER_S = 10
_NAME_HERE = re.compile(r"^[\w.-]+: ")
# Of names of files, not of the command ./s2s nor of a bucket gs://NAME.
_BUCKET = "gs://"
_FOLDERS = re.compile(rf"(?<![^\s'\"(])(?!\./s2s |{_BUCKET}[^\s/]+(?!\S))[^\s'\"(]*/(?=[^\s/])")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_WHOLE_NUMBER = "must be a whole number, such as 7"
_NUMBER = "must be a number, such as 7 or 2.5"
# By pydantic's names of errors, with the values that it gives with each.
_WORDS = {
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_type": "must be text",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
}

TITLES = {
    "bad-request": "The request cannot be read",
    "too-large": "The upload is too large",
    "headers-too-large": "The headers are too large",
    "unsupported-type": "This kind of file is not accepted",
    "unusable-video": "The file cannot be used",
    "invalid-fields": "A field is missing or wrong",
    "other-request": "The request is another one",
    "too-slow": "The upload takes too long",
    "unauthorized": "A key is needed",
    "other-site": "The request comes from another site",
    "unknown-host": "The server has another name",
    "rate-limited": "Too many requests",
    "queue-full": "The queue is full",
    "no-such-job": "There is no such job",
    "no-such-file": "The job has no such file",
    "not-done": "The job is not done yet",
    "condition": "The result is another one",
    "range": "There is no such part of the result",
    "not-ready": "The server takes no work now",
    "not-loaded": "There is no model that can be used",
    "bucket-away": "Results cannot be reached now",
    "disk-full": "The server has no room for the upload",
    "internal": "The server made a mistake",
    "not-implemented": "The server cannot do this",
}
"""Every kind of problem; docs/api.md says when each occurs."""


class ProblemDocument(BaseModel):
    """A problem as a client sees it.

    Attributes:
        type: a name for this kind of problem that never changes.
        title: the kind of problem in words.
        status: the HTTP status.
        detail: what was wrong this time, and what to do.
        reason: for an unusable video, the reason code that the pipeline uses too.
        errors: for invalid fields, what is wrong with each.
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None
    errors: list[dict[str, str]] | None = None


class Problem(Exception):  # noqa: N818 - the name that RFC 9457 gives it
    """Ends a request with a problem document.

    Args:
        status: the HTTP status.
        kind: one of the kinds in docs/api.md, such as "too-large".
        detail: what was wrong, and what to do.
        members: further members of the document, `reason` or `errors`.
        headers: headers of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, kind, detail)
        self.kind = kind
        self.headers = headers
        self.document = ProblemDocument(
            type=_TYPE_PREFIX + kind,
            title=TITLES[kind],
            status=status,
            detail=detail,
            **(members or {}),
        )


def problem_of(error: BaseException) -> Problem:
    """The problem that an error is told as; one that is not foreseen is logged."""
    if isinstance(error, Problem | ModelError):
        return error if isinstance(error, Problem) else not_loaded(error)
    if isinstance(error, UnsupportedMediaError):
        return Problem(415, "unsupported-type", _sentence(error.plain_message))
    if isinstance(error, MediaError):
        if error.cause:
            log.info("a file that cannot be used: %s", error.cause)
        detail = _sentence(error.plain_message)
        return Problem(422, "unusable-video", detail, {"reason": str(error.reason)})
    if isinstance(error, BucketUnavailableError | DatabaseUnavailableError):
        return _away(error)
    if _is_full(error) or _is_short_of_memory(error):
        log.error("the disk is full, or memory is short: %s", error)
        return disk_full() if _is_full(error) else _memory_short()
    # The error itself is only logged: it may tell more about this machine than a client should
    # know.
    log.error("not foreseen", exc_info=error)
    return Problem(500, "internal", "This is a fault of the server, which has logged it.")


def _sentence(message: str) -> str:
    """What is told of a file, without the name that it has here."""
    told = _NAME_HERE.sub("", message)
    return f"{told[:1].upper()}{told[1:]}" + ("" if told.endswith(".") else ".")


def _later(kind: str, detail: str) -> Problem:
    return Problem(503, kind, detail, headers={"Retry-After": str(_RETRY_AFTER_S)})


def _away(error: BucketUnavailableError | DatabaseUnavailableError) -> Problem:
    if isinstance(error, BucketUnavailableError):
        log.error("the bucket is away: %s", error)
        return bucket_away()
    log.error("the jobs are away: %s", error)
    return _later("not-ready", "The server cannot reach its jobs. Try again in a while.")


def _memory_short() -> Problem:
    return _later("not-ready", "The server has too little memory now. Try again in a while.")


def _is_short_of_memory(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOMEM


def not_loaded(error: BaseException) -> Problem:
    """The problem of a model that could not be loaded: why, without this machine's folders."""
    why = "the server's log says why"
    if isinstance(error, S2SError):
        why = _FOLDERS.sub("", str(error).partition("\n")[0])
    if not _NAME_HERE.match(why.removeprefix(_BUCKET)):  # names of files stay as they are
        why = f"{why[:1].upper()}{why[1:]}"
    return _later("not-loaded", why.removesuffix(".") + ".")


def being_loaded() -> Problem:
    """The problem of a model that is on its way."""
    return _later("not-ready", "The model is being loaded. Try again in a few seconds.")


def bucket_away() -> Problem:
    """The problem of a bucket that does not answer."""
    return _later("bucket-away", "The server cannot reach its results. Try again in a while.")


def disk_full() -> Problem:
    """The problem of a disk without room."""
    detail = "The server's disk is full. Try again later, or with a smaller file."
    return Problem(507, "disk-full", detail)


def _is_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what is told in detail
        return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
    return isinstance(error, OSError) and error.errno in _FULL


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """What is told of a name that nothing has: the one that was probably meant, or all."""
    return f"there is no such {kind}; {what_is_meant(name, known)}"


def plain_words(item: Mapping[str, Any]) -> str:
    """What is wrong with a field, of what pydantic says: the common cases in our own words."""
    known = _WORDS.get(item.get("type", ""))
    if known is None:
        return str(item["msg"]).removeprefix("Value error, ")
    return known.format(**item.get("ctx", {}))


def invalid_fields(found: Sequence[Any], known: Collection[str] = ()) -> Problem:
    """The problem of fields that pydantic does not take.

    What is wrong with several fields together is told of each of them.

    Args:
        found: pydantic's errors.
        known: names of the fields that they may be about.
    """
    errors: list[dict[str, str]] = []
    told: list[str] = []
    for item in found:
        field, detail = ".".join(map(str, item["loc"])), plain_words(item)
        told.append(f"{field}: {detail}" if field else detail)
        named = [field] if field else _named_in(detail, known)
        errors += [{"field": name, "detail": detail} for name in named]
    return Problem(422, "invalid-fields", "; ".join(told), {"errors": errors})


def _named_in(detail: str, known: Collection[str]) -> list[str]:
    """Fields that a sentence names, as it names them; all where it names none."""
    named = [word for word in dict.fromkeys(re.findall(r"\w+", detail)) if word in known]
    return named or list(known)
