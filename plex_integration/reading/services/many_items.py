"""`GET /items` and `POST /items`: many items by their ids and guids."""

from collections.abc import Mapping, Sequence
from typing import Any

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.plex.guids import items_with_guids
from plex_integration.plex.media import Item
from plex_integration.reading.services.read import Catalog, Read, Result


def many_items(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask once for every 50 ids, and for the guids as `items_with_guids` does.

    The order is part of what is asked: responses with another order are other responses.
    """
    keys, guids = tuple(query.get("ids", ())), tuple(query.get("guids", ()))

    libraries = catalog.libraries()

    def load(plex: PlexClient) -> Result:
        call = plex.start(plex.items, keys)
        by_guid = items_with_guids(plex, guids, libraries)
        return _result(_named(call.result(), keys) | _named(by_guid, guids))

    return Read((keys, guids), load, libraries)


def _named(found: Mapping[str, Sequence[Item]], names: Sequence[str]) -> dict[str, Sequence[Item]]:
    return {name: found.get(name, ()) for name in names}


def _result(named: Mapping[str, Sequence[Item]]) -> Result:
    """Return the items in the order in which they were named, each once, and the missing names."""
    items = {item.ratingKey: item for found in named.values() for item in found}
    missing = [name for name, found in named.items() if not found]
    shown = list(items.values())
    data = {"items": shown, "total": len(shown), "missing": missing}
    # What is missing may be added to any library.
    libraries = None if missing else {item.library.id for item in shown if item.library}
    return Result(data, tags.libraries(libraries) | tags.items(shown))
