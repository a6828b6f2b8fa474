"""Two releases beside each other on one Redis and one database, as during a rolling upgrade."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import pytest
import requests

from plex_integration import cache_layout
from plex_simulator import Simulator
from tests.admin.test_workers import Operator
from tests.service import OPERATOR, PASSWORD, Answer, House, Person, Service, Valkey, ask, until

ITEMS = "/api/v1/plex/libraries/1/items?size=3"
COLLECTIONS = "/api/v1/plex/libraries/1/collections"
POLICIES = "/admin/plex_integration/policychange/"
STATUS = "x-plex-cache-status"


@dataclass(frozen=True)
class Releases:
    """A worker of each release; the new one caches in another layout."""

    old: Service
    new: Service

    def ask(self, path: str, person: Person) -> list[Answer]:
        """Send a request to the old release, and then to the new one."""
        return [ask(each.url, path, person.headers) for each in (self.old, self.new)]


@pytest.fixture(scope="module")
def _releases(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Releases]:
    database = house.copied()
    old = house.service(_valkey, workers=1, DATABASE_URL=database)
    try:
        new = house.service(
            _valkey, workers=1, DATABASE_URL=database, application="tests.next_release:application"
        )
    except BaseException:
        old.close()
        raise
    yield Releases(old, new)
    old.close()
    new.close()


@pytest.fixture
def releases(_releases: Releases, valkey: Valkey, plex: Simulator) -> Releases:
    return _releases


def statuses(answers: Sequence[Answer]) -> list[str]:
    return [each.headers[STATUS] for each in answers]


def test_neither_release_reads_or_replaces_what_the_other_has_cached(
    releases: Releases, people: Sequence[Person], valkey: Valkey
) -> None:
    assert statuses(releases.ask(ITEMS, people[0])) == ["MISS", "MISS"]
    for person in people[1:3]:
        # By the full path, and then by the fast path.
        assert statuses(releases.ask(ITEMS, person)) == ["HIT", "HIT"]
    for name in ("responses", "request"):
        found = {
            version: len(valkey.client.keys(f"medianest:cache:{name}-{version}:*"))
            for version in (cache_layout.VERSION, cache_layout.VERSION + 1)
        }
        assert len(set(found.values())) == 1, found
        assert min(found.values()) >= 1, found
        every = valkey.client.keys(f"medianest:cache:{name}*")
        assert len(every) == sum(found.values())


def test_a_limit_counts_the_requests_to_both_releases(
    releases: Releases, people: Sequence[Person]
) -> None:
    left = [
        int(each.headers["x-ratelimit-remaining"])
        for _ in range(3)
        for each in releases.ask(ITEMS, people[3])
    ]
    assert left == list(range(left[0], left[0] - 6, -1))


def test_a_write_through_either_release_is_seen_by_both(
    releases: Releases, plex: Simulator, house: House, people: Sequence[Person]
) -> None:
    for turn, service in enumerate((releases.new, releases.old)):
        releases.ask(COLLECTIONS, people[4])
        assert statuses(releases.ask(COLLECTIONS, people[4])) == ["HIT", "HIT"]
        made = create(service, house.writers[turn], f"Release {turn}", f"key-{turn}")
        found = releases.ask(COLLECTIONS, people[4])
        plex.catalogue.remove_collection(made)
        assert statuses(found) == ["MISS", "MISS"]


def test_a_write_that_is_repeated_at_the_other_release_is_done_once(
    releases: Releases, plex: Simulator, house: House
) -> None:
    made = {
        create(service, house.writers[0], "Once", "one-for-both")
        for service in (releases.old, releases.new)
    }
    assert len(made) == 1
    plex.catalogue.remove_collection(made.pop())
    sent = [each.path for each in plex.requests if each.method == "POST"]
    assert sent == ["/library/collections"]


def create(service: Service, writer: Person, title: str, key: str) -> str:
    """Create a collection; return its key."""
    answer = requests.post(
        service.url + COLLECTIONS,
        json={"title": title, "items": ["1001"]},
        headers=writer.headers | {"Idempotency-Key": key},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["collection"]["ratingKey"])


def test_settings_that_are_saved_with_either_release_take_effect_on_both(
    releases: Releases, people: Sequence[Person]
) -> None:
    others = cycle(people[5:])  # one person alone would exceed the limit
    for service, seconds in ((releases.new, "77"), (releases.old, "78")):
        with Operator(service.url) as operator:
            operator.submit(POLICIES, {"ttl-library-items": seconds})
        is_in_effect = partial(live_for, releases, others, seconds)
        until(is_in_effect, 5, "both use the setting")


def live_for(releases: Releases, others: Iterator[Person], seconds: str) -> bool:
    """Tell whether responses of both releases live for so many seconds."""
    return lifetimes(releases, next(others)) == {seconds}


def lifetimes(releases: Releases, person: Person) -> set[str]:
    """Return how long each release lets a response live."""
    answers = releases.ask(ITEMS, person)
    return {each.headers["cache-control"].partition(",")[0].partition("=")[2] for each in answers}


def test_a_token_that_is_revoked_with_either_release_is_refused_by_both(
    releases: Releases, people: Sequence[Person]
) -> None:
    for service in (releases.new, releases.old):
        signed_in = requests.post(
            f"{service.url}/api/v1/auth/token",
            json={"username": OPERATOR, "password": PASSWORD},
            timeout=30,
        ).json()["data"]
        person = Person(0, OPERATOR, signed_in["access"])
        for _ in range(2):
            assert [each.status for each in releases.ask(ITEMS, person)] == [200, 200]
        revoke(service)
        assert [each.status for each in releases.ask(ITEMS, person)] == [401, 401]


def revoke(service: Service) -> None:
    """Revoke all tokens of the operator, in the admin."""
    users = "/admin/accounts/user/"
    with Operator(service.url) as operator:
        page = operator.get(f"{service.url}{users}?q={OPERATOR}", timeout=20)
        marked = page.text.partition('name="_selected_action" value="')[2].partition('"')[0]
        operator.submit(users, {"action": "revoke_all_tokens", "_selected_action": marked})
