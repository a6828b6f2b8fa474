"""Users who are linked to Plex accounts, and the watch states of these accounts in Plex."""

from collections.abc import Callable

import pytest

from accounts.models import User
from plex_simulator import Simulator
from plex_simulator.models import Account, Item, WatchState
from tests.writing.conftest import Writer, link, plex, reader, signed_in

__all__ = ["plex", "reader", "signed_in"]

MARKS = ("/:/scrobble", "/:/unscrobble", "/:/progress")


@pytest.fixture
def viewer_as(plex: Simulator, signed_in: Callable[..., Writer]) -> Callable[[Account], Writer]:
    """Sign in another user at each call, whose view of Plex is that of an account."""

    def sign_in(account: Account) -> Writer:
        client = signed_in()
        link(plex, User.objects.latest("pk"), account)
        return client

    return sign_in


@pytest.fixture
def anna(plex: Simulator) -> Account:
    return plex.add_account("Anna")


@pytest.fixture
def api(viewer_as: Callable[[Account], Writer], anna: Account) -> Writer:
    """A client of a user who sees what Anna sees."""
    return viewer_as(anna)


@pytest.fixture
def movie(plex: Simulator, anna: Account) -> Item:
    """A movie of 100 minutes that Anna has not seen."""
    movies = plex.catalogue.items("1", "movie")
    unseen = next(movie for movie in movies if movie.seen_by(anna) == WatchState())
    return plex.catalogue.change(unseen.rating_key, duration=6_000_000)


@pytest.fixture
def show(plex: Simulator, anna: Account) -> Item:
    """A show with two seasons or more that Anna has not seen."""
    shows = plex.catalogue.items("2", "show")
    found = next(show for show in shows if len(seasons_of(plex, show)) > 1)
    plex.catalogue.mark_watched(found.rating_key, anna, watched=False)
    return found


def seasons_of(plex: Simulator, show: Item) -> list[Item]:
    return list(plex.catalogue.children(show.rating_key))


def episodes_of(plex: Simulator, show: Item) -> list[Item]:
    return [
        episode
        for season in seasons_of(plex, show)
        for episode in plex.catalogue.children(season.rating_key)
    ]


def seen(plex: Simulator, key: str, account: Account) -> WatchState:
    """Return the watch state that Plex has of an item now."""
    found = plex.catalogue.item(key)
    assert found is not None
    return found.seen_by(account)


def counts(plex: Simulator, show: Item, account: Account) -> list[int]:
    """Return how often each episode of a show was watched."""
    return [seen(plex, each.rating_key, account).view_count for each in episodes_of(plex, show)]


def marks(plex: Simulator) -> list[tuple[str, str]]:
    """Return the requests to Plex that change watch states, by path and rating key."""
    return [(each.path, each.query["key"]) for each in plex.requests if each.path in MARKS]
