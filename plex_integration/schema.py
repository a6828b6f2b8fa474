"""The OpenAPI document's envelope and errors: each answer as it is really sent."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from plex_integration.errors import TABLE


class EnvelopeSchema(AutoSchema):
    """Nothing but payloads: `complete` puts them into the envelope."""


def complete(result: Any, generator: Any, request: Any, public: Any) -> Any:
    return result
