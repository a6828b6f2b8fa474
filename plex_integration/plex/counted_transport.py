"""Count every request to Plex and plex.tv for Prometheus.

Imported only where METRICS_TOKEN is set.
"""

import time
from typing import Any
from urllib.parse import urlsplit

import requests

from medianest.monitoring import series
from plex_integration.plex.path_template import path_template
from plex_integration.plex.transport import Adapter, add_adapter

MAX_ENDPOINTS = 200
"""Far more than there are. The paths of pictures come from Plex, which must not fill the memory."""
OTHER = "other"

_endpoints: set[str] = set()


def install() -> None:
    """Count the requests of all sessions that are made from now on."""
    add_adapter(_CountedAdapter)


class _CountedAdapter(Adapter):
    """A request is counted when the head of its response has come; the body follows."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        status = error = ""
        try:
            response = super().send(request, *args, **kwargs)
            status = str(response.status_code)
        except Exception as raised:
            error = type(raised).__name__
            raise
        finally:
            endpoint = _endpoint(path_template(urlsplit(request.url or "").path))
            # Only the paths of plex.tv begin so.
            server = "plex.tv" if endpoint.startswith("/api/") else "plex"
            labels = (server, endpoint, request.method or "", status, error)
            series.PLEX_REQUESTS.labels(*labels).observe(time.monotonic() - began)
        return response


def _endpoint(template: str) -> str:
    if template not in _endpoints:
        if len(_endpoints) >= MAX_ENDPOINTS:
            return OTHER
        _endpoints.add(template)
    return template
