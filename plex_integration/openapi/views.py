"""The OpenAPI document as the service answers it."""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest.api.negotiation import accepts_gzip
from medianest.api.public_url import public_url
from medianest.api.renderers import EnvelopeRenderer
from plex_integration.openapi.generation import document
from plex_integration.openapi.page import SchemaPage
from plex_integration.openapi.renderers import (
    JsonRenderer,
    OpenApiJsonRenderer,
    OpenApiYamlRenderer,
    YamlRenderer,
)

FRESH_SECONDS = 300
"""How long a client need not ask again."""


@dataclass(frozen=True)
class Written:
    """The document in one media type, plain and compressed, and its validator."""

    body: bytes
    compressed: bytes
    etag: str


class SchemaView(APIView):
    """The document itself: JSON, YAML if the client asks for it, or a page for browsers."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [
        JsonRenderer,
        OpenApiJsonRenderer,
        YamlRenderer,
        OpenApiYamlRenderer,
        SchemaPage,
    ]

    def get_renderers(self) -> list[Any]:
        """Return what writes the document; the description for OPTIONS is in the envelope."""
        if self.request.method == "OPTIONS":
            return [EnvelopeRenderer()]
        return super().get_renderers()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        """Return the document; its server is this service, wherever that is reached."""
        server, renderer = public_url("") or "/", request.accepted_renderer
        if isinstance(renderer, SchemaPage):
            return Response(_document(server))
        renderer_class: Any = type(renderer)
        written = _written(renderer_class, server)
        if written.etag in {each.removeprefix("W/") for each in _etags(request)}:
            return _with_headers(HttpResponseNotModified(), written)
        is_compressed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        body = written.compressed if is_compressed else written.body
        response = HttpResponse(body, content_type=renderer.media_type)
        if is_compressed:
            response["Content-Encoding"] = "gzip"
        return _with_headers(response, written)


def _etags(request: Request) -> list[str]:
    return parse_etags(request.headers.get("If-None-Match", ""))


def _with_headers(response: HttpResponseBase, written: Written) -> HttpResponseBase:
    # Weak: the compressed bytes have the same.
    response["ETag"] = f"W/{written.etag}"
    response["Cache-Control"] = f"max-age={FRESH_SECONDS}, public"
    response["Vary"] = "Accept, Accept-Encoding"
    return response


@lru_cache(maxsize=8)
def _written(renderer: Any, server: str) -> Written:
    body: bytes = renderer().render(_document(server))
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    return Written(body, gzip.compress(body, mtime=0), etag)


def _document(server: str) -> Any:
    return {**document(), "servers": [{"url": server}]}
