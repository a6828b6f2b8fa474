"""What a change of a library invalidates."""

import json
from typing import Any

import pytest

from plex_integration.caching import tags
from plex_integration.configuration import runtime
from plex_integration.reading import services
from plex_integration.reading.viewsets import LibraryItemsViewSet


def test_a_change_touches_its_own_library_and_what_shows_them_all(shared: Any) -> None:
    before = json.loads(shared.values.tag_versions().raw)
    assert set(before) == {"base"}
    assert tags.invalidate_library("server", "1")
    changed = json.loads(shared.values.tag_versions().raw)
    assert set(changed) == {"base", "server/library:1", "server/libraries"}
    assert changed["base"] == before["base"]


def test_a_change_after_the_catalog_was_read_makes_the_response_a_miss(
    quick: Any, shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response may show the old title: it must not count as loaded after the change."""

    def change_meanwhile(*given: Any) -> Any:
        read = services.library_items(*given)
        assert tags.invalidate_library(runtime.required_connection().server, "1")
        return read

    path = "/plex/libraries/1/items?size=1"
    with monkeypatch.context() as patch:
        patch.setattr(LibraryItemsViewSet, "service", change_meanwhile)
        assert quick.get(path).headers["X-Plex-Cache-Status"] == "MISS"
    assert quick.get(path).headers["X-Plex-Cache-Status"] == "MISS"
    assert quick.get(path).headers["X-Plex-Cache-Status"] == "HIT"
