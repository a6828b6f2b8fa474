"""What a write of a watch state costs: requests to Plex, queries, and round trips to Redis."""

from collections.abc import Callable
from typing import Any

import pytest

from plex_integration.configuration import runtime
from plex_simulator import Simulator
from plex_simulator.models import Account, Item
from tests import counting
from tests.watching.conftest import episodes_of
from tests.writing.conftest import Writer


@pytest.fixture
def costs(
    shared: Any, api: Writer, plex: Simulator, movie: Item, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, int, int]]:
    """Return a function that counts a write, after the first of a worker."""
    # The comparison of the settings, once a second, is extra.
    monkeypatch.setattr(runtime, "CHECK_SECONDS", 600)
    runtime.reload()
    api.wrote("PUT", f"/plex/items/{movie.rating_key}/progress", json={"viewOffset": 60_000})
    queries, round_trips = counting.queries(monkeypatch), counting.round_trips(monkeypatch)

    def count(method: str, path: str, **kwargs: Any) -> tuple[int, int, int]:
        plex.reset_requests()
        queries.clear()
        round_trips.clear()
        api.wrote(method, path, **kwargs)
        return len(plex.requests), len(queries), len(round_trips)

    return count


def test_what_writes_of_watch_states_cost(
    costs: Callable[..., tuple[int, int, int]], plex: Simulator, anna: Account, movie: Item,
    show: Item,
) -> None:  # fmt: skip
    item = f"/plex/items/{movie.rating_key}"
    episode = f"/plex/items/{episodes_of(plex, show)[-1].rating_key}"
    found = {
        "a resume point that moves": costs("PUT", f"{item}/progress", json={"viewOffset": 70_000}),
        "a movie": costs("PUT", f"{item}/watched"),
        "a movie that is watched": costs("PUT", f"{item}/watched"),
        "an episode": costs("PUT", f"{episode}/watched"),
        "not watched, an episode": costs("DELETE", f"{episode}/watched"),
        "a show": costs("PUT", f"/plex/items/{show.rating_key}/watched"),
    }
    assert found == {
        "a resume point that moves": (3, 4, 6),
        "a movie": (3, 4, 6),
        "a movie that is watched": (1, 4, 5),
        "an episode": (4, 6, 6),
        "not watched, an episode": (4, 6, 6),
        "a show": (5, 4, 6),
    }
