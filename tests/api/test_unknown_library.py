"""A library that is not in the list, while Plex cannot say whether it is new."""

from typing import Any

import pytest

from plex_integration.reading import catalog
from plex_simulator import Simulator
from tests.conftest import Client


def test_an_unknown_library_is_not_denied_while_plex_is_unavailable(
    api: Client, plex: Simulator, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    api.data("/plex/libraries/1/items?size=1")
    monkeypatch.setattr(catalog, "RENEW_SECONDS", -1.0)
    plex.fault("disconnect")
    api.error("/plex/libraries/77/items", 503, "PLEX_SERVER_UNAVAILABLE")
    plex.heal()
    api.error("/plex/libraries/77/items", 404, "LIBRARY_NOT_FOUND")
