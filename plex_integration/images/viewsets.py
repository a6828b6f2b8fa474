"""`GET /items/:ratingKey/images/:kind`: who may, which picture, how it may be kept."""

import time
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from plex_integration.configuration import connection, runtime
from plex_integration.caching import metrics
from medianest.api.renderers import EnvelopeRenderer
from plex_integration.errors import ImageNotFound, ItemNotFound, PlexServerUnavailable
from medianest.api.exceptions import Unauthorized
from plex_integration.images import query, signing
from plex_integration.images.query import KINDS, ImageQuery
from plex_integration.images.fetch import Picture, Wanted, picture, version_of
from plex_integration.policies import IMAGE_PATHS, IMAGES
from medianest.api.throttling import Turn, visitor_turn
from plex_integration.plex.ids import is_id

_SIGNED = [
    OpenApiParameter(name, str, description="From `thumbUrl` or `artUrl`, in place of a token.")
    for name in ("version", "expires", "signature")
]
_PICTURES = {
    (200, wanted.type): OpenApiTypes.BINARY for wanted in (query.JPEG, query.PNG, query.WEBP)
}


class _ErrorsAreJson(BaseContentNegotiation):
    """Write what is no picture as JSON, whatever the client takes: the view looks at Accept."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), "application/json"


class ItemImageView(APIView):
    """An item's picture, for whoever is signed in or has a signed link."""

    http_method_names = ["get", "head", "options"]
    # A link needs no token; `get` asks for one of the two.
    permission_classes = [AllowAny]
    renderer_classes = [EnvelopeRenderer]
    content_negotiation_class = _ErrorsAreJson
    turn: Turn | None = None

    @extend_schema(
        operation_id="itemImage",
        parameters=[
            ImageQuery,
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS)),
            *_SIGNED,
        ],
        responses=_PICTURES,
    )
    def get(self, request: Request, ratingKey: str, kind: str) -> HttpResponseBase:
        """Show an item's, a collection's or a playlist's picture, scaled down into a box."""
        is_signed_in = request.user.is_authenticated
        self.turn = (
            Turn(str(request.user.pk), IMAGES)
            if is_signed_in
            else visitor_turn(request._request, IMAGES)
        )
        self.turn.take()
        to = connection.current()
        link = to and signing.read(to.viewer, ratingKey, kind, request.query_params)
        if not link and not is_signed_in:
            raise Unauthorized("Sign in, or follow a link that is signed and has not ended.")
        if not is_id(ratingKey):
            raise ItemNotFound
        if kind not in KINDS:
            raise ImageNotFound
        box = query.box(ImageQuery.of(request.query_params))
        wanted_format = query.wanted_format(request.headers.get("Accept", ""))
        if to is None:
            raise PlexServerUnavailable("No Plex server is configured.")
        deadline = time.monotonic() + to.seconds
        if link:
            version = link[0]
        else:
            renew = "no-cache" in request.headers.get("Cache-Control", "").lower()
            version = version_of(to, ratingKey, kind, deadline, renew=renew)
        found = picture(to, Wanted(version, box, wanted_format), deadline)
        response = _shown(request, found, wanted_format.type)
        if link:
            seconds = max(0, link[1] - int(time.time()))
            response["Cache-Control"] = f"private, max-age={seconds}, immutable"
            response["Vary"] = "Accept"
        else:
            # The same address shows another picture after a change.
            response["Cache-Control"] = f"private, max-age={runtime.ttl(IMAGE_PATHS)}"
            response["Vary"] = "Authorization, Accept"
        return response

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say in every answer's headers, errors too, where the user or the address stands."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.turn:
            self.turn.mark(final)
        if how := metrics.outcome(final):
            metrics.count(IMAGE_PATHS.name, how)
        return final


def _shown(request: Request, found: Picture, content_type: str) -> HttpResponse:
    etag = f'"{found.kept.digest}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in {each.removeprefix("W/") for each in known}:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(found.kept.content, content_type=content_type)
        response["Content-Length"] = str(len(found.kept.content))
    response["ETag"] = etag
    response["X-Plex-Cache-Status"] = found.status
    response["X-Content-Type-Options"] = "nosniff"
    # Opened as a page of its own it can do nothing either.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
