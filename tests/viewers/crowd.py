"""Ten viewers with different libraries, filters and progress, and what they all ask for."""

from collections.abc import Iterator, Sequence
from typing import Any

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import PolicyChange
from plex_integration.policies import LIMITS
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.viewers import expectations as of
from tests.viewers.comparison import Actor
from tests.viewers.conftest import link_to
from tests.viewers.expectations import Case

MANY = 1_000_000

ACCOUNTS: dict[str, dict[str, Any]] = {
    "Anna": {"libraries": ("1", "2")},
    "Bert": {"libraries": ("1",)},
    "Clara": {"libraries": ("2", "5")},
    "David": {},
    "Emma": {"libraries": ("1",), "filters": {"filterMovies": "label!=Favourites"}},
    "Felix": {"libraries": ("1", "2"), "filters": {"filterMovies": "contentRating!=R,NR"}},
    "Greta": {"restriction_profile": "little_kid"},
    "Hans": {"libraries": ("5",)},
    "Ida": {"libraries": ("1", "8")},
    "Jonas": {"libraries": ("1", "2")},
}
OTHER_TYPES = (("2", "show"), ("2", "season"), ("5", "artist"), ("5", "album"))
REVOKED, UNLINKED = "Revoked", "Unlinked"


def gather(plex: Simulator, names: Sequence[str] = tuple(ACCOUNTS)) -> list[Actor]:
    """Create users with these accounts, one without a link, and one whose link is revoked.

    Limits are raised beyond what they will send.
    """
    PolicyChange.objects.bulk_create(
        PolicyChange(kind="rate", name=limit.scope, value=MANY) for limit in LIMITS
    )
    accounts = [plex.add_account(name, **ACCOUNTS[name]) for name in names]
    for number, account in enumerate(accounts):
        _watch(plex, account, number)
    actors = [_viewer(plex, account) for account in accounts]
    return [*actors, _unlinked(plex), _revoked(plex)]


def _watch(plex: Simulator, account: Account, number: int) -> None:
    """Give an account its own progress, and a playlist."""
    movies, episodes = plex.catalogue.items("1", "movie"), plex.catalogue.items("2", "episode")
    for item in movies[number : number + 4]:
        plex.catalogue.mark_watched(item.rating_key, account)
    plex.catalogue.set_progress(movies[number + 2].rating_key, account, 60_000 * (number + 2))
    plex.catalogue.mark_watched(episodes[number % 8].rating_key, account)
    keys = [each.rating_key for each in movies[number * 2 : number * 3 + 2]]
    plex.catalogue.add_playlist(account, f"List of {account.name}", "video", keys)


def _viewer(plex: Simulator, account: Account) -> Actor:
    user = User.objects.create(username=account.name, password="!")
    link_to(user, account, plex)
    return Actor(account.name, _access(user), account)


def _unlinked(plex: Simulator) -> Actor:
    user = User.objects.create(username=UNLINKED, password="!")
    return Actor(UNLINKED, _access(user), plex.accounts.owner)


def _revoked(plex: Simulator) -> Actor:
    user = User.objects.create(username=REVOKED, password="!")
    link_to(user, plex.add_account(REVOKED), plex, state=PlexLink.State.REVOKED)
    return Actor(REVOKED, _access(user), None)


def _access(user: User) -> str:
    return tokens.issue(user).access


def cases(plex: Simulator, since: int) -> list[Case]:
    """Return requests to every endpoint, for what some viewers see and others do not."""
    return [
        of.server(),
        of.libraries(),
        of.on_deck(),
        of.playlists(),
        of.search("the"),
        of.search("and"),
        of.recently_added(since),
        *_library_cases(),
        *_item_cases(plex),
        *(of.playlist(each.rating_key) for each in plex.catalogue.playlists),
        *(of.collection(each.rating_key) for each in plex.catalogue.collections()),
    ]


def _library_cases() -> Iterator[Case]:
    for key, kind in {"1": "movie", "2": "show", "5": "artist", "8": "movie"}.items():
        yield of.library_items(key, kind)
        yield of.genres(key)
        yield of.collections(key)
    yield of.library_items("1", "movie", "&unwatched=true", unwatched=1)
    yield of.library_items("2", "show", "&unwatched=true", unwatchedLeaves=1)
    yield of.library_items("1", "movie", "&sort=addedAt", sort="addedAt:desc")
    yield of.library_items("2", "episode")


def _item_cases(plex: Simulator) -> Iterator[Case]:
    catalogue = plex.catalogue
    for movie in pictured(plex):
        yield of.item(movie.rating_key)
        yield of.picture(movie.rating_key, "thumb")
        yield of.lookup(movie.guid, "movie")
    named = [each.rating_key for each in pictured(plex)]
    named += [catalogue.items(key, kind)[0].rating_key for key, kind in OTHER_TYPES]
    yield of.many_items([*named, "9999999"])
    yield of.many_items(list(reversed(named)))
    for library, kind in OTHER_TYPES:
        for found in catalogue.items(library, kind)[:2]:
            yield of.item(found.rating_key)
            yield of.children(found.rating_key)


def pictured(plex: Simulator) -> list[Any]:
    """Return movies with a poster: the first that everybody has watched differently, and more."""
    movies = [each for each in plex.catalogue.items("1", "movie") if each.thumb]
    labelled = [each for each in movies if each.labels]
    return [*movies[:6], *labelled[:2]]
