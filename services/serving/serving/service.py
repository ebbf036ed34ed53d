"""What the routes share: the model that is served, and what a request may ask of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from s2s.settings import ServingSettings
from serving.worker import Predictor, Worker

__all__ = ["Limits", "ServedModel", "Service", "service_of"]


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    Attributes:
        max_upload_bytes: of a whole request.
        max_duration_s: length of a video.
        max_pixels: width times height.
        max_streams: picture, sound and other streams of a file.
    """

    max_upload_bytes: int
    max_duration_s: float
    max_pixels: int = 4096 * 2304
    max_streams: int = 8

    @classmethod
    def of(cls, settings: ServingSettings) -> "Limits":
        """Limits as a recipe sets them."""
        return cls(settings.max_upload_bytes, settings.max_duration_s)


@dataclass(frozen=True)
class ServedModel:
    """A model that the API offers.

    Attributes:
        name: its name for clients.
        task: what it does, such as "generation".
        load: makes its predictor; may take long.
    """

    name: str
    task: str
    load: Callable[[], Predictor]


@dataclass(frozen=True)
class Service:
    """The state of a running API.

    Attributes:
        model: what is served.
        limits: what a request may ask for.
        worker: runs the model.
        folder: where uploads are kept while they are worked on.
    """

    model: ServedModel
    limits: Limits
    worker: Worker
    folder: Path


def service_of(request: Request) -> Service:
    """The API's state, for routes."""
    return request.app.state.service
