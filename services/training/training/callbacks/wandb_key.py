"""The key of Weights & Biases, from where secrets are kept; looked for before a training begins."""

import netrc
import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.auth
import requests
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

from s2s.errors import StageError
from s2s.settings import Settings

__all__ = ["find_wandb_key", "wandb_is_online"]

KEY, FILE, SECRET = "WANDB_API_KEY", "WANDB_API_KEY_FILE", "WANDB_API_KEY_SECRET"
"""Variables: the key, a file that has it, and the name of a secret of Google's Secret Manager."""
_SECRET = re.compile(r"projects/[^/]+/secrets/[^/]+(/versions/[^/]+)?")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ANSWER_S = 20
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
    """A secret's value; as for gcloud, a variable may name another server."""
    name = os.environ.get(SECRET, "")
    if not name:
        return ""
    if not _SECRET.fullmatch(name):
        raise StageError(f"W&B: {SECRET} is {name!r}: write projects/PROJECT/secrets/NAME")
    version = name if "/versions/" in name else f"{name}/versions/latest"
    server = os.environ.get(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com/"
    )
    url = f"{server.rstrip('/')}/v1/{version}:access"
    try:
        answer = AuthorizedSession(_credentials()).get(url, timeout=_ANSWER_S)
        answer.raise_for_status()
        return b64decode(answer.json()["payload"]["data"]).decode().strip()
    except (auth_errors.GoogleAuthError, requests.RequestException, KeyError, ValueError) as error:
        raise StageError(
            f"W&B: the secret {version} cannot be read ({error}). Add a version of it, and let "
            f"this account read it, as infra/terraform/secrets.tf does, {_WITHOUT}"
        ) from error


def _credentials() -> Any:  # whose types Google does not say
    if os.environ.get("CLOUDSDK_AUTH_DISABLE_CREDENTIALS") == "true":
        return AnonymousCredentials()
    return google.auth.default(scopes=[_SCOPE])[0]


def _has_logged_in() -> bool:
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
