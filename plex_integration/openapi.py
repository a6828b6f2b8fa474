"""The OpenAPI document: the serializers of every endpoint in the envelope, with their errors.

drf-spectacular describes the serializers; `complete` adds what every response has around them, so
that the document says what is really sent.
"""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView

from medianest.api import exceptions
from medianest.api.exceptions import Problem
from plex_integration import errors

_EXAMPLES = Path(__file__).parent / "examples"

_PLEX = (errors.PlexUnauthorized, errors.PlexApiError, errors.PlexServerUnavailable)
_SIGNED_IN = (exceptions.Unauthorized, exceptions.RateLimitExceeded)
_BODY = (
    exceptions.Invalid,
    exceptions.UnsupportedMediaType,
    exceptions.RequestTimeout,
    exceptions.PayloadTooLarge,
)
_WRITING = (
    *_BODY,
    *_SIGNED_IN,
    exceptions.AccessDenied,
    errors.IdempotencyKeyReused,
    errors.WriteInProgress,
    *_PLEX,
)
_ALWAYS = (exceptions.NotAcceptable, exceptions.ServiceUnavailable, Problem)

# What each operation can fail with, besides what every one can.
_ERRORS: dict[str, tuple[type[Problem], ...]] = {
    "server": (*_SIGNED_IN, *_PLEX),
    "libraries": (*_SIGNED_IN, *_PLEX),
    "libraryItems": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "search": (exceptions.Invalid, errors.SearchQueryTooShort, *_SIGNED_IN, *_PLEX),
    "recentlyAdded": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "collections": (exceptions.Invalid, errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "collection": (exceptions.Invalid, errors.CollectionNotFound, *_SIGNED_IN, *_PLEX),
    "item": (errors.ItemNotFound, *_SIGNED_IN, *_PLEX),
    "itemChildren": (exceptions.Invalid, errors.ItemNotFound, *_SIGNED_IN, *_PLEX),
    "itemLookup": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "onDeck": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "genres": (errors.LibraryNotFound, *_SIGNED_IN, *_PLEX),
    "playlists": (exceptions.Invalid, *_SIGNED_IN, *_PLEX),
    "playlist": (exceptions.Invalid, errors.PlaylistNotFound, *_SIGNED_IN, *_PLEX),
    "itemImage": (
        exceptions.Invalid,
        errors.ItemNotFound,
        errors.ImageNotFound,
        *_SIGNED_IN,
        *_PLEX,
    ),
    "createCollection": (errors.LibraryNotFound, *_WRITING),
    "editCollection": (errors.CollectionNotFound, errors.SmartCollection, *_WRITING),
    "deleteCollection": (errors.CollectionNotFound, *_WRITING),
    "addCollectionItems": (errors.CollectionNotFound, errors.SmartCollection, *_WRITING),
    "removeCollectionItem": (
        errors.CollectionNotFound,
        errors.ItemNotFound,
        errors.SmartCollection,
        *_WRITING,
    ),
    "moveCollectionItem": (
        errors.CollectionNotFound,
        errors.ItemNotFound,
        errors.SmartCollection,
        *_WRITING,
    ),
    "createPlaylist": _WRITING,
    "editPlaylist": (errors.PlaylistNotFound, *_WRITING),
    "deletePlaylist": (errors.PlaylistNotFound, *_WRITING),
    "addPlaylistItems": (errors.PlaylistNotFound, errors.SmartPlaylist, *_WRITING),
    "removePlaylistItem": (
        errors.PlaylistNotFound,
        errors.ItemNotFound,
        errors.SmartPlaylist,
        *_WRITING,
    ),
    "movePlaylistItem": (
        errors.PlaylistNotFound,
        errors.ItemNotFound,
        errors.SmartPlaylist,
        *_WRITING,
    ),
    "authToken": (*_BODY, *_SIGNED_IN),
    "authRefresh": (*_BODY, *_SIGNED_IN),
    "authVerify": (*_BODY, *_SIGNED_IN),
    "authLogout": (*_BODY, *_SIGNED_IN),
    "authSession": _SIGNED_IN,
    "health": (),
    "live": (),
}

_HEADERS = {"X-Request-ID": ("string", "As `metadata.requestId`.")}
_CACHED_HEADERS = {
    "Age": ("integer", "Seconds since the response was loaded from Plex."),
    "Cache-Control": ("string", "`max-age=<seconds to live>, private`; `no-cache` when stale."),
    "ETag": ("string", "Validator of `data`."),
    "X-Plex-Cache-Status": ("string", "`HIT`, `MISS`, `STALE` or `BYPASS`."),
    "X-Plex-Cache-Age": ("integer", "As `Age`."),
    "X-Plex-Response-Time": ("string", "Milliseconds this service took, such as `123ms`."),
    "X-RateLimit-Limit": ("integer", "Requests a minute, over the endpoints that share it."),
    "X-RateLimit-Remaining": ("integer", "Requests left now."),
    "X-RateLimit-Reset": ("integer", "Epoch second in which the oldest one counted is forgotten."),
}

_PICTURE_HEADERS = {
    name: described for name, described in _CACHED_HEADERS.items() if not name.endswith("Age")
} | {
    "Cache-Control": ("string", "`private, max-age=<seconds>`, and `immutable` for a signed link."),
    "ETag": ("string", "Validator of the picture."),
    "X-Plex-Cache-Status": ("string", "`HIT`, `MISS` or `BYPASS`."),
}

_WRITE_HEADERS = {
    name: described
    for name, described in _CACHED_HEADERS.items()
    if name.startswith("X-RateLimit") or name == "X-Plex-Response-Time"
} | {
    "Cache-Control": ("string", "`no-store`."),
    "Idempotency-Replayed": ("string", "`true` where the first answer is given again."),
}

_METADATA = {
    "Metadata": {
        "type": "object",
        "required": ["timestamp", "requestId"],
        "properties": {
            "timestamp": {"type": "string", "format": "date-time"},
            "requestId": {"type": "string"},
        },
    },
    "CachedMetadata": {
        "type": "object",
        "required": ["timestamp", "requestId", "cached", "cacheAge"],
        "properties": {
            "timestamp": {"type": "string", "format": "date-time"},
            "requestId": {"type": "string"},
            "cached": {"type": "boolean"},
            "cacheAge": {"type": "integer", "description": "Age in seconds; 0 if just loaded."},
            "stale": {
                "type": "boolean",
                "description": "Expired, and Plex fails now.",
            },
            "staleReason": {"type": "string", "description": "The code of the error."},
        },
    },
    "Failure": {
        "type": "object",
        "required": ["success", "error", "metadata"],
        "properties": {
            "success": {"const": False},
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
            },
            "metadata": {"$ref": "#/components/schemas/Metadata"},
        },
    },
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Name the way to sign in."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class TextSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describe which texts a field of a query or a body accepts."""

    target_class = "medianest.api.fields.RequestText"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self.target.pattern}


class EditSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describe that a change names at least one field."""

    target_class = "plex_integration.writing.bodies.Edit"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        # Members of other names do not count. `minProperties` is for clients without `anyOf`.
        any_of = [{"required": [name]} for name in schema["properties"]]
        return {**schema, "minProperties": 1, "anyOf": any_of}


class SchemaView(SpectacularAPIView):
    """The document itself: JSON, or YAML if the client asks for it."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


def complete(result: Any, generator: Any, request: Any, public: Any) -> Any:
    """Wrap every response in the envelope and add its error responses."""
    for path in result["paths"].values():
        for method, operation in path.items():
            name = operation["operationId"]
            for parameter in operation.get("parameters", ()):
                # drf-spectacular's mark for its own enum hook, which this document does without.
                parameter["schema"].pop("x-spec-enum-id", None)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True  # drf-spectacular: not for PATCH
            is_plex = operation["tags"][0] == "plex"
            if name == "itemImage":
                _as_picture(operation)
            elif is_plex and method == "get":
                _wrap(operation["responses"]["200"], "CachedMetadata", _HEADERS | _CACHED_HEADERS)
                operation["responses"]["304"] = {
                    "description": "The client's `If-None-Match` names the present `ETag`.",
                    "headers": _headers(_HEADERS | _CACHED_HEADERS),
                }
            elif is_plex:
                _as_written(operation)
            else:
                _wrap(operation["responses"]["200"], "Metadata", _HEADERS)
            sample = _EXAMPLES / f"{name}.json"
            if sample.exists():
                content = operation["responses"]["200"]["content"]["application/json"]
                content["examples"] = {"documented": {"value": json.loads(sample.read_text())}}
            operation["responses"] |= _failures((*_ERRORS[name], *_ALWAYS))
    for component in result["components"]["schemas"].values():
        for member in component.get("properties", {}).values():
            member.pop("x-spec-enum-id", None)
    result["components"]["schemas"] |= _METADATA
    return result


def _wrap(
    answer: dict[str, Any],
    metadata: str,
    headers: dict[str, tuple[str, str]],
    description: str = "Success.",
) -> None:
    content = answer.get("content", {}).get("application/json", {})
    answer["description"] = description
    answer["content"] = {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["success", "data", "metadata"],
                "properties": {
                    "success": {"const": True},
                    "data": content.get("schema", {"type": "object"}),
                    "metadata": {"$ref": f"#/components/schemas/{metadata}"},
                },
            }
        }
    }
    answer["headers"] = _headers(headers)


def _as_written(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    is_creation = "201" in answers
    done = "What a dry run would do." if is_creation else "The result, or with `dryRun` the plan."
    _wrap(answers["200"], "Metadata", _HEADERS | _WRITE_HEADERS, done)
    if is_creation:
        headers = _HEADERS | _WRITE_HEADERS | {"Location": ("string", "The path of what is new.")}
        _wrap(answers["201"], "Metadata", headers, "Created.")


def _as_picture(operation: dict[str, Any]) -> None:
    headers = _headers(_HEADERS | _PICTURE_HEADERS)
    operation["responses"]["200"] |= {"description": "The picture.", "headers": headers}
    operation["responses"]["304"] = {
        "description": "The client's `If-None-Match` names the present `ETag`.",
        "headers": headers,
    }


def _headers(described: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {"schema": {"type": kind}, "description": text}
        for name, (kind, text) in described.items()
    }


def _failures(problems: tuple[type[Problem], ...]) -> dict[str, Any]:
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status_code, []).append(problem)
    return {
        str(status): {
            "description": " ".join(
                f"`{problem.code}`: {problem.default_detail}" for problem in by_status[status]
            ),
            "content": {
                "application/json": {
                    "schema": {
                        "$ref": "#/components/schemas/Failure",
                        "properties": {
                            "error": {
                                "properties": {
                                    "code": {"enum": [each.code for each in by_status[status]]}
                                }
                            }
                        },
                    }
                }
            },
        }
        for status in sorted(by_status)
    }
