"""Trace every request to Plex and plex.tv as a span. Imported only where requests are traced.

A span has no query, no header and no id of the path, and of an error its class alone: all the rest
may be secret or personal.
"""

from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.trace import SpanKind, StatusCode, get_tracer

from plex_integration.plex.path_template import path_template
from plex_integration.plex.transport import Adapter, add_adapter

_tracer = get_tracer("medianest")


def install() -> None:
    """Trace the requests of all sessions that are made from now on."""
    add_adapter(_TracedAdapter)


class _TracedAdapter(Adapter):
    """Its spans end with the head of the response; the body follows."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        place = urlsplit(request.url or "")
        template = path_template(place.path)
        with _tracer.start_as_current_span(
            f"{request.method} {template}",
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": request.method or "",
                "url.template": template,
                "server.address": place.hostname or "",
                "server.port": place.port or (443 if place.scheme == "https" else 80),
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = super().send(request, *args, **kwargs)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 400:
                span.set_status(StatusCode.ERROR)
            return response
