"""The schemas of responses: the envelope around their data, and what is in it besides."""

from typing import Any

from plex_integration import errors

_ERROR_CODE: dict[str, Any] = {
    "type": "string",
    "enum": sorted(errors.TABLE),
    "description": "What went wrong, for programs.",
}

_API_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"$ref": "#/components/schemas/ErrorCode"},
        "message": {"type": "string", "description": "What went wrong, for people."},
        "details": {
            "type": "object",
            "additionalProperties": True,
            "description": "Of `VALIDATION_ERROR`: the messages about each parameter. Of "
            "`RATE_LIMIT_EXCEEDED`: `limit`, `window` and `retryAfter`. Others have their own.",
        },
    },
    "description": "An error.",
}

_EVERY_METADATA: dict[str, Any] = {
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "description": "When the service answered.",
    },
    "requestId": {"type": "string", "description": "Names this request in the service's log."},
    "ignored": {
        "type": "array",
        "items": {"type": "string", "maxLength": 64},
        "minItems": 1,
        "maxItems": 20,
        "description": "The names of query parameters that had no effect; left out without any.",
    },
}

_METADATA = {
    "type": "object",
    "required": ["timestamp", "requestId"],
    "properties": _EVERY_METADATA,
    "description": "About a response.",
}

_CACHED_METADATA = {
    "type": "object",
    "required": ["timestamp", "requestId", "cached", "cacheAge"],
    "properties": _EVERY_METADATA
    | {
        "cached": {"type": "boolean", "description": "Whether it comes from the cache."},
        "cacheAge": {"type": "integer", "description": "Age in seconds; 0 if just loaded."},
        "stale": {"type": "boolean", "description": "Expired, and Plex fails now."},
        "staleReason": {
            "allOf": [{"$ref": "#/components/schemas/ErrorCode"}],
            "description": "The code of that failure.",
        },
    },
    "description": "About a response that can come from the cache.",
}

_ERROR_RESPONSE = {
    "type": "object",
    "required": ["success", "error", "metadata"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "error": {"$ref": "#/components/schemas/ApiError"},
        "metadata": {"$ref": "#/components/schemas/Metadata"},
    },
    "description": "The response to a request that failed.",
}

COMPONENTS = {
    "ErrorCode": _ERROR_CODE,
    "ApiError": _API_ERROR,
    "ErrorResponse": _ERROR_RESPONSE,
    "Metadata": _METADATA,
    "CachedMetadata": _CACHED_METADATA,
}


def success(data: dict[str, Any], metadata: str) -> tuple[str, dict[str, Any]]:
    """Return the schema of a response with this data, and its name; `metadata` is a component."""
    name = data["$ref"].rsplit("/", 1)[1] if "$ref" in data else "Empty"
    return f"{name}Response", {
        "type": "object",
        "required": ["success", "data", "metadata"],
        "properties": {
            "success": {"type": "boolean", "const": True},
            "data": data,
            "metadata": {"$ref": f"#/components/schemas/{metadata}"},
        },
    }


def failure(codes: list[str]) -> dict[str, Any]:
    """Return the schema of an error response with one of these codes."""
    code = {"type": "string", "enum": codes}
    error = {"type": "object", "required": ["code"], "properties": {"code": code}}
    narrowed = {"type": "object", "required": ["error"], "properties": {"error": error}}
    return {"allOf": [{"$ref": "#/components/schemas/ErrorResponse"}, narrowed]}
