"""A payload writes an object's members in order, as their fields say."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from rest_framework import serializers

from medianest.api.serializers import Payload


class Shouted(serializers.CharField):
    """A field with a way of its own to write its value."""

    def to_representation(self, value: Any) -> str:
        return f"{value}!"


class Doubled(serializers.IntegerField):
    """A field with a way of its own to read its value."""

    def get_attribute(self, instance: Any) -> int:
        return 2 * int(instance.count)


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
        (7, {"title": "7", "name": "7!", "country": "NZ", "count": 1, "twice": 2}),
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
