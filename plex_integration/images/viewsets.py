"""The image endpoint: who may see an image, which one it is, and how long it may be cached."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication
from accounts.plex_links import PlexLink
from medianest.api.exceptions import Unauthorized
from medianest.api.limits import address_hit, user_hit
from medianest.api.middleware import request_deadline
from medianest.api.renderers import EnvelopeRenderer
from medianest.api.schema import Endpoint
from medianest.api.throttling import SlidingWindowThrottle
from medianest.store import Hit
from plex_integration import policies
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.errors import ImageNotFound
from plex_integration.images.authentication import (
    SIGN_IN,
    SignedLinkAuthentication,
    TokenOrSignedLink,
    signed_link,
)
from plex_integration.images.disk_cache import PIECE_BYTES, CachedFile, EncodedImage
from plex_integration.images.fetch import (
    ImageKey,
    cached_digest,
    current_version,
    get_or_fetch,
)
from plex_integration.images.query import (
    FORMATS,
    KINDS,
    Box,
    ImageFormat,
    ImageQuery,
    bounding_box,
    negotiate_format,
)
from plex_integration.images.signing import SignedLink
from plex_integration.viewers.connections import link_of_view
from plex_integration.viewsets import PlexViewSet, Viewed

_KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS))
_LINK = tuple(
    OpenApiParameter(name, str, description="From `thumbUrl` or `artUrl`, in place of a token.")
    for name in ("version", "expires", "viewer", "signature")
)
# A token, or a signed link in the URL alone.
_SECURITY: Any = [{"bearer": []}, {}]


class ImageThrottle(SlidingWindowThrottle):
    """Count requests for images: per user, or per address without an account."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the hit of the user or the address; None for a request that shows no image."""
        if request.method not in ("GET", "HEAD"):
            return None
        if request.user.pk is None:
            return address_hit(request._request, policies.IMAGES)
        return user_hit(str(request.user.pk), policies.IMAGES)


class ErrorsAsJson(BaseContentNegotiation):
    """Write errors as JSON, whatever the client accepts; the viewset itself negotiates images."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ItemImageViewSet(PlexViewSet):
    """`/items/:ratingKey/images/:kind`"""

    tag = "Pictures"
    policy = policies.IMAGE_PATHS
    query_serializer = ImageQuery
    authentication_classes = [BearerAuthentication, SignedLinkAuthentication]
    permission_classes = [TokenOrSignedLink]
    throttle_classes = [ImageThrottle]
    renderer_classes = [EnvelopeRenderer]
    content_negotiation_class = ErrorsAsJson

    def endpoint(self) -> Endpoint:
        """Describe the endpoint: an image in any of the formats."""
        return Endpoint(
            "getItemImage",
            {(200, each.media_type): OpenApiTypes.BINARY for each in FORMATS},
            query=self.query_serializer,
            parameters=(_KIND, *_LINK),
        )

    @extend_schema(auth=_SECURITY)
    def retrieve(self, request: Request, ratingKey: str, kind: str) -> HttpResponseBase:
        """Get a picture.

        Of an item, a collection or a playlist, scaled down into a box.
        """
        self.path_ids()
        if kind not in KINDS:
            raise ImageNotFound
        box = bounding_box(self.query_serializer.of(request.query_params))
        image_format = negotiate_format(request.headers.get("Accept", ""))
        return self.in_view(partial(self._image, box, image_format))

    def plex_link(self) -> PlexLink | None:
        """Return the user's link, or the one whose view a signed link names.

        Raises Unauthorized if nobody has this view any more.
        """
        followed = self.request.auth
        if not isinstance(followed, SignedLink):
            return super().plex_link()
        link = link_of_view(followed.viewer) if followed.viewer else None
        if followed.viewer and link is None:
            raise Unauthorized(SIGN_IN)
        return link

    def _image(self, box: Box, image_format: ImageFormat, viewed: Viewed) -> HttpResponseBase:
        request, connection = self.request, viewed.connection
        deadline = request_deadline(request._request, connection.seconds)
        if link := self._signed_link(connection):
            version = link.version
        else:
            renew = "no-cache" in request.headers.get("Cache-Control", "").lower()
            key, kind = self.kwargs["ratingKey"], self.kwargs["kind"]
            version = current_version(connection, key, kind, deadline, renew=renew)
        image_key = ImageKey(connection.scope, version, box, image_format)
        response = _response(request, connection, image_key, deadline)
        _set_cache_headers(response, link)
        return response

    def _signed_link(self, connection: Connection) -> SignedLink | None:
        """Return the valid link of this view that the request follows, with a token or without.

        Raises Unauthorized for a link that is valid for another connection: the operator can
        change it, and the view can end, after the request was authenticated.
        """
        link = signed_link(self.request)
        if link is not None and link.viewer == connection.viewer:
            return link
        if isinstance(self.request.auth, SignedLink):
            raise Unauthorized(SIGN_IN)
        return None


def _response(
    request: Request, connection: Connection, key: ImageKey, deadline: float
) -> HttpResponseBase:
    """Return the image, or 304 if the client has it already."""
    etags = _known_etags(request)
    if etags and (digest := cached_digest(key)) and _etag(digest) in etags:
        return _with_headers(HttpResponse(status=304), digest, "HIT")
    fetched = get_or_fetch(connection, key, deadline)
    image = fetched.image
    if etags & {"*", _etag(image.digest)}:
        image.close()
        response: HttpResponseBase = HttpResponse(status=304)
    elif request.method == "HEAD":
        image.close()
        response = HttpResponse(content_type=key.format.media_type)
        response["Content-Length"] = str(image.size)
    else:
        response = _content(image, key.format)
    return _with_headers(response, image.digest, fetched.status)


def _content(image: EncodedImage | CachedFile, image_format: ImageFormat) -> HttpResponseBase:
    """Return the image itself: at once if it is one piece, else in pieces."""
    kind = HttpResponse if image.size <= PIECE_BYTES else StreamingHttpResponse
    response = kind(image, content_type=image_format.media_type)
    response["Content-Length"] = str(image.size)
    return response


def _known_etags(request: Request) -> set[str]:
    """Return the ETags that the client has; they are compared weakly (RFC 9110 section 13.1.2)."""
    etags = parse_etags(request.headers.get("If-None-Match", ""))
    return {etag.removeprefix("W/") for etag in etags}


def _with_headers(response: HttpResponseBase, digest: str, status: str) -> HttpResponseBase:
    response["ETag"] = _etag(digest)
    response["X-Plex-Cache-Status"] = status
    response["Cache-Status"] = f"MediaNest; {_OUTCOMES[status]}"
    response["X-Content-Type-Options"] = "nosniff"
    # An image that is opened as a page of its own can do nothing either.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


_OUTCOMES = {"HIT": "hit", "MISS": "fwd=miss; stored", "BYPASS": "fwd=bypass"}
"""What happened, in the form of RFC 9211."""


def _etag(digest: str) -> str:
    return f'"{digest}"'


def _set_cache_headers(response: HttpResponseBase, link: SignedLink | None) -> None:
    if link:
        # A link names its version: what it shows never changes.
        response["Cache-Control"] = f"private, max-age={link.seconds_left}, immutable"
        response["Vary"] = "Accept"
    else:
        ttl = runtime.ttl(policies.IMAGE_PATHS)
        response["Cache-Control"] = f"private, max-age={ttl}"
        response["Vary"] = "Authorization, Accept"
