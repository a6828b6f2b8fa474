"""How a view describes its endpoints to drf-spectacular, the index and the browsable API.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getdoc
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from medianest.api.serializers import Body, Query


@dataclass(frozen=True)
class Endpoint:
    """An action: its operation id, its query and body, its other parameters and its responses.

    `responses` maps statuses to payload serializers.
    """

    operation_id: str
    responses: Mapping[Any, Any]
    query: type[Query] | None = None
    body: type[Body] | None = None
    parameters: tuple[OpenApiParameter, ...] = ()

    @property
    def query_names(self) -> frozenset[str]:
        """The names of all its query parameters."""
        others = (each.name for each in self.parameters if each.location == OpenApiParameter.QUERY)
        return frozenset((*(self.query._declared_fields if self.query else ()), *others))


class EndpointSchema(AutoSchema):
    """Describe the current action of a view by its `endpoint()`, where it has one."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        # A `list` action answers with an object that holds the list, not with the list itself.
        return False if self._endpoint() else bool(super()._is_list_view(serializer))

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """Return the name of a component: that of the class, without its role here."""
        return type(serializer).__name__.removesuffix("Payload").removesuffix("Body")

    def get_tags(self) -> list[str]:
        """Return the subject of the view, which `SPECTACULAR_SETTINGS` describes."""
        view: Any = self.view
        return [view.tag]

    def get_summary(self) -> str:
        """Return the first paragraph of the action's docstring, without its full stop."""
        return self._paragraphs()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        """Return the other paragraphs."""
        return "\n\n".join(self._paragraphs()[1:])

    def _paragraphs(self) -> list[str]:
        action = getattr(self.view, "action", None) or self.method.lower()
        paragraphs = (getdoc(getattr(self.view, action)) or "").split("\n\n")
        return [" ".join(each.split()) for each in paragraphs]

    def get_operation_id(self) -> str:
        endpoint = self._endpoint()
        return endpoint.operation_id if endpoint else super().get_operation_id()

    def get_override_parameters(self) -> list[Any]:
        endpoint = self._endpoint()
        if endpoint is None:
            return list(super().get_override_parameters())
        return [*([endpoint.query] if endpoint.query else []), *endpoint.parameters]

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        for each in parameters:
            if each["in"] == "query" and each["schema"].get("type") == "array":
                each |= {"style": "form", "explode": False}
        return parameters

    def get_request_serializer(self) -> Any:
        endpoint = self._endpoint()
        return endpoint.body if endpoint else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        endpoint = self._endpoint()
        return endpoint.responses if endpoint else super().get_response_serializers()

    def _endpoint(self) -> Endpoint | None:
        describe = getattr(self.view, "endpoint", None)
        return describe() if describe else None
