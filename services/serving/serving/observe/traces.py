"""OpenTelemetry traces of requests and jobs, where an endpoint is configured.

OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) says where they go, over HTTP; without it
nothing is imported and nothing is sent.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from s2s.errors import SettingsError

__all__ = ["NoTracer", "Tracer", "make_tracer"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Tracer(Protocol):
    """Notes how long things take."""

    def span(self, name: str, attributes: Mapping[str, str]) -> AbstractContextManager[None]:
        """What happens inside is a span."""
        ...

    def close(self) -> None:
        """Send what is left."""
        ...


class NoTracer:
    """Notes nothing."""

    def span(self, name: str, attributes: Mapping[str, str]) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing."""
        return nullcontext()

    def close(self) -> None:
        """Nothing is left."""


class _OpenTelemetryTracer:
    """Sends spans to the configured endpoint, in the background.

    Args:
        provider: OpenTelemetry's.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("serving")

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str]) -> Iterator[None]:
        with self._tracer.start_as_current_span(name, attributes=dict(attributes)):
            yield

    def close(self) -> None:
        self._provider.shutdown()


def make_tracer() -> Tracer:
    """The tracer that the environment asks for.

    Raises:
        SettingsError: if it asks for one and OpenTelemetry is not installed.
    """
    configured = [name for name in _ENDPOINTS if os.environ.get(name)]
    if not configured:
        return NoTracer()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"{configured[0]} is set, but {error.name} is not installed: install "
            "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, or unset it"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "s2s-serving"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return _OpenTelemetryTracer(provider)
