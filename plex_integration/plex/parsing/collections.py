"""Parse collections."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from plex_integration.plex.parsing.attributes import flag, instant, text, whole
from plex_integration.plex.parsing.libraries import KnownLibraries, library_reference
from plex_integration.plex.parsing.smart import depends_on_watch_state


def parse_collections(
    elements: Iterable[Element], library: media.LibraryReference
) -> list[media.Collection]:
    """Parse the collections of a library."""
    return [_collection(each, library) for each in elements if _is_collection(each)]


def parse_collection(root: Element, known: KnownLibraries) -> media.Collection | None:
    """Parse the response about one collection; None if it is something else."""
    element = collection_element(root)
    if element is None:
        return None
    return _collection(element, library_reference(element, root, known))


def collection_element(root: Element) -> Element | None:
    """Return the first collection of a response."""
    return next((each for each in root if _is_collection(each)), None)


def _is_collection(element: Element) -> bool:
    return element.get("type") == "collection" and is_id(element.get("ratingKey", ""))


def _collection(element: Element, library: media.LibraryReference | None) -> media.Collection:
    key = element.attrib["ratingKey"]
    title = text(element, "title")
    return media.Collection(
        ratingKey=key,
        key=f"/library/metadata/{key}",
        type="collection",
        title=title,
        addedAt=instant(element, "addedAt"),
        updatedAt=instant(element, "updatedAt"),
        childCount=whole(element, "childCount"),
        smart=bool(flag(element, "smart")),
        library=library,
        titleSort=text(element, "titleSort") or title,
        summary=text(element, "summary"),
        contentRating=text(element, "contentRating"),
        art=text(element, "art"),
        thumb=text(element, "thumb"),
        subtype=text(element, "subtype"),
        dependsOnWatchState=depends_on_watch_state(element),
    )
