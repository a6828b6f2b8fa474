"""Errors as problem details (RFC 9457): they say the same as the envelope, in other members.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from medianest.api import renderers
from medianest.api.negotiation import PROBLEM
from medianest.api.public_url import public_url

DOCUMENTATION = "/api/v1/errors"
"""The page that describes each code, under the code as its fragment."""

_NAMES = {"api": "API", "pin": "PIN", "plex": "Plex", "tv": "TV", "uri": "URI"}


def title(code: str) -> str:
    """Return a code as words: `PLEX_API_ERROR` is "Plex API error"."""
    first, *others = code.lower().split("_")
    return " ".join([_NAMES.get(first, first.capitalize()), *(_NAMES.get(w, w) for w in others)])


def body(error: Mapping[str, Any], status: int, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem details of what is under `error` and `metadata` in the envelope."""
    return {
        "type": public_url(f"{DOCUMENTATION}#{error['code']}"),
        "title": title(error["code"]),
        "status": status,
        "detail": error["message"],
        **{name: value for name, value in error.items() if name != "message"},
        **metadata,
    }


class ProblemRenderer(BaseRenderer):
    """Render the error of a view as problem details."""

    media_type = PROBLEM
    format = "problem"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if renderer_context is None:
            raise TypeError("problem details need their request")
        status = renderer_context["response"].status_code
        return renderers.encode(body(data, status, renderers.metadata_in(renderer_context)))
