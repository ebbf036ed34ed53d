"""Cookies of the page: signed tokens that stand for a key, and are not the key."""

import hmac
import os
import secrets
import time
from hashlib import sha256
from pathlib import Path

from serving.jobs.database import Database

__all__ = ["COOKIE", "LIFETIME_S", "SessionTable", "Sessions"]

COOKIE = "s2s_session"
LIFETIME_S = 7 * 24 * 3600
_SECRET_BYTES = 32
_NONCE_BYTES = 8


class SessionTable:
    """What is remembered of sessions, by all servers that share a database.

    Args:
        database: of the jobs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def agreed(self, name: str, value: str) -> str:
        """The value that servers agree on under a name: what the first one has said."""
        self._database.execute(
            "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", [name, value]
        )
        found = self._database.execute("SELECT value FROM secrets WHERE name = ?", [name])
        return found.fetchone()["value"]

    def end(self, signature: str, until_s: float) -> None:
        """Note that a session is over before its time; those whose time is over are forgotten."""
        self._database.execute("DELETE FROM ended_sessions WHERE until_s < ?", [time.time()])
        self._database.execute(
            "INSERT INTO ended_sessions (signature, until_s) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [signature, until_s],
        )

    def has_ended(self, signature: str) -> bool:
        """Whether a session was ended before its time."""
        ended = "SELECT 1 FROM ended_sessions WHERE signature = ?"
        return self._database.execute(ended, [signature]).fetchone() is not None


class Sessions:
    """Makes and reads tokens.

    A token is a key's hash, shortened, the second in which it ends, a random part, and a signature
    of the three: only those that were ended before their time need to be remembered. It ends with
    its key, too.

    Args:
        secret: signs them.
        table: remembers.
    """

    def __init__(self, secret: bytes, table: SessionTable) -> None:
        self._secret = secret
        self._table = table

    @classmethod
    def of_folder(cls, folder: Path, table: SessionTable) -> "Sessions":
        """With the secret that a folder keeps; made, for its owner alone, when it is missing."""
        path = folder / "session.secret"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes(), table)
        secret = secrets.token_bytes(_SECRET_BYTES)
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
        return cls(secret, table)

    @classmethod
    def of_database(cls, table: SessionTable) -> "Sessions":
        """With the secret that servers agree on, so that a cookie of one is good for all."""
        secret = table.agreed("session", secrets.token_hex(_SECRET_BYTES))
        return cls(bytes.fromhex(secret), table)

    def token(self, key_hash: str) -> str:
        """A token for a key, by its hash."""
        nonce = secrets.token_hex(_NONCE_BYTES)
        claim = f"{key_hash[:16]}.{int(time.time()) + LIFETIME_S}.{nonce}"
        return f"{claim}.{self._signature(claim)}"

    def key_hash(self, token: str) -> str:
        """The start of the hash of the key that a token stands for; empty if it stands for none."""
        start, until_s, signature = self._read(token)
        return start if until_s > time.time() and not self._table.has_ended(signature) else ""

    def end(self, token: str) -> None:
        """End a session before its time, wherever its token is kept."""
        start, until_s, signature = self._read(token)
        if start:
            self._table.end(signature, until_s)

    def _read(self, token: str) -> tuple[str, int, str]:
        """A token's start of a hash, its last second and its signature; empty if it is not ours."""
        claim, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(claim).encode()):
            return "", 0, ""
        start, until_s, *_ = claim.split(".")
        return start, int(until_s), signature

    def _signature(self, claim: str) -> str:
        return hmac.new(self._secret, claim.encode(), sha256).hexdigest()
