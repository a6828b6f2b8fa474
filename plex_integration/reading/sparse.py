"""Sparse items: the parameter `fields`, and which members of a payload are items."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from medianest.api.fields import CommaList
from medianest.api.serializers import Payload
from plex_integration.caching.projection import Projection
from plex_integration.reading.serializers.items import PlexMediaItemPayload

MAX_SHOWN = 40


class ItemFields(CommaList):
    """The names of the members that items of a payload shall have."""

    default_error_messages = {
        "empty": "Name at least one member. An item has: {members}.",
        "long": "Name at most {most} members. An item has: {members}.",
        "unknown": "{names}: an item has no such member. It has: {members}.",
    }

    def __init__(self, item: type[PlexMediaItemPayload]) -> None:
        super().__init__(
            required=False,
            help_text="The members that each item shall have, comma-separated. All when left out.",
        )
        self.members = tuple(item._declared_fields)

    @property
    def schema(self) -> dict[str, Any]:
        """How the OpenAPI document describes it."""
        names = {"type": "string", "enum": list(self.members)}
        return {"type": "array", "items": names, "minItems": 1, "maxItems": len(self.members)}

    def to_internal_value(self, data: str) -> tuple[str, ...]:
        members, names = ", ".join(self.members), self.split(data)
        if not all(names):
            self.fail("empty", members=members)
        if len(names) > len(self.members):
            self.fail("long", most=len(self.members), members=members)
        unknown = [name[:MAX_SHOWN] for name in names if name not in self.members]
        if unknown:
            self.fail("unknown", names=", ".join(unknown), members=members)
        return tuple(sorted(set(names)))


def fields_of(item: type[PlexMediaItemPayload]) -> Any:
    """Return the parameter `fields`, untyped: every serializer has a property of this name."""
    return ItemFields(item)


@lru_cache(maxsize=256)
def item_members(payload: type[Payload]) -> tuple[str, ...]:
    """Return the names of a payload's members that are items or lists of items."""
    members = payload().fields.items()
    return tuple(
        name
        for name, field in members
        if isinstance(getattr(field, "child", field), PlexMediaItemPayload)
    )


def projection_of(payload: type[Payload], query: Mapping[str, Any]) -> Projection | None:
    """Return what a query selects of the items of a payload; None for whole items."""
    fields = query.get("fields")
    return None if fields is None else Projection(item_members(payload), fields)
