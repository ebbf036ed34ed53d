"""Values of secrets in Google's Secret Manager, for what cannot be given them in another way."""

import os
import re
from base64 import b64decode
from typing import Any

import requests
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

from s2s.errors import SettingsError
from s2s.storage.google_credentials import credentials_remedy, google_credentials

__all__ = ["read_google_secret"]

_NAME = re.compile(r"projects/[^/]+/secrets/[^/]+(/versions/[^/]+)?")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ANSWER_S = 20


def read_google_secret(name: str) -> str:
    """The value of a secret, without white space around it.

    As for gcloud, CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER names another server, and
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true does without credentials.

    Args:
        name: `projects/PROJECT/secrets/NAME`, with or without `/versions/VERSION`.

    Raises:
        SettingsError: if that is no name, or it cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"secret {name!r}: write projects/PROJECT/secrets/NAME")
    version = name if "/versions/" in name else f"{name}/versions/latest"
    server = os.environ.get(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com/"
    )
    url = f"{server.rstrip('/')}/v1/{version}:access"
    try:
        answer = AuthorizedSession(_credentials()).get(url, timeout=_ANSWER_S)
        answer.raise_for_status()
        return b64decode(answer.json()["payload"]["data"]).decode().strip()
    except auth_errors.GoogleAuthError as error:
        raise SettingsError(
            f"secret {version} cannot be read: no credentials ({error}). {credentials_remedy()}"
        ) from error
    except (requests.RequestException, KeyError, ValueError) as error:
        raise SettingsError(
            f"secret {version} cannot be read ({error}). Add a version of it, and let this account "
            "read it, as infra/terraform/secrets.tf does"
        ) from error


def _credentials() -> Any:  # Google does not say its type
    if os.environ.get("CLOUDSDK_AUTH_DISABLE_CREDENTIALS") == "true":
        return AnonymousCredentials()
    return google_credentials(_SCOPE)[0]
