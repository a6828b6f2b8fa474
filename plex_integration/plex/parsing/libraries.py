"""Parse libraries, their filters, their genres and their storage; find the library of an item."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from plex_integration.plex import media
from plex_integration.plex.ids import is_id
from plex_integration.plex.parsing.attributes import choice, flag, instant, text, whole

KnownLibraries = Mapping[str, media.LibraryReference]
"""The libraries already known, by id: Plex sends items without their library's title and type."""


def parse_libraries(root: Element) -> media.Libraries:
    """Parse the response of `/library/sections`, without libraries that have no valid key."""
    found = [each for each in root if each.tag == "Directory" and is_id(each.get("key", ""))]
    return media.Libraries([_library(each) for each in found], len(found) == len(root))


def parse_filters(root: Element) -> list[media.Filter]:
    """Parse the filters of the active type in a response with `includeMeta=1`."""
    return [
        media.Filter(
            filter=text(each, "filter"),
            filterType=text(each, "filterType"),
            key=text(each, "key"),
            title=text(each, "title"),
            type=text(each, "type"),
        )
        for kind in root.findall("Meta/Type")
        if flag(kind, "active")
        for each in kind.findall("Filter")
    ]


def parse_storage(root: Element) -> dict[str, media.Storage]:
    """Parse the totals of `/media/providers?includeStorage=1`, by library id."""
    return {
        each.get("id", ""): media.Storage(whole(each, "storageTotal"), whole(each, "durationTotal"))
        for provider in root.findall("MediaProvider")
        if provider.get("identifier") == "com.plexapp.plugins.library"
        for feature in provider.findall("Feature")
        if feature.get("type") == "content"
        for each in feature.findall("Directory")
        if each.get("storageTotal") or each.get("durationTotal")
    }


def parse_choices(root: Element) -> media.Choices:
    """Parse the choices of a filter, such as the genres of a library."""
    return media.Choices(
        tuple(
            media.Choice(int(key), each.get("title", ""))
            for each in root.findall("Directory")
            if is_id(key := each.get("key", ""))
        )
    )


def library_reference(
    element: Element, container: Element, known: KnownLibraries
) -> media.LibraryReference | None:
    """Return the library that an element names, or else its container."""
    for source in (element, container):
        if key := source.get("librarySectionID"):
            if library := known.get(key):
                return library
            return media.LibraryReference(key, source.get("librarySectionTitle"), None)
    return None


def _library(element: Element) -> media.Library:
    key = element.attrib["key"]
    return media.Library(
        id=key,
        key=f"/library/sections/{key}",
        title=text(element, "title"),
        type=choice(element, "type", media.LIBRARY_TYPES),
        agent=text(element, "agent"),
        scanner=text(element, "scanner"),
        language=text(element, "language"),
        uuid=text(element, "uuid"),
        refreshing=flag(element, "refreshing"),
        createdAt=instant(element, "createdAt"),
        updatedAt=instant(element, "updatedAt"),
        scannedAt=instant(element, "scannedAt"),
        content=flag(element, "content"),
        directory=flag(element, "directory"),
        contentChangedAt=whole(element, "contentChangedAt"),
        hidden=whole(element, "hidden"),
        location=[
            media.Location(whole(each, "id"), text(each, "path"))
            for each in element.findall("Location")
        ],
    )
