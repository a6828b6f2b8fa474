"""Parse items: the shortened rows of lists and searches, complete rows, and item details."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from plex_integration.plex.parsing.attributes import instant, instant_of, number, text, whole
from plex_integration.plex.parsing.libraries import KnownLibraries, library_reference
from plex_integration.plex.parsing.tags import (
    parse_actors,
    parse_chapters,
    parse_external_ids,
    parse_ratings,
    parse_tags,
)
from plex_integration.plex.parsing.versions import parse_versions

log = logging.getLogger(__name__)

# The actors of an item in billing order: Plex has up to 200, and the item's details show all.
MAX_ACTORS = 20

_TYPES = frozenset(media.ITEM_TYPES)


def parse_rows(
    elements: Iterable[Element], container: Element, known: KnownLibraries
) -> list[media.Row]:
    """Parse the rows of a list, without rows that are not items, or have no valid id or no title.

    The container names the library where the items do not. Each row refers to its element.
    """
    return [_row(each, container, known) for each in _titled(filter(_is_item, elements))]


def parse_items(
    elements: Iterable[Element], container: Element, known: KnownLibraries
) -> list[media.Item]:
    """Parse the same rows as items."""
    return [row.read_item() for row in parse_rows(elements, container, known)]


def without_element(row: media.Row) -> media.Row:
    """Return a row whose item is parsed, so that its element, which is larger, can be deleted."""
    item = row.read_item()
    return replace(row, read_item=lambda: item)


def parse_search_rows(
    root: Element, limit: int, kind: str | None, known: KnownLibraries
) -> list[media.Row]:
    """Parse the best matches of all hubs of a search, of one type or of all, best first.

    An item that is in several hubs comes once. People and tags are left out. A hub has no more than
    `limit` rows, whatever Plex sends. Only what is returned is parsed.
    """
    found = [each for hub in root.findall("Hub") for each in hub[:limit] if _is_item(each)]
    best: dict[str, Element] = {}
    for each in sorted(_titled(found), key=_score, reverse=True):
        if kind in (None, _item_type(each)):
            best.setdefault(each.attrib["ratingKey"], each)
    return [_row(each, each, known) for each in list(best.values())[:limit]]


def rows_of_hubs(root: Element) -> list[Element]:
    """Return the rows of all hubs of a response, and the rows that are in none."""
    return [row for each in root for row in (each if each.tag == "Hub" else [each])]


def item_elements(root: Element) -> dict[str, Element]:
    """Return the items of a response as elements, by rating key."""
    return {each.get("ratingKey", ""): each for each in root if _is_item(each)}


def complete_item(row: media.Row, element: Element, known: KnownLibraries) -> media.Item:
    """Parse the complete item of a row.

    What the row itself says stays, and that includes `addedAt`: a list of recently added items
    dates a season by its newest episode.
    """
    return _item(element, library_reference(element, element, known) or row.library, row)


def parse_item_details(root: Element, known: KnownLibraries) -> media.Item | None:
    """Parse the response about one item with all its details; None if it is not an item."""
    element = next((each for each in root if _is_item(each)), None)
    if element is None:
        return None
    return replace(
        _item(element, library_reference(element, root, known)),
        actors=parse_actors(element),
        media=parse_versions(element, with_streams=True),
        producers=parse_tags(element, "Producer"),
        ratings=parse_ratings(element) or None,
        chapters=parse_chapters(element) or None,
        editionTitle=text(element, "editionTitle"),
        userRating=number(element, "userRating"),
    )


def _is_item(element: Element) -> bool:
    return element.get("type") in _TYPES and is_id(element.get("ratingKey", ""))


def _titled(elements: Iterable[Element]) -> list[Element]:
    """Return the items that have a title; warn once about all others."""
    items = list(elements)
    titled = [each for each in items if each.get("title") or each.get("titleSort")]
    if missing := len(items) - len(titled):
        log.warning("%d items of a response of Plex have no title and are left out", missing)
    return titled


def _score(element: Element) -> float:
    return number(element, "score") or 0.0


def _row(element: Element, container: Element, known: KnownLibraries) -> media.Row:
    library = library_reference(element, container, known)
    return media.Row(
        ratingKey=element.attrib["ratingKey"],
        library=library,
        addedAtSeconds=whole(element, "addedAt"),
        playlistItemId=whole(element, "playlistItemID"),
        matchReason=text(element, "reason") or "title",
        read_item=partial(_item, element, library),
    )


def _item(
    element: Element, library: media.LibraryReference | None, row: media.Row | None = None
) -> media.Item:
    """Parse an item of a library; what its row in a list says stays."""
    key = element.attrib["ratingKey"]
    kind = _item_type(element)
    title = text(element, "title")
    leaves = whole(element, "leafCount")
    is_show = kind == "show"
    return media.Item(
        ratingKey=key,
        key=f"/library/metadata/{key}",
        type=kind,
        title=title,
        addedAt=(instant_of(row.addedAtSeconds) if row else None) or instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        library=library,
        playbackProgress=media.PlaybackProgress(
            viewOffset=whole(element, "viewOffset") or 0,
            viewCount=whole(element, "viewCount") or 0,
            lastViewedAt=instant(element, "lastViewedAt"),
        ),
        guid=text(element, "guid"),
        externalIds=parse_external_ids(element),
        subtype=text(element, "subtype"),
        titleSort=text(element, "titleSort") or title,
        originalTitle=text(element, "originalTitle"),
        summary=text(element, "summary"),
        rating=number(element, "rating"),
        audienceRating=number(element, "audienceRating"),
        year=whole(element, "year"),
        tagline=text(element, "tagline"),
        contentRating=text(element, "contentRating"),
        duration=whole(element, "duration"),
        originallyAvailableAt=text(element, "originallyAvailableAt"),
        art=text(element, "art"),
        thumb=text(element, "thumb"),
        banner=text(element, "banner"),
        theme=text(element, "theme"),
        studio=text(element, "studio"),
        genres=parse_tags(element, "Genre"),
        directors=parse_tags(element, "Director"),
        writers=parse_tags(element, "Writer"),
        actors=parse_actors(element, MAX_ACTORS),
        countries=parse_tags(element, "Country"),
        collections=parse_tags(element, "Collection"),
        media=parse_versions(element),
        parentRatingKey=text(element, "parentRatingKey"),
        parentTitle=text(element, "parentTitle"),
        grandparentRatingKey=text(element, "grandparentRatingKey"),
        grandparentTitle=text(element, "grandparentTitle"),
        index=whole(element, "index"),
        parentIndex=whole(element, "parentIndex"),
        seasonCount=_season_count(element) if is_show else None,
        episodeCount=leaves if is_show else None,
        childCount=whole(element, "childCount"),
        leafCount=leaves,
        viewedLeafCount=whole(element, "viewedLeafCount"),
        matchReason=row.matchReason if row else text(element, "reason") or "title",
        playlistItemId=row.playlistItemId if row else whole(element, "playlistItemID"),
    )


def _item_type(element: Element) -> str:
    kind = element.attrib["type"]
    # Plex sends a photo album as a photo that is a directory.
    return "photoalbum" if kind == "photo" and element.tag == "Directory" else kind


def _season_count(element: Element) -> int | None:
    # Plex sends `seasonCount` only for a show with specials, which `childCount` includes.
    seasons = whole(element, "seasonCount")
    return whole(element, "childCount") if seasons is None else seasons
