"""Base classes of serializers: responses (Payload), query parameters (Query), bodies (Body)."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request


class Payload(serializers.Serializer[Any]):
    """What goes under `data`: a member declared `required=False` is omitted where it is None."""

    payload_version = 1

    def to_representation(self, instance: Any) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, field in self.fields.items():
            value = field.get_attribute(instance)
            if value is None:
                if field.required:
                    members[name] = None
            else:
                members[name] = field.to_representation(value)
        return members

    @classmethod
    @lru_cache(maxsize=256)
    def shape(cls) -> str:
        """Return a digest of the declared structure: it changes when the JSON's structure may.

        It covers the names, types and options of all members, at every depth. Raise
        `payload_version` when a field's own code changes what it writes.
        """
        return blake2b(_structure(cls()).encode(), digest_size=8).hexdigest()


class Query(serializers.Serializer[Any]):
    """Query parameters: each at most once, each within its documented bounds."""

    @classmethod
    def of(cls, parameters: QueryDict) -> Mapping[str, Any]:
        """Return the validated parameters; unknown ones are ignored.

        Raises ValidationError that names each bad parameter.
        """
        given = tuple(
            (name, parameters[name]) for name in cls._declared_fields if name in parameters
        )
        repeated = {
            name: ["Give this parameter once."]
            for name, _ in given
            if len(parameters.getlist(name)) > 1
        }
        if repeated:
            raise serializers.ValidationError(repeated)
        return _validated(cls, given)


class Body(serializers.Serializer[Any]):
    """A JSON object; unknown members are ignored."""

    @classmethod
    def of(cls, request: Request) -> Mapping[str, Any]:
        """Return the validated body. Raises ValidationError, ParseError, UnsupportedMediaType."""
        try:
            body = cls(data=request.data)
        except RecursionError:  # lists nested too deeply for the JSON parser
            raise ParseError from None
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


@lru_cache(maxsize=4096)
def _validated(query: type[Query], given: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    """Validate equal parameters once; the result is read-only, so requests can share it.

    Valid parameters are short, and errors are not cached.
    """
    serializer = query(data=dict(given))
    serializer.is_valid(raise_exception=True)
    return MappingProxyType(dict(serializer.validated_data))


def _structure(field: Any) -> str:
    """Write a field's type, options and members as text."""
    if isinstance(field, serializers.ListSerializer):
        return f"[{_structure(field.child)}]"
    options = f"{field.source}:{field.required}:{field.allow_null}"
    if not isinstance(field, Payload):
        return f"{type(field).__name__}:{options}"
    members = ",".join(f"{name}={_structure(each)}" for name, each in field.fields.items())
    return f"{options}:{field.payload_version}{{{members}}}"
