"""The response to OPTIONS: what an endpoint is called, does, accepts and sends.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

from medianest.api import operations
from medianest.api.operations import Operation
from medianest.api.public_url import public_url
from medianest.api.routes import name_of, path_of


class EndpointMetadata(BaseMetadata):
    """Describe an endpoint as the OpenAPI document does; name no class of this service."""

    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        found = operations.of_path(path_of(request))
        return {
            "name": name_of(request),
            "description": found[0].summary if found else _first_line(view),
            "methods": view.allowed_methods,
            "renders": [each.media_type for each in view.renderer_classes],
            "parses": [each.media_type for each in view.parser_classes],
            "operations": [_described(each) for each in found],
        }


def _first_line(view: Any) -> str:
    """Return what a view that is not part of the document says about itself."""
    text: str = type(view).__doc__ or ""
    return text.partition("\n")[0]


def _described(operation: Operation) -> dict[str, Any]:
    return {
        "method": operation.method,
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": operation.parameters,
        "body": operation.body,
        "documentation": public_url(operation.url),
    }
