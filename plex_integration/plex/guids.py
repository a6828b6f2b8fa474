"""Find items by many guids at once."""

import re
from collections.abc import Mapping, Sequence

from plex_integration.plex.client import IDS_PER_CALL, PlexClient
from plex_integration.plex.media import Item, Library, Row

# The types that a guid of Plex can name, and those that other sites have ids for.
PLEX_TYPES = ("movie", "show", "season", "episode", "artist", "album", "track")
OUTSIDE_TYPES = ("movie", "show")
# Libraries of personal media have Plex's agent "none", which knows no guids.
NO_AGENTS = frozenset((None, "com.plexapp.agents.none"))

_PLEX = re.compile(rf"plex://({'|'.join(PLEX_TYPES)})/[0-9a-f]{{1,40}}")
_OUTSIDE = re.compile(r"imdb://tt[0-9]{1,12}|(tmdb|tvdb)://[0-9]{1,12}")


def agents_of(libraries: Sequence[Library]) -> list[Library]:
    """Return one library for each agent that knows the ids of other sites."""
    agents = {
        library.agent: library
        for library in libraries
        if library.type in OUTSIDE_TYPES and library.agent not in NO_AGENTS
    }
    return list(agents.values())


def items_with_guids(
    plex: PlexClient, guids: Sequence[str], libraries: Sequence[Library]
) -> Mapping[str, Sequence[Item]]:
    """Return the complete items that have each guid; none if it cannot be looked up.

    Plex is asked for 50 guids of a type at once. An id of another site that Plex does not find
    is mapped to Plex's own by the agents of the libraries: one request for each, in parallel.
    """
    found = _items(plex, guids)
    unknown = [guid for guid in guids if not found[guid] and _OUTSIDE.fullmatch(guid)]
    mapped = _mapped(plex, unknown, agents_of(libraries))
    own = _items(plex, sorted({each for named in mapped.values() for each in named}))
    return found | {
        guid: [item for each in named for item in own[each]] for guid, named in mapped.items()
    }


def _mapped(
    plex: PlexClient, guids: Sequence[str], libraries: Sequence[Library]
) -> dict[str, list[str]]:
    """Return Plex's own guids for those of other sites, as the libraries' agents know them."""
    examples = [(library, plex.start(plex.any_key, library)) for library in libraries if guids]
    calls = [
        (guid, library, plex.start(plex.matched_guid, guid, library, key))
        for library, example in examples
        if (key := example.result())
        for guid in guids
    ]
    mapped: dict[str, list[str]] = {}
    for guid, library, call in calls:
        if (own := call.result()) and own.startswith(f"plex://{library.type}/"):
            mapped.setdefault(guid, []).append(own)
    return mapped


def _items(plex: PlexClient, guids: Sequence[str]) -> dict[str, Sequence[Item]]:
    lists = [
        (kind, named[first : first + IDS_PER_CALL])
        for kind, named in _by_type(guids).items()
        for first in range(0, len(named), IDS_PER_CALL)
    ]
    rows = _rows(plex, lists)
    if not rows:
        # Either there is nothing, or this server takes a list for one guid, which nothing has.
        several = [
            (kind, [guid])
            for kind, named in lists
            if len(named) > 1
            for guid in named
            if _PLEX.fullmatch(guid)
        ]
        rows = _rows(plex, several)
    items = plex.completed(rows)
    return {guid: [item for item in items if item.has_guid(guid)] for guid in guids}


def _by_type(guids: Sequence[str]) -> dict[str, list[str]]:
    """Return the guids that can be looked up, by the types of items that may have them."""
    named: dict[str, list[str]] = {}
    for guid in guids:
        match = _PLEX.fullmatch(guid)
        outside = OUTSIDE_TYPES if _OUTSIDE.fullmatch(guid) else ()
        for kind in (match[1],) if match else outside:
            named.setdefault(kind, []).append(guid)
    return named


def _rows(plex: PlexClient, lists: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
    calls = [plex.start(plex.with_guids, guids, kind) for kind, guids in lists]
    rows = [row for call in calls for row in call.result()]
    return list({row.ratingKey: row for row in rows}.values())
