"""Vertex AI's and Cloud Logging's REST interfaces, as far as trainings need them."""

import os
import re
from collections.abc import Mapping
from typing import Any

import requests
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from launcher.cloud.job import RUN_LABEL, JobState, TrainingJob
from launcher.cloud.place import Place
from s2s.errors import S2SError, SettingsError
from s2s.storage.google_credentials import credentials_remedy, google_credentials

__all__ = ["CloudError", "MachineShortageError", "Vertex"]

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_S: Any = (10, 60)  # to connect, to answer; the session's annotations know one number only
_SERVER_ERROR, _NOT_FOUND, _TOO_MANY = 500, 404, 429
_MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
_IMAGE = re.compile(
    r"(?P<host>[a-z0-9-]+-docker\.pkg\.dev)/(?P<path>[^:@]+)(?:[:@](?P<reference>.+))?"
)


class CloudError(S2SError):
    """Google Cloud refuses what is asked of it, or does not answer."""


class MachineShortageError(CloudError):
    """A quota is used up, or there are no machines of this kind now: elsewhere there may be."""


class Vertex:
    """A project's trainings.

    Credentials are the application's default ones. As for gcloud,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM, _LOGGING and _ARTIFACTREGISTRY name other servers,
    and CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true does without credentials.

    Args:
        project: the project's id; None for the one that the credentials belong to.

    Raises:
        SettingsError: if there are no credentials, or no project.
    """

    def __init__(self, project: str | None = None) -> None:
        credentials, own = _credentials()
        project = project or os.environ.get("GOOGLE_CLOUD_PROJECT") or own
        if not project:
            raise SettingsError("no project: name it with --project, or set GOOGLE_CLOUD_PROJECT")
        self.project = project
        self._session = AuthorizedSession(credentials)
        retry = Retry(
            total=5,
            backoff_factor=0.5,
            status_forcelist=[429, 500, 502, 503, 504],
            allowed_methods={"GET", "HEAD"},
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def check_image(self, image: str) -> None:
        """See that an image is in Artifact Registry; those of other registries are not looked for.

        Raises:
            SettingsError: if it is not there.
            CloudError: if the registry refuses us or does not answer.
        """
        match = _IMAGE.fullmatch(image)
        if match is None:
            return
        host = _endpoint("ARTIFACTREGISTRY", f"https://{match['host']}/")
        url = f"{host}v2/{match['path']}/manifests/{match['reference'] or 'latest'}"
        answer = self._send("HEAD", url, headers={"Accept": _MANIFESTS})
        if answer.status_code == _NOT_FOUND:
            raise SettingsError(
                f"image {image}: there is none of this name. Push it first, as infra/terraform's "
                "README says, or name another with --image"
            )
        self._check(answer, f"image {image}")

    def submit(self, job: TrainingJob, place: Place) -> JobState:
        """Start a job, and once only, also if the answer is lost.

        Raises:
            MachineShortageError: if a quota is used up.
            CloudError: if it is refused for another reason.
        """
        url = f"{_vertex(place.region)}v1/{self._parent(place.region)}/customJobs"
        try:
            answer = self._send("POST", url, json=job.message(place))
        except CloudError:
            answer = None
        if answer is None or answer.status_code >= _SERVER_ERROR:
            if (found := self._find(job.run, place.region)) is not None:
                return found
            answer = self._send("POST", url, json=job.message(place))
        self._check(answer, f"training in {place}")
        return JobState.of_message(answer.json())

    def state(self, name: str) -> JobState:
        """What has become of a job.

        Raises:
            CloudError: if there is none, or it cannot be seen.
        """
        answer = self._send("GET", f"{_vertex(_region_of(name))}v1/{name}")
        self._check(answer, f"job {name}")
        return JobState.of_message(answer.json())

    def cancel(self, name: str) -> None:
        """Ask for a job to be stopped; one that has ended stays as it is.

        Raises:
            CloudError: if it is refused.
        """
        answer = self._send("POST", f"{_vertex(_region_of(name))}v1/{name}:cancel", json={})
        self._check(answer, f"job {name}")

    def log(self, name: str, since: str) -> list[dict[str, Any]]:
        """A job's lines of log since an instant, oldest first, at most 1,000.

        Raises:
            CloudError: if they cannot be read.
        """
        wanted = [
            'resource.type="ml_job"',
            f'resource.labels.job_id="{name.rpartition("/")[2]}"',
            f'timestamp>="{since}"',
        ]
        body = {
            "resourceNames": [f"projects/{self.project}"],
            "filter": " AND ".join(wanted),
            "orderBy": "timestamp asc",
            "pageSize": 1000,
        }
        url = f"{_endpoint('LOGGING', 'https://logging.googleapis.com/')}v2/entries:list"
        answer = self._send("POST", url, json=body)
        self._check(answer, f"log of {name}")
        return answer.json().get("entries", [])

    def _find(self, run: str, region: str) -> JobState | None:
        url = f"{_vertex(region)}v1/{self._parent(region)}/customJobs"
        answer = self._send("GET", url, params={"filter": f'labels.{RUN_LABEL}="{run}"'})
        self._check(answer, f"jobs in {region}")
        found = answer.json().get("customJobs", [])
        return JobState.of_message(found[0]) if found else None

    def _parent(self, region: str) -> str:
        return f"projects/{self.project}/locations/{region}"

    def _send(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=_TIMEOUT_S, **options)
        except auth_errors.GoogleAuthError as error:
            raise SettingsError(_no_credentials(error)) from error
        except requests.RequestException as error:
            host = url.split("/")[2]
            raise CloudError(
                f"{host} does not answer ({type(error).__name__}). Look at the network and "
                "try again; a job that runs goes on"
            ) from error

    def _check(self, answer: requests.Response, what: str) -> None:
        if answer.ok:
            return
        message = _message(answer)
        if answer.status_code == _TOO_MANY:
            raise MachineShortageError(f"{what}: {message}")
        remedies = {
            400: "Correct what it names",
            401: "Run 'gcloud auth application-default login'",
            403: f"Give this account the right in project {self.project}: infra/terraform's "
            "job_submitters does, and switches the APIs on",
            404: "Look at its name, --project and the region",
        }
        remedy = remedies.get(answer.status_code, "Try again later; a job that runs goes on")
        raise CloudError(f"{what}: {message}. {remedy}")


def _credentials() -> tuple[Any, str | None]:
    if os.environ.get("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "").lower() in {"1", "true"}:
        return AnonymousCredentials(), None
    try:
        return google_credentials(_SCOPE)
    except auth_errors.GoogleAuthError as error:
        raise SettingsError(_no_credentials(error)) from error


def _no_credentials(error: Exception) -> str:
    return f"Google Cloud: no credentials that can be used ({error}). {credentials_remedy()}"


def _endpoint(service: str, default: str) -> str:
    url = os.environ.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}", default)
    return url if url.endswith("/") else f"{url}/"


def _vertex(region: str) -> str:
    return _endpoint("AIPLATFORM", f"https://{region}-aiplatform.googleapis.com/")


def _region_of(name: str) -> str:
    match = re.fullmatch(r"projects/[^/]+/locations/([^/]+)/customJobs/[^/]+", name)
    if match is None:
        raise SettingsError(
            f"job {name!r}: write projects/PROJECT/locations/REGION/customJobs/ID, "
            "as './s2s cloud train' printed it"
        )
    return match[1]


def _message(answer: requests.Response) -> str:
    """What Google's error says, on one line."""
    try:
        content: Mapping[str, Any] = answer.json()
        text = content["error"]["message"]
    except (ValueError, KeyError, TypeError):
        text = f"answered {answer.status_code} {answer.reason}"
    return " ".join(str(text).split()).rstrip(".")
