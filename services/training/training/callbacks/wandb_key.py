"""The key of Weights & Biases, from where secrets are kept; looked for before a training begins."""

import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

from s2s.errors import SettingsError, StageError
from s2s.settings import Settings
from s2s.storage.google_secret import read_google_secret

__all__ = ["find_wandb_key", "wandb_is_online"]

KEY, FILE, SECRET = "WANDB_API_KEY", "WANDB_API_KEY_FILE", "WANDB_API_KEY_SECRET"
"""Variables: the key, a file that has it, and the name of a secret of Google's Secret Manager."""
_WITHOUT = "or leave WANDB_MODE away: runs are then recorded here, for 'wandb sync'"


def wandb_is_online() -> bool:
    """Whether runs are sent to W&B's servers while they go on."""
    return os.environ.get("WANDB_MODE", "offline") == "online"


def find_wandb_key(settings: Settings) -> None:
    """Put W&B's key where its client looks for it, if the recipe's runs are sent there.

    Raises:
        StageError: if there is no key, or it cannot be had.
    """
    if "wandb" not in settings.recipe.tracking.trackers or not wandb_is_online():
        return
    key = os.environ.get(KEY, "").strip() or _key_of_file() or _key_of_secret()
    if key:
        os.environ[KEY] = key
    elif not _has_logged_in():
        raise StageError(
            f"W&B: WANDB_MODE=online, and there is no key. Set {KEY}, {FILE} or {SECRET}, run "
            f"'wandb login', {_WITHOUT}"
        )


def _key_of_file() -> str:
    path = os.environ.get(FILE, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(
            f"W&B: {FILE} is {path}, which cannot be read ({error}). Name a file that has the key "
            f"alone, {_WITHOUT}"
        ) from error


def _key_of_secret() -> str:
    name = os.environ.get(SECRET, "")
    try:
        return read_google_secret(name) if name else ""
    except SettingsError as error:
        raise StageError(f"W&B: {SECRET}: {error}, {_WITHOUT}") from error


def _has_logged_in() -> bool:
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
