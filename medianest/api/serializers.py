"""Base classes of serializers: responses (Payload), query parameters (Query), bodies (Body)."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from types import MappingProxyType
from typing import Any, cast

from django.conf import settings
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from medianest.api.fields import CommaList, Instant

_Context = Mapping[str, Any]
_Read = Callable[[Any], Any]
_Write = Callable[[Any, _Context], Any]
_Step = tuple[str, bool, _Read, _Write | None]
"""A member: its name, whether it is required, how to read its value, and how to write it.

The last one is None where the value is JSON already.
"""

# Values of these fields must already have the JSON's type: DRF would convert each of them again.
_PLAIN = frozenset(
    (serializers.CharField, serializers.IntegerField, serializers.FloatField, Instant)
)


class ContextField(serializers.CharField):
    """A text that depends on the serializer's context.

    All responses share a payload's fields, so the context is an argument.
    """

    def write(self, value: Any, context: _Context) -> str | None:
        """Return what stands in the JSON for a value."""
        raise NotImplementedError


class Payload(serializers.Serializer[Any]):
    """What goes under `data`: a member declared `required=False` is omitted where it is None."""

    payload_version = 1

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return _plan(type(self)).write(instance, self.context)

    @classmethod
    def shape(cls) -> str:
        """Return a digest of the declared structure: it changes when the JSON's structure may.

        It covers the names, types and options of all members, at every depth, and the address that
        links begin with. Raise `payload_version` when a field's own code changes what it writes.
        """
        return _shape(cls, settings.PUBLIC_URL)


class _Plan:
    """How to write the members of a payload: decided once for all its instances.

    DRF copies the declared fields for each serializer, and decides for each value how to write it.
    """

    def __init__(self, payload: Payload) -> None:
        fields = payload.fields.items()
        self._of_mapping = [_step(name, each, each.get_attribute) for name, each in fields]
        self._of_object = [_step(name, each, _reader(each)) for name, each in fields]

    def write(self, instance: Any, context: _Context) -> dict[str, Any]:
        """Return the members of an object or a dictionary."""
        members: dict[str, Any] = {}
        steps = self._of_mapping if isinstance(instance, dict) else self._of_object
        for name, is_required, read, write in steps:
            if (value := read(instance)) is not None:
                members[name] = write(value, context) if write else value
            elif is_required:
                members[name] = None
        return members

    def write_all(self, instances: Iterable[Any], context: _Context) -> list[dict[str, Any]]:
        """Return the members of each."""
        return [self.write(each, context) for each in instances]


@lru_cache(maxsize=256)
def _plan(payload: type[Payload]) -> _Plan:
    return _Plan(payload())


def _step(name: str, field: Any, read: _Read) -> _Step:
    return name, field.required, read, _writer(field)


def _writer(field: Any) -> _Write | None:
    if isinstance(field, Payload):
        return _plan(type(field)).write
    if isinstance(field, serializers.ListSerializer):
        return _plan(type(cast(Payload, field.child))).write_all
    if isinstance(field, ContextField):
        return field.write
    if type(field) in _PLAIN:
        return None
    return lambda value, _context: field.to_representation(value)


def _reader(field: Any) -> _Read:
    """Return how to read a field's value from an object: a field may have its own way."""
    is_plain = type(field).get_attribute is serializers.Field.get_attribute
    return attrgetter(field.source) if is_plain else field.get_attribute


class Query(serializers.Serializer[Any]):
    """Query parameters: each within its documented bounds, and at most once if it is no list."""

    @classmethod
    def of(cls, parameters: QueryDict) -> Mapping[str, Any]:
        """Return the validated parameters; unknown ones are ignored.

        Raises ValidationError that names each bad parameter.
        """
        fields = cls._declared_fields
        lists = {name for name, field in fields.items() if isinstance(field, CommaList)}
        given = tuple(
            (name, ",".join(parameters.getlist(name)) if name in lists else parameters[name])
            for name in fields
            if name in parameters
        )
        repeated = {
            name: ["Give this parameter once."]
            for name, _ in given
            if name not in lists and len(parameters.getlist(name)) > 1
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


class AtLeastOne(Body):
    """A JSON object with at least one of its members."""

    def validate(self, attrs: Any) -> Any:
        if not attrs:
            messages = [f"Give at least one of: {', '.join(self.fields)}."]
            raise serializers.ValidationError({"body": messages})
        return attrs


@lru_cache(maxsize=4096)
def _validated(query: type[Query], given: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    """Validate equal parameters once; the result is read-only, so requests can share it.

    Valid parameters are short, and errors are not cached.
    """
    serializer = query(data=dict(given))
    serializer.is_valid(raise_exception=True)
    return MappingProxyType(dict(serializer.validated_data))


@lru_cache(maxsize=256)
def _shape(payload: type[Payload], public_url: str) -> str:
    text = f"{public_url}\n{_structure(payload())}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _structure(field: Any) -> str:
    """Write a field's type, options and members as text."""
    if isinstance(field, serializers.ListSerializer):
        return f"[{_structure(field.child)}]"
    options = f"{field.source}:{field.required}:{field.allow_null}"
    if not isinstance(field, Payload):
        return f"{type(field).__name__}:{options}"
    members = ",".join(f"{name}={_structure(each)}" for name, each in field.fields.items())
    return f"{options}:{field.payload_version}{{{members}}}"
