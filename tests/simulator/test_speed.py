"""Every request to a library of 250,000 movies is answered without reading the library."""

import statistics
import time
from collections.abc import Iterator

import pytest

from plex_simulator import Simulator, filter_options
from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import Account
from plex_simulator.server import ROUTES

from .conftest import NOW, PlexClient

# One worker of xdist prepares the library, which takes many seconds, for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("large_library")]

MOVIES = 250_000
# How many times the processor time of `reference`, which is measured beside each request, because
# machines differ. The dearest request, which selects rows in arrays, takes 29 to 47; one that reads
# each movie takes more than 10,000.
LIMIT = 200
# The time to write a row does not depend on the size of the library.
ROWS = "20"

SECTION, ITEMS = "/library/sections/1", "/library/sections/1/all?type=1"
VALUES = {"string": "the", "exact": "R", "integer": "1990", "date": "-30d", "boolean": "1"}
PATHS = [
    *("/", "/identity", "/media/providers?includeStorage=1", "/status/sessions", "/accounts"),
    *("/status/sessions/history/all", "/:/prefs", "/system/agents", "/library"),
    *("/library/sections", f"{SECTION}?includeDetails=1", f"{SECTION}/collections"),
    *(f"{SECTION}/sorts", f"{SECTION}/filters", f"{SECTION}/firstCharacter"),
    *("/hubs/search?query=the", "/hubs/search?query=ida", "/hubs/search?query=zzz"),
    *("/hubs/search?query=comedy&sectionId=1", "/library/search?query=the&limit=20"),
    *("/library/recentlyAdded", "/hubs/home/recentlyAdded?type=1", "/library/onDeck"),
    *("/hubs/continueWatching?count=20", "/hubs/continueWatching/items", "/playlists"),
    *("/library/all?type=1&sort=addedAt:desc", "/library/all?guid=plex://movie/0"),
    *(f"{ITEMS}&sort=year:desc,titleSort", f"{ITEMS}&genre=105&year>>=1980&unwatched=1"),
]
# Pictures are drawn from a seed and do not depend on the size of the library.
PICTURES = ("photo", "thumb", "art", "banner", "composite", "resources")


def paths(simulator: Simulator) -> Iterator[str]:
    """Yield at least one request per route, and one per sort, filter and list of filter values."""
    catalogue = simulator.catalogue
    movie = catalogue.table("1", "movie").key(MOVIES // 2)
    show = catalogue.table("2", "show").key(1)
    yield from PATHS
    query = f"key={movie}&identifier=com.plexapp.plugins.library"
    yield from (f"/:/scrobble?{query}", f"/:/unscrobble?{query}", f"/:/rate?{query}&rating=7")
    yield from (f"/:/progress?{query}&time=90000", f"/:/timeline?{query}&time=1&state=playing")
    yield from (f"/library/metadata/{movie}", f"/library/metadata/{movie}/matches?title=imdb-tt1")
    yield from (f"/library/metadata/{show}/children", f"/library/metadata/{show}/allLeaves")
    for collection in catalogue.collections("1"):
        yield f"/library/collections/{collection.rating_key}"
        yield f"/library/collections/{collection.rating_key}/children"
        yield f"/library/collections/{collection.rating_key}/items"
    for playlist in catalogue.playlists:
        yield f"/playlists/{playlist.rating_key}"
        yield f"/playlists/{playlist.rating_key}/items"
    for field, _, _ in filter_options.FILTERS["movie"]:
        yield f"{SECTION}/{field}"
    for sort, _, _ in [*filter_options.SORTS["movie"], *filter_options.ADVANCED_SORTS["movie"]]:
        yield f"{ITEMS}&sort={sort}"
        yield f"{ITEMS}&sort={sort}:desc"
    for field in sorted(TYPE_FIELDS["movie"]):
        kind = FIELDS[field].type
        value = "105,100150,400100,301" if kind == "tag" else VALUES[kind]
        yield f"{ITEMS}&{field}={value}&sort=addedAt:desc"


@pytest.fixture(scope="module")
def large() -> Iterator[Simulator]:
    with Simulator(seed=5, now=NOW, movies=MOVIES) as simulator:
        simulator.preparation.wait()
        yield simulator


@pytest.fixture(scope="module")
def filtered(large: Simulator) -> Account:
    """An account that sees most of the large library."""
    filters = {"filterMovies": "label!=Kids&contentRating!=R"}
    account = large.add_account("Anna", filters=filters)
    large.preparation.wait()
    return account


def measure(client: PlexClient, path: str, token: str) -> float:
    """Return the processor time of a request for a page in the middle of the library."""
    catalogue = client.simulator.catalogue
    table = catalogue.table("1", "movie")
    # A request may have to read what changed before it.
    catalogue.change(table.key(17), title="The Changed Bakery", year=1999)
    catalogue.mark_watched(table.key(18))
    start = str(MOVIES // 2) if path.startswith(ITEMS) else "0"
    began = time.process_time()
    headers = {"X_Plex_Container_Start": start, "X_Plex_Container_Size": ROWS}
    response = client.get(path, token, X_Plex_Client_Identifier="tests", **headers)
    elapsed = time.process_time() - began
    assert response.status in (200, 401, 403, 404), path
    return elapsed


def reference() -> float:
    """Return the processor time of adding 100,000 numbers."""
    began = time.process_time()
    assert sum(number for number in range(100_000)) == 4_999_950_000
    return time.process_time() - began


def slow_requests(simulator: Simulator, token: str) -> dict[str, float]:
    client = PlexClient(simulator)
    times: dict[str, float] = {}
    for path in paths(simulator):
        rounds = [(measure(client, path, token), reference()) for _ in range(3)]
        of_requests, of_references = zip(*rounds, strict=True)
        times[path] = statistics.median(of_requests) / statistics.median(of_references)
    client.connection.close()
    return {path: ratio for path, ratio in times.items() if ratio > LIMIT}


def test_no_request_to_a_large_library_takes_more_processor_time_than_its_limit(
    large: Simulator,
) -> None:
    assert slow_requests(large, large.owner_token) == {}


def test_no_request_of_a_filtered_account_takes_more_processor_time_than_its_limit(
    large: Simulator, filtered: Account
) -> None:
    assert slow_requests(large, filtered.server_token) == {}


def test_each_route_for_reading_is_measured(large: Simulator) -> None:
    requested = [path.partition("?")[0] for path in paths(large)]
    missing = [
        route.pattern.pattern
        for route in ROUTES
        if route.method == "GET"
        and not any(picture in route.pattern.pattern for picture in PICTURES)
        and not any(route.pattern.fullmatch(path) for path in requested)
    ]
    assert missing == []
