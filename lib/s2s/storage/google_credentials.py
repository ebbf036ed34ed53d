"""Credentials for Google Cloud: found where every program of Google's looks for them."""

import os
from typing import Any

import google.auth
from google.auth import exceptions as auth_errors

from s2s.errors import is_in_image

__all__ = ["credentials_remedy", "google_credentials"]

_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"


def google_credentials(*scopes: str) -> tuple[Any, str | None]:
    """The credentials of this environment, and the project that they belong to, if they name one.

    Args:
        scopes: URLs of what they are for.

    Raises:
        google.auth.exceptions.GoogleAuthError: if there are none, or none that can be used, in one
            line with the file's name.
    """
    try:
        return google.auth.default(scopes=list(scopes))
    except auth_errors.GoogleAuthError as error:
        told = ": ".join(str(part).rstrip(".") for part in error.args[:2])
        raise auth_errors.DefaultCredentialsError(told) from error
    except PermissionError as error:
        raise auth_errors.DefaultCredentialsError(
            f"{error.filename}: {error.strerror}; whoever runs this must be able to read it: in a "
            "container the user 10001, unless another is named"
        ) from error
    except OSError as error:
        raise auth_errors.DefaultCredentialsError(f"{error.filename}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # JSON, but of another shape than Google's library takes for granted.
        raise auth_errors.DefaultCredentialsError(
            f"{os.environ.get(_VARIABLE, 'the default file')} holds no credentials"
        ) from error


def credentials_remedy() -> str:
    """What to do about credentials that are missing or cannot be used, where this runs."""
    if is_in_image():
        return (
            f"Set {_VARIABLE} to a file before the container starts, such as the one that 'gcloud "
            "auth application-default login' makes: the container does not see it by itself"
        )
    return f"Run 'gcloud auth application-default login', or set {_VARIABLE} to a file of its kind"
