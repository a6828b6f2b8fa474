"""Trace requests with OpenTelemetry. Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set.

A span has the name of the endpoint and no path, no query and no user.
"""

import os
from collections.abc import Mapping
from http import HTTPMethod

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode

from medianest.api.request_facts import FACTS, RequestFacts
from medianest.monitoring.version import VERSION
from medianest.serving.responses import Application, Message, Receive, Scope, Send

_tracer = trace.get_tracer("medianest")


def start() -> TracerProvider:
    """Send the spans of this process from now on, in a thread; return what ends that."""
    attributes = {SERVICE_VERSION: VERSION}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        attributes[SERVICE_NAME] = "medianest"
    # The process ends it in order itself, when the last request is answered.
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


class TracingLayer:
    """Make a span of each request; what it asks of others becomes its children."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        facts: RequestFacts = scope.setdefault(FACTS, RequestFacts())
        method = scope["method"] if scope["method"] in HTTPMethod.__members__ else "_OTHER"
        with _tracer.start_as_current_span(
            method,
            context=propagate.extract(_headers(scope)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            await self._app(scope, receive, _TracedSend(span, send))
            if facts.endpoint:
                span.update_name(f"{method} {facts.endpoint}")
                span.set_attribute("medianest.endpoint", facts.endpoint)


class _TracedSend:
    """A `send` that writes the head of the response into the span."""

    def __init__(self, span: Span, send: Send) -> None:
        self._span, self._send = span, send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            _describe(self._span, message)
        await self._send(message)


def _describe(span: Span, message: Message) -> None:
    span.set_attribute("http.response.status_code", message["status"])
    if message["status"] >= 500:
        span.set_status(StatusCode.ERROR)
    headers = {name.lower(): value.decode("latin-1") for name, value in message["headers"]}
    if request_id := headers.get(b"x-request-id"):
        span.set_attribute("medianest.request_id", request_id)
    if cache_status := headers.get(b"x-plex-cache-status"):
        span.set_attribute("medianest.cache_status", cache_status)


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
