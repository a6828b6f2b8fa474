"""The wire's one shape: {"success", "data" or "error", "metadata"}.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from medianest.api.middleware import request_id
from medianest.api.fields import iso_instant


def metadata(request: HttpRequest) -> dict[str, Any]:
    """Return what every answer's `metadata` holds: when it was made, and the request's id."""
    return {"timestamp": iso_instant(datetime.now(UTC)), "requestId": request_id(request)}


def success(payload: bytes, about: Mapping[str, Any]) -> bytes:
    """Put a payload, already JSON, into the envelope without reading it."""
    return b'{"success":true,"data":%b,"metadata":%b}' % (payload, encode(about))


def failure(error: bytes, about: Mapping[str, Any]) -> bytes:
    """Put an error, already JSON, into the envelope."""
    return b'{"success":false,"error":%b,"metadata":%b}' % (error, encode(about))


def encode(value: Any) -> bytes:
    """Write JSON as this service writes it: UTF-8, no blanks, no NaN."""
    text = json.dumps(
        value, cls=JSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()


def decode(value: bytes) -> Any:
    """Read JSON."""
    return json.loads(value)


class EnvelopeRenderer(BaseRenderer):
    """Render what a view answered inside the envelope."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if renderer_context is None:
            raise TypeError("an envelope needs its request")
        response = renderer_context["response"]
        about = metadata(renderer_context["request"]) | getattr(response, "about", {})
        shape = failure if response.exception else success
        return shape(encode(data), about)
