"""Swagger UI and ReDoc from drf-spectacular, with a policy that blocks every other host.

Their own templates contain inline scripts and load fonts from another host; the templates here do
not. This module has the few sources that each needs beyond `middleware.PAGE`.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from medianest.api.middleware import content_policy

# Swagger UI has icons as data URLs and shows the images of responses. ReDoc adds its style sheets
# inline and searches in a worker.
SWAGGER = content_policy(img="data: blob:")
REDOC = content_policy(style="'unsafe-inline'", img="data:", worker="blob:")

# Without OPTIONS: DRF would put its description into the template of the page.
PAGE_METHODS = ["get", "head"]

_REDOC_BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
_REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI; `?script` is the script that starts it."""

    url_name = "schema"
    template_name = "plex_integration/swagger.html"
    http_method_names = PAGE_METHODS

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the page, or its script."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = SWAGGER
        return response


class RedocView(SpectacularRedocView):
    """ReDoc."""

    url_name = "schema"
    template_name = "plex_integration/redoc.html"
    http_method_names = PAGE_METHODS

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the page."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = REDOC
        return response


@cache_control(max_age=3600, public=True)
def redoc_script(request: HttpRequest) -> HttpResponse:
    """Return ReDoc's script without the logo that it would load from another host."""
    return HttpResponse(_redoc_script(), content_type="text/javascript; charset=utf-8")


@lru_cache(maxsize=1)
def _redoc_script() -> bytes:
    found = finders.find(_REDOC_BUNDLE)
    if found is None:
        raise FileNotFoundError(_REDOC_BUNDLE)
    return Path(found).read_bytes().replace(_REDOC_LOGO, b"data:,")
