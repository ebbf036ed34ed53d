"""API keys, kept as hashes, and how often each may be used."""

import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from s2s.errors import SettingsError
from serving.access.sessions import COOKIE, Sessions
from serving.problems import Problem

__all__ = ["KeyRing", "RateLimit", "add_key"]

log = logging.getLogger(__name__)

_PREFIX = "s2s_"
_NAMED = "name sha256-of-the-key"
_HASH = re.compile(r"[0-9a-f]{64}")
_State = tuple[int, int, int] | None


def add_key(path: Path, name: str) -> str:
    """Make a key, and note its hash in a file.

    Args:
        path: the file; made, readable for its owner only, when it is missing.
        name: whose key it is; one word.

    Returns:
        the key, which is kept nowhere.

    Raises:
        SettingsError: if the name is not one word, or there already.
    """
    if not name or len(name.split()) != 1 or name.startswith("#"):
        raise SettingsError(f"{name!r}: name the key with one word")
    if path.exists() and name in KeyRing.load(path).names:
        raise SettingsError(f"{path}: has a key named {name!r} already: choose another name")
    key = _PREFIX + secrets.token_urlsafe(32)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(f"{name} {_hash(key)}\n")
    return key


class KeyRing:
    """Who may use the API: who is in the file of keys now, which is read again when it changes.

    A key is 256 random bits, so a plain SHA-256 keeps it: there is nothing to guess that a slow
    hash would make slower.

    Args:
        path: the file.
        state: what the file was like when it was read.
        names_by_hash: whose key it is, by its hash.
    """

    def __init__(self, path: Path, state: _State, names_by_hash: dict[str, str]) -> None:
        self._path = path
        self._state = state
        self._names_by_hash = names_by_hash

    @property
    def names(self) -> set[str]:
        """Whose keys there are."""
        return set(self._names_by_hash.values())

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Read a file of keys' hashes.

        Raises:
            SettingsError: if it cannot be read, or a line is not `name hash`.
        """
        state = _state_of(path)  # first: what changes meanwhile is read again
        return cls(path, state, _read_keys(path))

    def refresh(self) -> None:
        """Read the file again if it has changed; while it cannot be read, the keys stay."""
        state = _state_of(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._names_by_hash = _read_keys(self._path)
        except SettingsError as error:
            log.error("the keys stay as they were: %s", error)
        else:
            names = ", ".join(sorted(self.names)) or "nobody"
            log.warning("%s was read again: keys of %s", self._path, names)

    def owner(self, key: str) -> str | None:
        """The name of a key's owner; None for an unknown key."""
        self.refresh()
        digest, owner = _hash(key), None
        for known, name in self._names_by_hash.items():
            if hmac.compare_digest(known, digest):
                owner = name
        return owner

    def token(self, key: str, sessions: Sessions) -> str:
        """A cookie's value that stands for a key that is known."""
        return sessions.token(_hash(key))

    def check(self, request: Request, sessions: Sessions) -> str:
        """Whose request it is, by its bearer token, or by the cookie that the page has got.

        Raises:
            Problem: 401 without a key that is known.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            owner = self.owner(key.strip())
        else:
            owner = self._owner_of_session(sessions.key_hash(request.cookies.get(COOKIE, "")))
        if owner is None:
            raise Problem(
                401,
                "unauthorized",
                "Send a key that this server knows: 'Authorization: Bearer KEY'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return owner

    def _owner_of_session(self, start: str) -> str | None:
        """Whose key has a hash that starts so."""
        self.refresh()
        found = (name for known, name in self._names_by_hash.items() if known.startswith(start))
        return next(found, None) if start else None


@dataclass
class _Bucket:
    """What is left to somebody, and since when."""

    tokens: float
    at_s: float = field(default_factory=time.monotonic)


class RateLimit:
    """So many requests a minute for each user, as a bucket of tokens that fills again.

    Args:
        per_minute: requests; as many at once when none came for a minute. 0 for no limit.
    """

    _MOST_USERS = 10_000

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, _Bucket] = {}

    def check(self, user: str) -> None:
        """Count a request.

        Raises:
            Problem: 429 if it is one too many.
        """
        if not self._per_minute:
            return
        if len(self._buckets) >= self._MOST_USERS:
            self._forget()
        now, rate_hz = time.monotonic(), self._per_minute / 60
        bucket = self._buckets.setdefault(user, _Bucket(self._per_minute))
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.at_s) * rate_hz)
        bucket.at_s = now
        if bucket.tokens < 1:
            wait_s = int((1 - bucket.tokens) / rate_hz) + 1
            raise Problem(
                429,
                "rate-limited",
                f"At most {self._per_minute} requests a minute are taken. Wait {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        bucket.tokens -= 1

    def _forget(self) -> None:
        """Drop the buckets that are full again."""
        long_ago = time.monotonic() - 60
        self._buckets = {
            user: bucket for user, bucket in self._buckets.items() if bucket.at_s > long_ago
        }


def _state_of(path: Path) -> _State:
    """What changes with a file's content: inode, time of change in ns, bytes; None of none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_keys(path: Path) -> dict[str, str]:
    """Names of keys' owners, by the keys' hashes."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as a file of keys ({error})") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, digest = line.strip().partition(" ")
        digest = digest.strip().lower()
        if not _HASH.fullmatch(digest):
            raise SettingsError(f"{path}:{number}: not a line of the form '{_NAMED}'")
        found[digest] = name
    return found


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
