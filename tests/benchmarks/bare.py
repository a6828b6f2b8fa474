"""Django settings of the bare view: no middleware, and the bytes that the service answered."""

import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import path

from medianest.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.bare"
MIDDLEWARE = []

_ANSWERS = Path(os.environ["ANSWERS"])
_PLAIN = (_ANSWERS / "items").read_bytes()
_PACKED = (_ANSWERS / "items.gz").read_bytes()


def bare(request: HttpRequest) -> HttpResponse:
    """Answer the bytes, and nothing else."""
    is_packed = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    body = _PACKED if is_packed else _PLAIN
    headers = {"Content-Length": str(len(body))}
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type="application/json", headers=headers)


urlpatterns = [path("api/v1/plex/libraries/1/items", bare)]
