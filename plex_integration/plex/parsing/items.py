"""Parse items: the shortened rows of lists and searches, complete rows, and item details."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from plex_integration.plex.parsing.attributes import instant, number, text, whole
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

    The container names the library where the items do not.
    """
    return [_row(each, container, known) for each in _titled(filter(_is_item, elements))]


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


def complete_row(row: media.Row, element: Element, known: KnownLibraries) -> media.Row:
    """Replace the item of a row by the complete one.

    The row's own facts stay, and one of them is `addedAt`: a list of recently added items dates a
    season by its newest episode.
    """
    return media.Row(_item(element, element, known, row.item), row.addedAtSeconds)


def parse_item_details(root: Element, known: KnownLibraries) -> media.Item | None:
    """Parse the response about one item with all its details; None if it is not an item."""
    element = next((each for each in root if _is_item(each)), None)
    if element is None:
        return None
    return replace(
        _item(element, root, known),
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
    return media.Row(_item(element, container, known), whole(element, "addedAt"))


def _item(
    element: Element,
    container: Element,
    known: KnownLibraries,
    listed: media.Item | None = None,
) -> media.Item:
    """Parse an item; `listed` is the same one as a list has it, whose own facts stay."""
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
        addedAt=(listed.addedAt if listed else None) or instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        library=library_reference(element, container, known)
        or (listed.library if listed else None),
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
        matchReason=listed.matchReason if listed else text(element, "reason") or "title",
        playlistItemId=listed.playlistItemId if listed else whole(element, "playlistItemID"),
    )


def _item_type(element: Element) -> str:
    kind = element.attrib["type"]
    # Plex sends a photo album as a photo that is a directory.
    return "photoalbum" if kind == "photo" and element.tag == "Directory" else kind


def _season_count(element: Element) -> int | None:
    # Plex sends `seasonCount` only for a show with specials, which `childCount` includes.
    seasons = whole(element, "seasonCount")
    return whole(element, "childCount") if seasons is None else seasons
