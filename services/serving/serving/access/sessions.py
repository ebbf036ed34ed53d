"""Cookies of the page: signed tokens that stand for a key, and are not the key."""

import hmac
import os
import secrets
import time
from hashlib import sha256
from pathlib import Path

from serving.jobs.store import JobStore

__all__ = ["COOKIE", "Sessions"]

COOKIE = "s2s_session"
LIFETIME_S = 7 * 24 * 3600
_SECRET_BYTES = 32


class Sessions:
    """Makes and reads tokens.

    A token is a key's hash, shortened, the second in which it ends, and a signature of both: it
    needs no memory, and ends with its key.

    Args:
        secret: signs them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of_folder(cls, folder: Path) -> "Sessions":
        """With the secret that a folder keeps; made, for its owner alone, when it is missing."""
        path = folder / "session.secret"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        secret = secrets.token_bytes(_SECRET_BYTES)
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
        return cls(secret)

    @classmethod
    def of_store(cls, store: JobStore) -> "Sessions":
        """With the secret that servers agree on, so that a cookie of one is good for all."""
        return cls(bytes.fromhex(store.agreed("session", secrets.token_hex(_SECRET_BYTES))))

    def token(self, key_hash: str) -> str:
        """A token for a key, by its hash."""
        claim = f"{key_hash[:16]}.{int(time.time()) + LIFETIME_S}"
        return f"{claim}.{self._signature(claim)}"

    def key_hash(self, token: str) -> str:
        """The start of the hash of the key that a token stands for; empty if it stands for none."""
        claim, _, signature = token.rpartition(".")
        start, _, until = claim.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(claim).encode()):
            return ""
        return start if int(until) > time.time() else ""

    def _signature(self, claim: str) -> str:
        return hmac.new(self._secret, claim.encode(), sha256).hexdigest()
