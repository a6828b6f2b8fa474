"""What a change of a library invalidates."""

import json
from typing import Any

from plex_integration.caching import tags


def test_a_change_touches_its_own_library_and_what_shows_them_all(shared: Any) -> None:
    before = json.loads(shared.values.tag_versions().raw)
    assert set(before) == {"base"}
    assert tags.invalidate_library("1")
    changed = json.loads(shared.values.tag_versions().raw)
    assert set(changed) == {"base", "library:1", "libraries"}
    assert changed["base"] == before["base"]
