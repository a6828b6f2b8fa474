"""What drf-spectacular cannot describe by itself. It finds these classes once they are imported."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)


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


class ListSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describe what a list in a query may contain."""

    target_class = "medianest.api.fields.CommaList"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self.target.schema
        return schema


class AtLeastOneSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describe that a body has at least one member."""

    target_class = "medianest.api.serializers.AtLeastOne"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        # Members of other names do not count. `minProperties` is for clients without `anyOf`.
        any_of = [{"required": [name]} for name in schema["properties"]]
        return {**schema, "minProperties": 1, "anyOf": any_of}


class ExtendingSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describe a payload that only adds members to another as an extension of it."""

    target_class = "medianest.api.serializers.Payload"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        whole: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        parent: Any = type(self.target).__base__
        if not _only_adds(type(self.target), parent):
            return whole
        own = {name for name in whole["properties"] if name not in parent._declared_fields}
        added = {
            "type": "object",
            "properties": {name: whole["properties"][name] for name in sorted(own)},
            "required": sorted(own & set(whole["required"])),
        }
        return {
            "allOf": [auto_schema.resolve_serializer(parent, direction).ref, _filled(added)],
            "description": whole["description"],
        }


def _only_adds(payload: Any, parent: Any) -> bool:
    """Tell whether a payload has the members of its parent, unchanged, and others."""
    inherited = getattr(parent, "_declared_fields", {})
    unchanged = [payload._declared_fields.get(name) is field for name, field in inherited.items()]
    return bool(inherited) and all(unchanged)


def _filled(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if value}
