"""A payload writes an object's members in order, as their fields say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from rest_framework import serializers

from medianest.api.serializers import ContextField, Payload


class Shouted(serializers.CharField):
    """A field with a way of its own to write its value."""

    def to_representation(self, value: Any) -> str:
        return f"{value}!"


class Doubled(serializers.IntegerField):
    """A field with a way of its own to read its value."""

    def get_attribute(self, instance: Any) -> int:
        return 2 * int(instance.count)


class Greeting(ContextField):
    """A field whose value depends on the context."""

    def write(self, value: Any, context: Mapping[str, Any]) -> str:
        return f"{context['greeting']} {value}"


class OfMaker(Payload):
    country = Greeting()


class Greeted(Payload):
    makers = OfMaker(many=True)


class OfFilm(Payload):
    title = serializers.CharField(allow_null=True)
    name = Shouted(source="title", required=False)
    country = serializers.CharField(source="maker.country")
    count = serializers.IntegerField(allow_null=True)
    twice = Doubled()


@dataclass
class Maker:
    country: str = "NZ"


@dataclass
class Film:
    title: Any
    count: Any = 1
    maker: Maker = field(default_factory=Maker)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Up", {"title": "Up", "name": "Up!", "country": "NZ", "count": 1, "twice": 2}),
        (None, {"title": None, "country": "NZ", "count": 1, "twice": 2}),
    ],
)
def test_an_object_is_written_as_its_fields_say(title: Any, expected: dict[str, Any]) -> None:
    written = OfFilm(Film(title)).data
    assert list(written.items()) == list(expected.items())


def test_one_payload_writes_objects_and_mappings_of_a_list() -> None:
    class Named(Payload):
        title = serializers.CharField()

    written = Named([Film("Up"), {"title": "Alien"}], many=True).data
    assert [dict(each) for each in written] == [{"title": "Up"}, {"title": "Alien"}]


def test_serializers_that_share_their_fields_each_write_with_their_own_context() -> None:
    made = {"makers": [Maker(), Maker("UK")]}
    first, second = (Greeted(made, context={"greeting": greeting}) for greeting in ("Hi", "Bye"))
    assert first.data == {"makers": [{"country": "Hi NZ"}, {"country": "Hi UK"}]}
    assert second.data == {"makers": [{"country": "Bye NZ"}, {"country": "Bye UK"}]}


def test_the_fields_of_a_payload_are_built_once() -> None:
    built: list[type] = []

    class Counted(Payload):
        country = serializers.CharField()

        def get_fields(self) -> Any:
            built.append(type(self))
            return super().get_fields()

    assert [Counted(Maker()).data for _ in range(3)] == [{"country": "NZ"}] * 3
    assert len(built) == 1
