"""The headers of responses, as components of the document."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Header:
    """A response header; `component` is its name in the document."""

    name: str
    type: str
    description: str
    component: str


def _header(name: str, type: str, description: str, component: str = "") -> Header:
    return Header(name, type, description, component or name.removeprefix("X-").replace("-", ""))


REQUEST_ID = _header("X-Request-ID", "string", "As `metadata.requestId`.")
RETRY_AFTER = _header("Retry-After", "integer", "Seconds after which to try again.")
CHALLENGE = _header(
    "WWW-Authenticate", "string", '`Bearer realm="api"`; `Plex` where Plex refuses this service.'
)
LOCATION = _header("Location", "string", "The path of what is new.")

_ETAG = _header("ETag", "string", "Validator of `data`.")
_RESPONSE_TIME = _header(
    "X-Plex-Response-Time", "string", "Milliseconds this service took, such as `123ms`."
)
_CACHE_STATUS = _header(
    "Cache-Status", "string", "The same as `X-Plex-Cache-Status`, in the form of RFC 9211."
)
_LIMITS = (
    _header("RateLimit", "string", 'Requests left and seconds to wait: `"library";r=57;t=42`.'),
    _header("RateLimit-Policy", "string", 'The limit and its window: `"library";q=60;w=60`.'),
    _header("X-RateLimit-Limit", "integer", "Requests a minute, over the endpoints that share it."),
    _header("X-RateLimit-Remaining", "integer", "Requests left now."),
    _header(
        "X-RateLimit-Reset", "integer", "Epoch second in which the oldest one counted is forgotten."
    ),
)

PLAIN = (REQUEST_ID,)

CACHED = (
    REQUEST_ID,
    _header("Age", "integer", "Seconds since the response was loaded from Plex."),
    _header(
        "Cache-Control", "string", "`max-age=<seconds to live>, private`; `no-cache` when stale."
    ),
    _CACHE_STATUS,
    _ETAG,
    _header("Server-Timing", "string", "Milliseconds that Plex took, if asked: `plex;dur=95`."),
    _header("X-Plex-Cache-Status", "string", "`HIT`, `MISS`, `STALE` or `BYPASS`."),
    _header("X-Plex-Cache-Age", "integer", "As `Age`."),
    _RESPONSE_TIME,
    *_LIMITS,
)

PAGE = (
    *CACHED,
    _header(
        "Link", "string", "The `first`, `prev`, `next` and `last` page, where `size` is given."
    ),
)

PICTURE = (
    REQUEST_ID,
    _header(
        "Cache-Control",
        "string",
        "`private, max-age=<seconds>`, and `immutable` for a signed link.",
        "PictureCacheControl",
    ),
    _CACHE_STATUS,
    _header("ETag", "string", "Validator of the picture.", "PictureETag"),
    _header("X-Plex-Cache-Status", "string", "`HIT`, `MISS` or `BYPASS`.", "PictureCacheStatus"),
    _RESPONSE_TIME,
    *_LIMITS,
)

WRITTEN = (
    REQUEST_ID,
    _header("Cache-Control", "string", "`no-store`.", "NoStore"),
    _header("Idempotency-Replayed", "string", "`true` where the first answer is given again."),
    _RESPONSE_TIME,
    *_LIMITS,
)

CREATED = (*WRITTEN, LOCATION)

_ALL = (*PLAIN, *PAGE, *PICTURE, *CREATED, RETRY_AFTER, CHALLENGE)


def references(headers: Iterable[Header]) -> dict[str, Any]:
    """Return the `headers` of a response."""
    return {each.name: {"$ref": f"#/components/headers/{each.component}"} for each in headers}


def components() -> dict[str, Any]:
    """Return the headers that responses refer to."""
    return {
        each.component: {"schema": {"type": each.type}, "description": each.description}
        for each in _ALL
    }
