"""No viewer ever gets what was loaded for another: thousands of requests, each response compared.

The first test is the proof. The others make one place after another forget whose view a request
has, and prove that the comparison finds it.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest

from plex_integration.caching import entry_cache, known_requests, tags
from plex_integration.caching.response_cache import CacheKey
from plex_integration.caching.single_flight import SingleFlight
from plex_integration.configuration import connection
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.images import signing
from plex_integration.images.fetch import ImageKey
from plex_integration.index import endpoints
from plex_integration.plex import calls
from plex_integration.reading.catalog import LibraryCatalog
from plex_simulator import Simulator
from tests.server import Server
from tests.service import House, Valkey, until
from tests.viewers import crowd
from tests.viewers.conftest import started_with
from tests.viewers.expectations import Case
from tests.viewers.traffic import FAILURES, VARIANTS, Traffic

SEED = 20_261_128
MONTH = 30 * 86400


def cases_of(plex: Simulator) -> Sequence[Case]:
    return crowd.cases(plex, since=int(time.time()) - MONTH)


def check(traffic: Traffic) -> None:
    """Fail if there was a leak; the message starts with the seed and the first leaks."""
    leaks = traffic.leaks
    assert not leaks, "\n".join([f"seed {SEED}, {len(leaks)} leaks:", *leaks[:20]])


def test_every_endpoint_that_shows_plex_has_an_expectation(home: Simulator) -> None:
    shown = {each.name for each in endpoints() if each.method == "GET"}
    assert {each.endpoint for each in cases_of(home)} == shown


@pytest.mark.slow
def test_nobody_gets_what_was_loaded_for_another(
    home: Simulator, house: House, shared: Any, valkey: Valkey, transactional_db: None
) -> None:
    actors = crowd.gather(home)
    with closing(started_with(house, valkey, home)) as service:
        traffic = Traffic(service.url, home.url, actors, cases_of(home), SEED)
        traffic.expect()
        traffic.send(4500)
        check(traffic)

        _change(home)
        traffic.expect()
        traffic.send(2500)
        check(traffic)

        home.fault("status", status=503)
        traffic.send(1000, allowed=FAILURES)
        check(traffic)
        home.heal()
        until(lambda: _is_loaded(traffic), 20, "the response comes from Plex again")

        _take_access(home, traffic)
        traffic.expect()
        traffic.send(2000)
        check(traffic)
        assert traffic.compared.total() == 10_000
        assert min(traffic.compared[variant] for variant in VARIANTS) > 100


def _is_loaded(traffic: Traffic) -> bool:
    received = traffic.renewed(crowd.UNLINKED, "/plex/server")
    return received.headers.get("x-plex-cache-status") == "MISS"


def _change(plex: Simulator) -> None:
    """Let viewers watch something with other clients, and remove a movie."""
    catalogue = plex.catalogue
    movies = catalogue.items("1", "movie")
    for number, account in enumerate(plex.accounts.all):
        catalogue.mark_watched(movies[number // 2].rating_key, account)
        catalogue.set_progress(movies[number // 3 + 1].rating_key, account, 70_000)
    catalogue.remove(movies[20].rating_key)
    server = Connection(plex.url, "", verify=True, seconds=1, show_file_paths=False).server
    assert tags.invalidate(server, [tags.SERVER])


def _take_access(plex: Simulator, traffic: Traffic) -> None:
    """End a share, the share of a library and a token, and let Plex refuse each of them once."""
    find = plex.accounts.find
    plex.remove_share(find("Anna"))
    plex.unshare_library(find("Jonas"), "2")
    plex.rotate_server_token(find("Bert"))
    assert traffic.renewed("Anna", "/plex/server").status == 403
    assert traffic.renewed("Jonas", "/plex/libraries/2/items").status == 404
    assert traffic.renewed("Bert", "/plex/server").status == 200
    traffic.end_links("Anna", "Jonas", "Bert")


# Where a request's view could be forgotten ------------------------------------------------------

ANYBODY = Scope("anybody", "server", "1.1")


def forget_own_versions(at: pytest.MonkeyPatch) -> None:
    """Let all viewers share the tag versions, which alone keep what one viewer loaded from others.

    An entry is current under the versions of its own scope only, whatever key it is found under.
    """
    real = connection._viewer_scope
    at.setattr(connection, "_viewer_scope", lambda *of: replace(real(*of), versions=""))


def forget_in_cache_keys(at: pytest.MonkeyPatch) -> None:
    forget_own_versions(at)
    real = CacheKey.name.func

    def name(key: CacheKey) -> str:
        return str(real(replace(key, scope=replace(key.scope, name="anybody"))))

    at.setattr(CacheKey, "name", property(name))


def forget_in_known_requests(at: pytest.MonkeyPatch) -> None:
    forget_own_versions(at)
    real_get, real_remember = known_requests.get, known_requests._remember_here
    at.setattr(known_requests, "get", lambda identity: real_get(("", *identity[1:])))
    at.setattr(
        known_requests,
        "_remember_here",
        lambda identity, known: real_remember(("", *identity[1:]), known),
    )


def forget_in_library_catalog(at: pytest.MonkeyPatch) -> None:
    real = LibraryCatalog._key
    at.setattr(
        LibraryCatalog, "_key", lambda self, wanted: replace(real(self, wanted), scope=ANYBODY)
    )


def forget_in_single_flight(at: pytest.MonkeyPatch) -> None:
    real = SingleFlight.run

    def run(self: Any, key: Any, *arguments: Any, **options: Any) -> Any:
        name = key if isinstance(key, str) else key[0]
        return real(self, _without_scope(name), *arguments, **options)

    at.setattr(SingleFlight, "run", run)


def _without_scope(name: str) -> str:
    """Return a key of the response cache without the part that is its scope."""
    prefix, *parts = name.split(":")
    return ":".join((prefix, parts[0], parts[-1])) if parts else name


def forget_in_held_entries(at: pytest.MonkeyPatch) -> None:
    # The checksum in the store also tells that another entry is meant: that is forgotten, too.
    forget_own_versions(at)
    real_get, real_hold = entry_cache.get, entry_cache.hold

    def get(key: str) -> Any:
        held = real_get(_without_scope(key))
        return held and replace(held, identity=ANY)

    at.setattr(entry_cache, "get", get)
    at.setattr(entry_cache, "hold", lambda key, held: real_hold(_without_scope(key), held))


def forget_in_signatures(at: pytest.MonkeyPatch) -> None:
    real = signing._signature
    at.setattr(signing, "_signature", lambda scope, *arguments: real(ANYBODY, *arguments))


def forget_in_image_keys(at: pytest.MonkeyPatch) -> None:
    real = ImageKey.name.func
    at.setattr(ImageKey, "name", property(lambda key: real(replace(key, scope=ANYBODY))))


def forget_in_clients_of_plex(at: pytest.MonkeyPatch) -> None:
    first: list[Any] = []
    real = calls._http

    def http(wanted: Connection) -> Any:
        first.append(real(wanted))
        return first[0]

    at.setattr(calls, "_http", http)


PLACES = (
    forget_in_cache_keys,
    forget_in_known_requests,
    forget_in_library_catalog,
    forget_in_single_flight,
    forget_in_held_entries,
    forget_in_signatures,
    forget_in_image_keys,
    forget_in_clients_of_plex,
)


@pytest.fixture
def traffic(home: Simulator, server: Server, transactional_db: None) -> Traffic:
    """A few viewers, who ask every endpoint once for something."""
    actors = crowd.gather(home, ("Anna", "Clara", "Emma", "Greta"))
    cases = {case.endpoint: case for case in reversed(cases_of(home))}
    made = Traffic(server.url, home.url, actors, list(cases.values()), SEED)
    made.expect()
    return made


def test_a_few_requests_in_one_process_leak_nothing(traffic: Traffic) -> None:
    traffic.send(500)
    check(traffic)


@pytest.mark.slow
@pytest.mark.parametrize("forget", PLACES)
def test_a_place_that_forgets_the_view_is_found(
    traffic: Traffic,
    home: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    forget: Callable[[pytest.MonkeyPatch], None],
) -> None:
    forget(monkeypatch)
    home.fault("slow", delay=0.05)  # so that requests for the same meet in one flight
    traffic.send(500)
    assert traffic.leaks
