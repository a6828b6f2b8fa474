"""Django settings of the bare view: no middleware, and the bytes that the service answered."""

import os
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import path

from medianest.settings import *  # noqa: F403
from tests.benchmarks.endpoints import ENDPOINTS

ROOT_URLCONF = "tests.benchmarks.bare"
MIDDLEWARE = []

_ANSWERS = Path(os.environ["ANSWERS"])


@cache
def _body(name: str, is_packed: bool) -> bytes:
    return (_ANSWERS / (f"{name}.gz" if is_packed else name)).read_bytes()


def bare(request: HttpRequest, name: str) -> HttpResponse:
    """Answer the bytes, and nothing else."""
    is_packed = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    body = _body(name, is_packed)
    headers = {"Content-Length": str(len(body))}
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type="application/json", headers=headers)


urlpatterns = [path(each.path.removeprefix("/"), bare, {"name": each.name}) for each in ENDPOINTS]
